//! Bodies against the envelope: see laws/split.rs.

#![no_main]

#[path = "../laws/split.rs"]
mod law;

libfuzzer_sys::fuzz_target!(|input: &[u8]| law::holds(input));
