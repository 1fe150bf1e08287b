//! The manifest of Node: `package.json`.

use std::sync::Arc;

use super::{Fact, Manifest, Package, json, normal_name};
use crate::{
    diagnostic::Diagnostic,
    repo::{self},
    source::SourceFile,
};

impl Manifest {
    pub(super) fn package_json(
        &mut self,
        source: &Arc<SourceFile>,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Some(json) = json(source, diagnostics) else {
            return;
        };
        let line_of = |key: &str| source.line(source.quoted(key).unwrap_or(0));
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
}
