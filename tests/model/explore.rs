//! An exhaustive walk through everything a protocol can do, breadth first.
//!
//! In: a protocol: a start, the steps from a state, what is wrong with a state. Out: how many states
//! there are, or the shortest way to one that must not be.
//! Promises: every interleaving within the protocol's bounds is walked. Two kinds of steps make "in the
//! end" a question about a graph: a [`Kind::Chance`] may never come, a [`Kind::Duty`] comes sooner or
//! later. So no state may be the last while something is unfinished, and no duties may go in a circle;
//! then every run in which chances stop ends well.
//! Our own, because the crate for this brings a web server and says of its own "eventually" that it
//! misses circles, which is what we ask.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Write};
use std::hash::Hash;

/// A walk this long is a mistake in the bounds; it would take the machine's memory.
const MOST_STATES: usize = 400_000;

/// Whether a step can be relied upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Happens sooner or later, if it stays possible.
    Duty,
    /// May happen, or never: faults, repeats, signals.
    Chance,
}

/// What can be walked.
pub trait Protocol {
    /// Everything that matters at one moment.
    type State: Clone + Eq + Hash;
    /// What can happen next.
    type Step: Debug;

    /// Before anything happened.
    fn start(&self) -> Self::State;
    /// All that can happen in `state`, each with what becomes of it.
    fn steps(&self, state: &Self::State) -> Vec<(Kind, Self::Step, Self::State)>;
    /// What must be so in no state.
    fn wrong(&self, state: &Self::State) -> Option<String>;
    /// What must not be so in a state from which no duty leads on.
    fn unfinished(&self, state: &Self::State) -> Option<String>;
}

/// A walk without a find.
#[derive(Debug)]
pub struct Explored {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// Steps from the start to the furthest.
    pub depth: usize,
}

/// The shortest way to a state that must not be.
pub struct Counterexample {
    /// What is wrong there.
    pub reason: String,
    path: Vec<String>,
}

impl Debug for Counterexample {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}, after:", self.reason)?;
        let path = self.path.iter().enumerate().fold(String::new(), |mut text, (index, step)| {
            write!(text, "\n  {:>2}. {step}", index + 1).expect("a String takes it");
            text
        });
        out.write_str(path.trim_start_matches('\n'))
    }
}

/// How a state was first reached.
struct Reached {
    from: usize,
    /// Which of the steps of `from`.
    choice: usize,
    depth: usize,
}

/// Walks `protocol` to its ends, or to the first state that is wrong.
pub fn explore<P: Protocol>(protocol: &P) -> Result<Explored, Counterexample> {
    let mut numbers = HashMap::from([(protocol.start(), 0_usize)]);
    let mut reached = vec![Reached { from: 0, choice: 0, depth: 0 }];
    let mut duties: Vec<(usize, usize)> = Vec::new();
    let (mut layer, mut steps, mut first) = (vec![protocol.start()], 0, 0);
    while !layer.is_empty() {
        let mut next_layer = Vec::new();
        for (number, state) in (first..).zip(&layer) {
            if let Some(reason) = protocol.wrong(state) {
                return Err(counterexample(protocol, &reached, number, reason));
            }
            let mut at_rest = true;
            for (choice, (kind, _, next)) in protocol.steps(state).into_iter().enumerate() {
                steps += 1;
                let count = numbers.len();
                let next_number = match numbers.entry(next) {
                    Entry::Occupied(known) => *known.get(),
                    Entry::Vacant(new) => {
                        next_layer.push(new.key().clone());
                        let depth = reached[number].depth + 1;
                        reached.push(Reached { from: number, choice, depth });
                        *new.insert(count)
                    }
                };
                if kind == Kind::Duty {
                    at_rest = false;
                    duties.push((number, next_number));
                }
            }
            let unfinished = if at_rest { protocol.unfinished(state) } else { None };
            if let Some(reason) = unfinished {
                return Err(counterexample(protocol, &reached, number, reason));
            }
        }
        first += layer.len();
        assert!(reached.len() < MOST_STATES, "more than {MOST_STATES} states: tighten the bounds");
        layer = next_layer;
    }
    if let Some(number) = can_go_round(&duties, reached.len()) {
        let reason = "it can go round for ever".to_owned();
        return Err(counterexample(protocol, &reached, number, reason));
    }
    let depth = reached.last().map_or(0, |last| last.depth);
    Ok(Explored { states: reached.len(), steps, depth })
}

/// A state in a circle of duties. When states without a way on are taken away again and again, what is
/// left leads into circles; following it, one comes by some state a second time.
fn can_go_round(duties: &[(usize, usize)], states: usize) -> Option<usize> {
    let mut ways_on = vec![0_usize; states];
    let mut by_target = duties.to_vec();
    by_target.sort_unstable_by_key(|(_, to)| *to);
    for (from, _) in duties {
        ways_on[*from] += 1;
    }
    let mut ends: Vec<usize> = (0..states).filter(|state| ways_on[*state] == 0).collect();
    while let Some(end) = ends.pop() {
        let start = by_target.partition_point(|(_, to)| *to < end);
        for (from, _) in by_target[start..].iter().take_while(|(_, to)| *to == end) {
            ways_on[*from] -= 1;
            if ways_on[*from] == 0 {
                ends.push(*from);
            }
        }
    }
    let mut state = ways_on.iter().position(|ways| *ways > 0)?;
    let mut seen = HashSet::new();
    while seen.insert(state) {
        let on = duties.iter().find(|(from, to)| *from == state && ways_on[*to] > 0);
        state = on.map_or(state, |(_, to)| *to);
    }
    Some(state)
}

fn counterexample<P: Protocol>(
    protocol: &P,
    reached: &[Reached],
    mut number: usize,
    reason: String,
) -> Counterexample {
    let mut choices = Vec::new();
    while number != 0 {
        choices.push(reached[number].choice);
        number = reached[number].from;
    }
    let mut state = protocol.start();
    let mut path = Vec::new();
    for choice in choices.into_iter().rev() {
        let (_, step, next) = protocol.steps(&state).swap_remove(choice);
        path.push(format!("{step:?}"));
        state = next;
    }
    Counterexample { reason, path }
}
