//! What has to be done now and then while the service runs: partitions ahead, and what is too old goes.
//!
//! In: how long to keep what. Out: partitions of the archive for the days to come; old rows and partitions
//! deleted, counted by table.
//! Promises: ingestion does not notice: a statement takes a bounded number of rows, and between two there
//! is a pause of several times what the first took; of many replicas one deletes at a time; whatever fails
//! is said and tried again an hour later; dropped at any point, it leaves nothing half done.
//! Must not know: HTTP, the journal, what an event means.

pub mod due;

use crate::config::Keep;
use crate::store::{Aged, Database, Session, StoreError};
use crate::telemetry::metric::Metrics;
use chrono::{DateTime, Days, NaiveDate, Utc};
use due::{DueRows, due_archive, due_rows};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two rounds. Retention is in days: nobody waits for it.
const EVERY: Duration = Duration::from_secs(3600);

/// Rows in one statement: some tens of milliseconds, locks included.
const BATCH_ROWS: u32 = 500;

/// The pause after a statement, in multiples of its time: it takes a fifth of one connection at most.
const PAUSE_TIMES: u32 = 4;

/// The shortest pause.
const PAUSE_LEAST: Duration = Duration::from_millis(50);

/// Hours of key figures in one transaction.
const KPI_HOURS: u32 = 24;

/// Such transactions before giving up until the next round: a month of hours, and as long as it takes `rollup`.
const KPI_TRIES: u32 = 120;

/// Between two of them.
const KPI_PAUSE: Duration = Duration::from_millis(500);

/// Partitions of the archive for today and so many days to come, in case nobody can make one for a while.
const DAYS_AHEAD: u64 = 3;

/// What is done how often.
#[derive(Debug)]
pub struct Housekeeping {
    session: Session,
    keep: Keep,
    metrics: Arc<Metrics>,
}

impl Housekeeping {
    /// Connects at first use.
    #[must_use]
    pub fn new(database: &Database, keep: Keep, metrics: Arc<Metrics>) -> Self {
        Self { session: Session::new(database), keep, metrics }
    }

    /// Rounds, without an end. May be dropped at any point.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.round(Utc::now()).await {
                tracing::warn!(%error, "housekeeping was cut short; trying again in an hour");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn round(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if self.keep.archive {
            self.make_partitions(now.date_naive()).await?;
        }
        for DueRows { table, before, .. } in due_rows(self.keep, now) {
            match table {
                Aged::Calls => self.delete_calls_before(before).await?,
                _ => self.delete_before(table, before).await?,
            }
        }
        if let Some(before) = due_archive(self.keep, now) {
            self.drop_partitions(before).await?;
        }
        Ok(())
    }

    /// Before workers write, so that the first event of a day finds its partition.
    ///
    /// # Errors
    /// See [`StoreError`]. Events of a day without a partition go to the default one.
    pub async fn make_partitions(&mut self, today: NaiveDate) -> Result<(), StoreError> {
        for day in (0..=DAYS_AHEAD).filter_map(|ahead| today.checked_add_days(Days::new(ahead))) {
            self.session.create_archive_partition(day).await?;
        }
        Ok(())
    }

    /// Key figures of these hours are computed and frozen first.
    async fn delete_calls_before(&mut self, before: DateTime<Utc>) -> Result<(), StoreError> {
        for _ in 0..KPI_TRIES {
            if self.session.freeze_kpis(before).await? {
                return self.delete_before(Aged::Calls, before).await;
            }
            // The newest hours come first, and of these there may be new ones all the time.
            self.session.refresh_kpis(KPI_HOURS).await?;
            tokio::time::sleep(KPI_PAUSE).await;
        }
        tracing::warn!("old calls stay for another hour: their key figures are not computed yet");
        Ok(())
    }

    async fn delete_before(
        &mut self,
        table: Aged,
        before: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut total = 0;
        loop {
            let started = Instant::now();
            let deleted = self.session.delete_aged(table, before, BATCH_ROWS).await?;
            self.count(table.as_str(), deleted);
            total += deleted;
            if deleted < u64::from(BATCH_ROWS) {
                break; // the end, or another replica is at it
            }
            tokio::time::sleep((started.elapsed() * PAUSE_TIMES).max(PAUSE_LEAST)).await;
        }
        if total > 0 {
            tracing::info!(table = table.as_str(), rows = total, %before, "deleted what was too old");
        }
        Ok(())
    }

    async fn drop_partitions(&mut self, before: NaiveDate) -> Result<(), StoreError> {
        while let Some((day, events)) = self.session.drop_archive_partition(before).await? {
            self.count("archive", events);
            tracing::info!(%day, events, "dropped a day of the archive");
        }
        Ok(())
    }

    fn count(&self, table: &str, rows: u64) {
        if let Some(counter) = self.metrics.retention_deleted.get(table) {
            counter.increment(rows);
        }
    }
}
