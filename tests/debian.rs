//! The tables of `recipes/system-packages` against Debian itself: every package that a plan may
//! install exists on the suite that it is installed on, and every file is in the package said.
//!
//! Reads what `tests/setup/debian-lists.sh` fetched; `make debian-test` runs both.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs,
};

use longshore::recipe::{Catalog, FileKind, PackageStage};

const SUITES: [&str; 3] = ["bullseye", "bookworm", "trixie"];

/// What a suite has: package, then what it depends on.
type Packages = HashMap<String, Vec<String>>;

fn read(name: &str) -> String {
    let path = format!("target/debian/{name}");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{path}: {error}; run tests/setup/debian-lists.sh first"))
}

fn packages(suite: &str) -> Packages {
    let text = read(&format!("{suite}.packages"));
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    lines
        .map(|(name, needs)| (name.to_owned(), words(needs)))
        .collect()
}

/// Every package that the tables name, each with the first table that does.
fn named(catalog: &Catalog) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for (id, table) in &catalog.system_packages {
        let mut name = |packages: &[String]| {
            for package in packages {
                named
                    .entry(package.clone())
                    .or_insert_with(|| format!("{id}.toml"));
            }
        };
        for package in table
            .package
            .iter()
            .filter(|package| package.stage != PackageStage::None)
        {
            name(std::slice::from_ref(&package.name));
            name(&package.runtime);
            name(&package.also);
        }
        for needs in &table.needs {
            name(&needs.build);
            name(&needs.runtime);
        }
        for extension in &table.extension {
            name(&extension.build);
            name(&extension.runtime);
        }
        for package in table.file.values().flat_map(|files| files.values()) {
            name(std::slice::from_ref(package));
        }
    }
    named
}

#[test]
fn every_package_exists_on_its_suite() {
    let catalog = Catalog::built_in();
    let mut missing = BTreeSet::new();
    for suite in SUITES {
        let there = packages(suite);
        assert!(there.len() > 50_000, "{suite} has {} packages", there.len());
        for (package, table) in named(&catalog) {
            for here in catalog.packages_on(&package, suite) {
                if !there.contains_key(&here) {
                    missing.insert(format!("{table}: {package} is {here} on {suite}"));
                }
            }
        }
    }
    let lines: Vec<String> = missing.into_iter().collect();
    assert!(lines.is_empty(), "no such packages:\n{}", lines.join("\n"));
}

#[test]
fn no_suite_is_given_another_package_than_the_one_it_has() {
    let catalog = Catalog::built_in();
    let mut there_still = BTreeSet::new();
    for suite in SUITES {
        let there = packages(suite);
        let tables = catalog.system_packages.values();
        let installed = tables
            .flat_map(|table| &table.package)
            .filter(|package| package.stage != PackageStage::None);
        for package in installed {
            for name in package.on.values().flatten().chain([&package.name]) {
                let is_replaced = !catalog.packages_on(name, suite).contains(name);
                if is_replaced && there.contains_key(name) {
                    there_still.insert(format!("{name} on {suite}"));
                }
            }
        }
    }
    assert!(there_still.is_empty(), "{there_still:?}");
}

/// `package` and what it depends on, four steps deep: a development package may be an empty one
/// that depends on the one with the headers.
fn with_dependencies<'p>(package: &'p str, packages: &'p Packages) -> HashSet<&'p str> {
    let mut all = HashSet::from([package]);
    let mut next = vec![package];
    for _ in 0..4 {
        let needed = next.iter().filter_map(|name| packages.get(*name)).flatten();
        let needed: Vec<&str> = needed.map(String::as_str).collect();
        next = needed.into_iter().filter(|name| all.insert(name)).collect();
    }
    all
}

#[test]
fn every_file_is_in_its_package() {
    let catalog = Catalog::built_in();
    let there = packages("bookworm");
    let contents = read("bookworm.contents");
    let mut by_name: HashMap<&str, Vec<(&str, &str)>> = HashMap::new();
    for line in contents.lines() {
        let Some((path, packages)) = line.rsplit_once(char::is_whitespace) else {
            continue;
        };
        let path = path.trim_end();
        let name = path.rsplit('/').next().unwrap_or(path);
        by_name.entry(name).or_default().push((path, packages));
    }
    let mut wrong = Vec::new();
    let kinds = catalog
        .system_packages
        .values()
        .flat_map(|table| &table.file);
    for (kind, files) in kinds {
        for (file, package) in files {
            let (name, is_place): (String, fn(&str) -> bool) = match kind {
                FileKind::Header => (file.clone(), |path| path.contains("include/")),
                FileKind::PkgConfig => (format!("{file}.pc"), |path| path.contains("/pkgconfig/")),
                FileKind::Library => (file.clone(), |path| path.contains("lib/")),
                FileKind::Linked => (format!("lib{file}.so"), |path| path.contains("lib/")),
                FileKind::PerlModule => {
                    let path = file.replace("::", "/");
                    (format!("{path}.pm"), |path| path.contains("/perl5/"))
                }
                FileKind::PythonModule => {
                    let path = format!("python3/dist-packages/{file}/__init__.py");
                    (path, |path| path.starts_with("usr/lib/"))
                }
                FileKind::Command => (file.clone(), |path| path.contains("bin/")),
                FileKind::Alternative => continue,
            };
            let last = name.rsplit('/').next().unwrap_or(&name);
            let places = by_name.get(last).map(Vec::as_slice).unwrap_or_default();
            let holders: HashSet<&str> = places
                .iter()
                .filter(|(path, _)| is_place(path) && path.ends_with(&format!("/{name}")))
                .flat_map(|(_, packages)| packages.split(','))
                .filter_map(|package| package.rsplit('/').next())
                .collect();
            let here = catalog.packages_on(package, "bookworm");
            // What left Debian before: only its list of packages is at hand.
            let was_there = here.is_empty() && packages("bullseye").contains_key(package);
            let has = here
                .iter()
                .any(|package| !with_dependencies(package, &there).is_disjoint(&holders));
            if !has && !was_there {
                wrong.push(format!("{kind:?} {file}: not in {package}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
