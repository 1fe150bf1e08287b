//! The ladder on an engine that plays a script.

use super::*;
use crate::plan::{Correction, Load, LoadEnd, LoadStep, Protocol};
use crate::verify::{
    LoadBounds, PageSigns, Written,
    engine::{Answer, BuildFailure, ChangeKind, GrpcHealth},
    fake::Fake,
};

const EVERYWHERE: &str = "00000000:1F40";
const LOOPBACK: &str = "0100007F:1F40";
const OTHER_PORT: &str = "00000000:2328";

pub fn plan(change: impl Fn(&mut serde_json::Value)) -> BuildPlan {
    let origin = serde_json::json!([{"kind": "readme", "file": "README.md", "line": 12}]);
    let mut plan = serde_json::json!({
        "schema": crate::plan::SCHEMA, "name": "app", "readmes": [], "ledger": [], "questions": [], "diagnostics": [],
        "components": [{
            "id": "web", "path": ".", "stack": "s", "framework": null, "evidence": [],
            "runtime": {"name": "r", "version": "1", "requested": null, "origin": []},
            "image": {
                "build_from": "a", "run_from": "stand-in", "workdir": "/app", "build_env": {}, "run_env": {}, "setup": [],
                "manifests": [], "caches": [], "artifacts": [], "copy_source": true, "extra_files": [], "user": 10001,
                "health_command": null, "origin": []
            },
            "system_packages": {"build": [], "runtime": [], "origins": {}},
            "files": [], "install": [], "build": [], "prepare": [],
            "start": {"command": ["serve"], "directory": ".", "origin": origin},
            "processes": [], "schedules": [],
            "ports": [{"port": 8000, "protocol": "http", "origin": []}],
            "health": null, "env": [], "services": [], "volumes": []
        }]
    });
    change(&mut plan["components"][0]);
    serde_json::from_value(plan).expect("a plan")
}

fn climbed(fake: &Fake, plan: &BuildPlan) -> ComponentReport {
    climbed_with(fake, plan, None)
}

fn climbed_with(fake: &Fake, plan: &BuildPlan, load: Option<LoadBounds>) -> ComponentReport {
    let mut report = attempt(fake, plan, load).expect("a report");
    assert_eq!(report.stand_ins, ["stand-in"]);
    report.components.remove(0)
}

fn attempt(fake: &Fake, plan: &BuildPlan, load: Option<LoadBounds>) -> anyhow::Result<Report> {
    let options = Options { load, ..short() };
    attempt_with(fake, plan, options)
}

fn short() -> Options {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Options {
        start_timeout: Duration::from_secs(2),
        prepare_timeout: Duration::from_secs(3),
        idle: Duration::ZERO,
        signs: PageSigns {
            refusals: words(&["not writable"]),
            nouns: vec!["folder".to_owned(), "directory".to_owned()],
            installers: words(&["setup"]),
        },
        ..Options::default()
    }
}

fn attempt_with(fake: &Fake, plan: &BuildPlan, options: Options) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Run::new().expect("random");
    let dockerfile = Artifact {
        path: crate::output::OutputPath::fixed("Dockerfile"),
        contents: "FROM a\nRUN make\n".into(),
        origins: [(2, vec![Origin::recipe("stacks/s", "make")])].into(),
        executable: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(climb(
        fake,
        &run,
        plan,
        &[dockerfile],
        folder.path(),
        &options,
        &mut |_| {},
    ))
}

fn listening_on(listens: &'static str, answers: &[(&'static str, &[Answer])]) -> Fake {
    let answers = answers
        .iter()
        .map(|(path, answers)| (*path, answers.to_vec().into()));
    Fake {
        listens,
        answers: answers.collect::<BTreeMap<_, _>>().into(),
        ..Fake::default()
    }
}

fn status(status: u16) -> Answer {
    Answer {
        status,
        body: format!("body of {status}"),
        ..Answer::default()
    }
}

fn redirect(location: &str) -> Answer {
    Answer {
        location: Some(location.to_owned()),
        ..status(302)
    }
}

fn serving(answers: &[(&'static str, &[Answer])]) -> Fake {
    listening_on(EVERYWHERE, answers)
}

#[track_caller]
fn check_failure(fake: &Fake, plan: &BuildPlan, rung: Rung, cause: Cause, words: &str) -> Failure {
    let report = climbed(fake, plan);
    let failure = report.failure.expect("a failure");
    assert_eq!((report.rung, failure.cause), (rung, cause), "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?}");
    failure
}

#[track_caller]
fn check_answer(fake: &Fake, plan: &BuildPlan, path: &str, status: u16, proven: bool) {
    let report = climbed(fake, plan);
    let answer = report
        .answer
        .unwrap_or_else(|| panic!("{:?}", report.failure));
    assert_eq!(
        (answer.path.as_str(), answer.status, answer.proven),
        (path, status, proven)
    );
    assert_eq!((report.rung, report.failure), (Rung::Answers, None));
}

#[track_caller]
fn check_silence(answers: &[(&'static str, &[Answer])], words: &str) -> Failure {
    check_failure(
        &serving(answers),
        &plan(|_| {}),
        Rung::Listening,
        Cause::Answer,
        words,
    )
}

fn with_paths(paths: &'static [&'static str], status: u16) -> BuildPlan {
    plan(|component| {
        component["health"] = serde_json::json!({
            "candidates": paths, "path": paths[0], "status": status, "host": "shop.example", "proven": false, "origin": []
        });
    })
}

fn with_prepare(runs_in: Option<&str>) -> BuildPlan {
    plan(|component| {
        component["services"] = serde_json::json!([{
            "kind": "postgres", "version": "15", "image": "postgres:15", "port": 5432, "env": {"URL": "pg:${PASSWORD}"},
            "settings": {"PASSWORD": "${PASSWORD}"}, "secrets": ["PASSWORD"], "healthcheck": ["ready"], "data": null,
            "user": 999, "writable": [], "init": [], "init_directory": null, "optional": false, "origin": []
        }]);
        component["prepare"] = serde_json::json!([{
            "command": "migrate", "directory": "site", "runs_in": runs_in, "env": {"A": "1"},
            "origin": [{"kind": "readme", "file": "README.md", "line": 7}]
        }]);
    })
}

#[test]
fn a_page_is_an_answer() {
    check_answer(
        &serving(&[("/", &[status(200)])]),
        &plan(|_| {}),
        "/",
        200,
        true,
    );
}

#[test]
fn a_slow_start_is_waited_for() {
    let fake = serving(&[("/", &[status(503), status(200)])]);
    check_answer(&fake, &plan(|_| {}), "/", 200, true);
}

#[test]
fn a_page_behind_a_login_answers_but_is_no_probe() {
    let fake = serving(&[("/", &[status(401)]), ("/broken", &[status(500)])]);
    check_answer(&fake, &with_paths(&["/", "/broken"], 200), "/", 401, false);
}

#[test]
fn the_declared_status_is_a_probe() {
    let fake = serving(&[("/", &[status(401)])]);
    check_answer(&fake, &with_paths(&["/"], 401), "/", 401, true);
}

#[test]
fn after_nothing_at_the_root_the_other_paths_are_tried() {
    let fake = serving(&[("/", &[status(404)]), ("/api", &[status(200)])]);
    check_answer(&fake, &with_paths(&["/", "/api"], 200), "/api", 200, true);
    assert!(
        fake.calls
            .borrow()
            .contains(&"get shop.example/api".to_owned())
    );
}

#[test]
fn nothing_on_every_path_is_an_answer_with_a_note() {
    let fake = serving(&[("/", &[status(404)]), ("/api", &[status(404)])]);
    let report = climbed(&fake, &with_paths(&["/", "/api"], 200));
    assert!(
        report.notes[0].starts_with("answers with 404 on every path tried"),
        "{report:?}"
    );
    assert!(report.answer.is_some_and(|answer| !answer.proven));
}

#[test]
fn a_server_error_is_no_answer_and_its_body_is_shown() {
    let failure = check_silence(&[("/", &[status(500)])], "`/` gave status 500");
    assert_eq!(failure.log, ["body: body of 500"]);
    assert_eq!(failure.places, ["README.md:12"]);
}

#[test]
fn a_page_that_tells_of_an_error_is_no_answer() {
    let broken = Answer {
        body: "<b>Fatal error</b>: no database".to_owned(),
        ..status(200)
    };
    let mut plan = with_paths(&["/"], 200);
    let health = plan.components[0].health.as_mut().expect("a path");
    health.errors.push("<b>Fatal error</b>".to_owned());
    let failure = check_failure(
        &serving(&[("/", &[broken])]),
        &plan,
        Rung::Listening,
        Cause::Answer,
        "the page says `<b>Fatal error</b>`",
    );
    assert_eq!(failure.log, ["body: <b>Fatal error</b>: no database"]);
}

#[test]
fn a_port_without_an_answer_is_told() {
    check_silence(&[], "gave no answer: connection refused");
}

#[test]
fn a_redirect_is_followed_within_the_application() {
    let fake = serving(&[("/", &[redirect("/login")]), ("/login", &[status(200)])]);
    check_answer(&fake, &plan(|_| {}), "/", 302, true);
}

#[test]
fn a_redirect_to_an_error_is_no_answer() {
    check_silence(
        &[("/", &[redirect("/a")]), ("/a", &[status(500)])],
        "`/` gave status 500",
    );
}

fn page(body: &str) -> Answer {
    Answer {
        body: body.to_owned(),
        ..status(200)
    }
}

#[test]
fn a_set_up_page_that_names_a_folder_it_cannot_write_is_no_answer() {
    let set_up = page("<h1>Hello</h1><p>The folder content/ is not writable!</p>");
    let fake = Fake {
        unwritable: "folder /app/content\n",
        ..serving(&[("/", &[redirect("/setup.php")]), ("/setup.php", &[set_up])])
    };
    let words = "is not writable!`: `/app/content` is not writable";
    let failure = check_failure(&fake, &plan(|_| {}), Rung::Listening, Cause::Answer, words);
    assert_eq!(failure.log, ["body: The folder content/ is not writable!"]);
}

#[test]
fn a_page_that_only_talks_of_what_is_not_writable_is_an_answer() {
    let guide = page("<p>Where /app/content is not writable, run chmod.</p>");
    // Nothing of that kind is in the container, or the application may write it.
    check_answer(
        &serving(&[("/", std::slice::from_ref(&guide))]),
        &plan(|_| {}),
        "/",
        200,
        true,
    );
    // A word that is a file, and what a volume would hide, are no reason either.
    for unwritable in ["file /app/run", "folder /app", "folder /elsewhere"] {
        let fake = Fake {
            unwritable,
            ..serving(&[("/", std::slice::from_ref(&guide))])
        };
        check_answer(&fake, &plan(|_| {}), "/", 200, true);
    }
}

#[test]
fn an_error_page_names_what_cannot_be_written() {
    let broken = Answer {
        status: 500,
        ..page("<p>cache/pages.json: not writable</p>")
    };
    let fake = Fake {
        unwritable: "new /app/cache/pages.json",
        ..serving(&[("/", &[broken])])
    };
    let words = "`/` gave status 500, and the page says";
    check_failure(&fake, &plan(|_| {}), Rung::Listening, Cause::Answer, words);
}

#[test]
fn an_installer_answers_and_is_told_but_is_no_probe() {
    let pages: &[(&str, &[Answer])] = &[("/", &[status(503)]), ("/setup.php", &[page("Welcome")])];
    let fake = serving(pages);
    let plan = with_paths(&["/", "/setup.php"], 200);
    let report = climbed(&fake, &plan);
    let told = "waits for its installation in a browser, at `/setup.php`".to_owned();
    assert!(report.notes.contains(&told), "{report:?}");
    check_answer(&fake, &plan, "/setup.php", 200, false);
    // The first page goes on answering once it no longer leads there.
    let pages: &[(&str, &[Answer])] = &[("/", &[redirect("/setup.php")]), pages[1]];
    check_answer(&serving(pages), &plan, "/", 302, true);
}

#[test]
fn a_run_that_is_to_find_out_tells_what_was_written() {
    use ChangeKind::{Added, Deleted, Modified};
    let own = vec![
        ("/app", Modified),
        ("/app/gone.txt", Deleted),
        ("/app/notes", Added),
        ("/app/notes/1.txt", Added),
        ("/app/tried-folder", Modified),
    ];
    let fake = Fake {
        changes: [("-app", own)].into(),
        ..serving(&[("/", &[status(200)])])
    };
    let options = Options {
        trace: true,
        ..short()
    };
    let mut report = attempt_with(&fake, &plan(|_| {}), options).expect("a report");
    let written = |path: &str, is_folder, is_new| Written {
        path: path.to_owned(),
        is_folder,
        is_new,
    };
    let expected = [
        written("/srv/x", false, true),
        written("/tmp/x", false, true),
        written("/app/notes", true, true),
        written("/app/notes/1.txt", false, true),
        written("/app/tried-folder", true, false),
    ];
    assert_eq!(report.components.remove(0).traced, expected);
    assert!(
        fake.specs
            .borrow()
            .iter()
            .all(|spec| spec.as_root && spec.hardened.is_none())
    );
}

#[test]
fn a_redirect_to_another_host_is_an_answer() {
    let fake = serving(&[("/", &[redirect("https://sso.example/")])]);
    check_answer(&fake, &plan(|_| {}), "/", 302, true);
}

#[test]
fn a_circle_of_redirects_is_no_answer() {
    check_silence(
        &[("/", &[redirect("/")])],
        "`/` was redirected more than 5 times",
    );
}

#[test]
fn a_cookie_comes_back_with_the_redirect() {
    let first = Answer {
        cookies: vec!["seen=1".into()],
        ..redirect("/")
    };
    let fake = serving(&[("/", &[first, status(200)])]);
    check_answer(&fake, &plan(|_| {}), "/", 302, true);
    assert!(
        fake.calls
            .borrow()
            .contains(&"get localhost/ seen=1".to_owned())
    );
}

#[test]
fn loopback_only_another_port_and_no_port_are_told_apart() {
    let plan = plan(|_| {});
    for (listens, cause, words) in [
        (LOOPBACK, Cause::LocalOnly, "127.0.0.1:8000 only"),
        (OTHER_PORT, Cause::OtherPort, "0.0.0.0:9000, not on 8000"),
        ("", Cause::NoPort, "opened no port within 2 seconds"),
    ] {
        check_failure(
            &listening_on(listens, &[]),
            &plan,
            Rung::Started,
            cause,
            words,
        );
    }
}

#[test]
fn where_sockets_cannot_be_looked_at_only_the_answer_counts() {
    let fake = Fake {
        is_blind: true,
        ..serving(&[("/", &[status(200)])])
    };
    check_answer(&fake, &plan(|_| {}), "/", 200, true);
}

#[test]
fn a_port_that_speaks_no_http_answers_by_listening() {
    let plan = plan(|component| component["ports"][0]["protocol"] = "tcp".into());
    let report = climbed(&serving(&[]), &plan);
    assert_eq!(
        (report.rung, report.answer, report.failure),
        (Rung::Answers, None, None)
    );
}

#[test]
fn a_crash_is_not_started_and_names_the_path_it_cannot_write() {
    let fake = Fake {
        ended: [("-app", 1)].into(),
        log: "OSError: [Errno 30] Read-only file system: '/app/db'",
        ..Fake::default()
    };
    let failure = check_failure(
        &fake,
        &plan(|_| {}),
        Rung::Built,
        Cause::Ended,
        "the container ended with 1",
    );
    assert!(
        failure.hints[0].contains("cannot write `/app/db`"),
        "{failure:?}"
    );
}

#[test]
fn want_of_memory_is_a_cause_of_its_own() {
    let fake = Fake {
        ended: [("-app", 137)].into(),
        ..Fake::default()
    };
    check_failure(
        &fake,
        &plan(|_| {}),
        Rung::Built,
        Cause::OutOfMemory,
        "more than 512 MiB",
    );
}

#[test]
fn a_start_command_that_is_not_in_the_image_is_a_failure() {
    let fake = Fake {
        unstartable: [("-app", "exec: \"serve\"")].into(),
        ..Fake::default()
    };
    let words = "its start command cannot be run: exec: \"serve\"";
    check_failure(&fake, &plan(|_| {}), Rung::Built, Cause::Ended, words);
}

#[test]
fn an_application_that_ends_after_its_answer_does_not_pass() {
    let fake = Fake {
        dies_later: true,
        ..serving(&[("/", &[status(200)])])
    };
    check_failure(
        &fake,
        &plan(|_| {}),
        Rung::Answers,
        Cause::Ended,
        "did not stay up",
    );
}

#[test]
fn a_program_that_ignores_the_request_to_stop_is_noted() {
    let fake = Fake {
        ignores_stop: true,
        ..serving(&[("/", &[status(200)])])
    };
    let report = climbed(&fake, &plan(|_| {}));
    assert_eq!((report.stop_ms, report.failure), (None, None));
    assert!(report.notes[0].starts_with("does not heed SIGTERM"));
}

#[test]
fn a_program_without_a_port_answers_by_ending_well() {
    let plan = plan(|component| component["ports"] = serde_json::json!([]));
    let fake = Fake {
        ended: [("-app", 0)].into(),
        ..Fake::default()
    };
    let report = climbed(&fake, &plan);
    assert_eq!((report.rung, report.failure), (Rung::Answers, None));
    let fake = Fake {
        ended: [("-app", 2)].into(),
        ..Fake::default()
    };
    check_failure(&fake, &plan, Rung::Built, Cause::Ended, "ended with 2");
}

#[test]
fn a_failed_build_step_names_its_line_and_origin() {
    let broken = BuildFailure {
        step: Some("[2/2] RUN make".into()),
        message: "exit code 2".into(),
        log: "cc: not found\n".into(),
    };
    let fake = Fake {
        build: Some(broken),
        ..Fake::default()
    };
    let words = "Dockerfile:2: `RUN make` failed: exit code 2";
    let failure = check_failure(&fake, &plan(|_| {}), Rung::Parsed, Cause::Build, words);
    assert_eq!(
        (failure.places, failure.log),
        (
            vec!["recipes/stacks/s.toml".into()],
            vec!["cc: not found".into()]
        )
    );
}

#[test]
fn a_prepare_step_runs_like_the_application_but_in_its_own_folder() {
    let fake = Fake {
        ended: [("-prepare-1", 0)].into(),
        ..serving(&[("/", &[status(200)])])
    };
    check_answer(&fake, &with_prepare(None), "/", 200, true);
    let specs = fake.specs.borrow();
    let [service, prepare, app] = &specs[..] else {
        panic!("{specs:?}")
    };
    assert_eq!(prepare.directory.as_deref(), Some("/app/site"));
    assert_eq!(prepare.command.as_deref().map(<[String]>::len), Some(3));
    assert_eq!(prepare.env["A"], "1");
    assert_eq!(prepare.env["URL"], app.env["URL"]);
    assert_eq!(app.env["URL"], format!("pg:{}", service.env["PASSWORD"]));
    for spec in [prepare, app] {
        assert_eq!(
            spec.hardened.as_ref().map(|hardening| hardening.user),
            Some(10001)
        );
    }
    assert!(service.hardened.is_none() && service.aliases == ["postgres"]);
}

#[test]
fn a_service_at_localhost_owns_the_network_and_publishes_the_port() {
    let mut plan = with_prepare(None);
    let service = &mut plan.components[0].services[0];
    service.fixed = Some(crate::plan::FixedAddress {
        host: crate::plan::LOCALHOST.into(),
        socket: Some("/run/pg".into()),
        origin: Vec::new(),
    });
    service.written.insert("PASSWORD".into(), "guest".into());
    let fake = Fake {
        ended: [("-prepare-1", 0)].into(),
        is_blind: true,
        ..serving(&[("/", &[status(200)])])
    };
    check_answer(&fake, &plan, "/", 200, true);
    let specs = fake.specs.borrow();
    let [service, prepare, app] = &specs[..] else {
        panic!("{specs:?}")
    };
    assert_eq!(service.publish, [(8000, 0)]);
    assert_eq!(service.aliases, ["postgres", &plan.name, "web"]);
    assert_eq!(service.env["PASSWORD"], "guest");
    for spec in [prepare, app] {
        assert_eq!(spec.shares_network_of.as_deref(), Some("postgres"));
        assert_eq!(spec.volumes, service.volumes);
        assert!(spec.publish.is_empty() && spec.aliases.is_empty());
    }
}

#[test]
fn a_prepare_step_that_fails_names_the_line_of_the_readme() {
    let fake = Fake {
        ended: [("-prepare-1", 3)].into(),
        log: "no table",
        ..Fake::default()
    };
    let words = "the prepare step `migrate` ended with 3";
    let failure = check_failure(
        &fake,
        &with_prepare(None),
        Rung::Built,
        Cause::Prepare,
        words,
    );
    assert_eq!(
        (failure.places, failure.log),
        (vec!["README.md:7".into()], vec!["no table".into()])
    );
}

#[test]
fn a_prepare_step_of_a_service_runs_in_its_container() {
    let fake = serving(&[("/", &[status(200)])]);
    check_answer(&fake, &with_prepare(Some("postgres")), "/", 200, true);
    let call = "exec in postgres: env A=1 sh -c migrate".to_owned();
    assert!(fake.calls.borrow().contains(&call));
}

#[test]
fn a_service_that_the_application_runs_without_is_left_out_where_its_image_cannot_be_had() {
    let mut plan = with_prepare(None);
    plan.components[0].services[0].optional = true;
    plan.components[0].prepare.clear();
    let fake = Fake {
        absent: vec!["postgres:15"],
        ..serving(&[("/", &[status(200)])])
    };
    let report = climbed(&fake, &plan);
    assert_eq!(report.rung, Rung::Answers);
    assert_eq!(
        report.notes[0],
        "ran without postgres, as it can: the image `postgres:15` is not on this machine and cannot be pulled: no such manifest"
    );
    let specs = fake.specs.borrow();
    assert!(specs.iter().all(|spec| spec.name != "postgres"));
    assert!(specs.iter().all(|spec| !spec.env.contains_key("URL")));
}

#[test]
fn an_image_that_is_needed_and_cannot_be_had_ends_the_run() {
    let fake = Fake {
        absent: vec!["postgres:15"],
        ..serving(&[("/", &[status(200)])])
    };
    let plan = with_prepare(None);
    let result = attempt(&fake, &plan, None);
    let error = result.expect_err("no image");
    assert!(error.to_string().contains("`postgres:15`"), "{error}");
}

#[test]
fn a_service_that_does_not_get_healthy_is_named_with_its_log() {
    let fake = Fake {
        exec: 1,
        log: "no disk for me",
        ..Fake::default()
    };
    let words = "the service postgres is not healthy after 2 seconds";
    let failure = check_failure(
        &fake,
        &with_prepare(None),
        Rung::Built,
        Cause::Service,
        words,
    );
    assert_eq!(failure.log, ["no disk for me"]);
}

#[test]
fn what_the_engine_says_was_written_is_told_unless_it_is_declared() {
    let report = climbed(&serving(&[("/", &[status(200)])]), &plan(|_| {}));
    assert_eq!(report.measured.expect("measured").written, ["/srv/x"]);
}

#[test]
fn a_refusal_without_a_question_is_no_answer() {
    let page = Answer {
        body: "<h1>403 Forbidden</h1>".to_owned(),
        ..status(403)
    };
    check_silence(&[("/", &[page])], "`/` gave status 403");
}

#[test]
fn a_server_of_grpc_is_found_where_http_was_planned() {
    let fake = Fake {
        grpc: [GrpcHealth::NotServing, GrpcHealth::Serving]
            .into_iter()
            .collect::<std::collections::VecDeque<_>>()
            .into(),
        ..serving(&[])
    };
    let report = climbed(&fake, &plan(|_| {}));
    assert_eq!((report.rung, &report.failure), (Rung::Answers, &None));
    let protocol = Protocol::Grpc;
    let found = [Correction::Protocol {
        port: 8000,
        protocol,
    }];
    assert_eq!(report.corrections, found);
    assert_eq!(report.measured.expect("measured").corrections, found);
}

#[test]
fn a_server_of_grpc_that_never_serves_does_not_answer() {
    let fake = Fake {
        grpc: std::collections::VecDeque::from([GrpcHealth::NotServing]).into(),
        ..serving(&[])
    };
    let plan = plan(|component| component["ports"][0]["protocol"] = "grpc".into());
    check_failure(
        &fake,
        &plan,
        Rung::Listening,
        Cause::Answer,
        "that it does not serve",
    );
}

#[test]
fn a_server_of_another_protocol_answers_by_listening() {
    let fake = Fake {
        silence: Some(crate::verify::http::OTHER_PROTOCOL),
        ..serving(&[])
    };
    let report = climbed(&fake, &plan(|_| {}));
    assert_eq!((report.rung, &report.failure), (Rung::Answers, &None));
    let protocol = Protocol::Tcp;
    let found = [Correction::Protocol {
        port: 8000,
        protocol,
    }];
    assert_eq!(report.corrections, found);
}

#[test]
fn use_while_idle_and_during_the_start_is_measured() {
    let report = climbed(&serving(&[("/", &[status(200)])]), &plan(|_| {}));
    let measured = report.measured.expect("measured");
    assert_eq!(measured.peak_memory_bytes, 30 << 20);
    assert_eq!(measured.steady_memory_bytes, Some(20 << 20));
    assert_eq!(measured.steady_cpu_millicores, Some(40));
    assert!(measured.startup_cpu_millicores > Some(0), "{measured:?}");
    assert_eq!(measured.stop_ms, Some(7));
}

const BOUNDS: LoadBounds = LoadBounds {
    time: Duration::from_secs(1),
    requests: 100,
    wanted: None,
};

#[test]
fn load_is_sent_after_the_idle_program_was_measured() {
    let step = LoadStep {
        offered: 40.0,
        answered: 40.0,
        requests: 50,
        errors: 0,
        p50_ms: 1.0,
        p95_ms: 2.0,
        p99_ms: 3.0,
        within_limit: true,
    };
    let load = Load {
        path: "/".into(),
        unloaded_p95_ms: 1.0,
        limit_ms: 20.0,
        steps: vec![step],
        knee: Some(40.0),
        end: LoadEnd::Bounds,
        cpu_millicores: None,
        wanted: None,
    };
    let fake = Fake {
        load: Some(load),
        ..serving(&[("/", &[status(200)])])
    };
    let report = climbed_with(&fake, &plan(|_| {}), Some(BOUNDS));
    let measured = report.measured.expect("measured");
    // 500 ms for the ramp, and 40 ms for the look after it, which is a second later: 50 requests.
    let load = measured.load.expect("a load");
    assert_eq!(load.cpu_millicores, Some(432));
    assert_eq!(measured.steady_cpu_millicores, Some(40));
    let calls = fake.calls.borrow();
    let ramp = calls.iter().find(|call| call.starts_with("ramp "));
    assert!(
        ramp.is_some_and(|call| call.ends_with(" localhost/")),
        "{calls:?}"
    );
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("may serve more")),
        "{:?}",
        report.notes
    );
}

#[test]
fn no_load_is_sent_to_a_path_that_is_no_probe() {
    let fake = serving(&[("/", &[status(401)])]);
    let report = climbed_with(&fake, &plan(|_| {}), Some(BOUNDS));
    assert_eq!(report.measured.expect("measured").load, None);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.starts_with("no load was sent")),
        "{:?}",
        report.notes
    );
    let calls = fake.calls.borrow();
    assert!(!calls.iter().any(|call| call.starts_with("ramp ")));
}

#[test]
fn another_port_and_a_folder_to_write_in_are_proposed() {
    let report = climbed(&listening_on(OTHER_PORT, &[]), &plan(|_| {}));
    let (planned, found) = (8000, 9000);
    assert_eq!(report.proposed, [Correction::Port { planned, found }]);
    let fake = Fake {
        ended: [("-app", 1)].into(),
        log: "OSError: [Errno 30] Read-only file system: '/app/cache/x.bin'",
        ..Fake::default()
    };
    let report = climbed(&fake, &plan(|_| {}));
    let volume = Correction::Volume {
        path: "/app/cache".to_owned(),
        persistent: false,
        written: "/app/cache/x.bin".to_owned(),
    };
    assert_eq!(report.proposed, [volume]);
}

#[test]
fn what_a_program_without_a_port_printed_is_kept() {
    let plan = plan(|component| component["ports"] = serde_json::json!([]));
    let fake = Fake {
        ended: [("-app", 0)].into(),
        log: "3 invoices sent\n",
        ..Fake::default()
    };
    assert_eq!(climbed(&fake, &plan).output, ["3 invoices sent"]);
}

fn with_schedule() -> BuildPlan {
    plan(|component| {
        component["schedules"] = serde_json::json!([{
            "id": "nightly", "cron": "0 3 * * *", "command": ["tidy"], "directory": ".",
            "origin": [{"kind": "readme", "file": "README.md", "line": 9}]
        }]);
    })
}

#[test]
fn a_scheduled_job_runs_once_and_its_end_is_told() {
    let fake = Fake {
        ended: [("-nightly", 0)].into(),
        ..serving(&[("/", &[status(200)])])
    };
    let report = climbed(&fake, &with_schedule());
    assert_eq!((report.rung, &report.failure), (Rung::Answers, &None));
    let said = "the scheduled job nightly ended with 0 after";
    assert!(report.notes[0].starts_with(said), "{report:?}");
    let specs = fake.specs.borrow();
    let job = specs.iter().find(|spec| spec.name == "web-nightly");
    let job = job.expect("it has a container of its own");
    assert_eq!(job.command.as_deref(), Some(&["tidy".to_owned()][..]));
    assert!(job.hardened.is_some() && job.publish.is_empty());
}

#[test]
fn a_scheduled_job_that_fails_names_the_line_of_the_readme() {
    let fake = Fake {
        ended: [("-nightly", 4)].into(),
        log: "no such table",
        ..serving(&[("/", &[status(200)])])
    };
    let words = "the scheduled job nightly ended with 4";
    let plan = with_schedule();
    let failure = check_failure(&fake, &plan, Rung::Answers, Cause::Schedule, words);
    assert_eq!(failure.places, ["README.md:9"]);
    assert_eq!(failure.log, ["no such table"]);
}
