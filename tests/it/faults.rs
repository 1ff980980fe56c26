//! PostgreSQL stopped, cut off, locked, full: deliveries go on being answered 200, and rows catch up when
//! it is back, without a restart of the service.

use crate::support::service::Setup;
use crate::support::{Database, Event, Line, Service, eventually};
use callsink::private_postgres::{Durability, PrivatePostgres};
use secrecy::ExposeSecret;
use std::path::Path;
use std::process::Command;

fn events(count: usize, from: usize) -> Vec<Event> {
    (from..from + count).map(|number| Event::new(&format!("CA{number}"), "complete")).collect()
}

async fn is_down(service: &Service) -> bool {
    service.readiness().await.1["database"]["state"] == "down"
}

/// A server of its own, as the others share theirs.
async fn own_server() -> (PrivatePostgres, Database, tempfile::TempDir) {
    let directory = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .expect("a directory");
    let path = directory.path().to_owned();
    let start = move || PrivatePostgres::start(&path, Durability::TestsOnly);
    let server = tokio::task::spawn_blocking(start).await.expect("waited").expect("started");
    let database = Database::at(server.url().expose_secret());
    (server, database, directory)
}

fn postmaster(directory: &Path) -> String {
    let file = directory.join("postgres/postmaster.pid");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_server_that_is_stopped_in_any_way_costs_no_event() {
    let (server, database, directory) = own_server().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    let mut sent = 0;
    // Smart, fast, immediate, and what the kernel does when memory runs out.
    for signal in ["TERM", "INT", "QUIT", "KILL"] {
        assert_eq!(service.deliver_events(&events(20, sent)).await, 200);
        let before = postmaster(directory.path());
        let killed = Command::new("kill").args([&format!("-{signal}"), &before]).status();
        assert!(killed.expect("kill runs").success());
        // A smart stop waits for connections to end, which ours don't.
        if signal == "TERM" {
            let fast = Command::new("kill").args(["-INT", &before]).status();
            assert!(fast.expect("kill runs").success());
        }
        assert_eq!(service.deliver_events(&events(20, sent + 20)).await, 200, "while it is away");
        sent += 40;
        eventually("another server runs", || async {
            let now = postmaster(directory.path());
            !now.is_empty() && now != before
        })
        .await;
        service.drained().await;
    }
    assert_eq!(database.count("call_summaries").await, i64::try_from(sent).expect("few"));
    assert_eq!(service.stop().await.code(), Some(0));
    tokio::task::spawn_blocking(move || server.stop()).await.expect("waited").expect("stopped");
}

#[tokio::test]
async fn connections_that_are_terminated_again_and_again_cost_no_event() {
    let (service, database, _data) = Service::fresh().await;
    for round in 0..15 {
        assert_eq!(service.deliver_events(&events(100, round * 100)).await, 200);
        let terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE datname = current_database() AND application_name = 'callsink'";
        database.value::<i64>(terminate).await;
    }
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 1500);
    assert_eq!(database.count("callsink.dead_letters").await, 0);
}

#[tokio::test]
async fn a_lock_on_the_table_holds_up_rows_but_no_answers() {
    let (service, database, _data) = Service::fresh().await;
    let mut locker = database.connect().await;
    let lock = "BEGIN; LOCK TABLE public.call_summaries IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut locker).await.expect("locked");
    for round in 0..10 {
        assert_eq!(service.deliver_events(&events(10, round * 10)).await, 200);
    }
    assert_eq!(service.readiness().await.0, 200);
    assert!(service.metric("callsink_journal_depth_events").await >= 100.0);
    sqlx::raw_sql("COMMIT").execute(&mut locker).await.expect("released");
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 100);
}

#[tokio::test]
async fn a_role_that_only_owns_its_database_is_enough_and_may_run_out_of_connections() {
    drop(Database::migrated().await); // the reader roles are there, and are somebody else's
    let database = Database::empty().await;
    let name: String = database.value("SELECT current_database()::text").await;
    database
        .execute(&format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'secret' NOSUPERUSER NOCREATEDB NOCREATEROLE; \
             ALTER DATABASE {name} OWNER TO {name}"
        ))
        .await;
    let rest = database.url().rsplit_once('@').expect("a URL with a user").1;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&format!("postgres://{name}:secret@{rest}"), data.path());
    let service = setup.start().await;
    assert_eq!(service.deliver_events(&events(5, 0)).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 5);
    let granted = "SELECT has_column_privilege('callsink_reader', 'public.call_summaries', 'pdd_ms', 'SELECT')";
    assert!(
        database.value::<bool>(granted).await,
        "roles that somebody else made are granted to, too"
    );

    let terminate = format!(
        "ALTER ROLE {name} CONNECTION LIMIT 0; \
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'"
    );
    database.execute(&terminate).await;
    assert_eq!(service.deliver_events(&events(5, 5)).await, 200);
    eventually("the reason is told", || async {
        service.readiness().await.1["database"]["error"]
            .to_string()
            .contains("too many connections")
    })
    .await;
    database.execute(&format!("ALTER ROLE {name} CONNECTION LIMIT -1")).await;
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 10);
}

#[tokio::test]
async fn a_line_that_swallows_everything_holds_up_rows_but_no_answers() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::at(&line.through(database.url()), data.path()).start().await;
    assert_eq!(service.deliver_events(&events(5, 0)).await, 200);
    service.drained().await;
    line.swallow();
    for round in 1..20 {
        assert_eq!(service.deliver_events(&events(5, round * 5)).await, 200);
    }
    assert_eq!(service.readiness().await.0, 200);
    line.cut();
    eventually("the database is reported down", || is_down(&service)).await;
    line.mend();
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 100);
}

#[tokio::test]
async fn two_services_with_a_journal_each_on_one_database_agree() {
    let database = Database::migrated().await;
    let data = [0, 1].map(|_| tempfile::tempdir().expect("a directory"));
    let setups = data.each_ref().map(|data| Setup::new(&database, data.path()));
    let services = futures_util::future::join_all(setups.iter().map(Setup::start)).await;
    // The same calls at both, each hearing the events in another order.
    for round in 0..20_usize {
        let states = ["partial", "predicted-complete", "complete"];
        let batch = |shift: usize| -> Vec<Event> {
            (0..50)
                .map(|number| {
                    let state = (round + shift) % 3;
                    Event::new(&format!("CA{number}"), states[state])
                        .version(i64::try_from(round % 7).expect("small"))
                        .id(&format!("EZ{}{state}", round % 7))
                        .with("duration", state)
                })
                .collect()
        };
        let (first, second) = (batch(0), batch(1));
        let both = (services[0].deliver_events(&first), services[1].deliver_events(&second));
        assert_eq!(futures_util::future::join(both.0, both.1).await, (200, 200));
    }
    for service in &services {
        service.drained().await;
    }
    let distinct = "SELECT count(DISTINCT (event_type, processing_version, event_id, duration, partial_time, \
        predicted_complete_time, complete_time)) FROM call_summaries";
    assert_eq!(database.value::<i64>(distinct).await, 1, "all calls heard the same events");
    let winner =
        database.json("SELECT event_rank, processing_version FROM call_summaries LIMIT 1").await;
    assert_eq!(winner, serde_json::json!({ "event_rank": 3, "processing_version": 6 }));
}
