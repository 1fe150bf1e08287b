//! Joins what was found into the plan.

use super::{
    BuildPlan, Command, Component, EnvVar, Finding, Question, SCHEMA, commands, env, files, health,
    image, input::Input, install, ledger::Ledger, name, packages, processes, questions, runtime,
    services, start, variables,
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    readme::Document,
    recipe::Catalog,
    repo::Repo,
    select::Selection,
    step::InstallStep,
};

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
    let name = name::name(repo, documents, selection);
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
    let path = variables::component_path(repo, selection);
    let site = variables::site(repo, documents, catalog);
    let variables = variables::variables(repo, documents, selection, &path, &site);
    let input = Input {
        repo,
        documents,
        selection,
        catalog,
        directory: &path,
        variables: &variables,
        site: &site,
    };
    let (runtime, base) = runtime::runtime(
        selection,
        repo,
        documents,
        ledger.steps,
        catalog,
        diagnostics,
    );

    questions::skip_unknown(ledger, catalog, diagnostics);
    let candidates = env::candidates(&input, ledger);
    let known = env::known(&candidates);
    let (services, bound) = services::services(name, &known, &input, ledger, questions);
    let mut packages =
        packages::system_packages(selection, documents, ledger, catalog, diagnostics);
    let files = files::files(repo, ledger, diagnostics);
    let (mut install, late_install) = install::install(&input, ledger, diagnostics);
    let mut image = image::image(&input, &base, &install);
    let (links, seeds, mut volumes) = files::data_files(&input);
    let mut build = files::written_files(&input, ledger);
    build.extend(late_install);
    build.extend(commands::build_commands(&input, ledger));
    build.extend(links);
    build.extend(files::log_files(&input));
    let mut prepare = seeds;
    prepare.extend(commands::prepare_commands(&input, ledger));
    volumes.extend(files::folders(&input, ledger, &image));
    commands::compile(&mut prepare, &mut build, &mut image, &input);
    let started = start::start(&input, ledger, diagnostics);
    let all: Vec<&Command> = install.iter().chain(&build).collect();
    if let Some(start) = &started.start
        && let Some(missing) = install::undeclared_server(start, &all, &input, diagnostics)
    {
        install.push(missing);
    }
    image
        .extra_files
        .extend(image::env_file(&input, &image.workdir));
    if let Some(port) = started.ports.first() {
        image::fill_port(&mut image, port.port);
    }
    volumes.extend(started.data);
    image::add_packages(&input, &mut packages);
    image::add_init(&input, started.start.as_ref(), &mut image, &mut packages);
    let processes = processes::processes(&input, ledger);
    let schedules = processes::schedules(&input, ledger);
    let vars = env::env(candidates, bound, &started.env, catalog, ledger);
    let vars: Vec<EnvVar> = vars
        .into_iter()
        .map(|var| files::in_data_volume(var, catalog, &mut volumes))
        .collect();
    // Commands that load the application read its settings; other build commands are given none.
    for command in build
        .iter_mut()
        .filter(|command| commands::loads_application(command, &input))
    {
        command.env.extend(commands::build_env(&vars));
    }
    questions::rest(ledger);
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
    questions.extend(questions::values_to_give(&vars));
    questions.extend(questions::files_to_edit(&input));
    questions::out_of_order(ledger, diagnostics);
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
