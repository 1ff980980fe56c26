//! The journal through the front door: full, refused by the disk, in use, unusable.

use crate::support::service::{Setup, callsink};
use crate::support::{Database, Event, Line, eventually};
use std::process::Stdio;

fn large(number: usize) -> Event {
    filled(number, 100_000)
}

fn filled(number: usize, bytes: usize) -> Event {
    let mut dice = fastrand::Rng::with_seed(number as u64);
    let filler: String = (0..bytes).map(|_| dice.alphanumeric()).collect();
    Event::new(&format!("CA{number}"), "complete").with("filler", filler)
}

#[tokio::test]
async fn a_full_journal_is_answered_503_and_readiness_says_so_until_there_is_room() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let service = setup.set("CALLSINK_JOURNAL_MAX_BYTES", "1MiB").start().await;
    let mut accepted = 0;
    while service.deliver_events(&[large(accepted)]).await == 200 {
        accepted += 1;
        assert!(accepted < 50, "the limit is never reached");
    }
    assert!(accepted >= 5, "only {accepted} fitted");
    let full = "callsink_deliveries_unavailable_total{reason=\"journal_full\"}";
    assert_eq!(service.metric(full).await, 1.0);
    // A small one still fits: it is not the service that is down.
    assert_eq!(service.deliver_events(&[Event::new("CAsmall", "complete")]).await, 200);

    let body = crate::support::twilio::array(&[large(99)]);
    let delivery = crate::support::twilio::delivery(
        crate::support::twilio::PUBLIC_URL,
        crate::support::twilio::TOKEN,
        &body,
    );
    let answer = service.post(&delivery.target, Some(&delivery.signature), &body).await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));

    line.mend();
    service.drained().await;
    assert_eq!(service.deliver_events(&[large(99)]).await, 200, "without a restart");
    service.drained().await;
    let expected = i64::try_from(accepted + 2).expect("small");
    assert_eq!(database.count("call_summaries").await, expected);
    eventually("ready again", || async { service.readiness().await.0 == 200 }).await;
}

/// The file size limit of the process stands for a disk that takes no more.
#[tokio::test]
async fn a_disk_that_refuses_is_answered_503_and_nothing_of_it_is_claimed() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let limited = setup.clone().prefix("trap '' XFSZ; ulimit -f 1000");
    let service = limited.start().await;
    let mut accepted = 0;
    while service.deliver_events(&[large(accepted)]).await == 200 {
        accepted += 1;
        assert!(accepted < 50, "the disk never refuses");
    }
    while service.deliver_events(&[filled(accepted, 5_000)]).await == 200 {
        accepted += 1;
        assert!(accepted < 200, "the disk never refuses");
    }
    let (status, report) = service.readiness().await;
    let reasons = report["reasons"].to_string();
    assert!(status == 503 && reasons.contains("journal"), "{status} {report}");
    service.kill();

    line.mend();
    let service = setup.start().await;
    service.drained().await;
    let rows = usize::try_from(database.count("call_summaries").await).expect("a count");
    assert!(rows >= accepted, "{rows} rows for {accepted} acknowledged");
}

#[tokio::test]
async fn a_second_service_on_the_same_data_directory_is_refused() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let _first = setup.start().await;
    let (status, said) = setup.fails();
    assert_eq!(status.code(), Some(1));
    assert!(
        said.contains("in use by another callsink") && said.contains("CALLSINK_DATA_DIR"),
        "{said}"
    );
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_named() {
    let database = Database::migrated().await;
    // Not even root makes a directory there.
    let (status, said) = Setup::new(&database, std::path::Path::new("/proc/nowhere")).fails();
    assert_eq!(status.code(), Some(1));
    assert!(said.contains("/proc/nowhere") && said.contains("must be writable"), "{said}");
}

#[tokio::test]
async fn a_file_of_another_program_is_moved_aside_counted_and_the_service_starts() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    std::fs::write(data.path().join("journal.db"), "not a database ".repeat(999)).expect("written");
    let service = Setup::new(&database, data.path()).start().await;
    assert_eq!(service.metric("callsink_journals_moved_aside_total").await, 1.0);
    service.says("moved aside").await;
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    service.drained().await;
    assert!(is_moved_aside(data.path()), "the damaged file is still there");
}

fn is_moved_aside(data: &std::path::Path) -> bool {
    let files = std::fs::read_dir(data).expect("readable").filter_map(Result::ok);
    files.into_iter().any(|file| file.file_name().to_string_lossy().contains("corrupt"))
}

/// Delivers `count` events to a service that has no database, and kills it: all are in the journal alone.
async fn killed_with(count: usize, setup: &Setup) {
    let service = setup.start().await;
    for from in (0..count).step_by(10) {
        let events: Vec<Event> = (from..from + 10).map(|number| filled(number, 3000)).collect();
        assert_eq!(service.deliver_events(&events).await, 200);
    }
    service.kill();
}

#[tokio::test]
async fn of_a_damaged_journal_everything_that_can_be_read_becomes_rows() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    for damage in ["file", "log", "header", "tail"] {
        database.execute("TRUNCATE call_summaries").await;
        let data = tempfile::tempdir().expect("a directory");
        let setup = Setup::at(&line.through(database.url()), data.path());
        killed_with(100, &setup).await;
        // The first hundred are now in the file, these in the log.
        killed_with(if damage == "header" { 0 } else { 10 }, &setup).await;
        let path = |name: &str| data.path().join(name);
        let name = if damage == "log" { "journal.db-wal" } else { "journal.db" };
        let mut bytes = std::fs::read(path(name)).expect("readable");
        match damage {
            "file" => bytes[200_000..200_040].fill(0xee),
            "log" => bytes[20_000] ^= 1,
            "header" => bytes[..100].fill(0),
            _ => bytes.truncate(300_000),
        }
        std::fs::write(path(name), bytes).expect("written");

        line.mend();
        let service = setup.start().await;
        service.drained().await;
        let rows = database.count("call_summaries").await;
        let lost = service.metric("callsink_journal_unreadable_events_total").await;
        assert_eq!(service.metric("callsink_journals_moved_aside_total").await, 1.0, "{damage}");
        assert!(service.metric("callsink_journal_salvaged_events_total").await > 50.0, "{damage}");
        match damage {
            "file" => assert!((96..100).contains(&rows) && lost >= 1.0, "{rows} rows, {lost} lost"),
            "tail" => assert!((60..100).contains(&rows), "{rows} rows"),
            _ => assert_eq!(rows, 100, "{damage}"),
        }
        assert_eq!(database.count("callsink.dead_letters").await, 0, "{damage}");
        assert!(is_moved_aside(data.path()), "{damage}");
        service.says("taken over").await;
        service.kill();
        line.cut();
    }
}

/// Larger than what is checked at the start: the damage shows when the feeder comes to it.
#[tokio::test]
async fn damage_that_shows_late_ends_the_service_and_the_next_start_takes_over_the_rest() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let service = setup.start().await;
    for number in 0..37 {
        assert_eq!(service.deliver_events(&[filled(number, 2_000_000)]).await, 200);
    }
    assert_eq!(service.deliver_events(&[filled(37, 100)]).await, 200);
    assert_eq!(service.stop().await.code(), Some(0), "so that all is in the file");
    let path = data.path().join("journal.db");
    let mut bytes = std::fs::read(&path).expect("readable");
    assert!(bytes.len() > 64 << 20, "{} bytes", bytes.len());
    let wanted = filled(20, 2_000_000).data["filler"].as_str().expect("text")[..64].to_owned();
    let at = bytes.windows(64).position(|window| window == wanted.as_bytes());
    bytes[at.expect("it is there") + 50] ^= 1;
    std::fs::write(&path, bytes).expect("written");

    line.mend();
    let ended = setup.start().await.ended().await;
    assert_eq!(ended.code(), Some(1), "a supervisor starts it again");
    let service = setup.start().await;
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 37);
    assert_eq!(service.metric("callsink_journal_unreadable_events_total").await, 1.0);
    assert_eq!(service.deliver_events(&[Event::new("CAnew", "complete")]).await, 200);
}

#[tokio::test]
async fn healthcheck_asks_the_running_service() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let service = setup.start().await;
    let check = |address: &str| {
        let mut command = callsink();
        command.arg("healthcheck").env("CALLSINK_ADMIN_LISTEN", address).stdin(Stdio::null());
        let output = command.output().expect("the binary");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let address = service.admin.trim_start_matches("http://").to_owned();
    assert_eq!(check(&address), (Some(0), "ready\n".to_owned()));
    service.kill();
    let (code, said) = check(&address);
    assert_eq!(code, Some(1));
    assert!(said.contains("no callsink answers"), "{said}");

    let unconfigured = setup.set("TWILIO_AUTH_TOKEN", "").start().await;
    let (code, said) = check(unconfigured.admin.trim_start_matches("http://"));
    assert_eq!(code, Some(1));
    assert!(said.contains("TWILIO_AUTH_TOKEN"), "{said}");
}
