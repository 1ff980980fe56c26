//! Gaps: what a first walk has not read, and what is asked for a second time.

use super::*;

const END: u64 = u64::MAX;

fn entry(position: u64) -> Found {
    let received = super::super::reader::time(0);
    Found::Entry(Entry { position, received, body: bytes::Bytes::new() })
}

fn gaps(found: &[Found]) -> Gaps {
    let mut gaps = Gaps::default();
    for found in found {
        gaps.take(found);
    }
    gaps
}

/// First and last of each gap.
fn spans(gaps: &Gaps) -> Vec<(u64, u64)> {
    gaps.found.iter().map(|(first, last, _)| (*first, *last)).collect()
}

#[test]
fn positions_that_nothing_was_said_of_are_a_gap_but_for_those_before_the_first() {
    let whole = gaps(&[entry(5), entry(6), entry(7)]);
    assert_eq!((spans(&whole), whole.unknown), (vec![], false));
    assert_eq!(whole.between(), [(1, END)]);
    let one = gaps(&[entry(5), entry(8), entry(9)]);
    assert_eq!((spans(&one), one.unknown), (vec![(6, 7)], false));
    assert_eq!(one.between(), [(1, 5), (8, END)]);
}

#[test]
fn unreadable_positions_are_a_gap_along_with_those_before_them() {
    let told = |first, last| Found::Unreadable { first, last };
    assert_eq!(spans(&gaps(&[told(4, 5), entry(6)])), [(4, 5)]);
    let several = gaps(&[entry(1), entry(2), told(4, 5), entry(6), told(7, 7), entry(9)]);
    assert_eq!(spans(&several), [(3, 5), (7, 7), (8, 8)]);
    assert_eq!(several.between(), [(1, 2), (6, 6), (9, END)]);
    assert!(!several.unknown);
}

#[test]
fn an_end_that_cannot_be_read_is_open() {
    let before = gaps(&[Found::NothingBefore(10), entry(10), entry(12)]);
    assert_eq!((spans(&before), before.unknown), (vec![(1, 9), (11, 11)], true));
    assert_eq!(before.between(), [(10, 10), (12, END)]);
    let from_one = gaps(&[Found::NothingBefore(1), entry(1)]);
    assert_eq!((spans(&from_one), from_one.unknown), (vec![], true));
    let on = gaps(&[Found::NothingBefore(10), Found::Unreadable { first: 10, last: 11 }]);
    assert_eq!(spans(&on), [(1, 9), (10, 11)]);
    let behind = gaps(&[entry(7), entry(8), Found::NothingFrom(9)]);
    assert_eq!((spans(&behind), behind.unknown), (vec![(9, END)], true));
    assert_eq!(behind.between(), [(1, 8)]);
    for (entries, expected) in [
        (vec![entry(5), entry(6)], vec![(1, 4), (7, END)]),
        (vec![entry(1), entry(2)], vec![(3, END)]),
        (vec![], vec![(1, END)]),
    ] {
        let mut gaps = gaps(&entries);
        gaps.open_ends();
        assert_eq!((spans(&gaps), gaps.unknown), (expected, true));
    }
}

#[test]
fn what_lies_in_a_gap_is_wanted_from_where_it_may_be() {
    let mut gaps = gaps(&[entry(1), entry(4), entry(5), entry(8)]);
    gaps.open_end(Some(Source::Log));
    for position in [1, 4, 5, 8] {
        assert!(!gaps.wants(Source::File, position), "{position} was read");
    }
    for position in [2, 3, 6, 7] {
        assert!(gaps.wants(Source::File, position) && gaps.wants(Source::Log, position));
    }
    assert!(gaps.wants(Source::Log, 9) && gaps.wants(Source::Log, END));
    assert!(!gaps.wants(Source::File, 9), "the file was read to its end");
    assert_eq!(gaps.between(), [(1, 1), (4, 5), (8, END)], "and is read again");
}
