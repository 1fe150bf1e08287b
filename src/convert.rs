//! The pipeline: a folder → a plan → files in memory.

use std::{collections::BTreeSet, path::Path};

use crate::{
    config::{Config, Trust},
    diagnostic::{Code, Diagnostic, Severity, Warned},
    manifest::Reader,
    plan::{self, BuildPlan},
    readme,
    recipe::Catalog,
    render::{self, Artifact},
    repo::{OpenError, Repo},
    select, step,
};

/// What a repository became.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// What was understood.
    pub plan: BuildPlan,
    /// The files, in memory; none where no stack was recognised.
    pub artifacts: Vec<Artifact>,
}

/// Reads the repository at `root`, with its `longshore.toml`, and says what was understood.
///
/// # Errors
///
/// When `root` is no folder that can be read. A `longshore.toml` that cannot be used is said, and
/// nothing is taken from it.
pub fn plan(root: &Path, catalog: &Catalog, trust: Trust) -> Result<Warned<BuildPlan>, OpenError> {
    match Config::of_repository(root, trust) {
        Ok(config) => plan_with(root, catalog, &config),
        Err(errors) => {
            let mut plan = plan_with(root, catalog, &Config::default())?;
            let wrong = errors.iter().map(|error| {
                Diagnostic::new(Severity::Error, Code::Configuration, error.to_string())
            });
            plan.diagnostics.splice(0..0, wrong);
            plan.value.diagnostics = plan.diagnostics.iter().map(plan::finding).collect();
            Ok(plan)
        }
    }
}

/// Reads the repository at `root` and says what was understood, with what a person settled.
///
/// # Errors
///
/// When `root` is no folder that can be read.
pub fn plan_with(
    root: &Path,
    catalog: &Catalog,
    config: &Config,
) -> Result<Warned<BuildPlan>, OpenError> {
    let mut diagnostics = Vec::new();
    let repo = Repo::open(root)?.unpack(&mut diagnostics);
    let mut documents = readme::documents(&repo, ".", &catalog.pages()).unpack(&mut diagnostics);
    let mut cut = Vec::new();
    let mut steps = step::install_steps(&documents, &repo, catalog).unpack(&mut cut);
    let others = config.of_others();
    let reader = Reader::new(&repo, catalog);
    let mut unsaid = Vec::new();
    let mut selections = select::selections(&reader, &steps, config, &others).unpack(&mut unsaid);
    // A component's own README knows more about it than the one at the top.
    let mut own: Vec<readme::Document> = Vec::new();
    for selection in selections
        .iter()
        .filter(|selection| selection.folder != ".")
    {
        for document in readme::documents(&repo, &selection.folder, &catalog.pages()).value {
            let path = &document.source.path;
            let mut known = documents.iter().chain(&own);
            if !known.any(|known| known.source.path == *path) {
                own.push(document);
            }
        }
    }
    if !own.is_empty() {
        documents.extend(own);
        cut.clear();
        steps = step::install_steps(&documents, &repo, catalog).unpack(&mut cut);
        unsaid.clear();
        selections = select::selections(&reader, &steps, config, &others).unpack(&mut unsaid);
    }
    diagnostics.append(&mut cut);
    diagnostics.append(&mut unsaid);
    diagnostics.extend(config.untrusted());
    let mut plan =
        plan::build_plan(&reader, &documents, &steps, &selections, config).unpack(&mut diagnostics);
    // A script that several commands run has its say once.
    let mut said = BTreeSet::new();
    let is_new = diagnostics.iter().map(|diagnostic| {
        let label = diagnostic.label.as_ref();
        let place = label.map(|label| (&label.source.path, label.span, &label.text));
        let told = (&diagnostic.message, &diagnostic.hints);
        said.insert((diagnostic.severity, diagnostic.code, place, told))
    });
    let mut is_new = is_new.collect::<Vec<_>>().into_iter();
    diagnostics.retain(|_| is_new.next().unwrap_or_default());
    diagnostics.extend(repo.left_unread());
    plan::hide_secrets(&mut plan, &mut diagnostics, &documents, &repo, catalog);
    diagnostics.sort_by_key(|diagnostic| diagnostic.severity);
    plan.diagnostics = diagnostics.iter().map(plan::finding).collect();
    Ok(Warned {
        value: plan,
        diagnostics,
    })
}

/// Renders `plan`, and writes into its ledger which generated line each command became.
///
/// # Errors
///
/// When a template fails, which is a bug of longshore.
pub fn render(mut plan: BuildPlan) -> anyhow::Result<Conversion> {
    let artifacts = match plan.components.is_empty() {
        true => Vec::new(),
        false => render::artifacts(&mut plan)?,
    };
    Ok(Conversion { plan, artifacts })
}

/// Returns whether `diagnostics` hold an error in the input.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_without_the_folder_of_a_shared_web_server() {
        let sample = "samples/facts/page_of_a_shared_web_server_loses_its_folder/repo";
        let plan =
            plan(Path::new(sample), &Catalog::built_in(), Trust::Withheld).expect("it opens");
        let health = plan.value.components[0].health.clone().expect("a page");
        assert_eq!(health.candidates, ["/", "/start.php"]);
    }

    #[test]
    fn pages_of_the_source_are_asked_for_after_those_of_the_documents() {
        let sample = "samples/facts/pages_of_the_source_are_candidates/repo";
        let plan =
            plan(Path::new(sample), &Catalog::built_in(), Trust::Withheld).expect("it opens");
        let health = plan.value.components[0].health.clone().expect("a page");
        assert_eq!(health.candidates, ["/", "/bells", "/bells/last"]);
    }
}
