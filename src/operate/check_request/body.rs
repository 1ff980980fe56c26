//! Which change of the body would explain a wrong hash.
//!
//! In: the body as captured and the hash that the URL claims. Out: the first change, in words, after which
//! the hash fits. Pure. Changes go back from what tools and frameworks do to what was sent.

use sha2::{Digest, Sha256};

/// A change of a body, in words, and the body after it where it changes anything.
type Change = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

const CHANGES: &[Change] = &[
    ("without the line end at its end", |body| {
        let end = body.iter().rposition(|byte| !b"\r\n".contains(byte))? + 1;
        Some(body[..end].to_vec())
    }),
    ("without the white space around it", |body| Some(body.trim_ascii().to_vec())),
    ("with a line end at its end", |body| Some([body, b"\n"].concat())),
    ("without a byte order mark", |body| body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec)),
    ("with LF for CR LF", |body| Some(without(body, b"\r"))),
    ("with CR LF for LF", |body| {
        let lines: Vec<&[u8]> = body.split(|&byte| byte == b'\n').collect();
        Some(lines.join(&b"\r\n"[..]))
    }),
    ("without line ends", |body| Some(without(body, b"\r\n"))),
    ("as JSON without white space: it was re-serialised", |body| Some(spaced(body, b""))),
    ("as JSON with a space after , and : : it was re-serialised", |body| Some(spaced(body, b" "))),
    ("decoded from UTF-8 once more: it was encoded twice", |body| {
        let text = std::str::from_utf8(body).ok()?;
        text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
    }),
    ("emptied", |_| Some(Vec::new())),
];

/// The change after which the body has the hash `claimed`.
pub(super) fn explain(body: &[u8], claimed: [u8; 32]) -> Option<&'static str> {
    let fits = |(_, change): &&Change| {
        change(body).is_some_and(|changed| <[u8; 32]>::from(Sha256::digest(changed)) == claimed)
    };
    CHANGES.iter().find(fits).map(|(words, _)| *words)
}

fn without(body: &[u8], unwanted: &[u8]) -> Vec<u8> {
    body.iter().copied().filter(|byte| !unwanted.contains(byte)).collect()
}

/// White space outside of texts taken out, and `space` put after each comma and colon there.
fn spaced(body: &[u8], space: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(body.len());
    let (mut in_text, mut escaped) = (false, false);
    for &byte in body {
        if in_text {
            result.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else if !byte.is_ascii_whitespace() {
            result.push(byte);
            in_text = byte == b'"';
            if b",:".contains(&byte) {
                result.extend_from_slice(space);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(captured: &str, sent: &str) -> Option<&'static str> {
        explain(captured.as_bytes(), Sha256::digest(sent).into())
    }

    #[test]
    fn what_tools_do_to_a_body_is_recognised() {
        let sent = r#"[{"a":"x , \" y: \n","b":[1,2]}]"#;
        for (captured, words) in [
            (format!("{sent}\n"), "without the line end"),
            (format!("{sent}\r\n"), "without the line end"),
            (format!(" {sent} "), "white space around"),
            (format!("\u{feff}{sent}"), "byte order mark"),
            (
                "[\n  {\n    \"a\": \"x , \\\" y: \\n\",\n    \"b\": [1, 2]\n  }\n]".to_owned(),
                "re-serialised",
            ),
        ] {
            let said = explained(&captured, sent).unwrap_or_default();
            assert!(said.contains(words), "{captured}: {said}");
        }
        assert!(explained("x", "x\n").is_some_and(|said| said.contains("with a line end")));
        assert!(explained("Ã©", "é").is_some_and(|said| said.contains("twice")));
        assert!(explained("a\r\nb", "a\nb").is_some_and(|said| said.contains("LF for CR LF")));
        assert_eq!(explained("a", "b"), None);
    }
}
