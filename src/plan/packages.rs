//! Which Debian packages each stage needs.

use std::collections::BTreeMap;

use super::{
    Fate, Origin, OriginKind, SystemPackages,
    ledger::{self, Ledger},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    readme::{Document, Part},
    recipe::{Catalog, PackageStage, contains_word},
    select::Selection,
    step::Action,
};

/// Manager whose names are Debian's own.
const DEBIAN: &str = "apt";

/// Returns the packages that documents ask for and declared libraries need.
pub fn system_packages(
    selection: &Selection<'_>,
    documents: &[Document],
    ledger: &mut Ledger<'_>,
    catalog: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) -> SystemPackages {
    let mut wanted = Wanted::default();
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::SystemPackages { manager, packages } = &step.action else {
            continue;
        };
        if !ledger.is_open(index) {
            continue;
        }
        let is_foreign = manager != DEBIAN;
        let origin = ledger::origin(step);
        let mut taken = Vec::new();
        let mut left = Vec::new();
        let mut services = Vec::new();
        for name in packages {
            let name = name.split(['=', '/']).next().unwrap_or(name);
            let named_here = is_foreign.then(|| catalog.debian_name(name)).flatten();
            let name = named_here.unwrap_or(name);
            if !is_package_name(name) {
                left.push(format!("{name} (no-package-name)"));
                continue;
            }
            let known = catalog.debian_package(name);
            if let Some((service, _)) = catalog.service_named(name).filter(|_| known.is_none()) {
                services.push(service.to_owned());
                continue;
            }
            // What has the same name in Debian is taken only where the catalogue knows it.
            if is_foreign && known.is_none() {
                left.push(format!("{name} (no-debian-name-known)"));
                continue;
            }
            if let Some(why) = catalog.gone_package(name).filter(|_| known.is_none()) {
                diagnostics.push(
                    Diagnostic::new(
                        Severity::Note,
                        Code::RenamedPackage,
                        format!("Debian has no `{name}` any more"),
                    )
                    .at(&step.source, step.span, why)
                    .hint("it was left out"),
                );
                left.push(format!("{name} (gone-from-debian)"));
                continue;
            }
            let names = match known.and_then(|package| package.instead.as_ref()) {
                Some(instead) => {
                    let now = if instead.is_empty() {
                        "nothing".to_owned()
                    } else {
                        instead.join(", ")
                    };
                    diagnostics.push(
                        Diagnostic::new(
                            Severity::Note,
                            Code::RenamedPackage,
                            format!("Debian has no `{name}` any more; {now} was taken"),
                        )
                        .at(&step.source, step.span, "named here"),
                    );
                    instead.clone()
                }
                None => vec![name.to_owned()],
            };
            for name in names {
                match wanted.add(&name, &origin, catalog) {
                    Ok(()) => taken.push(name),
                    Err(reason) => left.push(format!("{name} ({reason})")),
                }
            }
        }
        let remark = (!left.is_empty()).then(|| format!("without {}", left.join(", ")));
        match (taken.is_empty(), services.is_empty()) {
            (false, _) => ledger.set(index, Fate::Dockerfile, "Dockerfile", remark),
            (true, false) => {} // the services decide
            (true, true) => ledger.skip(index, "not-needed-in-the-image", Some(&left.join(", "))),
        }
    }
    said(documents, &mut wanted, catalog);
    let language = &selection.stack.language;
    for package in selection
        .manifest
        .packages
        .values()
        .filter(|package| !package.development)
    {
        let Some((table, needs)) = catalog.needs_of(language, &package.name) else {
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
        let pinned = super::version::pinned(&package.requirement);
        let is_newer = needs.below.as_ref().is_some_and(|below| {
            pinned.is_none_or(|pinned| {
                super::version::compare(&pinned, &super::version::numbers(below)).is_ge()
            })
        });
        if is_newer {
            continue;
        }
        let text = format!("{} needs it", package.name);
        let declared = Origin::at(
            super::OriginKind::Manifest,
            &package.file,
            package.line,
            text,
        );
        let source = Origin::recipe(&format!("system-packages/{table}"), &needs.source);
        for name in &needs.build {
            wanted
                .build
                .entry(name.clone())
                .or_default()
                .extend([declared.clone(), source.clone()]);
        }
        for name in &needs.runtime {
            wanted
                .runtime
                .entry(name.clone())
                .or_default()
                .extend([declared.clone(), source.clone()]);
        }
    }
    wanted.finish(catalog)
}

/// "Requirements: ImageMagick, ffmpeg": packages that prose names as needed.
fn said(documents: &[Document], wanted: &mut Wanted, catalog: &Catalog) {
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
            // A package that is installed in no stage is none to add.
            let _ = wanted.add(&package.name, &origin, catalog);
        }
    }
}

#[derive(Default)]
struct Wanted {
    build: BTreeMap<String, Vec<Origin>>,
    runtime: BTreeMap<String, Vec<Origin>>,
}

impl Wanted {
    /// Adds a Debian package, or says why it is not installed.
    fn add(&mut self, name: &str, origin: &Origin, catalog: &Catalog) -> Result<(), String> {
        let known = catalog.debian_package(name);
        let stage = known.map_or_else(|| stage_by_name(name), |package| package.stage);
        let mut add = |to_build: bool, to_runtime: bool| {
            if to_build {
                self.build
                    .entry(name.to_owned())
                    .or_default()
                    .push(origin.clone());
            }
            if to_runtime {
                self.runtime
                    .entry(name.to_owned())
                    .or_default()
                    .push(origin.clone());
            }
        };
        match stage {
            PackageStage::Build => add(true, false),
            PackageStage::Runtime => add(false, true),
            PackageStage::Both => add(true, true),
            PackageStage::None => {
                return Err(known
                    .and_then(|package| package.reason.clone())
                    .unwrap_or_default());
            }
        }
        for library in known.into_iter().flat_map(|package| &package.runtime) {
            self.runtime
                .entry(library.clone())
                .or_default()
                .push(origin.clone());
        }
        Ok(())
    }

    fn finish(mut self, catalog: &Catalog) -> SystemPackages {
        for packages in [&mut self.build, &mut self.runtime] {
            for (name, origins) in packages.clone() {
                for other in catalog
                    .debian_package(&name)
                    .into_iter()
                    .flat_map(|package| &package.also)
                {
                    packages
                        .entry(other.clone())
                        .or_insert_with(|| origins.clone());
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
/// (<https://www.debian.org/doc/debian-policy/ch-sharedlibs.html#development-files>).
fn stage_by_name(name: &str) -> PackageStage {
    if name.ends_with("-dev") {
        PackageStage::Build
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
