//! Places where a test can have the process end as `kill -9` would end it.
//!
//! In: `CALLSINK_FAILPOINT`, the name of a place, and `:3` for the third time it is come by. Out: nothing, or
//! the end, without a destructor run or a buffer flushed.
//! Promises: a release build has none of it. Debug assertions decide and no feature does, so that tests,
//! lints and service share one build of everything.

/// Between a commit that was synced and the answers to those who wait for it.
pub const SYNCED: &str = "synced";
/// Before a batch goes to PostgreSQL; what is in it was answered.
pub const BEFORE_UPSERT: &str = "before_upsert";
/// PostgreSQL has the batch, and nobody was told.
pub const AFTER_UPSERT: &str = "after_upsert";
/// The journal has deleted what is done, and has not committed that.
pub const FORGETTING: &str = "forgetting";
/// Likewise, and it has.
pub const FORGOTTEN: &str = "forgotten";

/// Comes by the place `name`.
#[cfg(not(debug_assertions))]
pub fn pass(_name: &str) {}

/// Comes by the place `name`.
#[cfg(debug_assertions)]
pub fn pass(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static CHOSEN: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let text = std::env::var("CALLSINK_FAILPOINT").ok()?;
        let (place, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((place.to_owned(), AtomicU32::new(times.parse().ok()?)))
    });
    if let Some((place, left)) = chosen
        && place == name
        && left.fetch_sub(1, Ordering::AcqRel) == 1
    {
        std::process::abort();
    }
}
