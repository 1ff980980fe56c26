//! What is too old by the settings, as of a moment.
//!
//! In: how long to keep what, and what time it is. Out: tables and points in time.
//! Pure. The one place that says so: `serve` deletes by it, and `callsink retention` tells it beforehand.

use crate::config::Keep;
use crate::store::Aged;
use chrono::{DateTime, Days, DurationRound, NaiveDate, TimeDelta, Utc};

/// A table, and before when its rows are too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueRows {
    /// The table.
    pub table: Aged,
    /// The setting, in days.
    pub days: u32,
    /// Rows before this go.
    pub before: DateTime<Utc>,
}

/// Which tables have rows that may go, and after how many days; none: never.
pub fn settings(keep: Keep) -> [(Aged, Option<u32>); 4] {
    [
        (Aged::Calls, keep.calls_days),
        (Aged::Events, keep.events_days),
        (Aged::DeadLetters, keep.dead_letters_days),
        (Aged::ArchiveDefault, keep.archive_days),
    ]
}

/// Rows of tables that go, in the order in which they are looked at. What is kept for ever is not named.
pub fn due_rows(keep: Keep, now: DateTime<Utc>) -> impl Iterator<Item = DueRows> {
    settings(keep).into_iter().filter_map(move |(table, days)| {
        let days = days?;
        let before = now - TimeDelta::days(i64::from(days));
        let before = match table {
            // Whole hours, whose key figures are computed and frozen first.
            Aged::Calls => before.duration_trunc(TimeDelta::hours(1)).unwrap_or(before),
            _ => before,
        };
        Some(DueRows { table, days, before })
    })
}

/// Partitions of the archive of days before this go; none, where it is kept for ever.
pub fn due_archive(keep: Keep, now: DateTime<Utc>) -> Option<NaiveDate> {
    now.date_naive().checked_sub_days(Days::new(u64::from(keep.archive_days?)))
}
