//! The process ends at the moments that a random kill rarely meets (see `callsink::failpoint`); after the next
//! start everything that was answered 200 is a row, once.

use crate::support::service::Setup;
use crate::support::twilio::{self, PUBLIC_URL, TOKEN};
use crate::support::{Database, Event, Service};

/// Delivers until the service is gone; the calls that were answered 200, and those that were not.
async fn deliver_until_gone(service: &Service) -> (Vec<String>, Vec<String>) {
    let (mut acknowledged, mut unanswered) = (Vec::new(), Vec::new());
    while unanswered.is_empty() {
        let call = format!("CA{}", acknowledged.len());
        assert!(acknowledged.len() < 500, "the failpoint is never met");
        let body = twilio::array(&[Event::new(&call, "complete")]);
        let delivery = twilio::delivery(PUBLIC_URL, TOKEN, &body);
        let request = service
            .client
            .post(format!("{}{}", service.public, delivery.target))
            .header("X-Twilio-Signature", delivery.signature)
            .body(body);
        match request.send().await {
            Ok(answer) => {
                assert_eq!(answer.status(), 200);
                acknowledged.push(call);
            }
            Err(_) => unanswered.push(call),
        }
    }
    (acknowledged, unanswered)
}

#[test]
fn a_release_build_has_no_failpoints() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    assert!(!manifest.expect("readable").contains("debug-assertions"), "off by default in release");
    let source = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/failpoint.rs"));
    let source = source.expect("readable");
    let released = source.split("#[cfg(not(debug_assertions))]").nth(1).expect("for release");
    assert!(released.trim_start().starts_with("pub fn pass(_name: &str) {}"), "{released}");
}

#[tokio::test]
async fn an_end_at_any_step_of_an_event_loses_nothing_that_was_acknowledged() {
    if !cfg!(debug_assertions) {
        eprintln!("SKIPPED: a release build has no failpoints");
        return;
    }
    for place in ["synced", "synced:7", "before_upsert", "after_upsert", "forgetting", "forgotten"]
    {
        let database = Database::migrated().await;
        let data = tempfile::tempdir().expect("a directory");
        let setup = Setup::new(&database, data.path());
        let service = setup.clone().set("CALLSINK_FAILPOINT", place).start().await;
        let (acknowledged, unanswered) = deliver_until_gone(&service).await;
        let ended = service.ended().await;
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(6), "{place}");

        let service = setup.start().await;
        service.drained().await;
        for call in &acknowledged {
            let row = format!("call_summaries WHERE call_sid = '{call}'");
            assert_eq!(database.count(&row).await, 1, "{place}: {call}");
        }
        let rows = usize::try_from(database.count("call_summaries").await).expect("few");
        assert!(rows <= acknowledged.len() + unanswered.len(), "{place}: nothing else came in");
        if place.starts_with("synced") {
            assert_eq!(rows, acknowledged.len() + 1, "{place}: synced is kept, answered or not");
        }
        assert_eq!(service.metric("callsink_journals_moved_aside_total").await, 0.0, "{place}");
    }
}
