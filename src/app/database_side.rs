//! Everything that needs PostgreSQL: the schema, then the workers, and what goes on beside them.
//!
//! In: the queue and a database that may be away. Out: nothing, until the workers end.
//! Promises: a database that is away is waited for, and `/readyz` says so; a schema that is too new, or anything else
//! that waiting does not mend, ends this with the reason.

use crate::config;
use crate::housekeeping::Housekeeping;
use crate::queue::Queue;
use crate::reconcile::schedule;
use crate::store::{Database, migrate};
use crate::twilio::insights;
use crate::{apply, rollup};
use anyhow::Context as _;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Between tries to bring the schema up while the database is away: at first it may just be starting, too.
const MIGRATE_RETRY: RangeInclusive<Duration> = Duration::from_millis(250)..=Duration::from_secs(5);

/// Brings the schema up, however long the database is away, then runs the workers to their end.
pub(super) async fn run(
    database: Database,
    queue: Queue,
    limits: apply::Limits,
    shared: apply::Shared,
    rollup_every: Duration,
    reconcile: Option<config::Reconcile>,
    mut housekeeping: Housekeeping,
) -> anyhow::Result<()> {
    let bring_up = bring_schema_up(&database, &shared);
    match shared.give_up.run_until_cancelled(bring_up).await {
        Some(result) => result?,
        None => return Ok(()), // stopping; what is in the journal waits there
    }
    shared.health.database_is_up();
    shared.metrics.database_up.set(1.0);
    // Beside the workers and never in their way; it ends with this function.
    let mut beside = JoinSet::new();
    let done = Arc::clone(&queue.done);
    beside.spawn(rollup::run(
        rollup_every,
        move || done.backlog(),
        database.clone(),
        Arc::clone(&shared.metrics),
    ));
    if let Some(reconcile) = reconcile {
        let (accounts, metrics) =
            (insights::accounts(&reconcile.api)?, Arc::clone(&shared.metrics));
        beside.spawn(schedule::run(reconcile.schedule, database.clone(), accounts, metrics));
    }
    if limits.archive == apply::Archive::On
        && let Err(error) = housekeeping.make_partitions(chrono::Utc::now().date_naive()).await
    {
        tracing::warn!(%error, "the archive has no partition for today; its default one takes what comes");
    }
    beside.spawn(housekeeping.run());
    let mut workers = apply::start(queue, &database, limits, &shared);
    while let Some(ended) = workers.join_next().await {
        ended.context("a worker broke; what it had waits in the journal")?;
    }
    Ok(())
}

async fn bring_schema_up(database: &Database, shared: &apply::Shared) -> anyhow::Result<()> {
    let mut wait = *MIGRATE_RETRY.start();
    loop {
        match migrate::migrate(database).await {
            Ok(applied) => {
                let version = migrate::binary_version();
                tracing::info!(applied, version, "the schema is up to date");
                return Ok(());
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(%error, "waiting for PostgreSQL; deliveries are kept in the journal");
                shared.health.database_is_down(&error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(*MIGRATE_RETRY.end());
    }
}
