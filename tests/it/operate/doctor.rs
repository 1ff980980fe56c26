//! `callsink doctor`: a line for each part, also where parts are missing or broken.

use crate::support::events_api::PREFIX;
use crate::support::insights::ACCOUNT;
use crate::support::service::{Setup, callsink};
use crate::support::twilio::TOKEN;
use crate::support::{Database, EventsApi, Insights};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

async fn doctor(mut command: Command) -> (i32, BTreeMap<String, (String, String)>, String) {
    command.args(["doctor", "--json"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined");
    let output = output.expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let checks: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|_| panic!("JSON: {text}"));
    let word = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = checks
        .iter()
        .map(|check| (word(check, "check"), (word(check, "state"), word(check, "found"))));
    (output.status.code().unwrap_or(-1), checks.collect(), text)
}

#[tokio::test]
async fn without_any_setting_every_part_has_its_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = callsink();
    command.current_dir(directory.path());
    let (code, checks, _) = doctor(command).await;
    assert_eq!(code, 1);
    assert_eq!(checks["setting CALLSINK_PUBLIC_URL"].0, "fail");
    for skipped in ["database", "journal", "public URL", "Twilio"] {
        assert_eq!(checks[skipped].0, "skipped", "{skipped}: {checks:#?}");
    }
}

#[tokio::test]
async fn a_service_that_is_set_up_is_well_and_what_is_wrong_with_the_sink_is_told() {
    let (api, insights) = (EventsApi::start(ACCOUNT, TOKEN), Insights::start(ACCOUNT, TOKEN));
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    // The public URL must be known before the service listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("bound")
        .port();
    let url = format!("http://127.0.0.1:{port}/twilio/events");
    let setup = Setup::new(&database, data.path())
        .set("CALLSINK_PUBLIC_URL", url.clone())
        .set("CALLSINK_LISTEN", format!("127.0.0.1:{port}"));
    let service = setup.start().await;
    let command = || {
        let mut command = callsink();
        command.envs([
            ("DATABASE_URL", database.url()),
            ("CALLSINK_DATA_DIR", data.path().to_str().expect("UTF-8")),
            ("CALLSINK_PUBLIC_URL", &url),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("CALLSINK_EVENTS_API", &api.url),
            ("CALLSINK_INSIGHTS_API", &insights.url),
            ("CALLSINK_MONITOR_API", &api.url),
        ]);
        command
    };
    let (code, checks, _) = doctor(command()).await;
    assert_eq!((code, checks["sink"].0.as_str()), (1, "fail"), "{checks:#?}");
    assert_eq!(checks["delivery"].0, "ok", "{checks:#?}");

    let sink = api.add_sink("callsink", &url, "post");
    let types = [("partial", 7), ("predicted-complete", 7), ("complete", 7)];
    let subscription = api.subscribe("callsink", &sink, &types);
    let (code, checks, text) = doctor(command()).await;
    assert_eq!(code, 0, "{checks:#?}");
    let parts = [
        "database",
        "schema",
        "clock",
        "journal",
        "journal's disk",
        "DNS",
        "delivery",
        "sink",
        "subscription to complete",
        "Twilio's Debugger",
    ];
    for part in parts {
        assert_eq!(checks[part].0, "ok", "{part}: {checks:#?}");
    }
    assert!(!text.contains(TOKEN), "no secret");
    assert_eq!(database.count("callsink.events").await, 0, "the empty delivery stored nothing");

    api.state().alerts = vec!["91305".to_owned(), "91305".to_owned(), "11200".to_owned()];
    api.state().subscribed.insert(subscription, vec![(format!("{PREFIX}complete"), 1)]);
    insights.state().without_features = true;
    let (code, checks, text) = doctor(command()).await;
    assert_eq!(code, 1, "{checks:#?}");
    assert_eq!(checks["subscription to complete"], ("warn".to_owned(), "schema 1 of 7".to_owned()));
    assert_eq!(checks["subscription to partial"].0, "fail");
    assert_eq!(checks["Twilio's Debugger"].1, "in the last day: 2 x 91305");
    assert_eq!(checks[&format!("Voice Insights {ACCOUNT}")].0, "fail");
    assert!(!text.contains("+1555"), "what an alert says is not shown");

    drop(service);
    let (code, checks, _) = doctor(command()).await;
    assert_eq!((code, checks["delivery"].0.as_str()), (1, "fail"));
    assert!(checks["delivery"].1.contains("no connection"), "{checks:#?}");
}
