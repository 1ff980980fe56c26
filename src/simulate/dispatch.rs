//! Sends batches, and sends again what Twilio would send again.
//!
//! In: batches, an endpoint, limits. Out: the tally, and in the ledger the fate of every event.
//! Promises: 2xx is done; 429, 5xx, timeouts and broken connections are retried with the same bytes,
//! after a growing, jittered wait, until it is time to give up; any other answer drops the events.
//! A waiting request occupies no place among those under way, and some 100 bytes of memory.
//! Source of the rules: Twilio's page on delivery and duplication of events.

use super::dice::{Dice, Purpose};
use super::endpoint::{Attempt, Endpoint};
use super::ledger::Ledger;
use super::rounds::{Rounds, Work};
use super::tally::{Fate, Tally};
use anyhow::Context as _;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Twilio's first wait is not documented; a quarter of a second is short enough to see and to test.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// Then new requests wait for waiting ones: some 100 MB, while Twilio would throttle much earlier.
const MOST_WAITING: usize = 500_000;

/// How fast, how many, how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Requests under way at once.
    pub(super) concurrency: usize,
    /// New events per second; 0: as fast as answers come.
    pub(super) rate: f64,
    pub(super) give_up_after: Duration,
    pub(super) max_backoff: Duration,
    /// Between two lines of progress.
    pub(super) progress: Duration,
}

/// A request that waits for its next attempt; the greatest is the one that is due first.
struct Waiting(Reverse<Instant>, Work);

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Waiting {}
impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// A run under way.
pub(super) struct Dispatch {
    endpoint: Arc<Endpoint>,
    limits: Limits,
    bare: bool,
    started: Instant,
    /// New events so far, for the pace.
    paced: u64,
    sending: JoinSet<anyhow::Result<(Work, Attempt)>>,
    waiting: BinaryHeap<Waiting>,
    dice: Dice,
    /// The numbers.
    pub(super) tally: Tally,
    /// Kept only if somebody will check.
    pub(super) ledger: Option<Ledger>,
}

impl Dispatch {
    pub(super) fn new(
        endpoint: Endpoint,
        limits: Limits,
        bare: bool,
        seed: u64,
        ledger: Option<Ledger>,
    ) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            limits,
            bare,
            started: Instant::now(),
            paced: 0,
            sending: JoinSet::new(),
            waiting: BinaryHeap::new(),
            dice: Dice::new(seed, Purpose::Backoff, 0),
            tally: Tally::new(),
            ledger,
        }
    }

    /// Sends everything, or until `stop`; then what is under way is waited for, what waits is not.
    pub(super) async fn run(
        &mut self,
        rounds: &mut Rounds,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut next = rounds.next();
        let mut report_at = self.started + self.limits.progress;
        loop {
            let now = Instant::now();
            while self.sending.len() < self.limits.concurrency && !stop.is_cancelled() {
                if self.waiting.peek().is_some_and(|Waiting(Reverse(due), _)| *due <= now) {
                    let Some(Waiting(_, work)) = self.waiting.pop() else { break };
                    self.send(work);
                } else if self.new_is_due() <= now
                    && self.waiting.len() < MOST_WAITING
                    && let Some(work) = next.take()
                {
                    next = rounds.next();
                    self.paced += work.picks.len() as u64;
                    self.send(work);
                } else {
                    break;
                }
            }
            if self.sending.is_empty()
                && (stop.is_cancelled() || (next.is_none() && self.waiting.is_empty()))
            {
                break;
            }
            if report_at <= now {
                eprintln!("{}", self.tally.progress(self.waiting.len()));
                report_at = now + self.limits.progress;
            }
            let mut wake = report_at;
            if self.sending.len() < self.limits.concurrency && !stop.is_cancelled() {
                if let Some(Waiting(Reverse(due), _)) = self.waiting.peek() {
                    wake = wake.min(*due);
                }
                if next.is_some() && self.waiting.len() < MOST_WAITING {
                    wake = wake.min(self.new_is_due());
                }
            }
            tokio::select! {
                Some(sent) = self.sending.join_next() => {
                    let (work, attempt) = sent.context("a sender failed")??;
                    self.settle(work, attempt);
                }
                () = sleep_until(wake) => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
        for Waiting(_, work) in std::mem::take(&mut self.waiting) {
            self.close(&work, Fate::Unfinished);
        }
        self.tally.finish();
        Ok(())
    }

    /// When the next new event goes out: the pace does not depend on answers.
    fn new_is_due(&self) -> Instant {
        if self.limits.rate > 0.0 {
            self.started + Duration::from_secs_f64(self.paced as f64 / self.limits.rate)
        } else {
            self.started
        }
    }

    fn send(&mut self, mut work: Work) {
        let duplicates = work.picks.iter().filter(|pick| pick.is_duplicate).count();
        self.tally.sending(work.picks.len(), duplicates, work.attempts > 0);
        work.attempts += 1;
        work.first_sent.get_or_insert_with(Instant::now);
        let (endpoint, bare) = (Arc::clone(&self.endpoint), self.bare);
        self.sending.spawn(async move {
            let body = work.script.body(&work.picks, bare).context("an event cannot be written")?;
            let attempt = endpoint.deliver(body).await;
            Ok((work, attempt))
        });
    }

    fn settle(&mut self, mut work: Work, attempt: Attempt) {
        self.tally.attempted(attempt);
        match attempt {
            Attempt::Answered(200..=299, _) => return self.close(&work, Fate::Acknowledged),
            Attempt::Answered(429 | 500..=599, _) | Attempt::TimedOut | Attempt::Broken => {
                work.may_be_kept = true;
            }
            Attempt::Answered(400..=499, _) => return self.close(&work, Fate::Dropped),
            // What Twilio does with a redirect is not documented; it is not an acknowledgement.
            Attempt::Answered(..) => {
                work.may_be_kept = true;
                return self.close(&work, Fate::Dropped);
            }
            Attempt::NotConnected => {}
        }
        let now = Instant::now();
        let due = now + self.backoff(work.attempts);
        let first_sent = work.first_sent.unwrap_or(now);
        if due.duration_since(first_sent) > self.limits.give_up_after {
            self.close(&work, Fate::GaveUp);
        } else {
            self.waiting.push(Waiting(Reverse(due), work));
        }
    }

    fn close(&mut self, work: &Work, fate: Fate) {
        self.tally.settled(fate, work.picks.len());
        if let Some(ledger) = &mut self.ledger {
            ledger.note(work, fate);
        }
    }

    /// Doubles with every attempt; between half and all of it, so that retries don't come in waves.
    fn backoff(&mut self, attempts: u32) -> Duration {
        let doubled = FIRST_BACKOFF.saturating_mul(1 << attempts.saturating_sub(1).min(20));
        doubled.min(self.limits.max_backoff).mul_f64(self.dice.real(0.5, 1.0))
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
