//! Twilio's request signature, as arithmetic.
//!
//! In: a secret, the URL as Twilio signed it, body bytes. Out: the two texts that Twilio sends.
//! Source: the algorithm of Twilio's own SDK validators for requests with a JSON body: the
//! signature is HMAC-SHA1 over the URL alone, the body enters it through `bodySHA256`.
//! Must not know: HTTP, settings, which URL is ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The value of the query parameter `bodySHA256`: SHA-256 of the body as received, lower-case hex.
#[must_use]
pub fn body_sha256_hex(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// The value of the header `X-Twilio-Signature` for a JSON request: `base64(HMAC-SHA1(secret, url))`,
/// 28 characters. `url` is the sink's destination with `bodySHA256` appended.
#[must_use]
pub fn sign(secret: &str, url: &str) -> String {
    STANDARD.encode(keyed(secret).chain_update(url.as_bytes()).finalize().into_bytes())
}

/// An HMAC-SHA1 already keyed with `secret`: keying costs two compressions, so it is done once.
#[must_use]
pub fn keyed(secret: &str) -> Hmac<Sha1> {
    // HMAC takes a key of any length; the error type exists for MACs that don't.
    Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC accepts keys of every length")
}

/// The bytes of a SHA-256 in hexadecimal digits; `None` when it isn't one. Upper-case digits are as good: the
/// signature covers the URL in which they stand.
#[must_use]
pub fn sha256_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        text
    })
}
