//! One recipe, for people and for programs.

use std::{collections::BTreeMap, fmt::Write};

use toml::{Table, Value};

use crate::recipe::{ConfigurationError, Layers, Leaf};

/// How wide a list gets before it goes on in the next line.
const WIDTH: usize = 96;
/// Room for the names of fields.
const LABELS: usize = 18;

/// What the top-level fields are about, in the order of reading. Fields that are not named here
/// come under [`OTHER`], with their own name.
const SECTIONS: [(&str, &[&str]); 11] = [
    (
        "what it is",
        &[
            "runtime", "language", "stacks", "refines", "default", "versions", "port", "user",
            "data", "checked", "source", "words", "names",
        ],
    ),
    (
        "found by",
        &[
            "detect",
            "declared",
            "requested_in",
            "asked_by",
            "root_file",
        ],
    ),
    ("image", &["image"]),
    ("versions", &["version"]),
    ("limits", &["ceiling", "newest"]),
    ("installs", &["install", "own_install"]),
    ("builds", &["build"]),
    ("prepares a release", &["prepare"]),
    ("starts", &["start", "own_server", "program"]),
    ("commands", &["command"]),
    ("packages", &["package", "needs", "gone"]),
];
const OTHER: &str = "more";

/// Returns the recipe `path` for people: what it is, by what it is found, its versions and
/// commands. Where a user's folder changed it, each changed field names its file and line.
pub fn text(path: &str, title: &str, layers: &Layers) -> Result<String, ConfigurationError> {
    let table = layers.value()?;
    let leaves = layers.leaves();
    let page = Page {
        leaves: &leaves,
        built_in: leaves.iter().any(|leaf| is_built_in(&leaf.file)),
        table: &table,
    };
    let mut text = format!("{title} ({path})\n");
    let mut files: Vec<&str> = leaves.iter().map(|leaf| leaf.file.as_str()).collect();
    files.sort_unstable_by_key(|file| (!is_built_in(file), *file));
    files.dedup();
    let _ = writeln!(text, "from {}", files.join(", changed by "));
    let mut shown = vec!["title"];
    for (heading, keys) in SECTIONS {
        page.section(&mut text, heading, keys.iter().copied());
        shown.extend(keys);
    }
    let rest = table.keys().map(String::as_str);
    page.section(&mut text, OTHER, rest.filter(|key| !shown.contains(key)));
    Ok(text)
}

/// Returns the recipe `path` for programs: its fields, and for each value the file and line.
pub fn json(path: &str, layers: &Layers) -> Result<serde_json::Value, ConfigurationError> {
    let origins: BTreeMap<String, String> = layers
        .leaves()
        .into_iter()
        .map(|leaf| (leaf.path, format!("{}:{}", leaf.file, leaf.position.0)))
        .collect();
    Ok(serde_json::json!({
        "recipe": path,
        "fields": layers.value()?,
        "origins": origins,
    }))
}

fn is_built_in(file: &str) -> bool {
    file.starts_with("recipes/")
}

struct Page<'p> {
    leaves: &'p [Leaf],
    /// Whether there is a built-in entry below the user's.
    built_in: bool,
    table: &'p Table,
}

impl Page<'_> {
    fn section<'k>(&self, text: &mut String, heading: &str, keys: impl Iterator<Item = &'k str>) {
        let mut body = String::new();
        for key in keys {
            if let Some(value) = self.table.get(key) {
                self.field(&mut body, key, key, value);
            }
        }
        if !body.is_empty() {
            let _ = write!(text, "\n{heading}\n{body}");
        }
    }

    fn field(&self, text: &mut String, label: &str, path: &str, value: &Value) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    let label = if ["detect", "image"].contains(&label) {
                        key.clone()
                    } else {
                        format!("{label}.{key}")
                    };
                    self.field(text, &label, &format!("{path}.{key}"), value);
                }
            }
            Value::Array(elements) if elements.iter().all(Value::is_table) => {
                for (index, element) in elements.iter().enumerate() {
                    let table = element.as_table().expect("all are tables");
                    let line = match label {
                        "version" => self.version(table),
                        _ => one_line(table),
                    };
                    self.row(text, label, &line, &format!("{path}.{index}"));
                }
            }
            Value::Array(elements) => {
                let words: Vec<String> = elements.iter().map(plain).collect();
                self.row(text, label, &words.join(", "), path);
            }
            value => self.row(text, label, &plain(value), path),
        }
    }

    fn row(&self, text: &mut String, label: &str, value: &str, path: &str) {
        // The name of a variable is no field of ours.
        let label = match label.rsplit_once('.') {
            Some((field, name)) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                format!("{} {name}", field.replace('_', " "))
            }
            _ => label.replace('_', " "),
        };
        let mut lines = wrapped(value).into_iter();
        let first = lines.next().unwrap_or_default();
        let _ = write!(text, "  {label:LABELS$} {first}");
        for line in lines {
            let _ = write!(text, "\n  {:LABELS$} {line}", "");
        }
        if let Some(place) = self.changed_in(path) {
            let _ = write!(text, "  ← {place}");
        }
        text.push('\n');
    }

    /// Where a user's folder first says something at or below `path`.
    fn changed_in(&self, path: &str) -> Option<String> {
        let below = format!("{path}.");
        let is_meant = |leaf: &&Leaf| leaf.path == path || leaf.path.starts_with(&below);
        let changed = self.leaves.iter().filter(is_meant);
        let first = changed
            .filter(|leaf| self.built_in && !is_built_in(&leaf.file))
            .min_by_key(|leaf| leaf.position)?;
        Some(format!("{}:{}", first.file, first.position.0))
    }

    /// `3.11  bookworm  fixes until 2027-10-31, default`.
    fn version(&self, table: &Table) -> String {
        let text = |table: &Table, key: &str| table.get(key).map(plain).unwrap_or_default();
        let (version, ends) = (text(table, "version"), text(table, "ends"));
        let mut line = format!("{version:6} {:9} fixes until {ends}", text(table, "suite"));
        if ends < text(self.table, "checked") {
            line.push_str(", ended");
        }
        if version == text(self.table, "default") {
            line.push_str(", default");
        }
        line
    }
}

/// The fields of a small table, the one that names it first.
fn one_line(table: &Table) -> String {
    let first = [
        "words", "run", "command", "name", "package", "file", "path", "word", "pattern", "text",
    ];
    let first = first.into_iter().find(|key| table.contains_key(*key));
    let mut parts: Vec<String> = Vec::new();
    parts.extend(first.map(|key| match plain(&table[key]) {
        alone if alone.is_empty() => "(nothing else)".to_owned(),
        text => text,
    }));
    for (key, value) in table.iter().filter(|(key, _)| Some(key.as_str()) != first) {
        parts.push(format!("{}: {}", key.replace('_', " "), plain(value)));
    }
    parts.join("; ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().replace('\n', " ⏎ "),
        Value::Array(elements) => {
            let words: Vec<String> = elements.iter().map(plain).collect();
            words.join(" ")
        }
        Value::Table(table) => {
            let pairs = table
                .iter()
                .map(|(key, value)| format!("{key} {}", plain(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        value => value.to_string(),
    }
}

/// Breaks a long line at blanks.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in line.split(' ') {
        match lines.last_mut() {
            Some(last) if last.chars().count() + word.chars().count() < WIDTH - LABELS => {
                last.push(' ');
                last.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
