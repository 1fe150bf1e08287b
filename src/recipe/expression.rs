//! A regular expression of a recipe, compiled when it is first used.

use std::{ops::Deref, sync::OnceLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// A regular expression of a recipe. It is read when the recipe is, and compiled when it is first
/// used: most runs use few of several hundred.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Expression {
    text: String,
    compiled: OnceLock<Regex>,
}

impl TryFrom<String> for Expression {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Err(error) = regex_syntax::parse(&text) {
            // The last line says what is wrong; those before it draw the expression.
            let error = error.to_string();
            let reason = error.lines().last().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            return Err(format!(
                "the regular expression `{text}` does not compile: {reason}"
            ));
        }
        Ok(Self {
            text,
            compiled: OnceLock::new(),
        })
    }
}

impl Deref for Expression {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            let mut builder = RegexBuilder::new(&self.text);
            // What has been parsed can only fail by its size.
            let built = builder.size_limit(usize::MAX).build();
            built.expect("it was parsed when it was read")
        })
    }
}
