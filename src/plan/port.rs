//! On which port the application listens, and what makes it listen there on all addresses.

use std::collections::BTreeMap;

use regex::Regex;

use super::{
    Origin, OriginKind, Port, Protocol, Service,
    env::listed,
    input::Input,
    ledger::{self, Ledger},
    way::Way,
};
use crate::{
    manifest::{EnvLine, Fact},
    readme::{Document, Part},
    recipe::{Catalog, Listen, ListenSigns},
    repo,
    step::{Action, rule},
};

/// The port, from the strongest source that names one.
pub fn port(
    input: &Input<'_, '_>,
    way: &Way,
    told: Option<&Way>,
    services: &[Service],
    ledger: &Ledger<'_>,
    serves_static: bool,
) -> Option<Port> {
    let selection = input.selection;
    let framework = selection.framework.filter(|(_, framework)| {
        let signs = framework.listens.as_ref();
        signs.is_none_or(|signs| listens(signs, input))
    });
    let framework = framework.and_then(|(id, framework)| {
        let origin = Origin::recipe(
            &format!("frameworks/{id}"),
            format!("{} listens on it by default", framework.title),
        );
        framework.port.map(|port| http(port, origin))
    });
    if let Some(said) = &selection.config.port {
        return Some(http(said.value, said.origin.clone()));
    }
    let of_stack = || {
        let origin = Origin::recipe(
            &format!("stacks/{}", selection.stack_id),
            "usual port of the stack",
        );
        Some(http(selection.stack.port?, origin))
    };
    if serves_static {
        return framework.or_else(of_stack);
    }
    let ways = || told.into_iter().chain([way]);
    // A default of the documents' own command is certain; of one that a recipe chose it is not.
    let is_documented = |way: &&Way| {
        way.origin
            .iter()
            .any(|origin| origin.kind == OriginKind::Readme)
    };
    let of_documented = || {
        let documented = Some(told.unwrap_or(way)).filter(is_documented);
        documented.and_then(|way| port_of_rule(way, input))
    };
    ways()
        .find_map(|way| port_in_command(&way.words, &way.origin, input.catalog))
        .or_else(|| ways().find_map(|way| port_in_assignments(way, input)))
        .or_else(|| port_told(input, ledger))
        .or_else(|| ways().find_map(|way| port_in_named_file(way, input)))
        .or_else(|| port_of_site(input))
        .or_else(of_documented)
        .or_else(|| port_in_examples(input))
        .or_else(|| port_in_dockerfile(input))
        .or_else(|| port_in_code(input))
        .or_else(|| port_in_prose(input.documents, services, false))
        .or(framework)
        .or_else(|| port_of_rule(way, input))
        .or_else(|| {
            let has_server = serves_something(input);
            of_stack().filter(|_| has_server)
        })
}

/// Whether a declared package or the source shows that the application has a web server.
fn listens(signs: &ListenSigns, input: &Input<'_, '_>) -> bool {
    let selection = input.selection;
    let mut packages = selection.manifest.packages.values();
    let mut sources = selection.facts.sources(input.repo);
    packages.any(|package| !package.development && signs.packages.is_match(&package.name))
        || sources.any(|source| {
            let mut pieces = signs.code.iter();
            pieces.any(|piece| source.text.contains(piece.as_str()))
        })
}

fn http(port: u16, origin: Origin) -> Port {
    Port {
        port,
        protocol: Protocol::Http,
        origin: vec![origin],
    }
}

/// Returns whether anything shows that the application listens on a port.
pub fn serves_something(input: &Input<'_, '_>) -> bool {
    input.selection.framework.is_some() || input.selection.facts.serves
}

fn port_in_command(words: &[String], origin: &[Origin], catalog: &Catalog) -> Option<Port> {
    let (found, words) = rule(words, catalog);
    let listen = found.and_then(|(found, _)| found.rule.listen.as_ref());
    let text = match listen {
        Some(listen) => {
            let address = value_of(&words, &listen.address_flags).map(|(_, value)| value);
            let flag = value_of(&words, &listen.port_flags).map(|(_, value)| value);
            let argument = listen
                .argument
                .then(|| address_argument(&words))
                .flatten()
                .map(|at| words[at].clone());
            address.or(flag).or(argument)?
        }
        // A program of its own: flags that people give to such.
        None => value_of(&words, catalog.list("environment", "port-flags"))?.1,
    };
    let number = text.rsplit(':').next()?.parse().ok()?;
    Some(Port {
        port: number,
        protocol: Protocol::Http,
        origin: origin.to_vec(),
    })
}

fn port_in_assignments(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let is_port = |name: &str| listed(input.catalog, "environment", "port", name);
    let (_, value) = way.assignments.iter().find(|(name, _)| is_port(name))?;
    Some(http(value.parse().ok()?, way.origin.first()?.clone()))
}

/// `export PORT=…` in a document.
fn port_told(input: &Input<'_, '_>, ledger: &Ledger<'_>) -> Option<Port> {
    ledger.open().find_map(|(_, step)| {
        let Action::SetEnv(pairs) = &step.action else {
            return None;
        };
        let (_, value) = pairs
            .iter()
            .find(|(name, _)| listed(input.catalog, "environment", "port", name))?;
        Some(http(value.parse().ok()?, ledger::origin(step)))
    })
}

fn port_of_rule(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let (found, _) = rule(&way.words, input.catalog);
    let (found, _) = found?;
    let port = found.rule.port?;
    Some(http(
        port,
        Origin::recipe(&format!("tools/{}", found.tool), "listens on it by default"),
    ))
}

/// A port written in the source: a literal, or the fallback of an environment variable.
fn port_in_code(input: &Input<'_, '_>) -> Option<Port> {
    let selection = input.selection;
    let variable = selection.facts.env.iter().find_map(|read| {
        let is_port = listed(input.catalog, "environment", "port", &read.name);
        let port: u16 = read.default.as_ref().filter(|_| is_port)?.parse().ok()?;
        Some(http(
            port,
            Origin::at(
                OriginKind::Manifest,
                &read.file,
                read.line,
                format!("{} falls back to {port}", read.name),
            ),
        ))
    });
    if variable.is_some() {
        return variable;
    }
    let patterns = &selection.stack.port_reads;
    selection.facts.sources(input.repo).find_map(|source| {
        let text = selection.stack.without_tests(&source.text);
        let found = patterns
            .iter()
            .find_map(|pattern| pattern.captures(text)?.get(1))?;
        let port = found.as_str().parse().ok()?;
        Some(http(port, Origin::in_source(&source, found.start())))
    })
}

fn port_in_examples(input: &Input<'_, '_>) -> Option<Port> {
    let line =
        input.selection.manifest.env.iter().find(|line| {
            listed(input.catalog, "environment", "port", &line.name) && !line.disabled
        })?;
    Some(http(
        line.value.parse().ok()?,
        Origin::at(
            OriginKind::Manifest,
            &line.file,
            line.line,
            format!("{}={}", line.name, line.value),
        ),
    ))
}

/// A configuration that the start command names: `uwsgi app.ini` with `http = :9000` in it.
fn port_in_named_file(way: &Way, input: &Input<'_, '_>) -> Option<Port> {
    let names = input.catalog.list("environment", "port-settings");
    let names: Vec<String> = names.iter().map(|name| regex::escape(name)).collect();
    let pattern = format!(
        r#"(?m)^\s*-?\s*["']?(?:{})["']?\s*[=:]\s*["']?(?:[\w.*]*:)?(\d{{2,5}})\b"#,
        names.join("|")
    );
    let pattern = Regex::new(&pattern).ok()?;
    let is_source = |word: &str| {
        let ending = word.rsplit_once('.').map_or("", |(_, ending)| ending);
        input
            .selection
            .stack
            .sources
            .iter()
            .any(|known| known == ending)
    };
    way.words
        .iter()
        .skip(1)
        .filter(|word| !is_source(word))
        .find_map(|word| {
            let path = repo::join(&way.directory, word);
            let source = input.repo.source(&path)?;
            let found = pattern.captures(&source.text)?.get(1)?;
            let origin = Origin::in_source(&source, found.start());
            Some(http(found.as_str().parse().ok()?, origin))
        })
}

/// The port of this machine that a web server hands requests to.
fn port_of_site(input: &Input<'_, '_>) -> Option<Port> {
    let proxy = input.site.proxy.as_ref()?;
    let address = proxy.value.split_once("://")?.1;
    let (host, port) = address.split('/').next()?.rsplit_once(':')?;
    let own = input.catalog.list("environment", "own-hosts");
    if !own.iter().any(|known| known == host) {
        return None;
    }
    let origin = Origin::at(
        OriginKind::Manifest,
        &proxy.file,
        proxy.line,
        format!("hands requests to {}", proxy.value),
    );
    Some(http(port.parse().ok()?, origin))
}

/// `ENV PORT` and `EXPOSE` of a Dockerfile that a person wrote.
fn port_in_dockerfile(input: &Input<'_, '_>) -> Option<Port> {
    let dockerfile = &input.selection.manifest.dockerfile;
    let is_port = |line: &&EnvLine| listed(input.catalog, "environment", "port", &line.name);
    let told = dockerfile.env.iter().find(is_port);
    let told = told.map(|line| (&line.value, &line.file, line.line));
    // Of several, the one that is most likely to answer HTTP.
    let rank = |port: &&Fact| {
        let is_in = |list: &str| listed(input.catalog, "environment", list, &port.value);
        (is_in("other-protocols"), is_in("tls-ports"))
    };
    let exposed = dockerfile.ports.iter().min_by_key(rank);
    let exposed = exposed.map(|port| (&port.value, &port.file, port.line));
    let (port, file, line) = told.or(exposed)?;
    let origin = Origin::at(
        OriginKind::Manifest,
        file,
        line,
        format!("the Dockerfile opens {port}"),
    );
    Some(http(port.parse().ok()?, origin))
}

/// "runs on port 3000", "http://localhost:3000".
/// Ports of `services` are not the application's. Commands and what they print count only where
/// `sentences_only` is not set.
pub fn port_in_prose(
    documents: &[Document],
    services: &[Service],
    sentences_only: bool,
) -> Option<Port> {
    let pattern = Regex::new(
        r"(?i)(?:localhost|127\.0\.0\.1|0\.0\.0\.0):(\d{2,5})\b|\bport\s+(?:is\s+)?`?(\d{2,5})\b",
    )
    .ok()?;
    documents.iter().find_map(|document| {
        document.parts.iter().find_map(|part| {
            let (text, at) = match part {
                Part::Text(paragraph) => (&paragraph.text, paragraph.span.start),
                Part::Code(_) if sentences_only => return None,
                Part::Code(block) => (&block.code, block.file_offset(0)),
            };
            let is_of_service = |found: &regex::Captures<'_>| {
                let number = found.get(1).or(found.get(2));
                let port = number.and_then(|number| number.as_str().parse().ok());
                services.iter().any(|service| Some(service.port) == port)
            };
            let found = pattern
                .captures_iter(text)
                .find(|found| !is_of_service(found))?;
            let number = found.get(1).or(found.get(2))?;
            let line = document.source.line(at) + text[..number.start()].matches('\n').count();
            let said = found.get(0)?.as_str();
            // Ports of databases stand in addresses of databases.
            let before = &text[..number.start()];
            let is_address_of_service =
                before
                    .rsplit(char::is_whitespace)
                    .next()
                    .is_some_and(|word| {
                        word.contains('@') || word.contains("://") && !word.contains("http")
                    });
            (!is_address_of_service)
                .then(|| number.as_str().parse().ok())?
                .map(|port| {
                    http(
                        port,
                        Origin::at(OriginKind::Readme, &document.source.path, line, said),
                    )
                })
        })
    })
}

/// Position and value of the first of `flags` that `words` have.
pub fn value_of(words: &[String], flags: &[String]) -> Option<(usize, String)> {
    words.iter().enumerate().find_map(|(index, word)| {
        if flags.contains(word) {
            return Some((index, words.get(index + 1)?.clone()));
        }
        let (flag, value) = word.split_once('=')?;
        flags
            .iter()
            .any(|known| known == flag)
            .then(|| (index, value.to_owned()))
    })
}

/// Position of the argument `host:port` or `port`.
fn address_argument(words: &[String]) -> Option<usize> {
    words
        .iter()
        .skip(1)
        .rposition(|word| {
            let last = word.rsplit(':').next().unwrap_or(word);
            last.len() >= 2 && last.chars().all(|c| c.is_ascii_digit())
        })
        .map(|at| at + 1)
}

/// Makes the start command listen on all addresses, on `port`; returns what was changed.
pub fn listen_everywhere(way: &mut Way, port: u16, catalog: &Catalog) -> Option<String> {
    let before = way.words.join(" ");
    for word in &mut way.words {
        *word = word
            .replace("{port}", &port.to_string())
            .replace("${PORT}", &port.to_string())
            .replace("$PORT", &port.to_string());
    }
    let (found, _) = rule(&way.words, catalog);
    let (found, _) = found?;
    way.words.retain(|word| !found.rule.drop.contains(word));
    for word in &found.rule.add {
        if !way.words.contains(word) {
            way.words.push(word.clone());
        }
    }
    if let Some(listen) = found.rule.listen.clone() {
        set_listen(&mut way.words, &listen, port);
    }
    (way.words.join(" ") != before).then(|| format!("listens on 0.0.0.0:{port}"))
}

fn set_listen(words: &mut Vec<String>, listen: &Listen, port: u16) {
    let set = |words: &mut Vec<String>, flags: &[String], value: String, add: bool| {
        match value_of(words, flags) {
            Some((index, _)) if flags.contains(&words[index]) => words[index + 1] = value,
            Some((index, _)) => {
                let flag = words[index]
                    .split('=')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                words[index] = format!("{flag}={value}");
            }
            None if add => {
                // The long form reads best.
                let flag = flags
                    .iter()
                    .find(|flag| flag.starts_with("--"))
                    .or(flags.first());
                if let Some(flag) = flag {
                    words.extend([flag.clone(), value]);
                }
            }
            None => {}
        }
    };
    if !listen.address_flags.is_empty() {
        set(
            words,
            &listen.address_flags,
            format!("0.0.0.0:{port}"),
            true,
        );
    }
    set(words, &listen.host_flags, "0.0.0.0".to_owned(), true);
    set(words, &listen.port_flags, port.to_string(), true);
    if listen.argument {
        let address = format!("0.0.0.0:{port}");
        match address_argument(words) {
            Some(at) => words[at] = address,
            None => {
                let at = words
                    .iter()
                    .rposition(|word| !word.starts_with('-'))
                    .map_or(words.len(), |at| at + 1);
                words.insert(at, address);
            }
        }
    }
}

/// Environment variables by which the code is told where to listen.
pub fn listen_env(input: &Input<'_, '_>, port: &Port) -> BTreeMap<String, (String, Origin)> {
    let mut env = BTreeMap::new();
    for read in &input.selection.facts.env {
        let origin = Origin::at(
            OriginKind::Manifest,
            &read.file,
            read.line,
            format!("reads {}", read.name),
        );
        let is = |list: &str| listed(input.catalog, "environment", list, &read.name);
        let is_address = read.default.as_deref().is_none_or(|default| {
            ["localhost", "127.0.0.1", "0.0.0.0", "::", "::1", ""].contains(&default)
        });
        if is("port") {
            env.insert(read.name.clone(), (port.port.to_string(), origin));
        } else if is("host") && is_address {
            env.insert(read.name.clone(), ("0.0.0.0".to_owned(), origin));
        }
    }
    env
}
