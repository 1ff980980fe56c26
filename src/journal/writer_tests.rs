//! The writer without its thread, one step at a time.

use super::super::open::create;
use super::super::{Opened, open};
use super::*;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A writer on a new file, with the other end of its channel.
fn writer(max_bytes: u64) -> (TempDir, Writer, mpsc::Sender<Command>) {
    let directory = tempfile::tempdir().expect("a directory");
    let Opened { journal, writer, .. } = open(directory.path(), max_bytes).expect("opens");
    let shared = Arc::clone(&journal.shared);
    drop(journal);
    writer.join().expect("the writer ends");
    let connection = create(&directory.path().join("journal.db")).expect("opens");
    let (sender, commands) = mpsc::channel(16);
    let mover = create(&directory.path().join("journal.db")).expect("opens");
    let checkpoint = Checkpoint::start(mover, Arc::clone(&shared)).expect("a thread");
    let writer =
        Writer { checkpoint, connection, shared, commands, next_position: 1, page_size: 8192 };
    writer.measure();
    (directory, writer, sender)
}

type Answer = oneshot::Receiver<AppendReply>;

fn append(bodies: Vec<Bytes>) -> (Append, Answer) {
    let (reply, answer) = oneshot::channel();
    (Append { bodies, received: DateTime::default(), reply }, answer)
}

/// Of so many bytes, one body.
fn sized(size: u64) -> Append {
    append(vec![vec![b'x'; usize::try_from(size).expect("small")].into()]).0
}

fn trouble(writer: &Writer) -> Option<AppendError> {
    writer.shared.trouble.lock().expect("no panic").clone()
}

#[test]
fn what_waits_is_one_group_that_ends_where_it_is_large() {
    let (_directory, mut writer, sender) = writer(1 << 30);
    let mut groups_of = |bodies: &[Bytes]| {
        for _ in 0..5 {
            let (Append { bodies, received, reply }, _) = append(bodies.to_vec());
            sender.try_send(Command::Append { bodies, received, reply }).expect("room");
            sender.try_send(Command::Wake).expect("room");
        }
        let mut groups = Vec::new();
        while let Ok(first) = writer.commands.try_recv() {
            groups.push(writer.gather(first).len());
        }
        groups.retain(|size| *size > 0);
        groups
    };
    assert_eq!(groups_of(&[Bytes::from("small")]), [5]);
    let half = vec![Bytes::from(vec![b'x'; 1 << 20]); MAX_GROUP_BYTES >> 21];
    assert_eq!(groups_of(&half), [2, 2, 1]);
}

#[test]
fn what_passes_the_limit_is_refused_and_what_fits_beside_it_is_not() {
    let (_directory, writer, _sender) = writer(100_000);
    writer.shared.bytes.store(90_000, Ordering::Release);
    let overhead = ROW_OVERHEAD_BYTES;
    let (two, _answer) = append(vec![vec![b'x'; 1000].into(), vec![b'y'; 1000].into()]);
    let rest = 8000 - 2 * overhead; // beside those two, with their overhead
    let group = vec![two, sized(rest - overhead + 1), sized(rest - overhead), sized(0)];
    let (within, refused) = writer.within_limit(group);
    let sizes = |group: &[Append]| {
        group.iter().map(|append| append.bodies[0].len() as u64).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&within), [1000, rest - overhead], "to the last byte");
    assert_eq!(sizes(&refused), [rest - overhead + 1, 0]);
}

#[test]
fn only_what_was_written_anew_ends_a_trouble() {
    let (_directory, mut writer, _sender) = writer(100_000);
    let (first, mut answer) = append(vec![Bytes::from("a")]);
    writer.commit(vec![first]);
    assert_eq!(answer.try_recv(), Ok(Ok(())));
    let (large, mut refused) = append(vec![vec![b'x'; 200_000].into()]);
    writer.commit(vec![large]);
    let full = refused.try_recv().expect("answered").expect_err("beyond the limit");
    assert_eq!(trouble(&writer), Some(full.clone()));
    writer.shared.forget_through.store(1, Ordering::Release);
    writer.commit(Vec::new());
    assert_eq!(writer.shared.forgotten.load(Ordering::Acquire), 1);
    assert_eq!(trouble(&writer), Some(full), "forgetting says nothing of writing");
    let (second, mut answer) = append(vec![Bytes::from("b")]);
    writer.commit(vec![second]);
    assert_eq!((answer.try_recv(), trouble(&writer)), (Ok(Ok(())), None));
}

/// Pages are said to be larger than they are: to write a file that is really so large takes seconds.
#[test]
fn a_large_file_is_given_back_once_it_is_empty_and_not_before() {
    const PAGES: u64 = 32;
    let (_directory, mut writer, _sender) = writer(1 << 30);
    let count = |writer: &Writer| {
        let pages = writer.connection.query_row("PRAGMA page_count", (), |row| row.get(0));
        pages.map(i64::cast_unsigned).expect("read")
    };
    while count(&writer) < PAGES {
        writer.commit(vec![sized(5000)]);
    }
    let last = writer.next_position - 1;
    writer.shared.forget_through.store(last, Ordering::Release);
    writer.commit(Vec::new());
    let in_use = SHRINK_ABOVE_BYTES / 16;
    let mut shrinks = |forgotten, in_use, page_size| {
        writer.shared.forgotten.store(forgotten, Ordering::Release);
        writer.shared.bytes.store(in_use, Ordering::Release);
        writer.page_size = page_size;
        writer.shrink();
        count(&writer) < PAGES
    };
    let limit = SHRINK_ABOVE_BYTES / PAGES;
    assert!(!shrinks(last - 1, in_use, limit + 1), "an entry is left");
    assert!(!shrinks(last, in_use + 1, limit + 1), "much is in use");
    assert!(!shrinks(last, in_use, limit), "it is not so large");
    assert!(shrinks(last, in_use, limit + 1));
}

#[test]
fn only_what_leaves_the_file_in_doubt_ends_the_journal() {
    let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
    let sync = [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_CLOSE];
    let damage = [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_SHORT_READ];
    for code in sync.into_iter().chain(damage) {
        assert!(matches!(classify(&error(code)), AppendError::Failed(_)), "{code}");
        assert_eq!(is_damage(&error(code)), damage.contains(&code), "{code}");
    }
    let disk = [ffi::SQLITE_FULL, ffi::SQLITE_READONLY, ffi::SQLITE_IOERR_WRITE];
    for code in disk.into_iter().chain([ffi::SQLITE_BUSY]) {
        assert!(matches!(classify(&error(code)), AppendError::Disk(_)), "{code}");
        assert!(!is_damage(&error(code)), "{code}");
    }
    let connection = Connection::open_in_memory().expect("opens");
    let schema = connection.prepare(INSERT).expect_err("no such table");
    assert!(is_damage(&schema) && matches!(classify(&schema), AppendError::Failed(_)));
    let other = classify(&rusqlite::Error::InvalidQuery);
    assert!(matches!(other, AppendError::Disk(_)), "not of SQLite, and nothing was written");
}

#[test]
fn a_long_log_is_moved_after_a_commit_and_begun_anew_by_a_later_one() {
    let (_directory, mut writer, _sender) = writer(1 << 30);
    let pages = |writer: &Writer| -> i64 {
        let log = "PRAGMA wal_checkpoint(NOOP)";
        writer.connection.query_row(log, (), |row| row.get(1)).expect("read")
    };
    // As `open` has it: else SQLite does so itself.
    writer.connection.pragma_update(None, "wal_autocheckpoint", 0).expect("set");
    writer.commit(vec![sized(10 << 20)]);
    let long = pages(&writer);
    let started = Instant::now();
    while pages(&writer) >= long {
        assert!(started.elapsed() < Duration::from_secs(30), "it only grows");
        writer.commit(vec![sized(1)]);
    }
}
