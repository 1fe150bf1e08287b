//! Text with positions: files of the input, byte spans, lines and columns.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::OnceLock,
};

/// A half-open range of byte offsets into one [`SourceFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset just past the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the span from `start` up to, but not including, `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Returns the span as a range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was read.
    pub value: T,
    /// Where it was read.
    pub span: Span,
}

/// One text file of the input, with its line table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the repository, with `/` between the parts.
    pub path: String,
    /// The whole text, valid UTF-8.
    pub text: String,
    /// `false` when the bytes were not UTF-8 and were read as Windows-1252.
    pub was_utf8: bool,
    line_starts: Vec<usize>,
    /// Where its words stand, once somebody asks for them.
    words: OnceLock<Words>,
}

/// Where words stand in a text for the first time, by their digest: the text itself tells whether it is
/// the word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Words {
    /// Between double quotes.
    quoted: HashMap<u64, usize>,
    /// Between quotes of either kind, or of letters, digits and what stands in names of packages.
    any: HashMap<u64, usize>,
}

impl SourceFile {
    /// Returns a file of `text` that goes by `path` in messages.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            path: path.into(),
            text,
            was_utf8: true,
            line_starts,
            words: OnceLock::new(),
        }
    }

    /// Decodes `bytes`: UTF-8 (byte order marks at its beginning are dropped), UTF-16 by its byte order
    /// mark, or else Windows-1252, in which every byte is a character.
    pub fn decode(path: impl Into<String>, mut bytes: &[u8]) -> Self {
        while let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
            bytes = rest;
        }
        match bytes {
            [0xff, 0xfe, rest @ ..] => Self::new(path, utf16(rest, u16::from_le_bytes)),
            [0xfe, 0xff, rest @ ..] => Self::new(path, utf16(rest, u16::from_be_bytes)),
            _ => match std::str::from_utf8(bytes) {
                Ok(text) => Self::new(path, text),
                Err(_) => {
                    let text: String = bytes.iter().map(|byte| windows_1252(*byte)).collect();
                    Self {
                        was_utf8: false,
                        ..Self::new(path, text)
                    }
                }
            },
        }
    }

    /// Returns the line of `offset`, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.line_starts
            .partition_point(|start| *start <= offset)
            .max(1)
    }

    /// Returns the line and the column of `offset`, in characters, both from 1.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let before = self.line_starts[line - 1]..offset.min(self.text.len());
        let column = self.text.get(before).unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// Returns the text of line `number` (from 1) without its line ending, or `""` past the end.
    pub fn line_text(&self, number: usize) -> &str {
        let Some(start) = number
            .checked_sub(1)
            .and_then(|index| self.line_starts.get(index))
        else {
            return "";
        };
        let end = self
            .line_starts
            .get(number)
            .copied()
            .unwrap_or(self.text.len());
        self.text[*start..end].trim_end_matches(['\n', '\r'])
    }

    /// Returns where `text` stands between double quotes for the first time.
    pub fn quoted(&self, text: &str) -> Option<usize> {
        self.first(&self.words().quoted, text)
    }

    /// Returns where `word` stands for the first time, between quotes or by itself.
    pub fn mention(&self, word: &str) -> Option<usize> {
        self.first(&self.words().any, word)
    }

    fn first(&self, places: &HashMap<u64, usize>, word: &str) -> Option<usize> {
        let at = *places.get(&digest(word))?;
        self.text[at..].starts_with(word).then_some(at)
    }

    fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            let mut words = Words::default();
            for quote in ['"', '\''] {
                let marks = self.text.match_indices(quote);
                let mut marks = marks.map(|(at, _)| at).peekable();
                while let (Some(open), Some(close)) = (marks.next(), marks.peek()) {
                    let at = open + 1;
                    let word = digest(&self.text[at..*close]);
                    words.any.entry(word).or_insert(at);
                    if quote == '"' {
                        words.quoted.entry(word).or_insert(at);
                    }
                }
            }
            let is_part = |c: char| c.is_alphanumeric() || "_-.@/".contains(c);
            for word in self
                .text
                .split(|c| !is_part(c))
                .filter(|word| !word.is_empty())
            {
                let at = word.as_ptr() as usize - self.text.as_ptr() as usize;
                let first = words.any.entry(digest(word)).or_insert(at);
                *first = at.min(*first);
            }
            words
        })
    }

    /// Returns the line of `offset` without blanks around it, or the part of a long one that stands around
    /// it.
    pub fn excerpt(&self, offset: usize) -> &str {
        /// Bytes of a line of people's, and of a part of one that programs made.
        const LONGEST: usize = 1000;
        let line = self.line_text(self.line(offset));
        if line.len() <= LONGEST {
            return line.trim();
        }
        let start = line.as_ptr() as usize - self.text.as_ptr() as usize;
        let at = offset.saturating_sub(start).min(line.len());
        let from = at.saturating_sub(LONGEST / 5);
        let to = (from + LONGEST).min(line.len());
        let part = self.characters_around(Span::new(start + from, start + to));
        self.text[part.range()].trim()
    }

    /// Returns the span of the whole characters that `span` touches, as far as they lie in the text.
    pub fn characters_around(&self, span: Span) -> Span {
        let is_boundary = |at: &usize| self.text.is_char_boundary(*at);
        let end = span.end.min(self.text.len());
        let start = (0..=span.start.min(end)).rev().find(is_boundary);
        let end = (end..=self.text.len()).find(is_boundary);
        Span::new(start.unwrap_or(0), end.unwrap_or(self.text.len()))
    }

    /// Returns the span of the whole lines that `span` touches, line endings included.
    pub fn lines_around(&self, span: Span) -> Span {
        let end = span.end.min(self.text.len());
        let start = self.line_starts[self.line(span.start.min(end)) - 1];
        let next = self.line_starts.get(self.line(end));
        Span::new(start, next.copied().unwrap_or(self.text.len()))
    }

    /// Returns the span of line `number` (from 1) without leading blanks and line ending.
    pub fn line_span(&self, number: usize) -> Span {
        let text = self.line_text(number);
        let start = self
            .line_starts
            .get(number.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let blanks = text.len() - text.trim_start().len();
        Span::new(start + blanks, start + text.trim_end().len().max(blanks))
    }
}

fn digest(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The characters 0x80 to 0x9f, by <https://encoding.spec.whatwg.org/#windows-1252>; the rest is
/// Latin-1.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Returns whether a reader cannot see `c`, or cannot rely on what it sees: control characters, line
/// and paragraph separators, controls of the direction of writing, other invisible ones, private use,
/// and what is no character at all. Joiners stay, which letters and pictures are made of.
pub fn is_hidden(c: char) -> bool {
    let is_noncharacter = u32::from(c) & 0xfffe == 0xfffe;
    is_noncharacter
        || c.is_control()
        || matches!(c,
            '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fdd0}'..='\u{fdef}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{f0000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_count_from_one() {
        let file = SourceFile::new("a", "one\ntwo\r\n  three");
        assert_eq!((file.line(0), file.line(3), file.line(4)), (1, 1, 2));
        assert_eq!(file.line_text(2), "two");
        let span = file.line_span(3);
        assert_eq!(&file.text[span.range()], "three");
    }

    #[test]
    fn of_a_long_line_a_part_is_shown() {
        let text = format!("a\n  short \n{}here{}", "ä".repeat(999), "ö".repeat(999));
        let file = SourceFile::new("a", text);
        assert_eq!(file.excerpt(4), "short");
        let at = file.text.find("here").expect("stands there");
        let part = file.excerpt(at);
        assert!(part.contains("ähereö") && part.len() <= 1000);
        assert!(file.excerpt(file.text.len()).ends_with("ö"));
    }

    #[test]
    fn words_are_found_by_themselves_and_between_quotes() {
        let file = SourceFile::new("a", "start-up: \"start\", 'x y'; \"z\": start");
        assert_eq!(
            (file.quoted("start"), file.mention("start")),
            (Some(11), Some(11))
        );
        assert_eq!((file.quoted("x y"), file.mention("x y")), (None, Some(20)));
        assert_eq!(
            (file.mention("start-up"), file.mention("up")),
            (Some(0), None)
        );
        assert_eq!(file.quoted("z"), Some(27));
    }

    #[test]
    fn a_span_lies_in_whole_lines() {
        let file = SourceFile::new("a", "one\ntwo\nthree");
        let around = |start, end| &file.text[file.lines_around(Span::new(start, end)).range()];
        assert_eq!((around(0, 2), around(5, 6)), ("one\n", "two\n"));
        assert_eq!((around(5, 9), around(20, 30)), ("two\nthree", "three"));
    }

    #[test]
    fn a_span_lies_around_whole_characters() {
        let file = SourceFile::new("a", "aéb");
        let around = |start, end| file.characters_around(Span::new(start, end));
        assert_eq!(
            (around(1, 2), around(2, 2)),
            (Span::new(1, 3), Span::new(1, 3))
        );
        assert_eq!(
            (around(3, 9), around(9, 10)),
            (Span::new(3, 4), Span::new(4, 4))
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_as_windows_1252() {
        let file = SourceFile::decode("a", b"caf\xe9 \x80");
        assert_eq!(file.text, "café €");
        assert!(!file.was_utf8);
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(SourceFile::decode("a", b"\xef\xbb\xbfhi").text, "hi");
        assert_eq!(SourceFile::decode("a", b"\xff\xfeh\0i\0").text, "hi");
        let marks = b"\xef\xbb\xbf".repeat(700_000);
        assert_eq!(SourceFile::decode("a", &marks).text, "");
    }
}
