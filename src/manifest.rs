//! Manifest files of a component → facts: declared packages, scripts, processes, environment.

pub mod compose;
pub mod dockerfile;
mod env;
mod java;
pub mod literal;
mod node;
mod others;
pub mod proxy;
mod python;
mod reader;
pub mod settings;
pub mod site;
mod source;
pub mod variable;
pub mod workspace;

pub use env::{EnvLine, env_lines};
pub use reader::Reader;
pub use source::{EnvRead, SourceFacts, source_facts};

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    origin::{Origin, OriginKind},
    recipe::{Catalog, DeclaredFile, DeclaredFormat, Expression, ProgramRecipe, StackRecipe},
    repo::{self, Repo},
    source::{SourceFile, Span},
};

/// What the manifests of one folder say.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// Declared packages by normalised name.
    pub packages: BTreeMap<String, Package>,
    /// What a conda environment asks for that PyPI has, and what a configuration file names in its own
    /// way, as arguments for pip.
    pub environment: Vec<Fact>,
    /// Those of them that the source itself does not import, by normalised name.
    pub indirect: BTreeSet<String>,
    /// Scripts of the package manifest by name.
    pub scripts: BTreeMap<String, Fact>,
    /// The file that the package manifest calls the entry.
    pub main: Option<Fact>,
    /// Processes of a `Procfile` by name.
    pub processes: BTreeMap<String, Fact>,
    /// What a Dockerfile says that a person wrote.
    pub dockerfile: dockerfile::Dockerfile,
    /// Optional sets of dependencies that a Python project declares; `None` where nothing tells.
    pub extras: Option<BTreeSet<String>>,
    /// Name under which the project is published.
    pub name: Option<Fact>,
    /// Programs that the project installs under a name of their own.
    pub programs: BTreeMap<String, Fact>,
    /// Lines of example env files, in order; a name occurs once.
    pub env: Vec<EnvLine>,
    /// Requirement files that refer to the repository's own source, so that they need it.
    pub needs_source: Vec<String>,
    /// Whether the manifest at the top is no package itself and only gathers others.
    pub gathers: bool,
}

/// A piece of text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The text.
    pub value: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl Fact {
    /// Returns where it stands, in its own words.
    pub fn origin(&self) -> Origin {
        Origin::at(OriginKind::Manifest, &self.file, self.line, &self.value)
    }
}

/// A declared package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name in lower case, with `-` for `_`.
    pub name: String,
    /// The version that was asked for, as written, such as `==4.2.1` or `^1.0`.
    pub requirement: String,
    /// Whether it is for development only.
    pub development: bool,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl Package {
    /// Returns where it is declared: `flask>=2`.
    pub fn origin(&self) -> Origin {
        let text = format!("{}{}", self.name, self.requirement);
        Origin::at(OriginKind::Manifest, &self.file, self.line, text)
    }
}

fn json(source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) -> Option<serde_json::Value> {
    let parsed = jsonc_parser::parse_to_serde_value::<serde_json::Value>(
        &source.text,
        &jsonc_parser::ParseOptions::default(),
    );
    match parsed {
        Ok(json) => Some(json),
        Err(error) => {
            let at = error.range().start.min(source.text.len());
            let why = error.kind().to_string();
            diagnostics.push(broken(source, Span::new(at, at + 1), &why));
            None
        }
    }
}

/// Reads the manifests in `folders` that `stack` names: a component's own folder, and behind it the
/// top of the repository where what lies there is about the component, too. A file of the first is
/// not looked for in the second.
pub fn manifest(
    repo: &Repo,
    folders: &[&str],
    stack: &StackRecipe,
    catalog: &Catalog,
) -> Warned<Manifest> {
    let mut manifest = Manifest::default();
    let mut diagnostics = Vec::new();
    for declared in &stack.declared {
        let found = folders
            .iter()
            .map(|folder| repo.glob(&repo::join(folder, &declared.file)))
            .find(|found| !found.is_empty());
        for path in found.into_iter().flatten() {
            if let Some(source) = repo.source(path) {
                manifest.read(declared, &source, catalog, &mut diagnostics);
            }
        }
    }
    if let Some(program) = &stack.program {
        manifest.entries(repo, folders, program);
    }
    for folder in folders {
        if let Some(source) = repo.source(&repo::join(folder, "Procfile")) {
            manifest.procfile(&source);
        }
        for name in catalog.list("documents", "env-examples") {
            if let Some(source) = repo.source(&repo::join(folder, name)) {
                manifest.add_env(env_lines(&source));
            }
        }
    }
    if let Some(folder) = folders.first() {
        manifest.dockerfile = dockerfile::read(repo, folder, catalog);
    }
    Warned {
        value: manifest,
        diagnostics,
    }
}

/// Returns the programs that the repository installs under names of their own, whatever it is
/// written in: console scripts, `bin` of a package manifest, binaries.
pub fn programs(repo: &Repo, catalog: &Catalog) -> BTreeMap<String, Fact> {
    let mut programs = BTreeMap::new();
    for stack in catalog.stacks.values() {
        programs.extend(manifest(repo, &["."], stack, catalog).value.programs);
    }
    programs
}

/// Returns the name of a package as it is compared: lower case, `-` for `_` and `.`
/// (<https://peps.python.org/pep-0503/#normalized-names>); scoped npm names stay.
pub fn normal_name(name: &str) -> String {
    if name.starts_with('@') {
        return name.to_lowercase();
    }
    name.to_lowercase().replace(['_', '.'], "-")
}

impl Manifest {
    /// Returns the package `name`, if it is declared for more than development.
    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages
            .get(&normal_name(name))
            .filter(|package| !package.development)
    }

    /// Returns the package `name`, declared for whatever purpose.
    pub fn declared(&self, name: &str) -> Option<&Package> {
        self.packages.get(&normal_name(name))
    }

    fn add(&mut self, package: Package) {
        let known = self.packages.get(&package.name);
        // What production needs wins over development, a pin over no pin.
        let better = known.is_none_or(|known| {
            known.development && !package.development
                || known.development == package.development && known.requirement.is_empty()
        });
        if better {
            self.packages.insert(package.name.clone(), package);
        }
    }

    /// Adds what a part of the application in a folder of its own needs while it runs.
    pub fn take_in(&mut self, part: Self) {
        let packages = part.packages.into_values();
        packages
            .filter(|package| !package.development)
            .for_each(|package| self.add(package));
        self.add_env(part.env);
    }

    fn add_env(&mut self, lines: Vec<EnvLine>) {
        if lines.is_empty() {
            return;
        }
        let known = self.env.iter().map(|known| known.name.clone());
        let mut known: HashSet<String> = known.collect();
        let mut is_new = |line: &EnvLine| known.insert(line.name.clone());
        self.env
            .extend(lines.into_iter().filter(|line| is_new(line)));
    }

    fn read(
        &mut self,
        declared: &DeclaredFile,
        source: &Arc<SourceFile>,
        catalog: &Catalog,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        match declared.format {
            DeclaredFormat::Requirements => self.requirements(source),
            DeclaredFormat::PackageJson => self.package_json(source, diagnostics),
            DeclaredFormat::Pyproject => self.toml(source, diagnostics, Self::pyproject),
            DeclaredFormat::Pipfile => self.toml(source, diagnostics, Self::pipfile),
            DeclaredFormat::Setup => self.setup(source),
            DeclaredFormat::CondaEnvironment => self.conda_environment(source, catalog),
            DeclaredFormat::Pom => self.pom(source, diagnostics),
            DeclaredFormat::Gradle => self.gradle(source),
            DeclaredFormat::GoMod => self.go_mod(source),
            DeclaredFormat::Cargo => self.toml(source, diagnostics, Self::cargo),
            DeclaredFormat::CargoMember => self.toml(source, diagnostics, Self::cargo_member),
            DeclaredFormat::Composer => self.composer(source, diagnostics),
            DeclaredFormat::ComposerLock => self.composer_lock(source, diagnostics),
            DeclaredFormat::Gemfile => self.gemfile(source),
            DeclaredFormat::AppSettings => self.app_settings(source, diagnostics),
            DeclaredFormat::Pattern => {
                if let Some(pattern) = &declared.pattern {
                    self.pattern(pattern, source);
                }
            }
            DeclaredFormat::Named => self.named_packages(declared, source),
        }
    }

    /// <https://learn.microsoft.com/aspnet/core/fundamentals/configuration/>: the environment overrides
    /// `A: { B }` as `A__B`.
    fn app_settings(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        let strings = json
            .get("ConnectionStrings")
            .and_then(|all| all.as_object());
        // A server's address differs between environments; a file's stays.
        let names_server = |value: &str| {
            let value = value.to_lowercase();
            let keys = ["server=", "host=", "password=", "pwd="];
            keys.iter().any(|key| value.contains(key))
        };
        let lines = strings.into_iter().flatten().filter_map(|(name, value)| {
            let value = value.as_str().filter(|value| names_server(value))?;
            let at = source.quoted(name).unwrap_or(0);
            Some(EnvLine {
                name: format!("ConnectionStrings__{name}"),
                value: value.to_owned(),
                about: None,
                disabled: false,
                file: source.path.clone(),
                line: source.line(at),
            })
        });
        self.add_env(lines.collect());
    }

    /// Declarations by the groups of `pattern`: see [`DeclaredFile::pattern`].
    fn pattern(&mut self, pattern: &Expression, source: &SourceFile) {
        for found in pattern.captures_iter(&source.text) {
            let version = found.name("version").map_or("", |version| version.as_str());
            if let Some(package) = found.name("package") {
                let line = source.line(package.start());
                self.declare(package.as_str(), version, source, line);
            }
            if let Some(program) = found.name("program") {
                self.program(program.as_str(), "", source);
            }
        }
    }

    /// Packages that `source` calls by other names: see [`DeclaredFile::names`].
    fn named_packages(&mut self, declared: &DeclaredFile, source: &SourceFile) {
        let Some(pattern) = &declared.pattern else {
            return;
        };
        for found in pattern.captures_iter(&source.text) {
            let Some(name) = found.name("package") else {
                continue;
            };
            let package = declared.names.get(name.as_str());
            let is_new = |package: &&String| {
                let mut known = self.environment.iter();
                !known.any(|fact| fact.value == **package)
            };
            let Some(package) = package.filter(is_new) else {
                continue;
            };
            let line = source.line(name.start());
            self.declare(package, "", source, line);
            self.environment.push(Fact {
                value: package.clone(),
                file: source.path.clone(),
                line,
            });
        }
    }

    fn declare(&mut self, name: &str, requirement: &str, source: &SourceFile, line: usize) {
        self.add(Package {
            name: normal_name(name),
            requirement: requirement.to_owned(),
            development: false,
            file: source.path.clone(),
            line,
        });
    }

    fn program(&mut self, name: &str, value: &str, source: &SourceFile) {
        let at = source.mention(name).unwrap_or(0);
        self.programs
            .entry(name.to_owned())
            .or_insert_with(|| Fact {
                value: value.to_owned(),
                file: source.path.clone(),
                line: source.line(at),
            });
    }

    /// Adds the programs that only their source shows, and drops those whose source is not there.
    fn entries(&mut self, repo: &Repo, folders: &[&str], program: &ProgramRecipe) {
        for pattern in &program.entries {
            let found = folders
                .iter()
                .map(|folder| repo.glob(&repo::join(folder, pattern)))
                .find(|found| !found.is_empty());
            let (before, after) = pattern.split_once('*').unwrap_or_default();
            for path in found.into_iter().flatten() {
                let name = path
                    .strip_suffix(after)
                    .and_then(|path| path.rsplit_once(before));
                let Some((_, name)) = name else { continue };
                let known = self
                    .programs
                    .values()
                    .any(|fact| !fact.value.is_empty() && path.ends_with(&fact.value));
                if !known {
                    self.programs
                        .entry(name.to_owned())
                        .or_insert_with(|| Fact {
                            value: path.to_owned(),
                            file: path.to_owned(),
                            line: 1,
                        });
                }
            }
        }
        if !program.entries.is_empty() {
            self.programs.retain(|_, fact| {
                let mut places = folders.iter().map(|folder| repo::join(folder, &fact.value));
                fact.value.is_empty()
                    || repo.contains(&fact.value)
                    || places.any(|path| repo.contains(&path))
            });
        }
    }

    fn named(&mut self, name: &str, source: &SourceFile) {
        let at = source.mention(name).unwrap_or(0);
        self.name.get_or_insert_with(|| Fact {
            value: name.to_owned(),
            file: source.path.clone(),
            line: source.line(at),
        });
    }

    fn toml(
        &mut self,
        source: &Arc<SourceFile>,
        diagnostics: &mut Vec<Diagnostic>,
        read: fn(&mut Self, &SourceFile, &toml::Table),
    ) {
        match toml::from_str::<toml::Table>(&source.text) {
            Ok(table) => read(self, source, &table),
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                diagnostics.push(broken(
                    source,
                    Span::new(span.start, span.end),
                    error.message(),
                ));
            }
        }
    }

    fn procfile(&mut self, source: &SourceFile) {
        for (index, line) in source.text.lines().enumerate() {
            let Some((name, command)) = line.split_once(':') else {
                continue;
            };
            let is_process = !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if is_process {
                let fact = Fact {
                    value: command.trim().to_owned(),
                    file: source.path.clone(),
                    line: index + 1,
                };
                self.processes.entry(name.to_owned()).or_insert(fact);
            }
        }
    }
}

fn broken(source: &Arc<SourceFile>, span: Span, message: &str) -> Diagnostic {
    Diagnostic::new(
        Severity::Error,
        Code::BrokenManifest,
        format!("`{}` cannot be read", source.path),
    )
    .at(source, span, message.to_owned())
    .hint("correct the file; it was left out of account")
}

#[cfg(test)]
mod tests {
    use super::{python::requirement, *};

    #[test]
    fn a_requirement_has_a_name_and_a_version() {
        assert_eq!(
            requirement("Django_X==4.2.1"),
            Some(("django-x".into(), "==4.2.1".into()))
        );
        assert_eq!(
            requirement("celery[redis]>=5 ; python_version>'3'"),
            Some(("celery".into(), ">=5".into()))
        );
        assert_eq!(requirement("-r base.txt"), None);
        assert_eq!(requirement("git+https://x/y"), None);
        assert_eq!(requirement(""), None);
    }

    #[test]
    fn an_env_line_has_a_value_and_what_it_is_for() {
        let source = SourceFile::new(
            ".env.example",
            "# The port\nPORT=80\n\n#DEBUG=1\nNAME=\"a b\" # who\n",
        );
        let lines = env_lines(&source);
        let short: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.name.as_str(),
                    line.value.as_str(),
                    line.about.as_deref(),
                    line.disabled,
                )
            })
            .collect();
        assert_eq!(
            short,
            [
                ("PORT", "80", Some("The port"), false),
                ("DEBUG", "1", None, true),
                ("NAME", "a b", Some("who"), false)
            ]
        );
    }

    #[test]
    fn a_setup_file_declares_what_it_requires() {
        let source = SourceFile::new(
            "setup.py",
            "setup(\n  install_requires=[\n    'flask>=1',\n    \"redis\",\n  ],\n)\n",
        );
        let mut manifest = Manifest::default();
        manifest.setup(&source);
        assert_eq!(
            manifest
                .package("flask")
                .map(|package| (package.requirement.as_str(), package.line)),
            Some((">=1", 3))
        );
        assert!(manifest.package("redis").is_some());
    }
}
