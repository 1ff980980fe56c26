//! The protocol with one mistake at a time: the walk must find a way to the harm.
//!
//! A check that never fails proves nothing. Each test names the mistake, what it would do, and the words
//! in which the walk says so; the shortest way there is printed.

use super::explore::explore;
use super::holds::{event, refused};
use super::state::{Bounds, Chances, Mutation};
use super::steps::Model;
use callsink::domain::SummaryState::{Complete, Partial};

const ACKNOWLEDGED_IS_LOST: &str = "acknowledged, but neither durable nor applied";
const FORGOTTEN: &str = "forgotten, but not applied";
const NOT_A_MERGE: &str = "a row that is not the merge";

fn finds(mutation: Mutation, expected: &str, bounds: Bounds) {
    let found = explore(&Model::new(bounds, Some(mutation))).expect_err("a mistake to be found");
    println!("{mutation:?}: {found:?}\n");
    assert!(found.reason.contains(expected), "{mutation:?} has another effect: {found:?}");
}

/// Two calls with a worker each, two events of the first call.
fn bounds(chances: Chances) -> Bounds {
    Bounds {
        events: vec![event(0, Complete, 1), event(0, Partial, 1), event(1, Complete, 1)],
        services: 1,
        workers: 2,
        in_memory: 2,
        chances,
    }
}

/// One call with a refused event among its two.
fn with_a_refused_event() -> Bounds {
    Bounds {
        events: vec![event(0, Complete, 1), refused(0, 1)],
        services: 1,
        workers: 1,
        in_memory: 2,
        chances: Chances::default(),
    }
}

fn crash() -> Chances {
    Chances { crashes: 1, ..Chances::default() }
}

#[test]
fn answering_before_the_sync_would_lose_an_acknowledged_event() {
    finds(Mutation::AnswerBeforeSync, ACKNOWLEDGED_IS_LOST, bounds(crash()));
}

/// As when another refusal, of a full journal say, were noted over the failure.
#[test]
fn writing_on_after_a_failed_sync_would_lose_an_acknowledged_event() {
    let chances = Chances { failed_syncs: 1, ..crash() };
    finds(Mutation::WriteOnAfterFailedSync, ACKNOWLEDGED_IS_LOST, bounds(chances));
}

/// A restart alone does not heal: the page cache shows what the disk does not have, SQLite takes it for
/// committed, and what is written behind it hangs on it.
#[test]
fn trusting_what_a_failed_sync_left_in_the_log_would_lose_an_acknowledged_event() {
    let chances = Chances { failed_syncs: 1, ..crash() };
    finds(Mutation::TrustTheLogAtStart, ACKNOWLEDGED_IS_LOST, bounds(chances));
}

#[test]
fn starting_behind_the_backlog_would_leave_it_in_the_journal() {
    finds(Mutation::SkipBacklogAtStart, "at rest, but still in the journal", bounds(crash()));
}

#[test]
fn marking_done_what_is_sent_but_not_committed_would_forget_it() {
    let chances = Chances { strays: 1, ..Chances::default() };
    finds(Mutation::DoneWhenSent, FORGOTTEN, bounds(chances));
}

#[test]
fn taking_the_latest_done_mark_for_the_low_water_mark_would_forget_what_is_in_a_gap() {
    finds(Mutation::DoneWithGaps, FORGOTTEN, bounds(Chances::default()));
}

#[test]
fn marking_done_between_upsert_and_touch_would_forget_a_losing_events_times() {
    finds(Mutation::DoneBeforeTouch, FORGOTTEN, bounds(crash()));
}

#[test]
fn dropping_the_touch_would_forget_a_losing_events_times() {
    finds(Mutation::NoTouch, FORGOTTEN, bounds(Chances::default()));
}

#[test]
fn keeping_what_comes_first_would_make_the_row_depend_on_the_order() {
    finds(Mutation::FirstComeWins, NOT_A_MERGE, bounds(Chances::default()));
}

#[test]
fn keeping_what_comes_last_would_make_the_row_depend_on_the_order() {
    finds(Mutation::LastComeWins, NOT_A_MERGE, bounds(Chances::default()));
}

#[test]
fn giving_a_batch_up_because_the_database_is_away_would_forget_it() {
    let chances = Chances { outages: 1, ..Chances::default() };
    finds(Mutation::DropOnTrouble, FORGOTTEN, bounds(chances));
}

#[test]
fn burying_a_refused_batch_whole_would_take_its_neighbours_along() {
    finds(Mutation::BuryWholeBatch, FORGOTTEN, with_a_refused_event());
}

#[test]
fn trying_a_refused_batch_again_as_if_the_database_were_away_would_never_end() {
    finds(Mutation::RetryRefused, "it can go round for ever", with_a_refused_event());
}

#[test]
fn forgetting_only_along_with_appends_would_keep_the_last_events_for_ever() {
    let expected = "at rest, but still in the journal";
    finds(Mutation::ForgetOnlyWithAppends, expected, bounds(Chances::default()));
}
