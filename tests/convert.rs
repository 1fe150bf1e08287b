//! `longshore convert` on disk: what is written, what stays, what is told.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const SAMPLE: &str = "samples/flask_app_listens_on_the_port_its_readme_names/repo";

fn sample() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in walkdir::WalkDir::new(SAMPLE).into_iter().flatten() {
        let target = folder
            .path()
            .join(entry.path().strip_prefix(SAMPLE).expect("below the sample"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).expect("made");
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
    folder
}

fn convert(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("convert")
        .arg(folder)
        .args(arguments)
        .output()
        .expect("runs")
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .flatten();
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            (
                entry.path().display().to_string(),
                fs::read(entry.path()).expect("read"),
            )
        })
        .collect()
}

#[test]
fn a_second_run_over_unchanged_input_is_byte_identical() {
    let folder = sample();
    assert!(convert(folder.path(), &[]).status.success());
    let first = contents(folder.path());
    let second = convert(folder.path(), &[]);
    assert!(
        second.status.success() && second.stdout.is_empty(),
        "{second:?}"
    );
    assert_eq!(first, contents(folder.path()));
    assert!(convert(folder.path(), &["--check"]).status.success());
}

#[test]
fn files_that_longshore_wrote_are_no_evidence() {
    let folder = tempfile::tempdir().expect("a folder");
    // Only the source tells the port, and the Dockerfile that is made of it.
    let readme = "# app\n\nStart it with `python server.py`.\n";
    fs::write(folder.path().join("README.md"), readme).expect("written");
    let server = "import http.server as h\nh.HTTPServer(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()\n";
    fs::write(folder.path().join("server.py"), server).expect("written");
    let plan = || {
        let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .arg("plan")
            .arg(folder.path())
            .args(["--format", "json"])
            .output()
            .expect("runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let before = plan();
    assert!(convert(folder.path(), &[]).status.success());
    assert_eq!(before, plan());
}

#[test]
fn an_edited_file_is_kept_and_the_difference_shown() {
    let folder = sample();
    convert(folder.path(), &[]);
    let path = folder.path().join("Dockerfile");
    let edited = fs::read_to_string(&path)
        .expect("read")
        .replace("EXPOSE 5050", "EXPOSE 6060");
    fs::write(&path, &edited).expect("edited");

    let kept = convert(folder.path(), &[]);
    assert_eq!(kept.status.code(), Some(1));
    let told = String::from_utf8_lossy(&kept.stderr);
    assert!(told.contains("-EXPOSE 6060\n+EXPOSE 5050"), "{told}");
    assert_eq!(fs::read_to_string(&path).expect("read"), edited);
    assert_eq!(convert(folder.path(), &["--check"]).status.code(), Some(1));

    assert!(convert(folder.path(), &["--force"]).status.success());
    assert!(
        fs::read_to_string(&path)
            .expect("read")
            .contains("EXPOSE 5050")
    );
}

#[test]
fn a_file_that_was_there_before_is_a_persons() {
    let folder = sample();
    fs::write(folder.path().join("compose.yaml"), "services: {}\n").expect("written");
    assert_eq!(convert(folder.path(), &[]).status.code(), Some(1));
    assert_eq!(
        fs::read_to_string(folder.path().join("compose.yaml")).expect("read"),
        "services: {}\n"
    );
    assert!(
        folder.path().join("Dockerfile").exists(),
        "the other files are written"
    );
}

#[test]
fn check_writes_nothing() {
    let folder = sample();
    let before = contents(folder.path());
    assert_eq!(convert(folder.path(), &["--check"]).status.code(), Some(1));
    assert_eq!(before, contents(folder.path()));
}

#[test]
fn the_plan_fits_its_schema() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(arguments)
            .output()
            .expect("runs");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON")
    };
    let schema = run(&["schema"]);
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let samples = fs::read_dir("samples").expect("samples");
    let facts = fs::read_dir("samples/facts").expect("facts");
    for sample in samples.chain(facts) {
        let repo = sample.expect("an entry").path().join("repo");
        if !repo.is_dir() {
            continue;
        }
        let plan = run(&["plan", &repo.display().to_string(), "--format", "json"]);
        assert_eq!(plan["schema"], "longshore.plan/1");
        if let Err(error) = validator.validate(&plan) {
            panic!("{}: {error}", repo.display());
        }
    }
}

#[test]
fn what_a_compose_file_builds_is_not_cut_off() {
    let components = |composed: bool| {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        let mut compose = "services:\n".to_owned();
        for number in 1..=9 {
            let package =
                r#"{"dependencies": {"express": "4.21.2"}, "scripts": {"start": "node app.js"}}"#;
            write(&format!("part{number}/package.json"), package);
            let code = format!("require('express')().listen({})\n", 4000 + number);
            write(&format!("part{number}/app.js"), &code);
            compose += &format!("  part{number}:\n    build: ./part{number}\n");
        }
        if composed {
            write("compose.yaml", &compose);
        }
        let plan = longshore::convert::plan(
            folder.path(),
            &longshore::recipe::Catalog::built_in(),
            longshore::config::Trust::Granted,
        );
        plan.expect("it opens").value.components.len()
    };
    assert_eq!(components(true), 9);
    // Without one they are a collection of examples.
    assert_eq!(components(false), 1);
}
