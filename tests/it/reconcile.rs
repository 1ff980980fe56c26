//! The reconciliation that the service does by itself, beside the path of events.

use crate::support::insights::ACCOUNT;
use crate::support::service::Setup;
use crate::support::twilio::TOKEN;
use crate::support::{Database, Event, Insights, eventually, made_up};
use chrono::{TimeDelta, Utc};
use std::path::Path;

fn setup(insights: &Insights, database: &Database, data: &Path, mode: &str) -> Setup {
    Setup::new(database, data)
        .set("CALLSINK_RECONCILE", mode)
        .set("CALLSINK_RECONCILE_EVERY", "1m")
        .set("TWILIO_ACCOUNT_SID", ACCOUNT)
        .set("CALLSINK_INSIGHTS_API", insights.url.clone())
}

/// Calls of the last days, and one that Twilio forgets soon.
fn made(insights: &Insights) {
    let ago = |hours| Utc::now() - TimeDelta::hours(hours);
    let starts = [ago(3), ago(30), ago(29 * 24)];
    let calls = starts.iter().enumerate().map(|(number, start)| {
        made_up::item(ACCOUNT, u32::try_from(number + 1).expect("few"), *start)
    });
    insights.state().calls = calls.collect();
}

#[tokio::test]
async fn of_two_replicas_one_heals_what_is_missing_of_thirty_days() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    made(&insights);
    let database = Database::migrated().await;
    let (first, second) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two"));
    let replicas = [
        setup(&insights, &database, first.path(), "heal").start().await,
        setup(&insights, &database, second.path(), "heal").start().await,
    ];
    eventually("a run has come to its end", || async {
        database.count("callsink.reconciliations WHERE finished_time IS NOT NULL").await > 0
    })
    .await;
    assert_eq!(database.count("call_summaries WHERE summary_source = 'rest'").await, 3);
    let run = "callsink.reconciliations WHERE mode = 'heal' AND missing = 3 AND healed = 3 AND windows >= 720 \
        AND error IS NULL";
    assert_eq!(database.count(run).await, 1);
    assert_eq!(database.count("callsink.reconciliations").await, 1, "the other one did not");
    assert!(database.count("coverage").await >= 720);
    let mut told = 0.0;
    for replica in &replicas {
        told += replica.metric("callsink_reconcile_healed_calls_total").await;
        assert_eq!(replica.metric("callsink_reconcile_failures_total").await, 0.0);
    }
    assert_eq!(told, 3.0);
    for replica in replicas {
        assert!(replica.stop().await.success());
    }
}

#[tokio::test]
async fn a_twilio_that_refuses_holds_up_no_event_and_is_asked_again() {
    let insights = Insights::start(ACCOUNT, TOKEN);
    made(&insights);
    insights.state().without_features = true;
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = setup(&insights, &database, data.path(), "report").start().await;
    eventually("it failed", || async {
        service.metric("callsink_reconcile_failures_total").await > 0.0
    })
    .await;
    assert_eq!(service.deliver_events(&[Event::new("CA1", "complete")]).await, 200);
    service.drained().await;
    assert_eq!(service.readiness().await.0, 200);
    service.says("Advanced Features").await;
    insights.state().without_features = false;
    eventually("a run has come to its end", || async {
        service.metric("callsink_reconcile_last_success_timestamp_seconds").await > 0.0
    })
    .await;
    assert_eq!(service.metric("callsink_reconcile_missing_calls").await, 3.0);
    assert_eq!(database.count("call_summaries").await, 1, "reported, not healed");
    assert!(database.count("coverage WHERE missing > 0").await > 0);
}

#[tokio::test]
async fn reconciliation_without_an_account_is_a_wrong_setting() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let (status, err) =
        Setup::new(&database, data.path()).set("CALLSINK_RECONCILE", "heal").fails();
    assert_eq!(status.code(), Some(2));
    assert!(err.contains("TWILIO_ACCOUNT_SID is not set"), "{err}");
    let (status, err) = Setup::new(&database, data.path()).set("CALLSINK_RECONCILE", "yes").fails();
    assert!(status.code() == Some(2) && err.contains("expected off, report, heal"), "{err}");
}
