//! Every sample with a `[smoke]` table is built and run on a real engine, and must answer as the
//! table says.

use std::{fs, sync::LazyLock};

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
}

/// What the running container must do.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Smoke {
    path: String,
    status: u16,
    body_contains: String,
}

fn answers_as_the_case_says(case: &Utf8Path) -> datatest_stable::Result<()> {
    let Smoke {
        path,
        status,
        body_contains,
    } = toml::from_str::<Case>(&fs::read_to_string(case)?)?.smoke;
    let root = case.with_file_name("repo");
    let mut plan = convert::plan(root.as_std_path(), &CATALOG)?.value;
    for health in plan
        .components
        .iter_mut()
        .filter_map(|component| component.health.as_mut())
    {
        health.candidates = vec![path.clone()];
        health.path.clone_from(&path);
    }
    let conversion = convert::render(plan)?;
    let report = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        root.as_std_path(),
        &Options::default(),
        &mut |_| {},
    )?;
    let component = &report.components[0];
    assert_eq!(component.rung, Rung::Answers, "{report:#?}");
    let answer = component.answer.as_ref().expect("it answered");
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains(&body_contains), "{answer:?}");
    assert!(report.verdict.is_success(), "{report:#?}");
    let measured = component.measured.as_ref().expect("it was measured");
    assert!(
        measured.startup_ms > 0 && measured.peak_memory_bytes > 0,
        "{measured:?}"
    );
    assert!(
        component.stop_ms.is_some_and(|stop| stop < 10_000),
        "{component:?}"
    );
    Ok(())
}

datatest_stable::harness! {
    { test = answers_as_the_case_says, root = "samples", pattern = r"^[^/]+/case\.toml$" },
}
