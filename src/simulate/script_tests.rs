//! What made-up calls look like, as events.

use super::*;
use crate::simulate::call::{CallType, State};
use crate::simulate::edge::EdgeName;
use crate::simulate::events::{MAX_EVENTS, Stage};
use serde_json::Value;
use std::collections::HashSet;

const CALLS: u32 = 3000;

fn script(data: DataForm) -> Script {
    let start = DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time");
    Script::new(7, CALLS, start, TimeDelta::hours(24), data)
}

fn picks(script: &Script, call: u32) -> Vec<Pick> {
    (0..events::count(script.seed, call))
        .map(|event| Pick { call, event, is_duplicate: false })
        .collect()
}

/// Whether the edge of that name is an object with something in it.
fn has(data: &Value, edge: &str) -> bool {
    data[edge].as_object().is_some_and(|edge| !edge.is_empty())
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let (one, other) = (script(DataForm::Mixed), script(DataForm::Mixed));
    for call in 0..50 {
        let body = one.body(&picks(&one, call), false).expect("JSON");
        assert_eq!(body, other.body(&picks(&other, call), false).expect("JSON"));
    }
    let different = Script { seed: 8, ..script(DataForm::Mixed) };
    assert_ne!(one.sid(0), different.sid(0));
}

#[test]
fn sids_and_event_ids_are_unique_and_of_twilios_form() {
    let script = script(DataForm::Object);
    let mut seen = HashSet::new();
    for index in 0..CALLS {
        let call = script.call(index);
        assert_eq!((call.sid.len(), call.account.sid.len()), (34, 34));
        let events = script.events(index, &call);
        assert_eq!(events.len(), usize::from(events::count(script.seed, index)));
        assert!(events.len() <= usize::from(MAX_EVENTS));
        assert!(events.iter().all(|event| event.id.len() == 34));
        assert!(events.iter().all(|event| event.time >= script.earliest(index)));
        assert!(seen.insert(call.sid));
        assert!(events.into_iter().all(|event| seen.insert(event.id)));
    }
}

#[test]
fn all_events_are_over_at_the_end_of_the_window() {
    let script = script(DataForm::Object);
    let end = script.start + TimeDelta::hours(24).num_milliseconds();
    for index in 0..CALLS {
        let call = script.call(index);
        assert!(script.events(index, &call).iter().all(|event| event.time < end));
    }
}

#[test]
fn a_client_call_has_an_sdk_edge_and_a_client_edge() {
    for (call_type, edges) in [
        (CallType::Client, [EdgeName::Client, EdgeName::Sdk]),
        (CallType::Trunking, [EdgeName::Sip, EdgeName::Carrier]),
        (CallType::Sip, [EdgeName::Sip, EdgeName::Sip]),
        (CallType::Carrier, [EdgeName::Carrier, EdgeName::Sdk]),
    ] {
        let script = script(DataForm::Object);
        let mut found = [0, 0];
        for index in 0..CALLS {
            let call = script.call(index);
            if call.call_type == call_type && call.state == State::Completed {
                assert!(call.edges.iter().all(|edge| edges.contains(&edge.name)));
                for (found, name) in found.iter_mut().zip(edges) {
                    *found += u32::from(call.edges.iter().any(|edge| edge.name == name));
                }
            }
        }
        assert!(found.iter().all(|found| *found > 5), "{call_type:?}: {found:?}");
    }
}

#[test]
fn every_state_and_every_tag_occurs() {
    let script = script(DataForm::Object);
    let (mut states, mut tags) = (HashSet::new(), HashSet::new());
    for index in 0..CALLS {
        let call = script.call(index);
        tags.extend(call.tags.iter().copied());
        states.insert(call.state);
        states.insert(call.known_at(Stage::Partial { ordinal: 0 }).state);
    }
    assert_eq!(states.len(), 8, "{states:?}");
    assert_eq!(tags.len(), 8, "{tags:?}");
}

#[test]
fn an_event_is_what_the_service_reads_and_in_every_version_of_the_schema() {
    let script = script(DataForm::Mixed);
    let (mut versions, mut forms) = (HashSet::new(), HashSet::new());
    for index in 0..200 {
        let body = script.body(&picks(&script, index), false).expect("JSON");
        let events: Vec<Value> = serde_json::from_slice(&body).expect("an array");
        for event in events {
            let schema = event["dataschema"].as_str().expect("a schema");
            versions.insert(schema.rsplit('/').next().map(str::to_owned));
            let data = match &event["data"] {
                Value::String(text) => serde_json::from_str(text).expect("JSON in JSON"),
                object => object.clone(),
            };
            forms.insert(event["data"].is_string());
            assert_eq!(data["call_sid"], script.sid(index));
            let is_v1 = schema.ends_with("/1");
            assert_eq!(data.get("created_time").is_none(), is_v1);
            assert_eq!(data["properties"].get("route_id").is_some(), is_v1);
            let kind = event["type"].as_str().expect("a type");
            let state = data["processing_state"].as_str();
            assert_eq!(state == Some("complete"), kind.ends_with(".complete"), "{kind} {state:?}");
            assert!(
                !kind.ends_with("partial") || data["tags"].as_array().is_none_or(Vec::is_empty)
            );
        }
    }
    assert_eq!((versions.len(), forms.len()), (3, 2));
}

#[test]
fn the_first_partial_has_no_edges_and_the_complete_has_them() {
    let script = script(DataForm::Object);
    let mut compared = 0;
    for index in 0..200 {
        let call = script.call(index);
        let events = script.events(index, &call);
        if call.edges.is_empty() || events.len() < 3 {
            continue;
        }
        compared += 1;
        for event in &events {
            let text = payload::data(call.clone(), event).expect("JSON");
            let data: Value = serde_json::from_str(&text).expect("JSON");
            let has_edges = ["carrier_edge", "sip_edge", "client_edge", "sdk_edge"]
                .iter()
                .any(|edge| has(&data, edge));
            assert_eq!(has_edges, event.stage != Stage::Partial { ordinal: 0 });
        }
    }
    assert!(compared > 50);
}

#[test]
fn a_bare_body_is_one_object() {
    let script = script(DataForm::Object);
    let bare = script.body(&picks(&script, 0)[..1], true).expect("JSON");
    assert!(serde_json::from_slice::<Value>(&bare).expect("JSON").is_object());
    let text = String::from_utf8(bare).expect("UTF-8");
    assert!(text.starts_with("{\"specversion\":\"1.0\",\"type\":\"com.twilio.voice.insights."));
}

#[test]
fn a_complete_of_a_call_with_media_is_two_to_four_and_a_half_kilobytes() {
    let script = script(DataForm::Object);
    let mut sizes = Vec::new();
    for index in 0..500 {
        let call = script.call(index);
        if call.state == State::Completed
            && let Some(pick) =
                script.events(index, &call).iter().position(|event| event.stage == Stage::Complete)
        {
            let event = u8::try_from(pick).expect("few events");
            let pick = Pick { call: index, event, is_duplicate: false };
            sizes.push(script.body(&[pick], false).expect("JSON").len());
        }
    }
    let average = sizes.iter().sum::<usize>() / sizes.len();
    assert!((1800..4500).contains(&average), "{average}");
}
