//! A run that is killed leaves every file whole, and nothing that the next run does not take away.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const RUNS: u32 = 100;

/// The files below `folder` with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    entries
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below");
            let path = path.to_string_lossy().into_owned();
            (path, fs::read(entry.path()).expect("read"))
        })
        .collect()
}

fn is_partial(path: &str) -> bool {
    path.ends_with(".part")
}

/// Name of the memory of a batch, in which times differ from run to run.
const MEMORY: &str = ".longshore-batch.json";

/// Kills `command`, with all processes that it started, at moments all over the time that it takes,
/// and checks what lies in `output`: each file is as one of `wholes` has it, and the memory of a
/// batch can be read.
fn killed(
    mut command: impl FnMut() -> Command,
    output: &Path,
    mut begin: impl FnMut(u32),
    wholes: &[BTreeMap<String, Vec<u8>>],
) {
    let start = Instant::now();
    assert!(command().status().expect("runs").code().is_some());
    let whole = start.elapsed();
    let mut cut_short = 0;
    for run in 0..RUNS {
        begin(run);
        let mut child = command().process_group(0).spawn().expect("starts");
        thread::sleep(whole.mul_f64(f64::from(run) * 1.1 / f64::from(RUNS)));
        cut_short += u32::from(child.try_wait().expect("asked").is_none());
        let group = format!("kill -9 -{} 2>/dev/null || true", child.id());
        let kill = Command::new("sh").args(["-c", &group]).status();
        assert!(kill.expect("sh is there").success());
        child.wait().expect("ended");
        // Its children may be ending a system call.
        thread::sleep(Duration::from_millis(20));
        for (path, text) in files(output) {
            let is_whole = wholes.iter().any(|whole| whole.get(&path) == Some(&text));
            let is_memory =
                path == MEMORY && serde_json::from_slice::<serde_json::Value>(&text).is_ok();
            assert!(
                is_whole || is_memory || is_partial(&path),
                "run {run}: {path}"
            );
        }
    }
    assert!(cut_short > RUNS / 4, "only {cut_short} runs were cut short");
    command().status().expect("runs");
    let left: Vec<String> = files(output)
        .into_keys()
        .filter(|path| is_partial(path))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, text).expect("written");
}

fn repository(folder: &Path, port: u16) {
    let readme =
        format!("# Shop\n\nStart it with `python server.py`; it listens on port {port}.\n");
    write(folder, "README.md", &readme);
    let source = format!(
        "import http.server as h\nh.HTTPServer(('0.0.0.0', {port}), h.SimpleHTTPRequestHandler).serve_forever()\n"
    );
    write(folder, "server.py", &source);
}

fn longshore(arguments: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
fn a_killed_convert_leaves_whole_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let (repo, output) = (folder.path().join("shop"), folder.path().join("out"));
    let convert = || longshore(&["convert".as_ref(), &repo, "--output".as_ref(), &output]);
    let mut wholes = Vec::new();
    for port in [8001, 8002] {
        repository(&repo, port);
        assert!(convert().status().expect("runs").success());
        wholes.push(files(&output));
    }
    // Each run has all files that name the port to write anew.
    killed(
        convert,
        &output,
        |run| repository(&repo, 8001 + (run % 2) as u16),
        &wholes,
    );
}

#[test]
fn a_killed_batch_leaves_whole_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, output) = (folder.path().join("in"), folder.path().join("out"));
    let batch = || {
        let mut command = longshore(&["batch".as_ref(), &source, "--output".as_ref(), &output]);
        command.args(["--again", "--jobs", "1"]);
        command
    };
    let mut wholes = Vec::new();
    for port in [8001, 8002] {
        for name in ["one", "two"] {
            repository(&source.join(name), port);
        }
        assert!(batch().status().expect("runs").success());
        wholes.push(files(&output));
    }
    let begin = |run: u32| {
        for name in ["one", "two"] {
            repository(&source.join(name), 8001 + (run % 2) as u16);
        }
    };
    killed(batch, &output, begin, &wholes);
}
