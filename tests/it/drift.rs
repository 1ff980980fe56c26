//! A field that Twilio adds is noticed the day it comes: where, since when, how often, and never what it says.

use crate::support::insights::ACCOUNT;
use crate::support::service::{Setup, callsink, samples};
use crate::support::twilio::TOKEN;
use crate::support::{Database, Event, Insights, Service, eventually, made_up};
use chrono::{DurationRound, TimeDelta, Utc};
use serde_json::{Value, json};

const FIELDS: &str = "SELECT array_agg(concat_ws(' ', path, schema_version, example_type, occurrences) \
    ORDER BY path COLLATE \"C\", schema_version) AS fields FROM callsink.unknown_fields";

async fn fields(database: &Database) -> Vec<String> {
    let found = database.json(FIELDS).await;
    let found = found["fields"].as_array().cloned().unwrap_or_default();
    found.iter().map(|field| field.as_str().expect("text").to_owned()).collect()
}

async fn noticed(database: &Database, count: i64) {
    eventually("the fields are noticed", || async {
        database.count("callsink.unknown_fields").await == count
    })
    .await;
}

fn event(sid: &str) -> Event {
    let metrics = json!({ "inbound": { "jitter": { "p95": 1.5 } }, "sideways": [] });
    Event::new(sid, "complete")
        .with("new_word", "+15551230000")
        .with("properties", json!({ "pdd_ms": 1, "new_object": { "deep": 1 } }))
        .with("from", json!({ "+15551230000": 1, "15551230001": 2, "carrier": "x" }))
        .with(
            "sdk_edge",
            json!({ "metrics": metrics, "events": { "levels": { "ANY": 1 } }, "more": null,
                "properties": { "settings": { "any": true } } }),
        )
}

#[tokio::test]
async fn a_field_that_no_column_holds_is_counted_by_path_and_version_and_its_value_is_not_told() {
    let (service, database, _data) = Service::fresh().await;
    assert_eq!(service.deliver_events(&[event("CA1")]).await, 200);
    noticed(&database, 6).await;
    assert_eq!(
        fields(&database).await,
        [
            "data.from.* 7 number 2",
            "data.new_word 7 text 1",
            "data.properties.new_object 7 object 1",
            "data.sdk_edge.metrics.inbound.jitter.p95 7 number 1",
            "data.sdk_edge.metrics.sideways 7 array 1",
            "data.sdk_edge.more 7 null 1",
        ]
    );
    assert_eq!(service.metric("callsink_unknown_fields_total").await, 6.0);
    let warnings = || service.log().matches("no column for").count();
    eventually("a warning per field", || async { warnings() >= 6 }).await;
    assert_eq!(warnings(), 6, "one per field: {}", service.log());

    // Known by now: counted when the service stops, or once a minute; a new version and the envelope at once.
    assert_eq!(service.deliver_events(&[event("CA2"), event("CA3")]).await, 200);
    let mut other = Event::new("CA4", "complete").with("new_word", 1).json();
    other["dataschema"] = "https://events-schemas.twilio.com/VoiceInsights.CallSummary/8".into();
    other["traceparent"] = "00-aa".into();
    assert_eq!(service.deliver(other.to_string().as_bytes()).await, 200);
    noticed(&database, 8).await;
    let log = service.log();
    assert!(service.stop().await.success());
    let said = fields(&database).await;
    for field in [
        "data.from.* 7 number 6",
        "data.new_word 7 text 3",
        "data.new_word 8 number 1",
        "traceparent 8 text 1",
    ] {
        assert!(said.iter().any(|said| said == field), "{field}: {said:?}");
    }
    assert!(!log.contains("1555") && !said.concat().contains("1555"), "{log}");
    let span = "callsink.unknown_fields WHERE first_seen_time <= last_seen_time AND last_seen_time <= now()";
    assert_eq!(database.count(span).await, 8);
}

#[tokio::test]
async fn a_field_that_only_the_rest_api_tells_is_counted_by_whoever_reads_it_there() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    let hour = |ago: i64| Utc::now() - TimeDelta::hours(ago);
    let start = hour(4).duration_trunc(TimeDelta::hours(1)).expect("a time");
    insights.state().calls = (1..=5)
        .map(|number| {
            let mut item = made_up::item(ACCOUNT, number, start + TimeDelta::minutes(1));
            item["properties"]["brand_new"] = json!("+15551230000");
            if number == 1 {
                item["trust"]["newer"] = json!([1]);
            }
            item
        })
        .collect();
    let database = Database::migrated().await;
    let run = async |arguments: &[&str]| {
        let (since, until) = (start.to_rfc3339(), hour(2).to_rfc3339());
        let mut command = callsink();
        command.args(arguments).args(["--since", &since, "--until", &until]).envs([
            ("DATABASE_URL", database.url()),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("CALLSINK_INSIGHTS_API", &insights.url),
        ]);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("waited for").expect("the compiled binary");
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    run(&["backfill", "--dry-run"]).await;
    assert_eq!(fields(&database).await, [""; 0], "a dry run writes nothing");
    let said = run(&["coverage"]).await;
    let expected = |count: u32| {
        [
            format!("rest.properties.brand_new text {count}"),
            format!("rest.trust.newer array {}", count / 5),
        ]
    };
    assert_eq!(fields(&database).await, expected(5), "{said}");
    assert_eq!(said.matches("no column for").count(), 2, "{said}");
    let said = run(&["backfill"]).await;
    assert_eq!(fields(&database).await, expected(10));
    assert!(!said.contains("no column for"), "said once: {said}");
    assert!(!said.contains("1555"), "{said}");
}

#[tokio::test]
async fn a_map_with_endless_keys_fills_neither_memory_nor_table() {
    let (service, database, data) = Service::fresh().await;
    let hostile = |sid: &str, word: &str| {
        let keys = (0..300).map(|number: u16| {
            let letter = |index: u16| char::from(b'a' + u8::try_from(index % 26).expect("small"));
            format!("{word}_{}{}", letter(number / 26), letter(number))
        });
        let map: serde_json::Map<String, Value> = keys.map(|key| (key, json!(1))).collect();
        Event::new(sid, "complete").with("to", Value::Object(map))
    };
    assert_eq!(service.deliver_events(&[hostile("CA0", "one")]).await, 200);
    noticed(&database, 64).await; // of one event
    database
        .execute("INSERT INTO callsink.unknown_fields SELECT 'x' || n, 7, 'text', now(), now(), 1 FROM generate_series(65, 1000) n")
        .await;
    assert!(service.stop().await.success());
    let service = Setup::new(&database, data.path()).start().await;
    let events = [hostile("CA1", "one"), hostile("CA2", "two")];
    assert_eq!(service.deliver_events(&events).await, 200);
    let counted = "callsink.unknown_fields WHERE path LIKE 'data.to.one%' AND occurrences = 2";
    service.drained().await;
    eventually("what is known is counted", || async { database.count(counted).await == 64 }).await;
    assert_eq!(database.count("callsink.unknown_fields").await, 1000);
    assert_eq!(database.count("call_summaries").await, 3, "events are not harmed");
}

/// The samples of all schema versions and of the REST API hold what Twilio documents; each is known.
#[tokio::test]
async fn no_documented_field_is_taken_for_a_new_one() {
    let (service, database, _data) = Service::fresh().await;
    let mut sent = 0;
    for entry in std::fs::read_dir(samples()).expect("the samples") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let Ok(sample) = serde_json::from_str::<Value>(&text) else { continue };
        let items = sample.get("call_summaries").and_then(Value::as_array).cloned();
        let calls = items.unwrap_or_else(|| vec![sample]);
        for call in calls
            .into_iter()
            .filter(|call| call.get("call_sid").is_some() && call.get("call_state").is_some())
        {
            let mut event = Event::new("", "complete");
            event.data = call;
            event.data["call_sid"] = format!("CA{sent}").into();
            assert_eq!(service.deliver_events(&[event]).await, 200);
            sent += 1;
        }
    }
    assert!(sent >= 12, "only {sent} samples are call summaries");
    service.drained().await;
    assert!(service.stop().await.success(), "what was seen is written by now");
    assert_eq!(fields(&database).await, [""; 0]);
}
