//! What a person settled in `longshore.toml`, worked into the plan where no other module decides.

use std::collections::{BTreeMap, HashMap};

use super::{
    BuildPlace, BuildSecret, BuildVar, Command, Component, EnvKind, EnvVar, ExtraFile, Origin,
    Question, SystemPackages, env::is_secret,
};
use crate::{
    config::{self, Config, Mirror, Said},
    diagnostic::{Code, Diagnostic, Severity, nearest},
    name::ImageReference,
    output::OutputPath,
    recipe::Catalog,
};

/// Where the certificate lies in the build stage, alone and with those of the system.
const CERTIFICATE: &str = "/usr/local/share/ca-certificates/company.crt";
const BUNDLE: &str = "/usr/local/share/certificates.pem";

/// Adds the packages that a person names.
pub fn packages(packages: &mut SystemPackages, config: &Config) {
    for (stage, said) in [
        (&mut packages.runtime, &config.packages),
        (&mut packages.build, &config.build_packages),
    ] {
        for name in said {
            stage.push(name.value.clone());
            let origins = packages.origins.entry(name.value.clone()).or_default();
            origins.push(name.origin.clone());
        }
        stage.sort();
        stage.dedup();
    }
}

/// Gives variables the values that a person names: those of `[env]`, and answers to questions.
pub fn env(
    vars: &mut Vec<EnvVar>,
    config: &Config,
    catalog: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut values: BTreeMap<String, &Said<String>> = BTreeMap::new();
    for var in vars.iter() {
        if let Some(said) = config.answer(&question_id(&var.name)) {
            values.insert(var.name.clone(), said);
        }
    }
    values.extend(config.env.iter().map(|(name, said)| (name.clone(), said)));
    let names = vars.iter().enumerate();
    let places: HashMap<String, usize> = names
        .rev()
        .map(|(at, var)| (var.name.clone(), at))
        .collect();
    for (name, said) in values {
        let known = places.get(&name).map(|at| &mut vars[*at]);
        let is_secret = known.as_ref().map_or_else(
            || is_secret(&name, catalog),
            |var| var.kind == EnvKind::Secret,
        );
        if is_secret {
            let message = format!(
                "`{}` gives the secret {name} a value, which is left out",
                said.origin.place()
            );
            diagnostics.push(
                Diagnostic::new(Severity::Error, Code::Configuration, message)
                    .hint("take it out of the file, and change it where it is used")
                    .hint("env/secrets.example.env names the secrets; their values stand in no file that is kept"),
            );
            continue;
        }
        match known {
            Some(var) => {
                var.default = Some(said.value.clone());
                var.values.clear();
                var.origin.insert(0, said.origin.clone());
            }
            None => vars.push(EnvVar {
                name,
                kind: EnvKind::Config,
                required: false,
                default: Some(said.value.clone()),
                values: BTreeMap::new(),
                about: None,
                origin: vec![said.origin.clone()],
            }),
        }
    }
    vars.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Returns the id of the question for the value of the variable `name`.
pub fn question_id(name: &str) -> String {
    format!("env-{}", name.to_lowercase().replace('_', "-"))
}

/// Tells the build of the certificate and the mirrors.
pub fn place(place: &mut BuildPlace, runtime: &str, config: &Config, catalog: &Catalog) {
    if let Some(said) = &config.certificate {
        let recipe = &catalog.runtimes[runtime].certificate;
        let origin = vec![said.origin.clone()];
        place.certificate = Some(ExtraFile {
            path: OutputPath::fixed("container/company-ca.crt"),
            to: CERTIFICATE.to_owned(),
            contents: said.value.contents.clone(),
            executable: false,
            origin: origin.clone(),
        });
        let bundle = format!(
            "{{ cat /etc/ssl/certs/ca-certificates.crt || true; cat {CERTIFICATE}; }} > {BUNDLE}"
        );
        place.setup.push(command(bundle, &origin));
        for line in &recipe.run {
            let line = line.replace("{certificate}", CERTIFICATE);
            place.setup.push(command(line, &origin));
        }
        place.env.extend(recipe.env.iter().map(|name| BuildVar {
            name: name.clone(),
            value: BUNDLE.to_owned(),
            origin: origin.clone(),
        }));
    }
    for (name, said) in &config.mirrors {
        let Some((_, recipe)) = catalog.mirrored_tool(name) else {
            continue;
        };
        let origin = vec![said.origin.clone()];
        place.files.extend(recipe.file.iter().map(|file| ExtraFile {
            path: file.path.clone(),
            to: file.to.clone(),
            contents: file.contents.clone(),
            executable: file.executable,
            origin: origin.clone(),
        }));
        match &said.value {
            Mirror::Url(url) => add_url(place, url, &recipe.env, recipe.before.as_deref(), &origin),
            Mirror::Secret(id) => place.secrets.push(BuildSecret {
                id: id.clone(),
                env: recipe.env.clone(),
                before: recipe.before.clone(),
                origin,
            }),
        }
    }
    // Two tools may read the same variable: the last one said holds.
    let mut seen: BTreeMap<String, BuildVar> = BTreeMap::new();
    for var in place.env.drain(..) {
        seen.insert(var.name.clone(), var);
    }
    place.env = seen.into_values().collect();
}

fn add_url(
    place: &mut BuildPlace,
    url: &str,
    env: &BTreeMap<String, String>,
    before: Option<&str>,
    origin: &[Origin],
) {
    place.env.extend(env.iter().map(|(name, value)| BuildVar {
        name: name.clone(),
        value: value.replace("{url}", url),
        origin: origin.to_vec(),
    }));
    if let Some(before) = before {
        place
            .setup
            .push(command(before.replace("{url}", url), origin));
    }
}

fn command(line: String, origin: &[Origin]) -> Command {
    Command::new(line, ".", origin.to_vec())
}

/// Calls the images of `components` as `[images]` says; a name that no image has is said.
pub fn images(components: &mut [Component], config: &Config, diagnostics: &mut Vec<Diagnostic>) {
    let mut plain: Vec<String> = Vec::new();
    for component in components {
        let mut rename = |image: &mut String, origins: &mut Vec<Origin>| {
            plain.push(image.clone());
            let renamed = config.image(image);
            let renamed = renamed.filter(|(image, _)| ImageReference::parse(image).is_some());
            if let Some((renamed, origin)) = renamed {
                *image = renamed;
                if !origins.contains(origin) {
                    origins.push(origin.clone());
                }
            }
        };
        let runtime = &mut component.runtime;
        rename(&mut component.image.build_from, &mut runtime.origin);
        rename(&mut component.image.run_from, &mut runtime.origin);
        for stage in &mut component.assets {
            rename(&mut stage.build_from, &mut stage.runtime.origin);
        }
        for service in &mut component.services {
            rename(&mut service.image, &mut service.origin);
        }
    }

    let mut names: Vec<&str> = plain.iter().map(|image| config::parts(image).0).collect();
    names.sort_unstable();
    names.dedup();
    for (wanted, said) in &config.images {
        if plain.contains(wanted) || names.contains(&wanted.as_str()) {
            continue;
        }
        let message = format!(
            "`{}` renames `{wanted}`, which no image here is built on",
            said.origin.place()
        );
        let hint = match nearest(wanted, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are {}", names.join(", ")),
        };
        let diagnostic = Diagnostic::new(Severity::Note, Code::Configuration, message);
        diagnostics.push(diagnostic.hint(hint));
    }
}

/// Takes the questions that are answered out of `questions`, and says which answers belong to none.
pub fn answered(
    questions: &mut Vec<Question>,
    components: &[Component],
    config: &Config,
    catalog: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // A service may be asked for, or left out, without a question.
    let services: Vec<String> = catalog
        .services
        .keys()
        .map(|id| format!("service-{id}"))
        .collect();
    for (id, said) in &config.answers {
        let question = questions.iter().find(|question| question.id == *id);
        let is_choice = services.contains(id);
        let is_variable = components
            .iter()
            .flat_map(|component| &component.env)
            .any(|var| question_id(&var.name) == *id);
        let options: Vec<String> = match question {
            Some(question) => question.options.clone(),
            None if is_choice => vec!["no".to_owned(), "yes".to_owned()],
            None => Vec::new(),
        };
        let is_known = question.is_some()
            || is_choice
            || is_variable
            || ["stack", "framework"].contains(&id.as_str());
        let is_named = ["stack", "framework"].contains(&id.as_str());
        let value = match said.value.as_str() {
            "true" if options.iter().any(|option| option == "yes") => "yes",
            "false" if options.iter().any(|option| option == "no") => "no",
            value => value,
        };
        let place = said.origin.place();
        if !is_known {
            let ids = questions.iter().map(|question| question.id.as_str());
            let ids = ids.chain(services.iter().map(String::as_str));
            let message = format!("`{place}` answers `{id}`, which is not asked");
            let diagnostic = Diagnostic::new(Severity::Warning, Code::Configuration, message);
            diagnostics.push(match nearest(id, ids) {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("`longshore plan` lists the open questions with their ids"),
            });
        } else if !is_named && !options.is_empty() && !options.iter().any(|option| option == value)
        {
            let message = format!("`{place}` answers `{id}` with `{}`", said.value);
            diagnostics.push(
                Diagnostic::new(Severity::Error, Code::Configuration, message)
                    .hint(format!("answer {}", options.join(" or "))),
            );
        }
    }
    questions.retain(|question| !config.answers.contains_key(&question.id));
    let env_ids: Vec<String> = config.env.keys().map(|name| question_id(name)).collect();
    questions.retain(|question| !env_ids.contains(&question.id));
}
