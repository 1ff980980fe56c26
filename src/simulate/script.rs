//! The script of a run: every call and event that it will have, made when asked for.
//!
//! In: seed, number of calls, window of time. Out: calls, their events, the bytes of a delivery.
//! Promises: everything follows from seed, start and number, so that nothing has to be kept: a retry, or
//! the check of a row an hour later, makes the same bytes again.

use super::call::Call;
use super::dice::{Dice, Purpose, mix};
use super::events::{self, Event};
use super::{make, payload};
use chrono::{DateTime, TimeDelta, Utc};

/// From the creation of the last call to the end of the window, so that all its events are past.
const REST_OF_WINDOW_MS: i64 = (make::LONGEST_CALL + 35 * 60) * 1000;

/// Shorter windows would put all calls into the same second.
const SHORTEST_MS: i64 = 10 * 60 * 1000;

/// How `data` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DataForm {
    /// As a JSON text within the JSON, as in Twilio's older examples
    String,
    /// As an object, as webhooks do today
    Object,
    /// Either, event by event
    Mixed,
}

/// What a run consists of.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) calls: u32,
    /// When the first call is created, milliseconds since 1970.
    start: i64,
    /// Within how many milliseconds calls are created.
    window: i64,
    data: DataForm,
}

/// One event to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) call: u32,
    /// Position among the events of the call.
    pub(super) event: u8,
    pub(super) is_duplicate: bool,
}

impl Script {
    /// `calls` calls, from `start` on, all over within `spread`.
    pub(super) fn new(
        seed: u64,
        calls: u32,
        start: DateTime<Utc>,
        spread: TimeDelta,
        data: DataForm,
    ) -> Self {
        let window = (spread.num_milliseconds() - REST_OF_WINDOW_MS).max(SHORTEST_MS);
        Self { seed, calls, start: start.timestamp_millis(), window, data }
    }

    /// No event of this or a later call is earlier, milliseconds since 1970.
    pub(super) fn earliest(&self, index: u32) -> i64 {
        let created = self.start + self.window * i64::from(index) / i64::from(self.calls.max(1));
        created.div_euclid(1000) * 1000
    }

    /// The call numbered `index`.
    pub(super) fn call(&self, index: u32) -> Call {
        let mut dice = Dice::new(self.seed, Purpose::Facts, index.into());
        make::call(&mut dice, self.sid(index), self.earliest(index) / 1000)
    }

    /// The sid of the call numbered `index`.
    pub(super) fn sid(&self, index: u32) -> String {
        // Runs at different times are about different calls, even with the same seed.
        let run = mix(self.seed) ^ self.start.unsigned_abs();
        format!("CA{}", Dice::new(run, Purpose::Sid, index.into()).hex(32))
    }

    /// The events of `call`, which is numbered `index`.
    pub(super) fn events(&self, index: u32, call: &Call) -> Vec<Event> {
        events::of(self.seed, index, call)
    }

    /// The body of a delivery: an array, or a bare event where there is only one and `bare` is asked for.
    pub(super) fn body(&self, picks: &[Pick], bare: bool) -> serde_json::Result<Vec<u8>> {
        let mut body = Vec::with_capacity(4096 * picks.len() + 2);
        let is_array = !(bare && picks.len() == 1);
        if is_array {
            body.push(b'[');
        }
        for (position, pick) in picks.iter().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            let call = self.call(pick.call);
            let event = &self.events(pick.call, &call)[usize::from(pick.event)];
            let as_text = match self.data {
                DataForm::String => true,
                DataForm::Object => false,
                DataForm::Mixed => event.form < 300,
            };
            payload::envelope(&mut body, call, event, as_text)?;
        }
        if is_array {
            body.push(b']');
        }
        Ok(body)
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
