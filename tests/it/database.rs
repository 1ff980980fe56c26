//! The database is away, comes back, refuses, or is not what we know.

use crate::support::service::{Setup, callsink};
use crate::support::{Database, Event, Line, Service, eventually};
use serde_json::json;

fn events(count: usize, from: usize) -> Vec<Event> {
    (from..from + count).map(|number| Event::new(&format!("CA{number}"), "complete")).collect()
}

async fn database_state(service: &Service) -> String {
    service.readiness().await.1["database"]["state"].as_str().expect("a state").to_owned()
}

#[tokio::test]
async fn while_the_database_is_away_deliveries_are_kept_and_rows_catch_up_without_a_restart() {
    let database = Database::empty().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::at(&line.through(database.url()), data.path()).start().await;
    assert_eq!(service.deliver_events(&events(5, 0)).await, 200, "away from the start");
    eventually("the database is reported down", || async {
        database_state(&service).await == "down"
    })
    .await;
    assert_eq!(service.readiness().await.0, 200, "ready all the same: the journal takes over");

    line.mend();
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 5);

    line.cut();
    assert_eq!(service.deliver_events(&events(5, 5)).await, 200, "away in between");
    eventually("the database is reported down", || async {
        database_state(&service).await == "down"
    })
    .await;
    line.mend();
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 10);
    assert_eq!(database_state(&service).await, "up");
}

#[tokio::test]
async fn what_a_read_only_database_does_not_take_waits_until_it_does() {
    let (service, database, _data) = Service::fresh().await;
    assert_eq!(service.deliver_events(&events(1, 0)).await, 200);
    service.drained().await;
    let name: String = database.value("SELECT current_database()::text").await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'callsink'";
    let read_only =
        |on: &str| format!("ALTER DATABASE {name} SET default_transaction_read_only = {on}");
    database.execute(&read_only("on")).await;
    database.execute(terminate).await;
    assert_eq!(service.deliver_events(&events(3, 1)).await, 200);
    eventually("the reason is told", || async {
        service.readiness().await.1["database"]["error"].to_string().contains("read-only")
    })
    .await;
    database.execute(&format!("BEGIN READ WRITE; {}; COMMIT", read_only("off"))).await;
    database.execute(terminate).await;
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 4);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_deliveries_are_kept() {
    let database = Database::migrated().await;
    let rest = database.url().rsplit_once('@').expect("a URL with a user").1;
    let data = tempfile::tempdir().expect("a directory");
    let url = format!("postgres://nobody_we_know:s3cret@{rest}");
    let service = Setup::at(&url, data.path()).start().await;
    assert_eq!(service.deliver_events(&events(1, 0)).await, 200);
    eventually("the reason is told", || async {
        let error = service.readiness().await.1["database"]["error"].to_string();
        error.contains("password authentication failed") || error.contains("does not exist")
    })
    .await;
    assert!(!service.log().contains("s3cret"), "{}", service.log());
    service.kill();

    let service = Setup::new(&database, data.path()).start().await;
    service.drained().await;
    assert_eq!(
        database.count("call_summaries").await,
        1,
        "what was kept is applied with the right one"
    );
}

#[tokio::test]
async fn a_schema_that_is_too_new_is_refused_with_one_clear_line() {
    let database = Database::migrated().await;
    let later = "INSERT INTO callsink.schema_history (version, name, applied_on, checksum) \
        VALUES (999, 'later', '2030-01-01T00:00:00Z', '1')";
    database.execute(later).await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    for (status, said) in [setup.fails(), {
        let output = setup.command("migrate").output().expect("the binary");
        (output.status, String::from_utf8_lossy(&output.stderr).into_owned())
    }] {
        assert_eq!(status.code(), Some(1));
        let line = said.lines().last().expect("a line");
        assert!(line.starts_with("callsink: "), "{said}");
        assert!(line.contains("schema version 999") && line.contains("newer"), "{said}");
    }
}

#[tokio::test]
async fn six_services_started_at_once_on_an_empty_database_migrate_it_once() {
    let database = Database::empty().await;
    let data: Vec<_> = (0..6).map(|_| tempfile::tempdir().expect("a directory")).collect();
    let setups: Vec<Setup> = data.iter().map(|data| Setup::new(&database, data.path())).collect();
    let services = futures_util::future::join_all(setups.iter().map(Setup::start)).await;
    for (number, service) in services.iter().enumerate() {
        assert_eq!(service.deliver_events(&events(1, number)).await, 200);
        service.drained().await;
    }
    assert_eq!(database.count("call_summaries").await, 6);
    let newest = callsink::store::migrate::binary_version();
    let history = "SELECT count(*) = count(DISTINCT version) AS once, max(version) AS newest \
        FROM callsink.schema_history";
    let expected = serde_json::json!({"once": true, "newest": newest});
    assert_eq!(database.json(history).await, expected, "each migration once");
}

#[tokio::test]
async fn an_event_that_postgresql_refuses_is_buried_alone() {
    let (service, database, _data) = Service::fresh().await;
    let mut batch = events(40, 0);
    // No B-tree takes a key of 100 kB of noise.
    let mut dice = fastrand::Rng::with_seed(1);
    let endless: String = (0..100_000).map(|_| dice.alphanumeric()).collect();
    batch.insert(17, Event::new(&endless, "complete"));
    // An event of a good call that PostgreSQL refuses must not hide the call's other events.
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = Event::new("CA5", "complete")
        .version(7)
        .with("deep", "@")
        .json()
        .to_string()
        .replace("\"@\"", &deep);
    let mut body: Vec<String> = batch.iter().map(|event| event.json().to_string()).collect();
    body.insert(30, deep);
    assert_eq!(service.deliver(format!("[{}]", body.join(",")).as_bytes()).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 40);
    let letters = database
        .rows("SELECT reason, sqlstate, detail FROM callsink.dead_letters ORDER BY length(raw)")
        .await;
    assert_eq!(letters.len(), 2);
    for letter in letters {
        let (reason, sqlstate): (String, String) =
            (sqlx::Row::get(&letter, 0), sqlx::Row::get(&letter, 1));
        assert_eq!(reason, "refused_by_database");
        assert!(sqlstate.starts_with("54"), "{sqlstate}");
    }
    let version = "call_summaries WHERE call_sid = 'CA5' AND processing_version IS NULL";
    assert_eq!(database.count(version).await, 1, "the call shows its good event");
}

#[tokio::test]
async fn a_batch_of_a_thousand_events_in_one_request_lands_whole() {
    let (service, database, _data) = Service::fresh().await;
    assert_eq!(service.deliver_events(&events(1000, 0)).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 1000);
    assert_eq!(service.metric("callsink_apply_outcomes_total{outcome=\"applied\"}").await, 1000.0);
}

#[tokio::test]
async fn ten_thousand_events_of_one_call_become_one_row() {
    let (service, database, _data) = Service::fresh().await;
    for round in 0..20 {
        let events: Vec<Event> = (0..500)
            .map(|number| {
                let version = (number * 7 + round) % 500;
                Event::new("CA1", "partial")
                    .version(version)
                    .id(&format!("EZ{round}-{number}"))
                    .with("duration", version)
            })
            .collect();
        assert_eq!(service.deliver_events(&events).await, 200);
    }
    service.drained().await;
    let row = database.json("SELECT duration, processing_version FROM call_summaries").await;
    assert_eq!(row, json!({ "duration": 499, "processing_version": 499 }));
}

#[tokio::test]
async fn migrate_says_what_it_did_and_needs_a_database() {
    let database = Database::empty().await;
    let run = |url: &str| {
        let output =
            callsink().arg("migrate").env("DATABASE_URL", url).output().expect("the binary");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let (code, said) = run(database.url());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("migrations applied, schema version"), "{said}");
    let (code, said) = run(database.url());
    assert!(code == Some(0) && said.contains(": 0 migrations applied"), "{said}");
    let (code, said) = run("");
    assert_eq!(code, Some(2));
    assert!(said.starts_with("callsink: DATABASE_URL is not set"), "{said}");
    let (code, said) = run("postgres://nobody@127.0.0.1:1/x");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("127.0.0.1:1/x"), "{said}");
}
