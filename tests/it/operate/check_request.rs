//! `callsink check-request`: the verdict is the service's own, and nothing secret is printed.

use super::{Said, run};
use crate::support::service::{Setup, callsink};
use crate::support::twilio::{PUBLIC_URL, TOKEN, delivery};
use crate::support::{Database, Event};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

const BODY: &[u8] = br#"[{"from":"+15550001111"}]"#;

struct Capture {
    directory: TempDir,
}

impl Capture {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn body(&self, body: &[u8]) -> PathBuf {
        let path = self.directory.path().join("body");
        std::fs::write(&path, body).expect("written");
        path
    }

    fn check(&self, url: &str, body: &[u8], arguments: &[&str]) -> Said {
        let mut command = callsink();
        command.args(["check-request", "--url", url, "--body-file"]).arg(self.body(body));
        let said = run(command
            .args(arguments)
            .env("CALLSINK_PUBLIC_URL", PUBLIC_URL)
            .env("TWILIO_AUTH_TOKEN", format!("other-s3cret,{TOKEN}")));
        for secret in [TOKEN, "s3cret", "5550001111"] {
            assert!(!said.out.contains(secret) && !said.err.contains(secret), "{said:?}");
        }
        said
    }
}

#[test]
fn a_valid_request_passes_every_step() {
    let sent = delivery(PUBLIC_URL, TOKEN, BODY);
    let header = format!("x-twilio-signature: {}", sent.signature);
    let said = Capture::new().check(&sent.target, BODY, &["--header", &header]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("verdict: valid") && !said.out.contains("FAILS"), "{said:?}");
    let matching = format!("https://hooks.example.com{}  secret 2 of 2: match\n", sent.target);
    assert!(said.out.contains(&matching), "{said:?}");
    assert!(said.out.contains("secret 1 of 2: no match"), "{said:?}");
}

#[test]
fn each_failing_step_is_told_with_its_reason_and_the_exit_code_of_an_invalid_request() {
    let sent = delivery(PUBLIC_URL, TOKEN, BODY);
    let signature = ["--signature", sent.signature.as_str()];
    let capture = Capture::new();
    let twice = format!("{}&bodySHA256=0", sent.target);
    for (url, body, arguments, reason) in [
        (sent.target.as_str(), BODY, &[][..], "missing_signature"),
        ("/twilio/events", BODY, &signature, "missing_body_hash"),
        (&twice, BODY, &signature, "repeated_body_hash"),
        ("/twilio/events?bodySHA256=abc", BODY, &signature, "malformed_body_hash"),
        (&sent.target, b"[]", &signature, "body_hash_mismatch"),
        (&sent.target, BODY, &["--signature", "AAAA"], "signature_mismatch"),
    ] {
        let said = capture.check(url, body, &[arguments, &["--json"]].concat());
        assert_eq!(said.code, Some(1), "{said:?}");
        let report: Value = serde_json::from_str(&said.out).expect("JSON");
        assert_eq!(
            (&report["valid"], &report["reason"]),
            (&false.into(), &reason.into()),
            "{report}"
        );
        let text = capture.check(url, body, arguments);
        assert!(text.out.contains(&format!("verdict: invalid ({reason})")), "{text:?}");
        assert!(text.out.contains("FAILS"), "{text:?}");
    }
}

#[test]
fn what_was_signed_instead_is_found_and_what_to_do_is_told() {
    let sent = delivery("http://hooks.example.com/twilio/events/", TOKEN, BODY);
    let target = delivery(PUBLIC_URL, TOKEN, BODY).target;
    let capture = Capture::new();
    let said = capture.check(&target, BODY, &["--signature", &sent.signature]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("the signature is for, under secret 2 of 2:"), "{said:?}");
    assert!(said.out.contains(&format!("  http://hooks.example.com{}\n", sent.target)), "{said:?}");
    assert!(said.out.contains("slash") && said.out.contains("what to do:"), "{said:?}");

    let sent = delivery(PUBLIC_URL, TOKEN, BODY);
    let said =
        capture.check(&sent.target, &[BODY, b"\n"].concat(), &["--signature", &sent.signature]);
    assert!(said.out.contains("fits the body without the line end at its end"), "{said:?}");
}

#[test]
fn user_and_password_of_the_sink_are_tried_and_not_shown() {
    let sink = "https://user:pa55word@hooks.example.com/twilio/events";
    let sent = delivery(sink, TOKEN, BODY);
    let capture = Capture::new();
    let arguments = ["--public-url", sink, "--signature", &sent.signature];
    let said = capture.check(&sent.target, BODY, &arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("https://***@hooks.example.com"), "{said:?}");
    // Asked for in full, and signed by somebody else.
    let url = format!("https://user:pa55word@hooks.example.com{}", sent.target);
    let other = capture.check(&url, BODY, &["--signature", "AAAA"]);
    assert_eq!(other.code, Some(1));
    for said in [said, other] {
        assert!(!said.out.contains("pa55word") && !said.err.contains("pa55word"), "{said:?}");
    }
}

#[test]
fn what_is_missing_or_unusable_is_a_matter_of_usage() {
    let capture = Capture::new();
    let both = ["--signature", "x", "--header", "X-Twilio-Signature: y"];
    for (url, arguments, word) in [
        ("hooks.example.com", &[][..], "--url"),
        ("/hook", &["--header", "no colon"], "--header"),
        ("/hook", &both, "both given"),
        ("/hook", &["--public-url", ""], "CALLSINK_PUBLIC_URL is not set"),
        ("/hook", &["--public-url", "ftp://u:pa55@x"], "CALLSINK_PUBLIC_URL is not usable"),
        ("/hook", &["--twilio-auth-token", ""], "TWILIO_AUTH_TOKEN is not set"),
        ("/hook", &["--twilio-auth-token-file", "/nowhere"], "both set"),
    ] {
        let said = capture.check(url, BODY, arguments);
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(word) && !said.err.contains("pa55"), "{said:?}");
    }
    let mut command = callsink();
    let arguments = ["check-request", "--url", "/hook", "--body-file", "/nowhere/body"];
    let said = run(command.args(arguments).env("CALLSINK_PUBLIC_URL", PUBLIC_URL));
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("/nowhere/body can't be read"), "{said:?}");
}

#[tokio::test]
async fn the_verdict_is_the_answer_of_the_service() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service = Setup::new(&database, data.path()).start().await;
    let capture = Capture::new();
    let body = crate::support::twilio::array(&[Event::new("CA1", "complete")]);
    for (public_url, token) in [
        (PUBLIC_URL, TOKEN),
        (PUBLIC_URL, "another"),
        ("http://hooks.example.com/twilio/events", TOKEN),
        ("https://hooks.example.com:443/twilio/events", TOKEN),
    ] {
        let sent = delivery(public_url, token, &body);
        let answer = service.post(&sent.target, Some(&sent.signature), &body).await.status();
        let said = capture.check(&sent.target, &body, &["--signature", &sent.signature]);
        assert_eq!(said.code == Some(0), answer == 200, "{public_url}: {answer} {said:?}");
    }
}
