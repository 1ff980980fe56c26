//! Deliveries of made-up calls as plain bytes, for a load generator that signs and sends them itself.
//!
//! In: how many calls, over how many hours, the share of duplicates. Out: one body after the other, in the
//! order in which Twilio would send them. Promises: the same input makes the same bytes.
//! Must not know: who sends them, how fast, or what is measured.

use super::schedule::{Batches, Order};
use super::script::{DataForm, Script};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// What to make up.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// The same seed makes the same calls.
    pub seed: u64,
    /// Calls, each of one to five events.
    pub calls: u32,
    /// When the first call is made.
    pub start: DateTime<Utc>,
    /// Hours over which calls are spread.
    pub spread_hours: u16,
    /// Share of events sent a second time, 0 to 1.
    pub duplicates: f64,
    /// How `data` is written.
    pub data: DataForm,
}

/// A body with one event, an array as Twilio sends it.
#[derive(Debug)]
pub struct Delivery {
    /// The call that the event is of.
    pub call_sid: String,
    /// JSON, not signed yet.
    pub body: Vec<u8>,
}

/// The deliveries of `load`.
pub fn deliveries(load: &Load) -> impl Iterator<Item = serde_json::Result<Delivery>> + use<> {
    let spread = TimeDelta::hours(load.spread_hours.into());
    let script = Arc::new(Script::new(load.seed, load.calls, load.start, spread, load.data));
    let order = Order { shuffle: false, duplicates: load.duplicates, batch: 1 };
    Batches::new(Arc::clone(&script), order).map(move |picks| {
        let call_sid = picks.first().map(|pick| script.sid(pick.call)).unwrap_or_default();
        Ok(Delivery { call_sid, body: script.body(&picks, false)? })
    })
}
