//! What goes wrong in containers, on a real engine: each fault ends with a message that says what
//! happened, and with nothing left over.

#![cfg(feature = "docker-tests")]

use std::{fs, path::Path, process::Command, time::Duration};

use longshore::{
    convert,
    plan::OriginKind,
    recipe::Catalog,
    verify::{self, Cause, EngineError, Options, Report, Rung, Verdict},
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
    let mut plan = convert::plan(
        root,
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )?
    .value;
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

#[test]
fn a_server_on_loopback_only_is_a_finding_of_its_own() {
    let app = app(&server("127.0.0.1", 8000));
    let report = check(app.path(), |_| {}, Cause::LocalOnly, Rung::Started);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(failure.hints[0].contains("0.0.0.0"), "{failure:?}");
}

#[test]
fn a_server_on_another_port_is_planned_with_that_port_and_run_again() {
    let app = app(&server("0.0.0.0", 8765));
    let mut plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    plan.components[0].ports[0].port = 8000;
    let conversion = convert::render(plan).expect("renders");
    let options = Options {
        start_timeout: Duration::from_secs(4),
        ..Options::default()
    };
    let report = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        app.path(),
        &options,
        &mut |_| {},
    )
    .expect("a report");
    assert_eq!(report.verdict, Verdict::RunsAfterRepair, "{report:#?}");
    let mut plan = conversion.plan;
    verify::apply(&report, &mut plan);
    let port = &plan.components[0].ports[0];
    assert_eq!(
        (port.port, port.origin[0].kind),
        (8765, OriginKind::Measured)
    );
    let said = "it listens on port 8765, not on the planned 8000";
    assert_eq!(port.origin[0].text.as_deref(), Some(said));
    let deployment = artifact(plan, "k8s/base/deployment.yaml");
    assert!(deployment.contains("containerPort: 8765"), "{deployment}");
    assert_nothing_left();
}

#[test]
fn several_other_ports_are_told_and_none_is_taken() {
    let app = app(&server("0.0.0.0", 8765).replace(
        "HTTPServer((",
        "import socket; extra = socket.create_server(('0.0.0.0', 8766))\nHTTPServer((",
    ));
    let change = |plan: &mut longshore::plan::BuildPlan| plan.components[0].ports[0].port = 8000;
    let report = check(app.path(), change, Cause::OtherPort, Rung::Started);
    let said = "0.0.0.0:8765 and 0.0.0.0:8766";
    assert!(message(&report).contains(said), "{report:#?}");
}

#[test]
fn a_folder_that_must_be_written_becomes_a_volume() {
    let text = format!(
        "import os\nos.makedirs('/app/instance', exist_ok=True)\nopen('/app/instance/app.db', 'w')\n{}",
        server("0.0.0.0", 8000)
    );
    let app = app(&text);
    let plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens");
    let mut plan = plan.value;
    let report = run(app.path(), |_| {}).expect("a report");
    assert_eq!(report.verdict, Verdict::RunsAfterRepair, "{report:#?}");
    verify::apply(&report, &mut plan);
    let volume = &plan.components[0].volumes[0];
    assert_eq!(
        (volume.path.as_str(), volume.persistent),
        ("/app/instance", true)
    );
    assert!(volume.reason.contains("/app/instance"), "{volume:?}");
    let claims = artifact(plan, "k8s/base/volumes.yaml");
    assert!(claims.contains("# /app/instance: it writes"), "{claims}");
}

#[test]
fn measured_figures_reach_the_manifests_with_their_margin() {
    let app = app(&server("0.0.0.0", 8000));
    let report = run(app.path(), |_| {}).expect("a report");
    assert_eq!(report.verdict, Verdict::RunsAsDocumented, "{report:#?}");
    let measured = report.components[0].measured.as_ref().expect("measured");
    let steady = measured.steady_memory_bytes.expect("measured");
    assert!(
        steady > 1 << 20 && steady <= measured.peak_memory_bytes,
        "{measured:?}"
    );
    assert!(measured.startup_cpu_millicores > Some(0), "{measured:?}");
    assert!(measured.steady_cpu_millicores.is_some(), "{measured:?}");
    assert!(
        measured.stop_ms.is_some_and(|stop| stop < 10_000),
        "{measured:?}"
    );
    let mut plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    verify::apply(&report, &mut plan);
    let conversion = convert::render(plan).expect("renders");
    let mut files = conversion.artifacts.iter();
    let deployment = files
        .find(|file| file.path == "k8s/base/deployment.yaml")
        .expect("made");
    for (line, figure) in [
        (
            "terminationGracePeriodSeconds: 10",
            "ms after SIGTERM: three times that",
        ),
        ("# Measured, with a margin: tier low.", "MiB while idle"),
        ("cpu: ", "of a core while idle"),
        ("memory: \"64Mi\"", "MiB while idle: a quarter more"),
        ("memory: \"128Mi\"", "MiB at its peak: twice that"),
        ("failureThreshold: 15", "ms: five times that"),
    ] {
        let found = deployment
            .contents
            .lines()
            .position(|text| text.contains(line));
        let number = found.unwrap_or_else(|| panic!("no `{line}`: {}", deployment.contents)) + 1;
        let origin = &deployment.origins[&number][0];
        assert_eq!(origin.kind, OriginKind::Measured, "{line}");
        let text = origin.text.as_deref().unwrap_or_default();
        assert!(text.contains(figure), "{line}: {text}");
    }
}

fn artifact(plan: longshore::plan::BuildPlan, path: &str) -> String {
    let conversion = convert::render(plan).expect("renders");
    let mut files = conversion.artifacts.into_iter();
    files
        .find(|file| file.path == path)
        .expect("is made")
        .contents
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
            cached: false,
            secrets: Vec::new(),
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
    let conversion = convert::render(
        convert::plan(
            app.path(),
            &Catalog::built_in(),
            longshore::config::Trust::Granted,
        )
        .expect("opens")
        .value,
    )
    .expect("renders");
    let options = Options {
        publish_port: Some(port),
        ..Options::default()
    };
    let error = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        app.path(),
        &options,
        &mut |_| {},
    )
    .expect_err("taken");
    let trouble = error.downcast_ref::<EngineError>().expect("the engine's");
    assert!(
        matches!(trouble, EngineError::PortTaken(found) if *found == port),
        "{trouble}"
    );
    assert_nothing_left();
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
    let owned_by = |pid: u32| {
        let output = Command::new("docker")
            .args([
                "ps",
                "--all",
                "--filter",
                "label=io.longshore.owner",
                "--format",
                "{{.Label \"io.longshore.owner\"}} ",
            ])
            .output()
            .expect("the docker command runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines()
            .filter(|line| line.contains(&format!(" {pid} ")))
            .count()
    };
    let wait_for_container = |pid: u32| {
        let begun = std::time::Instant::now();
        while owned_by(pid) == 0 {
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
    assert_eq!(
        owned_by(interrupted.id()),
        0,
        "an interrupt leaves something"
    );

    let mut killed = start();
    wait_for_container(killed.id());
    signal(killed.id(), "-KILL");
    killed.wait().expect("ends");
    assert_eq!(owned_by(killed.id()), 1, "a kill leaves its container");
    run(app.path(), |_| {}).expect("a report");
    assert_eq!(owned_by(killed.id()), 0, "the next run sweeps it");
}

fn message(report: &Report) -> &str {
    let failure = report.components[0].failure.as_ref();
    &failure
        .unwrap_or_else(|| panic!("no failure: {report:#?}"))
        .message
}

#[test]
fn a_start_command_that_is_not_in_the_image_is_the_applications_fault() {
    let app = app(&server("0.0.0.0", 8000));
    let change = |plan: &mut longshore::plan::BuildPlan| {
        let start = plan.components[0].start.as_mut().expect("a start command");
        start.command = vec!["no-such-program".into()];
        plan.components[0].image.entrypoint.clear();
    };
    let report = check(app.path(), change, Cause::Ended, Rung::Built);
    assert!(
        message(&report).contains("\"no-such-program\": executable file not found"),
        "{report:#?}"
    );
}

#[test]
fn a_circle_of_redirects_is_no_answer() {
    let app = app("from http.server import *\n\
         class Handler(BaseHTTPRequestHandler):\n\
         \x20   def do_GET(self):\n\
         \x20       self.send_response(302); self.send_header('Location', '/'); self.end_headers()\n\
         HTTPServer(('0.0.0.0', 8000), Handler).serve_forever()\n");
    let report = check(app.path(), |_| {}, Cause::Answer, Rung::Listening);
    assert!(
        message(&report).contains("redirected more than 5 times"),
        "{report:#?}"
    );
}

#[test]
fn a_server_that_dies_after_its_answer_does_not_pass() {
    let app = app("import os\nfrom http.server import *\n\
         class Handler(SimpleHTTPRequestHandler):\n\
         \x20   def finish(self):\n        super().finish(); os._exit(9)\n\
         HTTPServer(('0.0.0.0', 8000), Handler).serve_forever()\n");
    let change = |plan: &mut longshore::plan::BuildPlan| {
        // A worker beside it, so that there is time to die.
        let component = &mut plan.components[0];
        component.processes.push(longshore::plan::Process {
            id: "worker".into(),
            command: vec!["sleep".into(), "60".into()],
            directory: ".".into(),
            origin: Vec::new(),
        });
    };
    let report = check(app.path(), change, Cause::Ended, Rung::Answers);
    assert!(message(&report).contains("did not stay up"), "{report:#?}");
}

#[test]
fn a_program_that_ignores_sigterm_is_noted() {
    let text = format!(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{}",
        server("0.0.0.0", 8000)
    );
    let report = run(app(&text).path(), |_| {}).expect("a report");
    let component = &report.components[0];
    assert_eq!(
        (component.rung, component.stop_ms),
        (Rung::Answers, None),
        "{report:#?}"
    );
    let is_noted = |note: &String| note.contains("does not heed SIGTERM");
    assert!(component.notes.iter().any(is_noted), "{report:#?}");
}

/// Python as process 1 would ignore SIGTERM.
#[test]
fn an_init_passes_sigterm_on() {
    let report = run(app(&server("0.0.0.0", 8000)).path(), |_| {}).expect("a report");
    let stop = report.components[0].stop_ms;
    assert!(stop.is_some_and(|stop| stop < 5_000), "{report:#?}");
}

#[test]
fn a_server_that_heeds_sigterm_is_timed() {
    let app = app("import signal, sys\nfrom http.server import *\n\
         signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n\
         HTTPServer(('0.0.0.0', 8000), SimpleHTTPRequestHandler).serve_forever()\n");
    let report = run(app.path(), |_| {}).expect("a report");
    let stop = report.components[0].stop_ms;
    assert!(stop.is_some_and(|stop| stop < 5000), "{report:#?}");
}

/// A socket is enough of a client: nothing is to be installed.
const SERVICES_APP: &str = r#"
import os, socket, urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer

def reach(url, greeting, answer):
    parts = urllib.parse.urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 5) as client:
        client.sendall(greeting)
        return client.recv(64).startswith(answer)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        # SSLRequest: the server says N or S.
        postgres = reach(os.environ['DATABASE_URL'], bytes.fromhex('0000000804d2162f'), b'N')
        redis = reach(os.environ['REDIS_URL'], b'PING\r\n', b'+PONG')
        secret = urllib.parse.urlsplit(os.environ['DATABASE_URL']).password
        self.send_response(200 if postgres and redis else 500)
        self.end_headers()
        self.wfile.write(f'postgres {postgres}, redis {redis}, secret {len(secret)}'.encode())

HTTPServer(('0.0.0.0', 8000), Handler).serve_forever()
"#;

fn service(json: serde_json::Value) -> longshore::plan::Service {
    serde_json::from_value(json).expect("a service")
}

#[test]
fn services_run_beside_the_application_with_secrets_of_the_run() {
    let app = app(SERVICES_APP);
    fs::write(
        app.path().join("schema.sql"),
        "CREATE TABLE boats (name text);\n",
    )
    .expect("written");
    let change = |plan: &mut longshore::plan::BuildPlan| {
        let component = &mut plan.components[0];
        component.services = vec![
            service(serde_json::json!({
                "kind": "postgres", "version": "15", "image": "postgres:15-bookworm", "port": 5432,
                "env": {"DATABASE_URL": "postgresql://app:${POSTGRES_PASSWORD}@postgres:5432/app"},
                "settings": {"POSTGRES_USER": "app", "POSTGRES_PASSWORD": "${POSTGRES_PASSWORD}", "POSTGRES_DB": "app"},
                "secrets": ["POSTGRES_PASSWORD"],
                "healthcheck": ["pg_isready", "-h", "127.0.0.1", "-U", "app", "-d", "app"],
                "data": "/var/lib/postgresql/data", "user": 999, "writable": [],
                "init": ["schema.sql"], "init_directory": "/docker-entrypoint-initdb.d", "optional": false, "origin": []
            })),
            service(serde_json::json!({
                "kind": "redis", "version": "7", "image": "redis:7-bookworm", "port": 6379,
                "env": {"REDIS_URL": "redis://redis:6379/0"}, "settings": {}, "secrets": [],
                "healthcheck": ["redis-cli", "ping"], "data": "/data", "user": 999, "writable": [],
                "init": [], "init_directory": null, "optional": false, "origin": []
            })),
        ];
        component.prepare.push(longshore::plan::Command {
            command: "psql -U app -d app -v ON_ERROR_STOP=1 -c 'SELECT count(*) FROM boats'".into(),
            directory: ".".into(),
            env: Default::default(),
            runs_in: Some("postgres".into()),
            cached: false,
            secrets: Vec::new(),
            origin: Vec::new(),
        });
    };
    let mut plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    change(&mut plan);
    let conversion = convert::render(plan).expect("renders");
    let logs = tempfile::tempdir().expect("a folder");
    let options = Options {
        keep_logs: Some(logs.path().to_owned()),
        ..Options::default()
    };
    let report = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        app.path(),
        &options,
        &mut |_| {},
    );
    let report = report.expect("a report");
    let component = &report.components[0];
    let answer = component
        .answer
        .as_ref()
        .unwrap_or_else(|| panic!("{report:#?}"));
    assert_eq!(answer.body, "postgres True, redis True, secret 32");
    let mut kept: Vec<String> = component
        .logs
        .iter()
        .map(|path| {
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    kept.sort();
    assert_eq!(
        kept,
        ["postgres.log", "redis.log", "web-app.log", "web-build.log"]
    );
    assert_nothing_left();
}

#[test]
fn a_volume_is_shared_by_prepare_step_and_application() {
    let app = app("import http.server, os\nos.chdir('/app/data')\n\
         http.server.HTTPServer(('0.0.0.0', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()\n");
    fs::create_dir(app.path().join("data")).expect("made");
    fs::write(app.path().join("data/.keep"), "").expect("written");
    let change = |plan: &mut longshore::plan::BuildPlan| {
        let component = &mut plan.components[0];
        component.volumes.push(longshore::plan::Volume {
            path: "/app/data".into(),
            persistent: true,
            reason: "a test".into(),
            origin: Vec::new(),
        });
        component.prepare.push(longshore::plan::Command {
            command: "echo ready > /app/data/index.html".into(),
            directory: ".".into(),
            env: Default::default(),
            runs_in: None,
            cached: false,
            secrets: Vec::new(),
            origin: Vec::new(),
        });
    };
    let report = run(app.path(), change).expect("a report");
    let answer = report.components[0]
        .answer
        .as_ref()
        .unwrap_or_else(|| panic!("{report:#?}"));
    assert_eq!(answer.body, "ready");
}

#[test]
#[cfg(unix)]
fn an_interrupt_during_a_build_leaves_nothing() {
    let app = slow_to_build("interrupt");
    let moment = Duration::from_secs(1);
    let running = Running::until(app.path(), "building", moment, None);
    running.signal("-INT");
    let pid = running.child.id();
    let begun = std::time::Instant::now();
    assert_eq!(running.end().0, Some(3));
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(left_over_of(pid), Vec::<String>::new());
}

#[test]
fn a_panic_leaves_nothing() {
    let app = app(&server("0.0.0.0", 8000));
    let plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    let conversion = convert::render(plan).expect("renders");
    let panics = std::panic::catch_unwind(|| {
        let mut progress = |event| match event {
            verify::Event::Reached(what) if what.starts_with("listening") => panic!("on purpose"),
            _ => {}
        };
        let (plan, artifacts) = (&conversion.plan, &conversion.artifacts);
        verify::verify(
            plan,
            artifacts,
            app.path(),
            &Options::default(),
            &mut progress,
        )
    });
    assert!(panics.is_err());
    assert_nothing_left();
}

/// The tests of this file are threads of one process, so what a neighbour has up is no leftover: only
/// what stays for longer than any of them takes.
#[track_caller]
fn assert_nothing_left() {
    let mut left = left_over_of(std::process::id());
    for _ in 0..60 {
        if left.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
        let now = left_over_of(std::process::id());
        left.retain(|thing| now.contains(thing));
    }
    panic!("left over: {left:?}");
}

/// What the engine still has that carries the owner label of process `pid`: containers, networks,
/// volumes and images.
fn left_over_of(pid: u32) -> Vec<String> {
    let mut left = Vec::new();
    for kind in [
        &["ps", "--all"][..],
        &["network", "ls"],
        &["volume", "ls"],
        &["images", "--all"],
    ] {
        let list = Command::new("docker")
            .args(kind)
            .args(["--filter", "label=io.longshore.owner", "--quiet"])
            .output()
            .expect("the docker command runs");
        for id in String::from_utf8_lossy(&list.stdout).lines() {
            let shown = Command::new("docker")
                .args(["inspect", id])
                .output()
                .expect("docker runs");
            if String::from_utf8_lossy(&shown.stdout).contains(&format!(" {pid} ")) {
                left.push(format!("{} {id}", kind.join(" ")));
            }
        }
    }
    left
}

/// A `longshore verify` that has said a word, and what it goes on to say.
struct Running {
    child: std::process::Child,
    said: std::thread::JoinHandle<String>,
}

impl Running {
    /// Starts it, waits until a line on stderr begins with `word`, and a moment more.
    #[track_caller]
    fn until(app: &Path, word: &'static str, moment: Duration, engine: Option<&str>) -> Self {
        use std::io::BufRead;
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command
            .args(["verify", "--start-timeout", "300"])
            .arg(app)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped());
        if let Some(engine) = engine {
            command.env("DOCKER_HOST", engine);
        }
        let mut child = command.spawn().expect("starts");
        let stderr = child.stderr.take().expect("is piped");
        let (heard, waits) = std::sync::mpsc::channel();
        let said = std::thread::spawn(move || {
            let mut text = String::new();
            for line in std::io::BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
            {
                if line.trim_start().starts_with(word) {
                    let _ = heard.send(());
                }
                text.push_str(&line);
                text.push('\n');
            }
            text
        });
        let wait = waits.recv_timeout(Duration::from_secs(120));
        wait.unwrap_or_else(|_| panic!("it never says `{word}`"));
        std::thread::sleep(moment);
        Self { child, said }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// Its exit code, and all that it said on stderr.
    fn end(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().expect("ends").code();
        (code, self.said.join().expect("no panic"))
    }
}

/// Stands between longshore and the engine, until it is cut.
struct Cut {
    folder: tempfile::TempDir,
    connections: std::sync::Arc<std::sync::Mutex<Option<Vec<std::os::unix::net::UnixStream>>>>,
}

impl Cut {
    fn new() -> Self {
        use std::os::unix::net::{UnixListener, UnixStream};
        let folder = tempfile::tempdir().expect("a folder");
        let listener = UnixListener::bind(folder.path().join("engine.sock")).expect("bound");
        let cut = Self {
            folder,
            connections: std::sync::Arc::new(std::sync::Mutex::new(Some(Vec::new()))),
        };
        let connections = cut.connections.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut open = connections.lock().expect("no panic");
                let Some(open) = open.as_mut() else { break };
                let engine = UnixStream::connect("/var/run/docker.sock").expect("the engine runs");
                for (from, to) in [(&client, &engine), (&engine, &client)] {
                    let mut from = from.try_clone().expect("cloned");
                    let mut to = to.try_clone().expect("cloned");
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
                open.extend([client, engine]);
            }
        });
        cut
    }

    fn address(&self) -> String {
        format!(
            "unix://{}",
            self.folder.path().join("engine.sock").display()
        )
    }

    fn cut(&self) {
        let open = self.connections.lock().expect("no panic").take();
        fs::remove_file(self.folder.path().join("engine.sock")).expect("removed");
        for connection in open.into_iter().flatten() {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// An application whose image takes long to build; its number keeps the step out of the cache.
fn slow_to_build(salt: &str) -> tempfile::TempDir {
    let app = tempfile::tempdir().expect("a folder");
    let readme = "# app\n\n```sh\nnpm install\nnpm start\n```\n\nIt listens on port 8000.\n";
    let slow = format!("sleep 600; echo {}-{salt}", std::process::id());
    let package = serde_json::json!({
        "name": "app", "version": "1.0.0", "scripts": {"preinstall": slow, "start": "node server.js"}
    });
    let server = "require('http').createServer().listen(8000)\n";
    for (file, text) in [
        ("README.md", readme),
        ("package.json", &package.to_string()),
        ("server.js", server),
    ] {
        fs::write(app.path().join(file), text).expect("written");
    }
    app
}

/// Removes what killed runs left, and waits until nothing of process `pid` is there.
#[track_caller]
fn assert_swept(pid: u32) {
    let mut left = Vec::new();
    for _ in 0..30 {
        verify::sweep().expect("the engine runs");
        left = left_over_of(pid);
        if left.is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    panic!("left over: {left:?}");
}

#[test]
#[cfg(unix)]
fn an_engine_that_goes_away_during_a_build_or_a_run_is_told() {
    let hung = app("import time\nprint('serve_forever', flush=True)\ntime.sleep(600)\n");
    for (app, word) in [(slow_to_build("cut"), "building"), (hung, "starting web")] {
        let engine = Cut::new();
        let address = engine.address();
        let moment = Duration::from_secs(2);
        let running = Running::until(app.path(), word, moment, Some(&address));
        let pid = running.child.id();
        engine.cut();
        let begun = std::time::Instant::now();
        let (code, said) = running.end();
        assert!(begun.elapsed() < Duration::from_secs(20), "{said}");
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("the container engine went away "), "{said}");
        assert!(said.contains("removes what this run left behind"), "{said}");
        assert_swept(pid);
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_or_a_kill_at_any_moment_leaves_nothing() {
    let hung = app("import time\nprint('serve_forever', flush=True)\ntime.sleep(600)\n");
    let slow = slow_to_build("any");
    for (signal, app, word, milliseconds) in [
        ("-KILL", &slow, "building", 0),
        ("-KILL", &slow, "building", 1500),
        ("-KILL", &hung, "building", 300),
        ("-KILL", &hung, "starting web", 0),
        ("-INT", &slow, "building", 0),
        ("-INT", &hung, "starting web", 0),
        ("-TERM", &hung, "starting web", 700),
    ] {
        let moment = Duration::from_millis(milliseconds);
        let running = Running::until(app.path(), word, moment, None);
        let pid = running.child.id();
        running.signal(signal);
        let (code, said) = running.end();
        if signal == "-KILL" {
            assert_eq!(code, None, "{said}");
            assert_swept(pid);
        } else {
            assert_eq!(code, Some(3), "{signal}: {said}");
            assert_eq!(left_over_of(pid), Vec::<String>::new());
        }
    }
}

#[test]
fn a_full_disk_during_a_build_is_the_engines_trouble() {
    let app = app(&server("0.0.0.0", 8000));
    let change = |plan: &mut longshore::plan::BuildPlan| {
        plan.components[0].build.push(longshore::plan::Command {
            // What the kernel says there is what it says of a full disk.
            command: "dd if=/dev/zero of=/dev/full bs=1 count=1".into(),
            directory: ".".into(),
            env: Default::default(),
            runs_in: None,
            cached: false,
            secrets: Vec::new(),
            origin: Vec::new(),
        });
    };
    let error = run(app.path(), change).expect_err("trouble with the environment");
    let trouble = error.downcast_ref::<EngineError>().expect("the engine's");
    assert!(matches!(trouble, EngineError::DiskFull(_)), "{trouble}");
    assert!(
        trouble.to_string().contains("No space left on device"),
        "{trouble}"
    );
    assert!(trouble.hints()[0].contains("docker system prune"));
    assert_nothing_left();
}

#[test]
fn a_registry_that_refuses_is_named_with_what_it_said() {
    use std::io::{Read, Write};
    let registry = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = registry.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut client in registry.incoming().flatten() {
            let _ = client.read(&mut [0; 4096]);
            let body = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
            let answer = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = client.write_all(answer.as_bytes());
        }
    });
    let app = app(&server("0.0.0.0", 8000));
    let image = format!("127.0.0.1:{port}/team/base:1");
    let change = |plan: &mut longshore::plan::BuildPlan| {
        plan.components[0].image.run_from.clone_from(&image);
    };
    let error = run(app.path(), change).expect_err("trouble with the environment");
    let trouble = error.downcast_ref::<EngineError>().expect("the engine's");
    let is_it = matches!(trouble, EngineError::NoImage { image: named, .. } if *named == image);
    assert!(is_it && trouble.to_string().contains("denied"), "{trouble}");
    assert!(
        trouble
            .hints()
            .iter()
            .any(|hint| hint.contains("docker login"))
    );
    assert_nothing_left();
}

#[test]
fn a_service_that_never_gets_healthy_is_named_with_its_log() {
    let app = app(&server("0.0.0.0", 8000));
    let change = |plan: &mut longshore::plan::BuildPlan| {
        plan.components[0].services = vec![service(serde_json::json!({
            "kind": "redis", "version": "7", "image": "redis:7-bookworm", "port": 6379,
            "env": {}, "settings": {}, "secrets": [], "healthcheck": ["false"], "data": "/data", "user": 999,
            "writable": [], "init": [], "init_directory": null, "optional": false,
            "origin": [{"kind": "readme", "file": "README.md", "line": 3}]
        }))];
    };
    let report = check(app.path(), change, Cause::Service, Rung::Built);
    let said = "the service redis is not healthy after 4 seconds";
    assert_eq!(message(&report), said);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(!failure.log.is_empty(), "{failure:?}");
    assert_eq!(failure.places, ["README.md:3"]);
    assert_nothing_left();
}

#[test]
fn a_crash_in_a_loop_is_seen_in_the_log() {
    let app = app("import subprocess, sys, time\n\
         while True:  # serve_forever\n\
         \x20   subprocess.run([sys.executable, '-c', 'raise SystemExit(\"no licence\")'])\n\
         \x20   time.sleep(0.1)\n");
    let report = check(app.path(), |_| {}, Cause::NoPort, Rung::Started);
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert!(
        failure.hints[0].contains("`no licence` again and again"),
        "{failure:?}"
    );
    assert_nothing_left();
}

#[test]
fn a_server_that_forks_and_exits_is_told_to_stay_in_the_foreground() {
    let text = format!(
        "import os\nif os.fork():\n    os._exit(0)\n{}",
        server("0.0.0.0", 8000)
    );
    let report = run(app(&text).path(), |_| {}).expect("a report");
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert_eq!(failure.cause, Cause::Ended, "{failure:?}");
    assert_eq!(failure.message, "the container ended with 0");
    assert!(
        failure.hints[0].contains("in the foreground"),
        "{failure:?}"
    );
    assert_nothing_left();
}

#[test]
fn a_server_that_accepts_and_never_answers_is_told_so() {
    let app = app("import socket, time\n\
         listener = socket.create_server(('0.0.0.0', 8000))  # serve_forever\n\
         time.sleep(600)\n");
    let report = check(app.path(), |_| {}, Cause::Answer, Rung::Listening);
    assert!(message(&report).contains("no answer within"), "{report:#?}");
    assert_nothing_left();
}

#[test]
#[cfg(unix)]
fn a_flood_in_the_log_costs_bounded_memory() {
    let app = app("import time  # serve_forever\n\
         end = time.time() + 6\n\
         while time.time() < end:\n    print('noise ' * 2000)\n\
         print('the last words', flush=True)\n\
         time.sleep(600)\n");
    let mut child = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args([
            "verify",
            "--format",
            "json",
            "--start-timeout",
            "10",
            "--no-repair",
        ])
        .arg(app.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let mut most = 0;
    while child.try_wait().expect("is waited for").is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
        most = most.max(kilobytes.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("ends");
    let report: Report = serde_json::from_slice(&output.stdout).expect("a report");
    let failure = report.components[0].failure.as_ref().expect("a failure");
    assert_eq!(failure.cause, Cause::NoPort, "{}", failure.message);
    let last = failure.log.last().expect("it printed");
    assert!(last.contains("the last words"), "{last}");
    assert!(failure.log.len() <= 300 && most > 0);
    // It prints hundreds of megabytes; reading the catalogue alone takes some dozens.
    assert!(most < 200_000, "{most} kB");
    assert_nothing_left();
}

/// Node brings HTTP/2 along, so that gRPC needs no package.
#[test]
fn a_server_of_grpc_gets_a_probe_of_grpc() {
    let app = tempfile::tempdir().expect("a folder");
    let server = "const http2 = require('http2')\n\
        http2.createServer().on('stream', (stream, headers) => {\n\
        \x20 const known = headers[':path'] === '/grpc.health.v1.Health/Check'\n\
        \x20 stream.respond({':status': 200, 'content-type': 'application/grpc'}, {waitForTrailers: true})\n\
        \x20 stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': known ? '0' : '12'}))\n\
        \x20 stream.end(known ? Buffer.from([0, 0, 0, 0, 2, 8, 1]) : undefined)\n\
        }).listen(8000)\n";
    let package = r#"{"name": "app", "version": "1.0.0", "scripts": {"start": "node server.js"}}"#;
    let readme = "# app\n\n```sh\nnpm install\nnpm start\n```\n\nIt listens on port 8000.\n";
    for (file, text) in [
        ("README.md", readme),
        ("package.json", package),
        ("server.js", server),
    ] {
        fs::write(app.path().join(file), text).expect("written");
    }
    let report = run(app.path(), |_| {}).expect("a report");
    assert_eq!(report.verdict, Verdict::RunsAsDocumented, "{report:#?}");
    let mut plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    verify::apply(&report, &mut plan);
    let deployment = artifact(plan, "k8s/base/deployment.yaml");
    assert!(
        deployment.contains("grpc:\n              port: 8000"),
        "{deployment}"
    );
}

#[test]
fn a_scheduled_job_is_run_once() {
    let app = app(&server("0.0.0.0", 8000));
    let job = |code: u8| {
        let words = [
            "python",
            "-c",
            &format!("print('tidied'); raise SystemExit({code})"),
        ];
        longshore::plan::Schedule {
            id: "nightly".into(),
            cron: "0 3 * * *".into(),
            command: words.map(str::to_owned).to_vec(),
            directory: ".".into(),
            origin: Vec::new(),
        }
    };
    let report = run(app.path(), |plan| plan.components[0].schedules.push(job(0)));
    let report = report.expect("a report");
    assert!(report.verdict.is_success(), "{report:#?}");
    let mut notes = report.components[0].notes.iter();
    assert!(
        notes.any(|note| note.contains("job nightly ended with 0")),
        "{report:#?}"
    );
    let fails = |plan: &mut longshore::plan::BuildPlan| plan.components[0].schedules.push(job(3));
    let report = check(app.path(), fails, Cause::Schedule, Rung::Answers);
    assert_eq!(message(&report), "the scheduled job nightly ended with 3");
    assert_nothing_left();
}

/// Runs `longshore verify` with `options`; returns its exit code and what it said.
fn verify_by_command(root: &Path, options: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(["--color", "never", "verify"])
        .arg(root)
        .args(options)
        .output()
        .expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code(), said)
}

#[test]
fn a_database_file_that_nobody_names_is_found_and_kept_on_a_volume() {
    // The path is put together where no reader of the source sees it.
    let server = "import os, sqlite3\n\
         from http.server import HTTPServer, SimpleHTTPRequestHandler\n\
         name = ''.join(['no', 'tes', '.', 'd', 'b'])\n\
         sqlite3.connect(os.path.join(os.getcwd(), name)).execute('create table if not exists t (i)')\n\
         HTTPServer(('0.0.0.0', 8000), SimpleHTTPRequestHandler).serve_forever()\n";
    let app = app(server);
    let (code, said) = verify_by_command(app.path(), &["--start-timeout", "10"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("keeps /app/notes.db on a volume"), "{said}");
    assert!(said.contains("verdict: runs-after-repair"), "{said}");
}

#[test]
fn a_run_ends_at_its_time_limit() {
    let hung = app("import time\nprint('serve_forever', flush=True)\ntime.sleep(600)\n");
    let begun = std::time::Instant::now();
    let (code, said) = verify_by_command(hung.path(), &["--time-limit", "5"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the time limit is reached"), "{said}");
    // The limit, and the way down; without it the start alone has 60 seconds.
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(45), "{took:?}: {said}");
}
