//! What was read from Twilio and what was found missing: `callsink.backfill_windows`, `callsink.coverage_hours`.
//!
//! In: counts of a window or of hours. Out: which windows and hours need no second look.
//! Promises: recording again replaces what was recorded, but for what was healed, which adds up.

use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;
use std::collections::{HashMap, HashSet};

/// A window of a backfill, and what came of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillWindow<'a> {
    /// Account that was asked for.
    pub account_sid: &'a str,
    /// Inclusive.
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
    /// Every page was read, and what it held is in.
    pub done: bool,
    /// Pages read.
    pub pages: u64,
    /// Different calls listed.
    pub listed: u64,
    /// Of these, without a row before.
    pub inserted: u64,
    /// Of these, with a row that became more final.
    pub improved: u64,
    /// Could not be read or stored.
    pub refused: u64,
    /// When the reading began.
    pub observed: DateTime<Utc>,
}

/// An hour of an account: what Twilio lists against what is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoverageHour<'a> {
    /// Account of the calls.
    pub account_sid: &'a str,
    /// Its start.
    pub hour: DateTime<Utc>,
    /// Calls listed.
    pub listed: u64,
    /// Of these, with a row.
    pub present: u64,
    /// Of these, without.
    pub missing: u64,
    /// Rows that should be complete by now.
    pub still_partial: u64,
    /// Put right by this check.
    pub healed: u64,
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Session {
    /// How final the rows of these calls are, or `None` for a call that has no row because somebody had it
    /// deleted; any other call without a row is not in the answer.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn call_ranks(
        &mut self,
        sids: &[&str],
    ) -> Result<HashMap<String, Option<i16>>, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/select_call_ranks.sql")).bind(sids);
        let rows = within("looking up calls", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let rank = |row: &sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter().map(rank).collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
    }

    /// Records that a window is being read, or has been.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_window(&mut self, window: &BackfillWindow<'_>) -> Result<(), StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/upsert_backfill_window.sql"))
            .bind(window.account_sid)
            .bind(window.start)
            .bind(window.end)
            .bind(if window.done { "done" } else { "reading" })
            .bind(number(window.pages))
            .bind(number(window.listed))
            .bind(number(window.inserted))
            .bind(number(window.improved))
            .bind(number(window.refused))
            .bind(window.observed);
        let recorded = within("recording a window", statement.execute(&mut connection)).await;
        self.give_back(connection, recorded).map(|_| ())
    }

    /// Starts of the windows between `since` and `until` that are done and were read at least `settled`
    /// after their end, so that their summaries were final.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn settled_windows(
        &mut self,
        account_sid: &str,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        settled: TimeDelta,
    ) -> Result<HashSet<DateTime<Utc>>, StoreError> {
        let statement = include_str!("sql/select_settled_windows.sql");
        self.hours(statement, account_sid, (since, until), settled).await
    }

    /// Hours between `since` and `until` in which nothing was missing when they were checked, which was at
    /// least `settled` after their end.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn covered_hours(
        &mut self,
        account_sid: &str,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        settled: TimeDelta,
    ) -> Result<HashSet<DateTime<Utc>>, StoreError> {
        let statement = include_str!("sql/select_covered_hours.sql");
        self.hours(statement, account_sid, (since, until), settled).await
    }

    async fn hours(
        &mut self,
        statement: &'static str,
        account_sid: &str,
        (since, until): (DateTime<Utc>, DateTime<Utc>),
        settled: TimeDelta,
    ) -> Result<HashSet<DateTime<Utc>>, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(statement)
            .bind(account_sid)
            .bind(since)
            .bind(until)
            .bind(settled.as_seconds_f64());
        let rows = within("looking up windows", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let hours = rows.iter().map(|row| row.try_get(0));
        hours.collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
    }

    /// Records what a check that began at `checked` found, and what it put right.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_coverage(
        &mut self,
        hours: &[CoverageHour<'_>],
        checked: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if hours.is_empty() {
            return Ok(());
        }
        macro_rules! column {
            ($value:expr) => {
                hours.iter().map($value).collect::<Vec<_>>()
            };
        }
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/upsert_coverage_hours.sql"))
            .bind(column!(|hour| hour.account_sid))
            .bind(column!(|hour| hour.hour))
            .bind(column!(|hour| number(hour.listed)))
            .bind(column!(|hour| number(hour.present)))
            .bind(column!(|hour| number(hour.missing)))
            .bind(column!(|hour| number(hour.still_partial)))
            .bind(column!(|hour| number(hour.healed)))
            .bind(checked);
        let recorded = within("recording coverage", statement.execute(&mut connection)).await;
        self.give_back(connection, recorded).map(|_| ())
    }
}
