//! From the raw bytes of one verified event to what it means.
//!
//! In: the bytes of one event as the journal holds them, and when they came. Out: a call summary, an
//! event of another type, or the reason why neither could be read.
//! Promises: pure; never fails as a whole because of one odd field (that one is `Null` and named);
//! what it cannot understand it gives back, it drops nothing.
//! Must not know: HTTP, SQL, the journal.

mod block;
pub mod call_summary;
pub mod kept;
mod members;
pub mod redact;
pub mod rest;
mod sanitise;
mod scalar;
pub mod split;
mod straight;
mod tree;
mod unescape;
pub mod unknown;

use crate::domain::{CallSummary, SummaryState};
use chrono::{DateTime, Utc};
use members::members;
use scalar::{as_text, as_time};
use serde_json::value::RawValue;
use std::borrow::Cow;
use unknown::UnknownField;

/// What one event turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Its meaning.
    pub meaning: Meaning,
    /// Characters that PostgreSQL cannot hold stand as U+FFFD in `meaning`; the caller keeps the bytes.
    pub sanitised: bool,
    /// Members of a call summary that no column holds. The payload has those of `data`.
    pub unknown: Vec<UnknownField>,
}

/// The meaning of one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// A summary of a call. One of an unknown state is kept raw as well: it may say what no column holds.
    CallSummary {
        /// The call, known by this event.
        call: Box<CallSummary>,
        /// The raw event, for states that we don't know.
        raw: Option<Box<OtherEvent>>,
    },
    /// Any other type: test events, other subscriptions.
    Other(Box<OtherEvent>),
    /// Neither.
    Undecodable(Undecodable),
}

/// An event without a table of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherEvent {
    /// CloudEvents `type`.
    pub event_type: String,
    /// CloudEvents `id`.
    pub id: Option<String>,
    /// CloudEvents `source`.
    pub source: Option<String>,
    /// CloudEvents `dataschema`.
    pub dataschema: Option<String>,
    /// CloudEvents `time`.
    pub time: Option<DateTime<Utc>>,
    /// `data` as JSON text.
    pub data: Option<String>,
    /// All other members as one JSON object.
    pub envelope: String,
}

/// Why an event could not be read, and what was readable.
#[derive(Debug, Clone, PartialEq)]
pub struct Undecodable {
    /// The kind of trouble.
    pub reason: Reason,
    /// What exactly, for a person.
    pub detail: String,
    /// CloudEvents `id`, where readable.
    pub id: Option<String>,
    /// CloudEvents `type`, where readable.
    pub event_type: Option<String>,
}

/// Kinds of trouble; the words in `callsink.dead_letters.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The bytes are not JSON.
    NotJson,
    /// JSON, but not an object.
    NotAnObject,
    /// An object without a CloudEvents `type`.
    NoType,
    /// A call summary without `data`.
    NoData,
    /// A call summary whose `data` is neither an object nor a text that holds one.
    DataNotAnObject,
    /// A call summary that does not say which call.
    NoCallSid,
}

impl Reason {
    /// The word in the database and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NoType => "no_type",
            Self::NoData => "no_data",
            Self::DataNotAnObject => "data_not_an_object",
            Self::NoCallSid => "no_call_sid",
        }
    }
}

/// The CloudEvents members of an event.
#[derive(Default)]
struct Envelope<'a> {
    event_type: Option<String>,
    id: Option<String>,
    source: Option<String>,
    dataschema: Option<String>,
    time: Option<DateTime<Utc>>,
    data: Option<&'a RawValue>,
    /// Every member but the last `data`.
    others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// `data` once the text around it, if any, is taken off.
struct Data<'a> {
    text: Cow<'a, str>,
    sanitised: bool,
}

/// Reads one event. `received` is when its delivery came in.
#[must_use]
pub fn decode(raw: &[u8], received: DateTime<Utc>) -> Decoded {
    let (text, sanitised) = sanitise::sanitise(raw);
    let undecodable = |reason, detail: String| Decoded {
        meaning: Meaning::Undecodable(Undecodable { reason, detail, id: None, event_type: None }),
        sanitised: false, // a dead letter keeps the bytes anyway
        unknown: Vec::new(),
    };
    if text.bytes().find(|byte| !split::is_space(*byte)) != Some(b'{') {
        return match serde_json::from_str::<&RawValue>(&text) {
            Ok(_) => undecodable(Reason::NotAnObject, "the event is not a JSON object".to_owned()),
            Err(error) => undecodable(Reason::NotJson, error.to_string()),
        };
    }
    match members(&text) {
        Err(error) => undecodable(Reason::NotJson, error.to_string()),
        Ok(members) => Envelope::read(members).decode(received, sanitised),
    }
}

impl<'a> Envelope<'a> {
    fn read(members: Vec<(Cow<'a, str>, &'a RawValue)>) -> Self {
        let mut envelope = Self::default();
        for (name, value) in members {
            match &*name {
                "data" => {
                    // Of a repeated member the last counts, as everywhere in JSON; the others are kept.
                    let data = Some(value).filter(|value| value.get() != "null");
                    if let Some(earlier) = std::mem::replace(&mut envelope.data, data) {
                        envelope.others.push((name, earlier));
                    }
                    continue;
                }
                "type" => envelope.event_type = as_text(value),
                "id" => envelope.id = as_text(value),
                "source" => envelope.source = as_text(value),
                "dataschema" => envelope.dataschema = as_text(value),
                "time" => envelope.time = as_time(value),
                _ => {}
            }
            envelope.others.push((name, value));
        }
        envelope
    }

    fn decode(mut self, received: DateTime<Utc>, sanitised: bool) -> Decoded {
        let Some(event_type) = self.event_type.take() else {
            return self.undecodable(None, Reason::NoType, "the event has no type");
        };
        let Some(state) = SummaryState::from_event_type(&event_type) else {
            return self.other(event_type, sanitised);
        };
        let data = self.data.and_then(data_of);
        let sanitised_data = data.as_ref().is_some_and(|data| data.sanitised);
        match call_summary::read(&self.header(&event_type, state), data, received) {
            // What could be read is JSON: no need to check the text before, too.
            Ok((call, mut unknown)) => {
                self.note_unknown(&mut unknown);
                let raw = (state == SummaryState::Other).then(|| {
                    Box::new(self.into_other(event_type, Some(call.winner.payload.clone())))
                });
                let meaning = Meaning::CallSummary { call: Box::new(call), raw };
                Decoded { meaning, sanitised: sanitised || sanitised_data, unknown }
            }
            // Of an unknown state we don't know that it must name a call: keep it as it is.
            Err(_) if state == SummaryState::Other => self.other(event_type, sanitised),
            Err((reason, detail)) => self.undecodable(Some(event_type), reason, &detail),
        }
    }

    /// An event that is no call summary.
    fn other(self, event_type: String, sanitised: bool) -> Decoded {
        let data = self.data.and_then(data_of).filter(Data::is_json);
        let sanitised = sanitised || data.as_ref().is_some_and(|data| data.sanitised);
        let data = data.map(|data| data.text.into_owned());
        let meaning = Meaning::Other(Box::new(self.into_other(event_type, data)));
        Decoded { meaning, sanitised, unknown: Vec::new() }
    }

    fn header<'e>(&'e self, event_type: &'e str, state: SummaryState) -> call_summary::Header<'e> {
        call_summary::Header {
            event_type,
            state,
            id: self.id.as_deref(),
            source: self.source.as_deref(),
            dataschema: self.dataschema.as_deref(),
            time: self.time,
            has_data: self.data.is_some(),
        }
    }

    /// Members of the envelope that neither `read` nor CloudEvents 1.0, which has no more to say by them, knows.
    fn note_unknown(&self, unknown: &mut Vec<UnknownField>) {
        const KNOWN: [&str; 7] =
            ["type", "id", "source", "dataschema", "time", "specversion", "datacontenttype"];
        for (name, value) in &self.others {
            if !KNOWN.contains(&&**name) {
                unknown::note(unknown, "", name, value);
            }
        }
    }

    fn into_other(self, event_type: String, data: Option<String>) -> OtherEvent {
        let mut others = self.others;
        if let (None, Some(raw)) = (&data, self.data) {
            others.push((Cow::Borrowed("data"), raw));
        }
        OtherEvent {
            event_type,
            id: self.id,
            source: self.source,
            dataschema: self.dataschema,
            time: self.time,
            data,
            envelope: members::object(&others),
        }
    }

    fn undecodable(self, event_type: Option<String>, reason: Reason, detail: &str) -> Decoded {
        Decoded {
            meaning: Meaning::Undecodable(Undecodable {
                reason,
                detail: detail.to_owned(),
                id: self.id,
                event_type,
            }),
            sanitised: false,
            unknown: Vec::new(),
        }
    }
}

impl Data<'_> {
    /// A text in a text may be anything; an object is JSON, as it stands in JSON.
    fn is_json(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
            || serde_json::from_str::<&RawValue>(&self.text).is_ok()
    }
}

/// `data` as JSON text, whether it was sent as an object or as a text that should hold one. `None` when
/// the text can't be read.
fn data_of(raw: &RawValue) -> Option<Data<'_>> {
    if !raw.get().starts_with('"') {
        return Some(Data { text: Cow::Borrowed(raw.get()), sanitised: false });
    }
    let inner = scalar::unquote(raw.get())?;
    let (text, sanitised) = match sanitise::sanitise(inner.as_bytes()) {
        (Cow::Borrowed(_), sanitised) => (inner, sanitised),
        (Cow::Owned(text), sanitised) => (text, sanitised),
    };
    Some(Data { text: Cow::Owned(text), sanitised })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod value_tests;
