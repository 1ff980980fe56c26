//! Fields that Twilio sends and no column holds, counted on the way and written seldom.
//!
//! In: what workers passed over, batch by batch. Out: rows of `callsink.unknown_fields`; one warning and
//! one count per field that nobody had seen before.
//! Promises: workers never wait for it; a new field is written at once, counts of known ones once a minute
//! and at the end; memory and table are bounded. Counts are approximate: a crash loses those of the last
//! minute, a replay after it counts its events again, and under pressure a batch may go uncounted.
//! That a field is there is not lost: the next event that carries it says so again.

use super::Shared;
use crate::decode::unknown::UnknownField;
use crate::store::{Database, MOST_UNKNOWN_FIELDS, SeenField, Session};
use crate::telemetry::metric::Metrics;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Batches that may wait to be counted.
const WAITING: usize = 256;

/// Between writings of counts of fields that are in the table already.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// A field of one schema version.
pub(super) type Field = (UnknownField, Option<i32>);

/// How often it was seen, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sightings {
    pub(super) first: DateTime<Utc>,
    pub(super) last: DateTime<Utc>,
    pub(super) count: u64,
}

/// What a batch held.
pub(super) type Seen = HashMap<Field, Sightings>;

/// Adds sightings of one field.
pub(super) fn add(seen: &mut Seen, field: Field, sightings: Sightings) {
    seen.entry(field)
        .and_modify(|known| {
            known.first = known.first.min(sightings.first);
            known.last = known.last.max(sightings.last);
            known.count += sightings.count;
        })
        .or_insert(sightings);
}

/// Where workers tell what they saw.
#[derive(Debug, Clone)]
pub(super) struct Drift(mpsc::Sender<Seen>);

impl Drift {
    /// Never waits: an uncounted batch is better than a late one.
    pub(super) fn saw(&self, seen: Seen) {
        if !seen.is_empty() {
            drop(self.0.try_send(seen));
        }
    }
}

/// The telling end, and the keeper, which ends when nobody tells any more.
pub(super) fn start(
    database: &Database,
    shared: &Shared,
) -> (Drift, impl Future<Output = ()> + use<>) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let keeper = Keeper {
        database: database.clone(),
        metrics: Arc::clone(&shared.metrics),
        give_up: shared.give_up.clone(),
        pending: Seen::new(),
        written: HashSet::new(),
        is_full: false,
    };
    (Drift(sender), keeper.run(receiver))
}

struct Keeper {
    database: Database,
    metrics: Arc<Metrics>,
    /// The database is away at the end: nobody waits for it.
    give_up: CancellationToken,
    pending: Seen,
    /// Fields that the table has.
    written: HashSet<Field>,
    is_full: bool,
}

impl Keeper {
    async fn run(mut self, mut receiver: mpsc::Receiver<Seen>) {
        let mut ticks = tokio::time::interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                seen = receiver.recv() => match seen {
                    None => break,
                    Some(seen) => if self.gather(seen) { self.write().await },
                },
                _ = ticks.tick() => self.write().await,
            }
        }
        let give_up = self.give_up.clone();
        give_up.run_until_cancelled(self.write()).await;
    }

    /// Whether there is a field among them that the table may not have.
    fn gather(&mut self, seen: Seen) -> bool {
        let mut is_new = false;
        for (field, sightings) in seen {
            let is_known = self.written.contains(&field) || self.pending.contains_key(&field);
            if !is_known {
                if self.written.len() + self.pending.len() >= MOST_UNKNOWN_FIELDS {
                    self.say_full();
                    continue;
                }
                is_new = true;
            }
            add(&mut self.pending, field, sightings);
        }
        is_new
    }

    /// Writes what is pending; what can't be written now waits for the next minute.
    async fn write(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let fields: Vec<SeenField<'_>> = self
            .pending
            .iter()
            .map(|((field, schema_version), sightings)| SeenField {
                path: &field.path,
                json_type: field.json_type,
                schema_version: *schema_version,
                first_seen: sightings.first,
                last_seen: sightings.last,
                occurrences: sightings.count,
            })
            .collect();
        // A connection once a minute costs nothing, one that idles is one that somebody else can't have.
        let mut session = Session::new(&self.database);
        let new = match session.add_unknown_fields(&fields).await {
            Ok(new) => new,
            Err(error) => {
                tracing::debug!(%error, "unknown fields could not be counted; trying again");
                return;
            }
        };
        for (path, schema_version) in new {
            self.metrics.unknown_fields.increment(1);
            tracing::warn!(
                path,
                schema_version,
                "Twilio sends a field that callsink has no column for; it is in the payload, and counted in \
                 callsink.unknown_fields"
            );
        }
        self.written.extend(self.pending.drain().map(|(field, _)| field));
    }

    fn say_full(&mut self) {
        if !std::mem::replace(&mut self.is_full, true) {
            tracing::warn!(
                fields = MOST_UNKNOWN_FIELDS,
                "so many unknown fields were seen that no more are noted; see callsink.unknown_fields"
            );
        }
    }
}
