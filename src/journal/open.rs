//! Opening a journal: the lock, the file, what a crash or a disk has made of it.
//!
//! In: a directory and the size limit. Out: the two sides of the journal, and what was found.
//! Promises: nothing is deleted; a file that SQLite can't read is moved aside under a name that says
//! so. Opening takes the same time whatever the backlog: it never scans.

use super::writer::Writer;
use super::{Journal, Reader, Shared};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

pub(super) const FILE: &str = "journal.db";
pub(super) const LOCK: &str = "journal.lock";

/// The layout of the file; a later layout gets a later number.
pub(super) const VERSION: i64 = 1;

/// How many deliveries may wait for the writer; more wait in their handlers.
const COMMANDS: usize = 1024;

/// How long a predecessor may take to be gone.
const LOCK_WAIT: Duration = Duration::from_secs(3);

const CREATE: &str = include_str!("sql/create_entries.sql");
pub(super) const SPAN: &str = include_str!("sql/select_span.sql");

/// Why a journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two writers on one journal would give positions twice.
    #[error(
        "the journal in {0} is in use by another callsink; give each its own CALLSINK_DATA_DIR"
    )]
    Locked(PathBuf),
    /// The directory or the lock file can't be made or written.
    #[error(
        "the journal's directory {path} can't be used: {source}; it must be writable by this user"
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Made by a later callsink.
    #[error(
        "the journal {path} has layout {found}, this callsink knows up to {VERSION}; start the newer callsink, or let it drain the journal first"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
    },
    /// Anything else that SQLite says.
    #[error("the journal {path} can't be opened")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// An open journal.
#[derive(Debug)]
pub struct Opened {
    /// The writing side.
    pub journal: Journal,
    /// The reading side.
    pub reader: Reader,
    /// The last position that is gone: reading starts after it.
    pub forgotten: u64,
    /// Entries that a former run left.
    pub backlog: u64,
    /// Where a damaged file was moved to.
    pub moved_aside: Option<PathBuf>,
    /// The writer ends when every handle is dropped; join it to know that the file is closed.
    pub writer: std::thread::JoinHandle<()>,
}

/// Opens the journal in `directory`, making both where they don't exist.
///
/// # Errors
/// See [`OpenError`].
pub fn open(directory: &Path, max_bytes: u64) -> Result<Opened, OpenError> {
    let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(unusable)?;
    let lock = private_file(&directory.join(LOCK)).map_err(unusable)?;
    wait_for_lock(&lock, directory)?;

    let path = directory.join(FILE);
    private_file(&path).map_err(unusable)?; // SQLite gives its other files the mode of this one
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    let (connection, moved_aside) = match connect(&path) {
        Ok(connection) => (connection, None),
        Err(OpenError::Sqlite { source, .. }) if is_damage(&source) => {
            let aside = move_aside(&path).map_err(unusable)?;
            (connect(&path)?, Some(aside))
        }
        Err(error) => return Err(error),
    };

    let (first, last) = connection
        .query_row(SPAN, (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .map_err(sqlite)?;
    // An empty journal starts at 1 again; within one run positions are not given twice.
    let (first, last) = (first.cast_unsigned(), last.cast_unsigned());
    let forgotten = first.saturating_sub(1);
    let page_size: i64 =
        connection.query_row("PRAGMA page_size", (), |row| row.get(0)).map_err(sqlite)?;
    let read_only = || Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY);

    let shared = Arc::new(Shared {
        max_bytes,
        bytes: AtomicU64::new(0),
        forget_through: AtomicU64::new(forgotten),
        forgotten: AtomicU64::new(forgotten),
        closed: AtomicBool::new(false),
        committed: watch::Sender::new(last),
        trouble: Mutex::new(None),
        inspector: Mutex::new(read_only().map_err(sqlite)?),
    });
    let reader = Reader::new(read_only().map_err(sqlite)?);
    let (sender, commands) = mpsc::channel(COMMANDS);
    let writer = Writer {
        connection,
        shared: Arc::clone(&shared),
        commands,
        next_position: last + 1,
        page_size: page_size.max(0).cast_unsigned(),
    };
    writer.measure();
    let writer = std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(move || {
            writer.run();
            drop(lock); // only now may another process open it
        })
        .map_err(unusable)?;
    Ok(Opened {
        journal: Journal { commands: sender, shared },
        reader,
        forgotten,
        backlog: last - forgotten,
        moved_aside,
        writer,
    })
}

/// Makes the file where there is none: events hold phone numbers, which are nobody else's to read.
fn private_file(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// A predecessor that was killed holds its lock until the kernel has cleaned it up, which takes a moment.
fn wait_for_lock(lock: &File, directory: &Path) -> Result<(), OpenError> {
    let waiting_since = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if waiting_since.elapsed() < LOCK_WAIT => {
                std::thread::sleep(LOCK_WAIT / 50);
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked(directory.to_owned())),
            Err(TryLockError::Error(source)) => {
                return Err(OpenError::Directory { path: directory.to_owned(), source });
            }
        }
    }
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(failed)?;
    let version: i64 =
        connection.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(OpenError::TooNew { path: path.to_owned(), found: version });
    }
    connection.execute_batch(CREATE).map_err(failed)?;
    empty_the_log(&connection).map_err(failed)?;
    Ok(connection)
}

/// Moves what the write-ahead log holds into the file, and syncs it, before anything new goes behind it.
///
/// A log that a failed sync has left behind reads well from the kernel's cache but may not be on the disk;
/// with new entries behind it, a power loss would cut those off, too. Only somebody else who reads the file
/// can be in the way.
fn empty_the_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if busy {
        tracing::warn!("the journal's log could not be emptied, as another program reads the file");
    }
    Ok(())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

/// Renames the file and what belongs to it, so that a person can look at it later.
fn move_aside(path: &Path) -> std::io::Result<PathBuf> {
    let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%S%.3fZ");
    let aside = path.with_extension(format!("db.corrupt-{stamp}"));
    std::fs::rename(path, &aside)?;
    for suffix in ["-wal", "-shm"] {
        let with_suffix = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        if with_suffix(path).exists() {
            std::fs::rename(with_suffix(path), with_suffix(&aside))?;
        }
    }
    Ok(aside)
}
