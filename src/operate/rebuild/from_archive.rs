//! Every archived event stored again, partition by partition.
//!
//! The statements are those of the service, so an event adds what it would have added; what is newer wins.

use super::{Job, Outcome, Progress, RebuildState};
use crate::apply::again::{self, Event};
use crate::store::{Blocks, Partition};

/// Events in one statement.
const BATCH_EVENTS: usize = 500;

pub(super) async fn run(job: &mut Job, state: RebuildState) -> anyhow::Result<Outcome> {
    let partitions = job.session.archive_partitions().await?;
    let done = state.position.clone();
    let pages: Vec<Blocks> = partitions
        .iter()
        .flat_map(Partition::pages)
        .filter(|page| position(*page) > done)
        .collect();
    let mut progress = Progress::new(pages.len() as u64, "pages of the archive");
    let mut outcome = Outcome { state, unreadable: 0, failed: 0 };
    for page in pages {
        let events = job.session.archive_page(page).await?;
        let count = events.len() as u64;
        let events: Vec<Event> = events
            .into_iter()
            .map(|event| Event {
                raw: event.raw,
                first_received: event.received,
                last_received: event.received,
            })
            .collect();
        for batch in events.chunks(BATCH_EVENTS) {
            let outcomes = again::store(&mut job.session, batch).await?;
            for became in outcomes {
                match became {
                    again::Outcome::Stored | again::Outcome::Sanitised => {}
                    // It was a dead letter when it came, too.
                    again::Outcome::Unreadable(_) => outcome.unreadable += 1,
                    again::Outcome::Refused(_) => outcome.failed += 1,
                }
            }
        }
        outcome.state.looked_at += count;
        outcome.state.position = position(page);
        job.save(&outcome.state, false).await?;
        progress.step(|| format!("{} events", outcome.state.looked_at));
        job.pace.did(count).await;
    }
    job.save(&outcome.state, true).await?;
    progress.finish();
    Ok(outcome)
}

/// Sorts as a text in the order in which pages are read, the default partition last.
fn position(page: Blocks) -> String {
    let day = page.day.map_or_else(|| "default".to_owned(), |day| day.to_string());
    format!("{day} {:012}", page.from)
}
