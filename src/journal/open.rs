//! Opening a journal: the lock, the file, what a crash or a disk has made of it.
//!
//! In: a directory and the size limit. Out: the two sides of the journal, and what was found.
//! Promises: nothing is deleted; a damaged file is moved aside under a name that says so, after what can be
//! read of it has been taken over. Opening a sound journal takes no longer for a larger backlog.

use super::checkpoint::Checkpoint;
use super::checksum::checksum;
use super::examine::{Unsound, examine};
use super::salvage::{SalvageError, Salvaged, recover, salvage};
use super::swap::DAMAGED;
use super::writer::Writer;
use super::{Entry, Journal, Reader, Shared};
use rusqlite::{Connection, OpenFlags};
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
pub(super) const VERSION: i64 = 2;

/// How many deliveries may wait for the writer; more wait in their handlers.
const COMMANDS: usize = 1024;

/// How long a predecessor may take to be gone.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(3);

const CREATE: &str = include_str!("sql/create_entries.sql");
const ADD_CHECKSUM: &str = include_str!("sql/add_checksum.sql");
const UPDATE_CHECKSUM: &str = include_str!("sql/update_checksum.sql");
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
    /// It is damaged, and a new one could not be made of what can be read.
    #[error(
        "the journal in {path} is damaged ({reason}), and what can be read of it could not be taken over into a \
         new one: {source}; that needs as much free disk as the journal takes"
    )]
    Salvage {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Why not.
        source: Box<SalvageError>,
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
    /// A damaged journal was replaced.
    pub salvaged: Option<Salvaged>,
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
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    let mut salvaged = recover(directory).map_err(unusable)?;
    let sound = match examine(directory, &path)? {
        None => create(&path),
        Some(damage) => Err(Unsound::Damage(damage)),
    };
    let connection = match sound {
        Ok(connection) => connection,
        Err(Unsound::Other(error)) => return Err(sqlite(error)),
        Err(Unsound::Damage(damage)) => {
            let failed = |source| OpenError::Salvage {
                path: directory.to_owned(),
                reason: format!("{damage:?}"),
                source: Box::new(source),
            };
            salvaged = Some(salvage(directory, &damage).map_err(failed)?);
            create(&path).map_err(|error| sqlite(error.into()))?
        }
    };

    let (first, last) = connection
        .query_row(SPAN, (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .map_err(sqlite)?;
    // An empty journal starts at 1 again; within one run positions are not given twice.
    let (first, last) = (first.cast_unsigned(), last.cast_unsigned());
    let forgotten = first.saturating_sub(1);
    let page_size: i64 =
        connection.query_row("PRAGMA page_size", (), |row| row.get(0)).map_err(sqlite)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?; // see checkpoint
    let file = Arc::new(File::open(&path).map_err(unusable)?);
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
        file: Arc::clone(&file),
        damaged: watch::Sender::new(None),
        damaged_note: directory.join(DAMAGED),
    });
    let mut reader = Reader::new(read_only().map_err(sqlite)?, VERSION);
    reader.file = Some(file);
    let mover = Connection::open(&path).map_err(sqlite)?;
    let checkpoint = Checkpoint::start(mover, Arc::clone(&shared)).map_err(unusable)?;
    let (sender, commands) = mpsc::channel(COMMANDS);
    let writer = Writer {
        checkpoint,
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
        salvaged,
        writer,
    })
}

/// Makes the file where there is none: events hold phone numbers, which are nobody else's to read.
pub(super) fn private_file(path: &Path) -> std::io::Result<File> {
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

/// Opens a journal that is sound, or makes one of an empty file; brings its layout up.
pub(super) fn create(path: &Path) -> Result<Connection, Unsound> {
    let connection = Connection::open(path)?;
    let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    if version == 1 {
        add_checksums(&connection)?;
    }
    connection.execute_batch(CREATE)?;
    empty_the_log(&connection)?;
    Ok(connection)
}

/// From layout 1 to 2. Until the end the layout stays 1, so a kill in between does no harm.
fn add_checksums(connection: &Connection) -> rusqlite::Result<()> {
    let has = "SELECT count(*) FROM pragma_table_info('entries') WHERE name = 'checksum'";
    let count: i64 = connection.query_row(has, (), |row| row.get(0))?;
    if count == 0 {
        connection.execute_batch(ADD_CHECKSUM)?;
    }
    let reader = Reader::new(connection, 1);
    let mut update = connection.prepare(UPDATE_CHECKSUM)?;
    let mut position = 0;
    loop {
        let chunk = reader.after(position)?;
        let Some(last) = chunk.last() else { return Ok(()) };
        position = last.position;
        let transaction = connection.unchecked_transaction()?;
        for Entry { position, received, body } in chunk {
            let checksum = checksum(position, received.timestamp_micros(), &body);
            update.execute((position.cast_signed(), checksum))?;
        }
        transaction.commit()?;
    }
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
