//! The ledger: every step of the documents gets exactly one fate.

use std::{
    collections::{BTreeSet, HashMap},
    mem::{Discriminant, discriminant},
};

use super::{Fate, LedgerEntry, Origin, OriginKind};
use crate::step::{Action, InstallStep};

/// The fates of `steps`, filled in while the plan is made.
pub struct Ledger<'s> {
    /// The steps, in the order of the documents.
    pub steps: &'s [InstallStep],
    fates: Vec<Option<Outcome>>,
    /// Whether a step is one of what is planned just now.
    in_scope: Vec<bool>,
    /// Steps whose fate is that of a service, and that install packages besides.
    shared: BTreeSet<usize>,
    /// Steps that start the application by running a file of it.
    starts: BTreeSet<usize>,
    /// Steps of such a file, which are the application's own.
    inside: BTreeSet<usize>,
}

/// For which platforms the documents have steps of each kind.
type Ways = HashMap<Discriminant<Action>, Way>;

#[derive(Default)]
struct Way {
    /// Whether there is one for any platform.
    is_neutral: bool,
    /// The platform of the first one that is for one.
    first: Option<String>,
}

/// What became of a step: fate, target, reason.
type Outcome = (Fate, Option<String>, Option<String>);

impl<'s> Ledger<'s> {
    /// Returns a ledger in which the fate of no step is known, but for those that the step itself
    /// settles: other platforms, skipped commands, changes of the folder.
    pub fn new(steps: &'s [InstallStep]) -> Self {
        let mut ledger = Self {
            steps,
            fates: vec![None; steps.len()],
            in_scope: vec![true; steps.len()],
            shared: BTreeSet::new(),
            starts: BTreeSet::new(),
            inside: BTreeSet::new(),
        };
        let mut ways = Ways::new();
        for step in steps {
            let ways = ways.entry(discriminant(&step.action)).or_default();
            match &step.context.platform {
                None => ways.is_neutral = true,
                platform if ways.first.is_none() => ways.first.clone_from(platform),
                _ => {}
            }
        }
        for (index, step) in steps.iter().enumerate() {
            if let Some(platform) = &step.context.platform
                && !ledger.is_only_way(index, &ways)
            {
                ledger.skip(index, "other-platform", Some(platform));
                continue;
            }
            if step.context.is_alternative && ledger.is_done_before(index) {
                ledger.skip(index, "alternative-not-taken", None);
                continue;
            }
            match &step.action {
                Action::Skip(reason) => ledger.skip(index, reason, None),
                Action::ChangeDirectory => {
                    ledger.skip(index, "becomes-the-working-directory", None)
                }
                Action::Clone => ledger.skip(index, "repository-is-the-build-context", None),
                Action::Other => ledger.skip(index, "unknown-command", None),
                _ => {}
            }
        }
        ledger
    }

    /// Returns whether no step for Debian, or for any platform, does what step `index` does: then
    /// the documents know only this platform, and what they say there holds for the application.
    fn is_only_way(&self, index: usize, ways: &Ways) -> bool {
        let step = &self.steps[index];
        let is_work = matches!(
            step.action,
            Action::Install
                | Action::Build
                | Action::Start
                | Action::Script(_)
                | Action::Prepare
                | Action::SystemPackages { .. }
        );
        let Some(ways) = ways.get(&discriminant(&step.action)) else {
            return false;
        };
        // Of several platforms the first one that the documents name.
        is_work && !ways.is_neutral && ways.first == step.context.platform
    }

    /// Returns whether a step shortly above `index` does the same thing and is still open.
    fn is_done_before(&self, index: usize) -> bool {
        const NEAR: usize = 4;
        let step = &self.steps[index];
        let does = |other: &Action| discriminant(other) == discriminant(&step.action);
        // Which of several start commands is taken is decided where all of them are known.
        let is_work = matches!(
            step.action,
            Action::Install | Action::Build | Action::SystemPackages { .. } | Action::Prepare
        );
        let near = index.saturating_sub(NEAR)..index;
        is_work
            && near
                .into_iter()
                .any(|other| self.is_open(other) && does(&self.steps[other].action))
    }

    /// Sets the fate of step `index`; the first one that is set stays.
    pub fn set(&mut self, index: usize, fate: Fate, target: &str, reason: Option<String>) {
        let entry = &mut self.fates[index];
        if entry.is_none() {
            *entry = Some((fate, Some(target.to_owned()), reason));
        }
    }

    /// Skips step `index` for `reason`, a word in kebab-case, with a remark behind it.
    pub fn skip(&mut self, index: usize, reason: &str, remark: Option<&str>) {
        let reason = match remark {
            Some(remark) => format!("{reason}: {remark}"),
            None => reason.to_owned(),
        };
        let entry = &mut self.fates[index];
        if entry.is_none() {
            *entry = Some((Fate::Skipped, None, Some(reason)));
        }
    }

    /// Says that step `index`, whose fate a service has set, may install packages besides: then it is
    /// open to [`Ledger::take_packages`].
    pub fn share(&mut self, index: usize) {
        let installs = matches!(self.steps[index].action, Action::SystemPackages { .. });
        if installs && self.is_open(index) {
            self.shared.insert(index);
        }
    }

    /// Returns whether the packages that step `index` installs are open to be taken.
    pub fn has_packages(&self, index: usize) -> bool {
        self.is_open(index) || self.shared.contains(&index) && self.in_scope[index]
    }

    /// Sets the fate of step `index`, which installs packages, for those that were taken.
    pub fn take_packages(&mut self, index: usize, remark: Option<String>) {
        if self.shared.remove(&index) {
            self.fates[index] = None;
        }
        self.set(index, Fate::Dockerfile, "Dockerfile", remark);
    }

    /// Lets step `index` start the application by the file that it runs; the steps of that file are
    /// no steps of their own.
    pub fn start_by_file(&mut self, index: usize, file: &str) {
        self.fates[index] = None;
        self.starts.insert(index);
        for (inner, step) in self.steps.iter().enumerate().skip(index + 1) {
            if step.source.path == file {
                let reason = "part-of-a-script-that-is-run".to_owned();
                self.fates[inner] = Some((Fate::Skipped, None, Some(reason)));
                self.inside.insert(inner);
            }
        }
    }

    /// Returns whether step `index` starts the application by the file that it runs.
    pub fn starts_by_file(&self, index: usize) -> bool {
        self.starts.contains(&index)
    }

    /// Returns whether step `index` is one of a file that starts the application.
    pub fn is_of_application(&self, index: usize) -> bool {
        self.inside.contains(&index)
    }

    /// From now on only the steps for which `belongs` holds are open to be taken.
    pub fn enter(&mut self, belongs: impl Fn(&InstallStep) -> bool) {
        self.in_scope = self.steps.iter().map(belongs).collect();
    }

    /// As [`Ledger::enter`], among the steps that are open to be taken already.
    pub fn narrow(&mut self, belongs: impl Fn(&InstallStep) -> bool) {
        for (step, in_scope) in self.steps.iter().zip(&mut self.in_scope) {
            *in_scope &= belongs(step);
        }
    }

    /// Returns which steps are open to be taken, for [`Ledger::restore`].
    pub fn scope(&self) -> Vec<bool> {
        self.in_scope.clone()
    }

    /// Goes back to the steps of `scope`.
    pub fn restore(&mut self, scope: Vec<bool>) {
        self.in_scope = scope;
    }

    /// Returns whether the fate of step `index` is still open.
    pub fn is_open(&self, index: usize) -> bool {
        self.fates[index].is_none() && self.in_scope[index]
    }

    /// Returns the open steps with their indexes.
    pub fn open(&self) -> impl Iterator<Item = (usize, &'s InstallStep)> + '_ {
        let steps = self.steps;
        steps
            .iter()
            .enumerate()
            .filter(|(index, _)| self.is_open(*index))
    }

    /// Returns the entries; a step that nothing took is skipped as such.
    pub fn entries(&self) -> Vec<LedgerEntry> {
        self.steps
            .iter()
            .zip(&self.fates)
            .map(|(step, fate)| {
                let (fate, target, reason) = fate.clone().unwrap_or_else(|| {
                    (
                        Fate::Skipped,
                        None,
                        Some("alternative-not-taken".to_owned()),
                    )
                });
                LedgerEntry {
                    file: step.source.path.clone(),
                    line: step.source.line(step.span.start),
                    command: step.text.clone(),
                    fate,
                    target,
                    reason,
                }
            })
            .collect()
    }
}

/// Returns the origin of `step`.
pub fn origin(step: &InstallStep) -> Origin {
    Origin::at(
        OriginKind::Readme,
        &step.source.path,
        step.source.line(step.span.start),
        &step.text,
    )
}
