//! A component that is a project of a workspace: where it is installed, which script a command
//! means, and what is built for it.

use super::{Command, input::Input};
use crate::{
    manifest::{Fact, workspace::Project},
    recipe::Does,
    repo,
    select::Selection,
    step::{Following, Reach, rule, script_name},
};

/// What a command does that makes something of the source.
///
/// A file that is run by a script which builds does so, too.
const BUILDS: [Does; 3] = [Does::Build, Does::Start, Does::Prepare];

/// A script and the folder of its manifest.
pub struct Script {
    /// The script.
    pub fact: Fact,
    /// The folder in which it runs.
    pub folder: String,
}

impl Input<'_, '_> {
    /// Returns the folder in which the dependencies of the component are installed.
    pub fn install_folder(&self) -> &str {
        let workspace = self.selection.workspace.as_ref();
        workspace.map_or(&self.selection.folder, |workspace| &workspace.top.folder)
    }

    /// Returns the script `name` as a command that runs in `directory` means it.
    pub fn script(&self, name: &str, directory: &str) -> Option<Script> {
        let selection = self.selection;
        let own = || {
            let fact = selection.manifest.scripts.get(name)?.clone();
            let folder = selection.folder.clone();
            Some(Script { fact, folder })
        };
        let project = self.project(directory);
        let of_project = project.and_then(|project| {
            let fact = project.scripts.get(name)?.clone();
            let folder = project.folder.clone();
            Some(Script { fact, folder })
        });
        of_project.or_else(own)
    }

    /// Returns the project of the component's workspace that lies in `directory`.
    pub fn project(&self, directory: &str) -> Option<&Project> {
        self.selection.workspace.as_ref()?.project(directory)
    }

    /// Returns what follows commands through the scripts of the component's workspace.
    pub fn following(&self) -> Following<'_> {
        Following {
            workspaces: self.selection.workspace.as_slice(),
            repo: self.repo,
            catalog: self.catalog,
        }
    }
}

/// Returns whether `assets` are built in the stage of `selection`, which installs what they need.
pub fn is_built_along(assets: &Selection<'_>, selection: &Selection<'_>) -> bool {
    let top = |selection: &Selection<'_>| {
        let workspace = selection.workspace.as_ref();
        workspace.map(|workspace| workspace.top.folder.clone())
    };
    top(selection).is_some() && top(assets) == top(selection)
}

/// Adds to `commands` the builds of what the component needs of its workspace, and takes its own out
/// where one that documents tell does it.
pub fn build_needed(commands: &mut Vec<Command>, input: &Input<'_, '_>) {
    let selection = input.selection;
    let recipe = selection.stack.workspace.as_ref();
    let Some((workspace, recipe)) = selection.workspace.as_ref().zip(recipe) else {
        return;
    };
    let (mut reach, mut of_top) = (Reach::default(), Reach::default());
    let top = &workspace.top.folder;
    for command in commands.iter().filter(|command| command.is_told()) {
        let following = input.following();
        let (words, folder) = (command.words(), &command.directory);
        following.words(&words, folder, &BUILDS, &mut reach);
        if folder == top {
            following.words(&words, folder, &BUILDS, &mut of_top);
        }
    }
    let is_done = |folder: &str| reach.several || reach.folders.contains(folder);
    let is_build = |command: &Command| {
        let (found, _) = rule(&command.words(), input.catalog);
        found.is_some_and(|(found, matched)| {
            found.rule.does == Does::Script
                && script_name(found.rule.script.as_deref(), &matched) == recipe.build_script
        })
    };
    // What the top builds is not built once more.
    commands.retain(|command| {
        let folder = &command.directory;
        let is_repeated = match command.is_told() {
            true => folder != top && (of_top.several || of_top.folders.contains(folder)),
            false => folder == &selection.folder && is_done(folder),
        };
        !(is_repeated && is_build(command))
    });
    let along = selection.assets.iter();
    let along = along.filter(|assets| is_built_along(assets, selection));
    let mut folders: Vec<&str> = Vec::new();
    for assets in along {
        let needed = workspace.needed(&assets.folder).into_iter();
        folders.extend(needed.map(|project| project.folder.as_str()));
        folders.push(&assets.folder);
    }
    let needed = workspace.needed(&selection.folder).into_iter();
    folders.extend(needed.map(|project| project.folder.as_str()));
    let mut builds: Vec<Command> = Vec::new();
    for folder in folders {
        let project = workspace.project(folder);
        let script = project.and_then(|project| project.scripts.get(&recipe.build_script));
        let is_known = builds.iter().any(|known| known.directory == folder);
        if let Some(script) = script.filter(|_| !is_known && !is_done(folder)) {
            builds.push(Command {
                cached: true,
                ..Command::new(&recipe.build, folder, vec![script.origin()])
            });
        }
    }
    // What makes sources, such as a client of a schema, comes first.
    let first = commands.iter().position(|command| {
        command.directory == selection.folder
            || builds
                .iter()
                .any(|build| build.directory == command.directory)
    });
    let first = first.unwrap_or(commands.len());
    commands.splice(first..first, builds);
}

/// Returns whether what starts in `directory` is another project than the component.
pub fn is_of_another(directory: &str, input: &Input<'_, '_>) -> bool {
    let folder = &input.selection.folder;
    let is_top = input.install_folder() == folder;
    !is_top
        && directory != folder
        && !repo::is_inside(directory, folder)
        && input.project(directory).is_some()
}
