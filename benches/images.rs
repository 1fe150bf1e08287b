//! How good the images are: size, time of a build, time after a one-line change of the source, beside
//! a plain transcription of the same README into one stage.
//!
//! `make bench-images` prints a table of all samples that answer on an engine, or of those whose
//! names hold the words that are given. The transcription is what a person would write down first:
//! the base image of the build by its plain tag, `COPY . .`, the commands of the README that became
//! lines of our Dockerfile, in their order and with their folders, and the start command as the
//! README has it. Where our build has a slim image, the transcription is built a second time on that,
//! to show which part of its size the plain tag has.
//! Each build is made cold: an environment variable with a value of its own right below `FROM` keeps
//! the layers of earlier builds out. Downloads that cache mounts hold may be warm, which the
//! transcription, having none, never is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use longshore::{
    convert, manifest,
    plan::{BuildPlan, Fate, LedgerEntry, Start},
    recipe::Catalog,
    render::Artifact,
    repo::Repo,
    verify::{self, Event, Options, Report, Rung},
};

const HEAD: &str = "\
| sample | size | transcription | ratio | on slim | ratio | cold | transcription | after a change | transcription | dependencies kept | hadolint | answers, hardened |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|--:|---|";

/// What was measured of one sample.
struct Row {
    sample: String,
    ours: Measured,
    /// The transcription on the plain tag, where it builds.
    theirs: Option<Measured>,
    /// Bytes of the transcription on the image that our build has, where it builds.
    on_ours: Option<u64>,
    findings: usize,
    answers: bool,
}

/// What was measured of one Dockerfile.
struct Measured {
    bytes: u64,
    cold: f64,
    changed: f64,
    /// Whether no step that installs dependencies ran again after the change.
    kept: bool,
}

fn main() -> anyhow::Result<()> {
    // cargo adds `--bench`.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let catalog = Catalog::built_in();
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    println!("{HEAD}");
    for case in cases()? {
        let name = case
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        eprintln!("{name} …");
        match row(&case, &name, &catalog) {
            Ok(row) => {
                println!("{}", line(&row));
                rows.push(row);
            }
            Err(error) => {
                eprintln!("  {error:?}");
                failed.push(name);
            }
        }
    }
    println!("\n{}", summary(&rows));
    if rows.is_empty() || !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

/// Folders of samples that must answer on an engine.
fn cases() -> anyhow::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir("samples")? {
        let path = entry?.path();
        let case = fs::read_to_string(path.join("case.toml")).unwrap_or_default();
        if toml::from_str::<toml::Table>(&case)?.contains_key("smoke") {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

fn row(case: &Path, name: &str, catalog: &Catalog) -> anyhow::Result<Row> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("repo");
    copy(&case.join("repo"), &root)?;
    let plan = convert::plan(&root, catalog, longshore::config::Trust::Granted)?.value;
    let conversion = convert::render(plan)?;
    let plan = &conversion.plan;
    let dockerfile = conversion
        .artifacts
        .iter()
        .find(|artifact| artifact.path == "Dockerfile")
        .context("there is a Dockerfile")?;
    let findings = hadolint(&dockerfile.contents)?;
    let installs = install_steps(plan);

    let source = source_file(&root, plan, catalog).context("there is a source file")?;
    let options = Options::default();
    let (ours, report) = measured(
        plan,
        &conversion.artifacts,
        &root,
        &source,
        &installs,
        &options,
    )?;
    let answers = report.verdict.is_success() && report.components[0].rung == Rung::Answers;

    // Only its build is measured: it is started with a command that ends at once.
    let mut plain = plan.clone();
    let start = std::mem::take(&mut plain.components[0].start);
    let component = &mut plain.components[0];
    component.start = Some(Start {
        command: vec!["true".to_owned()],
        directory: ".".to_owned(),
        origin: Vec::new(),
    });
    component.image.entrypoint.clear();
    component.services.clear();
    component.prepare.clear();
    component.processes.clear();
    component.ports.clear();
    component.health = None;
    let build_from = &plan.components[0].image.build_from;
    let base = plain_tag(build_from);
    let artifact = |base: &str| Artifact {
        path: longshore::output::OutputPath::fixed("Dockerfile"),
        contents: transcription(plan, start.as_ref(), &root, base) + "ENTRYPOINT [\"true\"]\n",
        origins: BTreeMap::new(),
        executable: false,
    };
    let options = Options {
        start_timeout: Duration::from_secs(5),
        ..Options::default()
    };
    let on_plain = [artifact(&base)];
    let theirs = match measured(&plain, &on_plain, &root, &source, &installs, &options) {
        Ok((theirs, _)) => Some(theirs),
        Err(error) => {
            eprintln!("  the transcription: {error:#}");
            None
        }
    };
    let on_ours = match base == *build_from {
        true => theirs.as_ref().map(|theirs| theirs.bytes),
        false => match build(
            &plain,
            &[artifact(build_from)],
            &root,
            &options,
            &mut |_| {},
        ) {
            Ok(report) => Some(report.components[0].image_bytes),
            Err(error) => {
                eprintln!("  the transcription on {build_from}: {error:#}");
                None
            }
        },
    };
    Ok(Row {
        sample: name.replace('_', " "),
        ours,
        theirs,
        on_ours,
        findings,
        answers,
    })
}

/// The tag that a person writes down: official images call the small variant of one by the same tag
/// and `slim`.
fn plain_tag(image: &str) -> String {
    image.replacen("-slim", "", 1)
}

/// Builds cold, changes a line of `source`, and builds again.
fn measured(
    plan: &BuildPlan,
    artifacts: &[Artifact],
    root: &Path,
    source: &Path,
    installs: &[String],
    options: &Options,
) -> anyhow::Result<(Measured, Report)> {
    let nonce = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let artifacts: Vec<Artifact> = artifacts
        .iter()
        .map(|artifact| cold(artifact, nonce))
        .collect();
    // The engine's cache ends the build of a base image's description, not of a layer.
    let first = build(plan, &artifacts, root, options, &mut |_| {})?;
    let text = fs::read_to_string(source)?;
    fs::write(source, format!("{text}\n"))?;
    let mut again: Vec<String> = Vec::new();
    let second = build(plan, &artifacts, root, options, &mut |event| {
        if let Event::BuildStep {
            name,
            cached: false,
        } = event
        {
            again.push(name);
        }
    })?;
    fs::write(source, text)?;
    let ran = |install: &String| again.iter().any(|step| step.contains(install.as_str()));
    let measured = Measured {
        bytes: first.components[0].image_bytes,
        cold: first.components[0].build_seconds,
        changed: second.components[0].build_seconds,
        kept: !installs.iter().any(ran),
    };
    Ok((measured, first))
}

fn build(
    plan: &BuildPlan,
    artifacts: &[Artifact],
    root: &Path,
    options: &Options,
    progress: &mut dyn FnMut(Event),
) -> anyhow::Result<Report> {
    let report = verify::verify(plan, artifacts, root, options, progress)?;
    match &report.components[0] {
        built if built.rung >= Rung::Built => Ok(report),
        broken => bail!("does not build: {:?}", broken.failure),
    }
}

/// Keeps the layers of earlier builds out.
fn cold(artifact: &Artifact, nonce: u128) -> Artifact {
    let mut artifact = artifact.clone();
    if artifact.path == "Dockerfile" {
        let line = |line: &str| match line.starts_with("FROM ") {
            true => format!("{line}\nENV LONGSHORE_BENCH=\"{nonce}\"\n"),
            false => format!("{line}\n"),
        };
        artifact.contents = artifact.contents.lines().map(line).collect();
    }
    artifact
}

/// The commands that install dependencies, as their steps are called.
fn install_steps(plan: &BuildPlan) -> Vec<String> {
    let installs = &plan.components[0].install;
    installs
        .iter()
        .map(|command| command.command.clone())
        .collect()
}

/// The README as one stage.
fn transcription(plan: &BuildPlan, start: Option<&Start>, root: &Path, base: &str) -> String {
    let component = &plan.components[0];
    let mut text = format!("FROM {base}\nWORKDIR /app\nCOPY . .\n");
    let mut has_lists = false;
    // Not the folder of the checkout, which may be called like one of its own.
    let commands = component.install.iter().chain(&component.build);
    let folders: Vec<&str> = commands.map(|command| command.directory.as_str()).collect();
    let is_visited = |folder: &str| root.join(folder).is_dir() && folders.contains(&folder);
    for entry in &plan.ledger {
        let words: Vec<&str> = entry
            .command
            .split_whitespace()
            .filter(|word| *word != "sudo")
            .collect();
        match (entry.fate, words.as_slice()) {
            (_, ["cd", folder]) if is_visited(folder) => text += &format!("WORKDIR {folder}\n"),
            (Fate::Dockerfile, [manager @ ("apt" | "apt-get"), "install", packages @ ..]) => {
                let update = if has_lists { "" } else { "apt-get update && " };
                has_lists = true;
                let packages: Vec<&str> = packages
                    .iter()
                    .copied()
                    .filter(|word| *word != "-y")
                    .collect();
                text += &format!("RUN {update}{manager} install -y {}\n", packages.join(" "));
            }
            // The document's own build, where ours is another command for the same.
            (Fate::Skipped, words) if entry.reason.as_deref() == Some("recipe-builds-it") => {
                text += &format!("RUN {}\n", words.join(" "));
            }
            (Fate::Dockerfile, words) => text += &format!("RUN {}\n", words.join(" ")),
            _ => {}
        }
    }
    let told = plan.ledger.iter().find(|entry| entry.fate == Fate::Start);
    let said = told.map(|entry: &LedgerEntry| entry.command.clone());
    let taken = start.map(|start| {
        start
            .command
            .iter()
            .map(|word| longshore::quote::shell::word(word))
            .collect::<Vec<_>>()
            .join(" ")
    });
    text += &format!("CMD {}\n", said.or(taken).unwrap_or_default());
    text
}

/// The shallowest source file: one that a change of the application would touch.
fn source_file(root: &Path, plan: &BuildPlan, catalog: &Catalog) -> Option<PathBuf> {
    let component = &plan.components[0];
    let repo = Repo::open(root).ok()?.value;
    let stack = &catalog.stacks[&component.stack];
    let facts = manifest::source_facts(&repo, &component.path, stack, catalog);
    let is_plain = |path: &&String| !component.image.manifests.contains(path);
    facts
        .files
        .iter()
        .find(is_plain)
        .map(|path| root.join(path))
}

fn hadolint(dockerfile: &str) -> anyhow::Result<usize> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), dockerfile)?;
    let output = Command::new("target/tools/bin/hadolint")
        .args(["--format", "json"])
        .arg(file.path())
        .output()
        .context("hadolint runs: tests/setup/linters.sh installs it")?;
    let findings: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout)?;
    Ok(findings.len())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// A line of the table.
fn line(row: &Row) -> String {
    let yes = |holds: bool| if holds { "yes" } else { "**no**" };
    let none = || "–".to_owned();
    let of_theirs = |text: &dyn Fn(&Measured) -> String| row.theirs.as_ref().map(text);
    let size = |bytes: u64| format!("{} MB", bytes / 1_000_000);
    let does_not = || "does not build".to_owned();
    let cells = [
        row.sample.clone(),
        size(row.ours.bytes),
        of_theirs(&|theirs| size(theirs.bytes)).unwrap_or_else(does_not),
        ratio(row).map_or_else(none, |ratio| format!("{ratio:.2}")),
        row.on_ours.map_or_else(does_not, size),
        ratio_on_ours(row).map_or_else(none, |ratio| format!("{ratio:.2}")),
        format!("{:.1} s", row.ours.cold),
        of_theirs(&|theirs| format!("{:.1} s", theirs.cold)).unwrap_or_else(none),
        format!("{:.1} s", row.ours.changed),
        of_theirs(&|theirs| format!("{:.1} s", theirs.changed)).unwrap_or_else(none),
        yes(row.ours.kept).to_owned(),
        row.findings.to_string(),
        yes(row.answers).to_owned(),
    ];
    format!("| {} |", cells.join(" | "))
}

fn ratio(row: &Row) -> Option<f64> {
    let theirs = row.theirs.as_ref()?;
    Some(row.ours.bytes as f64 / theirs.bytes as f64)
}

fn ratio_on_ours(row: &Row) -> Option<f64> {
    Some(row.ours.bytes as f64 / row.on_ours? as f64)
}

/// What the goals ask for.
fn summary(rows: &[Row]) -> String {
    let median = |ratio: fn(&Row) -> Option<f64>| {
        let mut ratios: Vec<f64> = rows.iter().filter_map(ratio).collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or_default()
    };
    let count = |holds: fn(&&Row) -> bool| rows.iter().filter(holds).count();
    format!(
        "{} samples: dependencies kept {}, without findings {}, answer hardened {}; the median of the \
         ratio of sizes is {:.2}, on slim {:.2}; base images are stand-ins where no registry is reached.",
        rows.len(),
        count(|row| row.ours.kept),
        count(|row| row.findings == 0),
        count(|row| row.answers),
        median(ratio),
        median(ratio_on_ours),
    )
}
