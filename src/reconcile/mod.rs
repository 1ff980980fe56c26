//! What Twilio lists against what is here: holes are found, and closed, while Twilio still keeps the calls.
//!
//! In: lists of call summaries, window by window. Out: rows, by the store; counts per account and hour.
//! Promises: every window is read to its last page before it counts as read; a summary goes through the
//! same decoder and the same merge as an event; memory is bounded by one page of summaries and the SIDs
//! of one window; stopped at any point and run again, it goes on with the window where it was.
//! Must not know: HTTP, SQL, the journal. It runs beside the path of events and never in it.

mod check;
mod listing;
#[cfg(test)]
mod listing_tests;
pub mod schedule;
pub mod source;
pub mod sweep;
pub mod window;

pub use check::{Carry, HourTally, Mode, WindowTally};
pub use schedule::Schedule;
pub use source::{ListError, Page, Summaries};
pub use sweep::{Sweep, SweepError};
pub use window::Window;
