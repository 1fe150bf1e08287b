//! A failed smoke run → an edit of the plan, by the rules of `recipes/repairs`.
//!
//! A repair never touches the application's source. One is made at a time, the plan is rendered and
//! built again, and the same repair is never tried twice.

mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    config::{Config, Said},
    convert,
    diagnose::{self, Diagnosis, diagnose},
    diagnostic::Warned,
    history::{self, Moment},
    origin::{Origin, OriginKind},
    plan::{BuildPlan, Command, Component, EnvKind, EnvVar, Volume, version},
    quote,
    recipe::{Catalog, Edit, RepairRecipe, RuntimeVersion, Stage},
    record::RepairRecord,
    repo::{self, OpenError, Repo},
    verify::{self, Cause, Failure, Repair, Report, Verdict, Written},
};

/// How many repairs one run makes at most.
pub const MOST_REPAIRS: usize = 8;

fn origin(repair: &Repair) -> Origin {
    Origin::recipe(&format!("repairs/{}", repair.rule), &repair.cause)
}

/// Returns whether `repair` gives the application more memory.
pub fn wants_memory(repair: &Repair) -> bool {
    let mut edits = repair.edits.iter();
    edits.any(|edit| matches!(edit, Edit::MoreMemory {}))
}

/// Returns whether a repair needs a run that finds out which files the application writes.
pub fn wants_trace(repair: &Repair) -> bool {
    let mut edits = repair.edits.iter();
    edits.any(|edit| matches!(edit, Edit::TraceWrites { .. }))
}

/// Returns `repair` with what the run as root, `traced`, saw its component write made writable;
/// `None` where it wrote nothing that could be. Where no sign in the log told of a refused write, the
/// application must also have got further than in the run `before`.
pub fn traced(
    repair: Repair,
    plan: &BuildPlan,
    (before, traced): (&Report, &Report),
    repo: &Repo,
    catalog: &Catalog,
) -> Option<Repair> {
    let is_guess = catalog
        .repairs
        .get(&repair.rule)
        .is_some_and(|rule| rule.last_resort);
    if is_guess && !traced.verdict.is_success() && traced.rungs() <= before.rungs() {
        return None;
    }
    let mut components = traced.components.iter();
    let found = components.find(|found| found.id == repair.component)?;
    let mut components = plan.components.iter();
    let component = components.find(|component| component.id == repair.component)?;
    let place = written::Place {
        component,
        repo,
        catalog,
    };
    let written = written::counted(&found.traced, place);
    with_written(repair, written, place)
}

/// `repair` with edits that make writable what was `written`; `None` where nothing is left to do.
fn with_written(
    repair: Repair,
    written: Vec<Written>,
    place: written::Place<'_>,
) -> Option<Repair> {
    let edits = repair.edits.into_iter().flat_map(|edit| match edit {
        Edit::TraceWrites { endings } => written::edits(&written, &endings, place),
        edit => vec![edit],
    });
    let edits: Vec<Edit> = edits.collect();
    (!edits.is_empty()).then_some(Repair {
        edits,
        written,
        ..repair
    })
}

/// Writes into the last `report` of a run what was repaired, and for what still fails what to do.
pub fn conclude(report: &mut Report, plan: &BuildPlan, catalog: &Catalog, made: Vec<Repair>) {
    if report.verdict.is_success() && !made.is_empty() {
        report.verdict = Verdict::RunsAfterRepair;
    }
    report.repairs = made;
    let mut blocked = None;
    for found in &mut report.components {
        let component = plan
            .components
            .iter()
            .find(|component| component.id == found.id);
        let (Some(failure), Some(component)) = (&mut found.failure, component) else {
            continue;
        };
        let Some(likeliest) = diagnoses(component, failure, catalog).into_iter().next() else {
            continue;
        };
        failure
            .hints
            .insert(0, format!("{}: {}", likeliest.cause, likeliest.advice));
        let kind = likeliest.recipe.blocked.as_deref();
        blocked = blocked.or(kind.and_then(Verdict::blocked));
    }
    if let Some(verdict) = blocked {
        report.verdict = verdict;
    }
    report.missing = report.blocked_by();
}

/// Reads the repository at `root` with what a person settled, and makes `repairs` again.
///
/// # Errors
///
/// As [`convert::plan_with`].
pub fn plan(
    root: &Path,
    catalog: &Catalog,
    config: &Config,
    repairs: &[Repair],
) -> Result<Warned<BuildPlan>, OpenError> {
    let mut config = config.clone();
    for repair in repairs {
        for edit in &repair.edits {
            if let Edit::SetVersion { version } = edit {
                config.runtime = Some(Said {
                    value: version.clone(),
                    origin: origin(repair),
                });
            }
        }
    }
    let mut warned = convert::plan_with(root, catalog, &config)?;
    for repair in repairs {
        apply(&mut warned.value, repair);
    }
    // What one repair replaces, it replaces in the commands that later ones add, too.
    for repair in repairs {
        let mut again = repair.clone();
        again
            .edits
            .retain(|edit| matches!(edit, Edit::ReplaceInCommands { .. }));
        apply(&mut warned.value, &again);
    }
    Ok(warned)
}

/// Returns whether `report` shows that a command which `repair` added fails itself: it only made
/// things worse.
pub fn is_broken_by(report: &Report, repair: &Repair) -> bool {
    let mut failures = report.components.iter().filter_map(|found| {
        let failure = found.failure.as_ref()?;
        (found.id == repair.component && failure.cause == Cause::Build).then_some(failure)
    });
    failures.any(|failure| {
        repair.edits.iter().any(|edit| match edit {
            Edit::AddInstall { command, .. } => failure.message.contains(command.as_str()),
            _ => false,
        })
    })
}

/// Returns the next repair for what `report` shows of `repo`, if a rule has one that was not tried
/// yet; what is returned counts as tried.
pub fn next(
    plan: &BuildPlan,
    report: &Report,
    repo: &Repo,
    catalog: &Catalog,
    tried: &mut BTreeSet<String>,
) -> Option<Repair> {
    let failures = || {
        report.components.iter().filter_map(|found| {
            let mut components = plan.components.iter();
            let component = components.find(|component| component.id == found.id)?;
            Some((component, found.failure.as_ref()?))
        })
    };
    let mut is_new = |component: &Component, repair: &Repair| {
        // What the last resort edits differs with the edits before it; once is enough.
        let is_last = catalog
            .repairs
            .get(&repair.rule)
            .is_some_and(|rule| rule.last_resort);
        let edits = (!is_last).then_some(&repair.edits);
        let signature = format!("{} {} {edits:?}", repair.component, repair.rule);
        let changes_it = repair.edits.iter().any(|edit| match edit {
            Edit::SetVersion { version } => *version != component.runtime.version,
            Edit::MoreMemory {} => true,
            _ => apply(&mut plan.clone(), repair),
        });
        changes_it && tried.insert(signature)
    };
    for (component, failure) in failures() {
        for diagnosis in diagnoses(component, failure, catalog) {
            if !holds(diagnosis.recipe, component, stage(failure.cause)) {
                continue;
            }
            let Some(repair) = repair(&diagnosis, component, failure, repo, catalog) else {
                continue;
            };
            if is_new(component, &repair) {
                return Some(repair);
            }
        }
    }
    let changed =
        history::last_change(repo).filter(|changed| changed.is_long_ago(TAKEN_UP_AFTER_DAYS));
    for (component, failure) in failures() {
        for (id, recipe) in catalog.repairs.iter().filter(|(_, rule)| rule.last_resort) {
            if is_of_the_application(failure.cause)
                && holds(recipe, component, stage(failure.cause))
            {
                let during = stage(failure.cause);
                let repair = last_resort((id, recipe), component, during, changed, catalog);
                if let Some(repair) = repair.filter(|repair| is_new(component, repair)) {
                    return Some(repair);
                }
            }
        }
    }
    None
}

/// Whether what the application is built from, rather than how it is run, may have caused it.
fn is_of_the_application(cause: Cause) -> bool {
    match cause {
        Cause::Build | Cause::Prepare | Cause::Ended | Cause::Answer | Cause::Process => true,
        Cause::NoStartCommand
        | Cause::MissingSecret
        | Cause::Service
        | Cause::OutOfMemory
        | Cause::LocalOnly
        | Cause::OtherPort
        | Cause::NoPort
        | Cause::Schedule => false,
    }
}

/// A repair without a sign in the log, by what was new when the repository was last `changed`, where
/// that is long ago.
fn last_resort(
    (id, recipe): (&str, &RepairRecipe),
    component: &Component,
    during: Stage,
    changed: Option<Moment>,
    catalog: &Catalog,
) -> Option<Repair> {
    let day = changed.map(|changed| changed.day());
    let log = match &day {
        Some(day) => format!("the repository was last changed on {day}"),
        None => "no rule knows the failure".to_owned(),
    };
    let mut names = BTreeMap::new();
    if let Some(day) = day {
        let of_tools = recipe.tools_since.as_ref().filter(|since| **since > day);
        names.insert("tools_date".to_owned(), of_tools.unwrap_or(&day).clone());
        names.insert("date".to_owned(), day);
    }
    if let Some(version) = changed.and_then(|changed| of_its_time(component, changed, catalog)) {
        names.insert("version".to_owned(), version);
    }
    Some(Repair {
        component: component.id.clone(),
        rule: id.to_owned(),
        cause: diagnose::fill(&recipe.title, &names)?,
        log,
        edits: at_last(recipe, &names),
        captured: names,
        during,
        written: Vec::new(),
    })
}

/// The edits of a last resort; one that takes a version of the runtime is left out where there is none.
fn at_last(recipe: &RepairRecipe, names: &BTreeMap<String, String>) -> Vec<Edit> {
    let edits = diagnose::edits(recipe, names).into_iter();
    let edits = edits.filter_map(|edit| match edit {
        Edit::SetVersion { version } if version == "of-its-time" => {
            let version = names.get("version")?.clone();
            Some(Edit::SetVersion { version })
        }
        edit => Some(edit),
    });
    edits.collect()
}

/// How long after a release most packages know it and most projects use it.
const TAKEN_UP_AFTER_DAYS: i64 = 180;

/// The version of the runtime that was in use when the repository was last `changed`; `None` where
/// somebody asked for a version, or the releases that the application pins allow no other.
fn of_its_time(component: &Component, changed: Moment, catalog: &Catalog) -> Option<String> {
    let runtime = &component.runtime;
    let is_free = |origin: &Origin| origin.kind == OriginKind::Recipe;
    if runtime.requested.is_some() || !runtime.origin.iter().all(is_free) {
        return None;
    }
    let day = changed.days_before(TAKEN_UP_AFTER_DAYS).day();
    let versions = &catalog.runtimes.get(&component.runtime.name)?.version;
    let since = |known: &RuntimeVersion| known.released.clone();
    let newest = versions
        .iter()
        .rfind(|known| since(known).is_some_and(|since| since <= day));
    let oldest = || versions.iter().find(|known| since(known).is_some());
    Some(newest.or_else(oldest)?.version.clone())
}

/// Returns what the failure of `component` shows, the likeliest cause first.
pub fn diagnoses<'c>(
    component: &Component,
    failure: &Failure,
    catalog: &'c Catalog,
) -> Vec<Diagnosis<'c>> {
    let mut log: Vec<&str> = failure.log.iter().map(String::as_str).collect();
    log.push(&failure.message);
    diagnose(&log, catalog, suite(component, catalog))
}

/// The Debian suite of the component's base image.
fn suite<'c>(component: &Component, catalog: &'c Catalog) -> Option<&'c str> {
    let runtime = catalog.runtimes.get(&component.runtime.name)?;
    let mut versions = runtime.version.iter();
    let version = versions.find(|known| known.version == component.runtime.version)?;
    Some(&version.suite)
}

/// Where something fails by `cause`.
fn stage(cause: Cause) -> Stage {
    match cause {
        Cause::Build => Stage::Build,
        Cause::Prepare => Stage::Prepare,
        _ => Stage::Run,
    }
}

fn holds(recipe: &RepairRecipe, component: &Component, stage: Stage) -> bool {
    let when = &recipe.when;
    let mut commands = component.install.iter().chain(&component.build);
    // A stage that builds assets may fail, too; the version that a rule sets is the component's.
    let sets_version = |edit: &Edit| matches!(edit, Edit::SetVersion { .. });
    let of_assets = stage == Stage::Build && !recipe.edit.iter().any(sets_version);
    let assets = component.assets.iter().filter(|_| of_assets);
    let mut runtimes = assets
        .map(|stage| &stage.runtime)
        .chain([&component.runtime]);
    (when.runtimes.is_empty() || runtimes.any(|runtime| when.runtimes.contains(&runtime.name)))
        && (when.during.is_empty() || when.during.contains(&stage))
        && when
            .command
            .as_ref()
            .is_none_or(|text| commands.any(|command| command.command.contains(text)))
}

fn repair(
    diagnosis: &Diagnosis<'_>,
    component: &Component,
    failure: &Failure,
    repo: &Repo,
    catalog: &Catalog,
) -> Option<Repair> {
    let during = stage(failure.cause);
    let edits = fitted(diagnosis.edits(), component, during, repo, catalog)?;
    let line = failure.log.get(diagnosis.line - 1);
    Some(Repair {
        component: component.id.clone(),
        rule: diagnosis.id.to_owned(),
        cause: diagnosis.cause.clone(),
        log: line.unwrap_or(&failure.message).trim().to_owned(),
        edits,
        captured: diagnosis.captured.clone(),
        during,
        written: Vec::new(),
    })
}

/// The edits of a rule as they are for `component`, which failed `during` a stage; `None` where there
/// is none, or one of them cannot be made.
fn fitted(
    edits: Vec<Edit>,
    component: &Component,
    during: Stage,
    repo: &Repo,
    catalog: &Catalog,
) -> Option<Vec<Edit>> {
    let edits: Option<Vec<Edit>> = edits
        .into_iter()
        .map(|edit| match edit {
            Edit::SetVersion { version } => {
                let version = neighbour(&version, component, catalog)?;
                Some(Edit::SetVersion { version })
            }
            Edit::SetEnv { name, value } if value == "stand-in" => {
                let value = stand_in(&name, catalog);
                Some(Edit::SetEnv { name, value })
            }
            // What lacks it runs in the image, not while it is built.
            Edit::AddPackages { build, run } if during != Stage::Build && run.is_empty() => {
                Some(Edit::AddPackages {
                    build: run,
                    run: build,
                })
            }
            Edit::AddVolume {
                path, persistent, ..
            } => {
                let place = writable_folder(&path, component);
                Some(Edit::AddVolume {
                    persistent: persistent || !written::is_made_again(&place, catalog),
                    seeded: written::holds_files(&place, component, repo),
                    path,
                })
            }
            edit => Some(edit),
        })
        .collect();
    edits.filter(|edits| !edits.is_empty())
}

/// Makes what an earlier run recorded into repairs of `plan` again, by the rules of the catalogue: a
/// record names them, and brings in no edit of its own.
///
/// # Errors
///
/// When a rule is not in the catalogue or does not fit the plan, or its expressions cannot have captured
/// what the record says: why.
pub fn again(
    records: &[RepairRecord],
    plan: &BuildPlan,
    repo: &Repo,
    catalog: &Catalog,
) -> Result<Vec<Repair>, String> {
    let mut plan = plan.clone();
    let mut made = Vec::new();
    for record in records.iter().take(MOST_REPAIRS) {
        let repair = once_more(record, &plan, repo, catalog);
        let repair = repair.ok_or_else(|| {
            format!(
                "nothing here is repaired by rule `{}` as it says",
                record.rule
            )
        })?;
        for edit in &repair.edits {
            let mut components = plan.components.iter_mut();
            let component = components.find(|component| component.id == repair.component);
            if let (Edit::SetVersion { version }, Some(component)) = (edit, component) {
                component.runtime.version.clone_from(version);
            }
        }
        apply(&mut plan, &repair);
        made.push(repair);
    }
    Ok(made)
}

fn once_more(
    record: &RepairRecord,
    plan: &BuildPlan,
    repo: &Repo,
    catalog: &Catalog,
) -> Option<Repair> {
    let mut components = plan.components.iter();
    let component = components.find(|component| component.id == record.component)?;
    let rule = catalog.repairs.get(&record.rule)?;
    if !holds(rule, component, record.during) {
        return None;
    }
    let captured = &record.captured;
    let (names, edits) = if rule.last_resort {
        let versions = &catalog.runtimes.get(&component.runtime.name)?.version;
        let is_known = |(name, value): (&String, &String)| match name.as_str() {
            "date" | "tools_date" => Moment::of_day(value).is_some(),
            "version" => versions.iter().any(|known| known.version == *value),
            _ => false,
        };
        let all = captured.iter().all(is_known);
        let edits = all.then(|| at_last(rule, captured))?;
        (captured.clone(), edits)
    } else {
        let suite = suite(component, catalog);
        let names = diagnose::names(rule, captured, catalog, suite)?;
        let edits = diagnose::edits(rule, &names);
        let edits = fitted(edits, component, record.during, repo, catalog)?;
        (names, edits)
    };
    let repair = Repair {
        component: record.component.clone(),
        rule: record.rule.clone(),
        cause: diagnose::fill(&rule.title, &names).unwrap_or_else(|| rule.title.clone()),
        log: String::new(),
        edits,
        captured: captured.clone(),
        during: record.during,
        written: Vec::new(),
    };
    let place = written::Place {
        component,
        repo,
        catalog,
    };
    let written = written::counted(&record.written, place);
    match wants_trace(&repair) {
        true => with_written(repair, written, place),
        false => Some(repair),
    }
}

/// A value that a variable of this name can have as long as nobody says the right one, by the words
/// of the name.
fn stand_in(name: &str, catalog: &Catalog) -> String {
    let known = catalog.list("environment", "stand-ins");
    let mut known = known.iter().filter_map(|known| known.split_once('='));
    let has = |word: &str| {
        name.split(['_', '.', '-'])
            .any(|part| part.eq_ignore_ascii_case(word))
    };
    let found = known.find(|(word, _)| has(word));
    found.map_or("change-me", |(_, value)| value).to_owned()
}

/// The version that `text` means for `component`: itself where the catalogue has it, the newest one
/// that a range such as `>=4 <=9` allows, the next one for `older` and `newer`.
fn neighbour(text: &str, component: &Component, catalog: &Catalog) -> Option<String> {
    let versions = &catalog.runtimes.get(&component.runtime.name)?.version;
    let at = versions
        .iter()
        .position(|known| known.version == component.runtime.version)?;
    let found = match text {
        "older" => versions.get(at.checked_sub(1)?),
        "newer" => versions.get(at + 1),
        text => {
            let is_it = |known: &&RuntimeVersion| known.version == text;
            let fits = |known: &&RuntimeVersion| version::fits(&known.version, text);
            versions
                .iter()
                .find(is_it)
                .or_else(|| versions.iter().rfind(fits))
        }
    };
    found.map(|found| found.version.clone())
}

/// Makes `repair` in `plan`; returns whether anything is different then. A version of the runtime is
/// not set here, because the whole plan depends on it: see [`plan`].
pub fn apply(plan: &mut BuildPlan, repair: &Repair) -> bool {
    let Some(component) = plan
        .components
        .iter_mut()
        .find(|component| component.id == repair.component)
    else {
        return false;
    };
    let origin = origin(repair);
    let mut changed = false;
    for edit in &repair.edits {
        changed |= edited(component, edit, &origin);
    }
    changed
}

fn edited(component: &mut Component, edit: &Edit, origin: &Origin) -> bool {
    match edit {
        Edit::AddPackages { build, run } => {
            let packages = &mut component.system_packages;
            let mut changed = false;
            for (names, known) in [(build, &mut packages.build), (run, &mut packages.runtime)] {
                for name in names {
                    if !known.contains(name) {
                        known.push(name.clone());
                        changed = true;
                        let origins = packages.origins.entry(name.clone()).or_default();
                        origins.push(origin.clone());
                    }
                }
                known.sort();
            }
            changed
        }
        Edit::RemovePackage { package } => {
            let packages = &mut component.system_packages;
            let count = packages.build.len() + packages.runtime.len();
            packages.build.retain(|name| name != package);
            packages.runtime.retain(|name| name != package);
            count != packages.build.len() + packages.runtime.len()
        }
        Edit::AddInstall { command, .. }
            if installs(component).any(|known| known.command == *command) =>
        {
            false
        }
        Edit::AddInstall {
            command,
            late: true,
            ..
        } => {
            let near = component.install.last().or(component.build.first());
            let directory = near.map_or(&component.path, |near| &near.directory);
            let added = added(command, directory.clone(), origin);
            component.build.push(added);
            true
        }
        Edit::AddInstall { command, first, .. } => add_install(component, command, *first, origin),
        Edit::ReplaceInCommands { piece, by } => {
            let mut changed = false;
            let assets = component
                .assets
                .iter_mut()
                .flat_map(|stage| stage.install.iter_mut().chain(&mut stage.build));
            let own = component.install.iter_mut().chain(&mut component.build);
            for command in own.chain(assets) {
                let replaced = replaced(&command.command, piece, by);
                if replaced != command.command {
                    command.command = replaced;
                    command.origin.push(origin.clone());
                    changed = true;
                }
            }
            changed
        }
        Edit::SetVersion { .. } => false,
        Edit::WrapStart { words } => {
            let entrypoint = &mut component.image.entrypoint;
            if entrypoint.ends_with(words) {
                return false;
            }
            entrypoint.extend(words.iter().cloned());
            true
        }
        Edit::SetBuildEnv { name, value } => {
            let assets = component.assets.iter_mut().map(|stage| &mut stage.env);
            let mut changed = false;
            for env in assets.chain([&mut component.image.build_env]) {
                changed |= env.insert(name.clone(), value.clone()).as_ref() != Some(value);
            }
            changed
        }
        Edit::SetEnv { name, value } => set_env(component, name, value, origin),
        Edit::AddVolume {
            path,
            persistent,
            seeded,
        } => {
            let file = absolute(path, component);
            let path = writable_folder(path, component);
            let is_known = component.volumes.iter().any(|volume| volume.path == path);
            // A volume over the application would hide it.
            let workdir = &component.image.workdir;
            let hides = |place: &str| place == path || place.starts_with(&format!("{path}/"));
            if (hides(workdir) || hides(&component.absolute(&component.path)))
                && !(path == *workdir && written::is_bare(component))
            {
                return repo::names_file(&file) && link_file(component, &file, origin);
            }
            if is_known || path.is_empty() || verify::is_of_the_system(&path) {
                return false;
            }
            if *seeded {
                seed_volume(component, &path, origin);
            }
            component.volumes.push(Volume {
                path,
                persistent: *persistent,
                reason: "the application could not write to it".to_owned(),
                origin: vec![origin.clone()],
            });
            component.volumes.sort_by(|a, b| a.path.cmp(&b.path));
            true
        }
        // The edits that it leads to take its place: see `traced`.
        Edit::TraceWrites { .. } => true,
        Edit::LinkFile {
            path,
            scratch: false,
        } => link_file(component, path, origin),
        Edit::LinkFile {
            path,
            scratch: true,
        } => link_scratch(component, path, origin),
        Edit::RemoveCommand { piece } => {
            let count = component.build.len();
            component
                .build
                .retain(|command| !command.command.contains(piece.as_str()));
            count != component.build.len()
        }
        Edit::SkipPrepare {} => {
            let is_unasked = |command: &Command| {
                let mut origins = command.origin.iter();
                origins.all(|origin| origin.kind == OriginKind::Recipe)
            };
            let at = component.prepare.iter().rposition(is_unasked);
            at.map(|at| component.prepare.remove(at)).is_some()
        }
        Edit::MoreMemory {} => false,
    }
}

/// `command` with `by` in the place of `piece`, where that begins a word and `by` does not stand
/// already.
fn replaced(command: &str, piece: &str, by: &str) -> String {
    let mut done = String::new();
    let mut rest = command;
    while let Some(at) = rest.find(piece) {
        let (before, found) = rest.split_at(at);
        done.push_str(before);
        // What begins with a blank begins a word wherever it is.
        let is_word = piece.starts_with(char::is_whitespace)
            || done.chars().next_back().is_none_or(char::is_whitespace);
        // Where the replacement ends in the piece, it may stand there from an earlier repair.
        let mut ahead = by.rsplit_once(piece).map(|(ahead, _)| ahead).into_iter();
        let is_done = ahead.any(|ahead| !ahead.is_empty() && done.ends_with(ahead));
        let is_done = is_done || by.starts_with(piece) && found.starts_with(by);
        done.push_str(if is_word && !is_done { by } else { piece });
        rest = &found[piece.len()..];
    }
    done + rest
}

/// Adds an install command where commands of its tool are: to the build stage, and to stages that
/// build assets.
fn add_install(component: &mut Component, command: &str, first: bool, origin: &Origin) -> bool {
    let tool = |line: &str| {
        line.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let own = tool(command);
    let uses_tool = |installs: &[Command]| installs.iter().any(|known| tool(&known.command) == own);
    let is_asset = component
        .assets
        .iter()
        .any(|stage| uses_tool(&stage.install));
    let is_here = !is_asset || uses_tool(&component.install);
    let assets = component
        .assets
        .iter_mut()
        .filter(|stage| uses_tool(&stage.install))
        .map(|stage| (&mut stage.install, stage.path.clone()));
    let main = is_here.then(|| (&mut component.install, component.path.clone()));
    let mut changed = false;
    for (installs, path) in assets.chain(main) {
        let near = if first {
            installs.first()
        } else {
            installs.last()
        };
        let directory = near.map_or(path, |near| near.directory.clone());
        let added = added(command, directory, origin);
        let at = if first { 0 } else { installs.len() };
        installs.insert(at, added);
        changed = true;
    }
    changed
}

/// All commands that install or build something.
fn installs(component: &Component) -> impl Iterator<Item = &Command> {
    let assets = component.assets.iter();
    let assets = assets.flat_map(|stage| stage.install.iter().chain(&stage.build));
    assets.chain(&component.install).chain(&component.build)
}

fn added(command: &str, directory: String, origin: &Origin) -> Command {
    Command {
        cached: true,
        ..Command::new(command, directory, vec![origin.clone()])
    }
}

/// `path` of a message in the image: relative to the application, and `/app/shop/../data` is
/// `/app/data`.
fn absolute(path: &str, component: &Component) -> String {
    format!("/{}", repo::join(&component.image.workdir, path))
}

/// The folder that must be writable where a message says so of `path`, which may be a file.
fn writable_folder(path: &str, component: &Component) -> String {
    let file = absolute(path, component);
    match file.rsplit_once('/') {
        Some((folder, name)) if repo::names_file(name) => folder.to_owned(),
        _ => file,
    }
}

/// Moves what the image has in `folder` aside, so that it becomes the first contents of the volume
/// that is mounted there.
fn seed_volume(component: &mut Component, folder: &str, origin: &Origin) {
    let seed = format!("{folder}.seed");
    let artifacts = component.image.artifacts.iter_mut();
    let taken: Vec<_> = artifacts.filter(|artifact| artifact.to == folder).collect();
    let (from, to) = (quote::shell::word(folder), quote::shell::word(&seed));
    let command = |command: String| Command {
        cached: false,
        ..added(&command, ".".to_owned(), origin)
    };
    match taken.is_empty() {
        true if component.image.copy_source => {
            let moved = command(format!("mv {from} {to} && mkdir {from}"));
            component.build.push(moved);
        }
        // What is not taken over is not there to begin with.
        true => return,
        false => taken
            .into_iter()
            .for_each(|artifact| artifact.to.clone_from(&seed)),
    }
    // The root of a file system of its own may hold a folder for what a check of it found.
    let copied = command(format!(
        "ls -A {from} | grep -qvx lost+found || cp -r {to}/. {from}/"
    ));
    component.prepare.insert(0, copied);
}

/// Puts a link to a file of the same name in `/tmp` in the place of `file`.
fn link_scratch(component: &mut Component, file: &str, origin: &Origin) -> bool {
    let target = format!("/tmp/{}", repo::file_name(file));
    add_link(component, file, |folder, link| {
        let target = quote::shell::word(&target);
        let command = format!("mkdir -p {folder} && ln -sf {target} {link}");
        added(&command, ".".to_owned(), origin)
    })
}

/// Adds the command that makes a link in the place of `file`, where that is in the image: to the
/// build stage, and to the run stage where that takes over no source.
fn add_link(
    component: &mut Component,
    file: &str,
    command: impl Fn(&str, &str) -> Command,
) -> bool {
    let image = &mut component.image;
    if !file.starts_with(&format!("{}/", image.workdir)) {
        return false;
    }
    let is_taken = |path: &String| path == file || repo::is_inside(file, path);
    if !image.copy_source
        && image
            .artifacts
            .iter()
            .any(|artifact| is_taken(&artifact.to))
    {
        return false;
    }
    let linked = Command {
        cached: false,
        ..command(
            &quote::shell::word(repo::folder_of(file)),
            &quote::shell::word(file),
        )
    };
    let commands = match image.copy_source {
        true => &mut component.build,
        false => &mut image.run_setup,
    };
    if commands.iter().any(|known| known.command == linked.command) {
        return false;
    }
    commands.push(linked);
    true
}

/// Keeps `file` on the data volume, with a link in its place. What the image has there becomes the
/// first version of the data.
fn link_file(component: &mut Component, file: &str, origin: &Origin) -> bool {
    let name = repo::file_name(file);
    let data = format!("/data/{name}");
    let target = quote::shell::word(&data);
    let seed = quote::shell::word(&format!("{file}.seed"));
    let is_linked = add_link(component, file, |folder, link| {
        let command = format!(
            "mkdir -p {folder} && if [ -e {link} ]; then mv {link} {seed}; fi && ln -s {target} {link}"
        );
        added(&command, ".".to_owned(), origin)
    });
    if !is_linked {
        return false;
    }
    let copied = format!("test -e {target} || test ! -e {seed} || cp {seed} {target}");
    let copied = Command {
        cached: false,
        ..added(&copied, ".".to_owned(), origin)
    };
    component.prepare.insert(0, copied);
    if !component
        .volumes
        .iter()
        .any(|volume| volume.path == "/data")
    {
        component.volumes.push(Volume {
            path: "/data".to_owned(),
            persistent: true,
            reason: "the application keeps its data in a file".to_owned(),
            origin: vec![origin.clone()],
        });
        component.volumes.sort_by(|a, b| a.path.cmp(&b.path));
    }
    true
}

fn set_env(component: &mut Component, name: &str, value: &str, origin: &Origin) -> bool {
    match component.env.iter_mut().find(|var| var.name == name) {
        Some(var) if var.kind != EnvKind::Config || var.default.as_deref() == Some(value) => false,
        Some(var) => {
            var.default = Some(value.to_owned());
            var.values.clear();
            var.origin.push(origin.clone());
            true
        }
        None => {
            component.env.push(EnvVar {
                name: name.to_owned(),
                kind: EnvKind::Config,
                required: true,
                default: Some(value.to_owned()),
                values: BTreeMap::new(),
                about: None,
                origin: vec![origin.clone()],
            });
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::{Proof, ProofOutcome, Written};

    fn of(repo: &str) -> BuildPlan {
        convert::plan(
            Path::new(repo),
            &Catalog::built_in(),
            crate::config::Trust::Granted,
        )
        .expect("it opens")
        .value
    }

    fn with(plan: &BuildPlan, edits: Vec<Edit>) -> Repair {
        Repair {
            component: plan.components[0].id.clone(),
            rule: "a-rule".to_owned(),
            cause: "a cause".to_owned(),
            log: "a line".to_owned(),
            edits,
            captured: BTreeMap::new(),
            during: Stage::Build,
            written: Vec::new(),
        }
    }

    fn made(plan: &mut BuildPlan, edits: Vec<Edit>) -> bool {
        let repair = with(plan, edits);
        apply(plan, &repair)
    }

    #[test]
    fn a_file_within_the_application_is_kept_by_a_link() {
        let mut plan = of("samples/plain_wsgi_app_needs_no_requirements_file/repo");
        let workdir = plan.components[0].image.workdir.clone();
        let edit = |path: String| volume(&path, true, false);
        // `..` is followed, and a folder whose name begins with a dot is one.
        assert!(made(
            &mut plan,
            vec![edit(format!("{workdir}/shop/../.data"))]
        ));
        let places = |plan: &BuildPlan| -> Vec<String> {
            let volumes = plan.components[0].volumes.iter();
            volumes.map(|volume| volume.path.clone()).collect()
        };
        assert!(places(&plan).contains(&format!("{workdir}/.data")));
        // A volume at the folder of this one would hide the application.
        assert!(made(&mut plan, vec![edit(format!("{workdir}/notes.db"))]));
        assert!(places(&plan).contains(&"/data".to_owned()));
        let linked = plan.components[0].build.last().expect("a link");
        assert!(
            linked
                .command
                .ends_with(&format!("ln -s /data/notes.db {workdir}/notes.db"))
        );
        let first = &plan.components[0].prepare[0].command;
        assert!(first.starts_with("test -e /data/notes.db ||"), "{first}");
        let again = vec![link(&format!("{workdir}/notes.db"), false)];
        assert!(!made(&mut plan, again));
    }

    /// What a run as root that wrote `paths` leads to; a folder ends in `/`, and `~` stands before
    /// what the image has.
    fn kept(
        plan: &BuildPlan,
        repo: &str,
        rule: &str,
        endings: &[&str],
        paths: &[&str],
    ) -> Vec<Edit> {
        let endings = endings.iter().map(|ending| (*ending).to_owned()).collect();
        let repair = Repair {
            rule: rule.to_owned(),
            ..with(plan, vec![Edit::TraceWrites { endings }])
        };
        assert!(wants_trace(&repair));
        let written = |path: &&str| Written {
            path: path
                .trim_start_matches('~')
                .trim_end_matches('/')
                .to_owned(),
            is_folder: path.ends_with('/'),
            is_new: !path.starts_with('~'),
        };
        let run = |traced: &[&str]| {
            let component = crate::verify::ComponentReport {
                id: plan.components[0].id.clone(),
                traced: traced.iter().map(written).collect(),
                ..Default::default()
            };
            Report::new(vec![component], Vec::new())
        };
        let (before, mut after) = (run(&[]), run(paths));
        after.verdict = Verdict::Failed;
        let catalog = Catalog::built_in();
        let made = traced(repair, plan, (&before, &after), &opened(repo), &catalog);
        made.map(|repair| repair.edits).unwrap_or_default()
    }

    fn volume(path: &str, persistent: bool, seeded: bool) -> Edit {
        Edit::AddVolume {
            path: path.to_owned(),
            persistent,
            seeded,
        }
    }

    fn link(path: &str, scratch: bool) -> Edit {
        Edit::LinkFile {
            path: path.to_owned(),
            scratch,
        }
    }

    #[test]
    fn what_a_run_as_root_wrote_is_kept_where_its_ending_counts() {
        let sample = "samples/plain_wsgi_app_needs_no_requirements_file/repo";
        let plan = of(sample);
        let kept = |paths: &[&str]| kept(&plan, sample, "a-rule", &[".db"], paths);
        let paths = ["/app/a.txt", "/app/notes.db", "/app/notes.db-journal"];
        assert_eq!(kept(&paths), [link("/app/notes.db", false)]);
        assert_eq!(kept(&["/app/a.txt"]), [link("/app/a.txt", false)]);
        assert_eq!(
            kept(&["/app/__pycache__/", "/app/__pycache__/a.pyc", "/tmp/a.db"]),
            []
        );
    }

    #[test]
    fn what_a_run_as_root_wrote_becomes_volumes_and_links() {
        let sample = "samples/repaired/php_set_up_page_names_the_folder_it_writes/repo";
        let plan = of(sample);
        let html = "/var/www/html";
        let check = |paths: &[&str], expected: &[Edit]| {
            let paths: Vec<String> = paths.iter().map(|path| path.replace('.', html)).collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            assert_eq!(
                kept(&plan, sample, "a-rule", &[], &paths),
                expected,
                "{paths:?}"
            );
        };
        let below = |path: &str| format!("{html}/{path}");
        // New as a whole; of no lasting value; outside the application.
        check(
            &["./logbook/", "./logbook/1/"],
            &[volume(&below("logbook"), true, false)],
        );
        check(
            &["./cache/", "./cache/a"],
            &[volume(&below("cache"), false, false)],
        );
        check(
            &["/var/lib/logbook/a"],
            &[volume("/var/lib/logbook", true, false)],
        );
        // Beside the source.
        check(&["./ships"], &[link(&below("ships"), false)]);
        check(&["~./lib/pages"], &[link(&below("lib/pages"), false)]);
        check(
            &["./lib/a", "./lib/b"],
            &[link(&below("lib/a"), false), link(&below("lib/b"), false)],
        );
        // A folder of data that the repository brings, written in more than one place or only tried.
        check(
            &["./content/a", "./content/b"],
            &[volume(&below("content"), true, true)],
        );
        check(&["~./content/"], &[volume(&below("content"), true, true)]);
        check(&["~./", "~./lib/", "/etc/x", "/usr/share/x"], &[]);
    }

    #[test]
    fn where_no_sign_tells_of_a_write_a_run_as_root_must_get_further() {
        let sample = "samples/plain_wsgi_app_needs_no_requirements_file/repo";
        let edits = kept(
            &of(sample),
            sample,
            "denied-write-unsaid",
            &[],
            &["/app/notes/"],
        );
        assert_eq!(edits, []);
    }

    #[test]
    fn what_the_image_has_in_a_folder_is_the_first_contents_of_its_volume() {
        let mut plan = of("samples/repaired/php_set_up_page_names_the_folder_it_writes/repo");
        assert!(made(
            &mut plan,
            vec![volume("/var/www/html/content", true, true)]
        ));
        let component = &plan.components[0];
        let last = &component.build.last().expect("a command").command;
        assert_eq!(
            last,
            "mv /var/www/html/content /var/www/html/content.seed && mkdir /var/www/html/content"
        );
        assert_eq!(
            component.prepare[0].command,
            "ls -A /var/www/html/content | grep -qvx lost+found || cp -r /var/www/html/content.seed/. /var/www/html/content/"
        );
    }

    #[test]
    fn an_image_without_the_source_has_its_links_in_the_run_stage() {
        let sample = "samples/repaired/rust_server_hides_the_folder_it_writes/repo";
        let mut plan = of(sample);
        assert!(made(&mut plan, vec![link("/app/state.lock", true)]));
        let command = |plan: &BuildPlan| {
            plan.components[0]
                .image
                .run_setup
                .last()
                .map(|run| run.command.clone())
        };
        assert_eq!(
            command(&plan).expect("a command"),
            "mkdir -p /app && ln -sf /tmp/state.lock /app/state.lock"
        );
        assert!(!made(&mut plan, vec![link("/app/state.lock", true)]));
        // A volume at the folder of the source hides nothing there.
        assert!(made(&mut plan, vec![volume("/app", true, false)]));
    }

    #[test]
    fn manifests_that_fail_stay_a_failure_whatever_was_repaired() {
        let plan = of("samples/plain_wsgi_app_needs_no_requirements_file/repo");
        let mut report: Report = serde_json::from_value(serde_json::json!({
            "verdict": "runs-as-documented", "stand_ins": [], "components": [],
        }))
        .expect("a report");
        report.add_proofs(vec![Proof {
            tool: "podman".to_owned(),
            outcome: ProofOutcome::Failed,
            message: "they do not run".to_owned(),
            log: Vec::new(),
        }]);
        assert_eq!(report.verdict, Verdict::Failed);
        let catalog = Catalog::built_in();
        let root = Path::new("samples/plain_wsgi_app_needs_no_requirements_file/repo");
        let repo = Repo::open(root).expect("it opens").value;
        let found = next(&plan, &report, &repo, &catalog, &mut BTreeSet::new());
        assert_eq!(found, None);
        let repair = with(&plan, Vec::new());
        conclude(&mut report, &plan, &catalog, vec![repair]);
        assert_eq!(report.verdict, Verdict::Failed);
        assert_eq!((report.repairs.len(), report.manifests.len()), (1, 1));
    }

    #[test]
    fn an_edit_changes_the_plan_once() {
        let mut plan = of("samples/plain_wsgi_app_needs_no_requirements_file/repo");
        let edits = [
            Edit::AddPackages {
                build: vec!["libpq-dev".to_owned()],
                run: vec!["libpq5".to_owned()],
            },
            Edit::AddInstall {
                command: "pip install pyyaml".to_owned(),
                first: false,
                late: false,
            },
            Edit::SetBuildEnv {
                name: "A".to_owned(),
                value: "b".to_owned(),
            },
            Edit::SetEnv {
                name: "MODE".to_owned(),
                value: "quiet".to_owned(),
            },
            volume("uploads", true, false),
        ];
        for edit in edits {
            assert!(made(&mut plan, vec![edit.clone()]), "{edit:?}");
            assert!(!made(&mut plan, vec![edit.clone()]), "{edit:?} twice");
        }
        let component = &plan.components[0];
        assert!(
            component
                .system_packages
                .runtime
                .contains(&"libpq5".to_owned())
        );
        assert_eq!(
            component.install.last().expect("added").command,
            "pip install pyyaml"
        );
        let place = component.install.last().expect("added").origin[0].place();
        assert_eq!(place, "recipes/repairs/a-rule.toml");
        assert!(
            component
                .volumes
                .iter()
                .any(|volume| volume.path == "/app/uploads")
        );
    }

    #[test]
    fn assets_are_installed_where_they_are_built() {
        let mut plan = of("samples/python_application_builds_its_assets_with_node/repo");
        let added = Edit::AddInstall {
            command: "npm install axios".to_owned(),
            first: false,
            late: false,
        };
        assert!(made(&mut plan, vec![added]));
        let component = &plan.components[0];
        let is_added = |commands: &[Command]| {
            commands
                .iter()
                .any(|command| command.command.ends_with("axios"))
        };
        assert!(is_added(&component.assets[0].install) && !is_added(&component.install));
    }

    /// The edits that follow from a failure of the first component of the sample `name`.
    fn repaired(name: &str, cause: Cause, log: &str) -> (BuildPlan, Option<Repair>) {
        let path = format!("samples/{name}/repo");
        let plan = of(&path);
        let report = failed(&plan, cause, "it failed", &[log]);
        let (catalog, mut tried) = (Catalog::built_in(), BTreeSet::new());
        let repair = next(&plan, &report, &opened(&path), &catalog, &mut tried);
        (plan, repair)
    }

    #[test]
    fn a_build_command_that_cannot_work_is_left_out() {
        let sample = "the_readme_says_how_to_install_a_django_app";
        let log = "ImproperlyConfigured: without having set the STATIC_ROOT setting to a path.";
        let (mut plan, repair) = repaired(sample, Cause::Build, log);
        let repair = repair.expect("a rule knows it");
        let collects = |plan: &BuildPlan| {
            let mut build = plan.components[0].build.iter();
            build.any(|command| command.command.contains("collectstatic"))
        };
        assert_eq!(repair.rule, "django-static-root");
        assert!(collects(&plan) && apply(&mut plan, &repair) && !collects(&plan));
        assert!(!apply(&mut plan, &repair));
    }

    #[test]
    fn what_a_running_program_lacks_is_added_to_the_image_that_runs() {
        let sample = "plain_wsgi_app_needs_no_requirements_file";
        let added = |cause| {
            let (_, repair) = repaired(sample, cause, "sh: 1: ffmpeg: not found");
            repair.expect("a rule knows it").edits
        };
        let ffmpeg = || vec!["ffmpeg".to_owned()];
        let (build, run) = (ffmpeg(), Vec::new());
        assert_eq!(added(Cause::Build), [Edit::AddPackages { build, run }]);
        let (build, run) = (Vec::new(), ffmpeg());
        assert_eq!(added(Cause::Ended), [Edit::AddPackages { build, run }]);
    }

    #[test]
    fn a_stage_that_builds_assets_is_repaired_by_the_rules_of_its_own_runtime() {
        let rule = |cause, log: &str| {
            let sample = "python_application_builds_its_assets_with_node";
            let (_, repair) = repaired(sample, cause, log);
            repair.map(|repair| repair.rule)
        };
        let log = "FATAL ERROR: Allocation failed - JavaScript heap out of memory";
        let expected = Some("node-heap".to_owned());
        assert_eq!(rule(Cause::Build, log), expected);
        let unknown = Some("denied-write-unsaid".to_owned());
        assert_eq!(rule(Cause::Ended, log), unknown);
        // The version that a rule sets is that of the application's own runtime.
        let log = "Node Sass does not yet support your current environment";
        assert_eq!(rule(Cause::Build, log), None);
    }

    #[test]
    fn a_piece_is_replaced_where_a_word_begins_and_only_once() {
        let by = "/tmp/uv/bin/uv pip install";
        let once = replaced("/x/bin/pip install a && pip install b", "pip install", by);
        assert_eq!(once, format!("/x/bin/pip install a && {by} b"));
        assert_eq!(replaced(&once, "pip install", by), once);
        assert_eq!(
            replaced("npm ci --a", "npm ci", "npm install"),
            "npm install --a"
        );
        let quiet = replaced("npm ci; npm ci", "npm ci", "npm ci --force");
        assert_eq!(quiet, "npm ci --force; npm ci --force");
        assert_eq!(replaced(&quiet, "npm ci", "npm ci --force"), quiet);
        let plain = replaced("pip install --editable .", " --editable ", " ");
        assert_eq!(plain, "pip install .");
        assert_eq!(
            replaced("yarn --frozen-lockfile", " --frozen-lockfile", ""),
            "yarn"
        );
    }

    #[test]
    fn a_relay_is_put_before_the_start_command() {
        let mut plan = of("samples/plain_http_server_has_no_dependencies/repo");
        let (catalog, mut tried) = (Catalog::built_in(), BTreeSet::new());
        let message =
            "it listens on 127.0.0.1:8000 only, where nothing outside its container reaches it";
        let report = failed(&plan, Cause::LocalOnly, message, &[]);
        let repo = opened("samples/plain_http_server_has_no_dependencies/repo");
        let repair = next(&plan, &report, &repo, &catalog, &mut tried).expect("a rule knows it");
        assert_eq!(repair.rule, "local-only-relay");
        assert!(apply(&mut plan, &repair));
        let component = &plan.components[0];
        assert!(
            component
                .system_packages
                .runtime
                .contains(&"socat".to_owned())
        );
        let relay = &component.image.entrypoint[component.image.entrypoint.len() - 2];
        assert!(relay.contains("\"TCP:127.0.0.1:8000\" & exec"), "{relay}");
        assert!(!apply(&mut plan, &repair));
    }

    #[test]
    fn the_last_resort_is_what_was_there_when_the_repository_was_last_changed() {
        let path = "samples/django_app_in_a_subfolder_keeps_sqlite_in_a_volume/repo";
        let mut plan = of(path);
        plan.components[0].runtime.requested = None;
        plan.components[0].runtime.origin = vec![Origin::recipe("runtimes/python", "default")];
        let then = Moment::at(1_500_000_000);
        let changed = Some(then);
        let (catalog, id) = (Catalog::built_in(), "python-releases-of-its-time");
        let rule = &catalog.repairs[id];
        let repair = last_resort(
            (id, rule),
            &plan.components[0],
            Stage::Build,
            changed,
            &catalog,
        )
        .expect("made");
        let limited = Edit::SetBuildEnv {
            name: "UV_EXCLUDE_NEWER".to_owned(),
            value: "2017-07-14".to_owned(),
        };
        assert!(repair.edits.contains(&limited), "{:?}", repair.edits);
        let tools = |repair: &Repair, day: &str| {
            let flag = format!("--exclude-newer-package setuptools={day} ");
            let mut edits = repair.edits.iter();
            edits.any(
                |edit| matches!(edit, Edit::ReplaceInCommands { by, .. } if by.contains(&flag)),
            )
        };
        assert!(tools(&repair, "2020-03-01"), "{:?}", repair.edits);
        let is_older =
            |edit: &Edit| matches!(edit, Edit::SetVersion { version } if version == "3.6");
        assert!(repair.edits.iter().any(is_older), "{:?}", repair.edits);
        assert!(apply(&mut plan, &repair));
        let installs = &plan.components[0].install;
        assert!(
            installs[0]
                .command
                .contains("pip3 install --ignore-requires-python")
        );
        assert!(installs[1].command.contains("/tmp/uv/bin/uv pip install"));
        let later = Some(Moment::at(1_600_000_000));
        let repair = last_resort(
            (id, rule),
            &plan.components[0],
            Stage::Build,
            later,
            &catalog,
        )
        .expect("made");
        assert!(tools(&repair, "2020-09-13"), "{:?}", repair.edits);
        plan.components[0].runtime.requested = Some(">=3.6".to_owned());
        assert_eq!(of_its_time(&plan.components[0], then, &catalog), None);
    }

    #[test]
    fn what_is_replaced_is_replaced_in_commands_that_are_added_later() {
        let path = "samples/plain_wsgi_app_needs_no_requirements_file/repo";
        let (plan, catalog) = (of(path), Catalog::built_in());
        let repair = |edit: Edit| with(&plan, vec![edit]);
        let replace = Edit::ReplaceInCommands {
            piece: "pip install".to_owned(),
            by: "uv pip install".to_owned(),
        };
        let add = Edit::AddInstall {
            command: "pip install bottle".to_owned(),
            first: false,
            late: false,
        };
        let repairs = [repair(replace), repair(add)];
        let config = Config::default();
        let again = super::plan(Path::new(path), &catalog, &config, &repairs).expect("it opens");
        let installs = &again.value.components[0].install;
        assert_eq!(installs[0].command, "uv pip install bottle");
    }

    #[test]
    fn a_command_that_fails_itself_is_no_repair() {
        let plan = of("samples/plain_wsgi_app_needs_no_requirements_file/repo");
        let repair = with(
            &plan,
            vec![Edit::AddInstall {
                command: "pip install nowhere".to_owned(),
                first: false,
                late: false,
            }],
        );
        let own = "Dockerfile:9: `RUN pip install nowhere` failed: exit code 1";
        let other = "Dockerfile:8: `RUN pip install flask` failed: exit code 1";
        let shows = |cause, message| is_broken_by(&failed(&plan, cause, message, &[]), &repair);
        assert!(shows(Cause::Build, own));
        assert!(!shows(Cause::Build, other) && !shows(Cause::Ended, own));
    }

    /// The repair that `failure`s of the sample `name` lead to, and the same from its record.
    fn recorded(name: &str, cause: Cause, log: &str) -> (Repair, RepairRecord, BuildPlan, Repo) {
        let (plan, repair) = repaired(name, cause, log);
        let repair = repair.expect("a rule knows it");
        let record = RepairRecord::of(&repair);
        (
            repair,
            record,
            plan,
            opened(&format!("samples/{name}/repo")),
        )
    }

    #[test]
    fn a_record_leads_to_the_same_edits_again() {
        let sample = "plain_wsgi_app_needs_no_requirements_file";
        let catalog = Catalog::built_in();
        for (cause, log) in [
            (Cause::Ended, "ModuleNotFoundError: No module named 'yaml'"),
            (Cause::Ended, "sh: 1: ffmpeg: not found"),
            (Cause::Build, "sh: 1: ffmpeg: not found"),
            (
                Cause::Build,
                "fatal error: ffi.h: No such file or directory",
            ),
            (Cause::Ended, "KeyError: 'SHOP_NAME'"),
            (
                Cause::Ended,
                "PermissionError: [Errno 13] Permission denied: '/srv/shop/cache/a.txt'",
            ),
        ] {
            let (repair, record, plan, repo) = recorded(sample, cause, log);
            let again = again(&[record], &plan, &repo, &catalog).expect("the rule is known");
            assert_eq!(again[0].edits, repair.edits, "{log}");
            assert_eq!(again[0].cause, repair.cause, "{log}");
        }
    }

    #[test]
    fn a_record_brings_in_nothing_that_its_rule_cannot_capture() {
        let sample = "plain_wsgi_app_needs_no_requirements_file";
        let log = "ModuleNotFoundError: No module named 'yaml'";
        let (_, record, plan, repo) = recorded(sample, Cause::Ended, log);
        let catalog = Catalog::built_in();
        let forged = |forge: &dyn Fn(&mut RepairRecord)| {
            let mut record = record.clone();
            forge(&mut record);
            again(&[record], &plan, &repo, &catalog)
        };
        let name = record.captured.keys().next().expect("the module").clone();
        assert!(forged(&|_| {}).is_ok());
        for value in ["yaml; touch x", "yaml\nRUN touch x", "$(touch x)", ""] {
            let value = value.to_owned();
            assert!(
                forged(&|record| drop(record.captured.insert(name.clone(), value.clone())))
                    .is_err()
            );
        }
        assert!(
            forged(&|record| drop(record.captured.insert("package".into(), "x".into()))).is_err()
        );
        assert!(forged(&|record| record.rule = "no-rule".to_owned()).is_err());
        assert!(forged(&|record| record.component = "other".to_owned()).is_err());
    }

    #[test]
    fn a_record_of_what_was_written_makes_only_places_writable_that_can_be() {
        let sample = "plain_wsgi_app_needs_no_requirements_file";
        let (plan, repo) = (
            of(&format!("samples/{sample}/repo")),
            opened(&format!("samples/{sample}/repo")),
        );
        let catalog = Catalog::built_in();
        let record = |path: &str| RepairRecord {
            component: plan.components[0].id.clone(),
            rule: "denied-write-unsaid".to_owned(),
            captured: BTreeMap::new(),
            during: Stage::Run,
            written: vec![Written {
                path: path.to_owned(),
                is_folder: true,
                is_new: true,
            }],
        };
        let made = again(&[record("/srv/shop/cache")], &plan, &repo, &catalog).expect("made");
        assert!(
            matches!(&made[0].edits[..], [Edit::AddVolume { path, .. }] if path == "/srv/shop/cache"),
            "{made:?}"
        );
        for path in ["/etc", "/srv/a\nb", "../x", "/srv/../etc", "/usr/bin"] {
            assert!(
                again(&[record(path)], &plan, &repo, &catalog).is_err(),
                "{path}"
            );
        }
    }

    fn opened(path: &str) -> Repo {
        Repo::open(Path::new(path)).expect("it opens").value
    }

    fn failed(plan: &BuildPlan, cause: Cause, message: &str, log: &[&str]) -> Report {
        let failure = Failure {
            cause,
            message: message.to_owned(),
            places: Vec::new(),
            origins: Vec::new(),
            log: log.iter().map(|line| (*line).to_owned()).collect(),
            hints: Vec::new(),
        };
        let mut report = Report::new(Vec::new(), Vec::new());
        report.components.push(crate::verify::ComponentReport {
            id: plan.components[0].id.clone(),
            failure: Some(failure),
            ..crate::verify::ComponentReport::default()
        });
        report
    }

    #[test]
    fn the_same_repair_is_not_tried_twice() {
        let path = "samples/plain_wsgi_app_needs_no_requirements_file/repo";
        let (plan, repo) = (of(path), opened(path));
        let log = ["ModuleNotFoundError: No module named 'yaml'"];
        let report = failed(&plan, Cause::Ended, "it ended with 1", &log);
        let (catalog, mut tried) = (Catalog::built_in(), BTreeSet::new());
        let repair = next(&plan, &report, &repo, &catalog, &mut tried).expect("a rule knows it");
        assert_eq!(repair.rule, "python-module-undeclared");
        let last = next(&plan, &report, &repo, &catalog, &mut tried).expect("a last resort");
        assert_eq!(last.rule, "denied-write-unsaid");
        assert_eq!(next(&plan, &report, &repo, &catalog, &mut tried), None);
    }
}
