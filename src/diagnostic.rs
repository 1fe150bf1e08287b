//! What to tell the user about the input.

use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::{
    quote::{is_hidden, terminal::line},
    source::{SourceFile, Span},
};

/// How bad a [`Diagnostic`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something the result lacks; the exit code is 1.
    Error,
    /// Something that may surprise.
    Warning,
    /// A decision worth knowing.
    Note,
}

impl Severity {
    /// Returns the word that stands before the code: `error`, `warning` or `note`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Which kind of thing a [`Diagnostic`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The folder holds no document that says how to install the application.
    NoReadme,
    /// The folder holds no file at all.
    EmptyRepository,
    /// No recipe fits the repository.
    NoStack,
    /// Several stacks fit equally well.
    AmbiguousStack,
    /// A site that documents the application is no component.
    DocumentationLeftOut,
    /// Nothing says how to start the application.
    NoStartCommand,
    /// A document or manifest is not UTF-8.
    NotUtf8,
    /// A file is too large to be read whole, or a limit of the walk was reached.
    TooLarge,
    /// A manifest cannot be read.
    BrokenManifest,
    /// A file that the README names is not in the repository.
    MissingFile,
    /// A command that changes the host, which a container cannot.
    HostOnlyCommand,
    /// A remote script is piped into a shell.
    RemoteScript,
    /// A command that no recipe knows and that was left out.
    UnknownCommand,
    /// README and manifest ask for different versions.
    VersionConflict,
    /// README and start command name different ports.
    PortConflict,
    /// The runtime gets no security fixes any more.
    EndOfLifeRuntime,
    /// What the start command needs is installed by nothing.
    MissingPackage,
    /// A step of a document stands above one that it needs.
    StepsOutOfOrder,
    /// The runtime version asked for has no image; the nearest was taken.
    NoSuchVersion,
    /// A word of a command stands for something only the user knows.
    Placeholder,
    /// A value that looks like a secret stands in the README or in a committed file.
    SecretInRepository,
    /// A package name that Debian does not have any more.
    RenamedPackage,
    /// A development server is all there is.
    DevelopmentServer,
    /// The image has another web server than the documents or site files.
    OtherWebServer,
    /// A development server hands requests on to what is no component.
    ProxyNotTaken,
    /// An address stands in the source, so that no setting can change it.
    HardCodedAddress,
    /// A value that a generated file cannot hold, however it is quoted.
    NotExpressible,
    /// A name, a path or a time that Compose or Kubernetes does not take.
    InvalidName,
    /// `longshore.toml` or a user's recipe is wrong.
    Configuration,
    /// A repository's own `longshore.toml` says what only the user may.
    Untrusted,
    /// What an earlier run recorded is not used.
    UnusedRecord,
}

impl Code {
    /// The stable name, as shown between brackets.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoReadme => "no-readme",
            Self::EmptyRepository => "empty-repository",
            Self::NoStack => "no-stack-recognised",
            Self::AmbiguousStack => "ambiguous-stack",
            Self::DocumentationLeftOut => "documentation-left-out",
            Self::NoStartCommand => "no-start-command",
            Self::NotUtf8 => "not-utf8",
            Self::TooLarge => "too-large",
            Self::BrokenManifest => "broken-manifest",
            Self::MissingFile => "missing-file",
            Self::HostOnlyCommand => "host-only-command",
            Self::RemoteScript => "remote-script",
            Self::UnknownCommand => "unknown-command",
            Self::VersionConflict => "version-conflict",
            Self::PortConflict => "port-conflict",
            Self::EndOfLifeRuntime => "end-of-life-runtime",
            Self::MissingPackage => "missing-package",
            Self::StepsOutOfOrder => "steps-out-of-order",
            Self::NoSuchVersion => "no-such-version",
            Self::Placeholder => "placeholder",
            Self::SecretInRepository => "secret-in-repository",
            Self::RenamedPackage => "renamed-package",
            Self::DevelopmentServer => "development-server",
            Self::OtherWebServer => "other-web-server",
            Self::ProxyNotTaken => "proxy-not-taken",
            Self::HardCodedAddress => "hard-coded-address",
            Self::NotExpressible => "not-expressible",
            Self::InvalidName => "invalid-name",
            Self::Configuration => "configuration",
            Self::Untrusted => "untrusted-configuration",
            Self::UnusedRecord => "unused-record",
        }
    }
}

/// One thing worth telling the user about the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which kind of thing it is.
    pub code: Code,
    /// What was found.
    pub message: String,
    /// Where, and why there.
    pub label: Option<Label>,
    /// What to do, one action each.
    pub hints: Vec<String>,
}

/// A place in a file and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub source: Arc<SourceFile>,
    /// The place.
    pub span: Span,
    /// Why here.
    pub text: String,
}

impl Diagnostic {
    /// Returns what is said where `left_out` of `what` were left out, because an application has at most
    /// `most`; nothing where none were.
    pub fn too_many(what: &str, left_out: usize, most: usize) -> Option<Self> {
        let message = format!("{left_out} {what} are left out: an application has at most {most}");
        (left_out > 0).then(|| Self::new(Severity::Warning, Code::TooLarge, message))
    }

    /// Returns a diagnostic without a place or hints.
    pub fn new(severity: Severity, code: Code, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            label: None,
            hints: Vec::new(),
        }
    }

    /// Adds the place it is about.
    #[must_use]
    pub fn at(mut self, source: &Arc<SourceFile>, span: Span, text: impl Into<String>) -> Self {
        self.label = Some(Label {
            source: Arc::clone(source),
            span: source.characters_around(span),
            text: text.into(),
        });
        self
    }

    /// Adds one action.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds one more hint, where there is one.
    #[must_use]
    pub fn also(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Returns the file and line it is about.
    pub fn place(&self) -> Option<(&str, usize)> {
        let label = self.label.as_ref()?;
        Some((&label.source.path, label.source.line(label.span.start)))
    }
}

/// A result and what the user should know about how it came to be.
#[derive(Debug, Clone)]
pub struct Warned<T> {
    /// The result.
    pub value: T,
    /// In the order of the input.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Warned<T> {
    /// Returns the value and moves the diagnostics to the end of `diagnostics`.
    pub fn unpack(self, diagnostics: &mut Vec<Diagnostic>) -> T {
        diagnostics.extend(self.diagnostics);
        self.value
    }
}

/// Renders `diagnostic` the way rustc does, with colours where `coloured`.
pub fn render(diagnostic: &Diagnostic, coloured: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let message = line(&diagnostic.message);
    let title = level.primary_title(&message).id(diagnostic.code.name());
    let hints: Vec<String> = diagnostic.hints.iter().map(|hint| line(hint)).collect();
    let hints = hints
        .iter()
        .map(|hint| Level::HELP.with_name(Some("hint")).message(hint));
    // What is hidden becomes blanks of the same length, so that spans still fit.
    // Only the lines that are shown: a file may be long, and have a diagnostic for each of its lines.
    let shown = diagnostic.label.as_ref().map(|label| {
        let lines = label.source.lines_around(label.span);
        (lines, harmless(&label.source.text[lines.range()]))
    });
    let group = match (&diagnostic.label, &shown) {
        (Some(label), Some((lines, text))) => {
            let end = label.span.end.saturating_sub(lines.start).min(text.len());
            let start = label.span.start.saturating_sub(lines.start).min(end);
            let annotation = AnnotationKind::Primary
                .span(start..end)
                .label(line(&label.text));
            let snippet = Snippet::source(text)
                .line_start(label.source.line(lines.start))
                .path(line(&label.source.path))
                .annotation(annotation);
            title.element(snippet).elements(hints)
        }
        _ => title.elements(hints),
    };
    let renderer = if coloured {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group]).to_string()
}

/// Returns the one of `known` that `word` is most likely a misspelling of, if any comes near.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let rated = known.into_iter().map(|name| {
        let likeness = strsim::jaro_winkler(word, name);
        (likeness, name)
    });
    rated
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let odd = is_hidden(c) && !matches!(c, '\n' | '\r' | '\t');
            std::iter::repeat_n(
                if odd { ' ' } else { c },
                if odd { c.len_utf8() } else { 1 },
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_points_at_the_line() {
        let text = "# App\n\n```sh\nsudo systemctl start redis\n```\n";
        let at = text.find("sudo").expect("stands in the text");
        let source = Arc::new(SourceFile::new("README.md", text));
        let diagnostic = Diagnostic::new(
            Severity::Warning,
            Code::HostOnlyCommand,
            "`systemctl` cannot run while an image is built",
        )
        .at(
            &source,
            Span::new(at, at + 26),
            "starts a service on the host",
        )
        .hint("`redis` was added to compose.yaml as a service instead");
        let shown = render(&diagnostic, false);
        assert!(shown.contains("README.md:4:1"), "{shown}");
        assert!(shown.contains("= hint:"), "{shown}");
    }

    #[test]
    fn terminal_escapes_are_not_shown() {
        let diagnostic = Diagnostic::new(Severity::Note, Code::NoReadme, "a\u{1b}[2Jb");
        assert!(!render(&diagnostic, false).contains('\u{1b}'));
    }
}
