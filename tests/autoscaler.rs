//! What a measured load makes of the manifests of production.

use std::{path::Path, process::Command};

use longshore::{
    convert,
    plan::{BuildPlan, Load, LoadEnd, Measured},
    recipe::Catalog,
    render::Artifact,
};

fn planned(knee: Option<f64>, wanted: Option<u32>) -> BuildPlan {
    let root = Path::new("samples/flask_app_listens_on_the_port_its_readme_names/repo");
    let mut plan = convert::plan(
        root,
        &Catalog::built_in(),
        longshore::config::Trust::Granted,
    )
    .expect("a plan")
    .value;
    let load = Load {
        path: "/".into(),
        unloaded_p95_ms: 5.0,
        limit_ms: 20.0,
        steps: Vec::new(),
        knee,
        end: LoadEnd::Knee,
        cpu_millicores: Some(420),
        wanted,
    };
    let measured = serde_json::json!({
        "startup_ms": 900, "peak_memory_bytes": 50_000_000, "listening": [], "written": [], "load": load
    });
    let measured: Measured = serde_json::from_value(measured).expect("measurements");
    plan.components[0].take_over(&measured);
    plan
}

fn rendered(knee: Option<f64>, wanted: Option<u32>) -> Vec<Artifact> {
    convert::render(planned(knee, wanted))
        .expect("files")
        .artifacts
}

fn contents<'a>(artifacts: &'a [Artifact], path: &str) -> Option<&'a str> {
    let found = artifacts.iter().find(|artifact| artifact.path == path);
    found.map(|artifact| artifact.contents.as_str())
}

#[test]
fn the_figures_stand_in_the_hand_over_report_too() {
    let artifacts = rendered(Some(100.0), None);
    let text = contents(&artifacts, "CONTAINER.md").expect("a report");
    let told = "It served 100 requests per second of `/` with 95 of 100 answered within 20 ms.";
    assert!(text.contains(told), "{text}");
}

const AUTOSCALER: &str = "k8s/overlays/production/autoscaler.yaml";

#[test]
fn a_measured_knee_sets_request_and_autoscaler() {
    let artifacts = rendered(Some(100.0), Some(700));
    let text = contents(&artifacts, AUTOSCALER).expect("an autoscaler");
    // 700 a second, at 70 % of 100 for each.
    for line in [
        "apiVersion: autoscaling/v2",
        "minReplicas: 2",
        "maxReplicas: 10",
        "averageUtilization: 70",
    ] {
        assert!(text.contains(line), "{text}");
    }
    let deployment = contents(&artifacts, "k8s/base/deployment.yaml").expect("a deployment");
    assert!(deployment.contains("cpu: \"420m\""), "{deployment}");
    let overlay =
        contents(&artifacts, "k8s/overlays/production/kustomization.yaml").expect("an overlay");
    assert!(
        overlay.contains("- autoscaler.yaml") && overlay.contains("path: /spec/replicas"),
        "{overlay}"
    );
    assert!(!overlay.contains("count: 2"), "{overlay}");
    let test = contents(&artifacts, "k8s/overlays/test/kustomization.yaml").expect("an overlay");
    assert!(!test.contains("autoscaler"), "{test}");
}

#[test]
fn without_a_knee_there_is_no_autoscaler() {
    let artifacts = rendered(None, None);
    assert_eq!(contents(&artifacts, AUTOSCALER), None);
    let overlay =
        contents(&artifacts, "k8s/overlays/production/kustomization.yaml").expect("an overlay");
    assert!(overlay.contains("count: 2"), "{overlay}");
}

#[test]
fn a_later_run_without_a_load_keeps_the_knee() {
    let mut plan = planned(Some(100.0), None);
    let later = serde_json::json!({
        "startup_ms": 700, "peak_memory_bytes": 40_000_000, "listening": [], "written": []
    });
    let later: Measured = serde_json::from_value(later).expect("measurements");
    plan.components[0].take_over(&later);
    let measured = plan.components[0].measured.as_ref().expect("measured");
    assert_eq!(
        (measured.startup_ms, measured.peak_memory_bytes),
        (700, 50_000_000)
    );
    assert_eq!(plan.components[0].capacity(), Some((100.0, 420)));
}

#[test]
fn more_load_than_the_hard_limits_is_refused() {
    for bound in [["--load-seconds", "301"], ["--load-requests", "1000001"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(["verify", ".", "--load"])
            .args(bound)
            .output()
            .expect("runs");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}
