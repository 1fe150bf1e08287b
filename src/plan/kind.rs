//! What a script or a command turns out to be.

use super::{env::listed, input::Input};
use crate::{
    recipe::{Catalog, Does},
    shell,
    shell::Dialect,
    step::{InstallStep, Place, place, rule, script_name},
};

/// More scripts in one another than people write.
const DEEPEST: usize = 4;

/// What a script or command turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Starts the application.
    Start,
    /// Starts it for people who work on it.
    DevelopmentStart,
    /// Builds.
    Build,
    /// Prepares a release.
    Prepare,
    /// Stays up beside the application.
    Process,
    /// Tests or checks.
    Test,
    /// Something else.
    Other,
}

/// Returns what the script `name` of the package manifest is, by its name and its command.
///
/// `directory` is the folder in which it is run.
pub fn script_kind(name: &str, directory: &str, input: &Input<'_, '_>) -> Kind {
    kind_of_script(name, directory, input, DEEPEST)
}

fn kind_of_script(name: &str, directory: &str, input: &Input<'_, '_>, depth: usize) -> Kind {
    let is = |list: &str| listed(input.catalog, "scripts", list, name);
    let part = |list: &str| {
        let separators = [':', '-', '_', '.'];
        input.catalog.has_part("scripts", list, name, &separators)
    };
    match () {
        () if is("start") => Kind::Start,
        () if is("development") => Kind::DevelopmentStart,
        () if is("build") => Kind::Build,
        () if is("worker") || part("worker") => Kind::Process,
        () if part("prepare") && !checks_out(name, directory, input) => Kind::Prepare,
        () if is("test") || part("test") => Kind::Test,
        () => input.script(name, directory).map_or(Kind::Other, |script| {
            command_kind(&script.fact.value, &script.folder, input, depth)
        }),
    }
}

/// Whether the script `name` of the package manifest fetches the repository itself.
fn checks_out(name: &str, directory: &str, input: &Input<'_, '_>) -> bool {
    let Some(text) = input.script(name, directory) else {
        return false;
    };
    let script = shell::script(&text.fact.value, Dialect::Shell, &|_| true);
    let mut commands = script.commands.iter();
    commands.any(|command| {
        let (found, _) = rule(&command.value.owned_texts(), input.catalog);
        found.is_some_and(|(found, _)| {
            found.rule.does == Does::Clone
                || found.rule.reason.as_deref() == Some("checkout-does-it")
        })
    })
}

/// What the shell line `command` is, by the strongest of its commands.
fn command_kind(command: &str, directory: &str, input: &Input<'_, '_>, depth: usize) -> Kind {
    let script = shell::script(command, Dialect::Shell, &|_| true);
    let kinds: Vec<Kind> = script
        .commands
        .iter()
        .map(|command| {
            let words: Vec<String> = command.value.owned_texts();
            let (Some((found, matched)), plain) = rule(&words, input.catalog) else {
                return Kind::Other;
            };
            match found.rule.does {
                // A script that builds by another one; what starts is followed elsewhere.
                Does::Script if depth > 0 => {
                    let following = input.following();
                    let said = place(
                        &plain,
                        directory,
                        following.workspaces,
                        input.repo,
                        input.catalog,
                    );
                    let (folder, matched) = match said {
                        Some(Place::Folder(folder, words)) => (
                            folder,
                            rule(&words, input.catalog).0.map(|(_, matched)| matched),
                        ),
                        Some(Place::Several) | None => (directory.to_owned(), Some(matched)),
                    };
                    let name =
                        matched.map(|matched| script_name(found.rule.script.as_deref(), &matched));
                    let name = name.unwrap_or_default();
                    match kind_of_script(&name, &folder, input, depth - 1) {
                        Kind::Build => Kind::Build,
                        _ => Kind::Other,
                    }
                }
                Does::Start if found.rule.development => Kind::DevelopmentStart,
                Does::Start => Kind::Start,
                Does::Build => Kind::Build,
                Does::Prepare => Kind::Prepare,
                Does::Process => Kind::Process,
                Does::Skip if found.rule.reason.as_deref() == Some("test-only") => Kind::Test,
                _ => Kind::Other,
            }
        })
        .collect();
    let has = |kind: Kind| kinds.contains(&kind);
    [
        Kind::Start,
        Kind::DevelopmentStart,
        Kind::Process,
        Kind::Prepare,
        Kind::Build,
        Kind::Test,
    ]
    .into_iter()
    .find(|kind| has(*kind))
    .unwrap_or(Kind::Other)
}

/// Returns whether `step`, the run of a script file, only prepares data.
pub fn is_preparing_script(step: &InstallStep, catalog: &Catalog) -> bool {
    let (Some((_, matched)), _) = rule(&step.words, catalog) else {
        return false;
    };
    let Some(file) = matched.arguments.first() else {
        return false;
    };
    // `migrate/main.go` and `migrate.py` say it alike.
    let stem = file
        .rsplit_once('.')
        .map_or(file.as_str(), |(stem, _)| stem);
    let stem = stem.trim_start_matches("./").to_lowercase();
    catalog.has_part("scripts", "prepare", &stem, &['_', '-', '/'])
}
