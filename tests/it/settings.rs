//! Wrong settings stop the start with one line that names the variable.

use crate::support::Database;
use crate::support::service::{Setup, callsink};
use std::net::TcpListener;

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_one_line() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    for (name, value) in [
        ("CALLSINK_LISTEN", "8080"),
        ("CALLSINK_ADMIN_LISTEN", "localhost"),
        ("CALLSINK_PUBLIC_URL", "hooks.example.com"),
        ("CALLSINK_WORKERS", "many"),
        ("CALLSINK_QUEUE_EVENTS", "0"),
        ("CALLSINK_BATCH_EVENTS", "-1"),
        ("CALLSINK_JOURNAL_MAX_BYTES", "1"),
        ("CALLSINK_MAX_BODY_BYTES", "4 Monkeys"),
        ("CALLSINK_REJECT_STATUS", "200"),
        ("CALLSINK_HTTP_WORKERS", "0"),
        ("CALLSINK_MAX_CONNECTIONS", "x"),
        ("CALLSINK_HEAD_TIMEOUT", "5"),
        ("CALLSINK_BODY_TIMEOUT", "0s"),
        ("CALLSINK_KEEP_ALIVE", "2h"),
        ("DATABASE_URL", "mysql://root:s3cret@localhost/calls"),
        ("TWILIO_AUTH_TOKEN_FILE", "/nowhere/token"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "callsink=loud"),
    ] {
        let mut setup = Setup::new(&database, data.path()).set(name, value);
        if name == "TWILIO_AUTH_TOKEN_FILE" {
            setup = setup.set("TWILIO_AUTH_TOKEN", "");
        }
        let (status, said) = setup.fails();
        assert_eq!(status.code(), Some(2), "{name}: {said}");
        assert_eq!(said.lines().count(), 1, "{name}: {said}");
        let variable = name.trim_end_matches("_FILE");
        assert!(said.starts_with(&format!("callsink: {variable}")), "{name}: {said}");
        assert!(said.contains("expected"), "{name}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    for name in ["CALLSINK_LISTEN", "CALLSINK_ADMIN_LISTEN"] {
        let (status, said) = Setup::new(&database, data.path()).set(name, address.as_str()).fails();
        assert_eq!(status.code(), Some(1));
        let line = said.lines().last().unwrap_or_default();
        assert!(line.contains(name) && line.contains(&address), "{said}");
    }
}

#[tokio::test]
async fn a_misspelled_variable_is_warned_of() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).set("CALLSINK_WORKER", "3").start().await;
    service.says("CALLSINK_WORKER").await;
}

#[test]
fn version_and_help_name_every_command_and_setting() {
    let run = |arguments: &[&str]| {
        let output = callsink().args(arguments).output().expect("the binary");
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(run(&["--version"]), format!("callsink {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]);
    for command in ["serve", "migrate", "healthcheck", "simulate"] {
        assert!(help.contains(command), "{help}");
    }
    let help = run(&["serve", "--help"]);
    for setting in [
        "DATABASE_URL",
        "DATABASE_URL_FILE",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_AUTH_TOKEN_FILE",
        "CALLSINK_PUBLIC_URL",
        "CALLSINK_LISTEN",
        "CALLSINK_ADMIN_LISTEN",
        "CALLSINK_DATA_DIR",
        "CALLSINK_WORKERS",
        "CALLSINK_QUEUE_EVENTS",
        "CALLSINK_BATCH_EVENTS",
        "CALLSINK_JOURNAL_MAX_BYTES",
        "CALLSINK_MAX_BODY_BYTES",
        "CALLSINK_REJECT_STATUS",
        "CALLSINK_HEAD_TIMEOUT",
        "CALLSINK_BODY_TIMEOUT",
        "CALLSINK_KEEP_ALIVE",
        "LOG_FORMAT",
        "RUST_LOG",
    ] {
        assert!(help.contains(setting), "{setting} is not in the help");
    }
}
