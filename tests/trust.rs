//! What a repository may say of itself, and what only its user may say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use longshore::{
    config::Config,
    convert,
    plan::BuildPlan,
    recipe::{Catalog, Stage},
    record::{self, RepairRecord, State, Verified},
    repair,
    repo::Repo,
};
use sha2::{Digest, Sha256};

/// A repository, and the configuration folder of the one who converts it.
struct Place {
    keep: tempfile::TempDir,
    repository: PathBuf,
}

fn place() -> Place {
    let keep = tempfile::tempdir().expect("a folder");
    let repository = keep.path().join("many/shop");
    let place = Place { keep, repository };
    let package = r#"{"name": "shop", "scripts": {"start": "node a.js"}, "dependencies": {"express": "4.18.2"}}"#;
    place.write("package.json", package);
    place.write(
        "README.md",
        "# Shop\n\n```sh\nnpm install\nnpm start\n```\n\nIt listens on http://localhost:3000.\n",
    );
    place.write("a.js", "require('express')().listen(3000)\n");
    place
}

impl Place {
    fn write(&self, path: &str, text: &str) {
        let path = self.repository.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository.join(path)).expect("read")
    }

    fn run(&self, command: &str, path: &Path, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_longshore"))
            .arg(command)
            .arg(path)
            .args(arguments)
            .env("XDG_CONFIG_HOME", self.keep.path().join("config"))
            .output()
            .expect("runs")
    }

    /// Returns the Dockerfile that a conversion writes, and what it says.
    fn converted(&self, arguments: &[&str]) -> (String, String) {
        let output = self.keep.path().join("out");
        let _ = fs::remove_dir_all(&output);
        let shown = output.display().to_string();
        let arguments = [&["--output", shown.as_str()], arguments].concat();
        let run = self.run("convert", &self.repository, &arguments);
        assert!(run.status.success(), "{run:?}");
        let text = fs::read_to_string(output.join("Dockerfile")).expect("written");
        (text, said(&run))
    }
}

fn said(run: &Output) -> String {
    let (out, error) = (&run.stdout, &run.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(error)
}

const SETTINGS: &str = "recipes = [\"r\"]\n\n[component]\nport = 4000\n\n[images]\nmirror = \"evil.example/hub\"\n\n[mirrors]\nnpm = \"https://npm.evil.example/\"\n\n[build]\nca-certificate = \"ca.pem\"\n";

fn settled() -> Place {
    let place = place();
    place.write("longshore.toml", SETTINGS);
    place.write("r/frameworks/express.toml", "title = \"Mine\"\n");
    let certificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
    place.write("ca.pem", certificate);
    place
}

#[test]
fn a_repository_settles_its_application_and_nothing_else() {
    let (dockerfile, said) = settled().converted(&[]);
    assert!(dockerfile.contains("EXPOSE 4000"), "{dockerfile}");
    for piece in ["evil", "company-ca"] {
        assert!(!dockerfile.contains(piece), "{dockerfile}");
    }
    for piece in [
        "untrusted-configuration",
        "`recipes` (line 1)",
        "`[images]` (line 7)",
        "`[mirrors]` (line 10)",
        "`[build] ca-certificate` (line 13)",
        "`longshore trust PATH`",
        "`--trust-repository`",
    ] {
        assert!(said.contains(piece), "{piece}: {said}");
    }
}

#[track_caller]
fn is_taken(dockerfile: &str, said: &str) {
    for piece in ["evil.example/hub", "npm.evil.example", "company-ca"] {
        assert!(dockerfile.contains(piece), "{piece}: {dockerfile}");
    }
    assert!(!said.contains("untrusted-configuration"), "{said}");
}

#[test]
fn the_user_trusts_it_for_a_run() {
    let (dockerfile, said) = settled().converted(&["--trust-repository"]);
    is_taken(&dockerfile, &said);
}

#[test]
fn the_user_trusts_a_folder_until_it_changes() {
    let place = settled();
    let trust = |arguments: &[&str]| {
        let run = place.run("trust", &place.repository, arguments);
        assert!(run.status.success(), "{run:?}");
        said(&run)
    };
    trust(&[]);
    assert!(trust(&["--list"]).contains("/many/shop\n"));
    let (dockerfile, told) = place.converted(&[]);
    is_taken(&dockerfile, &told);
    place.write("r/frameworks/express.toml", "title = \"Changed\"\n");
    assert!(!place.converted(&[]).0.contains("evil"));
    assert!(trust(&["--list"]).contains("not trusted"));
    trust(&[]);
    assert!(place.converted(&[]).0.contains("evil"));
    trust(&["--revoke"]);
    assert!(!place.converted(&[]).0.contains("evil"));
}

#[test]
fn a_file_of_the_users_own_is_trusted() {
    let place = place();
    let own = place.keep.path().join("own.toml");
    fs::write(&own, "[images]\nmirror = \"own.example/hub\"\n").expect("written");
    let own = own.display().to_string();
    assert!(
        place
            .converted(&["--config", &own])
            .0
            .contains("own.example/hub")
    );
}

#[test]
fn a_batch_trusts_its_command_line_alone() {
    let place = settled();
    let trusted = place.run("trust", &place.repository, &[]);
    assert!(trusted.status.success(), "{trusted:?}");
    let output = place.keep.path().join("all");
    let shown = output.display().to_string();
    for (arguments, is_taken) in [(&["--again"][..], false), (&["--trust-repository"], true)] {
        let arguments = [&["--output", shown.as_str()], arguments].concat();
        let run = place.run("batch", &place.keep.path().join("many"), &arguments);
        assert!(run.status.success(), "{run:?}");
        let text = fs::read_to_string(output.join("shop/Dockerfile")).expect("written");
        assert_eq!(text.contains("evil"), is_taken, "{text}");
    }
}

/// A record of what was never seen, for the plan as it is: a repair, which the Dockerfile shows, and an
/// answer.
fn forge(place: &Place) {
    let run = place.run("plan", &place.repository, &["--format", "json"]);
    let mut plan: BuildPlan = serde_json::from_slice(&run.stdout).expect("a plan");
    for entry in &mut plan.ledger {
        // As it stands before anything is rendered.
        if let Some((file, _)) = entry.target.as_deref().and_then(|it| it.split_once(':')) {
            entry.target = Some(file.to_owned());
        }
    }
    let hash = Sha256::digest(serde_json::to_string(&plan).expect("JSON"));
    let repaired = RepairRecord {
        component: "web".to_owned(),
        rule: "command-missing".to_owned(),
        captured: BTreeMap::from([("command".to_owned(), "ffmpeg".to_owned())]),
        during: Stage::Run,
        written: Vec::new(),
    };
    let measured = r#"{"measured": {"startup_ms": 1, "peak_memory_bytes": 1, "listening": ["0.0.0.0:3000"], "written": []}}"#;
    let mut verified = Verified {
        on: "2026-12-01".to_owned(),
        plan: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        files: String::new(),
        repairs: vec![repaired],
        components: BTreeMap::from([(
            "web".to_owned(),
            serde_json::from_str(measured).expect("a record"),
        )]),
    };
    let (root, catalog) = (&place.repository, Catalog::built_in());
    let repo = Repo::open(root).expect("it opens").value;
    let repairs = repair::again(&verified.repairs, &plan, &repo, &catalog).expect("a repair");
    let plan = repair::plan(root, &catalog, &Config::default(), &repairs);
    let mut plan = plan.expect("it opens").value;
    verified.apply(&mut plan);
    let artifacts = convert::render(plan).expect("rendered").artifacts;
    verified.files = record::digest_of(&artifacts);
    let state = State {
        files: BTreeMap::new(),
        verified: Some(verified),
    };
    place.write(
        ".longshore.json",
        &serde_json::to_string(&state).expect("JSON"),
    );
}

#[test]
fn a_record_that_came_with_a_repository_proves_and_repairs_nothing() {
    let place = place();
    forge(&place);
    let run = place.run("convert", &place.repository, &[]);
    assert!(run.status.success(), "{run:?}");
    assert!(said(&run).contains("unused-record"), "{run:?}");
    assert!(!place.read("CONTAINER.md").contains("ffmpeg"));
    assert!(place.read("CONTAINER.md").contains("Not verified yet"));
    assert!(!place.read("Dockerfile").contains("ffmpeg"));
}

#[test]
fn a_record_around_a_repository_came_with_it_too() {
    let place = place();
    forge(&place);
    let around = place.keep.path().join("many");
    fs::rename(
        place.repository.join(".longshore.json"),
        around.join(".longshore.json"),
    )
    .expect("moved");
    let shown = around.display().to_string();
    let run = place.run("convert", &place.repository, &["--output", &shown]);
    assert!(said(&run).contains("unused-record"), "{run:?}");
    let dockerfile = fs::read_to_string(around.join("Dockerfile")).expect("written");
    assert!(!dockerfile.contains("ffmpeg"), "{dockerfile}");
}

#[test]
fn a_record_that_the_team_committed_is_accepted_by_the_user() {
    let place = place();
    forge(&place);
    let arguments = ["--trust-repository"];
    let run = place.run("convert", &place.repository, &arguments);
    assert!(run.status.success(), "{run:?}");
    assert!(place.read("Dockerfile").contains("ffmpeg"));
    let report = place.read("CONTAINER.md");
    assert!(
        report.contains("Recorded on 2026-12-01 for these files"),
        "{report}"
    );
    assert!(!report.contains("Verified"), "{report}");
    // The user's next run needs no flag: the record is as this one left it.
    let check = place.run("convert", &place.repository, &["--check"]);
    assert!(check.status.success(), "{check:?}");
    let record = place.read(".longshore.json");
    for (from, to) in [
        ("ffmpeg", "convert"),
        ("ffmpeg", "ffmpeg;touch x"),
        ("command-missing", "x"),
    ] {
        place.write(".longshore.json", &record.replace(from, to));
        // The user did not see the change.
        let changed = place.run("convert", &place.repository, &["--check"]);
        assert!(
            said(&changed).contains("came with the repository"),
            "{changed:?}"
        );
        // It leads to other files, or to none.
        let changed = place.run(
            "convert",
            &place.repository,
            &["--check", "--trust-repository"],
        );
        assert!(said(&changed).contains("does not fit"), "{changed:?}");
        assert_eq!(changed.status.code(), Some(1), "{changed:?}");
    }
}

#[test]
fn a_record_with_anything_unknown_in_it_is_none() {
    let place = place();
    forge(&place);
    let record = place
        .read(".longshore.json")
        .replacen("\"files\"", "\"more\": 1, \"files\"", 1);
    place.write(".longshore.json", &record);
    let run = place.run("convert", &place.repository, &["--trust-repository"]);
    assert!(!place.read("Dockerfile").contains("ffmpeg"), "{run:?}");
    assert!(said(&run).contains("unknown field `more`"), "{run:?}");
}
