//! House rules that a reviewer should not have to repeat.

use std::path::{Path, PathBuf};

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(directory).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                let root = Path::new(env!("CARGO_MANIFEST_DIR"));
                found.push((path.strip_prefix(root).expect("inside").to_owned(), text));
            }
        }
    }
    let mut found = Vec::new();
    for directory in ["src", "tests"] {
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut found);
    }
    assert!(found.len() > 40, "the walk has lost its way");
    found
}

/// The rooms under `src/`, each with the words that it must not say.
const ABSENCES: &[(&str, &[&str])] = &[
    (
        "src/domain/",
        &["sqlx", "actix", "rusqlite", "tokio", "serde_json", "crate::store", "crate::journal"],
    ),
    ("src/verify/", &["sqlx", "actix", "crate::journal", "crate::store", "crate::decode"]),
    (
        "src/decode/",
        &["sqlx", "actix", "tokio", "crate::store", "crate::journal", "crate::receive"],
    ),
    (
        "src/journal/",
        &["sqlx", "actix", "crate::store", "crate::decode", "crate::receive", "crate::apply"],
    ),
    (
        "src/queue/",
        &["sqlx", "actix", "crate::store", "crate::decode", "crate::receive", "crate::apply"],
    ),
    ("src/store/", &["actix", "rusqlite", "crate::journal", "crate::queue", "crate::receive"]),
    ("src/apply/", &["sqlx", "actix", "crate::receive", "crate::verify"]),
    ("src/receive/", &["sqlx", "crate::store", "crate::apply"]),
    ("src/rollup.rs", &["sqlx", "actix", "crate::apply", "crate::receive", "crate::journal"]),
    (
        "src/reconcile/",
        &["sqlx", "actix", "reqwest", "crate::journal", "crate::receive", "crate::queue"],
    ),
    ("src/twilio/", &["sqlx", "actix", "crate::store", "crate::decode", "crate::journal"]),
    ("src/operate/", &["sqlx", "actix", "rusqlite", "refinery", "crate::receive", "crate::queue"]),
    (
        "src/housekeeping/",
        &["sqlx", "actix", "crate::journal", "crate::decode", "crate::apply", "crate::receive"],
    ),
    ("src/operate/check_request/", &["crate::journal", "crate::store", "crate::decode"]),
];

#[test]
fn rooms_do_not_know_what_they_must_not_know() {
    for (path, text) in sources() {
        let path = path.to_string_lossy().into_owned();
        for (room, absent) in ABSENCES.iter().filter(|(room, _)| path.starts_with(room)) {
            // Tests of a room may use its neighbours, and comments may speak of anybody.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for word in *absent {
                    assert!(!line.contains(word), "{path} ({room}) says {word}: {line}");
                }
            }
        }
    }
}

#[test]
fn every_file_opens_with_a_sign_on_the_door() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no //! header", path.display());
    }
}

#[test]
fn files_stay_small_enough_to_read() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 450, "{} has {lines} lines: split it by job", path.display());
    }
}

#[test]
fn nothing_is_left_for_later_or_switched_off() {
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
    ];
    for (path, text) in sources() {
        for word in words {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}
