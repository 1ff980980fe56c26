//! Moves what the write-ahead log holds into the file, on a thread beside the writer's.
//!
//! In: word that the log has grown. Out: the writer hears that only a short rest is left, which it moves itself, so
//! that its next transaction begins the log anew.
//! Promises: the file is synced before the log is; a sync that fails ends the journal for this run, as a failed
//! commit does: the next start moves everything again, from the log, which is on stable storage.
//! Why not SQLite's own: it checkpoints within a commit, for which every delivery waits, and says nothing of
//! syncs that fail.

use super::{AppendError, Shared};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Pages of the log at which it is moved: 8 MB, a quarter of a second at full load. SQLite's own default; a longer log
/// would write less for entries that are soon deleted, and take as much more of the disk.
const PAGES: u32 = 1000;

/// So short a rest is left to the writer: at 40,000 events a second it is written in a millisecond.
const REST_PAGES: u32 = 64;

/// Where the disk takes what is written no faster than this thread moves it, the rest never gets short.
const ROUNDS: u32 = 3;

/// Where a checkpoint stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Stage {
    /// Nothing is underway.
    Idle,
    /// This thread moves pages.
    Moving,
    /// It is the writer's turn.
    Rest,
}

/// The writer's end of it. When dropped, the thread has ended.
#[derive(Debug)]
pub(super) struct Checkpoint {
    stage: Arc<AtomicU8>,
    start: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The log's pages at which the next one starts.
    next: u32,
}

impl Checkpoint {
    /// Starts the thread, with a connection of its own.
    pub(super) fn start(connection: Connection, shared: Arc<Shared>) -> std::io::Result<Self> {
        let stage = Arc::new(AtomicU8::new(Stage::Idle as u8));
        let (start, started) = sync_channel(1);
        let mover = Mover { connection, shared, stage: Arc::clone(&stage) };
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || mover.run(&started))?;
        Ok(Self { stage, start: Some(start), thread: Some(thread), next: PAGES })
    }

    /// After each commit, with the writer's own connection.
    ///
    /// # Errors
    /// The rest could not be moved.
    pub(super) fn go_on(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let stage = self.stage.load(Ordering::Acquire);
        if stage == Stage::Moving as u8 {
            return Ok(());
        }
        if stage == Stage::Rest as u8 {
            self.stage.store(Stage::Idle as u8, Ordering::Release);
            passive(connection)?;
            return Ok(());
        }
        let log = length(connection)?.log;
        let later = log + PAGES;
        if log >= self.next {
            // If a reader is in the way, the log is not begun anew; that is tried again then, and not with each commit.
            self.next = later;
            self.stage.store(Stage::Moving as u8, Ordering::Release);
            if let Some(start) = &self.start {
                start.try_send(()).ok(); // there is room: nothing was underway
            }
        } else {
            self.next = self.next.min(later); // sooner, once the log was begun anew
        }
        Ok(())
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.start = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join()); // one that panicked has moved what it has moved
        }
    }
}

impl Shared {
    /// The log could not be moved. It holds all of it, so that a full disk costs no more than disk; but where the
    /// file is in doubt, so is whatever the log would forget.
    pub(super) fn log_stays(&self, error: AppendError) {
        tracing::error!(%error, "the journal's log could not be moved into its file");
        if let AppendError::Failed(_) = error {
            self.note(Some(error));
        }
    }
}

struct Mover {
    connection: Connection,
    shared: Arc<Shared>,
    stage: Arc<AtomicU8>,
}

impl Mover {
    fn run(self, started: &Receiver<()>) {
        while started.recv().is_ok() {
            let stage = match self.move_all() {
                Ok(()) => Stage::Rest,
                Err(error) => {
                    self.shared.log_stays(error);
                    Stage::Idle
                }
            };
            self.stage.store(stage as u8, Ordering::Release);
        }
    }

    fn move_all(&self) -> Result<(), AppendError> {
        for _ in 0..ROUNDS {
            let meaning = |error| self.shared.meaning_of(&error);
            let moved = passive(&self.connection).map_err(meaning)?;
            // SQLite has done so only if nothing was written meanwhile.
            let synced = self.shared.file.sync_data();
            synced.map_err(|error| AppendError::Failed(error.to_string()))?;
            let now = length(&self.connection).map_err(meaning)?;
            if now.log.saturating_sub(moved.moved) <= REST_PAGES {
                break;
            }
        }
        Ok(())
    }
}

/// Pages.
struct Pages {
    /// In the log.
    log: u32,
    /// Of these, in the file.
    moved: u32,
}

/// Moves what no reader needs where it is, and waits for nobody.
fn passive(connection: &Connection) -> rusqlite::Result<Pages> {
    pages(connection, "PRAGMA wal_checkpoint(PASSIVE)")
}

fn length(connection: &Connection) -> rusqlite::Result<Pages> {
    pages(connection, "PRAGMA wal_checkpoint(NOOP)")
}

fn pages(connection: &Connection, pragma: &str) -> rusqlite::Result<Pages> {
    connection.prepare_cached(pragma)?.query_row((), |row| {
        let pages = |index| row.get::<_, i64>(index).map(|pages| u32::try_from(pages).unwrap_or(0));
        Ok(Pages { log: pages(1)?, moved: pages(2)? })
    })
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod checkpoint_tests;
