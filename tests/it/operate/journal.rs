//! `callsink journal` on running, killed, stopped and damaged journals.

use super::{Said, run};
use crate::support::service::{Setup, callsink};
use crate::support::{Database, Event, Line};
use bytes::Bytes;
use callsink::journal;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

fn command(directory: &Path, arguments: &[&str]) -> Said {
    let mut command = callsink();
    run(command.arg("journal").args(arguments).env("CALLSINK_DATA_DIR", directory))
}

fn inspect(directory: &Path) -> Value {
    let said = command(directory, &["inspect", "--json"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.out).expect("JSON")
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A journal of a service that was stopped tidily, with these entries.
async fn stopped(bodies: Vec<Bytes>) -> (TempDir, DateTime<Utc>) {
    let directory = tempfile::tempdir().expect("a directory");
    let received = DateTime::from_timestamp_micros(1_767_323_045_678_901).expect("a time");
    let opened = journal::open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(bodies, received).await.expect("durable");
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
    drop(opened.reader);
    (directory, received)
}

/// Every file with its bytes, so that nothing can change unnoticed.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(directory).expect("readable").map(|file| {
        let path = file.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("readable"))
    });
    files.collect()
}

#[tokio::test]
async fn a_running_and_a_killed_service_are_inspected_verified_and_exported_without_a_trace() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::at(&line.through(database.url()), data.path()).start().await;
    let events: Vec<Event> =
        (0..3).map(|number| Event::new(&format!("CA{number}"), "complete")).collect();
    assert_eq!(service.deliver_events(&events).await, 200);

    let check = |service: &str| {
        let report = inspect(data.path());
        assert_eq!(report["service"], service, "{report}");
        assert_eq!((&report["depth_events"], &report["first_position"]), (&3.into(), &1.into()));
        assert_eq!((&report["last_position"], &report["layout"]), (&3.into(), &2.into()));
        assert!(report["oldest_age_seconds"].as_i64().expect("an age") < 3600, "{report}");
        assert!(report["wal_bytes"].as_u64().expect("bytes") > 0, "{report}");
        let verified = command(data.path(), &["verify"]);
        assert_eq!(verified.code, Some(0), "{verified:?}");
        assert!(verified.out.contains("3 readable, positions 1 to 3"), "{verified:?}");
        let exported = command(data.path(), &["export"]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        assert!(exported.err.contains("personal data"), "{exported:?}");
        let exported = lines(&exported.out);
        assert_eq!(exported.len(), 3);
        assert!(exported[1]["body"].as_str().expect("text").contains("\"CA1\""), "{exported:?}");
    };
    check("running");
    assert_eq!(service.readiness().await.1["journal"]["depth_events"], 3);
    service.kill();
    let before = files(data.path());
    assert!(before.contains_key("journal.db-wal"), "a kill leaves the log behind");
    check("not_seen");
    assert!(files(data.path()) == before, "looking changes nothing");

    line.mend();
    let service = Setup::new(&database, data.path()).start().await;
    service.drained().await;
    let report = inspect(data.path());
    assert_eq!((&report["depth_events"], &report["oldest_received"]), (&0.into(), &Value::Null));
    assert_eq!(command(data.path(), &["export"]).out, "");
    assert_eq!(command(data.path(), &["verify"]).code, Some(0));
}

#[tokio::test]
async fn a_stopped_journal_is_read_and_no_file_is_made_beside_it() {
    let bodies = ["{\"a\":1}", "two", "three"].map(Bytes::from).to_vec();
    let (directory, _) = stopped([bodies, vec![Bytes::from_static(b"\xff\x00")]].concat()).await;
    std::fs::write(directory.path().join("journal.db.corrupt-20260101T000000.000Z"), "x")
        .expect("written");
    std::fs::write(directory.path().join("journal.db.corrupt-20260101T000000.000Z-wal"), "x")
        .expect("written");
    let before = files(directory.path());
    let report = inspect(directory.path());
    assert_eq!(report["service"], "not_seen");
    assert_eq!((&report["depth_events"], &report["wal_bytes"]), (&4.into(), &0.into()));
    assert_eq!(report["newest_received"], "2026-01-02T03:04:05.678901Z");
    assert_eq!(report["moved_aside"].as_array().map(Vec::len), Some(1), "{report}");
    let text = command(directory.path(), &["inspect"]);
    assert!(text.out.contains("depth        4 events"), "{text:?}");
    assert!(text.out.contains("corrupt-20260101T000000.000Z\n"), "{text:?}");

    let all = lines(&command(directory.path(), &["export"]).out);
    assert_eq!(all[0]["body"], "{\"a\":1}");
    assert_eq!(
        (&all[0]["position"], &all[0]["received"]),
        (&1.into(), &"2026-01-02T03:04:05.678901Z".into())
    );
    assert_eq!((&all[3]["body_base64"], &all[3]["body"]), (&"/wA=".into(), &Value::Null));
    let some = lines(&command(directory.path(), &["export", "--from", "2", "--to", "3"]).out);
    assert_eq!(some, all[1..3]);
    assert_eq!(command(directory.path(), &["verify"]).code, Some(0));
    assert!(files(directory.path()) == before, "looking changes nothing");
}

#[tokio::test]
async fn an_export_goes_to_a_file_of_its_owners_and_never_over_another() {
    let (directory, _) = stopped(vec![Bytes::from("one")]).await;
    let file = directory.path().join("saved.ndjson");
    let arguments = ["export", "--file", file.to_str().expect("UTF-8")];
    let said = command(directory.path(), &arguments);
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{said:?}");
    let mode = std::fs::metadata(&file).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let saved = std::fs::read_to_string(&file).expect("readable");
    assert_eq!(lines(&saved).len(), 1);
    let said = command(directory.path(), &arguments);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(std::fs::read_to_string(&file).expect("readable"), saved);
}

#[test]
fn where_there_is_no_journal_the_commands_say_so_and_make_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let nowhere = directory.path().join("nowhere");
    for arguments in [["inspect"], ["verify"], ["export"]] {
        let said = command(&nowhere, &arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.err.contains("there is no journal"), "{said:?}");
        assert!(!nowhere.exists());
    }
}

#[tokio::test]
async fn a_gap_is_damage_and_a_forgotten_beginning_is_not() {
    let (directory, _) = stopped(vec![Bytes::from("x"); 600]).await;
    let execute = |sql: &str| {
        let path = directory.path().join("journal.db");
        let connection = rusqlite::Connection::open(path).expect("opens");
        connection.execute_batch(sql).expect("done");
    };
    execute("DELETE FROM entries WHERE position <= 200");
    assert_eq!(command(directory.path(), &["verify"]).code, Some(0));
    execute("DELETE FROM entries WHERE position IN (300, 456, 457)");
    let said = command(directory.path(), &["verify"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("after position 299 comes 301: 1 entries are missing"), "{said:?}");
    assert!(said.out.contains("after position 455 comes 458: 2 entries"), "{said:?}");
    assert!(said.out.contains("what to do:"), "{said:?}");
}

#[tokio::test]
async fn of_a_damaged_journal_everything_but_the_damaged_page_is_saved() {
    let bodies = (1..=400).map(|number| Bytes::from(format!("{number:03000}"))).collect();
    let (directory, _) = stopped(bodies).await;
    let whole = std::fs::read(directory.path().join("journal.db")).expect("readable");
    let pages = whole.len() / 8192;
    assert!(pages > 100, "{pages} pages");
    // The first leaf of the tree, inner ones, and the last.
    let mut saved_at_least = 400;
    for page in [3, 4, pages / 2, pages - 2, pages - 1] {
        let mut bytes = whole.clone();
        bytes[page * 8192..(page + 1) * 8192].fill(0xff);
        let damaged = directory.path().join(format!("journal.db.corrupt-{page}"));
        std::fs::write(&damaged, bytes).expect("written");
        let place = ["--journal", damaged.to_str().expect("UTF-8")];
        let said = command(directory.path(), &[&["export"], &place[..]].concat());
        assert_eq!(said.code, Some(1), "page {page}: {}", said.err);
        assert!(
            said.err.contains("can't be read") || said.err.contains("nothing can be read"),
            "{}",
            said.err
        );
        let saved = lines(&said.out);
        for line in &saved {
            let position = line["position"].as_u64().expect("a number");
            assert_eq!(line["body"], format!("{position:03000}"), "page {page}");
        }
        saved_at_least = saved_at_least.min(saved.len());
        let said = command(directory.path(), &[&["verify"], &place[..]].concat());
        assert_eq!(said.code, Some(1), "page {page}");
        assert!(said.out.contains("damaged: ") && said.out.contains("what to do:"), "{}", said.out);
    }
    assert!(saved_at_least >= 390, "only {saved_at_least} of 400 were saved");

    std::fs::write(directory.path().join("journal.db"), "not a database ".repeat(999))
        .expect("written");
    let said = command(directory.path(), &["inspect"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("damaged") && said.err.contains("journal verify"), "{said:?}");
    assert_eq!(command(directory.path(), &["verify"]).code, Some(1));
}

#[tokio::test]
async fn two_of_three_files_copied_from_a_killed_service_are_enough() {
    let source = tempfile::tempdir().expect("a directory");
    let opened = journal::open(source.path(), 1 << 30).expect("opens");
    opened.journal.append(vec![Bytes::from("in the log")], Utc::now()).await.expect("durable");
    let copy = tempfile::tempdir().expect("a directory");
    for name in ["journal.db", "journal.db-wal"] {
        std::fs::copy(source.path().join(name), copy.path().join(name)).expect("copied");
    }
    drop(opened);
    assert_eq!(lines(&command(copy.path(), &["export"]).out)[0]["body"], "in the log");
}
