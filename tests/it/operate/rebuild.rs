//! `callsink rebuild`: rows are again what this version makes of what was kept, and nothing newer is lost.

use super::{Said, run};
use crate::support::service::{Setup, callsink, samples};
use crate::support::{Database, Event, Service};
use callsink::decode::rest::rest_summary;
use callsink::domain::fields::SUMMARY_FIELDS;
use callsink::store::Session;
use serde_json::{Value, json};

const ROWS: &str = "SELECT json_agg(x ORDER BY call_sid)::text FROM \
    (SELECT to_jsonb(c) - 'replaced_start_time' AS row, c.call_sid, c.payload::text, c.other_payload::text, c.edges::text \
    FROM call_summaries AS c) AS x";

fn rebuild(database: &Database, arguments: &[&str]) -> Said {
    let mut command = callsink();
    run(command.arg("rebuild").args(arguments).env("DATABASE_URL", database.url()))
}

/// As an older callsink, which knew none of the fields, would have left the rows.
async fn blank(database: &Database) {
    let columns = SUMMARY_FIELDS.iter().map(|field| format!("{} = NULL", field.column));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let more =
        "edges = NULL, unreadable_fields = NULL, processing_version = NULL, schema_version = NULL";
    database.execute(&format!("UPDATE call_summaries SET {columns}, {more}")).await;
}

/// Every kind of row: all samples, both shapes, unknown states, sanitised ones, odd values, the REST API alone and
/// beside events.
async fn fill(service: &Service, database: &Database) {
    let mut number = 0;
    let mut session = Session::new(&database.store());
    for entry in std::fs::read_dir(samples()).expect("the samples") {
        let text = std::fs::read_to_string(entry.expect("readable").path()).expect("text");
        let Ok(sample) = serde_json::from_str::<Value>(&text) else { continue };
        if sample.get("call_sid").is_none() || sample.get("call_state").is_none() {
            continue;
        }
        let mut event = Event::new("", ["complete", "partial", "error"][number % 3]);
        event.data = sample;
        event.data["call_sid"] = format!("CA{number:03}").into();
        event.data_as_text = number % 2 == 0;
        assert_eq!(service.deliver_events(std::slice::from_ref(&event)).await, 200);
        service.drained().await;
        if number % 4 < 2 {
            event.data["processing_state"] = "complete".into();
            event.data["call_sid"] = format!("CA{:03}", number + 100 * (number % 2)).into();
            event.data["annotation"] = json!({ "call_score": 3, "comment": "seen" });
            let known = rest_summary(&event.data.to_string(), chrono::Utc::now());
            session.merge_rest_summaries(&[known.expect("a summary")]).await.expect("merged");
        }
        number += 1;
    }
    assert!(number >= 10, "samples are missing");
    let odd = [
        Event::new("CAodd", "complete").with("duration", "soon").with("tags", vec!["a\"b", "c\\d"]),
        Event::new("CAnul", "complete").with("from", json!({ "caller": "x\u{0}y" })),
    ];
    assert_eq!(service.deliver_events(&odd).await, 200);
    service.drained().await;
}

#[tokio::test]
async fn rows_whose_columns_an_older_version_did_not_know_become_what_this_version_makes_of_them() {
    let (service, database, _data) = Service::fresh().await;
    fill(&service, &database).await;
    let before = database.value::<String>(ROWS).await;
    let said = rebuild(&database, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out.contains(", changed 0, unreadable 0"),
        "what is equal is not written: {said:?}"
    );
    blank(&database).await;
    assert_ne!(database.value::<String>(ROWS).await, before);
    let rows = database.count("call_summaries").await;
    let said = rebuild(&database, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, format!("looked at {rows} rows, changed {rows}, unreadable 0\n"));
    let after = database.value::<String>(ROWS).await;
    assert!(after == before, "every column is as it was:\n{before}\n{after}");
}

#[tokio::test]
async fn a_rebuild_goes_on_where_it_was_cut_off_and_leaves_alone_what_it_cannot_read() {
    let (service, database, _data) = Service::fresh().await;
    let events: Vec<Event> = (100..600)
        .map(|number| Event::new(&format!("CA{number}"), "complete").with("duration", number))
        .collect();
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    blank(&database).await;
    database.execute("UPDATE call_summaries SET payload = '[]' WHERE call_sid = 'CA555'").await;
    database
        .execute(&format!(
            "INSERT INTO callsink.rebuilds VALUES ('payload', {}, 'CA299', 200, 200, now(), now(), NULL)",
            callsink::store::migrate::binary_version()
        ))
        .await;
    let said = rebuild(&database, &["--rate", "100000"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(said.out, "looked at 500 rows, changed 499, unreadable 1\n");
    assert!(said.err.contains("going on after 200"), "{said:?}");
    assert_eq!(
        database.count("call_summaries WHERE duration IS NULL AND call_sid <= 'CA299'").await,
        200
    );
    assert_eq!(
        database.count("call_summaries WHERE duration IS NULL AND call_sid > 'CA299'").await,
        1
    );
    // Finished: the next one starts from the beginning.
    assert_eq!(rebuild(&database, &[]).out, "looked at 500 rows, changed 200, unreadable 1\n");
    let progress = "callsink.rebuilds WHERE finished_time >= started_time AND position = 'CA599'";
    assert_eq!(database.count(progress).await, 1);
}

#[tokio::test]
async fn events_that_come_in_meanwhile_are_neither_lost_nor_overwritten() {
    let (service, database, _data) = Service::fresh().await;
    let event = |number: i32, state: &str, duration: i32| {
        Event::new(&format!("CA{number}"), state).with("duration", duration)
    };
    let partial: Vec<Event> = (0..2000).map(|number| event(number, "partial", 1)).collect();
    assert_eq!(service.deliver_events(&partial).await, 200);
    service.drained().await;
    blank(&database).await;
    let url = database.url().to_owned();
    let rebuilding = tokio::task::spawn_blocking(move || {
        run(callsink().args(["rebuild", "--rate", "3000"]).env("DATABASE_URL", url))
    });
    for part in 0..20 {
        let events: Vec<Event> = (0..2000)
            .filter(|number| number % 20 == part && number % 2 == 0)
            .map(|number| event(number, "complete", 2))
            .collect();
        if !events.is_empty() {
            assert_eq!(service.deliver_events(&events).await, 200);
        }
    }
    let said = rebuilding.await.expect("ran");
    assert_eq!(said.code, Some(0), "{said:?}");
    service.drained().await;
    assert_eq!(database.count("call_summaries WHERE event_rank = 3 AND duration = 2").await, 1000);
    assert_eq!(database.count("call_summaries WHERE event_rank = 1 AND duration = 1").await, 1000);
}

#[tokio::test]
async fn rows_that_were_lost_come_back_from_the_archive_as_they_were() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).set("CALLSINK_ARCHIVE", "on").start().await;
    let mut delivered = 0;
    for number in 0..30 {
        let sid = format!("CA{}", number % 12);
        let state = ["partial", "complete", "predicted-complete", "error"][number % 4];
        let event = Event::new(&sid, state).with("duration", number).id(&format!("EZ{number}"));
        let event =
            event.with("from", json!({ "caller": if number == 7 { "x\u{0}" } else { "+1" } }));
        let events = [event.clone(), event];
        assert_eq!(service.deliver_events(&events).await, 200);
        service.drained().await;
        delivered += 2;
    }
    assert_eq!(service.deliver(br#"{"type":"com.twilio.other","id":"1"}"#).await, 200);
    assert_eq!(service.deliver(b"{broken").await, 200);
    database.execute("ALTER TABLE call_summaries ADD CONSTRAINT refusing CHECK (call_sid <> 'CAx') NOT VALID").await;
    let neighbours = [
        Event::new("CAw", "complete"),
        Event::new("CAx", "complete"),
        Event::new("CAy", "complete"),
    ];
    assert_eq!(service.deliver_events(&neighbours).await, 200);
    service.drained().await;
    let today = format!("callsink.archive_{}", chrono::Utc::now().format("%Y%m%d"));
    assert_eq!(
        database.count(&today).await,
        delivered + 5,
        "each once, also those that were refused"
    );
    assert_eq!(database.count("callsink.archive WHERE call_sid IS NULL").await, 2);
    assert_eq!(database.count("callsink.archive WHERE call_sid = 'CAx'").await, 1);
    assert_eq!(database.count("callsink.archive_default").await, 0);

    let before = database.value::<String>(ROWS).await;
    let events = database.count("callsink.events").await;
    database.execute("TRUNCATE call_summaries, callsink.events").await;
    let said = rebuild(&database, &["--from-archive"]);
    assert_eq!(said.code, Some(1), "one is refused still: {said:?}");
    assert_eq!(
        said.out,
        format!("read {} archived events: unreadable 1, refused 1\n", delivered + 5)
    );
    assert_eq!(database.value::<String>(ROWS).await, before);
    assert_eq!(database.count("callsink.events").await, events);

    // An erased call is erased in the archive, too, and does not come back from it.
    let said = run(callsink()
        .args(["erase", "--call", "CA1", "--delete", "--yes"])
        .env("DATABASE_URL", database.url()));
    assert!(said.out.contains("archived events       6  deleted"), "{said:?}");
    assert_eq!(
        service
            .deliver_events(&[Event::new("CA1", "complete"), Event::new("CA2", "partial")])
            .await,
        200
    );
    service.drained().await;
    assert_eq!(database.count("callsink.archive WHERE call_sid = 'CA1'").await, 0);
    assert_eq!(rebuild(&database, &["--from-archive"]).code, Some(1));
    assert_eq!(database.count("call_summaries WHERE call_sid = 'CA1'").await, 0);
}
