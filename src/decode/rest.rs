//! From one item of the REST API's answers to an observation of a call.
//!
//! In: the item's text and when we asked. Out: the call and what was observed of it; members that no column holds.
//! Promises: the fields are those of events, by the same table; nothing is needed but `call_sid`; the
//! payload stays as it came, but for what PostgreSQL can't hold, which stands as U+FFFD. Unlike an event's,
//! its bytes need not be kept beside: they can be read again.

use super::call_summary::read_data;
use super::unknown::UnknownField;
use super::{Reason, sanitise};
use crate::domain::fields::SUMMARY_FIELDS;
use crate::domain::{KnownCall, RestSummary, SummaryState, Value};
use chrono::{DateTime, Utc};

/// Where the fields of events stand in their paths, and those of items.
const ROOTS: [&str; 2] = ["data.", "rest."];

/// Reads the item `text`, which Twilio was asked for at `asked`.
///
/// # Errors
/// The reason why it names no call, and what was found, for a person.
pub fn rest_summary(text: &str, asked: DateTime<Utc>) -> Result<KnownCall, (Reason, String)> {
    read(text, asked).map(|(call, _)| call)
}

/// The same, and the item's members that the table of fields does not name; their paths begin with `rest.`.
///
/// # Errors
/// As for [`rest_summary`].
pub fn read(
    text: &str,
    asked: DateTime<Utc>,
) -> Result<(KnownCall, Vec<UnknownField>), (Reason, String)> {
    let (text, _) = sanitise::sanitise(text.as_bytes());
    let mut read = read_data(&text)?;
    let position = |column| SUMMARY_FIELDS.iter().position(|field| field.column == column);
    let state = position("processing_state").and_then(|index| read.values[index].as_text());
    let state = RestSummary::state_of(state);
    // Where a complete event says [], REST says null; queries must not have to know which it was.
    if let Some(index) = position("tags").filter(|_| state == SummaryState::Complete)
        && read.values[index] == Value::Null
        && !read.unreadable.iter().any(|field| field.starts_with("tags:"))
    {
        read.values[index] = Value::Texts(Vec::new());
    }
    let rest = RestSummary {
        state,
        // PostgreSQL keeps microseconds, and comparing must not depend on the rest.
        observed: DateTime::from_timestamp_micros(asked.timestamp_micros()).unwrap_or(asked),
        values: read.values,
        edges: read.edges,
        payload: text.into_owned(),
        unreadable: read.unreadable,
    };
    let mut unknown = read.unknown;
    for field in &mut unknown {
        if let Some(place) = field.path.strip_prefix(ROOTS[0]) {
            field.path = format!("{}{place}", ROOTS[1]);
        }
    }
    Ok((KnownCall::from_rest(read.call_sid, rest), unknown))
}
