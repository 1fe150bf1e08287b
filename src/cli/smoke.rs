//! The smoke run of a command: with repairs, progress, and trouble with the engine.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use super::{Known, Outcome, Talk, args::SmokeArguments, progress, text};
use crate::{
    convert::{self, Conversion},
    plan::BuildPlan,
    recipe::Catalog,
    repair,
    repo::Repo,
    secret,
    verify::{self, EngineError, Event, PageSigns, Repair, Report},
};

/// Makes the smoke run, and repairs the plan and runs again as long as a rule says how; returns the
/// last report and the plan that it is about. Trouble with the engine is said and becomes an exit
/// code.
pub(super) fn smoke(
    conversion: Conversion,
    repairs: Vec<Repair>,
    repository: &Path,
    arguments: &SmokeArguments,
    known: &Known,
    talk: Talk,
) -> anyhow::Result<Result<(Report, BuildPlan), Outcome>> {
    let repo = Repo::open(repository)?.value;
    let mut conversion = conversion;
    let mut tried = BTreeSet::new();
    let mut made = repairs;
    let mut memory_limit = verify::Options::default().memory_limit;
    let signs = PageSigns {
        refusals: known.catalog.list("written", "refusals").to_vec(),
        nouns: known.catalog.list("written", "nouns").to_vec(),
        installers: known.catalog.list("health", "installers").to_vec(),
    };
    let begun = Instant::now();
    let limit = arguments.time_limit.map(Duration::from_secs);
    let left = || limit.map_or(Duration::MAX, |limit| limit.saturating_sub(begun.elapsed()));
    // The run before the last repair, to go back to.
    let mut before: Option<(Conversion, Report)> = None;
    // The run before the first last resort and the repairs until then, to go back to where it does
    // not help.
    let mut resort: Option<(usize, Conversion, Report)> = None;
    loop {
        let asked = arguments.options();
        let options = verify::Options {
            memory_limit,
            signs: signs.clone(),
            build_timeout: asked.build_timeout.min(left()),
            start_timeout: asked.start_timeout.min(left()),
            prepare_timeout: asked.prepare_timeout.min(left()),
            ..asked
        };
        let mut report = match run_once(&conversion, repository, &options, &known.catalog, talk)? {
            Ok(report) => report,
            Err(outcome) => return Ok(Err(outcome)),
        };
        if let Some(last) = made.last()
            && repair::is_broken_by(&report, last)
            && let Some((plan, found)) = before.take()
        {
            talk.say(&format!("that does not help: without `{}`", last.rule));
            made.pop();
            (conversion, report) = (plan, found);
        }
        let is_late = left().is_zero();
        if is_late && !report.verdict.is_success() {
            talk.say("the time limit is reached: nothing more is repaired");
        }
        let is_done = report.verdict.is_success() || arguments.no_repair || is_late;
        let next = loop {
            let next = (!is_done && made.len() < repair::MOST_REPAIRS)
                .then(|| repair::next(&conversion.plan, &report, &repo, &known.catalog, &mut tried))
                .flatten();
            let Some(wanted) = next.clone().filter(repair::wants_trace) else {
                break next;
            };
            talk.say("running it once as root, to see which files it writes");
            let options = verify::Options {
                trace: true,
                load: None,
                manifests: false,
                ..options.clone()
            };
            let found = match run_once(&conversion, repository, &options, &known.catalog, talk)? {
                Ok(found) => found,
                Err(outcome) => return Ok(Err(outcome)),
            };
            let (plan, catalog) = (&conversion.plan, &known.catalog);
            let traced = repair::traced(wanted, plan, (&report, &found), &repo, catalog);
            if traced.is_some() {
                break traced;
            }
        };
        let Some(next) = next else {
            if let Some((repairs, plan, found)) = resort
                && !report.verdict.is_success()
                && report.rungs() <= found.rungs()
            {
                for failure in report
                    .components
                    .iter()
                    .filter_map(|found| found.failure.as_ref())
                {
                    talk.say(&format!("then {}", failure.message));
                    for line in failure.log.iter().rev().take(MOST_SAID).rev() {
                        talk.say(&format!("  | {line}"));
                    }
                }
                talk.say("what was tried last does not help: without it");
                made.truncate(repairs);
                (conversion, report) = (plan, found);
            }
            repair::conclude(&mut report, &conversion.plan, &known.catalog, made);
            return Ok(Ok((report, conversion.plan)));
        };
        talk.say(&text::repair(&next).to_string());
        if repair::wants_memory(&next) {
            memory_limit = (memory_limit * 2).min(MOST_MEMORY);
        }
        if resort.is_none() && known.catalog.repairs[&next.rule].last_resort {
            resort = Some((made.len(), conversion.clone(), report.clone()));
        }
        made.push(next);
        let plan = repair::plan(repository, &known.catalog, &known.config, &made)?.value;
        let repaired = convert::render(plan)?;
        before = Some((std::mem::replace(&mut conversion, repaired), report));
    }
}

/// Most lines that are said of the log of a run that is given up.
const MOST_SAID: usize = 8;

/// An application gets no more memory than this to find out whether it wanted more.
const MOST_MEMORY: i64 = 4 << 30;

/// Makes one smoke run; no secret that stands in a log is in what it says.
fn run_once(
    conversion: &Conversion,
    repository: &Path,
    options: &verify::Options,
    catalog: &Catalog,
    talk: Talk,
) -> anyhow::Result<Result<Report, Outcome>> {
    let patterns = catalog.secrets();
    let mut progress = progress::Progress::new(talk.coloured);
    let result = verify::verify(
        &conversion.plan,
        &conversion.artifacts,
        repository,
        options,
        &mut |event| {
            progress.show(match event {
                Event::Log(line) => Event::Log(patterns.masked(&line)),
                event => event,
            });
        },
    );
    progress.finish();
    match result {
        Ok(report) => {
            let mut known = secret::Known::default();
            let components = conversion.plan.components.iter();
            let services = components.flat_map(|component| &component.services);
            for (name, found) in services.flat_map(|service| &service.in_source) {
                if let Some(value) = &found.value {
                    known.add(value.reveal(), name, false, None);
                }
            }
            Ok(Ok(patterns.masked_value(report, known)))
        }
        Err(error) => match error.downcast_ref::<EngineError>() {
            Some(trouble) => {
                talk.error(&patterns.masked(&trouble.to_string()));
                for hint in trouble.hints() {
                    talk.hint(&patterns.masked(&hint));
                }
                Ok(Err(Outcome::Environment))
            }
            None => Err(error),
        },
    }
}
