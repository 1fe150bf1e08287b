//! The wizard on a pseudo-terminal, and without one.
#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use rexpect::session::{PtySession, spawn_command};

const README: &str = "# Larder\n\n```sh\npip install -r requirements.txt\nexport SUPPLIER_HOST=<your-supplier>\npython app.py\n```\n";
const CODE: &str =
    "import os\nimport flask\nHOST = os.environ[\"SUPPLIER_HOST\"]\napp = flask.Flask(__name__)\n";
const DOWN: &str = "\u{1b}[B";

fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let usual = [
        ("README.md", README),
        ("app.py", CODE),
        ("requirements.txt", "flask==3.0.3\ngunicorn\n"),
    ];
    for (path, text) in usual.iter().chain(files) {
        fs::write(folder.path().join(path), text).expect("written");
    }
    folder
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.arg("wizard").arg(folder).env("NO_COLOR", "1");
    // Nothing is kept in the configuration of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", folder.join(".config"));
    command
}

fn on_a_terminal(folder: &Path) -> PtySession {
    spawn_command(command(folder), Some(20_000)).expect("starts")
}

fn read(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).expect("is there")
}

#[test]
fn a_question_is_asked_with_its_reason_and_the_answer_is_written() {
    let folder = repository(&[]);
    let mut wizard = on_a_terminal(folder.path());
    wizard
        .exp_string("README.md:5: export SUPPLIER_HOST=<your-supplier>")
        .expect("the reason");
    wizard
        .exp_string("what is it in production?")
        .expect("the question");
    wizard.send_line("supplier.internal").expect("sent");
    wizard
        .exp_string("SUPPLIER_HOST=supplier.internal")
        .expect("what was understood");
    wizard.exp_string("Is this right?").expect("the end");
    wizard.send_line("").expect("sent");
    wizard.exp_string("wrote Dockerfile").expect("converted");
    wizard.exp_eof().expect("ends");
    let written = read(folder.path(), "longshore.toml");
    assert!(
        written.contains("env-supplier-host = \"supplier.internal\""),
        "{written}"
    );
    assert!(
        written.contains("# README.md:5: the documents leave"),
        "{written}"
    );
    assert!(read(folder.path(), "env/production.env").contains("SUPPLIER_HOST=supplier.internal"));

    let mut again = on_a_terminal(folder.path());
    let before = again.exp_string("Is this right?").expect("the end");
    assert!(!before.contains("in production?"), "asked again: {before}");
    again.send_line("").expect("sent");
    again.exp_eof().expect("ends");
    assert_eq!(read(folder.path(), "longshore.toml"), written);
}

#[test]
fn what_was_understood_can_be_changed() {
    let folder = repository(&[]);
    let mut wizard = on_a_terminal(folder.path());
    wizard.exp_string("in production?").expect("the question");
    wizard.send_line("").expect("left open");
    wizard.exp_string("Is this right?").expect("the menu");
    wizard.send(&format!("{DOWN}{DOWN}\r")).expect("the port");
    wizard.flush().expect("sent");
    wizard.exp_string("On which port").expect("asks");
    wizard.send_line("banana").expect("sent");
    wizard.exp_string("a port is a number").expect("refused");
    wizard.send_line("9100").expect("sent");
    wizard
        .exp_regex("port +9100 +longshore.toml:")
        .expect("shown with its line");
    wizard.exp_string("Is this right?").expect("the menu");
    wizard.send("\r").expect("sent");
    wizard.flush().expect("sent");
    wizard.exp_eof().expect("ends");
    assert!(read(folder.path(), "Dockerfile").contains("EXPOSE 9100"));
}

#[test]
fn stopping_writes_nothing() {
    let folder = repository(&[]);
    let mut wizard = on_a_terminal(folder.path());
    wizard.exp_string("in production?").expect("the question");
    wizard.send_line("x").expect("sent");
    wizard.exp_string("Is this right?").expect("the menu");
    wizard.send("\u{1b}").expect("escape");
    wizard.flush().expect("sent");
    wizard.exp_string("nothing was written").expect("said");
    wizard.exp_eof().expect("ends");
    assert!(!folder.path().join("longshore.toml").exists());
    assert!(!folder.path().join("Dockerfile").exists());
}

#[test]
fn what_a_person_wrote_stays() {
    let own = "# ours, see ticket 12\n[component]\nport = 8000 # as on the old host\n\n[env]\nLOG_LEVEL = \"debug\"\n";
    let folder = repository(&[("longshore.toml", own)]);
    let output = command(folder.path()).arg("--yes").output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let written = read(folder.path(), "longshore.toml");
    for line in own.lines() {
        assert!(written.contains(line), "{line} is gone: {written}");
    }
}

#[test]
fn without_a_terminal_it_asks_nothing_and_says_so() {
    let folder = repository(&[]);
    let output = command(folder.path()).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("hint: `--yes` takes every default"), "{said}");
    assert!(!folder.path().join("longshore.toml").exists());
}

#[test]
fn yes_takes_every_default() {
    let text =
        "# Larder\n\n    pip install -r requirements.txt\n    redis-server\n    python app.py\n";
    let folder = repository(&[("README.md", text)]);
    let output = command(folder.path()).arg("--yes").output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let written = read(folder.path(), "longshore.toml");
    assert!(written.contains("service-redis = \"no\""), "{written}");
    assert!(folder.path().join("Dockerfile").exists());
}
