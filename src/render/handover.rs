//! CONTAINER.md: the report for the people who take over.

use serde::Serialize;

use super::{
    Artifact, HEADER, dockerfile_name,
    marks::{Marks, one_line},
    template::lay_out,
};
use crate::{
    origin,
    plan::{BuildPlan, Component, EnvKind, Fate, Origin},
    quote,
};

#[derive(Serialize)]
struct HandoverView {
    header: &'static str,
    name: String,
    status: String,
    components: Vec<ComponentView>,
    ledger: Vec<EntryView>,
    questions: Vec<QuestionView>,
    diagnostics: Vec<DiagnosticView>,
}

#[derive(Serialize)]
struct ComponentView {
    dockerfile: String,
    /// Flags that hand secrets to the build.
    secrets: String,
    image: String,
    facts: Vec<Row>,
    env: Vec<EnvRow>,
}

#[derive(Serialize)]
struct Row {
    label: &'static str,
    value: String,
    why: String,
}

#[derive(Serialize)]
struct EnvRow {
    name: String,
    kind: &'static str,
    value: String,
    why: String,
}

#[derive(Serialize)]
struct EntryView {
    place: String,
    command: String,
    target: String,
    reason: String,
}

#[derive(Serialize)]
struct QuestionView {
    id: String,
    question: String,
    default: String,
}

#[derive(Serialize)]
struct DiagnosticView {
    severity: String,
    code: String,
    place: String,
    message: String,
    hints: String,
}

/// Returns `CONTAINER.md`.
pub fn handover(plan: &BuildPlan) -> anyhow::Result<Artifact> {
    let view = HandoverView {
        header: HEADER,
        name: plan.name.clone(),
        status: status(plan),
        components: plan
            .components
            .iter()
            .map(|component| component_view(plan, component))
            .collect(),
        ledger: plan
            .ledger
            .iter()
            .map(|entry| EntryView {
                place: text(&format!("{}:{}", entry.file, entry.line)),
                command: code(&entry.command),
                target: match entry.fate {
                    Fate::Skipped => "skipped".to_owned(),
                    _ => text(entry.target.as_deref().unwrap_or_default()),
                },
                reason: text(entry.reason.as_deref().unwrap_or_default()),
            })
            .collect(),
        questions: plan
            .questions
            .iter()
            .map(|question| QuestionView {
                id: text(&question.id),
                question: text(&question.question),
                default: text(question.default.as_deref().unwrap_or("nothing")),
            })
            .collect(),
        diagnostics: plan
            .diagnostics
            .iter()
            .map(|finding| DiagnosticView {
                severity: finding.severity.clone(),
                code: finding.code.clone(),
                place: match (&finding.file, finding.line) {
                    (Some(file), Some(line)) => format!(" in {}:{line}", text(file)),
                    _ => String::new(),
                },
                message: text(&finding.message),
                hints: finding
                    .hints
                    .iter()
                    .map(|hint| format!("; {}", text(hint)))
                    .collect(),
            })
            .collect(),
    };
    let text = lay_out("CONTAINER.md.j2", &view)?;
    Ok(Marks::default().artifact(
        "CONTAINER.md",
        &text,
        &Origin::manifest("templates/CONTAINER.md.j2", "the hand-over report"),
    ))
}

fn status(plan: &BuildPlan) -> String {
    let proven: Vec<String> = plan
        .components
        .iter()
        .filter_map(|component| {
            let measured = component.measured.as_ref()?;
            let path = component.health.as_ref().filter(|health| health.proven).map(|health| {
                format!(", and `{}` gave status {}", text(&health.path), health.status)
            });
            let corrections = measured.corrections.iter().map(|found| format!(" A smoke run found: {}.", text(&found.text())));
            let corrections: String = corrections.collect();
            let load = measured.load.as_ref().and_then(|load| {
                let knee = load.knee?;
                Some(format!(
                    " It served {knee:.0} requests per second of `{}` with 95 of 100 answered within {:.0} ms.",
                    text(&load.path),
                    load.limit_ms
                ))
            });
            let load = load.unwrap_or_default();
            Some(format!(
                "Verified: `{}` answered {} ms after its start{}. Its memory peaked at {} MiB; it listens on {}.{load}{corrections}",
                component.id,
                measured.startup_ms,
                path.unwrap_or_default(),
                measured.peak_memory_bytes >> 20,
                measured.listening.join(", ")
            ))
        })
        .collect();
    if proven.is_empty() {
        "Not verified yet: `longshore convert --verify` builds and smoke-runs it.".to_owned()
    } else {
        proven.join(" ")
    }
}

fn component_view(plan: &BuildPlan, component: &Component) -> ComponentView {
    let mut facts = Vec::new();
    let mut row = |label: &'static str, value: String, origins: &[Origin]| {
        facts.push(Row {
            label,
            value,
            why: places(origins),
        });
    };
    let framework = component
        .framework
        .as_deref()
        .map(|framework| format!(" with {framework}"))
        .unwrap_or_default();
    row(
        "stack",
        text(&format!("{}{framework}", component.stack)),
        &component.evidence,
    );
    row(
        "runtime",
        text(&format!(
            "{} {}",
            component.runtime.name, component.runtime.version
        )),
        &component.runtime.origin,
    );
    for (label, names) in [
        ("build packages", &component.system_packages.build),
        ("run packages", &component.system_packages.runtime),
    ] {
        for name in names {
            let origins = component.system_packages.why(name);
            row(label, code(name), origins);
        }
    }
    for stage in &component.assets {
        row("assets", code(&stage.build_from), &stage.runtime.origin);
        for command in stage.install.iter().chain(&stage.build) {
            row("assets", code(&command.command), &command.origin);
        }
    }
    for (label, commands) in [
        ("install", &component.install),
        ("build", &component.build),
        ("prepare", &component.prepare),
    ] {
        for command in commands {
            row(label, code(&command.command), &command.origin);
        }
    }
    if let Some(start) = &component.start {
        row(
            "start",
            code(&quote::shell::join(&start.command)),
            &start.origin,
        );
    }
    for process in &component.processes {
        row(
            "process",
            code(&quote::shell::join(&process.command)),
            &process.origin,
        );
    }
    for schedule in &component.schedules {
        row(
            "schedule",
            code(&format!(
                "{} {}",
                schedule.cron,
                quote::shell::join(&schedule.command)
            )),
            &schedule.origin,
        );
    }
    for port in &component.ports {
        row("port", port.port.to_string(), &port.origin);
    }
    if let Some(ingress) = &component.ingress {
        row("host", code(&ingress.host), &ingress.origin);
    }
    for proxy in &component.proxies {
        row("proxy", text(&proxy.to_string()), &proxy.origin);
    }
    for service in &component.services {
        row(
            "service",
            text(&format!("{} {}", service.kind, service.version)),
            &service.origin,
        );
    }
    for volume in &component.volumes {
        row("volume", code(&volume.path), &volume.origin);
    }
    let env = component.env.iter().map(|var| EnvRow {
        name: code(&var.name),
        kind: match var.kind {
            EnvKind::Config => "setting",
            EnvKind::Secret => "secret",
            EnvKind::Service => "service",
        },
        value: match &var.default {
            Some(value) => code(value),
            None => String::new(),
        },
        why: places(&var.origin),
    });
    ComponentView {
        dockerfile: dockerfile_name(plan, &component.id),
        secrets: component
            .build_secrets()
            .iter()
            .map(|secret| format!("--secret id={0},env={0} ", secret.id))
            .collect(),
        image: plan.object_name(&component.id),
        env: env.collect(),
        facts,
    }
}

fn places(origins: &[Origin]) -> String {
    let places = origin::places(origins);
    places
        .iter()
        .map(|place| text(place))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A stranger's words as plain Markdown text on one line: nothing in them is markup or HTML.
fn text(words: &str) -> String {
    let mut plain = String::new();
    for c in one_line(words).chars() {
        match c {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '|' | '*' | '[' | ']' | '\\' => plain.extend(['\\', c]),
            '`' => plain.push('\''),
            _ => plain.push(c),
        }
    }
    plain
}

/// The same as inline code, which may stand in a table.
fn code(words: &str) -> String {
    let plain = one_line(words).replace('|', "\\|");
    if plain.is_empty() {
        return String::new();
    }
    if plain.contains('`') {
        format!("`` {plain} ``")
    } else {
        format!("`{plain}`")
    }
}
