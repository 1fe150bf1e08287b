//! The environment of a run: the settings of production, with secrets made for the occasion.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Run;
use crate::plan::{BuildPlan, Component, EnvKind, Piece, pieces};

/// The secrets of a plan, and the run that gives them values.
pub struct Secrets<'a> {
    run: &'a Run,
    names: BTreeSet<&'a str>,
}

impl<'a> Secrets<'a> {
    /// Returns the secrets that `plan` names.
    pub fn new(run: &'a Run, plan: &'a BuildPlan) -> Self {
        let mut names = BTreeSet::new();
        for component in &plan.components {
            let own = component
                .env
                .iter()
                .filter(|var| var.kind == EnvKind::Secret);
            names.extend(own.map(|var| var.name.as_str()));
            let services = component
                .services
                .iter()
                .flat_map(|service| &service.secrets);
            names.extend(services.map(String::as_str));
        }
        Self { run, names }
    }

    /// Returns `value` with each `${NAME}` of a secret replaced; any other `$` stays as it is.
    pub fn fill(&self, value: &str) -> String {
        let text = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Secret(name) if self.names.contains(name) => self.run.secret(name),
            Piece::Secret(name) => format!("${{{name}}}"),
        };
        pieces(value).into_iter().map(text).collect()
    }

    /// Returns `values`, filled.
    pub fn fill_all(&self, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        values
            .iter()
            .map(|(name, value)| (name.clone(), self.fill(value)))
            .collect()
    }

    /// Returns the environment of `component`.
    pub fn env(&self, component: &Component) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for service in &component.services {
            env.extend(self.fill_all(&service.env));
        }
        for var in &component.env {
            let value = match var.kind {
                EnvKind::Config | EnvKind::Service => {
                    let value = var.values.get("production").or(var.default.as_ref());
                    value.map(|value| self.fill(value))
                }
                EnvKind::Secret => var.required.then(|| self.run.secret(&var.name)),
            };
            if let Some(value) = value {
                env.insert(var.name.clone(), value);
            }
        }
        env
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_filled_in_and_any_other_dollar_stays() {
        let run = Run::new().expect("random");
        let secrets = Secrets {
            run: &run,
            names: ["KEY"].into(),
        };
        let key = run.secret("KEY");
        assert_eq!(
            secrets.fill("a://u:${KEY}@h/${KEY}"),
            format!("a://u:{key}@h/{key}")
        );
        for text in ["", "$KEY", "${HOME}/x", "${KEY", "%${", "${}", "a$$b"] {
            assert_eq!(secrets.fill(text), text);
        }
        assert_eq!(secrets.fill("${${KEY}"), format!("${{{key}"));
    }
}
