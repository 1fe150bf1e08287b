//! Texts of Markdown on one line, in a list or a table: nothing in them is markup or HTML.

use serde::{Serialize, Serializer};

use super::{is_hidden, shell, yaml::Laid};

/// Marks the template of a Markdown file.
#[derive(Debug)]
pub enum Markdown {}

/// Markdown on one line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inline(String);

impl Inline {
    /// Returns `words` as plain text.
    pub fn text(words: &str) -> Self {
        let mut plain = String::new();
        for c in on_one_line(words).chars() {
            match c {
                '<' => plain.push_str("&lt;"),
                '>' => plain.push_str("&gt;"),
                '&' => plain.push_str("&amp;"),
                '|' | '*' | '[' | ']' | '\\' => plain.extend(['\\', c]),
                '`' => plain.push('\''),
                _ => plain.push(c),
            }
        }
        Self(plain)
    }

    /// Returns `words` as code, between one backtick more than stand in a row in it; nothing for none
    /// (<https://spec.commonmark.org/0.31.2/#code-spans>). The `|` is one for a table
    /// (<https://github.github.com/gfm/#example-200>).
    pub fn code(words: &str) -> Self {
        let plain = on_one_line(words).replace('|', "\\|");
        if plain.is_empty() {
            return Self::default();
        }
        let runs = plain.split(|c| c != '`').map(str::len);
        let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
        let pad = if plain.contains('`') { " " } else { "" };
        Self(format!("{fence}{pad}{plain}{pad}{fence}"))
    }

    /// Appends `words` of the program itself.
    #[must_use]
    pub fn words(self, words: &'static str) -> Self {
        Self(self.0 + words)
    }

    /// Appends `other`.
    #[must_use]
    pub fn then(self, other: &Self) -> Self {
        Self(self.0 + &other.0)
    }

    /// Returns `all` with commas between them.
    pub fn list(all: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<String> = all.into_iter().map(|inline| inline.0).collect();
        Self(all.join(", "))
    }
}

/// Words of a command in a block of code, for copying.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Returns `text` as one word.
    pub fn one(text: &str) -> Self {
        Self(shell::copied(text))
    }

    /// Returns `flags`, a word each, with a blank behind each.
    pub fn flags(flags: impl IntoIterator<Item = String>) -> Self {
        let flags = flags.into_iter().map(|flag| shell::copied(&flag) + " ");
        Self(flags.collect())
    }
}

fn on_one_line(words: &str) -> String {
    words.replace(is_hidden, " ").trim().to_owned()
}

impl Serialize for Inline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for Words {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Laid<Markdown> for Inline {}
impl Laid<Markdown> for Words {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;

    /// The events in the first cell of a table that holds `inline`.
    fn in_a_table(inline: &Inline) -> Vec<Event<'static>> {
        let page = format!("| a |\n|---|\n| {} |\n", inline.0);
        let events = Parser::new_ext(&page, Options::ENABLE_TABLES);
        let events = events.map(Event::into_static);
        let of_cell = events
            .skip_while(|event| !matches!(event, Event::End(pulldown_cmark::TagEnd::TableHead)));
        of_cell
            .filter(|event| !matches!(event, Event::Start(_) | Event::End(_)))
            .collect()
    }

    #[test]
    fn code_lies_between_more_backticks_than_it_has() {
        assert_eq!(Inline::code("npm ci").0, "`npm ci`");
        assert_eq!(Inline::code("a `b`").0, "`` a `b` ``");
        assert_eq!(Inline::code("``<img src=x>``").0, "``` ``<img src=x>`` ```");
        assert_eq!(Inline::code("a\n# b\u{202e}").0, "`a # b`");
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        assert_eq!(
            Inline::text("<b> [a](b) `c` *d* | \\").0,
            "&lt;b&gt; \\[a\\](b) 'c' \\*d\\* \\| \\\\"
        );
    }

    proptest! {
        #[test]
        fn code_is_read_back_equal(words in "[a<>`|*&# ]{1,16}|\\PC{1,20}") {
            let code = Inline::code(&words);
            let words = on_one_line(&words);
            if !words.is_empty() {
                prop_assert_eq!(in_a_table(&code), vec![Event::Code(words.into())]);
            }
        }

        #[test]
        fn a_text_is_no_html_and_no_code(words in "[a<>`|*&!#\\[\\]()\\\\ ]{1,16}|\\PC{1,20}") {
            let events = in_a_table(&Inline::text(&words));
            let is_text = |event: &Event| matches!(event, Event::Text(_) | Event::SoftBreak);
            prop_assert!(events.iter().all(is_text), "{:?}", events);
        }
    }
}
