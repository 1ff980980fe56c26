//! Every row from its own payload, in the order of `call_sid`.

use super::{Job, Outcome, Progress, RebuildState};

/// Rows in one transaction: their locks are held for some tens of milliseconds.
const BATCH_ROWS: u32 = 200;

pub(super) async fn run(job: &mut Job, state: RebuildState) -> anyhow::Result<Outcome> {
    let rows = job.session.estimated_calls().await?.saturating_sub(state.looked_at);
    let batches = rows.div_ceil(u64::from(BATCH_ROWS)).max(1);
    let mut progress = Progress::new(batches, "batches of rows");
    let mut outcome = Outcome { state, unreadable: 0, failed: 0 };
    while let Some(page) =
        job.session.rebuild_rows_after(&outcome.state.position, BATCH_ROWS).await?
    {
        outcome.state.looked_at += page.rows as u64;
        outcome.state.changed += page.changed as u64;
        outcome.unreadable += page.unreadable as u64;
        outcome.failed = outcome.unreadable;
        outcome.state.position = page.last_call_sid;
        job.save(&outcome.state, false).await?;
        progress.step(|| format!("{} changed", outcome.state.changed));
        job.pace.did(page.rows as u64).await;
    }
    job.save(&outcome.state, true).await?;
    progress.finish();
    Ok(outcome)
}
