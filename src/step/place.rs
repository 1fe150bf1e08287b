//! Where a command runs: in the folder, or for the project of a workspace, that it names itself; and
//! which projects its scripts lead to.

use std::{collections::BTreeSet, sync::Arc};

use super::rule::rule;
use crate::{
    manifest::workspace::{Project, Workspace},
    recipe::{Catalog, Does, Matched, PlaceRecipe, Several},
    repo::{self, Repo},
    shell::{self, Dialect},
};

/// More scripts in one another than people write.
const DEEPEST: usize = 6;

/// Where a command says that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In one folder, with the words that would run it there.
    Folder(String, Vec<String>),
    /// In several projects of the workspace.
    Several,
}

/// Returns where `words`, typed in `directory`, say that they run; `None` where they say nothing, or
/// what is not there.
pub fn place(
    words: &[String],
    directory: &str,
    workspaces: &[Arc<Workspace>],
    repo: &Repo,
    catalog: &Catalog,
) -> Option<Place> {
    let (first, rest) = words.split_first()?;
    let recipe = catalog.tool(first)?.1.place.as_ref()?;
    let workspace = Workspace::of(workspaces, directory);
    let mut kept = vec![first.clone()];
    let mut folder = None;
    let mut is_several = false;
    let mut rest = rest.iter();
    let is_one = |list: &[String], word: &str| list.iter().any(|known| known == word);
    while let Some(word) = rest.next() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) if word.starts_with('-') => (flag, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let is_first = kept.len() == 1;
        let mut value = || value.clone().or_else(|| rest.next().cloned());
        if word == "--" {
            kept.push(word.clone());
            kept.extend(rest.by_ref().cloned());
        } else if is_one(&recipe.folder_flags, flag) {
            folder = Some(folder_named(&value()?, directory, repo)?);
        } else if is_one(&recipe.project_flags, flag)
            || is_first && is_one(&recipe.project_words, word)
        {
            match project_named(&value()?, directory, recipe, workspace?)[..] {
                [] => return None,
                [only] if folder.is_none() => folder = Some(only.folder.clone()),
                _ => is_several = true,
            }
        } else if is_one(&recipe.top_flags, word) {
            folder = Some(workspace?.top.folder.clone());
        } else if is_one(&recipe.all, word) && (word.starts_with('-') || is_first) {
            is_several = true;
        } else {
            kept.push(word.clone());
        }
    }
    match folder {
        _ if is_several => Some(Place::Several),
        folder => Some(Place::Folder(folder?, kept)),
    }
}

fn folder_named(value: &str, directory: &str, repo: &Repo) -> Option<String> {
    let folder = repo::join(directory, value);
    let is_outside = value.starts_with(['/', '~', '$']);
    (!is_outside && repo.has_folder(&folder)).then_some(folder)
}

fn project_named<'w>(
    value: &str,
    directory: &str,
    recipe: &PlaceRecipe,
    workspace: &'w Workspace,
) -> Vec<&'w Project> {
    let mut name = value;
    for piece in &recipe.around {
        name = name.strip_prefix(piece.as_str()).unwrap_or(name);
    }
    for piece in &recipe.around {
        name = name.strip_suffix(piece.as_str()).unwrap_or(name);
    }
    workspace.named(name, directory)
}

/// What commands lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// The folders in which they run something themselves.
    pub folders: BTreeSet<String>,
    /// Whether they run a script in each project that has it.
    pub several: bool,
}

/// What is looked at to follow commands.
#[derive(Clone, Copy)]
pub struct Following<'a> {
    /// All workspaces of the repository.
    pub workspaces: &'a [Arc<Workspace>],
    /// The repository.
    pub repo: &'a Repo,
    /// The catalogue.
    pub catalog: &'a Catalog,
}

impl Following<'_> {
    /// Adds to `reach` where `words`, run in `directory`, lead to, through scripts of the workspace;
    /// commands of scripts that do none of `wanted` lead nowhere.
    pub fn words(&self, words: &[String], directory: &str, wanted: &[Does], reach: &mut Reach) {
        self.follow(words, directory, wanted, DEEPEST, reach);
    }

    /// Adds to `reach` where the script `name` of the project in `directory` leads to.
    pub fn script(&self, name: &str, directory: &str, wanted: &[Does], reach: &mut Reach) {
        self.run_script(name, directory, wanted, DEEPEST, reach);
    }

    fn follow(
        &self,
        words: &[String],
        directory: &str,
        wanted: &[Does],
        depth: usize,
        reach: &mut Reach,
    ) {
        let (_, plain) = rule(words, self.catalog);
        let said = place(&plain, directory, self.workspaces, self.repo, self.catalog);
        let (directory, plain, is_placed) = match said {
            Some(Place::Several) => {
                reach.several = true;
                return;
            }
            Some(Place::Folder(folder, words)) => (folder, words, true),
            None => (directory.to_owned(), plain, false),
        };
        let Some((found, matched)) = rule(&plain, self.catalog).0 else {
            // A program of its own, or one that no recipe knows, may be it.
            if !plain.is_empty() {
                reach.folders.insert(directory);
            }
            return;
        };
        match (found.rule.does, found.rule.several) {
            (Does::Script, _) => {
                let name = script_name(found.rule.script.as_deref(), &matched);
                self.run_script(&name, &directory, wanted, depth, reach);
            }
            (_, Some(Several::Projects)) if is_placed => {
                reach.folders.insert(directory);
            }
            (_, Some(Several::Projects)) => reach.several = true,
            (_, Some(Several::Scripts)) => {
                for name in &matched.arguments {
                    self.run_script(name, &directory, wanted, depth, reach);
                }
            }
            (_, Some(Several::Lines)) => {
                for line in &matched.arguments {
                    match line.split_once("npm:") {
                        Some(("", name)) => {
                            self.run_script(name, &directory, wanted, depth, reach);
                        }
                        _ => self.line(line, &directory, wanted, depth, reach),
                    }
                }
            }
            (does, None) if wanted.contains(&does) => {
                reach.folders.insert(directory);
            }
            (_, None) => {}
        }
    }

    /// A script, or all whose names begin as `name` does before its `*`.
    fn run_script(
        &self,
        name: &str,
        directory: &str,
        wanted: &[Does],
        depth: usize,
        reach: &mut Reach,
    ) {
        let project = Workspace::of(self.workspaces, directory)
            .and_then(|workspace| workspace.project(directory));
        let Some((project, depth)) = project.zip(depth.checked_sub(1)) else {
            return;
        };
        let is_meant = |known: &str| match name.split_once('*') {
            Some((start, _)) => known.starts_with(start),
            None => known == name,
        };
        for (_, fact) in project.scripts.iter().filter(|(known, _)| is_meant(known)) {
            self.line(&fact.value, directory, wanted, depth, reach);
        }
    }

    fn line(&self, line: &str, directory: &str, wanted: &[Does], depth: usize, reach: &mut Reach) {
        let mut directory = directory.to_owned();
        for command in &shell::script(line, Dialect::Shell, &|_| true).commands {
            let words = command.value.owned_texts();
            let found = rule(&words, self.catalog).0;
            match found {
                Some((found, matched)) if found.rule.does == Does::ChangeDirectory => {
                    let target = matched.arguments.first().map_or("", String::as_str);
                    directory = repo::join(&directory, target);
                }
                _ => self.follow(&words, &directory, wanted, depth, reach),
            }
        }
    }
}

/// The name of the script that a command runs, by `script` of its rule.
pub fn script_name(script: Option<&str>, matched: &Matched) -> String {
    match script {
        Some("1") | None => matched.arguments.first().cloned().unwrap_or_default(),
        Some(name) => name.to_owned(),
    }
}
