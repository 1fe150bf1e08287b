//! Manifests of Python: requirements files, `setup.py`, `setup.cfg`, `pyproject.toml`, `Pipfile`.

use super::{Fact, Manifest, Package, normal_name};
use crate::{
    recipe::Catalog,
    repo::{self},
    source::SourceFile,
};

/// Names of requirement files for people who work on the application.
pub(super) fn is_development_file(path: &str) -> bool {
    let name = repo::file_name(path).to_ascii_lowercase();
    [
        "dev", "test", "lint", "doc", "local", "ci", "debug", "extra", "optional",
    ]
    .iter()
    .any(|word| {
        name.split(|c: char| !c.is_alphanumeric())
            .any(|part| part.starts_with(word))
    })
}

/// Reads `name[extra]==1.0 ; marker`; `None` for options, URLs and blank lines.
pub(super) fn requirement(text: &str) -> Option<(String, String)> {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && !"-_.".contains(c))
        .unwrap_or(text.len());
    let name = &text[..end];
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    let rest = text[end..].trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras
            .split_once(']')
            .map_or("", |(_, rest)| rest)
            .trim_start(),
        None => rest,
    };
    // `psycopg2 --no-binary psycopg2`
    let rest = rest.split(" --").next().unwrap_or_default();
    let rest = if rest.starts_with("--") { "" } else { rest };
    let is_plain =
        rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', ';', ',', '@', '(']);
    let version = rest.split(';').next().unwrap_or_default().trim();
    (is_name && is_plain).then(|| (normal_name(name), version.to_owned()))
}

/// The names of `extras_require={"name": […]}` in a `setup.py`, of the section in a `setup.cfg`.
fn extras_of_setup(text: &str) -> Vec<String> {
    let Some(at) = text.find("extras_require") else {
        return Vec::new();
    };
    let rest = &text[at..];
    if let Some(section) = rest.strip_prefix("extras_require]") {
        let section = section.split("\n[").next().unwrap_or_default();
        let keys = section
            .lines()
            .filter(|line| !line.starts_with([' ', '\t', '#']));
        return keys
            .filter_map(|line| Some(normal_name(line.split_once('=')?.0.trim())))
            .collect();
    }
    let end = rest.find('}').unwrap_or(rest.len());
    let pieces: Vec<&str> = rest[..end].split(['"', '\'']).collect();
    let is_key = |index: &usize| {
        pieces
            .get(index + 1)
            .is_some_and(|after| after.trim_start().starts_with(':'))
    };
    (1..pieces.len())
        .step_by(2)
        .filter(is_key)
        .map(|index| normal_name(pieces[index]))
        .collect()
}

/// A match specification of conda as a requirement of pip: `numpy=1.19.2=py38h54aff64_0` is
/// `numpy==1.19.2`, `flask=1.1` is `flask==1.1.*`, and `pandas>=1` stays
/// (<https://docs.conda.io/projects/conda-build/en/latest/resources/package-spec.html>).
fn conda_requirement(text: &str) -> String {
    let text = text.rsplit("::").next().unwrap_or(text).replace(' ', "");
    match text.split_once('=') {
        Some((name, rest)) if !name.ends_with(['<', '>', '!', '~']) => {
            let version = rest.trim_start_matches('=');
            let version = version.split('=').next().unwrap_or_default();
            let is_whole = rest.starts_with('=') || version.contains('*') || rest.contains('=');
            let open = if is_whole { "" } else { ".*" };
            format!("{name}=={version}{open}")
        }
        _ => text,
    }
}

#[derive(serde::Deserialize)]
struct Environment {
    #[serde(default)]
    dependencies: Vec<Dependency>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Dependency {
    Conda(String),
    Pip { pip: Vec<String> },
}

impl Manifest {
    /// What `environment.yml` asks for, without what only conda has.
    pub(super) fn conda_environment(&mut self, source: &SourceFile, catalog: &Catalog) {
        let Ok(environment) = serde_saphyr::from_str::<Environment>(&source.text) else {
            return;
        };
        let is_condas = |name: &str| {
            let listed = |list: &str| catalog.list("conda", list);
            let stems = listed("only-stems");
            listed("only").iter().any(|known| known == name)
                || stems.iter().any(|stem| name.starts_with(stem.as_str()))
        };
        let mut wanted: Vec<(String, String)> = Vec::new();
        for dependency in environment.dependencies {
            match dependency {
                Dependency::Conda(text) => {
                    let line = conda_requirement(&text);
                    wanted.push((text, line));
                }
                Dependency::Pip { pip } => {
                    wanted.extend(pip.into_iter().map(|text| (text.clone(), text)));
                }
            }
        }
        for (text, value) in wanted {
            let found = requirement(&value);
            let name = found.as_ref().map(|(name, _)| name.as_str());
            if name.is_some_and(is_condas) || value.starts_with('-') {
                continue;
            }
            let line = source.line(source.text.find(&text).unwrap_or(0));
            if let Some((name, requirement)) = found {
                self.declare(&name, &requirement, source, line);
            }
            self.environment.push(Fact {
                value,
                file: source.path.clone(),
                line,
            });
        }
    }

    pub(super) fn requirements(&mut self, source: &SourceFile) {
        let development = is_development_file(&source.path);
        for (index, line) in source.text.lines().enumerate() {
            let text = line.split(" #").next().unwrap_or_default().trim();
            let own = ["-e .", ".", "-e ./", "./", "--editable ."];
            if own.contains(&text)
                || text.starts_with("./")
                || text.starts_with("-e .")
                || text.starts_with("file:")
            {
                self.needs_source.push(source.path.clone());
            }
            if let Some((name, requirement)) = requirement(text) {
                self.add(Package {
                    name,
                    requirement,
                    development,
                    file: source.path.clone(),
                    line: index + 1,
                });
            }
        }
    }

    pub(super) fn setup(&mut self, source: &SourceFile) {
        let text = &source.text;
        // name="x" in setup.py, name = x in setup.cfg
        let name = text.lines().find_map(|line| {
            let rest = line
                .trim_start()
                .trim_start_matches("setup(")
                .strip_prefix("name")?;
            let value = rest.trim_start().strip_prefix('=')?;
            let value = value.trim();
            match value.chars().next()? {
                quote @ ('"' | '\'') => value[1..].split(quote).next(),
                _ => Some(value.trim_end_matches([',', ')'])),
            }
        });
        if let Some(name) = name.filter(|name| !name.is_empty() && !name.contains(['(', ' ', '[']))
        {
            self.named(name, source);
        }
        // console_scripts: "name = module:function"
        if let Some(at) = text.find("console_scripts") {
            let list = &text[at..];
            let list = &list[..list
                .find(']')
                .or_else(|| list.find("\n\n"))
                .unwrap_or(list.len())];
            for line in list.lines() {
                let line = line.trim().trim_matches(['"', '\'', ',', '[', ' ']);
                let Some((name, entry)) = line.split_once('=') else {
                    continue;
                };
                let name = name.rsplit(['"', '\'']).next().unwrap_or(name).trim();
                if entry.contains(':') && !name.is_empty() && !name.contains(' ') {
                    self.program(name, entry.trim().trim_matches(['"', '\'', ',']), source);
                }
            }
        }
        // scripts = ['bin/name']
        let after = |at: usize| text[at + "scripts".len()..].trim_start().strip_prefix('=');
        let mut places = text
            .match_indices("scripts")
            .filter_map(|(at, _)| after(at));
        if let Some(list) = places.find_map(|rest| rest.trim_start().strip_prefix('[')) {
            let list = list.split(']').next().unwrap_or_default();
            for file in list.split(['"', '\'']).skip(1).step_by(2) {
                if !file.contains('=') {
                    self.program(repo::file_name(file), file, source);
                }
            }
        }
        self.extras
            .get_or_insert_default()
            .extend(extras_of_setup(text));
        let Some(start) = text.find("install_requires") else {
            return;
        };
        let list = &text[start..];
        // A list in brackets (setup.py) ends there, an indented one (setup.cfg) at the next key.
        let end = match list.find('[').filter(|at| *at < 40) {
            Some(open) => list[open..].find(']').map_or(list.len(), |at| open + at),
            None => list
                .find("\n\n")
                .or_else(|| list.find("\n["))
                .unwrap_or(list.len()),
        };
        let mut at = start;
        for line in list[..end].split_inclusive('\n') {
            let pieces: Vec<&str> = if line.contains(['"', '\'']) {
                line.split(['"', '\'']).skip(1).step_by(2).collect()
            } else {
                vec![
                    line.trim_start_matches("install_requires")
                        .trim_start_matches([' ', '=']),
                ]
            };
            for piece in pieces {
                if let Some((name, requirement)) = requirement(piece.trim()) {
                    self.add(Package {
                        name,
                        requirement,
                        development: false,
                        file: source.path.clone(),
                        line: source.line(at),
                    });
                }
            }
            at += line.len();
        }
    }

    pub(super) fn pyproject(&mut self, source: &SourceFile, table: &toml::Table) {
        let line_of = |name: &str| source.line(source.mention(name).unwrap_or(0));
        let project = table
            .get("project")
            .and_then(|project| project.get("dependencies"));
        for text in project
            .and_then(|list| list.as_array())
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str())
        {
            if let Some((name, requirement)) = requirement(text) {
                let line = line_of(text);
                self.add(Package {
                    name,
                    requirement,
                    development: false,
                    file: source.path.clone(),
                    line,
                });
            }
        }
        let poetry = table.get("tool").and_then(|tool| tool.get("poetry"));
        let names = [table.get("project"), poetry].into_iter().flatten();
        if let Some(name) = names.filter_map(|table| table.get("name")?.as_str()).next() {
            self.named(name, source);
        }
        let optional = [("project", "optional-dependencies"), ("poetry", "extras")];
        for (owner, key) in optional {
            let owner = match owner {
                "poetry" => poetry,
                owner => table.get(owner),
            };
            let Some(owner) = owner else { continue };
            let declared = owner.get(key).and_then(|list| list.as_table());
            for (name, packages) in declared.into_iter().flatten() {
                self.extras
                    .get_or_insert_default()
                    .insert(normal_name(name));
                // Who asks for the set gets them; whether somebody does, commands tell.
                for text in packages.as_array().into_iter().flatten() {
                    let text = text.as_str().unwrap_or_default();
                    if let Some((name, requirement)) = requirement(text) {
                        let line = line_of(text);
                        self.add(Package {
                            name,
                            requirement,
                            development: true,
                            file: source.path.clone(),
                            line,
                        });
                    }
                }
            }
            self.extras.get_or_insert_default();
        }
        let scripts = [table.get("project"), poetry].into_iter().flatten();
        let scripts = scripts.filter_map(|table| table.get("scripts")?.as_table());
        for (name, entry) in scripts.flatten() {
            self.program(name, entry.as_str().unwrap_or_default(), source);
        }
        for (key, development) in [("dependencies", false), ("dev-dependencies", true)] {
            let list = poetry
                .and_then(|poetry| poetry.get(key))
                .and_then(|list| list.as_table());
            self.toml_packages(source, list, development);
        }
    }

    pub(super) fn pipfile(&mut self, source: &SourceFile, table: &toml::Table) {
        for (key, development) in [("packages", false), ("dev-packages", true)] {
            self.toml_packages(
                source,
                table.get(key).and_then(|list| list.as_table()),
                development,
            );
        }
    }

    pub(super) fn toml_packages(
        &mut self,
        source: &SourceFile,
        list: Option<&toml::Table>,
        development: bool,
    ) {
        for (name, value) in list
            .into_iter()
            .flatten()
            .filter(|(name, _)| *name != "python")
        {
            let version = value
                .as_str()
                .or_else(|| value.get("version").and_then(|version| version.as_str()));
            let line = source.line(source.mention(name).unwrap_or(0));
            self.add(Package {
                name: normal_name(name),
                requirement: version.unwrap_or_default().replace('*', ""),
                development,
                file: source.path.clone(),
                line,
            });
        }
    }
}
