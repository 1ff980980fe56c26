//! One call as we know it, and the rule by which what we know grows.
//!
//! In: single events, each a call known by one event. Out: their merge.
//! Promises: `merge` is commutative, associative and idempotent, so the final row is a pure function
//! of the set of events, whatever their order and however often each arrives.
//! Must not know: where events come from, or that there is a database.

use super::event::{EventKey, SummaryState};
use super::value::{EdgeMetric, Value};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// What callsink knows of one call after any number of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct CallSummary {
    /// The call; never empty.
    pub call_sid: String,
    /// The event that wins the row whole.
    pub winner: Winner,
    /// The latest event of each state.
    pub latest: LatestTimes,
    /// When we heard of the call.
    pub received: Received,
}

/// The winning event: everything of the row that comes from one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Winner {
    /// What made it win.
    pub key: EventKey,
    /// CloudEvents `type`, in full.
    pub event_type: String,
    /// CloudEvents `source`.
    pub source: Option<String>,
    /// CloudEvents `dataschema`.
    pub dataschema: Option<String>,
    /// The number at the end of `dataschema`.
    pub schema_version: Option<i32>,
    /// One value per [`SUMMARY_FIELDS`](super::fields::SUMMARY_FIELDS), in their order.
    pub values: Vec<Value>,
    /// Metrics per edge and direction.
    pub edges: Vec<EdgeMetric>,
    /// `data` as sent, as JSON text.
    pub payload: String,
    /// Documented fields whose value could not be read: path and what was found.
    pub unreadable: Vec<String>,
}

/// Per state, the time of the latest event of that state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatestTimes {
    /// Latest `partial`.
    pub partial: Option<DateTime<Utc>>,
    /// Latest `predicted-complete`.
    pub predicted_complete: Option<DateTime<Utc>>,
    /// Latest `complete`.
    pub complete: Option<DateTime<Utc>>,
}

/// When the first and the last event of the call came in, by our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Earliest.
    pub first: DateTime<Utc>,
    /// Latest, repeats included.
    pub last: DateTime<Utc>,
}

impl LatestTimes {
    /// The later of each.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            partial: self.partial.max(other.partial),
            predicted_complete: self.predicted_complete.max(other.predicted_complete),
            complete: self.complete.max(other.complete),
        }
    }
}

impl Received {
    /// The span of both.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

impl CallSummary {
    /// The call as known by a single event that was received at `received`.
    #[must_use]
    pub fn from_event(call_sid: String, winner: Winner, received: DateTime<Utc>) -> Self {
        let time = winner.key.time;
        let mut latest = LatestTimes::default();
        match winner.key.state {
            SummaryState::Partial => latest.partial = time,
            SummaryState::PredictedComplete => latest.predicted_complete = time,
            SummaryState::Complete => latest.complete = time,
            SummaryState::Other => {}
        }
        Self { call_sid, winner, latest, received: Received { first: received, last: received } }
    }

    /// Adds what `other` knows of the same call. The caller sees to it that it is the same call.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!(self.call_sid, other.call_sid);
        Self {
            latest: self.latest.merge(other.latest),
            received: self.received.merge(other.received),
            winner: if other.winner.order(&self.winner).is_gt() {
                other.winner
            } else {
                self.winner
            },
            call_sid: self.call_sid,
        }
    }
}

impl Winner {
    /// Which of two events of one call wins: by key, and where a sender leaves time and id out so that
    /// two different events have equal keys, by what they say, so that the order is total.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.key
            .cmp(&other.key)
            .then_with(|| self.payload.cmp(&other.payload))
            .then_with(|| self.event_type.cmp(&other.event_type))
            .then_with(|| self.dataschema.cmp(&other.dataschema))
            .then_with(|| self.source.cmp(&other.source))
    }
}
