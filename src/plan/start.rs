//! How the application is started, and on which port it then listens.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    Fate, Origin, OriginKind, Port, Process, Protocol, Schedule, Start, Volume,
    env::listed,
    ledger::{self, Ledger},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::{EnvLine, Fact},
    readme::{Document, Part},
    recipe::{Catalog, ConditionalCommand, Does, Listen, Matched},
    repo::{self, Repo},
    select::Selection,
    shell::{self, Dialect},
    step::{Action, Confidence, InstallStep, Purpose, Rule, rule},
};

/// What a script or command turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Starts the application.
    Start,
    /// Starts it for people who work on it.
    DevelopmentStart,
    /// Builds.
    Build,
    /// Prepares a release.
    Prepare,
    /// Stays up beside the application.
    Process,
    /// Tests or checks.
    Test,
    /// Something else.
    Other,
}

/// A way to start the application.
#[derive(Debug, Clone)]
struct Way {
    words: Vec<String>,
    directory: String,
    assignments: Vec<(String, String)>,
    development: bool,
    origin: Vec<Origin>,
    /// The step it comes from.
    step: Option<usize>,
}

/// The result: the start command, the port it listens on, and environment it needs.
pub struct Started {
    /// The command.
    pub start: Option<Start>,
    /// The ports; empty for a program without one.
    pub ports: Vec<Port>,
    /// Environment that makes it listen where it should: name → value and why.
    pub env: BTreeMap<String, (String, Origin)>,
    /// Folders that the command names, outside the application.
    pub data: Vec<Volume>,
}

/// Everything that is looked at to find the start command.
pub struct Input<'a, 'c> {
    /// The repository.
    pub repo: &'a Repo,
    /// The documents.
    pub documents: &'a [Document],
    /// The recipes that fit.
    pub selection: &'a Selection<'c>,
    /// The catalogue.
    pub catalog: &'c Catalog,
    /// Folder of the application, where its commands run.
    pub directory: &'a str,
    /// Values for `{name}` in commands of recipes.
    pub variables: &'a BTreeMap<String, (String, Origin)>,
}

/// Returns what the script `name` of the package manifest is, by its name and its command.
pub fn script_kind(name: &str, input: &Input<'_, '_>) -> Kind {
    let is = |list: &str| listed(input.catalog, "scripts", list, name);
    let part = |list: &str| {
        let separators = [':', '-', '_', '.'];
        input.catalog.has_part("scripts", list, name, &separators)
    };
    match () {
        () if is("start") => Kind::Start,
        () if is("development") => Kind::DevelopmentStart,
        () if is("build") => Kind::Build,
        () if is("worker") || part("worker") => Kind::Process,
        () if part("prepare") => Kind::Prepare,
        () if is("test") || part("test") => Kind::Test,
        () => input
            .selection
            .manifest
            .scripts
            .get(name)
            .map_or(Kind::Other, |script| command_kind(&script.value, input)),
    }
}

/// Returns what the shell line `command` is, by the strongest of its commands.
pub fn command_kind(command: &str, input: &Input<'_, '_>) -> Kind {
    let script = shell::script(command, Dialect::Shell, &|_| true);
    let kinds: Vec<Kind> = script
        .commands
        .iter()
        .map(|command| {
            let words: Vec<String> = command.value.owned_texts();
            let (Some((rule, _)), _) = rule(&words, input.catalog) else {
                return Kind::Other;
            };
            match rule.rule.does {
                Does::Start if rule.rule.development => Kind::DevelopmentStart,
                Does::Start => Kind::Start,
                Does::Build => Kind::Build,
                Does::Prepare => Kind::Prepare,
                Does::Process => Kind::Process,
                Does::Skip if rule.rule.reason.as_deref() == Some("test-only") => Kind::Test,
                _ => Kind::Other,
            }
        })
        .collect();
    let has = |kind: Kind| kinds.contains(&kind);
    [
        Kind::Start,
        Kind::DevelopmentStart,
        Kind::Process,
        Kind::Prepare,
        Kind::Build,
        Kind::Test,
    ]
    .into_iter()
    .find(|kind| has(*kind))
    .unwrap_or(Kind::Other)
}

/// Returns whether `step`, the run of a script file, only prepares data.
pub fn is_preparing_script(step: &InstallStep, catalog: &Catalog) -> bool {
    let (Some((_, matched)), _) = rule(&step.words, catalog) else {
        return false;
    };
    let Some(file) = matched.arguments.first() else {
        return false;
    };
    // `migrate/main.go` and `migrate.py` say it alike.
    let stem = file
        .rsplit_once('.')
        .map_or(file.as_str(), |(stem, _)| stem);
    let stem = stem.trim_start_matches("./").to_lowercase();
    catalog.has_part("scripts", "prepare", &stem, &['_', '-', '/'])
}

/// Decides the start command, the port and the environment that goes with them.
pub fn start(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Started {
    let selection = input.selection;
    let serves_static = selection
        .framework
        .is_some_and(|(_, framework)| framework.serves_static);
    let ways = if serves_static {
        Vec::new()
    } else {
        ways(input, ledger, diagnostics)
    };
    let told = ways.first().cloned();
    let recipe = way_of_recipe(input);
    let served = told
        .as_ref()
        .and_then(|told| way_of_own_server(told, input));
    let (way, replaced) = match (told, served, recipe) {
        (Some(told), Some(served), _) => {
            let reason = "by itself it listens on 127.0.0.1 only".to_owned();
            (Some(served), Some((told, reason)))
        }
        (Some(told), None, Some(recipe)) if told.development && !recipe.development => {
            let reason = format!("the production server {} takes its place", recipe.words[0]);
            let way = Way {
                step: told.step,
                ..recipe
            };
            (Some(way), Some((told, reason)))
        }
        (Some(told), None, _) => (Some(told), None),
        (None, _, recipe) => (recipe, None),
    };
    let Some(mut way) = way else {
        return Started {
            start: None,
            ports: Vec::new(),
            env: BTreeMap::new(),
            data: Vec::new(),
        };
    };
    if let Some((told, _)) = &replaced {
        way.origin.extend(told.origin.clone());
    }
    call_program(&mut way, input);
    let data = in_data_folder(&mut way);
    let mut env = BTreeMap::new();
    for (name, value) in &way.assignments {
        if let Some(origin) = way.origin.first() {
            env.insert(name.clone(), (value.clone(), origin.clone()));
        }
    }

    // Where a server takes the place of what was told, it listens where that would have.
    let told = replaced.as_ref().map(|(told, _)| told.clone());
    let port = port(input, &way, told.as_ref(), ledger, serves_static);
    if let (Some(port), Some(said)) = (&port, port_in_prose(input.documents, true))
        && port.port != said.port
    {
        let place = |port: &Port| port.origin.first().map(Origin::place).unwrap_or_default();
        diagnostics.push(
            Diagnostic::new(
                Severity::Note,
                Code::PortConflict,
                format!(
                    "`{}` says port {}, but `{}` leads to {}",
                    place(&said),
                    said.port,
                    place(port),
                    port.port
                ),
            )
            .hint(format!(
                "{} was taken; correct the one that is out of date",
                port.port
            )),
        );
    }
    let changed = port
        .as_ref()
        .and_then(|port| listen_everywhere(&mut way, port.port, input.catalog));
    if let Some(port) = &port {
        env.extend(listen_env(input, port));
    }
    if let Some(step) = way.step {
        let reason = match (&replaced, changed) {
            (Some((_, reason)), _) => Some(reason.clone()),
            (None, changed) => changed,
        };
        ledger.set(step, Fate::Start, "Dockerfile", reason);
    }
    if way.development && replaced.is_none() {
        diagnostics.push(
            Diagnostic::new(
                Severity::Warning,
                Code::DevelopmentServer,
                format!("`{}` is a development server", way.words.join(" ")),
            )
            .hint("declare a production server among the dependencies; it will be used instead"),
        );
    }
    let start = Start {
        command: way.words,
        directory: way.directory,
        origin: way.origin,
    };
    Started {
        start: Some(start),
        ports: port.into_iter().collect(),
        env,
        data,
    }
}

/// A folder of a person's home becomes one of the data volume; returns these folders.
fn in_data_folder(way: &mut Way) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for word in &mut way.words {
        let home = ["~/", "$HOME/", "${HOME}/"];
        let Some(inside) = home.iter().find_map(|home| word.strip_prefix(home)) else {
            continue;
        };
        let path = format!("/data/{}", inside.trim_end_matches('/'));
        volumes.push(Volume {
            path: path.clone(),
            persistent: true,
            reason: format!("the start command names {word} on a person's own machine"),
            origin: way.origin.clone(),
        });
        *word = path;
    }
    volumes
}

/// The command that serves on all addresses what `told`, the run of a file, serves on 127.0.0.1.
/// The step of `told` stays its own.
fn way_of_own_server(told: &Way, input: &Input<'_, '_>) -> Option<Way> {
    let (id, framework) = input.selection.framework?;
    let own = framework.own_server.as_ref()?;
    let [_, file] = &told.words[..] else {
        return None;
    };
    let source = input.repo.source(&repo::join(&told.directory, file))?;
    let pattern = Regex::new(&own.runs).ok()?;
    let found = pattern.captures(&source.text)?;
    let named = |name: &str| found.name(name).map_or("", |found| found.as_str());
    if named("arguments").contains(&own.told) {
        return None;
    }
    let module = file
        .trim_start_matches("./")
        .rsplit_once('.')?
        .0
        .replace('/', ".");
    let line = own
        .command
        .replace("{module}", &module)
        .replace("{object}", named("object"));
    let why = format!("`{}` listens on 127.0.0.1 only", found.get(0)?.as_str());
    let origin = vec![Origin::recipe(&format!("frameworks/{id}"), why)];
    let way = way_of_line(&line, &told.directory, origin, input);
    Some(Way {
        step: told.step,
        assignments: told.assignments.clone(),
        ..way
    })
}

/// Writes a program of the repository as it is called in the image.
fn call_program(way: &mut Way, input: &Input<'_, '_>) {
    let Some(program) = &input.selection.stack.program else {
        return;
    };
    let programs = &input.selection.manifest.programs;
    let found = way.words.iter().position(|word| {
        let name = repo::file_name(word);
        programs.contains_key(name)
            || program
                .called
                .iter()
                .any(|ending| word.ends_with(ending.as_str()))
    });
    // Of a compiled program any other name is one that the build of its time gave it.
    let is_unknown = || rule(&way.words, input.catalog).0.is_none().then_some(0);
    let is_compiled = !program.command.iter().any(|word| word.contains("{entry}"));
    let Some(at) = found.or_else(|| is_unknown().filter(|_| is_compiled)) else {
        return;
    };
    let name = repo::file_name(&way.words[at]).to_owned();
    let entry = programs.get(&name).map_or("", |fact| fact.value.as_str());
    let words = program
        .command
        .iter()
        .map(|word| word.replace("{name}", &name).replace("{entry}", entry));
    way.words.splice(at..=at, words);
}

/// `/usr/local/bin/gunicorn` and `venv/bin/gunicorn` are `gunicorn`, which the image finds.
fn without_bin_folder(mut words: Vec<String>) -> Vec<String> {
    if let Some(first) = words.first_mut()
        && let Some(at) = first.rfind("/bin/")
        && !first.starts_with("./bin/")
    {
        first.drain(..at + "/bin/".len());
    }
    words
}

/// Whether an argument is a path of a host, such as `/etc/shop.conf`.
fn names_host_path(words: &[String]) -> bool {
    let is_host = |word: &String| word.starts_with('/') && !word.starts_with("/dev/");
    words.iter().skip(1).any(is_host)
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

/// Order of ways to start: purpose of the section, those that name files of a host last, development
/// servers last, what stays up by its
/// name before what does not where nothing listens, confidence, order of the documents.
type Rank = (u8, bool, bool, bool, std::cmp::Reverse<Confidence>, usize);

/// The ways that documents and manifests name, best first.
fn ways(
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
            // `go run migrate/main.go` is no way to start it.
            Action::Start if is_preparing_script(step, input.catalog) => continue,
            Action::Start => {
                let development = rule(&step.words, input.catalog)
                    .0
                    .is_some_and(|(rule, _)| rule.rule.development);
                (step.words.clone(), development)
            }
            Action::Script(name) => match script_kind(name, input) {
                kind @ (Kind::Start | Kind::DevelopmentStart) => {
                    if !input.selection.manifest.scripts.contains_key(name) {
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
        if purpose == 3 {
            ledger.skip(index, "test-only", None);
            continue;
        }
        let origin = vec![ledger::origin(step)];
        let directory = directory_of(step, input);
        let words = without_bin_folder(words);
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
        };
        let way = follow_script(way, input);
        found.push((
            (
                purpose,
                names_host_path(&way.words),
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

/// `<project-name>` in a command.
fn placeholder(text: &str) -> Option<&str> {
    let open = text.find('<')?;
    let close = open + text[open..].find('>')?;
    let inside = &text[open + 1..close];
    let is_name = inside.starts_with(char::is_alphabetic)
        && inside
            .chars()
            .all(|c| c.is_alphanumeric() || " _-".contains(c));
    is_name.then(|| &text[open..=close])
}

/// The file that `python FILE` or `node FILE` runs, where it is not there.
fn missing_file(step: &InstallStep, input: &Input<'_, '_>) -> Option<String> {
    if step.action != Action::Start {
        return None;
    }
    if let [_, flag, module, ..] = &step.words[..]
        && flag == "-m"
    {
        return missing_module(module, step, input);
    }
    let (found, _) = rule(&step.words, input.catalog);
    let is_plain = found.is_some_and(|(rule, _)| rule.rule.listen.is_none());
    let file = step
        .words
        .get(1)
        .filter(|word| !word.starts_with('-') && is_plain)?;
    // What a build leaves behind is there once it has run.
    let folder = file
        .trim_start_matches("./")
        .split('/')
        .next()
        .unwrap_or_default();
    let is_built = input
        .catalog
        .list("folders", "built")
        .iter()
        .any(|known| known == folder);
    let is_file = file.contains('.') && !file.contains('*') && !is_built;
    let places = [step.context.directory.as_str(), input.directory, "."];
    let is_there = places.iter().any(|place| {
        let path = repo::join(place, file);
        // `node .` and `node server` name a module.
        input.repo.contains(&path) || input.repo.has_folder(&path)
    });
    (is_file && !is_there).then(|| file.clone())
}

/// The module that `-m` runs, where the repository has none of that name.
fn missing_module(module: &str, step: &InstallStep, input: &Input<'_, '_>) -> Option<String> {
    let path = module.replace('.', "/");
    let places = [step.context.directory.as_str(), input.directory, "."];
    let is_there = places.iter().flat_map(|place| {
        [
            repo::join(place, &path),
            repo::join(place, &format!("src/{path}")),
        ]
    });
    let mut is_there = is_there
        .map(|path| input.repo.has_folder(&path) || input.repo.contains(&format!("{path}.py")));
    (!is_there.any(|found| found)).then(|| module.to_owned())
}

fn missing_script(step: &InstallStep, name: &str, input: &Input<'_, '_>) -> Diagnostic {
    let known: Vec<&str> = input
        .selection
        .manifest
        .scripts
        .keys()
        .map(String::as_str)
        .collect();
    Diagnostic::new(
        Severity::Warning,
        Code::MissingFile,
        format!("the package manifest has no script `{name}`"),
    )
    .at(&step.source, step.span, "runs it")
    .hint(format!(
        "it has {}",
        if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        }
    ))
}

/// The folder in which the file that the command names lies.
fn directory_of(step: &InstallStep, input: &Input<'_, '_>) -> String {
    let file = step
        .words
        .iter()
        .skip(1)
        .find(|word| word.contains('.') && !word.starts_with('-') && !word.contains(':'));
    let here = &step.context.directory;
    match file {
        Some(file) if input.repo.contains(&repo::join(here, file)) => here.clone(),
        Some(file) if input.repo.contains(&repo::join(input.directory, file)) => {
            input.directory.to_owned()
        }
        Some(file) if input.repo.contains(file) => ".".to_owned(),
        _ if here == "." => input.directory.to_owned(),
        _ => here.clone(),
    }
}

/// Takes what a script of the package manifest runs, where that is one plain command: signals then
/// reach the application itself.
fn follow_script(mut way: Way, input: &Input<'_, '_>) -> Way {
    let scripts = &input.selection.manifest.scripts;
    // A script may run another one; four levels are more than people write.
    for _ in 0..4 {
        let (Some((found, matched)), _) = rule(&way.words, input.catalog) else {
            return way;
        };
        if found.rule.does != Does::Script {
            return way;
        }
        let name = match found.rule.script.as_deref() {
            Some("1") | None => matched.arguments.first().cloned().unwrap_or_default(),
            Some(name) => name.to_owned(),
        };
        let Some(script) = scripts.get(&name) else {
            return way;
        };
        let origin = Origin::at(
            OriginKind::Manifest,
            &script.file,
            script.line,
            &script.value,
        );
        if scripts.contains_key(&format!("pre{name}")) {
            return way;
        }
        let parsed = shell::script(&script.value, Dialect::Shell, &|_| true);
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
        way.assignments.extend(command.assignments.clone());
        way.directory = input.selection.folder.clone();
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
    let Some((_, matched)) = found.filter(|(found, _)| found.rule.runs_file) else {
        return words;
    };
    let Some(file) = matched.arguments.first() else {
        return words;
    };
    if input.catalog.tool(file).is_some() {
        return matched.arguments.clone();
    }
    let script = configured_script(file, input);
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

/// The script that a configuration of a process manager names: `script: "./app.js"`.
fn configured_script(file: &str, input: &Input<'_, '_>) -> Option<String> {
    let source = input.repo.source(&repo::join(input.directory, file))?;
    let pattern = Regex::new(r#"["']?\bscript["']?\s*:\s*["']([^"']+)["']"#).ok()?;
    let found = pattern.captures(&source.text)?.get(1)?;
    Some(found.as_str().trim_start_matches("./").to_owned())
}

fn way_of_fact(fact: &Fact, input: &Input<'_, '_>) -> Way {
    let origin = vec![Origin::at(
        OriginKind::Manifest,
        &fact.file,
        fact.line,
        &fact.value,
    )];
    way_of_line(&fact.value, input.directory, origin, input)
}

/// Reads one shell line; what is more than one plain command is left to a shell.
fn way_of_line(line: &str, directory: &str, origin: Vec<Origin>, input: &Input<'_, '_>) -> Way {
    let parsed = shell::script(line, Dialect::Shell, &|_| true);
    let way = |words: Vec<String>, assignments, development| Way {
        words,
        directory: directory.to_owned(),
        assignments,
        development,
        origin,
        step: None,
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
fn way_of_recipe(input: &Input<'_, '_>) -> Option<Way> {
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

/// Returns whether the conditions of `command` hold.
pub fn holds(command: &ConditionalCommand, input: &Input<'_, '_>) -> bool {
    let selection = input.selection;
    let packages = command
        .packages
        .iter()
        .all(|name| selection.manifest.package(name).is_some());
    let files = command.files.iter().all(|pattern| {
        !input
            .repo
            .glob(&repo::join(input.directory, pattern))
            .is_empty()
    });
    let script = command
        .script
        .as_ref()
        .is_none_or(|name| selection.manifest.scripts.contains_key(name));
    let code = command.code.as_ref().is_none_or(|piece| {
        selection
            .facts
            .files
            .iter()
            .filter_map(|path| input.repo.source(path))
            .any(|source| source.text.contains(piece.as_str()))
    });
    let serves = command
        .serves
        .is_none_or(|serves| serves == serves_something(input));
    packages && files && script && code && serves
}

/// Replaces `{name}` by the values found in the tree; `None` where one is missing. `{port}` stays.
pub fn fill(command: &str, input: &Input<'_, '_>) -> Option<String> {
    let mut line = command.to_owned();
    for (name, (value, _)) in input.variables {
        line = line.replace(&format!("{{{name}}}"), value);
    }
    let rest = line.replace("{port}", "");
    let is_open = rest.match_indices('{').any(|(at, _)| {
        let name = rest[at + 1..].split('}').next().unwrap_or_default();
        shell::is_name(name) && !rest[..at].ends_with('$')
    });
    (!is_open).then_some(line)
}

/// As [`fill`], for the text of a file, where other braces stand for themselves.
pub fn fill_text(text: &str, input: &Input<'_, '_>) -> String {
    let mut text = text.to_owned();
    for (name, (value, _)) in input.variables {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// The port, from the strongest source that names one.
fn port(
    input: &Input<'_, '_>,
    way: &Way,
    told: Option<&Way>,
    ledger: &Ledger<'_>,
    serves_static: bool,
) -> Option<Port> {
    let selection = input.selection;
    let framework = selection.framework.and_then(|(id, framework)| {
        let origin = Origin::recipe(
            &format!("frameworks/{id}"),
            format!("{} listens on it by default", framework.title),
        );
        framework.port.map(|port| http(port, origin))
    });
    if serves_static {
        return framework;
    }
    let ways = || told.into_iter().chain([way]);
    // A default of the documents' own command is certain; of one that a recipe chose it is not.
    let is_documented = |way: &&Way| {
        way.origin
            .iter()
            .any(|origin| origin.kind == OriginKind::Readme)
    };
    let of_documented = || {
        let documented = Some(told.unwrap_or(way)).filter(is_documented);
        documented.and_then(|way| port_of_rule(way, input))
    };
    ways()
        .find_map(|way| port_in_command(&way.words, &way.origin, input.catalog))
        .or_else(|| ways().find_map(|way| port_in_assignments(way, input)))
        .or_else(|| port_told(input, ledger))
        .or_else(|| ways().find_map(|way| port_in_named_file(way, input)))
        .or_else(of_documented)
        .or_else(|| port_in_examples(input))
        .or_else(|| port_in_dockerfile(input))
        .or_else(|| port_in_code(input))
        .or_else(|| port_in_prose(input.documents, false))
        .or(framework)
        .or_else(|| port_of_rule(way, input))
        .or_else(|| {
            let has_server = serves_something(input);
            let port = selection.stack.port.filter(|_| has_server)?;
            Some(http(
                port,
                Origin::recipe(
                    &format!("stacks/{}", selection.stack_id),
                    "usual port of the stack",
                ),
            ))
        })
}

fn http(port: u16, origin: Origin) -> Port {
    Port {
        port,
        protocol: Protocol::Http,
        origin: vec![origin],
    }
}

/// Returns whether anything shows that the application listens on a port.
fn serves_something(input: &Input<'_, '_>) -> bool {
    input.selection.framework.is_some() || input.selection.facts.serves
}

fn port_in_command(words: &[String], origin: &[Origin], catalog: &Catalog) -> Option<Port> {
    let (found, words) = rule(words, catalog);
    let listen = found.and_then(|(found, _)| found.rule.listen.as_ref());
    let text = match listen {
        Some(listen) => {
            let address = value_of(&words, &listen.address_flags).map(|(_, value)| value);
            let flag = value_of(&words, &listen.port_flags).map(|(_, value)| value);
            let argument = listen
                .argument
                .then(|| address_argument(&words))
                .flatten()
                .map(|at| words[at].clone());
            address.or(flag).or(argument)?
        }
        // A program of its own: flags that people give to such.
        None => value_of(&words, catalog.list("environment", "port-flags"))?.1,
    };
    let number = text.rsplit(':').next()?.parse().ok()?;
    Some(Port {
        port: number,
        protocol: Protocol::Http,
        origin: origin.to_vec(),
    })
}

fn port_in_assignments(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let is_port = |name: &str| listed(input.catalog, "environment", "port", name);
    let (_, value) = way.assignments.iter().find(|(name, _)| is_port(name))?;
    Some(http(value.parse().ok()?, way.origin.first()?.clone()))
}

/// `export PORT=…` in a document.
fn port_told(input: &Input<'_, '_>, ledger: &Ledger<'_>) -> Option<Port> {
    ledger.open().find_map(|(_, step)| {
        let Action::SetEnv(pairs) = &step.action else {
            return None;
        };
        let (_, value) = pairs
            .iter()
            .find(|(name, _)| listed(input.catalog, "environment", "port", name))?;
        Some(http(value.parse().ok()?, ledger::origin(step)))
    })
}

fn port_of_rule(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let (found, _) = rule(&way.words, input.catalog);
    let (found, _) = found?;
    let port = found.rule.port?;
    Some(http(
        port,
        Origin::recipe(&format!("tools/{}", found.tool), "listens on it by default"),
    ))
}

/// A port written in the source: a literal, or the fallback of an environment variable.
fn port_in_code(input: &Input<'_, '_>) -> Option<Port> {
    let selection = input.selection;
    let variable = selection.facts.env.iter().find_map(|read| {
        let is_port = listed(input.catalog, "environment", "port", &read.name);
        let port: u16 = read.default.as_ref().filter(|_| is_port)?.parse().ok()?;
        Some(http(
            port,
            Origin::at(
                OriginKind::Manifest,
                &read.file,
                read.line,
                format!("{} falls back to {port}", read.name),
            ),
        ))
    });
    if variable.is_some() {
        return variable;
    }
    let patterns: Vec<Regex> = selection
        .stack
        .port_reads
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect();
    selection.facts.files.iter().find_map(|path| {
        let source = input.repo.source(path)?;
        let found = patterns
            .iter()
            .find_map(|pattern| pattern.captures(&source.text)?.get(1))?;
        let line = source.line(found.start());
        let text = source.line_text(line).trim().to_owned();
        Some(http(
            found.as_str().parse().ok()?,
            Origin::at(OriginKind::Manifest, path, line, text),
        ))
    })
}

fn port_in_examples(input: &Input<'_, '_>) -> Option<Port> {
    let line =
        input.selection.manifest.env.iter().find(|line| {
            listed(input.catalog, "environment", "port", &line.name) && !line.disabled
        })?;
    Some(http(
        line.value.parse().ok()?,
        Origin::at(
            OriginKind::Manifest,
            &line.file,
            line.line,
            format!("{}={}", line.name, line.value),
        ),
    ))
}

/// A configuration that the start command names: `uwsgi app.ini` with `http = :9000` in it.
fn port_in_named_file(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let names = input.catalog.list("environment", "port-settings");
    let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    let pattern = format!(
        r#"(?m)^\s*-?\s*["']?(?:{})["']?\s*[=:]\s*["']?(?:[\w.*]*:)?(\d{{2,5}})\b"#,
        names.join("|")
    );
    let pattern = Regex::new(&pattern).ok()?;
    let is_source = |word: &str| {
        let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending);
        input
            .selection
            .stack
            .sources
            .iter()
            .any(|known| known == ending)
    };
    way.words
        .iter()
        .skip(1)
        .filter(|word| !is_source(word))
        .find_map(|word| {
            let path = repo::join(&way.directory, word);
            let source = input.repo.source(&path)?;
            let found = pattern.captures(&source.text)?.get(1)?;
            let line = source.line(found.start());
            let origin = Origin::at(
                OriginKind::Manifest,
                &path,
                line,
                source.line_text(line).trim(),
            );
            Some(http(found.as_str().parse().ok()?, origin))
        })
}

/// `ENV PORT` and `EXPOSE` of a Dockerfile that a person wrote.
fn port_in_dockerfile(input: &Input<'_, '_>) -> Option<Port> {
    let dockerfile = &input.selection.manifest.dockerfile;
    let is_port = |line: &&EnvLine| listed(input.catalog, "environment", "port", &line.name);
    let told = dockerfile.env.iter().find(is_port);
    let told = told.map(|line| (&line.value, &line.file, line.line));
    let exposed = dockerfile.ports.first();
    let exposed = exposed.map(|port| (&port.value, &port.file, port.line));
    let (port, file, line) = told.or(exposed)?;
    let origin = Origin::at(
        OriginKind::Manifest,
        file,
        line,
        format!("the Dockerfile opens {port}"),
    );
    Some(http(port.parse().ok()?, origin))
}

/// "runs on port 3000", "http://localhost:3000".
/// Commands and what they print count only where `sentences_only` is not set.
fn port_in_prose(documents: &[Document], sentences_only: bool) -> Option<Port> {
    let pattern = Regex::new(
        r"(?i)(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d{2,5})\b|\bport\s+(?:is\s+)?`?(\d{2,5})\b",
    )
    .ok()?;
    documents.iter().find_map(|document| {
        document.parts.iter().find_map(|part| {
            let (text, at) = match part {
                Part::Text(paragraph) => (&paragraph.text, paragraph.span.start),
                Part::Code(_) if sentences_only => return None,
                Part::Code(block) => (&block.code, block.file_offset(0)),
            };
            let found = pattern.captures(text)?;
            let number = found.get(1).or(found.get(2))?;
            let line = document.source.line(at) + text[..number.start()].matches('\n').count();
            let said = found.get(0)?.as_str();
            // Ports of databases stand in addresses of databases.
            let before = &text[..number.start()];
            let is_address_of_service =
                before
                    .rsplit(char::is_whitespace)
                    .next()
                    .is_some_and(|word| {
                        word.contains('@') || word.contains("://") && !word.contains("http")
                    });
            (!is_address_of_service)
                .then(|| number.as_str().parse().ok())?
                .map(|port| {
                    http(
                        port,
                        Origin::at(OriginKind::Readme, &document.source.path, line, said),
                    )
                })
        })
    })
}

/// Position and value of the first of `flags` that `words` have.
fn value_of(words: &[String], flags: &[String]) -> Option<(usize, String)> {
    words.iter().enumerate().find_map(|(index, word)| {
        if flags.contains(word) {
            return Some((index, words.get(index + 1)?.clone()));
        }
        let (flag, value) = word.split_once('=')?;
        flags
            .iter()
            .any(|known| known == flag)
            .then(|| (index, value.to_owned()))
    })
}

/// Position of the argument `host:port` or `port`.
fn address_argument(words: &[String]) -> Option<usize> {
    words
        .iter()
        .skip(1)
        .rposition(|word| {
            let last = word.rsplit(':').next().unwrap_or(word);
            last.len() >= 2 && last.chars().all(|c| c.is_ascii_digit())
        })
        .map(|at| at + 1)
}

/// Makes the start command listen on all addresses, on `port`; returns what was changed.
fn listen_everywhere(way: &mut Way, port: u16, catalog: &Catalog) -> Option<String> {
    let before = way.words.join(" ");
    for word in &mut way.words {
        *word = word
            .replace("{port}", &port.to_string())
            .replace("${PORT}", &port.to_string())
            .replace("$PORT", &port.to_string());
    }
    let (found, _) = rule(&way.words, catalog);
    let (found, _) = found?;
    way.words.retain(|word| !found.rule.drop.contains(word));
    for word in &found.rule.add {
        if !way.words.contains(word) {
            way.words.push(word.clone());
        }
    }
    if let Some(listen) = found.rule.listen.clone() {
        set_listen(&mut way.words, &listen, port);
    }
    (way.words.join(" ") != before).then(|| format!("listens on 0.0.0.0:{port}"))
}

fn set_listen(words: &mut Vec<String>, listen: &Listen, port: u16) {
    let set = |words: &mut Vec<String>, flags: &[String], value: String, add: bool| {
        match value_of(words, flags) {
            Some((index, _)) if flags.contains(&words[index]) => words[index + 1] = value,
            Some((index, _)) => {
                let flag = words[index]
                    .split('=')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                words[index] = format!("{flag}={value}");
            }
            None if add => {
                // The long form reads best.
                let flag = flags
                    .iter()
                    .find(|flag| flag.starts_with("--"))
                    .or(flags.first());
                if let Some(flag) = flag {
                    words.extend([flag.clone(), value]);
                }
            }
            None => {}
        }
    };
    if !listen.address_flags.is_empty() {
        set(
            words,
            &listen.address_flags,
            format!("0.0.0.0:{port}"),
            true,
        );
    }
    set(words, &listen.host_flags, "0.0.0.0".to_owned(), true);
    set(words, &listen.port_flags, port.to_string(), true);
    if listen.argument {
        let address = format!("0.0.0.0:{port}");
        match address_argument(words) {
            Some(at) => words[at] = address,
            None => {
                let at = words
                    .iter()
                    .rposition(|word| !word.starts_with('-'))
                    .map_or(words.len(), |at| at + 1);
                words.insert(at, address);
            }
        }
    }
}

/// Environment variables by which the code is told where to listen.
fn listen_env(input: &Input<'_, '_>, port: &Port) -> BTreeMap<String, (String, Origin)> {
    let mut env = BTreeMap::new();
    for read in &input.selection.facts.env {
        let origin = Origin::at(
            OriginKind::Manifest,
            &read.file,
            read.line,
            format!("reads {}", read.name),
        );
        let is = |list: &str| listed(input.catalog, "environment", list, &read.name);
        let is_address = read.default.as_deref().is_none_or(|default| {
            ["localhost", "127.0.0.1", "0.0.0.0", "::", "::1", ""].contains(&default)
        });
        if is("port") {
            env.insert(read.name.clone(), (port.port.to_string(), origin));
        } else if is("host") && is_address {
            env.insert(read.name.clone(), ("0.0.0.0".to_owned(), origin));
        }
    }
    env
}

/// Returns the further processes: steps that stay up beside the application, and a `Procfile`'s.
pub fn processes(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_process = match &step.action {
            Action::Process => true,
            Action::Script(name) => {
                script_kind(name, input) == Kind::Process
                    && input.selection.manifest.scripts.contains_key(name)
            }
            _ => false,
        };
        if !is_process {
            continue;
        }
        let origin = vec![ledger::origin(step)];
        let way = Way {
            words: step.words.clone(),
            directory: directory_of(step, input),
            assignments: Vec::new(),
            development: false,
            origin,
            step: Some(index),
        };
        let way = follow_script(way, input);
        if !processes.iter().any(|known| known.command == way.words) {
            let id = if processes.is_empty() {
                "worker".to_owned()
            } else {
                format!("worker-{}", processes.len() + 1)
            };
            processes.push(Process {
                id,
                command: way.words,
                directory: way.directory,
                origin: way.origin,
            });
        }
        ledger.set(index, Fate::Process, "compose.yaml", None);
    }
    for (name, fact) in &input.selection.manifest.processes {
        if ["web", "release"].contains(&name.as_str()) {
            continue;
        }
        let way = way_of_fact(fact, input);
        if !processes.iter().any(|known| known.command == way.words) {
            processes.push(Process {
                id: name.to_lowercase(),
                command: way.words,
                directory: way.directory,
                origin: way.origin,
            });
        }
    }
    processes
}

/// Returns the scheduled jobs of crontab lines. What the line does to leave cron's bare environment
/// (`cd`, the path of the interpreter, redirections) is left out.
pub fn schedules(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Schedule> {
    let mut schedules: Vec<Schedule> = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::Schedule { cron, command } = &step.action else {
            continue;
        };
        let parsed = shell::script(command, Dialect::Shell, &|_| true);
        let Some(last) = parsed
            .commands
            .iter()
            .rfind(|command| !command.value.words.is_empty())
        else {
            continue;
        };
        let mut words: Vec<String> = last.value.owned_texts();
        for (at, word) in words.iter_mut().enumerate() {
            let name = repo::file_name(word).to_owned();
            let is_tool = at == 0 && word.contains("/bin/") && input.catalog.tool(&name).is_some();
            let is_own =
                word.starts_with('/') && input.repo.contains(&repo::join(input.directory, &name));
            if is_tool || is_own {
                *word = name;
            }
        }
        let id = if schedules.is_empty() {
            "schedule".to_owned()
        } else {
            format!("schedule-{}", schedules.len() + 1)
        };
        schedules.push(Schedule {
            id,
            cron: cron.clone(),
            command: words,
            directory: input.directory.to_owned(),
            origin: vec![ledger::origin(step)],
        });
        ledger.set(index, Fate::Schedule, "k8s/base", None);
    }
    schedules
}
