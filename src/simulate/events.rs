//! Which events a call has: stages, versions, times, ids.
//!
//! In: the seed, the number of a call, when it ended. Out: its events in the order of their emission.
//! Promises: ids are unique; no call has more than [`MAX_EVENTS`].
//! Source: several partials from half a minute after the end, a prediction, and a complete about half
//! an hour after the end; whether versions go on counting at the end or start again is not documented,
//! so that both happen here.

use super::call::{Call, Schema};
use super::dice::{Dice, Purpose};

/// Events of one call at most; as many bits note which of them were acknowledged.
pub(super) const MAX_EVENTS: u8 = 5;

/// How much an event knows of its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// One of several; the first has ordinal 0 and knows least.
    Partial {
        ordinal: u8,
    },
    PredictedComplete,
    Complete,
}

impl Stage {
    /// The last part of the event type.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Partial { .. } => "partial",
            Self::PredictedComplete => "predicted-complete",
            Self::Complete => "complete",
        }
    }

    /// The whole event type.
    pub(super) fn event_type(self) -> String {
        format!("com.twilio.voice.insights.call-summary.{}", self.suffix())
    }

    /// How final: the first part of the key by which the events of a call converge.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Partial { .. } => 1,
            Self::PredictedComplete => 2,
            Self::Complete => 3,
        }
    }
}

/// One event of a call.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) stage: Stage,
    pub(super) processing_version: i64,
    /// Milliseconds since 1970.
    pub(super) time: i64,
    /// `data` is an object if this is below the share of objects, else a JSON text.
    pub(super) form: i64,
}

/// How many events the call numbered `index` has, without making the call.
pub(super) fn count(seed: u64, index: u32) -> u8 {
    Outline::new(&mut Dice::new(seed, Purpose::Events, index.into())).count()
}

/// What is decided first, so that [`count`] needs no more.
struct Outline {
    partials: u8,
    stays_partial: bool,
}

impl Outline {
    fn new(dice: &mut Dice) -> Self {
        let partials = dice.weighted(&[(35, 1), (40, 2), (25, 3)]);
        Self { partials, stays_partial: dice.chance(20) }
    }

    fn count(&self) -> u8 {
        if self.stays_partial { self.partials } else { self.partials + 2 }
    }
}

/// The events of `call`, which has the number `index`.
pub(super) fn of(seed: u64, index: u32, call: &Call) -> Vec<Event> {
    let mut dice = Dice::new(seed, Purpose::Events, index.into());
    let outline = Outline::new(&mut dice);
    let restarts_counting = dice.chance(250);
    let last_is_late = dice.chance(30);
    let id_prefix = if call.account.schema == Schema::V1 { "EZ" } else { "VW" };
    // Ids follow from the sid, so that runs at different times don't share them.
    let sid = &call.sid[2..26];

    let ended = call.end.unwrap_or(call.created) * 1000;
    let mut stages: Vec<(Stage, i64, i64)> = Vec::with_capacity(usize::from(MAX_EVENTS));
    let mut time = ended + dice.between(20_000, 100_000);
    for ordinal in 0..outline.partials {
        stages.push((Stage::Partial { ordinal }, i64::from(ordinal) + 1, time));
        time += dice.between(40_000, 160_000);
    }
    if !outline.stays_partial {
        let next = if restarts_counting { 1 } else { i64::from(outline.partials) + 1 };
        let complete = ended + dice.between(1_200_000, 1_800_000);
        stages.push((Stage::PredictedComplete, next, ended + dice.between(480_000, 660_000)));
        stages.push((Stage::Complete, next + 1, complete));
        if last_is_late {
            // Nobody promises an order, so that a partial may even be emitted last.
            stages[usize::from(outline.partials) - 1].2 = complete + dice.between(1000, 60_000);
        }
    }
    let mut events: Vec<Event> = stages
        .into_iter()
        .enumerate()
        .map(|(position, (stage, processing_version, time))| Event {
            id: format!("{id_prefix}{sid}{position:x}{}", dice.hex(7)),
            stage,
            processing_version,
            time,
            form: dice.between(0, 999),
        })
        .collect();
    events.sort_by_key(|event| event.time);
    events
}
