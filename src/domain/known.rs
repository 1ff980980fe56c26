//! All that is known of one call, from events and from the REST API, and the row that this makes.
//!
//! In: what events say of a call, observations of it. Out: their merge, and every column of the row.
//! Promises: `merge` is commutative, associative and idempotent, because it keeps the greatest of each
//! kind whole and lets neither decide over the other; the row is worked out afterwards, as a pure function
//! of both. So it is the same whatever came first, and no kind blanks what only the other carries.

use super::call::{CallSummary, LatestTimes, Received, Winner};
use super::event::SummaryState;
use super::fields::{Provenance, SUMMARY_FIELDS};
use super::rest::RestSummary;
use super::value::{EdgeMetric, Value};
use std::cmp::Ordering;

/// What callsink knows of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownCall {
    /// The call; never empty.
    pub call_sid: String,
    /// The greatest event. At least one of the two is there.
    pub event: Option<Winner>,
    /// The greatest observation.
    pub rest: Option<RestSummary>,
    /// The latest event of each state.
    pub latest: LatestTimes,
    /// When we heard of the call, by an event or by asking.
    pub received: Received,
}

/// Where the fields of a row come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The greatest event.
    Event,
    /// The greatest observation.
    Rest,
}

impl Source {
    /// The word in the column `summary_source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Rest => "rest",
        }
    }
}

impl From<CallSummary> for KnownCall {
    fn from(call: CallSummary) -> Self {
        Self {
            call_sid: call.call_sid,
            event: Some(call.winner),
            rest: None,
            latest: call.latest,
            received: call.received,
        }
    }
}

impl KnownCall {
    /// The call as known by a single observation.
    #[must_use]
    pub fn from_rest(call_sid: String, rest: RestSummary) -> Self {
        let received = Received { first: rest.observed, last: rest.observed };
        let latest = LatestTimes::default();
        Self { call_sid, event: None, rest: Some(rest), latest, received }
    }

    /// Adds what `other` knows of the same call. The caller sees to it that it is the same call.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!(self.call_sid, other.call_sid);
        Self {
            call_sid: self.call_sid,
            event: greatest(self.event, other.event, Winner::order),
            rest: greatest(self.rest, other.rest, RestSummary::order),
            latest: self.latest.merge(other.latest),
            received: self.received.merge(other.received),
        }
    }

    /// Whose fields the row shows.
    #[must_use]
    pub fn source(&self) -> Source {
        match (&self.event, &self.rest) {
            (Some(event), Some(rest)) if rest.wins_over(event) => Source::Rest,
            (None, Some(_)) => Source::Rest,
            _ => Source::Event,
        }
    }

    /// How final what the row shows is.
    #[must_use]
    pub fn state(&self) -> SummaryState {
        match (self.source(), &self.event, &self.rest) {
            (Source::Event, Some(event), _) => event.key.state,
            (Source::Rest, _, Some(rest)) => rest.state,
            _ => SummaryState::Other,
        }
    }

    /// One value per [`SUMMARY_FIELDS`], in their order.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        let (event, rest) = match (&self.event, &self.rest) {
            (Some(event), Some(rest)) => (&event.values, &rest.values),
            (Some(event), None) => return event.values.clone(),
            (None, Some(rest)) => return rest.values.clone(),
            (None, None) => return vec![Value::Null; SUMMARY_FIELDS.len()],
        };
        let source = self.source();
        let shown =
            SUMMARY_FIELDS.iter().zip(event.iter().zip(rest)).map(|(field, (event, rest))| {
                let (first, second) = match (field.provenance, source) {
                    (Provenance::Winner, Source::Event) => return event,
                    (Provenance::Winner, Source::Rest) => return rest,
                    (Provenance::Events, _) | (Provenance::Either, Source::Event) => (event, rest),
                    (Provenance::Rest, _) | (Provenance::Either, Source::Rest) => (rest, event),
                };
                if *first == Value::Null { second } else { first }
            });
        shown.cloned().collect()
    }

    /// Metrics per edge and direction: the winner's.
    #[must_use]
    pub fn edges(&self) -> &[EdgeMetric] {
        self.choose(|event| &*event.edges, |rest| &*rest.edges).0.unwrap_or_default()
    }

    /// Fields of the winner that could not be read.
    #[must_use]
    pub fn unreadable(&self) -> &[String] {
        self.choose(|event| &*event.unreadable, |rest| &*rest.unreadable).0.unwrap_or_default()
    }

    /// The winner's data as sent, and the other's, which the row keeps so that it can be worked out anew.
    #[must_use]
    pub fn payloads(&self) -> (Option<&str>, Option<&str>) {
        self.choose(|event| event.payload.as_str(), |rest| rest.payload.as_str())
    }

    /// Of the winner, and of the other one.
    fn choose<'a, T>(
        &'a self,
        event: impl Fn(&'a Winner) -> T,
        rest: impl Fn(&'a RestSummary) -> T,
    ) -> (Option<T>, Option<T>) {
        let (event, rest) = (self.event.as_ref().map(event), self.rest.as_ref().map(rest));
        match self.source() {
            Source::Event => (event, rest),
            Source::Rest => (rest, event),
        }
    }
}

fn greatest<T>(left: Option<T>, right: Option<T>, order: fn(&T, &T) -> Ordering) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(if order(&right, &left).is_gt() { right } else { left }),
        (left, right) => left.or(right),
    }
}
