//! Documents that tell a person how to install the application → sections, code blocks,
//! paragraphs.
//!
//! Every byte of code keeps its place in the file, so that a line of a Dockerfile can name the line
//! of the README it comes from.

mod markdown;
mod plain;

use std::sync::Arc;

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    repo::{self, Repo},
    source::{SourceFile, Span},
};

/// The headings above a piece of a document, outermost first; all pieces below them share them.
pub type Titles = Arc<[Arc<str>]>;

/// One document, taken apart.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Code blocks and paragraphs, in the order of the text.
    pub parts: Vec<Part>,
}

/// A piece of a [`Document`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A fenced, indented or literal block.
    Code(CodeBlock),
    /// A paragraph, list item or table row.
    Text(Paragraph),
}

/// A block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    /// First word of the info string in lower case, such as `bash`; empty where there is none.
    pub language: String,
    /// Headings above it, outermost first.
    pub headings: Titles,
    /// The paragraph before it, or empty.
    pub lead: String,
    /// The code without the indentation of the list or quote around it.
    pub code: String,
    /// Where pieces of `code` lie in the file: offset in `code`, offset in the file.
    pub offsets: Vec<(usize, usize)>,
}

/// A paragraph, list item or table row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paragraph {
    /// Headings above it, outermost first.
    pub headings: Titles,
    /// The words, without markup; inline code stands between backticks.
    pub text: String,
    /// Inline code, in order.
    pub code: Vec<InlineCode>,
    /// Cells, where it is a table row.
    pub cells: Vec<String>,
    /// Targets of its links.
    pub links: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

impl Paragraph {
    /// Returns the words before `code`, which is a piece of it.
    pub fn before(&self, code: &InlineCode) -> &str {
        self.text.get(..code.before).unwrap_or_default()
    }
}

/// A piece of code within a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InlineCode {
    /// The code.
    pub code: String,
    /// How many bytes of the paragraph's words stand before it.
    pub before: usize,
    /// Where it stands, without the backticks.
    pub span: Span,
}

impl Part {
    /// Returns the headings above it, outermost first.
    pub fn headings(&self) -> &Titles {
        match self {
            Self::Code(block) => &block.headings,
            Self::Text(paragraph) => &paragraph.headings,
        }
    }
}

impl Document {
    /// Returns the heading above all that stands below a heading, where there are others below it:
    /// the name of what the document is about.
    pub fn title(&self) -> Option<&Arc<str>> {
        let mut headings = self
            .parts
            .iter()
            .map(Part::headings)
            .filter(|headings| !headings.is_empty());
        let title = headings.clone().next()?.first()?;
        let has_parts = headings.clone().any(|headings| headings.len() > 1);
        (has_parts && headings.all(|headings| headings[0] == *title)).then_some(title)
    }
}

/// The headings above the place that is being read, each with its level.
#[derive(Default)]
struct Headings<L> {
    open: Vec<(L, Arc<str>)>,
    titles: Titles,
}

impl<L> Headings<L> {
    /// Opens the heading `title` below those of which `stay` holds for the level.
    fn open(&mut self, level: L, title: &str, stay: impl Fn(&L) -> bool) {
        self.open.retain(|(above, _)| stay(above));
        self.open.push((level, title.into()));
        self.settle();
    }

    /// Closes those of which `stay` does not hold for the level.
    fn close(&mut self, stay: impl Fn(&L) -> bool) {
        self.open.retain(|(level, _)| stay(level));
        self.settle();
    }

    fn settle(&mut self) {
        let titles = self.open.iter().map(|(_, title)| Arc::clone(title));
        self.titles = titles.collect();
    }

    fn titles(&self) -> Titles {
        Arc::clone(&self.titles)
    }
}

impl CodeBlock {
    /// Returns where the byte `offset` of `code` stands in the file.
    pub fn file_offset(&self, offset: usize) -> usize {
        let index = self
            .offsets
            .partition_point(|(start, _)| *start <= offset)
            .saturating_sub(1);
        self.offsets
            .get(index)
            .map_or(0, |(start, at)| at + (offset - start))
    }
}

/// Which documents beside a README tell how to install.
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// Patterns of their paths, relative to the README.
    pub beside: &'a [String],
    /// Parts of the paths of pages that a README links.
    pub about: &'a [String],
}

/// Returns the documents below `folder` (`.` for the root) that tell how to install what is there:
/// its README, and the install pages that the README links inside the repository.
///
/// A missing README is a diagnostic: manifests alone may still tell enough.
pub fn documents(repo: &Repo, folder: &str, pages: &Pages<'_>) -> Warned<Vec<Document>> {
    let Some(readme) = readme_path(repo, folder) else {
        return Warned {
            value: Vec::new(),
            diagnostics: vec![no_readme(repo)],
        };
    };
    let mut diagnostics = Vec::new();
    let source = match repo.text(&readme) {
        Ok(source) => source,
        Err(why) => {
            let message = format!("`{readme}` was not read: {why}");
            return Warned {
                value: Vec::new(),
                diagnostics: vec![Diagnostic::new(Severity::Warning, Code::TooLarge, message)],
            };
        }
    };
    let mut documents = vec![document(source)];
    let mut linked = install_pages(repo, &documents[0], pages.about);
    for name in pages.beside {
        let pattern = repo::join(folder, name);
        linked.extend(repo.glob(&pattern).into_iter().map(str::to_owned));
    }
    for path in linked {
        let known = documents
            .iter()
            .any(|document| document.source.path == path);
        if let Some(source) = repo.source(&path).filter(|_| !known) {
            documents.push(document(source));
        }
    }
    for document in documents
        .iter()
        .filter(|document| !document.source.was_utf8)
    {
        let message = format!(
            "`{}` is not UTF-8; it was read as Windows-1252",
            document.source.path
        );
        diagnostics.push(
            Diagnostic::new(Severity::Warning, Code::NotUtf8, message)
                .hint("save the file as UTF-8"),
        );
    }
    Warned {
        value: documents,
        diagnostics,
    }
}

fn no_readme(repo: &Repo) -> Diagnostic {
    let documents: Vec<&str> = repo
        .files()
        .filter(|path| !path.contains('/') && (path.ends_with(".md") || path.ends_with(".txt")))
        .collect();
    let nearest = match documents.as_slice() {
        [] => "there is no other document at the top of the folder either".to_owned(),
        found => format!("nearest: {}", found.join(", ")),
    };
    Diagnostic::new(
        Severity::Warning,
        Code::NoReadme,
        "no README tells how to install the application",
    )
    .hint("looked for README with the endings .md, .markdown, .rst, .adoc, .txt, or none")
    .hint(nearest)
}

/// Takes `source` apart, by the ending of its name: Markdown, reStructuredText, or plain text.
pub fn document(source: Arc<SourceFile>) -> Document {
    let name = repo::file_name(&source.path).to_ascii_lowercase();
    let parts = match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "rst" | "rest" => plain::parts(&source.text, plain::Markup::ReStructuredText),
        "adoc" | "asciidoc" | "asc" => plain::parts(&source.text, plain::Markup::AsciiDoc),
        "txt" | "text" => plain::parts(&source.text, plain::Markup::None),
        "" => match unnamed_markup(&source.text) {
            Some(markup) => plain::parts(&source.text, markup),
            None => markdown::parts(&source.text),
        },
        _ => markdown::parts(&source.text),
    };
    Document { source, parts }
}

/// The markup of a text whose name has no ending; `None` for Markdown.
fn unnamed_markup(text: &str) -> Option<plain::Markup> {
    let has = |is_sign: fn(&str) -> bool| text.lines().any(is_sign);
    if has(|line| line.starts_with("```") || line.starts_with("# ") || line.starts_with("## ")) {
        return None;
    }
    if has(|line| line.starts_with(".. ") || line.trim_end().ends_with("::")) {
        return Some(plain::Markup::ReStructuredText);
    }
    if has(|line| line.starts_with("== ") || line.starts_with("[source")) {
        return Some(plain::Markup::AsciiDoc);
    }
    Some(plain::Markup::None)
}

/// Whether a file has the name of a README, with any ending.
pub fn is_readme(path: &str) -> bool {
    let name = repo::file_name(path).to_ascii_lowercase();
    name.split('.').next() == Some("readme")
}

fn readme_path(repo: &Repo, folder: &str) -> Option<String> {
    const ENDINGS: [&str; 9] = [
        "md", "markdown", "mdown", "rst", "adoc", "asciidoc", "txt", "text", "",
    ];
    let rank = |path: &str| {
        let name = repo::file_name(path).to_ascii_lowercase();
        let (stem, ending) = name.split_once('.').unwrap_or((&name, ""));
        (stem == "readme")
            .then(|| ENDINGS.iter().position(|known| *known == ending))
            .flatten()
    };
    let here = |path: &&str| repo::folder_of(path) == folder;
    repo.files()
        .filter(here)
        .filter_map(|path| Some((rank(path)?, path)))
        .min()
        .map(|(_, path)| path.to_owned())
}

/// Links to other documents of the repository whose name or text says that they are about
/// installing.
fn install_pages(repo: &Repo, document: &Document, about: &[String]) -> Vec<String> {
    let folder = repo::folder_of(&document.source.path);
    let mut pages = Vec::new();
    for part in &document.parts {
        let Part::Text(paragraph) = part else {
            continue;
        };
        for link in &paragraph.links {
            let target = link.split(['#', '?']).next().unwrap_or_default();
            let path = repo::join(folder, target);
            let lower = path.to_ascii_lowercase();
            let about_install = about.iter().any(|word| lower.contains(word.as_str()));
            let is_document = [".md", ".rst", ".txt", ".adoc", ".markdown"]
                .iter()
                .any(|ending| lower.ends_with(ending));
            if about_install && is_document && repo.contains(&path) {
                pages.push(path);
            }
        }
    }
    pages
}
