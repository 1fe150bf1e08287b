//! Joins what was found into the plan.

use super::{
    AssetStage, BuildPlan, Command, Component, EnvKind, EnvVar, Finding, Question, SCHEMA, assets,
    commands, components, created, env, files, health, image, ingress, input::Input, install,
    ledger::Ledger, name, packages, peers, processes, proxies, prune, questions, refused, runtime,
    script, services, settled, start, variables, workspace,
};
use crate::{
    config::Config,
    diagnostic::{Code, Diagnostic, Severity, Warned},
    manifest::Reader,
    readme::Document,
    recipe::Catalog,
    repo::{self, Repo},
    select::{self, Selection},
    step::InstallStep,
};

/// Returns the plan for the repository of `reader`: a component for each of `selections`, none where
/// no stack was recognised.
pub fn build_plan(
    reader: &Reader<'_>,
    documents: &[Document],
    steps: &[InstallStep],
    selections: &[Selection<'_>],
    config: &Config,
) -> Warned<BuildPlan> {
    let (repo, catalog) = (reader.repo, reader.catalog);
    let mut ledger = Ledger::new(steps);
    let mut said = Said::default();
    let name = name::name(repo, documents, selections, catalog);
    for selection in selections {
        script::start_by_file(repo, selection, catalog, &mut ledger);
    }
    questions::skip_unknown(&mut ledger, catalog, &mut said.diagnostics);
    let mut components: Vec<Component> = Vec::new();
    for (index, selection) in selections.iter().enumerate() {
        let is_own = |folder: &str| components::owner(selections, folder) == index;
        ledger.enter(|step| is_own(&step.context.directory));
        let own: Vec<Document> = documents
            .iter()
            .filter(|document| is_own(repo::folder_of(&document.source.path)))
            .cloned()
            .collect();
        components.push(component(
            &name,
            repo,
            &Documents {
                all: documents,
                own: &own,
            },
            selection,
            catalog,
            &mut ledger,
            &mut said,
        ));
    }
    let name = components::name(&name, &mut components, selections);
    ledger.enter(|_| true);
    questions::rest(&mut ledger);
    questions::out_of_order(&ledger, &mut said.diagnostics);
    settled::answered(
        &mut said.questions,
        &components,
        config,
        catalog,
        &mut said.diagnostics,
    );
    settled::images(&mut components, config, &mut said.diagnostics);
    proxies::join(
        &name,
        &mut components,
        selections,
        repo,
        catalog,
        &mut said.diagnostics,
    );
    ingress::join(&mut components, repo, documents, steps, catalog, config);
    components::join(&name, &mut components);
    peers::find(&name, reader, &mut components);
    refused::leave_out(&mut components, repo, &mut said.diagnostics);
    let plan = BuildPlan {
        recorded: None,
        schema: SCHEMA.to_owned(),
        name,
        readmes: documents
            .iter()
            .map(|document| document.source.path.clone())
            .collect(),
        components,
        ledger: ledger.entries(),
        questions: said.questions,
        diagnostics: Vec::new(),
    };
    Warned {
        value: plan,
        diagnostics: said.diagnostics,
    }
}

/// The documents that a component is read from.
struct Documents<'a> {
    /// All of them: a runtime that one asks for is that of every component.
    all: &'a [Document],
    /// Those about this component.
    own: &'a [Document],
}

/// What is said on the way.
#[derive(Default)]
struct Said {
    diagnostics: Vec<Diagnostic>,
    questions: Vec<Question>,
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

fn component(
    name: &str,
    repo: &Repo,
    documents: &Documents<'_>,
    selection: &Selection<'_>,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
    said: &mut Said,
) -> Component {
    let Said {
        diagnostics,
        questions,
    } = said;
    let assets: Vec<AssetStage> = selection
        .assets
        .iter()
        .filter(|assets| !workspace::is_built_along(assets, selection))
        .map(|assets| assets::stage(repo, documents.all, assets, catalog, ledger, diagnostics))
        .collect();
    let path = select::home(repo, selection);
    let site = variables::site(repo, documents.own, catalog);
    let mut variables =
        variables::variables(repo, documents.own, selection, &path, &site, ledger.steps);
    variables::fitting(&mut variables, selection, &site, diagnostics);
    let copied = files::copied(repo, ledger);
    let created = created::created_files(repo, selection, catalog, ledger);
    let input = Input {
        repo,
        documents: documents.own,
        selection,
        catalog,
        directory: &path,
        variables: &variables,
        copied: &copied,
        created: &created,
        site: &site,
    };
    let (runtime, base) = runtime::runtime(
        selection,
        repo,
        documents.all,
        ledger.steps,
        catalog,
        diagnostics,
    );

    let candidates = env::candidates(&input, ledger);
    let known = env::known(&candidates);
    let services::Bound {
        services,
        env: bound,
        files: socket_files,
        rewrites,
    } = services::services(name, &known, &input, ledger, questions, diagnostics);
    let (mut packages, extensions) = packages::system_packages(
        &input,
        &runtime,
        &base.suite,
        &services,
        ledger,
        diagnostics,
    );
    settled::packages(&mut packages, selection.config);
    let files = files::files(&input, ledger, diagnostics);
    let installs = install::install(&input, ledger, diagnostics);
    let mut image = image::image(&input, &base, &installs);
    let mut install = installs.early;
    settled::place(&mut image.place, &runtime.name, selection.config, catalog);
    let (added, artifacts) = extensions.added();
    image.setup.extend(added);
    image.artifacts.extend(artifacts);
    let (links, seeds, mut volumes) = files::data_files(&input);
    created::add_to_source(&created, &mut image, catalog, ledger);
    let mut build = files::written_files(&input, ledger);
    build.extend(rewrites);
    build.extend(installs.late);
    let own = commands::build_commands(&input, ledger);
    // The build of a framework may load the application, which looks for its folders.
    let loads = selection.framework.is_some() && !own.is_empty();
    build.extend(own);
    build.retain(|command| !assets::builds_again(command, &input));
    build.extend(links);
    build.extend(files::log_files(&input));
    let mut prepare = seeds;
    let (commands, made) = commands::prepare_commands(&input, ledger, &image.workdir, diagnostics);
    prepare.extend(commands);
    volumes.extend(made);
    volumes.extend(files::configured_folders(&input));
    let (folders, make) = files::folders(&input, ledger, &image);
    volumes.extend(folders);
    build.splice(0..0, make.filter(|_| loads));
    commands::compile(&mut prepare, &mut build, &mut image, &input);
    let started = start::start(&input, &services, ledger, diagnostics);
    commands::before_start(&started.before, &mut build, &mut prepare, &input);
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    if let Some(start) = &started.start
        && let Some(missing) = install::undeclared_server(start, &all, &input, diagnostics)
    {
        install.push(missing);
    }
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    let own = started.start.as_ref();
    let own = own.and_then(|start| install::own_program(start, &all, &input));
    build.splice(0..0, own);
    image.extra_files.extend(socket_files);
    image
        .extra_files
        .extend(image::env_file(&input, &image.workdir));
    if let Some(start) = &started.start {
        image::carry_built(&input, start, &mut image);
    }
    if let Some(port) = started.ports.first() {
        image::fill_port(&mut image, port.port);
    }
    volumes.extend(started.data);
    let mut known = std::collections::BTreeSet::new();
    volumes.retain(|volume| known.insert(volume.path.clone()));
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    image::add_packages(&input, &all, &mut packages);
    image::add_init(&input, started.start.as_ref(), &mut image, &mut packages);
    let processes = processes::processes(&input, ledger, diagnostics);
    let schedules = processes::schedules(&input, ledger, diagnostics);
    let mut lines: Vec<Vec<String>> = started
        .start
        .iter()
        .map(|start| start.command.clone())
        .collect();
    lines.extend(processes.iter().map(|process| process.command.clone()));
    lines.extend(schedules.iter().map(|schedule| schedule.command.clone()));
    let prepared = prepare.iter().filter(|command| command.runs_in.is_none());
    lines.extend(prepared.map(Command::words));
    build.extend(prune::prune(&input, &lines));
    let mut fixed = env::of_framework(&input, &candidates);
    fixed.extend(started.env.clone());
    let vars = env::env(candidates, bound, &fixed, catalog, ledger);
    let mut vars: Vec<EnvVar> = vars
        .into_iter()
        .map(|var| files::in_data_volume(var, &input, &mut volumes, &mut prepare))
        .collect();
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    image::without_build(&input, &all, &mut packages);
    image::fill_env(&mut image, &vars);
    created::fill(&created, &mut image, &mut volumes);
    let leads_to_service = |name: &String| {
        vars.iter()
            .any(|var| var.name == *name && var.kind == EnvKind::Service)
    };
    for command in &mut prepare {
        command.env.retain(|name, _| !leads_to_service(name));
    }
    let values_to_give = questions::values_to_give(&vars);
    settled::env(&mut vars, selection.config, catalog, diagnostics);
    diagnostics.extend(env::cut(&mut vars));
    // Commands that load the application read its settings; other build commands are given none.
    for command in build
        .iter_mut()
        .filter(|command| commands::loads_application(command, &input))
    {
        command.env.extend(commands::build_env(&vars));
    }
    if started.start.is_none() {
        diagnostics.push(questions::no_start(&input));
    }
    for (path, secret) in questions::committed_secrets(selection, catalog) {
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
    if !selection.tied.is_empty() {
        let taken = selection.framework.map_or("", |(id, _)| id);
        let options: Vec<String> = std::iter::once(taken)
            .chain(selection.tied.iter().copied())
            .map(str::to_owned)
            .collect();
        questions.push(Question {
            id: "framework".to_owned(),
            question: format!(
                "{} are found equally well: which one serves the application?",
                options.join(" and ")
            ),
            default: options.first().cloned(),
            options,
            origin: selection.evidence.clone(),
        });
    }
    questions.extend(values_to_give);
    questions.extend(questions::files_to_edit(&input));
    let health = (!started.ports.is_empty()).then(|| health::health(&input));
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
        assets,
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
        proxies: Vec::new(),
        ingress: None,
        health,
        env: vars,
        services,
        peers: Vec::new(),
        volumes,
        measured: None,
    }
}
