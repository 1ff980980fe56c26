//! A reduced batch, told to PostgreSQL once.
//!
//! In: what a batch comes down to. Out: rows, or why nothing of a statement is in.
//! Promises: a few statements, each of which can be repeated without harm; of calls that are to be forgotten
//! nothing stays. Workers and `again` both
//! store by this function, so that what is replayed ends as what is received.

use super::reduce::{Letter, Reduced};
use crate::store::{ArchivedEvent, DeadLetter, RawEvent, Session, StoreError, Upserted};

/// Dead letters, then events of other types, then calls.
pub(super) async fn store_once(
    session: &mut Session,
    reduced: &Reduced,
) -> Result<Upserted, StoreError> {
    for letter in &reduced.letters {
        session.insert_dead_letter(&letter.as_dead_letter(None)).await?;
    }
    let raw: Vec<RawEvent<'_>> = reduced
        .raw
        .iter()
        .map(|(digest, (received, event))| RawEvent { digest: *digest, received: *received, event })
        .collect();
    session.insert_events(&raw).await?;
    let upserted = session.upsert_call_summaries(&reduced.calls).await?;
    let sids: Vec<&str> = reduced.calls.iter().map(|call| call.call_sid.as_str()).collect();
    let erased = session.erase_again(&sids, &reduced.digests()).await?;
    if !reduced.archive.is_empty() {
        archive(session, reduced, &sids, &erased).await?;
    }
    Ok(upserted)
}

/// Last of all: what is tried again is archived once. Asked for erased calls again afterwards, as rows are.
async fn archive(
    session: &mut Session,
    reduced: &Reduced,
    sids: &[&str],
    erased: &[String],
) -> Result<(), StoreError> {
    let is_erased =
        |event: &&ArchivedEvent| event.call_sid.as_ref().is_some_and(|sid| erased.contains(sid));
    let events: Vec<ArchivedEvent> =
        reduced.archive.iter().filter(|event| !is_erased(event)).cloned().collect();
    session.insert_archive(&events).await?;
    let erased_since = session.erase_again(sids, &[]).await?;
    let times = || events.iter().map(|event| event.received);
    if erased_since.len() > erased.len()
        && let (Some(first), Some(last)) = (times().min(), times().max())
    {
        session.delete_archived(&erased_since, [first, last]).await?;
    }
    Ok(())
}

impl Letter {
    pub(super) fn as_dead_letter<'a>(&'a self, sqlstate: Option<&'a str>) -> DeadLetter<'a> {
        DeadLetter {
            raw: &self.entry.body,
            received: self.entry.received,
            reason: self.reason,
            detail: &self.detail,
            sqlstate,
            event_id: self.event_id.as_deref(),
            event_type: self.event_type.as_deref(),
            call_sid: self.call_sid.as_deref(),
        }
    }
}
