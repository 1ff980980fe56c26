//! One worker: gather a batch, reduce it, store it, say that it is done; again.
//!
//! In: events of its share of the calls. Out: rows. Promises: a position is marked done only when what
//! it held is committed; a batch is never given up for a reason that is not its content.

use super::backoff::Backoff;
use super::drift::Drift;
use super::once::store_once;
use super::reduce::{Letter, Reduced, archived, names, reduce};
use super::{Archive, Limits, Shared, digest};
use crate::decode;
use crate::failpoint;
use crate::journal::Entry;
use crate::queue::{Done, Queued};
use crate::store::{ArchivedEvent, Database, DeadLetter, Session, StoreError, Trouble, Upserted};
use crate::telemetry::metric::{Metrics, REFUSED};
use chrono::{DateTime, Utc};
use metrics::Histogram;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long the first event of a batch waits for company.
const LINGER: Duration = Duration::from_millis(15);

/// How long it waits in all where company came meanwhile: at 1,500 events a second that halves what PostgreSQL does
/// for each (docs/benchmarks.md), and nobody looks for the row of a call within a tenth of a second.
const BUSY_LINGER: Duration = Duration::from_millis(100);

/// So many events within [`LINGER`] are company: some 500 a second and worker.
const BUSY_EVENTS: usize = 8;

/// Said at the first failure, then every so many, so that an outage of hours is a page of log.
const SAY_EVERY: u32 = 20;

pub(super) struct Worker {
    work: mpsc::Receiver<Queued>,
    session: Session,
    batch_events: usize,
    archive: Archive,
    done: Arc<Done>,
    drift: Drift,
    shared: Shared,
}

/// The worker was told to give up; what it had waits in the journal.
struct GivenUp;

impl Worker {
    pub(super) fn new(
        work: mpsc::Receiver<Queued>,
        database: &Database,
        limits: Limits,
        done: Arc<Done>,
        drift: Drift,
        shared: Shared,
    ) -> Self {
        let session = Session::new(database);
        Self {
            work,
            session,
            batch_events: limits.batch_events,
            archive: limits.archive,
            done,
            drift,
            shared,
        }
    }

    pub(super) async fn run(mut self) {
        while let Some(batch) = self.gather().await {
            let started = Instant::now();
            let size = batch.len();
            let mut reduced = self.reduce(&batch);
            let unknown = std::mem::take(&mut reduced.unknown);
            if self.apply(&batch, reduced).await.is_err() {
                return;
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "a batch has a few thousand events at most"
            )]
            self.shared.metrics.batch_events.record(size as f64);
            self.shared.metrics.batch_duration.record(started.elapsed());
            self.drift.saw(unknown);
            self.done.mark(batch.iter().map(|queued| queued.entry.position));
        }
    }

    /// The next batch; `None` when there is no more work.
    async fn gather(&mut self) -> Option<Vec<Queued>> {
        let mut batch = vec![self.work.recv().await?];
        let started = tokio::time::Instant::now();
        let mut deadline = started + LINGER;
        while batch.len() < self.batch_events {
            match tokio::time::timeout_at(deadline, self.work.recv()).await {
                Ok(Some(queued)) => batch.push(queued),
                Err(_) if batch.len() >= BUSY_EVENTS && deadline < started + BUSY_LINGER => {
                    deadline = started + BUSY_LINGER;
                }
                Ok(None) | Err(_) => break,
            }
        }
        Some(batch)
    }

    /// Reads the events and reduces them as it goes, so that what loses against another of its call is gone at once.
    fn reduce(&self, queued: &[Queued]) -> Reduced {
        let events = queued.iter().map(|queued| {
            let entry = queued.entry.clone();
            let decoded = decode::decode(&entry.body, entry.received);
            (entry, decoded)
        });
        reduce(events, self.archive)
    }

    /// Stores `reduced`, which is what the entries of `queued` come down to. Refused for its content, it
    /// is halved and read again from the entries, until the event that causes it stands alone.
    async fn apply(&mut self, queued: &[Queued], reduced: Reduced) -> Result<(), GivenUp> {
        match self.store(&reduced).await? {
            Ok(upserted) => {
                self.count(&reduced, upserted);
                Ok(())
            }
            Err(refusal) if queued.len() == 1 => self.bury(&queued[0].entry, &refusal).await,
            Err(_) => {
                let (left, right) = queued.split_at(queued.len() / 2);
                for half in [left, right] {
                    Box::pin(self.apply(half, self.reduce(half))).await?;
                }
                Ok(())
            }
        }
    }

    /// Tries until it is in, or refused for its content.
    async fn store(&mut self, reduced: &Reduced) -> Result<Result<Upserted, StoreError>, GivenUp> {
        let mut backoff = Backoff::default();
        loop {
            failpoint::pass(failpoint::BEFORE_UPSERT);
            match store_once(&mut self.session, reduced).await {
                Ok(upserted) => {
                    failpoint::pass(failpoint::AFTER_UPSERT);
                    self.database_is_up();
                    return Ok(Ok(upserted));
                }
                Err(refusal) if refusal.trouble == Trouble::Content => {
                    self.database_is_up();
                    return Ok(Err(refusal));
                }
                Err(error) => self.wait(&error, &mut backoff).await?,
            }
        }
    }

    async fn bury(&mut self, entry: &Entry, refusal: &StoreError) -> Result<(), GivenUp> {
        let meaning = decode::decode(&entry.body, entry.received).meaning;
        let (event_id, event_type, call_sid) = names(&meaning);
        let letter = Letter {
            entry: entry.clone(),
            reason: REFUSED,
            detail: refusal.to_string(),
            event_id,
            event_type,
            call_sid,
        };
        let archived: Vec<ArchivedEvent> = match self.archive {
            Archive::On => vec![archived(entry, &meaning)],
            Archive::Off => Vec::new(),
        };
        let mut backoff = Backoff::default();
        loop {
            let letter = letter.as_dead_letter(refusal.sqlstate.as_deref());
            match self.insert_letter(&letter, &archived).await {
                Ok(()) => break,
                Err(error) => self.wait(&error, &mut backoff).await?,
            }
        }
        tracing::warn!(
            sqlstate = refusal.sqlstate,
            "PostgreSQL refused an event; it is kept in callsink.dead_letters"
        );
        self.shared.metrics.outcome_dead.increment(1);
        self.shared.metrics.count_dead_letter(REFUSED);
        Ok(())
    }

    /// Unless it is of a call that is to be forgotten.
    async fn insert_letter(
        &mut self,
        letter: &DeadLetter<'_>,
        archived: &[ArchivedEvent],
    ) -> Result<(), StoreError> {
        self.session.insert_dead_letter(letter).await?;
        self.session.insert_archive(archived).await?;
        let sids: Vec<&str> = letter.call_sid.into_iter().collect();
        let erased = self.session.erase_again(&sids, &[digest(letter.raw)]).await?;
        match archived.first() {
            Some(event) if !erased.is_empty() => {
                self.session.delete_archived(&erased, [event.received; 2]).await
            }
            _ => Ok(()),
        }
    }

    /// Waits before the next try, or gives up when told to.
    async fn wait(&mut self, error: &StoreError, backoff: &mut Backoff) -> Result<(), GivenUp> {
        self.shared.health.database_is_down(&error.message);
        self.shared.metrics.database_up.set(0.0);
        self.shared.metrics.store_retries.increment(1);
        if backoff.failures().is_multiple_of(SAY_EVERY) {
            tracing::warn!(
                %error,
                sqlstate = error.sqlstate,
                failures = backoff.failures() + 1,
                "PostgreSQL does not take events in; they wait in the journal and are tried again"
            );
        }
        let give_up = self.shared.give_up.clone();
        let waited = give_up.run_until_cancelled(tokio::time::sleep(backoff.next())).await;
        waited.ok_or(GivenUp)
    }

    fn database_is_up(&self) {
        if self.shared.health.database_is_up() {
            tracing::info!("PostgreSQL takes events in");
        }
        self.shared.metrics.database_up.set(1.0);
    }

    fn count(&self, reduced: &Reduced, upserted: Upserted) {
        let metrics = &self.shared.metrics;
        metrics.outcome_applied.increment(upserted.won as u64);
        metrics.outcome_stale.increment(upserted.lost as u64);
        metrics.outcome_reduced.increment((reduced.summaries - reduced.calls.len()) as u64);
        metrics.outcome_raw.increment(reduced.others as u64);
        metrics.unreadable_fields.increment(reduced.unreadable_fields as u64);
        for letter in &reduced.letters {
            metrics.count_dead_letter(letter.reason);
            if letter.is_all_there_is() {
                metrics.outcome_dead.increment(1);
                tracing::warn!(
                    reason = letter.reason,
                    detail = letter.detail,
                    "an event could not be read; it is kept in callsink.dead_letters"
                );
            }
        }
        let now = Utc::now();
        for call in &reduced.calls {
            record(&metrics.received_to_row, now, call.received.last);
            if let Some(time) = call.winner.key.time {
                record(&metrics.event_to_row, now, time);
            }
        }
    }
}

impl Metrics {
    fn count_dead_letter(&self, reason: &str) {
        if let Some(counter) = self.dead_letters.get(reason) {
            counter.increment(1);
        }
    }
}

/// Seconds from `then` to `now`; a clock that is behind Twilio's counts as no time.
fn record(histogram: &Histogram, now: DateTime<Utc>, then: DateTime<Utc>) {
    histogram.record((now - then).to_std().unwrap_or_default());
}
