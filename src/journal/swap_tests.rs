//! What the system refuses in the middle of a swap: it is told, and nothing is taken for done.

use super::*;
use std::fs;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

#[test]
fn an_order_that_cannot_be_read_is_an_error_and_its_new_file_is_kept() {
    let directory = directory();
    fs::write(directory.path().join(ORDER), [0xff, 0xfe]).expect("written");
    fs::write(directory.path().join(NEW), "finished").expect("written");
    let refused = recover(directory.path()).expect_err("no text");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    let new = fs::read_to_string(directory.path().join(NEW));
    assert_eq!(new.expect("there"), "finished", "the old file may have been moved aside already");
}

#[test]
fn what_cannot_be_removed_is_an_error_and_what_is_not_there_is_none() {
    let directory = directory();
    discard_new(directory.path()).expect("nothing there");
    let log = beside(&directory.path().join(NEW), "-wal");
    fs::create_dir(&log).expect("made"); // no file, so it can't be removed as one
    discard_new(directory.path()).expect_err("a log that is not its own would be taken for it");
    fs::remove_dir(&log).expect("removed");
    fs::write(&log, "half a salvage").expect("written");
    discard_new(directory.path()).expect("removed");
    assert!(!log.exists());
}

/// Whether the renames reach the disk only a power loss would show; that a refusal is told shows that they are
/// meant to.
#[test]
fn a_directory_that_cannot_be_synced_is_an_error() {
    let directory = directory();
    sync(directory.path()).expect("synced");
    sync(&directory.path().join("missing")).expect_err("not there");
    sync(Path::new("/proc")).expect_err("has no disk under it");
}
