//! Keeps the key figures up to date, beside the workers.
//!
//! In: how often. Out: rollups that fit the calls, metrics. Promises: shares neither a connection nor a task with
//! the path of events; of all replicas one computes at a time; what it does not get done, or what
//! fails, stays marked and is done the next time. Must not know what a key figure is: that is `store`'s.

use crate::store::{Database, Session};
use crate::telemetry::metric::Metrics;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Hours in one transaction: those of a day share the work of summing the day up; and a failure costs little to do again.
const HOURS_AT_ONCE: u32 = 6;

/// Runs for ever; to be dropped when the service stops.
pub async fn run(every: Duration, database: Database, metrics: Arc<Metrics>) {
    let mut session = Session::new(&database);
    let mut failing = false;
    loop {
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
        tokio::time::sleep(every).await;
    }
}

/// The newest hours first, until none is marked; how many it were.
async fn refresh_all(
    session: &mut Session,
    metrics: &Metrics,
) -> Result<usize, crate::store::StoreError> {
    let mut all = 0;
    loop {
        let hours = session.refresh_kpis(HOURS_AT_ONCE).await?;
        if hours == 0 {
            return Ok(all);
        }
        metrics.kpi_hours_refreshed.increment(hours as u64);
        all += hours;
    }
}
