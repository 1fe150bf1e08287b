//! What goes wrong in containers, on a real engine: each fault ends with a message that says what
//! happened, and with nothing left over.

#![cfg(feature = "docker-tests")]

use std::{fs, path::Path, process::Command, time::Duration};

use longshore::{
    convert,
    recipe::Catalog,
    verify::{self, Cause, EngineError, Options, Report, Rung},
};

/// Python, and nothing to install, so that a build takes a second.
fn app(server: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let readme = "# app\n\nStart it with `python server.py`; it listens on port 8000.\n";
    fs::write(folder.path().join("README.md"), readme).expect("written");
    fs::write(folder.path().join("server.py"), server).expect("written");
    folder
}

fn server(address: &str, port: u16) -> String {
    format!(
        "from http.server import HTTPServer, SimpleHTTPRequestHandler\n\
         HTTPServer(('{address}', {port}), SimpleHTTPRequestHandler).serve_forever()\n"
    )
}

fn run(root: &Path, change: impl Fn(&mut longshore::plan::BuildPlan)) -> anyhow::Result<Report> {
    let mut plan = convert::plan(root, &Catalog::built_in())?.value;
    change(&mut plan);
    let conversion = convert::render(plan)?;
    let options = Options {
        start_timeout: Duration::from_secs(4),
        ..Options::default()
    };
    verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        root,
        &options,
        &mut |_| {},
    )
}

#[track_caller]
fn check(
    root: &Path,
    change: impl Fn(&mut longshore::plan::BuildPlan),
    cause: Cause,
    rung: Rung,
) -> Report {
    let report = run(root, change).expect("a failed run is a report");
    let component = &report.components[0];
    let failure = component
        .failure
        .as_ref()
        .unwrap_or_else(|| panic!("no failure: {report:#?}"));
    assert_eq!(
        (failure.cause, component.rung),
        (cause, rung),
        "{report:#?}"
    );
    assert!(!report.verdict.is_success());
    report
}

/// What the engine still has of the process `pid`: containers, networks and volumes.
fn left_over(pid: u32) -> Vec<String> {
    let list = |arguments: &[&str]| {
        let output = Command::new("docker")
            .args(arguments)
            .args(["--filter", "label=io.longshore.owner"])
            .args(["--format", "{{.Label \"io.longshore.owner\"}} "])
            .output()
            .expect("the docker command runs");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut left = list(&["ps", "--all"]);
    left.extend(list(&["network", "ls"]));
    left.extend(list(&["volume", "ls"]));
    left.retain(|owner| owner.contains(&format!(" {pid} ")));
    left
}

#[test]
fn a_server_on_loopback_only_is_a_finding_of_its_own() {
    let app = app(&server("127.0.0.1", 8000));
    let report = check(app.path(), |_| {}, Cause::LocalOnly, Rung::Started);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(failure.hints[0].contains("0.0.0.0"), "{failure:?}");
}

#[test]
fn a_server_on_another_port_is_told_with_that_port() {
    let app = app(&server("0.0.0.0", 8765));
    let change = |plan: &mut longshore::plan::BuildPlan| plan.components[0].ports[0].port = 8000;
    let report = check(app.path(), change, Cause::OtherPort, Rung::Started);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(failure.message.contains("0.0.0.0:8765"), "{failure:?}");
}

#[test]
fn an_application_that_opens_no_port_is_told_so() {
    let app = app("import time\nprint('serve_forever', flush=True)\ntime.sleep(600)\n");
    check(app.path(), |_| {}, Cause::NoPort, Rung::Started);
}

#[test]
fn a_crash_shows_the_log_and_the_line_of_the_readme() {
    let app = app("raise SystemExit('the database is on fire')  # serve_forever\n");
    let report = run(app.path(), |_| {}).expect("a report");
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert_eq!(failure.cause, Cause::Ended);
    assert!(
        failure.log.iter().any(|line| line.contains("on fire")),
        "{failure:?}"
    );
    assert_eq!(failure.places, ["README.md:3"]);
}

#[test]
fn a_server_error_is_no_answer() {
    let app = app("from wsgiref.simple_server import make_server\n\
         def app(environ, start):\n    start('500 Oops', [])\n    return [b'broken inside']\n\
         make_server('0.0.0.0', 8000, app).serve_forever()\n");
    let report = check(app.path(), |_| {}, Cause::Answer, Rung::Listening);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(failure.message.contains("500"), "{failure:?}");
    assert!(
        failure
            .log
            .iter()
            .any(|line| line.contains("broken inside")),
        "{failure:?}"
    );
}

#[test]
fn a_failed_build_step_names_its_line_and_where_it_comes_from() {
    let app = app(&server("0.0.0.0", 8000));
    fs::write(
        app.path().join("requirements.txt"),
        "no-such-package-on-any-index==9.9.9\n",
    )
    .expect("written");
    let report = check(app.path(), |_| {}, Cause::Build, Rung::Parsed);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(failure.message.starts_with("Dockerfile:"), "{failure:?}");
    assert_eq!(failure.places, ["recipes/stacks/python-pip.toml"]);
    assert!(
        failure
            .log
            .iter()
            .any(|line| line.contains("no-such-package-on-any-index")),
        "{failure:?}"
    );
}

#[test]
fn a_failed_prepare_step_names_itself() {
    let app = app(&server("0.0.0.0", 8000));
    let change = |plan: &mut longshore::plan::BuildPlan| {
        plan.components[0].prepare.push(longshore::plan::Command {
            command: "echo no tables; exit 3".into(),
            directory: ".".into(),
            env: Default::default(),
            runs_in: None,
            origin: Vec::new(),
        });
    };
    let report = check(app.path(), change, Cause::Prepare, Rung::Built);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(
        failure.message.contains("ended with 3") && failure.log == ["no tables"],
        "{failure:?}"
    );
}

#[test]
fn the_root_file_system_is_read_only_and_the_user_is_nobody_special() {
    let app = app("import os, http.server\n\
         class Handler(http.server.BaseHTTPRequestHandler):\n\
         \x20   def do_GET(self):\n\
         \x20       try:\n            open('/app/x', 'w'); text = 'writable'\n\
         \x20       except OSError as error:\n            text = f'{error.strerror} as {os.getuid()}:{os.getgid()}'\n\
         \x20       caps = [line for line in open('/proc/self/status') if line.startswith('CapEff')][0].split()[1]\n\
         \x20       self.send_response(200); self.end_headers(); self.wfile.write(f'{text}, caps {int(caps, 16)}'.encode())\n\
         http.server.HTTPServer(('0.0.0.0', 8000), Handler).serve_forever()\n");
    let report = run(app.path(), |_| {}).expect("a report");
    let answer = report.components[0]
        .answer
        .as_ref()
        .unwrap_or_else(|| panic!("{report:#?}"));
    assert_eq!(answer.body, "Read-only file system as 10001:10001, caps 0");
}

#[test]
fn a_missing_base_image_is_named() {
    let app = app(&server("0.0.0.0", 8000));
    let change = |plan: &mut longshore::plan::BuildPlan| {
        plan.components[0].image.run_from = "longshore-test/absent:1".into()
    };
    let error = run(app.path(), change).expect_err("trouble with the environment");
    let trouble = error.downcast_ref::<EngineError>().expect("the engine's");
    assert!(
        matches!(trouble, EngineError::NoImage { image, .. } if image == "longshore-test/absent:1"),
        "{trouble}"
    );
}

#[test]
fn a_taken_port_is_named() {
    let app = app(&server("0.0.0.0", 8000));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let child = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(["verify", "--port", &port.to_string()])
        .arg(app.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    let pid = child.id();
    let output = child.wait_with_output().expect("ends");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(
        told.contains(&format!("port {port} of this machine is already taken")),
        "{told}"
    );
    assert_eq!(left_over(pid), Vec::<String>::new());
}

#[test]
#[cfg(unix)]
fn an_interrupt_removes_everything_and_a_kill_is_swept_by_the_next_run() {
    let app = app("import time\nprint('serve_forever', flush=True)\ntime.sleep(600)\n");
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(["verify", "--start-timeout", "300"])
            .arg(app.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("starts")
    };
    let wait_for_container = |pid: u32| {
        let begun = std::time::Instant::now();
        while left_over(pid).len() < 2 {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "no container came up"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let signal = |pid: u32, name: &str| {
        assert!(
            Command::new("kill")
                .args([name, &pid.to_string()])
                .status()
                .expect("kill runs")
                .success()
        );
    };

    let mut interrupted = start();
    wait_for_container(interrupted.id());
    signal(interrupted.id(), "-INT");
    assert_eq!(interrupted.wait().expect("ends").code(), Some(3));
    assert_eq!(left_over(interrupted.id()), Vec::<String>::new());

    let mut killed = start();
    wait_for_container(killed.id());
    signal(killed.id(), "-KILL");
    killed.wait().expect("ends");
    assert_eq!(
        left_over(killed.id()).len(),
        2,
        "a kill leaves its network and its container"
    );
    run(app.path(), |_| {}).expect("a report");
    assert_eq!(
        left_over(killed.id()),
        Vec::<String>::new(),
        "the next run sweeps it"
    );
}
