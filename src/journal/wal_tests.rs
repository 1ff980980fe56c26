//! Write-ahead logs made by hand, by the description of their format, in both byte orders.

use super::wal::{Frame, read};
use std::path::PathBuf;
use tempfile::TempDir;

const PAGE: usize = 512;
const FRAME: usize = 24 + PAGE;

/// "The checksum algorithm" of the description, word by word.
fn sum(big_endian: bool, from: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let words: Vec<u32> = bytes
        .chunks(4)
        .map(|four| {
            let four = four.try_into().expect("four bytes");
            if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        })
        .collect();
    let (mut first, mut second) = from;
    for pair in words.chunks(2) {
        first = first.wrapping_add(pair[0]).wrapping_add(second);
        second = second.wrapping_add(pair[1]).wrapping_add(first);
    }
    (first, second)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A log of frames, each with the number of its page and whether it ends a commit.
fn log(big_endian: bool, frames: &[(u32, bool)]) -> Vec<u8> {
    let magic = if big_endian { 0x377f_0683 } else { 0x377f_0682 };
    let page_size = u32::try_from(PAGE).expect("small");
    let mut bytes = words(&[magic, 3_007_000, page_size, 0, 0x5a17_0001, 0x5a17_0002]);
    let mut last = sum(big_endian, (0, 0), &bytes);
    bytes.extend(words(&[last.0, last.1]));
    let mut dice = fastrand::Rng::with_seed(1);
    for (page, ends) in frames {
        let head = words(&[*page, if *ends { 9 } else { 0 }]);
        let content: Vec<u8> = std::iter::repeat_with(|| dice.u8(..)).take(PAGE).collect();
        last = sum(big_endian, last, &head);
        last = sum(big_endian, last, &content);
        bytes.extend(head);
        bytes.extend(words(&[0x5a17_0001, 0x5a17_0002, last.0, last.1]));
        bytes.extend(content);
    }
    bytes
}

const COMMITS: [(u32, bool); 6] =
    [(1, true), (2, true), (3, true), (2, true), (5, true), (6, true)];

fn written(bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("log");
    std::fs::write(&path, bytes).expect("written");
    (directory, path)
}

/// The pages of its frames, and whether it is damaged.
fn told(bytes: &[u8]) -> (Vec<u32>, bool) {
    let (_directory, path) = written(bytes);
    let log = read(&path, PAGE).expect("readable");
    (log.frames.iter().map(|frame| frame.page).collect(), log.is_damaged)
}

#[test]
fn a_whole_log_gives_its_pages_in_order() {
    for big_endian in [false, true] {
        let bytes = log(big_endian, &COMMITS);
        assert_eq!(told(&bytes), (vec![1, 2, 3, 2, 5, 6], false));
        let (_directory, path) = written(&bytes);
        let frames = read(&path, PAGE).expect("readable").frames;
        let second = Frame { page: 2, offset: (32 + FRAME + 24) as u64 };
        assert_eq!(frames[1], second, "where its bytes begin");
    }
    let missing = read(&tempfile::tempdir().expect("a directory").path().join("log"), PAGE);
    assert!(missing.is_ok_and(|log| log.frames.is_empty() && !log.is_damaged));
}

#[test]
fn a_log_that_is_out_of_reach_is_not_taken_for_an_empty_one() {
    let (_directory, path) = written(b"no directory");
    read(&path.join("log"), PAGE).expect_err("a file is in the way");
}

#[test]
fn a_frame_that_was_not_finished_counts_for_nothing() {
    let bytes = log(false, &COMMITS);
    for (length, frames) in [
        (0, 0),
        (31, 0),
        (32, 0),
        (32 + FRAME - 1, 0),
        (32 + FRAME, 1),
        (32 + FRAME + 1, 1),
        (32 + 2 * FRAME, 2),
    ] {
        let (pages, is_damaged) = told(&bytes[..length]);
        assert_eq!((pages.len(), is_damaged), (frames, false), "{length}");
    }
}

#[test]
fn whichever_byte_is_flipped_before_the_last_commits_it_is_damage() {
    for big_endian in [false, true] {
        let bytes = log(big_endian, &COMMITS);
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x20;
            let (pages, is_damaged) = told(&altered);
            // A frame's own checksum is what the next is checked by, so it takes two to tell.
            if at < 32 + 4 * FRAME {
                assert!(is_damaged, "{at}");
            } else if at >= 32 + 5 * FRAME {
                assert!(!is_damaged, "{at}: a torn tail");
            }
            if at < 32 {
                assert_eq!(pages, [1, 2, 3, 2, 5, 6], "{at}: what it holds may still be good");
            }
        }
    }
}

#[test]
fn what_an_earlier_round_has_left_behind_the_end_is_no_part_of_it() {
    let mut bytes = log(false, &COMMITS[..2]);
    let mut older = log(false, &COMMITS);
    for frame in older[32..].chunks_mut(FRAME) {
        frame[8] ^= 1; // its salts
    }
    bytes.extend(&older[32 + 2 * FRAME..]);
    assert_eq!(told(&bytes), (vec![1, 2], false));
}

#[test]
fn what_was_rolled_back_behind_a_torn_frame_is_no_damage_and_a_commit_is() {
    for (ends, is_damaged) in [(false, false), (true, true)] {
        let mut bytes = log(false, &[(1, true), (2, false), (3, false), (4, ends)]);
        bytes[32 + FRAME + 100] ^= 1;
        assert_eq!(told(&bytes), (vec![1, 2, 3, 4], is_damaged));
    }
}

#[test]
fn a_log_of_other_pages_is_none_of_ours() {
    let (_directory, path) = written(&log(false, &COMMITS));
    let log = read(&path, PAGE / 2).expect("readable");
    assert!(log.is_damaged, "the page size in its header is another");
}
