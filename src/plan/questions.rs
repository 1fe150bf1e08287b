//! What is left to a person: questions, and warnings that no other module gives.

use super::{
    EnvKind, EnvVar, Fate, Origin, OriginKind, Question, env, input::Input, ledger::Ledger,
    settled::question_id,
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    name::slug,
    readme::Part,
    recipe::Catalog,
    repo,
    select::Selection,
    step::{Action, Purpose},
};

/// Diagnostics for commands that no recipe knows; commands for another purpose are skipped.
pub fn skip_unknown(ledger: &mut Ledger<'_>, catalog: &Catalog, diagnostics: &mut Vec<Diagnostic>) {
    for (index, step) in ledger.steps.iter().enumerate() {
        if ledger.is_of_application(index) {
            continue;
        }
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

/// Settings for which a document shows only a placeholder.
pub fn values_to_give(vars: &[EnvVar]) -> Vec<Question> {
    let is_open = |var: &&EnvVar| {
        let from_document = var
            .origin
            .iter()
            .any(|origin| origin.kind == OriginKind::Readme);
        var.kind == EnvKind::Config
            && var.default.is_none()
            && !var.values.contains_key("production")
            && from_document
    };
    vars.iter()
        .filter(is_open)
        .map(|var| Question {
            id: question_id(&var.name),
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
pub fn files_to_edit(input: &Input<'_, '_>) -> Vec<Question> {
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
                let before = paragraph
                    .before(inline)
                    .rsplit(['.', '\n'])
                    .next()
                    .unwrap_or_default();
                // "Open a terminal and run `start.sh`": the nearest verb is meant.
                let verbs = input.catalog.list("prose", "verbs");
                let is_verb = |word: &&str| verbs.contains(&word.to_lowercase());
                let words: Vec<&str> = before.split_whitespace().collect();
                let from = words.iter().rposition(is_verb).map_or(0, |at| at + 1);
                let before = words[from..].join(" ");
                let is_env = repo::file_name(&path).contains(".env");
                let id = format!("edit-{}", slug(&path));
                let is_known = questions.iter().any(|known| known.id == id);
                if is_env || is_known || !input.catalog.has_word("prose", "edits", &before) {
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
pub fn out_of_order(ledger: &Ledger<'_>, diagnostics: &mut Vec<Diagnostic>) {
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
pub fn rest(ledger: &mut Ledger<'_>) {
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

/// Says that nothing starts the application, and where it was looked for.
pub fn no_start(input: &Input<'_, '_>) -> Diagnostic {
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
    .hint("write the start command into the README, or as `start` of `[component]` into longshore.toml")
}

/// Secrets with a value in an env file that is no example.
pub fn committed_secrets(selection: &Selection<'_>, catalog: &Catalog) -> Vec<(String, String)> {
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
                && !env::is_plain_address(&line.name, &line.value, catalog)
        })
        .map(|line| (line.file.clone(), line.name.clone()))
        .collect()
}
