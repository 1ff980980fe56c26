//! Entries from bare pages: of every size and time that SQLite writes in a form of its own.

use super::checksum::checksum;
use super::leaf::{PAGE, Pages};
use super::salvage_tests::change;
use super::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

const FILE: &str = "journal.db";

fn close(opened: Opened) {
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).expect("a time")
}

fn body(length: usize) -> Bytes {
    let mut dice = fastrand::Rng::with_seed(length as u64);
    std::iter::repeat_with(|| dice.u8(..)).take(length).collect()
}

async fn append(directory: &Path, entries: &[(i64, Bytes)]) {
    let opened = open(directory, 1 << 30).expect("opens");
    for (micros, body) in entries {
        opened.journal.append(vec![body.clone()], time(*micros)).await.expect("durable");
    }
    close(opened);
}

/// What stands on the pages of the file, without its tree.
fn bare(directory: &Path) -> Vec<(i64, Bytes)> {
    let file = File::open(directory.join(FILE)).expect("there");
    let pages = Pages::new(file, None).expect("readable");
    let mut found = BTreeMap::new();
    pages
        .entries::<std::io::Error>(
            |_, _| true,
            |entry| {
                found.insert(entry.position, (entry.received.timestamp_micros(), entry.body));
                Ok(())
            },
        )
        .expect("readable");
    found.into_values().collect()
}

#[tokio::test]
async fn an_entry_of_any_size_comes_out_as_it_went_in() {
    let directory = tempfile::tempdir().expect("a directory");
    // Around what fits on a page, on a page and one more, on a page and two more.
    let sizes = (0..20)
        .chain([57, 58, 1990, 2200])
        .chain((8100..8200).step_by(3))
        .chain((9000..9060).step_by(7))
        .chain((16_200..16_420).step_by(11))
        .chain((24_400..24_600).step_by(13))
        .chain([70_000, 8150, 8151, 8152, 8153, 8154, 8155, 1]);
    let entries: Vec<(i64, Bytes)> =
        sizes.map(|size| (1_800_000_000_000_000, body(size))).collect();
    append(directory.path(), &entries).await;
    let found = bare(directory.path());
    assert_eq!(found.len(), entries.len());
    assert!(found == entries);
}

#[tokio::test]
async fn an_entry_of_any_time_comes_out_as_it_went_in() {
    let directory = tempfile::tempdir().expect("a directory");
    let times = [
        0,
        1,
        2,
        127,
        128,
        -1,
        -128,
        -129,
        30_000,
        -30_000,
        40_000,
        8_000_000,
        9_000_000,
        -9_000_000,
        2_147_483_647,
        2_147_483_648,
        -2_147_483_649,
        140_737_488_355_327,
        140_737_488_355_328,
        -140_737_488_355_328,
        -140_737_488_355_329,
        4_000_000_000_000_000,
    ];
    let entries: Vec<(i64, Bytes)> = times.iter().map(|&time| (time, body(2500))).collect();
    append(directory.path(), &entries).await;
    assert_eq!(bare(directory.path()), entries);
}

#[tokio::test]
async fn an_entry_of_any_position_comes_out_as_it_went_in() {
    for position in
        [100_u64, 1 << 14, 1 << 21, 1 << 28, 1 << 35, 1 << 42, 1 << 49, 1 << 56, 1 << 61]
    {
        let directory = tempfile::tempdir().expect("a directory");
        append(directory.path(), &[]).await;
        let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
        let sum = checksum(position, 0, b"first");
        file.execute(
            "INSERT INTO entries VALUES (?1, 0, ?2, ?3)",
            (position.cast_signed(), &b"first"[..], sum),
        )
        .expect("inserted");
        drop(file);
        let mut entries = vec![(0, Bytes::from("first"))];
        let more: Vec<(i64, Bytes)> = (1..8).map(|number| (number, body(2500))).collect();
        append(directory.path(), &more).await;
        entries.extend(more);
        assert_eq!(bare(directory.path()), entries, "{position}");
    }
}

/// A page that looks like one with entries, and whose numbers are all wrong.
#[tokio::test]
async fn pages_that_only_look_like_entries_give_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let entries: Vec<(i64, Bytes)> = (1..30).map(|number| (number, body(2500))).collect();
    append(directory.path(), &entries).await;
    change(directory.path(), FILE, |bytes| {
        let mut dice = fastrand::Rng::with_seed(7);
        for kind in 0..40_usize {
            let mut page: Vec<u8> = std::iter::repeat_with(|| dice.u8(..)).take(PAGE).collect();
            page[0] = 13;
            page[3..5].fill(0xff);
            match kind % 4 {
                0 => page[8..].fill(0xff),
                1 => page[8..].fill(0),
                2 => page[8..PAGE / 2].fill(0x1f),
                _ => {}
            }
            bytes.extend(page);
        }
    });
    assert_eq!(bare(directory.path()), entries);
}

#[tokio::test]
async fn an_entry_whose_chain_of_pages_is_broken_gives_none_and_takes_no_other_along() {
    let whole = tempfile::tempdir().expect("a directory");
    let entries: Vec<(i64, Bytes)> = (1..6)
        .map(|number| (number, body(20_000 + usize::try_from(number).expect("small"))))
        .collect();
    append(whole.path(), &entries).await;
    let length = std::fs::metadata(whole.path().join(FILE)).expect("there").len();
    for page in 2..usize::try_from(length).expect("small") / PAGE {
        // The end of the chain, a page that is not there, the page itself.
        for next in [0, u32::MAX, u32::try_from(page).expect("few") + 1] {
            let directory = tempfile::tempdir().expect("a directory");
            std::fs::copy(whole.path().join(FILE), directory.path().join(FILE)).expect("copied");
            change(directory.path(), FILE, |bytes| {
                bytes[page * PAGE..page * PAGE + 4].copy_from_slice(&next.to_be_bytes());
            });
            let found = bare(directory.path());
            assert!(found.iter().all(|entry| entries.contains(entry)), "{page} {next}");
            assert!(found.len() >= entries.len() - 3, "{page} {next}: {} left", found.len());
        }
    }
}

#[tokio::test]
async fn rows_of_another_shape_or_place_are_no_entries() {
    let directory = tempfile::tempdir().expect("a directory");
    append(directory.path(), &[(1, Bytes::from("ours"))]).await;
    let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
    let insert = |table: &str, columns: &str, position: i64| {
        let sum = checksum(position.cast_unsigned(), 0, b"x");
        let sql =
            format!("INSERT INTO {table} (rowid, {columns}) VALUES (?1, 0, CAST('x' AS BLOB), ?2");
        let extra = columns.split(", ").count() - 3;
        file.execute(&format!("{sql}{})", ", 7".repeat(extra)), (position, sum)).expect("inserted");
    };
    insert("entries", "received, body, checksum", 0);
    insert("entries", "received, body, checksum", -5);
    file.execute_batch(
        "CREATE TABLE first_is_said (received, body, checksum, of);
         CREATE TABLE one_more (empty, received, body, checksum, of);
         CREATE TABLE one_less (empty, received, body)",
    )
    .expect("made");
    file.execute(
        "INSERT INTO first_is_said (rowid, received, body, checksum, of) VALUES (3, 7, 0, CAST('x' AS BLOB), ?1)",
        [checksum(3, 0, b"x")],
    )
    .expect("inserted");
    insert("one_more", "received, body, checksum, of", 4);
    file.execute(
        "INSERT INTO one_less (rowid, received, body) VALUES (5, 0, CAST('x' AS BLOB))",
        (),
    )
    .expect("inserted");
    drop(file);
    assert_eq!(bare(directory.path()), [(1, Bytes::from("ours"))]);

    let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
    let last = i64::MAX;
    let sum = checksum(last.cast_unsigned(), 0, b"x");
    file.execute("INSERT INTO entries VALUES (?1, 0, CAST('x' AS BLOB), ?2)", (last, sum))
        .expect("inserted");
    drop(file);
    assert_eq!(bare(directory.path()).len(), 2, "the last position that there is");
}
