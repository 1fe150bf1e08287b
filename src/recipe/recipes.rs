//! Recipes of one kind, read when they are first asked for.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Index,
    sync::OnceLock,
};

use serde::de::DeserializeOwned;

use super::{built_in, index::Place};

/// Recipes of one kind, by id. Those that are built in are read when they are first asked for.
pub struct Recipes<T> {
    entries: BTreeMap<String, Entry<T>>,
}

struct Entry<T> {
    recipe: OnceLock<T>,
    /// Where it is built in.
    place: Option<Place>,
}

impl<T: DeserializeOwned> Entry<T> {
    fn recipe(&self) -> &T {
        self.recipe.get_or_init(|| {
            let place = self.place.expect("it is built in or was read");
            built_in::recipe(place)
        })
    }
}

impl<T: DeserializeOwned> Recipes<T> {
    /// Returns the built-in recipes of `kind`.
    pub(super) fn built_in(kind: &str) -> Self {
        let folder = format!("{kind}/");
        let recipes = &built_in::index().recipes;
        let of_kind = recipes.range(folder.clone()..).map_while(|(path, place)| {
            let id = path.strip_prefix(&folder)?;
            let entry = Entry {
                recipe: OnceLock::new(),
                place: Some(*place),
            };
            Some((id.to_owned(), entry))
        });
        Self {
            entries: of_kind.collect(),
        }
    }

    /// Adds `recipe`, or puts it in place of the one with this id.
    pub(super) fn insert(&mut self, id: String, recipe: T) {
        let entry = Entry {
            recipe: OnceLock::from(recipe),
            place: None,
        };
        self.entries.insert(id, entry);
    }

    /// Returns the recipe `id`.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.entries.get(id).map(Entry::recipe)
    }

    /// Returns the recipe `id` with its id.
    pub fn get_key_value(&self, id: &str) -> Option<(&String, &T)> {
        let (id, entry) = self.entries.get_key_value(id)?;
        Some((id, entry.recipe()))
    }

    /// Returns all ids, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.entries.keys()
    }

    /// Returns how many there are.
    #[allow(clippy::len_without_is_empty)] // There are always some.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns all recipes, by the order of their ids.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(Entry::recipe)
    }

    /// Returns all recipes with their ids, sorted.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self.entries.iter())
    }
}

/// All recipes of a kind with their ids, sorted.
pub struct Iter<'r, T>(btree_map::Iter<'r, String, Entry<T>>);

impl<'r, T: DeserializeOwned> Iterator for Iter<'r, T> {
    type Item = (&'r String, &'r T);

    fn next(&mut self) -> Option<Self::Item> {
        let (id, entry) = self.0.next()?;
        Some((id, entry.recipe()))
    }
}

impl<'r, T: DeserializeOwned> IntoIterator for &'r Recipes<T> {
    type Item = (&'r String, &'r T);
    type IntoIter = Iter<'r, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: DeserializeOwned> Index<&str> for Recipes<T> {
    type Output = T;

    fn index(&self, id: &str) -> &T {
        self.get(id).expect("the catalogue is whole")
    }
}
