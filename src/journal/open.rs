//! Opening a journal: the lock, the file, what a crash or a disk has made of it.
//!
//! In: a directory and the size limit. Out: the two sides of the journal, and what was found.
//! Promises: nothing is deleted; a damaged file is moved aside under a name that says so, after what can be
//! read of it has been taken over. Opening a sound journal takes the same time whatever the backlog: it
//! looks for damage in the log, and in the file only up to [`CHECK_BYTES`]; what is beyond shows when it is
//! read.

use super::checksum::{checksum, is_damage};
use super::leaf::PAGE;
use super::salvage::{Damage, SalvageError, Salvaged, recover, salvage};
use super::swap::{DAMAGED, beside};
use super::writer::Writer;
use super::{Entry, Journal, Reader, Shared, wal};
use rusqlite::config::DbConfig;
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

/// `PRAGMA application_id` of a journal since layout 2, to which the layout is added: a flipped byte in
/// either shows, and is not taken for a later callsink's file. "cs" in ASCII.
const APPLICATION: i64 = 0x6373_0000;

/// A file up to this size is read and checked at every start, which takes a fraction of a second. It
/// holds what some twenty thousand events need: more is only there after an outage.
const CHECK_BYTES: u64 = 64 << 20;

/// How many deliveries may wait for the writer; more wait in their handlers.
const COMMANDS: usize = 1024;

/// How long a predecessor may take to be gone.
const LOCK_WAIT: Duration = Duration::from_secs(3);

const CREATE: &str = include_str!("sql/create_entries.sql");
const ADD_CHECKSUM: &str = include_str!("sql/add_checksum.sql");
const UPDATE_CHECKSUM: &str = include_str!("sql/update_checksum.sql");
const IS_FOREIGN: &str = include_str!("sql/is_foreign.sql");
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
    let connection = match connect(directory, &path)? {
        Ok(connection) => connection,
        Err(damage) => {
            let failed = |source| OpenError::Salvage {
                path: directory.to_owned(),
                reason: format!("{damage:?}"),
                source: Box::new(source),
            };
            salvaged = Some(salvage(directory, &damage).map_err(failed)?);
            create(&path)?
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
        damaged: watch::Sender::new(None),
        damaged_note: directory.join(DAMAGED),
    });
    let reader = Reader::new(read_only().map_err(sqlite)?, VERSION);
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

/// Opens what is there, or says what is wrong with it.
fn connect(directory: &Path, path: &Path) -> Result<Result<Connection, Damage>, OpenError> {
    let unusable = |source| OpenError::Directory { path: directory.to_owned(), source };
    if let Ok(reason) = std::fs::read_to_string(directory.join(DAMAGED)) {
        return Ok(Err(Damage::Damaged(reason)));
    }
    // Before SQLite sees it, which would silently go without what it can't read.
    let log = wal::read(&beside(path, "-wal"), PAGE).map_err(unusable)?;
    // SQLite gives its other files the mode of this one. Closed before SQLite opens it: when a process closes
    // a file, it loses its locks on it, those of SQLite, too.
    drop(private_file(path).map_err(unusable)?);
    let length = std::fs::metadata(path).map_err(unusable)?.len();
    let damaged = |reason: &str| Ok(Err(Damage::Damaged(reason.to_owned())));
    if log.is_damaged {
        return damaged("its write-ahead log was altered");
    }
    if length == 0 && !log.frames.is_empty() {
        return damaged("the file is gone, and its write-ahead log is there");
    }
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(failed)?;
    let examined = examine(&connection, length);
    match examined {
        Ok(None) => create(path).map(Ok),
        Ok(Some(Examined::TooNew(found))) => {
            Err(OpenError::TooNew { path: path.to_owned(), found })
        }
        Ok(Some(Examined::Damage(damage))) => Ok(Err(damage)),
        Err(error) if is_damage(&error) => Ok(Err(Damage::Damaged(error.to_string()))),
        Err(error) => Err(failed(error)),
    }
}

enum Examined {
    TooNew(i64),
    Damage(Damage),
}

/// What is wrong with a file that SQLite can open; writes nothing to it.
fn examine(connection: &Connection, length: u64) -> rusqlite::Result<Option<Examined>> {
    // Otherwise the end of this connection would write the log into a file that may be damaged.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(LOCK_WAIT)?;
    let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
    let damaged = |reason: String| Ok(Some(Examined::Damage(Damage::Damaged(reason))));
    let id: i64 = connection.query_row("PRAGMA application_id", (), |row| row.get(0))?;
    if connection.query_row(IS_FOREIGN, (), |row| row.get(0))? {
        return Ok(Some(Examined::Damage(Damage::Foreign)));
    }
    let expected = if version < 2 { 0 } else { APPLICATION + version };
    if version < 0 || id != expected {
        return damaged(format!("its layout is {version} in one place and {id:#x} in another"));
    }
    if version > VERSION {
        return Ok(Some(Examined::TooNew(version)));
    }
    if length > CHECK_BYTES || version == 0 {
        return Ok(None);
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
    Ok(None)
}

/// Opens a journal that is sound, or makes one of an empty file; brings its layout up.
pub(super) fn create(path: &Path) -> Result<Connection, OpenError> {
    let failed = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(failed)?;
    let version: i64 =
        connection.query_row("PRAGMA user_version", (), |row| row.get(0)).map_err(failed)?;
    if version == 1 {
        add_checksums(&connection).map_err(failed)?;
    }
    connection.execute_batch(CREATE).map_err(failed)?;
    empty_the_log(&connection).map_err(failed)?;
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
