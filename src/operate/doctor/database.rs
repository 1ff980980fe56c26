//! The database: reachable, new enough, of this schema, writable, and of the same time.
//!
//! In: `DATABASE_URL`. Out: checks.

use super::Check;
use crate::config::{self, DatabaseArgs};
use crate::store::{Session, migrate};
use chrono::Utc;

/// PostgreSQL 15.
const OLDEST: i32 = 150_000;

/// Seconds by which clocks may differ before lags and coverage look odd.
const SKEW: i64 = 5;

pub(super) async fn checks(args: DatabaseArgs) -> Vec<Check> {
    let database = match config::optional_database(args) {
        Ok(Some(database)) => database,
        Ok(None) => {
            let found = "DATABASE_URL is not set: `serve` runs a private PostgreSQL, which is not looked at";
            return vec![Check::skipped("database", found)];
        }
        Err(error) => {
            return vec![Check::fail("database", error.to_string(), "correct DATABASE_URL")];
        }
    };
    let place = database.place();
    let found = match Session::new(&database).diagnose().await {
        Ok(found) => found,
        Err(error) => {
            let to_do = "is it running, and may this host and user connect? Events wait in the journal meanwhile";
            return vec![Check::fail("database", format!("{place}: {error}"), to_do)];
        }
    };
    let mut checks = Vec::new();
    let text = format!("{place}, PostgreSQL {}", found.version_text);
    checks.push(match found.version {
        old if old < OLDEST => {
            Check::fail("database", text, "callsink needs PostgreSQL 15 or newer")
        }
        _ if found.is_read_only => Check::fail(
            "database",
            format!("{text}, read-only"),
            "point DATABASE_URL at the primary",
        ),
        _ => Check::ok("database", text),
    });
    let binary = i32::try_from(migrate::binary_version()).unwrap_or(i32::MAX);
    checks.push(match found.schema_version {
        None if found.can_create => Check::warn(
            "schema",
            "none yet",
            "`callsink migrate`, or start `callsink serve`, which makes it",
        ),
        None => Check::fail(
            "schema",
            "none yet, and this user may not create it",
            "GRANT CREATE ON DATABASE",
        ),
        Some(version) if version > binary => Check::fail(
            "schema",
            format!("version {version}, this callsink knows up to {binary}"),
            "use the newer callsink",
        ),
        Some(version) if version < binary => Check::warn(
            "schema",
            format!("version {version} of {binary}"),
            "`callsink migrate`, or restart `callsink serve`",
        ),
        Some(version) => Check::ok("schema", format!("version {version}")),
    });
    if found.can_write == Some(false) {
        let to_do =
            "the service's user must own the tables, or may INSERT and UPDATE call_summaries";
        checks.push(Check::fail("rights", "this user may not write call_summaries", to_do));
    }
    let skew = (Utc::now() - found.now).num_seconds().abs();
    checks.push(if skew > SKEW {
        Check::warn("clock", format!("{skew} s from the database's"), "run NTP on both machines")
    } else {
        Check::ok("clock", "the same as the database's")
    });
    checks
}
