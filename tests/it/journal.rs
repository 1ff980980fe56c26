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
async fn a_damaged_journal_is_moved_aside_counted_and_the_service_starts() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    std::fs::write(data.path().join("journal.db"), "not a database ".repeat(999)).expect("written");
    let service = Setup::new(&database, data.path()).start().await;
    assert_eq!(service.metric("callsink_journals_moved_aside_total").await, 1.0);
    assert!(service.log().contains("moved aside"), "{}", service.log());
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    service.drained().await;
    let aside = std::fs::read_dir(data.path()).expect("readable");
    let aside = aside
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().contains("corrupt"));
    assert!(aside, "the damaged file is still there");
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
