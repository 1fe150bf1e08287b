//! CONTAINER.md: the report for the people who take over.

use super::{
    Artifact, HEADER, dockerfile_name,
    marks::Marks,
    template::{lay_out_typed, views},
};
use crate::{
    name::ObjectName,
    origin,
    plan::{BuildPlan, Component, EnvKind, Fate, Origin},
    quote::{
        self,
        markdown::{Inline, Markdown, Words},
        yaml::Word,
    },
};

views! { Markdown:
    struct HandoverView {
        header: &'static str,
        name: Word<ObjectName>,
        status: Inline,
        components: Vec<ComponentView>,
        ledger: Vec<EntryView>,
        questions: Vec<QuestionView>,
        diagnostics: Vec<DiagnosticView>,
    }

    struct ComponentView {
        dockerfile: Words,
        /// Flags that hand secrets to the build.
        secrets: Words,
        image: Word<ObjectName>,
        facts: Vec<Row>,
        env: Vec<EnvRow>,
    }

    struct Row {
        label: &'static str,
        value: Inline,
        why: Inline,
    }

    struct EnvRow {
        name: Inline,
        kind: &'static str,
        value: Inline,
        why: Inline,
    }

    struct EntryView {
        place: Inline,
        command: Inline,
        target: Inline,
        reason: Inline,
    }

    struct QuestionView {
        id: Inline,
        question: Inline,
        default: Inline,
    }

    struct DiagnosticView {
        severity: Inline,
        code: Inline,
        place: Inline,
        message: Inline,
        hints: Inline,
    }
}

/// Returns `CONTAINER.md`.
pub fn handover(plan: &BuildPlan) -> anyhow::Result<Artifact> {
    let view = HandoverView {
        header: HEADER,
        name: Word::new(ObjectName::of(&plan.name)),
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
                    Fate::Skipped => Inline::default().words("skipped"),
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
                severity: text(&finding.severity),
                code: code(&finding.code),
                place: match (&finding.file, finding.line) {
                    (Some(file), Some(line)) => Inline::default()
                        .words(" in ")
                        .then(&text(&format!("{file}:{line}"))),
                    _ => Inline::default(),
                },
                message: text(&finding.message),
                hints: finding.hints.iter().fold(Inline::default(), |all, hint| {
                    all.words("; ").then(&text(hint))
                }),
            })
            .collect(),
    };
    let text = lay_out_typed::<Markdown>("CONTAINER.md.j2", &view)?;
    Ok(Marks::default().artifact(
        "CONTAINER.md",
        &text,
        &Origin::manifest("templates/CONTAINER.md.j2", "the hand-over report"),
    ))
}

fn status(plan: &BuildPlan) -> Inline {
    let measured = plan.components.iter().filter_map(measured);
    let measured = measured.reduce(|all, one| all.words(" ").then(&one));
    let Some(measured) = measured else {
        return Inline::default()
            .words("Not verified yet: `longshore convert --verify` builds and smoke-runs it.");
    };
    let heading = match &plan.recorded {
        Some(recorded) => Inline::default()
            .words("Recorded on ")
            .then(&text(&recorded.on))
            .words(" for these files (SHA-256 ")
            .then(&code(&recorded.files))
            .words("), repeat with `longshore verify`: "),
        None => Inline::default().words("Measured: "),
    };
    heading.then(&measured)
}

/// What a smoke run found of `component`, if there was one.
fn measured(component: &Component) -> Option<Inline> {
    let measured = component.measured.as_ref()?;
    let mut said = code(&component.id)
        .words(" answered ")
        .then(&text(&measured.startup_ms.to_string()))
        .words(" ms after its start");
    if let Some(health) = component.health.as_ref().filter(|health| health.proven) {
        said = said
            .words(", and ")
            .then(&code(&health.path))
            .words(" gave status ")
            .then(&text(&health.status.to_string()));
    }
    said = said
        .words(". Its memory peaked at ")
        .then(&text(&(measured.peak_memory_bytes >> 20).to_string()))
        .words(" MiB; it listens on ")
        .then(&text(&measured.listening.join(", ")))
        .words(".");
    if let Some((load, knee)) = measured
        .load
        .as_ref()
        .and_then(|load| Some((load, load.knee?)))
    {
        said = said
            .words(" It served ")
            .then(&text(&format!("{knee:.0} requests per second of")))
            .words(" ")
            .then(&code(&load.path))
            .words(" with 95 of 100 answered within ")
            .then(&text(&format!("{:.0} ms", load.limit_ms)))
            .words(".");
    }
    for found in &measured.corrections {
        said = said
            .words(" A smoke run found: ")
            .then(&text(&found.text()))
            .words(".");
    }
    Some(said)
}

fn component_view(plan: &BuildPlan, component: &Component) -> ComponentView {
    let mut facts = Vec::new();
    let mut row = |label: &'static str, value: Inline, origins: &[Origin]| {
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
        row("port", text(&port.port.to_string()), &port.origin);
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
            None => Inline::default(),
        },
        why: places(&var.origin),
    });
    ComponentView {
        dockerfile: Words::one(&dockerfile_name(plan, &component.id)),
        secrets: Words::flags(
            component
                .build_secrets()
                .iter()
                .flat_map(|secret| ["--secret".to_owned(), format!("id={0},env={0}", secret.id)]),
        ),
        image: Word::new(ObjectName::of(&plan.object_name(&component.id))),
        env: env.collect(),
        facts,
    }
}

fn places(origins: &[Origin]) -> Inline {
    Inline::list(origin::places(origins).iter().map(|place| text(place)))
}

fn text(words: &str) -> Inline {
    Inline::text(words)
}

fn code(words: &str) -> Inline {
    Inline::code(words)
}
