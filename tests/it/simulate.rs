//! The simulator against the service: right rows are found right, wrong ones wrong, refusals counted.

use crate::support::service::{Setup, callsink};
use crate::support::twilio::{PUBLIC_URL, TOKEN};
use crate::support::{Database, Service, eventually};
use std::process::{Command, Output, Stdio};

/// A simulator that sends to `service` what is signed for the sink.
fn simulator(service: &Service, arguments: &[&str]) -> Command {
    let mut command = callsink();
    command
        .args(["simulate", "--url", &format!("{}/twilio/events", service.public)])
        .args(["--public-url", PUBLIC_URL, "--max-backoff", "1"])
        .args(arguments)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

async fn run(mut command: Command) -> (Option<i32>, String) {
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("waited for");
    said(&ran.expect("the binary"))
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn shuffled_and_duplicated_calls_all_end_in_their_right_rows() {
    let (service, database, _data) = Service::fresh().await;
    for shape in [&["--batch", "7"][..], &["--bare", "--data", "string"], &["--data", "object"]] {
        let common =
            ["--calls", "150", "--shuffle", "--duplicates", "0.2", "--verify", database.url()];
        let seed = format!("--seed={}", shape.len() + shape[0].len());
        let arguments = [&common[..], shape, &[&seed]].concat();
        let (code, said) = run(simulator(&service, &arguments)).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("150 right, 0 wrong, 0 missing"), "{said}");
    }
    assert_eq!(database.count("call_summaries").await, 450);
    assert_eq!(database.count("callsink.dead_letters").await, 0);
    assert_eq!(database.count("call_summaries WHERE unreadable_fields IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_row_that_is_not_what_was_sent_is_found_and_named() {
    let (service, database, _data) = Service::fresh().await;
    let sabotage = "CREATE FUNCTION public.sabotage() RETURNS trigger LANGUAGE plpgsql AS \
        $$ BEGIN NEW.duration := NEW.duration + 1; RETURN NEW; END $$; \
        CREATE TRIGGER sabotage BEFORE INSERT OR UPDATE ON public.call_summaries \
        FOR EACH ROW WHEN (NEW.call_type = 'sip') EXECUTE FUNCTION public.sabotage()";
    database.execute(sabotage).await;
    let arguments = ["--calls", "60", "--verify-timeout", "5", "--verify", database.url()];
    let (code, said) = run(simulator(&service, &arguments)).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("duration") && !said.contains(" 0 wrong"), "{said}");
}

#[tokio::test]
async fn a_wrong_token_is_counted_as_dropped_events() {
    let (service, _database, _data) = Service::fresh().await;
    let mut command = simulator(&service, &["--calls", "10"]);
    command.env("TWILIO_AUTH_TOKEN", "wrong");
    let (code, said) = run(command).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("answers 403"), "{said}");
}

/// The service is killed while the simulator sends, comes back on the same port, and no row is wrong.
#[tokio::test]
async fn a_kill_in_the_middle_costs_retries_and_no_rows() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(&database, data.path());
    let service = setup.start().await;
    let address = service.public.trim_start_matches("http://").to_owned();
    let arguments =
        ["--calls", "400", "--shuffle", "--duplicates", "0.1", "--verify", database.url()];
    let mut simulating = simulator(&service, &arguments).spawn().expect("the binary");
    eventually("enough is under way", || async {
        service.metric("callsink_events_accepted_total").await > 300.0
    })
    .await;
    service.kill();
    let over = simulating.try_wait().expect("asked");
    assert!(over.is_none(), "the simulator was done before the kill");
    let service = setup.set("CALLSINK_LISTEN", address).start().await;
    let output = tokio::task::spawn_blocking(move || simulating.wait_with_output()).await;
    let (code, said) = said(&output.expect("waited for").expect("output"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("400 right, 0 wrong, 0 missing"), "{said}");
    drop(service);
}
