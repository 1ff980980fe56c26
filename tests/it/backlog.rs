//! A backlog as an outage leaves it: the service starts at once, its memory stays bounded, and it drains in
//! order while new deliveries come in.
//!
//! `CALLSINK_BACKLOG` says how many events, 20,000 if unset; `scripts/backlog` takes a million and a release
//! build, and keeps the figures that are printed here.

use crate::support::service::Setup;
use crate::support::{Database, Event, Service};
use bytes::Bytes;
use callsink::journal;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Events of a call. They lie half the journal apart.
const PER_CALL: usize = 2;

/// Between the journal and PostgreSQL there are at most so many: the queue, and what workers have in hand.
const IN_FLIGHT: i64 = 1000 + 4 * 500;

/// A summary has 2 to 6 KiB.
const FILLER: usize = 2000;

fn backlog() -> usize {
    let count = std::env::var("CALLSINK_BACKLOG").ok().and_then(|text| text.parse().ok());
    count.unwrap_or(20_000) / PER_CALL * PER_CALL
}

fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Fills the journal as a service without a database would: first a partial of every call, then a complete.
async fn fill(directory: &Path, calls: usize) {
    let opened = journal::open(directory, 1 << 40).expect("opens");
    let filler = "x".repeat(FILLER);
    for state in ["partial", "complete"] {
        let numbers: Vec<usize> = (0..calls).collect();
        for group in numbers.chunks(1000) {
            let event = |number: &usize| {
                let event = Event::new(&format!("CA{number:08}"), state);
                Bytes::from(event.with("filler", filler.as_str()).json().to_string())
            };
            let bodies = group.iter().map(event).collect();
            opened.journal.append(bodies, chrono::Utc::now()).await.expect("durable");
        }
    }
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
}

fn peak_memory_mib(service: &Service) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.id()));
    let status = status.expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("a number of KiB") / 1024
}

#[tokio::test]
async fn a_backlog_is_drained_in_order_in_bounded_memory_while_new_events_come_in() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let events = backlog();
    let calls = events / PER_CALL;
    fill(data.path(), calls).await;
    let file = std::fs::metadata(data.path().join("journal.db")).expect("there").len();

    let starting = Instant::now();
    let service = Setup::new(&database, data.path()).start().await;
    let started = starting.elapsed();
    service.says(&format!("\"backlog\":{events}")).await;

    let draining = Instant::now();
    let (mut new, mut slowest) = (0, Duration::ZERO);
    let (mut depth, mut shrank) = (u64::MAX, Instant::now());
    loop {
        // New deliveries are answered at once, whatever waits before them.
        for _ in 0..5 {
            let asked = Instant::now();
            let event = Event::new(&format!("CAnew{new:08}"), "complete");
            assert_eq!(service.deliver_events(&[event]).await, 200);
            slowest = slowest.max(asked.elapsed());
            new += 1;
        }
        // Of a prefix of the journal all are there: the greatest call tells how many there must be.
        let ahead = "SELECT coalesce(max(substr(call_sid, 3)::bigint) + 1, 0) - count(*) \
            FROM call_summaries WHERE call_sid ~ '^CA[0-9]' AND partial_time IS NOT NULL";
        let ahead: i64 = database.value(ahead).await;
        assert!(ahead <= IN_FLIGHT, "{ahead} calls are missing before the last one: out of order");
        let now = service.readiness().await.1["journal"]["depth_events"].as_u64();
        let now = now.expect("a depth");
        if now == 0 {
            break;
        }
        if now < depth {
            (depth, shrank) = (now, Instant::now());
        }
        assert!(shrank.elapsed() < Duration::from_secs(60), "{now} events left and no progress");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let drained = draining.elapsed();
    let memory = peak_memory_mib(&service);
    assert!(memory < 200, "{memory} MiB");

    service.drained().await;
    let rows = |count: usize| i64::try_from(count).expect("a count");
    assert_eq!(database.count("call_summaries").await, rows(calls + new));
    let whole = "call_summaries WHERE call_sid ~ '^CA[0-9]' AND event_type LIKE '%.complete' \
        AND partial_time IS NOT NULL AND complete_time IS NOT NULL";
    assert_eq!(database.count(whole).await, rows(calls));
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    let per_second = (events as u128 * 1000) / drained.as_millis().max(1);
    say(&format!("backlog                        {events} events, {} MiB of journal", file >> 20));
    say(&format!("start until it listens         {} ms", started.as_millis()));
    say(&format!(
        "drained in                     {:.1} s, {per_second} events/s",
        drained.as_secs_f32()
    ));
    say(&format!(
        "new events meanwhile           {new}, all answered 200, slowest {} ms",
        slowest.as_millis()
    ));
    say(&format!("peak memory of the service     {memory} MiB"));
    say(&format!(
        "rows                           {} right, 0 missing, 0 dead letters",
        calls + new
    ));
}

/// Name and niceness of every thread of the service.
fn threads(service: &Service) -> Vec<(String, i32)> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", service.id())).expect("it runs");
    let read = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?; // some end meanwhile
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let niceness = rest.split(' ').nth(16)?.parse().ok()?;
        Some((name.to_owned(), niceness))
    };
    tasks.filter_map(|task| read(task.expect("a thread"))).collect()
}

#[tokio::test]
async fn threads_that_store_stand_back_behind_those_that_answer() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    service.deliver_events(&[Event::new("CA1", "complete")]).await;
    service.drained().await;
    let threads = threads(&service);
    let usual = threads.iter().find(|(name, _)| name == "callsink").expect("a main thread").1;
    for (name, niceness) in &threads {
        let stands_back = name.starts_with("background");
        let expected = if stands_back { usual + 10 } else { usual };
        assert_eq!(*niceness, expected.min(19), "{name} of {threads:?}");
    }
    for wanted in ["background", "journal", "actix-server"] {
        assert!(threads.iter().any(|(name, _)| name.starts_with(wanted)), "{wanted}: {threads:?}");
    }
}
