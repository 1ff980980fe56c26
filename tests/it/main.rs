//! The one test crate: the compiled service, real HTTP, signed requests, a real PostgreSQL.

mod support;

mod alerts;
mod answers;
mod backlog;
mod bi;
mod converge;
mod crash;
mod database;
mod decode;
mod disk;
mod drift;
mod failpoints;
mod faults;
mod fuzz_corpus;
mod growth;
mod hostile;
mod journal;
mod kpis;
mod operate;
mod reconcile;
mod rest_summaries;
mod schema;
mod service_role;
mod settings;
mod shutdown;
mod simulate;
mod slow;
mod tidy;
mod views;
