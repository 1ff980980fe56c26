//! Every sample lands with every documented field in its column; odd values cost a field, not an event.

use crate::support::{Event, Service};
use serde_json::{Value, json};

fn sample(name: &str) -> Value {
    let path = crate::support::service::samples().join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Names of the samples that are single call summaries.
fn summaries() -> Vec<String> {
    let names = std::fs::read_dir(crate::support::service::samples()).expect("the samples");
    let mut names: Vec<String> = names
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| {
            name == "rest-fetch-summary.json"
                || name == "rest-real-2020-carrier-with-sdk_edge.json"
                || name.starts_with("rest-list-")
                || name.ends_with("client-canceled.data.json")
        })
        .collect();
    names.sort();
    names
}

/// Both shapes of `data` must land alike; the row and its edges are kept as a snapshot that people read.
#[tokio::test]
async fn every_sample_lands_with_every_documented_field_in_its_column_in_both_shapes() {
    let (service, database, _data) = Service::fresh().await;
    let names = summaries();
    assert!(names.len() >= 12, "samples are missing: {names:?}");
    let mut snapshot = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let mut rows = Vec::new();
        for as_text in [false, true] {
            let mut event = Event::new("", "complete").version(1).id("EZ");
            event.data = sample(name);
            let sid = format!("CA{number}{as_text}");
            event.data["call_sid"] = sid.clone().into();
            event.data_as_text = as_text;
            assert_eq!(service.deliver_events(&[event]).await, 200);
            service.drained().await;
            let columns = format!("SELECT * FROM call_summaries WHERE call_sid = '{sid}'");
            let mut row = database.json(&columns).await;
            let row = row.as_object_mut().unwrap_or_else(|| panic!("{name} is not there"));
            for name in
                ["call_sid", "payload", "edges", "first_received_time", "last_received_time"]
            {
                row.remove(name);
            }
            let edges = database
                .json(&format!(
                    "SELECT array_agg(e ORDER BY edge, direction) AS edges FROM (SELECT edge, direction, \
                     to_jsonb(m) - 'call_sid' - 'edge' - 'direction' - 'account_sid' - 'start_time' AS said \
                     FROM call_edge_metrics m WHERE call_sid = '{sid}') AS e"
                ))
                .await;
            rows.push(json!({ "row": row, "edges": edges["edges"] }));
        }
        assert_eq!(rows[0], rows[1], "{name}: an object and a text land alike");
        snapshot.push(json!({ "sample": name, "landed": rows.remove(0) }));
    }
    insta::assert_json_snapshot!(snapshot);
}

/// Independent of the snapshot: what a sample says is found again in the columns, value by value.
#[tokio::test]
async fn the_values_of_a_rich_sample_are_in_the_columns_that_the_documentation_names() {
    let (service, database, _data) = Service::fresh().await;
    let mut event = Event::new("", "complete");
    event.data = sample("rest-real-2020-carrier-with-sdk_edge.json");
    assert_eq!(service.deliver_events(&[event]).await, 200);
    service.drained().await;
    let count = |condition: &str| format!("call_summaries WHERE {condition}");
    let all = "from_caller = '+12565550100' AND to_callee = '+12065550101' AND from_carrier = 'Twilio' \
        AND to_carrier = 'T-Mobile USA, Inc.' AND from_location_lat = 34.418243 \
        AND to_location_lon = -122.348976 AND pdd_ms = 2917 AND last_sip_response_num = 200 \
        AND direction = 'outbound_api' AND disconnected_by = 'caller' AND duration = 140 \
        AND connect_duration = 131 AND NOT conference_participant AND tags IS NULL \
        AND start_time = '2020-01-09T00:32:38Z' AND call_type = 'carrier'";
    assert_eq!(database.count(&count(all)).await, 1);
    let edge = |condition: &str| format!("call_edge_metrics WHERE {condition}");
    let sdk_in = "edge = 'sdk_edge' AND direction = 'inbound' AND mos_avg = 4.43 AND mos_min = 4.33 \
        AND rtt_avg = 85.8 AND audio_in_max = 11268 AND audio_out_avg = 89.2 AND packets_lost = 1 \
        AND packets_received = 9987 AND jitter_max = 3 AND packets_loss_percentage = 0.010012015 \
        AND codec IS NULL AND settings->>'dscp' = 'true' AND events->'levels'->>'INFO' = '13'";
    assert_eq!(database.count(&edge(sdk_in)).await, 1);
    let sdk_out = "edge = 'sdk_edge' AND direction = 'outbound' AND codec = 111 AND codec_name = 'opus' \
        AND packets_sent = 9997 AND edge_direction = 'outbound' AND disconnected_by = 'remote'";
    assert_eq!(database.count(&edge(sdk_out)).await, 1);
    let carrier_out = "edge = 'carrier_edge' AND direction = 'outbound' \
        AND packet_delay_variation->>'d50' = '1' AND media_region = 'us1'";
    assert_eq!(database.count(&edge(carrier_out)).await, 1);
    assert_eq!(database.count("call_edge_metrics").await, 4);
}

#[tokio::test]
async fn an_edge_without_metrics_keeps_its_properties_in_a_row_without_direction() {
    let (service, database, _data) = Service::fresh().await;
    let edge = json!({ "properties": { "media_region": "us1", "trunk_sid": "TK1" } });
    let event = Event::new("CA1", "complete").with("carrier_edge", edge);
    assert_eq!(service.deliver_events(&[event]).await, 200);
    service.drained().await;
    let row =
        "call_edge_metrics WHERE edge = 'carrier_edge' AND direction IS NULL AND trunk_sid = 'TK1'";
    assert_eq!(database.count(row).await, 1);
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_costs_its_field_and_is_named() {
    let (service, database, _data) = Service::fresh().await;
    let event = Event::new("CA1", "complete")
        .with("duration", "not a number")
        .with("start_time", "yesterday")
        .with("from", json!({ "caller": ["+1"], "carrier": "ACME", "location": 7 }))
        .with("properties", "none")
        .with("tags", "silence")
        .with(
            "carrier_edge",
            json!({ "metrics": { "inbound": { "jitter": { "avg": {} }, "packets_lost": 3 } } }),
        )
        .with("connect_duration", 5);
    assert_eq!(service.deliver_events(&[event]).await, 200);
    service.drained().await;
    let row = database.json("SELECT * FROM call_summaries").await;
    let named: Vec<&str> = row["unreadable_fields"]
        .as_array()
        .expect("named")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        named,
        [
            "carrier_edge.metrics.inbound.jitter.avg: an object",
            "duration: a text that is not a number",
            "from.caller: an array",
            "from.location: not an object",
            "properties: not an object",
            "start_time: a text that is not a time",
            "tags: not an array",
        ],
        "in the order of the payload"
    );
    assert_eq!(row["from_carrier"], "ACME");
    assert_eq!(row["connect_duration"], 5);
    assert_eq!(row["duration"], Value::Null);
    let lost: i64 = database.value("SELECT packets_lost FROM call_edge_metrics").await;
    assert_eq!(lost, 3);
    assert_eq!(database.count("callsink.dead_letters").await, 0);
}

#[tokio::test]
async fn characters_that_postgresql_cannot_hold_stop_neither_the_event_nor_a_later_query() {
    let (service, database, _data) = Service::fresh().await;
    let text =
        Event::new("CA1", "complete").with("from", json!({ "city": "@" })).json().to_string();
    let escaped = text.replace('@', "a\\u0000b\\ud800c");
    assert_eq!(service.deliver(escaped.as_bytes()).await, 200);
    let mut in_text = Event::new("CA2", "complete").with("from", json!({ "city": "x\u{0}y" }));
    in_text.data_as_text = true;
    assert_eq!(service.deliver_events(&[in_text]).await, 200);
    let invalid =
        Event::new("CA3", "complete").with("from", json!({ "city": "@" })).json().to_string();
    let invalid: Vec<u8> =
        invalid.bytes().map(|byte| if byte == b'@' { 0xFF } else { byte }).collect();
    assert_eq!(service.deliver(&invalid).await, 200);
    service.drained().await;
    let rows = database
        .rows("SELECT from_city, payload->'from'->>'city' FROM call_summaries ORDER BY call_sid")
        .await;
    let cities: Vec<(String, String)> =
        rows.iter().map(|row| (sqlx::Row::get(row, 0), sqlx::Row::get(row, 1))).collect();
    let same = |city: &str| (city.to_owned(), city.to_owned());
    assert_eq!(cities, [same("a\u{fffd}b\u{fffd}c"), same("x\u{fffd}y"), same("\u{fffd}")]);
    let originals = database
        .rows("SELECT raw FROM callsink.dead_letters WHERE reason = 'sanitised' ORDER BY call_sid")
        .await;
    assert_eq!(originals.len(), 3);
    let raw: Vec<u8> = sqlx::Row::get(&originals[0], 0);
    assert_eq!(raw, escaped.as_bytes(), "the original bytes are kept");
}

#[tokio::test]
async fn a_summary_of_an_unknown_state_is_kept_raw_and_ranks_lowest() {
    let (service, database, _data) = Service::fresh().await;
    let error = Event::new("CA1", "error").with("duration", 1);
    assert_eq!(service.deliver_events(&[error]).await, 200);
    service.drained().await;
    assert_eq!(database.value::<i16>("SELECT event_rank FROM call_summaries").await, 0);
    let partial = Event::new("CA1", "partial").with("duration", 2);
    assert_eq!(service.deliver_events(&[partial]).await, 200);
    service.drained().await;
    assert_eq!(database.value::<i16>("SELECT event_rank FROM call_summaries").await, 1);
    let raw: String = database.value("SELECT data->>'duration' FROM callsink.events").await;
    assert_eq!(raw, "1", "what lost its row is not lost");
}

#[tokio::test]
async fn test_events_of_one_account_do_not_block_each_other() {
    let (service, database, _data) = Service::fresh().await;
    for test_id in ["one", "two", "two"] {
        let mut event = sample("event-sink-test.json");
        event["data"] = json!(json!({ "test_id": test_id }).to_string());
        assert_eq!(service.deliver(event.to_string().as_bytes()).await, 200);
    }
    service.drained().await;
    let ids: String = database
        .value("SELECT string_agg(data->>'test_id', ',' ORDER BY data->>'test_id') FROM callsink.events")
        .await;
    assert_eq!(ids, "one,two");
    let kind: String = database.value("SELECT event_type FROM callsink.events LIMIT 1").await;
    assert_eq!(kind, "com.twilio.eventstreams.test-event");
    assert_eq!(database.count("call_summaries").await, 0);
}

#[tokio::test]
async fn other_events_are_kept_with_all_that_their_envelope_says() {
    let (service, database, _data) = Service::fresh().await;
    let mut event = sample("event-inbound-message-v1-observed-bare-object.json");
    event["extension"] = json!({ "of": "CloudEvents" });
    assert_eq!(service.deliver(event.to_string().as_bytes()).await, 200);
    service.drained().await;
    let row = database.json("SELECT * FROM callsink.events").await;
    assert_eq!(row["event_type"], "com.twilio.messaging.inbound-message.received");
    assert_eq!(row["data"]["body"], "Hello");
    assert_eq!(row["envelope"]["extension"]["of"], "CloudEvents");
    assert_eq!(row["event_id"], event["id"]);
}
