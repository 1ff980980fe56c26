//! A batch of events, reduced to what PostgreSQL has to be told.
//!
//! In: decoded events. Out: one element per call, in the order of `call_sid`; other events once each;
//! dead letters. Pure, but for looking at nothing else than what it is given.

use super::drift::{self, Seen, Sightings};
use super::{Archive, digest};
use crate::decode::{Decoded, Meaning, OtherEvent, Undecodable};
use crate::domain::CallSummary;
use crate::journal::Entry;
use crate::store::ArchivedEvent;
use crate::telemetry::metric::SANITISED;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// What a batch comes down to.
#[derive(Default)]
pub(super) struct Reduced {
    pub(super) calls: Vec<CallSummary>,
    /// How many call summaries went into `calls`.
    pub(super) summaries: usize,
    pub(super) raw: BTreeMap<[u8; 32], (DateTime<Utc>, OtherEvent)>,
    /// Events of other types, repeats included.
    pub(super) others: usize,
    pub(super) letters: Vec<Letter>,
    pub(super) unreadable_fields: usize,
    /// Members that no column holds.
    pub(super) unknown: Seen,
    /// Every event as it came, where that is wanted.
    pub(super) archive: Vec<ArchivedEvent>,
}

/// A dead letter in the making; its bytes are those of the entry.
pub(super) struct Letter {
    pub(super) entry: Entry,
    pub(super) reason: &'static str,
    pub(super) detail: String,
    pub(super) event_id: Option<String>,
    pub(super) event_type: Option<String>,
    pub(super) call_sid: Option<String>,
}

impl Letter {
    /// Whether the event has no row beside this letter.
    pub(super) fn is_all_there_is(&self) -> bool {
        self.reason != SANITISED
    }
}

impl Reduced {
    /// Of everything that is kept raw.
    pub(super) fn digests(&self) -> Vec<[u8; 32]> {
        let letters = self.letters.iter().map(|letter| digest(&letter.entry.body));
        self.raw.keys().copied().chain(letters).collect()
    }
}

/// Reduces events, each with the entry that it came from.
pub(super) fn reduce(events: impl Iterator<Item = (Entry, Decoded)>, archive: Archive) -> Reduced {
    let mut reduced = Reduced::default();
    let mut calls: BTreeMap<String, CallSummary> = BTreeMap::new();
    for (entry, decoded) in events {
        if archive == Archive::On {
            reduced.archive.push(archived(&entry, &decoded.meaning));
        }
        if decoded.sanitised {
            reduced.letters.push(sanitised(&entry, &decoded.meaning));
        }
        match decoded.meaning {
            Meaning::CallSummary { call, raw } => {
                reduced.summaries += 1;
                let sightings = Sightings { first: entry.received, last: entry.received, count: 1 };
                for field in decoded.unknown {
                    let field = (field, call.winner.schema_version);
                    drift::add(&mut reduced.unknown, field, sightings);
                }
                reduced.unreadable_fields += call.winner.unreadable.len();
                if let Some(raw) = raw {
                    reduced.raw.insert(digest(&entry.body), (entry.received, *raw));
                }
                let merged = match calls.remove(&call.call_sid) {
                    Some(known) => known.merge(*call),
                    None => *call,
                };
                calls.insert(merged.call_sid.clone(), merged);
            }
            Meaning::Other(other) => {
                reduced.others += 1;
                reduced.raw.insert(digest(&entry.body), (entry.received, *other));
            }
            Meaning::Undecodable(Undecodable { reason, detail, id, event_type }) => {
                reduced.letters.push(Letter {
                    entry,
                    reason: reason.as_str(),
                    detail,
                    event_id: id,
                    event_type,
                    call_sid: None,
                });
            }
        }
    }
    reduced.calls = calls.into_values().collect();
    reduced
}

/// The event of `entry` as it came.
pub(super) fn archived(entry: &Entry, meaning: &Meaning) -> ArchivedEvent {
    let (_, _, call_sid) = names(meaning);
    ArchivedEvent { received: entry.received, call_sid, raw: entry.body.clone() }
}

fn sanitised(entry: &Entry, meaning: &Meaning) -> Letter {
    let (event_id, event_type, call_sid) = names(meaning);
    Letter {
        entry: entry.clone(),
        reason: SANITISED,
        detail: "invalid UTF-8, \\u0000 or a lone surrogate stands as U+FFFD in its row".to_owned(),
        event_id,
        event_type,
        call_sid,
    }
}

/// Id, type and call of an event, as far as they are known.
pub(super) fn names(meaning: &Meaning) -> (Option<String>, Option<String>, Option<String>) {
    match meaning {
        Meaning::CallSummary { call, .. } => (
            call.winner.key.id.clone(),
            Some(call.winner.event_type.clone()),
            Some(call.call_sid.clone()),
        ),
        Meaning::Other(other) => (other.id.clone(), Some(other.event_type.clone()), None),
        Meaning::Undecodable(trouble) => (trouble.id.clone(), trouble.event_type.clone(), None),
    }
}
