//! Keeps the key figures up to date, beside the workers.
//!
//! In: how often, and how many events wait. Out: rollups that fit the calls, metrics. Promises: shares neither a
//! connection nor a task with the path of events, and leaves PostgreSQL to them while many wait; of all replicas
//! one computes at a time; an hour is computed once a round, however often its calls change meanwhile, so that
//! between two rounds there is a rest; what it does not get done, or what fails, stays marked and is done the next
//! time. Must not know what a key figure is: that is `store`'s.

use crate::store::{Database, Session};
use crate::telemetry::metric::Metrics;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hours in one transaction: those of a day share the work of summing the day up; and a failure costs little to do again.
const HOURS_AT_ONCE: u32 = 6;

/// While more events wait than this, PostgreSQL is theirs: the hours that they change would be computed again anyway,
/// and computing took more of PostgreSQL than taking in. Without a backlog up to a thousand or two are under way.
const BACKLOG_EVENTS: u64 = 5_000;

/// So many turns are given up for a backlog at most, so that figures don't stand still however long it lasts.
const PATIENCE_TURNS: u32 = 10;

/// How often a backlog is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Runs for ever; to be dropped when the service stops. `backlog`: how many events wait.
pub async fn run(
    every: Duration,
    backlog: impl Fn() -> u64,
    database: Database,
    metrics: Arc<Metrics>,
) {
    let mut session = Session::new(&database);
    let mut failing = false;
    loop {
        let_events_pass(every, &backlog).await;
        let started = Instant::now();
        let refreshed = refresh_all(&mut session, &metrics).await;
        match &refreshed {
            Ok(0) => {}
            Ok(hours) => {
                metrics.kpi_refresh_duration.record(started.elapsed());
                tracing::debug!(hours, "key figures are up to date");
            }
            // Said once: the workers speak of a database that is away, too.
            Err(error) if !failing => {
                tracing::warn!(%error, "key figures could not be computed; it is tried again");
            }
            Err(_) => {}
        }
        failing = refreshed.is_err();
        if let Ok(overdue) = session.count_overdue_partial_calls().await {
            #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
            metrics.overdue_partial_calls.set(overdue as f64);
        }
        tokio::time::sleep(rest(every, started.elapsed())).await;
    }
}

/// Waits while there is a backlog, unless it lasts too long.
async fn let_events_pass(every: Duration, backlog: &impl Fn() -> u64) {
    let since = Instant::now();
    while backlog() > BACKLOG_EVENTS && since.elapsed() < every * PATIENCE_TURNS {
        tokio::time::sleep(LOOK_EVERY.min(every)).await;
    }
}

/// Rounds begin as often as wanted, but after each there is a rest as long as its work took, or of one turn: an
/// hour of very many calls then takes half of a core and not all of it.
fn rest(every: Duration, worked: Duration) -> Duration {
    every.saturating_sub(worked).max(worked.min(every))
}

/// The newest hours first, each once, until no other is marked; how many it were. The hour that runs is marked again
/// while it is computed: without "once", a busy service would compute it without end.
async fn refresh_all(
    session: &mut Session,
    metrics: &Metrics,
) -> Result<usize, crate::store::StoreError> {
    let mut done = BTreeSet::new();
    loop {
        let hours = session.refresh_kpis_once(HOURS_AT_ONCE, &mut done).await?;
        if hours == 0 {
            return Ok(done.len());
        }
        metrics.kpi_hours_refreshed.increment(hours as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn figures_wait_until_a_backlog_is_in() {
        let left = std::cell::Cell::new(BACKLOG_EVENTS + 3);
        let backlog = || {
            left.set(left.get() - 1);
            left.get()
        };
        let_events_pass(LOOK_EVERY, &backlog).await;
        assert_eq!(left.get(), BACKLOG_EVENTS, "looked at again until it was in");
    }

    #[tokio::test]
    async fn however_long_a_backlog_lasts_figures_are_computed_some_time() {
        let_events_pass(Duration::from_millis(1), &|| u64::MAX).await;
    }

    #[test]
    fn rounds_begin_on_time_and_long_ones_are_followed_by_a_rest() {
        let minute = Duration::from_secs(60);
        for (worked, rests) in [(0, 60), (10, 50), (30, 30), (45, 45), (60, 60), (1200, 60)] {
            assert_eq!(rest(minute, Duration::from_secs(worked)), Duration::from_secs(rests));
        }
    }
}
