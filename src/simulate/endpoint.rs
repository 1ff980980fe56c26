//! One delivery as Twilio makes it: signed, once, with Twilio's patience.
//!
//! In: where to, the secret, body bytes. Out: what came of the attempt.
//! Promises: what is signed and what is asked for have the same path and query; the body of the answer
//! is ignored, as Twilio does; the secret is in no message.
//! Must not know: what is in the body, or whether there will be another attempt.

use crate::verify::signature::{body_sha256_hex, sign};
use anyhow::{Context as _, ensure};
use secrecy::{ExposeSecret, SecretString};
use std::time::{Duration, Instant};

/// Twilio waits so long for an answer (error 91308).
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where deliveries go.
pub(super) struct Endpoint {
    client: reqwest::Client,
    url: String,
    signed_url: String,
    secret: SecretString,
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// There was an answer, after so long.
    Answered(u16, Duration),
    /// No answer in time; the other side may have kept the events.
    TimedOut,
    /// Nothing was sent.
    NotConnected,
    /// The connection broke; the other side may have kept the events.
    Broken,
}

impl Endpoint {
    /// Posts to `url` and signs `signed_url`, keeping up to `connections` open.
    pub(super) fn new(
        url: &str,
        signed_url: &str,
        secret: SecretString,
        connections: usize,
    ) -> anyhow::Result<Self> {
        let parsed = reqwest::Url::parse(url).context("--url is not a URL")?;
        ensure!(matches!(parsed.scheme(), "http" | "https"), "--url is not http:// or https://");
        ensure!(
            !url.contains('#') && !signed_url.contains('#'),
            "a URL has a fragment (#...), which Event Streams does not support"
        );
        ensure!(signed_url.contains("://"), "--public-url is not a URL");
        let (asked, signed) = (target(url), target(signed_url));
        ensure!(
            asked == signed,
            "--url asks for {asked:?}, but --public-url is signed with {signed:?}: they may differ in \
             scheme, host and port only"
        );
        let mut sent = parsed.path().to_owned();
        if let Some(query) = parsed.query() {
            sent = format!("{sent}?{query}");
        }
        ensure!(sent == asked, "{asked:?} would be sent as {sent:?}: write it so in the URL");
        let client = crate::http_client::builder()
            .http1_only()
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(connections)
            .user_agent(concat!("callsink-simulate/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("the HTTP client cannot be made")?;
        Ok(Self { client, url: url.to_owned(), signed_url: signed_url.to_owned(), secret })
    }

    /// Sends `body` once.
    pub(super) async fn deliver(&self, body: Vec<u8>) -> Attempt {
        let hash = body_sha256_hex(&body);
        let separator = if self.signed_url.contains('?') { '&' } else { '?' };
        let parameter = format!("{separator}bodySHA256={hash}");
        let signature =
            sign(self.secret.expose_secret(), &format!("{}{parameter}", self.signed_url));
        let sent = Instant::now();
        let answer = self
            .client
            .post(format!("{}{parameter}", self.url))
            .header("X-Twilio-Signature", signature)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await;
        match answer {
            Ok(mut answer) => {
                let attempt = Attempt::Answered(answer.status().as_u16(), sent.elapsed());
                // Read to its end the connection can be used again; beyond a little it isn't worth it.
                let mut left = 64_usize;
                while left > 0 && matches!(answer.chunk().await, Ok(Some(_))) {
                    left -= 1;
                }
                attempt
            }
            Err(error) if error.is_connect() => Attempt::NotConnected,
            Err(error) if error.is_timeout() => Attempt::TimedOut,
            Err(_) => Attempt::Broken,
        }
    }
}

/// Path and query of a URL; a missing path is asked for as `/`.
fn target(url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    match after_scheme.find(['/', '?']).map(|start| &after_scheme[start..]) {
        None => "/".to_owned(),
        Some(query) if query.starts_with('?') => format!("/{query}"),
        Some(target) => target.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, signed: &str) -> anyhow::Result<Endpoint> {
        Endpoint::new(url, signed, SecretString::from("secret"), 1)
    }

    #[test]
    fn the_two_urls_may_differ_in_host_only() {
        assert!(endpoint("http://127.0.0.1:8080/a?b=c", "https://example.com/a?b=c").is_ok());
        assert!(endpoint("http://127.0.0.1:8080", "https://example.com/").is_ok());
        let error = endpoint("http://127.0.0.1/a", "https://example.com/b").err().expect("refused");
        assert!(error.to_string().contains("\"/b\""), "{error}");
    }

    #[test]
    fn what_cannot_be_asked_for_to_the_letter_is_refused() {
        for url in ["ftp://example.com/", "example.com", "http://example.com/a/../b"] {
            assert!(endpoint(url, url).is_err(), "{url}");
        }
    }
}
