//! The workers: from queued entries to rows, each event to exactly one outcome.
//!
//! In: the queue. Out: rows, by the store; positions that are done.
//! Promises: the events of one call always go to the same worker, so no two workers wait for each
//! other's rows; a batch is stored or tried again for as long as it takes; an event that PostgreSQL
//! refuses is found by halving and buried alone, its neighbours go in.
//! Must not know: HTTP, signatures, how the journal keeps what it keeps.

pub(crate) mod again;
mod backoff;
mod drift;
mod once;
mod reduce;
mod share;
mod worker;

use crate::health::Health;
use crate::queue::{Queue, Queued};
use crate::store::Database;
use crate::telemetry::metric::Metrics;
use sha2::{Digest, Sha256};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use worker::Worker;

/// How many workers, and how they batch.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Workers, each with one connection.
    pub workers: usize,
    /// Events in one batch at most.
    pub batch_events: usize,
    /// Whether events are archived as they came.
    pub archive: Archive,
}

/// Whether every accepted event is kept in `callsink.archive`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Archive {
    /// It is not.
    #[default]
    Off,
    /// It is, byte for byte.
    On,
}

/// What the workers share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Hears how the database is.
    pub health: Arc<Health>,
    /// When cancelled, a worker whose database is away stops trying; the rest waits in the journal.
    pub give_up: CancellationToken,
}

/// Starts the workers. They end when the queue has ended and everything in it is stored, or given up; one
/// that ends otherwise has broken, and the service can't go on without it.
#[must_use]
pub fn start(queue: Queue, database: &Database, limits: Limits, shared: &Shared) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    let mut senders = Vec::with_capacity(limits.workers);
    let (drift, keeper) = drift::start(database, shared);
    workers.spawn(keeper);
    for _ in 0..limits.workers {
        // What does not fit waits in the queue, for whichever worker.
        let (sender, receiver) = mpsc::channel(limits.batch_events.div_ceil(2));
        senders.push(sender);
        let worker = Worker::new(
            receiver,
            database,
            limits,
            Arc::clone(&queue.done),
            drift.clone(),
            shared.clone(),
        );
        workers.spawn(worker.run());
    }
    workers.spawn(dispatch(queue.entries, senders));
    workers
}

/// Hands each event to the worker of its call.
async fn dispatch(mut entries: mpsc::Receiver<Queued>, senders: Vec<mpsc::Sender<Queued>>) {
    let Some(workers) = NonZeroUsize::new(senders.len()) else { return };
    while let Some(queued) = entries.recv().await {
        let entry = &queued.entry;
        let worker = share::worker_of(&entry.body, entry.position, workers);
        if senders[worker].send(queued).await.is_err() {
            return; // given up: what is not stored waits in the journal
        }
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
