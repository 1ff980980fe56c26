//! The table `callsink.dead_letters`: what could not be read or stored, byte for byte.
//!
//! In: bytes, a reason, a word for a person. Out: a row, or one more occurrence on it; for a replay the
//! rows again, a page at a time, and their end or their new reason.
//! Promises: no content can make it fail: bytes are `bytea`, texts are ours or cleaned; a letter that was
//! received again after it was read is not taken away.

use super::error::StoreError;
use super::session::{Session, within};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::postgres::PgRow;

const INSERT: &str = include_str!("sql/insert_dead_letter.sql");
const SELECT: &str = include_str!("sql/select_dead_letters.sql");
const DELETE: &str = include_str!("sql/delete_dead_letter.sql");
const UPDATE: &str = include_str!("sql/update_dead_letter.sql");
const MOVE: &str = include_str!("sql/move_dead_letter.sql");

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

/// Which letters; what is empty does not narrow.
#[derive(Debug, Clone, Default)]
pub struct LetterFilter {
    /// Letters of these reasons.
    pub reasons: Vec<String>,
    /// None of these reasons.
    pub but_reasons: Vec<String>,
    /// Letters whose digest is in one of these spans, ends included.
    pub digests: Vec<(Vec<u8>, Vec<u8>)>,
    /// Letters of these CloudEvents ids.
    pub event_ids: Vec<String>,
}

/// A letter as it stands in the table.
#[derive(Debug, Clone)]
pub struct KeptLetter {
    /// SHA-256 of `raw`.
    pub digest: Vec<u8>,
    /// One of the words documented on the column.
    pub reason: String,
    /// What exactly was wrong.
    pub detail: String,
    /// SQLSTATE, where PostgreSQL refused it.
    pub sqlstate: Option<String>,
    /// The event as received.
    pub raw: Vec<u8>,
    /// When it was first received.
    pub first_received: DateTime<Utc>,
    /// When it was last received.
    pub last_received: DateTime<Utc>,
}

/// How much of the table at once.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Letters at most.
    pub letters: i64,
    /// A page ends with the letter that passes this many bytes.
    pub bytes: i64,
}

impl Session {
    /// The letters of `filter` after the key `after`, in the order of digest and reason.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dead_letters_after(
        &mut self,
        filter: &LetterFilter,
        after: (&[u8], &str),
        limits: PageLimits,
    ) -> Result<Vec<KeptLetter>, StoreError> {
        let (least, most): (Vec<&[u8]>, Vec<&[u8]>) =
            filter.digests.iter().map(|(least, most)| (&least[..], &most[..])).unzip();
        let statement = sqlx::query(SELECT)
            .bind(after.0)
            .bind(after.1)
            .bind(&filter.reasons)
            .bind(&filter.but_reasons)
            .bind(least)
            .bind(most)
            .bind(&filter.event_ids)
            .bind(limits.letters)
            .bind(limits.bytes);
        let mut connection = self.take().await?;
        let rows = within("reading dead letters", statement.fetch_all(&mut connection)).await;
        let rows = self.give_back(connection, rows)?;
        let letters = rows.iter().map(kept).collect::<Result<_, _>>();
        letters.map_err(StoreError::from)
    }

    /// Takes `letter` out of the table; whether it was there as it was read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delete_dead_letter(&mut self, letter: &KeptLetter) -> Result<bool, StoreError> {
        let statement = sqlx::query(DELETE)
            .bind(&letter.digest)
            .bind(&letter.reason)
            .bind(letter.last_received);
        let mut connection = self.take().await?;
        let deleted = within("deleting a dead letter", statement.execute(&mut connection)).await;
        Ok(self.give_back(connection, deleted)?.rows_affected() > 0)
    }

    /// Gives `letter` another reason, detail or SQLSTATE.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn revise_dead_letter(
        &mut self,
        letter: &KeptLetter,
        reason: &str,
        detail: &str,
        sqlstate: Option<&str>,
    ) -> Result<(), StoreError> {
        let detail = storable(detail);
        if letter.reason == reason
            && letter.detail == detail
            && letter.sqlstate.as_deref() == sqlstate
        {
            return Ok(());
        }
        let statement = if letter.reason == reason {
            sqlx::query(UPDATE).bind(&letter.digest).bind(reason).bind(detail).bind(sqlstate)
        } else {
            sqlx::query(MOVE)
                .bind(&letter.digest)
                .bind(&letter.reason)
                .bind(letter.last_received)
                .bind(reason)
                .bind(detail)
                .bind(sqlstate)
        };
        let mut connection = self.take().await?;
        let revised = within("revising a dead letter", statement.execute(&mut connection)).await;
        self.give_back(connection, revised).map(|_| ())
    }

    /// Keeps `letter`.
    ///
    /// # Errors
    /// Transient ones only: nothing about its content can be refused.
    pub async fn insert_dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), StoreError> {
        let statement = sqlx::query(INSERT)
            .bind(Sha256::digest(letter.raw).to_vec())
            .bind(letter.reason)
            .bind(storable(letter.detail))
            .bind(letter.sqlstate)
            .bind(letter.event_id.map(storable))
            .bind(letter.event_type.map(storable))
            .bind(letter.call_sid.map(storable))
            .bind(letter.raw)
            .bind(letter.received);
        let mut connection = self.take().await?;
        let inserted = within("storing a dead letter", statement.execute(&mut connection)).await;
        self.give_back(connection, inserted).map(|_| ())
    }
}

fn kept(row: &PgRow) -> Result<KeptLetter, sqlx::Error> {
    Ok(KeptLetter {
        digest: row.try_get(0)?,
        reason: row.try_get(1)?,
        detail: row.try_get(2)?,
        sqlstate: row.try_get(3)?,
        raw: row.try_get(4)?,
        first_received: row.try_get(5)?,
        last_received: row.try_get(6)?,
    })
}

/// A text that PostgreSQL takes for sure, at a length that a person reads.
fn storable(text: &str) -> String {
    text.chars()
        .take(1000)
        .map(|character| if character == '\0' { '\u{fffd}' } else { character })
        .collect()
}
