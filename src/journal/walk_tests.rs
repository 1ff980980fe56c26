//! How far a walk goes on where nothing is to be had, at positions beyond that number as well as below it.

use super::super::checksum::checksum;
use super::super::inspect::file_in;
use super::super::inspect_tests::{execute, walked};
use super::*;
use tempfile::TempDir;

/// A journal with one small entry at each of these positions, of which the last may be altered.
fn journal(positions: &[u64], last_is_sound: bool) -> (TempDir, Inspector) {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = super::super::open(directory.path(), 1 << 30).expect("opens");
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
    for position in positions {
        let sum = checksum(*position, 0, b"a");
        execute(
            directory.path(),
            &format!("INSERT INTO entries VALUES ({position}, 0, CAST('a' AS BLOB), {sum})"),
        );
    }
    if !last_is_sound {
        let last = "(SELECT max(position) FROM entries)";
        execute(
            directory.path(),
            &format!("UPDATE entries SET checksum = 0 WHERE position = {last}"),
        );
    }
    let inspector = Inspector::open(&file_in(directory.path())).expect("opens");
    (directory, inspector)
}

/// Position 0 is nobody's: with an entry there the beginning can't be trusted.
#[test]
fn going_down_it_finds_what_lies_as_far_as_is_hopeless_and_no_further() {
    let (middle, last) = (2 + HOPELESS, 2 + 2 * HOPELESS);
    let (_directory, inspector) = journal(&[0, 1, middle, last], true);
    let found = [
        format!("nothing before {middle}"),
        format!("{middle}-{middle}"),
        format!("{last}-{last}"),
    ];
    assert_eq!(walked(&inspector, None, None), found);
}

#[test]
fn going_down_it_ends_with_the_first_position() {
    let (_directory, inspector) = journal(&[0, 1, 2], true);
    assert_eq!(walked(&inspector, None, None), ["nothing before 1", "1-2"]);
}

#[test]
fn going_up_it_passes_over_what_cannot_be_read_and_gives_up_where_that_is_hopeless() {
    let first = 2 * HOPELESS;
    let (_directory, inspector) = journal(&[first, first + 1, first + 3, first + 4], false);
    let found = [format!("{first}-{}", first + 1), format!("{0}-{0}", first + 3)];
    let bad = format!("not {0}-{0}", first + 4);
    assert_eq!(walked(&inspector, None, None), [&found[..], &[bad]].concat());

    let far = first + HOPELESS + 200;
    let (_directory, inspector) = journal(&[first, far], false);
    let found = [format!("{first}-{first}"), format!("nothing from {}", first + 1)];
    assert_eq!(walked(&inspector, Some(first), Some(far - 100)), found, "it does not reach so far");
}
