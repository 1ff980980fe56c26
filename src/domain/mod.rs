//! The words of the trade: a call, its events, their fields, and how they merge.
//!
//! In: values that `decode` has read. Out: one call as we know it.
//! Promises: pure; no I/O, no async, no clock. Must not know any other room.

pub mod call;
pub mod event;
pub mod fields;
pub mod known;
pub mod rest;
pub mod value;

pub use call::CallSummary;
pub use event::{EventKey, SummaryState};
pub use known::KnownCall;
pub use rest::RestSummary;
pub use value::{EdgeMetric, Value};

#[cfg(test)]
mod tests;
