//! Somebody looks at a dashboard while events come in.
//!
//! In: a pool. Out: queries over the last day and the last bad calls, one after the other, anew every five
//! seconds, as a dashboard's refresh does. Promises: one connection.

use anyhow::Result;
use sqlx::PgPool;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The shortest refresh that Grafana allows by default.
const REFRESH: Duration = Duration::from_secs(5);

const QUERIES: &[&str] = &[
    "SELECT date_trunc('hour', start_time), count(*) FROM public.call_summaries
     WHERE start_time > now() - interval '1 day' GROUP BY 1 ORDER BY 1",
    "SELECT call_state, count(*) FROM public.call_summaries
     WHERE start_time > now() - interval '1 day' GROUP BY 1",
    "SELECT date_trunc('hour', start_time), e.edge, e.direction,
            percentile_cont(0.95) WITHIN GROUP (ORDER BY e.jitter_avg)
     FROM public.call_summaries, unnest(edges) AS e
     WHERE start_time > now() - interval '6 hours' GROUP BY 1, 2, 3",
    "SELECT call_sid, start_time, tags FROM public.call_summaries
     WHERE start_time > now() - interval '1 day' AND tags <> '{}' ORDER BY start_time DESC LIMIT 100",
];

/// Runs until it is stopped.
pub struct Dashboard {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<usize>>,
}

impl Dashboard {
    /// Begins at once.
    pub fn start(pool: PgPool) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut connection = pool.acquire().await?;
            let mut refreshes = 0;
            let mut ticks = tokio::time::interval(REFRESH);
            while !stopped.load(Ordering::Relaxed) {
                ticks.tick().await;
                for query in QUERIES {
                    sqlx::query(*query).fetch_all(&mut *connection).await?;
                }
                refreshes += 1;
            }
            Ok(refreshes)
        });
        Self { stop, task }
    }

    /// How many times everything was asked.
    pub async fn stop(self) -> Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
