//! What was sent and what came back, in numbers.
//!
//! In: attempts and final outcomes. Out: a line of progress, a report.
//! Promises: constant memory; answer times are right to an eighth.

use super::endpoint::Attempt;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// What finally became of the events of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Acknowledged,
    /// Refused: Twilio does not try again.
    Dropped,
    /// Tried until time was over.
    GaveUp,
    /// Interrupted while waiting for another attempt.
    Unfinished,
}

/// All numbers of a run.
pub(super) struct Tally {
    started: Instant,
    finished: Option<Instant>,
    events: u64,
    duplicates: u64,
    requests: u64,
    retries: u64,
    answers: BTreeMap<u16, u64>,
    timeouts: u64,
    not_connected: u64,
    broken: u64,
    acknowledged: u64,
    dropped: u64,
    gave_up: u64,
    unfinished: u64,
    times: Histogram,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            finished: None,
            events: 0,
            duplicates: 0,
            requests: 0,
            retries: 0,
            answers: BTreeMap::new(),
            timeouts: 0,
            not_connected: 0,
            broken: 0,
            acknowledged: 0,
            dropped: 0,
            gave_up: 0,
            unfinished: 0,
            times: Histogram::new(),
        }
    }

    /// A request goes out; its events count when they go out first.
    pub(super) fn sending(&mut self, events: usize, duplicates: usize, is_retry: bool) {
        self.requests += 1;
        if is_retry {
            self.retries += 1;
        } else {
            self.events += events as u64;
            self.duplicates += duplicates as u64;
        }
    }

    pub(super) fn attempted(&mut self, attempt: Attempt) {
        match attempt {
            Attempt::Answered(status, took) => {
                *self.answers.entry(status).or_default() += 1;
                self.times.add(took);
            }
            Attempt::TimedOut => self.timeouts += 1,
            Attempt::NotConnected => self.not_connected += 1,
            Attempt::Broken => self.broken += 1,
        }
    }

    pub(super) fn settled(&mut self, fate: Fate, events: usize) {
        let count = match fate {
            Fate::Acknowledged => &mut self.acknowledged,
            Fate::Dropped => &mut self.dropped,
            Fate::GaveUp => &mut self.gave_up,
            Fate::Unfinished => &mut self.unfinished,
        };
        *count += events as u64;
    }

    /// Sending is over; what follows does not count into the time.
    pub(super) fn finish(&mut self) {
        self.finished = Some(Instant::now());
    }

    /// Whether every event that was sent was acknowledged.
    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.acknowledged == self.events
    }

    /// One line.
    pub(super) fn progress(&self, waiting: usize) -> String {
        let elapsed = self.started.elapsed().as_secs_f64();
        format!(
            "{elapsed:.0} s: {} events sent, {} acknowledged ({:.0}/s), {} dropped, {} gave up, \
             {waiting} requests wait for a retry",
            self.events,
            self.acknowledged,
            self.acknowledged as f64 / elapsed.max(0.001),
            self.dropped,
            self.gave_up,
        )
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: &str| writeln!(out, "{name:<24}{value:>12}");
        let elapsed = self.finished.unwrap_or_else(Instant::now) - self.started;
        line("events sent", &self.events.to_string())?;
        line("  of which duplicates", &self.duplicates.to_string())?;
        line("requests", &self.requests.to_string())?;
        line("  of which retries", &self.retries.to_string())?;
        for (status, count) in &self.answers {
            let what = match status {
                200..=299 => "acknowledged",
                429 | 500..=599 => "retried",
                300..=399 => "redirect, dropped",
                _ => "dropped",
            };
            line(&format!("answers {status}"), &format!("{count}  {what}"))?;
        }
        line("no answer in 5 s", &self.timeouts.to_string())?;
        line("connections refused", &self.not_connected.to_string())?;
        line("connections broken", &self.broken.to_string())?;
        line("events acknowledged", &self.acknowledged.to_string())?;
        line("events dropped", &self.dropped.to_string())?;
        line("events given up", &self.gave_up.to_string())?;
        if self.unfinished > 0 {
            line("events interrupted", &self.unfinished.to_string())?;
        }
        let seconds = elapsed.as_secs_f64();
        line("elapsed", &format!("{seconds:.1} s"))?;
        let rate = self.acknowledged as f64 / seconds.max(0.001);
        line("acknowledged per second", &format!("{rate:.0}"))?;
        for (name, value) in [
            ("answer time p50", self.times.quantile(50)),
            ("answer time p99", self.times.quantile(99)),
            ("answer time max", self.times.max),
        ] {
            line(name, &format!("{:.1} ms", value.as_secs_f64() * 1000.0))?;
        }
        Ok(())
    }
}

/// Counts of durations in buckets, eight to each doubling of microseconds.
struct Histogram {
    buckets: [u64; 320],
    count: u64,
    max: Duration,
}

impl Histogram {
    fn new() -> Self {
        Self { buckets: [0; 320], count: 0, max: Duration::ZERO }
    }

    fn add(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.buckets[bucket(micros).min(319)] += 1;
        self.count += 1;
        self.max = self.max.max(duration);
    }

    /// The duration that `percent` of all don't exceed.
    fn quantile(&self, percent: u64) -> Duration {
        let wanted = (self.count * percent).div_ceil(100);
        let mut below = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            below += count;
            if below >= wanted && below > 0 {
                return Duration::from_micros(upper_end(index)).min(self.max);
            }
        }
        Duration::ZERO
    }
}

fn bucket(micros: u64) -> usize {
    if micros < 8 {
        return usize::try_from(micros).unwrap_or_default();
    }
    let exponent = 63 - micros.leading_zeros();
    let eighth = (micros >> (exponent - 3)) & 7;
    usize::try_from(u64::from(exponent - 2) * 8 + eighth).unwrap_or(usize::MAX)
}

/// The largest number of microseconds in a bucket.
fn upper_end(index: usize) -> u64 {
    if index < 8 {
        return index as u64;
    }
    let (doubling, eighth) = (index / 8 - 1, index as u64 % 8);
    ((9 + eighth) << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_bucket_that_ends_no_earlier() {
        for micros in [0, 7, 8, 9, 15, 16, 17, 1000, 4_999_999] {
            let index = bucket(micros);
            assert!(upper_end(index) >= micros, "{micros}");
            assert!(index == 0 || upper_end(index - 1) < micros, "{micros}");
        }
    }

    #[test]
    fn quantiles_are_right_to_an_eighth() {
        let mut times = Histogram::new();
        (1..=1000).for_each(|ms| times.add(Duration::from_millis(ms)));
        let p50 = times.quantile(50).as_millis();
        assert!((500..=563).contains(&p50), "{p50}");
        assert_eq!(times.max, Duration::from_secs(1));
    }

    #[test]
    fn a_run_succeeds_only_when_every_event_is_acknowledged() {
        let mut tally = Tally::new();
        tally.sending(3, 1, false);
        tally.sending(3, 1, true);
        assert!(!tally.is_all_acknowledged());
        tally.settled(Fate::Acknowledged, 3);
        assert!(tally.is_all_acknowledged());
        assert!(tally.to_string().contains("events sent                        3\n"));
    }
}
