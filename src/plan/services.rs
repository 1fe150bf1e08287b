//! Which backing services run beside the application, and under which names it looks for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use super::{
    Command, EnvKind, EnvVar, ExtraFile, Fate, FixedAddress, LOCALHOST, Origin, OriginKind,
    Question, Service, SourceSecret,
    address::{self, Written},
    bindings::{Named, bindings},
    contents, dumps,
    input::Input,
    ledger::{self, Ledger},
    runtime::{mentioned_version, pin_sign},
    version::{compare, fits, numbers},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    manifest::{EnvRead, compose},
    quote,
    readme::Part,
    recipe::{ServiceRecipe, contains_word},
    repo,
    secret::Secret,
    select,
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

/// The backing services of an application, and what leads it to them.
#[derive(Default)]
pub struct Bound {
    /// The services.
    pub services: Vec<Service>,
    /// The environment variables that lead to them.
    pub env: Vec<EnvVar>,
    /// Files of the image that clients need to find them.
    pub files: Vec<ExtraFile>,
    /// Build commands that put a service's name in the place of an address in the source.
    pub rewrites: Vec<Command>,
}

/// Returns the services and what leads the application to them.
pub fn services(
    name: &str,
    known: &Known,
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    questions: &mut Vec<Question>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Bound {
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

    let mut bound = Bound::default();
    let mut of_clients: Vec<(usize, Vec<EnvVar>)> = Vec::new();
    for (id, signs) in signs {
        let recipe = &catalog.services[id];
        let said = config.says(&question_id(id));
        if said.is_none() && recipe.needs_address && !has_address(recipe, known, input) {
            for (index, _) in &signs.steps {
                ledger.share(*index);
                ledger.skip(*index, "service-not-used-by-the-code", Some(id));
            }
            continue;
        }
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
            questions.push(ask(id, question, origin));
        }
        if said.map_or(is_used, |(yes, _)| yes) {
            let planned = service(
                (id, recipe),
                name,
                known,
                &signs,
                input,
                ledger,
                diagnostics,
            );
            let is_named = signs.words
                || !signs.steps.is_empty()
                || composed_version(id, recipe, input).is_some();
            if said.is_none() && !is_named && !planned.is_led_to() {
                let question = format!(
                    "the application has a client of {}, but nothing shows where it looks for one: start one beside it?",
                    recipe.title
                );
                questions.push(ask(id, question, signs.code));
                continue;
            }
            let Planned {
                mut service,
                env: vars,
                client,
                rewrite,
            } = planned;
            bound.files.extend(socket_files(recipe, &service, input));
            of_clients.push((bound.services.len(), client));
            service
                .origin
                .extend(said.map(|(_, origin)| origin.clone()));
            bound.services.push(service);
            bound.env.extend(vars);
            bound.rewrites.extend(rewrite);
        } else {
            let reason = match said {
                Some(_) => "answered-no",
                None => "service-not-used-by-the-code",
            };
            for (index, _) in &signs.steps {
                ledger.share(*index);
                ledger.skip(*index, reason, Some(id));
            }
        }
    }
    // Two services may have the same clients: the one with a password tells them who they are.
    of_clients.sort_by_key(|(index, _)| bound.services[*index].secrets.is_empty());
    for (index, vars) in of_clients {
        for var in vars {
            if !bound.env.iter().any(|known| known.name == var.name) {
                let value = var.default.clone().unwrap_or_default();
                bound.services[index].env.insert(var.name.clone(), value);
                bound.env.push(var);
            }
        }
    }
    bound
}

/// A service, and what leads the application to it.
struct Planned {
    service: Service,
    /// The environment variables that the application reads.
    env: Vec<EnvVar>,
    /// Those that its client libraries read, where nothing else sets them.
    client: Vec<EnvVar>,
    /// What puts its name in the place of an address in the source.
    rewrite: Option<Command>,
}

impl Planned {
    /// Whether anything leads the application to it: a variable, or an address in the source.
    fn is_led_to(&self) -> bool {
        !self.env.is_empty()
            || !self.client.is_empty()
            || self.rewrite.is_some()
            || self.service.fixed.is_some()
    }
}

/// The question whether the service `id` runs beside the application, which by default it does not.
fn ask(id: &str, question: String, origin: Vec<Origin>) -> Question {
    Question {
        id: question_id(id),
        question,
        options: vec!["no".to_owned(), "yes".to_owned()],
        default: Some("no".to_owned()),
        origin,
    }
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
        let is_indirect = selection
            .manifest
            .indirect
            .contains(&crate::manifest::normal_name(name));
        if let Some(package) = selection.manifest.package(name).filter(|_| !is_indirect) {
            signs.code.push(package.origin());
        }
        let module = name.replace('-', "_");
        // What is declared in a set that nobody asks for is not installed.
        let asks = |word: &String| word.ends_with(']') && word.contains('[');
        let is_absent = || {
            selection.manifest.extras.is_some()
                && (selection.manifest.declared(name)).is_some_and(|package| package.development)
                && !ledger.steps.iter().flat_map(|step| &step.words).any(asks)
        };
        if let Some((file, line)) = selection
            .facts
            .imports
            .get(&module)
            .filter(|_| signs.code.is_empty() && !is_absent())
        {
            signs.code.push(Origin::at(
                OriginKind::Manifest,
                file,
                *line,
                format!("imports {module}"),
            ));
        }
    }
    for (name, value) in known {
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
        if scheme.is_some_and(is_its_own) && is_read(name, input) {
            signs.code.push(Origin::manifest(
                "the environment",
                format!("{name} is an address of it"),
            ));
        }
    }
    for source in selection.facts.sources(repo) {
        let find = |pieces: &[String]| {
            pieces
                .iter()
                .find_map(|piece| source.text.find(piece.as_str()))
        };
        if let Some(at) = find(&recipe.detect.code).filter(|_| !input.is_choice(&source.path)) {
            signs.code.push(Origin::in_source(&source, at));
        }
        signs.has_alternative |= find(&recipe.detect.embedded_alternative).is_some();
    }
    let mut embedded = recipe.detect.embedded_packages.iter();
    signs.has_alternative |= embedded.any(|name| selection.manifest.package(name).is_some());
    let is_default = |read: &&EnvRead| {
        let default = read
            .default
            .as_deref()
            .and_then(|value| value.split_once("://"));
        default.is_some_and(|(scheme, _)| recipe.schemes.iter().any(|known| known == scheme))
    };
    if let Some(read) = selection.facts.env.iter().find(is_default) {
        signs.code.push(Origin::at(
            OriginKind::Manifest,
            &read.file,
            read.line,
            format!("{} leads to it by default", read.name),
        ));
        signs.has_alternative = false;
    }
    for origin in select::texts(repo, &selection.folder, &recipe.detect.text) {
        signs.code.push(origin);
        // A setting that names it has decided.
        signs.has_alternative = false;
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
            Action::SystemPackages { manager, packages } => packages.iter().any(|package| {
                let named = catalog.service_named(package);
                // An extension may have the name of the service that it reaches.
                !catalog.installs_extensions(manager)
                    && catalog.debian_package(package).is_none()
                    && named.is_some_and(|(found, _)| found == id)
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
        signs.code.push(package.origin());
    }
    signs
}

fn service(
    (id, recipe): (&str, &ServiceRecipe),
    name: &str,
    known: &Known,
    signs: &Signs,
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Planned {
    let catalog = input.catalog;
    let recipes: Vec<&ServiceRecipe> = std::iter::once(recipe)
        .chain(
            recipe
                .detect
                .instead_of
                .iter()
                .filter_map(|id| catalog.services.get(id)),
        )
        .collect();
    let is_led = is_led_by_env(recipe, known, input);
    let may_lead_elsewhere = is_led && !input.selection.facts.env.is_empty();
    let mut written = (!may_lead_elsewhere)
        .then(|| address::written(&recipes, input))
        .flatten()
        .filter(|written| !is_led || is_in_copy(written, input));
    let rewrite = written
        .as_mut()
        .and_then(|written| rewritten(id, recipe, written, input, diagnostics));
    // What the source leaves open can be told to its clients.
    let mut told: Vec<&str> = Vec::new();
    if let Some(written) = &written {
        told.extend(&written.unnamed);
        told.extend(Some("host").filter(|_| written.named.is_empty()));
    }
    told.retain(|role| recipe.client_env.contains_key(*role));
    let written = written.filter(|written| {
        told.contains(&"host")
            || rewrite.is_some()
            || is_reachable(recipe, written, input, diagnostics)
    });
    let named = named(
        (id, recipe),
        name,
        written.as_ref(),
        known,
        signs,
        input,
        ledger,
    );
    let fill = |text: &str| named.fill(text);
    let password_in_source = written.as_ref().and_then(|written| {
        let of_recipe = || {
            let password = unnamed("password", recipe, written)?;
            Some((password, written.origin.clone()))
        };
        written.password.clone().or_else(of_recipe)
    });
    let contents =
        recipe.contents.as_ref().map(|recipe| {
            let commands = signs.steps.iter().filter_map(|(index, origin)| {
                match &ledger.steps[*index].action {
                    Action::CreateDatabase { name, .. } => Some((name.clone()?, origin.clone())),
                    _ => None,
                }
            });
            let contents = contents::contents(recipe, commands.collect(), name, known, input);
            (recipe, contents)
        });
    let of_contents = contents.as_ref().map(|(_, contents)| &contents.env);
    let env = bindings(&named, &told, of_contents, known, input);
    let (version, version_origin) = version(id, recipe, input, ledger);
    let mut origin = signs.code.clone();
    origin.extend(signs.steps.iter().map(|(_, origin)| origin.clone()));
    let made = contents.iter().flat_map(|(_, contents)| &contents.made);
    origin.extend(made.map(|(_, origin)| origin.clone()));
    origin.push(version_origin);
    let var = |name: &String, value: String| EnvVar {
        name: name.clone(),
        kind: EnvKind::Service,
        required: true,
        default: Some(value),
        values: BTreeMap::new(),
        about: Some(format!("where the application finds {}", recipe.title)),
        origin: vec![Origin::recipe(
            &format!("services/{id}"),
            format!("{name} leads to {}", recipe.title),
        )],
    };
    let vars = env.iter().map(|(name, value)| var(name, value.clone()));
    let vars = vars.collect();
    let manifest = &input.selection.manifest;
    let is_there = |package: &String| match package.strip_suffix('*') {
        Some(start) => manifest.packages.keys().any(|name| name.starts_with(start)),
        None => manifest.package(package).is_some(),
    };
    let client = recipe
        .client
        .iter()
        .filter(|client| client.packages.iter().any(is_there))
        .flat_map(|client| &client.env)
        .map(|(name, value)| var(name, fill(value)))
        .collect();

    let init = initial_files(id, recipe, signs, &mut origin, input, ledger);
    let superuser = recipe
        .superuser
        .as_ref()
        .filter(|superuser| superuser.names.contains(&named.user));
    let is_open = password_in_source
        .as_ref()
        .is_some_and(|(password, _)| password.is_empty());
    let settings = match (superuser, is_open) {
        (Some(superuser), true) => &superuser.without_password,
        (Some(superuser), false) => &superuser.settings,
        (None, true) if !recipe.without_password.is_empty() => &recipe.without_password,
        (None, _) => &recipe.settings,
    };
    let host = written.as_ref().map_or(id, |written| &written.host);
    let mut settings: BTreeMap<String, String> = settings
        .iter()
        .map(|(name, value)| (name.clone(), fill(value).replace("{host}", host)))
        .collect();
    if let Some(recipe) = superuser.and_then(|user| user.makes_database.as_ref()) {
        let mut files = init.iter().filter_map(|file| input.repo.source(file));
        if files.any(|file| recipe.is_refused_by(&file.text)) {
            settings.remove(&recipe.variable);
        }
    }
    let mut entrypoint = Vec::new();
    let mut command: Vec<String> = recipe.command.iter().map(|word| fill(word)).collect();
    if let Some((recipe, contents)) = contents.filter(|(_, contents)| !contents.made.is_empty()) {
        for (name, value) in &recipe.settings {
            let value = contents.fill(recipe, &fill(value)).replace("{host}", host);
            settings.insert(name.clone(), value);
        }
        if !recipe.entrypoint.is_empty() {
            let words = recipe.entrypoint.iter();
            entrypoint.extend(words.map(|word| contents.fill(recipe, word)));
            command.clear();
        }
    }
    let mut secrets = recipe.secrets.clone();
    let mut values = BTreeMap::new();
    if let (Some((password, place)), Some(secret)) = (&password_in_source, secrets.first()) {
        if is_open {
            secrets.clear();
        } else {
            let value = SourceSecret {
                value: Some(Secret::new(password.as_str())),
                origin: place.clone(),
            };
            values.insert(secret.clone(), value);
        }
        diagnostics.push(password_warning(recipe, place, values.keys().next(), input));
    }
    let fixed = written
        .as_ref()
        .filter(|_| !told.contains(&"host"))
        .map(|fixed| {
            let socket = recipe.socket.as_ref().filter(|socket| {
                let has = |name: &String| input.selection.manifest.package(name).is_some();
                let is_stack = socket
                    .stacks
                    .iter()
                    .any(|stack| *stack == input.selection.stack_id);
                socket.hosts.contains(&fixed.named) && (is_stack || socket.packages.iter().any(has))
            });
            FixedAddress {
                host: fixed.host.clone(),
                socket: socket.map(|socket| socket.directory.clone()),
                origin: vec![fixed.origin.clone()],
            }
        });
    let service = Service {
        kind: id.to_owned(),
        image: recipe.image.replace("{version}", &version),
        version,
        port: recipe.port,
        env,
        settings,
        entrypoint,
        command,
        memory: recipe.memory.clone(),
        secrets,
        written: BTreeMap::new(),
        in_source: values,
        fixed,
        healthcheck: recipe.healthcheck.iter().map(|word| fill(word)).collect(),
        data: recipe.data.clone(),
        user: recipe.user,
        writable: recipe.writable.clone(),
        read_only: recipe.read_only,
        init,
        init_directory: recipe.init_directory.clone(),
        optional: signs.has_alternative,
        origin: unique(origin),
    };
    Planned {
        service,
        env: vars,
        client,
        rewrite,
    }
}

/// The version that documents, compose files, commands or the pins of clients ask for.
fn version(
    id: &str,
    recipe: &ServiceRecipe,
    input: &Input<'_, '_>,
    ledger: &Ledger<'_>,
) -> (String, Origin) {
    let words = &recipe.detect.words;
    let pinned = || {
        let ceilings = recipe.ceiling.iter().filter_map(|ceiling| {
            let origin = pin_sign(ceiling, &input.selection.manifest)?;
            Some((ceiling.newest.clone(), origin))
        });
        ceilings.min_by(|a, b| compare(&numbers(&a.0), &numbers(&b.0)))
    };
    mentioned_version(words, &recipe.versions, input.documents, input.catalog)
        .or_else(|| composed_version(id, recipe, input))
        .or_else(|| version_in_command(id, recipe, ledger))
        .or_else(pinned)
        .unwrap_or_else(|| {
            let origin = Origin::recipe(&format!("services/{id}"), "default version");
            (recipe.default.clone(), origin)
        })
}

/// Finds the names of the user and the database: those of the source, of the documents, of examples,
/// or else the application's own.
fn named<'a>(
    (id, recipe): (&'a str, &'a ServiceRecipe),
    name: &str,
    written: Option<&Written>,
    known: &Known,
    signs: &Signs,
    input: &Input<'_, '_>,
    ledger: &Ledger<'_>,
) -> Named<'a> {
    let example = |role: &str| {
        let mut names = recipe.env.get(role).into_iter().flatten();
        let value = names.find_map(|name| known.get(name)?.clone());
        value.filter(|value| is_identifier(value))
    };
    let from_steps = || {
        let mut steps = signs.steps.iter().map(|(index, _)| &ledger.steps[*index]);
        steps.find_map(|step| match &step.action {
            Action::CreateDatabase { name, .. } => name.clone().filter(|name| is_identifier(name)),
            _ => None,
        })
    };
    let from_prose = || {
        let parts = input.documents.iter().flat_map(|document| &document.parts);
        let mut sentences = parts.filter_map(|part| match part {
            Part::Text(paragraph) => Some(&paragraph.text),
            Part::Code(_) => None,
        });
        sentences.find_map(|text| step::database_name(text, input.catalog))
    };
    let own = |text: &Option<String>, name: &str| {
        let text = text.as_deref().unwrap_or("{name}");
        text.replace("{name}", name)
    };
    let name = name.replace('-', "_");
    let database = written
        .and_then(|written| written.database.clone())
        .or_else(from_steps)
        .or_else(from_prose)
        .or_else(|| example("database"))
        .unwrap_or_else(|| own(&recipe.database, &name));
    // The image makes an ordinary user; the superuser of an example is replaced by one.
    let superusers = input.catalog.list("environment", "superusers");
    // MySQL's names of users have 32 characters at most:
    // https://dev.mysql.com/doc/refman/8.0/en/user-names.html
    let short: String = name.chars().take(32).collect();
    let user = written
        .and_then(|written| {
            written
                .user
                .clone()
                .or_else(|| unnamed("user", recipe, written))
        })
        .or_else(|| example("user").filter(|user| !superusers.contains(user)))
        .unwrap_or_else(|| own(&recipe.username, short.trim_end_matches('_')));
    Named {
        id,
        recipe,
        name,
        user,
        database,
    }
}

/// What the recipe says of a role that the source leaves out where it connects.
fn unnamed(role: &str, recipe: &ServiceRecipe, written: &Written) -> Option<String> {
    let is_meant = written.unnamed.contains(&role);
    recipe.unnamed.get(role).filter(|_| is_meant).cloned()
}

/// Files that the service loads when its database is created: those that documents load, or else
/// dumps of the repository. Says what became of the steps that are about the service.
fn initial_files(
    id: &str,
    recipe: &ServiceRecipe,
    signs: &Signs,
    origin: &mut Vec<Origin>,
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
) -> Vec<String> {
    let mut files = Vec::new();
    for (index, _) in &signs.steps {
        ledger.share(*index);
        let remark = match &ledger.steps[*index].action {
            Action::LoadFile { file, .. } if recipe.init_directory.is_some() => {
                if !files.contains(file) {
                    files.push(file.clone());
                }
                format!("{id} loads it when its database is created")
            }
            _ => format!("{id} runs beside the application"),
        };
        ledger.set(*index, Fate::Service, "compose.yaml", Some(remark));
    }
    if let Some(dump) = recipe.dump.as_ref().filter(|_| files.is_empty()) {
        for (file, why) in dumps::dumps(dump, input, ledger) {
            files.push(file);
            origin.push(why);
        }
    }
    files
}

/// Where the source looks for the service at an address of its authors' network, which no container
/// can have: a build command that puts the name of the service in its place.
fn rewritten(
    id: &str,
    recipe: &ServiceRecipe,
    written: &mut Written,
    input: &Input<'_, '_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Command> {
    let address: Ipv4Addr = written.named.parse().ok()?;
    if !address.is_private() || written.port.is_some_and(|port| port != recipe.port) {
        return None;
    }
    let folder = &input.selection.folder;
    let inside = |path: &&String| folder == "." || path.starts_with(&format!("{folder}/"));
    let files = input.selection.facts.files.iter().filter(inside);
    let has_it = |path: &&String| {
        let source = input.repo.source(path);
        source.is_some_and(|source| source.text.contains(&written.named))
    };
    let mut files: Vec<&str> = files.filter(has_it).map(String::as_str).collect();
    let place = written.origin.file.as_deref();
    files.extend(place.filter(|file| !files.contains(file)));
    let message = format!(
        "the source looks for {} at {address}, an address of another network: in the image `{id}` stands there",
        recipe.title
    );
    let diagnostic = Diagnostic::new(Severity::Warning, Code::HardCodedAddress, message)
        .hint("read the address from an environment variable");
    diagnostics.push(placed(diagnostic, &written.origin, "connects", input));
    id.clone_into(&mut written.host);
    Some(Command::new(
        format!(
            "sed -i 's/{}/{id}/g' {}",
            written.named.replace('.', "\\."),
            quote::shell::join(files)
        ),
        ".",
        vec![written.origin.clone()],
    ))
}

/// An address in an example file counts where the code reads it.
pub fn is_read(name: &str, input: &Input<'_, '_>) -> bool {
    let reads = &input.selection.facts.env;
    reads.is_empty()
        || reads.iter().any(|read| read.name == name)
        || input.created.iter().any(|file| file.reads(name))
}

/// Returns whether the value that `name` is known to have is an address of the service.
pub fn leads_there(recipe: &ServiceRecipe, known: &Known, name: &str) -> bool {
    let value = known.get(name).and_then(Option::as_deref);
    let scheme = value.and_then(|value| value.split_once("://"));
    scheme.is_some_and(|(scheme, _)| recipe.schemes.iter().any(|known| known == scheme))
}

/// Whether an address can be set to the service, and is not that of somebody else's.
fn has_address(recipe: &ServiceRecipe, known: &Known, input: &Input<'_, '_>) -> bool {
    let roles = ["url", "host", "address"];
    let names = roles
        .iter()
        .filter_map(|role| recipe.env.get(*role))
        .flatten();
    let is_public = |value: &str| {
        let host = value.split_once("://").map_or(value, |(_, rest)| rest);
        let host = host.rsplit('@').next().unwrap_or_default();
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let is_local = input
            .catalog
            .list("addresses", "local")
            .iter()
            .any(|local| local == host);
        host.contains('.') && !is_local && !host.contains("example")
    };
    // What falls back to nothing is switched off until somebody sets it.
    let is_off = |name: &str| {
        let read = input
            .selection
            .facts
            .env
            .iter()
            .find(|read| read.name == name);
        let falls_back_to_nothing = read.is_some_and(|read| read.default.as_deref() == Some(""));
        falls_back_to_nothing && known[name].as_deref().unwrap_or_default().is_empty()
    };
    let read: Vec<&String> = names
        .filter(|name| known.contains_key(*name) && is_read(name, input))
        .collect();
    match read.first() {
        Some(_) if read.iter().all(|name| is_off(name)) => false,
        Some(name) => !known[*name].as_deref().is_some_and(is_public),
        None => {
            is_led_by_env(recipe, known, input)
                || address::written(&[recipe], input).is_some_and(|written| {
                    // An address of the authors' own network can be rewritten.
                    let address = written.named.parse::<Ipv4Addr>();
                    written.host == LOCALHOST || address.is_ok_and(|address| address.is_private())
                })
        }
    }
}

/// Whether environment variables can tell the application where the service is.
fn is_led_by_env(recipe: &ServiceRecipe, known: &Known, input: &Input<'_, '_>) -> bool {
    let names = ["url", "host", "address"]
        .iter()
        .filter_map(|role| recipe.env.get(*role))
        .flatten();
    let is_known = |name: &String| known.contains_key(name) && is_read(name, input);
    let has_dsn = |value: &str| {
        recipe
            .dsn
            .as_ref()
            .is_some_and(|dsn| value.contains(&dsn.sign))
    };
    let framework = input.selection.framework.map(|(id, _)| id);
    names.into_iter().any(is_known)
        || framework.is_some_and(|id| recipe.frameworks.contains_key(id))
        || known.iter().any(|(name, value)| {
            // Few lead there, and it takes long to see whether one is read.
            let leads = leads_there(recipe, known, name) || value.as_deref().is_some_and(has_dsn);
            leads && is_read(name, input)
        })
}

/// Whether the address stands in a file that documents have a person copy.
fn is_in_copy(written: &Written, input: &Input<'_, '_>) -> bool {
    let file = written.origin.file.as_ref();
    file.is_some_and(|file| input.copied.contains(file))
}

/// Whether a container can be found at the address in the source; says so either way.
fn is_reachable(
    recipe: &ServiceRecipe,
    written: &Written,
    input: &Input<'_, '_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> bool {
    let title = &recipe.title;
    let host = &written.host;
    let is_label = !host.is_empty()
        && host.len() <= 63
        && host
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && host.starts_with(|c: char| c.is_ascii_lowercase())
        && !host.ends_with('-');
    let other_port = written.port.filter(|port| *port != recipe.port);
    let (severity, message, hint) = match (other_port, host.as_str()) {
        (Some(port), _) => (
            Severity::Warning,
            format!(
                "the source looks for {title} on port {port}, not {}",
                recipe.port
            ),
            "read the address from an environment variable",
        ),
        (None, LOCALHOST) => (
            Severity::Note,
            format!(
                "the source looks for {title} on its own machine, and no environment variable changes that: both share one network"
            ),
            "read the address from an environment variable, and the service can run anywhere",
        ),
        (None, _) if is_label => (
            Severity::Note,
            format!("the source looks for {title} at `{host}`: the service has that name"),
            "read the address from an environment variable, and the service can run anywhere",
        ),
        (None, _) => (
            Severity::Warning,
            format!("the source looks for {title} at `{host}`, which no container can be"),
            "read the address from an environment variable",
        ),
    };
    let diagnostic = Diagnostic::new(severity, Code::HardCodedAddress, message).hint(hint);
    diagnostics.push(placed(diagnostic, &written.origin, "connects", input));
    other_port.is_none() && is_label
}

/// Shows the line of `origin`.
fn placed(
    diagnostic: Diagnostic,
    origin: &Origin,
    label: &str,
    input: &Input<'_, '_>,
) -> Diagnostic {
    let source = origin
        .file
        .as_deref()
        .and_then(|file| input.repo.source(file));
    match (source, origin.line) {
        (Some(source), Some(line)) => diagnostic.at(&source, source.line_span(line), label),
        (None, _) | (_, None) => diagnostic,
    }
}

/// What tells the clients of the image where the socket is.
fn socket_files(
    recipe: &ServiceRecipe,
    service: &Service,
    input: &Input<'_, '_>,
) -> Vec<ExtraFile> {
    let Some(socket) = recipe
        .socket
        .as_ref()
        .filter(|_| service.socket().is_some())
    else {
        return Vec::new();
    };
    let is_stack = |stack: &String| *stack == input.selection.stack_id;
    let files = socket
        .file
        .iter()
        .filter(|_| socket.file_stacks.iter().any(is_stack));
    files
        .map(|file| ExtraFile {
            path: file.path.clone(),
            to: file.to.clone(),
            contents: file.contents.clone(),
            executable: file.executable,
            origin: vec![Origin::recipe(
                &format!("services/{}", service.kind),
                &file.why,
            )],
        })
        .collect()
}

fn password_warning(
    recipe: &ServiceRecipe,
    place: &Origin,
    secret: Option<&String>,
    input: &Input<'_, '_>,
) -> Diagnostic {
    let title = &recipe.title;
    let (message, hint) = match secret {
        Some(secret) => (
            format!("the password of {title} stands in the source"),
            format!(
                "{title} is set up with it, as `{secret}`; read it from the environment, then change it"
            ),
        ),
        None => (
            format!("the source logs in to {title} without a password"),
            format!("{title} is set up to allow that; give the user a password"),
        ),
    };
    let diagnostic =
        Diagnostic::new(Severity::Warning, Code::SecretInRepository, message).hint(hint);
    placed(diagnostic, place, "stands here", input)
}

/// The version of the service in a compose file that a person wrote: `image: postgres:14`.
fn composed_version(
    id: &str,
    recipe: &ServiceRecipe,
    input: &Input<'_, '_>,
) -> Option<(String, Origin)> {
    let mut images = [input.directory, "."]
        .into_iter()
        .flat_map(|folder| compose::images(input.repo, folder, input.catalog));
    images.find_map(|(image, origin)| Some((version_of_image(id, recipe, &image)?, origin)))
}

/// The version of the service in a command of the documents: `docker run -p 5432:5432 postgres:14`.
fn version_in_command(
    id: &str,
    recipe: &ServiceRecipe,
    ledger: &Ledger<'_>,
) -> Option<(String, Origin)> {
    ledger.steps.iter().find_map(|step| {
        let mut versions = step.words.iter().skip(1);
        let version = versions.find_map(|word| version_of_image(id, recipe, word))?;
        Some((version, ledger::origin(step)))
    })
}

/// The version that an image of the service, such as `library/postgres:14-alpine`, stands for.
fn version_of_image(id: &str, recipe: &ServiceRecipe, image: &str) -> Option<String> {
    let own = recipe.image.split(':').next().map_or("", repo::file_name);
    let (name, tag) = image.rsplit_once(':')?;
    let name = repo::file_name(name);
    let number: String = tag
        .trim_start_matches('v')
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let is_own = (name == own || name == id) && !number.is_empty();
    let mut versions = recipe.versions.iter().filter(|_| is_own);
    versions.find(|version| fits(version, &number)).cloned()
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
