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

use std::collections::{BTreeMap, HashMap};

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
    let lines = OriginIndex::of(artifacts);
    for entry in &mut plan.ledger {
        let Some(target) = entry.target.clone().filter(|_| entry.fate != Fate::Skipped) else {
            continue;
        };
        // After a smoke run it is looked for a second time, as lines may have moved.
        let target = match target.rsplit_once(':') {
            Some((file, line)) if line.parse::<usize>().is_ok() => file.to_owned(),
            _ => target,
        };
        let place = (entry.file.as_str(), entry.line);
        // One line of a README can say several things: the words tell them apart.
        let found = lines.find(place, Some(&entry.command), &target);
        let found = found.or_else(|| lines.find(place, None, &target));
        entry.target = Some(found.unwrap_or(target));
    }
}

/// The first line of each file that comes from a place.
struct OriginIndex<'a> {
    artifacts: &'a [Artifact],
    /// By the file and the line of the origin and, once more, by its text, too: numbers of files and
    /// their lines, in order.
    lines: HashMap<Place<'a>, Vec<(usize, usize)>>,
}

/// The file and the line of an origin, and its text.
type Place<'a> = (&'a str, usize, Option<&'a str>);

impl<'a> OriginIndex<'a> {
    fn of(artifacts: &'a [Artifact]) -> Self {
        let mut lines: HashMap<Place<'a>, Vec<(usize, usize)>> = HashMap::new();
        for (number, artifact) in artifacts.iter().enumerate() {
            for (line, origins) in &artifact.origins {
                for origin in origins {
                    let (Some(file), Some(of)) = (&origin.file, origin.line) else {
                        continue;
                    };
                    let text = origin.text.as_deref();
                    for text in text.map(Some).into_iter().chain([None]) {
                        let known = lines.entry((file, of, text)).or_default();
                        if known.last().is_none_or(|(last, _)| *last != number) {
                            known.push((number, *line));
                        }
                    }
                }
            }
        }
        Self { artifacts, lines }
    }

    /// The first file that begins with `target`, and its line: `Dockerfile` is also `Dockerfile.web`.
    fn find(
        &self,
        (file, line): (&str, usize),
        text: Option<&str>,
        target: &str,
    ) -> Option<String> {
        let known = self.lines.get(&(file, line, text))?;
        known.iter().find_map(|(number, line)| {
            let path = &self.artifacts[*number].path;
            path.starts_with(target).then(|| format!("{path}:{line}"))
        })
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
