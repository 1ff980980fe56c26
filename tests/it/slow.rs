//! The slow and the many: heads and bodies a byte at a time, connections that say nothing. None of them keeps
//! a delivery out for longer than the settings allow, and none is kept.

use crate::support::service::Setup;
use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Service, eventually};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tempfile::TempDir;

/// A service that is impatient, as nobody wants to wait for the defaults.
async fn impatient() -> (Service, Database, TempDir) {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_HEAD_TIMEOUT", "1s")
        .set("CALLSINK_BODY_TIMEOUT", "1s")
        .set("CALLSINK_KEEP_ALIVE", "2s");
    (setup.start().await, database, data)
}

fn connect(service: &Service) -> TcpStream {
    let address = service.public.trim_start_matches("http://");
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
    stream
}

/// Sends `text` a byte at a time, again and again, until the service has hung up; what it said.
fn drip(mut stream: TcpStream, text: &[u8]) -> String {
    let mut said = Vec::new();
    for byte in text.iter().cycle() {
        if stream.write_all(&[*byte]).is_err() {
            break;
        }
        let mut answer = [0; 1024];
        match stream.read(&mut answer) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&answer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

async fn dripped(service: &Service, text: Vec<u8>) -> String {
    let stream = connect(service);
    let dripping = tokio::task::spawn_blocking(move || drip(stream, &text));
    assert_eq!(service.deliver(b"[]").await, 200, "meanwhile others are served");
    dripping.await.expect("dripped")
}

#[tokio::test]
async fn a_head_that_comes_a_byte_at_a_time_is_hung_up_on() {
    let (service, _database, _data) = impatient().await;
    let endless = format!("POST /twilio/events HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(5000));
    let said = dripped(&service, endless.into_bytes()).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
}

#[tokio::test]
async fn a_second_head_on_the_same_connection_may_not_dawdle_either() {
    let (service, _database, _data) = impatient().await;
    let mut stream = connect(&service);
    stream.write_all(b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    stream.set_read_timeout(None).expect("set");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 404");
    stream.set_read_timeout(Some(Duration::from_millis(20))).expect("set");
    let endless = format!("POST /twilio/events HTTP/1.1\r\nX: {}", "x".repeat(5000));
    let dripping = tokio::task::spawn_blocking(move || drip(stream, endless.as_bytes()));
    dripping.await.expect("the service hung up");
}

#[tokio::test]
async fn a_signed_body_that_comes_a_byte_at_a_time_is_answered_408_and_not_kept() {
    let (service, database, _data) = impatient().await;
    let body = twilio::array(&[Event::new("CA1", "complete").with("filler", "x".repeat(5000))]);
    let delivery = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let head = |framing: &str| {
        format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {}\r\n{framing}\r\n\r\n",
            delivery.target, delivery.signature
        )
    };
    let announced = head(&format!("Content-Length: {}", body.len()));
    let chunked = head("Transfer-Encoding: chunked");
    let chunks: Vec<u8> =
        body.iter().flat_map(|byte| [b"1\r\n", &[*byte][..], b"\r\n"].concat()).collect();
    for (head, body) in [(announced, &body), (chunked, &chunks)] {
        let mut stream = connect(&service);
        stream.write_all(head.as_bytes()).expect("sent");
        let body = body.clone();
        let dripping = tokio::task::spawn_blocking(move || drip(stream, &body));
        assert_eq!(service.deliver(b"[]").await, 200, "meanwhile others are served");
        let said = dripping.await.expect("dripped");
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    }
    assert_eq!(service.metric("callsink_deliveries_refused_total{status=\"408\"}").await, 2.0);
    assert_eq!(service.metric("callsink_events_accepted_total").await, 0.0);
    assert_eq!(database.count("call_summaries").await, 0);
}

#[tokio::test]
async fn connections_over_the_limit_wait_until_the_idle_ones_are_hung_up_on() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_HEAD_TIMEOUT", "1s")
        .set("CALLSINK_MAX_CONNECTIONS", "40");
    let service = setup.start().await;
    let idle: Vec<TcpStream> = (0..100).map(|_| connect(&service)).collect();
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    drop(idle);
}

#[tokio::test]
async fn thousands_of_idle_connections_do_not_keep_a_delivery_out() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_MAX_CONNECTIONS", "6000")
        .prefix("ulimit -Sn $(ulimit -Hn)");
    let service = setup.start().await;
    // The files of this process are limited, too, and it may not raise that; so several shells hold them.
    let address = service.public.trim_start_matches("http://").replace(':', "/");
    let script = format!(
        "ulimit -Sn $(ulimit -Hn); for fd in {{10..909}}; do eval \"exec $fd<>/dev/tcp/{address}\" || exit 1; \
         done; echo held; read -r _"
    );
    let mut holders: Vec<std::process::Child> = (0..5)
        .map(|_| {
            let mut bash = std::process::Command::new("bash");
            bash.args(["-c", &script]);
            bash.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
            bash.spawn().expect("bash")
        })
        .collect();
    for holder in &mut holders {
        let mut held = [0; 5];
        let said = holder.stdout.as_mut().expect("piped").read_exact(&mut held);
        said.expect("it holds 900 connections");
    }
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    for mut holder in holders {
        drop(holder.stdin.take());
        holder.wait().expect("ended");
    }
    eventually("the row is there", || async { database.count("call_summaries").await == 1 }).await;
}
