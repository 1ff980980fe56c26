//! callsink receives Twilio Event Streams webhooks and keeps one converging row per call in PostgreSQL.
//!
//! The path of one event, and what each step promises:
//!
//! 1. [`receive`] reads a delivery within limits of size and time.
//! 2. [`verify`] checks signature and body hash, and makes the only thing that later rooms take.
//! 3. [`decode::split`] opens the delivery: an array, or one bare event.
//! 4. [`journal`] makes the events durable. Only now does a 200 leave: acknowledged means kept.
//! 5. [`queue`] hands entries on, read from the journal, as long as there is room.
//! 6. [`decode`] reads them; what can't be read is kept, byte for byte, with the reason.
//! 7. [`apply`] gives all events of a call to one worker, reduces a batch to one winner per call,
//!    as [`domain`] defines it, and
//! 8. [`store`] upserts it in one statement. Then the journal forgets the batch.
//!
//! [`app`] builds it all; nothing else knows everyone. `ARCHITECTURE.md` tells more.

pub mod apply;
pub mod decode;
pub mod domain;
pub mod journal;
pub mod queue;
pub mod receive;
pub mod store;
pub mod verify;

pub mod app;
pub mod background;
pub mod cli;
pub mod config;
pub mod failpoint;
pub mod health;
pub mod healthcheck;
pub mod housekeeping;
pub mod http_client;
pub mod operate;
pub mod private_postgres;
pub mod reconcile;
pub mod rollup;
pub mod simulate;
pub mod telemetry;
pub mod twilio;
