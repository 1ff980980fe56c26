//! The table `callsink.erased_calls`: calls to be forgotten, and the forgetting itself.
//!
//! In: calls. Out: their rows without the person, or no rows.
//! Promises: what an erased call's late event brings is gone again before the event counts as done, however
//! it races with the erasing: the batch is stored first and asked for erased calls afterwards. If the mark
//! was set before the question, the batch's own writer takes it away; if after, the row stood already when
//! `erase`, which sets the mark first, came to it.
//! Why a plain digest: see the migration.

use super::dirty_hours::DirtyHours;
use super::error::StoreError;
use super::rewrite::{Payloads, rewrite};
use super::session::{Session, within};
use sha2::{Digest, Sha256};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::collections::HashMap;

const INSERT: &str = include_str!("sql/insert_erased_calls.sql");
const SELECT: &str = include_str!("sql/select_erased_calls.sql");
const LOCK: &str = include_str!("sql/lock_calls.sql");
const DELETE: &str = include_str!("sql/delete_calls.sql");
const MARK: &str = include_str!("sql/mark_erased_calls.sql");
const DELETE_LETTERS: &str = include_str!("sql/delete_letters_of_calls.sql");
const DELETE_EVENTS: &str = include_str!("sql/delete_events_of_calls.sql");

/// How a call is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Its row stays without personal data, so that figures do not change.
    Redact,
    /// Its row goes.
    Delete,
}

impl Session {
    /// Marks `sids` as erased, in this way or in the stricter one in which they already were.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mark_erased(&mut self, sids: &[String], how: Erasure) -> Result<(), StoreError> {
        let digests: Vec<Vec<u8>> = sids.iter().map(|sid| digest(sid)).collect();
        let statement = sqlx::query(INSERT).bind(digests).bind(how == Erasure::Delete);
        let mut connection = self.take().await?;
        let marked = within("marking calls as erased", statement.execute(&mut connection)).await;
        self.give_back(connection, marked).map(|_| ())
    }

    /// Erases the rows of `sids`; how many there were to erase.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing of `sids` is erased.
    pub async fn erase_rows(&mut self, sids: &[String], how: Erasure) -> Result<usize, StoreError> {
        let mut connection = self.take().await?;
        let erased = within("erasing calls", erase_rows(&mut connection, sids, how)).await;
        self.give_back(connection, erased)
    }

    /// Erases again what a batch has just brought of erased calls: their rows, and of `digests`, which are
    /// those of the batch's raw events, letters and events that belong to them. The erased calls among `sids`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn erase_again(
        &mut self,
        sids: &[&str],
        digests: &[[u8; 32]],
    ) -> Result<Vec<String>, StoreError> {
        if sids.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.take().await?;
        let erased = within("asking for erased calls", again(&mut connection, sids, digests)).await;
        self.give_back(connection, erased)
    }
}

fn digest(call_sid: &str) -> Vec<u8> {
    Sha256::digest(call_sid).to_vec()
}

/// For writers of rows, after they have written `sids`.
pub(super) async fn again(
    connection: &mut PgConnection,
    sids: &[&str],
    digests: &[[u8; 32]],
) -> Result<Vec<String>, StoreError> {
    let mut known: HashMap<Vec<u8>, &str> = sids.iter().map(|sid| (digest(sid), *sid)).collect();
    let asked: Vec<&[u8]> = known.keys().map(Vec::as_slice).collect();
    let rows = sqlx::query(SELECT).bind(asked).fetch_all(&mut *connection).await?;
    let (mut deleted, mut redacted) = (Vec::new(), Vec::new());
    for row in &rows {
        let Some(sid) = known.remove(row.try_get::<&[u8], _>(0)?) else { continue };
        let group = if row.try_get(1)? { &mut deleted } else { &mut redacted };
        group.push(sid.to_owned());
    }
    for (group, how) in [(&deleted, Erasure::Delete), (&redacted, Erasure::Redact)] {
        if !group.is_empty() {
            erase_rows(connection, group, how).await?;
        }
    }
    deleted.append(&mut redacted);
    if !deleted.is_empty() && !digests.is_empty() {
        for statement in [DELETE_LETTERS, DELETE_EVENTS] {
            sqlx::query(statement).bind(&deleted).bind(digests).execute(&mut *connection).await?;
        }
    }
    Ok(deleted)
}

async fn erase_rows(
    connection: &mut PgConnection,
    sids: &[String],
    how: Erasure,
) -> Result<usize, StoreError> {
    let mut transaction = connection.begin().await?;
    let rows = match how {
        Erasure::Delete => delete_rows(&mut transaction, sids).await?,
        Erasure::Redact => {
            let rewritten = rewrite(&mut transaction, sids, Payloads::Redacted).await?;
            // What can't be read can't be redacted.
            delete_rows(&mut transaction, &rewritten.unreadable).await?;
            sqlx::query(MARK).bind(sids).execute(&mut *transaction).await?;
            rewritten.rows
        }
    };
    transaction.commit().await?;
    Ok(rows)
}

/// Deletes rows within the caller's transaction.
pub(super) async fn delete_rows(
    connection: &mut PgConnection,
    sids: &[String],
) -> Result<usize, StoreError> {
    if sids.is_empty() {
        return Ok(0);
    }
    sqlx::query(LOCK).bind(sids).execute(&mut *connection).await?;
    let deleted = sqlx::query(DELETE).bind(sids).fetch_all(&mut *connection).await?;
    let mut dirty = DirtyHours::default();
    for row in &deleted {
        dirty.add(row.try_get(0)?);
    }
    dirty.mark(connection).await?;
    Ok(deleted.len())
}
