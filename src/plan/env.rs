//! Environment variables: who reads them, what they hold, which are secrets.

use std::collections::BTreeMap;

use super::{
    EnvKind, EnvVar, Fate, Origin, OriginKind, created, image,
    input::Input,
    ledger::{self, Ledger},
    services::Known,
};
use crate::{diagnostic::Diagnostic, limits, readme::Part, recipe::Catalog, repo, step::Action};

/// The environments that env files and overlays are made for.
pub const ENVIRONMENTS: [&str; 3] = ["development", "test", "production"];

/// A variable and everything that is known of it, before it is decided how it is handled.
#[derive(Debug, Clone, Default)]
pub struct Candidate {
    /// Value that a document gives it.
    pub told: Option<String>,
    /// Value in an example env file.
    pub example: Option<String>,
    /// Value that the code falls back to.
    pub fallback: Option<String>,
    /// Whether the code fails without it.
    pub required: bool,
    /// Whether the code may do something else once it is set, even to what it falls back to.
    pub asked: bool,
    /// What it is for.
    pub about: Option<String>,
    /// Where it is read or set.
    pub origin: Vec<Origin>,
    /// Steps that set it.
    pub steps: Vec<usize>,
}

/// Collects the variables from documents, example files and source code.
pub fn candidates(input: &Input<'_, '_>, ledger: &Ledger<'_>) -> BTreeMap<String, Candidate> {
    let (selection, catalog) = (input.selection, input.catalog);
    let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
    for (index, step) in ledger.steps.iter().enumerate() {
        if !ledger.is_open(index) {
            continue;
        }
        let pairs: Vec<(String, String)> = match &step.action {
            Action::SetEnv(pairs) => pairs.clone(),
            Action::WriteFile { path, text, .. } if path.contains(".env") => {
                let source = crate::source::SourceFile::new("", text.clone());
                crate::manifest::env_lines(&source)
                    .into_iter()
                    .map(|line| (line.name, line.value))
                    .collect()
            }
            Action::Start | Action::Prepare | Action::Build | Action::Script(_) => {
                step.assignments.clone()
            }
            _ => continue,
        };
        let sets_only = matches!(step.action, Action::SetEnv(_) | Action::WriteFile { .. });
        for (name, value) in pairs {
            let value = in_repository(value, input);
            let candidate = found.entry(name).or_default();
            candidate.origin.push(ledger::origin(step));
            if sets_only {
                candidate.steps.push(index);
            }
            let is_usable = !value.contains('$') && !is_placeholder(&value, catalog);
            if is_usable {
                candidate.told.get_or_insert(value);
            } else {
                candidate
                    .about
                    .get_or_insert_with(|| format!("the README writes {value}"));
            }
        }
    }
    for line in &selection.manifest.env {
        let candidate = found.entry(line.name.clone()).or_default();
        candidate.origin.push(Origin::at(
            OriginKind::Manifest,
            &line.file,
            line.line,
            format!("{}=", line.name),
        ));
        candidate.about = candidate.about.take().or_else(|| line.about.clone());
        if !line.disabled && !line.value.is_empty() {
            candidate.example.get_or_insert_with(|| line.value.clone());
        }
    }
    for read in &selection.facts.env {
        let candidate = found.entry(read.name.clone()).or_default();
        candidate.origin.push(Origin::at(
            OriginKind::Manifest,
            &read.file,
            read.line,
            format!("reads {}", read.name),
        ));
        candidate.fallback = candidate.fallback.take().or_else(|| read.default.clone());
        candidate.required |= read.required;
        candidate.asked |= read.asked;
    }
    for (name, fact) in &input.site.parameters {
        let candidate = found.entry(name.clone()).or_default();
        let text = format!("tells the application {name}");
        let origin = Origin::at(OriginKind::Manifest, &fact.file, fact.line, text);
        candidate.origin.push(origin);
        candidate.example.get_or_insert_with(|| fact.value.clone());
    }
    created::add_candidates(&mut found, input.created, selection, catalog);
    from_tables(&mut found, input);
    for (id, file) in image::recipe_files(input) {
        for read in &selection.stack.env_reads {
            for read in read.captures_iter(&file.contents) {
                let Some(name) = read.name("name") else {
                    continue;
                };
                let candidate = found.entry(name.as_str().to_owned()).or_default();
                let why = format!("{} reads it", file.path);
                candidate.origin.push(Origin::recipe(&id, why));
                candidate.required = true;
            }
        }
    }
    if let Some((id, framework)) = selection.framework {
        for (name, value) in &framework.env {
            let candidate = found.entry(name.clone()).or_default();
            let why = format!("{} needs it", framework.title);
            candidate
                .origin
                .push(Origin::recipe(&format!("frameworks/{id}"), why));
            candidate.required = true;
            if !value.is_empty() {
                candidate.fallback.get_or_insert_with(|| value.clone());
            }
        }
    }
    let system = |name: &str| {
        // What a web server says of a request is no setting either.
        let of_request = catalog.list("sites", "own-parameters");
        listed(catalog, "environment", "system", name) || of_request.iter().any(|own| own == name)
    };
    found.retain(|name, _| crate::shell::is_name(name) && !system(name));
    found
}

/// Rows of tables that tell of variables which the application reads: name, default, meaning, by the
/// words of the row above, or else by their order.
fn from_tables(found: &mut BTreeMap<String, Candidate>, input: &Input<'_, '_>) {
    let is_value = |cell: &str| {
        let cell = cell.trim();
        let says_nothing = [
            "", "-", "–", "—", "none", "n/a", "null", "required", "yes", "no", "empty", "unset",
        ];
        !cell.contains(char::is_whitespace) && !says_nothing.contains(&cell.to_lowercase().as_str())
    };
    for document in input.documents {
        let mut default_at = None;
        for part in &document.parts {
            let Part::Text(row) = part else { continue };
            let [first, rest @ ..] = &row.cells[..] else {
                continue;
            };
            let name = first.trim().trim_matches('`').trim_start_matches('$');
            let Some(candidate) = found.get_mut(name) else {
                let is_default =
                    |cell: &String| input.catalog.has_word("environment", "default", cell);
                default_at = rest.iter().position(is_default);
                continue;
            };
            let line = document.source.line(row.span.start);
            candidate.origin.push(Origin::at(
                OriginKind::Readme,
                &document.source.path,
                line,
                name,
            ));
            let value = default_at
                .or((rest.len() > 1).then_some(0))
                .and_then(|at| rest.get(at));
            let value = value.map(|cell| cell.trim().trim_matches('`'));
            if let Some(value) =
                value.filter(|value| is_value(value) && !is_placeholder(value, input.catalog))
            {
                candidate.told.get_or_insert_with(|| value.to_owned());
            }
            let about = rest
                .last()
                .map(|cell| cell.trim())
                .filter(|cell| cell.contains(' '));
            if let Some(about) = about {
                candidate.about.get_or_insert_with(|| about.to_owned());
            }
        }
    }
}

/// `/path/to/autoapp.py` on the author's machine is the file of that name in the repository.
fn in_repository(value: String, input: &Input<'_, '_>) -> String {
    let name = repo::file_name(&value);
    let is_own = value.starts_with('/')
        && name.contains('.')
        && input.repo.contains(&repo::join(input.directory, name));
    if is_own { name.to_owned() } else { value }
}

/// Returns the values that are known, for the look-up of services.
pub fn known(candidates: &BTreeMap<String, Candidate>) -> Known {
    let value = |candidate: &Candidate| {
        candidate
            .told
            .clone()
            .or_else(|| candidate.example.clone())
            .or_else(|| candidate.fallback.clone())
    };
    candidates
        .iter()
        .map(|(name, candidate)| (name.clone(), value(candidate)))
        .collect()
}

/// Returns the values of those variables that the framework's recipe sets in the image: an example tells
/// of a machine on which somebody works.
pub fn of_framework(
    input: &Input<'_, '_>,
    candidates: &BTreeMap<String, Candidate>,
) -> BTreeMap<String, (String, Origin)> {
    let Some((id, framework)) = input.selection.framework else {
        return BTreeMap::new();
    };
    let set = framework.image.run_env.iter();
    let set = set.filter(|(name, _)| candidates.contains_key(*name));
    let origin = Origin::recipe(&format!("frameworks/{id}"), "what the image is made for");
    set.map(|(name, value)| (name.clone(), (value.clone(), origin.clone())))
        .collect()
}

/// Returns the variables of the component: `bound` lead to services, the others are settings or
/// secrets.
pub fn env(
    candidates: BTreeMap<String, Candidate>,
    bound: Vec<EnvVar>,
    fixed: &BTreeMap<String, (String, Origin)>,
    catalog: &Catalog,
    ledger: &mut Ledger<'_>,
) -> Vec<EnvVar> {
    let mut vars: BTreeMap<String, EnvVar> = BTreeMap::new();
    for mut var in bound {
        if let Some(candidate) = candidates.get(&var.name) {
            var.origin.splice(0..0, candidate.origin.iter().cloned());
        }
        vars.insert(var.name.clone(), var);
    }
    for (name, candidate) in candidates {
        for index in &candidate.steps {
            let is_secret = is_secret(&name, catalog) && !vars.contains_key(&name);
            let (target, remark) = if is_secret {
                (
                    "env/secrets.example.env",
                    Some("by name only, never a value".to_owned()),
                )
            } else {
                ("env/development.env", None)
            };
            ledger.set(*index, Fate::Env, target, remark);
        }
        if vars.contains_key(&name) {
            continue;
        }
        vars.insert(name.clone(), variable(name, candidate, catalog));
    }
    for (name, (value, origin)) in fixed {
        let var = vars.entry(name.clone()).or_insert_with(|| EnvVar {
            name: name.clone(),
            kind: EnvKind::Config,
            required: false,
            default: None,
            values: BTreeMap::new(),
            about: None,
            origin: Vec::new(),
        });
        // The documents' own machine is not where the service is.
        if var.kind != EnvKind::Service {
            var.default = Some(value.clone());
            var.values.clear();
        }
        if !var.origin.contains(origin) {
            var.origin.push(origin.clone());
        }
    }
    vars.into_values().collect()
}

fn variable(name: String, candidate: Candidate, catalog: &Catalog) -> EnvVar {
    let mut var = EnvVar {
        kind: EnvKind::Config,
        required: candidate.required,
        default: None,
        values: BTreeMap::new(),
        about: candidate.about,
        origin: candidate.origin,
        name,
    };
    let fallback = candidate.fallback.clone();
    if candidate.asked
        && let Some(fallback) = &fallback
    {
        (var.about).get_or_insert_with(|| format!("{fallback} where it is not set"));
    }
    let shown = (candidate.told.or(candidate.example))
        .or(fallback.filter(|_| !candidate.asked || candidate.required));
    let says_none = |value: &String| catalog.list("environment", "none").contains(value);
    let is_plain = |value: &String| is_plain_address(&var.name, value, catalog);
    if is_secret(&var.name, catalog) && !shown.as_ref().is_some_and(is_plain) {
        var.kind = EnvKind::Secret;
        var.required = candidate.fallback.is_none() && !shown.as_ref().is_some_and(says_none);
        return var;
    }
    if listed(catalog, "environment", "debug", &var.name) {
        let (on, off) = switch(shown.as_deref().unwrap_or("0"));
        var.values = ENVIRONMENTS
            .iter()
            .map(|environment| {
                let value = if *environment == "development" {
                    on
                } else {
                    off
                };
                ((*environment).to_owned(), value.to_owned())
            })
            .collect();
        var.default = Some(off.to_owned());
        return var;
    }
    if listed(catalog, "environment", "mode", &var.name) {
        // What shows the short word for development takes the short one for production.
        let is_short = shown.is_some_and(|shown| ["dev", "prod"].contains(&shown.as_str()));
        let words = if is_short {
            ["dev", "test", "prod"]
        } else {
            ENVIRONMENTS
        };
        let values = ENVIRONMENTS.iter().zip(words);
        var.values = values
            .map(|(environment, word)| ((*environment).to_owned(), word.to_owned()))
            .collect();
        var.default = Some(words[2].to_owned());
        return var;
    }
    let is_usable = |value: &String| !is_placeholder(value, catalog) && !value.contains('$');
    var.default = shown.clone().filter(is_usable);
    // Without a value it does not start: what an example shows is enough to try it.
    if var.required && var.default.is_none() {
        let is_plain = |value: &String| !value.contains(['$', '<']);
        for value in shown.iter().filter(|value| is_plain(value)) {
            for environment in ["development", "test"] {
                var.values.insert(environment.to_owned(), value.clone());
            }
        }
    }
    var
}

/// Whether the variable `name` holds an address, and the one that `value` shows has no place for a
/// password: `doctrine://default`, `null://null`.
pub fn is_plain_address(name: &str, value: &str, catalog: &Catalog) -> bool {
    let upper = name.to_uppercase();
    let addresses = catalog.list("secrets", "addresses");
    let is_named = upper
        .split('_')
        .any(|part| addresses.iter().any(|known| known == part));
    let Some((scheme, rest)) = value.split_once("://") else {
        return false;
    };
    // A token may stand in the path of a page of the web.
    is_named && !scheme.starts_with("http") && !rest.contains(['@', '<']) && !rest.contains("pass")
}

/// Returns the words for on and off in the manner of `example`.
pub fn switch(example: &str) -> (&'static str, &'static str) {
    match example {
        "True" | "False" => ("True", "False"),
        "true" | "false" => ("true", "false"),
        "on" | "off" => ("on", "off"),
        "yes" | "no" => ("yes", "no"),
        _ => ("1", "0"),
    }
}

/// Returns whether `name` is that of a secret.
pub fn is_secret(name: &str, catalog: &Catalog) -> bool {
    let list = |key: &str| catalog.list("secrets", key);
    let upper = name.to_uppercase();
    let ends = |endings: &[String]| {
        endings
            .iter()
            .any(|ending| upper.ends_with(ending.as_str()))
    };
    let has_part = upper
        .split('_')
        .any(|part| list("parts").iter().any(|known| known == part));
    (has_part || ends(list("endings"))) && !ends(list("public"))
}

/// Returns whether `value` stands for something only the user knows.
pub fn is_placeholder(value: &str, catalog: &Catalog) -> bool {
    let marked = value.starts_with('<') && value.ends_with('>')
        || value.contains("...")
        || value.contains("/path/to")
        || value.starts_with("YOUR");
    let is_word =
        |value: &str| catalog.has_word("environment", "placeholder", &value.replace('_', " "));
    let is_address = value.contains("://") || value.contains("localhost") || value.contains('.');
    marked || !is_address && is_word(value)
}

/// Returns whether `name` is in the list `list` of the words `table`, letter by letter.
pub fn listed(catalog: &Catalog, table: &str, list: &str, name: &str) -> bool {
    catalog.list(table, list).iter().any(|known| known == name)
}

/// Leaves out variables beyond what a component may have, and says so: first of all plain settings without
/// which it runs.
pub fn cut(vars: &mut Vec<EnvVar>) -> Option<Diagnostic> {
    let left_out = vars.len().saturating_sub(limits::VARIABLES);
    if left_out == 0 {
        return None;
    }
    let is_dear = |var: &EnvVar| var.required || var.kind == EnvKind::Secret;
    vars.sort_by_key(|var| !is_dear(var));
    vars.truncate(limits::VARIABLES);
    vars.sort_by(|a, b| a.name.cmp(&b.name));
    Diagnostic::too_many("variables", left_out, limits::VARIABLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_variables_those_that_are_required_stay() {
        let var = |number: usize| EnvVar {
            name: format!("A{number:05}"),
            kind: EnvKind::Config,
            required: number > limits::VARIABLES,
            default: None,
            values: BTreeMap::new(),
            about: None,
            origin: Vec::new(),
        };
        let mut few: Vec<EnvVar> = (0..limits::VARIABLES).map(var).collect();
        assert!(cut(&mut few).is_none());
        let mut many: Vec<EnvVar> = (0..limits::VARIABLES + 10).map(var).collect();
        let finding = cut(&mut many).expect("it is said");
        assert!(finding.message.starts_with("10 variables are left out"));
        assert_eq!(many.len(), limits::VARIABLES);
        assert_eq!(many.iter().filter(|var| var.required).count(), 9);
        assert!(many.is_sorted_by_key(|var| &var.name));
    }

    #[test]
    fn what_is_required_takes_its_example_outside_production() {
        let catalog = Catalog::built_in();
        let candidate = |example: &str, required| Candidate {
            example: Some(example.to_owned()),
            required,
            ..Candidate::default()
        };
        let values = |candidate| variable("STRIPE_PUBLIC".to_owned(), candidate, &catalog).values;
        let shown = values(candidate("your-public-key", true));
        let environments: Vec<&str> = shown.keys().map(String::as_str).collect();
        assert_eq!(environments, ["development", "test"]);
        assert_eq!(shown["test"], "your-public-key");
        assert!(values(candidate("your-public-key", false)).is_empty());
        assert!(values(candidate("<your key>", true)).is_empty());
        assert!(values(candidate("pk_1", true)).is_empty());
    }

    #[test]
    fn an_address_without_a_password_is_no_secret() {
        let catalog = Catalog::built_in();
        let kind = |name: &str, example: &str| {
            let candidate = Candidate {
                example: Some(example.to_owned()),
                ..Candidate::default()
            };
            variable(name.to_owned(), candidate, &catalog).kind
        };
        assert_eq!(kind("MAILER_DSN", "null://null"), EnvKind::Config);
        assert_eq!(kind("MAILER_DSN", "smtp://me:word@mail"), EnvKind::Secret);
        assert_eq!(kind("SENTRY_DSN", "https://errors/1"), EnvKind::Secret);
        assert_eq!(kind("API_TOKEN", "null://null"), EnvKind::Secret);
    }

    #[test]
    fn a_secret_whose_example_says_none_is_not_required() {
        let catalog = Catalog::built_in();
        let is_required = |example: &str| {
            let candidate = Candidate {
                example: Some(example.to_owned()),
                ..Candidate::default()
            };
            variable("REDIS_PASSWORD".to_owned(), candidate, &catalog).required
        };
        assert!(!is_required("null"));
        assert!(is_required("nullify"));
    }
}
