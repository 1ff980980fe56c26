//! Law of the door: a delivery is let in if, and only if, it was signed for this sink with one of its secrets,
//! and for this body.
//!
//! In: bytes; the first says which of the sinks, where something is altered and how; then come what follows
//! the sink's path, a line feed, a signature to try, a line feed, and the body. Panics where the law is broken.
//! A fuzzer can't find a signature, so the law signs, and then alters.

use bytes::Bytes;
use callsink::verify::public_url::PublicUrl;
use callsink::verify::signature::{body_sha256_hex, sign};
use callsink::verify::{Head, Rejection, Verifier};
use secrecy::SecretString;

const SECRETS: [&str; 2] = ["retired-0123456789", "current-0123456789"];

const SINKS: [&str; 4] = [
    "https://example.com/hook",
    "https://example.com",
    "http://user:word@[::1]:8080/a%2Fb/?x=%20y",
    "https://user@example.com:443/?",
];

/// Panics unless it does.
pub fn holds(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    any_text_is_a_destination_or_refused(&text);
    let [which, at, with, rest @ ..] = input else { return };
    let rest = String::from_utf8_lossy(rest);
    let mut lines = rest.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (suffix, tried, body) = (line(), line(), line());
    let sink = PublicUrl::parse(SINKS[usize::from(which % 4)]).expect("a destination");
    let secrets = SECRETS.map(SecretString::from);
    let verifier = Verifier::new(sink.clone(), &secrets);
    let secret = SECRETS[usize::from(which >> 2 & 1)];

    // As it is: only a signature that one of the secrets gives for a spelling of the URL may pass.
    let target = format!("{}{suffix}", sink.path());
    let allowed = |signature: &str, target: &str| {
        let spellings = sink.signed_as(target);
        spellings.iter().any(|url| SECRETS.iter().any(|secret| sign(secret, url) == signature))
    };
    let told = check(&verifier, &target, &[tried], body);
    assert!(told.is_err() || allowed(tried, &target), "let in without a signature: {target}");
    spellings_end_in_the_target(&sink, &target);

    // Signed by Twilio.
    let joint = if target.contains('?') { '&' } else { '?' };
    let target = format!("{target}{joint}bodySHA256={}", body_sha256_hex(body.as_bytes()));
    let spellings = sink.signed_as(&target);
    let good = sign(secret, &spellings[usize::from(*at) % spellings.len()]);
    let hashes = target.split('?').skip(1).collect::<Vec<_>>().join("?");
    let hashes = hashes.split('&').filter(|pair| pair.starts_with("bodySHA256=")).count();
    let expected = if hashes == 1 { Ok(()) } else { Err(Rejection::RepeatedBodyHash) };
    assert_eq!(check(&verifier, &target, &[&good], body), expected, "{target}");
    if hashes > 1 {
        return;
    }

    // Altered on the way.
    let with = with.max(&1);
    let flipped = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        let index = usize::from(*at) % bytes.len().max(1);
        if let Some(byte) = bytes.get_mut(index) {
            *byte ^= with;
        }
        bytes
    };
    if !body.is_empty() {
        let told = check_bytes(&verifier, &target, &[good.as_bytes()], &flipped(body));
        assert_eq!(told, Err(Rejection::BodyHashMismatch));
    }
    let told = check(&verifier, &target, &[&good], &format!("{body} "));
    assert_eq!(told, Err(Rejection::BodyHashMismatch));
    if let Ok(other) = String::from_utf8(flipped(&target)) {
        let told = check(&verifier, &other, &[&good], body);
        assert!(told.is_err(), "signed for {target}, let in for {other}");
    }
    let told = check_bytes(&verifier, &target, &[&flipped(&good)], body.as_bytes());
    assert!(told.is_err(), "an altered signature");
    assert!(check(&verifier, &target, &[&good, &good], body).is_err(), "two signatures");
    assert_eq!(check(&verifier, &target, &[], body), Err(Rejection::MissingSignature));
    let elsewhere = Verifier::new(sink, &["another-0123456789".into()]);
    let told = check(&elsewhere, &target, &[&good], body);
    assert_eq!(told, Err(Rejection::SignatureMismatch), "another's secret");
}

fn check(
    verifier: &Verifier,
    target: &str,
    signatures: &[&str],
    body: &str,
) -> Result<(), Rejection> {
    let signatures: Vec<&[u8]> = signatures.iter().map(|signature| signature.as_bytes()).collect();
    check_bytes(verifier, target, &signatures, body.as_bytes())
}

fn check_bytes(
    verifier: &Verifier,
    target: &str,
    signatures: &[&[u8]],
    body: &[u8],
) -> Result<(), Rejection> {
    let head = Head { target, signatures: signatures.to_vec() };
    let body = Bytes::copy_from_slice(body);
    let verified = verifier.verify_head(&head)?.verify_body(body.clone())?;
    assert_eq!(verified.body(), &body, "what is let in is what came");
    Ok(())
}

fn spellings_end_in_the_target(sink: &PublicUrl, target: &str) {
    for spelling in sink.signed_as(target) {
        let bare = target.strip_prefix('/').unwrap_or(target);
        assert!(spelling.ends_with(bare), "{spelling} for {target}");
    }
    for shown in sink.signed_as_redacted("/") {
        assert!(!shown.contains("word"), "a password is shown: {shown}");
    }
}

fn any_text_is_a_destination_or_refused(text: &str) {
    let line = text.split('\n').next().unwrap_or_default();
    if let Ok(url) = PublicUrl::parse(line) {
        assert!(url.path().starts_with('/'), "{url}");
        let again = PublicUrl::parse(&url.to_string()).expect("what is shown is a destination");
        assert_eq!(again.path(), url.path());
        // To the letter: what is configured is one of the spellings of its own path and query.
        let target = line.split_once("://").map(|(_, after)| after).unwrap_or_default();
        let target = target.find(['/', '?']).map_or("", |at| &target[at..]);
        assert!(url.signed_as(target).iter().any(|spelling| spelling == line), "{line}");
    }
}
