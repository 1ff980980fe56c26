//! Law of the envelope: every byte of a body is in one event or is a bracket, a comma or space between events;
//! what is JSON is split as JSON says; splitting what was split changes nothing.
//!
//! In: a body. Panics where the law is broken.

use callsink::decode::split::split;
use serde_json::value::RawValue;

/// Panics unless it does.
pub fn holds(body: &[u8]) {
    let events = split(body);
    assert_eq!(events, split(body), "the same each time");
    if events.len() == 1 && events[0] == (0..body.len()) {
        if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(body) {
            panic!("an array of {} is taken for one event", items.len());
        }
        return;
    }
    every_byte_is_accounted_for(body, &events);
    if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(body) {
        let items: Vec<&[u8]> = items.iter().map(|item| item.get().as_bytes()).collect();
        let found: Vec<&[u8]> = events.iter().map(|event| &body[event.clone()]).collect();
        assert_eq!(found, items, "as JSON says");
    }
    let parts: Vec<&[u8]> = events.iter().map(|event| &body[event.clone()]).collect();
    let again = [b"[", &parts.join(&b","[..])[..], b"]"].concat();
    // One empty element can't be told from none once the space around it is gone.
    if parts != [b""] {
        let found = split(&again);
        let found: Vec<&[u8]> = found.iter().map(|event| &again[event.clone()]).collect();
        assert_eq!(found, parts, "what was split can be split again");
    }
}

fn every_byte_is_accounted_for(body: &[u8], events: &[std::ops::Range<usize>]) {
    let mut at = 0;
    let mut between = Vec::new();
    for event in events {
        assert!(at <= event.start && event.start <= event.end, "in order, without overlap");
        between.extend_from_slice(&body[at..event.start]);
        at = event.end;
    }
    between.extend_from_slice(&body[at..]);
    between.retain(|byte| !byte.is_ascii_whitespace());
    let mut expected = vec![b'['];
    expected.extend(std::iter::repeat_n(b',', events.len().saturating_sub(1)));
    expected.push(b']');
    assert_eq!(between, expected, "what is in no event");
}
