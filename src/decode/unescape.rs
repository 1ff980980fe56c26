//! The text that a JSON string holds.
//!
//! In: the text between the quotes of a string that a parser has found sound. Out: what it says; `None` where there
//! is an escape by number, or none that JSON knows, for a parser to decide.
//! Promises: whatever it reads, serde_json reads to the same; it takes half of the time where escapes are dense, as
//! in `data` that is a text.

use super::block::places_of;

/// What `inner` says.
pub(super) fn unescape(inner: &str) -> Option<String> {
    let bytes = inner.as_bytes();
    let mut text = Text { inner, said: String::with_capacity(inner.len()), read: 0 };
    let mut position = 0;
    while let Some((block, _)) = bytes[position..].split_first_chunk() {
        let mut backslashes = places_of(b'\\', block);
        while backslashes != 0 {
            text.escape(position + backslashes.trailing_zeros() as usize)?;
            backslashes &= backslashes - 1;
        }
        position += block.len();
    }
    for (place, byte) in bytes.iter().enumerate().skip(position) {
        if *byte == b'\\' {
            text.escape(place)?;
        }
    }
    text.said.push_str(&inner[text.read..]);
    Some(text.said)
}

struct Text<'a> {
    inner: &'a str,
    said: String,
    /// How far `inner` is told in `said`.
    read: usize,
}

impl Text<'_> {
    /// There is a backslash at `place`; unless it is what the one before it escapes.
    fn escape(&mut self, place: usize) -> Option<()> {
        if place < self.read {
            return Some(());
        }
        let escaped = match self.inner.as_bytes().get(place + 1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            _ => return None,
        };
        self.said.push_str(&self.inner[self.read..place]);
        self.said.push(escaped);
        self.read = place + 2;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::unescape;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_what_json_does_not_know_are_left_to_the_parser() {
        for inner in [r"\u00e9", r"\x", r"\", r"\\\", r#"\"\"#] {
            assert_eq!(unescape(inner), None, "{inner}");
        }
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_the_parser_reads_it(
            parts in prop::collection::vec(r#"\\["\\/ntrbf]|[a-zé€😀]{0,70}"#, 0..60),
        ) {
            let inner = parts.concat();
            let read: String = serde_json::from_str(&format!("\"{inner}\"")).expect("a string");
            prop_assert_eq!(unescape(&inner), Some(read));
        }
    }
}
