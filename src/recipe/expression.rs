//! A regular expression of a recipe, compiled when the catalogue is read.

use std::ops::Deref;

use regex::Regex;
use serde::Deserialize;

/// A regular expression of a recipe.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Expression(Regex);

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Regex::new(&text).map(Self).map_err(|error| {
            // The last line says what is wrong; those before it draw the expression.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            format!("the regular expression `{text}` does not compile: {reason}")
        })
    }
}

impl Deref for Expression {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.0
    }
}
