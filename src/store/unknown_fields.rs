//! The table `callsink.unknown_fields`: what Twilio sends and no column holds.
//!
//! In: fields with the number of times they were seen. Out: rows, and which of them are new.

use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, Utc};
use sqlx::Row;

const ADD: &str = include_str!("sql/add_unknown_fields.sql");

/// Rows in the table at most. Seven schema versions of Twilio's have brought some hundred fields; whoever sends
/// more than this sends maps.
pub const MOST_UNKNOWN_FIELDS: usize = 1000;

/// Sightings of a field since they were last told.
#[derive(Debug, Clone)]
pub struct SeenField<'a> {
    /// Where it stands in the event.
    pub path: &'a str,
    /// The JSON type of its value.
    pub json_type: &'a str,
    /// The schema version of the events that carry it; the REST API says none.
    pub schema_version: Option<i32>,
    /// First sighting.
    pub first_seen: DateTime<Utc>,
    /// Last sighting.
    pub last_seen: DateTime<Utc>,
    /// Sightings.
    pub occurrences: u64,
}

impl Session {
    /// Adds to the table, which takes no new rows once it has [`MOST_UNKNOWN_FIELDS`]; the fields that nobody had
    /// seen before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_unknown_fields(
        &mut self,
        fields: &[SeenField<'_>],
    ) -> Result<Vec<(String, Option<i32>)>, StoreError> {
        macro_rules! column {
            ($value:expr) => {
                fields.iter().map($value).collect::<Vec<_>>()
            };
        }
        let statement = sqlx::query(ADD)
            .bind(column!(|field| field.path))
            .bind(column!(|field| field.schema_version))
            .bind(column!(|field| field.json_type))
            .bind(column!(|field| field.first_seen))
            .bind(column!(|field| field.last_seen))
            .bind(column!(|field| i64::try_from(field.occurrences).unwrap_or(i64::MAX)))
            .bind(i64::try_from(MOST_UNKNOWN_FIELDS).unwrap_or(i64::MAX));
        let mut connection = self.take().await?;
        let rows = within("counting unknown fields", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let new = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        new.collect::<Result<_, sqlx::Error>>().map_err(StoreError::from)
    }
}
