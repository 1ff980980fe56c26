//! Reads entries in order, a bounded piece at a time.
//!
//! In: the position after which to go on. Out: entries. Promises: memory is bounded by the chunk,
//! not by the backlog; read transactions are short, so that the WAL can be reset.

use super::{Entry, checksum};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row};
use std::borrow::Borrow;
use std::fs::File;
use std::sync::Arc;

/// A chunk ends after this many entries, or bytes, whichever comes first.
const CHUNK_ENTRIES: i64 = 128;
const CHUNK_BYTES: usize = 4 << 20;

const SELECT: &str = include_str!("sql/select_entries.sql");
const SELECT_ONE: &str = include_str!("sql/select_entry.sql");

/// For files of layout 1, which have no checksums.
const SELECT_OLD: &str = include_str!("sql/select_entries_1.sql");
const SELECT_ONE_OLD: &str = include_str!("sql/select_entry_1.sql");
const OLDEST: &str = "SELECT received FROM entries ORDER BY position LIMIT 1";

/// The reading side.
#[derive(Debug)]
pub struct Reader<C = Connection> {
    pub(super) connection: C,
    has_checksum: bool,
    /// See `Shared::file`.
    pub(super) file: Option<Arc<File>>,
}

impl<C: Borrow<Connection>> Reader<C> {
    /// Of a file of this layout; asks nothing of it yet.
    pub(super) fn new(connection: C, layout: i64) -> Self {
        Self { connection, has_checksum: layout != 1, file: None }
    }

    /// The entries after `position`, at least one if there is any.
    ///
    /// # Errors
    /// The disk, or damage to the file.
    pub fn after(&self, position: u64) -> rusqlite::Result<Vec<Entry>> {
        let sql = if self.has_checksum { SELECT } else { SELECT_OLD };
        let mut select = self.connection.borrow().prepare_cached(sql)?;
        let mut rows = select.query((position.cast_signed(), CHUNK_ENTRIES))?;
        let (mut entries, mut bytes, mut before) = (Vec::new(), 0, position);
        while let Some(row) = rows.next()? {
            let entry = entry(row, self.has_checksum)?;
            // Of a damaged tree SQLite may take one page for another; whoever goes on after the last entry
            // would go in circles.
            checksum::check_order(before, entry.position)?;
            before = entry.position;
            bytes += entry.body.len();
            entries.push(entry);
            if bytes >= CHUNK_BYTES {
                break;
            }
        }
        Ok(entries)
    }

    /// The entry at `position`.
    pub(super) fn at(&self, position: u64) -> rusqlite::Result<Option<Entry>> {
        let sql = if self.has_checksum { SELECT_ONE } else { SELECT_ONE_OLD };
        let mut select = self.connection.borrow().prepare_cached(sql)?;
        let read = |row: &Row<'_>| entry(row, self.has_checksum);
        select.query_row([position.cast_signed()], read).optional()
    }
}

fn entry(row: &Row<'_>, has_checksum: bool) -> rusqlite::Result<Entry> {
    let (position, received) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?);
    let body: Vec<u8> = row.get(2)?;
    if has_checksum {
        checksum::check(position, received, &body, row.get(3)?)?;
    }
    Ok(Entry { position, received: time(received), body: Bytes::from(body) })
}

/// When the oldest entry was received.
pub(super) fn oldest(connection: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let oldest = connection.prepare_cached(OLDEST)?.query_row((), |row| row.get(0)).optional()?;
    Ok(oldest.map(time))
}

pub(super) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
