//! What is wrong with a journal's file, before anything is written to it.
//!
//! In: the file and its log. Out: nothing, or the damage. Promises: writes nothing; takes no longer for a
//! larger backlog: the file itself is read only up to [`CHECK_BYTES`], and what is beyond shows when it is
//! read.

use super::checksum::is_damage;
use super::leaf::PAGE;
use super::open::{LOCK_WAIT, OpenError, SPAN, VERSION, private_file};
use super::swap::{DAMAGED, beside};
use super::{Reader, wal};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use std::path::Path;

/// `PRAGMA application_id` of a journal since layout 2, to which the layout is added: a flipped byte in
/// either shows, and is not taken for a later callsink's file. "cs" in ASCII.
const APPLICATION: i64 = 0x6373_0000;

/// A file up to this size is read and checked at every start, which takes a fraction of a second. It
/// holds what some twenty thousand events need: more is only there after an outage.
const CHECK_BYTES: u64 = 64 << 20;

const IS_FOREIGN: &str = include_str!("sql/is_foreign.sql");

/// What is wrong with a journal's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Damage {
    /// It was made by another program; there is nothing of ours in it.
    Foreign,
    /// It is ours and not as it was written.
    Damaged(String),
}

/// Why a file can't be used as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unsound {
    #[error("{0:?}")]
    Damage(Damage),
    #[error(transparent)]
    Other(rusqlite::Error),
}

impl From<rusqlite::Error> for Unsound {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            Self::Damage(Damage::Damaged(error.to_string()))
        } else {
            Self::Other(error)
        }
    }
}

impl From<Unsound> for rusqlite::Error {
    fn from(unsound: Unsound) -> Self {
        match unsound {
            Unsound::Other(error) => error,
            damage @ Unsound::Damage(_) => Self::ToSqlConversionFailure(Box::new(damage)),
        }
    }
}

enum Examined {
    Sound,
    TooNew(i64),
    Damage(Damage),
}

/// What is wrong with the journal at `path`; one that is not there is made, empty.
pub(super) fn examine(directory: &Path, path: &Path) -> Result<Option<Damage>, OpenError> {
    let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
    if let Ok(reason) = std::fs::read_to_string(directory.join(DAMAGED)) {
        return Ok(Some(Damage::Damaged(reason)));
    }
    // Before SQLite sees it, which would silently go without what it can't read.
    let log = wal::read(&beside(path, "-wal"), PAGE).map_err(unusable)?;
    // SQLite gives its other files the mode of this one. Closed before SQLite opens it: when a process closes
    // a file, it loses its locks on it, those of SQLite, too.
    drop(private_file(path).map_err(unusable)?);
    let length = std::fs::metadata(path).map_err(unusable)?.len();
    let damaged = |reason: &str| Ok(Some(Damage::Damaged(reason.to_owned())));
    if log.is_damaged {
        return damaged("its write-ahead log was altered");
    }
    if length == 0 && !log.frames.is_empty() {
        return damaged("the file is gone, and its write-ahead log is there");
    }
    let examined = Connection::open(path).and_then(|connection| look_into(&connection, length));
    match examined {
        // SQLite takes the first bytes of a journal for an empty file.
        Ok(Examined::Sound) if (1..PAGE as u64).contains(&length) => {
            damaged("it ends within its first page")
        }
        Ok(Examined::Sound) => Ok(None),
        Ok(Examined::Damage(damage)) => Ok(Some(damage)),
        Ok(Examined::TooNew(found)) => Err(OpenError::TooNew { path: path.to_owned(), found }),
        Err(error) if is_damage(&error) => Ok(Some(Damage::Damaged(error.to_string()))),
        Err(source) => Err(OpenError::Sqlite { path: path.to_owned(), source }),
    }
}

fn look_into(connection: &Connection, length: u64) -> rusqlite::Result<Examined> {
    // Otherwise the end of this connection would write the log into a file that may be damaged.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(LOCK_WAIT)?;
    let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    let id: i64 = connection.query_row("PRAGMA application_id", (), |row| row.get(0))?;
    let damaged = |reason: String| Ok(Examined::Damage(Damage::Damaged(reason)));
    let expected = if version < 2 { 0 } else { APPLICATION + version };
    // What says that it is ours is ours, also where its tables are not to be found.
    let is_ours = version >= 2 && id == expected;
    if !is_ours && connection.query_row(IS_FOREIGN, (), |row| row.get(0))? {
        return Ok(Examined::Damage(Damage::Foreign));
    }
    if version < 0 || id != expected {
        return damaged(format!("its layout is {version} in one place and {id:#x} in another"));
    }
    if version > VERSION {
        return Ok(Examined::TooNew(version));
    }
    if version == 0 {
        return Ok(Examined::Sound); // nothing in it yet
    }
    // Both ends, whatever the size: the start needs them.
    let (first, last) =
        connection.query_row(SPAN, (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    if first < i64::from(last != 0) {
        return damaged(format!("its first position is {first}"));
    }
    if length > CHECK_BYTES {
        return Ok(Examined::Sound);
    }
    let check: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if check != "ok" {
        return damaged(check);
    }
    let reader = Reader::new(connection, version);
    let mut position = 0;
    while let Some(last) = reader.after(position)?.last() {
        position = last.position;
    }
    Ok(Examined::Sound)
}
