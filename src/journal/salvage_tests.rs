//! Damaged journals against the file system: what comes out of them, and that a kill in the middle of
//! taking it over loses nothing.

use super::leaf::PAGE;
use super::open::FILE;
use super::swap::{NEW, beside};
use super::*;
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The text of entry `number`: its number, and something to fill the rest.
pub(super) fn text(number: usize, length: usize) -> String {
    let mut dice = fastrand::Rng::with_seed(number as u64);
    let some: String = (0..16).map(|_| dice.alphanumeric()).collect();
    let mut text = format!("{number:06} {}", some.repeat(length / 16 + 1));
    text.truncate(length + 7);
    text
}

fn close(opened: Opened) {
    drop(opened.journal);
    opened.writer.join().expect("the writer ends");
}

/// A journal with `count` entries, as a kill leaves it: `in_log` of them in the log alone.
pub(super) async fn killed(count: usize, in_log: usize, length: usize) -> TempDir {
    let source = tempfile::tempdir().expect("a directory");
    let append = async |opened: &Opened, numbers: std::ops::Range<usize>| {
        for group in numbers.collect::<Vec<_>>().chunks(50) {
            let bodies = group.iter().map(|number| Bytes::from(text(*number, length))).collect();
            opened.journal.append(bodies, Utc::now()).await.expect("durable");
        }
    };
    let opened = open(source.path(), 1 << 30).expect("opens");
    append(&opened, 0..count - in_log).await;
    close(opened);
    let opened = open(source.path(), 1 << 30).expect("opens");
    append(&opened, count - in_log..count).await;
    let copy = tempfile::tempdir().expect("a directory");
    for name in [FILE, "journal.db-wal"] {
        let from = source.path().join(name);
        if from.exists() {
            fs::copy(from, copy.path().join(name)).expect("copied");
        }
    }
    close(opened);
    copy
}

/// Opens, and reads everything; the numbers of the entries in order.
fn numbers(directory: &Path) -> (Vec<usize>, Option<Salvaged>) {
    let opened = open(directory, 1 << 30).expect("opens whatever is there");
    let (mut numbers, mut after) = (Vec::new(), opened.forgotten);
    loop {
        let chunk = opened.reader.after(after).expect("the new one is readable");
        let Some(last) = chunk.last() else { break };
        for entry in &chunk {
            assert_eq!(entry.position, after + 1, "without gaps");
            after += 1;
            let body = String::from_utf8_lossy(&entry.body).into_owned();
            let number: usize = body[..6].parse().expect("a number");
            assert_eq!(body, text(number, body.len() - 7), "as it was written");
            numbers.push(number);
        }
        assert_eq!(after, last.position);
    }
    let salvaged = opened.salvaged.clone();
    close(opened);
    (numbers, salvaged)
}

pub(super) fn change(directory: &Path, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let path = directory.join(name);
    let mut bytes = fs::read(&path).expect("readable");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

#[tokio::test]
async fn a_sound_journal_is_left_as_it_is() {
    let directory = killed(120, 50, 500).await;
    assert_eq!(numbers(directory.path()), (all(120), None));
}

#[tokio::test]
async fn whichever_page_is_damaged_only_its_own_entries_are_missing() {
    let whole = killed(200, 0, 500).await;
    let pages = fs::metadata(whole.path().join(FILE)).expect("there").len() / PAGE as u64;
    assert!((10..40).contains(&pages), "{pages}");
    for page in 0..usize::try_from(pages).expect("few") {
        let directory = tempfile::tempdir().expect("a directory");
        fs::copy(whole.path().join(FILE), directory.path().join(FILE)).expect("copied");
        change(directory.path(), FILE, |bytes| {
            bytes[page * PAGE..(page + 1) * PAGE].fill(0xff);
        });
        let (numbers, salvaged) = numbers(directory.path());
        let salvaged = salvaged.expect("damage is noticed");
        assert!(numbers.is_sorted(), "in order");
        assert!(numbers.len() >= 200 - 16, "page {page}: {} left", numbers.len());
        assert_eq!(salvaged.entries, numbers.len() as u64);
        let missing = 200 - salvaged.entries;
        assert!(salvaged.unknown || salvaged.unreadable == missing, "page {page}: {salvaged:?}");
        // The schema, the root and the probe hold no entries.
        assert!(page > 2 || missing == 0, "page {page}: {missing} missing");
    }
}

/// Too large to be checked at the start.
#[tokio::test]
async fn a_large_journal_whose_tree_has_lost_its_root_is_taken_over_whole() {
    let directory = killed(350, 0, 200_000).await;
    change(directory.path(), FILE, |bytes| {
        assert!(bytes.len() > 64 << 20, "{} bytes", bytes.len());
        bytes[PAGE..2 * PAGE].fill(0xff);
    });
    let (numbers, salvaged) = numbers(directory.path());
    assert_eq!(numbers, all(350));
    assert!(salvaged.expect("noticed").unknown, "nobody can say that this is all");
}

#[tokio::test]
async fn a_flipped_byte_in_a_body_costs_that_entry_alone() {
    let directory = killed(200, 0, 500).await;
    change(directory.path(), FILE, |bytes| {
        let wanted = text(77, 500);
        let at = bytes.windows(wanted.len()).position(|window| window == wanted.as_bytes());
        bytes[at.expect("it is there") + 300] ^= 1;
    });
    let (numbers, salvaged) = numbers(directory.path());
    assert_eq!(numbers, all(200).into_iter().filter(|number| *number != 77).collect::<Vec<_>>());
    let salvaged = salvaged.expect("noticed");
    assert_eq!((salvaged.unreadable, salvaged.unknown), (1, false), "{salvaged:?}");
}

#[tokio::test]
async fn how_much_stood_before_a_lost_beginning_nobody_can_count() {
    let directory = killed(200, 0, 500).await;
    change(directory.path(), FILE, |bytes| {
        let wanted = text(0, 500);
        let at = bytes.windows(wanted.len()).position(|window| window == wanted.as_bytes());
        let page = at.expect("it is there") / PAGE;
        bytes[page * PAGE..(page + 1) * PAGE].fill(0xff);
    });
    let (numbers, salvaged) = numbers(directory.path());
    assert_eq!(numbers.last(), Some(&199));
    let salvaged = salvaged.expect("noticed");
    assert_eq!((salvaged.unreadable, salvaged.unknown), (0, true), "{salvaged:?}");
}

#[tokio::test]
async fn what_is_in_the_log_alone_survives_whatever_becomes_of_the_file() {
    for damage in ["emptied", "overwritten", "cut"] {
        let directory = killed(150, 100, 3000).await;
        change(directory.path(), FILE, |bytes| match damage {
            "emptied" => bytes.clear(),
            "overwritten" => bytes.fill(b'x'),
            _ => bytes.truncate(bytes.len() / 2),
        });
        let (numbers, salvaged) = numbers(directory.path());
        let from_log: Vec<usize> = numbers.iter().copied().filter(|number| *number >= 50).collect();
        assert_eq!(from_log, (50..150).collect::<Vec<_>>(), "{damage}");
        let aside = salvaged.expect("noticed").aside;
        assert!(beside(&aside, "-wal").exists(), "{damage}: the log goes along");
    }
}

#[tokio::test]
async fn a_log_that_was_altered_in_the_middle_is_not_cut_there_in_silence() {
    for place in [0, 10, 40, 56, 300_000] {
        let directory = killed(150, 100, 3000).await;
        change(directory.path(), "journal.db-wal", |bytes| bytes[place] ^= 0x55);
        let (numbers, salvaged) = numbers(directory.path());
        assert!(numbers.len() >= 147, "{place}: {} left", numbers.len());
        assert!(numbers.is_sorted() && salvaged.is_some(), "{place}: {salvaged:?}");
    }
}

#[tokio::test]
async fn a_torn_tail_of_the_log_is_no_damage() {
    let directory = killed(150, 100, 3000).await;
    change(directory.path(), "journal.db-wal", |bytes| {
        bytes.truncate(bytes.len() - 100);
        bytes.extend([0; 50]);
    });
    let (numbers, salvaged) = numbers(directory.path());
    assert_eq!(salvaged, None, "what is torn was never acknowledged");
    assert_eq!(numbers, all(100), "the last group was not whole");
}

#[tokio::test]
async fn a_kill_anywhere_in_the_swap_loses_neither_file() {
    // What a swap does, one step after the other; the kill comes after `steps` of them.
    for steps in 0..6 {
        let directory = killed(100, 60, 3000).await;
        let path = directory.path();
        fs::write(path.join("journal.db.new-wal"), "half a salvage").expect("written");
        fs::write(path.join(NEW), "half a salvage").expect("written");
        if steps > 0 {
            // A finished new file, from a copy.
            let copy = killed(100, 60, 3000).await;
            fs::write(copy.path().join("journal.damaged"), "because").expect("written");
            assert_eq!(numbers(copy.path()).0, all(100));
            fs::copy(copy.path().join(FILE), path.join(NEW)).expect("copied");
            fs::remove_file(path.join("journal.db.new-wal")).expect("removed");
            let order = format!("{FILE}.corrupt-then\n100 0 0 because\n");
            fs::write(path.join("journal.swap"), order).expect("written");
        }
        let rename = |from: &str, to: &str| {
            fs::rename(path.join(from), path.join(to)).expect("renamed");
        };
        if steps > 1 {
            rename(FILE, "journal.db.corrupt-then");
        }
        if steps > 2 {
            rename("journal.db-wal", "journal.db.corrupt-then-wal");
        }
        if steps > 3 {
            rename(NEW, FILE);
        }
        if steps > 4 {
            fs::remove_file(path.join("journal.swap")).expect("removed");
        }
        let (numbers, salvaged) = numbers(path);
        assert_eq!(numbers, all(100), "after {steps} steps");
        assert_eq!(salvaged.is_some(), (1..5).contains(&steps), "after {steps} steps");
        assert!(!path.join(NEW).exists() && !path.join("journal.swap").exists());
        assert_eq!(path.join("journal.db.corrupt-then-wal").exists(), steps > 0);
    }
}

#[tokio::test]
async fn a_database_of_another_program_is_moved_aside_as_it_was() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(FILE);
    let other = rusqlite::Connection::open(&path).expect("opens");
    other.execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)").expect("made");
    drop(other);
    let before = fs::read(&path).expect("readable");
    let (numbers, salvaged) = numbers(directory.path());
    assert!(numbers.is_empty());
    assert_eq!(fs::read(salvaged.expect("noticed").aside).expect("there"), before);
}

#[tokio::test]
async fn a_journal_of_the_first_layout_gets_checksums_and_keeps_its_entries() {
    let directory = killed(300, 0, 500).await;
    let path = directory.path().join(FILE);
    let old = rusqlite::Connection::open(&path).expect("opens");
    old.execute_batch("ALTER TABLE entries DROP COLUMN checksum; PRAGMA user_version = 1; PRAGMA application_id = 0")
        .expect("as the first layout was");
    drop(old);
    assert_eq!(numbers(directory.path()), (all(300), None));
    assert_eq!(numbers(directory.path()), (all(300), None), "with checksums");
}

/// Found by `scripts/fuzz journal`: SQLite took such a file for an empty one, and nobody was told.
#[tokio::test]
async fn repro_a_file_that_ends_within_its_first_page_is_damaged_and_not_empty() {
    let whole = killed(80, 0, 500).await;
    for length in [1, 700, PAGE - 1] {
        let directory = tempfile::tempdir().expect("a directory");
        fs::copy(whole.path().join(FILE), directory.path().join(FILE)).expect("copied");
        change(directory.path(), FILE, |bytes| bytes.truncate(length));
        let (_, salvaged) = numbers(directory.path());
        assert!(salvaged.is_some_and(|salvaged| salvaged.unknown), "cut to {length}");
    }
}

/// Found on the way to this room's mutants: with a page in another's place the walk went in circles, and the
/// service never started; or it took what came last in the tree for the last entry, and told nobody of the others.
#[tokio::test]
async fn repro_a_page_in_anothers_place_is_noticed_and_costs_only_what_stood_there() {
    for (count, length, on_a_page) in [(200, 500, 16), (12, 5000, 1)] {
        let whole = killed(count, 0, length).await;
        let pages = fs::metadata(whole.path().join(FILE)).expect("there").len() / PAGE as u64;
        let pages = usize::try_from(pages).expect("few");
        // The root, the first leaf, one in the middle, the last.
        for from in [1, 3, pages / 2, pages - 1] {
            for to in 1..pages {
                let directory = tempfile::tempdir().expect("a directory");
                fs::copy(whole.path().join(FILE), directory.path().join(FILE)).expect("copied");
                change(directory.path(), FILE, |bytes| {
                    bytes.copy_within(from * PAGE..(from + 1) * PAGE, to * PAGE);
                });
                let case = format!("page {from} in the place of {to}");
                let (numbers, salvaged) = numbers(directory.path());
                assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{case}: {numbers:?}");
                let Some(salvaged) = salvaged else {
                    assert_eq!(numbers, all(count), "{case}: not noticed");
                    continue;
                };
                let missing = (count - numbers.len()) as u64;
                assert!(missing <= on_a_page, "{case}: {missing} missing");
                assert!(salvaged.unknown || salvaged.unreadable == missing, "{case}: {salvaged:?}");
            }
        }
    }
}

/// Found likewise: every position up to it was tried, which could take years.
#[tokio::test]
async fn repro_an_altered_position_beyond_all_others_keeps_nobody_waiting() {
    for position in [1_i64 << 62, -5] {
        let directory = killed(100, 0, 500).await;
        let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
        file.execute("UPDATE entries SET position = ?1 WHERE position = 100", [position])
            .expect("altered");
        drop(file);
        let (numbers, salvaged) = numbers(directory.path());
        assert_eq!(numbers, all(99));
        assert!(salvaged.expect("noticed").unknown, "what stood there nobody can say");
    }
}

#[tokio::test]
async fn what_an_interrupted_swap_has_counted_is_told() {
    for (figures, counted) in [
        ("100 7 1 because of that", (100, 7, true, "because of that")),
        ("1 0 0 it", (1, 0, false, "it")),
    ] {
        let directory = killed(10, 0, 100).await;
        let path = directory.path();
        fs::copy(path.join(FILE), path.join(NEW)).expect("copied");
        fs::write(path.join("journal.swap"), format!("{FILE}.corrupt-then\n{figures}\n"))
            .expect("written");
        let salvaged = numbers(path).1.expect("carried out");
        let Salvaged { aside, reason, entries, unreadable, unknown } = salvaged;
        assert_eq!((entries, unreadable, unknown, &*reason), counted);
        assert_eq!(aside, path.join("journal.db.corrupt-then"));
    }
}

#[tokio::test]
async fn an_altered_entry_is_taken_from_where_it_still_stands_as_it_was() {
    let directory = killed(100, 0, 500).await;
    let alter = |positions: &str| {
        let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
        let sql = format!("UPDATE entries SET checksum = 0 WHERE position IN ({positions})");
        file.execute_batch(&sql).expect("altered");
        file
    };
    drop(alter("20, 21")); // writes it into the file
    let in_the_log = alter("90, 91");
    let copy = tempfile::tempdir().expect("a directory");
    for name in [FILE, "journal.db-wal"] {
        fs::copy(directory.path().join(name), copy.path().join(name)).expect("copied");
    }
    drop(in_the_log);
    let (numbers, salvaged) = numbers(copy.path());
    let salvaged = salvaged.expect("noticed");
    let missing: Vec<usize> =
        all(100).into_iter().filter(|number| !numbers.contains(number)).collect();
    assert_eq!(missing, [19, 20], "the others are in the file");
    assert!(numbers.is_sorted());
    assert_eq!((salvaged.entries, salvaged.unreadable, salvaged.unknown), (98, 2, false));
}

#[tokio::test]
async fn a_file_without_a_head_is_searched_also_where_its_log_was_altered() {
    let directory = killed(150, 60, 500).await;
    change(directory.path(), FILE, |bytes| bytes[..PAGE].fill(0xff));
    change(directory.path(), "journal.db-wal", |bytes| bytes[100] ^= 1);
    let (numbers, salvaged) = numbers(directory.path());
    assert_eq!(numbers[..70], all(70), "{salvaged:?}");
    assert!(numbers.len() >= 134 && salvaged.expect("noticed").unknown);
}

/// Found by a test that a mutant asked for: the service did not start, or took the file for another program's.
#[tokio::test]
async fn repro_a_flipped_letter_in_the_schema_costs_no_entry() {
    let whole = killed(120, 0, 500).await;
    for word in ["entries (", "body BLOB", "checksum INT"] {
        let directory = tempfile::tempdir().expect("a directory");
        fs::copy(whole.path().join(FILE), directory.path().join(FILE)).expect("copied");
        change(directory.path(), FILE, |bytes| {
            // The last: the schema is written from the end of the page, and there is another table.
            let at =
                bytes[..PAGE].windows(word.len()).rposition(|window| window == word.as_bytes());
            bytes[at.expect("in the schema")] ^= 1;
        });
        let (numbers, salvaged) = numbers(directory.path());
        assert_eq!(numbers, all(120), "{word}: {salvaged:?}");
        assert!(salvaged.is_some(), "{word}: noticed");
    }
}

#[derive(Debug, Clone)]
enum Blow {
    Flip { at: prop::sample::Index, with: u8 },
    Fill { at: prop::sample::Index, length: usize, with: u8 },
    Cut { at: prop::sample::Index },
}

fn blow() -> impl Strategy<Value = Blow> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        6 => (at(), 1..=255_u8).prop_map(|(at, with)| Blow::Flip { at, with }),
        3 => (at(), 1..20_000_usize, any::<u8>())
            .prop_map(|(at, length, with)| Blow::Fill { at, length, with }),
        1 => at().prop_map(|at| Blow::Cut { at }),
    ]
}

impl Blow {
    fn strike(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip { at, with } => {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
            Self::Fill { at, length, with } => {
                let at = at.index(bytes.len());
                let end = bytes.len().min(at + length);
                bytes[at..end].fill(*with);
            }
            Self::Cut { at } => bytes.truncate(at.index(bytes.len())),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// `numbers` checks that what comes out went in, and that positions have no gaps.
    #[test]
    fn whatever_happens_to_the_files_it_opens_and_what_comes_out_went_in_in_this_order(
        file in prop::collection::vec(blow(), 0..4),
        log in prop::collection::vec(blow(), 0..3),
        length in prop_oneof![Just(40_usize), Just(900), Just(12_000)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let directory = runtime.block_on(killed(60, 30, length));
        change(directory.path(), FILE, |bytes| file.iter().for_each(|blow| blow.strike(bytes)));
        change(directory.path(), "journal.db-wal", |bytes| {
            log.iter().for_each(|blow| blow.strike(bytes));
        });
        let (numbers, _) = numbers(directory.path());
        prop_assert!(numbers.is_sorted());
        let again = super::salvage_tests::numbers(directory.path());
        prop_assert_eq!(again, (numbers, None), "the new one is sound");
    }
}
