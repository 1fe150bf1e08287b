//! Sites that document an application give way to it: MkDocs beside a Python package, Docusaurus in a
//! folder beside a Go program.

use std::collections::BTreeSet;

use super::{Candidate, Found, read, texts};
use crate::{
    config::Config,
    diagnostic::{Code, Diagnostic, Severity},
    manifest::{self, Manifest, Reader, SourceFacts},
    recipe::{Catalog, Documents, StackRecipe},
    repo::{self, Repo},
    step::{Action, InstallStep},
};

/// Leaves the sites out of `candidates` where one of the others is an application, and everything
/// else where none is: then the site is what the repository has to show. What a person settled stays.
pub(super) fn give_way(
    candidates: &mut Vec<Candidate<'_>>,
    reader: &Reader<'_>,
    steps: &[InstallStep],
    config: &Config,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let catalog = reader.catalog;
    let is_site = |documents: Option<Documents>| documents.is_some_and(|it| it != Documents::Never);
    let stack = config.answer("stack");
    let stack = stack.and_then(|said| catalog.stacks.get(&said.value));
    let framework = config.answer("framework");
    let framework = framework.and_then(|said| catalog.frameworks.get(&said.value));
    let is_settled = is_site(stack.map(|stack| stack.documents))
        || is_site(framework.map(|framework| framework.documents));
    let may_be_site = |candidate: &Candidate<'_>| {
        candidate.is_certain
            && may_document(
                candidate.stack_id,
                candidate.stack,
                &candidate.folder,
                reader,
            )
    };
    let folder = config.path.as_ref().map_or(".", |said| &said.value);
    let is_named = |candidate: &Candidate<'_>| folder != "." && candidate.folder == folder;
    if is_settled || candidates.iter().any(is_named) || !candidates.iter().any(may_be_site) {
        return;
    }
    let titles: Vec<Option<String>> = candidates
        .iter()
        .map(|candidate| site_of(candidate, reader))
        .collect();
    let sites: Vec<&Candidate<'_>> = candidates
        .iter()
        .zip(&titles)
        .filter_map(|(candidate, title)| title.as_ref().map(|_| candidate))
        .collect();
    if !sites.iter().any(|site| site.is_certain) {
        return;
    }
    let has_application = candidates.iter().zip(&titles).any(|(candidate, title)| {
        title.is_none() && is_application(candidate, &sites, steps, reader)
    });
    if has_application {
        let left: Vec<(&str, &str)> = candidates
            .iter()
            .zip(&titles)
            .filter(|(site, _)| site.is_certain)
            .filter_map(|(site, title)| Some((site.folder.as_str(), title.as_deref()?)))
            .collect();
        diagnostics.push(left_out(&left));
    }
    let mut titles = titles.iter();
    candidates.retain(|_| titles.next().is_some_and(Option::is_some) != has_application);
}

/// Whether all that the repository has proof of may be sites: then weaker signs of an application count.
pub(super) fn may_all_document(candidates: &[Candidate<'_>], reader: &Reader<'_>) -> bool {
    candidates.iter().all(|candidate| {
        may_document(
            candidate.stack_id,
            candidate.stack,
            &candidate.folder,
            reader,
        )
    })
}

/// Takes the frameworks that may document something out of `found`, where the manifest they are
/// declared in is that of a program.
pub(super) fn only_beside_nothing(
    found: &mut Vec<Found<'_>>,
    stack: &StackRecipe,
    folder: &str,
    manifest: &Manifest,
    facts: &SourceFacts,
    repo: &Repo,
    catalog: &Catalog,
) {
    let documents = |(_, framework, _): &Found<'_>| framework.documents != Documents::Never;
    if !found.iter().any(documents) {
        return;
    }
    let configurations: Vec<&str> = found
        .iter()
        .filter(|found| documents(found))
        .flat_map(|(_, framework, _)| &framework.detect.only_with)
        .flat_map(|pattern| repo.glob(&repo::join(folder, pattern)))
        .collect();
    let is_program = declares_program(
        stack,
        folder,
        manifest,
        facts,
        &configurations,
        repo,
        catalog,
    );
    if is_program || !found.iter().all(documents) {
        found.retain(|found| !documents(found));
    }
}

/// Whether a recipe that documents something may fit: a look at the manifest, none at the source.
fn may_document(stack_id: &str, stack: &StackRecipe, folder: &str, reader: &Reader<'_>) -> bool {
    if stack.documents != Documents::Never {
        return true;
    }
    let mut frameworks = reader.catalog.frameworks.values().filter(|framework| {
        framework.documents != Documents::Never
            && framework.stacks.iter().any(|stack| stack == stack_id)
    });
    let mut frameworks = frameworks.by_ref().peekable();
    if frameworks.peek().is_none() {
        return false;
    }
    let declared = reader.manifest(&[folder], stack_id, stack).value;
    frameworks.any(|framework| {
        let mut packages = framework.detect.packages.iter();
        packages.any(|name| declared.packages.contains_key(&manifest::normal_name(name)))
    })
}

/// The title of the recipe by which `candidate` is a site that documents something.
fn site_of(candidate: &Candidate<'_>, reader: &Reader<'_>) -> Option<String> {
    let stack = candidate.stack;
    let documents = |documents: Documents| match documents {
        Documents::Never => false,
        Documents::Always => true,
        Documents::InTheirFolder => {
            reader
                .catalog
                .has_part("folders", "documentation", &candidate.folder, &['/'])
        }
    };
    if documents(stack.documents) {
        return Some(stack.title.clone());
    }
    if !may_document(candidate.stack_id, stack, &candidate.folder, reader) {
        return None;
    }
    let unsettled = Config::default();
    let found = read(candidate, &[&candidate.folder], reader, &unsettled).value;
    let (_, framework) = found.framework?;
    documents(framework.documents).then(|| framework.title.clone())
}

/// Whether `candidate`, which is no site, is a program: something with a framework, or source code
/// that is neither that of one of `sites` nor of helpers.
fn is_application(
    candidate: &Candidate<'_>,
    sites: &[&Candidate<'_>],
    steps: &[InstallStep],
    reader: &Reader<'_>,
) -> bool {
    let (repo, catalog) = (reader.repo, reader.catalog);
    let (stack, folder) = (candidate.stack, candidate.folder.as_str());
    let unsettled = Config::default();
    let found = read(candidate, &[folder], reader, &unsettled).value;
    if found.framework.is_some() {
        return true;
    }
    let of_sites: BTreeSet<String> = sites
        .iter()
        .flat_map(|site| texts(repo, &site.folder, &site.stack.own_sources))
        .filter_map(|origin| origin.file)
        .collect();
    let mut facts = found.facts;
    facts.files.retain(|path| !of_sites.contains(path));
    if facts.files.is_empty() {
        return false;
    }
    // Tools for the pages of a site are written in the language of browsers, too.
    if stack.assets.is_some() && candidate.is_certain {
        return declares_program(stack, folder, &found.manifest, &facts, &[], repo, catalog);
    }
    let is_run = || {
        let mut starts = steps.iter().filter(|step| step.action == Action::Start);
        starts.any(|step| step.words.iter().any(|word| facts.files.contains(word)))
    };
    let mut below = sites
        .iter()
        .map(|site| repo::is_inside(folder, &site.folder));
    let is_below = below.any(|is_below| is_below);
    let serves = facts.serves || is_run() || stack.starts_by_itself() && !is_below;
    let helps = catalog.has_part("folders", "helpers", folder, &['/']);
    // A list of what scripts beside the pages need, or a function below them, is no application.
    let declares_nothing = stack.own_install.is_some()
        && found.manifest.name.is_none()
        && found.manifest.programs.is_empty();
    let is_aside = helps || declares_nothing || is_below;
    serves || candidate.is_certain && !is_aside
}

/// Whether a manifest that also declares what builds a site is that of a program or of a library: it
/// installs programs, names an entry, starts a source file, or one beside it listens.
fn declares_program(
    stack: &StackRecipe,
    folder: &str,
    manifest: &Manifest,
    facts: &SourceFacts,
    configurations: &[&str],
    repo: &Repo,
    catalog: &Catalog,
) -> bool {
    let path = |name: &str| repo::join(folder, name.trim_start_matches("./"));
    let is_entry = |name: &str| {
        let first = name.trim_start_matches("./").split('/').next();
        let is_built = catalog
            .list("folders", "built")
            .iter()
            .any(|built| first == Some(built));
        let path = path(name);
        let is_there = ["", ".js", "/index.js"]
            .iter()
            .any(|ending| repo.contains(&format!("{path}{ending}")));
        (is_built || is_there) && !configurations.contains(&path.as_str())
    };
    let has_entry = manifest
        .main
        .as_ref()
        .is_some_and(|main| is_entry(&main.value));
    let starts_source = manifest.scripts.get("start").is_some_and(|start| {
        let mut words = start.value.split_whitespace();
        words.any(|word| facts.files.contains(&path(word)))
    });
    let mut sources = facts.sources(repo);
    let listens = sources.any(|source| {
        repo::folder_of(&source.path) == folder
            && !configurations.contains(&source.path.as_str())
            && stack.serves_in(&source.text)
    });
    !manifest.programs.is_empty() || has_entry || starts_source || listens
}

/// Says which sites, by folder and title, are no component.
fn left_out(sites: &[(&str, &str)]) -> Diagnostic {
    let places: Vec<String> = sites
        .iter()
        .map(|(folder, title)| format!("`{folder}` ({title})"))
        .collect();
    let diagnostic = Diagnostic::new(
        Severity::Note,
        Code::DocumentationLeftOut,
        format!(
            "a site is taken for documentation of the application: {}",
            places.join(", ")
        ),
    );
    diagnostic.hint("to deploy one instead, name its folder as `path` of `[component]` in longshore.toml, or its recipe as `stack` of `[answers]`")
}
