//! Markdown, as CommonMark with GitHub's extensions.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{CodeBlock, Headings, InlineCode, Paragraph, Part};
use crate::source::Span;

/// Returns the code blocks and paragraphs of `text`.
pub fn parts(text: &str) -> Vec<Part> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let (text, tabs) = tabs_as_items(text);
    let mut reader = Reader {
        tabs,
        ..Reader::default()
    };
    for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
        reader.read(event, Span::new(range.start, range.end), &text);
    }
    reader.flush();
    reader.parts
}

/// Level of the title of a tab, below all headings.
const TAB_LEVEL: usize = 7;

/// Documentation tabs (`=== "macOS"`, squidfunk.github.io/mkdocs-material/reference/content-tabs)
/// become items of a list, to which their indented contents then belong: `*   "macOS"` is as long.
/// Returns the text, and where these items begin.
fn tabs_as_items(text: &str) -> (Cow<'_, str>, Vec<usize>) {
    let mut tabs = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let title = line[blanks..].trim_end().strip_prefix("=== \"");
        if title.is_some_and(|title| title.len() > 1 && title.ends_with('"')) {
            tabs.push(at + blanks);
        }
        at += line.len();
    }
    if tabs.is_empty() {
        return (Cow::Borrowed(text), tabs);
    }
    let mut items = text.to_owned();
    for start in &tabs {
        items.replace_range(*start..start + 4, "*   ");
    }
    (Cow::Owned(items), tabs)
}

#[derive(Default)]
struct Reader {
    /// Where tabs begin.
    tabs: Vec<usize>,
    /// How many tabs stand one after the other here.
    tab: usize,
    parts: Vec<Part>,
    headings: Headings<usize>,
    heading: Option<(usize, String)>,
    block: Option<CodeBlock>,
    paragraph: Option<Paragraph>,
    lead: String,
    metadata: bool,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, span: Span, text: &str) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                self.flush();
                self.heading = Some((level as usize, String::new()));
            }
            Event::End(TagEnd::Heading(_)) => {
                let Some((level, title)) = self.heading.take() else {
                    return;
                };
                self.headings
                    .open(level, title.trim(), |above| *above < level);
                self.lead.clear();
            }
            Event::Start(Tag::HtmlBlock) => self.html(text, span),
            Event::Start(Tag::MetadataBlock(_)) => self.metadata = true,
            Event::End(TagEnd::MetadataBlock(_)) => self.metadata = false,
            Event::Start(Tag::CodeBlock(kind)) => {
                self.flush();
                let language = match kind {
                    CodeBlockKind::Fenced(info) => first_word(&info),
                    CodeBlockKind::Indented => String::new(),
                };
                self.block = Some(CodeBlock {
                    language,
                    headings: self.headings.titles(),
                    lead: std::mem::take(&mut self.lead),
                    code: String::new(),
                    offsets: Vec::new(),
                });
            }
            Event::End(TagEnd::CodeBlock) => {
                self.parts.extend(self.block.take().map(Part::Code));
            }
            Event::Start(Tag::Paragraph | Tag::Item | Tag::TableHead | Tag::TableRow) => {
                self.flush()
            }
            Event::End(TagEnd::List(_)) => {
                self.flush();
                if self.tab > 0 {
                    self.headings.close(|level| *level != TAB_LEVEL);
                }
                self.tab = 0;
            }
            Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::TableHead | TagEnd::TableRow) => {
                self.flush()
            }
            Event::Start(Tag::List(_)) => self.flush(),
            Event::Start(Tag::TableCell) => self.paragraph(span).cells.push(String::new()),
            Event::Start(Tag::Link { dest_url, .. }) if self.heading.is_none() => {
                self.paragraph(span).links.push(dest_url.into_string());
            }
            Event::Text(words) => match (&mut self.block, &mut self.heading) {
                (Some(block), _) => {
                    block.offsets.push((block.code.len(), span.start));
                    block.code.push_str(&words);
                }
                (None, Some((_, title))) => title.push_str(&words),
                (None, None) if self.metadata => {}
                (None, None) => self.say(&words, span),
            },
            Event::Code(code) => match &mut self.heading {
                Some((_, title)) => title.push_str(&code),
                None => {
                    let inner = inner_span(text, span, &code);
                    let before = self.paragraph(span).text.len();
                    self.say(&format!("`{code}`"), span);
                    let code = InlineCode {
                        code: code.into_string(),
                        before,
                        span: inner,
                    };
                    self.paragraph(span).code.push(code);
                }
            },
            Event::SoftBreak | Event::HardBreak => self.say("\n", span),
            _ => {}
        }
    }

    /// A block of HTML: `<pre>` holds code, `<h2>` a heading, and what is left is words.
    fn html(&mut self, text: &str, span: Span) {
        self.flush();
        let Some(raw) = text.get(span.range()) else {
            return;
        };
        let lower = raw.to_ascii_lowercase();
        let words = without_tags(raw);
        let said = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let heading = (1..=6).find(|level| lower.contains(&format!("<h{level}")));
        if lower.contains("<pre") {
            let lead = std::mem::take(&mut self.lead);
            self.parts.push(Part::Code(CodeBlock {
                language: String::new(),
                headings: self.headings.titles(),
                lead,
                code: words,
                offsets: vec![(0, span.start)],
            }));
        } else if let Some(level) = heading {
            self.headings.open(level, &said, |above| *above < level);
            self.lead.clear();
        } else if !said.is_empty() {
            self.say(&said, span);
            self.flush();
        }
    }

    fn paragraph(&mut self, span: Span) -> &mut Paragraph {
        let headings = &self.headings;
        let paragraph = self.paragraph.get_or_insert_with(|| Paragraph {
            headings: headings.titles(),
            text: String::new(),
            code: Vec::new(),
            cells: Vec::new(),
            links: Vec::new(),
            span,
        });
        paragraph.span.end = paragraph.span.end.max(span.end);
        paragraph
    }

    fn say(&mut self, words: &str, span: Span) {
        let paragraph = self.paragraph(span);
        paragraph.text.push_str(words);
        if let Some(cell) = paragraph.cells.last_mut() {
            cell.push_str(words.trim_matches('`'));
        }
    }

    fn flush(&mut self) {
        let Some(paragraph) = self.paragraph.take() else {
            return;
        };
        let mark = paragraph.span.start.checked_sub(4);
        if mark.is_some_and(|mark| self.tabs.binary_search(&mark).is_ok()) {
            let title = paragraph.text.trim().trim_matches('"').to_owned();
            self.tab += 1;
            self.lead = match self.tab {
                1 => title.clone(),
                _ => format!("or {title}"),
            };
            self.headings
                .open(TAB_LEVEL, &title, |level| *level != TAB_LEVEL);
            return;
        }
        if !paragraph.text.trim().is_empty() {
            self.lead = paragraph.text.trim().to_owned();
            self.parts.push(Part::Text(paragraph));
        }
    }
}

/// Blanks tags, keeping the length and all line ends, and writes the few entities that code has.
fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '\n' => text.push('\n'),
            '<' => {
                in_tag = true;
                text.push(' ');
            }
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            _ if in_tag => text.extend(std::iter::repeat_n(' ', c.len_utf8())),
            _ => text.push(c),
        }
    }
    // Each entity becomes its character and blanks, so that offsets stay.
    text = text.replace("&amp;&amp;", "&&        ");
    for (entity, character) in [
        ("&amp;", "&    "),
        ("&lt;", "<   "),
        ("&gt;", ">   "),
        ("&quot;", "\"     "),
    ] {
        text = text.replace(entity, character);
    }
    text
}

fn first_word(info: &str) -> String {
    info.trim_start_matches(['{', '.'])
        .split([' ', ',', '{', '}', ':'])
        .next()
        .unwrap_or("")
        .to_ascii_lowercase()
}

/// Where the code stands without its backticks; all of it where a line break within it makes the
/// text another.
fn inner_span(text: &str, span: Span, code: &str) -> Span {
    let found = text[span.range()].find(code.trim());
    found.map_or(span, |at| {
        let start = span.start + at;
        Span::new(start, start + code.trim().len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(text: &str) -> Vec<CodeBlock> {
        let code = |part| match part {
            Part::Code(block) => Some(block),
            Part::Text(_) => None,
        };
        parts(text).into_iter().filter_map(code).collect()
    }

    fn titles(block: &CodeBlock) -> Vec<&str> {
        block.headings.iter().map(AsRef::as_ref).collect()
    }

    #[test]
    fn a_block_in_a_list_keeps_its_place_in_the_file() {
        let text = "# App\n\n1. Install:\n\n   ```sh\n   npm ci\n   npm start\n   ```\n";
        let [block] = &blocks(text)[..] else {
            panic!("one block")
        };
        assert_eq!(block.code, "npm ci\nnpm start\n");
        assert_eq!(
            (block.language.as_str(), block.lead.as_str()),
            ("sh", "Install:")
        );
        let at = block.file_offset(block.code.find("npm start").expect("stands there"));
        assert!(text[at..].starts_with("npm start"));
    }

    #[test]
    fn a_tab_is_a_title_of_its_own() {
        let text = "# App\n\n=== \"macOS\"\n\n    ```sh\n    brew install node\n    ```\n\n=== \"Debian\"\n\n    ```sh\n    apt install nodejs\n    ```\n\nThen:\n\n```sh\nnpm ci\n```\n";
        let [mac, debian, both] = &blocks(text)[..] else {
            panic!("three blocks")
        };
        assert_eq!(titles(mac), ["App", "macOS"]);
        assert_eq!(mac.code, "brew install node\n");
        assert_eq!(
            (titles(debian)[1], debian.lead.as_str()),
            ("Debian", "or Debian")
        );
        assert_eq!(titles(both), ["App"]);
        assert!(text[debian.file_offset(0)..].starts_with("apt install"));
    }

    #[test]
    fn headings_lead_to_a_block() {
        let [block] = &blocks("# App\n## Setup\n### Linux\n    make\n")[..] else {
            panic!("one")
        };
        assert_eq!(titles(block), ["App", "Setup", "Linux"]);
    }

    #[test]
    fn inline_code_knows_the_words_before_it() {
        let parts = parts("Then run `make all` and wait.\n");
        let [Part::Text(paragraph)] = &parts[..] else {
            panic!("one paragraph")
        };
        assert_eq!(paragraph.text, "Then run `make all` and wait.");
        assert_eq!(
            (
                paragraph.code[0].code.as_str(),
                paragraph.before(&paragraph.code[0])
            ),
            ("make all", "Then run ")
        );
    }

    #[test]
    fn html_holds_headings_and_code() {
        let text = "<h2>Setup</h2>\n\n<details>\n<summary>Ubuntu</summary>\n</details>\n\n<pre><code>npm ci &amp;&amp; npm start</code></pre>\n";
        let [block] = &blocks(text)[..] else {
            panic!("one block")
        };
        assert_eq!(titles(block), ["Setup"]);
        assert_eq!(block.lead, "Ubuntu");
        assert_eq!(
            block.code.split_whitespace().collect::<Vec<_>>(),
            ["npm", "ci", "&&", "npm", "start"]
        );
        assert_eq!(block.code.len(), text.len() - block.offsets[0].1);
    }

    #[test]
    fn a_table_row_has_cells() {
        let parts = parts("| Name | Meaning |\n|---|---|\n| `PORT` | the port |\n");
        let Some(Part::Text(row)) = parts.last() else {
            panic!("a row")
        };
        assert_eq!(row.cells, ["PORT", "the port"]);
    }
}
