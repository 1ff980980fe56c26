//! The calls, events and rows of the model: the real ones of `callsink::domain`, by small numbers.
//!
//! In: what sets the few events apart. Out: rows as numbers, so that a state of the model is a handful
//! of bytes. Every row is a real `CallSummary`, and made by the real `merge` and `Winner::order`.

use callsink::domain::call::Winner;
use callsink::domain::{CallSummary, EventKey, SummaryState};
use chrono::DateTime;
use std::cell::RefCell;
use std::collections::HashMap;

/// A set of events, one bit each.
pub type Events = u8;

/// A row by its number; [`NO_ROW`] is the row that is not there.
pub type Row = u8;

/// Nothing is known of the call.
pub const NO_ROW: Row = 0;

/// What sets an event apart from others.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    /// Its call.
    pub call: u8,
    /// How final it is.
    pub state: SummaryState,
    /// PostgreSQL refuses it for its content.
    pub refused: bool,
}

/// All that can be known of the calls of a model.
pub struct Calls {
    /// The events, by number.
    pub sorts: Vec<Sort>,
    rows: RefCell<Vec<CallSummary>>,
    merged: RefCell<HashMap<(How, Row, Row), Row>>,
    reduced: RefCell<HashMap<Events, Row>>,
}

/// How a row takes in what is known elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum How {
    Merge,
    Touch,
    Overwrite,
}

impl Calls {
    /// The calls that these events are of.
    pub fn new(sorts: &[Sort]) -> Self {
        assert!(sorts.len() <= 8, "a set of events is one byte");
        Self {
            sorts: sorts.to_vec(),
            rows: RefCell::default(),
            merged: RefCell::default(),
            reduced: RefCell::default(),
        }
    }

    /// Every event by its number.
    pub fn events(&self) -> std::ops::Range<u8> {
        0..u8::try_from(self.sorts.len()).expect("few")
    }

    /// Calls are numbered from 0.
    pub fn calls(&self) -> std::ops::Range<u8> {
        0..self.sorts.iter().map(|sort| sort.call + 1).max().unwrap_or(0)
    }

    /// Those of `events` that are of `call`.
    pub fn of_call(&self, events: Events, call: u8) -> Events {
        self.choose(events, |sort| sort.call == call)
    }

    /// Those of `events` that PostgreSQL refuses.
    pub fn refused(&self, events: Events) -> Events {
        self.choose(events, |sort| sort.refused)
    }

    fn choose(&self, events: Events, which: impl Fn(&Sort) -> bool) -> Events {
        members(events)
            .filter(|event| which(&self.sorts[usize::from(*event)]))
            .fold(0, |set, event| set | bit(event))
    }

    /// What a batch of events of one call comes down to, as `apply::reduce` does it.
    pub fn reduced(&self, events: Events) -> Row {
        if let Some(known) = self.reduced.borrow().get(&events) {
            return *known;
        }
        let row = members(events)
            .map(|event| self.number(self.summary(event)))
            .reduce(|known, next| self.merge(known, next))
            .unwrap_or(NO_ROW);
        self.reduced.borrow_mut().insert(events, row);
        row
    }

    /// The row that knows what both know: `CallSummary::merge`.
    pub fn merge(&self, row: Row, new: Row) -> Row {
        self.combined(How::Merge, row, new)
    }

    /// `row` with the times of `new`, as the touch statement leaves it.
    pub fn touch(&self, row: Row, new: Row) -> Row {
        self.combined(How::Touch, row, new)
    }

    /// `row` with the winner of `new`, whatever it showed before: only mutants do that.
    pub fn overwrite(&self, row: Row, new: Row) -> Row {
        self.combined(How::Overwrite, row, new)
    }

    /// Whether `new` wins over what `row` shows: the upsert's `WHERE`.
    pub fn wins(&self, new: Row, row: Row) -> bool {
        let rows = self.rows.borrow();
        row == NO_ROW || at(&rows, new).winner.order(&at(&rows, row).winner).is_gt()
    }

    /// Whether `event` could be merged into `row` without changing it.
    pub fn is_in(&self, event: u8, row: Row) -> bool {
        row != NO_ROW && self.merge(row, self.reduced(bit(event))) == row
    }

    fn combined(&self, how: How, row: Row, new: Row) -> Row {
        if row == NO_ROW || new == NO_ROW {
            return row.max(new);
        }
        if let Some(known) = self.merged.borrow().get(&(how, row, new)) {
            return *known;
        }
        let (left, right) = {
            let rows = self.rows.borrow();
            (at(&rows, row).clone(), at(&rows, new).clone())
        };
        let winner = match how {
            How::Merge => None,
            How::Touch => Some(left.winner.clone()),
            How::Overwrite => Some(right.winner.clone()),
        };
        let mut result = left.merge(right);
        result.winner = winner.unwrap_or(result.winner);
        let number = self.number(result);
        self.merged.borrow_mut().insert((how, row, new), number);
        number
    }

    fn number(&self, summary: CallSummary) -> Row {
        let mut rows = self.rows.borrow_mut();
        let index = rows.iter().position(|row| *row == summary).unwrap_or_else(|| {
            rows.push(summary);
            rows.len() - 1
        });
        Row::try_from(index + 1).expect("few rows")
    }

    /// The real thing. Later events of the model are later in time, and were received later.
    fn summary(&self, event: u8) -> CallSummary {
        let sort = self.sorts[usize::from(event)];
        let time = DateTime::from_timestamp(1_800_000_000 + i64::from(event), 0).expect("a time");
        let winner = Winner {
            key: EventKey {
                state: sort.state,
                processing_version: None,
                time: Some(time),
                id: Some(format!("EZ{event}")),
            },
            event_type: String::new(),
            source: None,
            dataschema: None,
            schema_version: None,
            values: Vec::new(),
            edges: Vec::new(),
            payload: "{}".to_owned(),
            unreadable: Vec::new(),
        };
        CallSummary::from_event(format!("CA{}", sort.call), winner, time)
    }
}

fn at(rows: &[CallSummary], row: Row) -> &CallSummary {
    &rows[usize::from(row) - 1]
}

/// The set that holds one event.
pub fn bit(event: u8) -> Events {
    1 << event
}

/// The events of a set.
pub fn members(events: Events) -> impl Iterator<Item = u8> {
    (0..8).filter(move |event| events & bit(*event) != 0)
}
