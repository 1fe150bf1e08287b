//! Commands → install steps: what each command of the documents means in a container.

mod action;
mod blocks;
mod context;
mod created;
mod follow;
mod place;
mod prose;
mod reader;
mod rule;
mod scripts;

pub use place::{Following, Place, Reach, place, script_name};
pub use prose::database_name;
pub use rule::{Rule, rule};
pub use scripts::is_script;

use std::{cell::Cell, sync::Arc};

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    limits,
    manifest::{self, workspace},
    readme::{Document, Part, Titles},
    recipe::{Catalog, Does},
    repo::{self, Repo},
    source::{SourceFile, Span},
};
use reader::Reader;

/// One command of a document and what it means.
#[derive(Debug, Clone)]
pub struct InstallStep {
    /// The document.
    pub source: Arc<SourceFile>,
    /// Where the command stands in it.
    pub span: Span,
    /// The command as written, on one line.
    pub text: String,
    /// The command without wrappers such as `sudo`.
    pub words: Vec<String>,
    /// `NAME=value` before it.
    pub assignments: Vec<(String, String)>,
    /// What it means.
    pub action: Action,
    /// What its surroundings say.
    pub context: Context,
    /// How sure it is that a person is to type it.
    pub confidence: Confidence,
}

impl InstallStep {
    /// Returns the file of `repo` that the command runs: by its path, or as what a shell is given.
    pub fn run_file(&self, repo: &Repo, catalog: &Catalog) -> Option<String> {
        let (found, words) = rule(&self.words, catalog);
        let file = match &found {
            None => words.first().filter(|word| word.contains('/'))?,
            Some((found, matched)) => {
                let is_shell = found.rule.does == Does::Follow && found.rule.file.is_none();
                matched.arguments.first().filter(|_| is_shell)?
            }
        };
        let places = [self.context.directory.as_str(), "."];
        let paths = places.iter().map(|place| repo::join(place, file));
        paths.into_iter().find(|path| repo.contains(path))
    }
}

/// What a command means in a container.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Installs packages of the operating system, named as `manager` names them.
    SystemPackages {
        /// The manager, such as `apt`.
        manager: String,
        /// The names.
        packages: Vec<String>,
    },
    /// Installs dependencies.
    Install,
    /// Builds the application.
    Build,
    /// Prepares a release.
    Prepare,
    /// Starts the application.
    Start,
    /// Starts a further process.
    Process,
    /// Runs a script of the package manifest.
    Script(String),
    /// Starts backing services.
    Services(Vec<String>),
    /// Creates a database of the service with this name.
    CreateDatabase {
        /// The service, where the command tells.
        service: String,
        /// The name of the database.
        name: Option<String>,
    },
    /// Loads a file into a service.
    LoadFile {
        /// The service.
        service: String,
        /// The file, relative to the repository.
        file: String,
    },
    /// Copies a file, both relative to the repository.
    Copy {
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// Makes folders, relative to the repository.
    MakeFolder(Vec<String>),
    /// Sets environment variables.
    SetEnv(Vec<(String, String)>),
    /// Writes lines to a file.
    WriteFile {
        /// The file, relative to the repository.
        path: String,
        /// The text.
        text: String,
        /// Whether it goes behind what the file has already.
        appends: bool,
    },
    /// Changes the folder.
    ChangeDirectory,
    /// Fetches the repository.
    Clone,
    /// A line of a crontab.
    Schedule {
        /// Five fields.
        cron: String,
        /// The command.
        command: String,
    },
    /// Means nothing in a container.
    Skip(String),
    /// No recipe knows the command.
    Other,
}

/// What surrounds a command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Folder relative to the repository that the command runs in.
    pub directory: String,
    /// Platform that the command is for, where the text names one other than Debian.
    pub platform: Option<String>,
    /// What the section is about.
    pub purpose: Purpose,
    /// Whether the words before it say that it is another way to do what stands above.
    pub is_alternative: bool,
    /// Headings above it.
    pub headings: Titles,
}

/// What a section is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Purpose {
    /// Installing or running it.
    #[default]
    Install,
    /// Working on it.
    Development,
    /// Testing it.
    Test,
    /// Another way to deploy it, such as Docker.
    OtherWay,
    /// Using it from outside, or removing it.
    Usage,
}

/// How sure it is that a command is to be typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Inline code in a sentence.
    Low,
    /// A block without a language that looks like commands.
    Medium,
    /// A block marked as shell.
    High,
}

/// Returns the steps of `documents`, in their order; every command is exactly one step. Those beyond
/// [`limits::STEPS`] are left out, and said.
pub fn install_steps(
    documents: &[Document],
    repo: &Repo,
    catalog: &Catalog,
) -> Warned<Vec<InstallStep>> {
    let mut steps = Vec::new();
    let programs = manifest::programs(repo, catalog);
    let workspaces = workspace::workspaces(repo, catalog);
    let left = Cell::new(limits::FOLLOWED);
    for document in documents {
        let mut reader = Reader::new(
            document,
            repo,
            catalog,
            &programs,
            &workspaces,
            &left,
            &mut steps,
        );
        for part in &document.parts {
            if reader.is_full() {
                break;
            }
            match part {
                Part::Code(block) => reader.block(block),
                Part::Text(paragraph) => reader.paragraph(paragraph),
            }
        }
        reader.settle_variables(document);
    }
    let mut cut = Vec::new();
    if steps.len() >= limits::STEPS {
        steps.truncate(limits::STEPS);
        cut.push(format!(
            "the documents have more than {} steps; further ones were not read",
            limits::STEPS
        ));
    }
    if left.get() == 0 {
        cut.push(format!(
            "the documents run files of more than {} bytes in all; those of further commands were not read",
            limits::FOLLOWED
        ));
    }
    let finding = |message| Diagnostic::new(Severity::Warning, Code::TooLarge, message);
    let diagnostics = cut.into_iter().map(finding).collect();
    Warned {
        value: steps,
        diagnostics,
    }
}
