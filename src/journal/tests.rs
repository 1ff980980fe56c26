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
