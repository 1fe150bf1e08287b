//! What runs beside the application: further processes.

use std::time::Instant;

use super::{
    PERIOD, Reached, SHOWN, Site,
    failures::{failure, with_denied},
};
use crate::{
    origin::Origin,
    verify::{engine::Engine, log::last_lines, report::Cause},
};

impl<E: Engine> Site<'_, E> {
    /// Waits until `deadline`; a process that ends before that is a failure.
    pub(super) async fn stays_up(
        &self,
        id: &str,
        name: &str,
        deadline: Instant,
        origin: &[Origin],
    ) -> Reached<()> {
        loop {
            let state = self.engine.state(id).await?;
            if !state.running {
                let log = self.engine.logs(id).await?;
                let message = format!(
                    "the process {name} ended with {}",
                    state.exit_code.unwrap_or(-1)
                );
                let ended = failure(
                    Cause::Process,
                    message,
                    origin,
                    last_lines(&log, SHOWN),
                    &[],
                );
                return Ok(Err(with_denied(ended, &log)));
            }
            if Instant::now() > deadline {
                return Ok(Ok(()));
            }
            tokio::time::sleep(PERIOD).await;
        }
    }
}
