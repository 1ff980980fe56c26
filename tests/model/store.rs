//! The steps of the workers and of the database.
//!
//! A statement is carried out whole or not at all, when the database gets to it. A worker that has no
//! answer begins its piece again from the upsert, while the old statement may still be on its way.

use super::calls::{Events, members};
use super::explore::Kind;
use super::state::{Memory, Mutation, State, Statement, Worker};
use super::steps::{Found, Model, Step};

/// Gather, store, touch, done. A batch is gathered when its first statement is sent: sooner makes no
/// other batches, only more states.
pub fn worker(model: &Model, found: &mut Found<'_>, service: usize, worker: usize) {
    let state = found.state;
    let mut this = state.services[service].memory.workers[worker].clone();
    if this.pieces.is_empty() && !this.inbox.is_empty() {
        gather(&mut this);
    }
    let Some(piece) = this.pieces.first().copied() else { return };
    if !state.database.up {
        if model.has(Mutation::DropOnTrouble) {
            found.add(Kind::Duty, Step::NoAnswer { service, worker }, |next| {
                let memory = &mut next.services[service].memory;
                memory.workers[worker] = Worker { pieces: Vec::new(), ..this };
                mark(memory, worker, false);
            });
        }
        return;
    }
    let (statement, step) = if this.lost == 0 {
        (Statement::Upsert(piece), Step::Upsert { service, worker })
    } else {
        (Statement::Touch(this.lost), Step::Touch { service, worker })
    };
    let gathered = this.clone();
    found.add(Kind::Duty, step, |next| {
        next.services[service].memory.workers[worker] = gathered;
        let outcome = carry_out(model, next, statement);
        if let Outcome::Refused(events) = outcome
            && !is_tried_otherwise(model, events)
        {
            next.database.dead_letters |= events;
        }
        let memory = &mut next.services[service].memory;
        heard(model, memory, worker, outcome);
    });
    if state.chances.strays > 0 {
        found.add(Kind::Chance, Step::NoAnswer { service, worker }, |next| {
            next.chances.strays -= 1;
            next.database.strays.push(statement);
            let memory = &mut next.services[service].memory;
            memory.workers[worker] = Worker { lost: 0, ..this };
            if model.has(Mutation::DoneWhenSent) {
                mark(memory, worker, false);
            }
        });
    }
}

/// What happens to the database, and to statements that nobody waits for any more.
pub fn database(model: &Model, found: &mut Found<'_>) {
    let state = found.state;
    if !state.database.up {
        found.add(Kind::Duty, Step::DatabaseReturns, |next| next.database.up = true);
        return;
    }
    if let Some(statement) = state.database.strays.first().copied() {
        found.add(Kind::Duty, Step::StrayIsCarriedOut, |next| {
            next.database.strays.remove(0);
            carry_out(model, next, statement);
        });
        found.add(Kind::Duty, Step::StrayVanishes, |next| {
            next.database.strays.remove(0);
        });
    }
    if state.chances.outages > 0 {
        found.add(Kind::Chance, Step::DatabaseGoes, |next| {
            next.chances.outages -= 1;
            next.database.up = false;
            next.database.strays.clear();
            for worker in next.services.iter_mut().flat_map(|service| &mut service.memory.workers) {
                worker.lost = 0;
            }
        });
    }
}

/// What the database answers.
#[derive(Clone, Copy)]
enum Outcome {
    /// It is in, but for the calls of these events, whose rows show a greater one.
    Stored { lost: Events },
    /// One of them is refused for its content; nothing is in.
    Refused(Events),
}

fn carry_out(model: &Model, state: &mut State, statement: Statement) -> Outcome {
    let (calls, rows) = (&model.calls, &mut state.database.rows);
    let mut lost = 0;
    match statement {
        Statement::Upsert(events) if calls.refused(events) != 0 => return Outcome::Refused(events),
        Statement::Upsert(events) => {
            for call in calls.calls() {
                let own = calls.of_call(events, call);
                let (row, new) = (&mut rows[usize::from(call)], calls.reduced(own));
                if own == 0 {
                } else if model.has(Mutation::LastComeWins) {
                    *row = calls.overwrite(*row, new);
                } else if calls.wins(new, *row)
                    && (*row == 0 || !model.has(Mutation::FirstComeWins))
                {
                    *row = calls.merge(*row, new);
                } else {
                    lost |= own;
                }
            }
        }
        Statement::Touch(events) => {
            for call in calls.calls() {
                let new = calls.reduced(calls.of_call(events, call));
                rows[usize::from(call)] = calls.touch(rows[usize::from(call)], new);
            }
        }
    }
    Outcome::Stored { lost }
}

/// A refused event is buried when it stands alone.
fn is_tried_otherwise(model: &Model, refused: Events) -> bool {
    match model.mutation {
        Some(Mutation::BuryWholeBatch) => false,
        Some(Mutation::RetryRefused) => true,
        _ => refused.count_ones() > 1,
    }
}

fn heard(model: &Model, memory: &mut Memory, worker: usize, outcome: Outcome) {
    let this = &mut memory.workers[worker];
    match outcome {
        Outcome::Stored { lost } if lost != 0 && !model.has(Mutation::NoTouch) => {
            this.lost = lost;
            if model.has(Mutation::DoneBeforeTouch) {
                mark(memory, worker, false);
            }
            return;
        }
        Outcome::Stored { .. } => {
            this.lost = 0;
            this.pieces.remove(0);
        }
        Outcome::Refused(_) if model.has(Mutation::RetryRefused) => return,
        Outcome::Refused(events) => {
            this.pieces.remove(0);
            if is_tried_otherwise(model, events) {
                let (left, right) = halves(events);
                this.pieces.splice(0..0, [left, right]);
            }
        }
    }
    if this.pieces.is_empty() {
        mark(memory, worker, model.has(Mutation::DoneWithGaps));
    }
}

fn gather(worker: &mut Worker) {
    let batch = std::mem::take(&mut worker.inbox);
    worker.positions = batch.iter().fold(0, |set, (position, _)| set | 1 << position);
    worker.pieces = vec![batch.iter().fold(0, |set, (_, event)| set | 1 << event)];
}

fn halves(events: Events) -> (Events, Events) {
    let half = events.count_ones() / 2;
    let left = members(events).take(half as usize).fold(0, |set, event| set | 1 << event);
    (left, events & !left)
}

/// The worker's batch is done.
fn mark(memory: &mut Memory, worker: usize, with_gaps: bool) {
    memory.beyond |= std::mem::take(&mut memory.workers[worker].positions);
    if with_gaps {
        let last = 15_u32.saturating_sub(memory.beyond.leading_zeros());
        memory.through = memory.through.max(u8::try_from(last).expect("a place in 16 bits"));
        memory.beyond = 0;
    }
    while memory.beyond & 1 << (memory.through + 1) != 0 {
        memory.through += 1;
        memory.beyond &= !(1 << memory.through);
    }
}
