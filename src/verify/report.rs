//! What a smoke run found, as data.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    origin::{Origin, OriginKind},
    plan::{BuildPlan, Correction, Health, Measured},
    recipe::{Edit, Stage},
};

/// What a smoke run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The result in one word.
    pub verdict: Verdict,
    /// Each component, in the order of the plan.
    pub components: Vec<ComponentReport>,
    /// Images that stood in for official ones, so that sizes and versions differ from these.
    pub stand_ins: Vec<String>,
    /// What became of the manifests, where they were to be run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<Proof>,
    /// What was repaired on the way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
    /// What has to be given before it can run, where the verdict is one of `blocked-…`.
    #[serde(default)]
    pub missing: Vec<String>,
}

/// What came of giving the manifests to a program that runs or checks them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The program: `podman` or `kubectl`.
    pub tool: String,
    /// How it went.
    pub outcome: ProofOutcome,
    /// What happened, in one sentence.
    pub message: String,
    /// What the program or the container said, where it went wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

/// How a proof of the manifests went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProofOutcome {
    /// They run, or the server takes them.
    Passed,
    /// They do not.
    Failed,
    /// What is needed is not there; the message says what.
    Skipped,
}

impl ProofOutcome {
    /// Returns the words for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "manifests proven",
            Self::Failed => "manifests failed",
            Self::Skipped => "manifests not tried",
        }
    }
}

/// What repaired a plan, by a rule of `recipes/repairs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Repair {
    /// Id of the component.
    pub component: String,
    /// Id of the rule, such as `python-module-undeclared`.
    pub rule: String,
    /// What had failed, in a few words.
    pub cause: String,
    /// The line of the log that showed it; empty for a repair that an earlier run recorded.
    pub log: String,
    /// What was done to the plan.
    pub edits: Vec<Edit>,
    /// What the groups of the rule's expression captured, or what a last resort went by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub captured: BTreeMap<String, String>,
    /// Where it failed.
    pub during: Stage,
    /// What a run as root wrote, where the rule asks for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
}

/// The result of a smoke run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Built, started and answered as the documents say.
    RunsAsDocumented,
    /// The same after a repair of the plan.
    RunsAfterRepair,
    /// Needs a secret that only its owner has.
    BlockedSecret,
    /// Needs a private package, image or host.
    BlockedPrivateDependency,
    /// Needs hardware that is not there.
    BlockedHardware,
    /// The documents and manifests do not say how to start it.
    ReadmeInsufficient,
    /// Did not get to the last rung.
    Failed,
}

impl Verdict {
    /// Returns the verdict that a rule calls `word`, if it is one of those of something that only
    /// other people can give.
    pub fn blocked(word: &str) -> Option<Self> {
        let all = [
            Self::BlockedSecret,
            Self::BlockedPrivateDependency,
            Self::BlockedHardware,
        ];
        all.into_iter().find(|verdict| verdict.name() == word)
    }

    /// Returns the word for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::RunsAsDocumented => "runs-as-documented",
            Self::RunsAfterRepair => "runs-after-repair",
            Self::BlockedSecret => "blocked-secret",
            Self::BlockedPrivateDependency => "blocked-private-dependency",
            Self::BlockedHardware => "blocked-hardware",
            Self::ReadmeInsufficient => "readme-insufficient",
            Self::Failed => "failed",
        }
    }

    /// Returns whether the container runs.
    pub fn is_success(self) -> bool {
        matches!(self, Self::RunsAsDocumented | Self::RunsAfterRepair)
    }
}

/// How far a component got.
#[derive(
    Debug, Clone, Default, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// It was understood.
    #[default]
    Parsed,
    /// Its image was built.
    Built,
    /// Its container ran, without ending.
    Started,
    /// It listened on its planned port on all addresses.
    Listening,
    /// It answered; a program without a port ended with 0, or stayed up.
    Answers,
}

impl Rung {
    /// All of them, from the lowest.
    pub const ALL: [Self; 5] = [
        Self::Parsed,
        Self::Built,
        Self::Started,
        Self::Listening,
        Self::Answers,
    ];

    /// Returns the one above.
    pub fn next(self) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| *rung > self)
    }

    /// Returns the word for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parsed => "parsed",
            Self::Built => "built",
            Self::Started => "started",
            Self::Listening => "listening",
            Self::Answers => "answers",
        }
    }
}

/// What was found of one component.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComponentReport {
    /// Its id in the plan.
    pub id: String,
    /// The highest rung it reached.
    pub rung: Rung,
    /// What the run noticed, one sentence each.
    pub notes: Vec<String>,
    /// What was found to be other than planned, each proven by the run that this report is of.
    #[serde(default)]
    pub corrections: Vec<Correction>,
    /// The same of this run, which no further run has proven yet.
    #[serde(skip)]
    pub proposed: Vec<Correction>,
    /// What a program without a port printed: the end of it.
    #[serde(default)]
    pub output: Vec<String>,
    /// The path that answered, and its status.
    pub answer: Option<Answered>,
    /// The measurements, where it got far enough.
    pub measured: Option<Measured>,
    /// Seconds that the build took.
    pub build_seconds: f64,
    /// Id of the image, where it was built.
    pub image_id: Option<String>,
    /// Size of the image in bytes.
    pub image_bytes: u64,
    /// Milliseconds from the request to stop until it had ended; `None` where it does not heed
    /// SIGTERM and was killed.
    pub stop_ms: Option<u64>,
    /// The logs that were kept.
    pub logs: Vec<PathBuf>,
    /// The files that it and its prepare steps wrote, where the run was to find that out.
    #[serde(skip)]
    pub traced: Vec<Written>,
    /// Why it got no further.
    pub failure: Option<Failure>,
}

/// A path of its root file system that a container wrote, where it may write everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The path, absolute.
    pub path: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether the image does not have it.
    pub is_new: bool,
}

/// The path that answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// The path.
    pub path: String,
    /// The status of the first answer, before redirects.
    pub status: u16,
    /// Whether it will do as a probe: a success or a redirect.
    pub proven: bool,
    /// The beginning of the body, on one line.
    pub body: String,
}

/// Why a component got no further.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What kind of failure it is.
    pub cause: Cause,
    /// What happened, in one sentence.
    pub message: String,
    /// Where the failing line comes from, such as `README.md:12`.
    pub places: Vec<String>,
    /// The same as data, for repairs.
    pub origins: Vec<Origin>,
    /// The decisive end of the log.
    pub log: Vec<String>,
    /// What to do, one action each.
    pub hints: Vec<String>,
}

/// The kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Nothing says how to start it.
    NoStartCommand,
    /// A step of the Dockerfile failed.
    Build,
    /// The build needs a secret that is not in the environment.
    MissingSecret,
    /// A backing service did not get healthy.
    Service,
    /// A prepare step failed.
    Prepare,
    /// The container ended.
    Ended,
    /// The kernel ended it for want of memory.
    OutOfMemory,
    /// It listens on 127.0.0.1 only, where nothing outside its container reaches it.
    LocalOnly,
    /// It listens on other ports than the planned one.
    OtherPort,
    /// It opened no port in time.
    NoPort,
    /// It answered with an error, or not at all.
    Answer,
    /// A further process ended.
    Process,
    /// A scheduled job, run once, failed.
    Schedule,
}

impl Cause {
    /// Returns the word for people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoStartCommand => "no-start-command",
            Self::Build => "build",
            Self::MissingSecret => "missing-secret",
            Self::Service => "service",
            Self::Prepare => "prepare",
            Self::Ended => "ended",
            Self::OutOfMemory => "out-of-memory",
            Self::LocalOnly => "local-only",
            Self::OtherPort => "other-port",
            Self::NoPort => "no-port",
            Self::Answer => "answer",
            Self::Process => "process",
            Self::Schedule => "schedule",
        }
    }
}

impl Report {
    /// Returns what is missing where something blocks the run: of each component that failed, the
    /// cause that a rule found or the message.
    pub fn blocked_by(&self) -> Vec<String> {
        let is_blocked = matches!(
            self.verdict,
            Verdict::BlockedSecret | Verdict::BlockedPrivateDependency | Verdict::BlockedHardware
        );
        let failures = self
            .components
            .iter()
            .filter_map(|component| component.failure.as_ref())
            .filter(|_| is_blocked);
        failures
            .map(|failure| failure.hints.first().unwrap_or(&failure.message).clone())
            .collect()
    }

    /// Returns the report for `components`.
    pub fn new(mut components: Vec<ComponentReport>, mut stand_ins: Vec<String>) -> Self {
        for component in &mut components {
            if let Some(measured) = &mut component.measured {
                measured.corrections.clone_from(&component.corrections);
            }
        }
        stand_ins.sort();
        stand_ins.dedup();
        let failure = components
            .iter()
            .find_map(|component| component.failure.as_ref());
        let is_corrected = components
            .iter()
            .flat_map(|component| &component.corrections)
            .any(|correction| !matches!(correction, Correction::Protocol { .. }));
        let verdict = match failure.map(|failure| failure.cause) {
            None if is_corrected => Verdict::RunsAfterRepair,
            None => Verdict::RunsAsDocumented,
            Some(Cause::NoStartCommand) => Verdict::ReadmeInsufficient,
            Some(Cause::MissingSecret) => Verdict::BlockedSecret,
            Some(_) => Verdict::Failed,
        };
        Self {
            verdict,
            components,
            stand_ins,
            manifests: Vec::new(),
            repairs: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Returns how many rungs all components together climbed: which of two runs came further.
    pub fn rungs(&self) -> usize {
        self.components
            .iter()
            .map(|component| component.rung as usize)
            .sum()
    }

    /// Adds what became of the manifests; those that fail make the whole run fail.
    pub fn add_proofs(&mut self, proofs: Vec<Proof>) {
        let failed = proofs
            .iter()
            .any(|proof| proof.outcome == ProofOutcome::Failed);
        if failed && self.verdict.is_success() {
            self.verdict = Verdict::Failed;
        }
        self.manifests.extend(proofs);
    }

    /// Corrects `plan` as the run found it to be, and returns what it found; `None` where that
    /// changes nothing.
    pub(super) fn correct(&self, plan: &mut BuildPlan) -> Option<String> {
        let before = plan.clone();
        for (found, component) in self.components.iter().zip(&mut plan.components) {
            for correction in &found.proposed {
                component.correct(correction);
            }
        }
        let proposed = self.components.iter().flat_map(|found| &found.proposed);
        let texts: Vec<String> = proposed.map(Correction::text).collect();
        (before != *plan).then(|| texts.join("; "))
    }

    /// Returns `next`, the report of a run with what this one proposed, or, where it got less far,
    /// this one.
    pub(super) fn followed_by(self, mut next: Self) -> Result<Self, Box<Self>> {
        let mut pairs = self.components.iter().zip(&next.components);
        let is_behind = pairs.any(|(first, next)| {
            next.rung < first.rung || next.failure.is_some() && first.failure.is_none()
        });
        if is_behind {
            let mut first = self;
            for component in &mut first.components {
                for correction in component.proposed.drain(..) {
                    component.notes.push(format!(
                        "{}; a second run with that got no further",
                        correction.text()
                    ));
                }
            }
            return Err(Box::new(first));
        }
        for (first, next) in self.components.into_iter().zip(&mut next.components) {
            let mut corrections = first.corrections;
            corrections.extend(first.proposed);
            for correction in next.corrections.drain(..) {
                if !corrections.contains(&correction) {
                    corrections.push(correction);
                }
            }
            next.corrections = corrections;
        }
        let mut report = Self::new(next.components, next.stand_ins);
        report.add_proofs(next.manifests);
        Ok(report)
    }
}

/// Writes what was measured and proven into `plan`.
pub fn apply(report: &Report, plan: &mut BuildPlan) {
    for found in &report.components {
        let Some(component) = plan
            .components
            .iter_mut()
            .find(|component| component.id == found.id)
        else {
            continue;
        };
        for correction in &found.corrections {
            component.correct(correction);
        }
        match &found.measured {
            Some(measured) => component.take_over(measured),
            None => component.measured = None,
        }
        if let (Some(health), Some(answer)) = (
            &mut component.health,
            found.answer.as_ref().filter(|answer| answer.proven),
        ) {
            proven(health, &answer.path, answer.status);
        }
    }
}

/// Writes into `health` that `path` gave `status`.
pub fn proven(health: &mut Health, path: &str, status: u16) {
    path.clone_into(&mut health.path);
    health.status = status;
    health.proven = true;
    health.origin.push(Origin {
        kind: OriginKind::Measured,
        file: None,
        line: None,
        text: Some(format!("{path} gave status {status}")),
    });
}
