//! What strangers may send, against the door: see laws/verify.rs.

#![no_main]

#[path = "../laws/verify.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|input: &[u8]| law::holds(input));
