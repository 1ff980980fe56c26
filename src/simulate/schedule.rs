//! In which order the events of a script are sent, and which go together.
//!
//! In: a script, shuffled or not, the share of duplicates, events per request. Out: one batch after the
//! other.
//! Promises: reproducible; an event and its duplicate are never in the same request, the duplicate
//! comes later; in order of time only the calls that are under way are held in memory.

use super::dice::{Dice, Purpose};
use super::events;
use super::script::{Pick, Script};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

/// A duplicate comes up to an hour after its event, in the time of the calls.
const LATEST_DUPLICATE_MS: i64 = 3_600_000;

/// How a run is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) shuffle: bool,
    /// Share of events sent twice, 0 to 1.
    pub(super) duplicates: f64,
    /// Events per request.
    pub(super) batch: usize,
}

/// Batches of one script.
pub(super) struct Batches {
    script: Arc<Script>,
    order: Order,
    source: Source,
    /// Was taken from the source, but belongs to the next batch.
    held_back: Option<Pick>,
}

enum Source {
    Shuffled(std::vec::IntoIter<Pick>),
    Timed {
        next_call: u32,
        /// Events of calls under way: time, call, event, is a duplicate.
        under_way: BinaryHeap<Reverse<(i64, u32, u8, bool)>>,
    },
}

impl Batches {
    pub(super) fn new(script: Arc<Script>, order: Order) -> Self {
        let source = if order.shuffle {
            Source::Shuffled(shuffled(&script, order.duplicates).into_iter())
        } else {
            Source::Timed { next_call: 0, under_way: BinaryHeap::new() }
        };
        Self { script, order, source, held_back: None }
    }

    fn next_pick(&mut self) -> Option<Pick> {
        if let Some(pick) = self.held_back.take() {
            return Some(pick);
        }
        let (next_call, under_way) = match &mut self.source {
            Source::Shuffled(picks) => return picks.next(),
            Source::Timed { next_call, under_way } => (next_call, under_way),
        };
        // A call that isn't under way yet has no event before it is created.
        while *next_call < self.script.calls
            && under_way
                .peek()
                .is_none_or(|Reverse((time, ..))| *time >= self.script.earliest(*next_call))
        {
            let index = *next_call;
            *next_call += 1;
            let mut dice = Dice::new(self.script.seed, Purpose::Duplicates, index.into());
            let call = self.script.call(index);
            for (event, sent) in (0..).zip(self.script.events(index, &call)) {
                under_way.push(Reverse((sent.time, index, event, false)));
                if dice.fraction(self.order.duplicates) {
                    let again = sent.time + dice.between(1, LATEST_DUPLICATE_MS);
                    under_way.push(Reverse((again, index, event, true)));
                }
            }
        }
        let Reverse((_, call, event, is_duplicate)) = under_way.pop()?;
        Some(Pick { call, event, is_duplicate })
    }
}

impl Iterator for Batches {
    type Item = Vec<Pick>;

    fn next(&mut self) -> Option<Vec<Pick>> {
        let mut batch: Vec<Pick> = Vec::with_capacity(self.order.batch);
        while batch.len() < self.order.batch {
            let Some(pick) = self.next_pick() else { break };
            if batch.iter().any(|known| (known.call, known.event) == (pick.call, pick.event)) {
                self.held_back = Some(pick);
                break;
            }
            batch.push(pick);
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// All events in a random order; of each event and its duplicate the later one is the duplicate.
fn shuffled(script: &Script, duplicates: f64) -> Vec<Pick> {
    let mut picks = Vec::new();
    for call in 0..script.calls {
        let mut dice = Dice::new(script.seed, Purpose::Duplicates, call.into());
        for event in 0..events::count(script.seed, call) {
            let pick = Pick { call, event, is_duplicate: false };
            picks.push(pick);
            if dice.fraction(duplicates) {
                picks.push(pick);
            }
        }
    }
    Dice::new(script.seed, Purpose::Order, 0).shuffle(&mut picks);
    let mut sent = vec![0_u8; usize::try_from(script.calls).unwrap_or_default()];
    for pick in &mut picks {
        let sent = &mut sent[usize::try_from(pick.call).unwrap_or_default()];
        pick.is_duplicate = *sent & (1 << pick.event) != 0;
        *sent |= 1 << pick.event;
    }
    picks
}

#[cfg(test)]
mod tests {
    use super::super::script::DataForm;
    use super::*;
    use chrono::{DateTime, TimeDelta};
    use std::collections::HashSet;

    fn batches(order: Order) -> Vec<Vec<Pick>> {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let script = Script::new(3, 300, start, TimeDelta::hours(5), DataForm::Object);
        Batches::new(Arc::new(script), order).collect()
    }

    fn events(picks: &[Pick]) -> HashSet<(u32, u8)> {
        picks.iter().map(|pick| (pick.call, pick.event)).collect()
    }

    #[test]
    fn every_order_sends_every_event() {
        let in_time = batches(Order { shuffle: false, duplicates: 0.0, batch: 1 }).concat();
        let shuffled = batches(Order { shuffle: true, duplicates: 0.3, batch: 7 }).concat();
        assert_eq!(in_time.len(), events(&in_time).len());
        assert_eq!(events(&in_time), events(&shuffled));
        assert!(shuffled.len() > in_time.len() * 12 / 10);
    }

    #[test]
    fn events_in_order_of_time_are_those_of_interleaved_calls() {
        let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
        let script = Script::new(3, 300, start, TimeDelta::hours(5), DataForm::Object);
        let picks = batches(Order { shuffle: false, duplicates: 0.0, batch: 10 }).concat();
        let times: Vec<i64> = picks
            .iter()
            .map(|pick| {
                script.events(pick.call, &script.call(pick.call))[usize::from(pick.event)].time
            })
            .collect();
        assert!(times.is_sorted());
        assert!(!picks.is_sorted_by_key(|pick| pick.call));
    }

    #[test]
    fn a_duplicate_comes_later_and_in_another_request() {
        for shuffle in [false, true] {
            let mut seen = HashSet::new();
            for batch in batches(Order { shuffle, duplicates: 1.0, batch: 50 }) {
                assert_eq!(events(&batch).len(), batch.len());
                for pick in batch {
                    let is_new = seen.insert((pick.call, pick.event));
                    assert_eq!(is_new, !pick.is_duplicate);
                }
            }
        }
    }
}
