//! Which Debian packages each stage needs.

use std::collections::BTreeMap;

use super::{
    Origin, OriginKind, Runtime, Service, SystemPackages,
    extensions::Extensions,
    input::Input,
    ledger::{self, Ledger},
    runtime::lacks_build,
    version,
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    readme::{Document, Part},
    recipe::{Catalog, DebianPackage, PackageStage, contains_word},
    shell,
    step::{Action, InstallStep, is_script, rule},
};

/// Returns the packages that documents ask for and declared libraries need, as the suite `suite` of
/// the base image has them, and the extensions that the runtime is given.
#[allow(
    clippy::too_many_arguments,
    reason = "the two last collect what is said on the way"
)]
pub fn system_packages<'r>(
    input: &Input<'_, 'r>,
    runtime: &Runtime,
    suite: &str,
    services: &[Service],
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (SystemPackages, Extensions<'r>) {
    let (selection, catalog) = (input.selection, input.catalog);
    let mut wanted = Wanted {
        build: BTreeMap::new(),
        runtime: BTreeMap::new(),
        language: &selection.stack.language,
        own: &selection.stack.image.packages,
        suite,
        catalog,
    };
    let mut extensions = Extensions::needed(input, &runtime.version, services, diagnostics);
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::SystemPackages { manager, packages } = &step.action else {
            continue;
        };
        if !ledger.has_packages(index) {
            continue;
        }
        let origin = ledger::origin(step);
        let mut taken = Vec::new();
        let mut left = Vec::new();
        let mut named = Vec::new();
        for asked in packages {
            let asked = asked.split(['=', '/']).next().unwrap_or(asked);
            match extensions.packaged(manager, asked, &origin) {
                Some(Ok(())) => {
                    taken.push(asked.to_owned());
                    continue;
                }
                Some(Err(reason)) => {
                    left.push(format!("{asked} ({reason})"));
                    continue;
                }
                None => {}
            }
            for name in debian_names(manager, asked, catalog) {
                match wanted.asked(manager, name, step, diagnostics) {
                    Asked::Taken(names, refused) => {
                        for name in names {
                            match wanted.add(&name, &origin) {
                                Ok(()) => taken.push(name),
                                Err(reason) => left.push(format!("{name} ({reason})")),
                            }
                        }
                        left.extend(refused);
                    }
                    Asked::Service(service) => named.push(service),
                    Asked::Left(reason) => left.push(format!("{name} ({reason})")),
                }
            }
        }
        left.extend(named.iter().map(|name| format!("{name} (a-service)")));
        let remark = (!left.is_empty()).then(|| format!("without {}", left.join(", ")));
        match (taken.is_empty(), named.is_empty()) {
            (false, _) => ledger.take_packages(index, remark),
            (true, false) => {} // the services decide
            (true, true) => ledger.skip(index, "not-needed-in-the-image", Some(&left.join(", "))),
        }
    }
    said(input.documents, &mut wanted);
    for (extension, origins) in extensions.all() {
        wanted.need(&extension.build, &extension.runtime, &origins);
    }
    declared(input, runtime, &mut wanted, diagnostics);
    used(input, &mut wanted);
    (wanted.finish(), extensions)
}

/// What source files use without a manifest that says so: commands of scripts, modules.
fn used(input: &Input<'_, '_>, wanted: &mut Wanted<'_>) {
    let (selection, catalog) = (input.selection, input.catalog);
    for source in selection.facts.sources(input.repo) {
        for uses in &selection.stack.uses {
            let mut names: Vec<(String, usize)> = Vec::new();
            match &uses.pattern {
                Some(pattern) => {
                    let found = pattern.captures_iter(&source.text);
                    let found = found.filter_map(|found| found.get(1));
                    names.extend(found.map(|found| {
                        let name = uses.name.as_deref().unwrap_or(found.as_str());
                        (name.to_owned(), found.start())
                    }));
                }
                None if is_script(input.repo, &source.path, catalog) => {
                    let called = shell::called(&source.text);
                    names.extend(called.into_iter().filter_map(|called| {
                        let (_, words) = rule(&called.value, catalog);
                        Some((words.into_iter().next()?, called.span.start))
                    }));
                }
                None => {}
            }
            for (name, at) in names {
                let line = source.line(at);
                let origin = Origin::at(OriginKind::Manifest, &source.path, line, name.clone());
                for package in catalog.packages_with_file(uses.kind, &name, wanted.suite) {
                    wanted.use_at_run_time(&package, &origin);
                }
            }
        }
    }
}

/// What declared packages of the language need.
fn declared(
    input: &Input<'_, '_>,
    runtime: &Runtime,
    wanted: &mut Wanted<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let (selection, catalog) = (input.selection, input.catalog);
    let language = &selection.stack.language;
    let recipe = catalog.runtimes.get(&runtime.name);
    let holds = |code: &[String]| {
        let mut sources = selection.facts.sources(input.repo);
        let has = |text: &str| code.iter().any(|piece| text.contains(piece.as_str()));
        code.is_empty() || sources.any(|source| has(&source.text))
    };
    for (table, needs) in catalog.needs_of(language) {
        let declared = selection.manifest.package(&needs.package);
        let Some(package) = declared.filter(|_| holds(&needs.code)) else {
            continue;
        };
        if let Some(instead) = &needs.dead {
            let place = format!("{}:{}", package.file, package.line);
            diagnostics.push(
                Diagnostic::new(
                    Severity::Warning,
                    Code::RenamedPackage,
                    format!(
                        "`{place}` asks for {}, which does not install any more",
                        package.name
                    ),
                )
                .hint(format!("{instead} took its place: {}", needs.source)),
            );
        }
        let pinned = version::pinned(&package.requirement);
        let is_newer = needs.below.as_ref().is_some_and(|below| {
            pinned.is_none_or(|pinned| version::compare(&pinned, &version::numbers(below)).is_ge())
        });
        let lacks_build = recipe.is_some_and(|recipe| {
            let version = &runtime.version;
            lacks_build(recipe, version, &package.name, &package.requirement)
        });
        if is_newer && !lacks_build {
            continue;
        }
        let text = format!("{} needs it", package.name);
        let declared = Origin::at(OriginKind::Manifest, &package.file, package.line, text);
        let source = Origin::recipe(&format!("system-packages/{table}"), &needs.source);
        wanted.need(&needs.build, &needs.runtime, &[declared, source]);
    }
}

/// What became of a name that a document asks for.
enum Asked {
    /// These packages have its place, without others that are not installed.
    Taken(Vec<String>, Option<String>),
    /// It is a backing service.
    Service(String),
    /// It is left out, for the reason given.
    Left(String),
}

/// Debian's names for `asked`; the same where the catalogue knows no other.
fn debian_names<'a>(manager: &str, asked: &'a str, catalog: &'a Catalog) -> Vec<&'a str> {
    let translated = catalog.debian_names(manager, asked);
    if translated.is_empty() {
        vec![asked]
    } else {
        translated
    }
}

/// "Requirements: ImageMagick, ffmpeg": packages that prose names as needed.
fn said(documents: &[Document], wanted: &mut Wanted<'_>) {
    let catalog = wanted.catalog;
    let tables = catalog
        .system_packages
        .values()
        .flat_map(|table| &table.package);
    for package in tables.filter(|package| !package.words.is_empty()) {
        let found = documents.iter().find_map(|document| {
            document.parts.iter().find_map(|part| {
                let Part::Text(paragraph) = part else {
                    return None;
                };
                let has = |text: &str| catalog.has_word("prose", "needs", text);
                let is_need =
                    has(&paragraph.text) || paragraph.headings.iter().any(|heading| has(heading));
                let word = package
                    .words
                    .iter()
                    .find(|word| contains_word(&paragraph.text, word))?;
                let line = document.source.line(paragraph.span.start);
                is_need.then(|| Origin::at(OriginKind::Readme, &document.source.path, line, word))
            })
        });
        if let Some(origin) = found {
            for name in catalog.packages_on(&package.name, wanted.suite) {
                // A package that is installed in no stage is none to add.
                let _ = wanted.add(&name, &origin);
            }
        }
    }
}

/// The packages of each stage, as the suite has them.
struct Wanted<'c> {
    build: BTreeMap<String, Vec<Origin>>,
    runtime: BTreeMap<String, Vec<Origin>>,
    language: &'c str,
    /// What every application of the stack has in its run stage.
    own: &'c [String],
    suite: &'c str,
    catalog: &'c Catalog,
}

impl Wanted<'_> {
    /// Says what becomes of Debian's name `name`, which `step` asks for.
    fn asked(
        &self,
        manager: &str,
        name: &str,
        step: &InstallStep,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Asked {
        let catalog = self.catalog;
        if !is_package_name(name) {
            return Asked::Left("no-package-name".to_owned());
        }
        let known = catalog.debian_package(name);
        if let Some((service, _)) = catalog.service_named(name).filter(|_| known.is_none()) {
            return Asked::Service(service.to_owned());
        }
        // What has the same name in Debian is taken only where the catalogue knows it.
        let of_debian = catalog.list("images", "debian");
        if known.is_none() && !of_debian.iter().any(|known| known == manager) {
            return Asked::Left("no-debian-name-known".to_owned());
        }
        let renamed = |title: String| Diagnostic::new(Severity::Note, Code::RenamedPackage, title);
        if let Some(why) = catalog.gone_package(name).filter(|_| known.is_none()) {
            diagnostics.push(
                renamed(format!("Debian has no `{name}` any more"))
                    .at(&step.source, step.span, why)
                    .hint("it was left out"),
            );
            return Asked::Left("gone-from-debian".to_owned());
        }
        if let Some(reason) = known.and_then(|package| self.unwanted(package)) {
            return Asked::Left(reason);
        }
        let names = catalog.packages_on(name, self.suite);
        if names == [name] {
            return Asked::Taken(names, None);
        }
        let now = match names.is_empty() {
            true => "nothing".to_owned(),
            false => names.join(", "),
        };
        let is_dead = known.is_some_and(|package| package.instead.is_some());
        let title = match is_dead {
            true => format!("Debian has no `{name}` any more; {now} was taken"),
            false => format!("the suite {} has no `{name}`; {now} was taken", self.suite),
        };
        diagnostics.push(renamed(title).at(&step.source, step.span, "named here"));
        let refused = names
            .is_empty()
            .then(|| format!("{name} (gone-from-debian)"));
        Asked::Taken(names, refused)
    }

    /// Why an image of the language has no use for `package`.
    fn unwanted(&self, package: &DebianPackage) -> Option<String> {
        if self.own.contains(&package.name) {
            return None;
        }
        if package
            .image_of
            .iter()
            .any(|language| language == self.language)
        {
            return Some("base-image-has-it".to_owned());
        }
        let is_none = package.stage == PackageStage::None;
        is_none.then(|| package.reason.clone().unwrap_or_default())
    }

    /// Adds a package of the suite, or says why it is not installed.
    fn add(&mut self, name: &str, origin: &Origin) -> Result<(), String> {
        let known = self.catalog.debian_package(name);
        if let Some(reason) = known.and_then(|package| self.unwanted(package)) {
            return Err(reason);
        }
        let stage = match known {
            _ if self.own.iter().any(|own| own == name) => PackageStage::Runtime,
            Some(package) => package.stage,
            None => stage_by_name(name),
        };
        let origin = std::slice::from_ref(origin);
        let one = [name.to_owned()];
        let libraries = known.map_or(&[][..], |package| &package.runtime);
        match stage {
            PackageStage::Build => self.need(&one, libraries, origin),
            PackageStage::Runtime => self.need(&[], &[&one, libraries].concat(), origin),
            PackageStage::Both => self.need(&one, &[&one, libraries].concat(), origin),
            PackageStage::None => {}
        }
        Ok(())
    }

    /// Adds what a program calls while it runs, once; a package that no image has a use for is left
    /// out.
    fn use_at_run_time(&mut self, name: &str, origin: &Origin) {
        let known = self.catalog.debian_package(name);
        let is_unwanted = known.is_some_and(|package| self.unwanted(package).is_some());
        let is_build = known.is_some_and(|package| package.stage == PackageStage::Build);
        if !is_unwanted && !is_build && !self.runtime.contains_key(name) {
            self.need(&[], &[name.to_owned()], std::slice::from_ref(origin));
        }
    }

    /// Adds packages by their stage; each may have its name of another suite.
    fn need(&mut self, build: &[String], runtime: &[String], origins: &[Origin]) {
        let (suite, catalog) = (self.suite, self.catalog);
        for (stage, names) in [(&mut self.build, build), (&mut self.runtime, runtime)] {
            for name in names
                .iter()
                .flat_map(|name| catalog.packages_on(name, suite))
            {
                stage
                    .entry(name)
                    .or_default()
                    .extend(origins.iter().cloned());
            }
        }
    }

    fn finish(mut self) -> SystemPackages {
        let (suite, catalog) = (self.suite, self.catalog);
        for packages in [&mut self.build, &mut self.runtime] {
            for (name, origins) in packages.clone() {
                let known = catalog.debian_package(&name);
                let others = known.into_iter().flat_map(|package| &package.also);
                for other in others.flat_map(|other| catalog.packages_on(other, suite)) {
                    packages.entry(other).or_insert_with(|| origins.clone());
                }
            }
        }
        let mut packages = SystemPackages {
            build: self.build.keys().cloned().collect(),
            runtime: self.runtime.keys().cloned().collect(),
            origins: BTreeMap::new(),
        };
        for (name, origins) in self.build.into_iter().chain(self.runtime) {
            let all = packages.origins.entry(name).or_default();
            for origin in origins {
                if !all.contains(&origin) {
                    all.push(origin);
                }
            }
        }
        packages
    }
}

/// By Debian's convention a name in `-dev` is what compilers need
/// (<https://www.debian.org/doc/debian-policy/ch-sharedlibs.html#development-files>), and `lib…-perl`
/// a module of Debian's own Perl
/// (<https://www.debian.org/doc/packaging-manuals/perl-policy/ch-module_packages.html>), which builds
/// nothing.
fn stage_by_name(name: &str) -> PackageStage {
    if name.ends_with("-dev") {
        PackageStage::Build
    } else if name.starts_with("lib") && name.ends_with("-perl") {
        PackageStage::Runtime
    } else {
        PackageStage::Both
    }
}

/// <https://www.debian.org/doc/debian-policy/ch-controlfields.html#source>: lower-case letters,
/// digits and `+-.`, at least two, the first a letter or digit.
fn is_package_name(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c))
}
