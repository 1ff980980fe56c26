//! A database as a week of use leaves it: simulated calls, dead letters, a new field, checked hours.
//!
//! Everything but the checked hours (which would need Twilio's list) comes in by the front door. One seed serves all
//! tests that only read.

use crate::support::service::{Setup, callsink};
use crate::support::twilio::{PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, eventually};
use std::path::PathBuf;
use tokio::sync::OnceCell;

/// Enough for each combination that a query asks for to occur, on ten days so that a week has one before it.
const CALLS: &str = "2500";
const HOURS: &str = "240";

/// The seeded database. Nobody may write to it.
pub async fn seeded() -> &'static Database {
    static SEEDED: OnceCell<Database> = OnceCell::const_new();
    SEEDED.get_or_init(seed).await
}

async fn seed() -> Database {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service =
        Setup::new(&database, data.path()).set("CALLSINK_ROLLUP_SECONDS", "1").start().await;
    let path = PUBLIC_URL.splitn(4, '/').nth(3).expect("a path");
    let mut simulate = callsink();
    simulate
        .args(["simulate", "--calls", CALLS, "--spread", HOURS, "--batch", "20", "--seed", "3"]);
    simulate.args(["--url", &format!("{}/{path}", service.public), "--public-url", PUBLIC_URL]);
    simulate.env("TWILIO_AUTH_TOKEN", TOKEN);
    let output = tokio::task::spawn_blocking(move || simulate.output()).await;
    let output = output.expect("waited for").expect("the compiled binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let unreadable = Event::new("CA1", "complete").with("call_sid", serde_json::json!(null));
    let new_field = Event::new("CA2", "complete").with("brand_new", "thing");
    assert_eq!(service.deliver_events(&[unreadable, new_field]).await, 200);
    service.drained().await;
    eventually("the key figures are up to date", async || {
        database.count("kpi_freshness WHERE hours_waiting = 0 AND refreshed_time IS NOT NULL").await
            == 1
            && database.count("kpi_calls_daily").await > 0
    })
    .await;
    assert!(service.stop().await.success(), "a clean end, which also tells the unknown fields");
    database
        .execute(
            "INSERT INTO callsink.coverage_hours \
             SELECT account_sid, hour, sum(calls) + 1, sum(calls), 1, 0, 0, now() \
             FROM kpi_calls_hourly WHERE account_sid IS NOT NULL GROUP BY 1, 2",
        )
        .await;
    database.execute("ANALYZE").await;
    database
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}
