//! Commands → install steps: what each command of the documents means in a container.

mod follow;
mod prose;

pub use prose::database_name;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    manifest::{self, Fact},
    readme::{CodeBlock, Document, Paragraph, Part},
    recipe::{Catalog, CommandRule, Does, Matched, Pattern, contains_word},
    repo::{self, Repo},
    shell::{self, Dialect, SimpleCommand},
    source::{SourceFile, Span},
};

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
    pub headings: Vec<String>,
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

/// A rule of the catalogue that fits a command.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'c> {
    /// Id of the tool.
    pub tool: &'c str,
    /// The rule.
    pub rule: &'c CommandRule,
    /// Flags of the tool that take a value.
    pub value_flags: &'c [String],
}

/// Returns the steps of `documents`, in their order; every command is exactly one step.
pub fn install_steps(documents: &[Document], repo: &Repo, catalog: &Catalog) -> Vec<InstallStep> {
    let mut steps = Vec::new();
    let programs = manifest::programs(repo, catalog);
    for document in documents {
        let home = repo::folder_of(&document.source.path);
        let mut reader = Reader {
            source: Arc::clone(&document.source),
            repo,
            catalog,
            programs: &programs,
            home,
            directory: home.to_owned(),
            clone: None,
            variables: BTreeMap::new(),
            used: BTreeSet::new(),
            checkouts: catalog.list("folders", "checkouts").to_vec(),
            following: Vec::new(),
            steps: &mut steps,
        };
        for part in &document.parts {
            match part {
                Part::Code(block) => reader.block(block),
                Part::Text(paragraph) => reader.paragraph(paragraph),
            }
        }
        reader.settle_variables(document);
    }
    steps
}

/// Returns the rule of `catalog` that fits the command `words` best, with what stood for its
/// wildcards, and `words` without the wrappers before it.
pub fn rule<'c>(
    words: &[String],
    catalog: &'c Catalog,
) -> (Option<(Rule<'c>, Matched)>, Vec<String>) {
    rule_where(words, catalog, &|_| false)
}

/// As [`rule`]; rules that apply only where a path is not there are asked with `is_there`.
fn rule_where<'c>(
    words: &[String],
    catalog: &'c Catalog,
    is_there: &dyn Fn(&str) -> bool,
) -> (Option<(Rule<'c>, Matched)>, Vec<String>) {
    let mut words = words.to_vec();
    // What a tool would mean by itself where it wraps nothing that is known.
    let mut otherwise = None;
    // Each wrapper takes at least one word away, so this ends.
    loop {
        let known = words.first().and_then(|name| catalog.tool(name));
        let Some((tool_id, tool)) = known else {
            return otherwise.map_or((None, words), |(found, words)| (Some(found), words));
        };
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        let mut fits: Vec<(&CommandRule, Matched)> = tool
            .command
            .iter()
            .filter(|rule| !rule.unless.as_ref().is_some_and(|path| is_there(path)))
            .filter_map(|rule| Some((rule, rule.words.matches(&arguments, &tool.value_flags)?)))
            .collect();
        // Of equals the last one written wins.
        fits.sort_by_key(|(_, matched)| matched.specificity);
        let Some((rule, matched)) = fits.pop() else {
            return otherwise.map_or((None, words), |(found, words)| (Some(found), words));
        };
        let as_rule = |rule: &'c CommandRule| Rule {
            tool: tool_id,
            rule,
            value_flags: &tool.value_flags,
        };
        if rule.does != Does::Wrapper {
            return (Some((as_rule(rule), matched)), words);
        }
        let plain = fits.pop().filter(|(other, _)| other.does != Does::Wrapper);
        if otherwise.is_none() {
            otherwise = plain.map(|(rule, matched)| ((as_rule(rule), matched), words.clone()));
        }
        words = unwrapped(&words, &rule.words, &tool.value_flags);
    }
}

/// Takes the wrapper off: its name, its flags, and the literal words of its pattern.
fn unwrapped(words: &[String], pattern: &Pattern, value_flags: &[String]) -> Vec<String> {
    let mut literals: Vec<&str> = pattern.literals().collect();
    let mut rest = &words[1..];
    while let [first, tail @ ..] = rest {
        if let Some(at) = literals.iter().position(|literal| literal == first) {
            literals.remove(at);
            rest = tail;
        } else if literals.is_empty() && first.contains('=') && !first.starts_with('-') {
            rest = tail;
        } else if first.starts_with('-') {
            let takes_value = value_flags.iter().any(|flag| flag == first);
            rest = if takes_value {
                tail.get(1..).unwrap_or(&[])
            } else {
                tail
            };
        } else {
            break;
        }
    }
    rest.to_vec()
}

struct Reader<'a> {
    /// The document, or the file that one of its commands runs.
    source: Arc<SourceFile>,
    repo: &'a Repo,
    catalog: &'a Catalog,
    /// Programs that the repository itself installs.
    programs: &'a BTreeMap<String, Fact>,
    home: &'a str,
    directory: String,
    /// Folder that a `git clone` makes: the repository itself.
    clone: Option<String>,
    /// Shell variables that were set, for commands further down.
    variables: BTreeMap<String, String>,
    /// Those of them that a command has used.
    used: BTreeSet<String>,
    /// Folders of a host that hold the repository, by what the documents say or by convention.
    checkouts: Vec<String>,
    /// Files that are being followed, with what is run of them, outermost first.
    following: Vec<String>,
    steps: &'a mut Vec<InstallStep>,
}

/// Remembers the folder before a subshell, which a `cd` inside does not change.
#[derive(Default)]
struct Subshell {
    number: usize,
    before: String,
}

impl Subshell {
    /// Goes to the command of subshell `number`, 0 for none.
    fn enter(&mut self, number: usize, directory: &mut String) {
        if number == self.number {
            return;
        }
        if self.number != 0 {
            directory.clone_from(&self.before);
        }
        self.before.clone_from(directory);
        self.number = number;
    }
}

/// More files in one another than people write.
const DEEPEST: usize = 4;

/// What a command runs, taken from a file or from its own words.
struct Followed {
    /// The file; `None` for code among the words of the command.
    file: Option<String>,
    pieces: Vec<follow::Piece>,
}

impl Reader<'_> {
    fn block(&mut self, block: &CodeBlock) {
        let listed = |list: &str| {
            self.catalog
                .list("languages", list)
                .contains(&block.language)
        };
        let (is_shell, is_windows, is_unknown, is_env) = (
            listed("shell"),
            listed("windows"),
            listed("unknown"),
            listed("env"),
        );
        let (catalog, programs) = (self.catalog, self.programs);
        let known = |word: &str| catalog.tool(word).is_some() || programs.contains_key(word);
        if self.units(block) {
            return;
        }
        if is_env || is_unknown && looks_like_env(&block.code) {
            self.env_block(block);
            return;
        }
        if self.crontab(block) {
            return;
        }
        if self
            .catalog
            .list("sql", "languages")
            .contains(&block.language)
            || is_unknown && self.looks_like_sql(&block.code)
        {
            self.sql_block(block);
            return;
        }
        if !(is_shell || is_windows || is_unknown && looks_like_commands(&block.code, &known)) {
            return;
        }
        let confidence = if is_unknown {
            Confidence::Medium
        } else {
            Confidence::High
        };
        let script = shell::script(&block.code, Dialect::Console, &known);
        let context = self.context(&block.headings, &block.lead);
        let first = self.steps.len();
        self.block_start(&script);
        let mut subshell = Subshell::default();
        for command in &script.commands {
            subshell.enter(command.value.subshell, &mut self.directory);
            let mut context = context.clone();
            let comment = script
                .comments
                .iter()
                .rfind(|comment| comment.span.start < command.span.start);
            if let Some(platform) = comment.and_then(|comment| self.platform(&comment.value)) {
                context.platform = platform;
            }
            if is_windows || command.value.windows {
                context.platform = Some("windows".to_owned());
            }
            let span = Span::new(
                block.file_offset(command.span.start),
                block.file_offset(command.span.end.saturating_sub(1)) + 1,
            );
            self.command(&command.value, span, context, confidence);
        }
        subshell.enter(0, &mut self.directory);
        self.statements_typed(block, &script.outputs, &context, first);
    }

    /// Statements behind the prompt of a database's client, among what looks like output. They go to
    /// their place among the steps from `first` on.
    fn statements_typed(
        &mut self,
        block: &CodeBlock,
        outputs: &[Span],
        context: &Context,
        first: usize,
    ) {
        for output in outputs {
            let line = &block.code[output.range()];
            let statement = sql_prompt(line.trim(), self.catalog.list("sql", "clients"));
            if statement == line.trim() {
                continue;
            }
            if let Some(action) = self.sql(statement) {
                let at = output.start + line.len() - line.trim_start().len();
                let end = at + line.trim().len();
                let span = Span::new(block.file_offset(at), block.file_offset(end - 1) + 1);
                let statement = line.trim().to_owned();
                self.push(
                    action,
                    &statement,
                    span,
                    context.clone(),
                    Confidence::Medium,
                );
                let path = self.source.path.clone();
                let is_below =
                    |step: &InstallStep| step.source.path == path && step.span.start > span.start;
                let below = self.steps[first..].iter().position(is_below);
                if let Some(below) = below {
                    self.steps[first + below..].rotate_right(1);
                }
            }
        }
    }

    /// A block that goes to a folder which is not below the current one begins at the top again.
    fn block_start(&mut self, script: &shell::Script) {
        let Some(first) = script.commands.first() else {
            return;
        };
        let texts = first.value.texts();
        let ["cd", target] = texts[..] else { return };
        let from_here = self.repo.has_folder(&repo::join(&self.directory, target));
        if !from_here && self.repo.has_folder(&repo::join(self.home, target)) {
            self.directory = self.home.to_owned();
        }
    }

    /// Inline code that begins with a tool and has a word more is a command; without any, the
    /// sentences themselves may hold commands.
    fn paragraph(&mut self, paragraph: &Paragraph) {
        let before = self.steps.len();
        self.inline_code(paragraph);
        if self.steps.len() == before {
            self.sentences(paragraph);
        }
    }

    fn sentences(&mut self, paragraph: &Paragraph) {
        let context = self.context(&paragraph.headings, &paragraph.text);
        let (catalog, programs, repo) = (self.catalog, self.programs, self.repo);
        let here = self.directory.clone();
        let is_file = |word: &str| repo.contains(&repo::join(&here, word)) || repo.contains(word);
        let is_command = |code: &str| {
            let script = shell::script(code, Dialect::Shell, &|_| true);
            let [command] = &script.commands[..] else {
                return false;
            };
            let words: Vec<String> = command.value.owned_texts();
            let (found, words) = rule(&words, catalog);
            let Some((found, _)) = found else {
                return words.len() > 1
                    && words
                        .first()
                        .is_some_and(|word| programs.contains_key(word));
            };
            let does = matches!(
                found.rule.does,
                Does::Install
                    | Does::Build
                    | Does::Prepare
                    | Does::Start
                    | Does::Process
                    | Does::Script
                    | Does::SystemPackages
            );
            // "python 3" and "node app" are no commands.
            let is_certain = found.rule.words.literals().next().is_some();
            does && (is_certain || words.iter().skip(1).any(|word| is_file(word)))
        };
        let hearing = prose::Hearing {
            catalog,
            is_command: &is_command,
            is_file: &is_file,
        };
        let mut spoken = prose::commands(&paragraph.text, &hearing);
        if spoken.is_empty() && context.purpose == Purpose::Install {
            spoken.extend(prose::file_run(&paragraph.text, &hearing));
        }
        for spoken in spoken {
            let known = |_: &str| true;
            let script = shell::script(&spoken.code, Dialect::Shell, &known);
            let span = self.span_of(paragraph, &spoken.code);
            for command in &script.commands {
                self.command(&command.value, span, context.clone(), Confidence::Low);
            }
        }
    }

    /// Where `code` stands in the paragraph, or the whole of it.
    fn span_of(&self, paragraph: &Paragraph, code: &str) -> Span {
        let text = self
            .source
            .text
            .get(paragraph.span.range())
            .unwrap_or_default();
        // The last word stands there even where the first one was added.
        let places = [code, code.rsplit(' ').next().unwrap_or(code)];
        let found = places
            .iter()
            .find_map(|piece| Some((text.find(piece)?, piece.len())));
        found.map_or(paragraph.span, |(at, length)| {
            let start = paragraph.span.start + at;
            Span::new(start, start + length)
        })
    }

    fn inline_code(&mut self, paragraph: &Paragraph) {
        for inline in &paragraph.code {
            let (catalog, programs) = (self.catalog, self.programs);
            let known = |word: &str| catalog.tool(word).is_some() || programs.contains_key(word);
            let code = inline.code.trim();
            let shown = code.strip_prefix("$ ").unwrap_or(code);
            let words = shown.split_whitespace().count();
            let first = shown.split_whitespace().next().unwrap_or_default();
            let assigns = first.contains('=') && !first.starts_with('-') && words > 1;
            let runs_file =
                first.starts_with("./") && self.repo.contains(&repo::join(&self.directory, first));
            let is_command = (known(first) && words > 1) || runs_file || assigns;
            if !is_command || shown.contains('\n') {
                continue;
            }
            let script = shell::script(code, Dialect::Console, &known);
            let mut context = self.context(&paragraph.headings, &paragraph.text);
            if let Some(platform) = self.platform(&inline.before) {
                context.platform = platform;
            }
            context.is_alternative |= self.says_alternative(&inline.before);
            let is_verbatim = self.source.text.get(inline.span.range()) == Some(code);
            for command in &script.commands {
                let start = inline.span.start + command.span.start;
                let inside = Span::new(start, inline.span.start + command.span.end);
                let span = if is_verbatim { inside } else { inline.span };
                self.command(&command.value, span, context.clone(), Confidence::Low);
            }
        }
    }

    fn command(
        &mut self,
        command: &SimpleCommand,
        span: Span,
        mut context: Context,
        confidence: Confidence,
    ) {
        context.directory.clone_from(&self.directory);
        let mut all: Vec<String> = command
            .words
            .iter()
            .map(|word| self.expanded(word))
            .collect();
        self.without_bin_folder(&mut all);
        let (found, words) = rule_where(&all, self.catalog, &|path| {
            self.repo.has_folder(&repo::join(&self.directory, path))
                || self.repo.contains(&repo::join(&self.directory, path))
        });
        let first = words.first().map_or("", String::as_str);
        let action = match &found {
            None if all.is_empty() => self.set_variables(command),
            None if self.programs.contains_key(repo::file_name(first)) => Action::Start,
            // A wrapper around nothing, such as `screen`.
            None if words.is_empty() => Action::Skip("host-only".to_owned()),
            None if self.sql(&command.text).is_some() => {
                self.sql(&command.text).unwrap_or(Action::Other)
            }
            None if self.is_missing_script(first) => {
                Action::Skip("not-in-the-repository".to_owned())
            }
            None if self.is_output(command) => Action::Skip("output-not-command".to_owned()),
            None => Action::Other,
            Some(_)
                if words
                    .iter()
                    .any(|word| word == "--help" || word == "--version") =>
            {
                Action::Skip("inspection".to_owned())
            }
            Some((rule, matched)) => self.action(rule, matched, command, &words),
        };
        if let Some((rule, _)) = &found
            && let Some(platform) = rule
                .rule
                .platform
                .as_ref()
                .or(self.catalog.tools[rule.tool].platform.as_ref())
        {
            context.platform = Some(platform.clone());
        }
        if let Action::SetEnv(pairs) = &action {
            self.variables.extend(pairs.iter().cloned());
        }
        if action == Action::Clone {
            let arguments: Vec<&String> = words
                .iter()
                .skip(2)
                .filter(|word| !word.starts_with('-'))
                .collect();
            let last = arguments.last().map_or("", |word| word.as_str());
            self.clone = Some(
                repo::file_name(last.trim_end_matches('/'))
                    .trim_end_matches(".git")
                    .to_owned(),
            );
        }
        if action == Action::ChangeDirectory {
            self.change_directory(words.get(1).map_or("", String::as_str));
        }
        let followed = self.followed(found.as_ref(), &words);
        let at = self.steps.len();
        self.steps.push(InstallStep {
            source: Arc::clone(&self.source),
            span,
            text: command.text.clone(),
            words,
            assignments: command.assignments.clone(),
            action,
            context: context.clone(),
            confidence,
        });
        if let Some(followed) = followed {
            self.follow(followed, at, span, &context, confidence);
        }
        if let Some(unit) = self.copied_unit(at) {
            self.unit_file(&unit, &context);
        }
    }

    /// The unit file of the repository that the step `at` copies to where systemd or supervisor
    /// look for it.
    fn copied_unit(&self, at: usize) -> Option<Arc<SourceFile>> {
        let step = &self.steps[at];
        let target = step.words.last()?;
        let places = self.catalog.list("folders", "units");
        let is_place = places.iter().any(|place| target.contains(place.as_str()));
        let file = step.words.get(step.words.len().checked_sub(2)?)?;
        let source = self
            .repo
            .source(&repo::join(&step.context.directory, file))
            .filter(|_| is_place)?;
        (source.text.contains("[Service]") || source.text.contains("[program:")).then_some(source)
    }

    /// The word with the variables that were set above it, and without the host's path to the
    /// repository.
    fn expanded(&mut self, word: &shell::Word) -> String {
        let mut text = word.text.clone();
        if word.dynamic {
            for (name, value) in self.variables.iter().rev() {
                let known = text
                    .replace(&format!("${{{name}}}"), value)
                    .replace(&format!("${name}"), value);
                if known != text {
                    self.used.insert(name.clone());
                    text = known;
                }
            }
        }
        let inside = self.checkouts.iter().find_map(|folder| {
            let inside = text.strip_prefix(folder.as_str())?.strip_prefix('/')?;
            let is_there = self.repo.contains(inside) || self.repo.has_folder(inside);
            (is_there || inside.contains("bin/")).then(|| inside.to_owned())
        });
        inside.unwrap_or(text)
    }

    /// `venv/bin/pip` and `/usr/bin/python` are `pip` and `python` of the image.
    fn without_bin_folder(&self, words: &mut [String]) {
        if let Some(first) = words.first_mut()
            && let Some(at) = first.rfind("/bin/")
            && self.catalog.tool(&first[at + "/bin/".len()..]).is_some()
        {
            first.drain(..at + "/bin/".len());
        }
    }

    /// `NAME=value` that commands below use, and that is not exported, is theirs alone.
    fn settle_variables(&mut self, document: &Document) {
        for step in self.steps.iter_mut() {
            let is_own = step.words.is_empty() && step.source.path == document.source.path;
            let Action::SetEnv(pairs) = &step.action else {
                continue;
            };
            let is_used =
                !pairs.is_empty() && pairs.iter().all(|(name, _)| self.used.contains(name));
            if is_own && is_used {
                step.action = Action::Skip("used-by-commands-below".to_owned());
            }
        }
    }

    /// Variables of a script are its own; those of a document are the application's environment.
    fn set_variables(&mut self, command: &SimpleCommand) -> Action {
        self.variables.extend(command.assignments.iter().cloned());
        if self.following.is_empty() {
            Action::SetEnv(command.assignments.clone())
        } else {
            Action::Skip("variable-of-the-script".to_owned())
        }
    }

    /// What the command runs that can be read: a script, a target of a Makefile, provisioners of a
    /// Vagrantfile, code given to a shell.
    fn followed(&self, found: Option<&(Rule<'_>, Matched)>, words: &[String]) -> Option<Followed> {
        let of_script = |word: &str| -> Option<Followed> {
            let path = [self.directory.as_str(), self.home, "."]
                .iter()
                .map(|place| repo::join(place, word))
                .find(|path| follow::is_script(self.repo, path))?;
            let source = self.repo.source(&path)?;
            Some(Followed {
                pieces: follow::script(&source.text),
                file: Some(path),
            })
        };
        let Some((rule, matched)) = found else {
            let first = words.first()?;
            return if first.contains('/') {
                of_script(first)
            } else {
                None
            };
        };
        if rule.rule.does != Does::Follow {
            return None;
        }
        let after = words
            .iter()
            .position(|word| word == "-c")
            .and_then(|at| words.get(at + 1));
        match (rule.rule.file.as_deref(), after) {
            (Some(files), _) => {
                let argument = matched.arguments.iter().find(|word| !word.contains('='));
                let argument = argument.map_or("", String::as_str);
                let path = files
                    .split('|')
                    .map(|file| repo::join(&self.directory, file))
                    .find(|path| self.repo.contains(path))?;
                let source = self.repo.source(&path)?;
                let pieces = if path.ends_with("Vagrantfile") {
                    let (mut pieces, paths) = follow::vagrant(&source.text);
                    pieces.extend(paths.iter().map(|path| follow::Piece {
                        span: crate::source::Span::new(0, 0),
                        code: format!("./{path}"),
                        is_verbatim: false,
                    }));
                    pieces
                } else {
                    follow::make(&source.text, argument)?
                };
                Some(Followed {
                    file: Some(path),
                    pieces,
                })
            }
            (None, Some(code)) => Some(Followed {
                file: None,
                pieces: vec![follow::Piece {
                    span: Span::new(0, 0),
                    code: code.clone(),
                    is_verbatim: false,
                }],
            }),
            (None, None) => of_script(matched.arguments.first()?),
        }
    }

    /// Reads what the step `at` runs. Where all of it is understood the commands take the place of
    /// the step; a script that does something else is run as it is, where its name says for what.
    fn follow(
        &mut self,
        followed: Followed,
        at: usize,
        span: Span,
        context: &Context,
        confidence: Confidence,
    ) {
        let text = self.steps[at].words.join(" ");
        let key = format!("{} {text}", followed.file.as_deref().unwrap_or_default());
        if self.following.len() >= DEEPEST || self.following.contains(&key) {
            self.steps[at].action = Action::Skip("runs-itself".to_owned());
            return;
        }
        let outer = Arc::clone(&self.source);
        let directory = self.directory.clone();
        if let Some(source) = followed
            .file
            .as_ref()
            .and_then(|path| self.repo.source(path))
        {
            self.source = source;
        }
        self.following.push(key);
        let begin = self.steps.len();
        for piece in &followed.pieces {
            let script = shell::script(&piece.code, Dialect::Shell, &|_| true);
            let mut subshell = Subshell::default();
            for command in &script.commands {
                subshell.enter(command.value.subshell, &mut self.directory);
                let inner = match (&followed.file, piece.is_verbatim) {
                    (None, _) => span,
                    (Some(_), false) => piece.span,
                    (Some(_), true) => Span::new(
                        piece.span.start + command.span.start,
                        piece.span.start + command.span.end,
                    ),
                };
                self.command(&command.value, inner, context.clone(), confidence);
            }
            if !piece.is_verbatim {
                self.directory.clone_from(&directory);
            }
        }
        self.following.pop();
        self.directory = directory;
        self.source = outer;

        let inner = &self.steps[begin..];
        let is_understood = inner.iter().all(|step| step.action != Action::Other);
        let starts = inner.iter().any(|step| step.action == Action::Start);
        let purpose = followed
            .file
            .as_deref()
            .map(|path| self.purpose_of_script(path));
        match purpose.flatten() {
            Some(whole) if !(is_understood || starts && whole == Action::Start) => {
                self.steps[at].action = whole;
                for step in &mut self.steps[begin..] {
                    step.action = Action::Skip("part-of-a-script-that-is-run".to_owned());
                }
            }
            _ => self.steps[at].action = Action::Skip("its-commands-follow".to_owned()),
        }
    }

    /// What the name of a script says that it is for.
    fn purpose_of_script(&self, path: &str) -> Option<Action> {
        if !follow::is_script(self.repo, path) {
            return None;
        }
        let name = repo::file_name(path)
            .split('.')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let is = |list: &str| self.catalog.has_part("scripts", list, &name, &['-', '_']);
        match () {
            () if is("build") => Some(Action::Build),
            () if is("prepare") => Some(Action::Prepare),
            () if is("start") => Some(Action::Start),
            () => None,
        }
    }

    fn action(
        &self,
        rule: &Rule<'_>,
        matched: &Matched,
        command: &SimpleCommand,
        words: &[String],
    ) -> Action {
        let arguments = &matched.arguments;
        let reason = || {
            rule.rule
                .reason
                .clone()
                .unwrap_or_else(|| "not-part-of-the-image".to_owned())
        };
        match rule.rule.does {
            Does::SystemPackages => Action::SystemPackages {
                manager: rule.rule.manager.clone().unwrap_or_default(),
                packages: arguments.clone(),
            },
            Does::Install => Action::Install,
            Does::Build if self.works_elsewhere(words) => Action::Skip("host-only".to_owned()),
            Does::Build => Action::Build,
            Does::Prepare => Action::Prepare,
            Does::Start => Action::Start,
            Does::Process => Action::Process,
            Does::Script => Action::Script(match rule.rule.script.as_deref() {
                Some("1") | None => arguments.first().cloned().unwrap_or_default(),
                Some(name) => name.to_owned(),
            }),
            Does::Services => match &rule.rule.service {
                Some(service) => Action::Services(vec![service.clone()]),
                None => {
                    let verbs = ["start", "restart", "enable", "status", "reload", "stop"];
                    let units = words[1..]
                        .iter()
                        .filter(|word| !word.starts_with('-') && !verbs.contains(&word.as_str()));
                    Action::Services(units.cloned().collect())
                }
            },
            Does::CreateDatabase => Action::CreateDatabase {
                service: rule.rule.service.clone().unwrap_or_default(),
                name: arguments.first().cloned(),
            },
            Does::ServiceClient => self.service_client(rule, command, words),
            Does::Copy => match arguments.as_slice() {
                [from, to] => self.copy(from, to),
                _ => Action::Skip("host-only".to_owned()),
            },
            Does::MakeFolder => {
                let inside = |path: &&String| !path.starts_with('/') && !path.starts_with('~');
                let folders: Vec<String> = arguments
                    .iter()
                    .filter(inside)
                    .map(|path| repo::join(&self.directory, path))
                    .filter(|path| !self.has_content(path))
                    .collect();
                if folders.is_empty() {
                    Action::Skip("host-only".to_owned())
                } else {
                    Action::MakeFolder(folders)
                }
            }
            Does::SetEnv => {
                let pairs = words[1..].iter().filter_map(|word| word.split_once('='));
                Action::SetEnv(
                    pairs
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
                )
            }
            Does::Echo => self.echo(command, words),
            Does::ChangeDirectory => Action::ChangeDirectory,
            Does::Clone => Action::Clone,
            // What it runs decides, once it has been read.
            Does::Follow => Action::Skip("not-in-the-repository".to_owned()),
            Does::Schedule | Does::Wrapper => Action::Other,
            Does::Skip => Action::Skip(reason()),
        }
    }

    /// The file of the repository that `file` means: from here, or the only one of that name.
    fn file_named(&self, file: &str) -> Option<String> {
        let path = repo::join(&self.directory, file);
        if self.repo.contains(&path) {
            return Some(path);
        }
        match self.repo.glob(&format!("**/{}", repo::file_name(file)))[..] {
            [only] => Some(only.to_owned()),
            _ => None,
        }
    }

    /// Whether `path` is a file, or a folder with files that the application needs: a volume would
    /// hide them.
    fn has_content(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let is_needed = |file: &str| !repo::file_name(file).starts_with('.');
        self.repo.contains(path)
            || self
                .repo
                .files()
                .any(|file| file.starts_with(&inside) && is_needed(file))
    }

    /// Whether the last word is a path outside the repository.
    fn works_elsewhere(&self, words: &[String]) -> bool {
        let last = words.last().map_or("", String::as_str);
        (last.starts_with('/') || last.starts_with('~')) && words.len() > 2
    }

    fn service_client(&self, rule: &Rule<'_>, command: &SimpleCommand, words: &[String]) -> Action {
        let service = rule.rule.service.clone().unwrap_or_default();
        let read = command
            .redirects
            .iter()
            .find(|redirect| redirect.operator == "<");
        let flag = words
            .iter()
            .position(|word| word == "-f" || word == "--file")
            .and_then(|at| words.get(at + 1));
        if let Some(file) = read.map(|redirect| &redirect.target).or(flag) {
            return match self.file_named(file) {
                Some(file) => Action::LoadFile { service, file },
                None => Action::Skip("file-is-not-in-the-repository".to_owned()),
            };
        }
        let text = format!(
            "{} {}",
            words.join(" "),
            command.heredoc.as_deref().unwrap_or_default()
        );
        Action::CreateDatabase {
            service,
            name: created_database(&text),
        }
    }

    fn copy(&self, from: &str, to: &str) -> Action {
        if [from, to]
            .iter()
            .any(|path| path.starts_with('/') || path.starts_with('~'))
        {
            return Action::Skip("host-only".to_owned());
        }
        let source = repo::join(&self.directory, from);
        let mut target = repo::join(&self.directory, to);
        if self.repo.has_folder(&target) {
            target = repo::join(&target, repo::file_name(from));
        }
        Action::Copy {
            from: source,
            to: target,
        }
    }

    /// `echo text > file`, `cat > file <<EOF`, `echo text | tee file`.
    fn echo(&self, command: &SimpleCommand, words: &[String]) -> Action {
        let written = command
            .redirects
            .iter()
            .find(|redirect| redirect.operator.starts_with('>'));
        let target = match words.first().map(String::as_str) {
            Some("tee") => words[1..].iter().find(|word| !word.starts_with('-')),
            _ => None,
        };
        let Some(path) = written.map(|redirect| &redirect.target).or(target) else {
            return Action::Skip("inspection".to_owned());
        };
        if path.starts_with('/') || path.starts_with('~') {
            return Action::Skip("host-only".to_owned());
        }
        let text = match &command.heredoc {
            Some(text) => text.clone(),
            None => words[1..]
                .iter()
                .filter(|word| !word.starts_with('-'))
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
        };
        let appends = written.is_some_and(|redirect| redirect.operator == ">>")
            || words.iter().any(|word| word == "-a");
        Action::WriteFile {
            path: repo::join(&self.directory, path),
            text,
            appends,
        }
    }

    /// `./x` of a file that is not there: it was fetched, or made, on the author's machine.
    fn is_missing_script(&self, first: &str) -> bool {
        let is_there = |place: &str| self.repo.contains(&repo::join(place, first));
        first.starts_with("./")
            && !is_there(&self.directory)
            && !is_there(self.home)
            && !is_there(".")
    }

    /// A line that no person types: a sentence, or what a program printed.
    fn is_output(&self, command: &SimpleCommand) -> bool {
        let Some(first) = command.words.first() else {
            return false;
        };
        let first = first.text.as_str();
        let is_sentence = first.starts_with(|c: char| c.is_uppercase()) && command.words.len() > 1;
        let is_odd = first.starts_with(['*', '-', '[', '(', '|', '=', '<', '{', '+', '>'])
            || first.ends_with(':')
            || first.contains("...");
        let is_id = first.len() >= 12 && first.chars().all(|c| c.is_ascii_hexdigit());
        // Paths of addresses, as examples of requests.
        let is_address = first.starts_with('/') && command.words.len() == 1;
        is_sentence || is_odd || is_id || is_address || first.chars().all(|c| !c.is_alphabetic())
    }

    /// `cd` to a folder that is not in the repository is `cd` into the clone itself.
    fn change_directory(&mut self, target: &str) {
        let next = repo::join(&self.directory, target);
        let is_clone = self
            .clone
            .as_deref()
            .is_some_and(|clone| repo::file_name(target.trim_end_matches('/')) == clone);
        if is_clone {
            self.home.clone_into(&mut self.directory);
            self.clone = None;
            return;
        }
        let leaves = target.starts_with('/')
            || target.starts_with('~')
            || target.is_empty()
            || target == "-";
        if !leaves && self.repo.has_folder(&next) {
            self.directory = next;
        } else if leaves {
            self.directory = self.home.to_owned();
        }
    }

    fn context(&self, headings: &[String], lead: &str) -> Context {
        // The innermost heading that says something wins; the sentence before the block last.
        let purpose = headings
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
    fn says_alternative(&self, sentence: &str) -> bool {
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
    fn platform(&self, text: &str) -> Option<Option<String>> {
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

    fn env_block(&mut self, block: &CodeBlock) {
        let source = SourceFile::new("", block.code.clone());
        let context = self.context(&block.headings, &block.lead);
        for line in crate::manifest::env_lines(&source)
            .into_iter()
            .filter(|line| !line.disabled && !line.name.contains(|c: char| c.is_lowercase()))
        {
            let inside = source.line_span(line.line);
            let span = Span::new(
                block.file_offset(inside.start),
                block.file_offset(inside.end.saturating_sub(1)) + 1,
            );
            let text = source.text[inside.range()].to_owned();
            let action = Action::SetEnv(vec![(line.name, line.value)]);
            self.push(action, &text, span, context.clone(), Confidence::Medium);
        }
    }

    /// A block of a systemd unit or of supervisor: what it runs, and the environment of it. Returns
    /// whether it is one
    /// (<https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html>,
    /// <https://supervisord.org/configuration.html#program-x-section-settings>).
    fn units(&mut self, block: &CodeBlock) -> bool {
        let has = |mark: &str| {
            block
                .code
                .lines()
                .any(|line| line.trim_start().starts_with(mark))
        };
        if !has("[Service]") && !has("[program:") {
            return false;
        }
        let context = self.context(&block.headings, &block.lead);
        let source = SourceFile::new("", block.code.clone());
        self.checkouts.extend(unit_folder(&source));
        for line in unit_lines(&source) {
            let span = Span::new(
                block.file_offset(line.span.start),
                block.file_offset(line.span.end.saturating_sub(1)) + 1,
            );
            self.unit_line(&line, span, &context);
        }
        true
    }

    /// A unit file of the repository, which a document copies to its place.
    fn unit_file(&mut self, source: &Arc<SourceFile>, context: &Context) {
        let outer = std::mem::replace(&mut self.source, Arc::clone(source));
        self.checkouts.extend(unit_folder(source));
        for line in unit_lines(source) {
            self.unit_line(&line, line.span, context);
        }
        self.source = outer;
    }

    fn unit_line(&mut self, line: &UnitLine, span: Span, context: &Context) {
        if line.is_env {
            let pairs = shell::script(&line.value, Dialect::Shell, &|_| true);
            let pairs = pairs
                .commands
                .iter()
                .flat_map(|command| &command.value.assignments);
            let action = Action::SetEnv(pairs.cloned().collect());
            self.push(action, &line.value, span, context.clone(), Confidence::High);
            return;
        }
        let script = shell::script(&line.value, Dialect::Shell, &|_| true);
        for command in &script.commands {
            let at = self.steps.len();
            self.command(&command.value, span, context.clone(), Confidence::High);
            // What a unit runs stays up, whatever it is.
            if let Some(step) = self
                .steps
                .get_mut(at)
                .filter(|step| step.action == Action::Other)
            {
                step.action = Action::Start;
            }
        }
    }

    fn push(
        &mut self,
        action: Action,
        text: &str,
        span: Span,
        context: Context,
        confidence: Confidence,
    ) {
        self.steps.push(InstallStep {
            source: Arc::clone(&self.source),
            span,
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            words: Vec::new(),
            assignments: Vec::new(),
            action,
            context,
            confidence,
        });
    }

    /// Every line begins like a statement of SQL, or goes on with one.
    fn looks_like_sql(&self, code: &str) -> bool {
        let code = code.trim();
        code.contains(';') && statements(code).all(|(_, text)| self.sql(text).is_some())
    }

    fn sql_block(&mut self, block: &CodeBlock) {
        let context = self.context(&block.headings, &block.lead);
        for (at, text) in statements(&block.code) {
            let end = at + text.len();
            let span = Span::new(block.file_offset(at), block.file_offset(end - 1) + 1);
            let action = self
                .sql(text)
                .unwrap_or_else(|| Action::Skip("output-not-command".to_owned()));
            self.push(action, text, span, context.clone(), Confidence::Medium);
        }
    }

    /// What a statement of SQL means, or `None` where it is none. Which service it is for the
    /// words above it may tell.
    fn sql(&self, text: &str) -> Option<Action> {
        let text = sql_prompt(text, self.catalog.list("sql", "clients"));
        let lower = text.to_lowercase();
        let mut words = lower
            .split(|c: char| c.is_whitespace() || c == ';')
            .filter(|word| !word.is_empty());
        let first = words.next()?;
        if !self
            .catalog
            .list("sql", "statements")
            .iter()
            .any(|word| word == first)
        {
            return None;
        }
        Some(match (first, words.next()) {
            ("create", Some("database" | "schema")) => Action::CreateDatabase {
                service: String::new(),
                name: created_database(text),
            },
            ("create" | "alter", Some("user" | "role")) | ("grant" | "flush", _) => {
                Action::Skip("service-makes-its-user".to_owned())
            }
            _ => Action::Skip("statement-of-sql".to_owned()),
        })
    }

    /// A block whose lines are all of a crontab; returns whether it is one.
    fn crontab(&mut self, block: &CodeBlock) -> bool {
        let source = SourceFile::new("", block.code.clone());
        let lines: Vec<usize> = (1..=source.text.lines().count())
            .filter(|line| {
                let text = source.line_text(*line).trim();
                !text.is_empty() && !text.starts_with('#')
            })
            .collect();
        let is_crontab = !lines.is_empty()
            && lines
                .iter()
                .all(|line| cron_line(source.line_text(*line)).is_some());
        if !is_crontab {
            return false;
        }
        let context = self.context(&block.headings, &block.lead);
        for line in lines {
            let inside = source.line_span(line);
            let Some((cron, command)) = cron_line(source.line_text(line)) else {
                continue;
            };
            let span = Span::new(
                block.file_offset(inside.start),
                block.file_offset(inside.end.saturating_sub(1)) + 1,
            );
            self.steps.push(InstallStep {
                source: Arc::clone(&self.source),
                span,
                text: source.text[inside.range()].to_owned(),
                words: command.split_whitespace().map(str::to_owned).collect(),
                assignments: Vec::new(),
                action: Action::Schedule { cron, command },
                context: context.clone(),
                confidence: Confidence::High,
            });
        }
        true
    }
}

/// A line of a unit that says what is run, or in which environment.
struct UnitLine {
    span: Span,
    value: String,
    is_env: bool,
}

/// The folder that a unit runs in, on the host.
fn unit_folder(source: &SourceFile) -> Option<String> {
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        ["WorkingDirectory", "directory"]
            .contains(&key.trim())
            .then(|| value.trim().to_owned())
    };
    let folder = source.text.lines().find_map(value)?;
    Some(folder.trim_end_matches('/').to_owned()).filter(|folder| folder.len() > 1)
}

fn unit_lines(source: &SourceFile) -> Vec<UnitLine> {
    let mut lines = Vec::new();
    for number in 1..=source.text.lines().count() {
        let Some((key, value)) = source.line_text(number).split_once('=') else {
            continue;
        };
        let key = key.trim();
        let is_env = key == "Environment" || key == "environment";
        if is_env || key == "ExecStart" || key == "command" {
            // `-` and `@` before a command of systemd change how its end is judged; supervisor
            // separates variables with commas.
            let value = value.trim().trim_start_matches(['-', '@', '!']);
            let value = if key == "environment" {
                value.replace(',', " ")
            } else {
                value.replace("\"", if is_env { "" } else { "\"" })
            };
            lines.push(UnitLine {
                span: source.line_span(number),
                value,
                is_env,
            });
        }
    }
    lines
}

/// The statements of `code` with their offsets: what `;` ends, or else each line.
fn statements(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = if code.contains(';') { ';' } else { '\n' };
    code.split_inclusive(end)
        .scan(0, |at, raw| {
            let start = *at + (raw.len() - raw.trim_start().len());
            *at += raw.len();
            Some((start, raw.trim()))
        })
        .filter(|(_, text)| text.chars().any(char::is_alphanumeric))
}

/// Takes the prompt of a database's client off: `mysql> `, `MariaDB [(none)]> `, `postgres=# `.
fn sql_prompt<'t>(text: &'t str, clients: &[String]) -> &'t str {
    let head = text.split(['>', '#']).next().unwrap_or_default();
    let shown = head.trim().to_lowercase();
    let is_client = clients.iter().any(|name| shown.starts_with(name.as_str()));
    let is_prompt = is_client && head.len() < 30 && head.len() < text.len();
    if is_prompt {
        text[head.len() + 1..].trim_start()
    } else {
        text
    }
}

/// The name after `CREATE DATABASE`.
fn created_database(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let at = ["create database", "create schema"]
        .iter()
        .find_map(|words| Some(lower.find(words)? + words.len()))?;
    // Lower case can have another length than the text beyond ASCII.
    let rest = text.get(at..)?;
    let mut names = rest.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
    let is_name = |word: &&str| {
        !word.is_empty() && !["if", "not", "exists"].contains(&word.to_lowercase().as_str())
    };
    names.find(is_name).map(str::to_owned)
}

/// Reads five cron fields and a command.
fn cron_line(line: &str) -> Option<(String, String)> {
    let mut rest = line.trim();
    let mut fields = Vec::new();
    for _ in 0..5 {
        let (field, after) = rest.split_once(char::is_whitespace)?;
        let is_field = field
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*/,-".contains(c))
            && field.contains(|c: char| c.is_ascii_digit() || c == '*');
        if !is_field {
            return None;
        }
        fields.push(field);
        rest = after.trim_start();
    }
    (!rest.is_empty()).then(|| (fields.join(" "), rest.to_owned()))
}

fn looks_like_env(code: &str) -> bool {
    let mut lines = code
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            let Some((name, value)) = line.split_once('=') else {
                return false;
            };
            let is_upper = shell::is_name(name) && !name.contains(|c: char| c.is_ascii_lowercase());
            // `A=1 command` is a command.
            is_upper && (!value.contains(' ') || value.starts_with(['"', '\'']))
        })
}

/// At least the first line, past comments and prompts, begins with something a shell would run.
fn looks_like_commands(code: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let mut lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    let bare = |line: &str| {
        line.trim_start_matches(['$', '#', '%', '>', ' '])
            .to_owned()
    };
    if code.lines().any(|line| line.trim_start().starts_with("$ ")) {
        return true;
    }
    let Some(first) = lines
        .clone()
        .find(|line| !line.starts_with('#'))
        .or_else(|| lines.next())
    else {
        return false;
    };
    let line = bare(first);
    let mut words = line.split_whitespace();
    let Some(word) = words.next() else {
        return false;
    };
    let runs = word.starts_with("./") && !word.ends_with('/') || known(word);
    let assigns = word
        .split_once('=')
        .is_some_and(|(name, _)| shell::is_name(name))
        && words.next().is_some_and(known);
    // What a program prints about its options, or a tree of files.
    let options = lines
        .clone()
        .filter(|line| line.starts_with('-') && !line.starts_with("- "));
    if options.count() > 1 || code.contains(['├', '└', '│']) {
        return false;
    }
    // `python = 3.8` and `node: 12` are settings.
    let is_setting = words
        .clone()
        .next()
        .is_some_and(|next| next == "=" || next == ":")
        || line.ends_with('{');
    (runs || assigns) && !is_setting
}
