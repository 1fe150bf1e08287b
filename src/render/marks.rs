//! Marks at the end of a line that lead to its origins.

use std::{cell::RefCell, collections::BTreeMap};

use serde::Serialize;

use super::Artifact;
use crate::{
    origin::Origin,
    output::OutputPath,
    quote::{is_hidden, yaml::Laid},
};

/// Private-use characters that no input may bring in.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// Hands out marks for lists of origins.
#[derive(Default)]
pub struct Marks {
    lists: RefCell<Vec<Vec<Origin>>>,
}

/// A mark for the end of a line.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Mark(String);

impl<P> Laid<P> for Mark {}

impl Marks {
    /// Returns the mark for `origins`, as a template of YAML lays it out.
    pub fn why(&self, origins: &[Origin]) -> Mark {
        Mark(self.mark(origins))
    }

    /// Returns the mark for `origins`; empty for none.
    pub fn mark(&self, origins: &[Origin]) -> String {
        if origins.is_empty() {
            return String::new();
        }
        let mut lists = self.lists.borrow_mut();
        lists.push(origins.to_vec());
        format!("{OPEN}{}{CLOSE}", lists.len() - 1)
    }

    /// Takes the marks off `text` and returns the file, whose path is of longshore's own words and ids; a line without one gets `otherwise`.
    pub fn artifact(&self, path: &str, text: &str, otherwise: &Origin) -> Artifact {
        let lists = self.lists.borrow();
        let mut contents = String::with_capacity(text.len());
        let mut origins: BTreeMap<usize, Vec<Origin>> = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let mut rest = line;
            while let Some((before, after)) = rest.split_once(OPEN) {
                contents.push_str(before);
                let (id, after) = after.split_once(CLOSE).unwrap_or(("", after));
                if let Some(list) = id.parse::<usize>().ok().and_then(|id| lists.get(id)) {
                    origins
                        .entry(index + 1)
                        .or_default()
                        .extend(list.iter().cloned());
                }
                rest = after;
            }
            contents.push_str(rest);
            contents.push('\n');
            let is_text = !line.trim().is_empty();
            if is_text {
                origins
                    .entry(index + 1)
                    .or_insert_with(|| vec![otherwise.clone()]);
            }
        }
        Artifact {
            path: OutputPath::fixed(path),
            contents,
            origins,
            executable: false,
        }
    }
}

/// Returns a file whose lines all have the same origins.
pub fn plain(path: &OutputPath, contents: &str, why: &[Origin]) -> Artifact {
    let origins = (1..=contents.lines().count())
        .map(|line| (line, why.to_vec()))
        .collect();
    Artifact {
        path: path.clone(),
        contents: contents.to_owned(),
        origins,
        executable: false,
    }
}

/// Returns `text` on one line: what is hidden becomes a blank, marks of its own are removed. So a
/// stranger's text can neither begin a new instruction nor lead a line to a wrong origin.
pub fn one_line(text: &str) -> String {
    let clean = text.chars().filter(|c| *c != OPEN && *c != CLOSE);
    clean
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_taken_off_and_remembered() {
        let marks = Marks::default();
        let why = [Origin::manifest("a", "b")];
        let text = format!("one{}\n\ntwo\n", marks.mark(&why));
        let artifact = marks.artifact("x", &text, &Origin::recipe("r", "t"));
        assert_eq!(artifact.contents, "one\n\ntwo\n");
        assert_eq!(artifact.origins[&1], why);
        assert_eq!(artifact.origins.keys().copied().collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn no_text_can_bring_in_a_line_or_a_mark() {
        assert_eq!(one_line("a\nRUN x\u{e000}0\u{e001}"), "a RUN x0");
    }
}
