//! Damage to a journal's files against its recovery: see laws/journal.rs.

#![no_main]

#[path = "../laws/journal.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|input: &[u8]| law::holds(input));
