//! Plan → files, in memory.
//!
//! Decisions are made here and put into views; the templates in `templates/` only lay them out.
//! Every generated line knows its origins: a view carries a mark of private-use characters to the
//! end of its line, which is taken off and remembered once the file is laid out.

mod compose;
mod dockerfile;
mod env;
mod handover;
mod k8s;
mod marks;
mod sizing;
mod template;
mod volumes;

use std::collections::BTreeMap;

use crate::output::OutputPath;
use crate::plan::{BuildPlan, ExtraFile, Fate, Origin};

/// First line of every generated file.
const HEADER: &str =
    "Written by longshore; edit freely: a later run keeps your changes and shows the difference.";

/// A generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path relative to the output folder, with `/` between the parts.
    pub path: OutputPath,
    /// The whole text.
    pub contents: String,
    /// Why each line is there: line (from 1) → origins. A line of pure layout has the origin of its
    /// template.
    pub origins: BTreeMap<usize, Vec<Origin>>,
    /// Whether the file is to be executable.
    pub executable: bool,
}

/// Returns the files for `plan`, sorted by path, and writes into its ledger which of their lines each
/// command became.
///
/// # Errors
///
/// When a template fails, which is a bug.
pub fn artifacts(plan: &mut BuildPlan) -> anyhow::Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    for component in &plan.components {
        artifacts.push(dockerfile::dockerfile(plan, component)?);
        let image = &component.image;
        for file in image.extra_files.iter().chain(&image.source_files) {
            artifacts.push(Artifact {
                executable: file.executable,
                ..marks::plain(&file.path, &file.contents, &file.origin)
            });
        }
    }
    // One for all.
    let places = plan
        .components
        .iter()
        .map(|component| &component.image.place);
    let files = places.flat_map(|place| place.certificate.iter().chain(&place.files));
    let files: BTreeMap<&str, &ExtraFile> = files.map(|file| (file.path.as_str(), file)).collect();
    for file in files.into_values() {
        artifacts.push(marks::plain(&file.path, &file.contents, &file.origin));
    }
    artifacts.push(dockerfile::dockerignore(plan)?);
    artifacts.push(compose::compose(plan)?);
    artifacts.extend(env::env_files(plan)?);
    artifacts.extend(k8s::manifests(plan)?);
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    locate(plan, &artifacts);
    // It names these lines.
    artifacts.push(handover::handover(plan)?);
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(artifacts)
}

/// Writes into the ledger of `plan` on which line of `artifacts` each command ended up.
fn locate(plan: &mut BuildPlan, artifacts: &[Artifact]) {
    for entry in &mut plan.ledger {
        let Some(target) = entry.target.clone().filter(|_| entry.fate != Fate::Skipped) else {
            continue;
        };
        // After a smoke run it is looked for a second time, as lines may have moved.
        let target = match target.rsplit_once(':') {
            Some((file, line)) if line.parse::<usize>().is_ok() => file.to_owned(),
            _ => target,
        };
        let is_there = |origin: &Origin| {
            origin.file.as_deref() == Some(&entry.file) && origin.line == Some(entry.line)
        };
        // One line of a README can say several things: the words tell them apart.
        let is_it =
            |origin: &Origin| is_there(origin) && origin.text.as_deref() == Some(&entry.command);
        // The first file of the kind that the plan had in mind: `Dockerfile` is also `Dockerfile.web`.
        let find = |fits: &dyn Fn(&Origin) -> bool| {
            artifacts
                .iter()
                .filter(|artifact| artifact.path.starts_with(&target))
                .find_map(|artifact| {
                    let line = artifact
                        .origins
                        .iter()
                        .find(|(_, origins)| origins.iter().any(fits));
                    line.map(|(line, _)| format!("{}:{line}", artifact.path))
                })
        };
        let found = find(&is_it).or_else(|| find(&is_there));
        entry.target = Some(found.unwrap_or(target));
    }
}

/// Returns the file name of the component's Dockerfile.
fn dockerfile_name(plan: &BuildPlan, id: &str) -> String {
    if plan.components.len() == 1 {
        "Dockerfile".to_owned()
    } else {
        format!("Dockerfile.{id}")
    }
}
