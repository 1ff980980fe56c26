//! Verify (being written).
pub mod signature;
