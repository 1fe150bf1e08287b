//! Which backing services run beside the application, and under which names it looks for them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    EnvKind, EnvVar, Fate, Origin, OriginKind, Question, Service,
    input::Input,
    ledger::{self, Ledger},
    runtime::mentioned_version,
    version::fits,
};
use crate::{
    readme::Part,
    recipe::{ServiceRecipe, contains_word},
    repo,
    step::{self, Action},
};

/// What speaks for a service.
#[derive(Default)]
struct Signs {
    /// In manifests and code: the application can talk to it.
    code: Vec<Origin>,
    /// In commands of the documents, with the indexes of the steps.
    steps: Vec<(usize, Origin)>,
    /// Words of prose.
    words: bool,
    /// The source shows that it also runs without.
    has_alternative: bool,
}

/// An environment variable by name, with the value that an example or a document gives it.
pub type Known = BTreeMap<String, Option<String>>;

/// Returns the services, and the environment variables that lead to them.
pub fn services(
    name: &str,
    known: &Known,
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    questions: &mut Vec<Question>,
) -> (Vec<Service>, Vec<EnvVar>) {
    let catalog = input.catalog;
    let mut signs: BTreeMap<&str, Signs> = BTreeMap::new();
    for (id, recipe) in &catalog.services {
        signs.insert(id, signs_of(id, recipe, known, input, ledger));
    }
    // MariaDB installed by hand serves MySQL's clients: its steps and their code are one service.
    let stand_ins: Vec<(&str, &str)> = catalog
        .services
        .iter()
        .flat_map(|(id, recipe)| {
            recipe
                .detect
                .instead_of
                .iter()
                .map(move |other| (id.as_str(), other.as_str()))
        })
        .collect();
    for (stand_in, replaced) in stand_ins {
        let is_meant = signs
            .get(stand_in)
            .is_some_and(|signs| !signs.steps.is_empty() || !signs.code.is_empty());
        if is_meant && let Some(other) = signs.remove(replaced) {
            let own = signs.entry(stand_in).or_default();
            own.code.extend(other.code);
            own.steps.extend(other.steps);
        }
    }

    let config = input.selection.config;
    for id in catalog.services.keys() {
        if config.says(&question_id(id)).is_some_and(|(yes, _)| yes) {
            signs.entry(id).or_default();
        }
    }

    let (mut services, mut env) = (Vec::new(), Vec::new());
    for (id, signs) in signs {
        let recipe = &catalog.services[id];
        let is_optional = signs.has_alternative && signs.steps.is_empty();
        let is_used = !signs.code.is_empty() && !is_optional;
        let question = match (signs.code.is_empty(), signs.steps.is_empty()) {
            (false, _) if is_optional => Some((
                format!(
                    "the application can use {}, but also runs without it: start one beside it?",
                    recipe.title
                ),
                signs.code.clone(),
            )),
            (true, false) => Some((
                format!(
                    "the documents install {}, but nothing in the code uses it: start one beside it?",
                    recipe.title
                ),
                signs
                    .steps
                    .iter()
                    .map(|(_, origin)| origin.clone())
                    .collect(),
            )),
            _ => None,
        };
        if let Some((question, origin)) = question {
            questions.push(Question {
                id: question_id(id),
                question,
                options: vec!["no".to_owned(), "yes".to_owned()],
                default: Some("no".to_owned()),
                origin,
            });
        }
        let said = config.says(&question_id(id));
        if said.map_or(is_used, |(yes, _)| yes) {
            let (mut service, vars) = service(id, recipe, name, known, &signs, input, ledger);
            service
                .origin
                .extend(said.map(|(_, origin)| origin.clone()));
            services.push(service);
            env.extend(vars);
        } else {
            let reason = match said {
                Some(_) => "answered-no",
                None => "service-not-used-by-the-code",
            };
            for (index, _) in &signs.steps {
                ledger.skip(*index, reason, Some(id));
            }
        }
    }
    (services, env)
}

/// The id of the question whether the service `id` runs beside the application.
fn question_id(id: &str) -> String {
    format!("service-{id}")
}

fn signs_of(
    id: &str,
    recipe: &ServiceRecipe,
    known: &Known,
    input: &Input<'_, '_>,
    ledger: &Ledger<'_>,
) -> Signs {
    let (catalog, documents, repo) = (input.catalog, input.documents, input.repo);
    let selection = input.selection;
    let mut signs = Signs::default();
    for name in &recipe.detect.packages {
        if let Some(package) = selection.manifest.package(name) {
            let text = format!("{}{}", package.name, package.requirement);
            signs.code.push(Origin::at(
                OriginKind::Manifest,
                &package.file,
                package.line,
                text,
            ));
        }
        let module = name.replace('-', "_");
        if let Some((file, line)) = selection
            .facts
            .imports
            .get(&module)
            .filter(|_| signs.code.is_empty())
        {
            signs.code.push(Origin::at(
                OriginKind::Manifest,
                file,
                *line,
                format!("imports {module}"),
            ));
        }
    }
    // An address in an example file counts where the code reads it.
    let is_read = |name: &str| {
        selection.facts.env.is_empty() || selection.facts.env.iter().any(|read| read.name == name)
    };
    for (name, value) in known.iter().filter(|(name, _)| is_read(name)) {
        let scheme = value
            .as_deref()
            .and_then(|value| value.split_once("://"))
            .map(|(scheme, _)| scheme);
        // A scheme that it shares with the service it stands in for says nothing of its own.
        let is_shared = |scheme: &str| {
            let replaced = recipe
                .detect
                .instead_of
                .iter()
                .filter_map(|id| catalog.services.get(id));
            replaced
                .into_iter()
                .any(|other| other.schemes.iter().any(|known| known == scheme))
        };
        let is_its_own =
            |scheme: &str| recipe.schemes.iter().any(|known| known == scheme) && !is_shared(scheme);
        if scheme.is_some_and(is_its_own) {
            signs.code.push(Origin::manifest(
                "the environment",
                format!("{name} is an address of it"),
            ));
        }
    }
    for path in &selection.facts.files {
        let Some(source) = repo.source(path) else {
            continue;
        };
        let find = |pieces: &[String]| {
            pieces
                .iter()
                .find_map(|piece| source.text.find(piece.as_str()))
        };
        if let Some(at) = find(&recipe.detect.code) {
            let text = source.line_text(source.line(at)).trim().to_owned();
            signs.code.push(Origin::at(
                OriginKind::Manifest,
                path,
                source.line(at),
                text,
            ));
        }
        signs.has_alternative |= find(&recipe.detect.embedded_alternative).is_some();
    }
    for sign in &recipe.detect.text {
        for path in repo.glob(&repo::join(&selection.folder, &sign.file)) {
            let source = repo.source(path);
            let at = source
                .as_ref()
                .and_then(|source| source.text.find(&sign.has));
            if let (Some(source), Some(at)) = (source, at) {
                let origin = Origin::at(OriginKind::Manifest, path, source.line(at), &sign.has);
                signs.code.push(origin);
            }
        }
    }
    for (index, step) in ledger.steps.iter().enumerate() {
        let is_about = match &step.action {
            Action::Services(units) => units.iter().any(|unit| {
                catalog
                    .service_named(unit)
                    .is_some_and(|(found, _)| found == id)
            }),
            // A statement of SQL names no service: it is for the one that the code talks to.
            Action::CreateDatabase { service, .. } if service.is_empty() => {
                recipe.database.is_some() && !signs.code.is_empty()
            }
            Action::CreateDatabase { service, .. } | Action::LoadFile { service, .. } => {
                service == id
            }
            Action::SystemPackages { packages, .. } => packages.iter().any(|package| {
                catalog.debian_package(package).is_none()
                    && catalog
                        .service_named(package)
                        .is_some_and(|(found, _)| found == id)
            }),
            _ => false,
        };
        if is_about {
            signs.steps.push((index, ledger::origin(step)));
        }
    }
    signs.words = documents
        .iter()
        .flat_map(|document| &document.parts)
        .any(|part| match part {
            Part::Text(paragraph) => recipe
                .detect
                .words
                .iter()
                .any(|word| contains_word(&paragraph.text, word)),
            Part::Code(_) => false,
        });
    let has_weak = recipe
        .detect
        .weak_packages
        .iter()
        .find_map(|name| selection.manifest.package(name));
    if let Some(package) =
        has_weak.filter(|_| signs.code.is_empty() && (signs.words && !signs.steps.is_empty()))
    {
        let text = format!("{}{}", package.name, package.requirement);
        signs.code.push(Origin::at(
            OriginKind::Manifest,
            &package.file,
            package.line,
            text,
        ));
    }
    signs
}

fn service(
    id: &str,
    recipe: &ServiceRecipe,
    name: &str,
    known: &Known,
    signs: &Signs,
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
) -> (Service, Vec<EnvVar>) {
    let (documents, catalog) = (input.documents, input.catalog);
    let framework = input.selection.framework.map(|(id, _)| id);
    let mentioned = mentioned_version(&recipe.detect.words, &recipe.versions, documents)
        .or_else(|| composed_version(id, recipe, input));
    let (version, version_origin) = mentioned.map_or_else(
        || {
            (
                recipe.default.clone(),
                Origin::recipe(&format!("services/{id}"), "default version"),
            )
        },
        |(version, origin)| (version, origin),
    );
    let roles = |role: &str| recipe.env.get(role).map(Vec::as_slice).unwrap_or_default();
    let example = |role: &str| {
        roles(role)
            .iter()
            .find_map(|name| known.get(name)?.clone())
            .filter(|value| is_identifier(value))
    };
    let from_steps = signs
        .steps
        .iter()
        .find_map(|(index, _)| match &ledger.steps[*index].action {
            Action::CreateDatabase { name, .. } => name.clone().filter(|name| is_identifier(name)),
            _ => None,
        });
    let fallback = name.replace('-', "_");
    let from_prose = || {
        let parts = documents.iter().flat_map(|document| &document.parts);
        let mut sentences = parts.filter_map(|part| match part {
            Part::Text(paragraph) => Some(&paragraph.text),
            Part::Code(_) => None,
        });
        sentences.find_map(|text| step::database_name(text, catalog))
    };
    let database = from_steps
        .or_else(from_prose)
        .or_else(|| example("database"))
        .unwrap_or_else(|| {
            recipe
                .database
                .as_deref()
                .unwrap_or("{name}")
                .replace("{name}", &fallback)
        });
    // The image makes an ordinary user; the superuser of an example is replaced by one.
    let ordinary = |user: &String| !["root", "postgres", "sa", "admin"].contains(&user.as_str());
    // MySQL's names of users have 32 characters at most:
    // https://dev.mysql.com/doc/refman/8.0/en/user-names.html
    let short: String = fallback.chars().take(32).collect();
    let short = short.trim_end_matches('_');
    let user = example("user").filter(ordinary).unwrap_or_else(|| {
        recipe
            .username
            .as_deref()
            .unwrap_or("{name}")
            .replace("{name}", short)
    });
    let fill = |text: &str| {
        text.replace("{user}", &user)
            .replace("{database}", &database)
            .replace("{name}", &fallback)
    };

    let mut env = BTreeMap::new();
    let password = recipe
        .secrets
        .first()
        .map(|secret| format!("${{{secret}}}"));
    let mut vars = Vec::new();
    let mut bind = |role: &str, value: &dyn Fn(&str) -> String| {
        for name in roles(role).iter().filter(|name| known.contains_key(*name)) {
            env.entry(name.clone()).or_insert_with(|| value(name));
        }
    };
    bind("url", &|name| {
        let shown = known.get(name).cloned().flatten().unwrap_or_default();
        let scheme = shown.split_once("://").map(|(scheme, _)| scheme.to_owned());
        let is_own = scheme
            .as_ref()
            .is_some_and(|scheme| recipe.schemes.contains(scheme));
        // What an example asks of the connection, such as `?sslmode=disable`, stays.
        let options = shown.split_once('?').filter(|_| is_own);
        let options = options.map_or(String::new(), |(_, options)| format!("?{options}"));
        let scheme = scheme
            .filter(|_| is_own)
            .unwrap_or_else(|| recipe.schemes[0].clone());
        fill(&recipe.url).replace("{scheme}", &scheme) + &options
    });
    bind("host", &|_| id.to_owned());
    bind("port", &|_| recipe.port.to_string());
    bind("user", &|_| user.clone());
    bind("database", &|_| database.clone());
    if let Some(password) = &password {
        bind("password", &|_| password.clone());
    }
    if let Some(dsn) = &recipe.dsn {
        let shows = |value: &Option<String>| {
            value
                .as_ref()
                .is_some_and(|value| value.contains(&dsn.sign))
        };
        for (name, _) in known.iter().filter(|(_, value)| shows(value)) {
            env.insert(name.clone(), fill(&dsn.value));
        }
    }
    let of_framework = framework.and_then(|id| recipe.frameworks.get(id));
    for (name, value) in of_framework.into_iter().flatten() {
        env.entry(name.clone()).or_insert_with(|| fill(value));
    }
    // A URL that shows another service's scheme is not this one's.
    env.retain(|name, _| {
        let shown = known.get(name).cloned().flatten().unwrap_or_default();
        let scheme = shown.split_once("://").map(|(scheme, _)| scheme.to_owned());
        scheme.is_none_or(|scheme| recipe.schemes.contains(&scheme))
    });
    let mut origin = signs.code.clone();
    origin.extend(signs.steps.iter().map(|(_, origin)| origin.clone()));
    origin.push(version_origin);
    for (name, value) in &env {
        vars.push(EnvVar {
            name: name.clone(),
            kind: EnvKind::Service,
            required: true,
            default: Some(value.clone()),
            values: BTreeMap::new(),
            about: Some(format!("where the application finds {}", recipe.title)),
            origin: vec![Origin::recipe(
                &format!("services/{id}"),
                format!("{name} leads to {}", recipe.title),
            )],
        });
    }

    let mut init = Vec::new();
    for (index, _) in &signs.steps {
        match &ledger.steps[*index].action {
            Action::LoadFile { file, .. } if recipe.init_directory.is_some() => {
                if !init.contains(file) {
                    init.push(file.clone());
                }
                ledger.set(
                    *index,
                    Fate::Service,
                    "compose.yaml",
                    Some(format!("{id} loads it when its database is created")),
                );
            }
            _ => ledger.set(
                *index,
                Fate::Service,
                "compose.yaml",
                Some(format!("{id} runs beside the application")),
            ),
        }
    }
    let settings = recipe
        .settings
        .iter()
        .map(|(name, value)| (name.clone(), fill(value)))
        .collect();
    let service = Service {
        kind: id.to_owned(),
        image: recipe.image.replace("{version}", &version),
        version,
        port: recipe.port,
        env,
        settings,
        secrets: recipe.secrets.clone(),
        healthcheck: recipe.healthcheck.iter().map(|word| fill(word)).collect(),
        data: recipe.data.clone(),
        user: recipe.user,
        writable: recipe.writable.clone(),
        init,
        init_directory: recipe.init_directory.clone(),
        optional: false,
        origin: unique(origin),
    };
    (service, vars)
}

/// The version of the service in a compose file that a person wrote: `image: postgres:14`.
fn composed_version(
    id: &str,
    recipe: &ServiceRecipe,
    input: &Input<'_, '_>,
) -> Option<(String, Origin)> {
    let own = recipe.image.split(':').next().map_or("", repo::file_name);
    let patterns = ["docker-compose*.y*ml", "compose*.y*ml"];
    let places = patterns
        .iter()
        .flat_map(|pattern| [input.directory, "."].map(|folder| repo::join(folder, pattern)));
    for path in places.flat_map(|pattern| input.repo.glob(&pattern)) {
        let Some(source) = input.repo.source(path) else {
            continue;
        };
        for (index, line) in source.text.lines().enumerate() {
            let Some(image) = line.trim().strip_prefix("image:") else {
                continue;
            };
            let image = image.trim().trim_matches(['"', '\'']);
            let Some((name, tag)) = image.rsplit_once(':') else {
                continue;
            };
            let name = repo::file_name(name);
            let number: String = tag
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let version = recipe
                .versions
                .iter()
                .find(|version| fits(version, &number));
            if (name == own || name == id)
                && let Some(version) = version.filter(|_| !number.is_empty())
            {
                let origin = Origin::at(OriginKind::Manifest, path, index + 1, line.trim());
                return Some((version.clone(), origin));
            }
        }
    }
    None
}

fn unique(origins: Vec<Origin>) -> Vec<Origin> {
    let mut seen = BTreeSet::new();
    origins
        .into_iter()
        .filter(|origin| seen.insert(origin.clone()))
        .collect()
}

/// A name that needs no quotes in SQL, a URL or YAML.
fn is_identifier(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
