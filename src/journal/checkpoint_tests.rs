//! The checkpoint, one step of the writer's at a time.

use super::super::open::create;
use super::super::{Opened, open};
use super::*;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The writer's connection to a new journal, and a checkpoint of it.
fn journal() -> (TempDir, Connection, Checkpoint, Arc<Shared>) {
    let directory = tempfile::tempdir().expect("a directory");
    let Opened { journal, writer, .. } = open(directory.path(), 1 << 30).expect("opens");
    let shared = Arc::clone(&journal.shared);
    drop(journal);
    writer.join().expect("the writer ends");
    let connection = create(&file(&directory)).expect("opens");
    connection.pragma_update(None, "wal_autocheckpoint", 0).expect("set");
    let mover = Connection::open(file(&directory)).expect("opens");
    let checkpoint = Checkpoint::start(mover, Arc::clone(&shared)).expect("a thread");
    (directory, connection, checkpoint, shared)
}

fn file(directory: &TempDir) -> std::path::PathBuf {
    directory.path().join("journal.db")
}

/// One commit of about so many pages.
fn commit(connection: &Connection, pages: u32) {
    let body = vec![b'x'; 8192 * pages as usize];
    let insert = "INSERT INTO entries (received, body) VALUES (0, ?1)";
    connection.execute(insert, [body]).expect("inserted");
}

fn stage(checkpoint: &Checkpoint) -> u8 {
    checkpoint.stage.load(Ordering::Acquire)
}

fn until_it_is_not_moving(checkpoint: &Checkpoint) {
    let started = Instant::now();
    while stage(checkpoint) == Stage::Moving as u8 {
        assert!(started.elapsed() < Duration::from_secs(60), "it never ends");
        std::thread::yield_now();
    }
}

fn log_size(directory: &Path) -> u64 {
    std::fs::metadata(directory.join("journal.db-wal")).expect("there").len()
}

#[test]
fn a_long_log_is_moved_beside_the_writer_and_then_begun_anew() {
    let (directory, connection, mut checkpoint, shared) = journal();
    let mut go_on = |pages| {
        commit(&connection, pages);
        checkpoint.go_on(&connection).expect("goes on");
        let stage = stage(&checkpoint);
        until_it_is_not_moving(&checkpoint);
        (stage, length(&connection).expect("read"))
    };
    let (stage, _) = go_on(PAGES / 2);
    assert_eq!(stage, Stage::Idle as u8, "it is short");
    let (stage, moved) = go_on(PAGES / 2);
    assert_ne!(stage, Stage::Idle as u8, "it is moved, or has been");
    assert!(moved.log >= PAGES && moved.moved == moved.log, "nothing came in between");
    let (stage, rest) = go_on(1);
    assert_eq!(stage, Stage::Idle as u8, "the writer has moved the rest");
    assert!(
        rest.log < 10 && rest.moved == rest.log,
        "{} pages: the commit began it anew",
        rest.log
    );
    let size = log_size(directory.path());
    for _ in 0..20 {
        go_on(PAGES / 2);
    }
    assert!(log_size(directory.path()) < 2 * size, "ten times as much went through it");
    assert_eq!(*shared.trouble.lock().expect("no panic"), None);
}

#[test]
fn a_reader_in_the_way_only_puts_it_off() {
    let (directory, connection, mut checkpoint, _shared) = journal();
    let reader = Connection::open(file(&directory)).expect("opens");
    commit(&connection, 1);
    let reading = reader.unchecked_transaction().expect("begun");
    let count = |connection: &Connection| -> i64 {
        let count = connection.query_row("SELECT count(*) FROM entries", (), |row| row.get(0));
        count.expect("read")
    };
    assert_eq!(count(&reading), 1);
    commit(&connection, PAGES);
    checkpoint.go_on(&connection).expect("starts");
    until_it_is_not_moving(&checkpoint);
    checkpoint.go_on(&connection).expect("the rest");
    commit(&connection, PAGES / 2);
    checkpoint.go_on(&connection).expect("looks at it");
    assert_eq!(stage(&checkpoint), Stage::Idle as u8, "with each commit it would be in vain");
    let longer = length(&connection).expect("read");
    assert!(longer.log > PAGES && longer.moved < longer.log, "it is being read");
    assert_eq!(count(&reading), 1);
    drop(reading);

    // As much again as when it was tried: it starts, the rest is moved, and the next commit begins the log anew.
    commit(&connection, PAGES / 2);
    checkpoint.go_on(&connection).expect("starts");
    assert_ne!(stage(&checkpoint), Stage::Idle as u8, "it is moved, or has been");
    until_it_is_not_moving(&checkpoint);
    commit(&connection, 1);
    checkpoint.go_on(&connection).expect("the rest");
    commit(&connection, 1);
    let log = length(&connection).expect("read").log;
    assert!(log < 10, "{log}");
}

#[test]
fn what_leaves_the_file_in_doubt_ends_the_journal_and_a_full_disk_does_not() {
    let (_directory, _connection, _checkpoint, shared) = journal();
    let trouble = || shared.trouble.lock().expect("no panic").clone();
    shared.log_stays(AppendError::Disk("full".to_owned()));
    assert_eq!(trouble(), None, "the log has room");
    let failed = AppendError::Failed("not synced".to_owned());
    shared.log_stays(failed.clone());
    assert_eq!(trouble(), Some(failed.clone()));
    shared.note(None);
    shared.note(Some(AppendError::Disk("full".to_owned())));
    assert_eq!(trouble(), Some(failed), "what was underway says nothing of it");
}

#[test]
fn the_thread_has_ended_when_the_checkpoint_is_gone() {
    let (_directory, connection, mut checkpoint, shared) = journal();
    commit(&connection, 8 * PAGES);
    checkpoint.go_on(&connection).expect("starts");
    drop(checkpoint);
    assert_eq!(Arc::strong_count(&shared), 1, "it would write where the next start reads");
}
