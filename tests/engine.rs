//! Every sample with a `[smoke]` table is built and run on a real engine, and must answer as the
//! table says.

use std::{collections::BTreeMap, fs, sync::LazyLock};

use datatest_stable::Utf8Path;
use longshore::{
    convert,
    recipe::Catalog,
    verify::{self, Options, Rung},
};
use serde::Deserialize;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[allow(dead_code, reason = "for the reader of the case")]
    about: String,
    smoke: Smoke,
    /// What further components must do, by their ids.
    #[serde(default)]
    also: BTreeMap<String, Smoke>,
}

/// What the running container must do.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Smoke {
    path: String,
    status: u16,
    body_contains: String,
}

fn answers_as_the_case_says(case: &Utf8Path) -> datatest_stable::Result<()> {
    let Case { smoke, also, .. } = toml::from_str(&fs::read_to_string(case)?)?;
    let root = case.with_file_name("repo");
    let mut plan = convert::plan(root.as_std_path(), &CATALOG)?.value;
    let wanted: Vec<Smoke> = plan
        .components
        .iter()
        .map(|component| also.get(&component.id).unwrap_or(&smoke).clone())
        .collect();
    assert_eq!(
        also.len() + 1,
        wanted.len(),
        "the case names every component"
    );
    for (component, smoke) in plan.components.iter_mut().zip(&wanted) {
        let health = component.health.as_mut().expect("it has a port");
        health.candidates = vec![smoke.path.clone()];
        health.path.clone_from(&smoke.path);
    }
    let conversion = convert::render(plan)?;
    let report = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        root.as_std_path(),
        &Options::default(),
        &mut |_| {},
    )?;
    assert!(report.verdict.is_success(), "{report:#?}");
    assert_eq!(report.components.len(), wanted.len());
    for (component, smoke) in report.components.iter().zip(&wanted) {
        assert_eq!(component.rung, Rung::Answers, "{report:#?}");
        let answer = component.answer.as_ref().expect("it answered");
        assert_eq!(answer.status, smoke.status, "{answer:?}");
        assert!(answer.body.contains(&smoke.body_contains), "{answer:?}");
        let measured = component.measured.as_ref().expect("it was measured");
        assert!(
            measured.startup_ms > 0 && measured.peak_memory_bytes > 0,
            "{measured:?}"
        );
        assert!(
            component.stop_ms.is_some_and(|stop| stop < 10_000),
            "{component:?}"
        );
    }
    Ok(())
}

datatest_stable::harness! {
    { test = answers_as_the_case_says, root = "samples", pattern = r"^[^/]+/case\.toml$" },
}
