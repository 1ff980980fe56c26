//! Events against the decoder and the merge: see laws/decode.rs.

#![no_main]

#[path = "../laws/decode.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|input: &[u8]| law::holds(input));
