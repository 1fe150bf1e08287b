//! Env files, by the rules of Compose's own reader
//! (<https://github.com/compose-spec/compose-go/blob/main/dotenv/parser.go>).
//!
//! `kubectl create secret --from-env-file` takes every value as it is, quotes and all: one that needs
//! quotes is read rightly by Compose alone. ConfigMaps do not come from these files.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{is_hidden, yaml::Laid};
use crate::name::VariableName;

/// Marks the template of env files.
#[derive(Debug)]
pub enum EnvFile {}

/// The name of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable(VariableName);

/// A value, quoted where it needs quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value(String);

impl Variable {
    /// Returns the name that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        VariableName::parse(text).map(Self)
    }
}

impl Value {
    /// Returns `text` as a value; `None` where it holds what is hidden and has no escape here.
    pub fn of(text: &str) -> Option<Self> {
        let is_latin = |c: char| u32::from(c) <= 0xff && c != '\0';
        if text.contains(|c| is_hidden(c) && !is_latin(c)) {
            return None;
        }
        let is_literal = !text.contains(|c| is_hidden(c) || c == '\'') && !text.ends_with('\\');
        Some(Self(if needs_no_quotes(text) {
            text.to_owned()
        } else if is_literal {
            format!("'{text}'")
        } else {
            escaped(text)
        }))
    }
}

/// Whether `text` is read as it is without quotes: up to ` #`, without blanks around it, and with the
/// values of variables.
fn needs_no_quotes(text: &str) -> bool {
    !text.contains(" #")
        && !text.contains(|c| is_hidden(c) || c == '$')
        && !text.starts_with(['"', '\''])
        && text.trim() == text
}

/// `text` in double quotes, with the escapes that are read there.
fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => out.push_str(&format!("\\0{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_ref())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Laid<EnvFile> for Variable {}
impl Laid<EnvFile> for Value {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Option<String> {
        Value::of(text).map(|value| value.to_string())
    }

    /// What Compose reads after `NAME=`, where no variable has a value: `extractVarValue` and
    /// `expandEscapes` of its reader, with `$$` for a dollar.
    fn read(source: &str) -> Option<String> {
        let mut chars = source.chars();
        let quote = source.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(quote) = quote else {
            let value = source.split(" #").next().unwrap_or_default();
            return (!value.contains('$')).then(|| value.trim().to_owned());
        };
        chars.next();
        let (mut value, mut escape) = (String::new(), false);
        for c in chars {
            if c != quote {
                if !escape && c == '\\' {
                    escape = true;
                    continue;
                }
                if escape {
                    escape = false;
                    value.push('\\');
                }
                value.push(c);
            } else if escape {
                escape = false;
                value.push(c);
            } else if quote == '\'' {
                return Some(value);
            } else {
                return Some(unescaped(&value));
            }
        }
        None
    }

    fn unescaped(text: &str) -> String {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                assert_ne!(c, '$', "a variable in {text}");
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('0') => {
                    let digits: String = chars.by_ref().take(3).collect();
                    let code = u32::from_str_radix(&digits, 8).expect("octal digits");
                    out.extend(char::from_u32(code));
                }
                Some(c) => out.push(c),
                None => out.push('\\'),
            }
        }
        out
    }

    #[test]
    fn a_value_has_quotes_only_where_it_needs_them() {
        for plain in [
            "",
            "a b",
            "a#b",
            "C:\\temp\\",
            "postgres://u@h/d?x=1",
            "it's",
        ] {
            assert_eq!(value(plain).as_deref(), Some(plain));
        }
        assert_eq!(value("a #b").as_deref(), Some("'a #b'"));
        assert_eq!(value("$HOME").as_deref(), Some("'$HOME'"));
        assert_eq!(value(" a ").as_deref(), Some("' a '"));
        assert_eq!(value("\"a\"").as_deref(), Some("'\"a\"'"));
        assert_eq!(value("'$a'").as_deref(), Some(r#""'\$a'""#));
        assert_eq!(value("a\nB=c").as_deref(), Some(r#""a\nB=c""#));
    }

    #[test]
    fn what_has_no_escape_is_refused() {
        assert_eq!(value("a\u{202e}b"), None);
        assert_eq!(value("a\0b"), None);
        assert_eq!(value("\u{1b}[31m").as_deref(), Some(r#""\0033[31m""#));
    }

    proptest! {
        #[test]
        fn any_value_is_read_back_equal(text in "[a\"'\\\\$ #\\n\\t0n]{0,12}|.{0,20}") {
            if let Some(written) = value(&text) {
                prop_assert!(!written.contains('\n'));
                prop_assert_eq!(read(&written), Some(text));
            }
        }
    }
}
