//! What an operator does by hand: look into the journal, replay dead letters, find out why a signature fails.
//!
//! In: arguments and settings. Out: lines for people on standard output, or JSON for machines; exit codes.
//! Promises: nothing printed holds a phone number, a body or a secret, but for `journal export`, whose job
//! that is and which says so; progress and warnings go to standard error.
//! Must not know: SQL, SQLite, HTTP servers. It asks the rooms that do.

pub mod backfill;
pub mod check_request;
pub mod coverage;
pub mod dictionary;
pub mod doctor;
pub mod erase;
pub mod journal;
pub mod progress;
mod range;
pub mod rebuild;
pub mod replay;
pub mod retention;
pub mod setup;

pub use backfill::BackfillArgs;
pub use check_request::CheckRequestArgs;
pub use coverage::CoverageArgs;
pub use dictionary::DictionaryArgs;
pub use doctor::DoctorArgs;
pub use erase::EraseArgs;
pub use journal::JournalCommand;
pub use rebuild::RebuildArgs;
pub use replay::ReplayArgs;
pub use retention::RetentionArgs;
pub use setup::SetupArgs;
