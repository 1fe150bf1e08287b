//! A mirror whose address holds a password, on a real engine: the build can use it, and no layer, no
//! history and no generated file has it.

use std::{fs, process::Command};

const ADDRESS: &str = "https://me:hunter2@npm.example/";
/// Fails unless npm was told the address.
const MANIFEST: &str = r#"{
  "name": "behind-a-mirror",
  "version": "1.0.0",
  "scripts": {
    "preinstall": "node -e \"if (!process.env.NPM_CONFIG_REGISTRY.includes('@npm.example')) process.exit(9)\"",
    "start": "node server.js"
  }
}
"#;

fn longshore(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(arguments).env_remove("NPM_MIRROR");
    command
}

fn docker(line: &str) -> String {
    let output = Command::new("sh")
        .args(["-c", line])
        .output()
        .expect("a shell runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_mirror_with_a_password_reaches_the_build_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path();
    for (path, text) in [
        (
            "README.md",
            "# Behind a mirror\n\n    npm install\n    npm start\n",
        ),
        ("package.json", MANIFEST),
        (
            "server.js",
            "require('http').createServer((_, answer) => answer.end('here')).listen(process.env.PORT || 3000)\n",
        ),
        (
            "longshore.toml",
            "[mirrors]\nnpm = { env = \"NPM_MIRROR\" }\n",
        ),
    ] {
        fs::write(repository.join(path), text).expect("written");
    }
    let shown = repository.display().to_string();

    let without = longshore(&["verify", &shown]).output().expect("runs");
    assert_eq!(without.status.code(), Some(1));
    let said = String::from_utf8_lossy(&without.stdout);
    assert!(
        said.contains("the build needs the secret NPM_MIRROR"),
        "{said}"
    );

    let output = longshore(&["convert", &shown, "--verify", "--keep-image"])
        .env("NPM_MIRROR", ADDRESS)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    let history = docker("docker history --no-trunc behind-a-mirror:dev");
    assert!(!history.contains("hunter2"), "{history}");
    // What is surely in a layer is found there, so that what is not found is not there.
    let layers = |text: &str| {
        format!("docker save behind-a-mirror:dev | grep --text --count {text} || true")
    };
    let (known, secret) = (docker(&layers("preinstall")), docker(&layers("hunter2")));
    docker("docker rmi behind-a-mirror:dev");
    assert_ne!(known.trim(), "0");
    assert_eq!(secret.trim(), "0");
    for entry in walkdir::WalkDir::new(repository) {
        let entry = entry.expect("listed");
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        assert!(!text.contains("hunter2"), "{}", entry.path().display());
    }
}
