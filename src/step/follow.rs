//! Commands of the files that a document runs.

use std::sync::Arc;

use super::{
    Action, Confidence, Context, Rule,
    reader::{Reader, Subshell},
    scripts,
};
use crate::{
    recipe::{ConventionalFormat, Does, Matched},
    repo,
    shell::{self, Dialect},
    source::Span,
};

/// More files in one another than people write.
const DEEPEST: usize = 4;

/// What a command runs, taken from a file or from its own words.
pub(super) struct Followed {
    /// The file; `None` for code among the words of the command.
    file: Option<String>,
    pieces: Vec<scripts::Piece>,
}

impl Reader<'_> {
    /// What the command runs that can be read: a script, a target of a Makefile, provisioners of a
    /// Vagrantfile, code given to a shell.
    pub(super) fn followed(
        &self,
        found: Option<&(Rule<'_>, Matched)>,
        words: &[String],
    ) -> Option<Followed> {
        // A file that is run again is read again, so what is read is counted.
        let is_affordable = |text: &str| {
            let left = self.left.get().saturating_sub(text.len().max(1));
            self.left.set(left);
            left > 0
        };
        let of_script = |word: &str| -> Option<Followed> {
            let path = [self.directory.as_str(), &self.home, "."]
                .iter()
                .map(|place| repo::join(place, word))
                .find(|path| scripts::is_script(self.repo, path, self.catalog))?;
            let source = self.repo.source(&path)?;
            is_affordable(&source.text).then_some(())?;
            Some(Followed {
                pieces: scripts::script(&source.text),
                file: Some(path),
            })
        };
        let Some((rule, matched)) = found else {
            let first = words.first()?;
            return if first.contains('/') {
                of_script(first)
            } else {
                None
            };
        };
        if rule.rule.does != Does::Follow {
            return None;
        }
        let after = words
            .iter()
            .position(|word| word == "-c")
            .and_then(|at| words.get(at + 1));
        match (&rule.rule.file, after) {
            (Some(file), _) => {
                let argument = matched.arguments.iter().find(|word| !word.contains('='));
                let argument = argument.map_or("", String::as_str);
                let mut names = file.names.iter();
                let path = names.find_map(|name| {
                    let path = repo::join(&self.directory, name);
                    self.repo.contains(&path).then_some(path)
                })?;
                let source = self.repo.source(&path)?;
                is_affordable(&source.text).then_some(())?;
                let pieces = match file.format {
                    ConventionalFormat::Make => scripts::make(&source.text, argument)?,
                    ConventionalFormat::Vagrant => scripts::vagrant(&source.text),
                };
                Some(Followed {
                    file: Some(path),
                    pieces,
                })
            }
            (None, Some(code)) => Some(Followed {
                file: None,
                pieces: vec![scripts::Piece {
                    span: Span::new(0, 0),
                    code: code.clone(),
                    is_verbatim: false,
                }],
            }),
            (None, None) => of_script(matched.arguments.first()?),
        }
    }

    /// Reads what the step `at` runs. Where all of it is understood the commands take the place of
    /// the step; a script that does something else is run as it is, where its name says for what.
    pub(super) fn follow(
        &mut self,
        followed: Followed,
        at: usize,
        span: Span,
        context: &Context,
        confidence: Confidence,
    ) {
        let text = self.steps[at].words.join(" ");
        let key = format!("{} {text}", followed.file.as_deref().unwrap_or_default());
        if self.following.len() >= DEEPEST || self.following.contains(&key) {
            self.steps[at].action = Action::Skip("runs-itself".to_owned());
            return;
        }
        let outer = Arc::clone(&self.source);
        let directory = self.directory.clone();
        if let Some(source) = followed
            .file
            .as_ref()
            .and_then(|path| self.repo.source(path))
        {
            self.source = source;
        }
        self.following.push(key);
        let begin = self.steps.len();
        for piece in &followed.pieces {
            let script = shell::script(&piece.code, Dialect::Shell, &|_| true);
            let functions = script.functions.iter();
            self.functions
                .extend(functions.map(|(name, _)| name.clone()));
            let mut subshell = Subshell::default();
            for command in &script.commands {
                subshell.enter(command.value.subshell, &mut self.directory);
                let inner = match (&followed.file, piece.is_verbatim) {
                    (None, _) => span,
                    (Some(_), false) => piece.span,
                    (Some(_), true) => Span::new(
                        piece.span.start + command.span.start,
                        piece.span.start + command.span.end,
                    ),
                };
                self.command(&command.value, inner, context.clone(), confidence);
            }
            if !piece.is_verbatim {
                self.directory.clone_from(&directory);
            }
        }
        self.following.pop();
        if self.following.is_empty() {
            self.functions.clear();
        }
        self.directory = directory;
        self.source = outer;

        let inner = &self.steps[begin..];
        let is_understood = inner.iter().all(|step| step.action != Action::Other);
        let starts = inner.iter().any(|step| step.action == Action::Start);
        let purpose = followed
            .file
            .as_deref()
            .map(|path| self.purpose_of_script(path));
        match purpose.flatten() {
            Some(whole) if !(is_understood || starts && whole == Action::Start) => {
                self.steps[at].action = whole;
                for step in &mut self.steps[begin..] {
                    step.action = Action::Skip("part-of-a-script-that-is-run".to_owned());
                    // The platform is what the whole of it is for.
                    step.context.platform.clone_from(&context.platform);
                }
            }
            _ => self.steps[at].action = Action::Skip("its-commands-follow".to_owned()),
        }
    }

    /// What the name of a script says that it is for.
    fn purpose_of_script(&self, path: &str) -> Option<Action> {
        if !scripts::is_script(self.repo, path, self.catalog) {
            return None;
        }
        let name = repo::file_name(path)
            .split('.')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let is = |list: &str| self.catalog.has_part("scripts", list, &name, &['-', '_']);
        match () {
            () if is("build") => Some(Action::Build),
            () if is("prepare") => Some(Action::Prepare),
            () if is("start") => Some(Action::Start),
            () => None,
        }
    }
}
