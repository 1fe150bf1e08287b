//! `verify --load` on a real engine: a ramp for some seconds, its chart, and what the knee makes of
//! the manifests.

#![cfg(feature = "docker-tests")]

use std::{fs, path::Path, process::Command};

use longshore::{
    convert,
    plan::OriginKind,
    recipe::Catalog,
    verify::{self, Report, Verdict},
};

/// One request at a time, of 10 ms each: at most 100 of them in a second.
const SERVER: &str = "\
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.01)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'ok')

    def log_message(self, *arguments):
        pass


HTTPServer(('0.0.0.0', 8000), Handler).serve_forever()
";

#[test]
fn a_ramp_finds_the_knee_and_sets_request_and_autoscaler() {
    let app = tempfile::tempdir().expect("a folder");
    let readme = "# app\n\nStart it with `python server.py`; it listens on port 8000.\n";
    fs::write(app.path().join("README.md"), readme).expect("written");
    fs::write(app.path().join("server.py"), SERVER).expect("written");
    let logs = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .arg("verify")
        .arg(app.path())
        .args(["--format", "json", "--load", "--load-seconds", "8"])
        .args(["--load-requests", "4000", "--load-target", "1000", "--logs"])
        .arg(logs.path())
        .output()
        .expect("runs");
    let report = serde_json::from_slice::<Report>(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(report.verdict, Verdict::RunsAsDocumented, "{report:#?}");

    let component = &report.components[0];
    let measured = component.measured.as_ref().expect("measured");
    let load = measured.load.as_ref().expect("a load");
    let knee = load.knee.unwrap_or_else(|| panic!("no knee: {load:#?}"));
    // Less than 100 where the machine is busy.
    assert!((5.0..=105.0).contains(&knee), "{load:#?}");
    assert!(load.steps.iter().any(|step| step.within_limit), "{load:#?}");
    let sent: u64 = load.steps.iter().map(|step| step.requests).sum();
    assert!(sent <= 4000, "{load:#?}");
    assert_eq!((load.path.as_str(), load.wanted), ("/", Some(1000)));
    let millicores = load.cpu_millicores.expect("the engine tells CPU time");
    assert!((1..=1000).contains(&millicores), "{load:#?}");

    check_chart(
        &logs.path().join(format!("{}-load.svg", component.id)),
        knee,
    );

    let mut plan = convert::plan(
        app.path(),
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("opens")
    .value;
    verify::apply(&report, &mut plan);
    let artifacts = convert::render(plan).expect("renders").artifacts;
    let request = format!("cpu: \"{}m\"", millicores.max(10));
    for (path, line) in [
        (
            "k8s/overlays/production/autoscaler.yaml",
            "averageUtilization: 70",
        ),
        ("k8s/overlays/production/autoscaler.yaml", "maxReplicas: "),
        ("k8s/base/deployment.yaml", request.as_str()),
    ] {
        let file = artifacts.iter().find(|file| file.path == path);
        let file = file.unwrap_or_else(|| panic!("no {path}"));
        let found = file.contents.lines().position(|text| text.contains(line));
        let number = found.unwrap_or_else(|| panic!("no `{line}`: {}", file.contents)) + 1;
        let origin = &file.origins[&number][0];
        assert_eq!(origin.kind, OriginKind::Measured, "{path}: {line}");
        let text = origin.text.as_deref().unwrap_or_default();
        let told = format!("at {knee:.0} requests per second it used {millicores}m of a core");
        assert_eq!(text, told, "{path}: {line}");
    }
}

#[track_caller]
fn check_chart(path: &Path, knee: f64) {
    let text = fs::read_to_string(path).expect("a chart lies beside the logs");
    let chart = roxmltree::Document::parse(&text).expect("XML");
    assert!(
        chart
            .root_element()
            .has_tag_name(("http://www.w3.org/2000/svg", "svg"))
    );
    let caption = format!("{knee:.0} requests per second, p95 within");
    let mut texts = chart.descendants().filter_map(|node| node.text());
    assert!(texts.any(|text| text.contains(&caption)), "{text}");
}
