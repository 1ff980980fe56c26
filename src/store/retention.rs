//! Rows that are too old, deleted a few at a time.
//!
//! In: a table and a point in time. Out: how many rows went.
//! Promises: at most so many rows a statement; where another replica is deleting, none.

use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, Utc};
use sqlx::Row;

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

    fn statement(self) -> &'static str {
        match self {
            Self::Calls => include_str!("sql/delete_aged_calls.sql"),
            Self::Events => include_str!("sql/delete_aged_events.sql"),
            Self::DeadLetters => include_str!("sql/delete_aged_dead_letters.sql"),
            Self::ArchiveDefault => include_str!("sql/delete_aged_archive.sql"),
        }
    }
}

impl Session {
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
