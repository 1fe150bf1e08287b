//! What to say of a rung that was not reached.

use std::time::Duration;

use super::{SHOWN, Site};
use crate::{
    origin::{Origin, places},
    plan::Component,
    verify::{
        denied,
        engine::{Engine, State},
        listening::Listener,
        log::last_lines,
        report::{Cause, Failure},
    },
};

impl<E: Engine> Site<'_, E> {
    pub(super) async fn ended(
        &self,
        component: &Component,
        id: &str,
        state: &State,
    ) -> anyhow::Result<Failure> {
        let log = self.engine.logs(id).await?;
        let (cause, message) = if state.out_of_memory {
            let limit = self.options.memory_limit >> 20;
            (
                Cause::OutOfMemory,
                format!("the kernel ended it: it wants more than {limit} MiB of memory"),
            )
        } else {
            let code = state.exit_code.unwrap_or(-1);
            (Cause::Ended, format!("the container ended with {code}"))
        };
        let is_done = state.exit_code == Some(0) && component.main_port().is_some();
        let hints: &[&str] = if is_done {
            &[
                "a container lives as long as its first process: start the server in the foreground, not as a daemon",
            ]
        } else {
            &[]
        };
        let ended = failure(
            cause,
            message,
            start_origin(component),
            last_lines(&log, SHOWN),
            hints,
        );
        Ok(with_denied(ended, &log))
    }

    pub(super) async fn not_listening(
        &self,
        component: &Component,
        id: &str,
        port: u16,
        found: &[Listener],
        limit: Duration,
    ) -> anyhow::Result<Failure> {
        let printed = self.engine.logs(id).await?;
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        let local = match found {
            [one] if one.is_local() => Some(one),
            found => found
                .iter()
                .find(|listener| listener.port == port && listener.is_local()),
        };
        let (cause, message, hint) = match (local, shown.is_empty()) {
            (Some(local), _) => (
                Cause::LocalOnly,
                format!(
                    "it listens on {local} only, where nothing outside its container reaches it"
                ),
                "make it listen on 0.0.0.0: by a flag of the start command, or a setting that the code reads",
            ),
            (None, false) => (
                Cause::OtherPort,
                format!("it listens on {}, not on {port}", shown.join(" and ")),
                "correct the port in the README, or the start command",
            ),
            (None, true) => (
                Cause::NoPort,
                format!("it opened no port within {} seconds", limit.as_secs()),
                "give it more time with `--start-timeout`, if it needs that",
            ),
        };
        let log = last_lines(&printed, SHOWN);
        let mut silent = failure(cause, message, start_origin(component), log, &[hint]);
        if let Some(line) = repeated(&silent.log).filter(|_| cause == Cause::NoPort) {
            let hint =
                format!("it prints `{line}` again and again: what it starts may crash in a loop");
            silent.hints.insert(0, hint);
        }
        Ok(with_denied(silent, &printed))
    }
}

/// The last line that stands in the log at least three times.
fn repeated(log: &[String]) -> Option<&String> {
    let count = |line: &String| log.iter().filter(|known| *known == line).count();
    log.iter().rev().find(|line| count(line) >= 3)
}

pub(super) fn start_origin(component: &Component) -> &[Origin] {
    component.start.as_ref().map_or(&[], |start| &start.origin)
}

/// Says in the hints which paths the program could not write.
pub(super) fn with_denied(mut failure: Failure, log: &str) -> Failure {
    for path in denied::paths(log) {
        failure.hints.push(format!("it cannot write `{path}`: the root file system is read-only; make it a volume if it must"));
    }
    failure
}

pub(super) fn failure(
    cause: Cause,
    message: String,
    origins: &[Origin],
    log: Vec<String>,
    hints: &[&str],
) -> Failure {
    Failure {
        cause,
        message,
        places: places(origins),
        origins: origins.to_vec(),
        log,
        hints: hints.iter().map(|hint| (*hint).to_owned()).collect(),
    }
}
