//! Whether an entry is as it was written: SQLite notices a damaged page only by its structure, and a
//! flipped byte in a body has none.
//!
//! In: an entry's columns. Out: its checksum, or that it does not hold. CRC-32, which is for disks and not
//! against people: who can write the file can write the checksum, too.

use rusqlite::types::Type;
use rusqlite::{Error, ErrorCode, ffi};

/// The checksum of an entry. It covers the position, so that a page in the wrong place is noticed.
#[must_use]
pub fn checksum(position: u64, received: i64, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&position.to_le_bytes());
    hasher.update(&received.to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// What was stored for an entry is not what the entry says now.
#[derive(Debug, thiserror::Error)]
#[error("the entry at position {0} is not as it was written")]
struct Altered(u64);

/// Entries stand in the order of their positions.
#[derive(Debug, thiserror::Error)]
#[error("the entry at position {0} is not in its place")]
struct Misplaced(u64);

/// Whether `position` may come after `before`.
pub(super) fn check_order(before: u64, position: u64) -> rusqlite::Result<()> {
    if before < position && i64::try_from(position).is_ok() {
        return Ok(());
    }
    Err(Error::FromSqlConversionFailure(0, Type::Integer, Box::new(Misplaced(position))))
}

/// Every entry since layout 2 has a checksum; one without was altered, too.
pub(super) fn check(
    position: u64,
    received: i64,
    body: &[u8],
    stored: Option<i64>,
) -> rusqlite::Result<()> {
    if stored == Some(i64::from(checksum(position, received, body))) {
        return Ok(());
    }
    Err(Error::FromSqlConversionFailure(3, Type::Integer, Box::new(Altered(position))))
}

/// Whether an error means that the file is damaged, rather than out of reach or full.
pub(super) fn is_damage(error: &Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => true,
        // The file ends before the page that should be read does; or it is the file's schema or format that
        // SQLite makes no sense of, as our statements are what they are.
        Some(_) => error.sqlite_error().is_some_and(|error| {
            [ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_ERROR].contains(&error.extended_code)
        }),
        // Likewise a table or a column that is not there; a column that is of another type than what was written,
        // or an entry that was altered.
        None => matches!(
            error,
            Error::SqlInputError { .. }
                | Error::FromSqlConversionFailure(..)
                | Error::InvalidColumnType(..)
                | Error::IntegralValueOutOfRange(..)
        ),
    }
}
