//! What the views for people make of a call: whose clock, whose network, who heard nothing.

use crate::support::Database;
use crate::support::{Event, Service};
use serde_json::{Value, json};

async fn texts(database: &Database, sql: &str) -> Vec<String> {
    database.rows(sql).await.iter().map(|row| sqlx::Row::get(row, 0)).collect()
}

/// A call to a number of a place, which began at noon UTC.
fn to(sid: &str, to: Value) -> Event {
    Event::new(sid, "complete")
        .with("start_time", "2026-01-02T12:00:00Z")
        .with("properties", json!({"direction": "outbound_api"}))
        .with("to", to)
}

#[tokio::test]
async fn a_call_began_at_the_hour_of_the_other_partys_number_as_far_as_twilio_says_where_that_is() {
    let (service, database, _data) = Service::fresh().await;
    let location = |lat: f64, lon: f64| json!({"lat": lat, "lon": lon});
    let mut events = vec![
        to("CA01", json!({"country_code": "DE"})),
        to("CA02", json!({"country_code": "US", "country_subdivision": "California"})),
        to("CA03", json!({"country_code": "US", "country_subdivision": "NY"})),
        to("CA04", json!({"country_code": "US", "location": location(41.9, -87.6)})),
        to("CA05", json!({"country_code": "US"})),
        to("CA06", json!({"country_code": "US", "location": location(0.0, -0.0)})),
        to("CA07", json!({"country_code": "ZZ", "location": location(1.0, 1000.0)})),
        to("CA08", json!({"country_code": "DE", "country_subdivision": "Bayern"})),
        to("CA09", json!({"location": location(-36.8, 174.8)})),
    ];
    // Who called us is the other party of a call that came in.
    events.push(
        to("CA10", json!({"country_code": "DE"}))
            .with("properties", json!({"direction": "inbound"}))
            .with("from", json!({"country_code": "JP"})),
    );
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    let told = "SELECT concat_ws(' ', call_sid, time_zone, to_char(local_start_time, 'HH24:MI')) FROM calls ORDER BY call_sid";
    assert_eq!(
        texts(&database, told).await,
        [
            "CA01 Europe/Berlin 13:00",
            "CA02 America/Los_Angeles 04:00",
            "CA03 America/New_York 07:00",
            "CA04 Etc/GMT+6 06:00",
            "CA05",
            "CA06",
            "CA07",
            "CA08 Europe/Berlin 13:00",
            "CA09 Etc/GMT-12 00:00",
            "CA10 Asia/Tokyo 21:00",
        ]
    );
    let unknown = "SELECT count(*) FROM callsink.time_zones WHERE time_zone NOT IN (SELECT name FROM pg_timezone_names)";
    assert_eq!(database.value::<i64>(unknown).await, 0, "asking for their time is an error");
    assert!(database.count("callsink.time_zones").await > 350);
}

#[tokio::test]
async fn agents_offices_and_networks_are_told_apart_and_not_told() {
    let (service, database, _data) = Service::fresh().await;
    let agent = |sid: &str, name: &str, address: &str| {
        Event::new(sid, "complete")
            .with("properties", json!({"direction": "outbound_dial"}))
            .with("from", json!({"caller": "client:reception", "ip_address": "192.0.2.1"}))
            .with("to", json!({"callee": name, "ip_address": address}))
    };
    let trunk = json!({"properties": {"trunk_sid": "TK1", "external_media_ip": "203.0.113.9"}});
    let events = [
        agent("CA1", "client:alice", "198.51.100.7"),
        agent("CA2", "client:alice", "198.51.100.8"),
        agent("CA3", "client:bob", "198.51.100.8"),
        agent("CA4", "client:bob", "2001:db8:7::1"),
        agent("CA5", "client:bob", "198.51.100.xxx"),
        Event::new("CA6", "complete")
            .with("from", json!({"caller": "+15550100123"}))
            .with("sip_edge", trunk),
        Event::new("CA7", "complete").with("from", json!({"caller": "+15550100123"})),
    ];
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    let groups = |column: &str| {
        format!(
            "SELECT string_agg(right(call_sid, 1), '' ORDER BY call_sid) FROM calls WHERE {column} IS NOT NULL \
             GROUP BY {column} ORDER BY 1"
        )
    };
    let told = [
        ("agent_pseudonym", vec!["12", "345"]),
        ("agent_address_pseudonym", vec!["1", "23", "4", "5", "6"]),
        ("agent_network_pseudonym", vec!["123", "4", "6"]),
        ("trunk_sid", vec!["6"]),
    ];
    for (column, expected) in told {
        assert_eq!(texts(&database, &groups(column)).await, expected, "{column}");
    }
    let all = texts(&database, "SELECT row_to_json(calls)::text FROM calls").await.concat();
    for secret in ["198.51", "2001:db8", "203.0.113", "alice", "reception", "5550100123"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    // Whoever may see addresses asks for the network itself.
    let networks = "SELECT network_of(to_ip_address) FROM call_summaries WHERE to_ip_address IS NOT NULL ORDER BY call_sid";
    let networks: Vec<Option<String>> =
        database.rows(networks).await.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    let v4 = Some("198.51.100.0/24".to_owned());
    assert_eq!(networks, [v4.clone(), v4.clone(), v4, Some("2001:db8:7::/48".to_owned()), None]);
}

#[tokio::test]
async fn each_edge_of_an_answered_call_tells_which_way_it_was_silent() {
    let (service, database, _data) = Service::fresh().await;
    let received = |packets: u32| json!({"packets_received": packets});
    let sent = |packets: u32| json!({"packets_sent": packets});
    let call = |sid: &str, state: &str, metrics: Value| {
        Event::new(sid, "complete")
            .with("call_state", state)
            .with("tags", json!(["silence"]))
            .with("carrier_edge", json!({"metrics": metrics}))
    };
    let events = [
        call("CA1", "completed", json!({"inbound": received(9), "outbound": sent(9)}))
            .with("sip_edge", json!({"metrics": {"outbound": sent(9)}})),
        call("CA2", "completed", json!({"inbound": received(0), "outbound": sent(9)})),
        call("CA3", "completed", json!({"inbound": received(9), "outbound": sent(0)})),
        call("CA4", "completed", json!({"inbound": received(0)})),
        call("CA5", "busy", json!({"inbound": received(9)})),
        call("CA6", "completed", Value::Null),
    ];
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    let told = "SELECT concat_ws(' ', call_sid, edge, media) FROM call_edge_silence WHERE has_silence ORDER BY 1";
    assert_eq!(
        texts(&database, told).await,
        [
            "CA1 carrier_edge both ways",
            "CA1 sip_edge nothing received",
            "CA2 carrier_edge nothing received",
            "CA3 carrier_edge nothing sent",
            "CA4 carrier_edge nothing",
        ]
    );
}
