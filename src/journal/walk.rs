//! Walking a journal that may be damaged: every entry that SQLite can still reach, in order.
//!
//! In: a journal open for reading, and a span of positions. Out: entries, and between which positions
//! there are none to be had. Promises: memory is bounded by a chunk; damage ends nothing but what it hit.

use super::Entry;
use super::inspect::{InspectError, Inspector};

/// After an entry that can't be read, this many are asked for one by one before chunks are tried again.
const STEPS: u64 = 64;

/// So many positions in a row that give nothing are the end of what there is: a damaged inner page of SQLite's
/// tree takes up to a thousand leaves along, each of which holds two usual events, or a hundred tiny ones.
const HOPELESS: u64 = 200_000;

/// What a walk comes across.
#[derive(Debug)]
pub enum Found {
    /// An entry, as it was written.
    Entry(Entry),
    /// These positions can't be read; both are within.
    Unreadable {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Before this position nothing can be read, and how many entries stood there nobody can say.
    NothingBefore(u64),
    /// From this position on nothing can be read, likewise.
    NothingFrom(u64),
}

/// Walks from `from` to `to`, both within; the whole journal where they are not given. Tells a run of
/// unreadable positions when it is over.
///
/// # Errors
/// What `on` says, and an error of reading that is not damage.
pub fn walk<E: From<InspectError>>(
    inspector: &Inspector,
    from: Option<u64>,
    to: Option<u64>,
    on: &mut impl FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let first = match (from, readable(inspector.end(false))?) {
        (_, Some(None)) => return Ok(()), // it is empty
        (from, Some(Some(first))) => from.unwrap_or(first).max(first),
        (Some(from), None) => from,
        (None, None) => {
            let last = readable(inspector.end(true))?.flatten();
            let first = last.map_or(Ok(1), |last| lowest(inspector, last))?;
            on(Found::NothingBefore(first))?;
            first
        }
    };
    let to = to.unwrap_or(u64::MAX);
    Walk { inspector, to, unreadable_from: None, nothing_from: None }.span(first, on)
}

/// The lowest position above which nothing hopeless lies, going down from `last`.
fn lowest(inspector: &Inspector, last: u64) -> Result<u64, InspectError> {
    let (mut lowest, mut position) = (last, last);
    while position > 1 && lowest - position < HOPELESS {
        position -= 1;
        if readable(inspector.entry(position))?.flatten().is_some() {
            lowest = position;
        }
    }
    Ok(lowest)
}

/// `None` in place of damage; other errors are errors.
fn readable<T>(answer: Result<T, InspectError>) -> Result<Option<T>, InspectError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

struct Walk<'i> {
    inspector: &'i Inspector,
    to: u64,
    /// Where the unreadable positions that were not told yet begin.
    unreadable_from: Option<u64>,
    /// Where the positions begin that were tried one by one and gave nothing, up to here.
    nothing_from: Option<u64>,
}

impl Walk<'_> {
    fn span<E: From<InspectError>>(
        mut self,
        from: u64,
        on: &mut impl FnMut(Found) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut after = from.saturating_sub(1);
        while after < self.to {
            match readable(self.inspector.after(after))? {
                Some(chunk) => {
                    self.tell_unreadable(after, on)?;
                    let Some(last) = chunk.last() else { break };
                    self.nothing_from = None;
                    after = last.position;
                    let to = self.to;
                    for entry in chunk.into_iter().take_while(|entry| entry.position <= to) {
                        on(Found::Entry(entry))?;
                    }
                }
                None => after = self.step_over(after, on)?,
            }
        }
        let to = self.to.min(after);
        self.tell_unreadable(to, on)
    }

    /// Goes on one by one, where a chunk can't be read; the position up to which all was tried.
    fn step_over<E: From<InspectError>>(
        &mut self,
        after: u64,
        on: &mut impl FnMut(Found) -> Result<(), E>,
    ) -> Result<u64, E> {
        let end = self.to.min(after.saturating_add(STEPS));
        for position in after + 1..=end {
            let found = readable(self.inspector.entry(position))?;
            if found.is_some() {
                self.tell_unreadable(position - 1, on)?;
            }
            match found {
                Some(Some(entry)) => {
                    self.nothing_from = None;
                    on(Found::Entry(entry))?;
                    continue;
                }
                Some(None) => {}
                None => {
                    self.unreadable_from.get_or_insert(position);
                }
            }
            // Also where nothing stands: one altered position may be beyond all others.
            let nothing_from = *self.nothing_from.get_or_insert(position);
            if position - nothing_from >= HOPELESS {
                let from = self.unreadable_from.take().unwrap_or(nothing_from);
                self.to = from;
                on(Found::NothingFrom(from))?;
                return Ok(position);
            }
        }
        Ok(end)
    }

    /// Ends a run of unreadable positions at `last`.
    fn tell_unreadable<E>(
        &mut self,
        last: u64,
        on: &mut impl FnMut(Found) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.unreadable_from.take() {
            Some(first) => on(Found::Unreadable { first, last }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod walk_tests;
