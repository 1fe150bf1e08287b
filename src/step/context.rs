//! Where a command stands: for which platform, for which purpose.

use std::sync::Arc;

use super::{Context, Purpose, reader::Reader};
use crate::{
    readme::{Paragraph, Titles},
    recipe::{Catalog, contains_word, end_of_word},
};

/// What a text says of platforms: [`Reader::platform`].
type Platform = Option<Option<String>>;

/// What a heading says of all that stands below it.
#[derive(Debug, Clone)]
pub(super) struct Section {
    heading: Arc<str>,
    purpose: Purpose,
    platform: Platform,
}

/// Where the words of platforms end in a paragraph for the first time.
pub(super) struct Platforms<'c> {
    debian: Option<usize>,
    others: Vec<(&'c str, usize)>,
}

impl<'c> Platforms<'c> {
    /// Returns those that `paragraph` names.
    pub(super) fn of(paragraph: &Paragraph, catalog: &'c Catalog) -> Self {
        let lists = catalog.words.get("platforms").map(|table| &table.lists);
        let ends = lists.into_iter().flatten().filter_map(|(list, words)| {
            let ends = words
                .iter()
                .filter_map(|word| end_of_word(&paragraph.text, word));
            Some((list.as_str(), ends.min()?))
        });
        let (debian, others): (Vec<_>, Vec<_>) = ends.partition(|(list, _)| *list == "debian");
        Self {
            debian: debian.first().map(|(_, end)| *end),
            others,
        }
    }

    /// Returns what the first `before` bytes of the paragraph say, as [`Reader::platform`].
    pub(super) fn before(&self, before: usize) -> Platform {
        if self.debian.is_some_and(|end| end <= before) {
            return Some(None);
        }
        let mut named = self.others.iter().filter(|(_, end)| *end <= before);
        named
            .next()
            .map(|(platform, _)| Some((*platform).to_owned()))
    }
}

impl Reader<'_> {
    pub(super) fn context(&mut self, headings: &Titles, lead: &str) -> Context {
        // The innermost heading that says something wins; the sentence before the block last. An
        // application that is called "API" or "Test-driven …" tells its installation all the same.
        let title = headings.first().zip(self.title.as_ref());
        let is_title = title.is_some_and(|(first, title)| first == title);
        self.enter(headings);
        let sections = self.sections.iter().rev();
        let purpose = self.sections[usize::from(is_title)..]
            .iter()
            .rev()
            .map(|section| section.purpose)
            .find(|purpose| *purpose != Purpose::Install);
        let sentence = lead
            .rsplit(['.', '\n'])
            .find(|sentence| !sentence.trim().is_empty())
            .unwrap_or(lead);
        let near = self.platform(sentence);
        let platform = near
            .or_else(|| sections.cloned().find_map(|section| section.platform))
            .flatten();
        Context {
            directory: self.directory.clone(),
            platform,
            purpose: purpose.unwrap_or_default(),
            is_alternative: self.says_alternative(sentence),
            headings: Arc::clone(headings),
        }
    }

    /// Goes below `headings`, with what each of them says.
    fn enter(&mut self, headings: &Titles) {
        let mut known = self.sections.iter().zip(headings.iter());
        let is_other = |(section, heading): (&Section, &Arc<str>)| section.heading != *heading;
        let same = known.position(is_other);
        self.sections.truncate(same.unwrap_or(headings.len()));
        for heading in &headings[self.sections.len()..] {
            let section = Section {
                heading: Arc::clone(heading),
                purpose: self.purpose(heading),
                platform: self.platform(heading),
            };
            self.sections.push(section);
        }
    }

    /// "Or with yarn:", "Alternatively, …", or what ends in "or" before a piece of code.
    pub(super) fn says_alternative(&self, sentence: &str) -> bool {
        let words = self.catalog.list("prose", "alternatives");
        // Either end of the sentence, with a letter more than any of the words has.
        let longest = words.iter().map(|word| word.chars().count()).max();
        let longest = longest.unwrap_or_default() + 1;
        let sentence = sentence.trim();
        let end = sentence.char_indices().nth(longest);
        let first = &sentence[..end.map_or(sentence.len(), |(at, _)| at)];
        let start = sentence.char_indices().rev().nth(longest - 1);
        let last = &sentence[start.map_or(0, |(at, _)| at)..];
        let (first, last) = (first.to_lowercase(), last.to_lowercase());
        words.iter().any(|word| {
            let begins = first.strip_prefix(word.as_str());
            let ends = last.strip_suffix(word.as_str());
            let is_whole = |rest: Option<&str>, edge: fn(&str) -> Option<char>| {
                rest.is_some_and(|rest| edge(rest).is_none_or(|c| !c.is_alphanumeric()))
            };
            is_whole(begins, |rest| rest.chars().next())
                || is_whole(ends, |rest| rest.chars().next_back())
        })
    }

    fn purpose(&self, heading: &str) -> Purpose {
        let says = |list: &str| self.catalog.has_word("sections", list, heading);
        match () {
            () if says("test") && !says("run") => Purpose::Test,
            () if says("docker") => Purpose::OtherWay,
            () if says("production") => Purpose::Install,
            () if says("development") => Purpose::Development,
            () if says("client") => Purpose::Usage,
            () => Purpose::Install,
        }
    }

    /// Returns `Some(None)` where `text` names Debian or its like, `Some(Some(platform))` where it
    /// names only another platform, `None` where it names none.
    pub(super) fn platform(&self, text: &str) -> Option<Option<String>> {
        let lists = &self.catalog.words.get("platforms")?.lists;
        let names = |list: &str| {
            lists
                .get(list)
                .is_some_and(|words| words.iter().any(|word| contains_word(text, word)))
        };
        if names("debian") {
            return Some(None);
        }
        lists
            .keys()
            .find(|list| names(list))
            .map(|platform| Some(platform.clone()))
    }
}
