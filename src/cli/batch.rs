//! Many repositories: each is converted by a process of its own, so that none can stop the others,
//! and what is done is remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::{Deserialize, Serialize};

use super::{
    Outcome, Talk,
    args::{Arguments, BatchArguments, BatchFormat, ConvertArguments},
    output, print, print_json,
};
use crate::{
    diagnostic::{Diagnostic, Severity},
    input::{self, InputFolder, digest},
    limits,
    plan::BuildPlan,
    quote::terminal::{Shown, visible},
    repo::Repo,
    repo::STATE,
    verify::{self, EngineError, Report},
};

/// Name of the file in the output folder that remembers what is done.
const MEMORY: &str = ".longshore-batch.json";
/// Beginning of the line with the summary of one repository.
const SUMMARY: &str = "summary: ";
/// Words that a first error is shortened to, in characters.
const LONGEST_ERROR: usize = 300;

/// What `convert` leaves for the batch that started it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Summary {
    /// The stacks of the components.
    stack: String,
    /// The verdict, where it was verified.
    verdict: Option<String>,
    /// The lowest of the rungs that the components reached.
    rung: Option<String>,
    /// The first error.
    error: Option<String>,
}

/// What became of one repository.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// Its name, which is that of its folder below the output folder.
    name: String,
    /// Where it is.
    path: PathBuf,
    /// Whether all went well.
    ok: bool,
    /// What it is.
    #[serde(flatten)]
    summary: Summary,
    /// How long it took.
    seconds: f64,
    /// Whether an earlier run did it.
    remembered: bool,
}

/// What is remembered of a repository.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Done {
    /// SHA-256 of everything that the result depends on.
    inputs: String,
    entry: Entry,
}

/// Leaves a summary for the batch that started this process, if there is one.
///
/// # Errors
///
/// When it is no JSON, which is a bug.
pub fn summarise(
    arguments: &ConvertArguments,
    plan: &BuildPlan,
    diagnostics: &[Diagnostic],
    report: Option<&Report>,
) -> anyhow::Result<()> {
    if !arguments.summary {
        return Ok(());
    }
    let stacks: BTreeSet<&str> = plan
        .components
        .iter()
        .map(|component| component.stack.as_str())
        .collect();
    let components = || report.into_iter().flat_map(|report| &report.components);
    let failure = components().find_map(|component| component.failure.as_ref());
    let proof = report.into_iter().flat_map(|report| &report.manifests);
    let proof = proof.filter(|proof| proof.outcome == verify::ProofOutcome::Failed);
    let said = diagnostics
        .iter()
        .find(|diagnostic| diagnostic.severity == Severity::Error);
    let error = failure
        .map(|failure| failure.message.clone())
        .or_else(|| proof.map(|proof| proof.message.clone()).next())
        .or_else(|| said.map(|diagnostic| diagnostic.message.clone()));
    let unknown = plan.components.is_empty();
    let summary = Summary {
        stack: stacks.into_iter().collect::<Vec<_>>().join(", "),
        verdict: report.map(|report| report.verdict.name().to_owned()),
        rung: components()
            .map(|component| component.rung)
            .min()
            .map(|rung| rung.name().to_owned()),
        error: error.or_else(|| unknown.then(|| "no stack was recognised".to_owned())),
    };
    print(&Shown::json_line(&summary)?.behind(SUMMARY));
    Ok(())
}

/// Converts many repositories, and reports on all of them.
pub fn batch(batch: &BatchArguments, all: &Arguments, talk: Talk) -> anyhow::Result<Outcome> {
    let repositories = match repositories(&batch.source, &batch.output) {
        Ok(found) if found.is_empty() => {
            talk.error(&format!(
                "there is no repository in `{}`",
                batch.source.display()
            ));
            talk.hint("name a folder with a folder for each, or a file with a path on each line");
            return Ok(Outcome::Environment);
        }
        Ok(found) => found,
        Err(error) => {
            talk.error(&format!("{error:#}"));
            return Ok(Outcome::Environment);
        }
    };
    if batch.verify
        && let Err(error) = verify::sweep()
    {
        talk.error(&error.to_string());
        for hint in error
            .downcast_ref::<EngineError>()
            .map(EngineError::hints)
            .unwrap_or_default()
        {
            talk.hint(&hint);
        }
        return Ok(Outcome::Environment);
    }
    fs::create_dir_all(&batch.output)
        .with_context(|| format!("failed to make `{}`", batch.output.display()))?;
    let work = Work {
        program: std::env::current_exe().context("failed to find this program")?,
        batch,
        all,
        done: Mutex::new(remembered(&batch.output)),
        bar: bar(repositories.len(), talk),
        talk,
    };
    let entries = work.all(&repositories);
    if let Some(bar) = &work.bar {
        bar.finish_and_clear();
    }
    let entries = entries?;
    match batch.format {
        BatchFormat::Text => print(&Shown::text(&text(&entries))),
        BatchFormat::Json => print_json(&entries)?,
        BatchFormat::Junit => print(&Shown::text(&junit(&entries)?)),
    }
    Ok(if entries.iter().all(|entry| entry.ok) {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}

/// Names and paths, in the order of the list, or of the names.
fn repositories(source: &Path, output: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let context = || format!("failed to read `{}`", source.display());
    let mut paths = Vec::new();
    if source.is_dir() {
        let output = fs::canonicalize(output).ok();
        for entry in fs::read_dir(source).with_context(context)? {
            let entry = entry.with_context(context)?;
            let path = entry.path();
            // A link may lead to any folder of this machine.
            let is_folder = entry.file_type().with_context(context)?.is_dir();
            let is_hidden = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_output = output.is_some() && fs::canonicalize(&path).ok() == output;
            if is_folder && !is_hidden && !is_output {
                paths.push(path);
            }
        }
        paths.sort();
    } else {
        let list = input::text(source, limits::NAMED).with_context(context)?;
        let lines = list.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        paths.extend(lines.map(PathBuf::from));
    }
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    for path in paths {
        let full = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        let base = full.file_name().map_or_else(
            || "repository".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mut name = base.clone();
        for number in 2.. {
            if names.insert(name.clone()) {
                break;
            }
            name = format!("{base}-{number}");
        }
        found.push((name, path));
    }
    Ok(found)
}

fn remembered(output: &Path) -> BTreeMap<String, Done> {
    let text = InputFolder::open(output)
        .ok()
        .and_then(|folder| folder.text(MEMORY, limits::MEMORY).ok())
        .unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn bar(count: usize, talk: Talk) -> Option<ProgressBar> {
    talk.coloured.then(|| {
        let bar = ProgressBar::new(count as u64);
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.expect("the template is right"));
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        bar
    })
}

/// What the workers share.
struct Work<'a> {
    program: PathBuf,
    batch: &'a BatchArguments,
    all: &'a Arguments,
    done: Mutex<BTreeMap<String, Done>>,
    bar: Option<ProgressBar>,
    talk: Talk,
}

impl Work<'_> {
    fn all(&self, repositories: &[(String, PathBuf)]) -> anyhow::Result<Vec<Entry>> {
        let next = AtomicUsize::new(0);
        let entries = Mutex::new(BTreeMap::new());
        let work = || -> anyhow::Result<()> {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some((name, path)) = repositories.get(index) else {
                    return Ok(());
                };
                let entry = self.one(name, path)?;
                self.told(&entry);
                let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
                entries.insert(index, entry);
            }
        };
        thread::scope(|scope| {
            // Another's build would spoil what a load finds.
            let jobs = if self.batch.load {
                1
            } else {
                usize::from(self.batch.jobs)
            };
            let jobs = jobs.min(repositories.len());
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            let mut results = workers.into_iter().map(|worker| worker.join());
            results.try_for_each(|result| result.expect("a worker only starts processes"))
        })?;
        let entries = entries.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.into_values().collect())
    }

    fn told(&self, entry: &Entry) {
        let line = format!("{}: {}", entry.name, outcome(entry));
        match &self.bar {
            Some(bar) => {
                bar.println(visible(&line));
                bar.inc(1);
            }
            None => self.talk.say(&line),
        }
    }

    /// Does one repository, unless an earlier run did.
    fn one(&self, name: &str, path: &Path) -> anyhow::Result<Entry> {
        let output = self.batch.output.join(name);
        let inputs = self.inputs(path);
        let known = {
            let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            done.get(name).cloned()
        };
        let is_there = |done: &Done| !done.entry.ok || output.join(STATE).is_file();
        if let Some(done) = known
            .filter(|done| !self.batch.again && Some(&done.inputs) == inputs.as_ref())
            .filter(is_there)
        {
            return Ok(Entry {
                remembered: true,
                path: path.to_owned(),
                ..done.entry
            });
        }
        if let Some(bar) = &self.bar {
            bar.set_message(name.to_owned());
        }
        let begun = Instant::now();
        let ended = self
            .command(path, &output)
            .output()
            .context("failed to start this program again")?;
        let mut summary = summary(&ended);
        let ok = ended.status.success();
        if ok {
            summary.error = None;
        } else if summary.error.is_none() {
            summary.error = Some(last_words(&ended));
        }
        summary.error = summary
            .error
            .map(|error| error.chars().take(LONGEST_ERROR).collect());
        let entry = Entry {
            name: name.to_owned(),
            path: path.to_owned(),
            ok,
            summary,
            seconds: (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            remembered: false,
        };
        // Trouble with the environment, and a crash, are tried again.
        let is_final = matches!(ended.status.code(), Some(0 | 1));
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match inputs.filter(|_| is_final) {
            Some(inputs) => {
                let entry = entry.clone();
                done.insert(name.to_owned(), Done { inputs, entry });
            }
            None => {
                done.remove(name);
            }
        }
        let text = serde_json::to_vec_pretty(&*done)?;
        output::replace(&self.batch.output.join(MEMORY), &text)?;
        Ok(entry)
    }

    fn command(&self, path: &Path, output: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--color", "never", "convert"]).arg(path);
        command.arg("--output").arg(output);
        command.arg("--summary");
        for recipes in &self.all.recipes {
            command.arg("--recipes").arg(recipes);
        }
        if let Some(config) = &self.all.config {
            command.arg("--config").arg(config);
        }
        command.arg("--no-trust-store");
        command.args(self.settings());
        command.stdin(Stdio::null());
        command
    }

    /// The options that change what is made.
    fn settings(&self) -> Vec<String> {
        let batch = self.batch;
        let mut settings = vec![
            "--start-timeout".to_owned(),
            batch.start_timeout.to_string(),
            "--time-limit".to_owned(),
            batch.time_limit.to_string(),
        ];
        for (option, is_on) in [
            ("--verify", batch.verify),
            ("--force", batch.force),
            ("--load", batch.load),
            ("--manifests", batch.manifests),
            ("--trust-repository", self.all.trust_repository),
        ] {
            settings.extend(is_on.then(|| option.to_owned()));
        }
        settings
    }

    /// SHA-256 of everything that the result depends on; `None` where that cannot be read.
    fn inputs(&self, path: &Path) -> Option<String> {
        let mut text = format!("{} {:?}\n", env!("CARGO_PKG_VERSION"), self.settings());
        for folder in [path]
            .into_iter()
            .chain(self.all.recipes.iter().map(PathBuf::as_path))
        {
            let repo = Repo::open(folder).ok()?.value;
            let input = InputFolder::open(folder).ok()?;
            for file in repo.files() {
                let known = input.read(file, limits::STATE);
                let known = known.map_or_else(|why| why.to_string(), |bytes| digest(&bytes));
                let _ = writeln!(text, "{file:?} {known} {:?}", repo.size(file));
            }
        }
        if let Some(config) = &self.all.config {
            text.push_str(&digest(&input::read(config, limits::NAMED).ok()?));
        }
        Some(digest(text.as_bytes()))
    }
}

/// The last summary that a process printed.
fn summary(ended: &Output) -> Summary {
    let said = String::from_utf8_lossy(&ended.stdout);
    let summary = said
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(SUMMARY));
    let summary = summary.and_then(|json| serde_json::from_str(json).ok());
    summary.unwrap_or_default()
}

/// The first error that a process printed, or how it crashed.
fn last_words(ended: &Output) -> String {
    let said = String::from_utf8_lossy(&ended.stderr);
    let mut lines = said.lines();
    while let Some(line) = lines.next() {
        if line.contains("panicked at") {
            return format!("longshore crashed: {}", lines.next().unwrap_or(line));
        }
        if let Some(error) = line.strip_prefix("error") {
            let error = error.strip_prefix(": ");
            return error.unwrap_or(line).to_owned();
        }
    }
    let kept = "files that a person wrote or edited were kept; `--force` overwrites them";
    if said.lines().any(|line| line.starts_with("kept `")) {
        return kept.to_owned();
    }
    format!("longshore ended with {}", ended.status)
}

/// How it went, in one line.
fn outcome(entry: &Entry) -> String {
    let summary = &entry.summary;
    let word = match (&summary.verdict, entry.ok) {
        (Some(verdict), _) => verdict.clone(),
        (None, true) => "converted".to_owned(),
        (None, false) => "failed".to_owned(),
    };
    let when = if entry.remembered {
        "done before".to_owned()
    } else {
        format!("{:.1} s", entry.seconds)
    };
    let error = summary.error.iter().map(|error| format!(": {error}"));
    format!("{word} ({when}){}", error.collect::<String>())
}

/// A row for each, and how many are fine.
fn text(entries: &[Entry]) -> String {
    let verdict = |entry: &Entry| {
        let reached = entry.summary.rung.iter().map(|rung| format!(" ({rung})"));
        let word = match (&entry.summary.verdict, entry.ok) {
            (Some(verdict), _) => verdict.clone(),
            (None, true) => "converted".to_owned(),
            (None, false) => "failed".to_owned(),
        };
        word + &reached.collect::<String>()
    };
    let width = |of: &dyn Fn(&Entry) -> usize| entries.iter().map(of).max().unwrap_or(0);
    let names = width(&|entry| entry.name.chars().count());
    let stacks = width(&|entry| entry.summary.stack.chars().count());
    let verdicts = width(&|entry| verdict(entry).chars().count());
    let mut text = String::new();
    for entry in entries {
        let row = format!(
            "{:names$}  {:stacks$}  {:verdicts$}  {:>7.1} s  {}",
            entry.name,
            entry.summary.stack,
            verdict(entry),
            entry.seconds,
            entry.summary.error.as_deref().unwrap_or_default()
        );
        let _ = writeln!(text, "{}", row.trim_end());
    }
    let fine = entries.iter().filter(|entry| entry.ok).count();
    let before = entries.iter().filter(|entry| entry.remembered).count();
    let failed = entries.len() - fine;
    let _ = writeln!(
        text,
        "\n{fine} fine, {failed} failed, {before} of them done before"
    );
    text
}

fn junit(entries: &[Entry]) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("repositories");
    for entry in entries {
        let mut status = TestCaseStatus::success();
        if !entry.ok {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(entry.summary.error.as_deref().unwrap_or("failed"));
            status.set_type(entry.summary.verdict.as_deref().unwrap_or("failed"));
        }
        let mut case = TestCase::new(entry.name.as_str(), status);
        case.set_classname(entry.summary.stack.as_str());
        case.set_time(std::time::Duration::from_secs_f64(entry.seconds.max(0.0)));
        suite.add_test_case(case);
    }
    let mut report = quick_junit::Report::new("longshore batch");
    report.add_test_suite(suite);
    Ok(report.to_string()?)
}
