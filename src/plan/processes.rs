//! What runs beside the application: processes that stay up, and schedules.

use std::collections::BTreeSet;

use super::{
    Fate, Process, Schedule,
    input::Input,
    kind::{Kind, script_kind},
    ledger,
    ledger::Ledger,
    missing::directory_of,
    way::{Way, follow_script, way_of_fact},
};
use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    limits,
    name::CronExpression,
    repo, shell,
    shell::Dialect,
    step::{Action, InstallStep},
};

/// Returns the further processes: steps that stay up beside the application, and a `Procfile`'s.
/// Those beyond [`limits::PROCESSES`] are left out, and said.
pub fn processes(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    let mut known = BTreeSet::new();
    let mut left_out = 0;
    let open: Vec<(usize, &InstallStep)> = ledger.open().collect();
    for (index, step) in open {
        let is_process = match &step.action {
            Action::Process => true,
            Action::Script(name) => {
                let directory = &step.context.directory;
                script_kind(name, directory, input) == Kind::Process
                    && input.script(name, directory).is_some()
            }
            _ => false,
        };
        if !is_process {
            continue;
        }
        let origin = vec![ledger::origin(step)];
        let way = Way {
            words: step.words.clone(),
            directory: directory_of(step, input),
            assignments: Vec::new(),
            development: false,
            origin,
            step: Some(index),
            before: Vec::new(),
        };
        let way = follow_script(way, input);
        if known.insert(way.words.clone()) {
            if processes.len() >= limits::PROCESSES {
                left_out += 1;
                ledger.skip(index, "too-many-processes", None);
                continue;
            }
            let id = if processes.is_empty() {
                "worker".to_owned()
            } else {
                format!("worker-{}", processes.len() + 1)
            };
            processes.push(Process {
                id,
                command: way.words,
                directory: way.directory,
                origin: way.origin,
            });
        }
        ledger.set(index, Fate::Process, "compose.yaml", None);
    }
    for (name, fact) in &input.selection.manifest.processes {
        if ["web", "release"].contains(&name.as_str()) {
            continue;
        }
        if processes.len() >= limits::PROCESSES {
            left_out += 1;
            continue;
        }
        let way = way_of_fact(fact, input);
        if known.insert(way.words.clone()) {
            processes.push(Process {
                id: name.to_lowercase(),
                command: way.words,
                directory: way.directory,
                origin: way.origin,
            });
        }
    }
    diagnostics.extend(Diagnostic::too_many(
        "processes",
        left_out,
        limits::PROCESSES,
    ));
    processes
}

/// Returns the scheduled jobs of crontab lines. What the line does to leave cron's bare environment
/// (`cd`, the path of the interpreter, redirections) is left out.
pub fn schedules(
    input: &Input<'_, '_>,
    ledger: &mut Ledger<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Schedule> {
    let mut schedules: Vec<Schedule> = Vec::new();
    let mut left_out = 0;
    for (index, step) in ledger.steps.iter().enumerate() {
        let Action::Schedule { cron, command } = &step.action else {
            continue;
        };
        let Some(cron) = CronExpression::parse(cron) else {
            let message = format!("Kubernetes knows no time `{cron}`");
            let diagnostic = Diagnostic::new(Severity::Warning, Code::InvalidName, message)
                .at(&step.source, step.span, "left out")
                .hint("see crontab(5) for what the five fields may hold");
            diagnostics.push(diagnostic);
            ledger.skip(index, "no-such-time", None);
            continue;
        };
        if schedules.len() >= limits::PROCESSES {
            left_out += 1;
            ledger.skip(index, "too-many-scheduled-jobs", None);
            continue;
        }
        let parsed = shell::script(command, Dialect::Shell, &|_| true);
        let Some(last) = parsed
            .commands
            .iter()
            .rfind(|command| !command.value.words.is_empty())
        else {
            continue;
        };
        let mut words: Vec<String> = last.value.owned_texts();
        for (at, word) in words.iter_mut().enumerate() {
            let name = repo::file_name(word).to_owned();
            let is_tool = at == 0 && word.contains("/bin/") && input.catalog.tool(&name).is_some();
            let is_own =
                word.starts_with('/') && input.repo.contains(&repo::join(input.directory, &name));
            if is_tool || is_own {
                *word = name;
            }
        }
        let id = if schedules.is_empty() {
            "schedule".to_owned()
        } else {
            format!("schedule-{}", schedules.len() + 1)
        };
        schedules.push(Schedule {
            id,
            cron: cron.to_string(),
            command: words,
            directory: input.directory.to_owned(),
            origin: vec![ledger::origin(step)],
        });
        ledger.set(index, Fate::Schedule, "k8s/base", None);
    }
    diagnostics.extend(Diagnostic::too_many(
        "scheduled jobs",
        left_out,
        limits::PROCESSES,
    ));
    schedules
}
