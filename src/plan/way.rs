//! The ways to start the application that documents, manifests and recipes name.

use super::{
    Origin,
    commands::is_documentation,
    env,
    input::{Input, fill, holds},
    kind::{Kind, is_preparing_script, script_kind},
    ledger,
    ledger::Ledger,
    missing::{directory_of, example_of_path, missing_file, missing_script, placeholder},
    port::{serves_something, value_of},
    workspace::{self, Script},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::Fact,
    recipe::{Does, Matched},
    repo, shell,
    shell::{Dialect, Joint, SimpleCommand},
    step::{Action, Confidence, InstallStep, Place, Purpose, Rule, place, rule, script_name},
};

/// A way to start the application.
#[derive(Debug, Clone)]
pub struct Way {
    /// The command.
    pub words: Vec<String>,
    /// Folder in which it runs.
    pub directory: String,
    /// Environment variables set before it.
    pub assignments: Vec<(String, String)>,
    /// Whether it is for people who work on the application.
    pub development: bool,
    /// Who says so.
    pub origin: Vec<Origin>,
    /// The step it comes from.
    pub step: Option<usize>,
    /// Commands on the same line that prepare a release or build.
    pub before: Vec<Before>,
}

/// A command on the line that starts the application, before the one that stays up.
#[derive(Debug, Clone)]
pub struct Before {
    /// The command.
    pub words: Vec<String>,
    /// Folder in which it runs.
    pub directory: String,
    /// Environment variables set before it.
    pub assignments: Vec<(String, String)>,
    /// [`Does::Prepare`] or [`Does::Build`].
    pub does: Does,
    /// Who says so.
    pub origin: Vec<Origin>,
}

/// Takes a line such as `python manage.py migrate && gunicorn site.wsgi` apart, where all but the last
/// of its commands prepare or build: the last one by itself is what starts.
fn before_the_last(
    line: &str,
    directory: &str,
    origin: &[Origin],
    input: &Input<'_, '_>,
) -> Option<(Vec<Before>, String)> {
    let parsed = shell::script(line, Dialect::Shell, &|_| true);
    let (last, others) = parsed.commands.split_last()?;
    let is_plain = |command: &SimpleCommand| {
        matches!(command.joint, Joint::First | Joint::And)
            && !command.nested
            && command.subshell == 0
            && command.redirects.is_empty()
    };
    let all_plain = parsed
        .commands
        .iter()
        .all(|command| is_plain(&command.value));
    if others.is_empty() || !all_plain || line.trim_end().ends_with('&') {
        return None;
    }
    let before = others.iter().map(|command| {
        let words = command.value.owned_texts();
        let (directory, words) = placed(words, directory, input);
        let (found, matched) = rule(&words, input.catalog).0?;
        let does = match found.rule.does {
            Does::Script => {
                let name = script_name(found.rule.script.as_deref(), &matched);
                match script_kind(&name, &directory, input) {
                    Kind::Build => Does::Build,
                    Kind::Prepare => Does::Prepare,
                    _ => return None,
                }
            }
            does => does,
        };
        let is_fixed = command.value.words.iter().all(|word| !word.dynamic);
        (is_fixed && matches!(does, Does::Prepare | Does::Build)).then(|| Before {
            words,
            directory,
            assignments: command.value.assignments.clone(),
            does,
            origin: origin.to_vec(),
        })
    });
    Some((
        before.collect::<Option<_>>()?,
        line.get(last.span.start..)?.to_owned(),
    ))
}

/// Whether an argument is a path of a host, such as `/etc/shop.conf`.
fn names_host_path(words: &[String]) -> bool {
    let is_host = |word: &String| word.starts_with('/') && !word.starts_with("/dev/");
    words.iter().skip(1).any(is_host)
}

/// Leaves out the flags with files of a host that the program can do without.
fn without_host_files(words: &mut Vec<String>, input: &Input<'_, '_>) {
    let (found, _) = rule(words, input.catalog);
    let flags = found.map_or(&[][..], |(found, _)| &found.rule.optional_files);
    let is_of_host = |pair: &[String]| flags.contains(&pair[0]) && pair[1].starts_with('/');
    while let Some(at) = words.windows(2).position(is_of_host) {
        words.drain(at..at + 2);
    }
}

fn is_named_worker(words: &[String], input: &Input<'_, '_>) -> bool {
    words.iter().skip(1).any(|word| {
        let stem = repo::file_name(word).split('.').next().unwrap_or_default();
        let stem = stem.to_lowercase();
        input
            .catalog
            .has_part("scripts", "worker", &stem, &['_', '-'])
    })
}

fn is_own_program(step: &InstallStep, input: &Input<'_, '_>) -> bool {
    let first = step.words.first().map_or("", String::as_str);
    input
        .selection
        .manifest
        .programs
        .contains_key(repo::file_name(first))
}

/// Whether the repository's own program is told to do something else than to stay up, or is given
/// what is not there: its first or last argument is a word, and none that serves.
fn does_other_work(step: &InstallStep, input: &Input<'_, '_>) -> bool {
    let is_word = |word: &&String| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
    };
    let is_there = |word: &String| {
        let path = repo::join(&step.context.directory, word);
        input.repo.has(&path)
    };
    let arguments = step.words.get(1..).unwrap_or_default();
    let listed = |list: &str, word: &String| env::listed(input.catalog, "scripts", list, word);
    let asks = |word: &String| listed("asks", word);
    let other = |word: &String| is_word(&word) && !is_there(word) && !listed("serves", word);
    let is_last = match arguments {
        // A long flag and its value; a short one is more often a switch.
        [.., flag, _] if flag.starts_with("--") && !flag.contains('=') => false,
        [.., last] => other(last),
        [] => false,
    };
    is_own_program(step, input)
        && (arguments.iter().any(asks) || arguments.first().is_some_and(other) || is_last)
}

/// Order of ways to start: those that name files of a host last, purpose of the section, those of the
/// repository's own program that do other work last, development servers last, what stays up by its
/// name before what does not where nothing listens, confidence, order of the documents.
type Rank = (
    bool,
    u8,
    bool,
    bool,
    bool,
    std::cmp::Reverse<Confidence>,
    usize,
);

/// The ways that documents and manifests name, best first.
pub fn ways(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Way> {
    let mut found: Vec<(Rank, Way)> = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let (words, development) = match &step.action {
            // Of a program that takes its work from its arguments the documents give examples.
            Action::Start if is_own_program(step, input) && !serves_something(input) => {
                ledger.skip(index, "example-of-use", None);
                continue;
            }
            Action::Start | Action::Script(_) if is_documentation(&step.words, input) => {
                ledger.skip(index, "documents-the-application", None);
                continue;
            }
            // `go run migrate/main.go` is no way to start it.
            Action::Start if is_preparing_script(step, input.catalog) => continue,
            _ if ledger.starts_by_file(index) => (step.words.clone(), false),
            Action::Start => {
                let development = rule(&step.words, input.catalog)
                    .0
                    .is_some_and(|(rule, _)| rule.rule.development);
                (step.words.clone(), development)
            }
            Action::Script(name) => match script_kind(name, &step.context.directory, input) {
                kind @ (Kind::Start | Kind::DevelopmentStart) => {
                    if input.script(name, &step.context.directory).is_none() {
                        diagnostics.push(missing_script(step, name, input));
                        ledger.skip(index, "no-such-script", Some(name));
                        continue;
                    }
                    (step.words.clone(), kind == Kind::DevelopmentStart)
                }
                _ => continue,
            },
            _ => continue,
        };
        if let Some(value) = placeholder(&step.text) {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Note,
                    Code::Placeholder,
                    format!("`{value}` stands for something that only you know"),
                )
                .at(&step.source, step.span, "so it starts nothing as it is")
                .hint("write the value into the README, or answer `start` in longshore.toml"),
            );
            ledger.skip(index, "holds-a-placeholder", Some(value));
            continue;
        }
        let mut words = words;
        for word in &mut words {
            if let Some(example) = example_of_path(word, input) {
                diagnostics.push(
                    Diagnostic::new(
                        Severity::Warning,
                        Code::Placeholder,
                        format!("`{word}` stands for a path that only you know"),
                    )
                    .at(&step.source, step.span, "starts it with it")
                    .hint(format!(
                        "the example `{example}` was taken; put your own file in its place"
                    )),
                );
                *word = example;
            }
        }
        without_host_files(&mut words, input);
        if let Some(missing) = missing_file(step, input) {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::MissingFile,
                    format!("`{missing}` is not in the repository"),
                )
                .at(&step.source, step.span, "starts it")
                .hint("the application's own entry file was taken instead"),
            );
            ledger.skip(index, "file-is-not-in-the-repository", Some(&missing));
            continue;
        }
        let purpose = match step.context.purpose {
            Purpose::Install if step.context.is_alternative => 1,
            Purpose::Install => 0,
            Purpose::Development | Purpose::OtherWay => 1,
            Purpose::Usage => 2,
            Purpose::Test => 3,
        };
        let does_other_work = does_other_work(step, input);
        // "Test it" is not always about tests.
        let serves = is_own_program(step, input) && step.words.len() > 1 && !does_other_work;
        if purpose == 3 && !serves {
            ledger.skip(index, "test-only", None);
            continue;
        }
        let origin = vec![ledger::origin(step)];
        let directory = directory_of(step, input);
        if let Some(first) = words.first_mut().filter(|word| !word.starts_with("./bin/"))
            && let Some(program) = shell::in_bin_folder(first)
        {
            // The image finds it by its name.
            *first = program.to_owned();
        }
        let (watched, _) = rule(&words, input.catalog);
        let watched = watched.as_ref().map(|(found, matched)| (found, matched));
        let plain = without_watcher(words.clone(), watched, input);
        let way = Way {
            development: development && plain == words,
            words: plain,
            directory,
            assignments: step.assignments.clone(),
            origin,
            step: Some(index),
            before: Vec::new(),
        };
        let way = follow_script(way, input);
        if workspace::is_of_another(&way.directory, input) {
            ledger.skip(index, "starts-other-projects", None);
            continue;
        }
        found.push((
            (
                names_host_path(&way.words),
                purpose,
                does_other_work,
                way.development,
                !serves_something(input) && !is_named_worker(&way.words, input),
                std::cmp::Reverse(step.confidence),
                index,
            ),
            way,
        ));
    }
    found.sort_by_key(|(rank, _)| *rank);
    let mut ways: Vec<Way> = found.into_iter().map(|(_, way)| way).collect();
    if let Some(process) = input.selection.manifest.processes.get("web") {
        let way = way_of_fact(process, input);
        // A Procfile is written for production.
        let at = if ways.first().is_some_and(|way| !way.development) {
            ways.len()
        } else {
            0
        };
        ways.insert(at, way);
    }
    if let Some(command) = &input.selection.manifest.dockerfile.command
        && ways.is_empty()
    {
        ways.extend(way_of_dockerfile(command, input));
    }
    let taken = ways.first().and_then(|way| way.step);
    for way in ways.iter().skip(1) {
        if let Some(step) = way.step.filter(|step| Some(*step) != taken) {
            let reason = if way.development {
                "development-only"
            } else {
                "alternative-not-taken"
            };
            ledger.skip(step, reason, None);
        }
    }
    ways
}

/// The command of a Dockerfile that a person wrote, where it is one that a recipe knows to start
/// something: an entry script of that image is not in this one.
fn way_of_dockerfile(command: &Fact, input: &Input<'_, '_>) -> Option<Way> {
    let way = way_of_fact(command, input);
    let (found, words) = rule(&way.words, input.catalog);
    let starts = found.is_some_and(|(found, _)| found.rule.does == Does::Start);
    let is_absolute = words.iter().any(|word| word.starts_with('/'));
    (starts && !is_absolute).then_some(way)
}

/// Where `words`, typed in `directory`, run, and what would run them there.
fn placed(words: Vec<String>, directory: &str, input: &Input<'_, '_>) -> (String, Vec<String>) {
    let (_, plain) = rule(&words, input.catalog);
    let workspaces = input.following().workspaces;
    match place(&plain, directory, workspaces, input.repo, input.catalog) {
        Some(Place::Folder(folder, words)) => (folder, words),
        Some(Place::Several) | None => (directory.to_owned(), words),
    }
}

/// Takes what a script of the package manifest runs, where that is one plain command: signals then
/// reach the application itself.
pub fn follow_script(mut way: Way, input: &Input<'_, '_>) -> Way {
    // A script may run another one; more levels than people write.
    for _ in 0..6 {
        let (directory, words) = placed(way.words.clone(), &way.directory, input);
        let (Some((found, matched)), _) = rule(&words, input.catalog) else {
            return way;
        };
        if found.rule.does != Does::Script {
            return way;
        }
        let name = script_name(found.rule.script.as_deref(), &matched);
        let Some(Script {
            fact: script,
            folder,
        }) = input.script(&name, &directory)
        else {
            return way;
        };
        (way.directory, way.words) = (directory, words);
        let origin = script.origin();
        if input.script(&format!("pre{name}"), &folder).is_some() {
            return way;
        }
        let origins = std::slice::from_ref(&origin);
        let split = before_the_last(&script.value, &folder, origins, input);
        let line = split.as_ref().map_or(&script.value, |(_, last)| last);
        let parsed = shell::script(line, Dialect::Shell, &|_| true);
        let [command] = &parsed.commands[..] else {
            return way;
        };
        let command = &command.value;
        let is_plain = !command.words.is_empty()
            && command.words.iter().all(|word| !word.dynamic)
            && command.redirects.is_empty()
            && !script.value.trim_end().ends_with('&');
        if !is_plain {
            return way;
        }
        let words: Vec<String> = command.owned_texts();
        let (inner, unwrapped) = rule(&words, input.catalog);
        // A script that is named for development stays so where what it runs says nothing.
        way.development = match &inner {
            Some((inner, _)) => inner.rule.development,
            None => way.development,
        };
        way.words = without_watcher(
            unwrapped,
            inner.as_ref().map(|(inner, matched)| (inner, matched)),
            input,
        );
        way.development &= way.words.first() == words.first();
        way.before
            .extend(split.into_iter().flat_map(|(before, _)| before));
        way.assignments.extend(command.assignments.clone());
        way.directory = folder;
        if !way.origin.contains(&origin) {
            way.origin.push(origin);
        }
    }
    way
}

/// A watcher that runs a script file gives way to the runtime itself, or to the command that it
/// watches over.
fn without_watcher(
    words: Vec<String>,
    found: Option<(&Rule<'_>, &Matched)>,
    input: &Input<'_, '_>,
) -> Vec<String> {
    let Some((found, matched)) = found.filter(|(found, _)| found.rule.runs_file) else {
        return words;
    };
    if let Some((_, runner)) = value_of(&words, &found.rule.runs_with) {
        let runner = runner.split_whitespace().map(str::to_owned);
        return runner.chain(matched.arguments.iter().cloned()).collect();
    }
    let Some(file) = matched.arguments.first() else {
        return words;
    };
    if input.catalog.tool(file).is_some() {
        return matched.arguments.clone();
    }
    let configured = input.catalog.tools[found.tool].configured_file.as_ref();
    let script = configured.and_then(|pattern| {
        let source = input.repo.source(&repo::join(input.directory, file))?;
        let script = pattern.captures(&source.text)?.get(1)?.as_str();
        Some(script.trim_start_matches("./").to_owned())
    });
    let file = script.as_ref().unwrap_or(file);
    if file.ends_with(".ts") {
        return words;
    }
    let runtime = input.selection.stack.runtime.clone();
    let rest = matched
        .arguments
        .iter()
        .skip(1)
        .filter(|_| script.is_none())
        .cloned();
    [runtime, file.clone()].into_iter().chain(rest).collect()
}

/// Returns the way of a line in a manifest, such as a `Procfile`.
pub fn way_of_fact(fact: &Fact, input: &Input<'_, '_>) -> Way {
    let origin = vec![fact.origin()];
    let Some((before, last)) = before_the_last(&fact.value, input.directory, &origin, input) else {
        return way_of_line(&fact.value, input.directory, origin, input);
    };
    Way {
        before,
        ..way_of_line(&last, input.directory, origin, input)
    }
}

/// Reads one shell line; what is more than one plain command is left to a shell.
pub fn way_of_line(line: &str, directory: &str, origin: Vec<Origin>, input: &Input<'_, '_>) -> Way {
    let parsed = shell::script(line, Dialect::Shell, &|_| true);
    let way = |words: Vec<String>, assignments, development| Way {
        words,
        directory: directory.to_owned(),
        assignments,
        development,
        origin,
        step: None,
        before: Vec::new(),
    };
    match &parsed.commands[..] {
        [command] => {
            let words: Vec<String> = command.value.owned_texts();
            let (found, words) = rule(&words, input.catalog);
            let development = found.is_some_and(|(found, _)| found.rule.development);
            let inner = way(words, command.value.assignments.clone(), development);
            follow_script(inner, input)
        }
        commands => {
            // The last one stays up: it takes the place of the shell, so that signals reach it.
            let last = commands.last().filter(|last| !last.value.nested);
            let at = last.map_or(0, |last| last.span.start);
            let line = match line.get(at..) {
                Some(rest) if last.is_some() => format!("{}exec {rest}", &line[..at]),
                _ => line.to_owned(),
            };
            way(
                vec!["sh".to_owned(), "-c".to_owned(), line],
                Vec::new(),
                false,
            )
        }
    }
}

/// The way that the framework's or the stack's recipe knows.
pub fn way_of_recipe(input: &Input<'_, '_>) -> Option<Way> {
    let selection = input.selection;
    let framework = selection
        .framework
        .map(|(id, framework)| (format!("frameworks/{id}"), &framework.start));
    let stack = (
        format!("stacks/{}", selection.stack_id),
        &selection.stack.start,
    );
    for (id, commands) in framework.into_iter().chain([stack]) {
        for command in commands {
            if !holds(command, input) {
                continue;
            }
            let Some(line) = fill(&command.command, input) else {
                continue;
            };
            let text = command
                .why
                .clone()
                .unwrap_or_else(|| format!("starts it with `{}`", command.command));
            let mut way = way_of_line(
                &line,
                input.directory,
                vec![Origin::recipe(&id, text)],
                input,
            );
            way.assignments.extend(command.env.clone());
            return Some(way);
        }
    }
    None
}
