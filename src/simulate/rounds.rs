//! Where the work comes from: one script, or one after the other for ever.
//!
//! In: how to make scripts. Out: requests to send, each with the script it belongs to.
//! Promises: every round has a seed of its own.

use super::schedule::{Batches, Order};
use super::script::{DataForm, Pick, Script};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use tokio::time::Instant;

/// One request, until its fate is known.
#[derive(Debug, Clone)]
pub(super) struct Work {
    /// Number of the round.
    pub(super) round: usize,
    pub(super) script: Arc<Script>,
    pub(super) picks: Vec<Pick>,
    pub(super) attempts: u32,
    pub(super) first_sent: Option<Instant>,
    /// Some attempt failed in a way that leaves open whether the events were kept.
    pub(super) may_be_kept: bool,
}

/// How to make the scripts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) calls: u32,
    /// `None`: calls are spread over the time before each round.
    pub(super) start: Option<DateTime<Utc>>,
    pub(super) spread: TimeDelta,
    pub(super) data: DataForm,
    pub(super) order: Order,
    pub(super) forever: bool,
}

/// All requests of a run, in order.
pub(super) struct Rounds {
    plan: Plan,
    round: usize,
    current: Option<(Arc<Script>, Batches)>,
}

impl Rounds {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, round: 0, current: None }
    }

    /// The script of the round that begins now.
    fn script(&self) -> Script {
        let start = self.plan.start.unwrap_or_else(|| Utc::now() - self.plan.spread);
        let seed = self.plan.seed.wrapping_add(self.round as u64);
        Script::new(seed, self.plan.calls, start, self.plan.spread, self.plan.data)
    }
}

impl Iterator for Rounds {
    type Item = Work;

    fn next(&mut self) -> Option<Work> {
        if self.plan.calls == 0 {
            return None;
        }
        loop {
            if self.current.is_none() {
                let script = Arc::new(self.script());
                let batches = Batches::new(Arc::clone(&script), self.plan.order);
                self.current = Some((script, batches));
            }
            let (script, batches) = self.current.as_mut()?;
            if let Some(picks) = batches.next() {
                return Some(Work {
                    round: self.round,
                    script: Arc::clone(script),
                    picks,
                    attempts: 0,
                    first_sent: None,
                    may_be_kept: false,
                });
            }
            if !self.plan.forever {
                return None;
            }
            self.current = None;
            self.round += 1;
        }
    }
}
