//! A gate for log lines that a stranger could cause by the million.
//!
//! In: "may I?". Out: yes at most once a second, with the number of times it was no since the last yes.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// At most one line per this.
const INTERVAL: Duration = Duration::from_secs(1);

/// One per kind of line.
#[derive(Debug, Default)]
pub struct Limited {
    state: Mutex<(Option<Instant>, u64)>,
}

impl Limited {
    /// `Some(suppressed)` when a line may be written now.
    pub fn allow(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (last, suppressed) = &mut *state;
        if last.is_some_and(|last| last.elapsed() < INTERVAL) {
            *suppressed += 1;
            return None;
        }
        *last = Some(Instant::now());
        Some(std::mem::take(suppressed))
    }
}
