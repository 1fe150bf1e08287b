//! What is wrong with a catalogue beyond the single field: references that lead nowhere, variables
//! that nothing fills, dates, names given twice.

use std::collections::BTreeMap;

use super::{
    Catalog, ConfigurationError, Expression, KINDS, Leaf, LogSign, RepairRecipe, VersionFormat,
};
use crate::{
    diagnostic::nearest,
    name::{ImageReference, VariableName},
    repo,
    shell::is_name,
};

/// Variables that are filled into a text, by the kind of recipe and the path of the field (`*` for
/// one key or index). `own` stands for the entry's `[variable.NAME]`, `secrets` for `${NAME}` of its
/// `secrets`.
const FILLED: &[(&str, &str, &[&str])] = &[
    ("runtimes", "image", &["version", "suite"]),
    ("runtimes", "certificate.run.*", &["certificate"]),
    ("tools", "mirror.env.*", &["url"]),
    ("tools", "mirror.before", &["url"]),
    ("stacks", "image.build", &["runtime", "version", "suite"]),
    ("stacks", "image.run", &["runtime", "version", "suite"]),
    ("stacks", "image.health_command", &["url"]),
    ("stacks", "image.run_env.*", &["app", "port"]),
    ("stacks", "image.run_setup.*.command", &["port", "own"]),
    ("stacks", "install.*.run", &["own"]),
    ("stacks", "lifecycle.way.*.run", &["script"]),
    ("stacks", "build.*.command", &["port", "own"]),
    ("stacks", "start.*.command", &["port", "own"]),
    ("stacks", "program.command.*", &["name", "entry"]),
    (
        "frameworks",
        "image.build",
        &["runtime", "version", "suite"],
    ),
    ("frameworks", "image.run", &["runtime", "version", "suite"]),
    ("frameworks", "health_host", &["own"]),
    ("frameworks", "image.health_command", &["url"]),
    ("frameworks", "image.run_env.*", &["app", "port"]),
    ("frameworks", "image.run_setup.*.command", &["port", "own"]),
    ("frameworks", "build.*.command", &["port", "own"]),
    ("frameworks", "prepare.*.command", &["port", "own"]),
    ("frameworks", "start.*.command", &["port", "own"]),
    ("frameworks", "own_server.command", &["file", "port", "own"]),
    ("frameworks", "own_server.busy.edit.*", &["file", "name"]),
    ("services", "image", &["version"]),
    ("services", "username", &["name"]),
    ("services", "database", &["name"]),
    (
        "services",
        "url",
        &["scheme", "user", "database", "name", "secrets"],
    ),
    (
        "services",
        "dsn.value",
        &["user", "database", "name", "secrets"],
    ),
    (
        "services",
        "settings.*",
        &["user", "database", "name", "secrets", "host"],
    ),
    (
        "services",
        "client.*.env.*",
        &["user", "database", "name", "secrets"],
    ),
    ("services", "contents.each", &["name"]),
    ("services", "contents.url", &["name"]),
    (
        "services",
        "contents.settings.*",
        &["user", "database", "contents", "secrets", "host"],
    ),
    ("services", "contents.entrypoint.*", &["contents"]),
    (
        "services",
        "frameworks.*.*",
        &["user", "database", "name", "secrets"],
    ),
    ("services", "healthcheck.*", &["user", "database", "name"]),
    ("services", "load", &["user", "database", "file"]),
    ("tools", "command.*.compiled.build", &["folder", "name"]),
    ("tools", "command.*.compiled.path", &["name"]),
    ("tools", "package.install", &[]),
    ("stacks", "own_install", &[]),
    ("stacks", "image.setup.*", &[]),
    ("stacks", "image.finish.*", &[]),
];

/// References of images, in which variables are filled.
const IMAGES: &[(&str, &str)] = &[
    ("runtimes", "image"),
    ("stacks", "image.build"),
    ("stacks", "image.run"),
    ("frameworks", "image.build"),
    ("frameworks", "image.run"),
    ("services", "image"),
];

/// Tables whose keys are names of environment variables.
const ENVIRONMENTS: &[(&str, &str)] = &[
    ("stacks", "image.build_env."),
    ("stacks", "image.run_env."),
    ("frameworks", "image.build_env."),
    ("frameworks", "image.run_env."),
    ("services", "settings."),
];

/// Lists of names of environment variables.
const VARIABLES: &[(&str, &str)] = &[("services", "secrets.*")];

/// Fields of a repair that the groups of its signs are filled into.
const FILLED_BY_SIGNS: [&str; 13] = [
    "title",
    "advice",
    "otherwise",
    "edit.*.build.*",
    "edit.*.run.*",
    "edit.*.package",
    "edit.*.command",
    "edit.*.piece",
    "edit.*.by",
    "edit.*.version",
    "edit.*.value",
    "edit.*.path",
    "edit.*.words.*",
];

/// Fields that hold a day.
const DAYS: [(&str, &str); 2] = [("runtimes", "checked"), ("runtimes", "version.*.ends")];

/// Fields that say where a fact is written.
const SOURCES: [(&str, &str); 7] = [
    ("runtimes", "source"),
    ("runtimes", "hands_on.source"),
    ("frameworks", "proxied.*.source"),
    ("repairs", "source"),
    ("system-packages", "needs.*.source"),
    ("services", "contents.source"),
    ("services", "client.*.source"),
];

/// Fields that hold a pattern of a path.
const PATH_PATTERNS: [(&str, &str); 15] = [
    ("stacks", "detect.files.*"),
    ("stacks", "detect.only_with.*"),
    ("stacks", "detect.unless_files.*"),
    ("stacks", "own_sources.*.file"),
    ("stacks", "detect.run_files.*"),
    ("stacks", "pages.*"),
    ("stacks", "detect.weak_files.*"),
    ("stacks", "declared.*.file"),
    ("stacks", "image.manifests.*"),
    ("stacks", "variable.*.file"),
    ("frameworks", "detect.files.*"),
    ("frameworks", "detect.text.*.file"),
    ("frameworks", "variable.*.file"),
    ("frameworks", "proxied.*.file"),
    ("system-packages", "gone.*.pattern"),
];

/// Returns what is wrong with `catalog`, by file and place.
pub fn errors(catalog: &Catalog) -> Vec<ConfigurationError> {
    let mut found = Found {
        catalog,
        errors: Vec::new(),
    };
    found.references();
    found.names_given_twice();
    found.versions();
    found.groups();
    found.texts();
    found.syntaxes();
    found.repairs();
    found.errors
}

struct Found<'c> {
    catalog: &'c Catalog,
    errors: Vec<ConfigurationError>,
}

impl Found<'_> {
    fn say(&mut self, entry: &str, path: &str, message: String, hint: Option<String>) {
        let Some(layers) = self.catalog.entry(entry) else {
            return;
        };
        let mut error = layers.error_at(path, message);
        error.hint = hint;
        self.errors.push(error);
    }

    /// Requires that `id`, written at `path` of `entry`, is an entry of one of `kinds`.
    fn require(&mut self, entry: &str, path: &str, id: &str, kinds: &[&str]) {
        let is_known = |kind: &&str| self.catalog.entry(&format!("{kind}/{id}")).is_some();
        if kinds.iter().any(is_known) {
            return;
        }
        let names = self.catalog.texts().keys().filter_map(|entry| {
            let (kind, id) = entry.split_once('/')?;
            kinds.contains(&kind).then_some(id)
        });
        let singular: Vec<&str> = kinds
            .iter()
            .map(|kind| kind.trim_end_matches('s'))
            .collect();
        let hint = match nearest(id, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "add `{}/{id}.toml`, or name one of `longshore recipes list`",
                kinds[0]
            ),
        };
        let message = format!("no {} is called `{id}`", singular.join(" or "));
        self.say(entry, path, message, Some(hint));
    }

    fn require_all(&mut self, entry: &str, path: &str, ids: &[String], kinds: &[&str]) {
        for (index, id) in ids.iter().enumerate() {
            self.require(entry, &format!("{path}.{index}"), id, kinds);
        }
    }

    fn references(&mut self) {
        let catalog = self.catalog;
        for (id, stack) in &catalog.stacks {
            let entry = format!("stacks/{id}");
            self.require(&entry, "runtime", &stack.runtime, &["runtimes"]);
            self.require_all(&entry, "refines", &stack.refines, &["stacks"]);
            self.require_all(&entry, "detect.tools", &stack.detect.tools, &["tools"]);
        }
        for (id, framework) in &catalog.frameworks {
            let entry = format!("frameworks/{id}");
            self.require_all(&entry, "stacks", &framework.stacks, &["stacks"]);
            self.require_all(&entry, "refines", &framework.refines, &["frameworks"]);
        }
        for (id, service) in &catalog.services {
            let entry = format!("services/{id}");
            let others = &service.detect.instead_of;
            self.require_all(&entry, "detect.instead_of", others, &["services"]);
            for framework in service.frameworks.keys() {
                let path = format!("frameworks.{framework}");
                self.require(&entry, &path, framework, &["frameworks"]);
            }
        }
        for (id, tool) in &catalog.tools {
            let entry = format!("tools/{id}");
            if let Some(package) = &tool.package {
                self.require_all(&entry, "package.stacks", &package.stacks, &["stacks"]);
            }
            for (index, rule) in tool.command.iter().enumerate() {
                if let Some(service) = &rule.service {
                    let path = format!("command.{index}.service");
                    self.require(&entry, &path, service, &["services"]);
                }
            }
        }
        let stacks = catalog.stacks.iter();
        self.circles(
            "stacks",
            stacks.map(|(id, stack)| (id.as_str(), stack.refines.as_slice())),
        );
        let frameworks = catalog.frameworks.iter();
        let refines = frameworks.map(|(id, framework)| (id.as_str(), framework.refines.as_slice()));
        self.circles("frameworks", refines);
        for (id, repair) in &catalog.repairs {
            let entry = format!("repairs/{id}");
            self.require_all(&entry, "refines", &repair.refines, &["repairs"]);
            self.require_all(
                &entry,
                "when.runtimes",
                &repair.when.runtimes,
                &["runtimes"],
            );
        }
        let repairs = catalog.repairs.iter();
        self.circles(
            "repairs",
            repairs.map(|(id, repair)| (id.as_str(), repair.refines.as_slice())),
        );
    }

    /// Entries that are special cases of themselves.
    fn circles<'r>(&mut self, kind: &str, refines: impl Iterator<Item = (&'r str, &'r [String])>) {
        let refines: BTreeMap<&str, &[String]> = refines.collect();
        for start in refines.keys() {
            let mut seen: Vec<&str> = Vec::new();
            let mut open = vec![*start];
            while let Some(id) = open.pop() {
                for general in refines.get(id).copied().unwrap_or_default() {
                    if general == start {
                        self.say(
                            &format!("{kind}/{start}"),
                            "refines",
                            format!("`{start}` refines itself, by way of `{id}`"),
                            Some(
                                "keep only the reference from the special case to the general one"
                                    .to_owned(),
                            ),
                        );
                        return;
                    }
                    if !seen.contains(&general.as_str()) {
                        seen.push(general);
                        open.push(general);
                    }
                }
            }
        }
    }

    fn names_given_twice(&mut self) {
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, tool) in &self.catalog.tools {
            for (index, name) in tool.names.iter().enumerate() {
                if let Some(other) = named.insert(name, id) {
                    self.say(
                        &format!("tools/{id}"),
                        &format!("names.{index}"),
                        format!("`{name}` is also a name of tools/{other}"),
                        Some(format!("change tools/{other}.toml instead, or leave the name out of one of them")),
                    );
                }
            }
        }
    }

    fn versions(&mut self) {
        for (id, runtime) in &self.catalog.runtimes {
            let entry = format!("runtimes/{id}");
            let versions: Vec<&str> = runtime
                .version
                .iter()
                .map(|known| known.version.as_str())
                .collect();
            if !versions.contains(&runtime.default.as_str()) {
                self.say(
                    &entry,
                    "default",
                    format!("no `[[version]]` is `{}`", runtime.default),
                    Some(format!("there are {}", versions.join(", "))),
                );
            }
            for (index, version) in runtime.version.iter().enumerate() {
                if version.suite.trim().is_empty() {
                    let hint = "write the Debian suite in the tag of its image, such as `bookworm`";
                    self.say(
                        &entry,
                        &format!("version.{index}.suite"),
                        format!("version {} has no suite", version.version),
                        Some(hint.to_owned()),
                    );
                }
            }
            for (index, file) in runtime.requested_in.iter().enumerate() {
                let missing = match file.format {
                    VersionFormat::Line => None,
                    VersionFormat::Json | VersionFormat::Toml => {
                        file.key.is_none().then_some("key")
                    }
                    VersionFormat::Pattern => file.pattern.is_none().then_some("pattern"),
                };
                if let Some(missing) = missing {
                    self.say(
                        &entry,
                        &format!("requested_in.{index}.format"),
                        format!(
                            "`{}` is read by its `{missing}`, which is not given",
                            file.file
                        ),
                        Some(format!("add `{missing} = …` to this table")),
                    );
                }
            }
        }
        for (id, service) in &self.catalog.services {
            if !service.versions.contains(&service.default) {
                self.say(
                    &format!("services/{id}"),
                    "default",
                    format!("`{}` is none of `versions`", service.default),
                    Some(format!("there are {}", service.versions.join(", "))),
                );
            }
        }
    }

    /// Expressions without the groups that are read.
    fn groups(&mut self) {
        let catalog = self.catalog;
        for (id, stack) in &catalog.stacks {
            let entry = format!("stacks/{id}");
            for (field, expressions, groups) in [
                ("imports", &stack.imports, 1),
                ("port_reads", &stack.port_reads, 1),
                ("log_files", &stack.log_files, 1),
                ("data_files", &stack.data_files, 2),
            ] {
                for (index, expression) in expressions.iter().enumerate() {
                    self.require_groups(&entry, &format!("{field}.{index}"), expression, groups);
                }
            }
            for (index, expression) in stack.env_reads.iter().enumerate() {
                self.require_group(&entry, &format!("env_reads.{index}"), expression, "name");
            }
            for (name, variable) in &stack.variable {
                if let Some(expression) = &variable.pattern {
                    self.require_groups(&entry, &format!("variable.{name}.pattern"), expression, 1);
                }
            }
        }
        for (id, tool) in &catalog.tools {
            if let Some(expression) = &tool.configured_file {
                self.require_groups(&format!("tools/{id}"), "configured_file", expression, 1);
            }
        }
        for (id, framework) in &catalog.frameworks {
            let entry = format!("frameworks/{id}");
            for (name, variable) in &framework.variable {
                if let Some(expression) = &variable.pattern {
                    self.require_groups(&entry, &format!("variable.{name}.pattern"), expression, 1);
                }
            }
            if let Some(own) = &framework.own_server {
                self.require_group(&entry, "own_server.runs", &own.runs, "arguments");
                if let Some(busy) = &own.busy {
                    self.require_group(&entry, "own_server.busy.sign", &busy.sign, "work");
                    self.require_group(&entry, "own_server.busy.runs", &busy.runs, "name");
                }
            }
        }
        for (id, runtime) in &catalog.runtimes {
            let entry = format!("runtimes/{id}");
            for (index, file) in runtime.requested_in.iter().enumerate() {
                if let Some(expression) = &file.pattern {
                    self.require_groups(
                        &entry,
                        &format!("requested_in.{index}.pattern"),
                        expression,
                        1,
                    );
                }
            }
            for (index, asking) in runtime.asked_by.iter().enumerate() {
                self.require_groups(&entry, &format!("asked_by.{index}.word"), &asking.word, 1);
            }
        }
    }

    /// Repairs: names that not every sign has a group for, tables whose name no sign reads, and
    /// examples that no sign fits.
    fn repairs(&mut self) {
        let catalog = self.catalog;
        for (id, repair) in &catalog.repairs {
            let entry = format!("repairs/{id}");
            for (index, sign) in repair.log.iter().enumerate() {
                if let Some(look_up) = &repair.look_up {
                    self.require_group(
                        &entry,
                        &format!("log.{index}.pattern"),
                        &sign.pattern,
                        &look_up.name,
                    );
                }
            }
            self.filled_by_signs(&entry, repair);
            let fits = |example: &String| {
                let lines: Vec<&str> = example.lines().collect();
                repair
                    .log
                    .iter()
                    .any(|sign| sign.find(&lines, None, &[]).is_some())
            };
            if repair.log.is_empty() != repair.last_resort {
                self.say(
                    &entry,
                    "",
                    "a rule has signs in the log or is a last resort".to_owned(),
                    Some("add `[[log]]`, or write `last-resort = true`".to_owned()),
                );
            }
            if repair
                .example
                .as_ref()
                .is_some_and(|example| !fits(example))
            {
                self.say(
                    &entry,
                    "example",
                    "no `[[log]]` of this recipe fits the example".to_owned(),
                    Some("write the lines of a log that it is meant for".to_owned()),
                );
            }
        }
    }

    fn filled_by_signs(&mut self, entry: &str, repair: &RepairRecipe) {
        let groups = |sign: &LogSign| -> Vec<String> {
            let names = sign.pattern.capture_names().flatten();
            names.map(str::to_owned).collect()
        };
        let mut known = repair.log.first().map(groups).unwrap_or_default();
        for sign in &repair.log {
            let has = groups(sign);
            known.retain(|name| has.contains(name));
        }
        let Some(layers) = self.catalog.entry(entry) else {
            return;
        };
        let leaves = layers.leaves();
        let is_filled = |leaf: &&Leaf| FILLED_BY_SIGNS.iter().any(|path| fits(path, &leaf.path));
        for leaf in leaves.iter().filter(is_filled) {
            let mut candidates: Vec<&str> = known.iter().map(String::as_str).collect();
            if repair.look_up.is_some() && leaf.path != "otherwise" && leaf.path != "title" {
                candidates.extend(["package", "install"]);
            }
            if repair.last_resort {
                candidates.push("date");
                candidates.extend(repair.tools_since.as_ref().map(|_| "tools_date"));
            }
            for (name, is_secret) in named_variables(&leaf.value) {
                if is_secret || candidates.contains(&name) {
                    continue;
                }
                let hint = match nearest(name, candidates.iter().copied()) {
                    Some(near) => format!("did you mean `{{{near}}}`?"),
                    None if candidates.is_empty() => {
                        "no group is in all patterns of `[[log]]`".to_owned()
                    }
                    None => format!("known here: {}", candidates.join(", ")),
                };
                let message = format!("nothing fills `{{{name}}}`");
                self.say(entry, &leaf.path, message, Some(hint));
            }
        }
    }

    fn require_groups(&mut self, entry: &str, path: &str, expression: &Expression, groups: usize) {
        // The first capture is the whole match.
        if expression.captures_len() <= groups {
            self.say(
                entry,
                path,
                format!(
                    "the regular expression `{}` needs {groups} group(s)",
                    expression.as_str()
                ),
                Some("put what is to be read into `(…)`".to_owned()),
            );
        }
    }

    fn require_group(&mut self, entry: &str, path: &str, expression: &Expression, name: &str) {
        if !expression
            .capture_names()
            .flatten()
            .any(|known| known == name)
        {
            self.say(
                entry,
                path,
                format!(
                    "the regular expression `{}` has no group `{name}`",
                    expression.as_str()
                ),
                Some(format!("put what is to be read into `(?<{name}>…)`")),
            );
        }
    }

    /// How a file is read must be known where values of the tree stand in it.
    fn syntaxes(&mut self) {
        let catalog = self.catalog;
        let of_stacks = catalog
            .stacks
            .iter()
            .map(|(id, it)| ("stacks", id, &it.image.file));
        let frameworks = catalog.frameworks.iter();
        let of_frameworks = frameworks.map(|(id, it)| ("frameworks", id, &it.image.file));
        for (kind, id, files) in of_stacks.chain(of_frameworks) {
            let filled = catalog.variables_of(kind, id);
            for (index, file) in files.iter().enumerate() {
                let mut named = named_variables(&file.contents).into_iter();
                let value = named.find(|(name, _)| filled.contains(name));
                let Some((name, _)) = value.filter(|_| file.syntax.is_none()) else {
                    continue;
                };
                self.say(
                    &format!("{kind}/{id}"),
                    &format!("image.file.{index}.contents"),
                    format!("`{{{name}}}` is filled into `{}`, whose `syntax` is not said", file.path),
                    Some("say how the file is read: `nginx`, `apache`, `ini`, `xml`, `json`, `toml`, `properties` or `php`".to_owned()),
                );
            }
        }
    }

    /// Variables, days, sources and path patterns.
    fn texts(&mut self) {
        let catalog = self.catalog;
        for (entry, layers) in catalog.texts() {
            let Some((kind, id)) = entry.split_once('/') else {
                continue;
            };
            debug_assert!(KINDS.contains(&kind));
            let leaves = layers.leaves();
            for leaf in leaves.iter().filter(|leaf| leaf.is_text) {
                let is_field = |(of, path): &(&str, &str)| *of == kind && fits(path, &leaf.path);
                if DAYS.iter().any(is_field) && !is_day(&leaf.value) {
                    self.say(
                        entry,
                        &leaf.path,
                        format!("`{}` is no day", leaf.value),
                        Some("write year, month and day as `2027-10-31`".to_owned()),
                    );
                }
                if SOURCES.iter().any(is_field) && leaf.value.trim().is_empty() {
                    self.say(
                        entry,
                        &leaf.path,
                        "the fact has no source".to_owned(),
                        Some("write the address or the document where it is said".to_owned()),
                    );
                }
                if PATH_PATTERNS.iter().any(is_field) && repo::matcher(&leaf.value).is_none() {
                    self.say(
                        entry,
                        &leaf.path,
                        format!("`{}` is no pattern of a path", leaf.value),
                        Some(
                            "write `*` for a part of a name, `**` for folders, `{a,b}` for either"
                                .to_owned(),
                        ),
                    );
                }
                self.names(entry, kind, leaf);
                let filled = FILLED
                    .iter()
                    .find(|(of, path, _)| *of == kind && fits(path, &leaf.path));
                if let Some((_, _, variables)) = filled {
                    self.variables(entry, kind, id, leaf, variables);
                }
            }
        }
    }

    /// Names that files of a container must be able to hold.
    fn names(&mut self, entry: &str, kind: &str, leaf: &Leaf) {
        let is_field = |(of, path): &&(&str, &str)| *of == kind && fits(path, &leaf.path);
        let filled = named_variables(&leaf.value)
            .into_iter()
            .fold(leaf.value.clone(), |text, (name, _)| {
                text.replace(&format!("{{{name}}}"), "1")
            });
        if IMAGES.iter().any(|field| is_field(&field)) && ImageReference::parse(&filled).is_none() {
            let message = format!("`{}` is no reference of an image", leaf.value);
            let hint = "write `registry.example/path/name:tag`";
            self.say(entry, &leaf.path, message, Some(hint.to_owned()));
        }
        let mut tables = ENVIRONMENTS.iter().filter(|(of, _)| *of == kind);
        let key = tables.find_map(|(_, table)| leaf.path.strip_prefix(table));
        let listed = VARIABLES.iter().any(|field| is_field(&field));
        let name = key.or_else(|| listed.then_some(leaf.value.as_str()));
        if let Some(name) = name.filter(|name| VariableName::parse(name).is_none()) {
            let message = format!("`{name}` is no name of an environment variable");
            let hint = "use letters, digits and `_`";
            self.say(entry, &leaf.path, message, Some(hint.to_owned()));
        }
    }

    fn variables(&mut self, entry: &str, kind: &str, id: &str, leaf: &Leaf, filled: &[&str]) {
        let mut known: Vec<&str> = filled
            .iter()
            .copied()
            .filter(|name| !["own", "secrets"].contains(name))
            .collect();
        if filled.contains(&"own") {
            known.extend(["program", "environment", "base"]);
            known.extend(self.catalog.variables_of(kind, id));
        }
        let secrets = self
            .catalog
            .services
            .get(id)
            .map(|service| service.secrets.as_slice());
        for (name, is_secret) in named_variables(&leaf.value) {
            let (mark, candidates): (_, Vec<&str>) = match (is_secret, filled.contains(&"secrets"))
            {
                (true, true) => (
                    "$",
                    secrets
                        .unwrap_or_default()
                        .iter()
                        .map(String::as_str)
                        .collect(),
                ),
                // A variable of the shell.
                (true, false) => continue,
                (false, _) => ("", known.clone()),
            };
            if candidates.contains(&name) {
                continue;
            }
            let hint = match nearest(name, candidates.iter().copied()) {
                Some(near) => format!("did you mean `{mark}{{{near}}}`?"),
                None if candidates.is_empty() => "no variable is filled in here".to_owned(),
                None => format!("known here: {}", candidates.join(", ")),
            };
            self.say(
                entry,
                &leaf.path,
                format!("nothing fills `{mark}{{{name}}}`"),
                Some(hint),
            );
        }
    }
}

impl Catalog {
    /// Names of the values that are found in the tree for the commands of an entry.
    fn variables_of(&self, kind: &str, id: &str) -> Vec<&str> {
        let of_stack = |id: &str| self.stacks.get(id).map(|stack| &stack.variable);
        let tables: Vec<_> = match (kind, self.frameworks.get(id)) {
            ("frameworks", Some(framework)) => {
                let stacks = framework.stacks.iter().filter_map(|stack| of_stack(stack));
                stacks.chain([&framework.variable]).collect()
            }
            _ => of_stack(id).into_iter().collect(),
        };
        tables
            .into_iter()
            .flat_map(|table| table.keys().map(String::as_str))
            .collect()
    }
}

/// Returns whether `path` is the one that `pattern` means: `*` stands for one key or index.
fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('.');
    let all = pattern.split('.').all(|wanted| {
        parts
            .next()
            .is_some_and(|part| wanted == "*" || wanted == part)
    });
    all && parts.next().is_none()
}

/// Returns the names in `{name}` and `${name}` of `text`, the latter with `true`.
fn named_variables(text: &str) -> Vec<(&str, bool)> {
    let found = text.match_indices('{').filter_map(|(at, _)| {
        let (name, _) = text[at + 1..].split_once('}')?;
        is_name(name).then(|| (name, text[..at].ends_with('$')))
    });
    found.collect()
}

/// Returns whether `text` is a day of ISO 8601, such as `2027-10-31`.
fn is_day(text: &str) -> bool {
    let day: Option<toml::value::Datetime> = text.parse().ok();
    day.is_some_and(|day| day.date.is_some() && day.time.is_none() && day.offset.is_none())
}
