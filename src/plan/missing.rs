//! Start commands that name what is not in the repository.

use super::input::Input;
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    readme::Part,
    repo,
    step::{Action, InstallStep, rule},
};

/// `<project-name>` in a command.
pub fn placeholder(text: &str) -> Option<&str> {
    let open = text.find('<')?;
    let close = open + text[open..].find('>')?;
    let inside = &text[open + 1..close];
    let is_name = inside.starts_with(char::is_alphabetic)
        && inside
            .chars()
            .all(|c| c.is_alphanumeric() || " _-".contains(c));
    is_name.then(|| &text[open..=close])
}

/// The file of the repository that stands for `word`, a path such as `/path/to/config` that only the
/// reader knows: an example of that name which the documents point at.
pub fn example_of_path(word: &str, input: &Input<'_, '_>) -> Option<String> {
    let (_, name) = word.split_once("path/to/")?;
    let stem = repo::file_name(name).split('.').next()?.to_lowercase();
    let marks = input.catalog.list("documents", "example-words");
    let stands_for = |path: &str| {
        let name = repo::file_name(path).to_lowercase();
        name.contains(&stem) && marks.iter().any(|mark| name.contains(mark.as_str()))
    };
    let parts = input.documents.iter().flat_map(|document| &document.parts);
    let mut words = parts.flat_map(|part| match part {
        Part::Text(paragraph) => paragraph.text.split_whitespace(),
        Part::Code(_) => "".split_whitespace(),
    });
    words.find_map(|word| {
        let path = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_there = input.repo.contains(&repo::join(input.directory, path));
        (is_there && stands_for(path)).then(|| path.to_owned())
    })
}

/// The file that `python FILE` or `node FILE` runs, where it is not there.
pub fn missing_file(step: &InstallStep, input: &Input<'_, '_>) -> Option<String> {
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
        input.repo.has(&path)
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

/// Says that a document runs a script that no manifest has.
pub fn missing_script(step: &InstallStep, name: &str, input: &Input<'_, '_>) -> Diagnostic {
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
pub fn directory_of(step: &InstallStep, input: &Input<'_, '_>) -> String {
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
        // The top of a workspace has scripts of its own.
        _ if here == "." && input.project(here).is_none() => input.directory.to_owned(),
        _ => here.clone(),
    }
}
