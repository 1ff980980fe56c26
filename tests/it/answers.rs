//! What each request is answered, and what becomes of it.

use crate::support::service::Setup;
use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Service};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;

fn path() -> &'static str {
    "/twilio/events"
}

#[tokio::test]
async fn an_authentic_delivery_is_answered_200_and_becomes_a_row() {
    let (service, database, _data) = Service::fresh().await;
    assert_eq!(service.deliver_events(&[Event::new("CA1", "partial")]).await, 200);
    service.drained().await;
    let call: String = database.value("SELECT call_sid FROM call_summaries").await;
    assert_eq!(call, "CA1");
}

#[tokio::test]
async fn whatever_is_authentic_is_answered_200_and_kept() {
    let (service, database, _data) = Service::fresh().await;
    let test_event = std::fs::read(crate::support::service::samples().join("event-sink-test.json"));
    let test_event = test_event.expect("a sample");
    for body in [
        &b"[]"[..],
        b" [ ] ",
        &test_event,
        b"this is not JSON",
        b"",
        b"[1,{\"type\":7},null]",
        b"[{\"type\":\"com.twilio.voice.insights.call-summary.complete\",\"data\":{}}]",
    ] {
        let text = String::from_utf8_lossy(body);
        assert_eq!(service.deliver(body).await, 200, "{text}");
        assert_eq!(service.deliver(body).await, 200, "again: {text}");
    }
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 0);
    assert_eq!(database.count("callsink.events").await, 2, "the test event, and the one of type 7");
    let letters = database
        .rows("SELECT reason, occurrences FROM callsink.dead_letters ORDER BY reason, raw")
        .await;
    let letters: Vec<(String, i64)> =
        letters.iter().map(|row| (sqlx::Row::get(row, 0), sqlx::Row::get(row, 1))).collect();
    let twice = |reason: &str| (reason.to_owned(), 2);
    assert_eq!(
        letters,
        [
            twice("no_call_sid"),
            twice("not_an_object"),
            twice("not_an_object"),
            twice("not_json"),
            twice("not_json"),
        ]
    );
}

#[tokio::test]
async fn a_broken_event_does_not_take_its_neighbours_along() {
    let (service, database, _data) = Service::fresh().await;
    let (good, other) =
        (Event::new("CA1", "complete").json(), Event::new("CA2", "complete").json());
    let body = format!("[{good},{{\"type\":,}},{other}]");
    assert_eq!(service.deliver(body.as_bytes()).await, 200);
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 2);
    let raw: Vec<u8> = database.value("SELECT raw FROM callsink.dead_letters").await;
    assert_eq!(raw, b"{\"type\":,}");
}

#[tokio::test]
async fn what_twilio_did_not_sign_is_rejected_counted_and_not_kept() {
    let (service, database, _data) = Service::fresh().await;
    let body = twilio::array(&[Event::new("CA1", "complete")]);
    let right = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let other_body = twilio::array(&[Event::new("CA2", "complete")]);
    let wrong_token = twilio::delivery(PUBLIC_URL, "wrong", &body);
    for (target, signature, body, reason) in [
        (right.target.as_str(), None, &body, "missing_signature"),
        (path(), Some(right.signature.as_str()), &body, "missing_body_hash"),
        (&right.target, Some(&right.signature), &other_body, "body_hash_mismatch"),
        (&right.target, Some(&wrong_token.signature), &body, "signature_mismatch"),
    ] {
        let answer = service.post(target, signature, body).await;
        assert_eq!(answer.status(), 403, "{reason}");
        let sample = format!("callsink_deliveries_rejected_total{{reason=\"{reason}\"}}");
        assert_eq!(service.metric(&sample).await, 1.0, "{reason}");
    }
    assert_eq!(service.readiness().await.1["journal"]["depth_events"], 0);
    assert_eq!(service.metric("callsink_events_accepted_total").await, 0.0);
    assert_eq!(database.count("call_summaries").await, 0);
    service.says("missing_signature").await;
    service.says("hooks.example.com").await;
    let log = service.log();
    assert!(!log.contains(TOKEN) && !log.contains("wrong_"), "no secrets: {log}");
}

#[tokio::test]
async fn the_reject_status_can_be_one_that_twilio_tries_again() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path()).set("CALLSINK_REJECT_STATUS", "503");
    let service = setup.start().await;
    let answer = service.post(path(), None, b"[]").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn each_configured_token_and_each_spelling_of_the_url_is_accepted() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path())
        .set("TWILIO_AUTH_TOKEN", "old-token, new-token")
        .set("CALLSINK_PUBLIC_URL", "https://user:p@ss@Hooks.example.com/in?env=prod")
        .start()
        .await;
    for origin in [
        "https://user:p@ss@Hooks.example.com",
        "https://user:p@ss@Hooks.example.com:443",
        "https://Hooks.example.com",
        "https://Hooks.example.com:443",
    ] {
        for token in ["old-token", "new-token"] {
            let url = format!("{origin}/in?env=prod");
            assert_eq!(service.deliver_as(&url, token, b"[]").await, 200, "{url}");
        }
    }
    let other = "https://hooks.example.com/in?env=prod";
    assert_eq!(
        service.deliver_as(other, "new-token", b"[]").await,
        403,
        "the host is to the letter"
    );
    assert!(!service.log().contains("p@ss"), "{}", service.log());
}

#[tokio::test]
async fn requests_that_are_not_deliveries_are_told_so() {
    let (service, _database, _data) = Service::fresh().await;
    assert_eq!(service.post("/elsewhere", None, b"[]").await.status(), 404);
    assert_eq!(service.post("/twilio/events/", None, b"[]").await.status(), 404, "no redirects");
    let answer = service.client.get(format!("{}{}", service.public, path())).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "POST");
    let signed = service.client.get(format!("{}{}", service.public, path()));
    let answer = signed.header("X-Twilio-Signature", "any").send().await.expect("an answer");
    assert_eq!(answer.status(), 503, "a GET sink of Twilio's loses nothing in silence");
    assert!(answer.headers().contains_key("retry-after"));
    service.says("delivers by GET").await;
    let counted =
        service.metric("callsink_deliveries_unavailable_total{reason=\"get_sink\"}").await;
    assert!(counted > 0.0);
    let health = service.client.get(format!("{}/metrics", service.public)).send().await;
    assert_eq!(health.expect("an answer").status(), 404, "nothing private on the public listener");
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_413_before_it_is_read() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path()).set("CALLSINK_MAX_BODY_BYTES", "10KiB");
    let service = setup.start().await;
    let event = |size: usize| Event::new("CA1", "complete").with("filler", "x".repeat(size));
    assert_eq!(service.deliver_events(&[event(9_000)]).await, 200);

    // Announced: the answer comes although not one byte of the body is sent.
    let address = service.public.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("connected");
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 10241\r\n\r\n", path());
    stream.write_all(head.as_bytes()).expect("sent");
    assert_eq!(status(&mut stream), 413);

    // Not announced: as soon as it is too much. The signature holds, so the body is worth reading.
    let mut stream = TcpStream::connect(address).expect("connected");
    let delivery = twilio::delivery(PUBLIC_URL, TOKEN, b"any");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {}\r\nTransfer-Encoding: chunked\r\n\r\n",
        delivery.target, delivery.signature
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for _ in 0..3 {
        stream.write_all(chunk.as_bytes()).expect("sent");
    }
    assert_eq!(status(&mut stream), 413);
}

#[tokio::test]
async fn a_body_without_a_valid_signature_is_not_waited_for() {
    let (service, _database, _data) = Service::fresh().await;
    let mut stream =
        TcpStream::connect(service.public.trim_start_matches("http://")).expect("connected");
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n", path());
    stream.write_all(head.as_bytes()).expect("sent");
    assert_eq!(status(&mut stream), 403, "not one byte of the body was sent");
}

#[tokio::test]
async fn a_request_line_in_absolute_form_is_the_same_request() {
    let (service, _database, _data) = Service::fresh().await;
    let body = twilio::array(&[Event::new("CA1", "complete")]);
    let delivery = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let mut stream =
        TcpStream::connect(service.public.trim_start_matches("http://")).expect("connected");
    let head = format!(
        "POST https://hooks.example.com{} HTTP/1.1\r\nHost: other.example.com\r\n\
         X-Twilio-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        delivery.target,
        delivery.signature,
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(&body).expect("sent");
    assert_eq!(status(&mut stream), 200);
}

#[tokio::test]
async fn until_it_is_configured_deliveries_are_answered_503_and_the_missing_settings_are_named() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path())
        .set("TWILIO_AUTH_TOKEN", "")
        .set("CALLSINK_PUBLIC_URL", "");
    let service = setup.start().await;
    let answer = service.post("/any/path", Some("signature"), b"[]").await;
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let (status, report) = service.readiness().await;
    assert_eq!(status, 503);
    let reasons = report["reasons"].to_string();
    assert!(
        reasons.contains("TWILIO_AUTH_TOKEN") && reasons.contains("CALLSINK_PUBLIC_URL"),
        "{reasons}"
    );
    service.says("set TWILIO_AUTH_TOKEN and CALLSINK_PUBLIC_URL").await;
    let live = service.client.get(format!("{}/livez", service.admin)).send().await;
    assert_eq!(live.expect("an answer").status(), 200, "alive all the same");
}

#[tokio::test]
async fn the_log_of_a_delivery_holds_no_numbers_and_no_bodies() {
    let (service, _database, _data) = Service::fresh().await;
    let secret = "+15005550123";
    let events = [
        Event::new("CA1", "complete").with("from", json!({ "caller": secret })),
        Event::new("", "complete").with("from", json!({ "caller": secret })),
        Event::new("CA2", "complete").with("duration", json!({ "odd": secret })),
    ];
    assert_eq!(service.deliver_events(&events).await, 200);
    service.drained().await;
    assert!(!service.log().contains(secret), "{}", service.log());
}

/// The status line of a raw answer.
fn status(stream: &mut TcpStream) -> u16 {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer
        .rsplit(' ')
        .next()
        .and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("{answer}"))
}
