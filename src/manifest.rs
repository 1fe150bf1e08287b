//! Manifest files of a component → facts: declared packages, scripts, processes, environment.

pub mod dockerfile;

use std::{collections::BTreeMap, sync::Arc};

use regex::Regex;

use crate::{
    diagnostic::{Code, Diagnostic, Severity, Warned},
    recipe::{Catalog, DeclaredFormat, StackRecipe},
    repo::{self, Repo},
    source::{SourceFile, Span},
};

/// What the manifests of one folder say.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// Declared packages by normalised name.
    pub packages: BTreeMap<String, Package>,
    /// Scripts of the package manifest by name.
    pub scripts: BTreeMap<String, Fact>,
    /// The file that the package manifest calls the entry.
    pub main: Option<Fact>,
    /// Processes of a `Procfile` by name.
    pub processes: BTreeMap<String, Fact>,
    /// What a Dockerfile says that a person wrote.
    pub dockerfile: dockerfile::Dockerfile,
    /// Name under which the project is published.
    pub name: Option<Fact>,
    /// Programs that the project installs under a name of their own.
    pub programs: BTreeMap<String, Fact>,
    /// Lines of example env files, in order; a name occurs once.
    pub env: Vec<EnvLine>,
    /// Requirement files that refer to the repository's own source, so that they need it.
    pub needs_source: Vec<String>,
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

/// A line `NAME=value` of an env file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvLine {
    /// The name.
    pub name: String,
    /// The value, unquoted; empty where there is none.
    pub value: String,
    /// The comment above or beside it.
    pub about: Option<String>,
    /// Whether the line is commented out.
    pub disabled: bool,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// Names of files that show which environment variables to set, by convention.
const ENV_EXAMPLES: [&str; 14] = [
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".env.production.example",
    "env.example",
    "example.env",
    ".env-example",
    ".env-sample",
    "sample.env",
    ".env.defaults",
    ".env.local.example",
    ".env.development",
    ".env",
];

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

/// Reads the manifests of `folder` that `stack` names.
pub fn manifest(repo: &Repo, folder: &str, stack: &StackRecipe) -> Warned<Manifest> {
    let mut manifest = Manifest::default();
    let mut diagnostics = Vec::new();
    let mut folders = vec![folder];
    if folder != "." {
        folders.push(".");
    }
    for declared in &stack.declared {
        for folder in &folders {
            let pattern = repo::join(folder, &declared.file);
            let found: Vec<String> = repo.glob(&pattern).into_iter().map(str::to_owned).collect();
            for path in found {
                let Some(source) = repo.source(&path) else {
                    continue;
                };
                manifest.read(declared.format, &source, &mut diagnostics);
            }
        }
    }
    for folder in &folders {
        if let Some(source) = repo.source(&repo::join(folder, "Procfile")) {
            manifest.procfile(&source);
        }
        for name in ENV_EXAMPLES {
            if let Some(source) = repo.source(&repo::join(folder, name)) {
                manifest.add_env(env_lines(&source));
            }
        }
    }
    manifest.dockerfile = dockerfile::read(repo, folder);
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
        programs.extend(manifest(repo, ".", stack).value.programs);
    }
    programs
}

/// Returns the lines `NAME=value` of `source`, commented-out ones included.
pub fn env_lines(source: &SourceFile) -> Vec<EnvLine> {
    let mut lines = Vec::new();
    let mut about: Option<String> = None;
    for (index, line) in source.text.lines().enumerate() {
        let text = line.trim();
        let bare = text.trim_start_matches('#').trim();
        let disabled = text.starts_with('#');
        let assignment = bare.strip_prefix("export ").unwrap_or(bare).split_once('=');
        match assignment {
            Some((name, value))
                if is_env_name(name.trim_end()) && !(disabled && bare.contains(". ")) =>
            {
                let (value, beside) = env_value(value);
                lines.push(EnvLine {
                    name: name.trim_end().to_owned(),
                    value,
                    about: beside.or_else(|| about.take()),
                    disabled,
                    file: source.path.clone(),
                    line: index + 1,
                });
            }
            _ if text.is_empty() => about = None,
            _ if disabled && !bare.is_empty() => about = Some(bare.to_owned()),
            _ => {}
        }
    }
    lines
}

fn is_env_name(name: &str) -> bool {
    crate::shell::is_name(name) && name.chars().any(|c| c.is_ascii_uppercase())
}

/// Removes quotes and a comment behind the value, which is returned second.
fn env_value(text: &str) -> (String, Option<String>) {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (value, after) = rest.split_once(quote).unwrap_or((rest, ""));
            return (value.to_owned(), comment(after));
        }
    }
    match text.split_once(" #") {
        Some((value, about)) => (value.trim().to_owned(), comment(about)),
        None => (text.to_owned(), None),
    }
}

fn comment(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('#').trim();
    (!text.is_empty()).then(|| text.to_owned())
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

    fn add_env(&mut self, lines: Vec<EnvLine>) {
        for line in lines {
            if !self.env.iter().any(|known| known.name == line.name) {
                self.env.push(line);
            }
        }
    }

    fn read(
        &mut self,
        format: DeclaredFormat,
        source: &Arc<SourceFile>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        match format {
            DeclaredFormat::Requirements => self.requirements(source),
            DeclaredFormat::PackageJson => self.package_json(source, diagnostics),
            DeclaredFormat::Pyproject => self.toml(source, diagnostics, Self::pyproject),
            DeclaredFormat::Pipfile => self.toml(source, diagnostics, Self::pipfile),
            DeclaredFormat::Setup => self.setup(source),
            DeclaredFormat::Pom => self.pom(source, diagnostics),
            DeclaredFormat::Gradle => self.gradle(source),
            DeclaredFormat::GoMod => self.go_mod(source),
            DeclaredFormat::Cargo => self.toml(source, diagnostics, Self::cargo),
            DeclaredFormat::Composer => self.composer(source, diagnostics),
            DeclaredFormat::ComposerLock => self.composer_lock(source, diagnostics),
            DeclaredFormat::Gemfile => self.gemfile(source),
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
        let at = source.text.find(name).unwrap_or(0);
        self.programs
            .entry(name.to_owned())
            .or_insert_with(|| Fact {
                value: value.to_owned(),
                file: source.path.clone(),
                line: source.line(at),
            });
    }

    /// <https://maven.apache.org/pom.html>
    fn pom(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let document = match roxmltree::Document::parse(&source.text) {
            Ok(document) => document,
            Err(error) => {
                let position = error.pos();
                let line = source.text.lines().take(position.row as usize - 1);
                let at: usize = line.map(|line| line.len() + 1).sum();
                let at = at.min(source.text.len());
                diagnostics.push(broken(source, Span::new(at, at), &error.to_string()));
                return;
            }
        };
        let text = |node: roxmltree::Node<'_, '_>, name: &str| {
            let child = node.children().find(|child| child.has_tag_name(name));
            let child = child.or_else(|| {
                node.children()
                    .find(|child| child.tag_name().name() == name)
            });
            child.and_then(|child| child.text().map(str::trim).map(str::to_owned))
        };
        for node in document.descendants() {
            if !matches!(node.tag_name().name(), "dependency" | "parent" | "plugin") {
                continue;
            }
            let Some(artifact) = text(node, "artifactId") else {
                continue;
            };
            let line = source.line(node.range().start);
            let requirement = text(node, "version").unwrap_or_default();
            let development = text(node, "scope").as_deref() == Some("test");
            self.add(Package {
                name: normal_name(&artifact),
                requirement,
                development,
                file: source.path.clone(),
                line,
            });
        }
    }

    /// Quoted strings `group:artifact:version`, and `id "plugin"`.
    fn gradle(&mut self, source: &SourceFile) {
        for (index, line) in source.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default().trim_start();
            let development = code.starts_with("test");
            for piece in code.split(['"', '\'']).skip(1).step_by(2) {
                let mut parts = piece.split(':');
                let (first, artifact, version) = (parts.next(), parts.next(), parts.next());
                let name = match (first, artifact) {
                    (Some(_), Some(artifact)) => artifact,
                    (Some(plugin), None) if code.starts_with("id") => plugin,
                    _ => continue,
                };
                self.add(Package {
                    name: normal_name(name),
                    requirement: version.unwrap_or_default().to_owned(),
                    development,
                    file: source.path.clone(),
                    line: index + 1,
                });
            }
        }
    }

    /// <https://go.dev/ref/mod#go-mod-file-grammar>
    fn go_mod(&mut self, source: &SourceFile) {
        let mut inside = false;
        for (index, line) in source.text.lines().enumerate() {
            let text = line.split("//").next().unwrap_or_default().trim();
            if let Some(module) = text.strip_prefix("module ") {
                let name = repo::file_name(module.trim().trim_matches('"'));
                self.program(name, module.trim(), source);
            }
            let required = text.strip_prefix("require ").map(str::trim);
            match (required, text) {
                (Some("("), _) => inside = true,
                (_, ")") => inside = false,
                (Some(text), _) => self.go_requirement(text, source, index + 1),
                (None, text) if inside => self.go_requirement(text, source, index + 1),
                _ => {}
            }
        }
    }

    fn go_requirement(&mut self, text: &str, source: &SourceFile, line: usize) {
        if let [module, version] = text.split_whitespace().collect::<Vec<_>>()[..] {
            self.declare(module, version, source, line);
        }
    }

    fn cargo(&mut self, source: &SourceFile, table: &toml::Table) {
        let list = table.get("dependencies").and_then(|list| list.as_table());
        self.toml_packages(source, list, false);
        let list = table
            .get("dev-dependencies")
            .and_then(|list| list.as_table());
        self.toml_packages(source, list, true);
        let name = |table: &toml::Value| Some(table.get("name")?.as_str()?.to_owned());
        let bins = table.get("bin").and_then(|bins| bins.as_array());
        let mut names: Vec<String> = bins.into_iter().flatten().filter_map(name).collect();
        names.extend(table.get("package").and_then(name));
        for program in names {
            self.program(&program, &program, source);
        }
    }

    /// <https://getcomposer.org/doc/04-schema.md>
    fn composer(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        for (table, development) in [("require", false), ("require-dev", true)] {
            let packages = json.get(table).and_then(|table| table.as_object());
            for (name, requirement) in packages.into_iter().flatten() {
                let at = source.text.find(&format!("\"{name}\"")).unwrap_or(0);
                self.add(Package {
                    name: normal_name(name),
                    requirement: requirement.as_str().unwrap_or_default().to_owned(),
                    development,
                    file: source.path.clone(),
                    line: source.line(at),
                });
            }
        }
    }

    /// The platform packages, such as `ext-gd`, that locked packages require
    /// (<https://getcomposer.org/doc/01-basic-usage.md#platform-packages>).
    fn composer_lock(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        let packages = json.get("packages").and_then(|list| list.as_array());
        for package in packages.into_iter().flatten() {
            let required = package.get("require").and_then(|table| table.as_object());
            let required = required.into_iter().flat_map(|table| table.keys());
            for name in required.filter(|name| name.starts_with("ext-")) {
                let by = package.get("name").and_then(|name| name.as_str());
                let by = by.and_then(|name| source.text.find(&format!("\"{name}\"")));
                self.declare(name, "", source, source.line(by.unwrap_or(0)));
            }
        }
    }

    /// Lines `gem "name", "~> 1.2"`.
    fn gemfile(&mut self, source: &SourceFile) {
        for (index, line) in source.text.lines().enumerate() {
            let Some(rest) = line.trim_start().strip_prefix("gem ") else {
                continue;
            };
            let mut quoted = rest.split(['"', '\'']).skip(1).step_by(2);
            let Some(name) = quoted.next() else { continue };
            let is_version = |text: &&str| text.contains(|c: char| c.is_ascii_digit());
            let version = quoted.next().filter(is_version).unwrap_or_default();
            self.declare(name, version, source, index + 1);
        }
    }

    fn requirements(&mut self, source: &SourceFile) {
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

    fn named(&mut self, name: &str, source: &SourceFile) {
        let at = source.text.find(name).unwrap_or(0);
        self.name.get_or_insert_with(|| Fact {
            value: name.to_owned(),
            file: source.path.clone(),
            line: source.line(at),
        });
    }

    fn setup(&mut self, source: &SourceFile) {
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

    fn package_json(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        let line_of = |key: &str| {
            let at = source.text.find(&format!("\"{key}\"")).unwrap_or(0);
            source.line(at)
        };
        for (table, development) in [
            ("dependencies", false),
            ("optionalDependencies", false),
            ("devDependencies", true),
        ] {
            let Some(packages) = json.get(table).and_then(|table| table.as_object()) else {
                continue;
            };
            for (name, requirement) in packages {
                self.add(Package {
                    name: normal_name(name),
                    requirement: requirement.as_str().unwrap_or_default().to_owned(),
                    development,
                    file: source.path.clone(),
                    line: line_of(name),
                });
            }
        }
        let fact = |value: &str, key: &str| Fact {
            value: value.to_owned(),
            file: source.path.clone(),
            line: line_of(key),
        };
        if let Some(scripts) = json.get("scripts").and_then(|scripts| scripts.as_object()) {
            for (name, command) in scripts {
                let Some(command) = command.as_str() else {
                    continue;
                };
                self.scripts
                    .entry(name.clone())
                    .or_insert_with(|| fact(command, name));
            }
        }
        match json.get("bin") {
            Some(serde_json::Value::String(file)) => {
                let name = json
                    .get("name")
                    .and_then(|name| name.as_str())
                    .unwrap_or_default();
                self.program(repo::file_name(name), file, source);
            }
            Some(serde_json::Value::Object(programs)) => {
                for (name, file) in programs {
                    self.program(name, file.as_str().unwrap_or_default(), source);
                }
            }
            _ => {}
        }
        if let Some(main) = json.get("main").and_then(|main| main.as_str()) {
            self.main.get_or_insert_with(|| fact(main, "main"));
        }
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

    fn pyproject(&mut self, source: &SourceFile, table: &toml::Table) {
        let line_of = |name: &str| source.line(source.text.find(name).unwrap_or(0));
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

    fn pipfile(&mut self, source: &SourceFile, table: &toml::Table) {
        for (key, development) in [("packages", false), ("dev-packages", true)] {
            self.toml_packages(
                source,
                table.get(key).and_then(|list| list.as_table()),
                development,
            );
        }
    }

    fn toml_packages(
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
            let line = source.line(source.text.find(name.as_str()).unwrap_or(0));
            self.add(Package {
                name: normal_name(name),
                requirement: version.unwrap_or_default().replace('*', ""),
                development,
                file: source.path.clone(),
                line,
            });
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

/// Names of requirement files for people who work on the application.
fn is_development_file(path: &str) -> bool {
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
fn requirement(text: &str) -> Option<(String, String)> {
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
    let is_plain =
        rest.is_empty() || rest.starts_with(['=', '<', '>', '~', '!', ';', ',', '@', '(']);
    let version = rest.split(';').next().unwrap_or_default().trim();
    (is_name && is_plain).then(|| (normal_name(name), version.to_owned()))
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

/// An environment variable that source code reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvRead {
    /// The name.
    pub name: String,
    /// The value that the code falls back to.
    pub default: Option<String>,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// Whether the code fails without it, as far as the pattern can tell.
    pub required: bool,
}

/// What the source code of a component says.
#[derive(Debug, Clone, Default)]
pub struct SourceFacts {
    /// Whether a piece of it shows that it listens on a port.
    pub serves: bool,
    /// Environment variables, each once, sorted by place.
    pub env: Vec<EnvRead>,
    /// Imported modules with their first place.
    pub imports: BTreeMap<String, (String, usize)>,
    /// The files that were read.
    pub files: Vec<String>,
}

/// How many source files are read at most, shallowest first.
const MOST_SOURCES: usize = 400;

/// Reads the source files below `folder` with the endings that `stack` names. Folders of tests,
/// examples and documentation are left out.
pub fn source_facts(repo: &Repo, folder: &str, stack: &StackRecipe) -> SourceFacts {
    let compile = |patterns: &[String]| -> Vec<Regex> {
        patterns
            .iter()
            .filter_map(|pattern| Regex::new(pattern).ok())
            .collect()
    };
    let (env_reads, imports) = (compile(&stack.env_reads), compile(&stack.imports));
    let mut paths: Vec<&str> = repo
        .files()
        .filter(|path| is_source(path, folder, stack))
        .collect();
    paths.sort_by_key(|path| (path.matches('/').count(), *path));
    paths.truncate(MOST_SOURCES);
    let mut facts = SourceFacts {
        files: paths.iter().map(|path| (*path).to_owned()).collect(),
        ..SourceFacts::default()
    };
    for path in &paths {
        let Some(source) = repo.source(path) else {
            continue;
        };
        facts.serves |= stack
            .serves
            .iter()
            .any(|piece| source.text.contains(piece.as_str()));
        for pattern in &imports {
            for found in pattern.captures_iter(&source.text) {
                let Some(name) = found.get(1) else { continue };
                let place = ((*path).to_owned(), source.line(name.start()));
                facts
                    .imports
                    .entry(name.as_str().to_owned())
                    .or_insert(place);
            }
        }
        for pattern in &env_reads {
            for found in pattern.captures_iter(&source.text) {
                let Some(name) = found.name("name") else {
                    continue;
                };
                if facts.env.iter().any(|known| known.name == name.as_str()) {
                    continue;
                }
                let default = found.name("default").or_else(|| found.name("number"));
                let whole = found.get(0).map_or("", |whole| whole.as_str());
                facts.env.push(EnvRead {
                    name: name.as_str().to_owned(),
                    default: default.map(|default| default.as_str().to_owned()),
                    file: (*path).to_owned(),
                    line: source.line(name.start()),
                    required: whole.contains("environ[") && default.is_none(),
                });
            }
        }
    }
    facts
}

fn is_source(path: &str, folder: &str, stack: &StackRecipe) -> bool {
    const ASIDE: [&str; 12] = [
        "test",
        "tests",
        "spec",
        "specs",
        "__tests__",
        "docs",
        "doc",
        "examples",
        "example",
        "migrations",
        "fixtures",
        "static",
    ];
    let Some((_, ending)) = path.rsplit_once('.') else {
        return false;
    };
    let inside = folder == "." || path.starts_with(&format!("{folder}/"));
    let mut folders = repo::folder_of(path).split('/');
    inside
        && stack.sources.iter().any(|known| known == ending)
        && !folders.any(|part| ASIDE.contains(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

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
