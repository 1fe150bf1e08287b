//! Where a value comes from: the answer to "why is this line here?".

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::SourceFile;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// What kind of source it is.
    pub kind: OriginKind,
    /// File relative to the repository, or `recipes/…` for a recipe.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// Line in `file`, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<usize>,
    /// The words that said so, or the reason in one phrase.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
}

/// The kinds of source a value can come from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum OriginKind {
    /// A document that tells a person how to install the application.
    Readme,
    /// Any other file of the repository: a manifest, a lockfile, source code.
    Manifest,
    /// An entry of the catalogue.
    Recipe,
    /// The user's answer in `longshore.toml`.
    Answer,
    /// A smoke run.
    Measured,
}

/// Returns where `origins` point, each place once, in order: [`Origin::place`].
pub fn places(origins: &[Origin]) -> Vec<String> {
    let mut said = HashSet::new();
    let mut places: Vec<String> = origins.iter().map(Origin::place).collect();
    places.retain(|place| said.insert(place.clone()));
    places
}

impl Origin {
    /// Returns an origin in `file`, line `line`.
    pub fn at(
        kind: OriginKind,
        file: impl Into<String>,
        line: usize,
        text: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            file: Some(file.into()),
            line: Some(line),
            text: Some(text.into()),
        }
    }

    /// Returns the origin of what stands in `source` at byte `offset`: its line, and the words of it.
    pub fn in_source(source: &SourceFile, offset: usize) -> Self {
        let line = source.line(offset);
        Self::at(
            OriginKind::Manifest,
            &source.path,
            line,
            source.excerpt(offset),
        )
    }

    /// Returns the origin of something that the recipe `id` (such as `stacks/python-pip`) says.
    pub fn recipe(id: &str, text: impl Into<String>) -> Self {
        Self {
            kind: OriginKind::Recipe,
            file: Some(format!("recipes/{id}.toml")),
            line: None,
            text: Some(text.into()),
        }
    }

    /// Returns the origin of something `file` as a whole says.
    pub fn manifest(file: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            kind: OriginKind::Manifest,
            file: Some(file.into()),
            line: None,
            text: Some(text.into()),
        }
    }

    /// Returns where it points, for a person: `README.md:12`, `recipe django`, `measured`.
    pub fn place(&self) -> String {
        match (&self.file, self.line, self.kind) {
            (Some(file), _, OriginKind::Recipe) => file.clone(),
            (Some(file), Some(line), _) => format!("{file}:{line}"),
            (Some(file), None, _) => file.clone(),
            (None, _, OriginKind::Measured) => "measured".to_owned(),
            (None, _, OriginKind::Answer) => "longshore.toml".to_owned(),
            (None, _, _) => "recipes".to_owned(),
        }
    }
}
