//! From what a row keeps back to the event and the observation that it was made of.
//!
//! In: payloads as stored and the columns that the envelope said. Out: what `decode` and `rest_summary`
//! made of them when they came, by today's table of fields.

use super::call_summary::{Header, read};
use super::{Data, Reason, rest};
use crate::domain::call::Winner;
use crate::domain::{RestSummary, SummaryState};
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// The columns of a row that its event's envelope said.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// CloudEvents `type`.
    pub event_type: &'a str,
    /// CloudEvents `id`.
    pub id: Option<&'a str>,
    /// CloudEvents `source`.
    pub source: Option<&'a str>,
    /// CloudEvents `dataschema`.
    pub dataschema: Option<&'a str>,
    /// CloudEvents `time`.
    pub time: Option<DateTime<Utc>>,
}

/// The event that was kept as `payload`.
///
/// # Errors
/// Somebody else has written to the row: the payload is none of a call summary.
pub fn event(envelope: &Envelope<'_>, payload: &str) -> Result<Winner, (Reason, String)> {
    let header = Header {
        event_type: envelope.event_type,
        state: SummaryState::from_event_type(envelope.event_type).unwrap_or(SummaryState::Other),
        id: envelope.id,
        source: envelope.source,
        dataschema: envelope.dataschema,
        time: envelope.time,
        has_data: true,
    };
    let data = Data { text: Cow::Borrowed(payload), sanitised: false };
    Ok(read(&header, Some(data), DateTime::UNIX_EPOCH)?.0.winner)
}

/// The observation that was kept as `payload`.
///
/// # Errors
/// As for [`event`].
pub fn rest(payload: &str, observed: DateTime<Utc>) -> Result<RestSummary, (Reason, String)> {
    let known = rest::rest_summary(payload, observed)?;
    known.rest.ok_or((Reason::NoData, "no summary".to_owned()))
}
