//! The log of a failure → what caused it, and what to do: rules of `recipes/repairs`.

use std::collections::BTreeMap;

use crate::recipe::{Catalog, Edit, LookUp, RepairRecipe};

/// What a log shows.
#[derive(Debug, Clone)]
pub struct Diagnosis<'c> {
    /// Id of the rule.
    pub id: &'c str,
    /// The rule.
    pub recipe: &'c RepairRecipe,
    /// The cause, in a few words.
    pub cause: String,
    /// What a person can do.
    pub advice: String,
    /// The decisive line, from 1.
    pub line: usize,
    /// What the line names: the groups of the rule's expression, and `package`.
    pub names: BTreeMap<String, String>,
}

impl Diagnosis<'_> {
    /// Returns the edits of the plan, with their names filled in; none where one of them needs a
    /// name that the log does not give.
    pub fn edits(&self) -> Vec<Edit> {
        let filled: Option<Vec<Edit>> = self
            .recipe
            .edit
            .iter()
            .map(|edit| fill_edit(edit, &self.names))
            .collect();
        filled.unwrap_or_default()
    }
}

/// Returns what `log` shows, the likeliest cause first. `suite` is the Debian suite of the image,
/// where it is known: packages have its names.
pub fn diagnose<'c>(log: &[&str], catalog: &'c Catalog, suite: Option<&str>) -> Vec<Diagnosis<'c>> {
    let mut found: Vec<Diagnosis<'c>> = catalog
        .repairs
        .iter()
        .filter_map(|(id, recipe)| of_rule(id, recipe, log, catalog, suite))
        .collect();
    let refined: Vec<&String> = found
        .iter()
        .flat_map(|diagnosis| &diagnosis.recipe.refines)
        .collect();
    let is_general = |diagnosis: &Diagnosis<'_>| refined.iter().any(|id| *id == diagnosis.id);
    let general: Vec<&str> = found
        .iter()
        .filter(|diagnosis| is_general(diagnosis))
        .map(|diagnosis| diagnosis.id)
        .collect();
    found.retain(|diagnosis| !general.contains(&diagnosis.id));
    // What a tool says last is that it failed; why stands above.
    found.sort_by_key(|diagnosis| diagnosis.line);
    found
}

fn of_rule<'c>(
    id: &'c str,
    recipe: &'c RepairRecipe,
    log: &[&str],
    catalog: &'c Catalog,
    suite: Option<&str>,
) -> Option<Diagnosis<'c>> {
    recipe.log.iter().find_map(|sign| {
        let matches = |expression: &crate::recipe::Expression| {
            log.iter().any(|line| expression.is_match(line))
        };
        let is_alone =
            sign.with.as_ref().is_none_or(matches) && !sign.without.as_ref().is_some_and(matches);
        let (index, captures) = log
            .iter()
            .enumerate()
            .find_map(|(index, line)| Some((index, sign.pattern.captures(line)?)))
            .filter(|_| is_alone)?;
        let mut names: BTreeMap<String, String> = sign
            .pattern
            .capture_names()
            .flatten()
            .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned())))
            .collect();
        if let Some(look_up) = &recipe.look_up
            && let Some(package) = package(look_up, &names, catalog, suite)
        {
            names.insert("package".to_owned(), package);
        }
        Some(Diagnosis {
            id,
            recipe,
            cause: fill(&recipe.title, &names).unwrap_or_else(|| recipe.title.clone()),
            advice: fill(&recipe.advice, &names).unwrap_or_else(|| recipe.advice.clone()),
            line: index + 1,
            names,
        })
    })
}

/// The package that a name in the log stands for.
fn package(
    look_up: &LookUp,
    names: &BTreeMap<String, String>,
    catalog: &Catalog,
    suite: Option<&str>,
) -> Option<String> {
    let name = names.get(&look_up.name)?;
    match look_up.kind {
        Some(kind) => {
            let packages = catalog.packages_with_file(kind, name, suite.unwrap_or("bookworm"));
            packages.first().map(|package| (*package).to_owned())
        }
        None => Some(look_up.table.get(name).unwrap_or(name).clone()),
    }
}

/// Returns `text` with each `{name}` filled in, `None` where one has no value.
fn fill(text: &str, names: &BTreeMap<String, String>) -> Option<String> {
    let mut filled = text.to_owned();
    for (name, value) in names {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    let is_open = filled.match_indices('{').any(|(at, _)| {
        let rest = &filled[at + 1..];
        rest.find('}').is_some_and(|end| {
            end > 0
                && rest[..end]
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_')
        })
    });
    (!is_open).then_some(filled)
}

fn fill_edit(edit: &Edit, names: &BTreeMap<String, String>) -> Option<Edit> {
    let one = |text: &String| fill(text, names);
    let all = |texts: &Vec<String>| texts.iter().map(one).collect::<Option<Vec<String>>>();
    Some(match edit {
        Edit::AddPackages { build, run } => Edit::AddPackages {
            build: all(build)?,
            run: all(run)?,
        },
        Edit::RemovePackage { package } => Edit::RemovePackage {
            package: one(package)?,
        },
        Edit::AddInstall { command, first } => Edit::AddInstall {
            command: one(command)?,
            first: *first,
        },
        Edit::ReplaceInCommands { piece, by } => Edit::ReplaceInCommands {
            piece: one(piece)?,
            by: one(by)?,
        },
        Edit::SetVersion { version } => Edit::SetVersion {
            version: one(version)?,
        },
        Edit::SetBuildEnv { name, value } => Edit::SetBuildEnv {
            name: one(name)?,
            value: one(value)?,
        },
        Edit::SetEnv { name, value } => Edit::SetEnv {
            name: one(name)?,
            value: one(value)?,
        },
        Edit::AddVolume { path, persistent } => Edit::AddVolume {
            path: one(path)?,
            persistent: *persistent,
        },
        Edit::SkipPrepare {} => Edit::SkipPrepare {},
        Edit::MoreMemory {} => Edit::MoreMemory {},
    })
}
