//! `.longshore.json`: what a run left beside the files that it wrote.
//!
//! Teams commit it, so it may be a stranger's. It is a record and no proof: every value is checked like
//! any other input, a repair is named by its rule and made again by the catalogue's own one, and what was
//! recorded counts only for the very files that it was recorded for.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    history::Moment,
    input::digest,
    name::{HttpPath, MountPath},
    output::{OutputFolder, OutputPath, Present},
    plan::{BuildPlan, Component, Correction, Measured, Recorded},
    recipe::Stage,
    render::Artifact,
    repo::STATE,
    verify::{self, Repair, Report, Written},
};

/// The generated file that tells of the record, and so is none of those that it was made for.
const REPORT: &str = "CONTAINER.md";

/// What longshore remembers between runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// SHA-256 of each file as it was written, by path.
    pub files: BTreeMap<OutputPath, String>,
    /// What a smoke run found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
}

/// What a smoke run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The day in UTC, ISO 8601.
    pub on: String,
    /// SHA-256 of the plan before repairs and measurements.
    pub plan: String,
    /// SHA-256 of the files that were made then; see [`digest_of`].
    pub files: String,
    /// What was repaired, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<RepairRecord>,
    /// What was measured, by component.
    pub components: BTreeMap<String, ComponentRecord>,
}

/// A repair: its rule, and what that went by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepairRecord {
    /// Id of the component.
    pub component: String,
    /// Id of the rule.
    pub rule: String,
    /// What the groups of the rule's expression captured, or what a last resort went by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captured: BTreeMap<String, String>,
    /// Where it failed.
    pub during: Stage,
    /// What a run as root wrote.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
}

/// What was found of a component.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentRecord {
    /// The measurements.
    pub measured: Measured,
    /// The path that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<AnswerRecord>,
}

/// A path that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRecord {
    /// The path.
    pub path: String,
    /// The status that it gave.
    pub status: u16,
}

impl State {
    /// Reads what an earlier run left in `folder`; no file is an empty state.
    ///
    /// # Errors
    ///
    /// When the file is no record: why, with its line. Nothing of it counts then, so that every file
    /// is a person's.
    pub fn read(folder: &OutputFolder) -> Result<Self, String> {
        let text = match folder.read(&OutputPath::fixed(STATE)) {
            Ok(Present::File(text)) => text,
            Ok(Present::Missing) => return Ok(Self::default()),
            Ok(Present::Other(why)) => return Err(why),
            Err(error) => return Err(format!("{error:#}")),
        };
        let state: Self = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        match state.verified.as_ref().map(Verified::check) {
            Some(Err(why)) => Err(why),
            Some(Ok(())) | None => Ok(state),
        }
    }
}

impl Verified {
    /// Returns the record of a smoke run with `report`: of the plan with the digest `hash` that became
    /// `plan` and, rendered, `artifacts`.
    pub fn of(report: &Report, hash: &str, plan: &BuildPlan, artifacts: &[Artifact]) -> Self {
        let components = plan.components.iter().filter_map(|component| {
            let measured = component.measured.clone()?;
            let health = component.health.as_ref().filter(|health| health.proven);
            let answered = health.map(|health| AnswerRecord {
                path: health.path.clone(),
                status: health.status,
            });
            let record = ComponentRecord { measured, answered };
            Some((component.id.clone(), record))
        });
        let repairs = match report.verdict.is_success() {
            true => &report.repairs[..],
            false => &[],
        };
        Self {
            on: Moment::now().day(),
            plan: hash.to_owned(),
            files: digest_of(artifacts),
            repairs: repairs.iter().map(RepairRecord::of).collect(),
            components: components.collect(),
        }
    }

    /// What `CONTAINER.md` says of the record.
    pub fn mark(&self) -> Recorded {
        Recorded {
            on: self.on.clone(),
            files: self.files.clone(),
        }
    }

    /// Writes what was measured into the components of `plan`.
    pub fn apply(&self, plan: &mut BuildPlan) {
        for component in &mut plan.components {
            if let Some(record) = self.components.get(&component.id) {
                record.apply(component);
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        if Moment::of_day(&self.on).is_none() {
            return Err(format!("`{}` is no day", self.on));
        }
        for (what, text) in [("plan", &self.plan), ("files", &self.files)] {
            if text.len() != 64 || !text.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(format!("`{text}` is no SHA-256 of the {what}"));
            }
        }
        self.components
            .values()
            .try_for_each(ComponentRecord::check)
    }
}

impl RepairRecord {
    /// Returns what is kept of `repair`.
    pub fn of(repair: &Repair) -> Self {
        Self {
            component: repair.component.clone(),
            rule: repair.rule.clone(),
            captured: repair.captured.clone(),
            during: repair.during,
            written: repair.written.clone(),
        }
    }
}

impl ComponentRecord {
    fn apply(&self, component: &mut Component) {
        component.take_over(&self.measured);
        if let (Some(health), Some(answered)) = (&mut component.health, &self.answered) {
            verify::proven(health, &answered.path, answered.status);
        }
    }

    fn check(&self) -> Result<(), String> {
        let measured = &self.measured;
        let load = measured.load.as_ref().map(|load| &load.path);
        let answered = self.answered.as_ref().map(|answered| &answered.path);
        for path in load.into_iter().chain(answered) {
            HttpPath::parse(path).ok_or_else(|| format!("`{path}` is no path of HTTP"))?;
        }
        let status = self.answered.as_ref().map(|answered| answered.status);
        if let Some(status) = status.filter(|status| !(100..600).contains(status)) {
            return Err(format!("{status} is no status of HTTP"));
        }
        check_numbers(measured)?;
        for address in &measured.listening {
            let is_address = address.parse::<std::net::SocketAddr>().is_ok();
            let is_any = address
                .strip_prefix("*:")
                .is_some_and(|port| port.parse::<u16>().is_ok());
            if !is_address && !is_any {
                return Err(format!("`{address}` is no address with a port"));
            }
        }
        let corrected = measured.corrections.iter().flat_map(|found| match found {
            Correction::Volume { path, written, .. } => vec![path, written],
            Correction::Port { .. } | Correction::Protocol { .. } => Vec::new(),
        });
        for path in measured.written.iter().chain(corrected) {
            MountPath::parse(path).ok_or_else(|| format!("`{path}` is no path in a container"))?;
        }
        Ok(())
    }
}

/// The longest time, the most memory and the most processor time that a smoke run can have measured.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const PEBIBYTE: u64 = 1 << 50;
const MILLICORES: u64 = 1 << 24;

fn check_numbers(measured: &Measured) -> Result<(), String> {
    let load = measured.load.as_ref();
    let cpu = load.and_then(|load| load.cpu_millicores).map(u64::from);
    let numbers = [
        ("milliseconds", Some(measured.startup_ms), DAY_MS),
        ("milliseconds", measured.stop_ms, DAY_MS),
        ("bytes", Some(measured.peak_memory_bytes), PEBIBYTE),
        ("bytes", measured.steady_memory_bytes, PEBIBYTE),
        (
            "thousandths of a core",
            measured.startup_cpu_millicores,
            MILLICORES,
        ),
        (
            "thousandths of a core",
            measured.steady_cpu_millicores,
            MILLICORES,
        ),
        ("thousandths of a core", cpu, MILLICORES),
    ];
    for (unit, number, most) in numbers {
        if let Some(number) = number.filter(|number| *number > most) {
            return Err(format!("{number} {unit} cannot have been measured"));
        }
    }
    let rates = load
        .into_iter()
        .flat_map(|load| [Some(load.unloaded_p95_ms), Some(load.limit_ms), load.knee]);
    match rates
        .flatten()
        .find(|number| !(1e-6..=1e9).contains(number))
    {
        Some(number) => Err(format!("{number} cannot have been measured under a load")),
        None => Ok(()),
    }
}

/// Returns the SHA-256 of all `artifacts` but `CONTAINER.md`: of their digests with their paths, as
/// `sha256sum` prints them.
pub fn digest_of(artifacts: &[Artifact]) -> String {
    let lines: BTreeMap<&str, String> = artifacts
        .iter()
        .filter(|artifact| artifact.path.as_str() != REPORT)
        .map(|artifact| (artifact.path.as_str(), digest(artifact.contents.as_bytes())))
        .collect();
    let lines = lines
        .into_iter()
        .map(|(path, digest)| format!("{digest}  {path}\n"));
    digest(lines.collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<State, String> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(STATE), text).expect("written");
        State::read(&OutputFolder::at(folder.path()))
    }

    /// A record with `measured` and `answered` of one component.
    fn recorded(on: &str, measured: &str, answered: &str) -> Result<State, String> {
        let digest = "0".repeat(64);
        read(&format!(
            r#"{{"files": {{}}, "verified": {{"on": "{on}", "plan": "{digest}", "files": "{digest}", "components":
            {{"web": {{"measured": {{"startup_ms": 1, "peak_memory_bytes": 1, {measured}}}, "answered": {answered}}}}}}}}}"#
        ))
    }

    const MEASURED: &str =
        r#""listening": ["0.0.0.0:80", "*:81", "[::]:82"], "written": ["/srv/a"]"#;
    const ANSWERED: &str = r#"{"path": "/a?b=c", "status": 200}"#;

    #[test]
    fn a_record_is_read_with_all_its_values_checked() {
        recorded("2026-12-01", MEASURED, ANSWERED).expect("a record");
        for (on, measured, answered, why) in [
            ("yesterday", MEASURED, ANSWERED, "`yesterday` is no day"),
            (
                "2026-12-01",
                r#""listening": ["x</p>"], "written": []"#,
                ANSWERED,
                "is no address",
            ),
            (
                "2026-12-01",
                r#""listening": [], "written": ["a b\nc"]"#,
                ANSWERED,
                "is no path",
            ),
            (
                "2026-12-01",
                MEASURED,
                r#"{"path": "/ || touch x", "status": 200}"#,
                "is no path of HTTP",
            ),
            (
                "2026-12-01",
                MEASURED,
                r#"{"path": "/", "status": 2}"#,
                "2 is no status",
            ),
            (
                "2026-12-01",
                MEASURED,
                r#"{"path": "/", "status": 200, "x": 1}"#,
                "unknown field `x`",
            ),
        ] {
            let error = recorded(on, measured, answered).expect_err("it is wrong");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn numbers_that_nobody_can_measure_are_refused() {
        let huge = MEASURED.replace(
            "\"listening\"",
            "\"stop_ms\": 18446744073709551615, \"listening\"",
        );
        let error = recorded("2026-12-01", &huge, ANSWERED).expect_err("it is wrong");
        assert!(
            error.contains("milliseconds cannot have been measured"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_record_is_said_with_its_line() {
        let error = read("{\n  \"files\": {},\n  \"hooks\": []\n}").expect_err("it is wrong");
        assert!(
            error.contains("unknown field `hooks`") && error.contains("line 3"),
            "{error}"
        );
        let error = read(r#"{"files": {"../x": ""}}"#).expect_err("it is wrong");
        assert!(error.contains("../x"), "{error}");
    }
}
