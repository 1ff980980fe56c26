//! What is too old goes, in small pieces and beside the service; what is not stays; settings say what is old.

use crate::support::service::Setup;
use crate::support::{Database, Event, eventually};

/// Rows of every table, `old` of them from 100 days ago, `young` from now.
async fn seed(database: &Database, old: u32, young: u32) {
    let days =
        format!("now() - CASE WHEN n <= {old} THEN interval '100 days' ELSE interval '0 days' END");
    let numbers = format!("FROM generate_series(1, {}) AS n", old + young);
    for insert in [
        format!(
            "INSERT INTO call_summaries (call_sid, start_time, event_type, event_rank, payload, first_received_time, \
             last_received_time) SELECT 'CA' || n, CASE WHEN n % 10 > 0 THEN {days} END, 'x', 3, '{{}}', {days}, {days} {numbers}"
        ),
        format!(
            "INSERT INTO callsink.events (digest, event_type, received_time, envelope) \
             SELECT sha256(n::text::bytea), 'x', {days}, '{{}}' {numbers}"
        ),
        format!(
            "INSERT INTO callsink.dead_letters SELECT sha256(n::text::bytea), 'not_json', 'x', NULL, NULL, NULL, NULL, '', \
             {days}, {days}, 1 {numbers}"
        ),
        format!("INSERT INTO callsink.archive SELECT {days}, NULL, '' {numbers}"),
    ] {
        database.execute(&insert).await;
    }
}

async fn counts(database: &Database) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts.iter_mut().zip([
        "call_summaries",
        "callsink.events",
        "callsink.dead_letters",
        "callsink.archive",
    ]) {
        *count = database.count(table).await;
    }
    counts
}

#[tokio::test]
async fn what_is_older_than_its_setting_goes_and_is_counted_and_the_rest_stays() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    for day in ["(now() - interval '100 days')::date", "(now() - interval '29 days')::date"] {
        assert!(
            database
                .value::<bool>(&format!("SELECT callsink.create_archive_partition({day})"))
                .await
        );
    }
    seed(&database, 1203, 20).await; // more than two statements' worth
    database.execute("ANALYZE callsink.archive").await;
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_CALLS_DAYS", "60")
        .set("CALLSINK_ARCHIVE", "on");
    let service = setup.start().await;
    assert_eq!(service.deliver_events(&[Event::new("CAnew", "complete")]).await, 200);
    service.drained().await;
    eventually("old rows are gone", || async { counts(&database).await == [21, 20, 20, 21] }).await;
    for (table, count) in [
        ("call_summaries", 1203.0),
        ("events", 1203.0),
        ("dead_letters", 1203.0),
        ("archive", 1203.0),
    ] {
        let metric = format!("callsink_retention_deleted_total{{table=\"{table}\"}}");
        eventually(table, || async { service.metric(&metric).await == count }).await;
    }
    let partitions = "pg_inherits WHERE inhparent = 'callsink.archive'::regclass";
    // The default one, the day 29 days ago, today and three days ahead.
    assert_eq!(database.count(partitions).await, 6);
    assert_eq!(database.count("callsink.archive_default").await, 0, "moved to today's partition");
}

#[tokio::test]
async fn retention_tells_beforehand_what_goes_and_deletes_nothing() {
    let database = Database::migrated().await;
    let day = "(now() - interval '100 days')::date";
    let partition = format!("SELECT callsink.create_archive_partition({day})");
    assert!(database.value::<bool>(&partition).await);
    seed(&database, 12, 3).await;
    database
        .execute("INSERT INTO callsink.dirty_hours SELECT now() - interval '100 days' FROM generate_series(1, 2)")
        .await;
    let tell = async |days: &str| {
        let mut command = crate::support::service::callsink();
        command.arg("retention").env("DATABASE_URL", database.url());
        command.env("CALLSINK_DEAD_LETTERS_DAYS", "off").args(["--calls-days", days]);
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        let output = output.expect("waited for").expect("the compiled binary");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, said, errors) = tell("60").await;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{said}");
    let lines: Vec<Vec<&str>> =
        said.lines().map(|line| line.split_whitespace().collect()).collect();
    let old = (chrono::Utc::now() - chrono::TimeDelta::days(100)).format("%FT").to_string();
    for (line, table, days, rows) in [
        (1, "call_summaries", "60", "12"),
        (2, "events", "90", "12"),
        (3, "dead_letters", "off", "0"),
        (4, "archive", "30", "12"),
    ] {
        let line = &lines[line];
        assert_eq!((line[0], line[1], line[3]), (table, days, rows), "{said}");
        for time in &line[4..] {
            assert!(time.starts_with(&old) == (rows == "12"), "{table}: {time}\n{said}");
        }
    }
    assert!(said.contains("computed and frozen before their calls go: 1"), "{said}");
    assert!(said.contains("36 rows are too old"), "{said}");
    assert_eq!(counts(&database).await, [15; 4], "nothing went");
    let (code, _, wrong) = tell("0").await;
    assert!(code == Some(2) && wrong.contains("CALLSINK_CALLS_DAYS"), "{wrong}");

    // And what it told is what goes.
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_CALLS_DAYS", "60")
        .set("CALLSINK_DEAD_LETTERS_DAYS", "off");
    let _service = setup.start().await;
    eventually("old rows are gone", || async { counts(&database).await == [3, 3, 15, 3] }).await;
}

#[tokio::test]
async fn by_default_calls_are_kept_for_ever_and_nothing_is_archived() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    seed(&database, 3, 2).await;
    let service = Setup::new(&database, data.path()).start().await;
    assert_eq!(service.deliver_events(&[Event::new("CAnew", "complete")]).await, 200);
    service.drained().await;
    eventually("raw events are gone", || async { counts(&database).await == [6, 2, 2, 2] }).await;
    assert!(service.stop().await.success());
    let kept = Database::migrated().await;
    seed(&kept, 3, 2).await;
    let off = ["CALLSINK_EVENTS_DAYS", "CALLSINK_DEAD_LETTERS_DAYS", "CALLSINK_ARCHIVE_DAYS"];
    let setup = off
        .into_iter()
        .fold(Setup::new(&kept, data.path()).set("CALLSINK_CALLS_DAYS", "99"), |setup, name| {
            setup.set(name, "off")
        });
    let _service = setup.start().await;
    eventually("calls are gone", || async { counts(&kept).await == [2, 5, 5, 5] }).await;
}

#[tokio::test]
async fn of_several_replicas_one_deletes_at_a_time() {
    let database = Database::migrated().await;
    seed(&database, 5, 0).await;
    let mut other = database.connect().await;
    sqlx::query("SELECT pg_advisory_lock(8243122671965204001)")
        .execute(&mut other)
        .await
        .expect("locked");
    let mut session = callsink::store::Session::new(&database.store());
    let now = chrono::Utc::now();
    for table in [callsink::store::Aged::Events, callsink::store::Aged::Calls] {
        assert_eq!(session.delete_aged(table, now, 10).await.expect("asked"), 0);
    }
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut other).await.expect("unlocked");
    for table in [callsink::store::Aged::Events, callsink::store::Aged::Calls] {
        assert_eq!(session.delete_aged(table, now, 3).await.expect("asked"), 3);
        assert_eq!(session.delete_aged(table, now, 3).await.expect("asked"), 2);
    }
}

#[tokio::test]
async fn a_wrong_number_of_days_stops_the_start_with_one_line() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    for (name, value) in [
        ("CALLSINK_CALLS_DAYS", "0"),
        ("CALLSINK_ARCHIVE", "yes"),
        ("CALLSINK_EVENTS_DAYS", "never"),
    ] {
        let (status, said) = Setup::new(&database, data.path()).set(name, value).fails();
        assert_eq!(status.code(), Some(2), "{said}");
        assert!(
            said.contains(name) && said.contains("expected o") && said.lines().count() == 1,
            "{said}"
        );
    }
}

/// `calls` of the rollups, by day.
const FIGURES: &str = "SELECT coalesce(sum(calls), 0)::bigint FROM callsink.call_kpis_hourly";

#[tokio::test]
async fn key_figures_outlive_the_calls_that_retention_deletes_and_follow_those_that_are_erased() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let days_ago = |days: i64| (chrono::Utc::now() - chrono::TimeDelta::days(days)).to_rfc3339();
    let call = |sid: &str, days: i64| {
        Event::new(sid, "complete")
            .with("start_time", days_ago(days))
            .with("call_state", "completed")
    };
    let service =
        Setup::new(&database, data.path()).set("CALLSINK_ROLLUP_SECONDS", "86400").start().await;
    assert_eq!(
        service
            .deliver_events(&[call("CA1", 100), call("CA2", 100), call("CA3", 1), call("CA4", 1)])
            .await,
        200
    );
    service.drained().await;
    assert!(service.stop().await.success());

    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_CALLS_DAYS", "60")
        .set("CALLSINK_ROLLUP_SECONDS", "1");
    let service = setup.start().await;
    eventually("old calls are gone", || async { database.count("call_summaries").await == 2 })
        .await;
    assert_eq!(database.value::<i64>(FIGURES).await, 4, "computed before they went");
    // A late event of a call of that time is a row again, until the next round, and is not counted.
    assert_eq!(service.deliver_events(&[call("CA1", 100).version(2), call("CA5", 1)]).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 4);
    eventually("the new one is counted", || async { database.value::<i64>(FIGURES).await == 5 })
        .await;
    eventually("no mark is left", || async { database.count("callsink.dirty_hours").await == 0 })
        .await;
    assert_eq!(database.value::<i64>(FIGURES).await, 5);

    let mut erase = crate::support::service::callsink();
    let erase = erase
        .args(["erase", "--call", "CA3", "--delete", "--yes"])
        .env("DATABASE_URL", database.url());
    assert!(erase.status().expect("ran").success());
    eventually("the erased one is not counted any more", || async {
        database.value::<i64>(FIGURES).await == 4
    })
    .await;
}
