//! Manifests of Java: `pom.xml` and build files of Gradle.

use std::sync::Arc;

use super::{Manifest, Package, broken, normal_name};
use crate::{
    diagnostic::Diagnostic,
    source::{SourceFile, Span},
};

impl Manifest {
    /// <https://maven.apache.org/pom.html>
    pub(super) fn pom(&mut self, source: &Arc<SourceFile>, diagnostics: &mut Vec<Diagnostic>) {
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
    pub(super) fn gradle(&mut self, source: &SourceFile) {
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
}
