//! What was acknowledged stands here until PostgreSQL has it.
//!
//! In: the bytes of verified events. Out: the same bytes, in order, from the last forgotten position.
//! Promises:
//! - when `append` returns `Ok`, the bytes are on stable storage (SQLite in WAL mode, `synchronous=FULL`);
//! - positions grow by one and are never given twice while the service runs;
//! - a failed sync is never followed by an `Ok` on the same file: the journal refuses until a restart;
//! - one process per journal: the second is refused;
//! - an entry comes out as it went in, or is named as damaged;
//! - of a damaged file the next start takes over what can be read; the file is moved aside, never deleted.
//!
//! Limits: `max_bytes` of pages in use; beyond it `append` refuses and nothing is dropped.
//! Must not know: Twilio, HTTP, PostgreSQL, what the bytes mean.

pub mod beside;
mod checkpoint;
pub mod checksum;
mod examine;
pub mod inspect;
mod leaf;
mod open;
mod reader;
mod salvage;
mod swap;
mod wal;
pub mod walk;
mod writer;

pub use open::{OpenError, Opened, open};
pub use reader::Reader;
pub use salvage::{SalvageError, Salvaged};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// One event, as it was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the journal; grows by one from entry to entry.
    pub position: u64,
    /// When its delivery came in.
    pub received: DateTime<Utc>,
    /// The event, byte for byte.
    pub body: Bytes,
}

/// Why bytes could not be made durable. In every case nothing of the delivery is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// More would pass the limit; room comes back as PostgreSQL takes events in.
    #[error("the journal holds {bytes} bytes and its limit is {limit}")]
    Full {
        /// Bytes in use.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The disk refused this write (full, read-only, ...); the next may succeed.
    #[error("the journal could not be written: {0}")]
    Disk(String),
    /// A sync failed, or the file is damaged: no later write on this file can be trusted.
    #[error("the journal has failed and accepts nothing until callsink is restarted: {0}")]
    Failed(String),
    /// The service is stopping.
    #[error("the journal is closed")]
    Closed,
}

/// How the journal is doing; for `/readyz` and `/metrics`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Entries that PostgreSQL does not have yet.
    pub depth: u64,
    /// Bytes of pages in use.
    pub bytes: u64,
    /// Where `append` begins to refuse.
    pub max_bytes: u64,
    /// When the oldest entry was received.
    pub oldest: Option<DateTime<Utc>>,
    /// Why the last append failed, if it did.
    pub trouble: Option<AppendError>,
}

/// The writing side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

/// What the writer thread is asked to do.
#[derive(Debug)]
enum Command {
    Append {
        bodies: Vec<Bytes>,
        received: DateTime<Utc>,
        reply: oneshot::Sender<AppendReply>,
    },
    /// Look at `Shared::forget_through`.
    Wake,
    /// Write something of the size of a delivery, to see whether that goes again.
    Probe {
        reply: oneshot::Sender<AppendReply>,
    },
}

type AppendReply = Result<(), AppendError>;

/// What the writer thread and the handles both see.
#[derive(Debug)]
struct Shared {
    max_bytes: u64,
    bytes: AtomicU64,
    /// Everything up to here may be deleted.
    forget_through: AtomicU64,
    /// Everything up to here is deleted.
    forgotten: AtomicU64,
    closed: AtomicBool,
    /// The last position on stable storage.
    committed: watch::Sender<u64>,
    trouble: Mutex<Option<AppendError>>,
    /// For looking at the oldest entry without disturbing writer and reader.
    inspector: Mutex<rusqlite::Connection>,
    /// The file itself, for syncs. Whoever has a connection has this, too, and drops it later: that it is closed
    /// takes the locks of all connections of this process with it (POSIX).
    file: Arc<File>,
    /// What was found to be wrong with the file.
    damaged: watch::Sender<Option<String>>,
    /// Where the next start is told so.
    damaged_note: PathBuf,
}

impl Shared {
    /// How the last write went. What failed for good stays so, even if a write that was underway went well.
    fn note(&self, trouble: Option<AppendError>) {
        let mut noted = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*noted, Some(AppendError::Failed(_))) {
            *noted = trouble;
        }
    }

    /// What an error of SQLite's means for the journal; of damage everybody hears.
    fn meaning_of(&self, error: &rusqlite::Error) -> AppendError {
        if checksum::is_damage(error) {
            self.damage(&error.to_string());
        }
        writer::classify(error)
    }

    /// From now on the journal refuses; the next start takes over what can be read of it.
    fn damage(&self, what: &str) {
        if self.damaged.borrow().is_some() {
            return;
        }
        tracing::error!(what, "the journal is damaged; the next start takes over what can be read");
        // Without the note the next start finds the damage only if the file is small.
        let note = File::create(&self.damaged_note).and_then(|mut file| {
            file.write_all(what.as_bytes())?;
            file.sync_all()
        });
        if let Err(error) = note {
            tracing::error!(%error, "the damage could not be noted for the next start");
        }
        let failed = AppendError::Failed(what.to_owned());
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(failed);
        self.damaged.send_replace(Some(what.to_owned()));
    }
}

impl Journal {
    /// Makes `bodies` durable, all of them or none, in order.
    ///
    /// # Errors
    /// See [`AppendError`]; the caller must not acknowledge.
    pub async fn append(&self, bodies: Vec<Bytes>, received: DateTime<Utc>) -> AppendReply {
        if bodies.is_empty() {
            return Ok(());
        }
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(AppendError::Closed);
        }
        let (reply, answer) = oneshot::channel();
        let command = Command::Append { bodies, received, reply };
        self.commands.send(command).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Tries a durable write after trouble, so that a service that nobody sends to because it is
    /// not ready finds out that it could be.
    ///
    /// # Errors
    /// The trouble that is still there.
    pub async fn probe(&self) -> AppendReply {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Probe { reply }).await.map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }

    /// Everything up to and including `position` is in PostgreSQL and may be deleted, soon.
    pub fn forget_through(&self, position: u64) {
        self.shared.forget_through.fetch_max(position, Ordering::AcqRel);
        // A full channel means that the writer is about to look anyway.
        drop(self.commands.try_send(Command::Wake));
    }

    /// Whether everything up to and including `position` may be deleted.
    #[must_use]
    pub fn is_done_through(&self, position: u64) -> bool {
        self.shared.forget_through.load(Ordering::Acquire) >= position
    }

    /// The last position on stable storage, as it grows.
    #[must_use]
    pub fn committed(&self) -> watch::Receiver<u64> {
        self.shared.committed.subscribe()
    }

    /// An entry could not be read. Whether that is damage, which ends the journal for this run.
    pub fn is_damaged_by(&self, error: &rusqlite::Error) -> bool {
        let is_damage = checksum::is_damage(error);
        if is_damage {
            self.shared.damage(&error.to_string());
        }
        is_damage
    }

    /// Resolves when the file is found damaged, with what is wrong.
    pub async fn damaged(&self) -> String {
        let mut damaged = self.shared.damaged.subscribe();
        match damaged.wait_for(Option::is_some).await {
            Ok(what) => what.clone().unwrap_or_default(),
            Err(_) => std::future::pending().await, // we hold the sender ourselves
        }
    }

    /// Refuses all further appends; what is underway still ends as it would have.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
    }

    /// Entries that PostgreSQL does not have yet.
    #[must_use]
    pub fn depth(&self) -> u64 {
        let committed = *self.shared.committed.borrow();
        committed.saturating_sub(self.shared.forgotten.load(Ordering::Acquire))
    }

    /// How the journal is doing. Reads one row from disk.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = &self.shared;
        let depth = self.depth();
        let oldest = if depth == 0 {
            None
        } else {
            let inspector = shared.inspector.lock().unwrap_or_else(PoisonError::into_inner);
            reader::oldest(&inspector).unwrap_or_default()
        };
        Status {
            depth,
            bytes: shared.bytes.load(Ordering::Acquire),
            max_bytes: shared.max_bytes,
            oldest,
            trouble: shared.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

#[cfg(test)]
mod inspect_tests;
#[cfg(test)]
mod leaf_tests;
#[cfg(test)]
mod salvage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wal_tests;
