//! The pattern of a tool's command: `install -r * ...`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Words that a command must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    positionals: Vec<Token>,
    flags: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(Vec<String>),
    One,
    Rest,
}

/// What a pattern found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Arguments that stood for `*` and `...`.
    pub arguments: Vec<String>,
    /// How much of the command was literal: higher is more specific.
    pub specificity: usize,
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl Pattern {
    /// Returns the words that the pattern names, without wildcards and flags.
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.positionals
            .iter()
            .flat_map(|token| match token {
                Token::Literal(words) => words.as_slice(),
                Token::One | Token::Rest => &[],
            })
            .map(String::as_str)
    }

    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// When `...` is not the last word.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pattern = Self {
            text: text.to_owned(),
            positionals: Vec::new(),
            flags: Vec::new(),
        };
        for word in text.split_whitespace() {
            if pattern.positionals.last() == Some(&Token::Rest) && !word.starts_with('-') {
                return Err(format!("`...` must be the last word of `{text}`"));
            }
            let alternatives = || word.split('|').map(str::to_owned).collect();
            match word {
                "..." => pattern.positionals.push(Token::Rest),
                "*" => pattern.positionals.push(Token::One),
                _ if word.starts_with('-') => pattern.flags.push(alternatives()),
                _ => pattern.positionals.push(Token::Literal(alternatives())),
            }
        }
        Ok(pattern)
    }

    /// Matches the words after the tool's name; `value_flags` take the word after them.
    pub fn matches(&self, words: &[&str], value_flags: &[String]) -> Option<Matched> {
        let (positionals, flags) = split(words, value_flags);
        let has = |wanted: &Vec<String>| {
            flags.iter().any(|flag| {
                wanted
                    .iter()
                    .any(|name| flag == name || flag.starts_with(&format!("{name}=")))
            })
        };
        if !self.flags.iter().all(has) {
            return None;
        }
        let mut arguments = Vec::new();
        let mut specificity = 2 * self.flags.len();
        let mut rest = positionals.as_slice();
        for token in &self.positionals {
            match (token, rest) {
                (Token::Literal(wanted), [first, tail @ ..])
                    if wanted.iter().any(|word| names(first, word)) =>
                {
                    specificity += 2;
                    rest = tail;
                }
                (Token::One, [first, tail @ ..]) => {
                    arguments.push((*first).to_owned());
                    specificity += 1;
                    rest = tail;
                }
                (Token::Rest, all) => {
                    arguments.extend(all.iter().map(|word| (*word).to_owned()));
                    rest = &[];
                }
                (Token::Literal(_) | Token::One, _) => return None,
            }
        }
        rest.is_empty().then_some(Matched {
            arguments,
            specificity,
        })
    }
}

/// Whether `word` is `literal`, or a path to a file of that name.
fn names(word: &str, literal: &str) -> bool {
    let is_path_to = || {
        word.strip_suffix(literal)
            .is_some_and(|folder| folder.ends_with('/'))
    };
    word == literal || literal.contains(['.', '/']) && is_path_to()
}

/// Splits `words` into positional arguments and flags; the value of a flag is neither.
pub fn split<'a>(words: &[&'a str], value_flags: &[String]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut positionals, mut flags) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.starts_with('-') && word.len() > 1 {
            flags.push(*word);
            if value_flags.iter().any(|flag| flag == word) {
                words.next();
            }
        } else {
            positionals.push(*word);
        }
    }
    (positionals, flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, command: &str, expected: Option<&[&str]>) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let found = Pattern::parse(pattern)
            .expect("reads")
            .matches(&words, &["-r".to_owned()]);
        assert_eq!(
            found
                .as_ref()
                .map(|found| found.arguments.iter().map(String::as_str).collect()),
            expected.map(<[&str]>::to_vec)
        );
    }

    #[test]
    fn flags_may_stand_anywhere() {
        check("install ...", "-q install a -U b", Some(&["a", "b"]));
        check("install -r ...", "install -r requirements.txt", Some(&[]));
        check("install -r ...", "install flask", None);
    }

    #[test]
    fn a_pattern_without_rest_takes_no_further_word() {
        check("ci", "ci now", None);
        check("run *", "run start", Some(&["start"]));
    }

    #[test]
    fn alternatives_share_a_place() {
        check("start|restart ...", "restart redis", Some(&["redis"]));
    }
}
