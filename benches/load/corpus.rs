//! Events to send: made once, then told again and again of other calls.
//!
//! In: how many calls to make up. Out: bodies, and signed requests. Promises: a pass has the order, sizes and
//! repeats of the first one, but no call in common with any other; SIDs stay evenly spread, as Twilio's are.

use anyhow::{Context, Result};
use callsink::simulate::DataForm;
use callsink::simulate::load::{Load, deliveries};
use callsink::verify::signature::{body_sha256_hex, sign};
use chrono::{TimeDelta, Utc};
use std::collections::HashSet;

/// What is signed; nobody asks for it.
pub const PUBLIC_URL: &str = "https://sink.example.com/twilio/events";
/// The path of [`PUBLIC_URL`].
const PATH: &str = "/twilio/events";
/// The secret of the sink.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Where calls are spread over: as long as Twilio retries after an outage.
const SPREAD_HOURS: u16 = 4;
/// A call belongs to the corpus if one of its events has so many bytes: events of calls that were connected, with
/// metrics of their edges, are the large ones, and small ones would flatter.
const LARGE: usize = 3_800;
/// Calls that are made up; about every tenth is large.
const CALLS: u32 = 30_000;
/// Digits of a SID that tell passes apart.
const DIGITS: usize = 6;
/// Digits of a SID that event ids repeat.
const SHARED: std::ops::Range<usize> = 2..26;

struct Template {
    body: Vec<u8>,
    places: Vec<usize>,
}

/// The events of one pass.
pub struct Corpus {
    templates: Vec<Template>,
    /// Bytes of a body, on average.
    pub mean_bytes: usize,
    /// Distinct calls of a pass.
    pub calls: usize,
}

impl Corpus {
    /// Makes them up.
    pub fn make() -> Result<Self> {
        let load = Load {
            seed: 7,
            calls: CALLS,
            start: Utc::now() - TimeDelta::hours(SPREAD_HOURS.into()),
            spread_hours: SPREAD_HOURS,
            duplicates: 0.1,
            data: DataForm::String,
        };
        let made = deliveries(&load).collect::<Result<Vec<_>, _>>()?;
        let large = made.iter().filter(|delivery| delivery.body.len() >= LARGE);
        let large: HashSet<String> = large.map(|delivery| delivery.call_sid.clone()).collect();
        let mut templates = Vec::new();
        let (mut bytes, mut calls) = (0, HashSet::new());
        for delivery in made.into_iter().filter(|delivery| large.contains(&delivery.call_sid)) {
            let digits = delivery.call_sid.get(SHARED).context("a SID is longer")?.as_bytes();
            let places: Vec<usize> = delivery
                .body
                .windows(digits.len())
                .enumerate()
                .filter(|(_, window)| *window == digits)
                .map(|(place, _)| place)
                .collect();
            anyhow::ensure!(!places.is_empty(), "an event does not name its call");
            bytes += delivery.body.len();
            calls.insert(delivery.call_sid);
            templates.push(Template { body: delivery.body, places });
        }
        let mean_bytes = bytes / templates.len().max(1);
        Ok(Self { mean_bytes, templates, calls: calls.len() })
    }

    /// Events of a pass.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// Body number `index`, counted over all passes from `pass` on.
    pub fn body(&self, pass: u32, index: usize) -> Vec<u8> {
        let later = u32::try_from(index / self.len()).unwrap_or(0);
        let template = &self.templates[index % self.len()];
        let mut body = template.body.clone();
        // An odd multiplier: different passes have different digits.
        let mask = (pass + later).wrapping_mul(0x9E_3779) & 0xFF_FFFF;
        for place in &template.places {
            for (digit, position) in body[*place..*place + DIGITS].iter_mut().zip(0..) {
                let number = char::from(*digit).to_digit(16).unwrap_or(0);
                let number = number ^ (mask >> (4 * position) & 0xF);
                *digit = char::from_digit(number, 16).map_or(b'0', |digit| digit as u8);
            }
        }
        body
    }

    /// The same as a whole signed HTTP request.
    pub fn request(&self, pass: u32, index: usize) -> Vec<u8> {
        let body = self.body(pass, index);
        let query = format!("?bodySHA256={}", body_sha256_hex(&body));
        let signature = sign(TOKEN, &format!("{PUBLIC_URL}{query}"));
        let mut request = format!(
            "POST {PATH}{query} HTTP/1.1\r\nHost: sink.example.com\r\nX-Twilio-Signature: {signature}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(&body);
        request
    }
}
