//! The table `callsink.dead_letters`: what could not be read or stored, byte for byte.
//!
//! In: bytes, a reason, a word for a person. Out: a row, or one more occurrence on it.
//! Promises: no content can make it fail: bytes are `bytea`, texts are ours or cleaned.

use super::error::StoreError;
use super::session::{ANSWER_TIMEOUT, Session};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

const INSERT: &str = include_str!("sql/insert_dead_letter.sql");

/// An event that has no other place.
#[derive(Debug, Clone)]
pub struct DeadLetter<'a> {
    /// The event as received.
    pub raw: &'a [u8],
    /// When its delivery came in.
    pub received: DateTime<Utc>,
    /// One of the words documented on the column.
    pub reason: &'a str,
    /// What exactly was wrong, for a person.
    pub detail: &'a str,
    /// SQLSTATE, where PostgreSQL refused it.
    pub sqlstate: Option<&'a str>,
    /// CloudEvents `id`, where readable.
    pub event_id: Option<&'a str>,
    /// CloudEvents `type`, where readable.
    pub event_type: Option<&'a str>,
    /// The call, where readable.
    pub call_sid: Option<&'a str>,
}

impl Session {
    /// Keeps `letter`.
    ///
    /// # Errors
    /// Transient ones only: nothing about its content can be refused.
    pub async fn insert_dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), StoreError> {
        let inserted = tokio::time::timeout(ANSWER_TIMEOUT, self.bury(letter)).await;
        let inserted =
            inserted.unwrap_or_else(|_| Err(StoreError::timed_out("storing a dead letter")));
        if inserted.is_err() {
            self.discard();
        }
        inserted
    }

    async fn bury(&mut self, letter: &DeadLetter<'_>) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        sqlx::query(INSERT)
            .bind(Sha256::digest(letter.raw).to_vec())
            .bind(letter.reason)
            .bind(storable(letter.detail))
            .bind(letter.sqlstate)
            .bind(letter.event_id.map(storable))
            .bind(letter.event_type.map(storable))
            .bind(letter.call_sid.map(storable))
            .bind(letter.raw)
            .bind(letter.received)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// A text that PostgreSQL takes for sure, at a length that a person reads.
fn storable(text: &str) -> String {
    text.chars()
        .take(1000)
        .map(|character| if character == '\0' { '\u{fffd}' } else { character })
        .collect()
}
