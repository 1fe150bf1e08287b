//! Patterns of `.dockerignore`, which match what they are made of and nothing else
//! (<https://docs.docker.com/build/concepts/context/#syntax>,
//! <https://github.com/moby/patternmatcher>).

use serde::{Serialize, Serializer};

use super::{is_hidden, yaml::Laid};

/// Marks the template of `.dockerignore`.
#[derive(Debug)]
pub enum IgnoreFile {}

/// A line of `.dockerignore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Returns the program's own pattern `text`.
    pub fn own(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the pattern that lets the file at `path` in again, and no other; `None` for a name that no
    /// line can hold: blanks at its ends go, and what is hidden may end it.
    pub fn except(path: &str) -> Option<Self> {
        if path.is_empty() || path.contains(is_hidden) || path.trim() != path {
            return None;
        }
        let mut pattern = String::from("!");
        for c in path.chars() {
            match c {
                '*' | '?' | '[' | ']' | '\\' => pattern.extend(['\\', c]),
                c => pattern.push(c),
            }
        }
        Some(Self(pattern))
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Laid<IgnoreFile> for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    fn except(path: &str) -> Option<String> {
        Pattern::except(path).map(|pattern| pattern.0)
    }

    #[test]
    fn a_name_is_no_pattern() {
        assert_eq!(except(".env.example").as_deref(), Some("!.env.example"));
        assert_eq!(except(".env*").as_deref(), Some("!.env\\*"));
        assert_eq!(except("a/[b]\\?").as_deref(), Some("!a/\\[b\\]\\\\\\?"));
        assert_eq!(except("#a !b").as_deref(), Some("!#a !b"));
    }

    #[test]
    fn a_name_that_no_line_can_hold_is_refused() {
        for path in ["a\n!secret.key", "a ", " a", "a\r", ""] {
            assert_eq!(except(path), None, "{path:?}");
        }
    }
}
