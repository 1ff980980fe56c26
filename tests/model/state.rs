//! Everything that matters at one moment, and the bounds within which it moves.
//!
//! Small and plain, because there are hundreds of thousands of it.

use super::calls::{Calls, Events, NO_ROW, Row, Sort, bit};
use super::disk::{Disk, Entry, Position};

/// How much may happen in one model.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The events, and how often Twilio may send each.
    pub events: Vec<(Sort, u8)>,
    /// Services with a journal each, on one database.
    pub services: usize,
    /// Workers of a service.
    pub workers: u8,
    /// Entries between the journal and the done marks, at most.
    pub in_memory: usize,
    /// What may go wrong, and how often.
    pub chances: Chances,
}

/// How often each thing may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Chances {
    /// The process is killed, or the power fails.
    pub crashes: u8,
    /// Somebody stops the service.
    pub stops: u8,
    /// The database goes away.
    pub outages: u8,
    /// A statement gets no answer, and may or may not be carried out later.
    pub strays: u8,
    /// The disk fails a sync.
    pub failed_syncs: u8,
}

/// A protocol with one mistake in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    AnswerBeforeSync,
    WriteOnAfterFailedSync,
    TrustTheLogAtStart,
    SkipBacklogAtStart,
    DoneWhenSent,
    DoneWithGaps,
    DoneBeforeTouch,
    NoTouch,
    FirstComeWins,
    LastComeWins,
    DropOnTrouble,
    BuryWholeBatch,
    RetryRefused,
    ForgetOnlyWithAppends,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub services: Vec<Service>,
    pub database: Database,
    /// Per event, how often Twilio may still send it.
    pub sends: Vec<u8>,
    pub chances: Chances,
}

/// What PostgreSQL has.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Database {
    pub up: bool,
    /// Per call.
    pub rows: Vec<Row>,
    pub dead_letters: Events,
    /// Statements whose worker no longer listens.
    pub strays: Vec<Statement>,
}

/// What a worker can ask of PostgreSQL, about what these events come down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    Upsert(Events),
    Touch(Events),
}

/// Whether a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Up,
    Stopping,
    Down,
}

/// One service: its journal's file, and what its process remembers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Service {
    pub phase: Phase,
    pub disk: Disk,
    /// Every event that it answered 200, in its whole history.
    pub acknowledged: Events,
    /// Every event that a reader of its journal could see, but for those that only a journal without
    /// power had, and nobody was promised.
    pub journalled: Events,
    pub memory: Memory,
}

/// What ends with the process.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Memory {
    /// Deliveries that wait for the writer.
    pub requests: Vec<u8>,
    /// Deliveries in the transaction that waits for its sync.
    pub group: Option<Events>,
    /// Deliveries whose 200 is on its way.
    pub answers: Events,
    /// A sync has failed.
    pub failed: bool,
    pub next_position: Position,
    /// The feeder has handed over everything up to here.
    pub fed: Position,
    /// Everything up to here is done.
    pub through: Position,
    /// Done beyond a gap, one bit per position.
    pub beyond: u16,
    /// What the present transaction deletes up to.
    pub forgetting: Position,
    /// Everything up to here is deleted.
    pub forgotten: Position,
    pub workers: Vec<Worker>,
}

/// One worker.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Worker {
    /// Handed to it, not yet gathered.
    pub inbox: Vec<Entry>,
    /// Positions of its batch, one bit each.
    pub positions: u16,
    /// The batch, whole or halved; the first piece is the one that is being stored.
    pub pieces: Vec<Events>,
    /// Those of the first piece whose calls did not win: the touch is still to come.
    pub lost: Events,
}

impl State {
    /// Before anything happened.
    pub fn new(bounds: &Bounds, calls: &Calls) -> Self {
        let service = Service {
            phase: Phase::Down,
            disk: Disk::default(),
            acknowledged: 0,
            journalled: 0,
            memory: Memory::default(),
        };
        let mut services = vec![service; bounds.services];
        for service in &mut services {
            service.phase = Phase::Up;
            service.memory = Memory::after(&service.disk, bounds.workers);
        }
        let database = Database {
            up: true,
            rows: calls.calls().map(|_| NO_ROW).collect(),
            dead_letters: 0,
            strays: Vec::new(),
        };
        let sends = bounds.events.iter().map(|(_, sends)| *sends).collect();
        Self { services, database, sends, chances: bounds.chances }
    }
}

impl Service {
    /// What a reader of the journal sees now.
    pub fn readable(&self) -> Events {
        self.disk.readable().iter().fold(0, |set, (_, event)| set | bit(*event))
    }

    /// The process is gone, and all that it remembered.
    pub fn ends(&mut self) {
        self.phase = Phase::Down;
        self.memory = Memory::default();
    }
}

impl Memory {
    /// What a process knows that has just opened this journal.
    pub fn after(disk: &Disk, workers: u8) -> Self {
        let entries = disk.readable();
        let forgotten = entries.first().map_or(0, |(first, _)| first - 1);
        Self {
            next_position: entries.last().map_or(0, |(last, _)| *last) + 1,
            fed: forgotten,
            through: forgotten,
            forgetting: forgotten,
            forgotten,
            workers: (0..workers).map(|_| Worker::default()).collect(),
            ..Self::default()
        }
    }

    /// Entries between the journal and the done marks.
    pub fn load(&self) -> usize {
        let of = |worker: &Worker| worker.inbox.len() + worker.positions.count_ones() as usize;
        self.workers.iter().map(of).sum()
    }

    /// Nothing waits for the writer, and nobody for an answer.
    pub fn is_answered(&self) -> bool {
        self.requests.is_empty() && self.group.is_none() && self.answers == 0
    }
}
