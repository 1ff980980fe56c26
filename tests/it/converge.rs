//! Any order, any repeats, same row: in the pure merge and in PostgreSQL alike.

use crate::support::{Database, Event, Service};
use callsink::decode::{Meaning, decode};
use callsink::domain::CallSummary;
use callsink::store::Session;
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::collections::BTreeMap;

/// What of a row is a function of the set of events, and not of when they came in.
const ROW: &str = "SELECT event_type, event_rank, processing_version, event_time, event_id, dataschema, \
    schema_version, duration, tags, call_state, payload, edges, unreadable_fields, partial_time, \
    predicted_complete_time, complete_time FROM call_summaries WHERE call_sid = ";

fn received(second: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + i64::try_from(second).expect("small"), 0)
        .expect("a time")
}

fn read(event: &Event, second: usize) -> CallSummary {
    match decode(event.json().to_string().as_bytes(), received(second)).meaning {
        Meaning::CallSummary { call, .. } => *call,
        other => panic!("not a call summary: {other:?}"),
    }
}

/// Events of one call that meet on every part of the key.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let state = prop::sample::select(vec!["partial", "predicted-complete", "complete", "error"]);
    let version = prop::option::of(0..3_i64);
    let time = prop::option::of(prop::sample::select(vec![
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T03:04:05.001Z",
        "2026-01-02T04:04:05+01:00",
    ]));
    let id = prop::option::of(prop::sample::select(vec!["EZa", "EZB", "EZé", ""]));
    let event =
        (state, version, time, id, 0..3_i64).prop_map(|(state, version, time, id, duration)| {
            let mut event = Event::new("CA", state).with("duration", duration);
            event = event.with("call_state", format!("state{duration}"));
            event = event.with("tags", vec![format!("tag{duration}")]);
            if let Some(version) = version {
                event = event.version(version);
            }
            event.id = id.map_or(Value::Null, Value::from);
            event.time = time.map_or(Value::Null, Value::from);
            event
        });
    prop::collection::vec(event, 1..7)
}

proptest! {
    #[test]
    fn the_pure_merge_is_commutative_associative_and_idempotent(
        (events, shuffled) in events().prop_flat_map(|events| {
            let repeated: Vec<Event> = [events.clone(), events.clone()].concat();
            (Just(events), Just(repeated).prop_shuffle())
        }),
        cut in 0..14_usize,
    ) {
        let merged = |events: &[Event]| {
            events.iter().map(|event| read(event, 0)).reduce(CallSummary::merge)
        };
        let expected = merged(&events);
        prop_assert_eq!(&merged(&shuffled), &expected, "any order, any repeats");
        let (left, right) = shuffled.split_at(cut.min(shuffled.len()));
        let both = match (merged(left), merged(right)) {
            (Some(left), Some(right)) => Some(left.merge(right)),
            (left, right) => left.or(right),
        };
        prop_assert_eq!(&both, &expected, "in any groups");
    }
}

/// Random sequences of events, some of them in batches, through the real statement.
#[tokio::test]
async fn the_upsert_agrees_with_the_pure_merge_on_random_sequences() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let mut runner = TestRunner::deterministic();
    for number in 0..150 {
        let sequence = events().prop_flat_map(|events| {
            let repeated: Vec<Event> = [events.clone(), events].concat();
            (Just(repeated).prop_shuffle(), prop::collection::vec(any::<bool>(), 14))
        });
        let (sequence, joined) = sequence.new_tree(&mut runner).expect("a value").current();
        let sid = |kind: &str| format!("CA{kind}{number}");
        let named = |event: &Event, kind: &str, second| {
            let mut event = event.clone();
            event.data["call_sid"] = sid(kind).into();
            read(&event, second)
        };
        // One call gets its events one by one or merged with the next; the other merged beforehand.
        let mut pending: Option<CallSummary> = None;
        for (second, event) in sequence.iter().enumerate() {
            let call = named(event, "a", second);
            let call = match pending.take() {
                Some(before) => before.merge(call),
                None => call,
            };
            if joined[second] && second + 1 < sequence.len() {
                pending = Some(call);
            } else {
                session.upsert_call_summaries(&[call]).await.expect("stored");
            }
        }
        let model = sequence.iter().enumerate().map(|(second, event)| named(event, "b", second));
        let model = model.reduce(CallSummary::merge).expect("at least one event");
        session.upsert_call_summaries(std::slice::from_ref(&model)).await.expect("stored");

        let row = |kind: &str| format!("{ROW} '{}'", sid(kind));
        let without_sid = |row: Value| row.to_string().replace("CAa", "CA").replace("CAb", "CA");
        let found = without_sid(database.json(&row("a")).await);
        let expected = without_sid(database.json(&row("b")).await);
        assert_eq!(found, expected, "sequence {number}: {sequence:?}");
        let times =
            "SELECT count(DISTINCT (first_received_time, last_received_time)) FROM call_summaries";
        let same: i64 = database
            .value(&format!("{times} WHERE call_sid IN ('{}', '{}')", sid("a"), sid("b")))
            .await;
        assert_eq!(same, 1, "receipt times merge, too");
    }
}

/// The three events of a call, in all orders, each delivered twice, through the front door.
#[tokio::test]
async fn all_orders_of_a_calls_deliveries_give_the_same_row() {
    let (service, database, _data) = Service::fresh().await;
    let states = ["partial", "predicted-complete", "complete"];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (number, order) in orders.iter().enumerate() {
        for state in order.iter().chain(order) {
            let second = 10 + state;
            let event = Event::new(&format!("CA{number}"), states[*state])
                .version(1)
                .id(&format!("EZ{state}"))
                .time(format!("2026-01-02T03:04:{second}.000Z"))
                .with("duration", *state);
            assert_eq!(service.deliver_events(&[event]).await, 200);
            if number % 2 == 0 {
                service.drained().await; // a statement each; the other orders may share a batch
            }
        }
    }
    service.drained().await;
    let rows = database.rows("SELECT call_sid FROM call_summaries ORDER BY 1").await;
    assert_eq!(rows.len(), orders.len());
    let mut seen = BTreeMap::new();
    for number in 0..orders.len() {
        let row = database.json(&format!("{ROW} 'CA{number}'")).await;
        let row = row.to_string().replace(&format!("\"CA{number}\""), "\"CA\"");
        *seen.entry(row).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 1, "{seen:#?}");
    let row: String = database.value("SELECT event_type FROM call_summaries LIMIT 1").await;
    assert!(row.ends_with(".complete"), "{row}");
    let times = "call_summaries WHERE partial_time = '2026-01-02T03:04:10Z' \
        AND predicted_complete_time = '2026-01-02T03:04:11Z' AND complete_time = '2026-01-02T03:04:12Z'";
    assert_eq!(database.count(times).await, 6);
}

#[tokio::test]
async fn a_late_partial_never_degrades_a_complete() {
    let (service, database, _data) = Service::fresh().await;
    let complete = Event::new("CA1", "complete").version(1).with("duration", 60);
    let late =
        Event::new("CA1", "partial").version(99).time("2027-01-01T00:00:00Z").with("duration", 1);
    assert_eq!(service.deliver_events(&[complete]).await, 200);
    service.drained().await;
    assert_eq!(service.deliver_events(&[late]).await, 200);
    service.drained().await;
    let row = database.json("SELECT duration, event_rank, partial_time FROM call_summaries").await;
    assert_eq!(row["duration"], 60);
    assert_eq!(row["event_rank"], 3);
    assert!(row["partial_time"].as_str().expect("kept").starts_with("2027-01-01"), "{row}");
}
