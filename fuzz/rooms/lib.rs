//! The rooms of callsink that read foreign bytes, without those that serve, store and operate: builds in a
//! tenth of the time, for the fuzz targets and for the mutants. The files are callsink's own.

#![forbid(unsafe_code)]

#[path = "../../src/decode/mod.rs"]
pub mod decode;
#[path = "../../src/domain/mod.rs"]
pub mod domain;
#[path = "../../src/failpoint.rs"]
pub mod failpoint;
#[path = "../../src/journal/mod.rs"]
pub mod journal;
#[path = "../../src/queue/mod.rs"]
pub mod queue;
#[path = "../../src/verify/mod.rs"]
pub mod verify;
