//! Single steps of the path of an event, without the others: `cargo bench --bench steps`.
//!
//! In: made-up events, as in `scripts/bench`. Out: time per step, for all of them together; divan divides it. For
//! figures without noise: the executable under `valgrind --tool=callgrind`, with `--test` and the name of a step.

use callsink::decode::{Meaning, decode, split};
use callsink::domain::CallSummary;
use callsink::simulate::DataForm;
use callsink::simulate::load::{Load, deliveries};
use callsink::store::encode_upsert;
use callsink::verify::public_url::PublicUrl;
use callsink::verify::signature::{body_sha256_hex, sign};
use callsink::verify::{Head, Verifier};
use chrono::{DateTime, Utc};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const URL: &str = "https://sink.example.com/twilio/events";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A batch of the service.
const EVENTS: usize = 500;

static BODIES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| bodies(DataForm::Mixed));

fn main() {
    divan::main();
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).expect("a valid time")
}

fn bodies(data: DataForm) -> Vec<Vec<u8>> {
    let load =
        Load { seed: 7, calls: 1000, start: start(), spread_hours: 4, duplicates: 0.1, data };
    let made = deliveries(&load).map(|delivery| delivery.expect("made-up calls are JSON").body);
    made.take(EVENTS).collect()
}

/// Without the brackets of the array.
fn event(body: &[u8]) -> &[u8] {
    &body[1..body.len() - 1]
}

fn calls() -> Vec<CallSummary> {
    let meanings = BODIES.iter().map(|body| decode(event(body), start()).meaning);
    let calls = meanings.filter_map(|meaning| match meaning {
        Meaning::CallSummary { call, .. } => Some(*call),
        _ => None,
    });
    calls.collect()
}

fn merged(calls: Vec<CallSummary>) -> Vec<CallSummary> {
    let mut merged: BTreeMap<String, CallSummary> = BTreeMap::new();
    for call in calls {
        let call = match merged.remove(&call.call_sid) {
            Some(known) => known.merge(call),
            None => call,
        };
        merged.insert(call.call_sid.clone(), call);
    }
    merged.into_values().collect()
}

#[divan::bench]
fn verify(bencher: Bencher<'_, '_>) {
    let url = PublicUrl::parse(URL).expect("a URL");
    let verifier = Verifier::new(url, &[SecretString::from(TOKEN)]);
    let signed = |body: &Vec<u8>| {
        let query = format!("?bodySHA256={}", body_sha256_hex(body));
        let signature = sign(TOKEN, &format!("{URL}{query}"));
        (format!("/twilio/events{query}"), signature, bytes::Bytes::from(body.clone()))
    };
    let requests: Vec<_> = BODIES.iter().map(signed).collect();
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| {
        for (target, signature, body) in &requests {
            let head = Head { target, signatures: vec![signature.as_bytes()] };
            let head = verifier.verify_head(&head).expect("signed");
            black_box(head.verify_body(body.clone()).expect("whole"));
        }
    });
}

#[divan::bench]
fn split_body(bencher: Bencher<'_, '_>) {
    bencher
        .counter(ItemsCount::new(EVENTS))
        .bench(|| BODIES.iter().map(|body| split::split(black_box(body)).len()).sum::<usize>());
}

fn bench_decode(bencher: Bencher<'_, '_>, bodies: &[Vec<u8>]) {
    bencher.counter(ItemsCount::new(EVENTS)).bench(|| {
        for body in bodies {
            black_box(decode(black_box(event(body)), start()));
        }
    });
}

#[divan::bench]
fn decode_data_as_object(bencher: Bencher<'_, '_>) {
    bench_decode(bencher, &bodies(DataForm::Object));
}

#[divan::bench]
fn decode_data_as_text(bencher: Bencher<'_, '_>) {
    bench_decode(bencher, &bodies(DataForm::String));
}

#[divan::bench]
fn merge_batch(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(EVENTS)).with_inputs(calls).bench_values(merged);
}

#[divan::bench]
fn encode_batch(bencher: Bencher<'_, '_>) {
    let calls = merged(calls());
    bencher
        .counter(ItemsCount::new(calls.len()))
        .bench(|| encode_upsert(black_box(&calls)).expect("encodes"));
}
