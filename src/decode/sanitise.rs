//! Takes out of a JSON text what PostgreSQL could not give back.
//!
//! In: bytes. Out: text in which invalid UTF-8, `\u0000` and lone surrogates are U+FFFD, and whether
//! there was any. The bytes themselves are kept elsewhere.
//! Why: `json` stores `\u0000` and lone surrogates happily and fails later, when a query looks inside;
//! one such row would fail a whole SELECT.

use memchr::memmem::Finder;
use std::borrow::Cow;
use std::sync::LazyLock;

const REPLACEMENT: &str = "\\ufffd";

/// How an escape by number begins.
static NUMBERED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"\\u"));

/// The text of `raw` without what PostgreSQL cannot hold, and whether anything was replaced.
pub(super) fn sanitise(raw: &[u8]) -> (Cow<'_, str>, bool) {
    // Checking alone skips ASCII many bytes at a time; the lossy way goes byte by byte.
    let text =
        std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed);
    let lossy = matches!(text, Cow::Owned(_));
    match without_unholdable_escapes(&text) {
        Some(clean) => (Cow::Owned(clean), true),
        None => (text, lossy),
    }
}

/// `None` when there is nothing to replace.
fn without_unholdable_escapes(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    // Rare enough to ask for it first: `data` that is a text has another escape every ten bytes.
    NUMBERED.find(bytes)?;
    let mut clean: Option<String> = None;
    let (mut position, mut copied) = (0, 0);
    while let Some(offset) = memchr::memchr(b'\\', &bytes[position..]) {
        let escape = position + offset;
        let length = match code_unit(bytes, escape) {
            None => 2, // an escape of one character, `\\` among them
            Some(0xD800..=0xDBFF)
                if matches!(code_unit(bytes, escape + 6), Some(0xDC00..=0xDFFF)) =>
            {
                12
            }
            Some(0 | 0xD800..=0xDFFF) => {
                let clean = clean.get_or_insert_with(|| String::with_capacity(text.len()));
                clean.push_str(&text[copied..escape]);
                clean.push_str(REPLACEMENT);
                copied = escape + 6;
                6
            }
            Some(_) => 6,
        };
        position = (escape + length).min(bytes.len());
    }
    clean.map(|mut clean| {
        clean.push_str(&text[copied..]);
        clean
    })
}

/// The UTF-16 code unit of the escape `\uXXXX` at `at`, if there is one.
fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit * 16 + char::from(digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    fn clean(text: &str) -> (String, bool) {
        let (clean, changed) = sanitise(text.as_bytes());
        (clean.into_owned(), changed)
    }

    #[test]
    fn nul_and_lone_surrogates_become_the_replacement_character() {
        assert_eq!(clean(r#""a\u0000b""#), (r#""a\ufffdb""#.to_owned(), true));
        assert_eq!(clean(r#""\ud800""#), (r#""\ufffd""#.to_owned(), true));
        assert_eq!(clean(r#""\uDC00x\uD83D""#), (r#""\ufffdx\ufffd""#.to_owned(), true));
        assert_eq!(clean(r#""\ud800\ud83d\ude00""#), (r#""\ufffd\ud83d\ude00""#.to_owned(), true));
    }

    #[test]
    fn what_only_looks_like_them_stays() {
        for text in [r#""\\u0000""#, r#""\ud83d\ude00""#, r#""\u00e9\n""#, r"\", r#""\u00"#, "é"] {
            assert_eq!(clean(text), (text.to_owned(), false), "{text}");
        }
    }

    #[test]
    fn invalid_utf8_becomes_the_replacement_character() {
        let (text, changed) = sanitise(b"\"a\xff\"");
        assert_eq!((&*text, changed), ("\"a\u{fffd}\"", true));
    }
}
