//! What has a name that neither Compose nor Kubernetes takes: it is left out, and said.

use std::collections::BTreeSet;

use super::{Component, Origin};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    name::{MountPath, VariableName},
    repo::Repo,
};

/// Leaves out of `components` the volumes and variables that no manifest can hold.
pub fn leave_out(components: &mut [Component], repo: &Repo, diagnostics: &mut Vec<Diagnostic>) {
    for component in components {
        let mut refused: Vec<(Diagnostic, Vec<Origin>)> = Vec::new();
        // Nothing is mounted twice, and every container has a folder of its own there.
        let mut known: BTreeSet<MountPath> = MountPath::parse("/tmp").into_iter().collect();
        component.volumes.retain_mut(|volume| {
            if let Some(path) = MountPath::parse(&volume.path) {
                path.as_ref().clone_into(&mut volume.path);
                return known.insert(path);
            }
            let message = format!("nothing can be mounted at `{}`", short(&volume.path));
            let diagnostic = Diagnostic::new(Severity::Warning, Code::InvalidName, message)
                .hint("rename the folder: Kubernetes takes no path with `:` or `..`");
            refused.push((diagnostic, volume.origin.clone()));
            false
        });
        component.env.retain(|var| {
            let is_taken = VariableName::parse(&var.name).is_some();
            if !is_taken {
                let message = format!("`{}` is no name of a variable", short(&var.name));
                let diagnostic = Diagnostic::new(Severity::Warning, Code::InvalidName, message)
                    .hint(
                        "give it one of at most 253 letters, digits and `_`, as Kubernetes asks for",
                    );
                refused.push((diagnostic, var.origin.clone()));
            }
            is_taken
        });
        let placed = refused
            .into_iter()
            .map(|(diagnostic, origins)| at(diagnostic, &origins, repo));
        diagnostics.extend(placed);
    }
}

/// Shows the first line that `origins` lead to.
fn at(diagnostic: Diagnostic, origins: &[Origin], repo: &Repo) -> Diagnostic {
    let mut lines = origins.iter();
    let line = lines.find_map(|origin| Some((repo.source(origin.file.as_deref()?)?, origin.line?)));
    match line {
        Some((source, line)) => diagnostic.at(&source, source.line_span(line), "left out"),
        None => diagnostic,
    }
}

/// `text`, cut where it is too long for a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
