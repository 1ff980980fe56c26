//! From a call to the JSON that Twilio sends.
//!
//! In: a call as known at a stage, and the event. Out: the envelope, or `data` alone.
//! Promises: members stand in the order of Twilio's examples; what is not known is `""`, `0`, `null` or
//! `unknown_...` as in events, and absent only where the schema's version doesn't know it.

use super::call::{Call, Party, Schema, Sdk};
use super::edge::{Directions, Edge, EdgeName, Properties};
use super::events::{Event, Stage};
use super::trust::Trust;
use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::value::RawValue;

/// Appends the whole CloudEvent; `data` is a JSON text when `as_text`.
pub(super) fn envelope(
    out: &mut Vec<u8>,
    call: Call,
    event: &Event,
    as_text: bool,
) -> serde_json::Result<()> {
    let version = version(call.account.schema);
    let source = format!("/v1/Voice/{}/Summary", call.sid);
    let data = data(call, event)?;
    let data = if as_text { serde_json::to_string(&data)? } else { data };
    serde_json::to_writer(
        out,
        &Envelope {
            specversion: "1.0",
            event_type: event.stage.event_type(),
            source,
            id: &event.id,
            dataschema: format!(
                "https://events-schemas.twilio.com/VoiceInsights.CallSummary/{version}"
            ),
            datacontenttype: "application/json",
            time: time_text(event.time, SecondsFormat::Millis),
            data: RawValue::from_string(data)?,
        },
    )
}

/// The text of `data`.
pub(super) fn data(call: Call, event: &Event) -> serde_json::Result<String> {
    let call = call.known_at(event.stage);
    let schema = call.account.schema;
    let edge = |name| EdgeSent::of(&call, name);
    serde_json::to_string(&Summary {
        call_sid: &call.sid,
        account_sid: call.account.sid,
        parent_call_sid: call.parent_sid.as_deref().unwrap_or_default(),
        parent_account_sid: call.account.parent_sid.unwrap_or_default(),
        created_time: (schema != Schema::V1).then(|| seconds_text(call.created)),
        start_time: call.start.map(seconds_text),
        end_time: call.end.map(seconds_text),
        duration: call.duration,
        connect_duration: call.connect_duration,
        call_type: call.call_type.as_str(),
        call_state: call.state.as_str(),
        answered_by: call.answered_by.filter(|_| schema == Schema::V7),
        from: PartySent::new(&call.from, true),
        to: PartySent::new(&call.to, false),
        processing_state: if event.stage == Stage::Complete { "complete" } else { "partial" },
        processing_version: event.processing_version,
        sip_edge: edge(EdgeName::Sip),
        carrier_edge: edge(EdgeName::Carrier),
        sdk_edge: edge(EdgeName::Sdk),
        client_edge: edge(EdgeName::Client),
        tags: call.tags_as_sent(),
        attributes: call
            .conference_participant
            .map(|conference_participant| Attributes { conference_participant }),
        properties: PropertiesSent::of(&call),
        trust: (schema != Schema::V1).then_some(call.trust.as_ref()),
        annotation: (schema == Schema::V7).then_some(None),
    })
}

fn version(schema: Schema) -> u8 {
    match schema {
        Schema::V1 => 1,
        Schema::V2 => 2,
        Schema::V7 => 7,
    }
}

fn seconds_text(seconds: i64) -> String {
    time_text(seconds * 1000, SecondsFormat::Secs)
}

fn time_text(milliseconds: i64, format: SecondsFormat) -> String {
    DateTime::from_timestamp_millis(milliseconds).unwrap_or_default().to_rfc3339_opts(format, true)
}

#[derive(Serialize)]
struct Envelope<'a> {
    specversion: &'static str,
    #[serde(rename = "type")]
    event_type: String,
    source: String,
    id: &'a str,
    dataschema: String,
    datacontenttype: &'static str,
    time: String,
    data: Box<RawValue>,
}

/// An outer `None` is absent, an inner one `null`.
#[derive(Serialize)]
struct Summary<'a> {
    call_sid: &'a str,
    account_sid: &'a str,
    parent_call_sid: &'a str,
    parent_account_sid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_time: Option<String>,
    start_time: Option<String>,
    end_time: Option<String>,
    duration: i64,
    connect_duration: i64,
    call_type: &'a str,
    call_state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_by: Option<&'a str>,
    from: PartySent<'a>,
    to: PartySent<'a>,
    processing_state: &'a str,
    processing_version: i64,
    sip_edge: Option<EdgeSent<'a>>,
    carrier_edge: Option<EdgeSent<'a>>,
    sdk_edge: Option<EdgeSent<'a>>,
    client_edge: Option<EdgeSent<'a>>,
    tags: Option<&'a [&'static str]>,
    attributes: Option<Attributes>,
    properties: PropertiesSent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<Option<&'a Trust>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotation: Option<Option<()>>,
}

#[derive(Serialize)]
struct Attributes {
    conference_participant: bool,
}

#[derive(Serialize)]
struct PartySent<'a> {
    caller: &'a str,
    callee: &'a str,
    carrier: &'a str,
    connection: &'a str,
    number_prefix: &'a str,
    location: Option<Location>,
    city: &'a str,
    country_code: &'a str,
    country_subdivision: &'a str,
    ip_address: &'a str,
    sdk: Option<Sdk>,
}

#[derive(Serialize)]
struct Location {
    lat: f64,
    lon: f64,
}

impl<'a> PartySent<'a> {
    /// Both sides have both members; the one that isn't theirs is empty.
    fn new(party: &'a Party, is_caller: bool) -> Self {
        let address = party.address.as_str();
        let (caller, callee) = if is_caller { (address, "") } else { ("", address) };
        Self {
            caller,
            callee,
            carrier: party.carrier,
            connection: party.connection,
            number_prefix: &party.number_prefix,
            location: party.location.map(|(lat, lon)| Location { lat, lon }),
            city: party.city,
            country_code: party.country,
            country_subdivision: party.subdivision,
            ip_address: &party.ip_address,
            sdk: party.sdk,
        }
    }
}

/// An edge as each version writes it.
#[derive(Serialize)]
#[serde(untagged)]
enum EdgeSent<'a> {
    Whole(&'a Edge),
    /// Version 1: media and signalling stand in the properties of the call.
    MetricsOnly {
        #[serde(skip_serializing_if = "Option::is_none")]
        metrics: Option<&'a Directions>,
        properties: Leg,
    },
    Blank {},
}

#[derive(Serialize)]
struct Leg {
    direction: &'static str,
}

impl<'a> EdgeSent<'a> {
    fn of(call: &'a Call, name: EdgeName) -> Option<Self> {
        let Some(edge) = call.edges.iter().find(|edge| edge.name == name) else {
            return call.blank_edges.then_some(Self::Blank {});
        };
        Some(if call.account.schema == Schema::V1 && name != EdgeName::Sdk {
            let properties = Leg { direction: edge.properties.direction };
            Self::MetricsOnly { metrics: edge.metrics.as_ref(), properties }
        } else {
            Self::Whole(edge)
        })
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum PropertiesSent<'a> {
    Flat {
        q850_cause: i64,
        last_sip_response_num: i64,
        pdd_ms: i64,
        route_id: &'a str,
        media_region: &'a str,
        signaling_region: &'a str,
        twilio_media_ip: &'a str,
        twilio_signaling_ip: &'a str,
        external_media_ip: &'a str,
        external_signaling_ip: &'a str,
        sip_call_id: &'a str,
        user_agent: &'a str,
        selected_region: &'a str,
        region: &'a str,
        trunk_sid: &'a str,
        disconnected_by: &'a str,
        direction: &'a str,
        settings: Option<()>,
    },
    Short {
        last_sip_response_num: i64,
        pdd_ms: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        queue_time: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        disconnected_by: Option<&'a str>,
        direction: &'a str,
    },
}

impl<'a> PropertiesSent<'a> {
    fn of(call: &'a Call) -> Self {
        let unknown = Some("unknown_disconnected_by");
        if call.account.schema != Schema::V1 {
            return Self::Short {
                last_sip_response_num: call.last_sip_response,
                pdd_ms: call.pdd_ms,
                queue_time: call.queue_time,
                disconnected_by: call
                    .disconnected_by
                    .or_else(|| unknown.filter(|_| call.account.schema == Schema::V2)),
                direction: call.direction,
            };
        }
        let nothing = &Properties::NOTHING;
        let edge = call.edges.first().map_or(nothing, |edge| &edge.properties);
        let text = |value: &'a Option<String>| value.as_deref().unwrap_or_default();
        let realm = |value: Option<&'a str>| value.unwrap_or("unknown_realm");
        Self::Flat {
            q850_cause: call.q850_cause,
            last_sip_response_num: call.last_sip_response,
            pdd_ms: call.pdd_ms,
            route_id: &call.route_id,
            media_region: realm(edge.media_region),
            signaling_region: realm(edge.signaling_region),
            twilio_media_ip: text(&edge.twilio_media_ip),
            twilio_signaling_ip: text(&edge.twilio_signaling_ip),
            external_media_ip: text(&edge.external_media_ip),
            external_signaling_ip: text(&edge.external_signaling_ip),
            sip_call_id: text(&edge.sip_call_id),
            user_agent: edge.user_agent.unwrap_or_default(),
            selected_region: realm(edge.selected_region),
            region: realm(edge.region),
            trunk_sid: text(&edge.trunk_sid),
            disconnected_by: call.disconnected_by.or(unknown).unwrap_or_default(),
            direction: call.direction,
            settings: None,
        }
    }
}
