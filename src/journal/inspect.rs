//! Looking into a journal, that of a running service, of a stopped one, or a file that was moved aside.
//!
//! In: the path of a journal's file. Out: how it is doing, and its entries.
//! Promises: writes no entry, takes no lock that a service would want, holds no read transaction longer
//! than a chunk (but for the integrity check, which is one); makes no file, with the one exception told
//! at [`Inspector::open`].
//! Must not know: Twilio, HTTP, PostgreSQL, what the bytes mean.

use super::open::{FILE, SPAN, VERSION};
use super::swap::beside;
use super::{Entry, Reader, checksum};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The integrity check stops after this many problems; nobody reads more.
const PROBLEMS: &str = "PRAGMA integrity_check(50)";

/// Despite its name: SQLite reads on where it would refuse the whole file for its length.
const READ_ON: &str = "PRAGMA writable_schema = ON";

/// Why a journal could not be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Nothing there.
    #[error("there is no journal {0}: no callsink has run on this directory, or it is another one")]
    Missing(PathBuf),
    /// Made by a later callsink.
    #[error("the journal {path} has layout {found}, this callsink knows up to {VERSION}")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// It was read as a file that nobody writes, and now somebody does.
    #[error("a callsink was started on this journal meanwhile: run the command again")]
    Disturbed,
    /// What SQLite says.
    #[error("the journal {path} can't be read: {cause}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
}

impl InspectError {
    /// Whether the file itself is damaged, rather than out of reach.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        let Self::Sqlite { cause, .. } = self else { return false };
        // A file that is shorter than it says it is fails as an I/O error.
        checksum::is_damage(cause) || cause.sqlite_error_code() == Some(ErrorCode::SystemIoFailure)
    }
}

/// Bytes, by where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The file.
    pub file: u64,
    /// Its write-ahead log.
    pub wal: u64,
    /// Pages in use: what the size limit is about.
    pub used: u64,
}

/// A journal open for reading.
#[derive(Debug)]
pub struct Inspector {
    path: PathBuf,
    reader: Reader,
    /// Opened as a file that nobody writes.
    immutable: bool,
}

/// The file of the journal in `directory`.
#[must_use]
pub fn file_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

impl Inspector {
    /// Opens the journal at `path` for reading.
    ///
    /// A reader of a WAL database needs its `-wal` and its index, `-shm`, and SQLite would make both where
    /// they are missing, even for a reader. So:
    /// - both there: a service runs, or was killed. `readonly_shm` shares the index of a live service, and
    ///   makes one in memory when there is none to share it with; nothing is written.
    /// - no `-wal`: the service was stopped tidily, all is in the file. `immutable` reads it as it is, and
    ///   must not be used while somebody writes: after each reading we look whether a `-wal` has appeared.
    /// - a `-wal` without `-shm`: somebody copied two of three files. Only here SQLite makes a file, the
    ///   `-shm`, because entries in the `-wal` would be overlooked otherwise.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn open(path: &Path) -> Result<Self, InspectError> {
        Self::open_with(path, "")
    }

    /// Opens a journal as [`open`](Self::open) does, one that is shorter than it says it is, too.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn open_damaged(path: &Path) -> Result<Self, InspectError> {
        Self::open_with(path, READ_ON)
    }

    /// Opens a journal that nobody else has, as [`open_damaged`](Self::open_damaged) does; makes its index anew.
    pub(super) fn open_alone(path: &Path) -> Result<Self, InspectError> {
        Self::open_as(path, READ_ON, "mode=ro")
    }

    fn open_with(path: &Path, first: &str) -> Result<Self, InspectError> {
        match Self::open_as(path, first, "readonly_shm=1") {
            Err(InspectError::Sqlite { cause, .. }) if needs_to_write_index(&cause) => {
                Self::open_as(path, first, "mode=ro")
            }
            opened => opened,
        }
    }

    fn open_as(path: &Path, first: &str, shared: &str) -> Result<Self, InspectError> {
        if !path.is_file() {
            return Err(InspectError::Missing(path.to_owned()));
        }
        let wal = beside(path, "-wal");
        let immutable = !wal.exists();
        let mode = match (immutable, beside(path, "-shm").exists()) {
            (true, _) => "immutable=1",
            (false, true) => shared,
            (false, false) => "mode=ro",
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let failed = |cause| InspectError::Sqlite { path: path.to_owned(), cause };
        let connection = Connection::open_with_flags(uri(path, mode), flags).map_err(failed)?;
        connection.execute_batch(first).map_err(failed)?;
        let found: i64 =
            connection.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
        if found > VERSION {
            return Err(InspectError::TooNew { path: path.to_owned(), found });
        }
        let inspector =
            Self { path: path.to_owned(), reader: Reader::new(connection, found), immutable };
        inspector.undisturbed()?;
        Ok(inspector)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The layout of the file.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn layout(&self) -> Result<i64, InspectError> {
        self.number("PRAGMA user_version")
    }

    /// The first and the last position; `None` when it is empty. Looks at both ends and at nothing between.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn span(&self) -> Result<Option<(u64, u64)>, InspectError> {
        let span = self.ask(|connection| {
            connection.query_row(SPAN, (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        })?;
        let (first, last) = (span.0.cast_unsigned(), span.1.cast_unsigned());
        Ok((last > 0).then_some((first, last)))
    }

    /// One of the two ends alone, for a file of which only the other is damaged.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn end(&self, last: bool) -> Result<Option<u64>, InspectError> {
        let end = if last {
            "SELECT position FROM entries ORDER BY position DESC LIMIT 1"
        } else {
            "SELECT position FROM entries ORDER BY position LIMIT 1"
        };
        let position: Option<i64> =
            self.ask(|connection| connection.query_row(end, (), |row| row.get(0)).optional())?;
        let Some(position) = position.map(i64::cast_unsigned) else { return Ok(None) };
        checksum::check_order(0, position).map_err(|cause| self.failed(cause))?;
        Ok(Some(position))
    }

    /// The entries after `position`, at least one if there is any; a bounded chunk.
    ///
    /// # Errors
    /// See [`InspectError`]; one damaged entry of the chunk is enough.
    pub fn after(&self, position: u64) -> Result<Vec<Entry>, InspectError> {
        let entries = self.reader.after(position).map_err(|cause| self.failed(cause));
        self.undisturbed()?;
        entries
    }

    /// One entry.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn entry(&self, position: u64) -> Result<Option<Entry>, InspectError> {
        let entry = self.reader.at(position).map_err(|cause| self.failed(cause));
        self.undisturbed()?;
        entry
    }

    /// When the entry at `position` was received.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn received(&self, position: u64) -> Result<Option<DateTime<Utc>>, InspectError> {
        Ok(self.entry(position)?.map(|entry| entry.received))
    }

    /// How large it is.
    ///
    /// # Errors
    /// See [`InspectError`].
    pub fn sizes(&self) -> Result<Sizes, InspectError> {
        let pages = self.number("PRAGMA page_count")?;
        let free = self.number("PRAGMA freelist_count")?;
        let used = (pages - free).max(0) * self.number("PRAGMA page_size")?;
        let bytes_of = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        Ok(Sizes {
            file: bytes_of(&self.path),
            wal: bytes_of(&beside(&self.path, "-wal")),
            used: used.cast_unsigned(),
        })
    }

    /// What SQLite's own check finds, a line each; empty when the file is whole. Reads all of it.
    ///
    /// # Errors
    /// See [`InspectError`]: damage so deep that the check itself can't go on.
    pub fn problems(&self) -> Result<Vec<String>, InspectError> {
        self.ask(|connection| {
            let mut check = connection.prepare(PROBLEMS)?;
            let mut rows = check.query(())?;
            let mut lines: Vec<String> = Vec::new();
            loop {
                match rows.next() {
                    // One row may hold many lines.
                    Ok(Some(row)) => {
                        let text: String = row.get(0)?;
                        lines.extend(text.lines().filter(|line| *line != "ok").map(str::to_owned));
                    }
                    Err(error) if lines.is_empty() => return Err(error),
                    // What was found before the check itself stumbled is worth telling.
                    Ok(None) | Err(_) => break,
                }
            }
            Ok(lines)
        })
    }

    fn number(&self, pragma: &str) -> Result<i64, InspectError> {
        self.ask(|connection| connection.query_row(pragma, (), |row| row.get(0)))
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, InspectError> {
        let answer = question(&self.reader.connection).map_err(|cause| self.failed(cause));
        self.undisturbed()?;
        answer
    }

    fn failed(&self, cause: rusqlite::Error) -> InspectError {
        InspectError::Sqlite { path: self.path.clone(), cause }
    }

    /// A service makes its `-wal` before it writes anything.
    fn undisturbed(&self) -> Result<(), InspectError> {
        let is_disturbed = self.immutable && beside(&self.path, "-wal").exists();
        if is_disturbed { Err(InspectError::Disturbed) } else { Ok(()) }
    }
}

/// Sharing an index as others do helps where it has no mark free for one more reader, and where a service was killed
/// between its log's head and the first page of it (after ten seconds, for which SQLite takes that for a race).
fn needs_to_write_index(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error_code();
    matches!(code, Some(ErrorCode::ReadOnly | ErrorCode::FileLockingProtocolFailed))
}

/// Everything that could mean something in a URI is escaped.
fn uri(path: &Path, parameter: &str) -> String {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let written = write!(uri, "%{byte:02x}");
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        }
    }
    uri + "?" + parameter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_uri_stays_a_path() {
        assert_eq!(
            uri(Path::new("/a b/c?d%#.db"), "mode=ro"),
            "file:/a%20b/c%3fd%25%23.db?mode=ro"
        );
    }
}
