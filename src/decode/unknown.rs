//! Members of a call summary that the table of fields does not name: Twilio's new fields, seen at once.
//!
//! In: a member that the walk passed over. Out: where it stood and of which type its value was, never the
//! value, which may be personal.
//! Promises: a name that does not look like a field's is not told: it may be data (objects used as maps are
//! keyed by what they hold); what is below an unknown member is not looked at, so paths are as deep as the
//! table of fields plus one; an event notes a bounded number of them.

use crate::domain::fields::REPEATED_FIELDS;
use serde_json::value::RawValue;

/// An event that has more holds a map, or is meant to hurt; the rest of it is in the payload all the same.
const MAX_PER_EVENT: usize = 64;

/// Twilio's longest name has 26 characters.
const MAX_NAME_BYTES: usize = 64;

/// `http2_rtt_90` is a field, `15551234567` is somebody.
const MAX_DIGITS: usize = 4;

/// Stands for names that don't look like a field's.
pub const SOME_NAME: &str = "*";

/// A member that no column and no documented object holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownField {
    /// Where it stands in the event, members joined by dots: `data.properties.new_thing`; of an item of the REST
    /// API `rest.properties.new_thing`.
    pub path: String,
    /// The JSON type of its value: text, number, boolean, object, array or null.
    pub json_type: &'static str,
}

/// Notes the member `name` of the object at `parent`, which holds `value`.
pub(super) fn note(unknown: &mut Vec<UnknownField>, parent: &str, name: &str, value: &RawValue) {
    if unknown.len() >= MAX_PER_EVENT {
        return;
    }
    let name = if looks_like_a_field(name) { name } else { SOME_NAME };
    let separator = if parent.is_empty() { "" } else { "." };
    let path = format!("{parent}{separator}{name}");
    if !REPEATED_FIELDS.iter().any(|field| path.strip_prefix("data.") == Some(field)) {
        unknown.push(UnknownField { path, json_type: json_type(value) });
    }
}

fn looks_like_a_field(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    name.len() <= MAX_NAME_BYTES
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name.bytes().all(is_word)
        && name.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS
}

fn json_type(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "text",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_be_data_are_not_told() {
        for name in ["15551234567", "+1555", "client:alice", "a@b", "CA0123456789", "", "é"] {
            assert!(!looks_like_a_field(name), "{name}");
        }
        for name in ["new_thing", "d300", "x-y", "_private", "q850_cause"] {
            assert!(looks_like_a_field(name), "{name}");
        }
    }
}
