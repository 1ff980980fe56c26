//! What orders two events of one call.
//!
//! In: the type of a call-summary event and its version, time and id. Out: its place in the order.
//! Promises: a total order that no arrival order can change.
//! Source of the rule: design section 4. The rank comes from the event type and never from
//! `processing_state`, which says `partial` in Twilio's own predicted-complete example.

use chrono::{DateTime, Utc};

/// The CloudEvents type of every call summary starts so; what follows is the state.
pub const CALL_SUMMARY_PREFIX: &str = "com.twilio.voice.insights.call-summary.";

/// How final a call summary is. The order of the variants is the order of finality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SummaryState {
    /// A suffix that we don't know: kept, but anything known wins over it.
    Other,
    /// Several per call, while Twilio assembles the summary.
    Partial,
    /// A model of Twilio's predicts that the summary is done.
    PredictedComplete,
    /// Twilio's last word, about thirty minutes after the call.
    Complete,
}

impl SummaryState {
    /// The state that a CloudEvents type names; `None` when it is not a call summary at all.
    #[must_use]
    pub fn from_event_type(event_type: &str) -> Option<Self> {
        Some(match event_type.strip_prefix(CALL_SUMMARY_PREFIX)? {
            "partial" => Self::Partial,
            "predicted-complete" => Self::PredictedComplete,
            "complete" => Self::Complete,
            _ => Self::Other,
        })
    }

    /// The number in the column `event_rank`.
    #[must_use]
    pub fn rank(self) -> i16 {
        match self {
            Self::Other => 0,
            Self::Partial => 1,
            Self::PredictedComplete => 2,
            Self::Complete => 3,
        }
    }
}

/// The key by which the events of one call are ordered; the greatest wins the row whole.
///
/// The order of the fields is the rule, and missing parts sort lowest because `None < Some`. Texts
/// compare by bytes, as `COLLATE "C"` does. The store's upsert must agree (there is a property test).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    /// From the event type.
    pub state: SummaryState,
    /// Twilio's count of updates to the summary.
    pub processing_version: Option<i64>,
    /// CloudEvents `time`, to the microsecond.
    pub time: Option<DateTime<Utc>>,
    /// CloudEvents `id`; an empty one counts as missing.
    pub id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_comes_from_the_event_type() {
        let state =
            |suffix: &str| SummaryState::from_event_type(&format!("{CALL_SUMMARY_PREFIX}{suffix}"));
        assert_eq!(state("complete").map(SummaryState::rank), Some(3));
        assert_eq!(state("predicted-complete").map(SummaryState::rank), Some(2));
        assert_eq!(state("partial").map(SummaryState::rank), Some(1));
        assert_eq!(state("error").map(SummaryState::rank), Some(0));
        assert_eq!(SummaryState::from_event_type("com.twilio.eventstreams.test-event"), None);
    }

    #[test]
    fn missing_parts_of_a_key_sort_lowest() {
        let key = |version: Option<i64>, id: Option<&str>| EventKey {
            state: SummaryState::Partial,
            processing_version: version,
            time: None,
            id: id.map(str::to_owned),
        };
        assert!(key(None, Some("z")) < key(Some(i64::MIN), None));
        assert!(key(Some(1), None) < key(Some(1), Some("a")));
        assert!(key(Some(1), Some("B")) < key(Some(1), Some("a")), "bytes, not a dictionary");
    }
}
