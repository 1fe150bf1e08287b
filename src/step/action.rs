//! What one command does.

use super::{Action, Rule, blocks::created_database, reader::Reader};
use crate::{
    recipe::{Does, Matched},
    repo,
    shell::SimpleCommand,
};

impl Reader<'_> {
    pub(super) fn action(
        &self,
        rule: &Rule<'_>,
        matched: &Matched,
        command: &SimpleCommand,
        words: &[String],
    ) -> Action {
        let arguments = &matched.arguments;
        let reason = || {
            rule.rule
                .reason
                .clone()
                .unwrap_or_else(|| "not-part-of-the-image".to_owned())
        };
        match rule.rule.does {
            Does::SystemPackages => Action::SystemPackages {
                manager: rule.rule.manager.clone().unwrap_or_default(),
                packages: arguments.clone(),
            },
            Does::Install => Action::Install,
            Does::Build if self.works_elsewhere(words) => Action::Skip("host-only".to_owned()),
            Does::Build => Action::Build,
            Does::Prepare => Action::Prepare,
            Does::Start => Action::Start,
            Does::Process => Action::Process,
            Does::Script => Action::Script(match rule.rule.script.as_deref() {
                Some("1") | None => arguments.first().cloned().unwrap_or_default(),
                Some(name) => name.to_owned(),
            }),
            Does::Services => match &rule.rule.service {
                Some(service) => Action::Services(vec![service.clone()]),
                None => {
                    let verbs = ["start", "restart", "enable", "status", "reload", "stop"];
                    let units = words[1..]
                        .iter()
                        .filter(|word| !word.starts_with('-') && !verbs.contains(&word.as_str()));
                    Action::Services(units.cloned().collect())
                }
            },
            Does::CreateDatabase => Action::CreateDatabase {
                service: rule.rule.service.clone().unwrap_or_default(),
                name: arguments.first().cloned(),
            },
            Does::ServiceClient => self.service_client(rule, command, words),
            Does::Copy => match arguments.as_slice() {
                [from, to] => self.copy(from, to),
                // A target that the document forgot: the example without its ending.
                [from] => match self.without_example_ending(from) {
                    Some(to) => self.copy(from, to),
                    None => Action::Skip("host-only".to_owned()),
                },
                _ => Action::Skip("host-only".to_owned()),
            },
            Does::MakeFolder => {
                let inside = |path: &&String| {
                    !path.starts_with('/') && !path.starts_with('~') && !path.contains('$')
                };
                let folders: Vec<String> = arguments
                    .iter()
                    .filter(inside)
                    .map(|path| repo::join(&self.directory, path))
                    .filter(|path| !self.has_content(path))
                    .collect();
                if folders.is_empty() {
                    Action::Skip("host-only".to_owned())
                } else {
                    Action::MakeFolder(folders)
                }
            }
            Does::SetEnv => {
                let pairs = words[1..].iter().filter_map(|word| word.split_once('='));
                Action::SetEnv(
                    pairs
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
                )
            }
            Does::Echo => self.echo(command, words),
            Does::ChangeDirectory => Action::ChangeDirectory,
            Does::Clone => Action::Clone,
            // What it runs decides, once it has been read.
            Does::Follow => Action::Skip("not-in-the-repository".to_owned()),
            Does::Schedule | Does::Wrapper => Action::Other,
            Does::Skip => Action::Skip(reason()),
        }
    }

    /// The file of the repository that `file` means: from here, or the only one of that name.
    fn file_named(&self, file: &str) -> Option<String> {
        let path = repo::join(&self.directory, file);
        if self.repo.contains(&path) {
            return Some(path);
        }
        match self.repo.glob(&format!("**/{}", repo::file_name(file)))[..] {
            [only] => Some(only.to_owned()),
            _ => None,
        }
    }

    /// Whether `path` is a file, or a folder with files that the application needs: a volume would
    /// hide them.
    fn has_content(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let is_needed = |file: &str| !repo::file_name(file).starts_with('.');
        self.repo.contains(path)
            || self
                .repo
                .files()
                .any(|file| file.starts_with(&inside) && is_needed(file))
    }

    /// Whether the last word is a path outside the repository.
    fn works_elsewhere(&self, words: &[String]) -> bool {
        let last = words.last().map_or("", String::as_str);
        (last.starts_with('/') || last.starts_with('~')) && words.len() > 2
    }

    fn service_client(&self, rule: &Rule<'_>, command: &SimpleCommand, words: &[String]) -> Action {
        let service = rule.rule.service.clone().unwrap_or_default();
        let read = command
            .redirects
            .iter()
            .find(|redirect| redirect.operator == "<");
        let flag = words
            .iter()
            .position(|word| word == "-f" || word == "--file")
            .and_then(|at| words.get(at + 1));
        if let Some(file) = read.map(|redirect| &redirect.target).or(flag) {
            return match self.file_named(file) {
                Some(file) => Action::LoadFile { service, file },
                None => Action::Skip("file-is-not-in-the-repository".to_owned()),
            };
        }
        let text = format!(
            "{} {}",
            words.join(" "),
            command.heredoc.as_deref().unwrap_or_default()
        );
        Action::CreateDatabase {
            service,
            name: created_database(&text),
        }
    }

    fn without_example_ending<'p>(&self, path: &'p str) -> Option<&'p str> {
        let endings = self.catalog.list("documents", "examples").iter();
        let name = repo::file_name(path);
        endings
            .filter_map(|ending| path.strip_suffix(ending.as_str()))
            .find(|rest| rest.len() + name.len() > path.len())
    }

    fn copy(&self, from: &str, to: &str) -> Action {
        // A path of the machine, or one that a script is told.
        if [from, to]
            .iter()
            .any(|path| path.starts_with(['/', '~']) || path.contains('$'))
        {
            return Action::Skip("host-only".to_owned());
        }
        let source = repo::join(&self.directory, from);
        let mut target = repo::join(&self.directory, to);
        if self.repo.has_folder(&target) {
            target = repo::join(&target, repo::file_name(from));
        }
        Action::Copy {
            from: source,
            to: target,
        }
    }

    /// `echo text > file`, `cat > file <<EOF`, `echo text | tee file`.
    fn echo(&self, command: &SimpleCommand, words: &[String]) -> Action {
        let written = command
            .redirects
            .iter()
            .find(|redirect| [">", ">>", ">|"].contains(&redirect.operator.as_str()));
        let target = match words.first().map(String::as_str) {
            Some("tee") => words[1..].iter().find(|word| !word.starts_with('-')),
            _ => None,
        };
        let Some(path) = written.map(|redirect| &redirect.target).or(target) else {
            return Action::Skip("inspection".to_owned());
        };
        if path.starts_with('/') || path.starts_with('~') {
            return Action::Skip("host-only".to_owned());
        }
        let text = match &command.heredoc {
            Some(text) => text.clone(),
            None => words[1..]
                .iter()
                .filter(|word| !word.starts_with('-'))
                .cloned()
                .collect::<Vec<_>>()
                .join(" "),
        };
        let appends = written.is_some_and(|redirect| redirect.operator == ">>")
            || words.iter().any(|word| word == "-a");
        Action::WriteFile {
            path: repo::join(&self.directory, path),
            text,
            appends,
        }
    }

    /// `./x` of a file that is not there: it was fetched, or made, on the author's machine.
    pub(super) fn is_missing_script(&self, first: &str) -> bool {
        let is_there = |place: &str| self.repo.contains(&repo::join(place, first));
        first.starts_with("./")
            && !is_there(&self.directory)
            && !is_there(&self.home)
            && !is_there(".")
    }

    /// A line that no person types: a sentence, or what a program printed.
    pub(super) fn is_output(&self, command: &SimpleCommand) -> bool {
        let Some(first) = command.words.first() else {
            return false;
        };
        let first = first.text.as_str();
        let is_sentence = first.starts_with(|c: char| c.is_uppercase()) && command.words.len() > 1;
        let is_odd = first.starts_with(['*', '-', '[', '(', '|', '=', '<', '{', '+', '>'])
            || first.ends_with(':')
            || first.contains("...");
        let is_id = first.len() >= 12 && first.chars().all(|c| c.is_ascii_hexdigit());
        // Paths of addresses, as examples of requests.
        let is_address = first.starts_with('/') && command.words.len() == 1;
        is_sentence || is_odd || is_id || is_address || first.chars().all(|c| !c.is_alphabetic())
    }

    /// `cd` to a folder that is not in the repository is `cd` into the clone itself.
    pub(super) fn change_directory(&mut self, target: &str) {
        let next = repo::join(&self.directory, target);
        let is_clone = self
            .clone
            .as_deref()
            .is_some_and(|clone| repo::file_name(target.trim_end_matches('/')) == clone);
        if is_clone {
            self.home.clone_into(&mut self.directory);
            self.clone = None;
            return;
        }
        let leaves = target.starts_with('/')
            || target.starts_with('~')
            || target.is_empty()
            || target == "-";
        if !leaves && self.repo.has_folder(&next) {
            self.directory = next;
        } else if leaves {
            self.directory = self.home.to_owned();
        }
    }
}
