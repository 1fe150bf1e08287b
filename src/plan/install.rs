//! How the dependencies are installed: as the documents say, or the stack's recipe.

use super::{
    Command, Fate, Origin,
    commands::{plain_tool, push},
    input::{Input, fill},
    ledger,
    ledger::Ledger,
    lifecycle,
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest, quote,
    recipe::{Catalog, InstallRecipe},
    repo,
    step::{Action, InstallStep, Purpose, rule},
};

/// The install of what starts the application, where no manifest and no command brings it: the
/// author's machine had it.
pub fn undeclared_server(
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
        cached: true,
        ..Command::new(
            &package.install,
            &selection.folder,
            vec![Origin::recipe(
                &format!("tools/{tool}"),
                format!("brings {name}, which starts the application"),
            )],
        )
    })
}

/// The installation of the repository itself, where `start` is a program that only this brings.
pub fn own_program(
    start: &super::Start,
    installs: &[&Command],
    input: &Input<'_, '_>,
) -> Option<Command> {
    let (stack, folder) = (input.selection.stack, &input.selection.folder);
    let program = input
        .selection
        .manifest
        .programs
        .get(start.command.first()?)?;
    let command = stack.own_install.as_ref()?;
    let is_installed = installs.iter().any(|known| {
        let mut pieces = stack.own_installs.iter();
        pieces.any(|piece| known.command.contains(piece.as_str()))
    });
    (!is_installed).then(|| Command {
        cached: true,
        ..Command::new(command.clone(), folder.clone(), vec![program.origin()])
    })
}

/// Install commands.
pub struct Installs {
    /// Those that need only manifests, and `files`.
    pub early: Vec<Command>,
    /// Those that need the source.
    pub late: Vec<Command>,
    /// Files of the source that scripts need which the early ones run.
    pub files: Vec<String>,
}

/// Returns the commands that install what the application needs.
pub fn install(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Installs {
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
    let declared = whole_manifest(&steps, input);
    if let Some((option, command)) = &declared {
        let all = if option.needs_source {
            &mut late
        } else {
            &mut early
        };
        all.push(command.clone());
    }
    for (index, step) in steps {
        if is_aside(step) && has_main {
            ledger.skip(index, "development-only", None);
            continue;
        }
        let (found, _) = rule(&step.words, input.catalog);
        if let Some((_, command)) = &declared
            && packages(step, input).is_some_and(|names| are_declared(&names, input))
        {
            for all in [&mut early, &mut late] {
                let whole = all.iter_mut().find(|all| all.command == command.command);
                if let Some(whole) = whole {
                    whole.origin.push(ledger::origin(step));
                }
            }
            ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
            continue;
        }
        let Some(directory) = install_directory(step, input) else {
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
        missing_extras(step, input, diagnostics);
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
        let line = plain_tool(&quote::shell::join(&words), input);
        let command = Command {
            cached: true,
            ..Command::new(line, directory, vec![ledger::origin(step)])
        };
        // What takes its place may need no more than the manifests, or nothing at all.
        let exact = option(&command.directory, input)
            .map(|(option, _)| option)
            .filter(|option| option.instead_of.contains(&command.command));
        if exact.is_some_and(|option| is_carried(option, &command.directory, input)) {
            ledger.skip(index, "the-repository-has-what-it-installs", None);
            continue;
        }
        let exact = exact.is_some_and(|option| !option.needs_source);
        let all = if needs_source(&words, input) && !exact {
            &mut late
        } else {
            &mut early
        };
        push(all, command);
        ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
    }
    if early.is_empty()
        && late.is_empty()
        && let Some((option, mut command)) = option(input.install_folder(), input)
        && !is_carried(option, input.install_folder(), input)
        && installs_packages(option, input)
    {
        // What documents tell in the words of another tool is done, too.
        let told: Vec<(usize, Origin)> = ledger
            .open()
            .filter(|(_, step)| option.instead_of.contains(&step.words.join(" ")))
            .map(|(index, step)| (index, ledger::origin(step)))
            .collect();
        for (index, origin) in told {
            command.origin.push(origin);
            ledger.set(index, Fate::Dockerfile, "Dockerfile", None);
        }
        let all = if option.needs_source {
            &mut late
        } else {
            &mut early
        };
        all.push(command);
    }
    let mut early = exact_installs(early, input);
    let (made_up, files) = lifecycle::scripts(&mut early, input);
    Installs {
        early,
        late: made_up.into_iter().chain(late).collect(),
        files,
    }
}

/// Whether the repository carries what `option` would fetch into `folder`.
fn is_carried(option: &InstallRecipe, folder: &str, input: &Input<'_, '_>) -> bool {
    let mut patterns = option.carried.iter();
    patterns.any(|pattern| !input.repo.glob(&repo::join(folder, pattern)).is_empty())
}

/// Says which optional sets of dependencies a command asks the project itself for that it does not
/// declare: pip only warns, and what they were to bring is missing.
fn missing_extras(step: &InstallStep, input: &Input<'_, '_>, diagnostics: &mut Vec<Diagnostic>) {
    let manifest = &input.selection.manifest;
    let Some(declared) = &manifest.extras else {
        return;
    };
    for word in &step.words {
        let Some((package, extras)) = word.strip_suffix(']').and_then(|word| word.split_once('['))
        else {
            continue;
        };
        let is_named = manifest.name.as_ref().is_some_and(|name| {
            manifest::normal_name(&name.value) == manifest::normal_name(package)
        });
        if !is_named && package != "." && package != "./" {
            continue;
        }
        for extra in extras.split(',').map(manifest::normal_name) {
            if declared.contains(&extra) {
                continue;
            }
            let known: Vec<&str> = declared.iter().map(String::as_str).collect();
            let hint = match known.as_slice() {
                [] => "the project declares none".to_owned(),
                known => format!("it declares {}", known.join(", ")),
            };
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::MissingPackage,
                    format!("the project declares no optional dependencies `{extra}`"),
                )
                .at(&step.source, step.span, "asks for them")
                .hint(hint),
            );
        }
    }
}

fn is_own_address(word: &str) -> bool {
    word.contains("://localhost") || word.contains("://127.0.0.1")
}

/// The install of all that the manifest declares, where documents install packages one by one and
/// none of their commands takes the manifest: a tutorial that tells how it came to be.
fn whole_manifest<'c>(
    steps: &[(usize, &InstallStep)],
    input: &Input<'_, 'c>,
) -> Option<(&'c InstallRecipe, Command)> {
    let one_by_one = !steps.is_empty()
        && steps
            .iter()
            .all(|(_, step)| packages(step, input).is_some());
    option(input.install_folder(), input).filter(|_| one_by_one)
}

/// The packages that a command names, in the writing of manifests; `None` where it installs from a
/// file or a folder, or names none.
fn packages(step: &InstallStep, input: &Input<'_, '_>) -> Option<Vec<String>> {
    let (found, _) = rule(&step.words, input.catalog);
    let (_, matched) = found?;
    let is_file = |word: &String| {
        let path = repo::join(&step.context.directory, word);
        word.contains(['/', '\\']) && !word.starts_with('@')
            || word.starts_with('.')
            || input.repo.has(&path)
    };
    let named = &matched.arguments;
    let all = !named.is_empty() && !step.words.iter().skip(1).any(is_file);
    all.then(|| {
        named
            .iter()
            .map(|package| package_name(package, input.catalog))
            .collect()
    })
}

fn are_declared(names: &[String], input: &Input<'_, '_>) -> bool {
    let declared = &input.selection.manifest.packages;
    names.iter().all(|name| declared.contains_key(name))
}

/// The name in `name[extra]==1.0`, `name@1` or an address `git+https://…/name.git@branch`, as
/// manifests write it; of an archive of a repository, the repository's name.
fn package_name(package: &str, catalog: &Catalog) -> String {
    let package = match package.split_once("://") {
        Some((_, address)) => {
            let mut marks = catalog.list("addresses", "archives").iter();
            let repository = marks.find_map(|mark| Some(address.split_once(mark.as_str())?.0));
            repo::file_name(repository.unwrap_or(address.split('@').next().unwrap_or_default()))
        }
        None => package,
    };
    let package = package.trim_end_matches(".git");
    // `@scope/name@1`
    let scope = usize::from(package.starts_with('@'));
    let end = package[scope..]
        .find(['[', '=', '<', '>', '@', '~'])
        .map_or(package.len(), |end| end + scope);
    manifest::normal_name(&package[..end])
}

/// Whether a command installs the published package of this very repository: what lies here is
/// meant.
fn installs_itself(packages: &[String], input: &Input<'_, '_>) -> bool {
    let Some(name) = &input.selection.manifest.name else {
        return false;
    };
    !packages.is_empty()
        && packages.iter().all(|package| {
            package_name(package, input.catalog) == manifest::normal_name(&name.value)
        })
}

/// Whether the manifest requires anything that `option` would install.
fn installs_packages(option: &InstallRecipe, input: &Input<'_, '_>) -> bool {
    let patterns = option.platform.iter();
    let platform: Vec<_> = patterns
        .filter_map(|pattern| repo::matcher(pattern))
        .collect();
    let packages = input.selection.manifest.packages.values();
    let mut installed = packages.filter(|package| !package.development);
    platform.is_empty()
        || installed.any(|package| {
            !platform
                .iter()
                .any(|pattern| pattern.is_match(&package.name))
        })
}

/// The way of the stack's recipe that fits the files in `folder`.
fn option<'c>(folder: &str, input: &Input<'_, 'c>) -> Option<(&'c InstallRecipe, Command)> {
    let selection = input.selection;
    let is_there = |file: &String| input.repo.contains(&repo::join(folder, file));
    let has = |option: &InstallRecipe| {
        let text = option.has.as_deref().zip(option.files.first());
        text.is_none_or(|(text, file)| {
            let source = input.repo.source(&repo::join(folder, file));
            source.is_some_and(|source| source.text.contains(text))
        })
    };
    let options = selection.stack.install.iter();
    let (option, run) = options
        .filter(|option| option.files.iter().all(is_there) && has(option))
        .find_map(|option| Some((option, fill(&option.run, input)?)))?;
    let why = format!("`{run}` where there is {}", option.files.join(" and "));
    let command = Command {
        cached: true,
        ..Command::new(
            run,
            folder,
            vec![Origin::recipe(
                &format!("stacks/{}", selection.stack_id),
                why,
            )],
        )
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
        if let Some((_, known)) = option {
            if command.command != known.command {
                command.origin.extend(known.origin);
            }
            command.command = known.command;
        }
        push(&mut exact, command);
    }
    exact
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
fn install_directory(step: &InstallStep, input: &Input<'_, '_>) -> Option<String> {
    let tool = step.words.first().and_then(|word| input.catalog.tool(word));
    let value_flags = tool.map_or(&[][..], |(_, tool)| &tool.value_flags);
    let slash_is_path = tool.is_some_and(|(_, tool)| tool.slash_is_path);
    let named: Vec<&String> = step
        .words
        .iter()
        .enumerate()
        .filter(|(at, word)| {
            let is_value = *at > 0 && value_flags.contains(&step.words[at - 1]);
            let is_file = word.ends_with(".txt")
                || word.ends_with(".py")
                || word.ends_with(".toml")
                || *at > 0 && is_folder(word, step, input)
                || *at > 0 && slash_is_path && word.contains('/') && !word.contains([':', '@']);
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
        // One install at the top is that of all projects.
        let is_project = input.project(here).is_some();
        return Some(
            if is_project {
                input.install_folder()
            } else {
                here
            }
            .to_owned(),
        );
    }
    let is_there = |place: &&&str| {
        named.iter().all(|file| {
            let path = repo::join(place, file);
            input.repo.has(&path)
        })
    };
    places
        .iter()
        .find(is_there)
        .map(|place| (*place).to_owned())
}

/// Whether a word is a folder of the repository, as seen from where the command stands.
fn is_folder(word: &str, step: &InstallStep, input: &Input<'_, '_>) -> bool {
    let mut places = [step.context.directory.as_str(), "."].into_iter();
    word.contains('/')
        && !word.contains(':')
        && places.any(|place| input.repo.has_folder(&repo::join(place, word)))
}

fn needs_source(words: &[String], input: &Input<'_, '_>) -> bool {
    words.iter().skip(1).any(|word| {
        let is_own = [".", "./", "-e", "--editable"].contains(&word.as_str())
            || word.contains('/') && input.repo.has_folder(word)
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
