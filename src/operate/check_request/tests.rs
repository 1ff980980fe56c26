//! One thing wrong at a time, as it goes wrong out there: each is recognised.

use super::captured::{Case, Secret};
use super::steps::{Findings, check};
use super::url::Url;
use super::why::Why;
use crate::verify::Rejection;
use crate::verify::public_url::PublicUrl;
use crate::verify::signature::{body_sha256_hex, sign};
use bytes::Bytes;
use proptest::prelude::*;

const SINK: &str = "https://hooks.example.com/twilio/events";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const BODY: &str = r#"[{"a":1}]"#;

/// The case of a request for `target` with `signature`; the sink is [`SINK`].
fn case(target: &str, signature: &str, body: &str) -> Case {
    Case {
        public_url: PublicUrl::parse(SINK).expect("a URL"),
        public: Url::parse(SINK).expect("a URL"),
        asked: Url::parse(target).expect("a target"),
        target: Url::parse(target).expect("a target").target(),
        signatures: vec![signature.to_owned()],
        headers: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        secrets: vec![Secret { used: "other".into(), given: "other".into() }, secret(TOKEN)],
    }
}

fn secret(given: &str) -> Secret {
    Secret { used: given.trim().into(), given: given.into() }
}

fn hashed(url: &str) -> String {
    format!("{url}?bodySHA256={}", body_sha256_hex(BODY.as_bytes()))
}

/// Received at the sink's path, signed for `signed`.
fn signed_for(signed: &str) -> Findings {
    check(&case(&hashed("/twilio/events"), &sign(TOKEN, signed), BODY))
}

fn whys(findings: &Findings) -> Vec<Why> {
    findings.whys().cloned().collect()
}

#[test]
fn a_valid_request_is_valid_under_the_secret_that_signed() {
    let findings = signed_for(&hashed(SINK));
    assert_eq!(findings.rejection, None);
    let matching = findings.tried.iter().find(|tried| tried.matches).expect("one matches");
    assert_eq!((matching.secret, matching.signed.as_str()), (2, hashed(SINK).as_str()));
    assert!(findings.advice.is_empty());
}

#[test]
fn each_part_of_the_url_is_recognised_when_it_alone_differs() {
    for (signed, why) in [
        ("http://hooks.example.com/twilio/events", Why::Scheme("http".to_owned())),
        ("https://hooks.example.com/twilio/events/", Why::TrailingSlash),
        (
            "https://www.hooks.example.com/twilio/events",
            Why::Host("www.hooks.example.com".to_owned()),
        ),
    ] {
        let findings = signed_for(&hashed(signed));
        assert_eq!(findings.rejection, Some(Rejection::SignatureMismatch));
        assert_eq!(whys(&findings), [why], "{signed}");
        let found = findings.found.expect("found");
        assert_eq!((found.signed, found.secret), (hashed(signed), 2));
        assert!(!findings.advice.is_empty());
    }
}

#[test]
fn a_host_is_recognised_that_only_the_capture_knows() {
    let signature = sign(TOKEN, &hashed("https://tunnel.example.net/twilio/events"));
    let asked = hashed("http://tunnel.example.net:8080/twilio/events");
    let expected = [Why::Host("tunnel.example.net".to_owned())];
    assert_eq!(whys(&check(&case(&asked, &signature, BODY))), expected);
    let mut by_header = case(&hashed("/twilio/events"), &signature, BODY);
    by_header.headers.push(("x-forwarded-host".to_owned(), "tunnel.example.net, inner".to_owned()));
    assert_eq!(whys(&check(&by_header)), expected);
}

#[test]
fn a_prefix_that_a_proxy_took_away_or_added_is_recognised() {
    let path = [Why::Path("/twilio/events".to_owned())];
    for received in ["/events", "/", "/inner/twilio/events"] {
        let signature = sign(TOKEN, &hashed(SINK));
        let findings = check(&case(&hashed(received), &signature, BODY));
        assert_eq!(whys(&findings), path, "{received}");
    }
    let signature = sign(TOKEN, &hashed("https://hooks.example.com/api/twilio/events"));
    let mut prefixed = case(&hashed("/twilio/events"), &signature, BODY);
    prefixed.headers.push(("x-forwarded-prefix".to_owned(), "/api/".to_owned()));
    assert_eq!(whys(&check(&prefixed)), [Why::Path("/api/twilio/events".to_owned())]);
}

#[test]
fn a_query_that_was_changed_on_its_way_is_recognised() {
    let hash = body_sha256_hex(BODY.as_bytes());
    let upper = hash.to_ascii_uppercase();
    let signature = sign(TOKEN, &hashed(SINK));
    for (target, why, rejection) in [
        (format!("/twilio/events?bodySHA256={upper}"), Why::HashCase, Rejection::SignatureMismatch),
        (format!("/twilio/events?a=b&bodySHA256={hash}"), Why::Query, Rejection::SignatureMismatch),
        ("/twilio/events".to_owned(), Why::QueryLost, Rejection::MissingBodyHash),
        (
            format!("/twilio/events?bodySHA256={}", "0".repeat(64)),
            Why::HashOfBody,
            Rejection::SignatureMismatch,
        ),
    ] {
        let findings = check(&case(&target, &signature, BODY));
        assert_eq!((whys(&findings), findings.rejection), (vec![why], Some(rejection)), "{target}");
    }
    assert_eq!(whys(&signed_for(SINK)), [Why::NoHash]);
}

#[test]
fn a_form_is_recognised_and_its_parameters_are_not_shown() {
    let signature = sign(TOKEN, &format!("{SINK}CallSidCA1From+15550001111"));
    let findings = check(&case("/twilio/events", &signature, "From=%2B15550001111&CallSid=CA1"));
    assert_eq!(findings.rejection, Some(Rejection::MissingBodyHash));
    assert_eq!(whys(&findings), [Why::Form]);
    assert_eq!(findings.found.map(|found| found.signed), Some(SINK.to_owned()));
}

#[test]
fn a_body_that_was_changed_is_recognised_beside_a_signature_that_holds() {
    let findings =
        check(&case(&hashed("/twilio/events"), &sign(TOKEN, &hashed(SINK)), "[ { \"a\": 1 } ]\n"));
    assert_eq!(findings.rejection, Some(Rejection::BodyHashMismatch));
    let found = findings.found.as_ref().expect("the signature holds");
    assert!(found.whys.is_empty());
    assert!(matches!(whys(&findings)[..], [Why::Body(words)] if words.contains("re-serialised")));
}

#[test]
fn slips_with_secret_and_header_are_recognised() {
    let url = hashed(SINK);
    for (given, signing, why) in [
        (format!("{TOKEN}\n"), format!("{TOKEN}\n"), Why::SecretSpace),
        (TOKEN.to_owned(), format!("{TOKEN}\n"), Why::SecretSpace),
        (format!("\"{TOKEN}\""), TOKEN.to_owned(), Why::SecretQuotes),
        (TOKEN.to_ascii_uppercase(), TOKEN.to_owned(), Why::SecretCase),
    ] {
        let mut case = case(&hashed("/twilio/events"), &sign(&signing, &url), BODY);
        case.secrets = vec![secret(&given)];
        assert_eq!(whys(&check(&case)), [why]);
    }
    let quoted = format!("\"{}\"", sign(TOKEN, &url));
    assert_eq!(whys(&check(&case(&hashed("/twilio/events"), &quoted, BODY))), [Why::Header]);
}

#[test]
fn what_can_not_be_explained_comes_with_the_usual_causes() {
    let findings = check(&case(&hashed("/twilio/events"), &sign("unknown", &hashed(SINK)), BODY));
    assert_eq!((findings.rejection, findings.found), (Some(Rejection::SignatureMismatch), None));
    let advice = findings.advice.join("\n");
    assert!(
        advice.contains("subaccount") && advice.contains("secret 1 of 2 is not 32 hex"),
        "{advice}"
    );
    assert!(findings.searched > 100, "{}", findings.searched);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn steps_and_verdict_agree(
        path in "/(twilio/events|x)?",
        query in "(\\?(a=b&)?(bodySHA256=[0-9a-f]{64}|bodySHA256=x)?)?",
        good_hash in any::<bool>(),
        good_signature in any::<bool>(),
    ) {
        let target = if good_hash { hashed(&path) } else { format!("{path}{query}") };
        let signed = format!("https://hooks.example.com{target}");
        let signature = sign(if good_signature { TOKEN } else { "wrong" }, &signed);
        let findings = check(&case(&target, &signature, BODY));
        let fails = findings.steps.iter().any(|step| step.outcome == super::Outcome::Fails);
        prop_assert_eq!(findings.rejection.is_some(), fails);
    }
}
