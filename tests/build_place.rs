//! Mirrors whose addresses hold a password, on a real engine: the build can use them, and no layer, no
//! history and no generated file has them.

use std::{fs, process::Command};

/// What tests/setup/linters.sh brings.
const BUILDX: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/target/tools/bin/docker-buildx"
);

/// Fails unless npm was told the address.
const NPM_MANIFEST: &str = r#"{
  "name": "behind-a-mirror",
  "version": "1.0.0",
  "scripts": {
    "preinstall": "node -e \"if (!process.env.NPM_CONFIG_REGISTRY.includes('@npm.example')) process.exit(9)\"",
    "start": "node server.js"
  }
}
"#;
const NPM_SERVER: &str = "require('http').createServer((_, answer) => answer.end('here')).listen(process.env.PORT || 3000)\n";

const CARGO_MANIFEST: &str =
    "[package]\nname = \"behind-crates\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
/// Fails unless Cargo was told the address: it says so itself, with a command that is not stable.
const CARGO_BUILD: &str = r#"fn main() {
    let mut cargo = std::process::Command::new(std::env::var("CARGO").unwrap());
    cargo.args(["-Zunstable-options", "config", "get", "source"]).env("RUSTC_BOOTSTRAP", "1");
    let said = String::from_utf8(cargo.output().unwrap().stdout).unwrap();
    assert!(said.contains("source.crates-io.replace-with = \"mirror\""));
    assert!(said.contains("source.mirror.registry = \"sparse+https://me:"));
}
"#;
const CARGO_SERVER: &str = r#"use std::io::{Read, Write};

fn main() {
    let listener = std::net::TcpListener::bind("0.0.0.0:8400").unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\ncrates here\n");
    }
}
"#;

fn longshore(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    // The mirror stands in the repository's own file.
    command.args(arguments).arg("--trust-repository");
    command.env_remove("THE_MIRROR");
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

/// Builds `files` behind the mirror `address` of `tool`; `known` is a text that a layer of the image
/// `name` surely has.
#[track_caller]
fn only_the_build_knows(
    tool: &str,
    address: &str,
    files: &[(&str, &str)],
    name: &str,
    known: &str,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = folder.path();
    let settled = format!("[mirrors]\n{tool} = {{ env = \"THE_MIRROR\" }}\n");
    for (path, text) in files.iter().chain(&[("longshore.toml", settled.as_str())]) {
        let path = repository.join(path);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    let shown = repository.display().to_string();

    let without = longshore(&["verify", &shown]).output().expect("runs");
    assert_eq!(without.status.code(), Some(1));
    let said = String::from_utf8_lossy(&without.stdout);
    assert!(
        said.contains("the build needs the secret THE_MIRROR"),
        "{said}"
    );

    let output = longshore(&["convert", &shown, "--verify", "--keep-image"])
        .env("THE_MIRROR", address)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{output:?}");
    // The stage that is built and left behind, too: builders keep and share its layers.
    docker(&format!(
        "THE_MIRROR='{address}' {BUILDX} build --quiet --target build --tag {name}:build \
         --secret id=THE_MIRROR {shown}"
    ));
    for tag in ["dev", "build"] {
        let history = docker(&format!("docker history --no-trunc {name}:{tag}"));
        assert!(!history.contains("magpie-at-dusk"), "{history}");
        // What is surely in a layer is found there, so that what is not found is not there.
        let layers =
            |text: &str| format!("docker save {name}:{tag} | grep --text --count '{text}' || true");
        let (known, secret) = (docker(&layers(known)), docker(&layers("magpie-at-dusk")));
        docker(&format!("docker rmi {name}:{tag}"));
        assert_ne!(known.trim(), "0", "{tag}");
        assert_eq!(secret.trim(), "0", "{tag}");
    }
    for entry in walkdir::WalkDir::new(repository) {
        let entry = entry.expect("listed");
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        assert!(
            !text.contains("magpie-at-dusk"),
            "{}",
            entry.path().display()
        );
    }
}

#[test]
fn a_mirror_with_a_password_reaches_the_build_and_nothing_else() {
    let readme = "# Behind a mirror\n\n    npm install\n    npm start\n";
    only_the_build_knows(
        "npm",
        "https://me:magpie-at-dusk@npm.example/",
        &[
            ("README.md", readme),
            ("package.json", NPM_MANIFEST),
            ("server.js", NPM_SERVER),
        ],
        "behind-a-mirror",
        "preinstall",
    );
}

#[test]
fn a_configuration_with_a_password_is_no_file_of_a_layer() {
    let readme = "# Behind crates\n\n    cargo run --release\n";
    only_the_build_knows(
        "cargo",
        "sparse+https://me:magpie-at-dusk@crates.example/index/",
        &[
            ("README.md", readme),
            ("Cargo.toml", CARGO_MANIFEST),
            ("build.rs", CARGO_BUILD),
            ("src/main.rs", CARGO_SERVER),
        ],
        "behind-crates",
        "crates here",
    );
}
