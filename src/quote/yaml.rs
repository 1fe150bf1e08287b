//! Scalars and keys of YAML, read alike by YAML 1.1 and 1.2.
//!
//! A template of YAML lays out nothing but these types, as [`Laid`] has the compiler prove: no text
//! reaches a file without one.

use std::fmt;

use serde::{Serialize, Serializer};

use super::is_hidden;
use crate::name::Name;

/// A scalar in double quotes, on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalar<T>(T);

/// A scalar without quotes, where every reader takes it for the same text; else as [`Scalar`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word<T>(T);

/// A key. It can only be a [`Name`], as one of more than 1,024 characters needs another form
/// (<https://yaml.org/spec/1.2.2/#742-flow-mappings>).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<T: Name>(T);

/// A sequence of scalars on one line; a template takes an empty one for false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow<T>(Vec<T>);

/// The text of a comment, on one line: what is hidden becomes a blank.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Comment(String);

impl<T> Scalar<T> {
    /// Makes a scalar of `text`.
    pub fn new(text: impl Into<T>) -> Self {
        Self(text.into())
    }
}

impl<T> Word<T> {
    /// Makes a scalar of `text`.
    pub fn new(text: impl Into<T>) -> Self {
        Self(text.into())
    }
}

impl<T: Name> Key<T> {
    /// Makes a key of `name`.
    pub fn new(name: T) -> Self {
        Self(name)
    }
}

impl<T> Flow<T> {
    /// Makes a sequence of `items`.
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T> Default for Flow<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Comment {
    /// Makes a comment of `text`.
    pub fn new(text: &str) -> Self {
        let text = text.replace(is_hidden, " ");
        Self(text.trim().to_owned())
    }
}

impl<T: AsRef<str>> fmt::Display for Scalar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quoted(self.0.as_ref(), f)
    }
}

impl<T: AsRef<str>> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self.0.as_ref(), f)
    }
}

impl<T: Name> fmt::Display for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self.0.as_ref(), f)
    }
}

impl<T: fmt::Display> fmt::Display for Flow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "[" } else { ", " })?;
            item.fmt(f)?;
        }
        f.write_str(if self.0.is_empty() { "" } else { "]" })
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes `text` in double quotes. The escapes are those that YAML and JSON have in common, but for
/// characters beyond U+FFFF (<https://yaml.org/spec/1.2.2/#57-escaped-characters>).
fn quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if is_hidden(c) && u32::from(c) > 0xffff => write!(f, "\\U{:08x}", u32::from(c))?,
            c if is_hidden(c) => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

/// Writes `text` without quotes where that is safe.
fn word(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if is_plain(text) {
        f.write_str(text)
    } else {
        quoted(text, f)
    }
}

/// What YAML 1.1 takes for something else than a text (<https://yaml.org/type/>); numbers and dates
/// begin with none of the characters that [`is_plain`] lets a text begin with.
const RESERVED: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// Whether `text` is the same text without quotes, whoever reads it.
fn is_plain(text: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let is_beginning = |c: char| c.is_ascii_alphabetic() || c == '_';
    (text.starts_with(is_beginning) || text.starts_with("../"))
        && text.chars().all(is_known)
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

/// What a template of YAML in the place `P` may lay out. A text of a stranger is laid out by the types of
/// [`quote`](super) alone; `String` is none of them.
///
/// ```compile_fail
/// use longshore::quote::{kubernetes::Kubernetes, yaml::Laid};
///
/// fn lay_out(field: impl Laid<Kubernetes>) {}
/// lay_out(String::from("a stranger's"));
/// ```
///
/// It stands there by a type that quotes it:
///
/// ```
/// use longshore::quote::{kubernetes::{Kubernetes, Literal}, yaml::{Laid, Scalar}};
///
/// fn lay_out(field: impl Laid<Kubernetes>) {}
/// lay_out(Scalar::<Literal>::new("a stranger's"));
/// ```
///
/// Nor may a text of one place stand in another, where a `$` may mean something else:
///
/// ```compile_fail
/// use longshore::quote::{compose::Compose, kubernetes::Literal, yaml::{Laid, Scalar}};
///
/// fn lay_out(field: impl Laid<Compose>) {}
/// lay_out(Scalar::<Literal>::new("$HOME"));
/// ```
pub trait Laid<P> {}

impl<P> Laid<P> for bool {}
impl<P> Laid<P> for u16 {}
impl<P> Laid<P> for u32 {}
impl<P> Laid<P> for u64 {}
// Words of the program itself.
impl<P> Laid<P> for &'static str {}
impl<P> Laid<P> for Comment {}
impl<P, T: Laid<P>> Laid<P> for Option<T> {}
impl<P, T: Laid<P>> Laid<P> for Vec<T> {}
impl<P, T: Laid<P>> Laid<P> for Flow<T> {}
impl<P, T: Name> Laid<P> for Key<T> {}
impl<P, T: Name> Laid<P> for Scalar<T> {}
impl<P, T: Name> Laid<P> for Word<T> {}

/// Hands a template the text as it is to stand there.
macro_rules! serialized {
    ($([$($generics:tt)*] $name:ty),+ $(,)?) => {
        $(
            impl<$($generics)*> Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }
        )+
    };
}

serialized!(
    [T: AsRef<str>] Scalar<T>,
    [T: AsRef<str>] Word<T>,
    [T: Name] Key<T>,
    [T: fmt::Display] Flow<T>,
    [] Comment,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::EnvName;

    fn scalar(text: &str) -> String {
        Scalar::<String>::new(text).to_string()
    }

    fn word(text: &str) -> String {
        Word::<String>::new(text).to_string()
    }

    #[test]
    fn a_scalar_stands_on_one_line_in_double_quotes() {
        assert_eq!(scalar("a \"b\" \\"), r#""a \"b\" \\""#);
        assert_eq!(scalar("a\nb\r\tc"), r#""a\nb\r\tc""#);
        assert_eq!(scalar("Läden – 店"), "\"Läden – 店\"");
    }

    #[test]
    fn what_is_hidden_is_escaped() {
        assert_eq!(
            scalar("\u{0}\u{1b}\u{7f}\u{85}"),
            r#""\u0000\u001b\u007f\u0085""#
        );
        assert_eq!(
            scalar("\u{2028}\u{2029}\u{feff}"),
            r#""\u2028\u2029\ufeff""#
        );
        assert_eq!(
            scalar("\u{202e}\u{fffe}\u{1ffff}"),
            r#""\u202e\ufffe\U0001ffff""#
        );
        assert_eq!(scalar("\u{e000}0\u{e001}"), r#""\ue0000\ue001""#);
    }

    #[test]
    fn a_word_that_is_a_text_for_everybody_needs_no_quotes() {
        for text in ["web", "_x", "DATABASE_URL", "../../base", "k8s/a-b.yaml"] {
            assert_eq!(word(text), text);
        }
    }

    #[test]
    fn what_may_be_something_else_is_quoted() {
        for text in [
            "",
            "NO",
            "y",
            "Yes",
            "true",
            "null",
            "~",
            "on",
            "1e3",
            "0x1",
            "12:30",
            "2026-01-01",
            ".inf",
            "<<",
            "=",
            "-",
            "- a",
            "a: b",
            "a #b",
            "*a",
            "&a",
            "!a",
            "a b",
            "é",
            ".5",
            "?",
            "@a",
        ] {
            assert_eq!(word(text), scalar(text), "{text}");
        }
    }

    #[test]
    fn a_key_is_quoted_like_a_word() {
        let key = |text: &str| Key::new(EnvName::parse(text).expect("a name")).to_string();
        assert_eq!(key("PORT"), "PORT");
        assert_eq!(key("NO"), "\"NO\"");
    }

    #[test]
    fn a_sequence_stands_on_one_line() {
        let items = ["a", "b, c"].map(Scalar::<String>::new);
        assert_eq!(Flow::new(items).to_string(), r#"["a", "b, c"]"#);
        assert_eq!(Flow::<Scalar<String>>::default().to_string(), "");
    }

    #[test]
    fn nothing_ends_a_comment() {
        let comment = Comment::new(" a\u{2028}b\nc\u{85}d\u{e000}0\u{feff}");
        assert_eq!(comment.to_string(), "a b c d 0");
    }
}
