//! What runs once and ends: prepare steps before each release, and scheduled jobs.

use std::time::{Duration, Instant};

use super::{
    PERIOD, Reached, SHOWN, Site,
    failures::{failure, with_denied},
    reach,
};
use crate::{
    plan::{Command, Origin},
    verify::{
        engine::{ContainerSpec, Engine},
        log::last_lines,
        report::{Cause, ComponentReport, Failure},
    },
};

/// Something that runs once.
pub(super) struct Job<'a> {
    /// What it is, such as the prepare step `migrate`.
    pub what: String,
    /// What kind of failure it is when it fails.
    pub cause: Cause,
    /// Who asked for it.
    pub origin: &'a [Origin],
}

impl<'a> Job<'a> {
    /// Returns the job that is a prepare step.
    pub(super) fn prepare(command: &'a Command) -> Self {
        Self {
            what: format!("the prepare step `{}`", command.command),
            cause: Cause::Prepare,
            origin: &command.origin,
        }
    }
}

impl<E: Engine> Site<'_, E> {
    /// Runs a job in a container of its own, and returns how long it took.
    pub(super) async fn once(
        &self,
        spec: &ContainerSpec,
        job: &Job<'_>,
        report: &mut ComponentReport,
    ) -> Reached<Duration> {
        let id = self.engine.create(self.run, spec).await?;
        let what = format!("{} cannot be run", job.what);
        reach!(self.start(&id, job.cause, &what, job.origin).await);
        let begun = Instant::now();
        let state = loop {
            let state = self.engine.state(&id).await?;
            if !state.running || begun.elapsed() > self.options.prepare_timeout {
                break state;
            }
            tokio::time::sleep(PERIOD).await;
        };
        let took = begun.elapsed();
        report.logs.extend(self.keep_log(&spec.name, &id).await);
        self.trace(&id, report).await?;
        let exit_code = if state.running { None } else { state.exit_code };
        if exit_code == Some(0) {
            return Ok(Ok(took));
        }
        let log = self.engine.logs(&id).await?;
        Ok(Err(self.undone(job, exit_code, &log)))
    }

    /// Runs a prepare step in the container of a service.
    pub(super) async fn prepare_in(&self, service: &str, command: &Command) -> Reached<()> {
        let settings = command
            .env
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let shell = ["sh", "-c", &command.command].map(str::to_owned);
        let words: Vec<String> = ["env".to_owned()]
            .into_iter()
            .chain(settings)
            .chain(shell)
            .collect();
        let job = Job::prepare(command);
        let running = self.engine.exec(service, &words);
        let executed = match tokio::time::timeout(self.options.prepare_timeout, running).await {
            Ok(executed) => executed?,
            Err(_) => return Ok(Err(self.undone(&job, None, ""))),
        };
        if executed.exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let exit_code = executed.exit_code.unwrap_or(-1);
        Ok(Err(self.undone(&job, Some(exit_code), &executed.output)))
    }

    fn undone(&self, job: &Job<'_>, exit_code: Option<i64>, log: &str) -> Failure {
        let what = match exit_code {
            Some(code) => format!("ended with {code}"),
            None => format!(
                "did not end within {} seconds",
                self.options.prepare_timeout.as_secs()
            ),
        };
        let message = format!("{} {what}", job.what);
        let log_end = last_lines(log, SHOWN);
        with_denied(failure(job.cause, message, job.origin, log_end, &[]), log)
    }
}
