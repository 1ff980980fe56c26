//! Reads entries in order, a bounded piece at a time.
//!
//! In: the position after which to go on. Out: entries. Promises: memory is bounded by the chunk,
//! not by the backlog; read transactions are short, so that the WAL can be reset.

use super::Entry;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};

/// A chunk ends after this many entries, or bytes, whichever comes first.
const CHUNK_ENTRIES: i64 = 256;
const CHUNK_BYTES: usize = 4 << 20;

const SELECT: &str = include_str!("sql/select_entries.sql");
const OLDEST: &str = "SELECT received FROM entries ORDER BY position LIMIT 1";

/// The reading side.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
}

impl Reader {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// The entries after `position`, at least one if there is any.
    ///
    /// # Errors
    /// The disk, or damage to the file.
    pub fn after(&self, position: u64) -> rusqlite::Result<Vec<Entry>> {
        let mut select = self.connection.prepare_cached(SELECT)?;
        let mut rows = select.query((position.cast_signed(), CHUNK_ENTRIES))?;
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(2)?;
            bytes += body.len();
            entries.push(Entry {
                position: row.get::<_, i64>(0)?.cast_unsigned(),
                received: time(row.get(1)?),
                body: Bytes::from(body),
            });
            if bytes >= CHUNK_BYTES {
                break;
            }
        }
        Ok(entries)
    }
}

/// When the oldest entry was received.
pub(super) fn oldest(connection: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    let oldest = connection.prepare_cached(OLDEST)?.query_row((), |row| row.get(0)).optional()?;
    Ok(oldest.map(time))
}

pub(super) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
