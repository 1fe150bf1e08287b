//! What lies in the folders of a repository, each read once: several stacks are looked at before one
//! is taken, and again when documents of its own tell more of it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use super::{Manifest, SourceFacts, compose::Composed, manifest, source_facts};
use crate::{
    diagnostic::Warned,
    recipe::{Catalog, StackRecipe},
    repo::Repo,
};

/// Reads manifests and source code for stacks, by their ids.
pub struct Reader<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// What its compose files say.
    pub composed: Composed,
    manifests: Known<Warned<Manifest>>,
    facts: Known<SourceFacts>,
}

/// What was read, by stack and folders.
type Known<T> = RefCell<BTreeMap<(String, Vec<String>), T>>;

impl<'a> Reader<'a> {
    /// Returns a reader of `repo` that has read its compose files only.
    pub fn new(repo: &'a Repo, catalog: &'a Catalog) -> Self {
        Self {
            repo,
            catalog,
            composed: Composed::of(repo, catalog),
            manifests: Known::default(),
            facts: Known::default(),
        }
    }

    /// Returns what [`manifest()`] reads.
    pub fn manifest(&self, folders: &[&str], id: &str, stack: &StackRecipe) -> Warned<Manifest> {
        let read = || manifest(self.repo, folders, stack, self.catalog);
        once(&self.manifests, id, folders, read)
    }

    /// Returns what [`source_facts`] reads.
    pub fn facts(&self, folder: &str, id: &str, stack: &StackRecipe) -> SourceFacts {
        let read = || source_facts(self.repo, folder, stack, self.catalog);
        once(&self.facts, id, &[folder], read)
    }
}

fn once<T: Clone>(known: &Known<T>, id: &str, folders: &[&str], read: impl FnOnce() -> T) -> T {
    let folders = folders.iter().map(|folder| (*folder).to_owned()).collect();
    match known.borrow_mut().entry((id.to_owned(), folders)) {
        Entry::Occupied(found) => found.get().clone(),
        Entry::Vacant(place) => place.insert(read()).clone(),
    }
}
