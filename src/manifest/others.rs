//! Manifests of Go, Rust, PHP and Ruby.

use std::sync::Arc;

use super::{Manifest, Package, json, normal_name};
use crate::{
    diagnostic::Diagnostic,
    repo::{self},
    source::SourceFile,
};

impl Manifest {
    /// <https://go.dev/ref/mod#go-mod-file-grammar>
    pub(super) fn go_mod(&mut self, source: &SourceFile) {
        let mut inside = false;
        for (index, line) in source.text.lines().enumerate() {
            let text = line.split("//").next().unwrap_or_default().trim();
            if let Some(module) = text.strip_prefix("module ") {
                let name = repo::file_name(module.trim().trim_matches('"'));
                self.program(name, module.trim(), source);
            }
            let required = text.strip_prefix("require ").map(str::trim);
            if line.contains("// indirect")
                && let Some(module) = required.unwrap_or(text).split_whitespace().next()
            {
                self.indirect.insert(normal_name(module));
            }
            match (required, text) {
                (Some("("), _) => inside = true,
                (_, ")") => inside = false,
                (Some(text), _) => self.go_requirement(text, source, index + 1),
                (None, text) if inside => self.go_requirement(text, source, index + 1),
                _ => {}
            }
        }
    }

    pub(super) fn go_requirement(&mut self, text: &str, source: &SourceFile, line: usize) {
        if let [module, version] = text.split_whitespace().collect::<Vec<_>>()[..] {
            self.declare(module, version, source, line);
        }
    }

    /// The manifest of a member, where the one at the top only gathers them.
    pub(super) fn cargo_member(&mut self, source: &SourceFile, table: &toml::Table) {
        if self.gathers {
            self.cargo(source, table);
        }
    }

    pub(super) fn cargo(&mut self, source: &SourceFile, table: &toml::Table) {
        // doc.rust-lang.org/cargo/reference/workspaces.html#virtual-workspace
        self.gathers |= table.contains_key("workspace") && !table.contains_key("package");
        let place = |path: &str| repo::join(repo::folder_of(&source.path), path);
        let list = table.get("dependencies").and_then(|list| list.as_table());
        self.toml_packages(source, list, false);
        let list = table
            .get("dev-dependencies")
            .and_then(|list| list.as_table());
        self.toml_packages(source, list, true);
        let text = |table: &toml::Value, key| Some(table.get(key)?.as_str()?.to_owned());
        let bins = table.get("bin").and_then(|bins| bins.as_array());
        for bin in bins.into_iter().flatten() {
            if let Some(name) = text(bin, "name") {
                let path = text(bin, "path").map(|path| place(&path));
                self.program(&name, &path.unwrap_or_default(), source);
            }
        }
        // doc.rust-lang.org/cargo/guide/project-layout.html
        if let Some(name) = table
            .get("package")
            .and_then(|package| text(package, "name"))
        {
            self.program(&name, &place("src/main.rs"), source);
        }
    }

    /// <https://getcomposer.org/doc/04-schema.md>
    pub(super) fn composer(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        for (table, development) in [("require", false), ("require-dev", true)] {
            let packages = json.get(table).and_then(|table| table.as_object());
            for (name, requirement) in packages.into_iter().flatten() {
                let at = source.quoted(name).unwrap_or(0);
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
    pub(super) fn composer_lock(
        &mut self,
        source: &Arc<SourceFile>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        let packages = json.get("packages").and_then(|list| list.as_array());
        for package in packages.into_iter().flatten() {
            let required = package.get("require").and_then(|table| table.as_object());
            let required = required.into_iter().flat_map(|table| table.keys());
            for name in required.filter(|name| name.starts_with("ext-")) {
                let by = package.get("name").and_then(|name| name.as_str());
                let by = by.and_then(|name| source.quoted(name));
                self.declare(name, "", source, source.line(by.unwrap_or(0)));
            }
        }
    }

    /// Lines `gem "name", "~> 1.2"`.
    pub(super) fn gemfile(&mut self, source: &SourceFile) {
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
}
