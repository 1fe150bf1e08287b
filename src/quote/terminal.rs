//! Texts on a terminal, in a log, or in the JSON that a program prints: what is [hidden](is_hidden) is shown
//! as an escape, so that a stranger's text neither moves the cursor nor reads otherwise than it is.

use std::fmt::{self, Write};

use serde::Serialize;

use super::is_hidden;

/// What may be printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Shows `text`, whose lines and tabs stay.
    pub fn text(text: &str) -> Self {
        Self(visible(text))
    }

    /// Shows `value` as JSON on one line, and ends the line.
    ///
    /// # Errors
    ///
    /// When `value` is none that JSON can hold.
    pub fn json_line(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(json(&serde_json::to_string(value)?) + "\n"))
    }

    /// Shows `value` as JSON for people, and ends the last line.
    ///
    /// # Errors
    ///
    /// When `value` is none that JSON can hold.
    pub fn json(value: &impl Serialize) -> serde_json::Result<Self> {
        Ok(Self(json(&serde_json::to_string_pretty(value)?) + "\n"))
    }

    /// Shows `self` behind `word`, a word of the program itself.
    #[must_use]
    pub fn behind(self, word: &'static str) -> Self {
        Self(format!("{word}{}", self.0))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns `text` with escapes such as `\u{1b}` for what is hidden; lines and tabs stay.
pub fn visible(text: &str) -> String {
    escaped(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

/// As [`visible`], on one line: a value cannot look like a line of its own.
pub fn line(text: &str) -> String {
    escaped(text, |c| is_hidden(c) && c != '\t')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_escaped(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c => out.extend(c.escape_unicode()),
        }
    }
    out
}

/// `text`, which is JSON, with escapes for what is hidden: such characters stand in strings alone, but for
/// the ends of lines.
fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_hidden_is_an_escape() {
        assert_eq!(
            visible("a\u{1b}[31m\u{9b}\u{7f}"),
            r"a\u{1b}[31m\u{9b}\u{7f}"
        );
        assert_eq!(
            visible("a\u{202e}b\u{2028}\u{feff}"),
            r"a\u{202e}b\u{2028}\u{feff}"
        );
        assert_eq!(visible("a\tb\r\nc"), "a\tb\\r\nc");
        assert_eq!(visible("Läden – 店 👩‍🔧"), "Läden – 店 👩‍🔧");
    }

    #[test]
    fn a_value_is_no_line_of_its_own() {
        assert_eq!(line("npm start\n  port  80"), r"npm start\n  port  80");
    }

    proptest! {
        #[test]
        fn json_is_read_back_equal(text in any::<String>()) {
            let shown = Shown::json(&[&text]).expect("JSON").to_string();
            prop_assert!(!shown.chars().any(|c| is_hidden(c) && c != '\n'));
            let read: Vec<String> = serde_json::from_str(&shown).expect("JSON");
            prop_assert_eq!(read, vec![text]);
        }
    }
}
