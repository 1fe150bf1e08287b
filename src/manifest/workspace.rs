//! Projects of one repository that are installed together: workspaces.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::Fact;
use crate::{
    limits,
    origin::Origin,
    recipe::{Catalog, WorkspaceFile, WorkspaceRecipe},
    repo::{self, Repo},
    source::SourceFile,
};

/// A workspace: a top that declares its members, and these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Id of the stack that it belongs to.
    pub stack_id: String,
    /// What lies where the members are declared.
    pub top: Project,
    /// The members, by folder.
    pub members: Vec<Project>,
    /// Where they are declared.
    pub origin: Origin,
    /// Where the projects stand among [`Workspace::projects`], by folder; of two the first.
    by_folder: HashMap<String, usize>,
    /// Where the members stand, by the name that others declare them by.
    by_name: HashMap<String, Vec<usize>>,
    /// Two of the projects that declare a name.
    declarers: HashMap<String, Vec<usize>>,
}

/// The top or a member of a [`Workspace`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// Its folder, relative to the repository.
    pub folder: String,
    /// The name that others declare it by; empty where it has none.
    pub name: String,
    /// Its scripts by name.
    pub scripts: BTreeMap<String, Fact>,
    /// Names of the packages that it declares.
    pub declared: BTreeSet<String>,
}

/// Returns the workspaces of `repo`, by their folders.
pub fn workspaces(repo: &Repo, catalog: &Catalog) -> Vec<Arc<Workspace>> {
    let mut found: Vec<Arc<Workspace>> = Vec::new();
    for (stack_id, stack) in &catalog.stacks {
        let Some(recipe) = &stack.workspace else {
            continue;
        };
        for file in &recipe.declared {
            for path in repo.glob(&format!("**/{}", file.file)) {
                let folder = repo::folder_of(path);
                let is_known = found.iter().any(|known| known.top.folder == folder);
                if !is_known && let Some(workspace) = read(path, file, stack_id, recipe, repo) {
                    found.push(Arc::new(workspace));
                }
            }
        }
    }
    found.sort_by(|a, b| a.top.folder.cmp(&b.top.folder));
    found
}

impl Workspace {
    /// Returns the workspace among `all` that the project in `folder` belongs to: the nearest.
    pub fn of<'w>(all: &'w [Arc<Workspace>], folder: &str) -> Option<&'w Arc<Workspace>> {
        let holding = all.iter().filter(|one| one.project(folder).is_some());
        holding.max_by_key(|one| one.top.folder.len())
    }

    /// Returns the top or the member that lies in `folder`.
    pub fn project(&self, folder: &str) -> Option<&Project> {
        self.projects_at(*self.by_folder.get(folder)?)
    }

    fn projects_at(&self, index: usize) -> Option<&Project> {
        match index.checked_sub(1) {
            Some(member) => self.members.get(member),
            None => Some(&self.top),
        }
    }

    fn new(stack_id: &str, top: Project, members: Vec<Project>, origin: Origin) -> Self {
        let mut by_folder = HashMap::from([(top.folder.clone(), 0)]);
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, member) in members.iter().enumerate() {
            let place = by_folder.entry(member.folder.clone());
            place.or_insert(index + 1);
            by_name.entry(member.name.clone()).or_default().push(index);
        }
        let mut declarers: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, project) in std::iter::once(&top).chain(&members).enumerate() {
            for name in &project.declared {
                let declarers = declarers.entry(name.clone()).or_default();
                if declarers.len() < 2 {
                    declarers.push(index);
                }
            }
        }
        Self {
            stack_id: stack_id.to_owned(),
            top,
            members,
            origin,
            by_folder,
            by_name,
            declarers,
        }
    }

    /// Returns the top and the members.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        std::iter::once(&self.top).chain(&self.members)
    }

    /// Returns the members that `word` of a command run in `directory` means, by their names or
    /// folders, either with `*`.
    pub fn named(&self, word: &str, directory: &str) -> Vec<&Project> {
        let folders = [directory, &self.top.folder].map(|place| repo::join(place, word));
        let is_plain = !word.contains(['*', '{']);
        let is_named = |project: &&Project| match is_plain {
            true => project.name == word || folders.contains(&project.folder),
            false => [word.to_owned(), folders[1].clone()].iter().any(|pattern| {
                let matcher = repo::matcher(pattern);
                matcher.is_some_and(|matcher| {
                    matcher.is_match(&project.name) || matcher.is_match(&project.folder)
                })
            }),
        };
        self.members.iter().filter(is_named).collect()
    }

    /// Returns the members that the project in `folder` needs, directly or not, each after those
    /// that it needs itself; at most [`limits::NEEDED`].
    pub fn needed(&self, folder: &str) -> Vec<&Project> {
        let mut needed = Vec::new();
        let Some(project) = self.project(folder) else {
            return needed;
        };
        let mut visited = HashSet::from([folder]);
        // Each project that is being looked at, with what it declares and was not looked at.
        let mut open = vec![(None, self.declared_by(project))];
        while let Some((project, declared)) = open.last_mut() {
            let Some(member) = declared.pop() else {
                needed.extend(project.take());
                open.pop();
                continue;
            };
            let member = &self.members[member];
            if visited.len() <= limits::NEEDED && visited.insert(&member.folder) {
                open.push((Some(member), self.declared_by(member)));
            }
        }
        needed
    }

    /// The members that `project` declares, the last one first.
    fn declared_by(&self, project: &Project) -> Vec<usize> {
        let named = project
            .declared
            .iter()
            .filter_map(|name| self.by_name.get(name));
        let mut members: Vec<usize> = named.flatten().copied().collect();
        members.sort_unstable_by(|a, b| b.cmp(a));
        members
    }

    /// Returns whether another project than `project` declares it.
    pub fn is_declared(&self, project: &Project) -> bool {
        let declarers = self.declarers.get(&project.name).into_iter().flatten();
        let mut declarers = declarers.filter_map(|index| self.projects_at(*index));
        declarers.any(|other| other.folder != project.folder)
    }
}

/// The workspace that the file at `path` declares; `None` where it declares no member that is there.
fn read(
    path: &str,
    file: &WorkspaceFile,
    stack_id: &str,
    recipe: &WorkspaceRecipe,
    repo: &Repo,
) -> Option<Workspace> {
    let source = repo.source(path)?;
    let value = data(&source)?;
    let patterns = file.keys.iter().find_map(|key| {
        let found = key
            .split('.')
            .try_fold(&value, |value, part| value.get(part))?;
        let patterns = found.as_array()?.iter();
        Some(patterns.filter_map(|pattern| pattern.as_str()))
    })?;
    let top = repo::folder_of(path);
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for pattern in patterns {
        let place = pattern.trim_start_matches('!');
        let place = place.trim_start_matches("./").trim_end_matches('/');
        let found = repo.glob(&repo::join(top, &format!("{place}/{}", recipe.manifest)));
        let found = found
            .into_iter()
            .map(|path| repo::folder_of(path).to_owned());
        match pattern.starts_with('!') {
            true => found.for_each(|folder| {
                folders.remove(&folder);
            }),
            false => folders.extend(found),
        }
    }
    folders.remove(top);
    let members = folders
        .iter()
        .filter_map(|folder| project(folder, recipe, repo));
    let members: Vec<Project> = members.collect();
    let key = file.keys.first()?.split('.').next()?;
    let at = source.text.find(key).unwrap_or(0);
    if members.is_empty() {
        return None;
    }
    let top = project(top, recipe, repo).unwrap_or_else(|| Project {
        folder: top.to_owned(),
        ..Project::default()
    });
    let origin = Origin::in_source(&source, at);
    Some(Workspace::new(stack_id, top, members, origin))
}

/// What lies in `folder`.
fn project(folder: &str, recipe: &WorkspaceRecipe, repo: &Repo) -> Option<Project> {
    let source = repo.source(&repo::join(folder, &recipe.manifest))?;
    let value = data(&source)?;
    let table = |name: &String| value.get(name).and_then(|table| table.as_object());
    let declared = recipe.packages.iter().filter_map(table);
    let declared = declared.flat_map(|packages| packages.keys().cloned());
    let scripts = value.get("scripts").and_then(|scripts| scripts.as_object());
    let fact = |name: &String, command: &serde_json::Value| {
        let at = source.quoted(name).unwrap_or(0);
        let fact = Fact {
            value: command.as_str()?.to_owned(),
            file: source.path.clone(),
            line: source.line(at),
        };
        Some((name.clone(), fact))
    };
    let scripts = scripts.into_iter().flatten();
    let name = value.get("name").and_then(|name| name.as_str());
    Some(Project {
        folder: folder.to_owned(),
        name: name.unwrap_or_default().to_owned(),
        scripts: scripts
            .filter_map(|(name, command)| fact(name, command))
            .collect(),
        declared: declared.collect(),
    })
}

/// A file of YAML or JSON; one that cannot be read is said where it is read as a manifest.
fn data(source: &SourceFile) -> Option<serde_json::Value> {
    if source.path.ends_with(".yaml") {
        return serde_saphyr::from_str(&source.text).ok();
    }
    jsonc_parser::parse_to_serde_value(&source.text, &jsonc_parser::ParseOptions::default()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expected: &[&str]) -> Option<Arc<Workspace>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("has a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let repo = Repo::open(folder.path()).expect("opens").value;
        let found = workspaces(&repo, &Catalog::built_in()).pop();
        let members = found.iter().flat_map(|workspace| &workspace.members);
        let members: Vec<&str> = members.map(|member| member.folder.as_str()).collect();
        assert_eq!(members, expected);
        found
    }

    #[test]
    fn npm_and_yarn_declare_members_in_the_manifest_at_the_top() {
        let top = r#"{"workspaces": ["apps/*", "libs/core"]}"#;
        let files = [
            ("package.json", top),
            ("apps/a/package.json", "{}"),
            ("apps/notes.txt", ""),
            ("libs/core/package.json", "{}"),
            ("libs/other/package.json", "{}"),
        ];
        check(&files, &["apps/a", "libs/core"]);
        let top = r#"{"workspaces": {"packages": ["apps/*"], "nohoist": []}}"#;
        check(&[("package.json", top), files[1]], &["apps/a"]);
    }

    #[test]
    fn pnpm_declares_them_in_a_file_of_its_own_and_leaves_some_out() {
        let top = "packages:\n  - '**'\n  - '!**/test/**'\n";
        let files = [
            ("package.json", "{}"),
            ("pnpm-workspace.yaml", top),
            ("a/package.json", "{}"),
            ("a/test/b/package.json", "{}"),
        ];
        check(&files, &["a"]);
    }

    #[test]
    fn a_top_without_members_is_no_workspace() {
        let files = [
            ("package.json", "{}"),
            ("pnpm-workspace.yaml", "packages: ['**']"),
        ];
        assert_eq!(check(&files, &[]), None);
    }

    #[test]
    fn what_is_needed_comes_before_what_needs_it() {
        let files = [
            ("package.json", r#"{"workspaces": ["p/*"]}"#),
            (
                "p/a/package.json",
                r#"{"name": "@x/a", "dependencies": {"@x/c": "*", "@x/b": "*"}}"#,
            ),
            (
                "p/b/package.json",
                r#"{"name": "@x/b", "devDependencies": {"@x/a": "*"}}"#,
            ),
            (
                "p/c/package.json",
                r#"{"name": "@x/c", "dependencies": {"@x/b": "*"}}"#,
            ),
        ];
        let workspace = check(&files, &["p/a", "p/b", "p/c"]).expect("it is one");
        let needed = workspace.needed("p/a").into_iter();
        let needed: Vec<&str> = needed.map(|project| project.folder.as_str()).collect();
        assert_eq!(needed, ["p/b", "p/c"]);
        let named = |word: &str| workspace.named(word, ".").len();
        assert_eq!(
            [
                named("@x/a"),
                named("p/a"),
                named("./p/a"),
                named("@x/*"),
                named("x")
            ],
            [1, 1, 1, 3, 0]
        );
    }
}
