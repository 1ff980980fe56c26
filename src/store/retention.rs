//! Rows that are too old: counted, and deleted a few at a time.
//!
//! In: a table and a point in time. Out: how many rows there are, or how many went.
//! Promises: at most so many rows are deleted by a statement; where another replica is deleting, none. Counting
//! changes nothing, and may take minutes.

use super::error::StoreError;
use super::session::{Session, within, within_limit};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::{Connection, Row};
use std::time::Duration;

/// A person waits for a count of millions of rows; the service's own limit is for workers.
const COUNT_TIMEOUT: Duration = Duration::from_secs(660);

/// The same for the statement, a little less. Nobody's rows are touched, whatever the statement says.
const COUNT_LIMITS: &str = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '10min'";

const COUNT_ARCHIVE_DAYS: &str = include_str!("sql/count_aged_archive_days.sql");
const COUNT_HOURS: &str = include_str!("sql/count_dirty_hours_before.sql");

/// Key of the advisory lock: `retentn!` in ASCII. Fixed, so that all versions exclude each other.
const LOCK_KEY: i64 = 0x7265_7465_6e74_6e21;

/// A table that grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aged {
    /// `public.call_summaries`, by the start of the call, or where there is none by when it was first heard of.
    Calls,
    /// `callsink.events`, by when they came.
    Events,
    /// `callsink.dead_letters`, by when they last came.
    DeadLetters,
    /// `callsink.archive_default`, by when they came.
    ArchiveDefault,
}

impl Aged {
    /// The word in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "call_summaries",
            Self::Events => "events",
            Self::DeadLetters => "dead_letters",
            Self::ArchiveDefault => "archive",
        }
    }

    fn count_statement(self) -> &'static str {
        match self {
            Self::Calls => include_str!("sql/count_aged_calls.sql"),
            Self::Events => include_str!("sql/count_aged_events.sql"),
            Self::DeadLetters => include_str!("sql/count_aged_dead_letters.sql"),
            Self::ArchiveDefault => include_str!("sql/count_aged_archive.sql"),
        }
    }

    fn statement(self) -> &'static str {
        match self {
            Self::Calls => include_str!("sql/delete_aged_calls.sql"),
            Self::Events => include_str!("sql/delete_aged_events.sql"),
            Self::DeadLetters => include_str!("sql/delete_aged_dead_letters.sql"),
            Self::ArchiveDefault => include_str!("sql/delete_aged_archive.sql"),
        }
    }
}

/// What is too old in a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AgedRows {
    /// Rows.
    pub rows: u64,
    /// The oldest, by the time that counts.
    pub oldest: Option<DateTime<Utc>>,
    /// The newest of them.
    pub newest: Option<DateTime<Utc>>,
}

impl Session {
    /// Counts the rows of `table` from before `before`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn count_aged(
        &mut self,
        table: Aged,
        before: DateTime<Utc>,
    ) -> Result<AgedRows, StoreError> {
        self.count_rows(table.count_statement(), before).await
    }

    /// Counts the archived events in partitions of days before `before`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn count_aged_archive_days(
        &mut self,
        before: NaiveDate,
    ) -> Result<AgedRows, StoreError> {
        self.count_rows(COUNT_ARCHIVE_DAYS, before.and_time(NaiveTime::MIN).and_utc()).await
    }

    /// Hours before `before` whose key figures are still to be computed, before their calls may go.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn count_dirty_hours(&mut self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        Ok(self.count_rows(COUNT_HOURS, before).await?.rows)
    }

    async fn count_rows(
        &mut self,
        statement: &'static str,
        before: DateTime<Utc>,
    ) -> Result<AgedRows, StoreError> {
        let mut connection = self.take().await?;
        let work = async {
            let mut transaction = connection.begin().await?;
            sqlx::raw_sql(COUNT_LIMITS).execute(&mut *transaction).await?;
            let row = sqlx::query(statement).bind(before).fetch_one(&mut *transaction).await?;
            transaction.commit().await?;
            let rows: i64 = row.try_get(0)?;
            Ok::<_, sqlx::Error>(AgedRows {
                rows: u64::try_from(rows).unwrap_or(0),
                oldest: row.try_get(1)?,
                newest: row.try_get(2)?,
            })
        };
        let counted = within_limit(COUNT_TIMEOUT, "counting old rows", work).await;
        self.give_back(connection, counted)
    }

    /// Deletes at most `limit` rows of `table` from before `before`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete_aged(
        &mut self,
        table: Aged,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let statement =
            sqlx::query(table.statement()).bind(before).bind(i64::from(limit)).bind(LOCK_KEY);
        let mut connection = self.take().await?;
        let row = within("deleting old rows", statement.fetch_one(&mut connection)).await;
        let count: i64 = self.give_back(connection, row)?.try_get(0)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
