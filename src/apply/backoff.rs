//! How long to wait before trying again: doubling, capped, jittered so that workers don't march in step.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);

/// A database that is back should not wait long for us.
const LONGEST: Duration = Duration::from_secs(5);

/// The waits between the tries of one piece of work.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        wait.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// How often it failed.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }
}
