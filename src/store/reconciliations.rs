//! Runs of the daily reconciliation: `callsink.reconciliations`, and the lock that lets one replica run.
//!
//! In: a run's beginning and end. Out: when the last one went well.
//! Promises: the lock is the database session's; whoever dies gives it back.

use super::error::StoreError;
use super::session::{Database, Session, within};
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

/// Key of the advisory lock: `reconcil` in ASCII. Fixed for ever, so that all versions exclude each other.
const LOCK_KEY: i64 = 0x7265_636f_6e63_696c;

/// Held as long as it lives.
#[derive(Debug)]
pub struct ReconcileLock(PgConnection);

impl ReconcileLock {
    /// Takes the lock, unless another process has it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn take(database: &Database) -> Result<Option<Self>, StoreError> {
        let mut connection = database.connect_unlimited().await?;
        let statement = sqlx::query("SELECT pg_try_advisory_lock($1)").bind(LOCK_KEY);
        let row = within("taking a lock", statement.fetch_one(&mut connection)).await?;
        let taken: bool = row.try_get(0)?;
        Ok(taken.then_some(Self(connection)))
    }

    /// Whether it is still held: a connection that was lost has given it back.
    pub async fn is_held(&mut self) -> bool {
        within("asking for the lock", self.0.ping()).await.is_ok()
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reconciled {
    /// Hours of accounts checked.
    pub windows: u64,
    /// Missing or behind, before healing.
    pub missing: u64,
    /// Put right.
    pub healed: u64,
}

impl Session {
    /// When the last run that reached its end began.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn last_reconciliation(&mut self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/select_last_reconciliation.sql"));
        let row = within("looking up a run", statement.fetch_one(&mut connection)).await;
        self.give_back(connection, row)?.try_get(0).map_err(StoreError::from)
    }

    /// Records that a run began.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn begin_reconciliation(
        &mut self,
        started: DateTime<Utc>,
        mode: &str,
    ) -> Result<(), StoreError> {
        let mut connection = self.take().await?;
        let statement =
            sqlx::query(include_str!("sql/insert_reconciliation.sql")).bind(started).bind(mode);
        let recorded = within("recording a run", statement.execute(&mut connection)).await;
        self.give_back(connection, recorded).map(|_| ())
    }

    /// Records how the run that began at `started` ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn finish_reconciliation(
        &mut self,
        started: DateTime<Utc>,
        finished: DateTime<Utc>,
        reconciled: Reconciled,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/finish_reconciliation.sql"))
            .bind(started)
            .bind(finished)
            .bind(number(reconciled.windows))
            .bind(number(reconciled.missing))
            .bind(number(reconciled.healed))
            .bind(error);
        let recorded = within("recording a run", statement.execute(&mut connection)).await;
        self.give_back(connection, recorded).map(|_| ())
    }
}
