//! `longshore batch`: many repositories, one of them bad, and nothing done twice.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn batch(source: &Path, output: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.arg("batch").arg(source).arg("--output").arg(output);
    command.args(more).output().expect("runs")
}

fn entries(output: &Output) -> Vec<Value> {
    let found = serde_json::from_slice(&output.stdout);
    found.unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn repository(folder: &Path, name: &str, port: u16) {
    let root = folder.join(name);
    fs::create_dir_all(&root).expect("made");
    let readme =
        format!("# {name}\n\nStart it with `python server.py`; it listens on port {port}.\n");
    fs::write(root.join("README.md"), readme).expect("written");
    let server = format!(
        "import http.server as h\nh.HTTPServer(('0.0.0.0', {port}), h.SimpleHTTPRequestHandler).serve_forever()\n"
    );
    fs::write(root.join("server.py"), server).expect("written");
}

#[test]
fn a_bad_repository_stops_no_other_and_nothing_is_done_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, output) = (folder.path().join("in"), folder.path().join("out"));
    repository(&source, "one", 8001);
    repository(&source, "two", 8002);
    fs::create_dir_all(source.join("bad")).expect("made");
    fs::write(source.join("bad/A.hs"), "main = pure ()\n").expect("written");
    let first = batch(&source, &output, &["--format", "json"]);
    assert_eq!(first.status.code(), Some(1), "{first:?}");
    let found = entries(&first);
    let names: Vec<&str> = found
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert_eq!(names, ["bad", "one", "two"]);
    assert_eq!(found[0]["ok"], false);
    assert!(
        found[0]["error"]
            .as_str()
            .is_some_and(|error| !error.is_empty()),
        "{found:?}"
    );
    assert_eq!(
        (&found[1]["ok"], &found[1]["remembered"]),
        (&true.into(), &false.into())
    );
    assert!(output.join("one/Dockerfile").is_file() && output.join("two/Dockerfile").is_file());

    repository(&source, "two", 8003);
    fs::remove_dir_all(source.join("bad")).expect("removed");
    let second = batch(&source, &output, &["--format", "json"]);
    assert_eq!(second.status.code(), Some(0), "{second:?}");
    let found = entries(&second);
    let remembered: Vec<&Value> = found.iter().map(|entry| &entry["remembered"]).collect();
    assert_eq!(remembered, [&Value::Bool(true), &Value::Bool(false)]);
    let text = fs::read_to_string(output.join("two/compose.yaml")).expect("read");
    assert!(text.contains("8003") && !text.contains("8002"), "{text}");

    let third = batch(&source, &output, &["--again", "--format", "junit"]);
    let xml = String::from_utf8_lossy(&third.stdout).into_owned();
    let parsed = roxmltree::Document::parse(&xml).expect("XML");
    let cases = parsed
        .descendants()
        .filter(|node| node.has_tag_name("testcase"));
    assert_eq!(cases.count(), 2, "{xml}");
}

#[test]
fn a_list_names_paths_and_two_of_one_name_are_kept_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    repository(&folder.path().join("a"), "app", 8001);
    repository(&folder.path().join("b"), "app", 8002);
    let list = folder.path().join("list.txt");
    let shown = folder.path().display();
    fs::write(
        &list,
        format!("# ours\n{shown}/a/app\n\n{shown}/b/app\n{shown}/gone\n"),
    )
    .expect("written");
    let output = folder.path().join("out");
    let ended = batch(&list, &output, &["--jobs", "3"]);
    assert_eq!(ended.status.code(), Some(1));
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(
        text.contains("2 fine, 1 failed, 0 of them done before"),
        "{text}"
    );
    assert!(output.join("app/Dockerfile").is_file() && output.join("app-2/Dockerfile").is_file());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("gone: failed"), "{said}");
}

#[test]
fn a_source_without_repositories_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended = batch(folder.path(), &folder.path().join("out"), &[]);
    assert_eq!(ended.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("there is no repository in"));
}
