//! How a database is, for `callsink doctor`.
//!
//! In: a connection. Out: what can be told of server, schema and rights. Promises: changes nothing.

use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, Utc};
use sqlx::Row;

/// What a database says of itself.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// Such as 150018.
    pub version: i32,
    /// Such as 15.18.
    pub version_text: String,
    /// A standby takes nothing in.
    pub is_read_only: bool,
    /// Version of the schema; `None`: there is none yet.
    pub schema_version: Option<i32>,
    /// Whether calls can be written; `None`: there is no schema yet.
    pub can_write: Option<bool>,
    /// Whether a schema can be made.
    pub can_create: bool,
    /// Its clock.
    pub now: DateTime<Utc>,
}

impl Session {
    /// Asks.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn diagnose(&mut self) -> Result<Diagnosis, StoreError> {
        let mut connection = self.take().await?;
        let statement = sqlx::query(include_str!("sql/select_diagnosis.sql"));
        let row = within("asking how it is", statement.fetch_one(&mut connection)).await;
        let row = self.give_back(connection, row)?;
        let has_history: bool = row.try_get("has_history")?;
        let mut schema_version = None;
        if has_history {
            let mut connection = self.take().await?;
            let statement = sqlx::query("SELECT max(version) FROM callsink.schema_history");
            let version =
                within("asking for the schema", statement.fetch_one(&mut connection)).await;
            schema_version = self.give_back(connection, version)?.try_get(0)?;
        }
        Ok(Diagnosis {
            version: row.try_get("version")?,
            version_text: row.try_get("version_text")?,
            is_read_only: row.try_get("is_read_only")?,
            schema_version,
            can_write: row.try_get("can_write")?,
            can_create: row.try_get("can_create")?,
            now: row.try_get("now")?,
        })
    }
}
