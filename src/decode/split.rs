//! From the body of one verified delivery to its events.
//!
//! In: a body, an array of events or one bare event. Out: where each event stands in it.
//! Promises: looks at nothing but quotes and brackets, so that one broken event of an array cannot
//! take its neighbours along; whatever it makes of the bytes, it loses none. What is not an array, or
//! an array whose brackets don't pair up, is one event.

use std::ops::Range;

/// Where the events stand in `body`. Empty for an empty array, which Twilio may send and which is fine.
#[must_use]
pub fn split(body: &[u8]) -> Vec<Range<usize>> {
    elements(body).unwrap_or_else(|| std::iter::once(0..body.len()).collect())
}

/// The elements of an array; `None` when the body is not one.
fn elements(body: &[u8]) -> Option<Vec<Range<usize>>> {
    let open = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let close = body.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
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

/// Where the text ends whose content begins at `start`.
fn end_of_text(body: &[u8], start: usize) -> Option<usize> {
    let mut position = start;
    loop {
        position += memchr::memchr2(b'"', b'\\', body.get(position..)?)?;
        if body[position] == b'"' {
            return Some(position);
        }
        position += 2; // whatever is escaped, it does not end the text
    }
}

fn trimmed(body: &[u8], mut range: Range<usize>) -> Range<usize> {
    while range.start < range.end && body[range.start].is_ascii_whitespace() {
        range.start += 1;
    }
    while range.start < range.end && body[range.end - 1].is_ascii_whitespace() {
        range.end -= 1;
    }
    range
}

#[cfg(test)]
mod tests {
    use super::split;
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
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for range in split(&body) {
                prop_assert!(range.end <= body.len());
            }
        }
    }
}
