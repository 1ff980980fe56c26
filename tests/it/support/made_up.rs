//! Made-up calls as Twilio would tell of them twice: as an item of the REST API, and as an event.
//!
//! The differences between the two are those of `call-summary` events and REST samples: events carry every
//! key, empty where there is nothing to say, and who the parent was; REST leaves empty keys out.

use super::twilio::Event;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The complete summary of call `number`, which began at `start`, as REST says it.
pub fn item(account_sid: &str, number: u32, start: DateTime<Utc>) -> Value {
    let talk = i64::from(number % 290);
    let end = start + TimeDelta::seconds(talk);
    let answered = !number.is_multiple_of(5);
    let edge = |direction: &str| {
        json!({
            "properties": { "media_region": "us1", "signaling_region": "us1", "direction": direction,
                "twilio_media_ip": "54.1.1.1", "external_media_ip": format!("198.51.100.{}", number % 250) },
            "metrics": {
                "inbound": { "codec": 0, "codec_name": "pcmu", "packets_received": number * 50,
                    "packets_lost": number % 7, "packets_loss_percentage": f64::from(number % 7) / 10.0,
                    "jitter": { "avg": f64::from(number % 40) / 10.0, "max": number % 60 } },
                "outbound": { "codec": 0, "codec_name": "pcmu", "packets_sent": number * 50 },
            },
        })
    };
    let is_sip = number.is_multiple_of(3);
    json!({
        "call_sid": format!("CA{number:032x}"),
        "account_sid": account_sid,
        "created_time": text(start - TimeDelta::seconds(4)),
        "start_time": text(start),
        "end_time": text(end),
        "duration": talk + 4,
        "connect_duration": if answered { talk } else { 0 },
        "call_type": if is_sip { "sip" } else { "carrier" },
        "call_state": if answered { "completed" } else { "noanswer" },
        "answered_by": if answered { json!("human") } else { Value::Null },
        "processing_state": "complete",
        "from": { "caller": format!("+1555000{:04}", number % 10_000), "carrier": "Twilio", "connection": "voip",
            "number_prefix": "1555", "country_code": "US", "location": { "lat": 34.4, "lon": -86.6 } },
        "to": { "callee": format!("+4930{number:07}"), "connection": "mobile", "country_code": "DE",
            "number_prefix": "4930" },
        "carrier_edge": if is_sip { Value::Null } else { edge("outbound") },
        "sip_edge": if is_sip { edge("inbound") } else { Value::Null },
        "client_edge": null,
        "sdk_edge": null,
        "tags": if number.is_multiple_of(11) { json!(["high_jitter"]) } else { Value::Null },
        "attributes": { "conference_participant": number.is_multiple_of(2) },
        "properties": { "direction": "outbound_api", "pdd_ms": 100 + number % 3000, "queue_time": 4000,
            "last_sip_response_num": if answered { 200 } else { 487 }, "disconnected_by": "caller" },
        "trust": { "verified_caller": { "verified": number.is_multiple_of(4) } },
        "annotation": null,
        "url": "https://insights.twilio.com/v1/Voice/Summaries",
    })
}

/// The event of state `state` that says the same of the call, and what only events say.
pub fn event(item: &Value, state: &str) -> Event {
    let call_sid = item["call_sid"].as_str().expect("a call");
    let end: DateTime<Utc> = item["end_time"].as_str().expect("an end").parse().expect("a time");
    let minutes = if state == "complete" { 30 } else { 5 };
    let mut event = Event::new(call_sid, state).time(text(end + TimeDelta::minutes(minutes)));
    event.data = item.clone();
    let data = event.data.as_object_mut().expect("an object");
    for rest_only in ["url", "annotation", "answered_by"] {
        data.remove(rest_only);
    }
    data.insert("parent_call_sid".to_owned(), json!(format!("CB{}", &call_sid[2..])));
    data.insert("parent_account_sid".to_owned(), json!(""));
    data.insert("processing_version".to_owned(), json!(if state == "complete" { 3 } else { 1 }));
    if data["tags"].is_null() {
        data["tags"] = json!([]);
    }
    data["from"]["callee"] = json!("");
    data["from"]["city"] = json!("");
    data["to"]["caller"] = json!("");
    data["processing_state"] = json!(if state == "complete" { "complete" } else { "partial" });
    event
}
