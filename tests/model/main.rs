//! The protocol by which an event gets from Twilio into its row, as a model that is walked whole: every
//! order of every step, with crashes, power failures, failed syncs, outages, statements without an answer
//! and repeats, for a few events. What is found to hold (`properties.rs`): acknowledged implies kept and,
//! in the end, applied; a row is the merge of the events, by the real `domain::CallSummary::merge`; nothing
//! is forgotten before it is applied; from everywhere, the journal becomes empty again.
//!
//! | step of the model | where the code does it |
//! |---|---|
//! | `Send` | `receive/webhook.rs::keep`, `journal/mod.rs::Journal::append` |
//! | `Write` | `journal/writer.rs::Writer::gather`, `::write`: inserts, and the delete that rides along |
//! | `Sync` | `journal/writer.rs::Writer::write`, the commit under `synchronous = FULL`; then `::commit` |
//! | `SyncFails` | `journal/writer.rs::classify`; what fails so is answered 503 |
//! | `Refuse` | `journal/writer.rs::Writer::commit`: once failed, nothing is written until a restart |
//! | `Answer` | `journal/writer.rs::Writer::commit`, the replies; `receive/webhook.rs::keep`, the 200 |
//! | `Feed` | `queue/mod.rs::Feeder::hand_over`, `apply/mod.rs::dispatch`, `::worker_of` |
//! | `Upsert` | `apply/worker.rs::Worker::gather`, `::store_once`; `apply/reduce.rs::reduce`; `store/call_summaries.rs::upsert_statement`; when refused, `Worker::apply` halves and `::bury` |
//! | `Touch` | `store/call_summaries.rs::Session::upsert`, `store/sql/touch_call_summaries.sql` |
//! | done, with the last `Upsert` or `Touch` of a batch | `queue/done.rs::Done::mark`, `journal/mod.rs::Journal::forget_through` |
//! | `NoAnswer` | `store/call_summaries.rs::Session::upsert_call_summaries`: the connection is thrown away; `Worker::store` tries again |
//! | `StrayIsCarriedOut`, `StrayVanishes` | PostgreSQL, after we have stopped listening |
//! | `DatabaseGoes`, `DatabaseReturns` | `apply/worker.rs::Worker::wait` |
//! | `Kill`, `PowerFails` | nowhere: `disk.rs` says what they leave |
//! | `AskToStop`, `End` | `app::Service::stop`; the 25 s running out is a `Kill` |
//! | `Start` | `journal/open.rs::open`: what the log holds is checkpointed into the file, reading starts after what is forgotten, positions after the last, or at 1; `queue/mod.rs::start` |
//!
//! The journal's checkpoint, by which the log gets into the file while commits go on, is a model of its own (`checkpoint.rs`).
//!
//! Not in the model: a full journal (a refusal like `Refuse`, but passing), damage to the file, events of
//! other types (a row of their own each, inserted like a dead letter), and a database that loses what it
//! has committed.
//!
//! To see how many states there are: `cargo test --test model -- --nocapture`.

mod calls;
mod checkpoint;
mod disk;
mod explore;
mod holds;
mod mutants;
mod properties;
mod state;
mod steps;
mod store;
