//! Files that make and fill the tables of a database, where no command loads them.

use super::{Origin, OriginKind, input::Input, ledger::Ledger};
use crate::{
    readme::Part,
    recipe::DumpRecipe,
    repo::{self, matcher},
    step::Action,
};

/// Returns the files that are loaded when a database is created, with why: those that a document
/// names, in its order; else the only one, where nothing else prepares the database.
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
            let has = |signs: &[crate::recipe::Expression]| {
                signs.iter().any(|sign| sign.is_match(&source.text))
            };
            has(&recipe.has) && !has(&recipe.lacks)
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
    if !named.is_empty() {
        let named = named.into_iter();
        return named
            .map(|(_, path, origin)| (path.to_owned(), origin))
            .collect();
    }
    let framework = input.selection.framework;
    let is_prepared = ledger
        .steps
        .iter()
        .any(|step| step.action == Action::Prepare)
        || framework.is_some_and(|(_, framework)| !framework.prepare.is_empty());
    match files.as_slice() {
        [only] if !is_prepared => {
            let origin = Origin::manifest(*only, "makes the tables, and no command does");
            vec![((*only).to_owned(), origin)]
        }
        _ => Vec::new(),
    }
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
