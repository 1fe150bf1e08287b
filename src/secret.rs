//! Secrets, known by name and by value.
//!
//! [`Patterns`] finds them in a text, by data of `recipes/words/secrets.toml`; [`Known`] remembers
//! them, and its [`Mask`] hides them wherever they stand.

mod known;
mod patterns;
mod value;

pub use known::{Found, Known, MASK, Mask};
pub use patterns::{Hit, Patterns};

/// A value that must not be shown.
///
/// It has no `Display`, `Debug` or `Serialize`, so that no message, log or file holds it:
///
/// ```compile_fail
/// println!("{:?}", longshore::secret::Secret::new("x"));
/// ```
///
/// ```compile_fail
/// println!("{}", longshore::secret::Secret::new("x"));
/// ```
///
/// ```compile_fail
/// serde_json::to_string(&longshore::secret::Secret::new("x"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the secret `value`.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the value, for looking where it stands and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}
