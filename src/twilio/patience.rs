//! How long to wait before asking Twilio again, and when to give up.
//!
//! In: why the last answer was none. Out: a wait, jittered, longer each time, never shorter than asked for.

use super::answer::Trouble;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);

/// Limits of Twilio's are by the minute, as far as is known.
const LONGEST: Duration = Duration::from_secs(60);

/// Whoever asks for more than a quarter of an hour is asked again after that all the same.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(900);

/// About ten minutes of waiting in all; a person, or the next day's reconciliation, tries again.
pub(super) const TRIES: u32 = 15;

/// The tries of one page.
#[derive(Debug)]
pub(super) struct Patience {
    failures: u32,
    most: u32,
}

impl Patience {
    pub(super) fn new(most: u32) -> Self {
        Self { failures: 0, most }
    }

    pub(super) fn tries(&self) -> u32 {
        self.failures
    }

    /// Waits; `false` when there was enough of it.
    pub(super) async fn wait(&mut self, trouble: &Trouble) -> bool {
        self.failures += 1;
        if self.failures >= self.most {
            return false;
        }
        let wait = self.next(trouble.retry_after);
        if self.failures > 1 || wait > FIRST * 2 {
            tracing::warn!(seconds = wait.as_secs(), "{}; asking again", trouble.what);
        }
        tokio::time::sleep(wait).await;
        true
    }

    fn next(&self, asked_for: Option<Duration>) -> Duration {
        let wait = FIRST.saturating_mul(1 << (self.failures - 1).min(10)).min(LONGEST);
        let wait = wait.mul_f64(0.5 + fastrand::f64() / 2.0);
        match asked_for {
            // Not all at the same moment, and not a moment before.
            Some(asked_for) => asked_for.min(LONGEST_ASKED_FOR) + wait / 4,
            None => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_never_shorter_than_asked_for() {
        let mut patience = Patience::new(TRIES);
        for failures in 1..TRIES {
            patience.failures = failures;
            let own = patience.next(None);
            assert!(own <= LONGEST && own >= FIRST / 2, "{own:?}");
            let asked_for = Duration::from_secs(90);
            assert!(patience.next(Some(asked_for)) >= asked_for);
        }
        assert!(patience.next(None) >= LONGEST / 2);
        assert!(patience.next(Some(Duration::from_secs(86_400))) < Duration::from_secs(1000));
    }
}
