//! From the body of one verified delivery to its events.
//!
//! In: a body, an array of events or one bare event. Out: where each event stands in it.
//! Promises: looks at nothing but quotes and brackets, so that one broken event of an array cannot
//! take its neighbours along; whatever it makes of the bytes, it loses none. What is not an array, or
//! an array whose brackets don't pair up, is one event.

use super::block::places_of;
use std::ops::Range;

/// Where the events stand in `body`. Empty for an empty array, which Twilio may send and which is fine.
#[must_use]
pub fn split(body: &[u8]) -> Vec<Range<usize>> {
    elements(body).unwrap_or_else(|| std::iter::once(0..body.len()).collect())
}

/// The elements of an array; `None` when the body is not one.
fn elements(body: &[u8]) -> Option<Vec<Range<usize>>> {
    let open = body.iter().position(|byte| !is_space(*byte))?;
    let close = body.iter().rposition(|byte| !is_space(*byte))?;
    if body[open] != b'[' || body[close] != b']' || open == close {
        return None;
    }
    let (mut events, mut start, mut depth) = (Vec::new(), open + 1, 0_usize);
    let mut position = open + 1;
    while position < close {
        match body[position] {
            b'"' => position = end_of_text(&body[..close], position + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => {
                events.push(trimmed(body, start..position));
                start = position + 1;
            }
            _ => {}
        }
        position += 1;
    }
    if depth > 0 {
        return None;
    }
    let last = trimmed(body, start..close);
    if !(events.is_empty() && last.is_empty()) {
        events.push(last);
    }
    Some(events)
}

/// Where the text ends whose content begins at `start`: at the first quote that is not escaped.
///
/// `data` that is a text has an escape every ten bytes. Going from one to the next cost more than the signature,
/// so blocks are looked at as a whole.
fn end_of_text(body: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    let mut escapes = Escapes::default();
    while let Some((block, _)) = body.get(position..)?.split_first_chunk() {
        let quotes = places_of(b'"', block) & !escapes.escaped(places_of(b'\\', block));
        if quotes != 0 {
            return Some(position + quotes.trailing_zeros() as usize);
        }
        position += block.len();
    }
    position += usize::from(escapes.first_is_escaped);
    loop {
        match body.get(position)? {
            b'"' => return Some(position),
            b'\\' => position += 2, // whatever is escaped, it does not end the text
            _ => position += 1,
        }
    }
}

/// Which bytes are escaped, block after block.
#[derive(Default)]
struct Escapes {
    /// The last byte of the block before escapes the first one of this.
    first_is_escaped: bool,
}

impl Escapes {
    /// Places of escaped bytes, from those of backslashes. Adding turns a run of backslashes into a carry behind it,
    /// without a loop; what then stands at odd distance from the start of its run is escaped (as in simdjson).
    fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let first = u64::from(self.first_is_escaped);
        let backslashes = backslashes & !first;
        let behind = backslashes << 1 | first;
        let odd_starts = backslashes & !EVEN & !behind;
        let (runs, carry) = odd_starts.overflowing_add(backslashes);
        self.first_is_escaped = carry;
        (EVEN ^ runs << 1) & behind
    }
}

/// Whether JSON takes `byte` for a space. `is_ascii_whitespace` knows one more, the form feed.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn trimmed(body: &[u8], mut range: Range<usize>) -> Range<usize> {
    while range.start < range.end && is_space(body[range.start]) {
        range.start += 1;
    }
    while range.start < range.end && is_space(body[range.end - 1]) {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::{end_of_text, split};
    use proptest::prelude::*;

    fn texts(body: &str) -> Vec<&str> {
        split(body.as_bytes()).into_iter().map(|range| &body[range]).collect()
    }

    #[test]
    fn an_array_is_its_elements_and_an_object_is_one_event() {
        assert_eq!(
            texts(r#" [ {"a":[1,2]} , {"b":"],["} ] "#),
            [r#"{"a":[1,2]}"#, r#"{"b":"],["}"#]
        );
        assert_eq!(texts(r#"{"a":1}"#), [r#"{"a":1}"#]);
        assert_eq!(texts(" [ ] "), [""; 0]);
    }

    #[test]
    fn a_broken_element_leaves_its_neighbours_alone() {
        assert_eq!(texts(r#"[{"a":},{"b":2}]"#), [r#"{"a":}"#, r#"{"b":2}"#]);
        assert_eq!(texts("[1,,2]"), ["1", "", "2"]);
        assert_eq!(texts("[1,\x0c2\x0c]"), ["1", "\x0c2\x0c"], "no space of JSON's");
    }

    #[test]
    fn an_array_that_does_not_pair_up_is_one_event() {
        for body in ["[{]", r#"["a]"#, "[", "]", "[}]", ""] {
            assert_eq!(texts(body), [body]);
        }
    }

    proptest! {
        #[test]
        fn any_array_that_json_knows_is_split_as_json_does(
            items in prop::collection::vec(prop::collection::hash_map(".*", ".*", 0..4), 0..6)
        ) {
            let body = serde_json::to_string_pretty(&items).expect("maps of texts are JSON");
            let parts: Vec<std::collections::HashMap<String, String>> = split(body.as_bytes())
                .into_iter()
                .map(|range| serde_json::from_slice(&body.as_bytes()[range]).expect("an element"))
                .collect();
            prop_assert_eq!(parts, items);
        }

        #[test]
        fn a_text_ends_at_its_first_quote_that_is_not_escaped(
            parts in prop::collection::vec(r#"[a"]|\\{1,5}|a{0,80}"#, 0..60),
            start in 0..5_usize,
        ) {
            let body = parts.concat();
            let mut escaped = false;
            let end = body.bytes().enumerate().skip(start).find(|(_, byte)| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            prop_assert_eq!(end_of_text(body.as_bytes(), start), end.map(|(place, _)| place));
        }

        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for range in split(&body) {
                prop_assert!(range.end <= body.len());
            }
        }
    }
}
