//! What a stranger's repository cannot do to the machine that converts it: nothing outside the output
//! folder is read, written or removed, and nothing is waited for.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use sha2::{Digest, Sha256};

/// A repository, and a folder outside of it with the file `known`.
struct Place {
    _keep: tempfile::TempDir,
    repository: PathBuf,
    outside: PathBuf,
}

fn place() -> Place {
    let keep = tempfile::tempdir().expect("a folder");
    let (repository, outside) = (keep.path().join("repo"), keep.path().join("outside"));
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("known"), "CANARY\n").expect("written");
    fs::create_dir(&repository).expect("made");
    let package = r#"{"name": "shop", "scripts": {"start": "node a.js"}, "dependencies": {"express": "4.18.2"}}"#;
    let readme =
        "# Shop\n\n```sh\nnpm install\nnpm start\n```\n\nIt listens on http://localhost:3000.\n";
    let source = "require('express')().listen(3000)\n";
    for (path, text) in [
        ("package.json", package),
        ("README.md", readme),
        ("a.js", source),
    ] {
        fs::write(repository.join(path), text).expect("written");
    }
    Place {
        _keep: keep,
        repository,
        outside,
    }
}

impl Place {
    fn write(&self, path: &str, text: &str) {
        let path = self.repository.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// Runs longshore on the repository, with a time limit: a FIFO would be waited for.
    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        Command::new("timeout")
            .args(["20", env!("CARGO_BIN_EXE_longshore"), command])
            .arg(&self.repository)
            .args(arguments)
            .output()
            .expect("runs")
    }

    #[track_caller]
    fn is_untouched(&self, run: &Output) {
        let names: Vec<String> = fs::read_dir(&self.outside)
            .expect("listed")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["known"], "{run:?}");
        let known = fs::read_to_string(self.outside.join("known")).expect("read");
        assert_eq!(known, "CANARY\n", "{run:?}");
        assert!(!said(run).contains("CANARY"), "{run:?}");
        assert!(run.status.code().is_some_and(|code| code < 4), "{run:?}");
    }
}

fn said(run: &Output) -> String {
    let (out, error) = (&run.stdout, &run.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(error)
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn recipes_of_a_repository_write_no_file_outside() {
    let place = place();
    let outside = place.outside.display().to_string();
    for path in [
        format!("{outside}/new"),
        "../outside/new".to_owned(),
        ".git/hooks/post-checkout".to_owned(),
    ] {
        let recipe = format!(
            "[[image.file]]\npath = \"{path}\"\nto = \"/x\"\ncontents = \"x\"\nwhy = \"x\"\nexecutable = true\n"
        );
        place.write("longshore.toml", "recipes = [\"r\"]\n");
        place.write("r/frameworks/express.toml", &recipe);
        let recipes = place.repository.join("r");
        let recipes = recipes.to_str().expect("UTF-8");
        for run in [
            place.run("convert", &[]),
            // Even recipes that the user names write nowhere else, and the message says where.
            place.run("convert", &["--recipes", recipes]),
        ] {
            place.is_untouched(&run);
            assert!(!place.repository.join(".git").exists(), "{run:?}");
        }
        let check = place.run("convert", &["--recipes", recipes]);
        assert!(
            said(&check).contains("frameworks/express.toml:2:8"),
            "{check:?}"
        );
    }
}

#[test]
fn a_state_of_a_repository_removes_and_reads_no_file_outside() {
    let place = place();
    let known = digest("CANARY\n");
    let absolute = place.outside.join("known").display().to_string();
    for path in [absolute.as_str(), "../outside/known"] {
        let state = format!("{{\"files\": {{\"{path}\": \"{known}\"}}}}");
        place.write(".longshore.json", &state);
        for arguments in [&["--check"][..], &[], &["--force"]] {
            let run = place.run("convert", arguments);
            place.is_untouched(&run);
            assert!(!said(&run).contains("remove"), "{run:?}");
        }
    }
}

#[test]
fn linked_folders_of_the_output_are_not_followed() {
    for folder in ["k8s", "env", "k8s/overlays/test"] {
        let place = place();
        let link = place.repository.join(folder);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(&place.outside, &link).expect("linked");
        for arguments in [&["--check"][..], &[], &["--force"]] {
            let run = place.run("convert", arguments);
            place.is_untouched(&run);
            assert_eq!(run.status.code(), Some(1), "{run:?}");
            assert!(
                said(&run).contains(&format!("`{folder}` is a link")),
                "{run:?}"
            );
        }
    }
}

#[test]
fn text_of_a_linked_file_is_not_shown() {
    for file in [
        "Dockerfile",
        "k8s/base/deployment.yaml",
        ".longshore.json",
        ".gitignore",
    ] {
        let place = place();
        let link = place.repository.join(file);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(place.outside.join("known"), &link).expect("linked");
        for arguments in [&["--check"][..], &[], &["--force"]] {
            place.is_untouched(&place.run("convert", arguments));
        }
    }
}

#[test]
fn special_files_are_not_waited_for() {
    for file in [
        ".longshore.json",
        "Dockerfile",
        "k8s/base/deployment.yaml",
        "longshore.toml",
        "README.md",
        ".gitignore",
        "package.json",
    ] {
        let place = place();
        let fifo = place.repository.join(file);
        fs::create_dir_all(fifo.parent().expect("a folder")).expect("made");
        let _ = fs::remove_file(&fifo);
        let made = Command::new("mkfifo").arg(&fifo).status();
        assert!(made.expect("mkfifo is there").success());
        for (command, arguments) in [
            ("plan", &[][..]),
            ("convert", &["--check"]),
            ("convert", &["--force"]),
        ] {
            place.is_untouched(&place.run(command, arguments));
        }
    }
}

#[test]
fn endless_and_sparse_files_are_not_read() {
    let place = place();
    for name in [".longshore.json", ".gitignore", "Dockerfile"] {
        let file = fs::File::create(place.repository.join(name)).expect("made");
        file.set_len(8 << 30).expect("grown");
    }
    place.is_untouched(&place.run("convert", &["--check"]));
    let endless = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(["diagnose", "/dev/zero"])
        .output()
        .expect("runs");
    assert!(said(&endless).contains("it is a device"), "{endless:?}");
}

#[test]
fn a_batch_does_not_follow_links() {
    let place = place();
    let source = place.repository.join("many");
    fs::create_dir(&source).expect("made");
    symlink(&place.outside, source.join("one")).expect("linked");
    let run = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("batch")
        .arg(&source)
        .arg("--output")
        .arg(place.repository.join("out"))
        .output()
        .expect("runs");
    place.is_untouched(&run);
    assert!(said(&run).contains("there is no repository in"), "{run:?}");
}

#[test]
fn the_history_leads_to_no_other_folder() {
    let place = place();
    let git = |arguments: &[&str], folder: &Path| {
        let run = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_COMMITTER_DATE", "2017-07-14T00:00:00Z")
            .output();
        assert!(run.expect("git is there").status.success());
    };
    git(&["init", "-q"], &place.repository);
    git(
        &["commit", "-q", "--allow-empty", "-m", "x"],
        &place.repository,
    );
    let moved = place.outside.join("git");
    fs::rename(place.repository.join(".git"), &moved).expect("moved");
    let shown = moved.display();
    let last = || {
        let repo = longshore::repo::Repo::open(&place.repository).expect("opens");
        longshore::history::last_change(&repo.value)
            .expect("known")
            .day()
    };
    fs::write(place.repository.join(".git"), format!("gitdir: {shown}\n")).expect("written");
    assert_ne!(last(), "2017-07-14");
    fs::remove_file(place.repository.join(".git")).expect("removed");
    symlink(&moved, place.repository.join(".git")).expect("linked");
    assert_ne!(last(), "2017-07-14");

    fs::remove_file(place.repository.join(".git")).expect("removed");
    fs::rename(&moved, place.repository.join(".git")).expect("moved");
    assert_eq!(last(), "2017-07-14");
    let alternates = place.repository.join(".git/objects/info/alternates");
    fs::create_dir_all(alternates.parent().expect("a folder")).expect("made");
    fs::write(&alternates, "/elsewhere\n").expect("written");
    assert_ne!(last(), "2017-07-14");
    fs::remove_file(&alternates).expect("removed");
    assert_eq!(last(), "2017-07-14");
    // Git opens what it names without a question.
    let config = place.repository.join(".git/config");
    fs::remove_file(&config).expect("removed");
    let made = Command::new("mkfifo").arg(&config).status();
    assert!(made.expect("mkfifo is there").success());
    assert_ne!(last(), "2017-07-14");
}

#[test]
fn of_too_many_files_of_one_folder_the_manifest_is_looked_at() {
    let place = place();
    for number in 0..20_050 {
        fs::File::create(place.repository.join(format!("a{number}.js"))).expect("made");
    }
    let repo = longshore::repo::Repo::open(&place.repository).expect("opens");
    assert_eq!(repo.diagnostics.len(), 1);
    assert!(repo.value.contains("package.json"));
}

#[test]
fn of_too_many_files_the_upper_ones_are_looked_at() {
    let place = place();
    let many = place.repository.join("a");
    fs::create_dir(&many).expect("made");
    for number in 0..20_050 {
        fs::File::create(many.join(format!("{number}.js"))).expect("made");
    }
    let run = place.run("plan", &[]);
    let said = said(&run);
    assert!(said.contains("more than 20000 files"), "{said}");
    assert!(said.contains("node-npm"), "{said}");
}
