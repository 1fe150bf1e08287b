//! Env files: plain settings for each environment, secrets by name only.

use std::collections::{HashMap, HashSet};

use super::{
    Artifact, HEADER,
    marks::{Mark, Marks, one_line},
    template::{lay_out_typed, views},
};
use crate::{
    plan::{BuildPlan, Component, ENVIRONMENTS, EnvKind, EnvVar, Origin},
    quote::{
        env::{EnvFile, Value, Variable},
        yaml::Comment,
    },
};

views! { EnvFile:
    struct EnvView {
        header: &'static str,
        about: Comment,
        vars: Vec<Line>,
    }

    struct Line {
        /// `# ` where there is no value: an empty one is a value, too.
        prefix: &'static str,
        name: Variable,
        value: Value,
        comments: Vec<Comment>,
        why: Mark,
    }
}

/// A secret that somebody has to provide.
pub struct Secret {
    /// Its name.
    pub name: String,
    /// The only value that works, where it stands in the source.
    pub value: Option<String>,
    /// What it is for.
    pub about: Vec<String>,
    /// Why it is needed.
    pub origin: Vec<Origin>,
    /// Whether the application is known not to start without it.
    pub required: bool,
}

/// Returns `env/{development,test,production}.env` and `env/secrets.example.env`.
pub fn env_files(plan: &BuildPlan) -> anyhow::Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    for environment in ENVIRONMENTS {
        let marks = Marks::default();
        let vars: Vec<Line> = settings(plan)
            .into_iter()
            .filter_map(|var| setting(var, environment, &marks))
            .collect();
        let about = if vars.is_empty() {
            format!("Settings for {environment}: the application reads none that was found.")
        } else {
            format!("Settings for {environment}; secrets are not among them.")
        };
        let path = format!("env/{environment}.env");
        artifacts.push(file(&path, &about, vars, &marks)?);
    }
    let marks = Marks::default();
    let vars: Vec<Line> = secrets(plan)
        .into_iter()
        .filter_map(|secret| {
            let mut comments: Vec<Comment> = secret
                .about
                .iter()
                .map(|about| Comment::new(about))
                .collect();
            if !secret.required {
                comments.push(Comment::new(
                    "optional: the application has a default of its own",
                ));
            }
            let written = secret.value.as_deref().map(Value::of);
            if written == Some(None) {
                comments.push(Comment::new(UNWRITABLE));
            }
            Some(Line {
                prefix: "",
                name: Variable::parse(&secret.name)?,
                value: written.flatten().unwrap_or_default(),
                comments,
                why: marks.why(&secret.origin),
            })
        })
        .collect();
    let about = if vars.is_empty() {
        "The application needs no secret that was found.".to_owned()
    } else {
        "Secrets by name. Copy this file to env/secrets.env, fill it in, and keep it out of the repository.".to_owned()
    };
    artifacts.push(file("env/secrets.example.env", &about, vars, &marks)?);
    Ok(artifacts)
}

fn file(path: &str, about: &str, vars: Vec<Line>, marks: &Marks) -> anyhow::Result<Artifact> {
    let header = HEADER;
    let about = Comment::new(about);
    let view = EnvView {
        header,
        about,
        vars,
    };
    let text = lay_out_typed::<EnvFile>("env.j2", &view)?;
    let otherwise = Origin::manifest("templates/env.j2", "layout of an env file");
    Ok(marks.artifact(path, &text, &otherwise))
}

/// Returns the plain settings of all components, each name once, without those of which components
/// want different values.
pub fn settings(plan: &BuildPlan) -> Vec<&EnvVar> {
    let disputed = disputed(plan);
    let mut known = HashSet::new();
    let vars = config(plan).filter(|var| !disputed.contains(var.name.as_str()));
    vars.filter(|var| known.insert(var.name.as_str())).collect()
}

/// Returns the plain settings of `component` of which another one wants another value.
pub fn own_settings<'p>(plan: &'p BuildPlan, component: &'p Component) -> Vec<&'p EnvVar> {
    let disputed = disputed(plan);
    let config = component
        .env
        .iter()
        .filter(|var| var.kind == EnvKind::Config);
    let own = config.filter(|var| disputed.contains(var.name.as_str()));
    own.collect()
}

/// The plain settings of all components.
fn config(plan: &BuildPlan) -> impl Iterator<Item = &EnvVar> {
    let vars = plan.components.iter().flat_map(|component| &component.env);
    vars.filter(|var| var.kind == EnvKind::Config)
}

/// Names of the plain settings of which components want different values.
fn disputed(plan: &BuildPlan) -> HashSet<&str> {
    let mut first: HashMap<&str, &EnvVar> = HashMap::new();
    let mut disputed = HashSet::new();
    for var in config(plan) {
        let known = first.entry(&var.name).or_insert(var);
        if known.default != var.default || known.values != var.values {
            disputed.insert(var.name.as_str());
        }
    }
    disputed
}

/// Returns the value of `var` in `environment`, if it has one.
pub fn value<'v>(var: &'v EnvVar, environment: &str) -> Option<&'v str> {
    var.values
        .get(environment)
        .or(var.default.as_ref())
        .map(String::as_str)
}

/// Returns the secrets: those of the services, then those of the application.
pub fn secrets(plan: &BuildPlan) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = Vec::new();
    for component in &plan.components {
        for service in &component.services {
            for name in &service.secrets {
                let value = service.written.get(name).cloned();
                let about = match (&value, service.in_source.get(name)) {
                    (Some(_), _) => format!(
                        "stands in the source, so {} must be set up with it: change both together",
                        service.kind
                    ),
                    (None, Some(hidden)) => format!(
                        "stands in the source ({}), so {} must be set up with it: copy it from there, change both together",
                        one_line(&hidden.origin.place()),
                        service.kind
                    ),
                    (None, None) => format!(
                        "made up by you: the password between the application and {}",
                        service.kind
                    ),
                };
                let about = vec![about];
                secrets.push(Secret {
                    name: name.clone(),
                    value,
                    about,
                    origin: service.origin.clone(),
                    required: true,
                });
            }
        }
        for var in component
            .env
            .iter()
            .filter(|var| var.kind == EnvKind::Secret)
        {
            let about = var.about.iter().map(|about| one_line(about)).collect();
            secrets.push(Secret {
                name: var.name.clone(),
                value: None,
                about,
                origin: var.origin.clone(),
                required: var.required,
            });
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    secrets.retain(|secret| seen.insert(secret.name.clone()));
    secrets
}

/// Why a name has no value although one was found.
const UNWRITABLE: &str = "its value holds characters that no env file can hold";

/// The line of a variable; `None` where no file can hold its name.
fn setting(var: &EnvVar, environment: &str, marks: &Marks) -> Option<Line> {
    let mut comments: Vec<Comment> = var.about.iter().map(|about| Comment::new(about)).collect();
    let value = value(var, environment);
    if value.is_none() && var.required {
        comments.push(Comment::new(
            "the application needs a value, and none was found",
        ));
    }
    let written = value.and_then(Value::of);
    if value.is_some() && written.is_none() {
        comments.push(Comment::new(UNWRITABLE));
    }
    Some(Line {
        prefix: if written.is_none() { "# " } else { "" },
        name: Variable::parse(&var.name)?,
        value: written.unwrap_or_default(),
        comments,
        why: marks.why(&var.origin),
    })
}
