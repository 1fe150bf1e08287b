//! What source code itself says: variables it reads, modules it imports.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use crate::{
    recipe::{Catalog, Expression, ProfilesRecipe, StackRecipe},
    repo::{self, Repo},
    source::SourceFile,
};

/// An environment variable that source code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvRead {
    /// The name.
    pub name: String,
    /// The value that the code falls back to.
    pub default: Option<String>,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether the code fails without it, as far as the pattern can tell.
    pub required: bool,
    /// Whether the code also asks, in a condition and without a default, whether it is set.
    pub asked: bool,
}

/// What the source code of a component says.
#[derive(Debug, Clone, Default)]
pub struct SourceFacts {
    /// Whether a piece of it shows that it listens on a port.
    pub serves: bool,
    /// Environment variables, each once, sorted by place.
    pub env: Vec<EnvRead>,
    /// Imported modules with their first place.
    pub imports: BTreeMap<String, (String, usize)>,
    /// The files that were read.
    pub files: Vec<String>,
}

impl SourceFacts {
    /// Returns the source files with their text.
    pub fn sources<'a>(&'a self, repo: &'a Repo) -> impl Iterator<Item = Arc<SourceFile>> + 'a {
        self.files.iter().filter_map(|path| repo.source(path))
    }

    /// Adds what the source of a library says that belongs to it; whether it listens the program
    /// itself shows.
    pub fn take_in(&mut self, library: Self) {
        let known = self.env.iter().map(|read| read.name.clone());
        let mut known: BTreeSet<String> = known.collect();
        let env = library.env.into_iter();
        self.env
            .extend(env.filter(|read| known.insert(read.name.clone())));
        for (name, place) in library.imports {
            self.imports.entry(name).or_insert(place);
        }
        let mut known: BTreeSet<String> = self.files.iter().cloned().collect();
        let files = library.files.into_iter();
        self.files
            .extend(files.filter(|path| known.insert(path.clone())));
    }
}

/// How many source files are read at most, shallowest first.
const MOST_SOURCES: usize = 400;

/// Reads the source files below `folder` with the endings that `stack` names. Folders of tests,
/// examples and documentation are left out.
pub fn source_facts(
    repo: &Repo,
    folder: &str,
    stack: &StackRecipe,
    catalog: &Catalog,
) -> SourceFacts {
    let aside = catalog.list("folders", "no-source");
    let tests = catalog.list("folders", "tests");
    let packages = catalog.list("folders", "packages");
    let (env_reads, imports) = (&stack.env_reads, &stack.imports);
    let mut paths: Vec<&str> = repo
        .files_in(folder)
        .filter(|path| !tests.iter().any(|ending| path.ends_with(ending.as_str())))
        .filter(|path| is_source(repo, path, folder, stack, aside, packages))
        .collect();
    paths.sort_by_key(|path| (path.matches('/').count(), *path));
    paths.truncate(MOST_SOURCES);
    if let Some(profiles) = &stack.profiles {
        only_active(&mut paths, repo, profiles);
    }
    let mut facts = SourceFacts {
        files: paths.iter().map(|path| (*path).to_owned()).collect(),
        ..SourceFacts::default()
    };
    // Where each variable stands in the list.
    let mut places: HashMap<String, usize> = HashMap::new();
    for path in &paths {
        let Some(source) = repo.source(path) else {
            continue;
        };
        let text = stack.without_tests(&source.text);
        facts.serves |= stack.serves_in(&source.text);
        for pattern in imports {
            for found in pattern.captures_iter(text) {
                let Some(name) = found.get(1) else { continue };
                let place = ((*path).to_owned(), source.line(name.start()));
                facts
                    .imports
                    .entry(name.as_str().to_owned())
                    .or_insert(place);
            }
        }
        // The line that was looked at last, and whether it asks for something.
        let mut near = (0, false);
        for pattern in env_reads {
            for found in pattern.captures_iter(text) {
                let Some(name) = found.name("name") else {
                    continue;
                };
                let is_of_request = |pattern: &Expression| pattern.is_match(name.as_str());
                if stack.request_env.as_ref().is_some_and(is_of_request) {
                    continue;
                }
                let default = found.name("default").or_else(|| found.name("number"));
                let line = source.line(name.start());
                if let Some(known) = places.get(name.as_str()) {
                    if near.0 != line {
                        let text = source.line_text(line);
                        near = (line, catalog.has_word("environment", "conditions", text));
                    }
                    let known = &mut facts.env[*known];
                    known.asked |= near.1 && known.default.is_some() && default.is_none();
                    known.required |= default.is_none() && found.name("required").is_some();
                    continue;
                }
                places.insert(name.as_str().to_owned(), facts.env.len());
                facts.env.push(EnvRead {
                    name: name.as_str().to_owned(),
                    default: default.map(|default| default.as_str().to_owned()),
                    file: (*path).to_owned(),
                    line,
                    required: default.is_none() && found.name("required").is_some(),
                    asked: false,
                });
            }
        }
    }
    facts
}

/// Leaves out of `paths` the files of profiles that are not active, where it is known which are.
fn only_active(paths: &mut Vec<&str>, repo: &Repo, profiles: &ProfilesRecipe) {
    let profile_of = |path: &str| {
        let found = profiles.files.captures(repo::file_name(path))?;
        Some(found.name("profile")?.as_str().to_owned())
    };
    let general = paths.iter().filter(|path| profile_of(path).is_none());
    let active: BTreeSet<String> = general
        .filter_map(|path| repo.source(path))
        .flat_map(|source| {
            let found = profiles.active.iter();
            let named = found.filter_map(|pattern| {
                let names = pattern
                    .captures(&source.text)?
                    .name("profiles")?
                    .as_str()
                    .to_owned();
                Some(names)
            });
            let names: Vec<String> = named.collect();
            names
        })
        .flat_map(|names| {
            names
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    if !active.is_empty() {
        paths.retain(|path| profile_of(path).is_none_or(|profile| active.contains(&profile)));
    }
}

/// Whether `path` is a source file of the component in `folder`: not in a folder that is named in
/// `aside`, unless that is the name of a package, below one of `packages`.
fn is_source(
    repo: &Repo,
    path: &str,
    folder: &str,
    stack: &StackRecipe,
    aside: &[String],
    packages: &[String],
) -> bool {
    let ending = repo::file_name(path).rsplit_once('.');
    let inside = match folder {
        "." => Some(path),
        folder => path.strip_prefix(&format!("{folder}/")),
    };
    let Some(inside) = inside else {
        return false;
    };
    let named = packages.iter().find_map(|root| {
        let at = inside.find(&format!("{root}/"))?;
        Some(&inside[..at])
    });
    let mut folders = named.unwrap_or(repo::folder_of(inside)).split('/');
    let begins_so = |pattern: &Expression| {
        let source = repo.source(path);
        source.is_some_and(|source| pattern.is_match(source.line_text(1)))
    };
    let is_meant = match (ending, &stack.first_line) {
        (Some((_, ending)), _) => stack.sources.iter().any(|known| known == ending),
        (None, Some(pattern)) => begins_so(pattern),
        (None, None) => false,
    };
    is_meant && !folders.any(|part| aside.iter().any(|known| known == part))
}
