//! The bounded hand-over from the journal to the workers.
//!
//! In: entries, read from the journal after the last forgotten position. Out: the same entries, in
//! order, as long as there is room; back come positions that are done, in any order.
//! Promises: memory is bounded in entries and in bytes; when it is full, events wait in the journal.
//! What runs after a crash is what runs always: there is no way into the queue but from the journal.
//! Must not know: what an entry means.

mod done;

pub use done::Done;

use crate::journal::{Entry, Journal, Reader};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Bytes of bodies that may be in memory between the journal and PostgreSQL. A larger single event
/// still passes, alone.
const MAX_BYTES: usize = 32 << 20;

/// Permits are counted in units of this many bytes, as a semaphore counts in `u32`.
const UNIT_BYTES: usize = 1024;

/// Pause after the journal could not be read, before the next try.
const READ_RETRY: std::time::Duration = std::time::Duration::from_secs(1);

/// An entry on its way; its room in the queue is free again when this is dropped.
#[derive(Debug)]
pub struct Queued {
    /// The entry.
    pub entry: Entry,
    _room: OwnedSemaphorePermit,
}

/// The consuming side.
#[derive(Debug)]
pub struct Queue {
    /// Entries in order; ends when the feeder has ended.
    pub entries: mpsc::Receiver<Queued>,
    /// Where to say that entries are done.
    pub done: Arc<Done>,
    /// How full it is.
    pub depth: Depth,
}

/// Tells how many entries wait, without keeping the queue open.
#[derive(Debug, Clone)]
pub struct Depth(mpsc::WeakSender<Queued>);

impl Depth {
    /// Entries between the journal and the workers.
    #[must_use]
    pub fn events(&self) -> usize {
        self.0.upgrade().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }
}

/// How the feeder is told to end.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// End once everything committed so far has been handed over; for when no more comes.
    pub when_empty: CancellationToken,
    /// End now; the rest waits in the journal.
    pub now: CancellationToken,
}

/// Starts feeding what comes after `forgotten`. At most `capacity` entries wait in the queue.
#[must_use]
pub fn start(
    journal: &Journal,
    reader: Reader,
    forgotten: u64,
    capacity: usize,
    stop: Stop,
) -> Queue {
    let (sender, entries) = mpsc::channel(capacity);
    let done = Arc::new(Done::new(journal.clone(), forgotten));
    let depth = Depth(sender.downgrade());
    let feeder = Feeder {
        journal: journal.clone(),
        committed: journal.committed(),
        position: forgotten,
        room: Arc::new(Semaphore::new(MAX_BYTES / UNIT_BYTES)),
        sender,
        stop,
    };
    tokio::spawn(feeder.run(reader));
    Queue { entries, done, depth }
}

struct Feeder {
    journal: Journal,
    committed: tokio::sync::watch::Receiver<u64>,
    position: u64,
    room: Arc<Semaphore>,
    sender: mpsc::Sender<Queued>,
    stop: Stop,
}

impl Feeder {
    async fn run(mut self, mut reader: Reader) {
        let now = self.stop.now.clone();
        let fed = now.run_until_cancelled(async {
            while self.more().await {
                let after = self.position;
                let read = tokio::task::spawn_blocking(move || (reader.after(after), reader));
                let Ok((result, returned)) = read.await else { return };
                reader = returned;
                match result {
                    Ok(entries) => {
                        if !self.hand_over(entries).await {
                            return; // the workers are gone
                        }
                    }
                    Err(error) if self.journal.is_damaged_by(&error) => return,
                    Err(error) => {
                        tracing::error!(%error, "the journal can't be read; trying again");
                        tokio::time::sleep(READ_RETRY).await;
                    }
                }
            }
        });
        fed.await;
    }

    /// Waits until there is more; `false` when there will be no more.
    async fn more(&mut self) -> bool {
        loop {
            if *self.committed.borrow_and_update() > self.position {
                return true;
            }
            tokio::select! {
                changed = self.committed.changed() => if changed.is_err() { return false },
                () = self.stop.when_empty.cancelled() => {
                    return *self.committed.borrow() > self.position;
                }
            }
        }
    }

    async fn hand_over(&mut self, entries: Vec<Entry>) -> bool {
        for entry in entries {
            let units = (entry.body.len() / UNIT_BYTES + 1).min(MAX_BYTES / UNIT_BYTES);
            let units = u32::try_from(units).unwrap_or(u32::MAX);
            let Ok(room) = Arc::clone(&self.room).acquire_many_owned(units).await else {
                return false;
            };
            self.position = entry.position;
            if self.sender.send(Queued { entry, _room: room }).await.is_err() {
                return false;
            }
        }
        true
    }
}
