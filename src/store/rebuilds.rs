//! The table `callsink.rebuilds`: how far a rebuild has come.
//!
//! In: a source and a position. Out: where to go on.

use super::error::StoreError;
use super::session::{Session, within};
use sqlx::Row;

const SELECT: &str = include_str!("sql/select_rebuild.sql");
const UPSERT: &str = include_str!("sql/upsert_rebuild.sql");

/// How far a rebuild of one source by one schema version has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RebuildState {
    /// Everything up to here is done.
    pub position: String,
    /// Rows or events read.
    pub looked_at: u64,
    /// Rows of which something changed.
    pub changed: u64,
}

impl Session {
    /// Where a rebuild that did not come to its end stopped.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unfinished_rebuild(
        &mut self,
        source: &str,
        schema_version: u32,
    ) -> Result<Option<RebuildState>, StoreError> {
        let version = i32::try_from(schema_version).unwrap_or(i32::MAX);
        let statement = sqlx::query(SELECT).bind(source).bind(version);
        let mut connection = self.take().await?;
        let row = within("reading progress", statement.fetch_optional(&mut connection)).await;
        let Some(row) = self.give_back(connection, row)? else { return Ok(None) };
        let number =
            |index| row.try_get(index).map(|number: i64| u64::try_from(number).unwrap_or(0));
        Ok(Some(RebuildState {
            position: row.try_get(0)?,
            looked_at: number(1)?,
            changed: number(2)?,
        }))
    }

    /// Notes how far it is; `is_finished` when there is no more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn save_rebuild(
        &mut self,
        source: &str,
        schema_version: u32,
        state: &RebuildState,
        is_finished: bool,
    ) -> Result<(), StoreError> {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        let statement = sqlx::query(UPSERT)
            .bind(source)
            .bind(i32::try_from(schema_version).unwrap_or(i32::MAX))
            .bind(&state.position)
            .bind(number(state.looked_at))
            .bind(number(state.changed))
            .bind(is_finished);
        let mut connection = self.take().await?;
        let saved = within("noting progress", statement.execute(&mut connection)).await;
        self.give_back(connection, saved).map(|_| ())
    }
}
