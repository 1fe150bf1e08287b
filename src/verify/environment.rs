//! The environment of a run: the settings of production, with secrets made for the occasion.

use std::collections::BTreeMap;

use super::engine::Run;
use crate::{
    plan::{BuildPlan, Component, EnvKind, Piece, pieces},
    secret::Secret,
};

/// The secrets of a plan, and the run that gives them values.
pub struct Secrets<'a> {
    run: &'a Run,
    /// Name → its value, where only one works.
    names: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Secrets<'a> {
    /// Returns the secrets that `plan` names.
    pub fn new(run: &'a Run, plan: &'a BuildPlan) -> Self {
        let mut names = BTreeMap::new();
        for component in &plan.components {
            let own = component
                .env
                .iter()
                .filter(|var| var.kind == EnvKind::Secret);
            names.extend(own.map(|var| (var.name.as_str(), None)));
            for service in &component.services {
                let written = |name: &String| {
                    let hidden = || service.in_source.get(name)?.value.as_ref();
                    let shown = service.written.get(name).map(String::as_str);
                    shown.or_else(|| hidden().map(Secret::reveal))
                };
                let secrets = service.secrets.iter();
                names.extend(secrets.map(|name| (name.as_str(), written(name))));
            }
        }
        Self { run, names }
    }

    /// Returns `value` with each `${NAME}` of a secret replaced; any other `$` stays as it is.
    pub fn fill(&self, value: &str) -> String {
        let text = |piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Secret(name) => match self.names.get(name) {
                Some(Some(written)) => (*written).to_owned(),
                Some(None) => self.run.secret(name),
                None => format!("${{{name}}}"),
            },
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

    /// Returns the names of all secrets.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.keys().copied()
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
                    let named = |environment: &str| var.values.get(environment);
                    let value = named("production").or(var.default.as_ref());
                    let value = value.or_else(|| named("test"));
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
            names: [("KEY", None), ("WRITTEN", Some("guest"))].into(),
        };
        let key = run.secret("KEY");
        assert_eq!(
            secrets.fill("a://u:${KEY}@h/${KEY}"),
            format!("a://u:{key}@h/{key}")
        );
        assert_eq!(secrets.fill("${WRITTEN}"), "guest");
        for text in ["", "$KEY", "${HOME}/x", "${KEY", "%${", "${}", "a$$b"] {
            assert_eq!(secrets.fill(text), text);
        }
        assert_eq!(secrets.fill("${${KEY}"), format!("${{{key}"));
    }
}
