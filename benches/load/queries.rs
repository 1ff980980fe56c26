//! Somebody looks at a dashboard while events come in.
//!
//! In: a pool. Out: panels of the dashboard that callsink ships, over the last day, one after the other, anew every
//! five seconds, as a dashboard's refresh does. Promises: one connection; Grafana's macros replaced as Grafana does,
//! with nothing left out by its filters.

use anyhow::{Context, Result, ensure};
use sqlx::{AssertSqlSafe, PgPool};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The shortest refresh that Grafana allows by default.
const REFRESH: Duration = Duration::from_secs(5);

const DASHBOARD: &str = include_str!("../../deploy/grafana/dashboards/call-quality.json");

/// Hourly figures, hourly percentiles, the largest rollup, and rows of calls.
const PANELS: [&str; 4] =
    ["ASR and NER", "Jitter, p95", "Why calls were not answered", "Last 100 bad calls"];

/// The statements of [`PANELS`].
fn panels() -> Result<Vec<String>> {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD)?;
    let all = dashboard["panels"].as_array().context("a dashboard has panels")?;
    let panel = |title: &str| {
        let panel = all.iter().find(|panel| panel["title"] == title);
        let sql = panel.and_then(|panel| panel["targets"][0]["rawSql"].as_str());
        let mut sql = sql.with_context(|| format!("there is no panel {title}"))?.to_owned();
        for (from, to) in [
            ("$__timeFrom()", "(now() - interval '1 day')"),
            ("$__timeTo()", "now()"),
            ("$__timeFilter(hour)", "hour BETWEEN now() - interval '1 day' AND now()"),
            ("$__timeFilter(start_time)", "start_time BETWEEN now() - interval '1 day' AND now()"),
            ("$__interval", "1 hour"),
        ] {
            sql = sql.replace(from, to);
        }
        for variable in ["account", "direction", "country", "carrier"] {
            sql = sql.replace(&format!("IN (${{{variable}:sqlstring}})"), "IS NOT NULL");
        }
        ensure!(!sql.contains('$'), "a macro is left in {sql}");
        Ok(sql)
    };
    PANELS.into_iter().map(panel).collect()
}

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
            let panels = panels()?;
            let mut refreshes = 0;
            let mut ticks = tokio::time::interval(REFRESH);
            while !stopped.load(Ordering::Relaxed) {
                ticks.tick().await;
                for panel in &panels {
                    let panel = AssertSqlSafe(panel.clone());
                    sqlx::query(panel).fetch_all(&mut *connection).await?;
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
