//! Twilio's own test vectors, and what an attacker would try.

use super::*;
use serde_json::Value as Json;

const VECTORS: &str = include_str!("../../tests/fixtures/signature-vectors.json");

fn vectors(kind: &str) -> Vec<Json> {
    let file: Json = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    file[kind].as_array().expect("a list of vectors").clone()
}

fn text<'a>(vector: &'a Json, member: &str) -> &'a str {
    vector[member].as_str().unwrap_or_else(|| panic!("{member} in {vector}"))
}

/// A verifier for the sink whose delivery asked for `url`, and the target of that delivery.
fn sink_of<'a>(url: &'a str, token: &str) -> (Verifier, &'a str) {
    let after_scheme = url.find("://").expect("a scheme") + 3;
    let path = after_scheme + url[after_scheme..].find('/').expect("a path");
    let configured = url.split("bodySHA256=").next().unwrap_or(url).trim_end_matches(['?', '&']);
    let public = PublicUrl::parse(configured).expect("a destination");
    (Verifier::new(public, &[SecretString::from(token)]), &url[path..])
}

fn check(verifier: &Verifier, target: &str, signature: &str, body: &str) -> Result<(), Rejection> {
    check_all(verifier, target, vec![signature.as_bytes()], body)
}

fn check_all(
    verifier: &Verifier,
    target: &str,
    signatures: Vec<&[u8]>,
    body: &str,
) -> Result<(), Rejection> {
    let signed = verifier.verify_head(&Head { target, signatures })?;
    signed.verify_body(Bytes::copy_from_slice(body.as_bytes())).map(|_| ())
}

#[test]
fn every_vector_of_twilios_sdks_for_json_bodies_holds() {
    let all: Vec<Json> = [vectors("json_vectors"), vectors("derived_vectors")].concat();
    assert!(all.len() >= 11, "the file of vectors has shrunk");
    for vector in all {
        let (verifier, target) = sink_of(text(&vector, "url"), text(&vector, "token"));
        let result = check(&verifier, target, text(&vector, "signature"), text(&vector, "body"));
        let valid = vector["expect_valid"].as_bool().expect("expect_valid");
        assert_eq!(result.is_ok(), valid, "{}: {result:?}", text(&vector, "id"));
    }
}

/// Event Streams sends no forms, but how their URL was spelled when it was signed applies all the same.
#[test]
fn every_spelling_of_a_url_in_the_vectors_for_forms_is_a_candidate() {
    let mut checked = 0;
    for vector in vectors("form_vectors") {
        let (url, signed) = (text(&vector, "url"), text(&vector, "signed_url"));
        // One vector re-encodes the query; a query is ours to pass on as it came, never to re-encode.
        if vector["expect_valid"] != true || text(&vector, "id") == "form-query-apostrophe-encoded"
        {
            continue;
        }
        let (verifier, target) = sink_of(url, "any");
        let candidates = verifier.url().signed_as(target);
        assert!(candidates.iter().any(|candidate| candidate == signed), "{signed}: {candidates:?}");
        checked += 1;
    }
    assert!(checked >= 12, "only {checked} vectors were checked");
}

fn our_sink() -> Verifier {
    let url = PublicUrl::parse("https://example.com/hook").expect("a destination");
    Verifier::new(url, &[SecretString::from("old"), SecretString::from("new")])
}

fn target(body: &str) -> String {
    format!("/hook?bodySHA256={}", signature::body_sha256_hex(body.as_bytes()))
}

fn signed(secret: &str, target: &str) -> String {
    signature::sign(secret, &format!("https://example.com{target}"))
}

#[test]
fn each_of_several_secrets_may_have_signed() {
    let target = target("{}");
    for (secret, expected) in
        [("old", Ok(())), ("new", Ok(())), ("other", Err(Rejection::SignatureMismatch))]
    {
        assert_eq!(check(&our_sink(), &target, &signed(secret, &target), "{}"), expected);
    }
}

#[test]
fn a_signature_is_no_good_for_another_body() {
    let target = target("{}");
    let result = check(&our_sink(), &target, &signed("new", &target), "{\"forged\":1}");
    assert_eq!(result, Err(Rejection::BodyHashMismatch));
}

#[test]
fn a_signature_is_no_good_for_another_path() {
    let signature = signed("new", &target("{}"));
    let other = target("{}").replace("/hook", "/hook2");
    assert_eq!(check(&our_sink(), &other, &signature, "{}"), Err(Rejection::SignatureMismatch));
}

#[test]
fn two_body_hashes_are_refused_even_when_signed() {
    let twice = format!("{}&bodySHA256={}", target("{}"), signature::body_sha256_hex(b"x"));
    let result = check(&our_sink(), &twice, &signed("new", &twice), "{}");
    assert_eq!(result, Err(Rejection::RepeatedBodyHash));
}

#[test]
fn each_missing_part_is_named() {
    let target = target("{}");
    assert_eq!(check(&our_sink(), &target, "", "{}"), Err(Rejection::MissingSignature));
    assert_eq!(check(&our_sink(), "/hook", "x", "{}"), Err(Rejection::MissingBodyHash));
    assert_eq!(
        check(&our_sink(), "/hook?bodysha256=0", "x", "{}"),
        Err(Rejection::MissingBodyHash)
    );
    assert_eq!(
        check(&our_sink(), "/hook?bodySHA256=0", "x", "{}"),
        Err(Rejection::MalformedBodyHash)
    );
    assert_eq!(check_all(&our_sink(), &target, vec![], "{}"), Err(Rejection::MissingSignature));
}

#[test]
fn a_shortened_or_doubled_signature_is_refused() {
    let target = target("{}");
    let good = signed("new", &target);
    assert_eq!(check(&our_sink(), &target, &good, "{}"), Ok(()));
    for bad in [&good[..27], &good[..24], "====", "not base64!"] {
        assert_eq!(
            check(&our_sink(), &target, bad, "{}"),
            Err(Rejection::SignatureMismatch),
            "{bad}"
        );
    }
    let twice = vec![good.as_bytes(), good.as_bytes()];
    assert_eq!(check_all(&our_sink(), &target, twice, "{}"), Err(Rejection::SignatureMismatch));
}

/// Dashboards and alerts ask for these words.
#[test]
fn each_reason_has_its_word_in_the_metrics() {
    assert_eq!(
        Rejection::ALL.map(Rejection::as_str),
        [
            "missing_signature",
            "missing_body_hash",
            "repeated_body_hash",
            "malformed_body_hash",
            "signature_mismatch",
            "body_hash_mismatch",
        ]
    );
}
