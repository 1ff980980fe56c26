//! PostgreSQL: all SQL of callsink, and what its errors mean for us.
//!
//! In: calls, other events, dead letters. Out: rows.
//! Promises: every statement can be repeated without harm; an error says whether to try again or to
//! look for the event that caused it; no statement waits without a limit.
//! Must not know: the journal, HTTP. One file per table; statements stand in `sql/`.

mod archive;
mod array;
mod call_summaries;
mod columns;
mod coverage;
mod dead_letters;
mod diagnosis;
mod dictionary;
mod dirty_hours;
mod erased_calls;
mod erasure;
mod error;
mod events;
mod known_calls;
mod kpis;
pub mod migrate;
mod rebuilds;
mod reconciliations;
mod retention;
mod rewrite;
mod session;
mod unknown_fields;

pub use archive::{ArchivedEvent, Blocks, Partition};
pub use call_summaries::Upserted;
#[doc(hidden)]
pub use call_summaries::encode_upsert;
pub use coverage::{BackfillWindow, CoverageHour};
pub use dead_letters::{DeadLetter, KeptLetter, LetterFilter, PageLimits};
pub use diagnosis::Diagnosis;
pub use dictionary::{Column, Dictionary, Relation, Routine};
pub use erased_calls::Erasure;
pub use erasure::{Parties, PartyPage, RawPage, RawTable, Sought};
pub use error::{StoreError, Trouble};
pub use events::RawEvent;
pub use known_calls::Merged;
pub use rebuilds::RebuildState;
pub use reconciliations::{ReconcileLock, Reconciled};
pub use retention::{Aged, AgedRows};
pub use rewrite::RebuiltPage;
pub use session::{Database, Session};
pub use unknown_fields::{MOST_UNKNOWN_FIELDS, SeenField};
