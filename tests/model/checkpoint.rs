//! The journal's checkpoint, as a model of its own: the log's pages go into the file while commits go on, syncs fail,
//! the service is killed, the power fails. What holds: what the log has dropped is on the disk in the file.
//!
//! | step of the model | where the code does it |
//! |---|---|
//! | `Commit` | `journal/writer.rs::Writer::write`; that the log begins anew where all of it is in the file is SQLite's part |
//! | `Begin`, `Move` | `journal/checkpoint.rs::Mover::move_all`: SQLite's passive checkpoint, which syncs only where nothing was committed meanwhile |
//! | `Sync`, `SyncFails` | `Mover::move_all`, the sync of the file; `Shared::log_stays` |
//! | `Rest`, `RestFails` | `Checkpoint::go_on` on the writer's thread |
//! | `Restart`, `PowerFails` | `journal/open.rs::empty_the_log`: all that the log holds is moved again |
//!
//! In the log all pages are on the disk: a commit that is not synced is `disk.rs`'s matter.

use super::explore::{Kind, Protocol, explore};

/// So many commits, a page each.
const COMMITS: usize = 4;

/// Where a page of the file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Page {
    Nowhere,
    /// In the page cache; the next sync writes it.
    Cache,
    /// In the page cache, and no sync will write it unless it is written anew.
    Stranded,
    Disk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// Pages up to this one are being moved.
    Moving(usize),
    /// They are moved and not synced.
    Moved,
    Rest,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    /// One per commit.
    file: [Page; COMMITS],
    /// The log holds what was committed from here on.
    base: usize,
    committed: usize,
    /// What SQLite takes for moved.
    moved: usize,
    stage: Stage,
    failed: bool,
    failures_left: u8,
    crashes_left: u8,
}

#[derive(Debug)]
enum Step {
    Commit,
    Begin,
    Move,
    MoveFails,
    Sync,
    SyncFails,
    Rest,
    RestFails,
    Restart,
    PowerFails,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    /// As where nobody looked at what the sync says.
    SyncUnheard,
    /// SQLite's own checkpoint within a commit, where a reader was in the way of the one before: what that one has moved
    /// is synced along with the rest, and what that sync says is unheard.
    SqlitesOwn,
}

struct Checkpoint(Option<Mistake>);

impl State {
    /// Into the page cache, from what is moved up to `to`.
    fn write(&mut self, to: usize) {
        self.file[self.moved..to].fill(Page::Cache);
    }

    fn turn(&mut self, from: Page, to: Page) {
        for page in self.file.iter_mut().filter(|page| **page == from) {
            *page = to;
        }
    }

    /// Everything that is committed goes into the file, anew, and the log is empty.
    fn recover(&mut self) {
        self.file[self.base..self.committed].fill(Page::Disk);
        (self.base, self.moved) = (self.committed, self.committed);
        (self.stage, self.failed) = (Stage::Idle, false);
    }
}

impl Checkpoint {
    fn fails(&self, state: &State, mistake: Mistake, unheard: Stage) -> State {
        let mut next = state.clone();
        next.turn(Page::Cache, Page::Stranded);
        next.failures_left -= 1;
        next.failed = self.0 != Some(mistake);
        next.stage = if next.failed { Stage::Idle } else { unheard };
        next
    }
}

impl Protocol for Checkpoint {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State {
            file: [Page::Nowhere; COMMITS],
            base: 0,
            committed: 0,
            moved: 0,
            stage: Stage::Idle,
            failed: false,
            failures_left: 2,
            crashes_left: 2,
        }
    }

    fn steps(&self, state: &State) -> Vec<(Kind, Step, State)> {
        let mut steps = Vec::new();
        let mut may = |kind, step, next| steps.push((kind, step, next));
        let with = |change: &dyn Fn(&mut State)| {
            let mut next = state.clone();
            change(&mut next);
            next
        };
        if !state.failed && state.committed < COMMITS {
            let commit = with(&|next| {
                if next.moved == next.committed {
                    next.base = next.committed;
                }
                next.committed += 1;
            });
            may(Kind::Chance, Step::Commit, commit);
        }
        let may_fail = state.failures_left > 0;
        match state.stage {
            Stage::Idle if !state.failed && state.moved < state.committed => {
                let begin = with(&|next| next.stage = Stage::Moving(next.committed));
                may(Kind::Duty, Step::Begin, begin);
            }
            Stage::Idle => {}
            Stage::Moving(to) => {
                let mut wrote = state.clone();
                wrote.write(to);
                let syncs = to == state.committed;
                if syncs && may_fail {
                    let fails = self.fails(&wrote, Mistake::SyncUnheard, Stage::Moved);
                    may(Kind::Chance, Step::MoveFails, fails);
                }
                if syncs {
                    wrote.turn(Page::Cache, Page::Disk);
                }
                (wrote.moved, wrote.stage) = (to, Stage::Moved);
                may(Kind::Duty, Step::Move, wrote);
            }
            Stage::Moved if self.0 == Some(Mistake::SqlitesOwn) => {
                may(Kind::Duty, Step::Sync, with(&|next| next.stage = Stage::Rest));
            }
            Stage::Moved => {
                if may_fail {
                    let fails = self.fails(state, Mistake::SyncUnheard, Stage::Rest);
                    may(Kind::Chance, Step::SyncFails, fails);
                }
                let sync = with(&|next| {
                    next.turn(Page::Cache, Page::Disk);
                    next.stage = Stage::Rest;
                });
                may(Kind::Duty, Step::Sync, sync);
            }
            Stage::Rest => {
                let mut wrote = state.clone();
                wrote.write(state.committed);
                if may_fail {
                    let fails = self.fails(&wrote, Mistake::SqlitesOwn, Stage::Idle);
                    may(Kind::Chance, Step::RestFails, fails);
                }
                wrote.turn(Page::Cache, Page::Disk);
                (wrote.moved, wrote.stage) = (state.committed, Stage::Idle);
                may(Kind::Duty, Step::Rest, wrote);
            }
        }
        if state.crashes_left > 0 {
            let restart = |next: &mut State| {
                next.crashes_left -= 1;
                next.recover();
            };
            may(Kind::Chance, Step::Restart, with(&restart));
            let power_fails = with(&|next| {
                next.turn(Page::Cache, Page::Nowhere);
                next.turn(Page::Stranded, Page::Nowhere);
                restart(next);
            });
            may(Kind::Chance, Step::PowerFails, power_fails);
        }
        steps
    }

    fn wrong(&self, state: &State) -> Option<String> {
        // What is on its way into the file may be in the cache only while the log still has it.
        let lost = state.file[..state.base].iter().position(|page| *page != Page::Disk)?;
        Some(format!("dropped from the log, but not on the disk: commit {lost}"))
    }

    fn unfinished(&self, state: &State) -> Option<String> {
        let open = !state.failed && state.moved < state.committed;
        open.then(|| "at rest, but the log is not moved".to_owned())
    }
}

#[test]
fn what_the_log_has_dropped_is_on_the_disk_whatever_fails() {
    let explored = explore(&Checkpoint(None)).unwrap_or_else(|found| panic!("{found:?}"));
    println!("checkpoint: {} states, {} steps", explored.states, explored.steps);
    assert!(explored.states > 300, "the walk has lost its way: {explored:?}");
}

#[test]
fn a_sync_of_the_checkpoint_that_nobody_heard_of_would_lose_acknowledged_events() {
    for mistake in [Mistake::SyncUnheard, Mistake::SqlitesOwn] {
        let found = explore(&Checkpoint(Some(mistake))).expect_err("a mistake to be found");
        println!("{mistake:?}: {found:?}\n");
        assert!(found.reason.contains("dropped from the log"), "{mistake:?}: {found:?}");
    }
}
