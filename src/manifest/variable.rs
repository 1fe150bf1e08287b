//! Values that recipes look for in the files of a repository.

use crate::{
    origin::{Origin, OriginKind},
    readme::Document,
    recipe::{Expression, Variable, VariableForm},
    repo::{self, Repo},
};

/// Returns the value of `variable` for the component in `path`, and where it stands; a file may have
/// one that counts only where `documents` name it.
pub fn of_file(
    variable: &Variable,
    repo: &Repo,
    documents: &[Document],
    path: &str,
) -> Option<(String, Origin)> {
    let files = repo.glob(&repo::join(path, variable.file.as_ref()?));
    if variable.only && files.len() > 1 {
        return None;
    }
    let (value, origin) = match &variable.pattern {
        None => {
            let file = *files.first()?;
            (file.to_owned(), Origin::manifest(file, "found there"))
        }
        Some(pattern) => [pattern]
            .into_iter()
            .chain(&variable.or)
            .find_map(|pattern| in_files(pattern, variable, &files, repo, documents))?,
    };
    let value = match variable.form {
        VariableForm::Text => value,
        VariableForm::Folder | VariableForm::FolderAround => {
            let mut folder = repo::folder_of(origin.file.as_deref().unwrap_or_default());
            if variable.form == VariableForm::FolderAround {
                folder = repo::folder_of(folder);
            }
            let inside = folder.strip_prefix(path).unwrap_or(folder);
            match inside.trim_start_matches('/') {
                "" => ".".to_owned(),
                inside => inside.to_owned(),
            }
        }
        VariableForm::Path => {
            let file = origin.file.as_deref().unwrap_or_default();
            let inside = file.strip_prefix(&format!("{path}/")).unwrap_or(file);
            inside.to_owned()
        }
        VariableForm::Stem => {
            let name = repo::file_name(origin.file.as_deref().unwrap_or_default());
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            stem.to_owned()
        }
        VariableForm::JavaClass => {
            let file = origin.file.as_deref().unwrap_or_default();
            let class = file.rsplit_once("/java/").map_or(file, |(_, class)| class);
            class.trim_end_matches(".java").replace('/', ".")
        }
        VariableForm::PythonModule => {
            let inside = value.strip_prefix(&format!("{path}/")).unwrap_or(&value);
            inside.trim_end_matches(".py").replace('/', ".")
        }
    };
    Some((value, origin))
}

/// The first value that `pattern` finds in `files` and that counts.
fn in_files(
    pattern: &Expression,
    variable: &Variable,
    files: &[&str],
    repo: &Repo,
    documents: &[Document],
) -> Option<(String, Origin)> {
    // Of several projects the one whose folder a document names.
    let is_named_folder = |file: &&&str| {
        let folder = repo::folder_of(file);
        folder != "."
            && is_named(
                folder,
                &["{value}/", "{value}`", "{value}\n", "{value} "].map(str::to_owned),
                documents,
            )
    };
    let names_file = matches!(variable.form, VariableForm::Path | VariableForm::Stem);
    let first = files
        .iter()
        .filter(|file| names_file && is_named_folder(file));
    first.chain(files.iter()).find_map(|file| {
        let source = repo.source(file)?;
        let mut all = pattern.captures_iter(&source.text);
        let found = all.find_map(|found| {
            let value = found.get(1)?;
            is_named(value.as_str(), &variable.named_by, documents).then_some(value)
        })?;
        let line = source.line(found.start());
        let origin = Origin::at(OriginKind::Manifest, *file, line, found.as_str());
        Some((found.as_str().to_owned(), origin))
    })
}

/// Whether a document has one of `pieces` with `value` in it, if there are any.
fn is_named(value: &str, pieces: &[String], documents: &[Document]) -> bool {
    let mut pieces = pieces.iter().map(|piece| piece.replace("{value}", value));
    pieces.len() == 0
        || pieces.any(|piece| {
            let mut documents = documents.iter();
            documents.any(|document| document.source.text.contains(&piece))
        })
}
