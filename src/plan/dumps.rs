//! Files that make and fill the tables of a database, where no command loads them.

use super::{Origin, OriginKind, input::Input, ledger::Ledger};
use crate::{
    readme::Part,
    recipe::{DumpRecipe, Expression},
    repo::{self, matcher},
    source::SourceFile,
    step::Action,
};

/// Returns the files that are loaded when a database is created, with why: those that a document
/// names, in its order; else the only one, or migrations in plain SQL, where nothing else prepares
/// the database.
pub fn dumps(
    recipe: &DumpRecipe,
    input: &Input<'_, '_>,
    ledger: &Ledger<'_>,
) -> Vec<(String, Origin)> {
    let outside: Vec<_> = recipe
        .outside
        .iter()
        .filter_map(|pattern| matcher(pattern))
        .collect();
    let is_dump = |path: &&str| {
        let is_outside = outside.iter().any(|pattern| pattern.is_match(path));
        // What is too large to be read is data.
        let fits = input.repo.source(path).is_none_or(|source| {
            let has = |signs| has(&source, signs);
            (has(&recipe.makes) || has(&recipe.fills)) && !has(&recipe.lacks)
        });
        !is_outside && fits
    };
    let files = recipe
        .files
        .iter()
        .flat_map(|pattern| input.repo.glob(pattern));
    let mut files: Vec<&str> = files.filter(is_dump).collect();
    files.sort_unstable();
    files.dedup();
    let mut named: Vec<(usize, &str, Origin)> = files
        .iter()
        .filter_map(|path| {
            let (order, origin) = mention(path, input)?;
            Some((order, *path, origin))
        })
        .collect();
    named.sort_by_key(|(order, _, _)| *order);
    let named = named.into_iter();
    let named = named.map(|(_, path, origin)| (path.to_owned(), origin));
    let mut chosen: Vec<(String, Origin)> = named.collect();
    let framework = input.selection.framework;
    let is_prepared = ledger
        .steps
        .iter()
        .any(|step| step.action == Action::Prepare)
        || framework.is_some_and(|(_, framework)| !framework.prepare.is_empty());
    if let ([only], true, false) = (files.as_slice(), chosen.is_empty(), is_prepared) {
        let origin = Origin::manifest(*only, "makes the tables, and no command does");
        chosen.push(((*only).to_owned(), origin));
    }
    let makes = |(path, _): &(String, Origin)| {
        let source = input.repo.source(path);
        source.is_none_or(|source| has(&source, &recipe.makes))
    };
    if chosen.iter().any(makes) {
        return chosen;
    }
    // What only fills tables finds none, unless migrations make them before.
    let mut all = match is_prepared {
        true => Vec::new(),
        false => migrations(recipe, input),
    };
    if !all.is_empty() {
        all.extend(chosen);
    }
    all
}

/// The migrations in plain SQL, in the order of their names, where the source does not run them.
fn migrations(recipe: &DumpRecipe, input: &Input<'_, '_>) -> Vec<(String, Origin)> {
    let mut sources = input.selection.facts.sources(input.repo);
    let runs_them = sources.any(|source| {
        let mut pieces = recipe.migrates.iter();
        pieces.any(|piece| source.text.contains(piece.as_str()))
    });
    if runs_them {
        return Vec::new();
    }
    let found = recipe.migrations.iter().map(|pattern| {
        let pattern = repo::join(input.directory, pattern);
        input.repo.glob(&pattern)
    });
    let mut files = found
        .into_iter()
        .find(|files| !files.is_empty())
        .unwrap_or_default();
    let is_other = |path: &&str| {
        let source = input.repo.source(path);
        source.is_some_and(|source| has(&source, &recipe.lacks))
    };
    if files.iter().any(is_other) {
        return Vec::new();
    }
    // `2_…` comes before `10_…`.
    let version = |path: &str| -> u128 {
        let name = repo::file_name(path);
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    };
    files.sort_by_key(|path| (repo::folder_of(path), version(path), *path));
    let files = files.into_iter().map(|path| {
        let origin = Origin::manifest(path, "a migration, and no command runs it");
        (path.to_owned(), origin)
    });
    files.collect()
}

fn has(source: &SourceFile, signs: &[Expression]) -> bool {
    signs.iter().any(|sign| sign.is_match(&source.text))
}

/// Where a document names the file at `path`, and how far from the beginning of all documents.
fn mention(path: &str, input: &Input<'_, '_>) -> Option<(usize, Origin)> {
    let name = repo::file_name(path);
    let mut order = 0;
    for document in input.documents {
        for part in &document.parts {
            order += 1;
            let (text, at) = match part {
                Part::Text(paragraph) => (&paragraph.text, paragraph.span.start),
                Part::Code(block) => (&block.code, block.file_offset(0)),
            };
            if let Some(found) = text.find(name) {
                let line = document.source.line(at) + text[..found].matches('\n').count();
                let file = &document.source.path;
                return Some((order, Origin::at(OriginKind::Readme, file, line, name)));
            }
        }
    }
    None
}
