//! The laws of the fuzz targets in the normal run: over every input that fuzzing has kept, and over inputs near
//! to those. `scripts/fuzz` goes further.

#[path = "../../fuzz/laws/decode.rs"]
mod decode;
#[path = "../../fuzz/laws/journal.rs"]
mod journal;
#[path = "../../fuzz/laws/split.rs"]
mod split;
#[path = "../../fuzz/laws/verify.rs"]
mod verify;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use std::path::Path;

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    // Also built from a directory further down, with the rooms alone: see fuzz/rooms.
    let roots = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let directory = roots.map(|root| root.join("fuzz/corpus")).find(|path| path.exists());
    let directory = directory.expect("the corpus is committed").join(target);
    let files = std::fs::read_dir(directory).expect("readable");
    let mut inputs: Vec<(String, Vec<u8>)> = files
        .map(|file| file.expect("readable").path())
        .map(|path| (path.display().to_string(), std::fs::read(path).expect("readable")))
        .collect();
    assert!(inputs.len() >= 5, "the corpus of {target} has shrunk");
    inputs.sort();
    inputs
}

/// An input of the corpus of which a piece is another's, and a few bytes are altered.
fn near(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let at = any::<prop::sample::Index>;
    let piece = (prop::sample::select(corpus.clone()), at(), at(), 0..200_usize);
    let alterations = prop::collection::vec((at(), any::<u8>()), 0..4);
    (prop::sample::select(corpus), prop::option::of(piece), alterations).prop_map(
        |(mut input, piece, alterations)| {
            if let Some((other, from, to, length)) = piece
                && !other.is_empty()
            {
                let from = from.index(other.len());
                let piece = &other[from..other.len().min(from + length)];
                let to = to.index(input.len() + 1);
                let end = input.len().min(to + length / 2);
                input.splice(to..end, piece.iter().copied());
            }
            if !input.is_empty() {
                for (at, byte) in alterations {
                    let at = at.index(input.len());
                    input[at] = byte;
                }
            }
            input
        },
    )
}

fn check(target: &str, cases: u32, law: impl Fn(&[u8])) {
    let corpus = corpus(target);
    for (name, input) in &corpus {
        println!("{name}"); // seen where the law is broken
        law(input);
    }
    let corpus = corpus.into_iter().map(|(_, input)| input).collect();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases));
    let found = runner.run(&near(corpus), |input| {
        law(&input);
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = found {
        panic!("{target}: {error}");
    }
}

#[test]
fn only_what_was_signed_for_this_sink_and_this_body_is_let_in() {
    check("verify", 300, verify::holds);
}

#[test]
fn every_byte_of_a_body_is_in_one_event_or_between_two() {
    check("split", 2_000, split::holds);
}

#[test]
fn whatever_an_event_holds_nothing_of_it_is_lost_and_the_merge_stays_a_merge() {
    check("decode", 400, decode::holds);
}

#[test]
fn whatever_becomes_of_the_journals_files_it_opens_with_what_went_in() {
    check("journal", 12, journal::holds);
}

/// Found by `scripts/fuzz journal`: SQLite calls it an I/O error, and the service did not start.
#[test]
fn repro_a_journal_that_ends_within_a_page_is_damaged_and_not_a_broken_disk() {
    let cut = [0x88, 64, 156, 0, 0, 0]; // the file, to 61 percent
    journal::holds(&cut);
}

/// Found by `scripts/fuzz journal`: a flipped number of SQLite's format kept the service from starting.
#[test]
fn repro_a_journal_whose_format_sqlite_does_not_know_is_damaged() {
    journal::holds(&[0x29, 0x20, 0x17, 0xff, 0x17, 0x17, 0x14, 0x2f, 0x00, 0xc7, 0x17, 0xff]);
}
