//! `callsink setup` against a Twilio that has sinks and subscriptions, and sends its test event.

use crate::support::events_api::PREFIX;
use crate::support::insights::ACCOUNT;
use crate::support::service::{Setup, callsink};
use crate::support::twilio::{PUBLIC_URL, TOKEN};
use crate::support::{Database, EventsApi, Service};
use std::process::Command;
use tempfile::TempDir;

fn command(api: &EventsApi, database: Option<&Database>, arguments: &[&str]) -> Command {
    let mut command = callsink();
    command.arg("setup").args(arguments).envs([
        ("TWILIO_ACCOUNT_SID", ACCOUNT),
        ("TWILIO_AUTH_TOKEN", TOKEN),
        ("CALLSINK_PUBLIC_URL", PUBLIC_URL),
        ("CALLSINK_EVENTS_API", &api.url),
    ]);
    if let Some(database) = database {
        command.env("DATABASE_URL", database.url());
    }
    command
}

async fn run(mut command: Command) -> (i32, String, String) {
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("joined");
    let output = output.expect("the binary runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Without the test event.
async fn setup(api: &EventsApi, arguments: &[&str]) -> (i32, String, String) {
    run(command(api, None, &[arguments, &["--no-test"]].concat())).await
}

async fn service() -> (Service, Database, TempDir) {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    (service, database, data)
}

const ALL: [(&str, i64); 3] = [("partial", 7), ("predicted-complete", 7), ("complete", 7)];

#[tokio::test]
async fn an_empty_account_gets_a_sink_a_subscription_and_a_test_event_and_a_second_run_changes_nothing()
 {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    let (service, database, _data) = service().await;
    api.state().deliver_to = Some(service.public.clone());
    let (code, out, err) = run(command(&api, Some(&database), &[])).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("its signature held; Twilio agrees"), "{out}");
    {
        let state = api.state();
        let sink = &state.sinks[0];
        assert_eq!(sink["sink_configuration"]["destination"], PUBLIC_URL);
        assert_eq!(sink["sink_configuration"]["method"], "POST");
        assert_eq!(sink["sink_configuration"]["batch_events"], true);
        let expected: Vec<_> =
            ALL.iter().map(|(name, version)| (format!("{PREFIX}{name}"), *version)).collect();
        assert_eq!(state.subscribed.values().collect::<Vec<_>>(), [&expected]);
    }
    assert_eq!(database.count("call_summaries").await, 0, "a test event is no call");
    api.state().changes.clear();
    let (code, out, err) = run(command(&api, Some(&database), &[])).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("nothing to change"), "{out}");
    let changes = api.state().changes.clone();
    assert!(
        changes.iter().all(|change| change.ends_with("/Test") || change.ends_with("/Validate")),
        "{changes:?}"
    );
}

#[tokio::test]
async fn a_plan_changes_nothing_and_destroy_takes_down_only_what_setup_made() {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    let other = api.add_sink("somebody's", "https://elsewhere.example.com/", "post");
    api.subscribe("somebody's", &other, &[("complete", 3)]);
    let (code, out, _) = setup(&api, &["--plan"]).await;
    assert!(
        code == 0 && out.contains("+ sink to https://hooks.example.com/twilio/events"),
        "{out}"
    );
    assert!(api.state().changes.is_empty());
    assert_eq!(setup(&api, &[]).await.0, 0);
    assert_eq!(api.state().sinks.len(), 2);
    assert_eq!(api.state().subscriptions.len(), 2);
    let (code, out, _) = setup(&api, &["--destroy"]).await;
    assert_eq!(code, 0, "{out}");
    let state = api.state();
    assert_eq!((state.sinks.len(), state.subscriptions.len()), (1, 1), "the other one stays");
    assert_eq!(state.sinks[0]["sid"], *other);
}

#[tokio::test]
async fn old_schema_versions_are_upgraded_missing_types_added_and_other_types_left_alone() {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    let sink = api.add_sink("mine", PUBLIC_URL, "post");
    let subscription =
        api.subscribe("mine", &sink, &[("complete", 1), ("partial", 7), ("event", 2)]);
    let (code, out, err) = setup(&api, &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    let mut types = api.state().subscribed[&subscription].clone();
    types.sort();
    let expected = [("complete", 7), ("event", 2), ("partial", 7), ("predicted-complete", 7)];
    assert_eq!(types, expected.map(|(name, version)| (format!("{PREFIX}{name}"), version)));
    assert_eq!(api.state().sinks.len(), 1);
}

#[tokio::test]
async fn a_get_sink_is_replaced_before_it_goes_and_duplicates_and_orphans_are_found() {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    let get = api.add_sink("callsink", PUBLIC_URL, "get");
    api.subscribe("callsink", &get, &ALL);
    let theirs = api.add_sink("by hand", PUBLIC_URL, "get");
    let orphan = api.subscribe("callsink", "DG00000000000000000000000000000099", &ALL);
    let (code, out, err) = setup(&api, &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains(&format!("sink {theirs} has the same destination (it delivers by GET")),
        "{out}"
    );
    let changes = api.state().changes.clone();
    let at = |what: &str| changes.iter().position(|change| change.contains(what)).expect("done");
    assert!(at("POST /v1/Subscriptions") < at("DELETE"), "no event is lost between: {changes:?}");
    let state = api.state();
    let has = |list: &[serde_json::Value], sid: &str| list.iter().any(|known| known["sid"] == *sid);
    assert!(
        !has(&state.sinks, &get)
            && has(&state.sinks, &theirs)
            && !has(&state.subscriptions, &orphan)
    );
    assert_eq!(
        state.sinks.iter().filter(|sink| sink["sink_configuration"]["method"] == "POST").count(),
        1
    );
}

#[tokio::test]
async fn subaccounts_are_asked_with_their_tokens_even_where_the_account_is_asked_with_an_api_key() {
    const SUBACCOUNT: &str = "AC00000000000000000000000000000002";
    let api = EventsApi::start("SK00000000000000000000000000000001", "secret-of-the-key");
    api.state().another = Some((SUBACCOUNT.to_owned(), "token-of-the-subaccount".to_owned()));
    let with = |tokens: &str| {
        let mut command = command(&api, None, &["--plan"]);
        command.envs([
            ("TWILIO_ACCOUNT_SID", format!("{ACCOUNT},{SUBACCOUNT}")),
            ("TWILIO_API_KEY", "SK00000000000000000000000000000001".to_owned()),
            ("TWILIO_API_SECRET", "secret-of-the-key".to_owned()),
            ("TWILIO_AUTH_TOKEN", tokens.to_owned()),
        ]);
        command
    };
    let (code, out, err) = run(with("token-of-the-account,token-of-the-subaccount")).await;
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out.matches("+ sink to").count(), 2, "{out}");
    let (code, out, err) = run(with("")).await;
    assert!(code == 2 && err.contains("TWILIO_AUTH_TOKEN is not set"), "{out}{err}");
}

#[tokio::test]
async fn a_run_that_stopped_after_the_sink_is_completed_by_the_next() {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    let sink = api.add_sink("callsink", PUBLIC_URL, "post");
    let (code, out, err) = setup(&api, &[]).await;
    assert_eq!(code, 0, "{out}{err}");
    let state = api.state();
    assert_eq!((state.sinks.len(), state.subscriptions.len()), (1, 1));
    assert_eq!(state.subscriptions[0]["sink_sid"], *sink);
}

#[tokio::test]
async fn an_account_without_call_summaries_or_with_a_wrong_token_is_told_what_to_do() {
    let api = EventsApi::start(ACCOUNT, TOKEN);
    api.state().types.clear();
    let (code, _, err) = setup(&api, &[]).await;
    assert!(code == 1 && err.contains("Advanced Features"), "{err}");
    let mut wrong = command(&api, None, &[]);
    wrong.env("TWILIO_AUTH_TOKEN", "not-the-token");
    let (code, _, err) = run(wrong).await;
    assert!(code == 1 && err.contains("credentials") && !err.contains("not-the-token"), "{err}");
    let mut unset = command(&api, None, &[]);
    unset.env_remove("CALLSINK_PUBLIC_URL");
    let (code, _, err) = run(unset).await;
    assert!(code == 2 && err.contains("CALLSINK_PUBLIC_URL is not set"), "{err}");
}
