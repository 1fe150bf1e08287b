//! reStructuredText, AsciiDoc and plain text, line by line.
//!
//! The crates for these formats panic or take minutes on odd input; for install instructions only
//! titles, literal blocks and paragraphs matter, so a scanner that cannot fail is enough.

use super::{CodeBlock, Headings, InlineCode, Paragraph, Part};
use crate::source::Span;

/// Which marks a text uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Markup {
    /// Titles underlined, `::` and `.. code-block::` before indented blocks, ``` ``code`` ```.
    ReStructuredText,
    /// Titles after `=`, blocks between `----`.
    AsciiDoc,
    /// Titles underlined or in capitals, indented blocks, `$ ` lines.
    None,
}

/// Returns the code blocks and paragraphs of `text`.
pub fn parts(text: &str, markup: Markup) -> Vec<Part> {
    let lines = lines(text);
    let mut scanner = Scanner::new(markup);
    let mut index = 0;
    while index < lines.len() {
        index = scanner.step(&lines, index);
    }
    scanner.flush();
    scanner.parts
}

/// A line, its offset in the file, and how far it is indented.
struct Line<'a> {
    text: &'a str,
    at: usize,
    indent: usize,
    /// As `indent`, in columns: a tab goes to the next multiple of eight.
    column: usize,
}

impl Line<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// How many bytes of blanks stand before the code of a block that is indented by `indent` bytes:
    /// a blank may have several.
    fn skipped(&self, indent: usize) -> usize {
        let blanks = self.text[..self.indent].char_indices();
        let ends = blanks.map(|(at, blank)| at + blank.len_utf8());
        ends.take_while(|end| *end <= indent).last().unwrap_or(0)
    }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut at = 0;
    text.split_inclusive('\n')
        .map(|raw| {
            let text = raw.trim_end_matches(['\n', '\r']);
            let line = Line {
                text,
                at,
                indent: text.len() - text.trim_start().len(),
                column: column(text),
            };
            at += raw.len();
            line
        })
        .collect()
}

/// A numbered or marked item, or what ends in a colon.
fn is_prose(text: &str) -> bool {
    let text = text.trim();
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = number.len() < text.len() && number.starts_with(['.', ')']);
    let is_marked = ["- ", "* ", "~ ", "• "]
        .iter()
        .any(|mark| text.starts_with(mark));
    is_numbered || is_marked || text.ends_with([':', '：'])
}

fn column(text: &str) -> usize {
    let blanks = text.chars().take_while(|c| c.is_whitespace());
    blanks.fold(0, |column, c| {
        if c == '\t' {
            (column / 8 + 1) * 8
        } else {
            column + 1
        }
    })
}

struct Scanner {
    markup: Markup,
    parts: Vec<Part>,
    headings: Headings<char>,
    paragraph: Vec<(usize, String)>,
    lead: String,
    literal_next: Option<String>,
    end: usize,
}

impl Scanner {
    fn new(markup: Markup) -> Self {
        Self {
            markup,
            parts: Vec::new(),
            headings: Headings::default(),
            paragraph: Vec::new(),
            lead: String::new(),
            literal_next: None,
            end: 0,
        }
    }

    /// Reads what begins at line `index` and returns the line after it.
    fn step(&mut self, lines: &[Line<'_>], index: usize) -> usize {
        let line = &lines[index];
        if line.is_blank() {
            self.flush();
            return index + 1;
        }
        if let Some(language) = self.fence(line.text) {
            return self.fenced(lines, index, language);
        }
        if let Some((mark, title)) = self.title(lines, index) {
            self.flush();
            self.open_section(mark, title.trim());
            return index
                + if self.markup == Markup::AsciiDoc {
                    1
                } else {
                    2
                };
        }
        if let Some(language) = self.directive(line.text) {
            self.flush();
            self.literal_next = Some(language);
            return index + 1;
        }
        let starts_block = self.paragraph.is_empty() && line.indent > 0;
        let is_literal = starts_block
            && match self.markup {
                Markup::ReStructuredText => self.literal_next.is_some(),
                Markup::AsciiDoc => true,
                Markup::None => line.indent >= 2 && !is_prose(line.text),
            };
        let is_plain = self.markup == Markup::None;
        let is_prompt = is_plain && line.text.trim_start().starts_with("$ ");
        // "Install it:", and the command on the next line, further in.
        let follows_colon = is_plain
            && index > 0
            && !self.paragraph.is_empty()
            && lines[index - 1].text.trim_end().ends_with([':', '：'])
            && line.column >= lines[index - 1].column + 2;
        if is_literal || is_prompt || follows_colon {
            self.flush();
            return self.indented(lines, index, is_plain);
        }
        self.literal_next = None;
        self.end = line.at + line.text.len();
        self.paragraph
            .push((line.at + line.indent, line.text.trim().to_owned()));
        if self.markup == Markup::ReStructuredText && line.text.trim_end().ends_with("::") {
            self.flush();
            self.literal_next = Some(String::new());
        }
        index + 1
    }

    fn fence(&self, text: &str) -> Option<String> {
        let mark = text.trim();
        match self.markup {
            Markup::AsciiDoc
                if mark.len() >= 4
                    && (mark.chars().all(|c| c == '-') || mark.chars().all(|c| c == '.')) =>
            {
                Some(self.literal_next.clone().unwrap_or_default())
            }
            _ if mark.starts_with("```") => {
                Some(mark.trim_matches('`').trim().to_ascii_lowercase())
            }
            _ => None,
        }
    }

    fn fenced(&mut self, lines: &[Line<'_>], index: usize, language: String) -> usize {
        self.flush();
        let mark = lines[index].text.trim();
        let close: String = mark
            .chars()
            .take_while(|c| *c == mark.chars().next().unwrap_or('`'))
            .collect();
        let rest = &lines[index + 1..];
        let length = rest
            .iter()
            .position(|line| line.text.trim() == close)
            .unwrap_or(rest.len());
        self.literal_next = Some(language);
        self.push_block(&rest[..length], 0);
        (index + 2 + length).min(lines.len())
    }

    fn title(&self, lines: &[Line<'_>], index: usize) -> Option<(char, String)> {
        let text = lines[index].text;
        if self.markup == Markup::AsciiDoc {
            let level = text.chars().take_while(|c| *c == '=').count();
            let mark = char::from_digit(u32::try_from(level).ok()?, 10)?;
            return (level > 0 && text[level..].starts_with(' '))
                .then(|| (mark, text[level..].to_owned()));
        }
        let under = lines.get(index + 1)?.text.trim_end();
        let mark = under.chars().next()?;
        let is_rule = "=-~^\"'`#*+.:_".contains(mark)
            && under.len() >= 3
            && under.chars().all(|c| c == mark)
            && under.len() + 2 >= text.trim().chars().count();
        let is_text = text.chars().any(char::is_alphanumeric) && lines[index].indent == 0;
        (is_rule && is_text).then(|| (mark, text.to_owned()))
    }

    fn open_section(&mut self, mark: char, title: &str) {
        let mut open = self.headings.open.iter();
        if let Some(at) = open.position(|(known, _)| *known == mark) {
            self.headings.open.truncate(at);
        }
        let stays = |known: &char| !mark.is_ascii_digit() || *known < mark;
        self.headings.open(mark, title, stays);
        self.lead.clear();
    }

    fn directive(&self, text: &str) -> Option<String> {
        let text = text.trim();
        let name = match self.markup {
            Markup::ReStructuredText => [
                ".. code-block::",
                ".. code::",
                ".. sourcecode::",
                ".. prompt::",
            ]
            .iter()
            .find_map(|directive| text.strip_prefix(directive))?,
            Markup::AsciiDoc => text
                .strip_prefix("[source")?
                .trim_end_matches(']')
                .trim_start_matches(','),
            Markup::None => return None,
        };
        Some(
            name.split([' ', ','])
                .find(|word| !word.is_empty())
                .unwrap_or("")
                .to_ascii_lowercase(),
        )
    }

    fn indented(&mut self, lines: &[Line<'_>], index: usize, only_this_run: bool) -> usize {
        let indent = lines[index].indent;
        let mut end = index;
        let mut next = index;
        while let Some(line) = lines.get(next) {
            if line.is_blank() {
                if only_this_run {
                    break;
                }
            } else if line.indent >= indent {
                end = next + 1;
            } else {
                break;
            }
            next += 1;
        }
        let mut block = &lines[index..end];
        // Options of a directive (`:linenos:`) and a blank line stand before the code.
        while let [first, rest @ ..] = block {
            let is_option =
                first.text.trim().starts_with(':') && self.markup == Markup::ReStructuredText;
            if !is_option && !first.is_blank() {
                break;
            }
            block = rest;
        }
        self.push_block(block, indent);
        end.max(index + 1)
    }

    fn push_block(&mut self, lines: &[Line<'_>], indent: usize) {
        let mut code = String::new();
        let mut offsets = Vec::new();
        for line in lines {
            let skip = line.skipped(indent);
            offsets.push((code.len(), line.at + skip));
            code.push_str(&line.text[skip..]);
            code.push('\n');
        }
        // Of the last line, the file may not have the end.
        if let Some(last) = lines.last() {
            offsets.push((code.len(), last.at + last.text.len()));
        }
        let language = self.literal_next.take().unwrap_or_default();
        let lead = std::mem::take(&mut self.lead);
        self.parts.push(Part::Code(CodeBlock {
            language,
            headings: self.headings.titles(),
            lead,
            code,
            offsets,
        }));
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.paragraph);
        let Some((start, _)) = lines.first() else {
            return;
        };
        let span = Span::new(*start, self.end);
        let mut text = String::new();
        let mut code = Vec::new();
        for (at, line) in &lines {
            inline_code(line, *at, text.len(), &mut code);
            text.push_str(&line.replace("``", "`"));
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        self.lead = text.trim_end_matches(':').to_owned();
        self.parts.push(Part::Text(Paragraph {
            headings: self.headings.titles(),
            links: links(&text),
            text,
            code,
            cells: Vec::new(),
            span,
        }));
    }
}

/// The code of `line`, which stands at `at` in the file, behind `before` bytes of the paragraph's words.
fn inline_code(line: &str, at: usize, mut before: usize, found: &mut Vec<InlineCode>) {
    let mark = if line.contains("``") { "``" } else { "`" };
    let mut pieces = line.split(mark);
    let mut offset = pieces.next().map_or(0, str::len);
    before += offset;
    let mut inside = true;
    for piece in pieces {
        offset += mark.len();
        if inside && !piece.is_empty() {
            let span = Span::new(at + offset, at + offset + piece.len());
            found.push(InlineCode {
                code: piece.to_owned(),
                before,
                span,
            });
        }
        offset += piece.len();
        // Either mark is one backtick of the words.
        before += 1 + piece.len();
        inside = !inside;
    }
}

/// Targets of `` `text <target>`_ `` and `link:target[text]`.
fn links(text: &str) -> Vec<String> {
    let rst = text
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once(">`").map(|(target, _)| target));
    let adoc = text
        .split("link:")
        .skip(1)
        .filter_map(|rest| rest.split_once('[').map(|(target, _)| target));
    rst.chain(adoc).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str, markup: Markup) -> Vec<(String, String)> {
        let code = |part| match part {
            Part::Code(block) => Some((block.language, block.code)),
            Part::Text(_) => None,
        };
        parts(text, markup).into_iter().filter_map(code).collect()
    }

    #[test]
    fn a_literal_block_follows_two_colons() {
        let text = "App\n===\n\nRun::\n\n    pip install x\n    x run\n\nDone.\n";
        assert_eq!(
            code(text, Markup::ReStructuredText),
            [(String::new(), "pip install x\nx run\n".to_owned())]
        );
    }

    #[test]
    fn a_directive_names_the_language() {
        let text = ".. code-block:: shell\n   :linenos:\n\n   $ make\n";
        assert_eq!(
            code(text, Markup::ReStructuredText),
            [("shell".to_owned(), "$ make\n".to_owned())]
        );
    }

    #[test]
    fn a_blank_of_several_bytes_is_no_part_of_an_indentation_that_ends_in_it() {
        let text = "Run::\n\n   make\n  \u{3000}make\n";
        assert_eq!(
            code(text, Markup::ReStructuredText),
            [(String::new(), "make\n\u{3000}make\n".to_owned())]
        );
    }

    #[test]
    fn asciidoc_fences_code_with_dashes() {
        let text = "== Build\n[source,bash]\n----\n./mvnw package\n----\n";
        assert_eq!(
            code(text, Markup::AsciiDoc),
            [("bash".to_owned(), "./mvnw package\n".to_owned())]
        );
    }

    #[test]
    fn no_input_panics() {
        for text in ["``` `` ` é", "=\n=", "::\n\n  x", "....\n", "- `` é ``"] {
            for markup in [Markup::ReStructuredText, Markup::AsciiDoc, Markup::None] {
                parts(text, markup);
            }
        }
    }
}
