//! Reads documents into steps, command by command.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Action, Confidence, Context, InstallStep, Purpose,
    blocks::{looks_like_commands, looks_like_env, looks_like_settings},
    context::{Platforms, Section},
    place::{Place, place},
    prose,
    rule::{rule, rule_where},
};
use crate::{
    limits,
    manifest::{Fact, workspace::Workspace},
    readme::{self, CodeBlock, Document, Paragraph},
    recipe::{Catalog, Does},
    repo::{self, Repo},
    shell::{self, Dialect, SimpleCommand},
    source::{SourceFile, Span},
};

pub(super) struct Reader<'a> {
    /// The document, or the file that one of its commands runs.
    pub(super) source: Arc<SourceFile>,
    pub(super) repo: &'a Repo,
    pub(super) catalog: &'a Catalog,
    /// Programs that the repository itself installs.
    pub(super) programs: &'a BTreeMap<String, Fact>,
    /// Projects that are installed together, which commands name.
    pub(super) workspaces: &'a [Arc<Workspace>],
    /// Heading of the whole document, where it is a README: the application's name.
    pub(super) title: Option<Arc<str>>,
    /// The headings of what was read last.
    pub(super) sections: Vec<Section>,
    pub(super) home: String,
    pub(super) directory: String,
    /// Folder that a `git clone` makes: the repository itself.
    pub(super) clone: Option<String>,
    /// Shell variables that were set, for commands further down.
    pub(super) variables: BTreeMap<String, String>,
    /// Those of them that a command has used.
    pub(super) used: BTreeSet<String>,
    /// Folders of a host that hold the repository, by what the documents say or by convention.
    pub(super) checkouts: Vec<String>,
    /// Functions that the scripts which are followed have defined so far.
    pub(super) functions: BTreeSet<String>,
    /// Files that are being followed, with what is run of them, outermost first.
    pub(super) following: Vec<String>,
    /// How many bytes of such files may still be read.
    pub(super) left: &'a Cell<usize>,
    pub(super) steps: &'a mut Vec<InstallStep>,
}

/// Remembers the folder before a subshell, which a `cd` inside does not change.
#[derive(Default)]
pub(super) struct Subshell {
    number: usize,
    before: String,
}

impl Subshell {
    /// Goes to the command of subshell `number`, 0 for none.
    pub(super) fn enter(&mut self, number: usize, directory: &mut String) {
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

/// The folder that the commands of a document in `folder` begin in: what `docs/` says is done beside
/// it.
fn home(folder: &str, catalog: &Catalog) -> String {
    let aside = catalog.list("folders", "documents");
    let mut home = folder;
    while aside.iter().any(|known| known == repo::file_name(home)) {
        home = repo::folder_of(home);
    }
    home.to_owned()
}

/// A loop with more rounds than people write by hand is cut off.
const MOST_ROUNDS: usize = 32;

/// Returns `command` with `value` for the variable `name`.
fn with_variable(command: &SimpleCommand, name: &str, value: &str) -> SimpleCommand {
    let fill = |text: &mut String| {
        *text = text
            .replace(&format!("${{{name}}}"), value)
            .replace(&format!("${name}"), value);
    };
    let mut command = command.clone();
    for word in command.words.iter_mut().filter(|word| word.dynamic) {
        fill(&mut word.text);
    }
    for redirect in &mut command.redirects {
        fill(&mut redirect.target);
    }
    for (_, value) in &mut command.assignments {
        fill(value);
    }
    fill(&mut command.text);
    command
}

impl<'a> Reader<'a> {
    /// Returns a reader at the top of `document`, which adds to `steps`.
    pub(super) fn new(
        document: &Document,
        repo: &'a Repo,
        catalog: &'a Catalog,
        programs: &'a BTreeMap<String, Fact>,
        workspaces: &'a [Arc<Workspace>],
        left: &'a Cell<usize>,
        steps: &'a mut Vec<InstallStep>,
    ) -> Self {
        let home = home(repo::folder_of(&document.source.path), catalog);
        Self {
            source: Arc::clone(&document.source),
            repo,
            catalog,
            programs,
            workspaces,
            title: document
                .title()
                .filter(|_| readme::is_readme(&document.source.path))
                .cloned(),
            sections: Vec::new(),
            directory: home.clone(),
            home,
            clone: None,
            variables: BTreeMap::new(),
            used: BTreeSet::new(),
            checkouts: catalog.list("folders", "checkouts").to_vec(),
            functions: BTreeSet::new(),
            following: Vec::new(),
            left,
            steps,
        }
    }
}

impl Reader<'_> {
    /// Whether there are as many steps as are read.
    pub(super) fn is_full(&self) -> bool {
        self.steps.len() >= limits::STEPS
    }

    pub(super) fn block(&mut self, block: &CodeBlock) {
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
        if self.units(block) || self.created_file(block) {
            return;
        }
        if is_env || is_unknown && looks_like_env(&block.code) {
            self.env_block(block);
            return;
        }
        if looks_like_settings(&block.code) {
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
            if self.is_full() {
                break;
            }
            subshell.enter(command.value.subshell, &mut self.directory);
            let mut context = context.clone();
            let above = script
                .comments
                .partition_point(|comment| comment.span.start < command.span.start);
            let comment = above.checked_sub(1).map(|at| &script.comments[at]);
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

    /// A block that goes to a folder which is not below the current one begins at the top again.
    fn block_start(&mut self, script: &shell::Script) {
        let Some(first) = script.commands.first() else {
            return;
        };
        let texts = first.value.texts();
        let ["cd", target] = texts[..] else { return };
        let from_here = self.repo.has_folder(&repo::join(&self.directory, target));
        if !from_here && self.repo.has_folder(&repo::join(&self.home, target)) {
            self.return_home();
        }
    }

    /// The reader is back at the top although no command said so: then the sections between this one
    /// and the one that left it were written for the top, too.
    fn return_home(&mut self) {
        let left = std::mem::replace(&mut self.directory, self.home.clone());
        let is_leaving = |step: &InstallStep| step.action == Action::ChangeDirectory;
        let Some(at) = self.steps.iter().rposition(is_leaving) else {
            return;
        };
        let section = self.steps[at].context.headings.clone();
        let source = Arc::clone(&self.source);
        for step in &mut self.steps[at + 1..] {
            if step.source.path == source.path
                && step.context.headings != section
                && step.context.directory == left
            {
                step.context.directory.clone_from(&self.home);
            }
        }
    }

    /// Inline code that begins with a tool and has a word more is a command; without any, the
    /// sentences themselves may hold commands.
    pub(super) fn paragraph(&mut self, paragraph: &Paragraph) {
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
                // "your own shop server" speaks of the program; flags and files are typed.
                let is_program = words
                    .first()
                    .is_some_and(|word| programs.contains_key(word));
                let mut others = words.iter().skip(1);
                return is_program && others.any(|word| word.starts_with('-') || is_file(word));
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
        if paragraph.code.is_empty() {
            return;
        }
        let around = self.context(&paragraph.headings, &paragraph.text);
        let platforms = Platforms::of(paragraph, self.catalog);
        for inline in &paragraph.code {
            let (catalog, programs) = (self.catalog, self.programs);
            let known = |word: &str| catalog.tool(word).is_some() || programs.contains_key(word);
            let code = inline.code.trim();
            let shown = code.strip_prefix("$ ").unwrap_or(code);
            let words = shown.split_whitespace().count();
            let first = shown.split_whitespace().next().unwrap_or_default();
            let assigns = first.contains('=') && !first.starts_with('-') && words > 1;
            // `./shop serve`: a file of the repository, or the program that is built of it.
            let runs_file = first.strip_prefix("./").is_some_and(|name| {
                self.repo.contains(&repo::join(&self.directory, name))
                    || programs.contains_key(name)
            });
            let is_command = (known(first) && words > 1) || runs_file || assigns;
            if !is_command || shown.contains('\n') {
                continue;
            }
            let script = shell::script(code, Dialect::Console, &known);
            let mut context = around.clone();
            if let Some(platform) = platforms.before(inline.before) {
                context.platform = platform;
            }
            context.is_alternative |= self.says_alternative(paragraph.before(inline));
            let is_verbatim = self.source.text.get(inline.span.range()) == Some(code);
            for command in &script.commands {
                let start = inline.span.start + command.span.start;
                let inside = Span::new(start, inline.span.start + command.span.end);
                let span = if is_verbatim { inside } else { inline.span };
                self.command(&command.value, span, context.clone(), Confidence::Low);
            }
        }
    }

    pub(super) fn command(
        &mut self,
        command: &SimpleCommand,
        span: Span,
        mut context: Context,
        confidence: Confidence,
    ) {
        if self.is_full() {
            return;
        }
        if !command.loops.is_empty() {
            for round in self.rounds(command) {
                self.command(&round, span, context.clone(), confidence);
            }
            return;
        }
        context.directory.clone_from(&self.directory);
        self.set_defaults(command);
        let mut all: Vec<String> = command
            .words
            .iter()
            .map(|word| self.expanded(word))
            .collect();
        // `venv/bin/pip` and `/usr/bin/python` are `pip` and `python` of the image.
        if let Some(first) = all.first_mut() {
            let places = self.catalog.list("folders", "programs").iter();
            let mut inside = places.filter_map(|place| first.strip_prefix(place.as_str()));
            let program = inside.next().or_else(|| shell::in_bin_folder(first));
            let program = program.filter(|program| self.catalog.tool(program).is_some());
            if let Some(program) = program.map(str::to_owned) {
                *first = program;
            }
        }
        let (_, unwrapped) = rule(&all, self.catalog);
        let placed = place(
            &unwrapped,
            &self.directory,
            self.workspaces,
            self.repo,
            self.catalog,
        );
        if let Some(Place::Folder(folder, words)) = placed {
            all = words;
            context.directory = folder;
        }
        let here = context.directory.clone();
        let (found, words) = rule_where(&all, self.catalog, &|path| {
            let path = repo::join(&here, path);
            self.repo.has(&path)
        });
        let first = words.first().map_or("", String::as_str);
        let action = match &found {
            _ if self.functions.contains(first) => {
                Action::Skip("function-of-the-script".to_owned())
            }
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

    /// The command as each round of the loops around it runs it. A loop over what only a machine
    /// knows runs once, with its variable as written.
    fn rounds(&self, command: &SimpleCommand) -> Vec<SimpleCommand> {
        let plain = SimpleCommand {
            loops: Vec::new(),
            ..command.clone()
        };
        let mut rounds = vec![plain];
        for (name, words) in &command.loops {
            let mut values: Vec<String> = Vec::new();
            for word in words.iter().filter(|word| !word.contains('$')) {
                if word.contains('*') {
                    let found = self.repo.glob(&repo::join(&self.directory, word));
                    let start = format!("{}/", self.directory);
                    for path in found {
                        values.push(path.strip_prefix(&start).unwrap_or(path).to_owned());
                    }
                } else {
                    values.push(word.clone());
                }
            }
            values.truncate(MOST_ROUNDS);
            if values.is_empty() || rounds.len() * values.len() > MOST_ROUNDS {
                continue;
            }
            rounds = rounds
                .iter()
                .flat_map(|round| values.iter().map(|value| with_variable(round, name, value)))
                .collect();
        }
        rounds
    }

    /// The word with the variables that were set above it, and without the host's path to the
    /// repository.
    fn expanded(&mut self, word: &shell::Word) -> String {
        let mut text = word.text.clone();
        if word.dynamic {
            text = self.with_variables(&text);
        }
        // `$(dirname "$0")/assets`: the folder of the script that is read.
        let mut own: Vec<&String> = self
            .catalog
            .list("folders", "of-the-script")
            .iter()
            .collect();
        // The longer ones hold shorter ones.
        own.sort_by_key(|idiom| std::cmp::Reverse(idiom.len()));
        let folder = repo::folder_of(&self.source.path);
        if folder == self.directory {
            for idiom in own {
                text = text
                    .replace(&format!("{idiom}/"), "")
                    .replace(idiom.as_str(), ".");
            }
        }
        let inside = self.checkouts.iter().find_map(|folder| {
            let inside = text.strip_prefix(folder.as_str())?.strip_prefix('/')?;
            let is_there = self.repo.contains(inside) || self.repo.has_folder(inside);
            (is_there || inside.contains("bin/")).then(|| inside.to_owned())
        });
        inside.unwrap_or(text)
    }

    /// `text` with the values of variables: of `$NAMES` the longest name that is known counts, and a value
    /// may name those that come before it in the alphabet.
    fn with_variables(&mut self, text: &str) -> String {
        /// What a value becomes at most: people build paths and addresses.
        const LONGEST: usize = 1 << 16;
        /// Most values in one word.
        const MOST: usize = 1000;
        let (mut known, mut filled) = (String::new(), 0);
        // What is still to be read, with the name below which variables are filled in.
        let mut pending: Vec<(String, Option<String>)> = vec![(text.to_owned(), None)];
        while let Some((text, below)) = pending.pop() {
            let is_open = known.len() <= LONGEST && filled < MOST;
            let Some(at) = text.find('$').filter(|_| is_open) else {
                known.push_str(&text);
                continue;
            };
            known.push_str(&text[..at]);
            let rest = &text[at + 1..];
            let Some((name, length)) = self.variable_at(rest, below.as_deref()) else {
                known.push('$');
                pending.push((rest.to_owned(), below));
                continue;
            };
            let value = self.variables[&name].clone();
            filled += 1;
            self.used.insert(name.clone());
            pending.push((rest[length..].to_owned(), below));
            pending.push((value, Some(name)));
        }
        known
    }

    /// The variable that `rest`, the text behind a `$`, begins with, and how long it is written there.
    fn variable_at(&self, rest: &str, below: Option<&str>) -> Option<(String, usize)> {
        let inside = rest.strip_prefix('{');
        let names = inside.unwrap_or(rest);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = names.find(|c| !is_part(c)).unwrap_or(names.len());
        let is_known = |name: &str| {
            self.variables.contains_key(name) && below.is_none_or(|below| name < below)
        };
        if inside.is_some() {
            let name = &names[..length];
            let is_whole = names[length..].starts_with('}') && is_known(name);
            return is_whole.then(|| (name.to_owned(), length + 2));
        }
        let mut lengths = (1..=length.min(100)).rev();
        let length = lengths.find(|length| is_known(&names[..*length]))?;
        Some((names[..length].to_owned(), length))
    }

    /// `NAME=value` that commands below use, and that is not exported, is theirs alone.
    pub(super) fn settle_variables(&mut self, document: &Document) {
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

    /// `: ${NAME:=value}` sets a variable that has no value
    /// (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_06_02>).
    fn set_defaults(&mut self, command: &SimpleCommand) {
        let mut words = command.words.iter();
        if words.next().is_none_or(|first| first.text != ":") {
            return;
        }
        for word in words {
            let inside = word.text.strip_prefix("${");
            let Some(inside) = inside.and_then(|inside| inside.strip_suffix('}')) else {
                continue;
            };
            if let Some((name, value)) = inside.split_once(":=").or(inside.split_once('='))
                && shell::is_name(name)
            {
                let known = self.variables.entry(name.to_owned());
                known.or_insert_with(|| value.to_owned());
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

    pub(super) fn push(
        &mut self,
        action: Action,
        text: &str,
        span: Span,
        context: Context,
        confidence: Confidence,
    ) {
        if self.is_full() {
            return;
        }
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
}
