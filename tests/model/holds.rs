//! The protocol as it is, in small worlds that differ in what may go wrong.

use super::calls::Sort;
use super::explore::explore;
use super::state::{Bounds, Chances};
use super::steps::Model;
use callsink::domain::SummaryState::{self, Complete, Partial};
use std::time::Instant;

/// An event of `call` that may be sent `sends` times.
pub fn event(call: u8, state: SummaryState, sends: u8) -> (Sort, u8) {
    (Sort { call, state, refused: false }, sends)
}

/// An event that PostgreSQL refuses for its content.
pub fn refused(call: u8, sends: u8) -> (Sort, u8) {
    (Sort { call, state: Partial, refused: true }, sends)
}

fn holds(name: &str, bounds: Bounds) {
    let started = Instant::now();
    let explored = explore(&Model::new(bounds, None));
    let explored = explored.unwrap_or_else(|found| panic!("{name}: {found:?}"));
    println!(
        "{name}: {} states, {} steps, {} deep, {:.1} s",
        explored.states,
        explored.steps,
        explored.depth,
        started.elapsed().as_secs_f64()
    );
    assert!(explored.states > 1_000, "{name}: the walk has lost its way");
}

#[test]
fn acknowledged_implies_applied_whatever_crashes_and_stops() {
    holds(
        "crashes",
        Bounds {
            events: vec![event(0, Complete, 1), event(0, Partial, 1), event(1, Complete, 1)],
            services: 1,
            workers: 2,
            in_memory: 2,
            chances: Chances { crashes: 2, ..Chances::default() },
        },
    );
}

#[test]
fn acknowledged_implies_applied_whatever_the_database_does() {
    holds(
        "database",
        Bounds {
            events: vec![event(0, Complete, 1), event(0, Partial, 1), event(1, Complete, 1)],
            services: 1,
            workers: 2,
            in_memory: 2,
            chances: Chances { outages: 1, strays: 1, ..Chances::default() },
        },
    );
}

#[test]
fn acknowledged_implies_applied_on_a_disk_that_fails() {
    holds(
        "disk",
        Bounds {
            events: vec![event(0, Complete, 2), event(0, Partial, 1)],
            services: 1,
            workers: 1,
            in_memory: 2,
            chances: Chances { crashes: 1, stops: 1, failed_syncs: 1, ..Chances::default() },
        },
    );
}

#[test]
fn acknowledged_implies_applied_with_a_refused_event_in_the_batch() {
    holds(
        "refusal",
        Bounds {
            events: vec![event(0, Complete, 1), refused(0, 1), event(1, Partial, 1)],
            services: 1,
            workers: 1,
            in_memory: 3,
            chances: Chances { crashes: 1, outages: 1, ..Chances::default() },
        },
    );
}

#[test]
fn an_event_that_is_sent_again_and_again_is_in_its_row_once() {
    holds(
        "repeats",
        Bounds {
            events: vec![event(0, Complete, 2), event(0, Partial, 2)],
            services: 1,
            workers: 1,
            in_memory: 2,
            chances: Chances { crashes: 1, ..Chances::default() },
        },
    );
}

#[test]
fn two_services_on_one_database_make_the_same_row() {
    holds(
        "two services",
        Bounds {
            events: vec![event(0, Complete, 1), event(0, Partial, 1)],
            services: 2,
            workers: 1,
            in_memory: 2,
            chances: Chances { crashes: 1, strays: 1, ..Chances::default() },
        },
    );
}
