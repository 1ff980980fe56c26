//! Law of recovery: whatever became of a journal's files, it opens; what comes out went in, byte for byte, in
//! order and without gaps in the positions; the old file is still there; opening again finds nothing wrong.
//! A journal that nobody touched gives back everything.
//!
//! In: blows, six bytes each: file or log and kind, where (two bytes), length (two), with what. Panics where the
//! law is broken.

use bytes::Bytes;
use callsink::journal::{OpenError, Opened, open};
use chrono::DateTime;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

const FILE: &str = "journal.db";
const LOG: &str = "journal.db-wal";
const ROOM: u64 = 1 << 30;
const ENTRIES: usize = 40;

/// More only takes longer.
const BLOWS: usize = 16;

/// The files of a journal that was killed: some of its entries are in the log alone.
struct Killed {
    file: Vec<u8>,
    log: Vec<u8>,
}

static KILLED: LazyLock<Killed> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let append = |opened: &Opened, numbers: std::ops::Range<usize>| {
        for number in numbers {
            let time = DateTime::from_timestamp(1_800_000_000, 0).expect("a time");
            let append = opened.journal.append(vec![body(number)], time);
            runtime.block_on(append).expect("durable");
        }
    };
    let opened = open(directory.path(), ROOM).expect("opens");
    append(&opened, 0..ENTRIES / 2);
    close(opened);
    let opened = open(directory.path(), ROOM).expect("opens");
    append(&opened, ENTRIES / 2..ENTRIES);
    let read = |name| fs::read(directory.path().join(name)).expect("readable");
    let killed = Killed { file: read(FILE), log: read(LOG) };
    close(opened);
    killed
});

/// Of many sizes; the largest takes pages of its own.
fn body(number: usize) -> Bytes {
    let mut dice = fastrand::Rng::with_seed(number as u64);
    let length = if number % 8 == 7 { 9000 } else { 20 + number * 13 };
    let filler: String = (0..length).map(|_| dice.alphanumeric()).collect();
    format!("{number:06} {filler}").into()
}

fn close(opened: Opened) {
    drop((opened.journal, opened.reader));
    opened.writer.join().expect("the writer ends");
}

/// Panics unless it does.
pub fn holds(input: &[u8]) {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut file, mut log) = (KILLED.file.clone(), KILLED.log.clone());
    for blow in input.chunks_exact(6).take(BLOWS) {
        strike(if blow[0] & 1 == 0 { &mut file } else { &mut log }, blow);
    }
    let untouched = file == KILLED.file && log == KILLED.log;
    fs::write(directory.path().join(FILE), file).expect("written");
    fs::write(directory.path().join(LOG), log).expect("written");

    let opened = match open(directory.path(), ROOM) {
        Ok(opened) => opened,
        // Both places of the layout say so: indeed a later callsink's.
        Err(OpenError::TooNew { .. }) => return,
        Err(error) => panic!("it does not open: {error:?}"),
    };
    let salvaged = opened.salvaged.clone();
    let numbers = numbers(opened);
    assert!(numbers.is_sorted(), "out of order: {numbers:?}");
    if let Some(salvaged) = &salvaged {
        assert_eq!(salvaged.entries, numbers.len() as u64, "what was taken over is counted");
        assert!(salvaged.aside.exists(), "the old file is kept");
    }
    if untouched {
        assert_eq!((numbers.clone(), salvaged), ((0..ENTRIES).collect(), None), "untouched");
    }
    let again = open(directory.path(), ROOM).expect("what was taken over opens");
    assert_eq!(again.salvaged, None, "what was taken over is sound");
    assert_eq!(self::numbers(again), numbers, "and stays");
    assert!(Path::new(&directory.path().join(FILE)).exists());
}

/// Every entry's number.
fn numbers(opened: Opened) -> Vec<usize> {
    let (mut numbers, mut after) = (Vec::new(), opened.forgotten);
    loop {
        let chunk = opened.reader.after(after).expect("what has been opened can be read");
        if chunk.is_empty() {
            break;
        }
        for entry in chunk {
            assert_eq!(entry.position, after + 1, "positions have no gaps");
            after = entry.position;
            let text = String::from_utf8_lossy(&entry.body).into_owned();
            let number = text.get(..6).and_then(|digits| digits.parse().ok());
            let number: usize = number.expect("an entry that never went in");
            assert_eq!(entry.body, body(number), "not as it went in");
            numbers.push(number);
        }
    }
    close(opened);
    numbers
}

fn strike(bytes: &mut Vec<u8>, blow: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let word = |at: usize| usize::from(u16::from_le_bytes([blow[at], blow[at + 1]]));
    let kind = blow[0] >> 1;
    // Half of the places are spread over all of it, half are exact: heads of pages and frames.
    let at = if kind & 0x40 == 0 { word(1) } else { word(1) * bytes.len() / 65_536 };
    let at = at % bytes.len();
    let end = bytes.len().min(at + word(3).max(1));
    match kind % 8 {
        0..=2 => bytes[at] ^= blow[5].max(1),
        3 => bytes[at..end].fill(blow[5]),
        4 => bytes.truncate(at),
        5 => bytes.extend(std::iter::repeat_n(blow[5], word(3))),
        6 => {
            let to = usize::from(blow[5]) * (bytes.len() - (end - at)) / 256;
            bytes.copy_within(at..end, to);
        }
        // A page or so in another's place.
        _ => {
            let page = bytes.len() / 4096;
            let (from, to) = (word(1) % page.max(1), word(3) % page.max(1));
            if page > 0 {
                bytes.copy_within(from * 4096..(from + 1) * 4096, to * 4096);
            }
        }
    }
}
