//! Every folder of `samples/` with a `case.toml` is one golden case: what the converter makes of
//! `repo/` must equal `expected/`, file by file, with what `[measured]` says a smoke run found; those of `samples/rendered/` are not built, as no
//! machine of the tests has what they are built on. Every folder of `samples/facts/` shows one fact
//! that documents tell, by the plan alone.
//!
//! `SNAPSHOTS=overwrite cargo test --test samples` rewrites `expected/` and `plan.txt`.

use std::{collections::BTreeSet, fs, process::Command, sync::LazyLock};

use datatest_stable::Utf8Path;
use longshore::{
    convert,
    plan::{BuildPlan, Measured},
    readme,
    recipe::Catalog,
    repo::Repo,
    step,
};
use serde::Deserialize;
use snapbox::{Assert, Data, assert::DEFAULT_ACTION_ENV};
use walkdir::WalkDir;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::built_in);

#[derive(Deserialize)]
struct Case {
    /// What a smoke run of the first component found; nothing where there was none.
    measured: Option<Measured>,
}

fn plan(case: &Utf8Path) -> datatest_stable::Result<BuildPlan> {
    let root = case.with_file_name("repo");
    let mut plan = convert::plan(
        root.as_std_path(),
        &CATALOG,
        longshore::config::Trust::Granted,
    )?
    .value;
    if case.file_name() == Some("case.toml") {
        let Case { measured } = toml::from_str(&fs::read_to_string(case)?)?;
        if let Some(measured) = measured {
            plan.components[0].take_over(&measured);
        }
    }
    Ok(plan)
}

fn files_equal_expected(case: &Utf8Path) -> datatest_stable::Result<()> {
    let folder = case.parent().expect("a case lies in a folder");
    let plan = plan(case)?;
    let artifacts = convert::render(plan)?.artifacts;
    assert!(!artifacts.is_empty(), "{folder} gives no file");
    let expected = folder.join("expected");
    for artifact in &artifacts {
        Assert::new().action_env(DEFAULT_ACTION_ENV).eq(
            artifact.contents.as_str(),
            Data::read_from(expected.join(artifact.path.as_str()).as_std_path(), None).raw(),
        );
    }
    let made: BTreeSet<String> = artifacts
        .iter()
        .map(|artifact| artifact.path.to_string())
        .collect();
    for entry in WalkDir::new(&expected) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let path = entry
                .path()
                .strip_prefix(&expected)?
                .to_string_lossy()
                .into_owned();
            assert!(made.contains(&path), "{expected}/{path} is no longer made");
        }
    }
    Ok(())
}

/// A case with a `plan.txt` shows what is understood of one fact: what `longshore plan` says.
fn plan_equals_expected(case: &Utf8Path) -> datatest_stable::Result<()> {
    let run = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(["plan", "--trust-repository", "repo"])
        .current_dir(case.parent().expect("a case lies in a folder"))
        .env("NO_COLOR", "1")
        .output()?;
    let said = [run.stderr, run.stdout].concat();
    Assert::new().action_env(DEFAULT_ACTION_ENV).eq(
        String::from_utf8(said)?,
        Data::read_from(case.as_std_path(), None).raw(),
    );
    Ok(())
}

/// Nothing is silently dropped: each step of the documents is one entry, with a fate that says
/// where it went or why it was skipped.
fn ledger_is_complete(case: &Utf8Path) -> datatest_stable::Result<()> {
    let root = case.with_file_name("repo");
    let conversion = convert::render(
        convert::plan(
            root.as_std_path(),
            &CATALOG,
            longshore::config::Trust::Granted,
        )?
        .value,
    )?;
    let repo = Repo::open(root.as_std_path())?.value;
    let documents = readme::documents(&repo, ".", &CATALOG.pages()).value;
    let steps = step::install_steps(&documents, &repo, &CATALOG).value;
    let found: Vec<(String, usize, String)> = steps
        .iter()
        .map(|step| {
            (
                step.source.path.clone(),
                step.source.line(step.span.start),
                step.text.clone(),
            )
        })
        .collect();
    let entries: Vec<(String, usize, String)> = conversion
        .plan
        .ledger
        .iter()
        .map(|entry| (entry.file.clone(), entry.line, entry.command.clone()))
        .collect();
    assert_eq!(found, entries);
    for entry in &conversion.plan.ledger {
        let text = fs::read_to_string(root.join(&entry.file))?;
        let line = text.lines().nth(entry.line - 1).unwrap_or_default();
        // A variable of a Makefile may stand for the first word, and "run the file app.py" has none
        // but the last.
        let is_there = entry
            .command
            .split_whitespace()
            .any(|word| line.contains(word));
        assert!(
            is_there,
            "{}:{} has nothing of `{}`",
            entry.file, entry.line, entry.command
        );
        assert!(
            entry.target.is_some() || entry.reason.is_some(),
            "{entry:?} has no outcome"
        );
        if let Some((file, line)) = entry
            .target
            .as_deref()
            .and_then(|target| target.rsplit_once(':'))
        {
            let artifact = conversion
                .artifacts
                .iter()
                .find(|artifact| artifact.path == file);
            let lines = artifact.map_or(0, |artifact| artifact.contents.lines().count());
            assert!(line.parse::<usize>()? <= lines, "{entry:?} leads nowhere");
        }
    }
    Ok(())
}

/// Every generated line that is not blank can be explained.
fn every_line_has_an_origin(case: &Utf8Path) -> datatest_stable::Result<()> {
    let conversion = convert::render(plan(case)?)?;
    for artifact in &conversion.artifacts {
        for (index, line) in artifact.contents.lines().enumerate() {
            let known = artifact
                .origins
                .get(&(index + 1))
                .is_some_and(|origins| !origins.is_empty());
            assert!(
                known || line.trim().is_empty(),
                "{}:{}: {line}",
                artifact.path,
                index + 1
            );
        }
    }
    Ok(())
}

datatest_stable::harness! {
    { test = files_equal_expected, root = "samples", pattern = r"^(rendered/)?[^/]+/case\.toml$" },
    { test = ledger_is_complete, root = "samples", pattern = r"^(rendered/)?[^/]+/case\.toml$" },
    { test = every_line_has_an_origin, root = "samples", pattern = r"^(rendered/)?[^/]+/case\.toml$" },
    { test = plan_equals_expected, root = "samples", pattern = r"^facts/[^/]+/plan\.txt$" },
    { test = ledger_is_complete, root = "samples", pattern = r"^facts/[^/]+/plan\.txt$" },
    { test = every_line_has_an_origin, root = "samples", pattern = r"^facts/[^/]+/plan\.txt$" },
}
