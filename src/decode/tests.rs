//! What fuzzing has found in the decoder, and what no mutant may change.

use super::*;

fn decoded(event: &str) -> Decoded {
    decode(event.as_bytes(), DateTime::UNIX_EPOCH)
}

/// Found by `scripts/fuzz decode`: the first `data` was in no column.
#[test]
fn repro_of_repeated_data_the_last_counts_and_the_others_are_kept() {
    let event = r#"{"type":"x","data":{"a":1},"data":null,"data":{"b":2}}"#;
    let Meaning::Other(other) = decoded(event).meaning else { panic!("another event") };
    assert_eq!(other.data.as_deref(), Some(r#"{"b":2}"#));
    assert_eq!(other.envelope, r#"{"type":"x","data":{"a":1}}"#);

    let event = r#"{"type":"x","data":{"a":1},"data":null}"#;
    let Meaning::Other(other) = decoded(event).meaning else { panic!("another event") };
    assert_eq!((other.data, &*other.envelope), (None, r#"{"type":"x","data":{"a":1}}"#));

    let event = event.replace("x", "com.twilio.voice.insights.call-summary.partial");
    let event = event.replace("null", r#"{"call_sid":"CA1"}"#);
    let unknown = UnknownField { path: "data".to_owned(), json_type: "object" };
    assert_eq!(decoded(&event).unknown, [unknown], "a call says that there was more");
}
