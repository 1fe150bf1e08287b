//! How long a program has until it answers.

use std::time::{Duration, Instant};

/// How many times the time that the user gives is given to a program that is at work.
const MOST: u32 = 3;
/// A program is at work that used this share of a core, in percent.
const BUSY: u32 = 20;

/// The time that a program has: what the user gives, and as much again, twice, while the program is
/// still at work. A slow machine is no fault of the application.
pub struct Patience {
    begun: Instant,
    step: Duration,
    steps: u32,
    cpu: Duration,
}

impl Patience {
    /// Returns the patience with a program that was started at `begun` and has `step`.
    pub fn new(begun: Instant, step: Duration) -> Self {
        Self {
            begun,
            step,
            steps: 1,
            cpu: Duration::ZERO,
        }
    }

    /// The time that the program has as far as is known now.
    pub fn limit(&self) -> Duration {
        self.step * self.steps
    }

    /// Returns whether the time of the program is over, of which `used` says how much time of a core
    /// it has used.
    pub async fn is_over(&mut self, used: impl AsyncFnOnce() -> Duration) -> bool {
        if self.begun.elapsed() <= self.limit() {
            return false;
        }
        if self.steps == MOST {
            return true;
        }
        // Only now: the engine answers slowly from the second question on.
        let cpu = used().await;
        let is_busy = cpu.saturating_sub(self.cpu) > self.step * BUSY / 100;
        self.cpu = cpu;
        self.steps += u32::from(is_busy);
        !is_busy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a program that has used 140 ms of a core at the first look, and 40 ms more at each
    /// other, is given `step` again.
    fn steps(step: Duration) -> u32 {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let mut patience = Patience::new(Instant::now() - Duration::from_secs(60), step);
            let mut used = 100;
            let mut look = async || {
                used += 40;
                Duration::from_millis(used)
            };
            while !patience.is_over(&mut look).await {}
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
