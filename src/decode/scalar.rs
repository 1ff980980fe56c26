//! One JSON value as the kind that its field says.
//!
//! In: the text of a value and a kind. Out: a value of that kind, or what was found instead.
//! Promises: Twilio's ways of saying "not known" (`null`, `""`, `unknown_*`) are `Null` and no mistake;
//! integers written as floats and numbers written as texts are read; nothing else is guessed.

use super::unescape::unescape;
use crate::domain::Value;
use crate::domain::fields::Kind;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

/// What stands where a value of another kind was expected; for people.
pub(super) type Found = &'static str;

/// Reads `raw` as `kind`.
pub(super) fn read(raw: &RawValue, kind: Kind) -> Result<Value, Found> {
    let text = raw.get();
    if text == "null" {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Json => return Ok(Value::Json(text.to_owned())),
        Kind::Texts => return texts(text),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'{') => Err("an object"),
        Some(b'[') => Err("an array"),
        Some(b'"') => from_text(unquote(text).ok_or("an unreadable text")?, kind),
        Some(b't' | b'f') => match kind {
            Kind::Bool => Ok(Value::Bool(text == "true")),
            _ => Err("true or false"),
        },
        _ => from_number(text, kind),
    }
}

/// A text with content, or a number's digits; used for the envelope, where nothing is `unknown_`.
pub(super) fn as_text(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first()? {
        b'"' => unquote(raw.get()).filter(|text| !text.is_empty()),
        b'-' | b'0'..=b'9' => Some(raw.get().to_owned()),
        _ => None,
    }
}

/// A point in time in RFC 3339.
pub(super) fn as_time(raw: &RawValue) -> Option<DateTime<Utc>> {
    match read(raw, Kind::Time) {
        Ok(Value::Time(time)) => Some(time),
        _ => None,
    }
}

/// The content of a JSON string.
pub(super) fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(inner.to_owned());
    }
    unescape(inner).or_else(|| serde_json::from_str(text).ok())
}

fn from_text(text: String, kind: Kind) -> Result<Value, Found> {
    if text.is_empty() || text.starts_with("unknown_") {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Text => Ok(Value::Text(text)),
        Kind::Time => time(&text).map(Value::Time).ok_or("a text that is not a time"),
        Kind::Bool => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err("a text"),
        },
        Kind::Int4 | Kind::Int8 | Kind::Float => {
            from_number(text.trim(), kind).map_err(|_| "a text that is not a number")
        }
        Kind::Texts | Kind::Json => Err("a text"),
    }
}

fn from_number(text: &str, kind: Kind) -> Result<Value, Found> {
    match kind {
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Float => match text.parse::<f64>() {
            // Adding zero turns -0.0, which Twilio sends, into 0.0.
            Ok(number) if number.is_finite() => Ok(Value::Float(number + 0.0)),
            _ => Err("a number out of range"),
        },
        Kind::Int4 => whole(text)
            .and_then(|number| i32::try_from(number).ok())
            .map(Value::Int4)
            .ok_or("a number out of range"),
        Kind::Int8 => whole(text).map(Value::Int8).ok_or("a number out of range"),
        Kind::Bool | Kind::Time | Kind::Texts | Kind::Json => Err("a number"),
    }
}

/// A whole number, also one written as a float; a fraction is rounded (the payload keeps it).
fn whole(text: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // beyond 2^53 a float does not say which integer it means
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?.round();
        #[expect(clippy::cast_possible_truncation, reason = "bounded by the comparison before it")]
        (number.abs() <= EXACT).then_some(number as i64)
    })
}

/// RFC 3339 to the microsecond, which is what PostgreSQL keeps: comparing must not depend on the rest.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    DateTime::from_timestamp_micros(time.timestamp_micros())
}

/// A list of texts; members that are not texts with content are left to the payload.
fn texts(text: &str) -> Result<Value, Found> {
    if !text.starts_with('[') {
        return if text == "\"\"" { Ok(Value::Null) } else { Err("not an array") };
    }
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| "an unreadable array")?;
    Ok(Value::Texts(items.into_iter().filter_map(as_text).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str, kind: Kind) -> Result<Value, Found> {
        read(serde_json::from_str(json).expect("a test writes valid JSON"), kind)
    }

    #[test]
    fn twilios_ways_to_say_unknown_are_null() {
        for json in ["null", "\"\"", "\"unknown_realm\""] {
            assert_eq!(value(json, Kind::Text), Ok(Value::Null));
            assert_eq!(value(json, Kind::Int4), Ok(Value::Null));
        }
        assert_eq!(value("\"unknown\"", Kind::Text), Ok(Value::Text("unknown".to_owned())));
    }

    #[test]
    fn integers_may_come_as_floats_or_texts_and_the_reverse() {
        assert_eq!(value("20.0", Kind::Int4), Ok(Value::Int4(20)));
        assert_eq!(value("\"20\"", Kind::Int4), Ok(Value::Int4(20)));
        assert_eq!(value("2", Kind::Float), Ok(Value::Float(2.0)));
        assert_eq!(value("1555", Kind::Text), Ok(Value::Text("1555".to_owned())));
        assert_eq!(value("9223372036854775807", Kind::Int8), Ok(Value::Int8(i64::MAX)));
    }

    #[test]
    fn what_is_of_another_kind_is_named_and_not_guessed() {
        assert_eq!(value("{}", Kind::Text), Err("an object"));
        assert_eq!(value("[1]", Kind::Int4), Err("an array"));
        assert_eq!(value("1e999", Kind::Float), Err("a number out of range"));
        assert_eq!(value("1e999", Kind::Int8), Err("a number out of range"));
        assert_eq!(value("2147483648", Kind::Int4), Err("a number out of range"));
        assert_eq!(value("true", Kind::Text), Err("true or false"));
        assert_eq!(value("\"soon\"", Kind::Time), Err("a text that is not a time"));
    }

    #[test]
    fn a_time_is_kept_to_the_microsecond() {
        let Ok(Value::Time(time)) = value("\"2020-07-23T22:56:33.123456789Z\"", Kind::Time) else {
            panic!("a valid time was not read");
        };
        assert_eq!(time.timestamp_subsec_nanos(), 123_456_000);
    }
}
