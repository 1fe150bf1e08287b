//! One entry from its layers: the built-in file, and on top what a user's folder says.
//!
//! Every value keeps the place that it comes from, so that what is wrong, or changed, is shown in
//! the file of the person who wrote it.

use std::{collections::BTreeMap, ops::Range};

use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_spanned::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::ConfigurationError;
use crate::diagnostic::nearest;

/// Key of a user's file: lists of the built-in entry that are left out before its own are added.
const REPLACE: &str = "replace";

/// By which keys two elements of a list of tables are the same one. A list that is not named here
/// is replaced as a whole.
const SAME_BY: [(&str, &[&str]); 14] = [
    ("version", &["version"]),
    ("requested_in", &["file", "key"]),
    ("ceiling", &["package", "below", "text", "file"]),
    ("asked_by", &["word"]),
    ("declared", &["file"]),
    ("install", &["run"]),
    ("build", &["command"]),
    ("start", &["command"]),
    ("prepare", &["command"]),
    ("command", &["words"]),
    ("package", &["name"]),
    ("needs", &["package", "below"]),
    ("file", &["path"]),
    ("gone", &["pattern"]),
];

/// Lists that are worked through in order: what a user adds comes last. Of all other lists the
/// first element that fits is taken, so that the user's come first.
const IN_ORDER: [&str; 4] = ["version", "build", "prepare", "file"];

/// The files that make one entry, the built-in one first.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    /// The file as it is shown.
    file: String,
    text: String,
    /// Where its text begins in the places of the merged entry.
    start: usize,
}

/// A value of an entry, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Keys and indices from the top, separated by dots: `version.3.ends`.
    pub path: String,
    /// The text of a string, and for anything else how TOML writes it.
    pub value: String,
    /// Whether it is a string.
    pub is_text: bool,
    /// The file that says so.
    pub file: String,
    /// Line and column in it.
    pub position: (usize, usize),
}

impl Layers {
    /// Adds a file on top.
    pub fn push(&mut self, file: String, text: String) {
        let start = self
            .layers
            .last()
            .map_or(0, |layer| layer.start + layer.text.len() + 1);
        self.layers.push(Layer { file, text, start });
    }

    /// Returns the file on top.
    pub fn top(&self) -> &str {
        self.layers.last().map_or("", |layer| &layer.file)
    }

    /// Reads the entry.
    ///
    /// # Errors
    ///
    /// What is wrong first, where it is written.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, ConfigurationError> {
        let merged = self.merged()?;
        T::deserialize(merged.into_deserializer()).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let mut error = self.error(span, error.message());
            // Of a list, the parser tells only where it begins.
            let is_it = |leaf: &&Leaf| {
                leaf.file == error.file
                    && Some(leaf.position) > error.position
                    && error
                        .message
                        .contains(&format!("expression `{}`", leaf.value))
            };
            if let Some(leaf) = self.leaves().iter().find(is_it) {
                error.position = Some(leaf.position);
            }
            error
        })
    }

    /// Returns the entry as data, for programs.
    ///
    /// # Errors
    ///
    /// As [`Layers::read`].
    pub fn value(&self) -> Result<toml::Table, ConfigurationError> {
        self.read()
    }

    /// Returns all values of the entry, in the order of their paths.
    pub fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        if let Ok(merged) = self.merged() {
            let (span, table) = (merged.span(), merged.into_inner());
            self.collect(
                String::new(),
                &Spanned::new(span, DeValue::Table(table)),
                &mut leaves,
            );
        }
        leaves
    }

    fn collect(&self, path: String, value: &Spanned<DeValue<'_>>, leaves: &mut Vec<Leaf>) {
        let inner = |key: &str| {
            if path.is_empty() {
                key.to_owned()
            } else {
                format!("{path}.{key}")
            }
        };
        let (is_text, text) = match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    self.collect(inner(key.get_ref()), value, leaves);
                }
                return;
            }
            DeValue::Array(array) => {
                for (index, value) in array.iter().enumerate() {
                    self.collect(inner(&index.to_string()), value, leaves);
                }
                return;
            }
            DeValue::String(text) => (true, text.to_string()),
            DeValue::Integer(number) => (false, number.to_string()),
            DeValue::Float(number) => (false, number.to_string()),
            DeValue::Boolean(value) => (false, value.to_string()),
            DeValue::Datetime(value) => (false, value.to_string()),
        };
        let (file, position) = self.place(value.span().start);
        leaves.push(Leaf {
            path,
            value: text,
            is_text,
            file: file.to_owned(),
            position,
        });
    }

    /// Returns an error about the value at `path`, as [`Leaf::path`] writes it, or about what it
    /// stands in.
    pub fn error_at(&self, path: &str, message: impl Into<String>) -> ConfigurationError {
        let leaves = self.leaves();
        let mut path = path;
        loop {
            let below = format!("{path}.");
            let found = leaves
                .iter()
                .find(|leaf| leaf.path == path || leaf.path.starts_with(&below));
            match (found, path.rsplit_once('.')) {
                (Some(leaf), _) => {
                    return ConfigurationError {
                        file: leaf.file.clone(),
                        position: Some(leaf.position),
                        message: message.into(),
                        hint: None,
                    };
                }
                (None, Some((outer, _))) => path = outer,
                (None, None) => {
                    return ConfigurationError {
                        file: self.top().to_owned(),
                        position: None,
                        message: message.into(),
                        hint: None,
                    };
                }
            }
        }
    }

    fn merged(&self) -> Result<Spanned<DeTable<'_>>, ConfigurationError> {
        let mut merged = DeTable::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let table = DeTable::parse(&layer.text).map_err(|error| {
                let span = error.span().unwrap_or_default();
                let span = span.start + layer.start..span.end + layer.start;
                self.error(span, error.message())
            })?;
            let mut table = shifted_table(table.into_inner(), layer.start);
            if index > 0
                && let Some(lists) = table.remove(REPLACE)
            {
                self.leave_out(&mut merged, &lists)?;
            }
            merge(&mut merged, table);
        }
        // Versions are listed oldest first, wherever a user's stands in the file.
        if let Some(DeValue::Array(versions)) =
            merged.get_mut("version").map(|versions| versions.get_mut())
        {
            versions.sort_by_key(|version| numbers(version.get_ref()));
        }
        let end = self
            .layers
            .last()
            .map_or(0, |layer| layer.start + layer.text.len());
        Ok(Spanned::new(0..end, merged))
    }

    fn leave_out(
        &self,
        merged: &mut DeTable<'_>,
        lists: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigurationError> {
        let DeValue::Array(names) = lists.get_ref() else {
            return Err(self.error(lists.span(), "`replace` is a list of names of lists"));
        };
        for name in names.iter() {
            let text = name.get_ref().as_str().unwrap_or_default();
            if merged.remove(text).is_none() {
                let mut error = self.error(
                    name.span(),
                    &format!("`replace` names `{text}`, which the built-in entry does not have"),
                );
                let known = merged.keys().map(|key| key.get_ref().as_ref());
                error.hint = nearest(text, known).map(|near| format!("did you mean `{near}`?"));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Returns the file of an offset of the merged entry, with line and column in it.
    fn place(&self, offset: usize) -> (&str, (usize, usize)) {
        let layer = self.layers.iter().rev().find(|layer| layer.start <= offset);
        let Some(layer) = layer else {
            return ("", (1, 1));
        };
        (&layer.file, position(&layer.text, offset - layer.start))
    }

    fn error(&self, span: Range<usize>, message: &str) -> ConfigurationError {
        let (file, position) = self.place(span.start);
        let (message, hint) = explained(message);
        ConfigurationError {
            file: file.to_owned(),
            position: Some(position),
            message,
            hint,
        }
    }
}

/// Returns line and column of the byte `offset` of `text`, from 1.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let offset = offset.min(text.len());
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[start..].chars().count() + 1)
}

/// Returns what serde says of a table in our words, and what to do about it: the nearest known key,
/// or the key that is missing.
pub fn explained(message: &str) -> (String, Option<String>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [unknown, known @ ..] if message.starts_with("unknown field") => {
            let hint = match nearest(unknown, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            (format!("unknown key `{unknown}`"), Some(hint))
        }
        [unknown, known @ ..] if message.starts_with("unknown variant") => {
            let hint = match nearest(unknown, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the values here are {}", known.join(", ")),
            };
            (format!("unknown value `{unknown}`"), Some(hint))
        }
        [missing] if message.starts_with("missing field") => (
            format!("the key `{missing}` is missing"),
            Some(format!("add `{missing} = …` to this table")),
        ),
        _ => (message.to_owned(), None),
    }
}

fn numbers(version: &DeValue<'_>) -> Vec<u64> {
    let text = version
        .get("version")
        .and_then(|version| version.get_ref().as_str());
    text.unwrap_or_default()
        .split('.')
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect()
}

fn shifted_table(table: DeTable<'_>, by: usize) -> DeTable<'_> {
    table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            let key = Spanned::new(span.start + by..span.end + by, key.into_inner());
            (key, shifted(value, by))
        })
        .collect()
}

fn shifted(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let span = value.span().start + by..value.span().end + by;
    let value = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(shifted_table(table, by)),
        DeValue::Array(array) => {
            DeValue::Array(array.into_iter().map(|value| shifted(value, by)).collect())
        }
        plain => plain,
    };
    Spanned::new(span, value)
}

fn merge<'t>(into: &mut DeTable<'t>, from: DeTable<'t>) {
    for (key, value) in from {
        let old = into.remove(key.get_ref().as_ref());
        let value = match old {
            Some(old) => merged_value(key.get_ref(), old, value),
            None => value,
        };
        into.insert(key, value);
    }
}

fn merged_value<'t>(
    key: &str,
    old: Spanned<DeValue<'t>>,
    new: Spanned<DeValue<'t>>,
) -> Spanned<DeValue<'t>> {
    let span = new.span();
    let same_by = SAME_BY.iter().find(|(list, _)| *list == key);
    let value = match (old.into_inner(), new.into_inner(), same_by) {
        (DeValue::Table(mut old), DeValue::Table(new), _) => {
            merge(&mut old, new);
            DeValue::Table(old)
        }
        // Some of these names are also names of lists of words, which are replaced.
        (DeValue::Array(old), DeValue::Array(new), Some((_, keys)))
            if old
                .iter()
                .chain(new.iter())
                .all(|element| element.get_ref().is_table()) =>
        {
            DeValue::Array(merged_list(key, keys, old, new))
        }
        (_, new, _) => new,
    };
    Spanned::new(span, value)
}

/// Changes the elements of `old` that `new` names, and adds the others of `new`.
fn merged_list<'t>(key: &str, keys: &[&str], old: DeArray<'t>, new: DeArray<'t>) -> DeArray<'t> {
    let mut list: Vec<Spanned<DeValue<'t>>> = old.into_iter().collect();
    let mut added = Vec::new();
    for element in new {
        let names = names(keys, element.get_ref());
        let same = list
            .iter()
            .position(|old| !names.is_empty() && self::names(keys, old.get_ref()) == names);
        match same {
            Some(at) => {
                let old = list.remove(at);
                list.insert(at, merged_value("", old, element));
            }
            None => added.push(element),
        }
    }
    if IN_ORDER.contains(&key) {
        list.extend(added);
    } else {
        list.splice(0..0, added);
    }
    list.into_iter().collect()
}

fn names(keys: &[&str], element: &DeValue<'_>) -> BTreeMap<String, String> {
    let named = keys.iter().filter_map(|key| {
        let value = element.get(*key)?.get_ref().as_str()?;
        Some(((*key).to_owned(), value.to_owned()))
    });
    named.collect()
}
