//! Real kills of the compiled service: what was answered 200 is there afterwards.

use crate::support::service::Setup;
use crate::support::{Database, Event, Line};
use callsink::journal::checksum::checksum;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Delivers calls named `prefix` from several connections until the service is gone; who was answered 200.
async fn deliver_until_killed(
    service: crate::support::Service,
    prefix: &str,
    kill_after: usize,
) -> BTreeSet<String> {
    let service = Arc::new(service);
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let (service, acknowledged) = (Arc::clone(&service), Arc::clone(&acknowledged));
            let prefix = prefix.to_owned();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for number in 0.. {
                    let sid = format!("{prefix}-{sender}-{number}");
                    let body = crate::support::twilio::array(&[Event::new(&sid, "complete")]);
                    let delivery = crate::support::twilio::delivery(
                        crate::support::twilio::PUBLIC_URL,
                        crate::support::twilio::TOKEN,
                        &body,
                    );
                    let request = service
                        .client
                        .post(format!("{}{}", service.public, delivery.target))
                        .header("X-Twilio-Signature", delivery.signature)
                        .body(body);
                    match request.send().await {
                        Ok(answer) if answer.status() == 200 => {
                            mine.push(sid);
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(answer) => panic!("answered {}", answer.status()),
                        Err(_) => break, // killed
                    }
                }
                mine
            })
        })
        .collect();
    crate::support::eventually("enough was acknowledged", || async {
        acknowledged.load(Ordering::Relaxed) >= kill_after
    })
    .await;
    service.signal("KILL");
    let mut all = BTreeSet::new();
    for sender in senders {
        all.extend(sender.await.expect("a sender"));
    }
    all
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_a_row_after_the_restart() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let mut acknowledged = BTreeSet::new();
    for (round, kill_after) in [1, 40, 200, 333, 700].into_iter().enumerate() {
        let service = setup.start().await;
        acknowledged.extend(deliver_until_killed(service, &format!("CA{round}"), kill_after).await);
    }
    let service = setup.start().await;
    service.drained().await;
    let rows = database.rows("SELECT call_sid FROM call_summaries").await;
    let rows: BTreeSet<String> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    let lost: Vec<_> = acknowledged.difference(&rows).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged are lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    assert!(acknowledged.len() > 1000);
}

#[tokio::test]
async fn what_was_acknowledged_while_the_database_was_away_survives_a_kill() {
    let database = Database::migrated().await;
    let line = Line::to(database.url()).await;
    line.cut();
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&line.through(database.url()), data.path());
    let acknowledged = deliver_until_killed(setup.start().await, "CA", 100).await;
    assert_eq!(database.count("call_summaries").await, 0);
    line.mend();
    let service = setup.start().await;
    service.drained().await;
    let rows = usize::try_from(database.count("call_summaries").await).expect("a count");
    assert!(rows >= acknowledged.len(), "{rows} rows for {} acknowledged", acknowledged.len());
}

#[tokio::test]
async fn a_replay_after_a_kill_changes_nothing() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let service = setup.start().await;
    let poison = b"not JSON";
    assert_eq!(service.deliver_events(&[Event::new("CA1", "partial")]).await, 200);
    assert_eq!(service.deliver(poison).await, 200);
    service.drained().await;
    service.kill();
    // What the journal had forgotten is put back, as if the kill had come before the forgetting.
    let journal = rusqlite::Connection::open(data.path().join("journal.db")).expect("the journal");
    let received = "SELECT (extract(epoch FROM first_received_time) * 1000000)::bigint FROM ";
    let put = |position: i64, received: i64, body: &[u8]| {
        let insert = "INSERT OR REPLACE INTO entries (position, received, body, checksum) VALUES (?1, ?2, ?3, ?4)";
        let checksum = checksum(position.cast_unsigned(), received, body);
        journal.execute(insert, (position, received, body, checksum)).expect("put back");
    };
    let event = Event::new("CA1", "partial").json().to_string();
    put(1, database.value(&format!("{received} call_summaries")).await, event.as_bytes());
    put(2, database.value(&format!("{received} callsink.dead_letters")).await, poison);
    drop(journal);
    let version = "SELECT xmin::text || ctid::text FROM call_summaries";
    let before: String = database.value(version).await;

    let service = setup.start().await;
    service.drained().await;
    assert_eq!(database.value::<String>(version).await, before, "the row was not even written");
    assert_eq!(database.value::<i64>("SELECT occurrences FROM callsink.dead_letters").await, 1);
    assert_eq!(service.metric("callsink_apply_outcomes_total{outcome=\"stale\"}").await, 1.0);
}
