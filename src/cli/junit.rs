//! The report of a smoke run as JUnit XML: a suite for each component, a case for each rung, and a
//! suite for the manifests where they were tried.

use std::{fmt::Write, time::Duration};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::verify::{ComponentReport, Failure, ProofOutcome, Report, Rung};

/// Returns `report` about the application `name` as JUnit XML.
///
/// # Errors
///
/// When it cannot be written as XML, which is a bug.
pub fn junit(name: &str, report: &Report) -> anyhow::Result<String> {
    let mut all = quick_junit::Report::new(format!("longshore verify {name}"));
    for component in &report.components {
        all.add_test_suite(suite(name, component, report));
    }
    if !report.manifests.is_empty() {
        all.add_test_suite(proofs(name, report));
    }
    Ok(all.to_string()?)
}

fn suite(name: &str, component: &ComponentReport, report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(format!("{name}.{}", component.id));
    suite.add_property(("verdict", report.verdict.name()));
    for missing in &report.missing {
        suite.add_property(("missing", missing.as_str()));
    }
    for repair in &report.repairs {
        suite.add_property(("repair", repair.cause.as_str()));
    }
    for correction in &component.corrections {
        suite.add_property(("correction", correction.text().as_str()));
    }
    let failed = component.failure.as_ref();
    for rung in Rung::ALL {
        let is_reached = rung <= component.rung;
        // A further process may fail although the application itself answers.
        let fails_here = match failed {
            Some(_) if component.rung == Rung::Answers => rung == Rung::Answers,
            Some(_) => Some(rung) == component.rung.next(),
            None => false,
        };
        let status = match failed.filter(|_| fails_here) {
            Some(failure) => failure_status(failure),
            None if is_reached => TestCaseStatus::success(),
            None => TestCaseStatus::skipped(),
        };
        let mut case = TestCase::new(rung.name(), status);
        case.set_classname(format!("{name}.{}", component.id));
        match rung {
            Rung::Built if is_reached => {
                case.set_time(Duration::from_secs_f64(component.build_seconds));
            }
            Rung::Answers if is_reached => {
                let measured = component.measured.as_ref();
                let startup = measured.map_or(0, |measured| measured.startup_ms);
                case.set_time(Duration::from_millis(startup));
                case.set_system_out(evidence(component));
            }
            _ => {}
        }
        suite.add_test_case(case);
    }
    suite
}

/// A case for each program that runs or checks the manifests.
fn proofs(name: &str, report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(format!("{name}.manifests"));
    for proof in &report.manifests {
        let mut status = match proof.outcome {
            ProofOutcome::Passed => TestCaseStatus::success(),
            ProofOutcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
            ProofOutcome::Skipped => TestCaseStatus::skipped(),
        };
        match proof.outcome {
            ProofOutcome::Passed => {}
            ProofOutcome::Failed => {
                status
                    .set_message(proof.message.as_str())
                    .set_type("manifests")
                    .set_description(proof.log.join("\n"));
            }
            ProofOutcome::Skipped => {
                status.set_message(proof.message.as_str());
            }
        }
        let mut case = TestCase::new(proof.tool.as_str(), status);
        case.set_classname(format!("{name}.manifests"));
        if proof.outcome == ProofOutcome::Passed {
            case.set_system_out(proof.message.as_str());
        }
        suite.add_test_case(case);
    }
    suite
}

/// What shows that it answers.
fn evidence(component: &ComponentReport) -> String {
    let mut text = String::new();
    if let Some(answer) = &component.answer {
        let _ = writeln!(
            text,
            "{} gave {}: {}",
            answer.path, answer.status, answer.body
        );
    }
    for line in component.notes.iter().chain(&component.output) {
        let _ = writeln!(text, "{line}");
    }
    text
}

fn failure_status(failure: &Failure) -> TestCaseStatus {
    let mut text = String::new();
    for place in &failure.places {
        let _ = writeln!(text, "because of {place}");
    }
    for line in &failure.log {
        let _ = writeln!(text, "| {line}");
    }
    for hint in &failure.hints {
        let _ = writeln!(text, "hint: {hint}");
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_message(failure.message.as_str())
        .set_type(failure.cause.name())
        .set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(json: serde_json::Value) -> Report {
        serde_json::from_value(json).expect("a report")
    }

    /// The cases of the only suite: name, what its result is, and its text.
    fn cases(xml: &str) -> Vec<(String, Option<String>, String)> {
        let document = roxmltree::Document::parse(xml).expect("XML");
        let cases = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"));
        let case = |node: roxmltree::Node<'_, '_>| {
            let result = node.children().find(roxmltree::Node::is_element);
            let name = node.attribute("name").expect("a name").to_owned();
            let kind = result.map(|result| result.tag_name().name().to_owned());
            let text = result.and_then(|result| result.text()).unwrap_or_default();
            (name, kind, text.to_owned())
        };
        cases.map(case).collect()
    }

    #[test]
    fn a_failure_is_that_of_the_next_rung_and_those_above_are_skipped() {
        let report = report(serde_json::json!({
            "verdict": "failed", "stand_ins": [],
            "components": [{
                "id": "web", "rung": "built", "notes": [], "answer": null, "measured": null, "build_seconds": 2.5,
                "image_id": null, "image_bytes": 0, "stop_ms": null, "logs": [],
                "failure": {
                    "cause": "ended", "message": "the container ended with 1", "places": ["README.md:3"], "origins": [],
                    "log": ["<b>no & way</b> \u{1b}[31m]]>"], "hints": ["look"]
                }
            }]
        }));
        let xml = junit("app", &report).expect("XML");
        let cases = cases(&xml);
        let kinds: Vec<_> = cases
            .iter()
            .map(|(name, kind, _)| (name.as_str(), kind.as_deref()))
            .collect();
        let expected = [
            ("parsed", None),
            ("built", None),
            ("started", Some("failure")),
            ("listening", Some("skipped")),
            ("answers", Some("skipped")),
        ];
        assert_eq!(kinds, expected);
        let text = &cases[2].2;
        assert!(
            text.contains("README.md:3") && text.contains("<b>no & way</b>"),
            "{text}"
        );
        assert!(
            xml.contains("type=\"ended\"") && xml.contains("time=\"2.500\""),
            "{xml}"
        );
    }

    #[test]
    fn manifests_are_a_suite_with_a_case_for_each_program() {
        let report = report(serde_json::json!({
            "verdict": "failed", "stand_ins": [], "components": [],
            "manifests": [
                {"tool": "podman", "outcome": "failed", "message": "it ended with 1", "log": ["no <pods>"]},
                {"tool": "kubectl", "outcome": "skipped", "message": "kubectl is not installed"},
            ]
        }));
        let xml = junit("app", &report).expect("XML");
        let failure = ("podman".into(), Some("failure".into()), "no <pods>".into());
        let skipped = ("kubectl".into(), Some("skipped".into()), String::new());
        assert_eq!(cases(&xml), [failure, skipped]);
        assert!(
            xml.contains("it ended with 1") && xml.contains("kubectl is not installed"),
            "{xml}"
        );
    }

    #[test]
    fn an_answer_is_evidence() {
        let report = report(serde_json::json!({
            "verdict": "runs-as-documented", "stand_ins": [],
            "components": [{
                "id": "web", "rung": "answers", "notes": ["a note"],
                "answer": {"path": "/", "status": 200, "proven": true, "body": "hello"},
                "measured": null, "build_seconds": 1.0, "image_id": null, "image_bytes": 0, "stop_ms": 5, "logs": [],
                "failure": null
            }]
        }));
        let xml = junit("app", &report).expect("XML");
        let cases = cases(&xml);
        assert_eq!(cases[4].2, "/ gave 200: hello\na note\n");
        assert!(
            !xml.contains("<failure") && !xml.contains("<skipped"),
            "{xml}"
        );
    }
}
