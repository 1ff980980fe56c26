//! The table `callsink.events`: authentic events that are not call summaries, raw.
//!
//! In: events and the digest of their bytes. Out: rows; repeats land on the row that is there.

use super::error::StoreError;
use super::session::{Session, within};
use crate::decode::OtherEvent;
use chrono::{DateTime, Utc};
use sqlx::Row;

const INSERT: &str = include_str!("sql/insert_events.sql");

/// An event of another type, ready to be stored.
#[derive(Debug, Clone)]
pub struct RawEvent<'a> {
    /// SHA-256 of the event as received.
    pub digest: [u8; 32],
    /// When its delivery came in.
    pub received: DateTime<Utc>,
    /// The event.
    pub event: &'a OtherEvent,
}

impl Session {
    /// Stores `events`; those that are there already stay as they are.
    ///
    /// # Errors
    /// See [`StoreError`]; on a content error nothing of the batch is in.
    pub async fn insert_events(&mut self, events: &[RawEvent<'_>]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        macro_rules! column {
            ($value:expr) => {
                events.iter().map($value).collect::<Vec<_>>()
            };
        }
        let statement = sqlx::query(INSERT)
            .bind(column!(|event| event.digest))
            .bind(column!(|event| event.event.id.as_deref()))
            .bind(column!(|event| event.event.event_type.as_str()))
            .bind(column!(|event| event.event.source.as_deref()))
            .bind(column!(|event| event.event.dataschema.as_deref()))
            .bind(column!(|event| event.event.time))
            .bind(column!(|event| event.received))
            .bind(column!(|event| event.event.data.as_deref()))
            .bind(column!(|event| event.event.envelope.as_str()));
        let mut connection = self.take().await?;
        let inserted = within("storing events", statement.execute(&mut connection)).await;
        self.give_back(connection, inserted).map(|_| ())
    }

    /// Ids of Twilio's test events that were received since then, the newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn test_events_since(
        &mut self,
        since: DateTime<Utc>,
    ) -> Result<Vec<String>, StoreError> {
        let statement = sqlx::query(include_str!("sql/select_test_events.sql")).bind(since);
        let mut connection = self.take().await?;
        let rows = within("looking for a test event", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(StoreError::from)
    }
}
