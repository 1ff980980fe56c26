//! `callsink erase`: the person is gone, now and after whatever comes later; the figures stay.

use super::{Said, run};
use crate::support::service::{callsink, samples as samples_directory};
use crate::support::{Database, Event, Service};
use callsink::decode::redact::redact;
use callsink::decode::rest::rest_summary;
use callsink::domain::Value;
use callsink::domain::fields::{EDGE_FIELDS, PERSONAL_COLUMNS, SUMMARY_FIELDS};
use callsink::store::Session;
use serde_json::json;

fn erase(database: &Database, arguments: &[&str]) -> Said {
    let mut command = callsink();
    run(command.arg("erase").args(arguments).env("DATABASE_URL", database.url()))
}

/// Rows of all tables in which `text` stands somewhere.
async fn mentions(database: &Database, text: &str) -> i64 {
    let rows = format!(
        "(SELECT c::text AS said FROM call_summaries c UNION ALL SELECT e::text FROM callsink.events e \
         UNION ALL SELECT encode(raw, 'escape') || detail FROM callsink.dead_letters) AS x WHERE said LIKE '%{text}%'"
    );
    database.count(&rows).await
}

fn call(sid: &str, caller: &str) -> Event {
    Event::new(sid, "partial")
        .with("from", json!({ "caller": caller, "city": "Springfield", "carrier": "ACME", "country_code": "US" }))
        .with("to", json!({ "callee": "+16660000000", "connection": "mobile" }))
        .with("unheard_of", format!("again {caller}"))
        .with("duration", 7)
        .with("tags", vec!["silence"])
        .with("carrier_edge", json!({ "properties": { "external_media_ip": "192.0.2.7", "media_region": "us1" },
            "metrics": { "inbound": { "jitter": { "avg": 1.5 } } } }))
}

const FIGURES: &str = "SELECT call_sid, duration, tags, from_carrier, from_country_code, to_connection, event_type, \
    event_time, event_id, schema_version, first_received_time, last_received_time, (edges[1]).jitter_avg, \
    (edges[1]).media_region FROM call_summaries WHERE call_sid = 'CA1'";

#[tokio::test]
async fn a_number_is_gone_from_every_table_and_the_figures_of_its_calls_stay() {
    let (service, database, _data) = Service::fresh().await;
    let events = [
        call("CA1", "+15551230000"),
        call("CA2", "sip:+15551230000@sip.example.com:5060"),
        call("CA3", "+155512300001"),
        call("CA4", "client:somebody"),
        call("CA5", "+16660000001").with("new", "x\u{0}y 15551230000"),
    ];
    assert_eq!(service.deliver_events(&events).await, 200);
    let other = json!({ "type": "com.twilio.other", "id": "1", "data": { "who": "+15551230000" } });
    assert_eq!(service.deliver(other.to_string().as_bytes()).await, 200);
    assert_eq!(service.deliver(b"{\"id\":\"no type\",\"who\":\"15551230000\"}").await, 200);
    let another = other.to_string().replace("15551230000", "155512300009");
    assert_eq!(service.deliver(another.as_bytes()).await, 200);
    service.drained().await;
    let before = database.json(FIGURES).await;

    let said = erase(&database, &["--number", "+1 (555) 123-0000"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    for line in [
        "calls                 2  to redact",
        "dead letters          2  to delete",
        "other events          1  to delete",
    ] {
        assert!(said.out.contains(line), "{said:?}");
    }
    assert_eq!(mentions(&database, "15551230000").await, 8, "a dry run changes nothing");
    assert_eq!(database.count("callsink.erased_calls").await, 0);

    let said = erase(&database, &["--number", "+15551230000", "--yes"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("calls                 2  redacted"), "{said:?}");
    assert!(!said.out.contains("1555") && !said.err.contains("1555"), "{said:?}");
    // CA3 is another number; CA5 only speaks of it in a field that no column holds.
    let left = "call_summaries WHERE payload::text LIKE '%15551230000%' AND call_sid NOT IN ('CA3', 'CA5')";
    assert_eq!(database.count(left).await, 0);
    assert_eq!(mentions(&database, "15551230000").await, 3);
    assert_eq!(database.json(FIGURES).await, before, "figures stay");
    let gone = "call_summaries WHERE call_sid IN ('CA1', 'CA2') AND erased_time IS NOT NULL AND from_caller IS NULL \
        AND to_callee IS NULL AND from_city IS NULL AND (edges[1]).external_media_ip IS NULL \
        AND payload::text NOT LIKE '%Springfield%' AND payload::text NOT LIKE '%192.0.2.7%'";
    assert_eq!(database.count(gone).await, 2);
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    assert_eq!(database.count("callsink.events").await, 1, "that of a longer number stays");
    assert_eq!(
        database.count("call_summaries WHERE erased_time IS NULL").await,
        3,
        "others are untouched"
    );

    // A second run finds nothing more, a run by client finds the other one.
    let said = erase(&database, &["--number", "+15551230000", "--yes"]);
    assert!(said.out.contains("calls                 0  redacted"), "{said:?}");
    let said = erase(&database, &["--number", "client:somebody", "--yes"]);
    assert!(said.out.contains("calls                 1  redacted"), "{said:?}");
}

#[tokio::test]
async fn what_arrives_of_an_erased_call_later_adds_to_its_figures_and_never_brings_the_person_back()
{
    let (service, database, _data) = Service::fresh().await;
    assert_eq!(service.deliver_events(&[call("CA1", "+15551230000")]).await, 200);
    service.drained().await;
    assert_eq!(erase(&database, &["--call", "CA1", "--yes"]).code, Some(0));

    let mut late =
        call("CA1", "+15551230000").with("call_state", "completed").with("extra", "x\u{0}y");
    late.state = "complete".to_owned();
    // The same event again, a better one with bytes that PostgreSQL can't hold, one of an unknown state.
    let mut unknown = late.clone();
    unknown.state = "error".to_owned();
    for event in [call("CA1", "+15551230000"), late, unknown] {
        assert_eq!(service.deliver_events(&[event]).await, 200);
    }
    service.drained().await;
    assert_eq!(mentions(&database, "5551230000").await, 0);
    let row = "call_summaries WHERE call_state = 'completed' AND event_rank = 3 AND duration = 7 AND from_carrier = 'ACME'";
    assert_eq!(database.count(row).await, 1);

    // Neither does the REST API, nor an event that PostgreSQL refuses.
    let item = json!({ "call_sid": "CA1", "processing_state": "complete", "duration": 8, "from": { "caller": "+15551230000" },
        "answered_by": "human", "annotation": { "comment": "call +15551230000 back" } });
    let asked = chrono::Utc::now();
    let known = rest_summary(&item.to_string(), asked).expect("a summary");
    let mut session = Session::new(&database.store());
    session.merge_rest_summaries(&[known]).await.expect("merged");
    assert_eq!(
        database.count("call_summaries WHERE duration = 8 AND answered_by = 'human'").await,
        1
    );
    assert_eq!(mentions(&database, "5551230000").await, 0);
    database
        .execute(
            "ALTER TABLE call_summaries ADD CONSTRAINT refusing CHECK (duration <> 9) NOT VALID",
        )
        .await;
    let mut refused =
        call("CA1", "+15551230000").with("duration", 9).version(9).time("2036-01-02T03:04:05Z");
    refused.state = "complete".to_owned();
    assert_eq!(service.deliver_events(&[refused]).await, 200);
    service.drained().await;
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    assert_eq!(mentions(&database, "5551230000").await, 0);
}

#[tokio::test]
async fn a_deleted_call_stays_deleted() {
    let (service, database, _data) = Service::fresh().await;
    let events =
        [call("CA1", "+15551230000"), call("CA2", "+15551230000"), call("CA3", "+16660000001")];
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    let said = erase(
        &database,
        &["--call", "CA1", "--call", "CA2", "--call", "CAunseen", "--delete", "--yes"],
    );
    assert!(said.out.contains("calls                 2  deleted"), "{said:?}");
    let late = ["CA1", "CAunseen", "CA4"].map(|sid| call(sid, "+15551230000"));
    assert_eq!(service.deliver_events(&late).await, 200);
    service.drained().await;
    let left = "SELECT string_agg(call_sid, ' ' ORDER BY call_sid) FROM call_summaries";
    assert_eq!(
        database.value::<String>(left).await,
        "CA3 CA4",
        "a new call of the same person is a new call"
    );
    assert_eq!(database.count("callsink.erased_calls WHERE is_deleted").await, 3);
    // The stricter way stays.
    assert_eq!(erase(&database, &["--call", "CA1", "--redact", "--yes"]).code, Some(0));
    assert_eq!(database.count("callsink.erased_calls WHERE is_deleted").await, 3);
}

#[tokio::test]
async fn wrong_arguments_are_named_without_repeating_the_number() {
    for wrong in [
        &["--number", "x1777456"][..],
        &["--call", "123"],
        &[],
        &["--call", "CA1", "--redact", "--delete"],
    ] {
        let said = run(callsink().arg("erase").args(wrong));
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(!said.err.contains("1777456"), "{said:?}");
    }
}

#[tokio::test]
async fn no_race_between_deliveries_and_an_erasing_leaves_anything() {
    let (service, database, _data) = Service::fresh().await;
    let sids: Vec<String> = (0..60).map(|number| format!("CA{number}")).collect();
    let url = database.url().to_owned();
    let erasing = {
        let sids = sids.clone();
        tokio::task::spawn_blocking(move || {
            for chunk in sids.chunks(10) {
                let calls = chunk.iter().flat_map(|sid| ["--call", sid]);
                let how = if chunk[0] == "CA0" { "--redact" } else { "--delete" };
                let mut command = callsink();
                let command = command.arg("erase").args(calls).args([how, "--yes"]);
                assert_eq!(run(command.env("DATABASE_URL", &url)).code, Some(0));
            }
        })
    };
    for version in 0..12 {
        for part in sids.chunks(7) {
            let events: Vec<Event> =
                part.iter().map(|sid| call(sid, "+15551230000").version(version)).collect();
            assert_eq!(service.deliver_events(&events).await, 200);
        }
    }
    erasing.await.expect("erased");
    service.drained().await;
    assert_eq!(mentions(&database, "5551230000").await, 0);
    assert_eq!(database.count("call_summaries").await, 10, "the redacted ones");
}

#[test]
fn a_redacted_summary_has_the_same_columns_but_for_the_personal_ones() {
    let is_personal = |column: &str| PERSONAL_COLUMNS.contains(&column);
    let asked = chrono::DateTime::UNIX_EPOCH;
    let (mut samples, mut personal) = (0, 0);
    for entry in std::fs::read_dir(samples_directory()).expect("the samples") {
        let text = std::fs::read_to_string(entry.expect("readable").path()).expect("text");
        let Ok(whole) = rest_summary(&text, asked) else { continue };
        samples += 1;
        let short = redact(&text).expect("an object");
        assert_eq!(redact(&short).as_ref(), Some(&short));
        let redacted = rest_summary(&short, asked).expect("still a summary");
        for ((field, whole), redacted) in
            SUMMARY_FIELDS.iter().zip(whole.values()).zip(redacted.values())
        {
            let expected = if is_personal(field.column) { Value::Null } else { whole.clone() };
            assert_eq!(redacted, expected, "{}", field.column);
            personal += usize::from(is_personal(field.column) && whole != Value::Null);
        }
        assert_eq!(whole.edges().len(), redacted.edges().len());
        for (whole, redacted) in whole.edges().iter().zip(redacted.edges()) {
            assert_eq!((whole.edge, whole.direction), (redacted.edge, redacted.direction));
            for ((field, whole), redacted) in
                EDGE_FIELDS.iter().zip(&whole.values).zip(&redacted.values)
            {
                let expected = if is_personal(field.column) { &Value::Null } else { whole };
                assert_eq!(redacted, expected, "{}", field.column);
            }
        }
    }
    assert!(samples >= 3 && personal >= 10, "{samples} samples with {personal} personal values");
}
