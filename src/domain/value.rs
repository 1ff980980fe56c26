//! The value of one field, and the metrics of one edge and direction.
//!
//! In: what `decode` made of a JSON value. Out: what `store` binds to a column of the same kind.
//! Promises: a value is of the kind that its field says, or `Null`.

use chrono::{DateTime, Utc};

/// What a field of a summary can hold; one variant per [`Kind`](super::fields::Kind).
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// Absent, empty, unknown, or not readable as the field's kind.
    #[default]
    Null,
    /// A text that is neither empty nor one of Twilio's `unknown_*`.
    Text(String),
    /// A small whole number: seconds, milliseconds, codes.
    Int4(i32),
    /// A counter: packets, bytes, versions.
    Int8(i64),
    /// A measurement.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A point in time, to the microsecond, as PostgreSQL keeps it.
    Time(DateTime<Utc>),
    /// A list of texts, possibly empty.
    Texts(Vec<String>),
    /// An open structure, as the JSON text that was sent.
    Json(String),
}

impl Value {
    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// One edge in one direction of the media: a row of the view `call_edge_metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct EdgeMetric {
    /// Twilio's name of the edge: `carrier_edge`, `sip_edge`, `client_edge` or `sdk_edge`.
    pub edge: &'static str,
    /// `inbound` or `outbound`, from the edge's view; `None` for an edge without metrics.
    pub direction: Option<&'static str>,
    /// One value per [`EDGE_FIELDS`](super::fields::EDGE_FIELDS), in their order.
    pub values: Vec<Value>,
}
