//! Events once more: what a worker does with a batch, without a queue around it.
//!
//! In: the bytes of events and when they came. Out: per event what became of it.
//! Promises: decoder, reduction and statements are those of the workers; an event that can't be read is
//! reported and not buried a second time; one that PostgreSQL refuses is found by halving and harms no
//! other; a database that is away is tried a few times, for a few seconds.

use super::Archive;
use super::backoff::Backoff;
use super::once::store_once;
use super::reduce::reduce;
use crate::decode::{Meaning, Undecodable, decode};
use crate::journal::Entry;
use crate::store::{Session, StoreError, Trouble};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use std::ops::Range;

/// A person waits; a deadlock with a worker or a reconnect is over by then.
const TRIES: u32 = 5;

/// An event that was received before.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// The event, byte for byte.
    pub(crate) raw: Bytes,
    /// When it was first received.
    pub(crate) first_received: DateTime<Utc>,
    /// When it was last received.
    pub(crate) last_received: DateTime<Utc>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is in its table.
    Stored,
    /// It is in its table with U+FFFD for what PostgreSQL can't hold; a letter keeps its bytes.
    Sanitised,
    /// It still can't be read. Nothing was written.
    Unreadable(Undecodable),
    /// PostgreSQL still refuses it. Nothing was written.
    Refused(StoreError),
}

/// Reads an event as a worker would.
pub(crate) fn read(event: &Event) -> Outcome {
    let decoded = decode(&event.raw, event.last_received);
    match (decoded.meaning, decoded.sanitised) {
        (Meaning::Undecodable(trouble), _) => Outcome::Unreadable(trouble),
        (_, true) => Outcome::Sanitised,
        (_, false) => Outcome::Stored,
    }
}

/// Reads and stores `events`; an outcome each, in their order.
///
/// # Errors
/// The database is away. Some of the events may be in; storing them again does no harm.
pub(crate) async fn store(
    session: &mut Session,
    events: &[Event],
) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes: Vec<Outcome> = events.iter().map(read).collect();
    let unreadable = |outcome: &Outcome| matches!(outcome, Outcome::Unreadable(_));
    let readable: Vec<usize> =
        (0..events.len()).filter(|&index| !unreadable(&outcomes[index])).collect();
    let mut parts: Vec<Range<usize>> = std::iter::once(0..readable.len()).collect();
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let of_part = || readable[part.clone()].iter().map(|&index| &events[index]);
        let Err(refusal) = store_part(session, of_part()).await? else { continue };
        if part.len() == 1 {
            outcomes[readable[part.start]] = Outcome::Refused(refusal);
        } else {
            let middle = part.start + part.len() / 2;
            parts.extend([middle..part.end, part.start..middle]);
        }
    }
    Ok(outcomes)
}

/// The inner error is a refusal for content.
async fn store_part<'e>(
    session: &mut Session,
    events: impl Iterator<Item = &'e Event>,
) -> Result<Result<(), StoreError>, StoreError> {
    let reduced = reduce(
        events.flat_map(entries).map(|entry| {
            let decoded = decode(&entry.body, entry.received);
            (entry, decoded)
        }),
        Archive::Off,
    );
    let mut backoff = Backoff::default();
    loop {
        match store_once(session, &reduced).await {
            Ok(_) => return Ok(Ok(())),
            Err(refusal) if refusal.trouble == Trouble::Content => return Ok(Err(refusal)),
            Err(error) if backoff.failures() + 1 >= TRIES => return Err(error),
            Err(_) => tokio::time::sleep(backoff.next()).await,
        }
    }
}

/// The event as it was received last and first, so that merging gives the row both times. Last first:
/// of two with the same bytes `reduce` keeps the later one of the two, and a raw event knows when it
/// came first.
fn entries(event: &Event) -> impl Iterator<Item = Entry> {
    let entry = |received| Entry { position: 0, received, body: event.raw.clone() };
    let first = (event.first_received != event.last_received).then(|| entry(event.first_received));
    std::iter::once(entry(event.last_received)).chain(first)
}
