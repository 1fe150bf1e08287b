//! The catalogue in `recipes/`: what is true of tools, stacks, frameworks, services and packages.
//!
//! One entry is one file, its name is its id, unknown keys are refused with their line. A user's
//! folder may add entries and change single fields of built-in ones.

mod model;
mod pattern;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
};

use include_dir::{Dir, include_dir};
use serde::de::DeserializeOwned;

use crate::{readme::Pages, repo, source::SourceFile};

pub use model::*;
pub use pattern::{Matched, Pattern};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/recipes");

/// All knowledge, ready for look-ups.
pub struct Catalog {
    /// Language runtimes by id.
    pub runtimes: BTreeMap<String, RuntimeRecipe>,
    /// Stacks by id.
    pub stacks: BTreeMap<String, StackRecipe>,
    /// Frameworks by id.
    pub frameworks: BTreeMap<String, FrameworkRecipe>,
    /// Backing services by id.
    pub services: BTreeMap<String, ServiceRecipe>,
    /// Command-line tools by id.
    pub tools: BTreeMap<String, ToolRecipe>,
    /// System packages and what needs them, by id of the table.
    pub system_packages: BTreeMap<String, SystemPackageTable>,
    /// Words of people: section titles, secrets, platforms, by id of the table.
    pub words: BTreeMap<String, WordTable>,
    tool_by_name: HashMap<String, String>,
    texts: BTreeMap<String, String>,
}

/// Why a recipe cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeError {
    /// The file.
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RecipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for RecipeError {}

impl Catalog {
    /// Returns the built-in catalogue.
    ///
    /// # Panics
    ///
    /// When a built-in recipe is wrong; a test reads them all.
    pub fn built_in() -> Self {
        Self::with_folders(&[]).unwrap_or_else(|errors| panic!("built-in recipe: {}", errors[0]))
    }

    /// Returns the built-in catalogue with the recipes of `folders` on top: a new file adds an
    /// entry, a file with the path of a built-in one replaces the fields it names.
    ///
    /// # Errors
    ///
    /// Every recipe that cannot be read, with its place.
    pub fn with_folders(folders: &[PathBuf]) -> Result<Self, Vec<RecipeError>> {
        let mut layers: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for file in built_in_files(&BUILT_IN) {
            let path = file.path().to_string_lossy().into_owned();
            let text = file.contents_utf8().unwrap_or_default().to_owned();
            layers
                .entry(path.clone())
                .or_default()
                .push((format!("recipes/{path}"), text));
        }
        let mut errors = Vec::new();
        for folder in folders {
            match user_files(folder) {
                Ok(files) => {
                    for (path, shown, text) in files {
                        layers.entry(path).or_default().push((shown, text));
                    }
                }
                Err(error) => errors.push(error),
            }
        }

        let mut catalog = Self::empty();
        for (path, layers) in layers {
            if let Err(error) = catalog.add(&path, &layers) {
                errors.push(error);
            }
        }
        // A recipe that could not be read would be missed by all that refer to it.
        if errors.is_empty() {
            errors.extend(catalog.check());
        }
        catalog.index();
        if errors.is_empty() {
            Ok(catalog)
        } else {
            Err(errors)
        }
    }

    fn empty() -> Self {
        Self {
            runtimes: BTreeMap::new(),
            stacks: BTreeMap::new(),
            frameworks: BTreeMap::new(),
            services: BTreeMap::new(),
            tools: BTreeMap::new(),
            system_packages: BTreeMap::new(),
            words: BTreeMap::new(),
            tool_by_name: HashMap::new(),
            texts: BTreeMap::new(),
        }
    }

    fn add(&mut self, path: &str, layers: &[(String, String)]) -> Result<(), RecipeError> {
        let Some((kind, id)) = path
            .strip_suffix(".toml")
            .and_then(|path| path.split_once('/'))
        else {
            return Ok(()); // README.md of the catalogue
        };
        let id = id.to_owned();
        match kind {
            "runtimes" => drop(self.runtimes.insert(id, read(layers)?)),
            "stacks" => drop(self.stacks.insert(id, read(layers)?)),
            "frameworks" => drop(self.frameworks.insert(id, read(layers)?)),
            "services" => drop(self.services.insert(id, read(layers)?)),
            "tools" => drop(self.tools.insert(id, read(layers)?)),
            "system-packages" => drop(self.system_packages.insert(id, read(layers)?)),
            "words" => drop(self.words.insert(id, read(layers)?)),
            _ => {
                let kinds = "runtimes, stacks, frameworks, services, tools, system-packages, words";
                let file = layers
                    .last()
                    .map(|(shown, _)| shown.clone())
                    .unwrap_or_default();
                let message = format!("no kind of recipe is called `{kind}`; there are {kinds}");
                return Err(RecipeError {
                    file,
                    position: None,
                    message,
                });
            }
        }
        let texts: Vec<&str> = layers.iter().map(|(_, text)| text.as_str()).collect();
        self.texts
            .insert(path.trim_end_matches(".toml").to_owned(), texts.join("\n"));
        Ok(())
    }

    /// References from one recipe to another that lead nowhere.
    fn check(&self) -> Vec<RecipeError> {
        let mut errors = Vec::new();
        let mut require = |known: bool, file: String, message: String| {
            if !known {
                errors.push(RecipeError {
                    file,
                    position: None,
                    message,
                });
            }
        };
        for (id, stack) in &self.stacks {
            let known = self.runtimes.contains_key(&stack.runtime);
            require(
                known,
                format!("recipes/stacks/{id}.toml"),
                format!("no runtime is called `{}`", stack.runtime),
            );
            for refined in &stack.refines {
                let known = self.stacks.contains_key(refined);
                require(
                    known,
                    format!("recipes/stacks/{id}.toml"),
                    format!("no stack is called `{refined}`"),
                );
            }
        }
        for (id, framework) in &self.frameworks {
            let file = format!("recipes/frameworks/{id}.toml");
            for stack in &framework.stacks {
                require(
                    self.stacks.contains_key(stack),
                    file.clone(),
                    format!("no stack is called `{stack}`"),
                );
            }
            for refined in &framework.refines {
                require(
                    self.frameworks.contains_key(refined),
                    file.clone(),
                    format!("no framework is called `{refined}`"),
                );
            }
        }
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, tool) in &self.tools {
            for name in &tool.names {
                let other = named.insert(name, id);
                require(
                    other.is_none(),
                    format!("recipes/tools/{id}.toml"),
                    format!("`{name}` is also the name of {}", other.unwrap_or_default()),
                );
            }
            for rule in &tool.command {
                if let Some(service) = &rule.service {
                    let known = self.services.contains_key(service);
                    require(
                        known,
                        format!("recipes/tools/{id}.toml"),
                        format!("no service is called `{service}`"),
                    );
                }
            }
        }
        errors
    }

    fn index(&mut self) {
        for (id, tool) in &self.tools {
            for name in &tool.names {
                self.tool_by_name.insert(name.clone(), id.clone());
            }
        }
    }

    /// Returns the tool that goes by `name` (a path before it and a version after it are ignored),
    /// with its id.
    pub fn tool(&self, name: &str) -> Option<(&str, &ToolRecipe)> {
        let name = name.rsplit_once('/').map_or(name, |(_, last)| last);
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let id = self
            .tool_by_name
            .get(name)
            .or_else(|| self.tool_by_name.get(bare))?;
        self.tools
            .get_key_value(id)
            .map(|(id, tool)| (id.as_str(), tool))
    }

    /// Returns the services that `name` (of a package or a unit) stands for.
    pub fn service_named(&self, name: &str) -> Option<(&str, &ServiceRecipe)> {
        let name = name.trim_end_matches(".service");
        let bare =
            name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-' || c == '@');
        let named = |service: &ServiceRecipe| {
            service
                .detect
                .names
                .iter()
                .any(|known| known == name || known == bare)
        };
        self.services
            .iter()
            .find(|(_, service)| named(service))
            .map(|(id, service)| (id.as_str(), service))
    }

    /// Returns the text of the recipe `path`, such as `stacks/python-pip`.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Returns the paths of all recipes with their titles, sorted.
    pub fn entries(&self) -> Vec<(String, &str)> {
        let mut entries = Vec::new();
        fn list<'a, T>(
            entries: &mut Vec<(String, &'a str)>,
            kind: &str,
            of: &'a BTreeMap<String, T>,
            title: fn(&T) -> &str,
        ) {
            entries.extend(
                of.iter()
                    .map(|(id, recipe)| (format!("{kind}/{id}"), title(recipe))),
            );
        }
        list(&mut entries, "frameworks", &self.frameworks, |recipe| {
            &recipe.title
        });
        list(&mut entries, "runtimes", &self.runtimes, |recipe| {
            &recipe.title
        });
        list(&mut entries, "services", &self.services, |recipe| {
            &recipe.title
        });
        list(&mut entries, "stacks", &self.stacks, |recipe| &recipe.title);
        list(
            &mut entries,
            "system-packages",
            &self.system_packages,
            |recipe| &recipe.title,
        );
        list(&mut entries, "tools", &self.tools, |recipe| &recipe.title);
        list(&mut entries, "words", &self.words, |recipe| &recipe.title);
        entries
    }

    /// Returns which documents beside a README tell how to install.
    pub fn pages(&self) -> Pages<'_> {
        Pages {
            beside: self.list("documents", "beside"),
            about: self.list("documents", "about"),
        }
    }

    /// Returns the words of the list `list` of the table `table`; none where there is no such list.
    pub fn list(&self, table: &str, list: &str) -> &[String] {
        let table = self.words.get(table);
        let words = table.and_then(|table| table.lists.get(list));
        words.map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns whether `text` holds one of the words of the table `table`, list `list`, as a whole
    /// word, without regard to case.
    pub fn has_word(&self, table: &str, list: &str, text: &str) -> bool {
        let mut words = self.list(table, list).iter();
        words.any(|word| contains_word(text, word))
    }

    /// Returns whether one of the parts of `name`, between `separators`, is in the list `list` of
    /// the table `table`.
    pub fn has_part(&self, table: &str, list: &str, name: &str, separators: &[char]) -> bool {
        let words = self.list(table, list);
        name.split(separators)
            .any(|part| words.iter().any(|word| word == part))
    }

    /// Returns what packages of the language `language` need from Debian, with the id of the table.
    pub fn needs_of<'c>(
        &'c self,
        language: &'c str,
    ) -> impl Iterator<Item = (&'c str, &'c PackageNeeds)> {
        let is_meant =
            move |table: &SystemPackageTable| table.language.as_deref() == Some(language);
        let tables = self.system_packages.iter();
        tables
            .filter(move |(_, table)| is_meant(table))
            .flat_map(|(id, table)| table.needs.iter().map(move |needs| (id.as_str(), needs)))
    }

    /// Returns why no supported suite of Debian has the package `name`, if a pattern says so.
    pub fn gone_package(&self, name: &str) -> Option<&str> {
        let gone = self.system_packages.values().flat_map(|table| &table.gone);
        let is_meant = |gone: &&GonePackages| {
            repo::matcher(&gone.pattern).is_some_and(|pattern| pattern.is_match(name))
        };
        gone.into_iter()
            .find(is_meant)
            .map(|gone| gone.why.as_str())
    }

    /// Returns how Debian calls what the package manager `manager` calls `name`: several packages
    /// where others put in one what Debian divides. A version behind `@` is ignored, as brew writes
    /// it. What is not listed under another name may have Debian's own.
    pub fn debian_names(&self, manager: &str, name: &str) -> Vec<&str> {
        let bare = name.split_once('@').map_or(name, |(bare, _)| bare);
        let called = |name: &str| -> Vec<&str> {
            let has_name = |package: &&DebianPackage| {
                let names = package.elsewhere.get(manager);
                names.is_some_and(|names| names.iter().any(|known| known == name))
            };
            let found = self.debian_packages().filter(has_name);
            found.map(|package| package.name.as_str()).collect()
        };
        let mut names = called(name);
        if names.is_empty() {
            names = called(bare);
        }
        if names.is_empty() {
            let same = |package: &&DebianPackage| package.name == bare;
            let own = self.debian_packages().find(same);
            names.extend(own.map(|package| package.name.as_str()));
        }
        names
    }

    /// Returns what is known of the Debian package `name`, which may be its name on any suite.
    pub fn debian_package(&self, name: &str) -> Option<&DebianPackage> {
        let own = |package: &&DebianPackage| package.name == name;
        // What took the place of a dead name is a package of its own.
        let elsewhere = |package: &&DebianPackage| {
            let mut names = package.on.values().flatten();
            package.instead.is_none() && names.any(|known| known == name)
        };
        let mut packages = self.debian_packages();
        packages
            .find(own)
            .or_else(|| self.debian_packages().find(elsewhere))
    }

    /// Returns the packages that the suite `suite` has for `name`, which may be the name of an
    /// earlier or later suite; none where nothing took its place, and `name` itself where the
    /// catalogue does not know it.
    pub fn packages_on(&self, name: &str, suite: &str) -> Vec<String> {
        // A user's recipes may send names in a circle.
        self.packages_within(name, suite, 4)
    }

    fn packages_within(&self, name: &str, suite: &str, steps: usize) -> Vec<String> {
        let known = self.debian_package(name);
        let Some(package) = known.filter(|_| steps > 0) else {
            return vec![name.to_owned()];
        };
        if let Some(here) = package.on.get(suite) {
            return here.clone();
        }
        match &package.instead {
            Some(instead) => {
                let others = instead.iter();
                let named = others.flat_map(|other| self.packages_within(other, suite, steps - 1));
                named.collect()
            }
            None => vec![package.name.clone()],
        }
    }

    /// Returns the packages of the suite `suite` that hold the file `name` of the kind `kind`; none
    /// where the catalogue does not know it. A header, a shared object or a command may be given
    /// with the path before it.
    ///
    /// ```
    /// use longshore::recipe::{Catalog, FileKind};
    ///
    /// let catalog = Catalog::built_in();
    /// let packages = catalog.packages_with_file(FileKind::Header, "libpq-fe.h", "bookworm");
    /// assert_eq!(packages, ["libpq-dev"]);
    /// ```
    pub fn packages_with_file(&self, kind: FileKind, name: &str, suite: &str) -> Vec<String> {
        let tables = self.system_packages.values();
        let is_meant = |other: FileKind| {
            let is_link = other == FileKind::Alternative && kind == FileKind::Command;
            other == kind || is_link
        };
        let kinds = tables.flat_map(|table| &table.file);
        let files = kinds.filter(|(other, _)| is_meant(**other));
        let found = files.flat_map(|(_, files)| files).filter(|(file, _)| {
            let path = name.strip_suffix(file.as_str());
            path.is_some_and(|path| path.is_empty() || path.ends_with('/'))
        });
        // Of `parser.h` and `libxml/parser.h` the longer one says more.
        let best = found.max_by_key(|(file, _)| file.len());
        best.map_or_else(Vec::new, |(_, package)| self.packages_on(package, suite))
    }

    /// Returns how the base image of `language` is given extensions, with the id of the table.
    pub fn extension_ways(&self, language: &str) -> Option<(&str, &ExtensionWays)> {
        self.system_packages.iter().find_map(|(id, table)| {
            let ways = table.extensions.as_ref();
            let is_meant = table.language.as_deref() == Some(language);
            ways.filter(|_| is_meant).map(|ways| (id.as_str(), ways))
        })
    }

    /// Returns whether the packages of `manager` are extensions of a runtime.
    pub fn installs_extensions(&self, manager: &str) -> bool {
        let tables = self.system_packages.values();
        let mut ways = tables.filter_map(|table| table.extensions.as_ref());
        ways.any(|ways| ways.managers.iter().any(|known| known == manager))
    }

    /// Returns the extensions of `language`.
    pub fn extensions<'c>(&'c self, language: &'c str) -> impl Iterator<Item = &'c Extension> {
        let tables = self.system_packages.values();
        tables
            .filter(move |table| table.language.as_deref() == Some(language))
            .flat_map(|table| &table.extension)
    }

    fn debian_packages(&self) -> impl Iterator<Item = &DebianPackage> {
        let tables = self.system_packages.values();
        tables.flat_map(|table| &table.package)
    }
}

/// Returns whether `word` stands in `text` with no letter or digit on either side; case does not
/// matter.
pub fn contains_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_ascii = word.is_ascii();
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        // Chinese and Japanese write no blanks between words.
        !is_ascii || is_edge(before) && is_edge(after)
    })
}

fn built_in_files<'a>(folder: &'a Dir<'a>) -> Vec<&'a include_dir::File<'a>> {
    let mut files: Vec<_> = folder.files().collect();
    for inner in folder.dirs() {
        files.extend(built_in_files(inner));
    }
    files
}

/// Path within the catalogue, path to show, text.
type UserFile = (String, String, String);

fn user_files(folder: &Path) -> Result<Vec<UserFile>, RecipeError> {
    let shown = folder.display().to_string();
    let broken = |message: String| RecipeError {
        file: shown.clone(),
        position: None,
        message,
    };
    if !folder.is_dir() {
        return Err(broken("this folder of recipes does not exist".to_owned()));
    }
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder)
        .max_depth(2)
        .sort_by_file_name()
    {
        let entry = entry.map_err(|error| broken(error.to_string()))?;
        let is_recipe = entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "toml");
        let Some(path) = entry.path().strip_prefix(folder).ok().filter(|_| is_recipe) else {
            continue;
        };
        let text =
            std::fs::read_to_string(entry.path()).map_err(|error| broken(error.to_string()))?;
        let path = path.to_string_lossy().replace('\\', "/");
        files.push((path, entry.path().display().to_string(), text));
    }
    Ok(files)
}

/// Reads one entry from its layers, the user's last.
fn read<T: DeserializeOwned>(layers: &[(String, String)]) -> Result<T, RecipeError> {
    let [(file, text)] = layers else {
        return read_merged(layers);
    };
    toml::from_str(text).map_err(|error| located(file, text, &error))
}

fn read_merged<T: DeserializeOwned>(layers: &[(String, String)]) -> Result<T, RecipeError> {
    let mut merged = toml::Table::new();
    for (file, text) in layers {
        let table: toml::Table =
            toml::from_str(text).map_err(|error| located(file, text, &error))?;
        merge(&mut merged, table);
    }
    let (file, text) = layers.last().expect("an entry has a layer");
    T::deserialize(merged).map_err(|error| {
        // What is wrong stands in the user's file, but the merged table has no places.
        let mut found = located(file, text, &error);
        let key = found.message.split('`').nth(1).unwrap_or_default();
        let line = text
            .lines()
            .position(|line| line.trim_start().starts_with(key) && !key.is_empty());
        found.position = line.map(|line| (line + 1, 1));
        found
    })
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => merge(old, new),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

fn located(file: &str, text: &str, error: &toml::de::Error) -> RecipeError {
    let position = error.span().map(|span| {
        let source = SourceFile::new(file, text);
        let line = source.line(span.start);
        let before = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        (line, text[before..span.start].chars().count() + 1)
    });
    RecipeError {
        file: file.to_owned(),
        position,
        message: error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_can_be_read() {
        let catalog = Catalog::built_in();
        assert!(
            catalog.stacks.contains_key("python-pip"),
            "{:?}",
            catalog.entries()
        );
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("tools")).expect("made");
        let text =
            "title = \"X\"\nnames = [\"x\"]\n[[command]]\nwords = \"... now\"\ndoes = \"skip\"\n";
        std::fs::write(folder.path().join("tools/x.toml"), text).expect("written");
        let errors = Catalog::with_folders(&[folder.path().to_owned()])
            .err()
            .expect("refused");
        assert_eq!(errors[0].position.map(|(line, _)| line), Some(4));
        assert!(errors[0].message.contains("last word"), "{}", errors[0]);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("services")).expect("made");
        let text = "title = \"X\"\nimge = \"x:1\"\n";
        std::fs::write(folder.path().join("services/x.toml"), text).expect("written");
        let errors = Catalog::with_folders(&[folder.path().to_owned()])
            .err()
            .expect("refused");
        assert_eq!(errors[0].position, Some((2, 1)));
        assert!(errors[0].message.contains("imge"), "{}", errors[0]);
    }

    #[test]
    fn a_user_changes_one_field_of_a_built_in_recipe() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("services")).expect("made");
        std::fs::write(
            folder.path().join("services/redis.toml"),
            "default = \"6\"\n",
        )
        .expect("written");
        let Ok(catalog) = Catalog::with_folders(&[folder.path().to_owned()]) else {
            panic!("cannot be read");
        };
        assert_eq!(catalog.services["redis"].default, "6");
        assert_eq!(catalog.services["redis"].port, 6379);
    }

    #[test]
    fn a_word_is_found_only_whole() {
        assert!(contains_word("On macOS (Homebrew)", "macos"));
        assert!(!contains_word("machine", "mac"));
        assert!(contains_word("如何安装它", "安装"));
    }

    #[test]
    fn a_package_has_the_name_of_the_suite() {
        let catalog = Catalog::built_in();
        let on = |name: &str, suite: &str| catalog.packages_on(name, suite).join(" ");
        assert_eq!(on("libssl1.1", "bookworm"), "libssl3");
        assert_eq!(on("libssl3", "trixie"), "libssl3t64");
        assert_eq!(on("libssl1.1", "bullseye"), "libssl1.1");
        assert_eq!(on("libicu66", "trixie"), "libicu76");
        assert_eq!(on("libjpeg62", "bookworm"), "libjpeg62-turbo");
        assert_eq!(on("libjpeg62-turbo", "jammy"), "libjpeg-turbo8");
        assert_eq!(on("python", "bullseye"), "python2");
        assert_eq!(on("mysql-client", "trixie"), "default-mysql-client");
        assert_eq!(on("phantomjs", "bookworm"), "");
        assert_eq!(on("made-up", "trixie"), "made-up");
    }

    #[test]
    fn the_same_name_means_different_packages_to_different_managers() {
        let catalog = Catalog::built_in();
        let names = |manager: &str, name: &str| catalog.debian_names(manager, name).join(" ");
        assert_eq!(names("brew", "mysql-client"), "default-libmysqlclient-dev");
        assert_eq!(names("apk", "mysql-client"), "default-mysql-client");
        assert_eq!(names("yum", "libpq"), "libpq5");
        assert_eq!(names("brew", "libpq"), "libpq-dev");
        assert_eq!(
            names("brew", "imagemagick"),
            "libmagickwand-dev imagemagick"
        );
        assert_eq!(names("brew", "openssl@3"), "libssl-dev openssl");
        assert_eq!(names("yum", "git"), "git");
        assert_eq!(names("yum", "made-up"), "");
    }

    #[test]
    fn a_missing_file_names_its_package() {
        let catalog = Catalog::built_in();
        let has = |kind, name, suite| catalog.packages_with_file(kind, name, suite).join(" ");
        assert_eq!(
            has(FileKind::Header, "libxml/parser.h", "trixie"),
            "libxml2-dev"
        );
        assert_eq!(
            has(FileKind::Header, "/usr/include/ffi.h", "bookworm"),
            "libffi-dev"
        );
        assert_eq!(has(FileKind::Header, "myffi.h", "bookworm"), "");
        assert_eq!(
            has(FileKind::PkgConfig, "freetype2", "trixie"),
            "libfreetype-dev"
        );
        assert_eq!(has(FileKind::Library, "libGL.so.1", "bookworm"), "libgl1");
        assert_eq!(
            has(FileKind::Library, "libmagic.so.1", "trixie"),
            "libmagic1t64"
        );
        assert_eq!(has(FileKind::Linked, "pq", "bookworm"), "libpq-dev");
        assert_eq!(
            has(FileKind::Command, "mysql_config", "bookworm"),
            "default-libmysqlclient-dev"
        );
        assert_eq!(has(FileKind::Command, "cc", "bookworm"), "gcc");
    }
}
