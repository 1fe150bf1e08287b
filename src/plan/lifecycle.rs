//! Scripts of a package manifest that its manager runs while it installs, before the source is there.

use super::{Command, Origin, input::Input};
use crate::{
    manifest::Fact,
    recipe::LifecycleRecipe,
    repo,
    shell::{self, Dialect},
};

/// How deep scripts may call scripts.
const DEEPEST: usize = 4;

/// What such scripts need of the source.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    /// Files that are enough.
    files: Vec<String>,
    /// Whether all of it is.
    all: bool,
}

/// A script that an install runs, where it needs something of the source.
struct Needed<'n> {
    name: &'n str,
    fact: Fact,
    /// The folder of its manifest.
    folder: String,
    needs: Needs,
}

/// Has `installs` leave out the scripts where one needs more of the source than some files; returns
/// the commands that make up for it once the source is there, or else these files.
pub fn scripts(installs: &mut [Command], input: &Input<'_, '_>) -> (Vec<Command>, Vec<String>) {
    let Some(recipe) = &input.selection.stack.lifecycle else {
        return Default::default();
    };
    // One install runs those of all projects of a workspace.
    let workspace = input.selection.workspace.iter();
    let mut folders: Vec<&str> = workspace
        .flat_map(|workspace| workspace.projects())
        .map(|project| project.folder.as_str())
        .collect();
    if folders.is_empty() {
        folders.push(&input.selection.folder);
    }
    let mut needed: Vec<Needed<'_>> = Vec::new();
    for folder in folders {
        for name in &recipe.scripts {
            let Some(fact) = script(name, folder, input) else {
                continue;
            };
            let mut needs = Needs::default();
            needs_of(&fact.value, folder, recipe, input, DEEPEST, &mut needs);
            // The flag leaves all of them out.
            if needs.all || !needs.files.is_empty() {
                let folder = folder.to_owned();
                needed.push(Needed {
                    name,
                    fact,
                    folder,
                    needs,
                });
            }
        }
    }
    if !needed.iter().any(|script| script.needs.all) {
        let files = needed.into_iter().flat_map(|script| script.needs.files);
        return (Vec::new(), files.collect());
    }
    let top = input.install_folder();
    let here = installs
        .iter_mut()
        .filter(|command| command.directory == *top);
    let found = here.filter_map(|command| {
        let mut ways = recipe.way.iter();
        let way = ways.find(|way| command.command.contains(&way.install))?;
        Some((command, way))
    });
    let Some((install, way)) = found.last() else {
        return Default::default();
    };
    install.command = format!("{} {}", install.command, way.flag);
    let command = |line: String, folder: &str, origin: Vec<Origin>| Command {
        cached: true,
        ..Command::new(line, folder, origin)
    };
    let origins = needed.iter().map(|script| script.fact.origin());
    let rebuild = command(way.rebuild.clone(), top, origins.collect());
    let by_itself = |script: &&Needed<'_>| !way.rebuilds.iter().any(|known| known == script.name);
    let runs = needed.iter().filter(by_itself).map(|script| {
        let run = way.run.replace("{script}", script.name);
        command(run, &script.folder, vec![script.fact.origin()])
    });
    (std::iter::once(rebuild).chain(runs).collect(), Vec::new())
}

/// The script `name` of the manifest in `folder`.
fn script(name: &str, folder: &str, input: &Input<'_, '_>) -> Option<Fact> {
    let of_component = &input.selection.manifest.scripts;
    let scripts = input.project(folder).map(|project| &project.scripts);
    scripts.unwrap_or(of_component).get(name).cloned()
}

fn needs_of(
    line: &str,
    folder: &str,
    recipe: &LifecycleRecipe,
    input: &Input<'_, '_>,
    depth: usize,
    needs: &mut Needs,
) {
    let parsed = shell::script(line, Dialect::Shell, &|_| true);
    for command in &parsed.commands {
        let words: Vec<String> = command.value.owned_texts();
        let is_wrapper = |word: &&String| recipe.wrappers.contains(*word);
        let wrappers = words.iter().take_while(is_wrapper).count();
        let words = &words[wrappers..];
        let Some(tool) = words.first() else {
            continue;
        };
        let called = words.iter().find_map(|word| script(word, folder, input));
        if recipe.needless.contains(tool) {
        } else if let Some(patterns) = recipe.needs.get(tool) {
            let patterns = patterns.iter();
            let found = patterns.flat_map(|pattern| input.repo.glob(&repo::join(folder, pattern)));
            needs.files.extend(found.map(str::to_owned));
        } else if let Some(called) = called.filter(|_| wrappers > 0 && depth > 0) {
            needs_of(&called.value, folder, recipe, input, depth - 1, needs);
        } else {
            match lone_file(tool, &words[1..], folder, recipe, input) {
                Some(file) => needs.files.push(file),
                None => needs.all = true,
            }
        }
    }
}

/// The file that the command runs, if that is all it needs.
fn lone_file(
    tool: &str,
    arguments: &[String],
    folder: &str,
    recipe: &LifecycleRecipe,
    input: &Input<'_, '_>,
) -> Option<String> {
    let file = arguments
        .first()
        .filter(|_| recipe.runs_file.contains(&tool.to_owned()))?;
    let path = repo::join(folder, file);
    let source = input.repo.source(&path)?;
    let is_alone = !recipe
        .takes_others
        .iter()
        .any(|sign| sign.is_match(&source.text));
    is_alone.then_some(path)
}
