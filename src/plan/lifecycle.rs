//! Scripts of a package manifest that its manager runs while it installs, before the source is there.

use super::{Command, Origin, input::Input};
use crate::{
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

/// Has `installs` leave out the scripts where one needs more of the source than some files; returns
/// the commands that make up for it once the source is there, or else these files.
pub fn scripts(installs: &mut [Command], input: &Input<'_, '_>) -> (Vec<Command>, Vec<String>) {
    let Some(recipe) = &input.selection.stack.lifecycle else {
        return Default::default();
    };
    let known = &input.selection.manifest.scripts;
    let mut needed: Vec<(&str, Needs)> = Vec::new();
    for name in &recipe.scripts {
        let mut needs = Needs::default();
        if let Some(script) = known.get(name) {
            needs_of(&script.value, recipe, input, DEEPEST, &mut needs);
        }
        // The flag leaves all of them out.
        if needs.all || !needs.files.is_empty() {
            needed.push((name, needs));
        }
    }
    if !needed.iter().any(|(_, needs)| needs.all) {
        let files = needed.into_iter().flat_map(|(_, needs)| needs.files);
        return (Vec::new(), files.collect());
    }
    let late: Vec<&str> = needed.into_iter().map(|(name, _)| name).collect();
    let folder = &input.selection.folder;
    let here = installs
        .iter_mut()
        .filter(|command| command.directory == *folder);
    let found = here.filter_map(|command| {
        let mut ways = recipe.way.iter();
        let way = ways.find(|way| command.command.contains(&way.install))?;
        Some((command, way))
    });
    let Some((install, way)) = found.last() else {
        return Default::default();
    };
    install.command = format!("{} {}", install.command, way.flag);
    let origin = |name: &&str| known[*name].origin();
    let rebuild = (way.rebuild.clone(), late.iter().map(origin).collect());
    let by_itself = |name: &&&str| !way.rebuilds.iter().any(|known| known == **name);
    let runs = late.iter().filter(by_itself).map(|name| {
        let run = way.run.replace("{script}", name);
        (run, vec![origin(name)])
    });
    let commands = std::iter::once(rebuild).chain(runs);
    let commands = commands.map(|(command, origin): (String, Vec<Origin>)| Command {
        cached: true,
        ..Command::new(command, folder, origin)
    });
    (commands.collect(), Vec::new())
}

fn needs_of(
    script: &str,
    recipe: &LifecycleRecipe,
    input: &Input<'_, '_>,
    depth: usize,
    needs: &mut Needs,
) {
    let parsed = shell::script(script, Dialect::Shell, &|_| true);
    for command in &parsed.commands {
        let words: Vec<String> = command.value.owned_texts();
        let is_wrapper = |word: &&String| recipe.wrappers.contains(*word);
        let wrappers = words.iter().take_while(is_wrapper).count();
        let words = &words[wrappers..];
        let Some(tool) = words.first() else {
            continue;
        };
        let called = words
            .iter()
            .find_map(|word| input.selection.manifest.scripts.get(word));
        if recipe.needless.contains(tool) {
        } else if let Some(patterns) = recipe.needs.get(tool) {
            let found = patterns.iter().flat_map(|pattern| {
                input
                    .repo
                    .glob(&repo::join(&input.selection.folder, pattern))
            });
            needs.files.extend(found.map(str::to_owned));
        } else if let Some(called) = called.filter(|_| wrappers > 0 && depth > 0) {
            needs_of(&called.value, recipe, input, depth - 1, needs);
        } else {
            match lone_file(tool, &words[1..], recipe, input) {
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
    recipe: &LifecycleRecipe,
    input: &Input<'_, '_>,
) -> Option<String> {
    let file = arguments
        .first()
        .filter(|_| recipe.runs_file.contains(&tool.to_owned()))?;
    let path = repo::join(&input.selection.folder, file);
    let source = input.repo.source(&path)?;
    let is_alone = !recipe
        .takes_others
        .iter()
        .any(|sign| sign.is_match(&source.text));
    is_alone.then_some(path)
}
