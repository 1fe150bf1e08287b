//! The plan for people to read in a terminal.

use std::{fmt::Write, path::Path};

use crate::{
    diagnose::DiagnosisReport,
    plan::{BuildPlan, Component, EnvKind, Fate, LedgerEntry, Load, Origin, OriginKind},
    quote::terminal::{Shown, line},
    recipe::Edit,
    render::Artifact,
    verify::{Repair, Report, Rung},
};

/// Returns `plan` as text: what was understood, then the ledger, then what is open.
pub fn plan(plan: &BuildPlan) -> Shown {
    let mut text = String::new();
    for component in &plan.components {
        component_text(&mut text, plan, component);
    }
    if !plan.ledger.is_empty() {
        text.push_str("\nledger: what became of every command\n");
        text.push_str(&ledger(&plan.ledger));
    }
    if !plan.questions.is_empty() {
        text.push_str("\nopen questions (the default was taken)\n");
        for question in &plan.questions {
            let _ = writeln!(
                text,
                "  {}  {}",
                line(&question.id),
                line(&question.question)
            );
            let _ = writeln!(
                text,
                "    default: {}",
                line(question.default.as_deref().unwrap_or("none"))
            );
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    Shown::text(&(lines.join("\n") + "\n"))
}

/// Returns what was understood, without ledger and questions.
pub fn understood(plan: &BuildPlan) -> Shown {
    let mut text = String::new();
    for component in &plan.components {
        component_text(&mut text, plan, component);
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    Shown::text(&lines.join("\n"))
}

/// Returns one line for each entry: place, command, fate.
pub fn ledger(entries: &[LedgerEntry]) -> String {
    let place = |entry: &LedgerEntry| format!("{}:{}", line(&entry.file), entry.line);
    let width = entries
        .iter()
        .map(|entry| place(entry).len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for entry in entries {
        let command = shorten(&entry.command, 60);
        let target = entry.target.as_deref().unwrap_or_default();
        let outcome = match (entry.fate, &entry.reason) {
            (Fate::Skipped, reason) => {
                format!("skipped: {}", reason.as_deref().unwrap_or_default())
            }
            (_, Some(reason)) => format!("{target} ({reason})"),
            (_, None) => target.to_owned(),
        };
        let _ = writeln!(
            text,
            "  {:width$}  {command:60}  → {}",
            place(entry),
            line(&outcome)
        );
    }
    text
}

/// `command` with the folder that it runs in, where that is not the repository's top.
fn in_folder(command: &str, folder: &str) -> String {
    match folder {
        "." => command.to_owned(),
        folder => format!("{command} (in {folder}/)"),
    }
}

fn component_text(text: &mut String, plan: &BuildPlan, component: &Component) {
    let framework = component.framework.as_deref().unwrap_or(&component.stack);
    let folder = if component.path == "." {
        String::new()
    } else {
        format!(" in {}/", line(&component.path))
    };
    let _ = writeln!(
        text,
        "{}: {framework} on {} {}{folder}\n",
        line(&plan.name),
        component.runtime.name,
        line(&component.runtime.version)
    );
    let mut row = |label: &str, value: &str, origin: &[Origin]| {
        let _ = writeln!(
            text,
            "  {label:9} {:52} {}",
            line(value),
            line(&places(origin))
        );
    };
    row(
        "runtime",
        &format!(
            "{} ({})",
            component.image.run_from, component.runtime.version
        ),
        &component.runtime.origin,
    );
    for (stage, names) in [
        ("build", &component.system_packages.build),
        ("run", &component.system_packages.runtime),
    ] {
        for name in names {
            let origin = component.system_packages.why(name);
            row("package", &format!("{name} ({stage})"), origin);
        }
    }
    for stage in &component.assets {
        row("assets", &stage.build_from, &stage.runtime.origin);
        for command in stage.install.iter().chain(&stage.build) {
            let shown = in_folder(&command.command, &command.directory);
            row("assets", &shorten(&shown, 52), &command.origin);
        }
    }
    for (label, commands) in [
        ("install", &component.install),
        ("build", &component.build),
        ("prepare", &component.prepare),
    ] {
        for command in commands {
            row(label, &shorten(&command.command, 52), &command.origin);
        }
    }
    match &component.start {
        Some(start) => row(
            "start",
            &shorten(&start.command.join(" "), 52),
            &start.origin,
        ),
        None => row("start", "unknown", &[]),
    }
    for process in &component.processes {
        row(
            "process",
            &shorten(&process.command.join(" "), 52),
            &process.origin,
        );
    }
    for schedule in &component.schedules {
        row(
            "schedule",
            &shorten(
                &format!("{}  {}", schedule.cron, schedule.command.join(" ")),
                52,
            ),
            &schedule.origin,
        );
    }
    for port in &component.ports {
        row("port", &port.port.to_string(), &port.origin);
    }
    if let Some(ingress) = &component.ingress {
        row("host", &ingress.host, &ingress.origin);
    }
    for proxy in &component.proxies {
        row("proxy", &shorten(&proxy.to_string(), 52), &proxy.origin);
    }
    for service in &component.services {
        let loads = match service.init.as_slice() {
            [] => String::new(),
            files => format!(", loads {}", files.join(", ")),
        };
        row(
            "service",
            &shorten(&format!("{} {}{loads}", service.kind, service.version), 52),
            &service.origin,
        );
    }
    for volume in &component.volumes {
        row("volume", &volume.path, &volume.origin);
    }
    for var in &component.env {
        let value = match (var.kind, &var.default) {
            (EnvKind::Secret, _) => "(secret)".to_owned(),
            (EnvKind::Config | EnvKind::Service, Some(value)) => value.clone(),
            (EnvKind::Config | EnvKind::Service, None) => "(no value)".to_owned(),
        };
        row(
            "env",
            &shorten(&format!("{}={value}", var.name), 52),
            &var.origin,
        );
    }
}

/// At most two places, so that a line stays a line.
fn places(origins: &[Origin]) -> String {
    let shown: Vec<String> = origins.iter().take(2).map(Origin::place).collect();
    let more = if origins.len() > 2 {
        format!(" and {} more", origins.len() - 2)
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

/// Returns the causes of a failure, each with the line that shows it and what to do; where there
/// is none, what was looked at.
pub fn diagnosis(report: &DiagnosisReport, log: &Path, dockerfile: Option<&Path>) -> Shown {
    let mut text = String::new();
    let instruction = report.looked_at.instruction.as_ref();
    let place = instruction.map(|instruction| match (dockerfile, instruction.line) {
        (Some(file), Some(line)) => format!(
            "{}:{line}: {}",
            file.display(),
            shorten(&instruction.text, 100)
        ),
        _ => shorten(&instruction.text, 100),
    });
    for (index, cause) in report.causes.iter().enumerate() {
        if index == 1 {
            text.push_str("\nalso in this log\n");
        }
        let shown = shorten(cause.text.trim(), 160);
        let _ = writeln!(text, "{}: {}", cause.category, cause.cause);
        let _ = writeln!(
            text,
            "  line      {}:{}: {shown}",
            log.display(),
            cause.line
        );
        if let Some(place) = place.as_ref().filter(|_| index == 0) {
            let _ = writeln!(text, "  step      {place}");
        }
        let _ = writeln!(text, "  remedy    {}", cause.remedy);
        if let Some(blocked) = &cause.blocked {
            let _ = writeln!(text, "  verdict   {blocked}");
        }
        let _ = writeln!(text, "  rule      recipes/repairs/{}.toml", cause.rule);
    }
    if report.causes.is_empty() {
        let looked_at = &report.looked_at;
        let _ = writeln!(text, "unknown: no rule knows a line of this log");
        let _ = writeln!(
            text,
            "  looked at {} lines of {}, for {} rules",
            looked_at.lines,
            log.display(),
            looked_at.rules
        );
        if let Some(place) = place {
            let _ = writeln!(text, "  step      {place}");
        }
    }
    Shown::text(&text)
}

/// `text` on one line, of at most `width` characters.
fn shorten(text: &str, width: usize) -> String {
    let text = line(text);
    if text.chars().count() <= width {
        return text;
    }
    let kept: String = text.chars().take(width - 1).collect();
    format!("{kept}…")
}

/// Returns `report` as text: rungs, measurements, failures, verdict.
pub fn report(report: &Report) -> Shown {
    let mut text = String::new();
    for component in &report.components {
        let shown: Vec<String> = Rung::ALL
            .iter()
            .map(|rung| {
                format!(
                    "{} {}",
                    if *rung <= component.rung {
                        "✓"
                    } else {
                        "✗"
                    },
                    rung.name()
                )
            })
            .collect();
        let _ = writeln!(text, "\n{}: {}", component.id, shown.join("  "));
        if let Some(answer) = &component.answer {
            let _ = writeln!(
                text,
                "  answer    {} gave {}: {}",
                answer.path,
                answer.status,
                shorten(&answer.body, 100)
            );
        }
        if component.image_bytes > 0 {
            let _ = writeln!(
                text,
                "  image     {} MB, built in {:.1} s",
                component.image_bytes / 1_000_000,
                component.build_seconds
            );
        }
        if let Some(measured) = &component.measured {
            let _ = writeln!(text, "  start-up  {} ms", measured.startup_ms);
            let _ = writeln!(
                text,
                "  memory    {} MiB at its peak",
                measured.peak_memory_bytes >> 20
            );
            if let Some(steady) = measured.steady_memory_bytes {
                let _ = writeln!(text, "            {} MiB while idle", steady >> 20);
            }
            if let Some(cpu) = measured.startup_cpu_millicores {
                let steady = measured.steady_cpu_millicores;
                let idle =
                    steady.map_or_else(String::new, |steady| format!(", {steady}m while idle"));
                let _ = writeln!(text, "  cpu       {cpu}m of a core while starting{idle}");
            }
            let _ = writeln!(text, "  listens   {}", measured.listening.join(", "));
            if !measured.written.is_empty() {
                let _ = writeln!(text, "  written   {}", measured.written.join(", "));
            }
            if let Some(load) = &measured.load {
                load_text(&mut text, load);
            }
        }
        if let Some(stop) = component.stop_ms {
            let _ = writeln!(text, "  stop      {stop} ms after SIGTERM");
        }
        for output in &component.output {
            let _ = writeln!(text, "  output    {}", line(output));
        }
        for correction in &component.corrections {
            let _ = writeln!(text, "  found     {}", correction.text());
        }
        for note in &component.notes {
            let _ = writeln!(text, "  note      {note}");
        }
        if let Some(failure) = &component.failure {
            let _ = writeln!(text, "\n  failed: {}", failure.message);
            if !failure.places.is_empty() {
                let _ = writeln!(text, "    because of {}", failure.places.join(", "));
            }
            for shown in failure
                .log
                .iter()
                .skip(failure.log.len().saturating_sub(SHOWN))
            {
                let _ = writeln!(text, "    | {}", line(shown));
            }
            for hint in &failure.hints {
                let _ = writeln!(text, "    = hint: {hint}");
            }
        }
    }
    for repair in &report.repairs {
        let edits: Vec<String> = repair.edits.iter().map(edit_text).collect();
        let _ = writeln!(
            text,
            "\nrepaired {}: {} ({}; recipes/repairs/{}.toml)",
            repair.component,
            repair.cause,
            edits.join("; "),
            repair.rule
        );
    }
    for proof in &report.manifests {
        let _ = writeln!(text, "\n{}: {}", proof.outcome.name(), proof.message);
        for shown in &proof.log {
            let _ = writeln!(text, "    | {}", line(shown));
        }
    }
    if !report.stand_ins.is_empty() {
        let _ = writeln!(
            text,
            "\nstand-ins for official images (sizes differ): {}",
            report.stand_ins.join(", ")
        );
    }
    let missing = &report.missing;
    let missing = match missing.is_empty() {
        true => String::new(),
        false => format!(": {}", missing.join("; ")),
    };
    let _ = writeln!(text, "\nverdict: {}{missing}", report.verdict.name());
    Shown::text(&text)
}

fn load_text(text: &mut String, load: &Load) {
    let knee = match load.knee {
        Some(knee) => format!("{knee:.0} requests per second"),
        None => "no rate".to_owned(),
    };
    let cpu = match load.cpu_millicores {
        Some(cpu) => format!(", with {cpu}m of a core"),
        None => String::new(),
    };
    let _ = writeln!(
        text,
        "  load      {knee} with the 95th percentile within {:.0} ms (unloaded {:.1} ms){cpu}",
        load.limit_ms, load.unloaded_p95_ms
    );
    if !load.steps.is_empty() {
        let _ = writeln!(
            text,
            "            {:>9} {:>9} {:>9} {:>7} {:>9} {:>9} {:>9}",
            "offered/s", "served/s", "requests", "errors", "p50 ms", "p95 ms", "p99 ms"
        );
    }
    for step in &load.steps {
        let over = if step.within_limit { "" } else { "  over" };
        let _ = writeln!(
            text,
            "            {:>9.1} {:>9.1} {:>9} {:>7} {:>9.1} {:>9.1} {:>9.1}{over}",
            step.offered,
            step.answered,
            step.requests,
            step.errors,
            step.p50_ms,
            step.p95_ms,
            step.p99_ms
        );
    }
}

/// Lines of a log that are shown; a report as JSON has more.
const SHOWN: usize = 40;

/// Returns what `repair` is for and does, on one line each.
pub fn repair(repair: &Repair) -> Shown {
    let mut text = format!("\nrepairing {}: {}\n", repair.component, repair.cause);
    let _ = writeln!(text, "  because of {}", repair.log);
    for edit in &repair.edits {
        let _ = writeln!(text, "  {}", edit_text(edit));
    }
    Shown::text(&text)
}

fn edit_text(edit: &Edit) -> String {
    match edit {
        Edit::AddPackages { build, run } => {
            let mut parts = Vec::new();
            if !build.is_empty() {
                parts.push(format!("{} to the build stage", build.join(", ")));
            }
            if !run.is_empty() {
                parts.push(format!("{} to the run stage", run.join(", ")));
            }
            format!("adds {}", parts.join(" and "))
        }
        Edit::RemovePackage { package } => format!("leaves out the package {package}"),
        Edit::AddInstall { command, .. } => format!("runs `{command}`"),
        Edit::ReplaceInCommands { piece, by } => format!("writes `{by}` for `{piece}`"),
        Edit::RemoveCommand { piece } => format!("leaves out what runs `{piece}`"),
        Edit::SetVersion { version } => format!("takes version {version} of the runtime"),
        Edit::WrapStart { words } => format!("starts it by `{}`", words.join(" ")),
        Edit::SetBuildEnv { name, value } => format!("builds with {name}={value}"),
        Edit::SetEnv { name, value } => format!("sets {name}={value}"),
        Edit::AddVolume { path, .. } => format!("makes {path} writable"),
        Edit::TraceWrites { .. } => "looks which files it writes".to_owned(),
        Edit::LinkFile {
            path,
            scratch: false,
        } => format!("keeps {path} on a volume"),
        Edit::LinkFile {
            path,
            scratch: true,
        } => format!("makes {path} a file below /tmp"),
        Edit::SkipPrepare {} => "leaves out the prepare step".to_owned(),
        Edit::MoreMemory {} => "gives it twice the memory".to_owned(),
    }
}

/// Returns the lines of `artifact`, or only the line `only`, each with why it is there.
pub fn explanation(artifact: &Artifact, only: Option<usize>) -> Shown {
    let mut text = String::new();
    for (index, contents) in artifact.contents.lines().enumerate() {
        let number = index + 1;
        if only.is_some_and(|only| only != number) || only.is_none() && contents.trim().is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}:{number}: {contents}", artifact.path);
        for origin in artifact.origins.get(&number).into_iter().flatten() {
            let words = origin.text.as_deref().unwrap_or_default();
            let kind = match origin.kind {
                OriginKind::Readme => "README",
                OriginKind::Manifest => "repository",
                OriginKind::Recipe => "recipe",
                OriginKind::Answer => "answer",
                OriginKind::Measured => "measured",
            };
            let _ = writeln!(
                text,
                "    ← {kind} {}  {}",
                line(&origin.place()),
                shorten(words, 100)
            );
        }
    }
    Shown::text(&text)
}
