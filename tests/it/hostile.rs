//! Authentic but broken: whatever stands in an event, it is answered 200, its neighbours land, and it
//! is found again, as a row with the odd field named or as a dead letter with its bytes.

use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Service};
use callsink::domain::fields::{Kind, SUMMARY_FIELDS};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

/// Delivers `raw` between two good events and waits until all is stored.
async fn deliver_between_neighbours(service: &Service, number: usize, raw: &[u8]) {
    let neighbour =
        |side: &str| Event::new(&format!("CA{side}{number}"), "complete").json().to_string();
    let (left, right) = (neighbour("left"), neighbour("right"));
    let body = [b"[", left.as_bytes(), b",", raw, b",", right.as_bytes(), b"]"].concat();
    assert_eq!(service.deliver(&body).await, 200, "{}", String::from_utf8_lossy(raw));
    service.drained().await;
}

async fn is_there(database: &Database, call_sid: &str) -> bool {
    database.count(&format!("call_summaries WHERE call_sid = '{call_sid}'")).await == 1
}

#[tokio::test]
async fn a_broken_event_is_kept_with_its_bytes_and_its_neighbours_land() {
    let (service, database, _data) = Service::fresh().await;
    let typed = |rest: &str| {
        format!(
            "{{\"type\":\"com.twilio.voice.insights.call-summary.complete\",\"id\":\"EZ\",{rest}}}"
        )
    };
    let broken: Vec<(Vec<u8>, &str)> = vec![
        (b"{\"type\":".to_vec(), "not_json"),
        (b"nonsense".to_vec(), "not_json"),
        (b"".to_vec(), "not_json"),
        (b"\"text\"".to_vec(), "not_an_object"),
        (b"[[]]".to_vec(), "not_an_object"),
        (b"{}".to_vec(), "no_type"),
        (b"{\"type\":\"\"}".to_vec(), "no_type"),
        (b"{\"type\":{}}".to_vec(), "no_type"),
        (typed("\"x\":1").into_bytes(), "no_data"),
        (typed("\"data\":null").into_bytes(), "no_data"),
        (typed("\"data\":\"not JSON\"").into_bytes(), "data_not_an_object"),
        (typed("\"data\":[1]").into_bytes(), "data_not_an_object"),
        (typed("\"data\":7").into_bytes(), "data_not_an_object"),
        (typed("\"data\":{}").into_bytes(), "no_call_sid"),
        (typed("\"data\":{\"call_sid\":\"\"}").into_bytes(), "no_call_sid"),
        (typed("\"data\":{\"call_sid\":null}").into_bytes(), "no_call_sid"),
        (typed("\"data\":{\"call_sid\":{}}").into_bytes(), "no_call_sid"),
    ];
    for (number, (raw, reason)) in broken.iter().enumerate() {
        // A neighbour of an unbalanced event can't be told from it; alone it is kept whole.
        if raw.ends_with(b":") {
            assert_eq!(service.deliver(raw).await, 200);
            service.drained().await;
        } else {
            deliver_between_neighbours(&service, number, raw).await;
            assert!(is_there(&database, &format!("CAleft{number}")).await, "{number}");
            assert!(is_there(&database, &format!("CAright{number}")).await, "{number}");
        }
        let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        let letter = format!(
            "callsink.dead_letters WHERE raw = '\\x{hex}' AND reason = '{reason}' AND detail <> ''"
        );
        assert_eq!(database.count(&letter).await, 1, "{} {reason}", String::from_utf8_lossy(raw));
    }
    assert_eq!(
        database.count("callsink.dead_letters").await,
        i64::try_from(broken.len()).expect("few")
    );
}

#[tokio::test]
async fn a_value_of_any_wrong_kind_in_any_field_costs_that_field_only() {
    let (service, database, _data) = Service::fresh().await;
    let odd =
        [json!({ "an": "object" }), json!(["an array"]), json!(true), json!("text"), json!(-1.5)];
    let mut events = Vec::new();
    for (number, value) in odd.iter().enumerate() {
        let mut event = Event::new(&format!("CA{number}"), "complete");
        for field in SUMMARY_FIELDS.iter().filter(|field| field.column != "account_sid") {
            let mut place = &mut event.data;
            for name in field.path.split('.') {
                if !place[name].is_object() {
                    place[name] = json!({});
                }
                place = &mut place[name];
            }
            *place = value.clone();
        }
        events.push(event);
    }
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, i64::try_from(odd.len()).expect("few"));
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    // Of an object every field complains that takes no open structure.
    let unreadable: Vec<String> =
        database.value("SELECT unreadable_fields FROM call_summaries WHERE call_sid = 'CA0'").await;
    let expected = SUMMARY_FIELDS
        .iter()
        .filter(|field| field.kind != Kind::Json && field.column != "account_sid");
    for field in expected {
        assert!(
            unreadable.iter().any(|said| said.starts_with(&format!("{}: ", field.path))),
            "{} is not named",
            field.path
        );
    }
}

#[tokio::test]
async fn numbers_times_and_lists_out_of_all_bounds_stop_nothing() {
    let (service, database, _data) = Service::fresh().await;
    let digits = "9".repeat(5000);
    let cases = [
        format!("\"duration\":{digits},\"connect_duration\":1e400,\"processing_version\":1e400"),
        "\"start_time\":\"9999-12-31T23:59:59Z\",\"end_time\":\"99999-01-01T00:00:00Z\"".to_owned(),
        "\"start_time\":\"0000-01-01T00:00:00Z\",\"end_time\":\"2026-02-30T00:00:00Z\"".to_owned(),
        "\"start_time\":\"2026-12-31T23:59:60Z\",\"end_time\":\"2026-01-01T00:00:00+99:99\""
            .to_owned(),
        format!(
            "\"tags\":{}",
            json!((0..1000).map(|n| format!("tag \"{n}\\")).collect::<Vec<_>>())
        ),
        "\"duration\":1,\"duration\":2,\"from\":{\"city\":\"a\",\"city\":\"b\"}".to_owned(),
        format!("\"unknown\":{}1{}", "[".repeat(500), "]".repeat(500)),
        "\"from\":{\"location\":{\"lat\":-0.0,\"lon\":1e308}}".to_owned(),
    ];
    for (number, case) in cases.iter().enumerate() {
        let raw = format!(
            "{{\"type\":\"com.twilio.voice.insights.call-summary.complete\",\"data\":{{\"call_sid\":\"CA{number}\",{case}}}}}"
        );
        deliver_between_neighbours(&service, number, raw.as_bytes()).await;
        assert!(is_there(&database, &format!("CA{number}")).await, "{case:.80}");
    }
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    let tags: Vec<String> =
        database.value("SELECT tags FROM call_summaries WHERE call_sid = 'CA4'").await;
    assert_eq!((tags.len(), tags[7].as_str()), (1000, "tag \"7\\"));
    let last: i32 =
        database.value("SELECT duration FROM call_summaries WHERE call_sid = 'CA5'").await;
    assert_eq!(last, 2, "of repeated names the last counts, as in PostgreSQL");
    let row = "SELECT duration, unreadable_fields FROM call_summaries WHERE call_sid = 'CA0'";
    let row = database.json(row).await;
    assert_eq!(row["duration"], Value::Null);
    assert_eq!(row["unreadable_fields"].as_array().map(Vec::len), Some(3), "{row}");
}

#[tokio::test]
async fn an_event_of_four_mebibytes_lands() {
    let (service, database, _data) = Service::fresh().await;
    let mut dice = fastrand::Rng::with_seed(4);
    let filler: String = (0..(4 << 20) - 2000).map(|_| dice.alphanumeric()).collect();
    let event = Event::new("CA1", "complete").with("filler", filler.as_str());
    assert_eq!(service.deliver_events(&[event]).await, 200);
    service.drained().await;
    let length: i32 = database.value("SELECT length(payload->>'filler') FROM call_summaries").await;
    assert_eq!(usize::try_from(length).expect("a length"), filler.len());
}

#[tokio::test]
async fn events_of_a_call_that_arrive_years_apart_converge() {
    let (service, database, _data) = Service::fresh().await;
    for (state, time) in [
        ("complete", "2026-01-02T03:04:05Z"),
        ("partial", "2036-01-02T03:04:05Z"),
        ("complete", "1996-01-02T03:04:05Z"),
    ] {
        assert_eq!(service.deliver_events(&[Event::new("CA1", state).time(time)]).await, 200);
        service.drained().await;
    }
    let row = "call_summaries WHERE event_time = '2026-01-02T03:04:05Z' \
        AND partial_time = '2036-01-02T03:04:05Z' AND complete_time = event_time";
    assert_eq!(database.count(row).await, 1);
}

#[tokio::test]
async fn heads_without_end_and_requests_without_sense_are_turned_away() {
    let (service, _database, _data) = Service::fresh().await;
    let address = service.public.trim_start_matches("http://").to_owned();
    let endless =
        format!("POST /twilio/events HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(400_000));
    let many: String = (0..500).map(|number| format!("X-{number}: y\r\n")).collect();
    for request in [
        endless,
        format!("POST /twilio/events HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        "NONSENSE\r\n\r\n".to_owned(),
        "POST /twilio/events HTTP/1.1\r\n\r\n".to_owned(),
        "POST /twilio/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(),
        "POST /twilio/events HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
    ] {
        let mut stream = TcpStream::connect(&address).expect("connected");
        // The service may hang up in the middle of it.
        drop(stream.write_all(request.as_bytes()));
        drop(stream.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 2"), "{request:.60}: {answer}");
    }
    assert_eq!(service.deliver(b"[]").await, 200, "and it goes on");
}

#[tokio::test]
async fn a_thousand_idle_connections_do_not_keep_a_delivery_out() {
    let (service, _database, _data) = Service::fresh().await;
    let address = service.public.trim_start_matches("http://").to_owned();
    let idle: Vec<TcpStream> =
        (0..900).map(|_| TcpStream::connect(&address).expect("connected")).collect();
    assert_eq!(service.deliver(b"[]").await, 200);
    drop(idle);
}

#[tokio::test]
async fn an_upper_case_hash_another_host_and_another_path_change_nothing_about_who_signed() {
    let (service, _database, _data) = Service::fresh().await;
    let body = twilio::array(&[Event::new("CA1", "complete")]);
    let good = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let (path, hash) = good.target.split_once("bodySHA256=").expect("a hash");
    let upper = format!("{path}bodySHA256={}", hash.to_ascii_uppercase());
    for (target, host, expected) in [
        (good.target.as_str(), "anything.example.com", 200),
        (&upper, "hooks.example.com", 403),
        (&good.target.replace("/twilio/events", "/twilio//events"), "hooks.example.com", 404),
        (&good.target.replace("/twilio/events", "/twilio/%65vents"), "hooks.example.com", 404),
        (&format!("{}&x=1", good.target), "hooks.example.com", 403),
    ] {
        let request = service
            .client
            .post(format!("{}{target}", service.public))
            .header("Host", host)
            .header("X-Twilio-Signature", &good.signature)
            .header("X-Forwarded-Host", "evil.example.com")
            .body(body.clone());
        assert_eq!(request.send().await.expect("an answer").status(), expected, "{target}");
    }
}
