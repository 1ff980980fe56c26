//! Which worker an event goes to, told from its bytes.
//!
//! In: the bytes of an event. Out: the number of a worker. Promises: events that name the same call first go to the
//! same worker. An event that hides its call (by escapes in the member's name, say) goes elsewhere,
//! where its row is as right: workers lock rows in one order and only wait for each other then.
//! Why not by reading the event: decoded it takes five times the memory, and as many wait for a worker as fit
//! into a batch.

use memchr::memmem;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;

/// Member of `data`, be that an object or a text with escaped quotes.
const NAME: &[u8] = b"call_sid";

/// The worker, of `workers`; what names no call goes round by `position`.
pub(super) fn worker_of(event: &[u8], position: u64, workers: NonZeroUsize) -> usize {
    let number = call_sid_in(event).map_or(position, |sid| {
        let mut hasher = DefaultHasher::new();
        sid.hash(&mut hasher);
        hasher.finish()
    });
    usize::try_from(number % workers.get() as u64).unwrap_or(0)
}

/// The SID behind the first member of that very name: `parent_call_sid` is another.
fn call_sid_in(event: &[u8]) -> Option<&[u8]> {
    memmem::find_iter(event, NAME).find_map(|at| {
        if at.checked_sub(1).and_then(|before| event.get(before)) != Some(&b'"') {
            return None;
        }
        let rest = &event[at + NAME.len()..];
        let is_between =
            |byte: &u8| matches!(byte, b'\\' | b'"' | b':') || byte.is_ascii_whitespace();
        let start = rest.iter().position(|byte| !is_between(byte))?;
        let length = rest[start..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        (length > 0).then(|| &rest[start..start + length])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Meaning, decode};
    use crate::simulate::DataForm;
    use crate::simulate::load::{Load, deliveries};
    use chrono::DateTime;

    #[test]
    fn the_bytes_name_the_call_that_decoding_finds() {
        let (start, mut events) = (DateTime::from_timestamp(1_800_000_000, 0).expect("a time"), 0);
        for data in [DataForm::Object, DataForm::String] {
            let load = Load { seed: 1, calls: 50, start, spread_hours: 1, duplicates: 0.1, data };
            for delivery in deliveries(&load) {
                let body = delivery.expect("made-up calls are JSON").body;
                let event = &body[1..body.len() - 1];
                let Meaning::CallSummary { call, .. } = decode(event, start).meaning else {
                    panic!("a call summary was not read as one");
                };
                assert_eq!(call_sid_in(event), Some(call.call_sid.as_bytes()));
                events += 1;
            }
        }
        assert!(events > 200, "{events}");
    }

    #[test]
    fn the_parent_is_not_the_call() {
        for event in [
            r#"{"data":{"parent_call_sid":"CA1","call_sid" : "CA2"}}"#,
            r#"{"data":"{\"parent_call_sid\":\"CA1\",\"call_sid\":\"CA2\"}"}"#,
        ] {
            assert_eq!(call_sid_in(event.as_bytes()), Some(&b"CA2"[..]), "{event}");
        }
    }

    #[test]
    fn what_names_no_call_goes_round() {
        let workers = NonZeroUsize::new(3).expect("three");
        for event in
            [r#"{"type":"x"}"#, r#"{"data":{"call_sid":""}}"#, "call_sid", r#""call_sid""#, ""]
        {
            let turns = [0, 1, 2, 3].map(|position| worker_of(event.as_bytes(), position, workers));
            assert_eq!(turns, [0, 1, 2, 0], "{event}");
        }
    }
}
