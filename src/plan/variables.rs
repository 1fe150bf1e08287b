//! Values found in the tree, for `{name}` in commands and files of recipes.

use std::collections::BTreeMap;

use super::{Origin, OriginKind};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::{
        Fact,
        site::{self, Site},
        variable,
    },
    quote::{self, conf::is_pattern, terminal},
    readme::{Document, Part},
    recipe::{Catalog, SiteFact, Variable},
    repo::{self, Repo},
    select::Selection,
    shell,
    step::InstallStep,
};

/// The one variable that holds words of a shell, quoted already.
pub const WORDS: &str = "environment";

/// A value and who says so.
type Value = (String, Origin);

/// Returns the variables of the stack and of the framework that have a value, by name; `path` is the
/// component's folder, `site` what site files say of it and `steps` what the documents tell.
pub fn variables(
    repo: &Repo,
    documents: &[Document],
    selection: &Selection<'_>,
    path: &str,
    site: &Site,
    steps: &[InstallStep],
) -> BTreeMap<String, Value> {
    let mut variables = BTreeMap::new();
    // Where the application stands in the source, before a path below it.
    let folder = match selection.folder.as_str() {
        "." => String::new(),
        folder => format!("{folder}/"),
    };
    variables.insert(
        "folder".to_owned(),
        (folder, Origin::manifest(path, "its folder")),
    );
    let base = repo::file_name(path).to_owned();
    variables.insert(
        "base".to_owned(),
        (base, Origin::manifest(path, "the name of its folder")),
    );
    // The one that the documents run first, where there are several.
    let programs = &selection.manifest.programs;
    let told = steps.iter().flat_map(|step| {
        // `$GOPATH/bin/shopd` is the program `shopd`.
        let program = step
            .words
            .first()
            .and_then(|word| shell::in_bin_folder(word));
        program
            .into_iter()
            .chain(step.words.iter().map(String::as_str))
    });
    let told = told.filter_map(|word| programs.get_key_value(word)).next();
    // Else the one whose own source listens.
    let listens = |(_, fact): &(&String, &Fact)| {
        let folder = repo::folder_of(&fact.value);
        let mut sources = selection.facts.sources(repo);
        !fact.value.is_empty()
            && sources.any(|source| {
                repo::is_inside(&source.path, folder) && selection.stack.serves_in(&source.text)
            })
    };
    let serving = || programs.iter().find(listens);
    let found = told.or_else(serving).or_else(|| programs.iter().next());
    if let Some((name, fact)) = found {
        let origin = Origin::at(OriginKind::Manifest, &fact.file, fact.line, name);
        variables.insert("program".to_owned(), (name.clone(), origin));
    }
    if let Some(first) = selection.manifest.environment.first() {
        let packages = selection.manifest.environment.iter();
        let words: Vec<String> = packages
            .map(|fact| quote::shell::word(&fact.value))
            .collect();
        let origin = Origin::at(
            OriginKind::Manifest,
            &first.file,
            first.line,
            "dependencies",
        );
        variables.insert(WORDS.to_owned(), (words.join(" "), origin));
    }
    let of_framework = selection
        .framework
        .map(|(_, framework)| &framework.variable);
    for (name, variable) in of_framework
        .into_iter()
        .chain([&selection.stack.variable])
        .flatten()
    {
        if variables.contains_key(name) {
            continue;
        }
        let default = || {
            let origin = Origin::recipe(&format!("stacks/{}", selection.stack_id), "default");
            Some((variable.default.clone()?, origin))
        };
        let value = of_site(variable, site, repo, path)
            .or_else(|| variable::of_file(variable, repo, documents, path))
            .or_else(default);
        if let Some(value) = value {
            variables.insert(name.clone(), value);
        }
    }
    variables
}

/// Takes the default for each value that a file of the recipes cannot hold, and tells of it.
pub fn fitting(
    variables: &mut BTreeMap<String, Value>,
    selection: &Selection<'_>,
    site: &Site,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut refuse = |what: String, origin: &Origin| {
        let place = origin.place();
        let hint = format!("write it in another way, in {}", terminal::line(&place));
        let refused = Diagnostic::new(Severity::Warning, Code::NotExpressible, what);
        diagnostics.push(refused.hint(hint));
    };
    for fact in site.denied.iter().filter(|fact| !is_pattern(&fact.value)) {
        let what = format!(
            "`{}` is no regular expression: no path is refused by it",
            fact.value
        );
        refuse(what, &fact.origin());
    }
    let of_framework = selection.framework.map(|(_, framework)| framework);
    let files = of_framework
        .into_iter()
        .flat_map(|recipe| &recipe.image.file);
    for file in files.chain(&selection.stack.image.file) {
        let Some(syntax) = file.syntax else {
            continue;
        };
        let holds = |text: &str| syntax.can_hold(text);
        let is_refused = |(name, (value, _)): &(&String, &Value)| {
            file.contents.contains(&format!("{{{name}}}")) && !holds(value)
        };
        let refused = variables.iter().filter(is_refused);
        let refused: Vec<String> = refused.map(|(name, _)| name.clone()).collect();
        for name in refused {
            let Some((value, origin)) = variables.remove(&name) else {
                continue;
            };
            refuse(format!("`{}` cannot hold `{value}`", file.path), &origin);
            let variable = of_framework.and_then(|recipe| recipe.variable.get(&name));
            let variable = variable.or_else(|| selection.stack.variable.get(&name));
            let default = variable.and_then(|variable| variable.default.clone());
            // What the file is there for is left out with it.
            if file.needs.as_ref() != Some(&name) {
                let default = default.filter(|default| holds(default)).unwrap_or_default();
                variables.insert(name, (default, origin));
            }
        }
    }
}

fn of_site(variable: &Variable, site: &Site, repo: &Repo, path: &str) -> Option<Value> {
    let (fact, value) = match variable.site? {
        SiteFact::Root => {
            let fact = site.root.as_ref()?;
            (fact, served_folder(&fact.value, repo, path)?)
        }
        SiteFact::Upload => {
            let fact = site.upload.as_ref()?;
            (fact, fact.value.to_uppercase())
        }
        SiteFact::Fallback => {
            let fact = site.fallback.as_ref()?;
            (fact, fact.value.clone())
        }
        SiteFact::Denied => {
            let mut facts = site.denied.iter().filter(|fact| is_pattern(&fact.value));
            let patterns = facts.clone().map(|fact| fact.value.as_str());
            let patterns: Vec<&str> = patterns.collect();
            (facts.next()?, patterns.join("|"))
        }
        SiteFact::ScriptPath => {
            let fact = site.scripts.as_ref()?;
            let (path, _) = fact.value.split_once(' ')?;
            (fact, path.to_owned())
        }
        SiteFact::ScriptFolder => {
            let fact = site.scripts.as_ref()?;
            let (_, folder) = fact.value.split_once(' ')?;
            (fact, served_folder(folder, repo, path)?)
        }
    };
    Some((value, fact.origin()))
}

/// The folder of the component that `root`, a path of a host, ends with: `/var/www/shop/public` is
/// `public`.
fn served_folder(root: &str, repo: &Repo, path: &str) -> Option<String> {
    let parts: Vec<&str> = root.split('/').filter(|part| !part.is_empty()).collect();
    (1..parts.len())
        .map(|from| parts[from..].join("/"))
        .find(|inside| repo.has_folder(&repo::join(path, inside)))
}

/// Returns what the site files of the repository say, and sites in the blocks of `documents`.
pub fn site(repo: &Repo, documents: &[Document], catalog: &Catalog) -> Site {
    let mut site = Site::default();
    for document in documents {
        for part in &document.parts {
            if let Part::Code(block) = part
                && site::is_site(&block.code, catalog)
            {
                let line = document.source.line(block.file_offset(0));
                site.add(site::site(
                    &block.code,
                    &document.source.path,
                    line,
                    catalog,
                ));
            }
        }
    }
    let mut files: Vec<&str> = Vec::new();
    for pattern in catalog.list("sites", "files") {
        files.extend(repo.glob(pattern));
    }
    files.sort_unstable();
    files.dedup();
    let pages = catalog.list("sites", "no-files");
    files.retain(|path| !pages.iter().any(|ending| path.ends_with(ending.as_str())));
    for path in files {
        if let Some(source) = repo
            .source(path)
            .filter(|source| site::is_site(&source.text, catalog))
        {
            site.add(site::site(&source.text, path, 1, catalog));
        }
    }
    site
}
