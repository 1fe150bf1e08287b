//! Every sample with a `[smoke]` table is built and run on a real engine, and must answer as the
//! table says; those of `repaired` after the repairs that they name.

use std::{collections::BTreeMap, fs, process::Command, sync::LazyLock};

use datatest_stable::Utf8Path;
use longshore::{
    convert,
    recipe::{Catalog, Edit},
    repo::Repo,
    verify::{self, ComponentReport, Options, Report, Rung},
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

/// A sample that only runs after a repair.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repaired {
    #[allow(dead_code, reason = "for the reader of the case")]
    about: String,
    /// The rules that repair it, in order.
    repaired: Vec<String>,
    /// The kept volumes that it has then.
    writable: Vec<String>,
    /// What the report tells beside the answer.
    note: Option<String>,
    smoke: Smoke,
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
    let mut plan = convert::plan(
        root.as_std_path(),
        &CATALOG,
        longshore::config::Trust::Granted,
    )?
    .value;
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
        check_answer(component, smoke);
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

fn check_answer(component: &ComponentReport, smoke: &Smoke) {
    assert_eq!(component.rung, Rung::Answers, "{component:#?}");
    let answer = component.answer.as_ref().expect("it answered");
    assert_eq!(answer.status, smoke.status, "{answer:?}");
    assert!(answer.body.contains(&smoke.body_contains), "{answer:?}");
}

fn answers_after_repairs(case: &Utf8Path) -> datatest_stable::Result<()> {
    let case_text = fs::read_to_string(case)?;
    let Repaired {
        repaired,
        writable,
        note,
        smoke,
        ..
    } = toml::from_str(&case_text)?;
    let root = case.with_file_name("repo");
    // The command writes what it found beside the files of the repository.
    let copy = tempfile::tempdir()?;
    for file in Repo::open(root.as_std_path())?.value.files() {
        let to = copy.path().join(file);
        fs::create_dir_all(to.parent().expect("it is in a folder"))?;
        fs::copy(root.join(file), to)?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    let output = command
        .args(["verify", "--trust-repository", "--format", "json"])
        .args(["--start-timeout", "20"])
        .arg(copy.path())
        .output()?;
    let report: Report = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    assert!(output.status.success(), "{report:#?}");
    let rules: Vec<&String> = report.repairs.iter().map(|repair| &repair.rule).collect();
    assert_eq!(rules, repaired.iter().collect::<Vec<_>>(), "{report:#?}");
    let component = &report.components[0];
    check_answer(component, &smoke);
    let has_note = |note: &String| component.notes.contains(note);
    assert!(note.iter().all(has_note), "{component:#?}");
    // Only where it is kept is it of use to whoever writes it.
    let edits = report.repairs.iter().flat_map(|repair| &repair.edits);
    let kept = edits.filter_map(|edit| match edit {
        Edit::AddVolume {
            path,
            persistent: true,
            ..
        } => Some(path.as_str()),
        Edit::LinkFile { scratch: false, .. } => Some("/data"),
        _ => None,
    });
    assert_eq!(kept.collect::<Vec<_>>(), writable, "{report:#?}");
    Ok(())
}

datatest_stable::harness! {
    { test = answers_after_repairs, root = "samples", pattern = r"^repaired/[^/]+/case\.toml$" },
    { test = answers_as_the_case_says, root = "samples", pattern = r"^[^/]+/case\.toml$" },
}
