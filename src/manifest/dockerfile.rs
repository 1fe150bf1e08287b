//! A Dockerfile that a person wrote: evidence of the port, the command and the packages, never the
//! answer.

use super::{EnvLine, Fact};
use crate::{
    quote,
    recipe::Catalog,
    repo::{self, Repo},
    shell,
    source::SourceFile,
};

/// An instruction with its continuation lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// First line, from 1.
    pub first: usize,
    /// Last line.
    pub last: usize,
    /// Its words on one line, the keyword first.
    pub text: String,
}

impl Instruction {
    /// Returns whether its keyword is `keyword`, in upper or lower case.
    pub fn is(&self, keyword: &str) -> bool {
        let first = self.text.split_whitespace().next();
        first.is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    fn arguments(&self) -> &str {
        let text = self.text.trim();
        text.split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim())
    }
}

/// What the last stage of a Dockerfile says.
#[derive(Debug, Clone, Default)]
pub struct Dockerfile {
    /// Ports of `EXPOSE`.
    pub ports: Vec<Fact>,
    /// The command, as a line for a shell.
    pub command: Option<Fact>,
    /// `ENV`.
    pub env: Vec<EnvLine>,
    /// What `RUN` runs, in all stages.
    pub run: Vec<Fact>,
}

/// Reads the instructions of a Dockerfile; one with continuation lines is one, a comment is none
/// (<https://docs.docker.com/reference/dockerfile/#format>).
pub fn instructions(text: &str) -> Vec<Instruction> {
    let mut instructions = Vec::new();
    let mut open: Option<Instruction> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (text, goes_on) = match line.strip_suffix('\\') {
            Some(text) => (text, true),
            None => (line, false),
        };
        let instruction = open.get_or_insert_with(|| Instruction {
            first: index + 1,
            last: index + 1,
            text: String::new(),
        });
        instruction.last = index + 1;
        instruction.text.push_str(text);
        instruction.text.push(' ');
        if !goes_on {
            instructions.extend(open.take());
        }
    }
    instructions.extend(open);
    instructions
}

/// Returns what the Dockerfile of `folder`, or else of the repository, says.
pub fn read(repo: &Repo, folder: &str, catalog: &Catalog) -> Dockerfile {
    let names = catalog.list("documents", "dockerfiles").iter();
    let places = names.flat_map(|name| [repo::join(folder, name), name.clone()]);
    let source = places
        .filter_map(|path| repo.source(&path))
        .find(|source| source.text.contains("FROM"));
    let hands_on = |entrypoint: &str| hands_on(entrypoint, repo);
    source.map_or_else(Dockerfile::default, |source| of(&source, &hands_on))
}

/// Whether the entry point is a script of the repository that ends in the command it is given.
fn hands_on(entrypoint: &str, repo: &Repo) -> bool {
    let name = entrypoint.split_whitespace().next().map(repo::file_name);
    let paths = name.map(|name| repo.glob(&format!("**/{name}")));
    let mut sources = paths
        .into_iter()
        .flatten()
        .filter_map(|path| repo.source(path));
    sources.any(|source| source.text.contains("\"$@\""))
}

fn of(source: &SourceFile, hands_on: &dyn Fn(&str) -> bool) -> Dockerfile {
    let mut found = Dockerfile::default();
    let (mut entrypoint, mut command): (Option<Fact>, Option<Fact>) = (None, None);
    for instruction in instructions(&source.text) {
        let arguments = instruction.arguments();
        let fact = |value: &str| Fact {
            value: value.to_owned(),
            file: source.path.clone(),
            line: instruction.first,
        };
        match instruction
            .text
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_uppercase()
            .as_str()
        {
            "FROM" => {
                // What the image before it says is no more.
                let run = std::mem::take(&mut found.run);
                found = Dockerfile {
                    run,
                    ..Dockerfile::default()
                };
                (entrypoint, command) = (None, None);
            }
            "EXPOSE" => {
                // What comes by UDP is no request that could be answered.
                let ports = arguments
                    .split_whitespace()
                    .map(|port| port.split_once('/').unwrap_or((port, "tcp")))
                    .filter(|(_, protocol)| *protocol == "tcp");
                found.ports.extend(ports.map(|(port, _)| fact(port)));
            }
            "RUN" => found.run.push(fact(arguments)),
            "CMD" => command = Some(fact(&line(arguments))),
            "ENTRYPOINT" => entrypoint = Some(fact(&line(arguments))),
            "ENV" => found.env.extend(env(arguments, source, instruction.first)),
            _ => {}
        }
    }
    found.command = match (entrypoint, command) {
        (Some(entrypoint), Some(command)) if hands_on(&entrypoint.value) => Some(command),
        (Some(entrypoint), Some(command)) => Some(Fact {
            value: format!("{} {}", entrypoint.value, command.value),
            ..entrypoint
        }),
        (entrypoint, command) => entrypoint.or(command),
    };
    found
}

/// `["node", "server.js"]` → `node server.js`; the shell form stays.
fn line(arguments: &str) -> String {
    match serde_json::from_str::<Vec<String>>(arguments) {
        Ok(words) => quote::shell::join(words),
        Err(_) => arguments.to_owned(),
    }
}

/// `NAME=value NAME=value`, or the old `NAME value`.
fn env(arguments: &str, source: &SourceFile, line: usize) -> Vec<EnvLine> {
    let entry = |name: &str, value: &str| EnvLine {
        name: name.to_owned(),
        value: value.trim_matches('"').to_owned(),
        about: None,
        disabled: false,
        file: source.path.clone(),
        line,
    };
    let first = arguments.split_whitespace().next().unwrap_or_default();
    if !first.contains('=') {
        let rest = arguments[first.len()..].trim();
        return vec![entry(first, rest)];
    }
    let script = shell::script(arguments, shell::Dialect::Shell, &|_| true);
    let pairs = script
        .commands
        .iter()
        .flat_map(|command| &command.value.assignments);
    pairs.map(|(name, value)| entry(name, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_counts() {
        let text = "FROM a AS build\nEXPOSE 1\nRUN apt-get update && \\\n  apt-get install -y libpq-dev\nFROM b\nENV PORT=80 X=\"y z\"\nENV OLD form\nEXPOSE 80/tcp 443\nENTRYPOINT [\"gunicorn\"]\nCMD [\"app:app\", \"-b\", \"0.0.0.0:80\"]\n";
        let source = SourceFile::new("Dockerfile", text.to_owned());
        let hands_on = of(&source, &|_| true);
        assert_eq!(hands_on.command.unwrap().value, "app:app -b 0.0.0.0:80");
        let found = of(&source, &|_| false);
        let ports: Vec<&str> = found.ports.iter().map(|port| port.value.as_str()).collect();
        assert_eq!(ports, ["80", "443"]);
        assert_eq!(
            found.command.unwrap().value,
            "gunicorn app:app -b 0.0.0.0:80"
        );
        let env: Vec<(&str, &str)> = found
            .env
            .iter()
            .map(|line| (line.name.as_str(), line.value.as_str()))
            .collect();
        assert_eq!(env, [("PORT", "80"), ("X", "y z"), ("OLD", "form")]);
        assert_eq!(found.run[0].line, 3);
    }
}
