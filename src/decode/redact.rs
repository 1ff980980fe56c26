//! A summary without the person: what documented columns hold, but for those that tell who it was.
//!
//! In: the text of a summary, as an event or the REST API gave it. Out: the same with nothing in it but
//! documented fields that are not personal, values to the letter.
//! Promises: what it doesn't know it leaves out, as it may be anything; what it gives out decodes to the same
//! key and the same columns, the personal ones being NULL; doing it twice changes nothing.

use super::members::members;
use crate::domain::fields::{
    DIRECTIONS, EDGE_FIELDS, EDGES, PERSONAL_COLUMNS, SUMMARY_FIELDS, Scope,
};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What stays; without children, the whole value.
#[derive(Debug, Default)]
struct Kept(BTreeMap<String, Kept>);

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let mut kept = Kept::default();
    // What the key and the row are known by.
    kept.add("call_sid");
    kept.add("processing_version");
    let impersonal = |column: &str| !PERSONAL_COLUMNS.contains(&column);
    for field in SUMMARY_FIELDS.iter().filter(|field| impersonal(field.column)) {
        kept.add(field.path);
    }
    for edge in EDGES {
        for field in EDGE_FIELDS.iter().filter(|field| impersonal(field.column)) {
            match field.scope {
                Scope::Edge => kept.add(&format!("{edge}.{}", field.path)),
                Scope::Properties => kept.add(&format!("{edge}.properties.{}", field.path)),
                Scope::Metrics => {
                    for direction in DIRECTIONS {
                        kept.add(&format!("{edge}.metrics.{direction}.{}", field.path));
                    }
                }
            }
        }
    }
    kept
});

impl Kept {
    fn add(&mut self, path: &str) {
        let mut node = self;
        for name in path.split('.') {
            node = node.0.entry(name.to_owned()).or_default();
        }
    }

    /// `None` when `text` is not an object.
    fn of(&self, text: &str) -> Option<String> {
        let mut out = String::from("{");
        for (name, value) in members(text).ok()? {
            let Some(kept) = self.0.get(&*name) else { continue };
            let value = match kept.0.is_empty() {
                true => value.get().to_owned(),
                false => match kept.of(value.get()) {
                    Some(inner) => inner,
                    None => continue,
                },
            };
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(&*name).to_string());
            out.push(':');
            out.push_str(&value);
        }
        out.push('}');
        Some(out)
    }
}

/// `None` when `payload` is not an object.
#[must_use]
pub fn redact(payload: &str) -> Option<String> {
    KEPT.of(payload)
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn the_person_and_the_unknown_go_and_quality_stays_to_the_letter() {
        let payload = r#"{"call_sid":"CA1","from":{"caller":"+1555","carrier":"x","ip_address":"1.2.3.4"},
            "new":"+1555","sdk_edge":{"properties":{"external_media_ip":"1.2.3.4","region":"us1"},
            "metrics":{"inbound":{"mos":{"avg":4.30},"who":"+1555"}},"events":{"levels":{"INFO":1}}},
            "properties":"none","duration":1e0}"#;
        let redacted = redact(payload).expect("an object");
        let expected = r#"{"call_sid":"CA1","from":{"carrier":"x"},"sdk_edge":{"properties":{"region":"us1"},"metrics":{"inbound":{"mos":{"avg":4.30}}},"events":{"levels":{"INFO":1}}},"duration":1e0}"#;
        assert_eq!(redacted, expected);
        assert_eq!(redact(&redacted), Some(redacted));
        assert_eq!(redact("[]"), None);
    }
}
