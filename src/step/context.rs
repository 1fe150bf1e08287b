//! Where a command stands: for which platform, for which purpose.

use super::{Context, Purpose, reader::Reader};
use crate::recipe::contains_word;

impl Reader<'_> {
    pub(super) fn context(&self, headings: &[String], lead: &str) -> Context {
        // The innermost heading that says something wins; the sentence before the block last. An
        // application that is called "API" or "Test-driven …" tells its installation all the same.
        let title = headings.first().zip(self.title.as_ref());
        let is_title = title.is_some_and(|(first, title)| first == title);
        let purpose = headings[usize::from(is_title)..]
            .iter()
            .rev()
            .map(|heading| self.purpose(heading))
            .find(|purpose| *purpose != Purpose::Install);
        let sentence = lead
            .rsplit(['.', '\n'])
            .find(|sentence| !sentence.trim().is_empty())
            .unwrap_or(lead);
        let near = self.platform(sentence);
        let platform = near
            .or_else(|| {
                headings
                    .iter()
                    .rev()
                    .find_map(|heading| self.platform(heading))
            })
            .flatten();
        Context {
            directory: self.directory.clone(),
            platform,
            purpose: purpose.unwrap_or_default(),
            is_alternative: self.says_alternative(sentence),
            headings: headings.to_vec(),
        }
    }

    /// "Or with yarn:", "Alternatively, …", or what ends in "or" before a piece of code.
    pub(super) fn says_alternative(&self, sentence: &str) -> bool {
        let lower = sentence.trim().to_lowercase();
        let words = self.catalog.list("prose", "alternatives");
        words.iter().any(|word| {
            let begins = lower.strip_prefix(word.as_str());
            let ends = lower.strip_suffix(word.as_str());
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
