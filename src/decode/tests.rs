//! Envelopes: what fuzzing has found in the decoder, and what no mutant may change. Values: `value_tests`.

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

/// Found by `scripts/fuzz decode`: it was told as JSON that is no object, or read.
#[test]
fn repro_what_stands_beside_a_form_feed_is_not_json() {
    for event in ["\x0c\"time\"\x0c", "\x0c{\"type\":\"x\"}", "{\"type\":\"x\"}\x0c"] {
        assert_eq!(undecodable(event).reason, Reason::NotJson, "{event:?}");
    }
    let Meaning::Other(_) = decoded("\r\n\t {\"type\":\"x\"} \n").meaning else {
        panic!("an event")
    };
}

const COMPLETE: &str = "com.twilio.voice.insights.call-summary.complete";
const ERROR: &str = "com.twilio.voice.insights.call-summary.error";

fn undecodable(event: &str) -> Undecodable {
    match decoded(event).meaning {
        Meaning::Undecodable(undecodable) => undecodable,
        other => panic!("it was read: {other:?}"),
    }
}

#[test]
fn what_an_envelope_says_is_in_the_call() {
    let event = format!(
        r#"{{"specversion":"1.0","type":"{COMPLETE}","source":"AC1/x","id":17,"time":"2026-01-02T03:04:05.5Z",
        "dataschema":"https://example.com/VoiceInsights.CallSummary/7","data":{{"call_sid":"CA1"}}}}"#
    );
    let Meaning::CallSummary { call, raw } = decoded(&event).meaning else { panic!("a call") };
    let winner = &call.winner;
    assert_eq!((&*call.call_sid, raw), ("CA1", None));
    assert_eq!(winner.key.id.as_deref(), Some("17"), "a number is as good a name as a text");
    assert_eq!(winner.source.as_deref(), Some("AC1/x"));
    assert_eq!(winner.key.time.map(|time| time.timestamp_millis()), Some(1_767_323_045_500));
    assert_eq!(winner.schema_version, Some(7));
    for (schema, version) in
        [("/CallSummary/12.json", Some(12)), ("3", Some(3)), ("/7/x", None), ("", None)]
    {
        let event = event.replace("https://example.com/VoiceInsights.CallSummary/7", schema);
        let Meaning::CallSummary { call, .. } = decoded(&event).meaning else { panic!("a call") };
        assert_eq!(call.winner.schema_version, version, "{schema}");
    }
}

#[test]
fn what_an_envelope_says_is_in_an_event_of_another_type() {
    let event = r#"{"type":"x","source":"s","id":"EZ1","time":"2026-01-02T03:04:05Z","dataschema":"d","data":[1]}"#;
    let Meaning::Other(other) = decoded(event).meaning else { panic!("another event") };
    let OtherEvent { event_type, id, source, dataschema, time, data, .. } = *other;
    assert_eq!(event_type, "x");
    let told = [id, source, dataschema, data].map(Option::unwrap_or_default);
    assert_eq!(told, ["EZ1", "s", "d", "[1]"]);
    assert_eq!(time.map(|time| time.timestamp()), Some(1_767_323_045));
}

#[test]
fn an_event_that_cannot_be_read_says_which_it_was_and_why_and_quotes_no_data() {
    let call = |data: &str| format!(r#"{{"id":"EZ1","type":"{COMPLETE}"{data}}}"#);
    let cases = [
        ("{".to_owned(), Reason::NotJson, "not_json"),
        ("[1]".to_owned(), Reason::NotAnObject, "not_an_object"),
        (r#"{"id":"EZ1"}"#.to_owned(), Reason::NoType, "no_type"),
        (call(""), Reason::NoData, "no_data"),
        (call(r#","data":"secret""#), Reason::DataNotAnObject, "data_not_an_object"),
        (call(r#","data":["secret"]"#), Reason::DataNotAnObject, "data_not_an_object"),
        (call(r#","data":{"call_sid":7,"x":"secret"}"#), Reason::NoCallSid, "no_call_sid"),
    ];
    for (event, reason, word) in cases {
        let found = undecodable(&event);
        assert_eq!((found.reason, found.reason.as_str()), (reason, word), "{event}");
        assert!(!found.detail.contains("secret"), "{}", found.detail);
        assert_eq!(found.id.is_some(), event.contains("EZ1"), "{event}");
        assert_eq!(found.event_type.as_deref(), event.contains(COMPLETE).then_some(COMPLETE));
    }
    for (data, detail) in [
        (r#","data":"x""#, "data is a text that does not hold JSON"),
        (r#","data":[]"#, "data is JSON, but not an object"),
        (r#","data":{"x":1}"#, "data has no call_sid"),
        (r#","data":{"call_sid":""}"#, "call_sid is empty"),
        (r#","data":{"call_sid":null}"#, "call_sid is not a text"),
        ("", "the event has no data"),
    ] {
        assert_eq!(undecodable(&call(data)).detail, detail);
    }
}

#[test]
fn a_summary_of_an_unknown_state_is_a_call_and_kept_raw_or_kept_as_it_is() {
    let event = format!(r#"{{"type":"{ERROR}","data":{{"call_sid":"CA1"}}}}"#);
    let Meaning::CallSummary { call, raw } = decoded(&event).meaning else { panic!("a call") };
    assert_eq!(call.winner.key.state, SummaryState::Other);
    assert_eq!(raw.expect("it may say more").data.as_deref(), Some(r#"{"call_sid":"CA1"}"#));
    let event = format!(r#"{{"type":"{ERROR}","data":{{"error":1}}}}"#);
    let Meaning::Other(other) = decoded(&event).meaning else { panic!("no call is named") };
    assert_eq!(other.data.as_deref(), Some(r#"{"error":1}"#));
}

#[test]
fn a_member_that_no_column_holds_is_told_with_the_type_of_its_value() {
    let data = r#"{"call_sid":"CA1","a_text":"x","from":{"a_boolean":true},"properties":{"a_null":null,"pdd_ms":1},
        "carrier_edge":{"an_object":{},"properties":{"an_array":[]},"metrics":{"a_number":1,
        "inbound":{"another":false,"codec":1}}},"trust":{"branded":{"new":-1}}}"#;
    let event = format!(r#"{{"type":"{COMPLETE}","specversion":"1.0","extra":1,"data":{data}}}"#);
    let mut unknown = decoded(&event).unknown;
    unknown.sort();
    let unknown: Vec<_> =
        unknown.iter().map(|field| (field.path.as_str(), field.json_type)).collect();
    assert_eq!(
        unknown,
        [
            ("data.a_text", "text"),
            ("data.carrier_edge.an_object", "object"),
            ("data.carrier_edge.metrics.a_number", "number"),
            ("data.carrier_edge.metrics.inbound.another", "boolean"),
            ("data.carrier_edge.properties.an_array", "array"),
            ("data.from.a_boolean", "boolean"),
            ("data.properties.a_null", "null"),
            ("data.trust.branded.new", "number"),
            ("extra", "number"),
        ]
    );
}

#[test]
fn data_that_is_a_text_is_unwrapped_where_it_holds_json_and_kept_where_not() {
    let other = |event: &str| match decoded(event).meaning {
        Meaning::Other(other) => *other,
        meaning => panic!("{meaning:?}"),
    };
    let holds = other(r#"{"type":"x","data":"{\"a\":1}"}"#);
    assert_eq!((holds.data.as_deref(), &*holds.envelope), (Some(r#"{"a":1}"#), r#"{"type":"x"}"#));
    let does_not = other(r#"{"type":"x","data":"oops"}"#);
    assert_eq!((does_not.data, &*does_not.envelope), (None, r#"{"type":"x","data":"oops"}"#));
}

#[test]
fn a_summary_is_sanitised_if_its_envelope_or_its_data_is() {
    let sanitised = |id: &str, city: &str| {
        let data = format!(r#"{{\"call_sid\":\"CA1\",\"from\":{{\"city\":\"{city}\"}}}}"#);
        let kind = "com.twilio.voice.insights.call-summary.complete";
        decoded(&format!(r#"{{"type":"{kind}","id":"{id}","data":"{data}"}}"#)).sanitised
    };
    assert!(!sanitised("EV", "Oslo"));
    assert!(sanitised(r"EV\u0000", "Oslo"));
    assert!(sanitised("EV", r"Oslo\\u0000"));
}
