//! Prepare steps: what runs once before each release.

use std::time::Instant;

use super::{
    PERIOD, Reached, SHOWN, Site,
    failures::{failure, with_denied},
    reach,
};
use crate::{
    plan::Command,
    verify::{
        engine::{ContainerSpec, Engine},
        log::last_lines,
        report::{Cause, ComponentReport, Failure},
    },
};

impl<E: Engine> Site<'_, E> {
    /// Runs a prepare step in a container of its own.
    pub(super) async fn prepare(
        &self,
        spec: &ContainerSpec,
        command: &Command,
        report: &mut ComponentReport,
    ) -> Reached<()> {
        let id = self.engine.create(self.run, spec).await?;
        let what = format!("the prepare step `{}` cannot be run", command.command);
        reach!(
            self.start(&id, Cause::Prepare, &what, &command.origin)
                .await
        );
        let begun = Instant::now();
        let state = loop {
            let state = self.engine.state(&id).await?;
            if !state.running || begun.elapsed() > self.options.prepare_timeout {
                break state;
            }
            tokio::time::sleep(PERIOD).await;
        };
        report.logs.extend(self.keep_log(&spec.name, &id).await);
        let exit_code = if state.running { None } else { state.exit_code };
        if exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let log = self.engine.logs(&id).await?;
        Ok(Err(self.unprepared(command, exit_code, &log)))
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
        let running = self.engine.exec(service, &words);
        let executed = match tokio::time::timeout(self.options.prepare_timeout, running).await {
            Ok(executed) => executed?,
            Err(_) => return Ok(Err(self.unprepared(command, None, ""))),
        };
        if executed.exit_code == Some(0) {
            return Ok(Ok(()));
        }
        let exit_code = executed.exit_code.unwrap_or(-1);
        Ok(Err(self.unprepared(
            command,
            Some(exit_code),
            &executed.output,
        )))
    }

    pub(super) fn unprepared(
        &self,
        command: &Command,
        exit_code: Option<i64>,
        log: &str,
    ) -> Failure {
        let what = match exit_code {
            Some(code) => format!("ended with {code}"),
            None => format!(
                "did not end within {} seconds",
                self.options.prepare_timeout.as_secs()
            ),
        };
        let message = format!("the prepare step `{}` {what}", command.command);
        with_denied(
            failure(
                Cause::Prepare,
                message,
                &command.origin,
                last_lines(log, SHOWN),
                &[],
            ),
            log,
        )
    }
}
