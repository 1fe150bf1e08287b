//! How long a program has until it answers.

use std::time::{Duration, Instant};

use crate::verify::engine::Engine;

/// How many times the time that the user gives is given to a program that is at work.
const MOST: u32 = 3;
/// A program is at work that used this share of a core, in percent.
const BUSY: u32 = 20;

/// The time that a program has: what the user gives, and as much again, twice, while the program is
/// still at work. A slow machine is no fault of the application.
pub(super) struct Patience {
    begun: Instant,
    step: Duration,
    steps: u32,
    cpu: Duration,
}

impl Patience {
    /// Returns the patience with a program that was started at `begun` and has `step`.
    pub(super) fn new(begun: Instant, step: Duration) -> Self {
        Self {
            begun,
            step,
            steps: 1,
            cpu: Duration::ZERO,
        }
    }

    /// The time that the program has as far as is known now.
    pub(super) fn limit(&self) -> Duration {
        self.step * self.steps
    }

    /// Returns whether the time of the program in container `id` is over.
    pub(super) async fn is_over<E: Engine>(&mut self, engine: &E, id: &str) -> bool {
        if self.begun.elapsed() <= self.limit() {
            return false;
        }
        if self.steps == MOST {
            return true;
        }
        // Only now: the engine answers slowly from the second question on.
        let cpu = engine.usage(id).await.unwrap_or_default().cpu;
        let is_busy = cpu.saturating_sub(self.cpu) > self.step * BUSY / 100;
        self.cpu = cpu;
        self.steps += u32::from(is_busy);
        !is_busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::fake::Fake;

    /// How often a program with the fake's use of the CPU, 140 ms and then 40 ms between two looks,
    /// is given `step` again.
    fn steps(step: Duration) -> u32 {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let fake = Fake::default();
            let mut patience = Patience::new(Instant::now() - Duration::from_secs(60), step);
            while !patience.is_over(&fake, "app").await {}
            patience.steps
        })
    }

    #[test]
    fn a_program_at_work_is_given_more_time_but_not_for_ever() {
        assert_eq!(steps(Duration::from_millis(100)), MOST);
        assert_eq!(steps(Duration::from_millis(400)), 2);
        assert_eq!(steps(Duration::from_secs(2)), 1);
    }
}
