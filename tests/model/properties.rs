//! What must be so in every state, and what must be so in the end.
//!
//! In every state: acknowledged implies kept, kept implies not forgotten before it is applied, and a row
//! is the merge of a set of events. In the end: acknowledged implies applied, the row is the merge of all
//! that was journalled, and nothing is left in a journal.

use super::calls::{Calls, Events, NO_ROW, bit};
use super::state::{Phase, State};

/// What must be so in no state.
pub fn wrong(calls: &Calls, state: &State) -> Option<String> {
    let applied = applied(calls, state);
    for service in &state.services {
        let early = service.acknowledged & !(service.disk.durable() | applied);
        if early != 0 {
            return Some(said("acknowledged, but neither durable nor applied", early));
        }
        let forgotten = service.journalled & !(service.readable() | applied);
        if forgotten != 0 {
            return Some(said("forgotten, but not applied", forgotten));
        }
    }
    for call in calls.calls() {
        let row = state.database.rows[usize::from(call)];
        let known = calls.of_call(applied & !calls.refused(applied), call);
        if row != NO_ROW && row != calls.reduced(known) {
            return Some(said("a row that is not the merge of the events it knows", known));
        }
    }
    None
}

/// What must not be so where nothing more will happen by itself.
pub fn unfinished(calls: &Calls, state: &State) -> Option<String> {
    let journalled = state.services.iter().fold(0, |set, service| set | service.journalled);
    for service in &state.services {
        if service.phase != Phase::Up {
            return Some("a service that does not come up again".to_owned());
        }
        if service.readable() != 0 {
            return Some(said("at rest, but still in the journal", service.readable()));
        }
        let lost = service.acknowledged & !applied(calls, state);
        if lost != 0 {
            return Some(said("acknowledged, but not applied in the end", lost));
        }
    }
    for call in calls.calls() {
        let expected = calls.of_call(journalled & !calls.refused(journalled), call);
        if state.database.rows[usize::from(call)] != calls.reduced(expected) {
            return Some(said("a row that is not the merge of what was journalled", expected));
        }
    }
    let buried = state.database.dead_letters;
    let refused = calls.refused(journalled);
    (buried != refused).then(|| said("dead letters that are not the refused events", buried))
}

/// Events that the database has: in their row, or as a dead letter.
fn applied(calls: &Calls, state: &State) -> Events {
    let rows = &state.database.rows;
    let in_row = |event: &u8| {
        let sort = calls.sorts[usize::from(*event)];
        let buried = state.database.dead_letters & bit(*event) != 0;
        if sort.refused { buried } else { calls.is_in(*event, rows[usize::from(sort.call)]) }
    };
    calls.events().filter(in_row).fold(0, |set, event| set | bit(event))
}

fn said(what: &str, events: Events) -> String {
    format!("{what}: events {:?}", super::calls::members(events).collect::<Vec<_>>())
}
