//! The one thread that writes: drain what waits, one transaction, answer everyone.
//!
//! In: commands. Out: answers, after the sync. No timer is needed to form groups: while one
//! transaction syncs, the next group gathers in the channel.
//! Promises: whoever is in a group gets the same answer as its commit. Deleting rides along with
//! appending, so that it costs no sync of its own under load.

use super::checkpoint::Checkpoint;
use super::checksum::{checksum, is_damage};
use super::{AppendError, AppendReply, Command, Shared};
use crate::failpoint;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// A group ends here even if more waits: it bounds the memory of a transaction.
const MAX_GROUP_BYTES: usize = 16 << 20;

/// What a row costs beside its body: cell header, position, time.
const ROW_OVERHEAD_BYTES: u64 = 64;

/// An emptied file larger than this is given back to the file system.
const SHRINK_ABOVE_BYTES: u64 = 256 << 20;

const INSERT: &str = include_str!("sql/insert_entry.sql");
const PROBE: &str = include_str!("sql/probe.sql");
const DELETE: &str = include_str!("sql/delete_entries.sql");

pub(super) struct Writer {
    /// First, so that its connection is closed before the other one.
    pub(super) checkpoint: Checkpoint,
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) next_position: u64,
    pub(super) page_size: u64,
}

struct Append {
    bodies: Vec<Bytes>,
    received: DateTime<Utc>,
    reply: oneshot::Sender<AppendReply>,
}

impl Writer {
    /// Runs until every handle is gone.
    pub(super) fn run(mut self) {
        while let Some(first) = self.commands.blocking_recv() {
            let group = self.gather(first);
            self.commit(group);
        }
        // What the last group left to delete would only be applied again; deleting it is a courtesy.
        self.commit(Vec::new());
        if self.failed().is_some() {
            // Else closing would move the log, and remove it; after a failed sync that is for the next start to do.
            let config = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            drop(self.connection.set_db_config(config, true));
        }
    }

    fn gather(&mut self, first: Command) -> Vec<Append> {
        let mut group = Vec::new();
        let mut bytes = 0;
        let mut command = Some(first);
        while let Some(next) = command {
            match next {
                Command::Append { bodies, received, reply } => {
                    bytes += bodies.iter().map(Bytes::len).sum::<usize>();
                    group.push(Append { bodies, received, reply });
                }
                Command::Probe { reply } => drop(reply.send(self.probe())),
                Command::Wake => {}
            }
            command = if bytes < MAX_GROUP_BYTES { self.commands.try_recv().ok() } else { None };
        }
        group
    }

    fn commit(&mut self, group: Vec<Append>) {
        if let Some(failed) = self.failed() {
            for append in group {
                drop(append.reply.send(Err(failed.clone())));
            }
            return;
        }
        let (group, refused) = self.within_limit(group);
        for append in refused {
            let error = AppendError::Full {
                bytes: self.shared.bytes.load(Ordering::Acquire),
                limit: self.shared.max_bytes,
            };
            self.note(Some(error.clone()));
            // Nobody waits any more when the client has hung up.
            drop(append.reply.send(Err(error)));
        }
        let forget = self.shared.forget_through.load(Ordering::Acquire);
        let nothing_to_forget = forget <= self.shared.forgotten.load(Ordering::Acquire);
        if group.is_empty() && nothing_to_forget {
            return;
        }
        let written = self.write(&group, forget);
        let result = written.map_err(|error| self.shared.meaning_of(&error));
        match &result {
            Ok(next_position) => {
                self.next_position = *next_position;
                self.shared.forgotten.fetch_max(forget, Ordering::AcqRel);
                if !group.is_empty() {
                    self.note(None);
                }
            }
            Err(error) => {
                tracing::error!(%error, "the journal refused a write; deliveries are answered 503");
                self.note(Some(error.clone()));
            }
        }
        self.measure();
        self.shared.committed.send_replace(self.next_position - 1);
        let answer = result.map(|_| ());
        for append in group {
            drop(append.reply.send(answer.clone()));
        }
        self.checkpoint();
        self.shrink();
    }

    /// A few pages through the WAL and to the disk.
    fn probe(&self) -> AppendReply {
        if let Some(failed) = self.failed() {
            return Err(failed);
        }
        let bytes = self.shared.bytes.load(Ordering::Acquire);
        let limit = self.shared.max_bytes;
        let result = if bytes >= limit {
            Err(AppendError::Full { bytes, limit })
        } else {
            self.connection.execute_batch(PROBE).map_err(|error| classify(&error))
        };
        self.note(result.clone().err());
        result
    }

    /// Splits off what would pass the size limit.
    fn within_limit(&self, group: Vec<Append>) -> (Vec<Append>, Vec<Append>) {
        let mut bytes = self.shared.bytes.load(Ordering::Acquire);
        group.into_iter().partition(|append| {
            let size: u64 =
                append.bodies.iter().map(|body| body.len() as u64 + ROW_OVERHEAD_BYTES).sum();
            let fits = bytes + size <= self.shared.max_bytes;
            if fits {
                bytes += size;
            }
            fits
        })
    }

    /// One transaction; the position after the last entry.
    fn write(&mut self, group: &[Append], forget: u64) -> rusqlite::Result<u64> {
        // Dropping the transaction without a commit rolls it back.
        let transaction = self.connection.transaction()?;
        let mut position = self.next_position;
        let forgets;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            for append in group {
                let received = append.received.timestamp_micros();
                for body in &append.bodies {
                    let checksum = checksum(position, received, body);
                    insert.execute((position.cast_signed(), received, &body[..], checksum))?;
                    position += 1;
                }
            }
            let deleted = transaction.prepare_cached(DELETE)?.execute([forget.cast_signed()])?;
            forgets = deleted > 0;
        }
        if forgets {
            failpoint::pass(failpoint::FORGETTING);
        }
        transaction.commit()?;
        failpoint::pass(if forgets { failpoint::FORGOTTEN } else { failpoint::SYNCED });
        Ok(position)
    }

    pub(super) fn measure(&self) {
        let pages = |pragma: &str| {
            let count = self.connection.prepare_cached(pragma)?.query_row((), |row| row.get(0));
            count.map(|count: i64| count.max(0).cast_unsigned())
        };
        if let (Ok(all), Ok(free)) = (pages("PRAGMA page_count"), pages("PRAGMA freelist_count")) {
            self.shared.bytes.store((all - free.min(all)) * self.page_size, Ordering::Release);
        }
    }

    /// After a long outage the file is as large as the backlog was; once it is empty, that's given back.
    fn shrink(&self) {
        if self.failed().is_some() {
            return;
        }
        let empty = self.shared.forgotten.load(Ordering::Acquire) + 1 >= self.next_position;
        if !empty || self.shared.bytes.load(Ordering::Acquire) > SHRINK_ABOVE_BYTES / 16 {
            return;
        }
        let pages: i64 =
            self.connection.query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap_or(0);
        if pages.max(0).cast_unsigned() * self.page_size > SHRINK_ABOVE_BYTES {
            let shrunk = self.connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
            if let Err(error) = shrunk {
                tracing::warn!(%error, "the emptied journal could not be shrunk");
                self.note(Some(classify(&error)));
            }
        }
    }

    /// Everybody has been answered: what is done here only the next group waits for.
    fn checkpoint(&mut self) {
        if self.failed().is_none()
            && let Err(error) = self.checkpoint.go_on(&self.connection)
        {
            self.shared.log_stays(self.shared.meaning_of(&error));
        }
    }

    fn note(&self, trouble: Option<AppendError>) {
        self.shared.note(trouble);
    }

    fn failed(&self) -> Option<AppendError> {
        let trouble = self.shared.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone().filter(|trouble| matches!(trouble, AppendError::Failed(_)))
    }
}

/// Which errors leave the file in doubt. After a failed sync the kernel may have dropped the pages and
/// call the next sync a success, so the file is not written again. A full or read-only disk rolls back
/// cleanly.
pub(super) fn classify(error: &rusqlite::Error) -> AppendError {
    let text = error.to_string();
    let sync_failed = error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC | ffi::SQLITE_IOERR_CLOSE
        )
    });
    if sync_failed || is_damage(error) {
        AppendError::Failed(text)
    } else {
        AppendError::Disk(text)
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod writer_tests;
