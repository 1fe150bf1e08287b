//! The secrets of one run, and the mask over them.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::Value;

use super::Secret;

/// What is shown in the place of a secret.
pub const MASK: &str = "***";

/// A secret that was found.
#[derive(Clone)]
pub struct Found {
    /// The value.
    pub secret: Secret,
    /// Name of the variable that takes its place, such as `DB_PASSWORD`.
    pub name: String,
    /// Whether its own form says that it is a secret, and not only its place.
    pub is_certain: bool,
    /// The file and the line, from 1, where it was seen first; `None` for what stands in no file.
    pub place: Option<(String, usize)>,
}

/// Collects the secrets of one run.
#[derive(Default)]
pub struct Known {
    found: Vec<Found>,
    /// Where each value is in `found`.
    places: HashMap<String, usize>,
    /// The names that are given, and how many were asked for.
    names: HashMap<String, usize>,
}

impl Known {
    /// Adds `value`, which was seen at `place`, and is called `name` or, where another one is called so,
    /// `name_2` and so on.
    pub fn add(
        &mut self,
        value: &str,
        name: &str,
        is_certain: bool,
        place: Option<(String, usize)>,
    ) {
        if let Some(index) = self.places.get(value) {
            let known = &mut self.found[*index];
            known.place = known.place.take().or(place);
            known.is_certain |= is_certain;
            return;
        }
        let mut own = name.to_owned();
        while self.names.contains_key(&own) {
            let count = self.names.entry(name.to_owned()).or_default();
            *count += 1;
            own = format!("{name}_{count}");
        }
        self.names.insert(own.clone(), 1);
        self.places.insert(value.to_owned(), self.found.len());
        self.found.push(Found {
            secret: Secret::new(value),
            name: own,
            is_certain,
            place,
        });
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the mask over them all. What is also one of `names`, or a part of `structure`, protects
    /// nothing, unless its form says that it is a secret: it is left out.
    pub fn mask(self, names: &BTreeSet<&str>, structure: &str) -> Mask {
        let is_name = |value: &str| names.contains(value) || structure.contains(value);
        let is_secret = |known: &Found| known.is_certain || !is_name(known.secret.reveal());
        Mask::new(self.found.into_iter().filter(is_secret).collect())
    }
}

/// The secrets of one run, found wherever they stand.
pub struct Mask {
    found: Vec<Found>,
    searcher: Option<AhoCorasick>,
}

impl Mask {
    /// Returns the mask over the secrets `found`.
    pub fn new(found: Vec<Found>) -> Self {
        let values = found.iter().map(|known| known.secret.reveal());
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            // To build the other kinds costs more than in proportion to the length of a value.
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(values);
        Self {
            // Only more text than is ever read would be too much for it.
            searcher: searcher.ok().filter(|_| !found.is_empty()),
            found,
        }
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the secrets.
    pub fn iter(&self) -> impl Iterator<Item = &Found> {
        self.found.iter()
    }

    /// Returns where secrets stand in `text`, in its order; of two that overlap, the first.
    pub fn places<'m>(&'m self, text: &'m str) -> impl Iterator<Item = (Range<usize>, &'m Found)> {
        let searcher = self.searcher.iter();
        searcher.flat_map(move |searcher| {
            let found = searcher.find_iter(text);
            found.map(|found| (found.range(), &self.found[found.pattern().as_usize()]))
        })
    }

    /// Returns whether a secret stands in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        let mut searcher = self.searcher.iter();
        searcher.any(|searcher| searcher.is_match(text))
    }

    /// Returns `text` with [`MASK`] in the place of every secret.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.mask_with(text, |_| Cow::Borrowed(MASK))
    }

    /// Returns `text` with [`MASK`] in the place of every secret, behind which its ends of lines stay.
    pub fn mask_lines<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.mask_with(text, |secret| {
            let lines = secret.matches('\n').count();
            match lines {
                0 => Cow::Borrowed(MASK),
                _ => Cow::Owned(format!("{MASK}{}", "\n".repeat(lines))),
            }
        })
    }

    /// Masks every text of `value`, and every name in it.
    pub fn mask_value(&self, value: &mut Value) {
        let mut open = vec![value];
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => {
                    if let Cow::Owned(masked) = self.mask(text) {
                        *text = masked;
                    }
                }
                Value::Array(items) => open.extend(items),
                Value::Object(members) => {
                    if members.keys().any(|name| self.is_in(name)) {
                        let all = std::mem::take(members).into_iter();
                        *members = all
                            .map(|(name, value)| (self.mask(&name).into_owned(), value))
                            .collect();
                    }
                    open.extend(members.values_mut());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }

    fn mask_with<'t>(
        &self,
        text: &'t str,
        shown: impl Fn(&str) -> Cow<'static, str>,
    ) -> Cow<'t, str> {
        let mut masked = String::new();
        let mut from = 0;
        for (range, _) in self.places(text) {
            masked += &text[from..range.start];
            masked += &shown(&text[range.clone()]);
            from = range.end;
        }
        match from {
            0 => Cow::Borrowed(text),
            _ => Cow::Owned(masked + &text[from..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(values: &[&str]) -> Known {
        let mut known = Known::default();
        for value in values {
            known.add(value, "A", false, None);
        }
        known
    }

    #[test]
    fn a_longer_secret_is_masked_before_one_within_it() {
        let mask = known(&["abc123", "abc123def", "abc123"]).mask(&BTreeSet::new(), "");
        assert_eq!(mask.mask("x abc123def abc123 y"), "x *** *** y");
        let names: Vec<&str> = mask.iter().map(|known| known.name.as_str()).collect();
        assert_eq!(names, ["A", "A_2"]);
    }

    #[test]
    fn what_is_also_a_name_is_no_secret() {
        let names = BTreeSet::from(["shop12"]);
        let mask = known(&["shop12", "node20", "Xk39fQ"]).mask(&names, "node20-alpine");
        assert_eq!(mask.mask("shop12 node20 Xk39fQ"), "shop12 node20 ***");
    }

    #[test]
    fn a_secret_of_several_lines_leaves_their_number() {
        let mask = known(&["abc\ndef"]).mask(&BTreeSet::new(), "");
        assert_eq!(mask.mask_lines("a\nabc\ndef\nz"), "a\n***\n\nz");
    }
}
