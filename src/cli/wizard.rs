//! `longshore wizard`: asks what the input did not settle, and writes it into `longshore.toml`.
//!
//! Decides nothing: each prompt is a question of the plan, or a value of it that a person wants
//! otherwise. The plan is made anew after each answer, so that what is shown is what will be written.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use dialoguer::{
    Input, Select,
    console::Term,
    theme::{ColorfulTheme, SimpleTheme, Theme},
};
use toml_edit::{DocumentMut, Item, Table, value};

use super::{Known, Outcome, Talk, args::WizardArguments, broken, output, text, write};
use crate::{
    config::{Config, FILE, Trust},
    convert,
    plan::{BuildPlan, Component, Origin, Question},
    quote::terminal::visible,
    trust::TrustStore,
};

/// What a new file begins with: every key, as a comment.
const TEMPLATE: &str = r#"# longshore.toml: what no file of this repository settles. `longshore explain` shows each value that
# is used as an answer, with its line. No secret belongs here.

# Folders of recipes on top of the built-in ones.
# recipes = ["recipes"]

# Answers to the open questions of `longshore plan`, by their ids.
[answers]

# Corrections of what was understood.
[component]
# path = "server"                      # folder of the application
# runtime = "3.12"                     # version of the language
# port = 8080
# start = "gunicorn shop.wsgi"         # or a list of words
# health = "/healthz"                  # path that answers when it is well
# packages = ["libmagic1"]             # Debian packages that it needs while it runs
# build-packages = ["libxml2-dev"]     # Debian packages that only its build needs

# Values of environment variables that are no secrets.
[env]

# Where images come from.
[images]
# mirror = "registry.example/hub"      # put before every image of Docker Hub
# python = "registry.example/python"   # one image by another name; its tag stays

# What is true of the place where images are built; none of it is in the image that runs.
[build]
# ca-certificate = "company-ca.pem"    # of a proxy that looks into TLS

# The Ingress of production.
[ingress]
# host = "shop.example.com"            # where no site file names it
# tls-secret = "shop-tls"              # Secret with its certificate
# class = "nginx"

[mirrors]
# npm = "https://npm.example/"
# pip = { env = "PIP_MIRROR" }         # an address with a password: a secret of the build
"#;

/// What the person wants next, once all questions are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Write,
    Runtime,
    Port,
    Start,
    Services,
    Stop,
}

const WISHES: [(Wish, &str); 6] = [
    (Wish::Write, "write the files"),
    (Wish::Runtime, "change the version of the runtime"),
    (Wish::Port, "change the port"),
    (Wish::Start, "change the start command"),
    (Wish::Services, "change the services beside it"),
    (Wish::Stop, "stop, and write nothing"),
];

/// Asks, writes `longshore.toml`, and converts.
pub fn wizard(
    arguments: &WizardArguments,
    config: Option<&Path>,
    trust: Trust,
    known: Known,
    talk: Talk,
) -> anyhow::Result<Outcome> {
    let has_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !arguments.yes && !has_terminal {
        talk.error("the wizard asks questions, and there is no terminal to ask them on");
        talk.hint("`--yes` takes every default; `longshore convert` asks nothing and reads longshore.toml");
        return Ok(Outcome::Usage);
    }
    let repository = &arguments.convert.path;
    let file = config.map_or_else(|| repository.join(FILE), Path::to_owned);
    let is_new = std::fs::symlink_metadata(&file).is_err();
    let Some(document) = document(&file, talk)? else {
        return Ok(Outcome::Environment);
    };
    let mut session = Session {
        talk,
        known,
        file,
        is_own: config.is_none(),
        trust: if is_new { Trust::Granted } else { trust },
        repository: repository.clone(),
        document,
        theme: if talk.coloured {
            Box::new(ColorfulTheme::default())
        } else {
            Box::new(SimpleTheme)
        },
        terminal: Term::stderr(),
    };
    let talked = if arguments.yes {
        session.take_defaults()
    } else {
        session.talk_it_over()
    };
    match talked {
        Ok(Ended::Settled) => {}
        Ok(Ended::Stopped) => {
            talk.say("nothing was written");
            return Ok(Outcome::Failed);
        }
        Ok(Ended::Unreadable(outcome)) => return Ok(outcome),
        Err(error) => {
            // Ctrl-C, or a terminal that went away.
            talk.error(&error.to_string());
            talk.say("nothing was written");
            return Ok(Outcome::Failed);
        }
    }
    // What the user trusted, or wrote alone, is trusted as it is then.
    let store = TrustStore::of_user().filter(|_| session.is_own);
    let store = store.filter(|store| is_new || store.trusts(repository));
    output::replace(&session.file, session.document.to_string().as_bytes())?;
    talk.say(&format!("wrote {}", session.file.display()));
    if let Some(Err(error)) = store.map(|store| store.trust(repository)) {
        talk.error(&format!("{error:#}"));
    }
    write(&arguments.convert, &session.known, talk)
}

/// The file as it is, or a new one; `None` where something else is in its place, which is said.
fn document(file: &Path, talk: Talk) -> anyhow::Result<Option<DocumentMut>> {
    let found = std::fs::symlink_metadata(file);
    let is_other = found.as_ref().is_ok_and(|found| !found.is_file());
    if is_other {
        talk.error(&format!("`{}` is no plain file", file.display()));
        return Ok(None);
    }
    let text = match found {
        Ok(_) => crate::input::text(file, crate::limits::NAMED)?,
        Err(_) => TEMPLATE.to_owned(),
    };
    Ok(Some(text.parse()?))
}

/// How the talk ended.
enum Ended {
    Settled,
    Stopped,
    Unreadable(Outcome),
}

struct Session {
    talk: Talk,
    known: Known,
    file: PathBuf,
    /// Whether the file is the repository's own.
    is_own: bool,
    trust: Trust,
    repository: PathBuf,
    document: DocumentMut,
    theme: Box<dyn Theme>,
    terminal: Term,
}

impl Session {
    fn take_defaults(&mut self) -> anyhow::Result<Ended> {
        let plan = match self.plan()? {
            Ok(plan) => plan,
            Err(outcome) => return Ok(Ended::Unreadable(outcome)),
        };
        for question in &plan.questions {
            if let Some(default) = &question.default {
                self.answer(question, default);
            }
        }
        match self.plan()? {
            Ok(_) => Ok(Ended::Settled),
            Err(outcome) => Ok(Ended::Unreadable(outcome)),
        }
    }

    fn talk_it_over(&mut self) -> anyhow::Result<Ended> {
        // Questions that the person left open are not asked twice.
        let mut left_open: Vec<String> = Vec::new();
        loop {
            let plan = match self.plan()? {
                Ok(plan) => plan,
                Err(outcome) => return Ok(Ended::Unreadable(outcome)),
            };
            let open = plan
                .questions
                .iter()
                .find(|question| !left_open.contains(&question.id));
            if let Some(question) = open {
                match self.ask(question)? {
                    Some(answer) => self.answer(question, &answer),
                    None => left_open.push(question.id.clone()),
                }
                continue;
            }
            self.talk.say(&text::understood(&plan).to_string());
            let Some(component) = plan.components.first() else {
                self.talk.error(
                    "no recipe recognises this application; `[answers] stack = …` names one",
                );
                return Ok(Ended::Stopped);
            };
            let wishes: Vec<&str> = WISHES.iter().map(|(_, words)| *words).collect();
            let wish = self.choose("Is this right?", &wishes, 0)?;
            match wish.map_or(Wish::Stop, |at| WISHES[at].0) {
                Wish::Write => return Ok(Ended::Settled),
                Wish::Stop => return Ok(Ended::Stopped),
                Wish::Runtime => self.change_runtime(component)?,
                Wish::Port => self.change_port(component)?,
                Wish::Start => self.change_start(component)?,
                Wish::Services => self.change_services(component)?,
            }
        }
    }

    /// The plan with what is settled so far.
    fn plan(&mut self) -> anyhow::Result<Result<BuildPlan, Outcome>> {
        let text = self.document.to_string();
        let shown = if self.is_own {
            FILE.to_owned()
        } else {
            self.file.display().to_string()
        };
        let folder = self.file.parent().map(PathBuf::from).unwrap_or_default();
        let place = |path: &str| match self.is_own {
            true => crate::repo::inside(&self.repository, path),
            false => Some(folder.join(path)),
        };
        let config = match self.is_own && self.trust == Trust::Withheld {
            true => Config::of_stranger(&shown, &text),
            false => Config::parse(&shown, &text, &place),
        };
        self.known.config = match config {
            Ok(config) => config,
            Err(errors) => return Ok(Err(broken(&errors, self.talk))),
        };
        match convert::plan_with(&self.repository, &self.known.catalog, &self.known.config) {
            Ok(plan) => Ok(Ok(plan.value)),
            Err(error) => {
                self.talk.error(&error.to_string());
                Ok(Err(Outcome::Environment))
            }
        }
    }

    /// Asks `question`, with what led to it; `None` leaves it open.
    fn ask(&self, question: &Question) -> anyhow::Result<Option<String>> {
        self.talk.say("");
        for origin in &question.origin {
            self.talk.say(&format!("  {}", because(origin)));
        }
        let prompt = visible(&question.question);
        if question.options.is_empty() {
            let text = self.text(&prompt, question.default.as_deref().unwrap_or_default())?;
            return Ok(Some(text).filter(|text| !text.is_empty()));
        }
        let options: Vec<&str> = question.options.iter().map(String::as_str).collect();
        let default = question.default.as_deref();
        let at = options.iter().position(|option| Some(*option) == default);
        let chosen = self.choose(&prompt, &options, at.unwrap_or(0))?;
        Ok(chosen.map(|at| options[at].to_owned()))
    }

    fn change_runtime(&mut self, component: &Component) -> anyhow::Result<()> {
        let runtime = &component.runtime;
        let recipe = &self.known.catalog.runtimes[&runtime.name];
        let versions: Vec<String> = recipe
            .version
            .iter()
            .rev()
            .map(|known| known.version.clone())
            .collect();
        let shown: Vec<String> = recipe
            .version
            .iter()
            .rev()
            .map(|known| format!("{} (fixes until {})", known.version, known.ends))
            .collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        let at = versions
            .iter()
            .position(|version| *version == runtime.version);
        let chosen = self.choose(
            &format!("Which version of {}?", recipe.title),
            &shown,
            at.unwrap_or(0),
        )?;
        if let Some(at) = chosen {
            self.set("component", "runtime", &versions[at], "");
        }
        Ok(())
    }

    fn change_port(&mut self, component: &Component) -> anyhow::Result<()> {
        let now = component.main_port().map(|port| port.port.to_string());
        loop {
            let text = self.text(
                "On which port does it listen?",
                now.as_deref().unwrap_or_default(),
            )?;
            match text.parse::<u16>() {
                Ok(port) if port > 0 => {
                    self.set_value("component", "port", value(i64::from(port)), "");
                    return Ok(());
                }
                _ if text.is_empty() => return Ok(()),
                _ => self.talk.say("a port is a number from 1 to 65535"),
            }
        }
    }

    fn change_start(&mut self, component: &Component) -> anyhow::Result<()> {
        let start = component.start.as_ref();
        let now = start.map(|start| crate::quote::shell::join(&start.command));
        let line = self.text("How is it started?", now.as_deref().unwrap_or_default())?;
        if !line.is_empty() && Some(&line) != now.as_ref() {
            self.set("component", "start", &line, "");
        }
        Ok(())
    }

    fn change_services(&mut self, component: &Component) -> anyhow::Result<()> {
        let is_there = |id: &str| component.services.iter().any(|service| service.kind == id);
        let ids: Vec<String> = self.known.catalog.services.keys().cloned().collect();
        let shown: Vec<String> = ids
            .iter()
            .map(|id| format!("{} {id}", if is_there(id) { "leave out" } else { "add" }))
            .collect();
        let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
        if let Some(at) = self.choose("Which service?", &shown, 0)? {
            let answer = if is_there(&ids[at]) { "no" } else { "yes" };
            self.set("answers", &format!("service-{}", ids[at]), answer, "");
        }
        Ok(())
    }

    fn choose(
        &self,
        prompt: &str,
        options: &[&str],
        default: usize,
    ) -> anyhow::Result<Option<usize>> {
        let options: Vec<String> = options.iter().map(|option| visible(option)).collect();
        let select = Select::with_theme(self.theme.as_ref())
            .with_prompt(prompt)
            .items(&options)
            .default(default);
        Ok(select.interact_on_opt(&self.terminal)?)
    }

    fn text(&self, prompt: &str, default: &str) -> anyhow::Result<String> {
        let mut input = Input::<String>::with_theme(self.theme.as_ref())
            .with_prompt(prompt)
            .allow_empty(true);
        if !default.is_empty() {
            input = input.default(default.to_owned());
        }
        Ok(input.interact_text_on(&self.terminal)?.trim().to_owned())
    }

    fn answer(&mut self, question: &Question, answer: &str) {
        let place = question
            .origin
            .first()
            .map(Origin::place)
            .unwrap_or_default();
        let why = format!("# {place}: {}\n", question.question.replace('\n', " "));
        self.set("answers", &question.id, answer, &visible(&why));
    }

    fn set(&mut self, table: &str, key: &str, text: &str, comment: &str) {
        self.set_value(table, key, value(text), comment);
    }

    /// Sets one value and leaves all else as the person wrote it, comments too.
    fn set_value(&mut self, table: &str, key: &str, mut new: Item, comment: &str) {
        let table = self
            .document
            .entry(table)
            .or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = table.as_table_like_mut() else {
            return;
        };
        match table.get_mut(key) {
            Some(old) => {
                if let (Some(old), Some(new)) = (old.as_value(), new.as_value_mut()) {
                    *new.decor_mut() = old.decor().clone();
                }
                *old = new;
            }
            None => {
                table.insert(key, new);
                if let Some(mut key) = table.key_mut(key) {
                    key.leaf_decor_mut().set_prefix(comment);
                }
            }
        }
    }
}

/// `README.md:12: export HOST=<your-host>`.
fn because(origin: &Origin) -> String {
    let words = origin.text.as_deref().unwrap_or_default();
    visible(&format!("{}: {}", origin.place(), words.replace('\n', " ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_template_is_read() {
        let is_key = |line: &str| {
            let name = line
                .strip_prefix("# ")
                .and_then(|line| line.split_once(" = "));
            name.is_some_and(|(name, _)| !name.contains(' '))
        };
        let text: String = TEMPLATE
            .lines()
            .filter(|line| !line.contains("company-ca.pem"))
            .map(|line| if is_key(line) { &line[2..] } else { line })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = Config::parse(FILE, &text, &|path| Some(PathBuf::from(path))).expect("reads");
        assert!(
            config.port.is_some() && config.mirrors.len() == 2,
            "{config:?}"
        );
    }
}
