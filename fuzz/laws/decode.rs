//! Laws of the decoder and the merge: it never panics and says the same each time; of an event that it does not
//! understand every member is given back; of a call summary nothing comes out that PostgreSQL can't hold, and
//! what a row keeps is read to the same again; the merge doesn't mind order, groups and repeats.
//!
//! In: a body of one or several events. Panics where a law is broken.

use callsink::decode::kept::{self, Envelope};
use callsink::decode::redact::redact;
use callsink::decode::rest::rest_summary;
use callsink::decode::split::split;
use callsink::decode::{Decoded, Meaning, OtherEvent, Reason, decode};
use callsink::domain::fields::{EDGE_FIELDS, Kind, SUMMARY_FIELDS};
use callsink::domain::{CallSummary, KnownCall, Value};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

/// Beyond this the pairs cost more than they show.
const MERGED: usize = 5;

/// Panics unless they do.
pub fn holds(body: &[u8]) {
    let mut calls = Vec::new();
    let mut known = Vec::new();
    for (number, event) in split(body).into_iter().enumerate() {
        let raw = &body[event];
        let received = second(number);
        let decoded = decode(raw, received);
        assert_eq!(decoded, decode(raw, received), "the same each time");
        told_no_more_than_names(&decoded);
        let text = String::from_utf8_lossy(raw);
        match &decoded.meaning {
            Meaning::CallSummary { call, raw } => {
                holdable(call);
                read_again_from_what_is_kept(call);
                if let Some(other) = raw {
                    given_back(&text, other, decoded.sanitised);
                }
                if calls.len() < MERGED {
                    known.extend(rest_summary(&call.winner.payload, received).ok());
                    calls.push((**call).clone());
                }
            }
            Meaning::Other(other) => given_back(&text, other, decoded.sanitised),
            Meaning::Undecodable(undecodable) => {
                assert!(!undecodable.detail.is_empty() && undecodable.detail.len() < 200);
                let json = serde_json::from_str::<&RawValue>(&text).is_ok();
                assert_eq!(undecodable.reason != Reason::NotJson, json, "{}", undecodable.detail);
            }
        }
    }
    for call in &mut calls {
        "CA".clone_into(&mut call.call_sid);
    }
    known.extend(calls.iter().cloned().map(KnownCall::from));
    for call in &mut known {
        "CA".clone_into(&mut call.call_sid);
    }
    merges(&calls, CallSummary::merge);
    merges(&known, KnownCall::merge);
    if let Some(call) = known.into_iter().reduce(KnownCall::merge) {
        assert_eq!(call.values().len(), SUMMARY_FIELDS.len());
        assert!(call.payloads().0.is_some(), "the row shows something");
    }
}

fn second(number: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + i64::try_from(number).expect("few"), 0)
        .expect("a time")
}

fn merges<T: Clone + PartialEq + std::fmt::Debug>(calls: &[T], merge: fn(T, T) -> T) {
    let merge = |left: &T, right: &T| merge(left.clone(), right.clone());
    for left in calls {
        assert_eq!(&merge(left, left), left, "idempotent");
        for right in calls {
            let both = merge(left, right);
            assert_eq!(both, merge(right, left), "commutative");
            assert_eq!(both, merge(&both, right), "a repeat changes nothing");
            for third in calls {
                assert_eq!(merge(&both, third), merge(left, &merge(right, third)), "associative");
            }
        }
    }
}

/// What is told of unknown members is where they stand, and not what may be somebody's data.
fn told_no_more_than_names(decoded: &Decoded) {
    assert!(decoded.unknown.len() <= 64);
    for field in &decoded.unknown {
        let name = field.path.rsplit('.').next().unwrap_or_default();
        assert!(name.bytes().filter(u8::is_ascii_digit).count() <= 4, "{}", field.path);
        assert!(!name.contains(['@', '+', ':']) && field.path.len() <= 200, "{}", field.path);
    }
}

fn is_of(value: &Value, kind: Kind) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => kind == Kind::Text && holds_text(text),
        Value::Int4(_) => kind == Kind::Int4,
        Value::Int8(_) => kind == Kind::Int8,
        Value::Float(number) => kind == Kind::Float && number.is_finite(),
        Value::Bool(_) => kind == Kind::Bool,
        Value::Time(time) => {
            kind == Kind::Time && time.timestamp_subsec_nanos().is_multiple_of(1000)
        }
        Value::Texts(texts) => kind == Kind::Texts && texts.iter().all(|text| holds_text(text)),
        Value::Json(text) => kind == Kind::Json && holds_json(text),
    }
}

fn holds_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Valid, and without an escape that only fails when a query looks inside. Every text in it is read.
fn holds_json(text: &str) -> bool {
    let valid = serde_json::from_str::<&RawValue>(text).is_ok();
    let mut rest = text;
    while let Some(open) = rest.find('"') {
        let mut end = open + 1;
        while rest.as_bytes()[end] != b'"' {
            end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
        }
        match serde_json::from_str::<String>(&rest[open..=end]) {
            Ok(inner) if holds_text(&inner) => rest = &rest[end + 1..],
            _ => return false,
        }
    }
    valid
}

fn holdable(call: &CallSummary) {
    let winner = &call.winner;
    assert!(!call.call_sid.is_empty() && holds_text(&call.call_sid));
    assert!(holds_json(&winner.payload), "{}", winner.payload);
    for text in [&winner.key.id, &winner.source, &winner.dataschema].into_iter().flatten() {
        assert!(holds_text(text));
    }
    assert!(
        holds_text(&winner.event_type) && winner.unreadable.iter().all(|line| holds_text(line))
    );
    assert_eq!(winner.values.len(), SUMMARY_FIELDS.len());
    for (field, value) in SUMMARY_FIELDS.iter().zip(&winner.values) {
        assert!(is_of(value, field.kind), "{} is {value:?}", field.column);
    }
    for (number, edge) in winner.edges.iter().enumerate() {
        assert_eq!(edge.values.len(), EDGE_FIELDS.len());
        for (field, value) in EDGE_FIELDS.iter().zip(&edge.values) {
            assert!(is_of(value, field.kind), "{} is {value:?}", field.column);
        }
        let same = |other: &&callsink::domain::EdgeMetric| {
            (other.edge, other.direction) == (edge.edge, edge.direction)
        };
        assert!(!winner.edges[..number].iter().any(|other| same(&other)), "{} twice", edge.edge);
    }
}

fn read_again_from_what_is_kept(call: &CallSummary) {
    let winner = &call.winner;
    let envelope = Envelope {
        event_type: &winner.event_type,
        id: winner.key.id.as_deref(),
        source: winner.source.as_deref(),
        dataschema: winner.dataschema.as_deref(),
        time: winner.key.time,
    };
    let again = kept::event(&envelope, &winner.payload).expect("it was read before");
    assert_eq!(&again, winner, "what a row keeps is enough to make it anew");
    let redacted = redact(&winner.payload).expect("an object");
    assert_eq!(redact(&redacted).as_ref(), Some(&redacted), "nothing more to take away");
    let without = kept::event(&envelope, &redacted).expect("still a call");
    assert_eq!(without.key, winner.key, "the key stays");
}

/// Nothing of an event that has no table of its own is lost, but for what the caller keeps as bytes.
fn given_back(text: &str, other: &OtherEvent, sanitised: bool) {
    assert!(holds_json(&other.envelope) && other.data.as_deref().is_none_or(holds_json));
    if sanitised {
        return; // the caller keeps the bytes
    }
    let members = members(text);
    let envelope = self::members(&other.envelope);
    for (name, value) in &members {
        let in_data = name == "data" && (value == "null" || is_data(value, other));
        let found = envelope.iter().any(|member| member == &(name.clone(), value.clone()));
        assert!(in_data || found, "lost: {name}: {value}");
    }
}

fn is_data(value: &str, other: &OtherEvent) -> bool {
    let Some(data) = &other.data else { return false };
    value == data || serde_json::from_str::<String>(value).is_ok_and(|text| text == *data)
}

/// Names and values of an object as text, repeats included.
fn members(text: &str) -> Vec<(String, String)> {
    let text = text.trim_ascii();
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let inner = inner.expect("an object");
    // An object is a list of pairs for whoever reads its texts and brackets.
    let list = format!("[{inner}]");
    split(list.as_bytes())
        .into_iter()
        .map(|range| {
            let pair = &list[range];
            let mut end = 1;
            while pair.as_bytes()[end] != b'"' {
                end += if pair.as_bytes()[end] == b'\\' { 2 } else { 1 };
            }
            let name: String = serde_json::from_str(&pair[..=end]).expect("a name");
            let value = pair[end + 1..].trim_ascii_start().strip_prefix(':').expect("a colon");
            (name, value.trim_ascii().to_owned())
        })
        .collect()
}
