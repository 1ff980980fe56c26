//! Values of a summary: each lands in the column that the documentation names, and an odd one costs its field.

use super::rest::rest_summary;
use super::*;
use crate::domain::fields::{EDGE_FIELDS, SUMMARY_FIELDS};
use crate::domain::{KnownCall, Value};

const SAMPLE: &str =
    include_str!("../../tests/fixtures/samples/rest-real-2020-carrier-with-sdk_edge.json");

/// The call of a complete event with this data.
fn call(data: &str) -> CallSummary {
    let event =
        format!(r#"{{"type":"com.twilio.voice.insights.call-summary.complete","data":{data}}}"#);
    match decode(event.as_bytes(), DateTime::UNIX_EPOCH).meaning {
        Meaning::CallSummary { call, .. } => *call,
        other => panic!("not a call: {other:?}"),
    }
}

fn observed(text: &str) -> KnownCall {
    rest_summary(text, DateTime::UNIX_EPOCH).expect("a call")
}

fn at<'v>(values: &'v [Value], column: &str) -> &'v Value {
    let index = SUMMARY_FIELDS.iter().position(|field| field.column == column);
    &values[index.expect("a column")]
}

fn of_edge<'c>(call: &'c CallSummary, edge: &str, direction: &str, column: &str) -> &'c Value {
    let is_it = |metric: &&crate::domain::EdgeMetric| {
        metric.edge == edge && metric.direction.unwrap_or_default() == direction
    };
    let metric = call.winner.edges.iter().find(is_it).expect("the edge");
    let index = EDGE_FIELDS.iter().position(|field| field.column == column);
    &metric.values[index.expect("a column")]
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn the_values_of_a_rich_sample_are_where_the_documentation_says() {
    let call = call(SAMPLE);
    let values = &call.winner.values;
    assert_eq!(at(values, "from_caller"), &text("+12565550100"));
    assert_eq!(at(values, "to_carrier"), &text("T-Mobile USA, Inc."));
    assert_eq!(at(values, "from_location_lat"), &Value::Float(34.418_243));
    assert_eq!(at(values, "pdd_ms"), &Value::Int4(2917));
    assert_eq!(at(values, "direction"), &text("outbound_api"));
    assert_eq!(at(values, "conference_participant"), &Value::Bool(false));
    assert_eq!(at(values, "tags"), &Value::Null);
    assert!(
        matches!(at(values, "start_time"), Value::Time(time) if time.timestamp() == 1_578_529_958)
    );

    let edges: Vec<_> =
        call.winner.edges.iter().map(|edge| (edge.edge, edge.direction.unwrap_or("-"))).collect();
    assert_eq!(
        edges,
        [
            ("sdk_edge", "inbound"),
            ("sdk_edge", "outbound"),
            ("carrier_edge", "inbound"),
            ("carrier_edge", "outbound")
        ]
    );
    let sdk = |direction, column| of_edge(&call, "sdk_edge", direction, column);
    assert_eq!(sdk("inbound", "mos_min"), &Value::Float(4.33));
    assert_eq!(sdk("inbound", "packets_received"), &Value::Int8(9987));
    assert_eq!(sdk("inbound", "codec"), &Value::Null, "the other direction's");
    assert_eq!(sdk("outbound", "codec_name"), &text("opus"));
    for direction in ["inbound", "outbound"] {
        assert_eq!(sdk(direction, "disconnected_by"), &text("remote"), "of the edge as a whole");
        assert!(matches!(sdk(direction, "events"), Value::Json(text) if text.contains("DEBUG")));
    }
    let variation = of_edge(&call, "carrier_edge", "outbound", "packet_delay_variation");
    assert!(matches!(variation, Value::Json(text) if text.contains("\"d50\": 1")));
    assert_eq!(call.winner.unreadable, [""; 0]);

    let as_text = serde_json::Value::from(SAMPLE).to_string();
    assert_eq!(self::call(&as_text), call, "an object and a text land alike");
}

#[test]
fn an_edge_without_metrics_is_one_row_and_an_empty_edge_is_none() {
    let properties = r#""properties":{"media_region":"us1"}"#;
    for metrics in ["", r#","metrics":null"#, r#","metrics":{"inbound":null}"#] {
        let call = call(&format!(r#"{{"call_sid":"CA1","sip_edge":{{{properties}{metrics}}}}}"#));
        assert_eq!(call.winner.edges.len(), 1, "{metrics}");
        assert_eq!(of_edge(&call, "sip_edge", "", "media_region"), &text("us1"));
    }
    for empty in ["null", "{}", "\"\""] {
        let call = call(&format!(r#"{{"call_sid":"CA1","sip_edge":{empty}}}"#));
        assert_eq!((call.winner.edges, call.winner.unreadable), (vec![], vec![]), "{empty}");
    }
}

#[test]
fn of_repeated_members_the_last_counts() {
    let edge = |codec| {
        format!(
            r#""sip_edge":{{"metrics":{{"inbound":{{"codec":0}},"inbound":{{"codec":{codec}}}}}}}"#
        )
    };
    let other = r#""sdk_edge":{"metrics":{"outbound":{"codec":9}}}"#;
    let data = format!(r#"{{"call_sid":"CA0",{},{other},{},"call_sid":"CA1"}}"#, edge(1), edge(2));
    let call = call(&data);
    assert_eq!((&*call.call_sid, call.winner.edges.len()), ("CA1", 2));
    assert_eq!(of_edge(&call, "sip_edge", "inbound", "codec"), &Value::Int4(2));
    assert_eq!(of_edge(&call, "sdk_edge", "outbound", "codec"), &Value::Int4(9));
}

#[test]
fn a_value_of_the_wrong_kind_costs_its_field_and_is_named() {
    let call = call(
        r#"{"call_sid":"CA1","duration":"not a number","from":{"caller":["+1"],"carrier":"ACME","location":7},
        "properties":"none","tags":"silence","attributes":{"conference_participant":"maybe"},
        "carrier_edge":{"metrics":{"inbound":{"jitter":{"avg":{}},"packets_lost":3}}},
        "sip_edge":{"metrics":7},"sdk_edge":7,"connect_duration":5}"#,
    );
    assert_eq!(
        call.winner.unreadable,
        [
            "duration: a text that is not a number",
            "from.caller: an array",
            "from.location: not an object",
            "properties: not an object",
            "tags: not an array",
            "attributes.conference_participant: a text",
            "carrier_edge.metrics.inbound.jitter.avg: an object",
            "sip_edge.metrics: not an object",
            "sdk_edge: not an object",
        ],
        "in the order of the payload"
    );
    assert_eq!(at(&call.winner.values, "from_carrier"), &text("ACME"));
    assert_eq!(at(&call.winner.values, "connect_duration"), &Value::Int4(5));
    assert_eq!(of_edge(&call, "carrier_edge", "inbound", "packets_lost"), &Value::Int8(3));
}

#[test]
fn both_spellings_of_a_direction_become_one() {
    for spelling in ["outbound-api", "outbound_api"] {
        let call =
            call(&format!(r#"{{"call_sid":"CA1","properties":{{"direction":"{spelling}"}}}}"#));
        assert_eq!(at(&call.winner.values, "direction"), &text("outbound_api"));
    }
}

#[test]
fn yes_and_no_times_lists_and_zero_are_read_as_they_are_written() {
    let trust = |value| {
        let call = call(&format!(
            r#"{{"call_sid":"CA1","attributes":{{"conference_participant":{value}}}}}"#
        ));
        at(&call.winner.values, "conference_participant").clone()
    };
    for (said, expected) in
        [("true", true), ("false", false), ("\"true\"", true), ("\"false\"", false)]
    {
        assert_eq!(trust(said), Value::Bool(expected), "{said}");
    }
    let tags = |tags: &str| {
        let call = call(&format!(r#"{{"call_sid":"CA1","tags":{tags}}}"#));
        (at(&call.winner.values, "tags").clone(), call.winner.unreadable)
    };
    let list = |texts: &[&str]| Value::Texts(texts.iter().map(|&text| text.to_owned()).collect());
    assert_eq!(tags(r#"["silence",3,null]"#), (list(&["silence", "3"]), vec![]));
    assert_eq!(tags("[]"), (list(&[]), vec![]));
    assert_eq!(tags(r#""""#), (Value::Null, vec![]), "an empty text is no list and no mistake");

    let call = call(r#"{"call_sid":"CA1","from":{"location":{"lat":-0.0,"lon":-1.5}}}"#);
    let Value::Float(zero) = at(&call.winner.values, "from_location_lat") else { panic!("read") };
    assert!(*zero == 0.0 && zero.is_sign_positive(), "zero has no sign");
    assert_eq!(at(&call.winner.values, "from_location_lon"), &Value::Float(-1.5));
}

#[test]
fn an_observation_is_as_final_as_it_says_and_a_complete_one_without_tags_has_none() {
    let tags = |call: &KnownCall| at(&call.values(), "tags").clone();
    let complete = observed(r#"{"call_sid":"CA1","processing_state":"complete","tags":null}"#);
    assert_eq!(complete.state(), SummaryState::Complete);
    assert_eq!(tags(&complete), Value::Texts(vec![]), "as the complete event says it");
    let partial = observed(r#"{"call_sid":"CA1","processing_state":"partial","tags":null}"#);
    assert_eq!((partial.state(), tags(&partial)), (SummaryState::Partial, Value::Null));
    let said = observed(r#"{"call_sid":"CA1","processing_state":"complete","tags":["silence"]}"#);
    assert_eq!(tags(&said), Value::Texts(vec!["silence".to_owned()]));
    let odd = observed(r#"{"call_sid":"CA1","processing_state":"complete","tags":7}"#);
    assert_eq!(tags(&odd), Value::Null, "what could not be read is not known to be empty");
    assert_eq!(odd.unreadable(), ["tags: not an array"]);
}
