//! Which extensions the runtime is given, and by which commands.
//!
//! They are built in the build stage, which also needs them to install what requires them; the run
//! stage takes over the finished files and has only the libraries that they open.

use std::collections::BTreeMap;

use super::{
    ArtifactCopy, Command, Origin, OriginKind, Service,
    input::Input,
    version::{compare, numbers},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::normal_name,
    recipe::{Extension, ExtensionWays},
};

/// The extensions that an application needs, by name.
pub struct Extensions<'c> {
    /// How the image is given them, with the id of the table; none for most languages.
    ways: Option<(&'c str, &'c ExtensionWays)>,
    /// Those that fit the version of the runtime.
    known: Vec<&'c Extension>,
    wanted: BTreeMap<&'c str, (&'c Extension, Vec<Origin>)>,
}

impl<'c> Extensions<'c> {
    /// Returns the extensions that manifests require, declared packages need and source code uses,
    /// for the version `version` of the runtime.
    pub fn needed(
        input: &Input<'_, 'c>,
        version: &str,
        services: &[Service],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let (selection, catalog) = (input.selection, input.catalog);
        let language = &selection.stack.language;
        let fits = |extension: &&Extension| {
            let against = |limit: &String| compare(&numbers(version), &numbers(limit));
            let is_later = extension
                .since
                .as_ref()
                .is_none_or(|at| against(at).is_ge());
            let is_earlier = extension
                .below
                .as_ref()
                .is_none_or(|at| against(at).is_lt());
            is_later && is_earlier
        };
        let mut extensions = Self {
            ways: catalog.extension_ways(language),
            known: catalog.extensions(language).filter(fits).collect(),
            wanted: BTreeMap::new(),
        };
        let Some((table, ways)) = extensions.ways else {
            return extensions;
        };
        for extension in extensions.known.clone() {
            let mut names = vec![format!("{}{}", ways.prefix, extension.name)];
            names.extend(extension.used_by.iter().cloned());
            for name in names {
                if let Some(package) = selection.manifest.package(&name) {
                    let text = match normal_name(&name).starts_with(&ways.prefix) {
                        true => name,
                        false => format!("{name} uses the extension {}", extension.name),
                    };
                    let (file, line) = (&package.file, package.line);
                    let origin = Origin::at(OriginKind::Manifest, file, line, text);
                    extensions.want(extension, origin);
                }
            }
            let reaches = |service: &Service| extension.services.contains(&service.kind);
            // A driver among others is loaded by who chooses it: what costs little is there for them.
            let is_wanted = services.iter().any(reaches)
                || (ways.way.get(&extension.way)).is_some_and(|way| way.is_part);
            let guards = ways.guards.iter();
            let guards = guards.map(|guard| guard_of(guard, &extension.name));
            let guards: Vec<String> = guards.filter(|_| !is_wanted).collect();
            if let Some(origin) = in_code(extension, is_wanted, &guards, input) {
                extensions.want(extension, origin);
            }
            // What a page without a framework calls, its code shows.
            let has_framework = !selection.manifest.packages.is_empty();
            for service in services.iter().filter(|_| has_framework) {
                if reaches(service) {
                    let origin = service.origin.first().cloned();
                    extensions.want(
                        extension,
                        origin.unwrap_or_else(|| Origin::recipe(table, "")),
                    );
                }
            }
        }
        extensions.report_unknown(ways, input, version, diagnostics);
        extensions
    }

    /// Says which extensions a manifest requires that nothing is known of.
    fn report_unknown(
        &self,
        ways: &ExtensionWays,
        input: &Input<'_, '_>,
        version: &str,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let packages = input.selection.manifest.packages.values();
        for package in packages.filter(|package| !package.development) {
            let Some(name) = package.name.strip_prefix(&ways.prefix) else {
                continue;
            };
            let is = |known: &str| normal_name(known) == name;
            let is_known = ways.present.iter().any(|known| is(known))
                || self
                    .known
                    .iter()
                    .any(|known| is(&known.name) || known.used_by.contains(&package.name));
            if is_known {
                continue;
            }
            let place = format!("{}:{}", package.file, package.line);
            let runtime = input.catalog.runtimes.get(&input.selection.stack.runtime);
            let runtime = runtime.map_or("", |runtime| runtime.title.as_str());
            let title = format!(
                "`{place}` requires {}, of which nothing is known for {runtime} {version}",
                package.name
            );
            diagnostics.push(
                Diagnostic::new(Severity::Warning, Code::MissingPackage, title)
                    .hint("add the commands that install it to the Dockerfile")
                    .hint(format!("how: {}", ways.source)),
            );
        }
    }

    /// Returns whether the package `name` of `manager` stands for extensions, which then are wanted,
    /// or why the image has no use for it; none where it is a package like any other.
    pub fn packaged(
        &mut self,
        manager: &str,
        name: &str,
        origin: &Origin,
    ) -> Option<Result<(), String>> {
        let (_, ways) = self.ways?;
        let bare = if ways.managers.iter().any(|known| known == manager) {
            // A release may follow the name.
            name.split_once('-').map_or(name, |(bare, _)| bare)
        } else {
            let found = ways.system_package.captures(name)?;
            found.name("name").map_or("", |name| name.as_str())
        };
        let stands_for = |extension: &&&Extension| {
            let names = &extension.packaged_as;
            extension.name == bare || names.iter().any(|known| known == bare)
        };
        let found: Vec<&Extension> = self.known.iter().filter(stands_for).copied().collect();
        let is_development = |extension: &&Extension| extension.development;
        let outcome = match found.is_empty() {
            true => Err("base-image-has-it"),
            false if found.iter().all(is_development) => Err("development-only"),
            false => Ok(()),
        };
        for extension in found.into_iter().filter(|extension| !extension.development) {
            self.want(extension, origin.clone());
        }
        Some(outcome.map_err(str::to_owned))
    }

    fn want(&mut self, extension: &'c Extension, origin: Origin) {
        let (_, origins) = self
            .wanted
            .entry(&extension.name)
            .or_insert_with(|| (extension, Vec::new()));
        if !origins.contains(&origin) {
            origins.push(origin.clone());
        }
        for other in &extension.also {
            let other = self.known.iter().find(|known| known.name == *other);
            if let Some(other) = other.copied() {
                self.want(other, origin.clone());
            }
        }
    }

    /// Returns the extensions with what asks for them and what is known of them.
    pub fn all(&self) -> impl Iterator<Item = (&'c Extension, Vec<Origin>)> {
        let table = self.ways.map_or("", |(table, _)| table);
        self.wanted.values().map(move |(extension, origins)| {
            let mut origins = origins.clone();
            let known = format!("the extension {}: {}", extension.name, extension.source);
            let table = format!("system-packages/{table}");
            origins.push(Origin::recipe(&table, &known));
            (*extension, origins)
        })
    }

    /// Returns the commands that add the extensions, as root, and the paths in which they are then.
    pub fn added(&self) -> (Vec<Command>, Vec<ArtifactCopy>) {
        let Some((_, ways)) = self.ways.filter(|_| !self.wanted.is_empty()) else {
            return (Vec::new(), Vec::new());
        };
        let mut commands = Vec::new();
        for (id, way) in &ways.way {
            let all = self.all().filter(|(extension, _)| extension.way == *id);
            let all: Vec<(&Extension, Vec<Origin>)> = all.collect();
            if all.is_empty() {
                continue;
            }
            for (extension, origins) in &all {
                let own = extension.configure.as_ref().or(way.configure.as_ref());
                if let (Some(configure), Some(options)) = (own, &extension.options) {
                    let line = configure.replace("{name}", &extension.name);
                    commands.push(as_root(line.replace("{options}", options), origins.clone()));
                }
            }
            let join = |name: fn(&Extension) -> &str| {
                let names: Vec<&str> = all.iter().map(|(extension, _)| name(extension)).collect();
                names.join(" ")
            };
            let names = join(|extension| &extension.name);
            let packages = join(|extension| extension.package.as_ref().unwrap_or(&extension.name));
            let line = way.install.replace("{packages}", &packages);
            let origins = all.iter().flat_map(|(_, origins)| origins.clone());
            commands.push(as_root(line.replace("{names}", &names), origins.collect()));
        }
        let artifacts = ways.artifacts.iter().map(|path| ArtifactCopy {
            from: path.clone(),
            to: path.clone(),
        });
        (commands, artifacts.collect())
    }
}

fn as_root(command: String, origin: Vec<Origin>) -> Command {
    Command::new(command, ".", origin)
}

/// What asks whether the extension `name` is there.
fn guard_of(guard: &str, name: &str) -> String {
    guard
        .replace("{name}", name)
        .replace("{NAME}", &name.to_uppercase())
}

/// The first place where source code uses `extension`, in files without one of `guards`; one of several
/// drivers counts `with_drivers`.
fn in_code(
    extension: &Extension,
    with_drivers: bool,
    guards: &[String],
    input: &Input<'_, '_>,
) -> Option<Origin> {
    if extension.code.is_empty() {
        return None;
    }
    let mut sources = input.selection.facts.sources(input.repo);
    sources.find_map(|source| {
        let mut pieces = extension.code.iter();
        let at = pieces.find_map(|piece| source.text.find(piece.as_str()))?;
        let mut guards = guards.iter();
        let is_guarded = guards.any(|guard| source.text.contains(guard.as_str()));
        let is_optional = is_guarded || !with_drivers && input.is_choice(&source.path);
        (!is_optional).then(|| Origin::in_source(&source, at))
    })
}
