//! Leaves what only development needs out of the image that runs.

use super::{Command, Origin, OriginKind, input::Input};
use crate::repo;

/// Returns the command that removes the dependencies of development, where none of `lines`, which run
/// in the image, and no source file needs one of them.
pub fn prune(input: &Input<'_, '_>, lines: &[Vec<String>]) -> Option<Command> {
    let selection = input.selection;
    let framework = selection.framework.map(|(_, framework)| framework);
    // Another run image takes over what was built, and nothing else.
    let runs_elsewhere = framework.is_some_and(|framework| framework.image.run.is_some());
    let option = selection.stack.prune.iter().find(|option| {
        let is_there = |file: &String| {
            input
                .repo
                .contains(&repo::join(input.install_folder(), file))
        };
        option.files.iter().all(is_there)
    })?;
    let packages = &selection.manifest.packages;
    let (first, _) = packages.iter().find(|(_, package)| package.development)?;
    let is_used = packages
        .iter()
        .filter(|(_, package)| package.development)
        .any(|(name, _)| is_named(name, input));
    let runs_alone = |words: &Vec<String>| {
        let program = words.first().map_or("", |word| repo::file_name(word));
        let is_kept = packages
            .get(program)
            .is_some_and(|package| !package.development);
        let names_one = words.iter().any(|word| {
            let name = word.split('/').next().unwrap_or_default();
            packages
                .get(name)
                .is_some_and(|package| package.development)
        });
        (is_kept || option.programs.iter().any(|known| known == program)) && !names_one
    };
    if runs_elsewhere || is_used || lines.is_empty() || !lines.iter().all(runs_alone) {
        return None;
    }
    let package = &packages[first];
    Some(Command::new(
        &option.command,
        input.install_folder(),
        vec![
            Origin::recipe(
                &format!("stacks/{}", selection.stack_id),
                "what only development needs is not in the image",
            ),
            Origin::at(
                OriginKind::Manifest,
                &package.file,
                package.line,
                format!("{} is for development", package.name),
            ),
        ],
    ))
}

/// Whether a source file, other than the configuration of a tool, names the package in quotes.
fn is_named(package: &str, input: &Input<'_, '_>) -> bool {
    let pieces = ['"', '\''].map(|quote| {
        let whole = format!("{quote}{package}{quote}");
        [whole, format!("{quote}{package}/")]
    });
    let has_it = |text: &str| {
        let mut pieces = pieces.iter().flatten();
        pieces.any(|piece| text.contains(piece.as_str()))
    };
    let mut sources = input.selection.facts.sources(input.repo);
    sources
        .any(|source| !repo::file_name(&source.path).contains(".config.") && has_it(&source.text))
}
