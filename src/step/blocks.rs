//! Blocks that are no commands: settings, units of an init system, SQL, crontabs.

use std::sync::Arc;

use super::{Action, Confidence, Context, InstallStep, reader::Reader};
use crate::{
    readme::CodeBlock,
    repo,
    shell::{self, Dialect},
    source::{SourceFile, Span},
};

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
pub(super) fn sql_prompt<'t>(text: &'t str, clients: &[String]) -> &'t str {
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
pub(super) fn created_database(text: &str) -> Option<String> {
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

/// A file of settings in the manner of TOML and INI, whatever language the document says it is in: names
/// with a blank before `=`, which a shell would run as programs.
pub(super) fn looks_like_settings(code: &str) -> bool {
    let (mut settings, mut open) = (0, 0_usize);
    for line in code.lines().map(str::trim) {
        let is_section = line.starts_with('[') && line.ends_with(']') && !line.starts_with("[ ");
        let setting = line.split_once(" = ");
        let is_name = |name: &str| {
            let mut letters = name.chars();
            letters.next().is_some_and(char::is_alphabetic)
                && letters.all(|c| c.is_alphanumeric() || "._-".contains(c))
        };
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let value = match setting {
            _ if open > 0 => line,
            Some((name, value)) if is_name(name.trim()) => {
                settings += 1;
                value
            }
            _ if is_section => continue,
            Some(_) | None => return false,
        };
        // A list goes on until it is closed.
        let count = |sign: [char; 2]| value.matches(sign).count();
        open = (open + count(['[', '{'])).saturating_sub(count([']', '}']));
    }
    settings > 1
}

pub(super) fn looks_like_env(code: &str) -> bool {
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
pub(super) fn looks_like_commands(code: &str, known: &dyn Fn(&str) -> bool) -> bool {
    let mut lines = code.lines().map(str::trim).filter(|line| !line.is_empty());
    let bare = |line: &str| {
        line.trim_start_matches(['$', '#', '%', '>', ' '])
            .to_owned()
    };
    // `(venv) $ python api.py`, with or without what it prints.
    let is_typed = |line: &str| {
        let first = shell::typed(line).and_then(|typed| typed.split_whitespace().next());
        line.trim_start().starts_with("$ ") || first.is_some_and(known)
    };
    if code.lines().any(is_typed) {
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

impl Reader<'_> {
    /// Statements behind the prompt of a database's client, among what looks like output. They go to
    /// their place among the steps from `first` on.
    pub(super) fn statements_typed(
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

    /// The unit file of the repository that the step `at` copies to where systemd or supervisor
    /// look for it.
    pub(super) fn copied_unit(&self, at: usize) -> Option<Arc<SourceFile>> {
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

    pub(super) fn env_block(&mut self, block: &CodeBlock) {
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
    pub(super) fn units(&mut self, block: &CodeBlock) -> bool {
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
    pub(super) fn unit_file(&mut self, source: &Arc<SourceFile>, context: &Context) {
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

    /// Every line begins like a statement of SQL, or goes on with one.
    pub(super) fn looks_like_sql(&self, code: &str) -> bool {
        let code = code.trim();
        code.contains(';') && statements(code).all(|(_, text)| self.sql(text).is_some())
    }

    pub(super) fn sql_block(&mut self, block: &CodeBlock) {
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
    pub(super) fn sql(&self, text: &str) -> Option<Action> {
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
    pub(super) fn crontab(&mut self, block: &CodeBlock) -> bool {
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
            if self.is_full() {
                break;
            }
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
