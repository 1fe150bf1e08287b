//! The catalogue in `recipes/`: what is true of tools, stacks, frameworks, services and packages.
//!
//! One entry is one file, its name is its id, unknown keys are refused with their line. A user's
//! folder may add entries and change single fields of built-in ones. A [`Catalog`] is whole: what one
//! entry refers to is there, its expressions are compiled, its variables are known.

mod built_in;
mod check;
mod expression;
mod index;
mod layers;
mod model;
mod pattern;
mod recipes;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde::de::DeserializeOwned;

use crate::{
    diagnostic::nearest, input::InputFolder, limits, output::OutputPath, quote::syntax::Syntax,
    readme::Pages, repo, secret::Patterns,
};

pub use expression::Expression;
pub use layers::{Layers, Leaf, explained, position};
pub use model::*;
pub use pattern::{Matched, Pattern};
pub use recipes::Recipes;

/// The kinds of entries: folders of the catalogue.
const KINDS: [&str; 8] = [
    "runtimes",
    "stacks",
    "frameworks",
    "repairs",
    "services",
    "tools",
    "system-packages",
    "words",
];

/// All knowledge, ready for look-ups.
pub struct Catalog {
    /// Language runtimes by id.
    pub runtimes: Recipes<RuntimeRecipe>,
    /// Stacks by id.
    pub stacks: Recipes<StackRecipe>,
    /// Frameworks by id.
    pub frameworks: Recipes<FrameworkRecipe>,
    /// Backing services by id.
    pub services: Recipes<ServiceRecipe>,
    /// Command-line tools by id.
    pub tools: Recipes<ToolRecipe>,
    /// System packages and what needs them, by id of the table.
    pub system_packages: Recipes<SystemPackageTable>,
    /// Words of people: section titles, secrets, platforms, by id of the table.
    pub words: Recipes<WordTable>,
    /// What logs of failures mean, and what repairs it, by id.
    pub repairs: Recipes<RepairRecipe>,
    tool_by_name: HashMap<String, String>,
    /// The recipes of which a user wrote a part, by path.
    users: BTreeMap<String, Layers>,
    /// Where each name of a Debian package is known: the number of the table, and of the package in it.
    debian: OnceLock<HashMap<String, (usize, usize)>>,
    /// The texts of all recipes, by path, once somebody asks for one.
    entries: OnceLock<BTreeMap<String, Layers>>,
}

/// Why a file that a person wrote for longshore, a recipe or `longshore.toml`, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationError {
    /// The file.
    pub file: String,
    /// Line and column, from 1, where they are known.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigurationError {}

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
    pub fn with_folders(folders: &[PathBuf]) -> Result<Self, Vec<ConfigurationError>> {
        let mut users: BTreeMap<String, Layers> = BTreeMap::new();
        let mut errors = Vec::new();
        for folder in folders {
            match user_files(folder) {
                Ok(files) => {
                    for (path, shown, text) in files {
                        let below = || built_in_layers(path.trim_end_matches(".toml"));
                        let layers = users.entry(path.clone()).or_insert_with(below);
                        layers.push(shown, text);
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        let mut catalog = Self::only_built_in();
        for (path, layers) in users {
            if let Err(error) = catalog.add(&path, layers) {
                errors.push(error);
            }
        }
        // A recipe that could not be read would be missed by all that refer to it. Those built in
        // are checked by a test instead of at every start.
        if errors.is_empty() && !folders.is_empty() {
            errors.extend(check::errors(&catalog));
        }
        if errors.is_empty() {
            Ok(catalog)
        } else {
            Err(errors)
        }
    }

    /// Returns what is wrong with the entries that each entry by itself does not show: references
    /// that lead nowhere, variables that nothing fills.
    pub fn errors(&self) -> Vec<ConfigurationError> {
        check::errors(self)
    }

    fn only_built_in() -> Self {
        Self {
            runtimes: Recipes::built_in("runtimes"),
            stacks: Recipes::built_in("stacks"),
            frameworks: Recipes::built_in("frameworks"),
            services: Recipes::built_in("services"),
            tools: Recipes::built_in("tools"),
            system_packages: Recipes::built_in("system-packages"),
            words: Recipes::built_in("words"),
            repairs: Recipes::built_in("repairs"),
            tool_by_name: built_in::index().tools.iter().cloned().collect(),
            users: BTreeMap::new(),
            debian: OnceLock::new(),
            entries: OnceLock::new(),
        }
    }

    fn add(&mut self, path: &str, layers: Layers) -> Result<(), ConfigurationError> {
        let Some((kind, id)) = path
            .strip_suffix(".toml")
            .and_then(|path| path.split_once('/'))
        else {
            return Ok(()); // README.md of the catalogue
        };
        let id = id.to_owned();
        match kind {
            "runtimes" => self.runtimes.insert(id, layers.read()?),
            "stacks" => self.stacks.insert(id, layers.read()?),
            "frameworks" => self.frameworks.insert(id, layers.read()?),
            "services" => self.services.insert(id, layers.read()?),
            "tools" => {
                let tool: ToolRecipe = layers.read()?;
                self.tool_by_name.retain(|_, known| *known != id);
                let names = tool.names.iter().map(|name| (name.clone(), id.clone()));
                self.tool_by_name.extend(names);
                self.tools.insert(id, tool);
            }
            "system-packages" => self.system_packages.insert(id, layers.read()?),
            "words" => self.words.insert(id, layers.read()?),
            "repairs" => self.repairs.insert(id, layers.read()?),
            _ => {
                let near = nearest(kind, KINDS).map(|near| format!("did you mean `{near}/`?"));
                return Err(ConfigurationError {
                    file: layers.top().to_owned(),
                    position: None,
                    message: format!("no kind of recipe is called `{kind}`"),
                    hint: near.or_else(|| Some(format!("there are {}", KINDS.join(", ")))),
                });
            }
        }
        let entry = path.trim_end_matches(".toml").to_owned();
        self.users.insert(entry, layers);
        Ok(())
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

    /// Returns the tool that `longshore.toml` calls `name` and that can download from a mirror, with
    /// its id.
    pub fn mirrored_tool(&self, name: &str) -> Option<(&str, &MirrorRecipe)> {
        let is_called = |id: &str, tool: &ToolRecipe, mirror: &MirrorRecipe| {
            id == name
                || tool
                    .names
                    .iter()
                    .chain(&mirror.names)
                    .any(|known| known == name)
        };
        self.tools.iter().find_map(|(id, tool)| {
            let mirror = tool.mirror.as_ref()?;
            is_called(id, tool, mirror).then_some((id.as_str(), mirror))
        })
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

    /// Returns what the recipe `path`, such as `stacks/python-pip`, was read from.
    pub fn entry(&self, path: &str) -> Option<&Layers> {
        self.texts().get(path)
    }

    /// Returns what each recipe was read from, by path.
    fn texts(&self) -> &BTreeMap<String, Layers> {
        self.entries.get_or_init(|| {
            let built_in = built_in::index().recipes.keys();
            let built_in = built_in.map(|path| (path.clone(), built_in_layers(path)));
            let mut texts: BTreeMap<String, Layers> = built_in.collect();
            texts.extend(self.users.clone());
            texts
        })
    }

    /// Returns the paths of all recipes with their titles, sorted.
    pub fn entries(&self) -> Vec<(String, &str)> {
        let mut entries = Vec::new();
        fn list<'a, T: DeserializeOwned>(
            entries: &mut Vec<(String, &'a str)>,
            kind: &str,
            of: &'a Recipes<T>,
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
        list(&mut entries, "repairs", &self.repairs, |recipe| {
            &recipe.title
        });
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

    /// Returns how secrets are written.
    pub fn secrets(&self) -> Patterns<'_> {
        Patterns::new(|name| self.list("secrets", name))
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
        let places = self.debian.get_or_init(|| self.places_of_debian());
        let (table, number) = places.get(name)?;
        let mut tables = self.system_packages.values();
        tables.nth(*table)?.package.get(*number)
    }

    fn places_of_debian(&self) -> HashMap<String, (usize, usize)> {
        let tables = || self.system_packages.values().enumerate();
        let packages = || {
            tables().flat_map(|(table, known)| {
                let packages = known.package.iter().enumerate();
                packages.map(move |(number, package)| ((table, number), package))
            })
        };
        let mut places = HashMap::new();
        for (place, package) in packages() {
            places.entry(package.name.clone()).or_insert(place);
        }
        // What took the place of a dead name is a package of its own.
        for (place, package) in packages().filter(|(_, package)| package.instead.is_none()) {
            for name in package.on.values().flatten() {
                places.entry(name.clone()).or_insert(place);
            }
        }
        places
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
    end_of_word(text, word).is_some()
}

/// Returns where `word` ends in `text` for the first time, as [`contains_word`] finds it.
pub fn end_of_word(text: &str, word: &str) -> Option<usize> {
    // Chinese and Japanese write no blanks between words.
    if !word.is_ascii() {
        return end_in_any_case(text, word);
    }
    let Some(first) = word.bytes().next() else {
        return Some(0);
    };
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let starts = memchr::memchr2_iter(lower, upper, text.as_bytes());
    let mut ends = starts.filter_map(|at| {
        let end = at + word.len();
        let found = text.get(at..end)?;
        let before = text[..at].chars().next_back();
        let after = text[end..].chars().next();
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        (found.eq_ignore_ascii_case(word) && is_edge(before) && is_edge(after)).then_some(end)
    });
    ends.next()
}

fn end_in_any_case(text: &str, word: &str) -> Option<usize> {
    if text.is_ascii() {
        return None;
    }
    let begins = |text: &str| {
        let mut wanted = word.chars().flat_map(char::to_lowercase);
        let mut next = wanted.next();
        for (at, c) in text.char_indices() {
            if next.is_none() {
                return Some(at);
            }
            for c in c.to_lowercase() {
                if next != Some(c) {
                    return None;
                }
                next = wanted.next();
            }
        }
        next.is_none().then_some(text.len())
    };
    let starts = text.char_indices().map(|(at, _)| at);
    let mut ends = starts.filter_map(|at| Some(at + begins(&text[at..])?));
    ends.next()
}

/// The text of the built-in recipe `path`, to put others on top; nothing where there is none.
fn built_in_layers(path: &str) -> Layers {
    let mut layers = Layers::default();
    if let Some(place) = built_in::index().recipes.get(path) {
        let text = built_in::text(*place).to_owned();
        layers.push(format!("recipes/{path}.toml"), text);
    }
    layers
}

/// Path within the catalogue, path to show, text.
type UserFile = (String, String, String);

fn user_files(folder: &Path) -> Result<Vec<UserFile>, ConfigurationError> {
    let shown = folder.display().to_string();
    let broken = |message: String| ConfigurationError {
        file: shown.clone(),
        position: None,
        message,
        hint: None,
    };
    if !folder.is_dir() {
        return Err(ConfigurationError {
            hint: Some("`--recipes DIR` and `recipes` of longshore.toml name folders".to_owned()),
            ..broken("this folder of recipes does not exist".to_owned())
        });
    }
    let input = InputFolder::open(folder).map_err(|error| broken(error.to_string()))?;
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
        let path = path.to_string_lossy().replace('\\', "/");
        let shown = entry.path().display().to_string();
        let text = input.text(&path, limits::RECIPE);
        let text = text.map_err(|why| broken(format!("cannot read `{path}`: {why}")))?;
        files.push((path, shown, text));
        if files.len() > limits::RECIPES {
            let message = format!("there are more than {} recipes", limits::RECIPES);
            return Err(broken(message));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_is_right() {
        let errors = check::errors(&Catalog::built_in());
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn a_database_that_is_there_already_is_refused_by_a_plain_statement_only() {
        let catalog = Catalog::built_in();
        for service in ["mysql", "mariadb"] {
            let superuser = catalog.services[service].superuser.as_ref();
            let recipe = superuser.and_then(|superuser| superuser.makes_database.as_ref());
            let is_refused = |text: &str| recipe.expect("is told").is_refused_by(text);
            // Names may begin with `if`, and be words of the language where they are quoted.
            for name in ["shop", "`shop`", "iffy", "`if`", "i", "2shops"] {
                assert!(
                    is_refused(&format!("USE a;\ncreate  schema {name};")),
                    "{name}"
                );
            }
            let harmless = "CREATE DATABASE IF NOT EXISTS shop;\n";
            let dumped = "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop`;\n";
            assert!(!is_refused(harmless) && !is_refused(dumped));
            assert!(!is_refused(
                "-- CREATE DATABASE shop;\nCREATE TABLE database_shop (a INT);"
            ));
            assert!(is_refused(&format!("{harmless}CREATE DATABASE more;")));
        }
    }

    #[test]
    fn the_build_and_a_reading_of_the_texts_give_the_same_recipes() {
        fn check<T: DeserializeOwned + fmt::Debug>(kind: &str, recipes: &Recipes<T>) {
            for (id, recipe) in recipes {
                let layers = built_in_layers(&format!("{kind}/{id}"));
                let read: T = layers.read().expect("it reads");
                assert_eq!(format!("{recipe:?}"), format!("{read:?}"), "{kind}/{id}");
            }
        }
        let catalog = Catalog::built_in();
        check("runtimes", &catalog.runtimes);
        check("stacks", &catalog.stacks);
        check("frameworks", &catalog.frameworks);
        check("services", &catalog.services);
        check("tools", &catalog.tools);
        check("system-packages", &catalog.system_packages);
        check("words", &catalog.words);
        check("repairs", &catalog.repairs);
    }

    /// The catalogue with one file of a user on top.
    fn with(path: &str, text: &str) -> Result<Catalog, Vec<ConfigurationError>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(path);
        std::fs::create_dir(path.parent().expect("has a parent")).expect("made");
        std::fs::write(path, text).expect("written");
        Catalog::with_folders(&[folder.path().to_owned()])
    }

    #[track_caller]
    fn refused(path: &str, text: &str, position: (usize, usize), message: &str, hint: &str) {
        let errors = with(path, text).err().expect("refused");
        assert_eq!(errors[0].position, Some(position), "{errors:?}");
        assert!(errors[0].file.ends_with(path), "{errors:?}");
        assert_eq!(errors[0].message, message);
        let said = errors[0].hint.as_deref().unwrap_or_default();
        assert!(said.contains(hint), "{said}");
    }

    #[test]
    fn a_pattern_that_cannot_be_read_is_refused_with_its_place() {
        refused(
            "tools/x.toml",
            "title = \"X\"\nnames = [\"x\"]\n[[command]]\nwords = \"... now\"\ndoes = \"skip\"\n",
            (4, 9),
            "`...` must be the last word of `... now`",
            "",
        );
    }

    #[test]
    fn an_unknown_key_is_refused_in_every_kind() {
        for kind in KINDS {
            refused(
                &format!("{kind}/x.toml"),
                "titel = \"X\"\n",
                (1, 1),
                "unknown key `titel`",
                "did you mean `title`?",
            );
        }
    }

    #[test]
    fn an_unknown_key_in_a_changed_entry_is_found_in_the_users_file() {
        refused(
            "services/redis.toml",
            "default = \"6\"\n\n[detect]\npackges = [\"x\"]\n",
            (4, 1),
            "unknown key `packges`",
            "did you mean `packages`?",
        );
    }

    #[test]
    fn a_version_without_suite_is_refused() {
        refused(
            "runtimes/python.toml",
            "[[version]]\nversion = \"3.99\"\nends = \"2040-01-01\"\n",
            (1, 1),
            "the key `suite` is missing",
            "add `suite = …`",
        );
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        refused(
            "runtimes/python.toml",
            "[[version]]\nversion = \"3.11\"\nends = \"2027-31-10\"\n",
            (3, 8),
            "`2027-31-10` is no day",
            "year, month and day",
        );
    }

    #[test]
    fn a_fact_without_source_is_refused() {
        let table = "title = \"X\"\nlanguage = \"python\"\n[[needs]]\npackage = \"x\"\n";
        refused(
            "system-packages/x.toml",
            table,
            (3, 1),
            "the key `source` is missing",
            "add `source = …`",
        );
        refused(
            "system-packages/x.toml",
            &format!("{table}source = \" \"\n"),
            (5, 10),
            "the fact has no source",
            "where it is said",
        );
    }

    #[test]
    fn an_expression_that_does_not_compile_is_refused_with_its_place() {
        refused(
            "stacks/python-pip.toml",
            "imports = [\"ok ([a-z]+)\", \"(open\"]\n",
            (1, 27),
            "the regular expression `(open` does not compile: unclosed group",
            "",
        );
    }

    #[test]
    fn an_expression_without_the_group_that_is_read_is_refused() {
        refused(
            "stacks/python-pip.toml",
            "port_reads = [\"port=[0-9]+\"]\n",
            (1, 15),
            "the regular expression `port=[0-9]+` needs 1 group(s)",
            "(…)",
        );
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_refused() {
        refused(
            "stacks/python-pip.toml",
            "runtime = \"pyton\"\n",
            (1, 11),
            "no runtime is called `pyton`",
            "did you mean `python`?",
        );
        refused(
            "frameworks/django.toml",
            "refines = [\n  \"flask\",\n  \"djang\",\n]\n",
            (3, 3),
            "no framework is called `djang`",
            "did you mean `django`?",
        );
    }

    #[test]
    fn refining_in_a_circle_is_refused() {
        let errors = with("frameworks/django.toml", "refines = [\"django\"]\n").err();
        let errors = errors.expect("refused");
        assert!(errors[0].message.contains("refines itself"), "{errors:?}");
    }

    #[test]
    fn a_variable_that_nothing_fills_is_refused() {
        refused(
            "runtimes/python.toml",
            "image = \"python:{versoin}-slim\"\n",
            (1, 9),
            "nothing fills `{versoin}`",
            "did you mean `{version}`?",
        );
        refused(
            "services/postgres.toml",
            "[settings]\nPOSTGRES_PASSWORD = \"${POSTGRES_PASWORD}\"\n",
            (2, 21),
            "nothing fills `${POSTGRES_PASWORD}`",
            "did you mean `${POSTGRES_PASSWORD}`?",
        );
    }

    #[test]
    fn a_tool_named_twice_is_refused() {
        let errors = with(
            "tools/zzz.toml",
            "title = \"Z\"\nnames = [\"zzz\", \"pip\"]\n",
        )
        .err();
        let errors = errors.expect("refused");
        assert_eq!(errors[0].position, Some((2, 17)), "{errors:?}");
        assert_eq!(errors[0].message, "`pip` is also a name of tools/pip");
    }

    #[test]
    fn a_user_changes_one_field_of_a_built_in_recipe() {
        let Ok(catalog) = with("services/redis.toml", "default = \"6\"\n") else {
            panic!("cannot be read");
        };
        assert_eq!(catalog.services["redis"].default, "6");
        assert_eq!(catalog.services["redis"].port, 6379);
    }

    #[test]
    fn a_user_changes_one_element_of_a_list_of_tables() {
        let built_in = Catalog::built_in().runtimes["python"].version.len();
        let text = "[[version]]\nversion = \"3.9\"\nsuite = \"bullseye\"\n\n[[version]]\nversion = \"3.5\"\nsuite = \"stretch\"\nends = \"2020-09-30\"\n";
        let Ok(catalog) = with("runtimes/python.toml", text) else {
            panic!("cannot be read");
        };
        let versions = &catalog.runtimes["python"].version;
        let named = |name: &str| versions.iter().position(|known| known.version == name);
        let changed = &versions[named("3.9").expect("is there")];
        assert_eq!(changed.suite, "bullseye");
        assert_eq!(changed.ends, "2025-10-31");
        assert_eq!(versions.len(), built_in + 1);
        assert!(named("3.5") < named("3.6"), "oldest first");
    }

    #[test]
    fn a_user_changes_one_package_of_a_table() {
        let text = "[[package]]\nname = \"libpq-dev\"\nruntime = [\"libpq5-of-ours\"]\n";
        let file = Catalog::built_in()
            .system_packages
            .iter()
            .find(|(_, table)| table.package.iter().any(|known| known.name == "libpq-dev"))
            .map(|(id, _)| format!("system-packages/{id}.toml"))
            .expect("is known");
        let Ok(catalog) = with(&file, text) else {
            panic!("cannot be read");
        };
        let package = catalog.debian_package("libpq-dev").expect("is known");
        assert_eq!(package.runtime, ["libpq5-of-ours"]);
        assert_eq!(package.stage, PackageStage::Build, "as built in");
    }

    #[test]
    fn a_user_replaces_a_list() {
        let text = "replace = [\"start\"]\n[[start]]\ncommand = \"ours\"\n";
        let Ok(catalog) = with("stacks/python-pip.toml", text) else {
            panic!("cannot be read");
        };
        let commands: Vec<&str> = catalog.stacks["python-pip"]
            .start
            .iter()
            .map(|start| start.command.as_str())
            .collect();
        assert_eq!(commands, ["ours"]);
    }

    #[test]
    fn a_kind_that_does_not_exist_is_refused() {
        let errors = with("service/x.toml", "title = \"X\"\n")
            .err()
            .expect("refused");
        assert_eq!(errors[0].hint.as_deref(), Some("did you mean `services/`?"));
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
