//! Every step of the protocol, one function for each part of the service.
//!
//! The table in `main.rs` says where the code does each. Steps of one part that nobody else can see in
//! between are one step here: feeder and dispatcher, commit and done mark (a crash forgets both alike).

use super::calls::{Calls, bit};
use super::explore::{Kind, Protocol};
use super::properties;
use super::state::{Bounds, Memory, Mutation, Phase, Service, State};
use super::store;

/// The protocol, whole or with a mistake in it.
pub struct Model {
    pub calls: Calls,
    pub bounds: Bounds,
    pub mutation: Option<Mutation>,
}

/// What can happen.
#[derive(Debug)]
#[expect(dead_code, reason = "the numbers are for the reader of a counterexample, by way of Debug")]
pub enum Step {
    Send { service: usize, event: u8 },
    Refuse { service: usize },
    Write { service: usize },
    Sync { service: usize },
    SyncFails { service: usize },
    Answer { service: usize },
    Feed { service: usize, worker: usize },
    Upsert { service: usize, worker: usize },
    Touch { service: usize, worker: usize },
    NoAnswer { service: usize, worker: usize },
    DatabaseGoes,
    DatabaseReturns,
    StrayIsCarriedOut,
    StrayVanishes,
    Kill { service: usize },
    PowerFails { service: usize },
    AskToStop { service: usize },
    End { service: usize },
    Start { service: usize },
}

/// The steps from one state, as they are found.
pub struct Found<'s> {
    pub state: &'s State,
    pub steps: Vec<(Kind, Step, State)>,
}

impl Found<'_> {
    /// A step, and what it does.
    pub fn add(&mut self, kind: Kind, step: Step, change: impl FnOnce(&mut State)) {
        let mut next = self.state.clone();
        change(&mut next);
        self.steps.push((kind, step, next));
    }
}

impl Protocol for Model {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State::new(&self.bounds, &self.calls)
    }

    fn steps(&self, state: &State) -> Vec<(Kind, Step, State)> {
        let mut found = Found { state, steps: Vec::new() };
        for service in 0..state.services.len() {
            self.twilio(&mut found, service);
            self.writer(&mut found, service);
            self.feeder(&mut found, service);
            for worker in 0..state.services[service].memory.workers.len() {
                store::worker(self, &mut found, service, worker);
            }
            self.process(&mut found, service);
        }
        store::database(self, &mut found);
        found.steps
    }

    fn wrong(&self, state: &State) -> Option<String> {
        properties::wrong(&self.calls, state)
    }

    fn unfinished(&self, state: &State) -> Option<String> {
        properties::unfinished(&self.calls, state)
    }
}

impl Model {
    pub fn new(bounds: Bounds, mutation: Option<Mutation>) -> Self {
        let sorts: Vec<_> = bounds.events.iter().map(|(sort, _)| *sort).collect();
        Self { calls: Calls::new(&sorts), bounds, mutation }
    }

    pub fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Twilio sends until it has a 200 or gives up; it may also repeat what has one, as after an answer
    /// that got lost.
    fn twilio(&self, found: &mut Found<'_>, service: usize) {
        let state = found.state;
        let Service { phase, memory, .. } = &state.services[service];
        if *phase != Phase::Up {
            return;
        }
        let acknowledged = state.services.iter().fold(0, |set, service| set | service.acknowledged);
        for event in self.calls.events() {
            let underway = memory.requests.contains(&event);
            if underway || state.sends[usize::from(event)] == 0 {
                continue;
            }
            let again = acknowledged & bit(event) != 0;
            let kind = if again { Kind::Chance } else { Kind::Duty };
            found.add(kind, Step::Send { service, event }, |next| {
                next.sends[usize::from(event)] -= 1;
                next.services[service].memory.requests.push(event);
            });
        }
    }

    /// The one thread that writes.
    fn writer(&self, found: &mut Found<'_>, service: usize) {
        let state = found.state;
        let memory = &state.services[service].memory;
        if state.services[service].phase == Phase::Down {
            return;
        }
        if memory.answers != 0 {
            found.add(Kind::Duty, Step::Answer { service }, |next| {
                let Service { acknowledged, memory, .. } = &mut next.services[service];
                *acknowledged |= std::mem::take(&mut memory.answers);
            });
        }
        if memory.group.is_some() {
            found.add(Kind::Duty, Step::Sync { service }, |next| {
                synced(&mut next.services[service]);
            });
            if state.chances.failed_syncs > 0 {
                found.add(Kind::Chance, Step::SyncFails { service }, |next| {
                    next.chances.failed_syncs -= 1;
                    let Service { disk, memory, .. } = &mut next.services[service];
                    disk.sync_fails();
                    let refused = memory.group.take().unwrap_or_default(); // answered 503
                    memory.next_position -= u8::try_from(refused.count_ones()).expect("few");
                    memory.failed = !self.has(Mutation::WriteOnAfterFailedSync);
                });
            }
            return;
        }
        if memory.failed {
            if !memory.requests.is_empty() {
                found.add(Kind::Duty, Step::Refuse { service }, |next| {
                    next.services[service].memory.requests.clear();
                });
            }
            return;
        }
        let alone = !self.has(Mutation::ForgetOnlyWithAppends);
        if !memory.requests.is_empty() || (alone && memory.through > memory.forgotten) {
            found.add(Kind::Duty, Step::Write { service }, |next| {
                let early = self.has(Mutation::AnswerBeforeSync);
                written(&mut next.services[service], early);
            });
        }
    }

    /// Feeder and dispatcher: the next entry, to the worker of its call.
    fn feeder(&self, found: &mut Found<'_>, service: usize) {
        let Service { phase, disk, memory, .. } = &found.state.services[service];
        if *phase == Phase::Down || memory.load() >= self.bounds.in_memory {
            return;
        }
        let next = disk.readable().into_iter().find(|(position, _)| *position > memory.fed);
        let Some((position, event)) = next else { return };
        let worker = usize::from(self.calls.sorts[usize::from(event)].call % self.bounds.workers);
        found.add(Kind::Duty, Step::Feed { service, worker }, |next| {
            let memory = &mut next.services[service].memory;
            memory.fed = position;
            memory.workers[worker].inbox.push((position, event));
        });
    }

    /// Crash, stop and start.
    fn process(&self, found: &mut Found<'_>, service: usize) {
        let state = found.state;
        let Service { phase, memory, .. } = &state.services[service];
        if *phase == Phase::Down {
            found.add(Kind::Duty, Step::Start { service }, |next| {
                self.started(&mut next.services[service]);
            });
            return;
        }
        if state.chances.crashes > 0 {
            found.add(Kind::Chance, Step::Kill { service }, |next| {
                next.chances.crashes -= 1;
                next.services[service].ends();
            });
            found.add(Kind::Chance, Step::PowerFails { service }, |next| {
                next.chances.crashes -= 1;
                let service = &mut next.services[service];
                let readable = service.readable();
                service.disk.power_fails();
                let lost = readable & !service.readable();
                service.journalled &= !lost;
                service.ends();
            });
        }
        let stop = |kind, found: &mut Found<'_>| {
            found.add(kind, Step::AskToStop { service }, |next| {
                let by_chance = kind == Kind::Chance;
                next.chances.stops -= u8::from(by_chance);
                next.services[service].phase = Phase::Stopping;
            });
        };
        if *phase == Phase::Up && memory.failed {
            stop(Kind::Duty, found); // the operator does what the 503 and the log ask for
        } else if *phase == Phase::Up && state.chances.stops > 0 {
            stop(Kind::Chance, found);
        }
        let applied = memory.load() == 0 && self.everything_is_fed(&state.services[service]);
        if *phase == Phase::Stopping && memory.is_answered() && (applied || !state.database.up) {
            found.add(Kind::Duty, Step::End { service }, |next| next.services[service].ends());
        }
    }

    fn everything_is_fed(&self, service: &Service) -> bool {
        service.disk.readable().last().is_none_or(|(last, _)| *last <= service.memory.fed)
    }

    fn started(&self, service: &mut Service) {
        service.phase = Phase::Up;
        service.disk.recover();
        if !self.has(Mutation::TrustTheLogAtStart) {
            service.disk.checkpoint();
        }
        service.journalled |= service.readable();
        service.memory = Memory::after(&service.disk, self.bounds.workers);
        if self.has(Mutation::SkipBacklogAtStart) {
            service.memory.fed = service.memory.next_position - 1;
        }
    }
}

fn written(service: &mut Service, answer_early: bool) {
    let Service { disk, memory, .. } = service;
    let requests = std::mem::take(&mut memory.requests);
    let mut added = Vec::new();
    for (position, event) in (memory.next_position..).zip(&requests) {
        added.push((position, *event));
    }
    let group = requests.iter().fold(0, |set, event| set | bit(*event));
    memory.forgetting = memory.through;
    memory.next_position += u8::try_from(added.len()).expect("few");
    disk.write(added, memory.forgetting);
    memory.group = Some(group);
    if answer_early {
        memory.answers |= group;
    }
}

fn synced(service: &mut Service) {
    service.disk.sync();
    let memory = &mut service.memory;
    memory.answers |= memory.group.take().unwrap_or_default();
    memory.forgotten = memory.forgetting;
    service.journalled |= service.readable();
}
