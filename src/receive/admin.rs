//! Health and metrics, on a listener of their own.
//!
//! `/livez`: the process runs; asks nothing of anybody, or an outage of the database would restart every
//! replica. `/readyz`: a delivery would be accepted now, or why not. `/metrics`: Prometheus.

use super::Context;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use std::time::Duration;

/// A probe is a write to the disk; a hung disk must not hang the answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

pub(super) async fn readyz(context: web::Data<Context>) -> HttpResponse {
    let mut status = context.journal.status();
    if status.trouble.is_some() {
        // Whether it still is trouble only a write can tell, and nobody may be sending.
        drop(tokio::time::timeout(PROBE_TIMEOUT, context.journal.probe()).await);
        status = context.journal.status();
    }
    let report = context.health.report(&status);
    let mut builder =
        if report.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    builder.json(report)
}

pub(super) async fn metrics(context: web::Data<Context>) -> HttpResponse {
    let status = context.journal.status();
    let metrics = &context.metrics;
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; these are far below 2^53")]
    {
        metrics.journal_depth.set(status.depth as f64);
        metrics.journal_bytes.set(status.bytes as f64);
        metrics.journal_max_bytes.set(status.max_bytes as f64);
        let age = status.oldest.map_or(0, |oldest| (Utc::now() - oldest).num_milliseconds().max(0));
        metrics.journal_oldest_age.set(age as f64 / 1000.0);
        metrics.queue_depth.set(context.queue_depth.events() as f64);
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics.render())
}
