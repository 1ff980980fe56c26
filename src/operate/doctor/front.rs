//! The public URL, as Twilio comes: name, TLS, proxy, signature.
//!
//! In: the sink's destination, an auth token. Out: checks. Delivers an empty array, signed, which stores nothing.

use super::{Check, certificate};
use crate::http_client;
use crate::verify::public_url::PublicUrl;
use crate::verify::signature::{body_sha256_hex, sign};
use chrono::Utc;
use reqwest::tls::TlsInfo;
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error as _;
use std::time::{Duration, Instant};

/// As long as Twilio waits.
const TWILIO_WAITS: Duration = Duration::from_secs(5);

pub(super) async fn checks(url: Option<&PublicUrl>, token: Option<&SecretString>) -> Vec<Check> {
    let Some(url) = url else { return vec![Check::skipped("public URL", "it is not set")] };
    let verbatim = url.verbatim();
    let Ok(parsed) = Url::parse(&verbatim) else {
        return vec![Check::fail("public URL", "it is no URL", "correct CALLSINK_PUBLIC_URL")];
    };
    let mut checks = Vec::new();
    if parsed.scheme() == "http" {
        let to_do = "Twilio delivers to https:// with a publicly trusted certificate";
        checks.push(Check::warn("public URL", "it is http://", to_do));
    }
    let (host, port) =
        (parsed.host_str().unwrap_or_default(), parsed.port_or_known_default().unwrap_or(443));
    match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => {
            let addresses: Vec<String> =
                addresses.map(|address| address.ip().to_string()).collect();
            checks.push(Check::ok("DNS", format!("{host} is {}", addresses.join(", "))));
        }
        Err(error) => {
            checks.push(Check::fail("DNS", format!("{host}: {error}"), "make the name resolve"));
            return checks;
        }
    }
    let Some(token) = token else {
        checks.push(Check::skipped("delivery", "no auth token to sign with"));
        return checks;
    };
    checks.extend(deliver(&verbatim, token).await);
    checks
}

async fn deliver(destination: &str, token: &SecretString) -> Vec<Check> {
    let body = "[]";
    let separator = if destination.contains('?') { '&' } else { '?' };
    let signed = format!("{destination}{separator}bodySHA256={}", body_sha256_hex(body.as_bytes()));
    let signature = sign(token.expose_secret(), &signed);
    let client = match http_client::builder().tls_info(true).timeout(TWILIO_WAITS).build() {
        Ok(client) => client,
        Err(error) => {
            return vec![Check::skipped("delivery", format!("no HTTP client: {error}"))];
        }
    };
    let started = Instant::now();
    let request = client.post(&signed).header("X-Twilio-Signature", signature).body(body);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return vec![unreachable(&error)],
    };
    let milliseconds = started.elapsed().as_millis();
    let found =
        format!("a signed, empty delivery was answered {} in {milliseconds} ms", answer.status());
    let certificate = answer
        .extensions()
        .get::<TlsInfo>()
        .and_then(TlsInfo::peer_certificate)
        .map(|der| certificate::check(der, Utc::now()));
    certificate.into_iter().chain([judge(answer.status(), found)]).collect()
}

fn judge(status: StatusCode, found: String) -> Check {
    match status.as_u16() {
        200 => Check::ok("delivery", format!("{found}, through the public URL")),
        301 | 302 | 307 | 308 => Check::fail(
            "delivery",
            found,
            "Twilio must not be redirected: use the URL that it leads to, to the letter",
        ),
        404 | 405 => Check::fail(
            "delivery",
            found,
            "the proxy must pass path and query on unchanged to callsink",
        ),
        503 => Check::fail(
            "delivery",
            found,
            "is the service running and configured? Its /readyz says why not",
        ),
        401 | 403 | 429 => Check::fail(
            "delivery",
            found,
            "the service knows another CALLSINK_PUBLIC_URL or TWILIO_AUTH_TOKEN than this command, or the proxy \
             asks for something itself",
        ),
        _ => Check::fail("delivery", found, "look at the proxy's log"),
    }
}

fn unreachable(error: &reqwest::Error) -> Check {
    let mut cause = error.source();
    let mut text = String::new();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    if error.is_timeout() {
        let to_do = "a firewall, or nobody there; Twilio comes from 35.90.102.128/25";
        return Check::fail("delivery", "no answer within the 5 seconds that Twilio waits", to_do);
    }
    let is_tls = ["certificate", "TLS", "tls", "handshake", "HandshakeFailure"]
        .iter()
        .any(|word| text.contains(word));
    if is_tls {
        let to_do =
            "serve the whole chain of a publicly trusted, unexpired certificate for this name";
        return Check::fail("delivery", format!("TLS: {text}"), to_do);
    }
    Check::fail(
        "delivery",
        format!("no connection: {text}"),
        "is the proxy running, and its port open?",
    )
}
