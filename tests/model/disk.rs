//! The journal's file as a crash leaves it: what is on the disk, and what only the page cache has.
//!
//! In: transactions, syncs that succeed or fail, crashes. Out: the entries that can be read.
//! After a failed sync the pages count as clean, as Linux has it: they can be read, but no later sync
//! writes them, and without them what comes after in the log can't be reached. In one thing the disk is
//! meaner than SQLite's: a process that writes on does not write over what has failed, but behind it.

use super::calls::{Events, bit};

/// A place in the journal.
pub type Position = u8;

/// A position and the event there.
pub type Entry = (Position, u8);

/// One transaction in the log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// Entries that it adds.
    pub added: Vec<Entry>,
    /// It deletes everything up to here.
    pub forget: Position,
    pub place: Place,
    /// Committed in the eyes of SQLite, so that readers see it.
    pub visible: bool,
}

/// Where a transaction's pages are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the page cache; the next sync writes them.
    Cache,
    /// In the page cache only, and no sync will ever write them: one has failed.
    Stranded,
    /// On the disk.
    Disk,
}

/// The file and its log.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Disk {
    /// On the disk, and nothing that is not stands before it.
    safe: Vec<Entry>,
    /// What the log has beyond.
    log: Vec<Transaction>,
}

impl Disk {
    /// One transaction into the page cache.
    pub fn write(&mut self, added: Vec<Entry>, forget: Position) {
        self.log.push(Transaction { added, forget, place: Place::Cache, visible: false });
    }

    /// Syncs, and so commits what was written.
    pub fn sync(&mut self) {
        for transaction in &mut self.log {
            if transaction.place == Place::Cache {
                transaction.place = Place::Disk;
                transaction.visible = true;
            }
        }
        self.settle();
    }

    /// Tries to.
    pub fn sync_fails(&mut self) {
        for transaction in &mut self.log {
            if transaction.place == Place::Cache {
                transaction.place = Place::Stranded;
            }
        }
    }

    /// Everything not on the disk is gone, and what stands behind it in the log can't be reached.
    pub fn power_fails(&mut self) {
        self.settle();
        self.log.clear();
    }

    /// Opens the file after a crash: SQLite takes all whole transactions of the log for committed.
    pub fn recover(&mut self) {
        for transaction in &mut self.log {
            transaction.visible = true;
        }
    }

    /// Writes what the log has into the file, syncs that and empties the log.
    pub fn checkpoint(&mut self) {
        self.safe = self.readable();
        self.log.clear();
    }

    /// What a reader sees, in order.
    pub fn readable(&self) -> Vec<Entry> {
        let visible = self.log.iter().filter(|transaction| transaction.visible);
        visible.fold(self.safe.clone(), apply)
    }

    /// The events that a power failure leaves.
    pub fn durable(&self) -> Events {
        self.safe.iter().fold(0, |set, (_, event)| set | bit(*event))
    }

    fn settle(&mut self) {
        while self.log.first().is_some_and(|transaction| transaction.place == Place::Disk) {
            let transaction = self.log.remove(0);
            self.safe = apply(std::mem::take(&mut self.safe), &transaction);
        }
    }
}

fn apply(mut entries: Vec<Entry>, transaction: &Transaction) -> Vec<Entry> {
    entries.extend(&transaction.added);
    entries.retain(|(position, _)| *position > transaction.forget);
    entries
}
