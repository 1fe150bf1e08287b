//! Takes secrets that are known by their value out of a plan.
//!
//! Commands and the application get them from a secret of the build or from a variable; everywhere else
//! a mask stands in their place.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{BuildPlan, BuildSecret, Command, Component, EnvKind, EnvVar, Origin, OriginKind};
use crate::{
    diagnostic::{Code, Diagnostic, Label, Severity},
    quote,
    readme::Document,
    recipe::Catalog,
    repo::Repo,
    secret::{Known, Mask, Patterns, Secret},
    source::{SourceFile, Span},
};

/// Takes every secret out of `plan` and `diagnostics`, and adds a finding for each line that holds one.
///
/// What a service is set up with because the source holds it stays in memory: see
/// [`SourceSecret`](super::model::SourceSecret).
pub fn hide(
    plan: &mut BuildPlan,
    diagnostics: &mut Vec<Diagnostic>,
    documents: &[Document],
    repo: &Repo,
    catalog: &Catalog,
) {
    let patterns = catalog.secrets();
    let mut known = Known::default();
    for document in documents {
        let source = &document.source;
        patterns.remember(&source.text, Some((&source.path, 1)), &mut known);
    }
    for component in &mut plan.components {
        of_services(component, &patterns, &mut known);
        of_variables(component, &patterns, &mut known);
    }
    let Ok(value) = serde_json::to_value(&*plan) else {
        return;
    };
    patterns.remember_all(&value, &mut known);
    for diagnostic in diagnostics.iter() {
        in_diagnostic(diagnostic, &patterns, &mut known);
    }
    let mask = match known.is_empty() {
        true => Mask::new(Vec::new()),
        false => known.mask(&names(plan, &patterns), &structure(plan)),
    };
    let kept = settle(plan, &mask);
    if mask.is_empty() {
        return;
    }
    for component in &mut plan.components {
        variables(component, &mask);
        commands(component, &mask);
    }
    masked_plan(plan, &mask);
    keep(plan, kept);
    let mut masked = Masked::default();
    for diagnostic in diagnostics.iter_mut() {
        hide_in(diagnostic, &mask, &mut masked);
    }
    findings(diagnostics, &mask, repo, &mut masked);
}

/// Masks every text of `plan`.
fn masked_plan(plan: &mut BuildPlan, mask: &Mask) {
    let masked = serde_json::to_value(&*plan).and_then(|mut value| {
        mask.mask_value(&mut value);
        serde_json::from_value(value)
    });
    match masked {
        Ok(masked) => *plan = masked,
        // A name that must not be masked holds a secret: nothing of it is shown.
        Err(_) => {
            plan.components.clear();
            plan.ledger.clear();
            plan.questions.clear();
        }
    }
}

/// The values of secrets of services, by the places of component and service and the secret's name.
type Kept = Vec<(usize, usize, String, Option<Secret>)>;

/// Has what stands in the source and protects nothing be shown, and returns the rest.
fn settle(plan: &mut BuildPlan, mask: &Mask) -> Kept {
    let mut kept = Kept::new();
    for (component, found) in plan.components.iter_mut().enumerate() {
        for (index, service) in found.services.iter_mut().enumerate() {
            for (name, secret) in std::mem::take(&mut service.in_source) {
                let value = secret.value.as_ref().map(Secret::reveal);
                match value.filter(|value| !mask.is_in(value)) {
                    Some(value) => {
                        service.written.insert(name, value.to_owned());
                    }
                    None => {
                        kept.push((component, index, name.clone(), secret.value.clone()));
                        service.in_source.insert(name, secret);
                    }
                }
            }
        }
    }
    kept
}

/// Gives the services of `plan` back what [`settle`] returned.
fn keep(plan: &mut BuildPlan, kept: Kept) {
    for (component, service, name, value) in kept {
        let component = plan.components.get_mut(component);
        let service = component.and_then(|component| component.services.get_mut(service));
        if let Some(secret) = service.and_then(|service| service.in_source.get_mut(&name)) {
            secret.value = value;
        }
    }
}

/// What is no secret although it may be a password as well: names, and settings that are shown.
fn names<'p>(plan: &'p BuildPlan, patterns: &Patterns<'_>) -> BTreeSet<&'p str> {
    let mut names = BTreeSet::from([plan.name.as_str()]);
    for component in &plan.components {
        for var in component
            .env
            .iter()
            .filter(|var| var.kind == EnvKind::Config)
        {
            let values = var.default.iter().chain(var.values.values());
            let is_shown = |value: &&String| patterns.of_variable(&var.name, value).is_none();
            names.extend(values.filter(is_shown).map(String::as_str));
        }
        let services = component.services.iter();
        names.extend(services.flat_map(|service| service.settings.values().map(String::as_str)));
    }
    names
}

/// The names that others must know: of components, packages, images.
fn structure(plan: &BuildPlan) -> String {
    let mut structure = plan.name.clone();
    for component in &plan.components {
        let image = &component.image;
        let services = component.services.iter();
        let services = services.flat_map(|service| [&service.kind, &service.image]);
        let names = [
            &component.id,
            &image.build_from,
            &image.run_from,
            &image.workdir,
        ];
        for name in names.into_iter().chain(services) {
            structure.push('\n');
            structure += name;
        }
    }
    structure
}

/// Remembers the passwords of services that stand in the source.
fn of_services(component: &Component, patterns: &Patterns<'_>, known: &mut Known) {
    for service in &component.services {
        for (name, secret) in &service.in_source {
            let value = secret.value.as_ref().map(Secret::reveal);
            if let Some(value) = value.filter(|value| !patterns.is_ordinary(value)) {
                let place = place(std::slice::from_ref(&secret.origin));
                known.add(value, name, false, place);
            }
        }
    }
}

/// Remembers the secrets among the values of the settings.
fn of_variables(component: &Component, patterns: &Patterns<'_>, known: &mut Known) {
    for var in &component.env {
        for value in var.default.iter().chain(var.values.values()) {
            let value = value.trim();
            if let Some(hit) = patterns.of_variable(&var.name, value) {
                let place = place(&var.origin);
                known.add(&value[hit.range], &var.name, hit.is_certain, place);
            }
        }
    }
}

/// Has every setting that is a secret by its value be one.
fn variables(component: &mut Component, mask: &Mask) {
    for var in &mut component.env {
        let mut values = var.default.iter().chain(var.values.values());
        if values.any(|value| mask.is_in(value)) {
            var.kind = EnvKind::Secret;
            var.default = None;
            var.values.clear();
        }
    }
}

fn place(origins: &[Origin]) -> Option<(String, usize)> {
    let mut places = origins
        .iter()
        .filter(|origin| origin.kind != OriginKind::Recipe);
    places.find_map(|origin| Some((origin.file.clone()?, origin.line?)))
}

fn in_diagnostic(diagnostic: &Diagnostic, patterns: &Patterns<'_>, known: &mut Known) {
    for text in std::iter::once(&diagnostic.message).chain(&diagnostic.hints) {
        patterns.remember(text, diagnostic.place(), known);
    }
    // Only the lines of its place are shown.
    let Some(label) = &diagnostic.label else {
        return;
    };
    let source = &label.source;
    let (first, last) = (source.line(label.span.start), source.line(label.span.end));
    for line in first..=last {
        let place = Some((source.path.as_str(), line));
        patterns.remember(source.line_text(line), place, known);
    }
}

/// Has each command take its secrets from a secret of the build, and what runs later from variables.
fn commands(component: &mut Component, mask: &Mask) {
    let Component {
        image,
        assets,
        install,
        build,
        prepare,
        start,
        processes,
        schedules,
        env,
        ..
    } = component;
    let of_image = [&mut image.setup, &mut image.finish, &mut image.run_setup];
    let of_assets = assets.iter_mut();
    let of_assets = of_assets.flat_map(|stage| [&mut stage.install, &mut stage.build]);
    let all = of_image
        .into_iter()
        .chain(of_assets)
        .chain([install, build]);
    for command in all.flatten() {
        while_building(command, mask);
    }
    let mut needed: BTreeMap<String, Vec<Origin>> = BTreeMap::new();
    for command in prepare {
        if let Some((line, names)) = with_variables(&command.command, mask) {
            command.command = line;
            needed.extend(names.into_iter().map(|name| (name, command.origin.clone())));
        }
        for name in without_secrets(&mut command.env, mask) {
            needed.insert(name, command.origin.clone());
        }
    }
    let lines = processes.iter_mut().map(|it| (&mut it.command, &it.origin));
    let jobs = schedules.iter_mut().map(|it| (&mut it.command, &it.origin));
    let start = start.iter_mut().map(|it| (&mut it.command, &it.origin));
    for (words, origin) in start.chain(lines).chain(jobs) {
        for name in in_words(words, mask) {
            needed.insert(name, origin.clone());
        }
    }
    for (name, origin) in needed {
        if !env.iter().any(|var| var.name == name) {
            env.push(EnvVar {
                name,
                kind: EnvKind::Secret,
                required: true,
                default: None,
                values: BTreeMap::new(),
                about: Some("stands in a command of the documents".to_owned()),
                origin,
            });
        } else if let Some(var) = env.iter_mut().find(|var| var.name == name) {
            var.required = true;
        }
    }
    env.sort_by(|a, b| a.name.cmp(&b.name));
}

fn while_building(command: &mut Command, mask: &Mask) {
    let secret = |name: String| BuildSecret {
        id: name.clone(),
        env: BTreeMap::from([(name, "{url}".to_owned())]),
        before: None,
        origin: Vec::new(),
    };
    let mut needed = BTreeSet::new();
    if let Some((line, names)) = with_variables(&command.command, mask) {
        command.command = line;
        needed.extend(names);
    }
    needed.extend(without_secrets(&mut command.env, mask));
    command.secrets.extend(needed.into_iter().map(secret));
}

/// Takes the variables whose values hold secrets out of `env`, and returns their names.
fn without_secrets(env: &mut BTreeMap<String, String>, mask: &Mask) -> Vec<String> {
    let secret = env.iter().filter(|(_, value)| mask.is_in(value));
    let secret: Vec<String> = secret.map(|(name, _)| name.clone()).collect();
    env.retain(|name, _| !secret.contains(name));
    secret
}

/// Returns the shell line `line` with variables in the place of its secrets, whatever quotes stand
/// around them, and the names of these; `None` where there is none.
fn with_variables(line: &str, mask: &Mask) -> Option<(String, BTreeSet<String>)> {
    let mut places = mask.places(line).peekable();
    places.peek()?;
    let mut made = String::new();
    let mut names = BTreeSet::new();
    let mut at = 0;
    let mut quote = None;
    let mut is_escaped = false;
    while let Some(c) = line[at..].chars().next() {
        if let Some((range, found)) = places.next_if(|(range, _)| range.start == at) {
            if std::mem::take(&mut is_escaped) {
                made.pop();
            }
            let name = &found.name;
            made += &match quote {
                None => format!("\"${{{name}}}\""),
                Some('"') => format!("${{{name}}}"),
                Some(_) => format!("'\"${{{name}}}\"'"),
            };
            names.insert(name.clone());
            at = range.end;
            continue;
        }
        // What a backslash escapes opens and ends no quotes.
        quote = match (quote, c) {
            (None, '"' | '\'') if !is_escaped => Some(c),
            (Some(open), _) if open == c && !is_escaped => None,
            (quote, _) => quote,
        };
        is_escaped = c == '\\' && !is_escaped && quote != Some('\'');
        made.push(c);
        at += c.len_utf8();
    }
    Some((made, names))
}

/// Has a shell fill the secrets into the words of a command in exec form; returns their names.
fn in_words(words: &mut Vec<String>, mask: &Mask) -> BTreeSet<String> {
    let line = match &words[..] {
        [shell, flag, line] if shell.ends_with("sh") && flag.starts_with('-') => line.clone(),
        _ => format!("exec {}", quote::shell::join(&*words)),
    };
    let Some((line, names)) = with_variables(&line, mask) else {
        return BTreeSet::new();
    };
    *words = vec!["sh".to_owned(), "-c".to_owned(), line];
    names
}

/// The files that are shown with a mask: as they are, and masked where they hold a secret.
type Masked = BTreeMap<*const SourceFile, (Arc<SourceFile>, Option<Arc<SourceFile>>)>;

/// Masks what `diagnostic` says and shows.
fn hide_in(diagnostic: &mut Diagnostic, mask: &Mask, masked: &mut Masked) {
    let texts = std::iter::once(&mut diagnostic.message).chain(&mut diagnostic.hints);
    for text in texts {
        *text = mask.mask(text).into_owned();
    }
    if let Some(label) = &mut diagnostic.label {
        label.text = mask.mask(&label.text).into_owned();
        hide_in_source(label, mask, masked);
    }
}

/// Masks the file that `label` shows a part of; its place moves along.
fn hide_in_source(label: &mut Label, mask: &Mask, masked: &mut Masked) {
    let entry = masked.entry(Arc::as_ptr(&label.source));
    let (_, hidden) = entry.or_insert_with(|| {
        let source = &label.source;
        // A secret of several lines keeps them, so that the numbers stay right.
        let hidden = match mask.mask_lines(&source.text) {
            Cow::Owned(text) => Some(Arc::new(SourceFile::new(source.path.clone(), text))),
            Cow::Borrowed(_) => None,
        };
        (Arc::clone(source), hidden)
    });
    let Some(source) = hidden else {
        return;
    };
    let text = &label.source.text;
    let line = label.source.line(label.span.start);
    let last = label.source.line(label.span.end);
    let is_within = |at: usize| text.is_char_boundary(at.min(text.len()));
    let is_cut = !is_within(label.span.start) || !is_within(label.span.end);
    let start = label.source.line_span(line).start.min(text.len());
    let (from, to) = (
        label.span.start.min(text.len()),
        label.span.end.min(text.len()),
    );
    let whole = Span::new(source.line_span(line).start, source.line_span(line).end);
    let shown = &text[if is_cut {
        start..start
    } else {
        from..to.max(from)
    }];
    let shown = mask.mask(shown);
    let spot = source
        .text
        .get(whole.range())
        .and_then(|text| text.find(&*shown));
    label.span = match spot.filter(|_| line == last && !shown.is_empty()) {
        Some(at) => Span::new(whole.start + at, whole.start + at + shown.len()),
        None => whole,
    };
    label.source = Arc::clone(source);
}

/// Says where each secret stands.
fn findings(diagnostics: &mut Vec<Diagnostic>, mask: &Mask, repo: &Repo, masked: &mut Masked) {
    let said = diagnostics
        .iter()
        .filter(|said| said.code == Code::SecretInRepository);
    let said = said.filter_map(Diagnostic::place);
    let said: BTreeSet<(String, usize)> =
        said.map(|(file, line)| (file.to_owned(), line)).collect();
    let mut places: BTreeMap<&(String, usize), Vec<&str>> = BTreeMap::new();
    for found in mask.iter() {
        if let Some(place) = &found.place {
            places.entry(place).or_default().push(&found.name);
        }
    }
    places.retain(|place, _| !said.contains(place));
    for ((file, line), mut names) in places {
        names.sort_unstable();
        let message = format!("a secret stands in `{file}`, line {line}");
        let names = names.join(", ");
        let mut diagnostic = Diagnostic::new(Severity::Warning, Code::SecretInRepository, message);
        if let Some(source) = repo.source(file) {
            diagnostic = diagnostic.at(&source, source.line_span(*line), "stands here");
            hide_in(&mut diagnostic, mask, masked);
        }
        diagnostics.push(
            diagnostic
                .hint("rotate it: whoever can read the repository knows it")
                .hint(format!(
                    "the generated files do not hold it; where one of them needs it, it is called {names}"
                )),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(value: &str, name: &str) -> Mask {
        let mut known = Known::default();
        known.add(value, name, false, None);
        known.mask(&BTreeSet::new(), "")
    }

    #[test]
    fn a_variable_stands_within_the_quotes_of_its_place() {
        for (line, expected) in [
            ("a https://u:K1@h", "a https://u:\"${N}\"@h"),
            ("a \"u:K1@h\"", "a \"u:${N}@h\""),
            ("a 'u:K1@h'", "a 'u:'\"${N}\"'@h'"),
            ("a \\' K1", "a \\' \"${N}\""),
            ("a \\K1", "a \"${N}\""),
        ] {
            let (made, names) = with_variables(line, &mask("K1", "N")).expect("a secret");
            assert_eq!(made, expected);
            assert_eq!(names, BTreeSet::from(["N".to_owned()]));
        }
    }

    #[test]
    fn a_start_command_with_a_secret_runs_in_a_shell() {
        let mut words: Vec<String> = ["node", "a.js", "--password", "Xk39fQ"]
            .map(str::to_owned)
            .into();
        assert_eq!(in_words(&mut words, &mask("Xk39fQ", "PASSWORD")).len(), 1);
        assert_eq!(
            words,
            ["sh", "-c", "exec node a.js --password \"${PASSWORD}\""]
        );
    }
}
