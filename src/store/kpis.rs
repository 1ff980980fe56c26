//! The rollups behind the views `kpi_*`: the marked hours, computed anew from the calls.
//!
//! In: marks. Out: rows of `callsink.*_kpis_hourly` and, summed from these, `callsink.*_kpis_daily`.
//! Promises: a rollup is what a full recomputation gives. Taking the marks and computing is one transaction, marks
//! first: what is committed before the marks are taken is computed with them, what is committed later
//! leaves a mark of its own. One process at a time; others find nothing to do. Hours whose calls retention has
//! deleted are frozen: they stay as they were computed last.

use super::error::StoreError;
use super::session::{Session, within, within_limit};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::collections::BTreeSet;
use std::time::Duration;

/// An hour of a million calls takes some two minutes; one that could never be done would stand in the way for ever.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1200);

/// The same for each statement, a little less. Memory is for grouping the calls of some hours. Groups are far
/// fewer than PostgreSQL thinks, who would sort all edges of an hour on the disk to form them.
const LIMITS: &str = "SET LOCAL statement_timeout = '19min'; SET LOCAL work_mem = '64MB'; \
     SET LOCAL enable_sort = off";

const LOCK_WAITING: &str = "SELECT pg_advisory_xact_lock($1)";
const LOCK: &str = "SELECT pg_try_advisory_xact_lock($1)";

/// Key of the advisory lock: `kpi hour` in ASCII. Fixed for ever, so that all versions exclude each other.
const LOCK_KEY: i64 = 0x6b70_6920_686f_7572;

const TAKE: &str = include_str!("sql/take_dirty_hours.sql");
const FREEZE: &str = include_str!("sql/freeze_kpis.sql");
const OVERDUE: &str = include_str!("sql/count_overdue_partial_calls.sql");
const FINISH: &str = include_str!("sql/finish_kpi_refresh.sql");

const HOURLY: [&str; 3] = [
    include_str!("sql/refresh_call_kpis_hourly.sql"),
    include_str!("sql/refresh_edge_kpis_hourly.sql"),
    include_str!("sql/refresh_failure_kpis_hourly.sql"),
];

const DAILY: [&str; 3] = [
    include_str!("sql/refresh_call_kpis_daily.sql"),
    include_str!("sql/refresh_edge_kpis_daily.sql"),
    include_str!("sql/refresh_failure_kpis_daily.sql"),
];

impl Session {
    /// Computes the newest marked hours anew, `hours` of them at most; how many it were. Zero: all is up to
    /// date, or another process is at it.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing has changed then.
    pub async fn refresh_kpis(&mut self, hours: u32) -> Result<usize, StoreError> {
        self.refresh_kpis_once(hours, &mut BTreeSet::new()).await
    }

    /// The same, but for the hours of `done`, to which it adds those that it has computed: what is marked again
    /// meanwhile stays marked.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing has changed then.
    pub async fn refresh_kpis_once(
        &mut self,
        hours: u32,
        done: &mut BTreeSet<DateTime<Utc>>,
    ) -> Result<usize, StoreError> {
        let mut connection = self.take().await?;
        let work = refresh(&mut connection, hours, done);
        let refreshed = within_limit(REFRESH_TIMEOUT, "computing key figures", work).await;
        let mut refreshed = self.give_back(connection, refreshed)?;
        let count = refreshed.len();
        done.append(&mut refreshed);
        Ok(count)
    }

    /// Calls of the last three days that started four hours ago or earlier and whose row is still partial, as
    /// of the last refresh.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn count_overdue_partial_calls(&mut self) -> Result<i64, StoreError> {
        let mut connection = self.take().await?;
        let counted = sqlx::query(OVERDUE).fetch_one(&mut connection);
        let counted = within("counting overdue calls", counted).await;
        self.give_back(connection, counted)?.try_get(0).map_err(StoreError::from)
    }
}

impl Session {
    /// Freezes the hours before `before`, as their calls are about to be deleted; `false`, and nothing is frozen,
    /// when some of them are marked: these must be computed first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn freeze_kpis(&mut self, before: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut connection = self.take().await?;
        let frozen = within("freezing key figures", freeze(&mut connection, before)).await;
        self.give_back(connection, frozen)
    }
}

/// Nobody may be computing meanwhile: it would find calls gone that it was to count.
async fn freeze(connection: &mut PgConnection, before: DateTime<Utc>) -> Result<bool, StoreError> {
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK_WAITING).bind(LOCK_KEY).execute(&mut *transaction).await?;
    let frozen = sqlx::query(FREEZE).bind(before).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(frozen.rows_affected() > 0)
}

async fn refresh(
    connection: &mut PgConnection,
    limit: u32,
    done: &BTreeSet<DateTime<Utc>>,
) -> Result<BTreeSet<DateTime<Utc>>, StoreError> {
    let mut transaction = connection.begin().await?;
    let alone = sqlx::query(LOCK).bind(LOCK_KEY).fetch_one(&mut *transaction).await?;
    if !alone.try_get::<bool, _>(0)? {
        return Ok(BTreeSet::new());
    }
    sqlx::raw_sql(LIMITS).execute(&mut *transaction).await?;
    let done: Vec<DateTime<Utc>> = done.iter().copied().collect();
    let take = sqlx::query(TAKE).bind(i64::from(limit)).bind(done);
    let rows = take.fetch_all(&mut *transaction).await?;
    let hours =
        rows.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<DateTime<Utc>>, _>>()?;
    if !hours.is_empty() {
        let days: BTreeSet<DateTime<Utc>> =
            hours.iter().filter_map(|hour| hour.duration_trunc(TimeDelta::days(1)).ok()).collect();
        for (spans, statements) in [(&hours, HOURLY), (&days, DAILY)] {
            for span in spans {
                for statement in statements {
                    sqlx::query(statement).bind(span).execute(&mut *transaction).await?;
                }
            }
        }
    }
    sqlx::query(FINISH).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(hours)
}
