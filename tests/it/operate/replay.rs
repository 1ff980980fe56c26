//! `callsink replay`: what can be stored now leaves the dead letters, what can't stays and says so.

use super::{Said, run};
use crate::support::service::callsink;
use crate::support::{Database, Event, Service};
use callsink::store::{LetterFilter, PageLimits, Session};
use callsink::verify::signature::body_sha256_hex;

fn replay(database: &Database, arguments: &[&str]) -> Said {
    let mut command = callsink();
    run(command.arg("replay").args(arguments).env("DATABASE_URL", database.url()))
}

/// A letter as an older callsink, with a fault that is mended now, may have left it; its digest.
async fn leave(database: &Database, raw: &[u8], reason: &str) -> String {
    let digest = body_sha256_hex(raw);
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let insert = format!(
        "INSERT INTO callsink.dead_letters VALUES ('\\x{digest}', '{reason}', 'as it was', NULL, 'EZ{reason}',
            NULL, NULL, '\\x{hex}', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', 7)"
    );
    database.execute(&insert).await;
    digest
}

fn raw(call_sid: &str) -> Vec<u8> {
    Event::new(call_sid, "complete").json().to_string().into_bytes()
}

#[tokio::test]
async fn what_can_be_read_now_is_stored_and_what_can_not_stays_with_its_present_reason() {
    let database = Database::migrated().await;
    leave(&database, &raw("CA1"), "no_call_sid").await;
    leave(&database, br#"{"type":"com.twilio.other","id":"1"}"#, "not_json").await;
    let broken = leave(&database, b"{broken +15550001111", "not_json").await;
    let other = leave(&database, br#"{"id":"x"}"#, "not_json").await;

    let said = replay(&database, &["--all", "--dry-run"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.ends_with("would replay 4, readable 2, still refused 2\n"), "{said:?}");
    assert_eq!(database.count("callsink.dead_letters").await, 4, "a dry run changes nothing");
    assert_eq!(database.count("call_summaries").await, 0);

    let said = replay(&database, &["--all"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains(&format!("still refused  {broken}  not_json\n")), "{said:?}");
    assert!(said.out.contains(&format!("still refused  {other}  no_type\n")), "{said:?}");
    assert!(said.out.ends_with("replayed 4, stored 2, still refused 2\n"), "{said:?}");
    assert!(!said.out.contains("1555") && !said.err.contains("1555"), "{said:?}");

    let received = "SELECT (first_received_time, last_received_time)
        = ('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z') FROM call_summaries WHERE call_sid = 'CA1'";
    assert!(database.value::<bool>(received).await, "the row has both times of its letter");
    let first = "SELECT received_time = '2026-01-01T00:00:00Z' FROM callsink.events";
    assert!(database.value::<bool>(first).await);
    let kept = format!(
        "callsink.dead_letters WHERE digest = '\\x{other}' AND reason = 'no_type' AND occurrences = 7
            AND detail <> 'as it was' AND last_received_time = '2026-01-02T00:00:00Z'"
    );
    assert_eq!(database.count(&kept).await, 1);
    let kept =
        format!("callsink.dead_letters WHERE digest = '\\x{broken}' AND detail <> 'as it was'");
    assert_eq!(database.count(&kept).await, 1);
    assert_eq!(database.count("callsink.dead_letters").await, 2);

    let again = replay(&database, &["--all"]);
    assert!(again.out.ends_with("replayed 2, stored 0, still refused 2\n"), "{again:?}");
    assert_eq!(database.count("callsink.dead_letters").await, 2);
}

#[tokio::test]
async fn letters_are_chosen_by_reason_digest_event_id_and_limit() {
    let database = Database::migrated().await;
    for number in 0..4 {
        leave(&database, &raw(&format!("CAtype{number}")), "no_type").await;
    }
    let one = leave(&database, &raw("CAone"), "no_data").await;
    leave(&database, &raw("CAjson"), "not_json").await;
    leave(&database, &raw("CAsid"), "no_call_sid").await;
    let replays = |arguments: &[&str], count: usize| {
        let said = replay(&database, arguments);
        assert_eq!(said.code, Some(0), "{said:?}");
        let expected = format!("replayed {count}, stored {count}, still refused 0\n");
        assert_eq!(said.out, expected, "{arguments:?}");
    };
    replays(&["--reason", "no_type", "--limit", "3"], 3);
    replays(&["--reason", "not_json", "--reason", "no_type", "--event-id", "EZno_type"], 1);
    replays(&["--digest", &one[..11]], 1);
    replays(&["--event-id", "EZnot_json", "--event-id", "unknown"], 1);
    replays(&["--all"], 1);
    replays(&["--all"], 0);
    assert_eq!(database.count("call_summaries").await, 7);
    for wrong in
        [&[][..], &["--reason", "no_reason"], &["--digest", "xyz"], &["--all", "--digest", "ab"]]
    {
        let said = replay(&database, wrong);
        assert_eq!(said.code, Some(2), "{said:?}");
    }
    let said = run(callsink().args(["replay", "--all"]));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("DATABASE_URL is not set"), "{said:?}");
}

#[tokio::test]
async fn what_postgresql_refused_goes_in_page_by_page_once_it_does_not_and_neighbours_are_not_harmed()
 {
    let (service, database, _data) = Service::fresh().await;
    let refuse =
        "ALTER TABLE call_summaries ADD CONSTRAINT refusing CHECK (call_sid <> 'CA7') NOT VALID";
    database.execute(&refuse.replace("<> 'CA7'", "NOT LIKE 'CA%'")).await;
    let events: Vec<Event> =
        (0..450).map(|number| Event::new(&format!("CA{number}"), "complete")).collect();
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    assert_eq!(database.count("callsink.dead_letters").await, 450);
    let said = replay(&database, &["--reason", "refused_by_database", "--limit", "5"]);
    assert!(said.out.contains("refused_by_database  SQLSTATE 23514\n"), "{said:?}");
    assert!(said.out.ends_with("replayed 5, stored 0, still refused 5\n"), "{said:?}");

    database.execute("ALTER TABLE call_summaries DROP CONSTRAINT refusing").await;
    database.execute(refuse).await;
    let said = replay(&database, &["--all"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.ends_with("replayed 450, stored 449, still refused 1\n"), "{said:?}");
    assert_eq!(database.count("call_summaries").await, 449);
    let left = "SELECT call_sid || occurrences FROM callsink.dead_letters";
    assert_eq!(database.value::<String>(left).await, "CA71");

    database.execute("ALTER TABLE call_summaries DROP CONSTRAINT refusing").await;
    assert_eq!(replay(&database, &["--all"]).code, Some(0));
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    // A letter never outranks what has come since.
    assert_eq!(database.count("call_summaries").await, 450);
}

#[tokio::test]
async fn a_sanitised_letter_is_left_alone_unless_it_is_named_and_then_kept() {
    let (service, database, _data) = Service::fresh().await;
    let event = Event::new("CA1", "complete").with("from", "x\u{0}y");
    assert_eq!(service.deliver_events(&[event]).await, 200);
    service.drained().await;
    let sanitised = "callsink.dead_letters WHERE reason = 'sanitised' AND occurrences = 1";
    assert_eq!(database.count(sanitised).await, 1);
    let said = replay(&database, &["--all"]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "replayed 0, stored 0, still refused 0\n")
    );
    let said = replay(&database, &["--reason", "sanitised"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("  sanitised\n"), "{said:?}");
    assert_eq!(database.count(sanitised).await, 1);

    // One that was only called so: it can be stored as it is.
    let digest = leave(&database, &raw("CA2"), "sanitised").await;
    assert_eq!(replay(&database, &["--digest", &digest]).code, Some(0));
    assert_eq!(database.count("callsink.dead_letters").await, 1);

    // Stored with a replacement: a row, and another letter with the bytes, which is no failure.
    let event = Event::new("CA3", "complete").with("from", "x\u{0}y").json().to_string();
    let digest = leave(&database, event.as_bytes(), "no_data").await;
    let said = replay(&database, &["--digest", &digest]);
    assert_eq!(
        (said.code, said.out.as_str()),
        (Some(0), "replayed 1, stored 1, still refused 0\n")
    );
    let kept =
        format!("callsink.dead_letters WHERE digest = '\\x{digest}' AND reason = 'sanitised'");
    assert_eq!(database.count(&kept).await, 1);
}

#[tokio::test]
async fn a_letter_never_takes_a_row_back() {
    let (service, database, _data) = Service::fresh().await;
    let event = |state: &str| Event::new("CA1", state).with("call_state", state);
    assert_eq!(service.deliver_events(&[event("complete")]).await, 200);
    service.drained().await;
    leave(&database, event("partial").json().to_string().as_bytes(), "no_data").await;
    assert_eq!(replay(&database, &["--all"]).code, Some(0));
    let row = "SELECT call_state || ' ' || (partial_time IS NOT NULL) FROM call_summaries";
    assert_eq!(database.value::<String>(row).await, "complete true");
}

#[tokio::test]
async fn a_database_that_is_away_is_told_with_what_was_done_so_far() {
    let mut command = callsink();
    let said = run(command.args([
        "replay",
        "--all",
        "--database-url",
        "postgres://u:s3cret@127.0.0.1:1/db",
    ]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("127.0.0.1:1/db") && !said.err.contains("s3cret"), "{said:?}");
}

#[tokio::test]
async fn a_letter_that_was_received_again_while_it_was_replayed_stays_and_pages_are_bounded_in_bytes()
 {
    let database = Database::migrated().await;
    for number in 0..3 {
        leave(&database, &raw(&format!("CA{number}")), "no_data").await;
    }
    let mut session = Session::new(&database.store());
    let (filter, limits) = (LetterFilter::default(), PageLimits { letters: 10, bytes: 1 });
    let mut after = (Vec::new(), String::new());
    for _ in 0..3 {
        let page = session.dead_letters_after(&filter, (&after.0, &after.1), limits).await;
        let page = page.expect("read");
        assert_eq!(page.len(), 1, "one passes the limit, and no page is empty");
        after = (page[0].digest.clone(), page[0].reason.clone());
        let received = "UPDATE callsink.dead_letters SET last_received_time = now()";
        database.execute(received).await;
        assert!(!session.delete_dead_letter(&page[0]).await.expect("asked"));
    }
    assert_eq!(database.count("callsink.dead_letters").await, 3);
}
