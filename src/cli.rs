//! Arguments and output: the only module that talks to the user.
//!
//! Data goes to stdout, talk goes to stderr. Exit codes: 0 done, 1 errors in the input or a failed
//! verification or a difference found by `--check`, 2 wrong usage, 3 trouble with the environment.

mod args;
mod batch;
mod junit;
mod output;
mod progress;
mod recipe;
mod smoke;
mod text;
mod wizard;

use std::{
    cell::LazyCell,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{CommandFactory, Parser};

use crate::{
    config::Config,
    convert::{self, Conversion},
    diagnose::{self, DiagnosisReport},
    diagnostic::{self, Code, Diagnostic, Severity, nearest},
    input::{self, digest},
    limits,
    output::OutputFolder,
    plan::BuildPlan,
    quote::terminal::{Shown, line},
    recipe::{Catalog, ConfigurationError},
    record::{self, State, Verified},
    render::Artifact,
    repair,
    repo::{self, Repo},
    trust::TrustStore,
    verify::{self, Repair, Report},
};
use args::{
    Arguments, Color, Command, ConvertArguments, DiagnoseArguments, ExplainArguments, Format,
    PlanArguments, RecipesCommand, ReportFormat, SchemaOf, TrustArguments, VerifyArguments,
};
use output::{Change, Record};

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Environment = 3,
}

/// Runs the program with `arguments`, the first of which is its name, and returns its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() {
                Outcome::Usage
            } else {
                Outcome::Done
            };
            let _ = error.print();
            return ExitCode::from(code as u8);
        }
    };
    let talk = Talk {
        coloured: is_coloured(arguments.color),
    };
    let outcome = dispatch(&arguments, talk).unwrap_or_else(|error| {
        talk.error(&format!("{error:#}"));
        Outcome::Environment
    });
    ExitCode::from(outcome as u8)
}

fn dispatch(arguments: &Arguments, talk: Talk) -> anyhow::Result<Outcome> {
    match &arguments.command {
        Command::Schema { of } => return schema(*of),
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(*shell, &mut command, "longshore", &mut std::io::stdout());
            return Ok(Outcome::Done);
        }
        Command::Man => {
            clap_mangen::Man::new(Arguments::command()).render(&mut std::io::stdout())?;
            return Ok(Outcome::Done);
        }
        Command::Batch(batch) => return batch::batch(batch, arguments, talk),
        Command::Trust(trust) => return self::trust(trust, talk),
        _ => {}
    }
    let known = match Known::read(arguments) {
        Ok(known) => known,
        Err(errors) => return Ok(broken(&errors, talk)),
    };
    match &arguments.command {
        Command::Plan(arguments) => plan(arguments, &known, talk),
        Command::Convert(arguments) => write(arguments, &known, talk),
        Command::Wizard(wizard) => {
            let trust = arguments.trust(&wizard.convert.path);
            wizard::wizard(wizard, arguments.config.as_deref(), trust, known, talk)
        }
        Command::Verify(arguments) => verify(arguments, &known, talk),
        Command::Explain(arguments) => explain(arguments, &known, talk),
        Command::Diagnose(arguments) => diagnose(arguments, &known.catalog, talk),
        Command::Recipes { command } => recipes(command, &known.catalog, talk),
        Command::Batch(_)
        | Command::Trust(_)
        | Command::Schema { .. }
        | Command::Completions { .. }
        | Command::Man => Ok(Outcome::Done),
    }
}

/// What is known before the repository is read: the catalogue, and what a person settled.
struct Known {
    catalog: Catalog,
    config: Config,
    /// Whether the command line trusts the repository.
    trusts_repository: bool,
    store: Option<TrustStore>,
}

impl Known {
    /// Returns whether the record of an earlier verification in the folder `output` counts: one that
    /// lies in the repository, or in a folder around it, came with it, unless a run of this user left
    /// it or the user trusts it.
    fn accepts_record(&self, repository: &Path, output: &Path) -> bool {
        let is_known = || {
            let store = self.store.as_ref();
            store.is_some_and(|store| store.knows_record(output))
        };
        !lies_with(repository, output) || self.trusts_repository || is_known()
    }
}

impl Known {
    fn read(arguments: &Arguments) -> Result<Self, Vec<ConfigurationError>> {
        let repository = match &arguments.command {
            Command::Plan(arguments) => Some(&arguments.path),
            Command::Convert(arguments) => Some(&arguments.path),
            Command::Wizard(arguments) => Some(&arguments.convert.path),
            Command::Verify(arguments) => Some(&arguments.path),
            Command::Explain(arguments) => Some(&arguments.path),
            Command::Batch(_)
            | Command::Trust(_)
            | Command::Diagnose(_)
            | Command::Recipes { .. }
            | Command::Schema { .. }
            | Command::Completions { .. }
            | Command::Man => None,
        };
        let config = match (&arguments.config, repository) {
            (Some(file), _) => Config::of_file(file)?,
            (None, Some(repository)) => {
                Config::of_repository(repository, arguments.trust(repository))?
            }
            (None, None) => Config::default(),
        };
        let folders: Vec<PathBuf> = arguments
            .recipes
            .iter()
            .chain(&config.recipes)
            .cloned()
            .collect();
        let catalog = Catalog::with_folders(&folders)?;
        match config.wrong_mirrors(&catalog) {
            wrong if wrong.is_empty() => Ok(Self {
                catalog,
                config,
                trusts_repository: arguments.trust_repository,
                store: arguments.trust_store(),
            }),
            wrong => Err(wrong),
        }
    }
}

/// Whether one of two folders that are there lies in the other.
fn lies_with(repository: &Path, output: &Path) -> bool {
    let (Ok(repository), Ok(output)) = (repository.canonicalize(), output.canonicalize()) else {
        return false;
    };
    output.starts_with(&repository) || repository.starts_with(&output)
}

/// How to talk to the user: on stderr.
#[derive(Debug, Clone, Copy)]
struct Talk {
    coloured: bool,
}

impl Talk {
    fn say(self, text: &str) {
        eprintln!("{}", Shown::text(text));
    }

    fn diagnostics(self, diagnostics: &[Diagnostic]) {
        for diagnostic in diagnostics {
            eprintln!("{}\n", diagnostic::render(diagnostic, self.coloured));
        }
    }

    fn error(self, text: &str) {
        let (start, end) = if self.coloured {
            ("\u{1b}[1;31m", "\u{1b}[0m")
        } else {
            ("", "")
        };
        eprintln!("{start}error{end}: {}", Shown::text(text));
    }

    fn hint(self, text: &str) {
        eprintln!("  = hint: {}", Shown::text(text));
    }
}

/// <https://no-color.org>: any value that is not empty turns colours off.
fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !refused && std::io::stderr().is_terminal()
        }
    }
}

/// Prints data; a reader that went away is no error.
fn print(text: &Shown) {
    let _ = write!(std::io::stdout(), "{text}");
}

fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&Shown::json(value)?);
    Ok(())
}

fn schema(of: SchemaOf) -> anyhow::Result<Outcome> {
    match of {
        SchemaOf::Plan => print_json(&schemars::schema_for!(BuildPlan))?,
        SchemaOf::Report => print_json(&schemars::schema_for!(Report))?,
        SchemaOf::Diagnosis => print_json(&schemars::schema_for!(DiagnosisReport))?,
        SchemaOf::State => print_json(&schemars::schema_for!(State))?,
    }
    Ok(Outcome::Done)
}

/// Trusts the `longshore.toml` of a folder, or says which are trusted.
fn trust(arguments: &TrustArguments, talk: Talk) -> anyhow::Result<Outcome> {
    let Some(store) = TrustStore::of_user() else {
        talk.error("there is no home folder to keep what is trusted in");
        talk.hint("set HOME or XDG_CONFIG_HOME, or use `--trust-repository` for one run");
        return Ok(Outcome::Environment);
    };
    let path = &arguments.path;
    let shown = path.display();
    if arguments.list {
        for (folder, is_same) in store.folders() {
            let remark = if is_same {
                ""
            } else {
                " (changed since, not trusted)"
            };
            print(&Shown::text(&format!("{folder}{remark}\n")));
        }
    } else if arguments.revoke {
        match store.revoke(path)? {
            true => talk.say(&format!("`{shown}` is not trusted any more")),
            false => talk.say(&format!("`{shown}` was not trusted")),
        }
    } else if let Err(error) = store.trust(path) {
        talk.error(&format!("{error:#}"));
        return Ok(Outcome::Environment);
    } else {
        talk.say(&format!(
            "`{shown}` is trusted until its longshore.toml, or what that names, changes"
        ));
    }
    Ok(Outcome::Done)
}

/// What was understood of a repository.
struct Understood {
    conversion: Conversion,
    diagnostics: Vec<Diagnostic>,
    /// SHA-256 of the plan before repairs and measurements.
    hash: String,
    /// What an earlier smoke run of the same plan repaired; it is in the plan.
    repairs: Vec<Repair>,
    /// Whether what an earlier smoke run recorded counts.
    accepts_record: bool,
}

/// Reads and renders; `None` where the folder cannot be opened, which is said.
fn understand(
    path: &Path,
    output: &Path,
    known: &Known,
    talk: Talk,
) -> anyhow::Result<Option<Understood>> {
    let warned = match convert::plan_with(path, &known.catalog, &known.config) {
        Ok(warned) => warned,
        Err(error) => {
            talk.error(&error.to_string());
            return Ok(None);
        }
    };
    let mut diagnostics = warned.diagnostics;
    let hash = digest(serde_json::to_string(&warned.value)?.as_bytes());
    let state = State::read(&OutputFolder::at(output)).unwrap_or_else(|why| {
        let message = format!("`{}` is no record: {why}", repo::STATE);
        diagnostics.push(
            Diagnostic::new(Severity::Warning, Code::UnusedRecord, message)
                .hint("every file that is there counts as one that a person wrote")
                .hint("`--force` writes them anew, and the record with them"),
        );
        State::default()
    });
    // What an earlier smoke run found holds as long as the plan is the same, and the files that it
    // leads to.
    let recorded = state.verified.filter(|verified| verified.plan == hash);
    let accepts_record = known.accepts_record(path, output);
    let mut unused = |why: String, hint: &str| {
        let message = format!("{why}: what it says was verified and repaired is ignored");
        diagnostics.push(
            Diagnostic::new(Severity::Warning, Code::UnusedRecord, message)
                .hint("`longshore convert --verify` verifies it again")
                .hint(hint),
        );
    };
    let mut taken_up = None;
    match recorded {
        Some(_) if !accepts_record => unused(
            format!("`{}` came with the repository", repo::STATE),
            "`--trust-repository` accepts it, as for a record that your team committed",
        ),
        Some(recorded) => match take_up(&recorded, &warned.value, path, known)? {
            Ok(found) => taken_up = Some(found),
            Err(why) => unused(
                format!("`{}` does not fit: {why}", repo::STATE),
                "an edit of the record, other recipes or another longshore may be why",
            ),
        },
        None => {}
    }
    let (conversion, repairs) = match taken_up {
        Some(found) => found,
        None => (convert::render(warned.value)?, Vec::new()),
    };
    Ok(Some(Understood {
        conversion,
        diagnostics,
        hash,
        repairs,
        accepts_record,
    }))
}

/// Makes `plan` into what a smoke run `recorded`: repaired, measured, rendered; returns with it what was
/// repaired, or why the record does not fit.
fn take_up(
    recorded: &Verified,
    plan: &BuildPlan,
    path: &Path,
    known: &Known,
) -> anyhow::Result<Result<(Conversion, Vec<Repair>), String>> {
    let mut repairs = Vec::new();
    let mut plan = plan.clone();
    if !recorded.repairs.is_empty() {
        let repo = Repo::open(path)?.value;
        repairs = match repair::again(&recorded.repairs, &plan, &repo, &known.catalog) {
            Ok(repairs) => repairs,
            Err(why) => return Ok(Err(why)),
        };
        plan = repair::plan(path, &known.catalog, &known.config, &repairs)?.value;
    }
    recorded.apply(&mut plan);
    let conversion = convert::render(plan)?;
    if record::digest_of(&conversion.artifacts) != recorded.files {
        return Ok(Err("it was made for other files".to_owned()));
    }
    Ok(Ok((marked(conversion, recorded)?, repairs)))
}

/// Has `CONTAINER.md` say what was `recorded`.
fn marked(conversion: Conversion, recorded: &Verified) -> anyhow::Result<Conversion> {
    let mut plan = conversion.plan;
    plan.recorded = Some(recorded.mark());
    convert::render(plan)
}

fn ended_with(diagnostics: &[Diagnostic]) -> Outcome {
    if convert::has_errors(diagnostics) {
        Outcome::Failed
    } else {
        Outcome::Done
    }
}

fn plan(arguments: &PlanArguments, known: &Known, talk: Talk) -> anyhow::Result<Outcome> {
    let Some(Understood {
        conversion,
        diagnostics,
        ..
    }) = understand(&arguments.path, &arguments.path, known, talk)?
    else {
        return Ok(Outcome::Environment);
    };
    talk.diagnostics(&diagnostics);
    match arguments.format {
        Format::Text => print(&text::plan(&conversion.plan)),
        Format::Json => print_json(&conversion.plan)?,
    }
    Ok(ended_with(&diagnostics))
}

fn write(arguments: &ConvertArguments, known: &Known, talk: Talk) -> anyhow::Result<Outcome> {
    let output = arguments.output.as_deref().unwrap_or(&arguments.path);
    let Some(Understood {
        mut conversion,
        diagnostics,
        hash,
        repairs: known_repairs,
        accepts_record,
    }) = understand(&arguments.path, output, known, talk)?
    else {
        return Ok(Outcome::Environment);
    };
    batch::summarise(arguments, &conversion.plan, &diagnostics, None)?;
    talk.diagnostics(&diagnostics);
    if conversion.artifacts.is_empty() {
        return Ok(Outcome::Failed);
    }
    let mut outcome = ended_with(&diagnostics);
    let mut record = Record::Kept;
    if arguments.verify {
        talk.say(&text::plan(&conversion.plan).to_string());
        let (report, mut plan) = match smoke::smoke(
            conversion,
            known_repairs,
            &arguments.path,
            &arguments.smoke,
            known,
            talk,
        )? {
            Ok(result) => result,
            Err(outcome) => return Ok(outcome),
        };
        verify::apply(&report, &mut plan);
        plan.recorded = None;
        conversion = convert::render(plan)?;
        if report.verdict.is_success() {
            let found = Verified::of(&report, &hash, &conversion.plan, &conversion.artifacts);
            conversion = marked(conversion, &found)?;
            record = Record::New(found);
        }
        batch::summarise(arguments, &conversion.plan, &diagnostics, Some(&report))?;
        talk.say(&text::report(&report).to_string());
        if !report.verdict.is_success() {
            outcome = Outcome::Failed;
        }
    }
    let comparison = output::compare(conversion.artifacts, output)?;
    // What a person wrote may hold any.
    let patterns = LazyCell::new(|| known.catalog.secrets());
    let difference = |present: &str, new: &Artifact| output::diff(&patterns.masked(present), new);
    if arguments.check {
        for (artifact, change) in comparison
            .changes
            .iter()
            .filter(|(_, change)| *change != Change::Unchanged)
        {
            print(&Shown::text(&match change {
                Change::New => format!("would write {}\n", artifact.path),
                Change::Update(present) | Change::Edited(present) => difference(present, artifact),
                Change::Obstructed(why) => format!("would not write {}: {why}\n", artifact.path),
                Change::Unchanged => String::new(),
            }));
        }
        for path in &comparison.stale {
            print(&Shown::text(&format!("would remove {path}\n")));
        }
        return Ok(if comparison.differs() {
            Outcome::Failed
        } else {
            outcome
        });
    }
    let is_verified = matches!(record, Record::New(_));
    let written = comparison.write(arguments.force, record)?;
    if (is_verified || accepts_record)
        && comparison.has_record(is_verified)
        && lies_with(&arguments.path, output)
        && let Some(store) = &known.store
        && let Err(error) = store.remember_record(output)
    {
        talk.error(&format!("{error:#}"));
    }
    for path in &written {
        print(&Shown::text(&format!("wrote {path}\n")));
    }
    for path in &comparison.stale {
        print(&Shown::text(&format!("removed {path}\n")));
    }
    if written.is_empty() && comparison.stale.is_empty() {
        talk.say("nothing to do: every file is up to date");
    }
    let mut kept = 0;
    let mut obstructed = 0;
    for (artifact, change) in &comparison.changes {
        match change {
            Change::Edited(present) if !arguments.force => {
                kept += 1;
                talk.say(&format!(
                    "kept `{}`, which a person wrote or edited; generated now would be:",
                    artifact.path
                ));
                talk.say(&difference(present, artifact));
            }
            Change::Obstructed(why) => {
                obstructed += 1;
                talk.say(&format!("did not write `{}`: {why}", artifact.path));
            }
            Change::Edited(_) | Change::New | Change::Update(_) | Change::Unchanged => {}
        }
    }
    if kept > 0 {
        talk.hint("`--force` overwrites these files, `--output DIR` writes elsewhere");
    }
    if obstructed > 0 {
        talk.hint("remove what is in the way, or write elsewhere with `--output DIR`");
    }
    if kept + obstructed > 0 {
        outcome = Outcome::Failed;
    }
    Ok(outcome)
}

fn verify(arguments: &VerifyArguments, known: &Known, talk: Talk) -> anyhow::Result<Outcome> {
    let Some(Understood {
        conversion,
        diagnostics,
        repairs,
        ..
    }) = understand(&arguments.path, &arguments.path, known, talk)?
    else {
        return Ok(Outcome::Environment);
    };
    talk.diagnostics(&diagnostics);
    if conversion.artifacts.is_empty() {
        return Ok(Outcome::Failed);
    }
    let (report, name) = match smoke::smoke(
        conversion,
        repairs,
        &arguments.path,
        &arguments.smoke,
        known,
        talk,
    )? {
        Ok((report, plan)) => (report, plan.name),
        Err(outcome) => return Ok(outcome),
    };
    match arguments.format {
        ReportFormat::Text => print(&text::report(&report)),
        ReportFormat::Json => print_json(&report)?,
        ReportFormat::Junit => print(&Shown::text(&junit::junit(&name, &report)?)),
    }
    Ok(if report.verdict.is_success() {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

fn explain(arguments: &ExplainArguments, known: &Known, talk: Talk) -> anyhow::Result<Outcome> {
    let Some(Understood { conversion, .. }) =
        understand(&arguments.path, &arguments.path, known, talk)?
    else {
        return Ok(Outcome::Environment);
    };
    let (file, line) = match arguments.place.rsplit_once(':') {
        Some((file, line)) => match line.parse::<usize>() {
            Ok(line) => (file, Some(line)),
            Err(_) => {
                talk.error(&format!("`{line}` is no line number"));
                return Ok(Outcome::Usage);
            }
        },
        None => (arguments.place.as_str(), None),
    };
    let file = file.trim_start_matches("./");
    let Some(artifact) = conversion
        .artifacts
        .iter()
        .find(|artifact| artifact.path == file)
    else {
        talk.error(&format!(
            "no file `{file}` is generated for this repository"
        ));
        let made: Vec<&str> = conversion
            .artifacts
            .iter()
            .map(|artifact| artifact.path.as_str())
            .collect();
        talk.hint(&format!("there are {}", made.join(", ")));
        return Ok(Outcome::Usage);
    };
    let lines = artifact.contents.lines().count();
    if line.is_some_and(|line| line == 0 || line > lines) {
        talk.error(&format!("`{file}` has {lines} lines"));
        return Ok(Outcome::Usage);
    }
    print(&text::explanation(artifact, line));
    Ok(Outcome::Done)
}

fn diagnose(
    arguments: &DiagnoseArguments,
    catalog: &Catalog,
    talk: Talk,
) -> anyhow::Result<Outcome> {
    let log = log_text(&arguments.log)
        .with_context(|| format!("failed to read `{}`", arguments.log.display()));
    let dockerfile = arguments.dockerfile.as_ref().map(|path| {
        input::text(path, limits::NAMED)
            .with_context(|| format!("failed to read `{}`", path.display()))
    });
    let (log, dockerfile) = match (log, dockerfile.transpose()) {
        (Ok(log), Ok(dockerfile)) => (log, dockerfile),
        (Err(error), _) | (_, Err(error)) => {
            talk.error(&format!("{error:#}"));
            return Ok(Outcome::Usage);
        }
    };
    let report = diagnose::report(&log, dockerfile.as_deref(), catalog);
    match arguments.format {
        Format::Text => {
            let dockerfile = arguments.dockerfile.as_deref();
            print(&text::diagnosis(&report, &arguments.log, dockerfile));
        }
        Format::Json => print_json(&report)?,
    }
    Ok(if report.causes.is_empty() {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// Reads a log, of a long one the two ends; programs write bytes into it that are no text.
fn log_text(path: &Path) -> anyhow::Result<String> {
    let bytes = match path == Path::new("-") {
        true => input::ends(io::stdin().lock(), limits::LOG_END)?,
        false => input::ends_of(path, limits::LOG_END)?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn recipes(command: &RecipesCommand, catalog: &Catalog, talk: Talk) -> anyhow::Result<Outcome> {
    match command {
        RecipesCommand::List => {
            let entries = catalog.entries();
            let width = entries
                .iter()
                .map(|(path, _)| path.len())
                .max()
                .unwrap_or(0);
            for (path, title) in entries {
                print(&Shown::text(&format!("{path:width$}  {}\n", line(title))));
            }
        }
        RecipesCommand::Show {
            recipe: name,
            format,
        } => {
            let path = name
                .trim_start_matches("recipes/")
                .trim_end_matches(".toml");
            let Some(layers) = catalog.entry(path) else {
                talk.error(&format!("no recipe is called `{path}`"));
                let entries = catalog.entries();
                let near: Vec<&str> = entries
                    .iter()
                    .map(|(path, _)| path.as_str())
                    .filter(|known| known.ends_with(&format!("/{path}")))
                    .collect();
                talk.hint(&match near.as_slice() {
                    [] => match nearest(path, entries.iter().map(|(path, _)| path.as_str())) {
                        Some(near) => format!("did you mean {near}?"),
                        None => "`longshore recipes list` names them all".to_owned(),
                    },
                    near => format!("did you mean {}?", near.join(" or ")),
                });
                return Ok(Outcome::Usage);
            };
            match format {
                Format::Text => {
                    let title = catalog
                        .entries()
                        .into_iter()
                        .find(|(entry, _)| entry == path);
                    let title = title.map_or("", |(_, title)| title);
                    print(&Shown::text(&recipe::text(path, title, layers)?));
                }
                Format::Json => print_json(&recipe::json(path, layers)?)?,
            }
        }
        RecipesCommand::Check => {
            let errors = catalog.errors();
            if !errors.is_empty() {
                return Ok(broken(&errors, talk));
            }
            let count = catalog.entries().len();
            print(&Shown::text(&format!("{count} recipes, no errors\n")));
        }
    }
    Ok(Outcome::Done)
}

fn broken(errors: &[ConfigurationError], talk: Talk) -> Outcome {
    for error in errors {
        talk.error(&error.to_string());
        if let Some(hint) = &error.hint {
            talk.hint(hint);
        }
    }
    Outcome::Failed
}
