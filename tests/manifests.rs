//! `verify --manifests`: podman runs the manifests of samples, kubectl puts their overlays together
//! for a server, and nothing is left over.
//!
//! No server of Kubernetes can be had here: a script plays kubectl with one, the real kubectl being
//! asked for everything but the server's answer.

#![cfg(feature = "docker-tests")]

use std::{fs, path::Path, process::Command};

use longshore::verify::{Proof, ProofOutcome, Report};

/// The real kubectl, which tests/setup/linters.sh brings.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin");

/// A kubectl that has a context, puts together what it is given, and notes it; the server answers
/// `apply` with `code`.
fn kubectl(folder: &Path, code: u8) {
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {}/calls\n\
         case $1 in config) echo test-cluster ;; version) ;; \
         apply) for last; do :; done; {TOOLS}/kubectl kustomize \"$last\" >/dev/null || exit 9; \
         [ {code} = 0 ] || echo 'Error from server: denied' >&2; exit {code} ;; *) exit 8 ;; esac\n",
        folder.display()
    );
    let path = folder.join("kubectl");
    fs::write(&path, script).expect("written");
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
}

fn verified(repository: &Path, tools: &Path) -> Report {
    verified_within(60, repository, tools)
}

/// As `verified`, with so many seconds for the start.
fn verified_within(seconds: u64, repository: &Path, tools: &Path) -> Report {
    let own = std::env::var("PATH").expect("a PATH");
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("verify")
        .arg(repository)
        .args(["--manifests", "--format", "json"])
        .args(["--start-timeout", &seconds.to_string()])
        .env("PATH", format!("{}:{own}", tools.display()))
        .env("KUBECONFIG", tools.join("config"))
        .output()
        .expect("runs");
    let report = serde_json::from_slice::<Report>(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(output.status.success(), report.verdict.is_success());
    report
}

fn proof<'a>(report: &'a Report, tool: &str) -> &'a Proof {
    let found = report.manifests.iter().find(|proof| proof.tool == tool);
    found.unwrap_or_else(|| panic!("no proof by {tool}: {report:#?}"))
}

#[track_caller]
fn check(report: &Report, tool: &str, outcome: ProofOutcome, words: &str) {
    let found = proof(report, tool);
    assert_eq!(found.outcome, outcome, "{found:#?}");
    assert!(found.message.contains(words), "{found:#?}");
}

/// A port that nothing listens on.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[track_caller]
fn nothing_is_left() {
    let left = fs::read_dir(std::env::temp_dir()).expect("listed");
    let left = left.flatten().filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("longshore-podman-")
    });
    assert_eq!(left.count(), 0);
    let output = Command::new("podman")
        .args(["network", "ls", "--quiet"])
        .output()
        .expect("podman runs");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("longshore"));
}

/// A file system with room for the image's first megabytes, mounted for as long as this lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new() -> Self {
        // podman allows 50 characters for the folder of its state.
        let folder = tempfile::Builder::new().prefix("d").rand_bytes(3).tempdir();
        let folder = folder.expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"])
            .arg(folder.path())
            .status();
        assert!(mounted.is_ok_and(|status| status.success()), "root mounts");
        Self(folder)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_while_podman_works_is_no_fault_of_the_manifests() {
    let disk = SmallDisk::new();
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("verify")
        .arg("samples/plain_http_server_has_no_dependencies/repo")
        .arg("--manifests")
        .env("TMPDIR", disk.0.path())
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("o space left on device"), "{said}");
    assert!(said.contains("make room with"), "{said}");
    let left = fs::read_dir(disk.0.path()).expect("listed");
    assert_eq!(left.count(), 0);
}

/// One after the other, because each looks for what the others leave.
#[test]
fn manifests_are_run_by_podman_and_checked_by_a_server() {
    // The real kubectl, whose context has outlived its cluster.
    let gone = tempfile::tempdir().expect("a folder");
    let real = Path::new(TOOLS).join("kubectl");
    std::os::unix::fs::symlink(&real, gone.path().join("kubectl")).expect("linked");
    assert!(real.is_file(), "`make linters` brings {}", real.display());
    let port = free_port();
    let config = format!(
        "{{apiVersion: v1, kind: Config, current-context: gone, users: [{{name: nobody, user: {{}}}}], \
         clusters: [{{name: gone, cluster: {{server: 'http://127.0.0.1:{port}'}}}}], \
         contexts: [{{name: gone, context: {{cluster: gone, user: nobody}}}}]}}\n"
    );
    fs::write(gone.path().join("config"), config).expect("written");
    let report = verified(
        Path::new("samples/flask_app_listens_on_the_port_its_readme_names/repo"),
        gone.path(),
    );
    check(&report, "podman", ProofOutcome::Passed, "`/` gave 200");
    check(
        &report,
        "kubectl",
        ProofOutcome::Skipped,
        "server of gone does not answer",
    );
    nothing_is_left();

    // With services, secrets, and a Job before the release.
    let tools = tempfile::tempdir().expect("a folder");
    kubectl(tools.path(), 0);
    let report = verified(
        Path::new("samples/the_readme_says_how_to_install_a_django_app/repo"),
        tools.path(),
    );
    check(&report, "podman", ProofOutcome::Passed, "web: `/");
    check(&report, "kubectl", ProofOutcome::Passed, "test-cluster");
    nothing_is_left();
    let calls = fs::read_to_string(tools.path().join("calls")).expect("read");
    let applied = calls.lines().filter(|line| line.starts_with("apply "));
    assert!(
        applied
            .clone()
            .all(|line| line.contains("--dry-run=server") && line.contains(" -k "))
    );
    assert_eq!(applied.count(), 3, "one for each overlay: {calls}");

    // A program that wants what only this machine's engine gives it fails in the pod, and is told.
    let folder = tempfile::tempdir().expect("a folder");
    let readme = "# app\n\nStart it with `python server.py`; it listens on port 8000.\n";
    fs::write(folder.path().join("README.md"), readme).expect("written");
    let server = "import os, sys\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler\n\
                  if os.path.exists('/run/.containerenv'): sys.exit('no pods, please')\n\
                  HTTPServer(('0.0.0.0', 8000), SimpleHTTPRequestHandler).serve_forever()\n";
    fs::write(folder.path().join("server.py"), server).expect("written");
    kubectl(tools.path(), 1);
    let report = verified(folder.path(), tools.path());
    let by_podman = proof(&report, "podman");
    assert_eq!(by_podman.outcome, ProofOutcome::Failed, "{by_podman:#?}");
    assert!(
        by_podman
            .log
            .iter()
            .any(|line| line.contains("no pods, please")),
        "{by_podman:#?}"
    );
    let by_server = proof(&report, "kubectl");
    assert_eq!(by_server.outcome, ProofOutcome::Failed, "{by_server:#?}");
    assert!(by_server.log[0].contains("denied"), "{by_server:#?}");
    assert!(!report.verdict.is_success());
    nothing_is_left();

    // A program that is still at work in the pod is given more time, as it is beside the engine.
    let server = "import os, time\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler\n\
                  begun = time.time()\n\
                  while os.path.exists('/run/.containerenv') and time.time() < begun + 7: pass\n\
                  HTTPServer(('0.0.0.0', 8000), SimpleHTTPRequestHandler).serve_forever()\n";
    fs::write(folder.path().join("server.py"), server).expect("written");
    kubectl(tools.path(), 0);
    let report = verified_within(5, folder.path(), tools.path());
    check(&report, "podman", ProofOutcome::Passed, "`/` gave 200");
    nothing_is_left();
}
