//! What each setting may hold, and what is said when it holds something else.

use super::*;

fn error(args: ServeArgs) -> String {
    ServeSettings::resolve(args).expect_err("a wrong setting").to_string()
}

#[test]
fn without_any_setting_there_are_defaults_and_the_missing_ones_are_named() {
    let settings = ServeSettings::resolve(ServeArgs::default()).expect("defaults");
    assert!(settings.database.is_none());
    assert_eq!(settings.reject_status, 403);
    assert_eq!(settings.journal_max_bytes, 8 << 30);
    assert_eq!(settings.max_body_bytes, 4 << 20);
    let missing = Unconfigured(vec!["TWILIO_AUTH_TOKEN", "CALLSINK_PUBLIC_URL"]);
    assert_eq!(settings.sink.err(), Some(missing));
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let args = ServeArgs {
        listen: Some(String::new()),
        twilio_auth_token: Some(" , ".to_owned()),
        ..ServeArgs::default()
    };
    let settings = ServeSettings::resolve(args).expect("defaults");
    assert_eq!(settings.listen.port(), 8080);
    assert!(settings.sink.is_err_and(|missing| missing.0.contains(&"TWILIO_AUTH_TOKEN")));
}

#[test]
fn several_tokens_are_separated_by_commas() {
    let args = ServeArgs {
        twilio_auth_token: Some("old, new".to_owned()),
        public_url: Some("https://example.com/hook".to_owned()),
        ..ServeArgs::default()
    };
    let sink = ServeSettings::resolve(args).expect("valid").sink.expect("configured");
    assert_eq!(sink.secrets.len(), 2);
}

#[test]
fn sizes_may_have_units() {
    let args = ServeArgs { journal_max_bytes: Some("64MiB".to_owned()), ..ServeArgs::default() };
    assert_eq!(ServeSettings::resolve(args).expect("valid").journal_max_bytes, 64 << 20);
}

#[test]
fn a_wrong_setting_is_one_line_with_variable_value_and_expectation() {
    let some = |text: &str| Some(text.to_owned());
    let default = ServeArgs::default;
    for (args, expected) in [
        (
            ServeArgs { listen: some("8080"), ..default() },
            r#"CALLSINK_LISTEN is "8080": expected an IP address and port such as 0.0.0.0:8080"#,
        ),
        (
            ServeArgs { workers: some("0"), ..default() },
            r#"CALLSINK_WORKERS is "0": expected a number from 1 to 64"#,
        ),
        (
            ServeArgs { reject_status: some("200"), ..default() },
            r#"CALLSINK_REJECT_STATUS is "200": expected a number from 400 to 599"#,
        ),
        (
            ServeArgs { max_body_bytes: some("lots"), ..default() },
            r#"CALLSINK_MAX_BODY_BYTES is "lots": expected a size in bytes, or such as 4.0 MiB, from 1.0 KiB to 1.0 GiB"#,
        ),
        (
            ServeArgs { public_url: some("example.com/hook"), ..default() },
            "CALLSINK_PUBLIC_URL is not the URL of a sink: expected one such as \
             https://hooks.example.com/twilio/events, but it does not start with https:// or http://",
        ),
    ] {
        assert_eq!(error(args), expected);
    }
}

#[test]
fn a_wrong_secret_is_never_shown() {
    let database = DatabaseArgs {
        database_url: Some("mysql://root:s3cret@localhost/x".to_owned()),
        database_url_file: None,
    };
    let said = error(ServeArgs { database, ..ServeArgs::default() });
    assert!(said.starts_with("DATABASE_URL is set (not shown): expected another value"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_secret_may_come_from_a_file_but_not_from_two_places() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("token");
    std::fs::write(&path, "token\n").expect("written");
    let file = path.to_str().map(str::to_owned);
    let args = ServeArgs { twilio_auth_token_file: file.clone(), ..ServeArgs::default() };
    let settings = ServeSettings::resolve(args).expect("valid");
    assert_eq!(settings.sink.err(), Some(Unconfigured(vec!["CALLSINK_PUBLIC_URL"])));

    let args = ServeArgs {
        twilio_auth_token: Some("x".to_owned()),
        twilio_auth_token_file: file,
        ..ServeArgs::default()
    };
    assert!(error(args).contains("TWILIO_AUTH_TOKEN_FILE are both set"));

    let args = ServeArgs {
        twilio_auth_token_file: Some("/nowhere/token".to_owned()),
        ..ServeArgs::default()
    };
    assert!(error(args).contains("expected a readable file"));
}
