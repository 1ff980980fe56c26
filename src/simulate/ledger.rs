//! Which events were acknowledged: what the rows are checked against.
//!
//! In: requests whose fate is known. Out: per call, three sets of events.
//! Promises: three bytes per call.

use super::rounds::Work;
use super::script::Script;
use super::tally::Fate;
use std::sync::Arc;

/// The events of one call, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Must be in the row.
    pub(super) acknowledged: u8,
    /// Not acknowledged, but may be in the row.
    pub(super) open: u8,
    /// Refused with certainty.
    pub(super) refused: u8,
}

/// All rounds.
#[derive(Default)]
pub(super) struct Ledger(pub(super) Vec<Round>);

/// The calls of one script.
pub(super) struct Round {
    pub(super) script: Arc<Script>,
    pub(super) records: Vec<Record>,
}

impl Ledger {
    pub(super) fn note(&mut self, work: &Work, fate: Fate) {
        // Rounds begin in order, but their first request may end in any.
        while self.0.len() <= work.round {
            self.0.push(Round { script: Arc::clone(&work.script), records: Vec::new() });
        }
        let round = &mut self.0[work.round];
        if round.records.is_empty() {
            round.script = Arc::clone(&work.script);
            round.records =
                vec![Record::default(); usize::try_from(work.script.calls).unwrap_or_default()];
        }
        for pick in &work.picks {
            let Ok(call) = usize::try_from(pick.call) else { continue };
            let record = &mut round.records[call];
            let event = 1 << pick.event;
            if fate == Fate::Acknowledged {
                record.acknowledged |= event;
            } else if work.may_be_kept {
                record.open |= event;
            } else {
                record.refused |= event;
            }
        }
    }
}
