//! The commands that build the application and prepare a release.

use std::collections::BTreeMap;

use super::{
    ArtifactCopy, Command, EnvKind, EnvVar, Fate, Image, Origin, Piece, Volume,
    input::{Input, fill, holds},
    kind::{Kind, is_preparing_script, script_kind},
    ledger,
    ledger::Ledger,
    missing::missing_script,
    pieces,
    way::Before,
    workspace,
};
use crate::{
    diagnostic::Diagnostic,
    quote::{self, shell::Filling},
    recipe::{Catalog, Does},
    repo, shell,
    step::{Action, InstallStep, Purpose, rule, script_name},
};

/// What is put in the place of a secret while an image is built; it opens nothing.
const BUILD_ONLY: &str = "build-only";

/// `python3` and `pip3.8` are `python` and `pip` in the image, which has one interpreter.
pub fn plain_tool(line: &str, input: &Input<'_, '_>) -> String {
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

/// Returns the commands that build the application: those of documents, then those of recipes.
pub fn build_commands(input: &Input<'_, '_>, ledger: &mut Ledger<'_>) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_build = match &step.action {
            Action::Build => true,
            Action::Script(name) => {
                let directory = &step.context.directory;
                input.script(name, directory).is_some()
                    && script_kind(name, directory, input) == Kind::Build
            }
            _ => false,
        };
        if !is_build || step.context.purpose == Purpose::Test {
            continue;
        }
        if is_documentation(&step.words, input) {
            ledger.skip(index, "documents-the-application", None);
            continue;
        }
        let tool = step.words.first().and_then(|word| input.catalog.tool(word));
        if tool.is_some_and(|(_, tool)| tool.only_declared)
            && let Some(tool) = undeclared_tool(step, input)
        {
            ledger.skip(index, "tool-is-not-a-dependency", Some(tool));
            continue;
        }
        if let Some(word) = unknown_value(step) {
            ledger.skip(index, "holds-values-of-one-machine", Some(word));
            continue;
        }
        let command = command_of(step, input);
        let known = commands.iter_mut().find(|known| {
            known.directory == command.directory && runs_same_script(known, &command, input)
        });
        match known {
            Some(known) => known.origin.extend(command.origin),
            None => push(&mut commands, command),
        }
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    add_of_recipes(
        &mut commands,
        input,
        |framework| &framework.build,
        &input.selection.stack.build,
    );
    commands.retain(|command| !is_documentation(&command.words(), input));
    workspace::build_needed(&mut commands, input);
    commands
}

/// Returns whether a command, or the script of the package manifest that it runs, builds or shows
/// pages about the application.
pub fn is_documentation(words: &[String], input: &Input<'_, '_>) -> bool {
    let is_told = |words: &[String]| {
        let found = rule(words, input.catalog).0;
        found.is_some_and(|(found, _)| input.catalog.tools[found.tool].documents)
    };
    let script = script_of(words, input);
    let script = script.and_then(|name| input.selection.manifest.scripts.get(&name));
    let script = script.is_some_and(|script| {
        let words: Vec<String> = script.value.split_whitespace().map(str::to_owned).collect();
        is_told(&words)
    });
    !input.selection.documents() && (script || is_told(words))
}

/// Returns the commands that prepare a release, such as migrations, in their order, and volumes for
/// what they make once below `workdir`.
pub fn prepare_commands(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    workdir: &str,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Command>, Vec<Volume>) {
    let mut commands: Vec<Command> = Vec::new();
    let mut volumes = Vec::new();
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_prepare = match &step.action {
            Action::Prepare => true,
            Action::Start => is_preparing_script(step, input.catalog),
            Action::Script(name) => {
                script_kind(name, &step.context.directory, input) == Kind::Prepare
            }
            _ => false,
        };
        if !is_prepare || step.context.purpose == Purpose::Test {
            continue;
        }
        if let Action::Script(name) = &step.action
            && input.script(name, &step.context.directory).is_none()
        {
            diagnostics.push(missing_script(step, name, input));
            ledger.skip(index, "no-such-script", Some(name));
            continue;
        }
        if let Some(tool) = undeclared_tool(step, input) {
            ledger.skip(index, "tool-is-not-a-dependency", Some(tool));
            continue;
        }
        if let Some(word) = unknown_value(step) {
            ledger.skip(index, "holds-values-of-one-machine", Some(word));
            continue;
        }
        let command = command_of(step, input);
        if let Some(folder) = made_folder(&step.words, input.catalog) {
            volumes.push(Volume {
                path: format!("{workdir}/{}", repo::join(&command.directory, folder)),
                persistent: true,
                reason: format!("`{}` makes it once, and later releases need it", step.text),
                origin: command.origin.clone(),
            });
        }
        match same(&mut commands, &command.command, input) {
            Some(known) if known.directory == command.directory => {
                known.origin.extend(command.origin);
            }
            _ => push(&mut commands, command),
        }
        ledger.set(index, Fate::Prepare, "compose.yaml", None);
    }
    add_of_recipes(
        &mut commands,
        input,
        |framework| &framework.prepare,
        &input.selection.stack.prepare,
    );
    (commands, volumes)
}

/// A program of the sources that prepares a release is built beside the application, where the run
/// stage has no compiler.
pub fn compile(
    prepare: &mut [Command],
    build: &mut Vec<Command>,
    image: &mut Image,
    input: &Input<'_, '_>,
) {
    for command in prepare {
        let words = command.words();
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
        let path = compiled.path.replace("{folder}", folder);
        let path = path.replace("{name}", name);
        let value = |placeholder: &str| match placeholder {
            "folder" => Some(Filling::Text(folder)),
            "name" => Some(Filling::Text(name)),
            _ => None,
        };
        build.push(Command {
            command: quote::shell::filled(&compiled.build, &value),
            cached: true,
            ..command.clone()
        });
        image.artifacts.push(ArtifactCopy {
            from: path.clone(),
            to: path.clone(),
        });
        command.command = quote::shell::word(&path);
    }
}

/// Commands that a recipe knows are added unless a document already has them, in some form: behind
/// those of documents, but before one of these that the recipe runs after them.
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
        let mut added = 0;
        for command in list.iter().filter(|command| holds(command, input)) {
            let otherwise = || fill(command.otherwise.as_ref()?, input);
            let Some(line) = fill(&command.command, input).or_else(otherwise) else {
                continue;
            };
            let why = || {
                let why = command.why.clone();
                Origin::recipe(&id, why.unwrap_or_else(|| format!("runs `{line}`")))
            };
            let is_rough = |known: &Command| {
                let mut forms = command.instead_of.iter();
                forms.any(|form| is_same(known, form, input))
            };
            if let Some(mut first) = commands.iter().position(is_rough) {
                let end = commands.len();
                if first + added < end {
                    commands[first..].rotate_right(added);
                    first += added;
                }
                added = 0;
                // All that documents tell of it is done by the one.
                let mut rest = commands.split_off(first + 1);
                let told = &mut commands[first];
                told.command.clone_from(&line);
                for other in rest.extract_if(.., |other| is_rough(other)) {
                    told.origin.extend(other.origin);
                }
                told.origin.push(why());
                commands.extend(rest);
                continue;
            }
            // A document may name what the script runs.
            let script = command.script.as_ref().and_then(|name| {
                let script = selection.manifest.scripts.get(name)?;
                Some(script.value.as_str())
            });
            let runs_script = |known: &Command| {
                script == Some(&known.command)
                    || command.script.is_some()
                        && script_of(&known.words(), input) == command.script
            };
            let is_known =
                same(commands, &line, input).is_some() || commands.iter().any(runs_script);
            if !is_known {
                added += 1;
                let origin = why();
                commands.push(Command {
                    env: command.env.clone(),
                    cached: id.starts_with("stacks/"),
                    ..Command::new(line, input.directory, vec![origin])
                });
            }
        }
    }
}

/// Whether two commands run one script alike: `pnpm build` and `pnpm run build` do.
fn runs_same_script(one: &Command, other: &Command, input: &Input<'_, '_>) -> bool {
    let (one, other) = (one.words(), other.words());
    let essential = |words: &[String]| -> Vec<String> {
        let words = words.iter().filter(|word| *word != "run");
        words.cloned().collect()
    };
    script_of(&one, input).is_some() && essential(&one) == essential(&other)
}

/// The script of the package manifest that `words` run: `yarn build` and `npm run build` are one.
fn script_of(words: &[String], input: &Input<'_, '_>) -> Option<String> {
    let (found, matched) = rule(words, input.catalog).0?;
    let script = found.rule.script.as_deref()?;
    Some(script_name(Some(script), &matched)).filter(|name| !name.is_empty())
}

/// The one of `commands` that does what `line` does, in some spelling.
fn same<'c>(
    commands: &'c mut [Command],
    line: &str,
    input: &Input<'_, '_>,
) -> Option<&'c mut Command> {
    let mut commands = commands.iter_mut();
    commands.find(|known| is_same(known, line, input))
}

/// Whether `command` does what `line` does, in some spelling.
fn is_same(command: &Command, line: &str, input: &Input<'_, '_>) -> bool {
    let runtime = &input.selection.stack.runtime;
    essence(&command.command, runtime) == essence(line, runtime)
}

/// What tells two spellings of a command from two commands: `./manage.py migrate` and
/// `python manage.py migrate --noinput` are one.
fn essence<'c>(command: &'c str, runtime: &str) -> Vec<&'c str> {
    let is_runtime =
        |word: &&str| word.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') == runtime;
    let words = command
        .split_whitespace()
        .filter(|word| !word.starts_with('-'));
    words
        .map(|word| word.trim_start_matches("./"))
        .skip_while(is_runtime)
        .take(3)
        .collect()
}

/// Adds `command`, or its origin where the same one is there.
pub fn push(commands: &mut Vec<Command>, command: Command) {
    match commands
        .iter_mut()
        .find(|known| known.command == command.command && known.directory == command.directory)
    {
        Some(known) => known.origin.extend(command.origin),
        None => commands.push(command),
    }
}

/// The path in `step` that begins with a variable whose value only a host knows.
fn unknown_value(step: &InstallStep) -> Option<&str> {
    let is_path = |word: &&String| {
        let name = word.strip_prefix('$').and_then(|rest| rest.split_once('/'));
        name.is_some_and(|(name, _)| name != "PWD" && shell::is_name(name.trim_matches(['{', '}'])))
    };
    step.words.iter().skip(1).find(is_path).map(String::as_str)
}

/// The command of a step as it runs unattended.
fn command_of(step: &InstallStep, input: &Input<'_, '_>) -> Command {
    let words = unattended(&step.words, input.catalog);
    // The image has one interpreter, under its plain name.
    let line = plain_tool(&quote::shell::join(&words), input);
    let file = words
        .iter()
        .find(|word| word.contains('.') && input.repo.contains(&repo::join(input.directory, word)));
    let directory = match file {
        Some(_) => input.directory.to_owned(),
        None if input.project(&step.context.directory).is_some() => match &step.action {
            Action::Script(name) => {
                let script = input.script(name, &step.context.directory);
                script.map_or(step.context.directory.clone(), |script| script.folder)
            }
            _ => step.context.directory.clone(),
        },
        None if step.context.directory == "." => input.directory.to_owned(),
        None => script_directory(step, input).unwrap_or_else(|| step.context.directory.clone()),
    };
    let mut line = with_kept_wrapper(step, line, input.catalog);
    if let Some(folder) = made_folder(&words, input.catalog) {
        line = format!("[ -n \"$(ls -A {folder} 2>/dev/null)\" ] || {line}");
    }
    Command {
        env: step.assignments.iter().cloned().collect(),
        ..Command::new(line, directory, vec![ledger::origin(step)])
    }
}

/// The folder of the package manifest that has the script which `step` runs, where the manifest in
/// the folder of the step has none: a document that goes into a folder seldom comes back.
fn script_directory(step: &InstallStep, input: &Input<'_, '_>) -> Option<String> {
    let Action::Script(name) = &step.action else {
        return None;
    };
    let script = input.selection.manifest.scripts.get(name)?;
    let beside = repo::join(&step.context.directory, repo::file_name(&script.file));
    let other = input.repo.source(&beside);
    let has_it = other.is_some_and(|other| other.text.contains(&format!("\"{name}\"")));
    (!has_it).then(|| repo::folder_of(&script.file).to_owned())
}

/// The words of a command without those that ask a person, and with those that keep it from asking.
fn unattended(words: &[String], catalog: &Catalog) -> Vec<String> {
    let mut words = words.to_vec();
    let Some((found, _)) = rule(&words, catalog).0 else {
        return words;
    };
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
    words
}

/// Adds what stands before the start command on its line to what builds and prepares, unless that is
/// done already, in some form.
pub fn before_start(
    before: &[Before],
    build: &mut Vec<Command>,
    prepare: &mut Vec<Command>,
    input: &Input<'_, '_>,
) {
    for told in before {
        let words = unattended(&told.words, input.catalog);
        let line = plain_tool(&quote::shell::join(words), input);
        let commands = match told.does {
            Does::Build => &mut *build,
            _ => &mut *prepare,
        };
        match same(commands, &line, input) {
            Some(known) => known.origin.extend(told.origin.clone()),
            None => commands.push(Command {
                env: told.assignments.iter().cloned().collect(),
                ..Command::new(line, &told.directory, told.origin.clone())
            }),
        }
    }
}

/// The folder that the command makes once and later releases need.
fn made_folder<'c>(words: &[String], catalog: &'c Catalog) -> Option<&'c str> {
    let (found, _) = rule(words, catalog).0?;
    found.rule.makes.as_deref()
}

/// The tool that no manifest asks for, where a wrapper such as `npx` would have to fetch it or it
/// does nothing by itself.
fn undeclared_tool<'s>(step: &'s InstallStep, input: &Input<'_, '_>) -> Option<&'s str> {
    let tool = step.words.first()?;
    let packages = &input.selection.manifest.packages;
    let is_declared = [tool.clone(), format!("{tool}-cli"), format!("@{tool}/cli")]
        .iter()
        .any(|name| packages.contains_key(name));
    let is_wrapped = with_kept_wrapper(step, String::new(), input.catalog).len() > 1;
    let known = input.catalog.tool(tool);
    let is_local = is_wrapped || known.is_some_and(|(_, tool)| tool.only_declared);
    (is_local && !is_declared).then_some(tool.as_str())
}

/// A wrapper that finds the command it runs stays before it, as in the document.
fn with_kept_wrapper(step: &InstallStep, line: String, catalog: &Catalog) -> String {
    let keeps = |word: &&str| {
        let tool = catalog.tool(word);
        tool.is_some_and(|(_, tool)| tool.command.iter().any(|rule| rule.keep))
    };
    let words: Vec<&str> = step.text.split_whitespace().collect();
    let Some(wrapper) = words.iter().position(keeps) else {
        return line;
    };
    // `bundle exec rake`: up to what it runs.
    let inner = line.split_whitespace().next().unwrap_or_default();
    let end = words.iter().position(|word| *word == inner);
    let end = end.filter(|end| *end > wrapper).unwrap_or(wrapper + 1);
    format!("{} {line}", words[wrapper..end].join(" "))
}

/// `npx knex …` and the like are no build of the image that reads settings; `manage.py` is.
pub fn loads_application(command: &Command, input: &Input<'_, '_>) -> bool {
    let framework = input
        .selection
        .framework
        .and_then(|(_, framework)| framework.root_file.as_ref());
    let words = command.words();
    let (found, _) = rule(&words, input.catalog);
    framework.is_some_and(|file| command.command.contains(file.as_str()))
        || found.is_some_and(|(found, _)| found.rule.loads_application)
}

/// What a build command needs to load the application's settings: plain values as they are, harmless
/// stand-ins for secrets. They are set for the one command and stay in no layer.
pub fn build_env(vars: &[EnvVar]) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for var in vars {
        let value = match (var.kind, &var.default) {
            (EnvKind::Secret, _) if var.required => Some(BUILD_ONLY.to_owned()),
            (EnvKind::Secret, _) => None,
            (EnvKind::Service, Some(value)) => Some(without_secrets(value)),
            (EnvKind::Config, Some(value)) => Some(value.clone()),
            (EnvKind::Config, None) if var.required => var.values.get("test").cloned(),
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
