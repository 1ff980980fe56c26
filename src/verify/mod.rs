//! The only door between what anybody may send and what Twilio sent.
//!
//! In: the request target and the signature header, then the body, as received. Out: [`Verified`], which
//! nothing but this room can make, or the step that failed.
//! Promises: looks at bytes, never at their meaning; the comparison takes the same time whatever the
//! secret and whichever secret or spelling of the URL matches.
//! Must not know: JSON, actix, the journal.
//! Source: Twilio's SDK validators, and its guide for webhook sinks.

pub mod public_url;
pub mod signature;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use public_url::PublicUrl;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// What is known of a delivery before its body: enough to check the signature, which covers the URL and by
/// that the hash of the body. So a stranger can't even make us read a body.
#[derive(Debug)]
pub struct Head<'a> {
    /// Path and query exactly as they arrived.
    pub target: &'a str,
    /// Every `X-Twilio-Signature` header of the request.
    pub signatures: Vec<&'a [u8]>,
}

/// A head whose signature holds; it says which body Twilio signed for.
#[derive(Debug)]
pub struct SignedHead {
    body_sha256: [u8; 32],
}

/// A delivery whose signature and body hash hold: Twilio, or whoever has the secret, sent these bytes.
#[derive(Debug)]
pub struct Verified {
    body: Bytes,
}

impl Verified {
    /// The bytes that were signed for.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }
}

/// The step at which a delivery failed. The words are labels of a metric and stand in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// Not from Twilio, or a proxy drops the header.
    #[error("the header X-Twilio-Signature is missing")]
    MissingSignature,
    /// A proxy drops or rewrites the query, or the request is not an Event Streams delivery.
    #[error("the query has no bodySHA256")]
    MissingBodyHash,
    /// Two hashes: nobody can say which was meant.
    #[error("the query has more than one bodySHA256")]
    RepeatedBodyHash,
    /// It is not 64 hexadecimal digits.
    #[error("bodySHA256 is not a SHA-256 in hexadecimal digits")]
    MalformedBodyHash,
    /// A wrong secret, or a public URL that is not to the letter what the sink has.
    #[error("the signature does not match")]
    SignatureMismatch,
    /// The body was altered on its way, or a signature is used again for another body.
    #[error("bodySHA256 is not the hash of the body")]
    BodyHashMismatch,
}

impl Rejection {
    /// Every reason, for metrics that are there before the first rejection.
    pub const ALL: [Self; 6] = [
        Self::MissingSignature,
        Self::MissingBodyHash,
        Self::RepeatedBodyHash,
        Self::MalformedBodyHash,
        Self::SignatureMismatch,
        Self::BodyHashMismatch,
    ];

    /// The label of the metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MissingBodyHash => "missing_body_hash",
            Self::RepeatedBodyHash => "repeated_body_hash",
            Self::MalformedBodyHash => "malformed_body_hash",
            Self::BodyHashMismatch => "body_hash_mismatch",
            Self::SignatureMismatch => "signature_mismatch",
        }
    }
}

/// Knows our URL and our secrets, and tells Twilio's deliveries from others.
pub struct Verifier {
    url: PublicUrl,
    keys: Vec<Hmac<Sha1>>,
}

impl Verifier {
    /// For a sink at `url`; each of `secrets` may have signed (rotation, subaccounts).
    #[must_use]
    pub fn new(url: PublicUrl, secrets: &[SecretString]) -> Self {
        let keys = secrets.iter().map(|secret| signature::keyed(secret.expose_secret())).collect();
        Self { url, keys }
    }

    /// The URL of the sink.
    #[must_use]
    pub fn url(&self) -> &PublicUrl {
        &self.url
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// The first step that failed, in the order of the variants of [`Rejection`].
    pub fn verify_head(&self, head: &Head<'_>) -> Result<SignedHead, Rejection> {
        // Two signatures in one request are as good as none: no sender of ours does that.
        let [signature] = head.signatures[..] else {
            return Err(if head.signatures.is_empty() {
                Rejection::MissingSignature
            } else {
                Rejection::SignatureMismatch
            });
        };
        if signature.is_empty() {
            return Err(Rejection::MissingSignature);
        }
        let body_sha256 = body_hash(head.target)?;
        let signature = STANDARD.decode(signature).map_err(|_| Rejection::SignatureMismatch)?;
        let mut matches = Choice::from(0);
        for candidate in self.url.signed_as(head.target) {
            for key in &self.keys {
                let expected = key.clone().chain_update(candidate.as_bytes()).finalize();
                matches |= expected.into_bytes().as_slice().ct_eq(&signature);
            }
        }
        if bool::from(matches) {
            Ok(SignedHead { body_sha256 })
        } else {
            Err(Rejection::SignatureMismatch)
        }
    }
}

impl SignedHead {
    /// Checks that `body` is the one that was signed for.
    ///
    /// # Errors
    /// [`Rejection::BodyHashMismatch`].
    pub fn verify_body(&self, body: Bytes) -> Result<Verified, Rejection> {
        let actual = Sha256::digest(&body);
        if bool::from(self.body_sha256.ct_eq(actual.as_slice())) {
            Ok(Verified { body })
        } else {
            Err(Rejection::BodyHashMismatch)
        }
    }
}

/// The one `bodySHA256` of a query, as 32 bytes.
fn body_hash(target: &str) -> Result<[u8; 32], Rejection> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let mut values = query.split('&').filter_map(|pair| pair.strip_prefix("bodySHA256="));
    let value = values.next().ok_or(Rejection::MissingBodyHash)?;
    if values.next().is_some() {
        return Err(Rejection::RepeatedBodyHash);
    }
    signature::sha256_from_hex(value).ok_or(Rejection::MalformedBodyHash)
}

#[cfg(test)]
mod tests;
