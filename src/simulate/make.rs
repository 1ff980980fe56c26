//! Makes calls up.
//!
//! In: a seed and the number of a call. Out: the call.
//! Promises: the same arguments make the same call, whatever else was made; type, state, edges,
//! metrics, tags and answer codes of a call agree with each other as Twilio's documentation says.

use super::call::{Account, Call, CallType, Schema, State};
use super::dice::Dice;
use super::edge::{Edge, EdgeName};
use super::measure::Line;
use super::parties::{Parties, parties};
use super::places::Country;
use super::{reports, tags, trust};

/// Calls last 25 minutes at most, and with queue and ringing less than this, seconds.
pub(super) const LONGEST_CALL: i64 = 27 * 60;

const PARENT: &str = "AC5a11c0de5a11c0de5a11c0de5a11c0de";

/// Most calls are the parent account's; the subaccounts subscribed long ago, to older versions.
const ACCOUNTS: [(u32, Account); 3] = [
    (60, Account { sid: PARENT, parent_sid: None, schema: Schema::V7 }),
    (
        25,
        Account {
            sid: "ACb0a710ad0b0a710ad0b0a710ad0b0a71",
            parent_sid: Some(PARENT),
            schema: Schema::V2,
        },
    ),
    (
        15,
        Account {
            sid: "ACf00dcafe0f00dcafe0f00dcafe0f00dc",
            parent_sid: Some(PARENT),
            schema: Schema::V1,
        },
    ),
];

/// The call `sid`, created at `created` (seconds since 1970).
pub(super) fn call(dice: &mut Dice, sid: String, created: i64) -> Call {
    let account = dice.weighted(&ACCOUNTS);
    let call_type = dice.weighted(&[
        (50, CallType::Carrier),
        (22, CallType::Client),
        (13, CallType::Sip),
        (15, CallType::Trunking),
    ]);
    let direction = match call_type {
        CallType::Carrier | CallType::Sip => {
            dice.weighted(&[(45, "outbound_api"), (30, "inbound"), (25, "outbound_dial")])
        }
        CallType::Trunking => {
            dice.weighted(&[(60, "trunking_terminating"), (40, "trunking_originating")])
        }
        CallType::Client => {
            dice.weighted(&[(55, "inbound"), (30, "outbound_dial"), (15, "outbound_api")])
        }
    };
    let state = dice.weighted(&[
        (780, State::Completed),
        (70, State::NoAnswer),
        (50, State::Busy),
        (40, State::Canceled),
        (40, State::Fail),
        (20, State::Undialed),
    ]);
    let parties = parties(dice, call_type, direction, account.schema);
    let times = Times::any(dice, state, call_type, created, account.schema);
    let (pdd_ms, has_high_pdd) = pdd(dice, state, parties.country, call_type);
    let line = Line::any(dice, parties.carrier_is_poor);
    let edges = reports::edges(
        dice,
        &reports::Conditions {
            call_type,
            direction,
            state,
            line,
            country: parties.country,
            seconds: times.connect_duration,
        },
    );
    let tags = tags::earned(&edges, call_type, state, times.connect_duration, has_high_pdd);
    let (last_sip_response, q850_cause) = causes(dice, state, call_type);
    let Parties { from, to, .. } = parties;
    Call {
        sid,
        account,
        parent_sid: (direction == "outbound_dial").then(|| format!("CA{}", dice.hex(32))),
        call_type,
        direction,
        state,
        created,
        start: times.start,
        end: Some(times.end),
        duration: times.duration,
        connect_duration: times.connect_duration,
        answered_by: (direction == "outbound_api" && state == State::Completed)
            .then(|| {
                let (human, machine) = (Some("human"), Some("machine_start"));
                let (fax, unknown) = (Some("fax"), Some("unknown"));
                dice.weighted(&[(80, None), (11, human), (7, machine), (1, fax), (1, unknown)])
            })
            .flatten(),
        from,
        to,
        blank_edges: edges.is_empty() && dice.chance(120),
        disconnected_by: disconnected_by(dice, state, &edges),
        edges,
        tags,
        conference_participant: dice.chance(700).then(|| dice.chance(80)),
        pdd_ms,
        queue_time: Some(times.queue_ms),
        last_sip_response,
        q850_cause,
        route_id: format!("RT{}", dice.hex(8)),
        trust: trust::any(dice, account.schema),
        in_progress_at_first: dice.chance(120),
    }
}

/// When a call was what.
struct Times {
    start: Option<i64>,
    end: i64,
    queue_ms: i64,
    duration: i64,
    connect_duration: i64,
}

impl Times {
    /// `start` is about the time of the answer, or of the first ring where nobody answers; `duration`
    /// counts from the creation, `connect_duration` from the answer.
    fn any(
        dice: &mut Dice,
        state: State,
        call_type: CallType,
        created: i64,
        schema: Schema,
    ) -> Self {
        let queue_ms = if dice.chance(900) { 0 } else { dice.between(200, 6000) };
        let dialed = created + queue_ms / 1000;
        if state == State::Completed {
            let ringing = if call_type == CallType::Client {
                dice.between(0, 6)
            } else {
                dice.between(1, 22)
            };
            let connect_duration = match dice.weighted(&[(7, 0), (60, 1), (27, 2), (6, 3)]) {
                0 => dice.between(2, 9),
                1 => dice.between(10, 240),
                2 => dice.between(240, 900),
                _ => dice.between(900, 1500),
            };
            let start = dialed + ringing;
            let end = start + connect_duration;
            let duration = end - created;
            return Self { start: Some(start), end, queue_ms, duration, connect_duration };
        }
        let ringing = match state {
            State::NoAnswer => dice.between(20, 60),
            State::Canceled => dice.between(2, 25),
            State::Busy => dice.between(1, 4),
            State::Undialed => 0,
            _ => dice.between(0, 3),
        };
        let end = dialed + ringing;
        // The one documented event of an unanswered call, of version 1, counts no duration at all.
        let duration = if schema == Schema::V1 { 0 } else { end - created };
        let start = (state != State::Undialed).then_some(dialed);
        Self { start, end, queue_ms, duration, connect_duration: 0 }
    }
}

/// Post-dial delay in milliseconds, and whether it is beyond the 95th percentile of the country.
fn pdd(dice: &mut Dice, state: State, country: &Country, call_type: CallType) -> (i64, bool) {
    if state == State::Undialed {
        return (0, false);
    }
    if matches!(call_type, CallType::Client | CallType::Sip) {
        return (dice.between(40, 450), false);
    }
    if dice.chance(40) {
        return (dice.between(country.high_pdd_ms + 1, country.high_pdd_ms * 2), true);
    }
    (country.pdd_ms * dice.between(40, 190) / 100, false)
}

/// The last SIP answer and the Q.850 cause (its usual translation) that a state ends with.
fn causes(dice: &mut Dice, state: State, call_type: CallType) -> (i64, i64) {
    match state {
        State::Completed => (200, 16),
        State::NoAnswer => dice.weighted(&[(70, (487, 19)), (20, (480, 18)), (10, (408, 102))]),
        State::Busy => dice.weighted(&[(80, (486, 17)), (20, (600, 17))]),
        // The caller gave up before anything was dialed: no answer at all, as documented for clients.
        State::Canceled if call_type == CallType::Client => dice.one_of(&[(0, 0), (487, 16)]),
        State::Canceled => (487, 16),
        State::Fail => dice.weighted(&[
            (35, (404, 1)),
            (25, (503, 41)),
            (20, (603, 21)),
            (10, (484, 28)),
            (10, (500, 41)),
        ]),
        State::Undialed | State::Ringing | State::Answered => (0, 0),
    }
}

/// Nobody sends a BYE for what was not answered, and some SDKs lose their last reports.
fn disconnected_by(dice: &mut Dice, state: State, edges: &[Edge]) -> Option<&'static str> {
    let sdk_was_lost = !edges.is_empty() && !edges.iter().any(|edge| edge.name == EdgeName::Sdk);
    match state {
        State::Completed if sdk_was_lost && dice.chance(40) => None,
        State::Completed => Some(dice.weighted(&[(55, "caller"), (45, "callee")])),
        _ => None,
    }
}
