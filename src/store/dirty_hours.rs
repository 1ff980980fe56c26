//! The table `callsink.dirty_hours`: which hours' key figures no longer fit their calls.
//!
//! In: start times of rows that a transaction has changed, as they were and as they are. Out: marks, in that
//! transaction: a change and its mark become visible together, or not at all.
//! Every statement that writes `call_summaries` returns the start times that it found and left, for this. What
//! is done with the marks is `kpis`' matter.

use super::error::StoreError;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::postgres::PgConnection;
use std::collections::BTreeSet;

const MARK: &str = include_str!("sql/mark_dirty_hours.sql");

/// Hours to be marked.
#[derive(Debug, Default)]
pub(super) struct DirtyHours(BTreeSet<DateTime<Utc>>);

impl DirtyHours {
    /// Adds the hour of a start time; a call without one is in no hour.
    pub(super) fn add(&mut self, start_time: Option<DateTime<Utc>>) {
        // Out of chrono's range, some 290 years from now, no hour can be told; nor is there anything to see.
        self.0.extend(start_time.and_then(|time| time.duration_trunc(TimeDelta::hours(1)).ok()));
    }

    /// Marks them.
    pub(super) async fn mark(self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if !self.0.is_empty() {
            let hours: Vec<DateTime<Utc>> = self.0.into_iter().collect();
            sqlx::query(MARK).bind(hours).execute(connection).await?;
        }
        Ok(())
    }
}
