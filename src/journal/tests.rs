//! The journal against the file system, without a service around it.

use super::*;

fn bytes(text: &str) -> Vec<Bytes> {
    vec![Bytes::copy_from_slice(text.as_bytes())]
}

fn close(opened: Opened) {
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
}

fn texts(reader: &Reader, after: u64) -> Vec<(u64, String)> {
    let entries = reader.after(after).expect("the journal is readable");
    let text = |entry: &Entry| String::from_utf8_lossy(&entry.body).into_owned();
    entries.iter().map(|entry| (entry.position, text(entry))).collect()
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening_until_it_is_forgotten() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    assert_eq!((opened.salvaged.clone(), opened.backlog), (None, 0), "a new one is no damage");
    close(opened);
    let opened = open(directory.path(), 1 << 30).expect("opens");
    assert_eq!((opened.salvaged.clone(), opened.backlog), (None, 0), "nor is an empty one");
    let now = Utc::now();
    for text in ["a", "b", "c"] {
        opened.journal.append(bytes(text), now).await.expect("durable");
    }
    assert_eq!(opened.journal.status().depth, 3);
    opened.journal.forget_through(1);
    assert!(opened.journal.is_done_through(1) && !opened.journal.is_done_through(2));
    close(opened);

    let opened = open(directory.path(), 1 << 30).expect("opens again");
    assert_eq!((opened.forgotten, opened.backlog), (1, 2));
    assert_eq!(texts(&opened.reader, 1), [(2, "b".to_owned()), (3, "c".to_owned())]);
    let status = opened.journal.status();
    assert_eq!(status.oldest.map(|time| time.timestamp_micros()), Some(now.timestamp_micros()));
    opened.journal.append(bytes("d"), now).await.expect("durable");
    assert_eq!(texts(&opened.reader, 3), [(4, "d".to_owned())]);
    close(opened);
}

#[tokio::test]
async fn a_second_journal_on_the_same_directory_is_refused_until_the_first_is_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = open(directory.path(), 1 << 30).expect("opens");
    let second = open(directory.path(), 1 << 30);
    assert!(matches!(second, Err(OpenError::Locked(_))), "{second:?}");
    close(first);
    close(open(directory.path(), 1 << 30).expect("the lock is free again"));
}

#[tokio::test]
async fn at_its_limit_it_refuses_and_goes_on_once_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 256 << 10).expect("opens");
    let body = || vec![Bytes::from(vec![b'x'; 32 << 10])];
    let mut accepted = 0;
    let refusal = loop {
        match opened.journal.append(body(), Utc::now()).await {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 100, "the limit is never reached");
    };
    assert!(matches!(refusal, AppendError::Full { .. }), "{refusal}");
    assert_eq!(opened.journal.status().trouble, Some(refusal));
    opened.journal.forget_through(accepted);
    opened
        .journal
        .append(bytes("small"), Utc::now())
        .await
        .expect("it was never too large for this");
    opened.journal.append(body(), Utc::now()).await.expect("there is room again");
    assert_eq!(opened.journal.status().trouble, None);
    close(opened);
}

#[tokio::test]
async fn a_file_of_another_program_is_moved_aside_and_not_deleted() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("journal.db"), vec![7; 9000]).expect("written");
    let opened = open(directory.path(), 1 << 30).expect("opens all the same");
    let aside = opened.salvaged.clone().expect("moved aside").aside;
    assert_eq!(std::fs::read(aside).expect("still there"), vec![7; 9000]);
    opened.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    close(opened);
}

#[tokio::test]
async fn its_files_are_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    for file in std::fs::read_dir(directory.path()).expect("readable") {
        let file = file.expect("readable");
        let mode = file.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
    close(opened);
}

#[tokio::test]
async fn a_journal_of_a_later_layout_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    close(open(directory.path(), 1 << 30).expect("opens"));
    let path = directory.path().join("journal.db");
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection
        .execute_batch("PRAGMA user_version = 99; PRAGMA application_id = 0x63730063")
        .expect("set");
    drop(connection);
    let refused = open(directory.path(), 1 << 30);
    assert!(matches!(refused, Err(OpenError::TooNew { found: 99, .. })), "{refused:?}");
    let connection = rusqlite::Connection::open(&path).expect("opens");
    connection.execute_batch("PRAGMA user_version = 98").expect("set");
    drop(connection);
    let opened =
        open(directory.path(), 1 << 30).expect("a number that contradicts itself is damage");
    assert!(opened.salvaged.is_some());
    close(opened);
}

#[tokio::test]
async fn many_appends_at_once_keep_their_bodies_whole_and_their_positions_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    let appends = (0..500).map(|number| {
        let journal = opened.journal.clone();
        let pair = [format!("{number}a"), format!("{number}b")];
        async move { journal.append(pair.map(Bytes::from).to_vec(), Utc::now()).await }
    });
    for result in futures_util::future::join_all(appends).await {
        result.expect("durable");
    }
    let (mut all, mut after) = (Vec::new(), 0);
    while let Some((last, _)) = {
        let chunk = texts(&opened.reader, after);
        let last = chunk.last().cloned();
        all.extend(chunk);
        last
    } {
        after = last;
    }
    assert_eq!(
        all.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
        Vec::from_iter(1..=1000)
    );
    for pair in all.chunks(2) {
        assert_eq!(pair[0].1.trim_end_matches('a'), pair[1].1.trim_end_matches('b'));
    }
    close(opened);
}

#[tokio::test]
async fn a_closed_journal_takes_nothing_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    opened.journal.close();
    assert_eq!(opened.journal.append(bytes("b"), Utc::now()).await, Err(AppendError::Closed));
    assert_eq!(opened.journal.append(Vec::new(), Utc::now()).await, Ok(()), "nothing to keep");
    assert_eq!(texts(&opened.reader, 0), [(1, "a".to_owned())]);
    close(opened);
}

#[tokio::test]
async fn an_entry_that_is_found_altered_ends_the_run_and_the_next_start_takes_over_the_rest() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    for text in ["a", "b", "c"] {
        opened.journal.append(bytes(text), Utc::now()).await.expect("durable");
    }
    let file = rusqlite::Connection::open(directory.path().join("journal.db")).expect("opens");
    // Into the file at once: the log would still have the entry as it was.
    file.execute_batch(
        "UPDATE entries SET body = CAST('x' AS BLOB) WHERE position = 2; PRAGMA wal_checkpoint(TRUNCATE)",
    )
    .expect("altered");
    drop(file);
    let journal = &opened.journal;
    assert!(!journal.is_damaged_by(&rusqlite::Error::QueryReturnedNoRows));
    assert_eq!(journal.append(bytes("d"), Utc::now()).await, Ok(()), "nothing has happened yet");
    let error = opened.reader.after(0).expect_err("it is noticed");
    assert!(journal.is_damaged_by(&error));
    let what = journal.damaged().await;
    assert!(what.contains('2'), "{what}");
    let refused = journal.append(bytes("e"), Utc::now()).await;
    assert_eq!(refused, Err(AppendError::Failed(what.clone())));
    assert_eq!(journal.probe().await, refused, "and stays so");
    assert_eq!(journal.status().trouble, refused.err());
    close(opened);

    let opened = open(directory.path(), 1 << 30).expect("opens");
    let salvaged = opened.salvaged.clone().expect("taken over");
    assert_eq!((salvaged.entries, salvaged.unreadable, salvaged.unknown), (3, 1, false));
    assert_eq!(salvaged.reason, what, "the note of the former run");
    let taken_over = [(1, "a".to_owned()), (2, "c".to_owned()), (3, "d".to_owned())];
    assert_eq!(texts(&opened.reader, 0), taken_over);
    close(opened);
    let opened = open(directory.path(), 1 << 30).expect("opens");
    assert_eq!(opened.salvaged, None, "once");
    assert_eq!(beside::moved_aside_in(directory.path()), [salvaged.aside]);
    close(opened);
}

#[tokio::test]
async fn a_probe_writes_and_says_whether_there_is_room() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 256 << 10).expect("opens");
    assert_eq!(opened.journal.probe().await, Ok(()));
    let mut accepted = 0;
    while opened.journal.append(vec![vec![b'x'; 7000].into()], Utc::now()).await.is_ok() {
        accepted += 1;
        assert!(accepted < 100, "the limit is never reached");
    }
    let status = opened.journal.status();
    assert!((256 - 16) << 10 < status.bytes && status.bytes <= (256 + 8) << 10, "{status:?}");
    assert_eq!((status.depth, status.max_bytes), (accepted, 256 << 10));
    opened.journal.forget_through(accepted);
    while opened.journal.probe().await.is_err() {
        tokio::task::yield_now().await; // until the writer has come to it
    }
    assert_eq!(opened.journal.status().trouble, None, "there is room again");
    assert_eq!(opened.journal.append(bytes("a"), Utc::now()).await, Ok(()));
    close(opened);
}

#[tokio::test]
async fn a_journal_over_its_limit_fails_a_probe_and_can_still_be_emptied() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(vec![vec![b'x'; 100_000].into()], Utc::now()).await.expect("durable");
    close(opened);
    let opened = open(directory.path(), 64 << 10).expect("opens with a lower limit");
    let refused = opened.journal.probe().await;
    assert!(matches!(refused, Err(AppendError::Full { limit: 65_536, .. })), "{refused:?}");
    assert_eq!(opened.journal.status().trouble, refused.err());
    opened.journal.forget_through(1);
    while opened.journal.probe().await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(opened.journal.status().oldest, None);
    close(opened);
}

/// Too much for a transaction of its own, too little to be refused.
#[tokio::test]
async fn an_emptied_journal_that_was_large_gives_its_room_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let size = || std::fs::metadata(directory.path().join("journal.db")).expect("there").len();
    let opened = open(directory.path(), 1 << 30).expect("opens");
    let large = vec![Bytes::from(vec![b'x'; 9 << 20]); 30];
    opened.journal.append(large, Utc::now()).await.expect("durable");
    close(opened);
    assert!(size() > 270 << 20);
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.forget_through(29);
    opened.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    assert!(size() > 256 << 20, "not yet");
    opened.journal.forget_through(31);
    close(opened);
    assert!(size() < 1 << 20, "{}", size());
}

#[tokio::test]
async fn a_journal_that_another_program_has_locked_is_not_taken_for_damaged() {
    let directory = tempfile::tempdir().expect("a directory");
    let opened = open(directory.path(), 1 << 30).expect("opens");
    opened.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    close(opened);
    let other = rusqlite::Connection::open(directory.path().join("journal.db")).expect("opens");
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM entries")
        .expect("locked");
    let refused = open(directory.path(), 1 << 30);
    assert!(matches!(refused, Err(OpenError::Sqlite { .. })), "{refused:?}");
    drop(other);
    let opened = open(directory.path(), 1 << 30).expect("opens");
    assert_eq!((opened.salvaged.clone(), opened.backlog), (None, 1));
    close(opened);
}

#[tokio::test]
async fn a_predecessor_that_is_just_ending_is_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = open(directory.path(), 1 << 30).expect("opens");
    let (path, (began, has_begun)) = (directory.path().to_owned(), std::sync::mpsc::channel());
    let second = std::thread::spawn(move || {
        began.send(()).expect("awaited");
        open(&path, 1 << 30)
    });
    has_begun.recv().expect("it begins");
    for _ in 0..50 {
        first.journal.append(bytes("a"), Utc::now()).await.expect("durable");
    }
    close(first);
    let second = second.join().expect("no panic").expect("it has waited");
    assert_eq!(second.backlog, 50);
    close(second);
}
