//! How the application is started, and on which port it then listens.

use std::collections::BTreeMap;

use super::{
    Fate, Origin, Port, Service, Start, Volume,
    input::Input,
    ledger::Ledger,
    port::{listen_env, listen_everywhere, port, port_in_prose},
    way::{Before, Way, way_of_line, way_of_recipe, ways},
};
use crate::{
    config::StartCommand,
    diagnostic::{Code, Diagnostic, Severity},
    quote::{self, shell::Filling},
    recipe::{BusyServer, Catalog, Does, HandsOn},
    repo,
    step::rule,
};

/// The result: the start command, the port it listens on, and environment it needs.
pub struct Started {
    /// The command.
    pub start: Option<Start>,
    /// The ports; empty for a program without one.
    pub ports: Vec<Port>,
    /// Environment that makes it listen where it should: name → value and why.
    pub env: BTreeMap<String, (String, Origin)>,
    /// Folders that the command names, outside the application.
    pub data: Vec<Volume>,
    /// Commands on its line that prepare a release or build.
    pub before: Vec<Before>,
}

/// Decides the start command, the port and the environment that goes with them.
pub fn start(
    input: &Input<'_, '_>,
    services: &[Service],
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Started {
    let selection = input.selection;
    let serves_static = selection.serves_static();
    let settled = settled(input);
    let is_settled = settled.is_some();
    let has_own_server = serves_static || selection.stack.serves_scripts;
    let ways = if has_own_server || is_settled {
        Vec::new()
    } else {
        ways(input, ledger, diagnostics)
    };
    let told = settled.or_else(|| ways.first().cloned());
    let recipe = way_of_recipe(input);
    let served = told
        .as_ref()
        .filter(|_| !is_settled)
        .and_then(|told| way_of_own_server(told, input));
    let is_own_server = served.is_some();
    let (way, replaced) = match (told, served, recipe) {
        (Some(told), Some(served), _) => {
            let reason = "by itself it listens on 127.0.0.1 only".to_owned();
            (Some(served), Some((told, reason)))
        }
        (Some(told), None, Some(recipe))
            if told.development && !recipe.development && !is_settled =>
        {
            let reason = format!("the production server {} takes its place", recipe.words[0]);
            let mut way = Way {
                step: told.step,
                before: told.before.clone(),
                ..recipe
            };
            let arguments = handed_on(&told, input);
            if !arguments.is_empty() {
                way.words.truncate(1);
                way.words.extend(arguments);
            }
            (Some(way), Some((told, reason)))
        }
        (Some(told), None, _) => (Some(told), None),
        (None, _, recipe) => (recipe, None),
    };
    let Some(mut way) = way else {
        return Started {
            start: None,
            ports: Vec::new(),
            env: BTreeMap::new(),
            data: Vec::new(),
            before: Vec::new(),
        };
    };
    if let Some((told, _)) = &replaced {
        let new = told
            .origin
            .iter()
            .filter(|origin| !way.origin.contains(origin));
        let new: Vec<Origin> = new.cloned().collect();
        way.origin.extend(new);
    }
    diagnostics.extend(other_server(input));
    call_program(&mut way, input);
    let data = in_data_folder(&mut way, input.catalog);
    let mut env = BTreeMap::new();
    for (name, value) in &way.assignments {
        if let Some(origin) = way.origin.first() {
            env.insert(name.clone(), (value.clone(), origin.clone()));
        }
    }

    // Where a server takes the place of what was told, it listens where that would have.
    let told = replaced.as_ref().map(|(told, _)| told.clone());
    let port = port(input, &way, told.as_ref(), services, ledger, serves_static);
    if let (Some(port), Some(said)) = (&port, port_in_prose(input.documents, services, true))
        && port.port != said.port
    {
        let place = |port: &Port| port.origin.first().map(Origin::place).unwrap_or_default();
        diagnostics.push(
            Diagnostic::new(
                Severity::Note,
                Code::PortConflict,
                format!(
                    "`{}` says port {}, but `{}` leads to {}",
                    place(&said),
                    said.port,
                    place(port),
                    port.port
                ),
            )
            .hint(format!(
                "{} was taken; correct the one that is out of date",
                port.port
            )),
        );
    }
    let changed = port
        .as_ref()
        .and_then(|port| listen_everywhere(&mut way, port.port, input.catalog));
    if let Some(port) = &port {
        env.extend(listen_env(input, port));
    }
    if let Some(step) = way.step {
        let reason = match (&replaced, changed) {
            (Some((_, reason)), _) => Some(reason.clone()),
            (None, changed) => changed,
        };
        ledger.set(step, Fate::Start, "Dockerfile", reason);
    }
    if way.development && (replaced.is_none() || is_own_server) {
        diagnostics.push(
            Diagnostic::new(
                Severity::Warning,
                Code::DevelopmentServer,
                format!("`{}` is a development server", way.words.join(" ")),
            )
            .hint("declare a production server among the dependencies; it will be used instead"),
        );
    }
    let before = way.before;
    let start = Start {
        command: way.words,
        directory: way.directory,
        origin: way.origin,
    };
    Started {
        start: Some(start),
        ports: port.into_iter().collect(),
        env,
        data,
        before,
    }
}

/// Says that the image has another web server than the one that a site file is written for.
fn other_server(input: &Input<'_, '_>) -> Option<Diagnostic> {
    let why = input.selection.stack.instead_of_fastcgi.as_ref()?;
    let fastcgi = input.site.fastcgi.as_ref()?;
    let title = format!("the site hands the scripts to `{}`", fastcgi.value);
    let diagnostic = Diagnostic::new(Severity::Note, Code::OtherWebServer, title);
    let diagnostic = match input.repo.source(&fastcgi.file) {
        Some(source) => diagnostic.at(&source, source.line_span(fastcgi.line), "written here"),
        None => diagnostic,
    };
    let kept = input.catalog.list("sites", "kept").iter();
    let kept = kept.filter_map(|kind| input.site.directives.get(kind));
    let kept: Vec<String> = kept.map(|name| format!("`{name}`")).collect();
    let diagnostic = diagnostic.hint(why);
    Some(match kept.is_empty() {
        true => diagnostic,
        false => diagnostic.hint(format!("taken over from there: {}", kept.join(", "))),
    })
}

/// The words of `told` that go to the program which it compiles and runs.
fn handed_on(told: &Way, input: &Input<'_, '_>) -> Vec<String> {
    let (Some((found, matched)), words) = rule(&told.words, input.catalog) else {
        return Vec::new();
    };
    let mark = match found.rule.hands_on {
        Some(HandsOn::AfterFirst) => matched.arguments.first().map(String::as_str),
        Some(HandsOn::AfterSeparator) => Some("--"),
        None => None,
    };
    // `go run main.go routes.go --port 80`: more of the source, then what goes to the program.
    let files = &input.selection.facts.files;
    let is_source = |word: &String| files.contains(&repo::join(&told.directory, word));
    let words = words.into_iter();
    words
        .skip_while(|word| Some(word.as_str()) != mark)
        .skip(1)
        .skip_while(is_source)
        .collect()
}

/// The command that a person settled: taken as it is, but for the address that it listens on.
fn settled(input: &Input<'_, '_>) -> Option<Way> {
    let said = input.selection.config.start.as_ref()?;
    let origin = vec![said.origin.clone()];
    Some(match &said.value {
        StartCommand::Line(line) => way_of_line(line, input.directory, origin, input),
        StartCommand::Words(words) => Way {
            words: words.clone(),
            directory: input.directory.to_owned(),
            assignments: Vec::new(),
            development: false,
            origin,
            step: None,
            before: Vec::new(),
        },
    })
}

/// A folder of a person's home, or one that only an example has, becomes one of the data volume; returns
/// these folders.
fn in_data_folder(way: &mut Way, catalog: &Catalog) -> Vec<Volume> {
    let mut volumes = Vec::new();
    for word in &mut way.words {
        let (flag, named) = match word.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => (format!("{flag}="), value),
            Some(_) | None => (String::new(), word.as_str()),
        };
        let mut own = catalog.list("folders", "own").iter();
        let Some(inside) = own.find_map(|own| named.strip_prefix(own.as_str())) else {
            continue;
        };
        let path = format!("/data/{}", inside.trim_end_matches('/'));
        let folder = if repo::names_file(&path) {
            repo::folder_of(&path)
        } else {
            &path
        };
        volumes.push(Volume {
            path: folder.to_owned(),
            persistent: true,
            reason: format!("the start command names {named} on a person's own machine"),
            origin: way.origin.clone(),
        });
        *word = format!("{flag}{path}");
    }
    volumes
}

/// The command that serves on all addresses what `told`, the run of a file, serves on 127.0.0.1.
/// The step of `told` stays its own.
fn way_of_own_server(told: &Way, input: &Input<'_, '_>) -> Option<Way> {
    let (id, framework) = input.selection.framework?;
    let own = framework.own_server.as_ref()?;
    let [_, file] = &told.words[..] else {
        return None;
    };
    let source = input.repo.source(&repo::join(&told.directory, file))?;
    let found = own.runs.captures(&source.text)?;
    let named = |name: &str| found.name(name).map_or("", |found| found.as_str());
    if named("arguments").contains(&own.told) {
        return None;
    }
    let file = file.trim_start_matches("./");
    let fill = |text: &str| text.replace("{file}", file);
    if let Some(busy) = &own.busy
        && let Some(name) = busy_server(busy, &source.text)
    {
        let why = format!("`{}` listens on 127.0.0.1 only", found.get(0)?.as_str());
        let origin = Origin::recipe(&format!("frameworks/{id}"), why);
        let mut way = told.clone();
        way.development = true;
        way.before.push(Before {
            words: busy
                .edit
                .iter()
                .map(|word| fill(word).replace("{name}", name))
                .collect(),
            directory: told.directory.clone(),
            assignments: Vec::new(),
            does: Does::Build,
            origin: vec![origin],
        });
        return Some(way);
    }
    let value = |name: &str| (name == "file").then_some(Filling::Text(file));
    let line = quote::shell::filled(&own.command, &value);
    let why = format!("`{}` listens on 127.0.0.1 only", found.get(0)?.as_str());
    let origin = vec![Origin::recipe(&format!("frameworks/{id}"), why)];
    let mut way = way_of_line(&line, &told.directory, origin, input);
    // What the server is told in its environment belongs to the command: an image that is run by
    // itself has no env file.
    let told_apart = own
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", fill(value)));
    let wrapper = (!own.env.is_empty()).then(|| "env".to_owned());
    let words = wrapper.into_iter().chain(told_apart);
    way.words = words.chain(way.words).collect();
    Some(Way {
        step: told.step,
        assignments: told.assignments.clone(),
        ..way
    })
}

/// What the server is called, where the file does more than to start it when it is run itself, and
/// ends with that.
fn busy_server<'t>(busy: &BusyServer, text: &'t str) -> Option<&'t str> {
    let work = busy.sign.captures(text)?.name("work")?.as_str();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with('#');
    let mut lines = work.lines().filter(is_code);
    let name = busy.runs.captures(lines.next_back()?)?.name("name")?;
    lines.next().map(|_| name.as_str())
}

/// Writes a program of the repository as it is called in the image.
fn call_program(way: &mut Way, input: &Input<'_, '_>) {
    let Some(program) = &input.selection.stack.program else {
        return;
    };
    let programs = &input.selection.manifest.programs;
    let found = way.words.iter().position(|word| {
        let name = repo::file_name(word);
        programs.contains_key(name)
            || program
                .called
                .iter()
                .any(|ending| word.ends_with(ending.as_str()))
    });
    // Of a compiled program any other name is one that the build of its time gave it.
    let is_unknown = || rule(&way.words, input.catalog).0.is_none().then_some(0);
    let is_compiled = !program.command.iter().any(|word| word.contains("{entry}"));
    let Some(at) = found.or_else(|| is_unknown().filter(|_| is_compiled)) else {
        return;
    };
    let name = repo::file_name(&way.words[at]).to_owned();
    let entry = programs.get(&name).map_or("", |fact| fact.value.as_str());
    let words = program
        .command
        .iter()
        .map(|word| word.replace("{name}", &name).replace("{entry}", entry));
    way.words.splice(at..=at, words);
}
