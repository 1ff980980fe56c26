//! Retries, against a server that answers from a list.

use super::*;
use crate::simulate::rounds::Plan;
use crate::simulate::schedule::Order;
use crate::simulate::script::DataForm;
use chrono::{DateTime, TimeDelta};
use secrecy::SecretString;
use std::sync::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers with `statuses` in turn and then 200; notes each body.
async fn server(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/hook?a=b", listener.local_addr().expect("an address"));
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&bodies);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            answer(connection, statuses, &noted).await;
        }
    });
    (url, bodies)
}

/// One request per connection.
async fn answer(mut connection: TcpStream, statuses: &[u16], noted: &Mutex<Vec<Vec<u8>>>) {
    let mut received = Vec::new();
    let body = loop {
        if connection.read_buf(&mut received).await.expect("a request") == 0 {
            return;
        }
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
        assert!(head.starts_with("post /hook?a=b&bodysha256="), "{head}");
        assert!(head.contains("x-twilio-signature: "));
        let length = head.split("content-length: ").nth(1).and_then(|it| it.lines().next());
        let length: usize = length.expect("a length").trim().parse().expect("a number");
        if received.len() >= end + 4 + length {
            break received.split_off(end + 4);
        }
    };
    let status = {
        let mut noted = noted.lock().expect("not poisoned");
        noted.push(body);
        statuses.get(noted.len() - 1).copied().unwrap_or(200)
    };
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.expect("an open connection");
}

async fn dispatch(url: &str, give_up_after: Duration) -> Dispatch {
    let endpoint = Endpoint::new(url, url, SecretString::from("secret"), 1).expect("an endpoint");
    let limits = Limits {
        concurrency: 1,
        rate: 0.0,
        give_up_after,
        max_backoff: Duration::from_millis(2),
        progress: Duration::from_secs(60),
    };
    let plan = Plan {
        seed: 1,
        calls: 3,
        start: DateTime::from_timestamp(1_800_000_000, 0),
        spread: TimeDelta::hours(2),
        data: DataForm::Object,
        order: Order { shuffle: false, duplicates: 0.0, batch: 100 },
        forever: false,
    };
    let mut dispatch = Dispatch::new(endpoint, limits, false, 1, Some(Ledger::default()));
    let stop = CancellationToken::new();
    dispatch.run(&mut Rounds::new(plan), &stop).await.expect("a run");
    dispatch
}

#[tokio::test]
async fn what_is_answered_429_or_503_is_sent_again_with_the_same_bytes() {
    let (url, bodies) = server(&[503, 429]).await;
    let dispatch = dispatch(&url, Duration::from_secs(60)).await;
    let bodies = bodies.lock().expect("not poisoned");
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert!(dispatch.tally.is_all_acknowledged());
    let ledger = dispatch.ledger.expect("kept");
    assert!(ledger.0[0].records.iter().all(|record| record.acknowledged != 0 && record.open == 0));
}

#[tokio::test]
async fn what_is_answered_with_another_4xx_is_dropped() {
    let (url, bodies) = server(&[403]).await;
    let dispatch = dispatch(&url, Duration::from_secs(60)).await;
    assert_eq!(bodies.lock().expect("not poisoned").len(), 1);
    assert!(!dispatch.tally.is_all_acknowledged());
    let ledger = dispatch.ledger.expect("kept");
    assert!(ledger.0[0].records.iter().all(|record| record.refused != 0 && record.open == 0));
}

#[tokio::test]
async fn after_a_time_retries_end_and_the_fate_of_the_events_is_open() {
    let (url, _) = server(&[500; 1000]).await;
    let dispatch = dispatch(&url, Duration::from_millis(20)).await;
    assert!(!dispatch.tally.is_all_acknowledged());
    let ledger = dispatch.ledger.expect("kept");
    assert!(ledger.0[0].records.iter().all(|record| record.open != 0));
}
