//! The reconciliation that `serve` does by itself, once a day.
//!
//! In: the accounts, how often, how far back. Out: coverage by hour, rows where healing is on, metrics.
//! Promises: of all replicas one runs, and a run that went well counts for all of them; what was never
//! checked while it was final is checked before Twilio forgets it; no failure of it touches the path of
//! events, with which it shares neither a connection nor a task.

use super::check::{Carry, Mode};
use super::source::Summaries;
use super::sweep::{Sweep, SweepError};
use super::window::{KEPT, SETTLED, Window};
use crate::store::{Database, ReconcileLock, Reconciled, Session, StoreError};
use crate::telemetry::metric::Metrics;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often a replica looks whether a run is due, at most: another one may have died in it.
const LOOK_EVERY: Duration = Duration::from_secs(600);

/// What to do, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Count only, or bring in as well.
    pub mode: Mode,
    /// From the beginning of a run to that of the next.
    pub every: Duration,
    /// Hours that are checked again in every run, whatever was found before.
    pub days: u16,
}

/// Why a run did not reach its end.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Sweep(#[from] SweepError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the connection that held the lock is gone")]
    LockLost,
}

/// Runs for ever; to be dropped when the service stops. What a run has checked until then is recorded.
pub async fn run<S: Summaries>(
    schedule: Schedule,
    database: Database,
    sources: Vec<S>,
    metrics: Arc<Metrics>,
) {
    let mut session = Session::new(&database);
    // Up to an hour of a day: replicas and accounts don't all ask Twilio at the same moment.
    let jitter = (schedule.every / 24).mul_f64(fastrand::f64());
    let mut wait = jitter;
    loop {
        tokio::time::sleep(wait).await;
        wait = (schedule.every / 24).min(LOOK_EVERY);
        let looked =
            run_if_due(schedule, &database, &mut session, &sources, jitter, &metrics).await;
        if let Err(error) = looked {
            metrics.reconcile_failures.increment(1);
            tracing::warn!(%error, "reconciliation could not run; it is tried again");
        }
    }
}

async fn run_if_due<S: Summaries>(
    schedule: Schedule,
    database: &Database,
    session: &mut Session,
    sources: &[S],
    jitter: Duration,
    metrics: &Metrics,
) -> Result<(), StoreError> {
    if !is_due(schedule, session, jitter).await? {
        return Ok(());
    }
    let Some(mut lock) = ReconcileLock::take(database).await? else { return Ok(()) };
    // Another replica may have come to its end between the look and the lock.
    if !is_due(schedule, session, jitter).await? {
        return Ok(());
    }
    let started = Utc::now();
    let mode = if schedule.mode == Mode::Heal { "heal" } else { "report" };
    session.begin_reconciliation(started, mode).await?;
    let mut reconciled = Reconciled::default();
    let ended = reconcile(schedule, session, sources, &mut lock, &mut reconciled, metrics).await;
    let error = ended.as_ref().err().map(ToString::to_string);
    session.finish_reconciliation(started, Utc::now(), reconciled, error.as_deref()).await?;
    let Reconciled { windows, missing, healed } = reconciled;
    let Some(error) = error else {
        #[expect(clippy::cast_precision_loss, reason = "a time in seconds, and a count of calls")]
        {
            metrics.reconcile_missing.set((missing - healed) as f64);
            metrics.reconcile_last_success.set(started.timestamp() as f64);
        }
        tracing::info!(mode, windows, missing, healed, "reconciled with what Twilio lists");
        return Ok(());
    };
    metrics.reconcile_failures.increment(1);
    tracing::warn!(
        %error, mode, windows, missing, healed,
        "reconciliation did not reach its end; it is tried again, and what it checked counts"
    );
    Ok(())
}

async fn is_due(
    schedule: Schedule,
    session: &mut Session,
    jitter: Duration,
) -> Result<bool, StoreError> {
    let last = session.last_reconciliation().await?;
    let span = TimeDelta::from_std(schedule.every + jitter).unwrap_or(TimeDelta::days(1));
    Ok(last.is_none_or(|last| last + span <= Utc::now()))
}

async fn reconcile<S: Summaries>(
    schedule: Schedule,
    session: &mut Session,
    sources: &[S],
    lock: &mut ReconcileLock,
    reconciled: &mut Reconciled,
    metrics: &Metrics,
) -> Result<(), RunError> {
    let sweep = Sweep { mode: schedule.mode, dry_run: false };
    for source in sources {
        let mut carry = Carry::default();
        for window in windows(schedule, session, source.account_sid(), Utc::now()).await? {
            if !lock.is_held().await {
                return Err(RunError::LockLost);
            }
            let tally = sweep.window(session, source, window, &mut carry).await?;
            reconciled.windows += 1;
            metrics.unknown_fields.increment(tally.new_fields);
            for hour in tally.hours.values() {
                reconciled.missing += hour.missing + hour.still_partial;
                reconciled.healed += hour.healed();
                metrics.reconcile_healed.increment(hour.healed());
            }
        }
    }
    Ok(())
}

/// Oldest first, which Twilio forgets first: what was never found whole, and the last days anyway.
async fn windows(
    schedule: Schedule,
    session: &mut Session,
    account_sid: &str,
    now: DateTime<Utc>,
) -> Result<BTreeSet<Window>, StoreError> {
    let (oldest, until) = (now - KEPT, now - SETTLED);
    let recent = Window::of(now - TimeDelta::days(i64::from(schedule.days)));
    let covered = session.covered_hours(account_sid, (oldest, until), SETTLED).await?;
    let is_due = |window: &Window| *window >= recent || !covered.contains(&window.start);
    Ok(Window::between(oldest, until).filter(is_due).collect())
}
