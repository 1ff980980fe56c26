//! Stopping: what is there goes to PostgreSQL behind an open door; then the door, then what fits into the time.

use crate::support::service::Setup;
use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Line, Service, eventually};
use std::io::{Read, Write};
use std::net::TcpStream;

const LOCK: &str = "BEGIN; LOCK TABLE public.call_summaries IN ACCESS EXCLUSIVE MODE";

#[tokio::test]
async fn a_signal_ends_it_with_everything_stored_and_exit_code_0() {
    for signal in ["TERM", "INT"] {
        let (service, database, _data) = Service::fresh().await;
        let events: Vec<Event> =
            (0..300).map(|number| Event::new(&format!("CA{number}"), "complete")).collect();
        assert_eq!(service.deliver_events(&events).await, 200);
        service.signal(signal);
        assert_eq!(service.ended().await.code(), Some(0));
        assert_eq!(database.count("call_summaries").await, 300, "flushed before the end");
    }
}

#[tokio::test]
async fn while_a_stop_waits_for_postgresql_deliveries_are_still_taken() {
    let (service, database, _data) = Service::fresh().await;
    let mut locker = database.connect().await;
    sqlx::raw_sql(LOCK).execute(&mut locker).await.expect("locked");
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    service.signal("TERM");
    eventually("it says that it stops", || async { service.readiness().await.0 == 503 }).await;
    assert_eq!(service.deliver_events(&[Event::new("CA2", "complete")]).await, 200);
    sqlx::raw_sql("COMMIT").execute(&mut locker).await.expect("released");
    assert_eq!(service.ended().await.code(), Some(0));
    assert_eq!(database.count("call_summaries").await, 2, "both are flushed before the end");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever_and_the_rest_waits_in_the_journal() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let service = setup.start().await;
    let mut locker = database.connect().await;
    sqlx::raw_sql(LOCK).execute(&mut locker).await.expect("locked");
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    assert_eq!(service.stop().await.code(), Some(0));
    sqlx::raw_sql("COMMIT").execute(&mut locker).await.expect("released");
    let service = setup.start().await;
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 1);
}

#[tokio::test]
async fn without_a_database_it_ends_at_once_and_the_rest_waits_in_the_journal() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let service = setup.start().await;
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    eventually("the database is reported down", || async {
        service.readiness().await.1["database"]["state"] == "down"
    })
    .await;
    assert_eq!(service.stop().await.code(), Some(0));
    line.mend();
    let service = setup.start().await;
    service.drained().await;
    assert_eq!(database.count("call_summaries").await, 1);
}

#[tokio::test]
async fn a_request_that_is_half_on_the_wire_is_finished_or_not_claimed() {
    let (service, database, _data) = Service::fresh().await;
    let body = twilio::array(&[Event::new("CAhalf", "complete")]);
    let delivery = twilio::delivery(PUBLIC_URL, TOKEN, &body);
    let mut stream =
        TcpStream::connect(service.public.trim_start_matches("http://")).expect("connected");
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {}\r\nContent-Length: {}\r\n\r\n",
        delivery.target,
        delivery.signature,
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(&body[..50]).expect("sent");
    // Another delivery on its own connection shows that the half one has been read as far as it goes.
    assert_eq!(service.deliver(b"[]").await, 200);
    service.signal("TERM");
    service.says("stopping").await;
    let rest = stream.write_all(&body[50..]);
    let mut answer = String::new();
    let read = rest.and_then(|()| stream.read_to_string(&mut answer));
    assert_eq!(service.ended().await.code(), Some(0));
    let rows = database.count("call_summaries").await;
    let claimed = read.is_ok() && answer.starts_with("HTTP/1.1 200");
    assert!(!claimed || rows == 1, "answered {answer:?}, {rows} rows");
    assert!(claimed, "a request in flight is finished: {answer:?}");
}
