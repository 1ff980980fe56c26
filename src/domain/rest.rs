//! A call summary as the REST API gave it at one moment: an observation.
//!
//! In: what `decode` has read. Out: its place among other observations of the call, and against an event.
//! Promises: observations have a total order that no reading order can change.
//! Source of the rules: Twilio says no version and no emission time in REST. So what orders is how final
//! the summary says it is, then when we asked. Against an event: the more final wins; of two final ones the
//! later; of two that are not, one that has a version over one that can't have any.

use super::call::Winner;
use super::event::SummaryState;
use super::value::{EdgeMetric, Value};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// One summary of one call, read from the REST API.
#[derive(Debug, Clone, PartialEq)]
pub struct RestSummary {
    /// How final it says it is. Never predicted-complete: REST does not know that word.
    pub state: SummaryState,
    /// When we asked, by our clock, to the microsecond. It is at least as new as that.
    pub observed: DateTime<Utc>,
    /// One value per [`SUMMARY_FIELDS`](super::fields::SUMMARY_FIELDS), in their order.
    pub values: Vec<Value>,
    /// Metrics per edge and direction.
    pub edges: Vec<EdgeMetric>,
    /// The summary as answered, as JSON text.
    pub payload: String,
    /// Documented fields whose value could not be read: path and what was found.
    pub unreadable: Vec<String>,
}

impl RestSummary {
    /// How final a summary is that says this of itself.
    #[must_use]
    pub fn state_of(processing_state: Option<&str>) -> SummaryState {
        match processing_state {
            Some("complete") => SummaryState::Complete,
            Some("partial") => SummaryState::Partial,
            _ => SummaryState::Other,
        }
    }

    /// Which of two observations of one call counts: the more final, the later; what they say decides
    /// between two of the same moment, so that the order is total.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.state
            .cmp(&other.state)
            .then_with(|| self.observed.cmp(&other.observed))
            .then_with(|| self.payload.cmp(&other.payload))
    }

    /// Whether the row shows this summary and not the call's greatest event.
    ///
    /// This compares the greatest of each kind and not any two: events are ordered by version before time,
    /// so that among single events and observations "later" would go round in a circle.
    #[must_use]
    pub fn wins_over(&self, event: &Winner) -> bool {
        self.state.cmp(&event.key.state).is_gt()
            || self.state == event.key.state
                && (self.state == SummaryState::Complete || event.key.processing_version.is_none())
                && Some(self.observed) > event.key.time
    }
}
