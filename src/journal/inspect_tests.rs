//! Looking into journals of running, stopped, killed and damaged services, and walking through them.

use super::inspect::{InspectError, Inspector, file_in};
use super::salvage_tests::{change, killed};
use super::walk::{Found, walk};
use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const FILE: &str = "journal.db";

fn files(directory: &Path) -> BTreeSet<(String, u64)> {
    let entries = fs::read_dir(directory).expect("readable").map(|entry| entry.expect("an entry"));
    let told = entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, entry.metadata().expect("there").len())
    });
    told.collect()
}

fn close(opened: Opened) {
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
}

/// What a walk comes across, in few words.
pub(super) fn walked(inspector: &Inspector, from: Option<u64>, to: Option<u64>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut run: Option<(u64, u64)> = None;
    walk::<InspectError>(inspector, from, to, &mut |found| {
        if let Found::Entry(entry) = &found {
            match &mut run {
                Some((_, last)) if *last + 1 == entry.position => *last = entry.position,
                _ => {
                    words.extend(run.take().map(|(first, last)| format!("{first}-{last}")));
                    run = Some((entry.position, entry.position));
                }
            }
            return Ok(());
        }
        words.extend(run.take().map(|(first, last)| format!("{first}-{last}")));
        words.push(match found {
            Found::Unreadable { first, last } => format!("not {first}-{last}"),
            Found::NothingBefore(first) => format!("nothing before {first}"),
            Found::NothingFrom(from) => format!("nothing from {from}"),
            Found::Entry(_) => return Ok(()),
        });
        Ok(())
    })
    .expect("damage is no error");
    words.extend(run.take().map(|(first, last)| format!("{first}-{last}")));
    words
}

pub(super) fn execute(directory: &Path, sql: &str) {
    let file = rusqlite::Connection::open(directory.join(FILE)).expect("opens");
    file.execute_batch(sql).expect("executed");
}

#[tokio::test]
async fn a_running_service_is_looked_into_without_leaving_a_trace() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    let now = Utc::now();
    let mut bodies: Vec<Bytes> =
        (0..9).map(|number| Bytes::from(format!("body {number}"))).collect();
    bodies[0] = vec![b'x'; 50_000].into(); // leaves pages free when it is forgotten
    opened.journal.append(bodies, now).await.expect("durable");
    opened.journal.forget_through(2);
    opened.journal.append(vec![Bytes::from("last")], now).await.expect("durable");
    let before = files(directory.path());

    let path = file_in(directory.path());
    let inspector = Inspector::open(&path).expect("a running one can be read");
    assert_eq!(inspector.path(), path);
    assert_eq!(inspector.layout().expect("read"), 2);
    assert_eq!(inspector.span().expect("read"), Some((3, 10)));
    assert_eq!(inspector.end(false).expect("read"), Some(3));
    assert_eq!(inspector.end(true).expect("read"), Some(10));
    let entry = inspector.entry(4).expect("read").expect("there");
    assert_eq!((entry.position, &entry.body[..]), (4, &b"body 3"[..]));
    assert_eq!(inspector.entry(2).expect("read"), None, "forgotten");
    let received = inspector.received(4).expect("read").expect("there");
    assert_eq!(received.timestamp_micros(), now.timestamp_micros());
    assert_eq!(inspector.received(11).expect("read"), None);
    let positions: Vec<u64> =
        inspector.after(8).expect("read").iter().map(|entry| entry.position).collect();
    assert_eq!(positions, [9, 10]);
    assert_eq!(inspector.problems().expect("read"), [""; 0]);
    let sizes = inspector.sizes().expect("read");
    let size = |name: &str| fs::metadata(directory.path().join(name)).expect("there").len();
    assert_eq!((sizes.file, sizes.wal), (size(FILE), size("journal.db-wal")));
    assert_eq!(sizes.used, opened.journal.status().bytes);
    assert!(sizes.wal > 0 && sizes.used > 0 && sizes.used.is_multiple_of(8192), "{sizes:?}");
    drop(inspector);
    assert_eq!(files(directory.path()), before);
    opened.journal.append(vec![Bytes::from("more")], now).await.expect("nothing is in the way");
    close(opened);
}

#[tokio::test]
async fn a_stopped_journal_is_read_as_it_is_until_a_service_starts_on_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(vec![Bytes::from("old"); 40], Utc::now()).await.expect("durable");
    close(opened);
    let path = file_in(directory.path());
    let before = files(directory.path());
    let inspector = Inspector::open(&path).expect("opens");
    assert_eq!(inspector.span().expect("read"), Some((1, 40)));
    assert_eq!(inspector.sizes().expect("read").wal, 0);
    drop(inspector);
    assert_eq!(files(directory.path()), before);

    let inspector = Inspector::open(&path).expect("opens");
    let opened = open(directory.path(), 1 << 30).expect("a service starts");
    opened.journal.append(vec![Bytes::from("new")], Utc::now()).await.expect("durable");
    let disturbed = [
        inspector.span().err(),
        inspector.entry(1).err(),
        inspector.after(0).err(),
        inspector.layout().err(),
        walk(&inspector, Some(1), None, &mut |_| Ok(())).err(),
    ];
    for error in disturbed {
        let error = error.expect("what it read may be old");
        assert!(matches!(error, InspectError::Disturbed) && !error.is_damage(), "{error}");
    }
    close(opened);
}

#[tokio::test]
async fn of_a_killed_service_the_log_is_read_too() {
    let directory = killed(60, 30, 500).await;
    let inspector = Inspector::open(&file_in(directory.path())).expect("opens");
    assert_eq!(inspector.span().expect("read"), Some((1, 60)));
    assert_eq!(walked(&inspector, None, None), ["1-60"]);
}

#[tokio::test]
async fn a_chunk_ends_where_it_is_large_and_holds_one_entry_however_large() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    let sizes = [2, 1, 1, 1, 5, 1].map(|mib| Bytes::from(vec![b'x'; mib << 20]));
    opened.journal.append(sizes.to_vec(), Utc::now()).await.expect("durable");
    let count = |after| opened.reader.after(after).expect("read").len();
    assert_eq!([0, 1, 2, 3, 4, 5, 6].map(count), [3, 4, 3, 2, 1, 1, 0]);
    close(opened);
}

#[tokio::test]
async fn what_cannot_be_looked_into_says_why() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = file_in(directory.path());
    let missing = Inspector::open(&path).expect_err("nothing is there");
    assert!(matches!(&missing, InspectError::Missing(told) if *told == path), "{missing}");
    assert!(!missing.is_damage());
    assert!(files(directory.path()).is_empty(), "and nothing is made");

    let directory = killed(10, 0, 500).await;
    let path = file_in(directory.path());
    execute(directory.path(), "PRAGMA user_version = 3");
    let later = Inspector::open(&path).expect_err("of a later callsink");
    assert!(
        matches!(later, InspectError::TooNew { found: 3, .. }) && !later.is_damage(),
        "{later}"
    );
    execute(directory.path(), "PRAGMA user_version = 2");
    assert!(Inspector::open(&path).is_ok());

    fs::write(&path, vec![b'x'; 20_000]).expect("written");
    let foreign = Inspector::open(&path).expect_err("no database");
    assert!(foreign.is_damage(), "{foreign}");
    fs::remove_file(&path).expect("removed");
    let empty = rusqlite::Connection::open(&path).expect("opens");
    empty
        .execute_batch(
            "PRAGMA user_version = 2; CREATE TABLE entries (position INTEGER PRIMARY KEY)",
        )
        .expect("made");
    drop(empty);
    let inspector = Inspector::open(&path).expect("opens");
    assert_eq!(inspector.span().expect("read"), None, "empty");
    assert_eq!(inspector.end(true).expect("read"), None);
    assert_eq!(walked(&inspector, None, None), [""; 0]);
    assert!(inspector.after(0).expect_err("no such column").is_damage());
}

#[tokio::test]
async fn a_damaged_file_says_what_is_wrong_and_a_cut_one_can_be_read_where_it_is_whole() {
    let directory = killed(200, 0, 500).await;
    let path = file_in(directory.path());
    change(directory.path(), FILE, |bytes| bytes[5 * 8192..6 * 8192].fill(0xff));
    let inspector = Inspector::open(&path).expect("opens");
    let problems = inspector.problems().expect("the check goes on");
    assert!(!problems.is_empty() && problems.iter().all(|line| line != "ok"), "{problems:?}");
    assert!(inspector.after(0).expect_err("one page is enough").is_damage());

    change(directory.path(), FILE, |bytes| bytes[100..200].fill(0xff));
    let inspector = Inspector::open(&path).expect("opens");
    assert!(inspector.problems().expect_err("no schema, nothing to check").is_damage());

    let directory = killed(200, 0, 500).await;
    let path = file_in(directory.path());
    change(directory.path(), FILE, |bytes| bytes.truncate(bytes.len() / 2));
    let refused = Inspector::open(&path).and_then(|inspector| inspector.span());
    assert!(refused.expect_err("its length is wrong").is_damage());
    let inspector = Inspector::open_damaged(&path).expect("opens");
    let found = walked(&inspector, None, None);
    assert!(found[0].starts_with("1-"), "{found:?}");
    assert!(found.last().is_some_and(|last| last.starts_with("nothing from ")), "{found:?}");
}

#[tokio::test]
async fn a_walk_tells_where_entries_are_and_where_they_cannot_be_read() {
    let directory = killed(600, 0, 100).await;
    execute(
        directory.path(),
        "DELETE FROM entries WHERE position <= 20;
         UPDATE entries SET checksum = 0 WHERE position IN (30, 31, 32, 99, 600)",
    );
    let inspector = Inspector::open(&file_in(directory.path())).expect("opens");
    assert_eq!(
        walked(&inspector, None, None),
        ["21-29", "not 30-32", "33-98", "not 99-99", "100-599", "not 600-600"]
    );
    assert_eq!(walked(&inspector, Some(5), Some(31)), ["21-29", "not 30-31"]);
    assert_eq!(walked(&inspector, Some(32), Some(40)), ["not 32-32", "33-40"]);
    assert_eq!(walked(&inspector, Some(31), Some(31)), ["not 31-31"]);
    assert_eq!(walked(&inspector, Some(33), Some(33)), ["33-33"]);
    assert_eq!(walked(&inspector, Some(590), None), ["590-599", "not 600-600"]);
    assert_eq!(walked(&inspector, Some(601), None), [""; 0]);
    assert_eq!(walked(&inspector, Some(40), Some(39)), [""; 0]);
}

#[tokio::test]
async fn of_a_file_that_has_lost_its_beginning_the_walk_goes_down_from_its_end() {
    let directory = killed(200, 0, 500).await;
    let inspector = Inspector::open(&file_in(directory.path())).expect("opens");
    assert_eq!(walked(&inspector, None, None), ["1-200"]);
    drop(inspector);
    change(directory.path(), FILE, |bytes| {
        // The leaf that holds the first entry.
        let wanted = super::salvage_tests::text(0, 500);
        let at = bytes.windows(wanted.len()).position(|window| window == wanted.as_bytes());
        let page = at.expect("it is there") / 8192;
        bytes[page * 8192..(page + 1) * 8192].fill(0xff);
    });
    let inspector = Inspector::open_damaged(&file_in(directory.path())).expect("opens");
    let found = walked(&inspector, None, None);
    assert_eq!(found.len(), 2, "{found:?}");
    let first: u64 = found[0].trim_start_matches("nothing before ").parse().expect("a position");
    assert!((10..25).contains(&first), "{found:?}");
    assert_eq!(found[1], format!("{first}-200"));
    let from = walked(&inspector, Some(1), Some(first));
    assert_eq!(from, [format!("not 1-{}", first - 1), format!("{first}-{first}")]);
}

#[test]
fn a_file_that_is_out_of_reach_is_not_taken_for_damaged() {
    use rusqlite::ffi;
    let told = |code| {
        let cause = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        InspectError::Sqlite { path: FILE.into(), cause }.is_damage()
    };
    for code in [ffi::SQLITE_BUSY, ffi::SQLITE_CANTOPEN, ffi::SQLITE_PERM, ffi::SQLITE_NOMEM] {
        assert!(!told(code), "{code}");
    }
    for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_READ] {
        assert!(told(code), "{code}");
    }
}

/// What a kill leaves between the first two writes of a new log. Found by fuzzing.
#[tokio::test]
async fn repro_a_log_that_has_only_its_head_keeps_nobody_from_reading() {
    let directory = killed(20, 5, 100).await;
    let path = file_in(directory.path());
    let in_file = walked(&Inspector::open_alone(&path).expect("opens"), None, None);
    assert_eq!(in_file, ["1-20"]);
    change(directory.path(), "journal.db-wal", |log| log.truncate(32));
    fs::write(directory.path().join("journal.db-shm"), [0; 32 << 10]).expect("written");
    let shared = Inspector::open(&path).expect("opens");
    assert_eq!(walked(&shared, None, None), ["1-15"], "the rest was in the log");
    drop(shared);
    let alone = Inspector::open_alone(&path).expect("opens");
    assert_eq!(walked(&alone, None, None), ["1-15"]);
}
