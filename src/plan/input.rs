//! What every decision of the plan looks at, and commands of recipes filled with its values.

use std::collections::{BTreeMap, BTreeSet};

use super::{Origin, created::CreatedFile, port::serves_something, variables::WORDS};
use crate::{
    manifest::site::Site,
    quote::{self, shell::Filling},
    readme::Document,
    recipe::{Catalog, ConditionalCommand, ImageFile, TextSign},
    repo,
    repo::Repo,
    select::{Selection, texts},
    shell,
};

/// Everything that is looked at to find the start command.
pub struct Input<'a, 'c> {
    /// The repository.
    pub repo: &'a Repo,
    /// The documents.
    pub documents: &'a [Document],
    /// The recipes that fit.
    pub selection: &'a Selection<'c>,
    /// The catalogue.
    pub catalog: &'c Catalog,
    /// Folder of the application, where its commands run.
    pub directory: &'a str,
    /// Values for `{name}` in commands of recipes.
    pub variables: &'a BTreeMap<String, (String, Origin)>,
    /// Files of the repository that documents have a person copy to where the application reads them.
    pub copied: &'a [String],
    /// Configuration files that documents have a person create.
    pub created: &'a [CreatedFile],
    /// What site files of a web server say of it.
    pub site: &'a Site,
}

impl Input<'_, '_> {
    /// Services and extensions of the runtime that the source file `path` uses.
    fn shown(&self, path: &str) -> BTreeSet<&str> {
        let Some(source) = self.repo.source(path) else {
            return BTreeSet::new();
        };
        let has = |pieces: &[String]| {
            let mut pieces = pieces.iter();
            pieces.any(|piece| source.text.contains(piece.as_str()))
        };
        let services = self.catalog.services.iter();
        let services = services.filter(|(_, recipe)| has(&recipe.detect.code));
        let extensions = self.catalog.extensions(&self.selection.stack.language);
        let extensions = extensions.filter(|extension| has(&extension.code));
        let services = services.map(|(id, _)| id.as_str());
        services
            .chain(extensions.map(|extension| extension.name.as_str()))
            .collect()
    }

    /// Whether the source file `path` is one of several drivers, of which an application loads the one
    /// that it is told to: another one beside it uses something else.
    pub fn is_choice(&self, path: &str) -> bool {
        let mut folder = repo::folder_of(path);
        loop {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            let is_named = self
                .catalog
                .has_part("folders", "alternatives", name, &['-', '_', '.']);
            if is_named {
                let shown = self.shown(path);
                let files = self.selection.facts.files.iter();
                let mut beside = files.filter(|file| repo::is_inside(file, folder));
                return beside.any(|other| !self.shown(other).is_subset(&shown));
            }
            match folder.rsplit_once('/') {
                Some((above, _)) => folder = above,
                None => return false,
            }
        }
    }
}

/// Returns whether the conditions of `command` hold.
pub fn holds(command: &ConditionalCommand, input: &Input<'_, '_>) -> bool {
    let selection = input.selection;
    let packages = command
        .packages
        .iter()
        .all(|name| selection.manifest.package(name).is_some());
    // Above the repository there is nothing.
    let is_outside = |pattern: &str| input.directory == "." && pattern.starts_with("../");
    let is_there = |pattern: &String| {
        let found = || input.repo.glob(&repo::join(input.directory, pattern));
        !is_outside(pattern) && !found().is_empty()
    };
    let files = command.files.iter().all(is_there);
    let unless = !command.unless_files.iter().any(is_there);
    let script = command
        .script
        .as_ref()
        .is_none_or(|name| selection.manifest.scripts.contains_key(name));
    let mut other_scripts = command.unless_script.iter();
    let script = script && !other_scripts.any(|name| selection.manifest.scripts.contains_key(name));
    let code = command.code.as_ref().is_none_or(|piece| {
        let mut sources = selection.facts.sources(input.repo);
        sources.any(|source| source.text.contains(piece.as_str()))
    });
    let text = command.text.as_ref().is_none_or(|sign| {
        let sign = TextSign {
            has: fill_text(&sign.has, input),
            ..sign.clone()
        };
        let mut found = texts(input.repo, input.directory, std::slice::from_ref(&sign));
        !is_outside(&sign.file) && found.next().is_some()
    });
    let serves = command
        .serves
        .is_none_or(|serves| serves == serves_something(input));
    let gathers = command
        .gathers
        .is_none_or(|gathers| gathers == selection.manifest.gathers);
    let mut refusals = texts(input.repo, input.directory, &command.unless_text);
    let is_refused = refusals.next().is_some();
    packages && files && unless && script && code && text && serves && gathers && !is_refused
}

/// Returns a command with `{name}` replaced by the values found in the tree, quoted for where they stand;
/// `None` where one is missing. `{port}` stays.
pub fn fill(command: &str, input: &Input<'_, '_>) -> Option<String> {
    let value = |name: &str| {
        let (value, _) = input.variables.get(name)?;
        Some(match name {
            WORDS => Filling::Words(value),
            _ => Filling::Text(value),
        })
    };
    is_complete(command, input).then(|| quote::shell::filled(command, &value))
}

/// As [`fill`], for an address or a name, which no shell reads.
pub fn fill_plain(text: &str, input: &Input<'_, '_>) -> Option<String> {
    is_complete(text, input).then(|| fill_text(text, input))
}

/// Whether each `{name}` in `text` has a value; that of `{port}` comes later.
fn is_complete(text: &str, input: &Input<'_, '_>) -> bool {
    let mut open = text.match_indices('{').filter_map(|(at, _)| {
        let name = text[at + 1..].split('}').next().unwrap_or_default();
        (shell::is_name(name) && !text[..at].ends_with('$')).then_some(name)
    });
    open.all(|name| name == "port" || input.variables.contains_key(name))
}

/// Returns the contents of `file`, with values quoted as its syntax wants them.
pub fn fill_file(file: &ImageFile, input: &Input<'_, '_>) -> String {
    let contents = file.contents.trim_start();
    let value = |name: &str| Some(input.variables.get(name)?.0.as_str());
    let filled = file
        .syntax
        .and_then(|syntax| syntax.filled(contents, &value));
    // `variables::fitting` leaves no value that the file cannot hold.
    filled.unwrap_or_else(|| fill_text(contents, input))
}

/// As [`fill`], for a text that nothing reads as commands; other braces stand for themselves.
pub fn fill_text(text: &str, input: &Input<'_, '_>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    // Each place is filled once: braces of a value stand for themselves.
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let found = after.split_once('}').and_then(|(name, behind)| {
            let (value, _) = input.variables.get(name)?;
            Some((value, behind))
        });
        match found {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled + rest
}
