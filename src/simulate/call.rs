//! A made-up call: what really happened, and what is said of it at a given time.
//!
//! In: nothing; [`make`](super::make) fills it. Out: the call as an event of a given stage knows it.
//! Promises: pure; whoever renders an event and whoever checks its row look at the same facts.
//! Must not know: JSON, HTTP, the database.

use super::edge::Edge;
use super::events::Stage;
use super::trust::Trust;
use serde::Serialize;

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) sid: String,
    pub(super) account: Account,
    pub(super) parent_sid: Option<String>,
    pub(super) call_type: CallType,
    pub(super) direction: &'static str,
    pub(super) state: State,
    /// Seconds since 1970, as are the next two.
    pub(super) created: i64,
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) duration: i64,
    pub(super) connect_duration: i64,
    pub(super) answered_by: Option<&'static str>,
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) edges: Vec<Edge>,
    /// Edges without a report are `{}` instead of `null`.
    pub(super) blank_edges: bool,
    pub(super) tags: Vec<&'static str>,
    pub(super) conference_participant: Option<bool>,
    pub(super) pdd_ms: i64,
    /// Milliseconds; `None`: not known yet.
    pub(super) queue_time: Option<i64>,
    pub(super) last_sip_response: i64,
    pub(super) q850_cause: i64,
    pub(super) route_id: String,
    pub(super) disconnected_by: Option<&'static str>,
    pub(super) trust: Option<Trust>,
    /// Its early events say that it is still going on.
    pub(super) in_progress_at_first: bool,
}

/// Whose call it is, and in which version that account subscribed to summaries: versions are pinned
/// per subscription, and every account has its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    pub(super) sid: &'static str,
    pub(super) parent_sid: Option<&'static str>,
    pub(super) schema: Schema,
}

/// A version of the summary's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// Media and signalling stand flat in `properties`.
    V1,
    /// With `created_time`, `queue_time`, `trust`.
    V2,
    /// With annotation and newer forms of trust.
    V7,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallType {
    Carrier,
    Sip,
    Trunking,
    Client,
}

impl CallType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Carrier => "carrier",
            Self::Sip => "sip",
            Self::Trunking => "trunking",
            Self::Client => "client",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum State {
    Completed,
    NoAnswer,
    Busy,
    Canceled,
    Fail,
    Undialed,
    /// Still going on, as the next.
    Ringing,
    Answered,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::NoAnswer => "noanswer",
            Self::Busy => "busy",
            Self::Canceled => "canceled",
            Self::Fail => "fail",
            Self::Undialed => "undialed",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
        }
    }
}

/// One side of a call; texts are empty where nothing is known, as in events.
#[derive(Debug, Clone, Default)]
pub(super) struct Party {
    /// A number, `sip:...` or `client:...`.
    pub(super) address: String,
    pub(super) carrier: &'static str,
    pub(super) connection: &'static str,
    pub(super) number_prefix: String,
    pub(super) location: Option<(f64, f64)>,
    pub(super) city: &'static str,
    pub(super) country: &'static str,
    pub(super) subdivision: &'static str,
    pub(super) ip_address: String,
    pub(super) sdk: Option<Sdk>,
}

/// The Voice SDK of a client, in Twilio's words.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Sdk {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    pub(super) platform: &'static str,
    pub(super) region: &'static str,
    pub(super) selected_region: &'static str,
    pub(super) browser: Browser,
    pub(super) os: Versioned,
    pub(super) device: Device,
    pub(super) engine: Versioned,
    pub(super) app: Versioned,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Browser {
    pub(super) name: &'static str,
    pub(super) major: &'static str,
    pub(super) version: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Versioned {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Device {
    pub(super) model: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) vendor: &'static str,
    pub(super) arch: &'static str,
}

impl Call {
    /// The tags as sent: where there are none, old versions say `[]` and the newest `null`.
    pub(super) fn tags_as_sent(&self) -> Option<&[&'static str]> {
        (self.account.schema != Schema::V7 || !self.tags.is_empty()).then_some(&self.tags)
    }

    /// The call as known at `stage`: the earlier, the less.
    pub(super) fn known_at(mut self, stage: Stage) -> Self {
        let Stage::Partial { ordinal } = stage else {
            if stage == Stage::PredictedComplete {
                // A prediction, made from almost everything.
                self.edges.iter_mut().for_each(|edge| edge.scale(985));
                self.tags.retain(|tag| !tag.starts_with("high_p"));
            }
            return self;
        };
        self.tags.clear();
        self.disconnected_by = None;
        self.queue_time = None;
        if ordinal == 0 {
            self.edges.clear();
            // The carrier of a number is looked up later.
            self.to.carrier = "";
            self.to.location = None;
            self.trust = None;
            if self.in_progress_at_first {
                self.unfinish();
            }
        } else {
            let permille = 400 * i64::from(ordinal);
            self.edges.iter_mut().for_each(|edge| edge.scale(permille.min(950)));
        }
        self
    }

    /// Back to when it went on.
    fn unfinish(&mut self) {
        self.state = match self.state {
            State::Completed => State::Answered,
            State::Undialed => State::Undialed,
            _ => State::Ringing,
        };
        self.end = None;
        self.duration = 0;
        self.connect_duration = 0;
        if self.state == State::Ringing {
            self.last_sip_response = 180;
            self.q850_cause = 0;
        }
    }
}
