//! Which edges report on a call.
//!
//! In: type, state, line and length of a call. Out: its edges.
//! Promises: a client call has an SDK edge and a client edge, trunking a SIP edge and a carrier edge,
//! SIP a SIP edge, the telephone network a carrier edge; and the exceptions that Twilio's samples show:
//! an SDK that never reported, a carrier edge without metrics, a carrier call with an SDK edge.

use super::call::{CallType, State};
use super::dice::Dice;
use super::edge::{Directions, Edge, EdgeName, Properties, SdkEvents, SdkSettings};
use super::measure::{self, Line};
use super::places::Country;
use std::collections::BTreeMap;

/// What the reports depend on.
pub(super) struct Conditions {
    pub(super) call_type: CallType,
    pub(super) direction: &'static str,
    pub(super) state: State,
    pub(super) line: Line,
    pub(super) country: &'static Country,
    /// Seconds for which media flowed.
    pub(super) seconds: i64,
}

/// The edges of a call.
pub(super) fn edges(dice: &mut Dice, call: &Conditions) -> Vec<Edge> {
    if call.state != State::Completed {
        return unanswered(dice, call);
    }
    let usual = call.country.codec;
    match call.call_type {
        CallType::Carrier => {
            let mut edges = vec![gateway(dice, call, EdgeName::Carrier, Some(usual))];
            if dice.chance(50) {
                edges.push(sdk(dice, call));
            }
            edges
        }
        CallType::Sip => {
            let codec = dice.weighted(&[(75, usual), (15, (18, "g729")), (10, (111, "opus"))]);
            vec![gateway(dice, call, EdgeName::Sip, Some(codec))]
        }
        CallType::Trunking => {
            let measures = dice.chance(500);
            vec![
                gateway(dice, call, EdgeName::Sip, Some(usual)),
                gateway(dice, call, EdgeName::Carrier, measures.then_some(usual)),
            ]
        }
        CallType::Client => {
            let mut edges = vec![gateway(dice, call, EdgeName::Client, Some((111, "opus")))];
            if dice.chance(880) {
                edges.push(sdk(dice, call));
            }
            edges
        }
    }
}

/// No media, so no metrics; a few edges say at least where the call was.
fn unanswered(dice: &mut Dice, call: &Conditions) -> Vec<Edge> {
    match (call.call_type, call.state) {
        (CallType::Client, State::Fail | State::Busy) if dice.chance(400) => {
            let failed = call.state == State::Fail;
            let mut edge = sdk(dice, call);
            edge.metrics = None;
            edge.properties.disconnected_by = if failed { None } else { Some("rejected") };
            if failed && let Some(events) = &mut edge.events {
                events.levels.insert("ERROR", 1);
                events.errors.insert("53405", 1);
            }
            vec![edge]
        }
        (CallType::Carrier | CallType::Trunking, State::Busy | State::NoAnswer)
            if dice.chance(250) =>
        {
            vec![gateway(dice, call, EdgeName::Carrier, None)]
        }
        _ => Vec::new(),
    }
}

/// One of Twilio's gateways; without a codec it says where it is and nothing more.
fn gateway(
    dice: &mut Dice,
    call: &Conditions,
    name: EdgeName,
    codec: Option<(i64, &'static str)>,
) -> Edge {
    let is_ip = name != EdgeName::Carrier; // no addresses are given for the telephone network
    let is_sip = name == EdgeName::Sip;
    let mut address =
        |network: &str, given: bool| given.then(|| format!("{network}.{}", dice.between(1, 254)));
    let twilio_media_ip = address("192.0.2", is_ip);
    let twilio_signaling_ip = address("192.0.2", is_ip);
    let external_media_ip = address("198.51.100", is_ip);
    let external_signaling_ip = address("198.51.100", is_sip);
    let is_trunk = is_sip && call.call_type == CallType::Trunking;
    Edge {
        name,
        metrics: codec.map(|codec| measure::gateway(dice, call.line, call.seconds, codec)),
        properties: Properties {
            direction: leg(call, name),
            media_region: Some(call.country.region),
            signaling_region: Some(call.country.region),
            edge_location: Some(call.country.edge_location),
            twilio_media_ip,
            twilio_signaling_ip,
            external_media_ip,
            external_signaling_ip,
            sip_call_id: is_sip.then(|| format!("{}@pbx.example.com", dice.hex(24))),
            user_agent: is_sip.then(|| dice.one_of(&["ExamplePBX 16.3", "ExampleSBC 9.2"])),
            trunk_sid: is_trunk.then(|| "TK7a11c0de7a11c0de7a11c0de7a11c0de".to_owned()),
            selected_region: (name == EdgeName::Client).then_some("gll"),
            region: (name == EdgeName::Client).then_some(call.country.region),
            ..Properties::NOTHING
        },
        events: None,
    }
}

/// The direction of the call as the edge sees it.
fn leg(call: &Conditions, name: EdgeName) -> &'static str {
    match (call.direction, name) {
        ("inbound", _)
        | ("trunking_originating", EdgeName::Carrier)
        | ("trunking_terminating", EdgeName::Sip) => "inbound",
        _ => "outbound",
    }
}

fn sdk(dice: &mut Dice, call: &Conditions) -> Edge {
    let metrics: Directions = measure::sdk(dice, call.line, call.seconds.max(1));
    let is_bad = !matches!(call.line, Line::Good | Line::Silent);
    let mut levels =
        BTreeMap::from([("INFO", dice.between(8, 30)), ("DEBUG", dice.between(2, 12))]);
    if is_bad {
        levels.insert("WARNING", dice.between(1, 6));
    }
    let mut groups = BTreeMap::from([
        ("get_user_media", 1),
        ("signaling_state", dice.between(2, 4)),
        ("ice_gathering_state", 2),
        ("ice_connection_state", dice.between(1, 3)),
        ("connection", dice.between(3, 5)),
        ("network_information", dice.between(1, 9)),
    ]);
    if is_bad {
        groups.insert("network_quality_warning_raised", dice.between(1, 4));
    }
    Edge {
        name: EdgeName::Sdk,
        metrics: Some(metrics),
        properties: Properties {
            direction: leg(call, EdgeName::Sdk),
            disconnected_by: Some(dice.one_of(&["local", "remote"])),
            settings: Some(SdkSettings {
                dscp: true,
                ice_restart_enabled: true,
                edge: call.country.edge_location,
                selected_edges: [dice.weighted(&[(8, "roaming"), (2, call.country.edge_location)])],
            }),
            ..Properties::NOTHING
        },
        events: Some(SdkEvents { levels, groups, errors: BTreeMap::new() }),
    }
}
