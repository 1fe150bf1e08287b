//! Joins what was found into the plan.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    ArtifactCopy, BuildPlan, Command, Component, EnvKind, EnvVar, ExtraFile, Fate, FileCopy,
    Finding, Health, Image, Origin, OriginKind, Piece, Question, SCHEMA, Volume, env,
    ledger::{self, Ledger},
    packages, pieces, runtime, services,
    start::{self, Input, Kind, fill, holds},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    manifest,
    readme::{Document, Part},
    recipe::{Catalog, ImageRecipe, InstallRecipe, VariableForm},
    repo::{self, Repo},
    select::Selection,
    shell,
    step::{Action, InstallStep, Purpose, rule},
};

/// What is put in the place of a secret while an image is built; it opens nothing.
const BUILD_ONLY: &str = "build-only";

/// Returns the plan for `repo`: one component, or none where no stack was recognised.
pub fn build_plan(
    repo: &Repo,
    documents: &[Document],
    steps: &[InstallStep],
    selection: Option<&Selection<'_>>,
    catalog: &Catalog,
) -> Warned<BuildPlan> {
    let mut ledger = Ledger::new(steps);
    let mut diagnostics = Vec::new();
    let mut questions = Vec::new();
    let name = name(repo, documents, selection);
    let component = selection.map(|selection| {
        component(
            &name,
            repo,
            documents,
            selection,
            catalog,
            &mut ledger,
            &mut diagnostics,
            &mut questions,
        )
    });
    let plan = BuildPlan {
        schema: SCHEMA.to_owned(),
        name,
        readmes: documents
            .iter()
            .map(|document| document.source.path.clone())
            .collect(),
        components: component.into_iter().collect(),
        ledger: ledger.entries(),
        questions,
        diagnostics: Vec::new(),
    };
    Warned {
        value: plan,
        diagnostics,
    }
}

/// Returns `diagnostic` as data.
pub fn finding(diagnostic: &Diagnostic) -> Finding {
    let place = diagnostic.place();
    Finding {
        severity: diagnostic.severity.name().to_owned(),
        code: diagnostic.code.name().to_owned(),
        message: diagnostic.message.clone(),
        file: place.map(|(file, _)| file.to_owned()),
        line: place.map(|(_, line)| line),
        hints: diagnostic.hints.clone(),
    }
}

#[allow(
    clippy::too_many_arguments,
    reason = "the three last collect what is said on the way"
)]
fn component(
    name: &str,
    repo: &Repo,
    documents: &[Document],
    selection: &Selection<'_>,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
    questions: &mut Vec<Question>,
) -> Component {
    let path = component_path(repo, selection);
    let variables = variables(repo, selection, &path);
    let input = Input {
        repo,
        documents,
        selection,
        catalog,
        directory: &path,
        variables: &variables,
    };
    let (runtime, base) = runtime::runtime(
        selection,
        repo,
        documents,
        ledger.steps,
        catalog,
        diagnostics,
    );

    skip_unknown(ledger, catalog, diagnostics);
    let candidates = env::candidates(&input, ledger);
    let known = env::known(&candidates);
    let (services, bound) = services::services(name, &known, &input, ledger, questions);
    let (mut packages, extensions) =
        packages::system_packages(&input, &runtime, &base.suite, &services, ledger, diagnostics);
    let files = files(repo, ledger, diagnostics);
    let (mut install, late_install) = install(&input, ledger, diagnostics);
    let mut image = image(&input, &base, &install);
    let (added, artifacts) = extensions.added();
    image.setup.extend(added);
    image.artifacts.extend(artifacts);
    let (links, seeds, mut volumes) = data_files(&input);
    let mut build = written_files(&input, ledger);
    build.extend(late_install);
    build.extend(build_commands(&input, ledger));
    build.extend(links);
    build.extend(log_files(&input));
    let mut prepare = seeds;
    prepare.extend(prepare_commands(&input, ledger));
    volumes.extend(folders(&input, ledger, &image));
    compile(&mut prepare, &mut build, &mut image, &input);
    let started = start::start(&input, ledger, diagnostics);
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    if let Some(start) = &started.start
        && let Some(missing) = undeclared_server(start, &all, &input, diagnostics)
    {
        install.push(missing);
    }
    image.extra_files.extend(env_file(&input, &image.workdir));
    if let Some(port) = started.ports.first() {
        fill_port(&mut image, port.port);
    }
    volumes.extend(started.data);
    add_packages(&input, &mut packages);
    add_init(&input, started.start.as_ref(), &mut image, &mut packages);
    let processes = start::processes(&input, ledger);
    let schedules = start::schedules(&input, ledger);
    let vars = env::env(candidates, bound, &started.env, catalog, ledger);
    let vars: Vec<EnvVar> = vars
        .into_iter()
        .map(|var| in_data_volume(var, catalog, &mut volumes))
        .collect();
    // Commands that load the application read its settings; other build commands are given none.
    for command in build
        .iter_mut()
        .filter(|command| loads_application(command, &input))
    {
        command.env.extend(build_env(&vars));
    }
    rest(ledger);
    if started.start.is_none() {
        diagnostics.push(no_start(&input));
    }
    for (path, secret) in committed_secrets(selection, catalog) {
        diagnostics.push(
            Diagnostic::new(
                Severity::Warning,
                Code::SecretInRepository,
                format!("`{path}` holds a value for the secret {secret}"),
            )
            .hint(
                "change the secret where it is used; the generated files name it without a value",
            ),
        );
    }
    if let Some((stack, folder)) = &selection.runner_up {
        questions.push(Question {
            id: "stack".to_owned(),
            question: format!(
                "both {} in `{}` and {stack} in `{folder}` fit: which one is the application?",
                selection.stack_id, selection.folder
            ),
            options: vec![selection.stack_id.to_owned(), stack.clone()],
            default: Some(selection.stack_id.to_owned()),
            origin: selection.evidence.clone(),
        });
    }
    questions.extend(values_to_give(&vars));
    questions.extend(files_to_edit(&input));
    out_of_order(ledger, diagnostics);
    let health = (!started.ports.is_empty()).then(|| health(&input));
    image
        .run_env
        .retain(|name, _| !vars.iter().any(|var| var.name == *name));
    Component {
        id: "web".to_owned(),
        path,
        stack: selection.stack_id.to_owned(),
        framework: selection.framework.map(|(id, _)| id.to_owned()),
        evidence: selection.evidence.clone(),
        runtime,
        image,
        system_packages: packages,
        files,
        install,
        build,
        prepare,
        start: started.start,
        processes,
        schedules,
        ports: started.ports,
        health,
        env: vars,
        services,
        volumes,
        measured: None,
    }
}

/// The install of what starts the application, where no manifest and no command brings it: the
/// author's machine had it.
fn undeclared_server(
    start: &super::Start,
    installs: &[&Command],
    input: &Input<'_, '_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Command> {
    let selection = input.selection;
    let (found, _) = rule(&start.command, input.catalog);
    let tool = found?.0.tool;
    let package = input.catalog.tools[tool].package.as_ref()?;
    let name = package.names.first()?;
    let is_declared = package.names.iter().any(|name| {
        let known = selection
            .manifest
            .packages
            .contains_key(&manifest::normal_name(name));
        known
            || installs
                .iter()
                .any(|command| command.command.contains(name.as_str()))
    });
    if is_declared
        || !package
            .stacks
            .iter()
            .any(|stack| stack == selection.stack_id)
    {
        return None;
    }
    let place = start.origin.first().map(Origin::place).unwrap_or_default();
    diagnostics.push(
        Diagnostic::new(
            Severity::Warning,
            Code::MissingPackage,
            format!("`{place}` starts it with {name}, which nothing installs"),
        )
        .hint(format!(
            "declare {name} among the dependencies; `{}` was added",
            package.install
        )),
    );
    Some(Command {
        command: package.install.clone(),
        directory: selection.folder.clone(),
        env: BTreeMap::new(),
        runs_in: None,
        cached: true,
        origin: vec![Origin::recipe(
            &format!("tools/{tool}"),
            format!("brings {name}, which starts the application"),
        )],
    })
}

/// An empty `.env` for a program that fails without one: settings come from the environment.
fn env_file(input: &Input<'_, '_>, workdir: &str) -> Option<ExtraFile> {
    let selection = input.selection;
    let place = repo::join(input.directory, ".env");
    let mut sources = selection
        .facts
        .files
        .iter()
        .filter_map(|path| Some((path, input.repo.source(path)?)));
    let origin = sources.find_map(|(path, source)| {
        let mut pieces = selection.stack.needs_env_file.iter();
        let at = pieces.find_map(|piece| source.text.find(piece.as_str()))?;
        let line = source.line(at);
        Some(Origin::at(
            OriginKind::Manifest,
            path,
            line,
            source.line_text(line).trim(),
        ))
    })?;
    (!input.repo.contains(&place)).then(|| ExtraFile {
        path: "container/settings.env".to_owned(),
        to: format!("{workdir}/{place}"),
        contents:
            "# The program fails without this file; its settings come from the environment.\n"
                .to_owned(),
        origin: vec![origin],
    })
}

/// Writes the port into the files and commands of the run stage that name it.
fn fill_port(image: &mut Image, port: u16) {
    let port = port.to_string();
    for file in &mut image.extra_files {
        file.contents = file.contents.replace("{port}", &port);
    }
    for command in &mut image.run_setup {
        command.command = command.command.replace("{port}", &port);
    }
}

/// Adds the packages that every application of the stack needs in its run stage.
fn add_packages(input: &Input<'_, '_>, packages: &mut super::SystemPackages) {
    let selection = input.selection;
    let framework = selection.framework.map(|(_, framework)| &framework.image);
    if framework.is_some_and(|framework| framework.run.is_some()) {
        return;
    }
    let id = format!("stacks/{}", selection.stack_id);
    for name in &selection.stack.image.packages {
        packages.runtime.push(name.clone());
        let origin = Origin::recipe(&id, "every application of the stack needs it");
        packages
            .origins
            .entry(name.clone())
            .or_default()
            .push(origin);
    }
    packages.runtime.sort();
    packages.runtime.dedup();
}

/// Puts the stack's init before a start command that would ignore SIGTERM.
fn add_init(
    input: &Input<'_, '_>,
    start: Option<&super::Start>,
    image: &mut Image,
    packages: &mut super::SystemPackages,
) {
    let Some(init) = &input.selection.stack.image.init else {
        return;
    };
    // Another run image is a web server, which handles its signals.
    let framework = input
        .selection
        .framework
        .map(|(_, framework)| &framework.image);
    let runs_elsewhere = framework.is_some_and(|framework| framework.run.is_some());
    let Some(start) = start.filter(|_| !runs_elsewhere) else {
        return;
    };
    let handles_stop = rule(&start.command, input.catalog)
        .0
        .is_some_and(|(found, _)| found.rule.handles_stop);
    if handles_stop {
        return;
    }
    image.entrypoint.clone_from(&init.command);
    let origin = Origin::recipe(&format!("stacks/{}", input.selection.stack_id), &init.why);
    packages.runtime.push(init.package.clone());
    packages.runtime.sort();
    packages.runtime.dedup();
    packages
        .origins
        .entry(init.package.clone())
        .or_default()
        .push(origin);
}

/// The folder of the file that marks a framework's root, or the stack's own.
fn component_path(repo: &Repo, selection: &Selection<'_>) -> String {
    let root_file = selection
        .framework
        .and_then(|(_, framework)| framework.root_file.as_ref());
    let found = root_file.and_then(|file| {
        let pattern = repo::join(&selection.folder, &format!("**/{file}"));
        repo.glob(&pattern)
            .first()
            .map(|path| repo::folder_of(path).to_owned())
    });
    found.unwrap_or_else(|| selection.folder.clone())
}

fn variables(
    repo: &Repo,
    selection: &Selection<'_>,
    path: &str,
) -> BTreeMap<String, (String, Origin)> {
    let mut variables = BTreeMap::new();
    // The first one, where there are several.
    if let Some((name, fact)) = selection.manifest.programs.iter().next() {
        let origin = Origin::at(OriginKind::Manifest, &fact.file, fact.line, name);
        variables.insert("program".to_owned(), (name.clone(), origin));
    }
    let of_framework = selection
        .framework
        .map(|(_, framework)| &framework.variable);
    for (name, variable) in of_framework
        .into_iter()
        .chain([&selection.stack.variable])
        .flatten()
    {
        if variables.contains_key(name) {
            continue;
        }
        let found = repo.glob(&repo::join(path, &variable.file));
        let value = found.into_iter().find_map(|file| {
            let Some(pattern) = &variable.pattern else {
                return Some((file.to_owned(), Origin::manifest(file, "found there")));
            };
            let source = repo.source(file)?;
            let pattern = Regex::new(pattern).ok()?;
            let found = pattern.captures(&source.text)?.get(1)?;
            let origin = Origin::at(
                OriginKind::Manifest,
                file,
                source.line(found.start()),
                found.as_str(),
            );
            Some((found.as_str().to_owned(), origin))
        });
        let Some((value, origin)) = value else {
            if let Some(default) = &variable.default {
                let origin = Origin::recipe(&format!("stacks/{}", selection.stack_id), "default");
                variables.insert(name.clone(), (default.clone(), origin));
            }
            continue;
        };
        let value = match variable.form {
            VariableForm::Text => value,
            VariableForm::Folder => {
                let folder = repo::folder_of(origin.file.as_deref().unwrap_or_default());
                let inside = folder.strip_prefix(path).unwrap_or(folder);
                match inside.trim_start_matches('/') {
                    "" => ".".to_owned(),
                    inside => inside.to_owned(),
                }
            }
            VariableForm::PythonModule => {
                let inside = value.strip_prefix(&format!("{path}/")).unwrap_or(&value);
                inside.trim_end_matches(".py").replace('/', ".")
            }
        };
        variables.insert(name.clone(), (value, origin));
    }
    variables
}

/// Diagnostics for commands that no recipe knows; commands for another purpose are skipped.
fn skip_unknown(ledger: &mut Ledger<'_>, catalog: &Catalog, diagnostics: &mut Vec<Diagnostic>) {
    for (index, step) in ledger.steps.iter().enumerate() {
        let is_remote_script = step.action == Action::Other
            && step
                .words
                .first()
                .is_some_and(|word| word == "sh" || word == "bash");
        match (&step.action, step.context.purpose) {
            (Action::Other, _) if !is_remote_script && step.context.platform.is_none() => {
                diagnostics.push(
                    Diagnostic::new(
                        Severity::Note,
                        Code::UnknownCommand,
                        format!(
                            "no recipe knows `{}`",
                            step.words.first().map_or("", String::as_str)
                        ),
                    )
                    .at(&step.source, step.span, "left out")
                    .hint("add a tool recipe with `--recipes DIR` if the application needs it"),
                );
            }
            (Action::Install | Action::Script(_) | Action::Prepare, Purpose::Test) => {
                ledger.skip(index, "test-only", None)
            }
            (Action::Services(units), _)
                if units
                    .iter()
                    .all(|unit| catalog.service_named(unit).is_none()) =>
            {
                ledger.skip(
                    index,
                    "host-only",
                    Some("the orchestrator runs the application"),
                );
            }
            _ => {}
        }
    }
}

/// Files that a document has a person write into the repository: `cat > config.ini <<EOF`.
fn written_files(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Command> {
    let mut commands = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::WriteFile {
            path,
            text,
            appends,
        } = &step.action
        else {
            continue;
        };
        if !ledger.is_open(index) || path.contains(".env") || path.starts_with("..") {
            continue;
        }
        // A value of the author's, or one that only the reader knows, is not for an image.
        let name = |line: &str| {
            line.split(['=', ':'])
                .next()
                .unwrap_or_default()
                .trim()
                .replace(['"', '\''], "")
        };
        let has_secret = text.lines().any(|line| {
            line.contains(['=', ':']) && env::is_secret(&name(line).to_uppercase(), input.catalog)
        });
        if has_secret || text.contains('$') {
            ledger.skip(index, "holds-values-of-one-machine", Some(path));
            continue;
        }
        let folder = repo::folder_of(path);
        let make = if folder == "." || input.repo.has_folder(folder) {
            String::new()
        } else {
            format!("mkdir -p {} && ", shell::quote(folder))
        };
        let lines: Vec<String> = text.lines().map(shell::quote).collect();
        let sign = if *appends { ">>" } else { ">" };
        commands.push(Command {
            command: format!(
                "{make}printf '%s\\n' {} {sign} {}",
                lines.join(" "),
                shell::quote(path)
            ),
            directory: ".".to_owned(),
            env: BTreeMap::new(),
            runs_in: None,
            cached: false,
            origin: vec![ledger::origin(step)],
        });
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    commands
}

fn files(repo: &Repo, ledger: &mut Ledger<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<FileCopy> {
    let mut files: Vec<FileCopy> = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::Copy { from, to } = &step.action else {
            continue;
        };
        if !ledger.is_open(index) {
            continue;
        }
        let is_env = repo::file_name(to).starts_with(".env");
        if !repo.contains(from) && !repo.has_folder(from) {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::MissingFile,
                    format!("`{from}` is not in the repository"),
                )
                .at(&step.source, step.span, "copies it")
                .hint("correct the README, or commit the file"),
            );
            ledger.skip(index, "file-is-not-in-the-repository", Some(from));
        } else if is_env {
            ledger.set(
                index,
                Fate::Env,
                "env/development.env",
                Some("its lines are in the env files".to_owned()),
            );
        } else if from == to || from.starts_with("..") {
            ledger.skip(index, "host-only", None);
        } else {
            ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
            if !files.iter().any(|known| known.to == *to) {
                files.push(FileCopy {
                    from: from.clone(),
                    to: to.clone(),
                    origin: vec![ledger::origin(step)],
                });
            }
        }
    }
    files
}

/// Install commands: those that need only manifests, and those that need the source.
fn install(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Command>, Vec<Command>) {
    let selection = input.selection;
    let mut early: Vec<Command> = Vec::new();
    let mut late: Vec<Command> = Vec::new();
    let steps: Vec<(usize, &InstallStep)> = ledger
        .open()
        .filter(|(_, step)| step.action == Action::Install && belongs(step, input))
        .collect();
    let is_aside = |step: &InstallStep| {
        step.context.purpose != Purpose::Install || names_development_file(step)
    };
    let has_main = steps.iter().any(|(_, step)| !is_aside(step));
    for (index, step) in steps {
        if is_aside(step) && has_main {
            ledger.skip(index, "development-only", None);
            continue;
        }
        let (found, _) = rule(&step.words, input.catalog);
        let flags = found
            .as_ref()
            .map_or(&[][..], |(found, _)| found.value_flags);
        let Some(directory) = install_directory(step, flags, input) else {
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::MissingFile,
                    "a file that this command installs from is not in the repository",
                )
                .at(&step.source, step.span, "installs from it")
                .hint("the repository's own manifests were taken instead"),
            );
            ledger.skip(index, "file-is-not-in-the-repository", None);
            continue;
        };
        if step.words.iter().any(|word| is_own_address(word)) {
            ledger.skip(index, "uses-the-running-application", None);
            continue;
        }
        let mut words = step.words.clone();
        if let Some((found, matched)) = &found {
            words.retain(|word| !found.rule.drop.contains(word));
            let own = installs_itself(&matched.arguments, input);
            match &selection.stack.own_install {
                Some(command) if own => {
                    words = command.split_whitespace().map(str::to_owned).collect();
                }
                _ => {}
            }
        }
        let line = words
            .iter()
            .map(|word| shell::quote(word))
            .collect::<Vec<_>>()
            .join(" ");
        let line = plain_tool(&line, input);
        let command = Command {
            command: line,
            directory,
            env: BTreeMap::new(),
            runs_in: None,
            cached: true,
            origin: vec![ledger::origin(step)],
        };
        let all = if needs_source(&words, input) {
            &mut late
        } else {
            &mut early
        };
        push(all, command);
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    if early.is_empty()
        && late.is_empty()
        && let Some((option, command)) = option(&selection.folder, input)
    {
        let all = if option.needs_source {
            &mut late
        } else {
            &mut early
        };
        all.push(command);
    }
    (exact_installs(early, input), late)
}

fn is_own_address(word: &str) -> bool {
    word.contains("://localhost") || word.contains("://127.0.0.1")
}

/// Whether a command installs the published package of this very repository: what lies here is
/// meant.
fn installs_itself(packages: &[String], input: &Input<'_, '_>) -> bool {
    let Some(name) = &input.selection.manifest.name else {
        return false;
    };
    let bare = |package: &String| {
        // git+https://…/name.git@branch
        let package = match package.split_once("://") {
            Some((_, address)) => repo::file_name(address.split('@').next().unwrap_or_default()),
            None => package.as_str(),
        };
        let package = package.trim_end_matches(".git");
        let end = package
            .find(['[', '=', '<', '>', '@', '~'])
            .unwrap_or(package.len());
        manifest::normal_name(&package[..end])
    };
    !packages.is_empty()
        && packages
            .iter()
            .all(|package| bare(package) == manifest::normal_name(&name.value))
}

/// The way of the stack's recipe that fits the files in `folder`.
fn option<'c>(folder: &str, input: &Input<'_, 'c>) -> Option<(&'c InstallRecipe, Command)> {
    let selection = input.selection;
    let is_there = |file: &String| input.repo.contains(&repo::join(folder, file));
    let mut options = selection.stack.install.iter();
    let option = options.find(|option| option.files.iter().all(is_there))?;
    let why = format!(
        "`{}` where there is {}",
        option.run,
        option.files.join(" and ")
    );
    let command = Command {
        command: option.run.clone(),
        directory: folder.to_owned(),
        env: BTreeMap::new(),
        runs_in: None,
        cached: true,
        origin: vec![Origin::recipe(
            &format!("stacks/{}", selection.stack_id),
            why,
        )],
    };
    Some((option, command))
}

/// What a lockfile says before what prose says: in each folder one command of one package manager
/// installs what is locked.
fn exact_installs(told: Vec<Command>, input: &Input<'_, '_>) -> Vec<Command> {
    let mut exact: Vec<Command> = Vec::new();
    for mut command in told {
        let option = option(&command.directory, input)
            .filter(|(option, _)| option.instead_of.contains(&command.command));
        if let Some((option, known)) = option {
            if command.command != option.run {
                command.origin.extend(known.origin);
            }
            command.command.clone_from(&option.run);
        }
        push(&mut exact, command);
    }
    exact
}

/// `python3` and `pip3.8` are `python` and `pip` in the image, which has one interpreter.
fn plain_tool(line: &str, input: &Input<'_, '_>) -> String {
    let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
    let bare = first.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let is_known = bare != first
        && input
            .catalog
            .tool(bare)
            .is_some_and(|(_, tool)| tool.names[0] == bare);
    if is_known {
        format!("{bare} {rest}").trim_end().to_owned()
    } else {
        line.to_owned()
    }
}

/// Whether a command is one of the tools of the chosen stack.
fn belongs(step: &InstallStep, input: &Input<'_, '_>) -> bool {
    let (found, _) = rule(&step.words, input.catalog);
    let tools = &input.selection.stack.detect.tools;
    found.is_some_and(|(found, _)| tools.iter().any(|tool| tool == found.tool))
}

fn names_development_file(step: &InstallStep) -> bool {
    step.words.iter().any(|word| {
        let name = repo::file_name(word).to_lowercase();
        name.ends_with(".txt")
            && name
                .split(|c: char| !c.is_alphanumeric())
                .any(|part| part.starts_with("dev") || part.starts_with("test"))
    })
}

/// The folder in which every file that the command names is there.
fn install_directory(
    step: &InstallStep,
    value_flags: &[String],
    input: &Input<'_, '_>,
) -> Option<String> {
    let named: Vec<&String> = step
        .words
        .iter()
        .enumerate()
        .filter(|(at, word)| {
            let is_value = *at > 0 && value_flags.contains(&step.words[at - 1]);
            let is_file =
                word.ends_with(".txt") || word.ends_with(".py") || word.ends_with(".toml");
            is_file && (is_value || !word.starts_with('-'))
        })
        .map(|(_, word)| word)
        .collect();
    let places = [
        step.context.directory.as_str(),
        input.selection.folder.as_str(),
        input.directory,
        ".",
    ];
    if named.is_empty() {
        let here = if step.context.directory == "." {
            &input.selection.folder
        } else {
            &step.context.directory
        };
        return Some(here.clone());
    }
    let is_there = |place: &&&str| {
        named
            .iter()
            .all(|file| input.repo.contains(&repo::join(place, file)))
    };
    places
        .iter()
        .find(is_there)
        .map(|place| (*place).to_owned())
}

fn needs_source(words: &[String], input: &Input<'_, '_>) -> bool {
    words.iter().skip(1).any(|word| {
        let is_own = [".", "./", "-e", "--editable"].contains(&word.as_str())
            || word.starts_with("./")
            || word.starts_with(".[")
            || word == "setup.py";
        is_own
            || input
                .selection
                .manifest
                .needs_source
                .iter()
                .any(|file| repo::file_name(file) == repo::file_name(word))
    })
}

fn image(input: &Input<'_, '_>, base: &runtime::Base, install: &[Command]) -> Image {
    let (repo, selection) = (input.repo, input.selection);
    let stack = &selection.stack.image;
    let empty = ImageRecipe::default();
    let framework = selection
        .framework
        .map_or(&empty, |(_, framework)| &framework.image);
    let workdir = framework
        .workdir
        .clone()
        .or_else(|| stack.workdir.clone())
        .unwrap_or_else(|| "/app".to_owned());
    let mut manifests: Vec<String> = Vec::new();
    let mut folders = vec![selection.folder.as_str()];
    if selection.folder != "." {
        folders.push(".");
    }
    folders.extend(install.iter().map(|command| command.directory.as_str()));
    for pattern in stack.manifests.iter().chain(&framework.manifests) {
        for folder in &folders {
            for path in repo.glob(&repo::join(folder, pattern)) {
                if !manifests.iter().any(|known| known == path) {
                    manifests.push(path.to_owned());
                }
            }
        }
    }
    manifests.sort();
    let artifacts = if framework.artifacts.is_empty() {
        &stack.artifacts
    } else {
        &framework.artifacts
    };
    let artifacts = artifacts.iter().map(|text| {
        let (from, to) = text.split_once(':').unwrap_or((text, text));
        let from = match (from.strip_prefix("/app"), selection.folder.as_str()) {
            (Some(rest), folder) if folder != "." => format!("{workdir}/{folder}{rest}"),
            _ => from.to_owned(),
        };
        ArtifactCopy {
            from,
            to: to.to_owned(),
        }
    });
    let mut artifacts: Vec<ArtifactCopy> = artifacts.collect();
    if framework.copy_data.or(stack.copy_data).unwrap_or(false) {
        artifacts.extend(data_beside(input, &workdir));
    }
    let mut run_env = stack.run_env.clone();
    let runs_elsewhere = framework.run.is_some();
    if runs_elsewhere {
        run_env.clear();
    }
    run_env.extend(framework.run_env.clone());
    let app = match selection.folder.as_str() {
        "." => workdir.clone(),
        folder => format!("{workdir}/{folder}"),
    };
    for value in run_env.values_mut() {
        *value = value.replace("{app}", &app);
    }
    let mut build_env = stack.build_env.clone();
    build_env.extend(framework.build_env.clone());
    let run = framework
        .run
        .clone()
        .or_else(|| stack.run.clone())
        .unwrap_or_else(|| "{runtime}".to_owned());
    let build = framework.build.as_ref().or(stack.build.as_ref());
    let build = build.map_or("{runtime}", String::as_str);
    let mut origin = vec![Origin::recipe(
        &format!("stacks/{}", selection.stack_id),
        "layout of the image",
    )];
    if let Some((id, _)) = selection.framework {
        origin.push(Origin::recipe(
            &format!("frameworks/{id}"),
            "layout of the image",
        ));
    }
    let framework_id = selection
        .framework
        .map(|(id, _)| format!("frameworks/{id}"));
    let (files_of, files) = match (&framework_id, framework.file.is_empty()) {
        (Some(id), false) => (id.clone(), &framework.file),
        _ if runs_elsewhere => (String::new(), &framework.file),
        _ => (format!("stacks/{}", selection.stack_id), &stack.file),
    };
    let extra_files = files.iter().map(|file| ExtraFile {
        path: file.path.clone(),
        to: file.to.clone(),
        contents: start::fill_text(file.contents.trim_start(), input),
        origin: vec![Origin::recipe(&files_of, &file.why)],
    });
    let extra_files: Vec<ExtraFile> = extra_files.collect();
    let stack_id = format!("stacks/{}", selection.stack_id);
    let as_root = |line: String, origin: Origin| Command {
        command: line,
        directory: ".".to_owned(),
        env: BTreeMap::new(),
        runs_in: None,
        cached: false,
        origin: vec![origin],
    };
    let setup = stack.setup.iter().map(|line| {
        let origin = Origin::recipe(&stack_id, "prepares the build stage");
        as_root(line.clone(), origin)
    });
    let (run_setup_of, run_setup) = match &framework_id {
        Some(id) if runs_elsewhere => (id, &framework.run_setup),
        _ => (&stack_id, &stack.run_setup),
    };
    let mut root_commands: Vec<Command> = Vec::new();
    for command in run_setup.iter().filter(|command| holds(command, input)) {
        let why = command.why.as_deref().unwrap_or("prepares the run stage");
        let origin = Origin::recipe(run_setup_of, why);
        push(&mut root_commands, as_root(command.command.clone(), origin));
    }
    Image {
        build_from: base.fill(build),
        run_from: base.fill(&run),
        workdir,
        build_env,
        run_env,
        setup: setup.collect(),
        run_setup: root_commands,
        manifests,
        caches: stack
            .caches
            .iter()
            .chain(&framework.caches)
            .cloned()
            .collect(),
        artifacts,
        entrypoint: Vec::new(),
        copy_source: framework.copy_source.or(stack.copy_source).unwrap_or(true),
        extra_files,
        health_command: framework
            .health_command
            .clone()
            .or_else(|| stack.health_command.clone()),
        user: framework.user.or(stack.user).unwrap_or(10001),
        origin,
    }
}

/// What lies beside the source of a compiled program: the entries of the component's top level that
/// hold no source, such as `templates` and `config.yml`.
fn data_beside(input: &Input<'_, '_>, workdir: &str) -> Vec<ArtifactCopy> {
    let (repo, stack) = (input.repo, input.selection.stack);
    let inside = |path: &'_ str| match input.directory {
        "." => Some(path.to_owned()),
        folder => path.strip_prefix(&format!("{folder}/")).map(str::to_owned),
    };
    let is_source = |path: &str| {
        let ending = repo::file_name(path)
            .rsplit_once('.')
            .map_or("", |(_, ending)| ending);
        stack.sources.iter().any(|known| known == ending)
    };
    let is_aside = |name: &str| {
        let name = name.to_lowercase();
        name.starts_with('.')
            || input.catalog.list("folders", "no-data").contains(&name)
            || input
                .catalog
                .list("folders", "no-data-stems")
                .iter()
                .any(|stem| name.starts_with(stem.as_str()))
            || input
                .catalog
                .list("folders", "no-data-endings")
                .iter()
                .any(|ending| name.ends_with(ending.as_str()))
    };
    let mut entries: BTreeMap<String, bool> = BTreeMap::new();
    for path in repo.files() {
        let Some(path) = inside(path) else { continue };
        let name = path.split('/').next().unwrap_or_default().to_owned();
        *entries.entry(name).or_default() |= is_source(&path);
    }
    let home = match input.directory {
        "." => workdir.to_owned(),
        folder => format!("{workdir}/{folder}"),
    };
    entries
        .into_iter()
        .filter(|(name, has_source)| !has_source && !is_aside(name))
        .map(|(name, _)| ArtifactCopy {
            from: format!("{home}/{name}"),
            to: format!("{home}/{name}"),
        })
        .collect()
}

fn build_commands(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_build = match &step.action {
            Action::Build => true,
            Action::Script(name) => {
                input.selection.manifest.scripts.contains_key(name)
                    && start::script_kind(name, input) == Kind::Build
            }
            _ => false,
        };
        if !is_build || step.context.purpose == Purpose::Test {
            continue;
        }
        push(&mut commands, command_of(step, input));
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    add_of_recipes(
        &mut commands,
        input,
        |framework| &framework.build,
        &input.selection.stack.build,
    );
    commands
}

fn prepare_commands(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_prepare = match &step.action {
            Action::Prepare => true,
            Action::Start => start::is_preparing_script(step, input.catalog),
            Action::Script(name) => {
                input.selection.manifest.scripts.contains_key(name)
                    && start::script_kind(name, input) == Kind::Prepare
            }
            _ => false,
        };
        if !is_prepare || step.context.purpose == Purpose::Test {
            continue;
        }
        if let Some(tool) = undeclared_tool(step, input) {
            ledger.skip(index, "tool-is-not-a-dependency", Some(tool));
            continue;
        }
        push(&mut commands, command_of(step, input));
        ledger.set(index, Fate::Prepare, "compose.yaml", None);
    }
    add_of_recipes(&mut commands, input, |framework| &framework.prepare, &[]);
    commands
}

/// A program of the sources that prepares a release is built beside the application, where the run
/// stage has no compiler.
fn compile(
    prepare: &mut [Command],
    build: &mut Vec<Command>,
    image: &mut Image,
    input: &Input<'_, '_>,
) {
    for command in prepare {
        let words: Vec<String> = command
            .command
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let (Some((found, matched)), _) = rule(&words, input.catalog) else {
            continue;
        };
        let (Some(compiled), Some(source)) = (&found.rule.compiled, matched.arguments.first())
        else {
            continue;
        };
        let source = source.trim_start_matches("./");
        let folder = match source.rsplit_once('.') {
            Some(_) => repo::folder_of(source),
            None => source,
        };
        let name = repo::file_name(folder);
        let fill = |text: &str| text.replace("{folder}", folder).replace("{name}", name);
        let path = fill(&compiled.path);
        build.push(Command {
            command: fill(&compiled.build),
            cached: true,
            ..command.clone()
        });
        image.artifacts.push(ArtifactCopy {
            from: path.clone(),
            to: path.clone(),
        });
        command.command = path;
    }
}

/// Commands that a recipe knows are added unless a document already has them, in some form.
fn add_of_recipes(
    commands: &mut Vec<Command>,
    input: &Input<'_, '_>,
    of_framework: fn(&crate::recipe::FrameworkRecipe) -> &Vec<crate::recipe::ConditionalCommand>,
    of_stack: &[crate::recipe::ConditionalCommand],
) {
    let selection = input.selection;
    let framework = selection.framework.map(|(id, framework)| {
        (
            format!("frameworks/{id}"),
            of_framework(framework).as_slice(),
        )
    });
    for (id, list) in framework
        .into_iter()
        .chain([(format!("stacks/{}", selection.stack_id), of_stack)])
    {
        for command in list.iter().filter(|command| holds(command, input)) {
            let Some(line) = fill(&command.command, input) else {
                continue;
            };
            let is_known = commands
                .iter()
                .any(|known| essence(&known.command) == essence(&line));
            if !is_known {
                let why = command
                    .why
                    .clone()
                    .unwrap_or_else(|| format!("runs `{line}`"));
                commands.push(Command {
                    command: line,
                    directory: input.directory.to_owned(),
                    env: command.env.clone(),
                    runs_in: None,
                    cached: id.starts_with("stacks/"),
                    origin: vec![Origin::recipe(&id, why)],
                });
            }
        }
    }
}

/// What tells two spellings of a command from two commands: `./manage.py migrate` and
/// `python manage.py migrate --noinput` are one.
fn essence(command: &str) -> Vec<&str> {
    let words = command
        .split_whitespace()
        .filter(|word| !word.starts_with('-'));
    words
        .map(|word| word.trim_start_matches("./"))
        .skip_while(|word| !word.contains('.') && word.starts_with("python"))
        .take(3)
        .collect()
}

fn push(commands: &mut Vec<Command>, command: Command) {
    match commands
        .iter_mut()
        .find(|known| known.command == command.command && known.directory == command.directory)
    {
        Some(known) => known.origin.extend(command.origin),
        None => commands.push(command),
    }
}

/// The command of a step as it runs unattended.
fn command_of(step: &InstallStep, input: &Input<'_, '_>) -> Command {
    let mut words = step.words.clone();
    if let Some((found, _)) = rule(&words, input.catalog).0 {
        words.retain(|word| !found.rule.drop.contains(word));
        for word in &found.rule.add {
            let bare = word.trim_start_matches("--no-").trim_start_matches("--no");
            if !words
                .iter()
                .any(|known| known == word || known.ends_with(bare) && known.starts_with("--no"))
            {
                words.push(word.clone());
            }
        }
    }
    // The image has one interpreter, under its plain name.
    let line = words
        .iter()
        .map(|word| shell::quote(word))
        .collect::<Vec<_>>()
        .join(" ");
    let line = plain_tool(&line, input);
    let file = words
        .iter()
        .find(|word| word.contains('.') && input.repo.contains(&repo::join(input.directory, word)));
    let directory = match file {
        Some(_) => input.directory.to_owned(),
        None if step.context.directory == "." => input.directory.to_owned(),
        None => step.context.directory.clone(),
    };
    let line = with_kept_wrapper(step, line, input.catalog);
    Command {
        command: line,
        directory,
        env: step.assignments.iter().cloned().collect(),
        runs_in: None,
        cached: false,
        origin: vec![ledger::origin(step)],
    }
}

/// The tool that a wrapper such as `npx` would have to fetch: no manifest asks for it.
fn undeclared_tool<'s>(step: &'s InstallStep, input: &Input<'_, '_>) -> Option<&'s str> {
    let tool = step.words.first()?;
    let packages = &input.selection.manifest.packages;
    let is_declared = [tool.clone(), format!("{tool}-cli"), format!("@{tool}/cli")]
        .iter()
        .any(|name| packages.contains_key(name));
    let is_wrapped = with_kept_wrapper(step, String::new(), input.catalog).len() > 1;
    (is_wrapped && !is_declared).then_some(tool.as_str())
}

/// A wrapper that finds the command it runs stays before it, as in the document.
fn with_kept_wrapper(step: &InstallStep, line: String, catalog: &Catalog) -> String {
    let keeps = |word: &&str| {
        let tool = catalog.tool(word);
        tool.is_some_and(|(_, tool)| tool.command.iter().any(|rule| rule.keep))
    };
    match step.text.split_whitespace().find(keeps) {
        Some(wrapper) => format!("{wrapper} {line}"),
        None => line,
    }
}

/// `npx knex …` and the like are no build of the image that reads settings; `manage.py` is.
fn loads_application(command: &Command, input: &Input<'_, '_>) -> bool {
    let framework = input
        .selection
        .framework
        .and_then(|(_, framework)| framework.root_file.as_ref());
    framework.is_some_and(|file| command.command.contains(file.as_str()))
}

/// What a build command needs to load the application's settings: plain values as they are, harmless
/// stand-ins for secrets. They are set for the one command and stay in no layer.
fn build_env(vars: &[EnvVar]) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for var in vars {
        let value = match (var.kind, &var.default) {
            (EnvKind::Secret, _) if var.required => Some(BUILD_ONLY.to_owned()),
            (EnvKind::Secret, _) => None,
            (EnvKind::Service, Some(value)) => Some(without_secrets(value)),
            (EnvKind::Config, Some(value)) => Some(value.clone()),
            (EnvKind::Config | EnvKind::Service, None) => None,
        };
        if let Some(value) = value {
            env.insert(var.name.clone(), value);
        }
    }
    env
}

fn without_secrets(value: &str) -> String {
    let text = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Secret(_) => BUILD_ONLY,
    };
    pieces(value).into_iter().map(text).collect()
}

/// Log files become links to the standard output, where an orchestrator reads logs.
fn log_files(input: &Input<'_, '_>) -> Vec<Command> {
    let stack = &input.selection.stack;
    let patterns: Vec<Regex> = stack
        .log_files
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect();
    let mut commands: Vec<Command> = Vec::new();
    for path in &input.selection.facts.files {
        let Some(source) = input.repo.source(path) else {
            continue;
        };
        for found in patterns
            .iter()
            .flat_map(|pattern| pattern.captures_iter(&source.text))
        {
            let Some(file) = found
                .get(1)
                .filter(|file| !file.as_str().starts_with('/') && !file.as_str().contains(".."))
            else {
                continue;
            };
            let folder = repo::folder_of(file.as_str());
            let make = if folder == "." {
                String::new()
            } else {
                format!("mkdir -p {} && ", shell::quote(folder))
            };
            let line = source.line(file.start());
            push(
                &mut commands,
                Command {
                    command: format!("{make}ln -sf /dev/stdout {}", shell::quote(file.as_str())),
                    directory: input.directory.to_owned(),
                    env: BTreeMap::new(),
                    runs_in: None,
                    cached: false,
                    origin: vec![Origin::at(
                        OriginKind::Manifest,
                        path,
                        line,
                        source.line_text(line).trim(),
                    )],
                },
            );
        }
    }
    commands
}

/// Files that the application keeps data in become links into a volume, so that the root file
/// system stays read-only and a new release does not hide under old data.
fn data_files(input: &Input<'_, '_>) -> (Vec<Command>, Vec<Command>, Vec<Volume>) {
    let (mut links, mut seeds, mut volumes) = (Vec::new(), Vec::new(), Vec::new());
    let patterns: Vec<Regex> = input
        .selection
        .stack
        .data_files
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect();
    let mut known = std::collections::BTreeSet::new();
    for path in &input.selection.facts.files {
        let Some(source) = input.repo.source(path) else {
            continue;
        };
        for found in patterns
            .iter()
            .flat_map(|pattern| pattern.captures_iter(&source.text))
        {
            let Some(file) = found.get(2) else { continue };
            let folders: Vec<&str> = found
                .get(1)
                .map_or("", |literals| literals.as_str())
                .split(['"', '\''])
                .skip(1)
                .step_by(2)
                .collect();
            let joined = folders
                .iter()
                .copied()
                .chain([file.as_str()])
                .collect::<Vec<_>>()
                .join("/");
            if joined.starts_with('/')
                || joined.contains("..")
                || repo::file_name(&joined).starts_with('.')
            {
                continue;
            }
            let line = source.line(file.start());
            let joined = match own_folder(&source.text, source.line_text(line), path, input) {
                Some(folder) => repo::join(&folder, &joined),
                None => joined,
            };
            let target = repo::join(input.directory, &joined);
            if !known.insert(target.clone()) {
                continue;
            }
            let origin = Origin::at(
                OriginKind::Manifest,
                path,
                line,
                source.line_text(line).trim(),
            );
            let data = format!("/data/{}", repo::file_name(&target));
            let folder = repo::folder_of(&joined);
            let mut command = String::new();
            if folder != "." && !input.repo.has_folder(&repo::join(input.directory, folder)) {
                command = format!("mkdir -p {} && ", shell::quote(folder));
            }
            if input.repo.contains(&target) {
                let seed = format!("{joined}.seed");
                command = format!(
                    "{command}mv {} {} && ",
                    shell::quote(&joined),
                    shell::quote(&seed)
                );
                seeds.push(Command {
                    command: format!("test -e {data} || cp {} {data}", shell::quote(&seed)),
                    directory: input.directory.to_owned(),
                    env: BTreeMap::new(),
                    runs_in: None,
                    cached: false,
                    origin: vec![Origin::manifest(
                        &target,
                        "the repository brings a first version of the data",
                    )],
                });
            }
            links.push(Command {
                command: format!("{command}ln -s {data} {}", shell::quote(&joined)),
                directory: input.directory.to_owned(),
                env: BTreeMap::new(),
                runs_in: None,
                cached: false,
                origin: vec![origin.clone()],
            });
            if volumes.is_empty() {
                volumes.push(Volume {
                    path: "/data".to_owned(),
                    persistent: true,
                    reason: "the application keeps its data in a file".to_owned(),
                    origin: vec![origin],
                });
            }
        }
    }
    (links, seeds, volumes)
}

/// The folder that a path in `line` is joined to, relative to the component, where the source takes
/// it from its own place: `os.path.dirname(__file__)` is the folder of the file, each further
/// `dirname` or `.parent` the one above.
fn own_folder(text: &str, line: &str, path: &str, input: &Input<'_, '_>) -> Option<String> {
    let is_joined = line.contains("join(") || line.contains(" / ");
    let own = text
        .lines()
        .find(|line| line.contains("__file__") || line.contains("__dirname"))?;
    let ups = own.matches("dirname").count() + own.matches(".parent").count();
    let mut folder = repo::folder_of(path);
    for _ in 1..ups.max(1) {
        folder = repo::folder_of(folder);
    }
    let inside = match input.directory {
        "." => folder,
        directory => folder.strip_prefix(directory)?.trim_start_matches('/'),
    };
    (is_joined && !inside.is_empty() && inside != ".").then(|| inside.to_owned())
}

/// A variable that names a database file outside the application leads into the data volume.
fn in_data_volume(mut var: EnvVar, catalog: &Catalog, volumes: &mut Vec<Volume>) -> EnvVar {
    let endings = catalog.list("environment", "data-endings");
    let is_data = |path: &&String| {
        path.starts_with('/') && endings.iter().any(|ending| path.ends_with(ending.as_str()))
    };
    let Some(path) = var.default.as_ref().filter(is_data) else {
        return var;
    };
    let path = format!("/data/{}", repo::file_name(path));
    var.default = Some(path);
    if !volumes.iter().any(|volume| volume.path == "/data") {
        volumes.push(Volume {
            path: "/data".to_owned(),
            persistent: true,
            reason: format!(
                "{} names a file that the application keeps data in",
                var.name
            ),
            origin: var.origin.clone(),
        });
    }
    var
}

/// Folders that a document makes for the application to write in, and those that recipes name.
fn folders(input: &Input<'_, '_>, ledger: &mut Ledger<'_>, image: &Image) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::MakeFolder(paths) = &step.action else {
            continue;
        };
        if !ledger.is_open(index) {
            continue;
        }
        for path in paths {
            volumes.push(Volume {
                path: format!("{}/{path}", image.workdir),
                persistent: true,
                reason: "the documents make this folder for the application".to_owned(),
                origin: vec![ledger::origin(step)],
            });
        }
        ledger.set(
            index,
            Fate::Fact,
            "k8s/base",
            Some("a writable volume".to_owned()),
        );
    }
    let framework = input
        .selection
        .framework
        .map(|(id, framework)| (format!("frameworks/{id}"), &framework.image.writable));
    let stack = (
        format!("stacks/{}", input.selection.stack_id),
        &input.selection.stack.image.writable,
    );
    for (id, paths) in framework.into_iter().chain([stack]) {
        for path in paths.iter().filter(|path| path.as_str() != "/tmp") {
            let path = if path.starts_with('/') {
                path.clone()
            } else {
                format!("{}/{path}", image.workdir)
            };
            volumes.push(Volume {
                path,
                persistent: false,
                reason: "written while it runs".to_owned(),
                origin: vec![Origin::recipe(&id, "written while it runs")],
            });
        }
    }
    volumes.sort_by(|a, b| a.path.cmp(&b.path));
    volumes.dedup_by(|a, b| a.path == b.path);
    volumes
}

fn health(input: &Input<'_, '_>) -> Health {
    let mut candidates: Vec<String> = Vec::new();
    let mut origin = Vec::new();
    let mut add = |path: &str, why: Origin| {
        if !candidates.iter().any(|known| known == path) {
            candidates.push(path.to_owned());
            origin.push(why);
        }
    };
    // Paths made for this purpose, where the code has them.
    for path in &input.selection.facts.files {
        let Some(source) = input.repo.source(path) else {
            continue;
        };
        for known in input.catalog.list("health", "paths") {
            let quoted = [
                format!("\"{known}\""),
                format!("'{known}'"),
                format!("\"{known}/\""),
                format!("'{known}/'"),
            ];
            if let Some(at) = quoted
                .iter()
                .find_map(|piece| source.text.find(piece.as_str()))
            {
                add(
                    known,
                    Origin::at(
                        OriginKind::Manifest,
                        path,
                        source.line(at),
                        source.line_text(source.line(at)).trim(),
                    ),
                );
            }
        }
    }
    let framework = input.selection.framework;
    for path in framework
        .into_iter()
        .flat_map(|(_, framework)| &framework.health)
    {
        let id = framework.map_or("", |(id, _)| id);
        add(
            path,
            Origin::recipe(&format!("frameworks/{id}"), "usual first page"),
        );
    }
    add(
        "/",
        Origin::recipe(
            &format!("stacks/{}", input.selection.stack_id),
            "first page",
        ),
    );
    for (path, place) in paths_in_documents(input.documents) {
        add(&path, place);
    }
    Health {
        path: candidates[0].clone(),
        candidates,
        status: 200,
        errors: input.selection.stack.error_pages.clone(),
        host: framework.and_then(|(_, framework)| framework.health_host.clone()),
        proven: false,
        origin,
    }
}

/// Paths of addresses on this machine that documents name: `http://localhost:8000/admin`.
fn paths_in_documents(documents: &[Document]) -> Vec<(String, Origin)> {
    let Ok(pattern) =
        Regex::new(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?(/[\w./-]*)")
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for document in documents {
        for part in &document.parts {
            let (text, at) = match part {
                Part::Text(paragraph) => (&paragraph.text, paragraph.span.start),
                Part::Code(block) => (&block.code, block.file_offset(0)),
            };
            for captured in pattern.captures_iter(text) {
                let Some(path) = captured.get(1) else {
                    continue;
                };
                let line = document.source.line(at) + text[..path.start()].matches('\n').count();
                let path = path.as_str().trim_end_matches(['.', ',']).to_owned();
                found.push((
                    path.clone(),
                    Origin::at(OriginKind::Readme, &document.source.path, line, path),
                ));
            }
        }
    }
    found.truncate(6);
    found
}

/// Settings for which a document shows only a placeholder.
fn values_to_give(vars: &[EnvVar]) -> Vec<Question> {
    let is_open = |var: &&EnvVar| {
        let from_document = var
            .origin
            .iter()
            .any(|origin| origin.kind == OriginKind::Readme);
        var.kind == EnvKind::Config
            && var.default.is_none()
            && var.values.is_empty()
            && from_document
    };
    vars.iter()
        .filter(is_open)
        .map(|var| Question {
            id: format!("env-{}", var.name.to_lowercase().replace('_', "-")),
            question: format!(
                "the documents leave the value of {} open: what is it in production?",
                var.name
            ),
            options: Vec::new(),
            default: None,
            origin: var.origin.clone(),
        })
        .collect()
}

/// Files of the repository that a document asks a person to edit: their values are those of the
/// author's machine.
fn files_to_edit(input: &Input<'_, '_>) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    for document in input.documents {
        for part in &document.parts {
            let Part::Text(paragraph) = part else {
                continue;
            };
            for inline in &paragraph.code {
                let file = inline.code.trim();
                let place = [input.directory, "."]
                    .into_iter()
                    .map(|place| repo::join(place, file));
                let Some(path) = place.into_iter().find(|path| input.repo.contains(path)) else {
                    continue;
                };
                let before = inline.before.rsplit(['.', '\n']).next().unwrap_or_default();
                let is_env = repo::file_name(&path).contains(".env");
                let id = format!("edit-{}", slug(&path));
                let is_known = questions.iter().any(|known| known.id == id);
                if is_env || is_known || !input.catalog.has_word("prose", "edits", before) {
                    continue;
                }
                let line = document.source.line(inline.span.start);
                questions.push(Question {
                    id,
                    question: format!("the documents ask to edit `{path}`: are the values in it right inside a container?"),
                    options: vec!["yes".to_owned(), "no".to_owned()],
                    default: Some("yes".to_owned()),
                    origin: vec![Origin::at(OriginKind::Readme, &document.source.path, line, file)],
                });
            }
        }
    }
    questions
}

/// A step that needs the dependencies, above the one that installs them in the same document.
fn out_of_order(ledger: &Ledger<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let entries = ledger.entries();
    let is_taken = |index: usize| entries[index].fate != Fate::Skipped;
    let first_install = (0..ledger.steps.len())
        .find(|index| ledger.steps[*index].action == Action::Install && is_taken(*index));
    let Some(install) = first_install else { return };
    let install = &ledger.steps[install];
    let early = ledger.steps.iter().enumerate().find(|(index, step)| {
        let needs_it = matches!(step.action, Action::Prepare | Action::Build);
        let is_before =
            step.source.path == install.source.path && step.span.start < install.span.start;
        needs_it && is_before && is_taken(*index)
    });
    if let Some((_, step)) = early {
        let line = install.source.line(install.span.start);
        diagnostics.push(
            Diagnostic::new(
                Severity::Note,
                Code::StepsOutOfOrder,
                format!(
                    "`{}` stands above what installs the dependencies",
                    step.text
                ),
            )
            .at(&step.source, step.span, "needs them")
            .hint(format!(
                "they are installed in line {line}; the image does that first"
            )),
        );
    }
}

/// Reasons for what nothing took.
fn rest(ledger: &mut Ledger<'_>) {
    for (index, step) in ledger.steps.iter().enumerate() {
        if !ledger.is_open(index) {
            continue;
        }
        match &step.action {
            Action::WriteFile { .. } => ledger.skip(index, "writes-a-file-of-the-host", None),
            Action::Services(_) | Action::CreateDatabase { .. } | Action::LoadFile { .. } => {
                ledger.skip(index, "service-not-used-by-the-code", None);
            }
            Action::SystemPackages { .. } => ledger.skip(index, "not-needed-in-the-image", None),
            Action::Script(name) => ledger.skip(index, "not-needed-to-run-it", Some(name)),
            Action::Install => ledger.skip(index, "for-another-stack", None),
            Action::SetEnv(_) => ledger.skip(index, "set-by-the-system", None),
            _ => ledger.skip(index, "alternative-not-taken", None),
        }
    }
}

fn no_start(input: &Input<'_, '_>) -> Diagnostic {
    let files: Vec<&str> = input
        .selection
        .stack
        .start
        .iter()
        .flat_map(|command| &command.files)
        .map(String::as_str)
        .collect();
    Diagnostic::new(
        Severity::Error,
        Code::NoStartCommand,
        "nothing says how to start the application",
    )
    .hint(format!(
        "looked for a start command in the documents, a Procfile, scripts, and {}",
        files.join(", ")
    ))
    .hint("write the start command into the README, or answer `start` in longshore.toml")
}

/// Secrets with a value in an env file that is no example.
fn committed_secrets(selection: &Selection<'_>, catalog: &Catalog) -> Vec<(String, String)> {
    let is_real = |file: &str| repo::file_name(file) == ".env";
    selection
        .manifest
        .env
        .iter()
        .filter(|line| {
            is_real(&line.file)
                && !line.value.is_empty()
                && !line.disabled
                && env::is_secret(&line.name, catalog)
        })
        .map(|line| (line.file.clone(), line.name.clone()))
        .collect()
}

/// The package manifest's name, a short first heading, or the folder's name.
fn name(repo: &Repo, documents: &[Document], selection: Option<&Selection<'_>>) -> String {
    let from_manifest = selection.and_then(|selection| {
        let path = repo::join(&selection.folder, "package.json");
        let source = repo.source(&path)?;
        let json = jsonc_parser::parse_to_serde_value::<serde_json::Value>(
            &source.text,
            &jsonc_parser::ParseOptions::default(),
        )
        .ok()?;
        json.get("name")?
            .as_str()
            .map(|name| name.rsplit('/').next().unwrap_or(name).to_owned())
    });
    let from_heading = documents.first().and_then(|document| {
        let headings = document.parts.iter().find_map(|part| match part {
            Part::Code(block) => block.headings.first(),
            Part::Text(paragraph) => paragraph.headings.first(),
        })?;
        let is_short = headings.split_whitespace().count() <= 3 && headings.len() <= 30;
        is_short.then(|| headings.clone())
    });
    let from_folder = || {
        let path = repo
            .root()
            .canonicalize()
            .unwrap_or_else(|_| repo.root().to_owned());
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    let usable = |name: &String| !slug(name).is_empty();
    let found = from_manifest
        .filter(usable)
        .or(from_heading.filter(usable))
        .or_else(from_folder);
    found
        .map(|name| slug(&name))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "app".to_owned())
}

/// Lower-case letters, digits and `-`, at most 40, the first a letter.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in deunicode::deunicode(name).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    let slug = slug.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    slug.chars()
        .take(40)
        .collect::<String>()
        .trim_matches('-')
        .to_owned()
}
