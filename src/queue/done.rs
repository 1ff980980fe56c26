//! Which positions are done, gaps allowed, and up to where the journal may forget.
//!
//! In: positions in any order. Out: the journal's low-water mark.
//! Promises: a position is forgotten only when it and all before it are done.

use crate::journal::Journal;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Collects what is done.
#[derive(Debug)]
pub struct Done {
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Everything up to here is done.
    through: u64,
    /// Done beyond a gap. Bounded by what is between the journal and PostgreSQL.
    beyond: BTreeSet<u64>,
}

impl Done {
    pub(super) fn new(journal: Journal, through: u64) -> Self {
        Self { journal, state: Mutex::new(State { through, beyond: BTreeSet::new() }) }
    }

    /// `positions` are in PostgreSQL, each exactly once.
    pub fn mark(&self, positions: impl IntoIterator<Item = u64>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.beyond.extend(positions);
        let before = state.through;
        let next = |state: &State| state.through + 1;
        while state.beyond.first() == Some(&next(&state)) {
            state.beyond.pop_first();
            state.through += 1;
        }
        if state.through > before {
            self.journal.forget_through(state.through);
        }
    }

    /// Events that are durable and not done.
    #[must_use]
    pub fn backlog(&self) -> u64 {
        self.journal.depth()
    }

    /// Everything up to here is done.
    #[must_use]
    pub fn through(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).through
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_behind_a_gap_is_forgotten() {
        let directory = tempfile::tempdir().expect("a directory");
        let opened = crate::journal::open(directory.path(), 1 << 20).expect("opens");
        let done = Done::new(opened.journal, 0);
        done.mark([2, 3]);
        assert_eq!(done.through(), 0);
        done.mark([1]);
        assert_eq!(done.through(), 3);
    }

    #[tokio::test]
    async fn the_journal_is_told_what_it_may_forget() {
        let directory = tempfile::tempdir().expect("a directory");
        let open = || crate::journal::open(directory.path(), 1 << 20).expect("opens");
        let opened = open();
        let bodies = ["a", "b", "c", "d"].map(bytes::Bytes::from).to_vec();
        opened.journal.append(bodies, chrono::Utc::now()).await.expect("durable");
        let done = Done::new(opened.journal, 0);
        done.mark([1, 2, 4]);
        drop(done);
        opened.writer.join().expect("the writer ends");
        let opened = open();
        assert_eq!((opened.forgotten, opened.backlog), (2, 2), "3 is not done");
        drop(opened.journal);
        opened.writer.join().expect("the writer ends");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn in_any_order_everything_is_forgotten_in_the_end(
            order in Just((1..=60_u64).collect::<Vec<_>>()).prop_shuffle()
        ) {
            let directory = tempfile::tempdir().expect("a directory");
            let opened = crate::journal::open(directory.path(), 1 << 20).expect("opens");
            let done = Done::new(opened.journal, 0);
            for (count, position) in order.iter().enumerate() {
                done.mark([*position]);
                let marked = &order[..=count];
                let expected = (1..).take_while(|position| marked.contains(position)).count();
                prop_assert_eq!(done.through(), expected as u64);
            }
        }
    }
}
