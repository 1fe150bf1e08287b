//! How the image is laid out.

use std::collections::BTreeMap;

use super::{
    ArtifactCopy, Command, EnvVar, ExtraFile, Image, Origin, OriginKind,
    commands::push,
    input::{Input, fill, fill_file, fill_text, holds},
    install::Installs,
    runtime,
};
use crate::{
    output::OutputPath,
    recipe::{ConditionalCommand, ImageFile, ImageRecipe},
    repo,
    step::rule,
};

/// An empty `.env` for a program that fails without one: settings come from the environment.
pub fn env_file(input: &Input<'_, '_>, workdir: &str) -> Option<ExtraFile> {
    let selection = input.selection;
    let place = repo::join(input.directory, ".env");
    let mut sources = selection.facts.sources(input.repo);
    let origin = sources.find_map(|source| {
        let mut pieces = selection.stack.needs_env_file.iter();
        let at = pieces.find_map(|piece| source.text.find(piece.as_str()))?;
        Some(Origin::in_source(&source, at))
    })?;
    // One of the repository holds settings of one machine, and is left out of the image.
    Some(ExtraFile {
        path: OutputPath::fixed("container/settings.env"),
        to: format!("{workdir}/{place}"),
        contents:
            "# The program fails without this file; its settings come from the environment.\n"
                .to_owned(),
        executable: false,
        origin: vec![origin],
    })
}

/// Writes the port into the files and commands of the run stage that name it.
pub fn fill_port(image: &mut Image, port: u16) {
    let port = port.to_string();
    for file in &mut image.extra_files {
        file.contents = file.contents.replace("{port}", &port);
    }
    for command in &mut image.run_setup {
        command.command = command.command.replace("{port}", &port);
    }
    for value in image.run_env.values_mut() {
        *value = value.replace("{port}", &port);
    }
}

/// Returns the files that recipes have for the run stage, with the recipe that each is from.
pub fn recipe_files<'c>(input: &Input<'_, 'c>) -> Vec<(String, &'c ImageFile)> {
    let selection = input.selection;
    let runs_elsewhere = selection
        .framework
        .is_some_and(|(_, framework)| framework.image.run.is_some());
    let of_framework = selection.framework.into_iter().flat_map(|(id, framework)| {
        let id = format!("frameworks/{id}");
        (framework.image.file.iter()).map(move |file| (id.clone(), file))
    });
    let stack_id = format!("stacks/{}", selection.stack_id);
    let of_stack = selection.stack.image.file.iter();
    let of_stack = of_stack.filter(|_| !runs_elsewhere);
    let of_stack = of_stack.map(|file| (stack_id.clone(), file));
    let is_needed = |(_, file): &(String, &ImageFile)| {
        let conditions = ConditionalCommand {
            unless_files: file.unless_files.clone(),
            ..ConditionalCommand::default()
        };
        let name = file.needs.as_ref();
        name.is_none_or(|name| input.variables.contains_key(name)) && holds(&conditions, input)
    };
    of_stack.chain(of_framework).filter(is_needed).collect()
}

/// Returns the samples of the repository that files of recipes take the place of, with those.
pub fn replaced<'c>(input: &Input<'_, 'c>) -> Vec<(String, &'c ImageFile)> {
    let files = recipe_files(input).into_iter();
    let replaced = files.filter_map(|(_, file)| {
        let sample = file.instead_of.as_ref()?;
        Some((repo::join(input.directory, sample), file))
    });
    replaced.collect()
}

/// Writes the names of the application's variables into the files of the run stage that hand them
/// on: `{env}`; a line that names them goes where there are none.
pub fn fill_env(image: &mut Image, vars: &[EnvVar]) {
    let names: Vec<&str> = vars.iter().map(|var| var.name.as_str()).collect();
    for file in &mut image.extra_files {
        if names.is_empty() {
            let lines = file.contents.split_inclusive('\n');
            let kept = lines.filter(|line| !line.contains("{env}"));
            file.contents = kept.collect();
        }
        file.contents = file.contents.replace("{env}", &names.join(" "));
    }
}

/// Carries all of the application into the run stage where the start command names a file that only
/// the build leaves in its folder, a script that looks for what lies around it.
pub fn carry_built(input: &Input<'_, '_>, start: &super::Start, image: &mut Image) {
    let built = input.catalog.list("folders", "built");
    let is_left = |word: &String| {
        let path = word.trim_start_matches("./");
        let folder = path.split('/').next().unwrap_or_default();
        let place = format!("{}/{path}", image.workdir);
        path.contains('/')
            && built.iter().any(|known| known == folder)
            && !image
                .artifacts
                .iter()
                .any(|copy| place.starts_with(&copy.from))
    };
    if start.command.iter().any(is_left) {
        image.copy_source = true;
    }
}

/// Takes the packages of the build stage away where nothing is built there: where the stack only
/// copies, and no document has one of `commands`.
pub fn without_build(
    input: &Input<'_, '_>,
    commands: &[&Command],
    packages: &mut super::SystemPackages,
) {
    let stack = &input.selection.stack.image;
    let is_told = |origin: &Origin| origin.kind == OriginKind::Readme;
    let mut origins = commands.iter().flat_map(|command| &command.origin);
    if stack.only_copied && !origins.any(is_told) {
        packages.build.clear();
    }
}

/// Adds the packages that every application of the stack needs, and those that `commands` of the build
/// stage do.
pub fn add_packages(
    input: &Input<'_, '_>,
    commands: &[&Command],
    packages: &mut super::SystemPackages,
) {
    let selection = input.selection;
    let framework = selection.framework.map(|(_, framework)| &framework.image);
    let runs_elsewhere = framework.is_some_and(|framework| framework.run.is_some());
    let stack = &selection.stack.image;
    let of_run_stage = match runs_elsewhere {
        true => &[],
        false => stack.packages.as_slice(),
    };
    let id = format!("stacks/{}", selection.stack_id);
    let mut needs = |name: &String, why: &str| {
        let origins = packages.origins.entry(name.clone()).or_default();
        origins.push(Origin::recipe(&id, why));
    };
    for name in of_run_stage {
        needs(name, "every application of the stack needs it");
    }
    for package in &stack.build_packages {
        let conditions = ConditionalCommand {
            files: package.files.clone(),
            ..ConditionalCommand::default()
        };
        let is_run = |piece: &String| {
            let mut commands = commands.iter();
            commands.any(|command| command.command.contains(piece.as_str()))
        };
        let is_needed = package.commands.is_empty() || package.commands.iter().any(is_run);
        if is_needed && holds(&conditions, input) {
            needs(&package.name, &package.why);
            packages.build.push(package.name.clone());
        }
    }
    packages.build.sort();
    packages.build.dedup();
    packages.runtime.extend(of_run_stage.iter().cloned());
    packages.runtime.sort();
    packages.runtime.dedup();
}

/// Puts the stack's init before a start command that would ignore SIGTERM.
pub fn add_init(
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

/// Returns the layout: base images, manifests, caches, what reaches the run stage.
pub fn image(input: &Input<'_, '_>, base: &runtime::Base, installs: &Installs) -> Image {
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
    let workdir = fill_text(&workdir, input);
    let mut manifests: Vec<String> = Vec::new();
    let mut folders = vec![selection.folder.as_str()];
    if selection.folder != "." {
        folders.push(".");
    }
    let workspace = selection.workspace.iter();
    let projects = workspace.flat_map(|workspace| workspace.projects());
    folders.extend(projects.map(|project| project.folder.as_str()));
    let early = installs.early.iter();
    folders.extend(early.map(|command| command.directory.as_str()));
    for pattern in stack.manifests.iter().chain(&framework.manifests) {
        for folder in &folders {
            for path in repo.glob(&repo::join(folder, pattern)) {
                if !manifests.iter().any(|known| known == path) {
                    manifests.push(path.to_owned());
                }
            }
        }
    }
    manifests.extend(installs.files.iter().cloned());
    manifests.sort();
    manifests.dedup();
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
            from: fill_text(&from, input).replace("/./", "/"),
            to: fill_text(to, input),
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
    let mut build_env = stack.build_env.clone();
    let of_member = selection.stack.workspace.as_ref();
    let of_member = of_member.filter(|_| input.install_folder() != selection.folder);
    if let Some(recipe) = of_member {
        build_env.extend(recipe.build_env.clone());
        let run = recipe.run_env.iter().filter(|_| !runs_elsewhere);
        run_env.extend(run.map(|(name, value)| (name.clone(), value.clone())));
    }
    build_env.extend(framework.build_env.clone());
    let top = match input.install_folder() {
        "." => workdir.clone(),
        folder => format!("{workdir}/{folder}"),
    };
    for value in run_env.values_mut().chain(build_env.values_mut()) {
        *value = value.replace("{app}", &app).replace("{top}", &top);
    }
    let run = framework
        .run
        .clone()
        .or_else(|| stack.run.clone())
        .unwrap_or_else(|| "{runtime}".to_owned());
    let fitting = stack.build_if.iter().find(|option| {
        let conditions = ConditionalCommand {
            unless_files: option.unless_files.clone(),
            code: option.code.clone(),
            ..ConditionalCommand::default()
        };
        holds(&conditions, input)
    });
    let fitting = fitting.map(|option| &option.image);
    let build = framework
        .build
        .as_ref()
        .or(fitting)
        .or(stack.build.as_ref());
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
    let extra_files = recipe_files(input).into_iter();
    let extra_files = extra_files.map(|(id, file)| ExtraFile {
        path: file.path.clone(),
        to: fill_text(&file.to, input),
        contents: fill_file(file, input),
        executable: file.executable,
        origin: vec![Origin::recipe(&id, &file.why)],
    });
    let extra_files: Vec<ExtraFile> = extra_files.collect();
    let stack_id = format!("stacks/{}", selection.stack_id);
    let as_root = |line: String, origin: Origin| Command::new(line, ".", vec![origin]);
    let is_for = |command: &&ConditionalCommand| {
        let is_named = |versions: &[String]| versions.contains(&base.version);
        (command.versions.is_empty() || is_named(&command.versions))
            && !is_named(&command.except_versions)
    };
    let setup = stack.setup.iter().filter(is_for);
    let setup = setup.filter(|command| holds(command, input));
    let setup = setup.map(|command| {
        let why = command.why.as_deref().unwrap_or("prepares the build stage");
        as_root(command.command.clone(), Origin::recipe(&stack_id, why))
    });
    // Another run image takes over what was built, and nothing else.
    let finish = stack.finish.iter().filter(|_| !runs_elsewhere);
    let finish = finish.filter(|command| holds(command, input));
    let finish = finish.map(|command| {
        let why = command.why.as_deref().unwrap_or("ends the build stage");
        as_root(command.command.clone(), Origin::recipe(&stack_id, why))
    });
    let (run_setup_of, run_setup) = match &framework_id {
        Some(id) if runs_elsewhere => (id, &framework.run_setup),
        _ => (&stack_id, &stack.run_setup),
    };
    let mut root_commands: Vec<Command> = Vec::new();
    for command in run_setup.iter().filter(|command| holds(command, input)) {
        let Some(line) = fill(&command.command, input) else {
            continue;
        };
        let why = command.why.as_deref().unwrap_or("prepares the run stage");
        let origin = Origin::recipe(run_setup_of, why);
        push(&mut root_commands, as_root(line, origin));
    }
    Image {
        build_from: base.fill(build),
        run_from: base.fill(&run),
        workdir,
        build_env,
        run_env,
        setup: setup.collect(),
        finish: finish.collect(),
        run_setup: root_commands,
        manifests,
        caches: stack
            .caches
            .iter()
            .chain(&framework.caches)
            .cloned()
            .collect(),
        source: ".".to_owned(),
        artifacts,
        entrypoint: Vec::new(),
        copy_source: framework.copy_source.or(stack.copy_source).unwrap_or(true),
        extra_files,
        source_files: Vec::new(),
        health_command: framework
            .health_command
            .clone()
            .or_else(|| stack.health_command.clone()),
        place: super::BuildPlace::default(),
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
