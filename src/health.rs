//! How the service is, as its rooms report it and `/readyz` tells it.
//!
//! In: reports of the workers, the settings, the stop signal. Out: whether deliveries would be accepted
//! now, and why not. A database that is away is told, but it is no reason: the journal takes over.

use crate::config::Unconfigured;
use crate::journal::{AppendError, Status};
use chrono::Utc;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared by the rooms.
#[derive(Debug, Default)]
pub struct Health {
    missing: Vec<&'static str>,
    stopping: AtomicBool,
    database: Mutex<DatabaseState>,
}

#[derive(Debug, Clone, Default)]
enum DatabaseState {
    #[default]
    Connecting,
    Up,
    Down(String),
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether a delivery would be accepted now.
    pub ready: bool,
    /// Why not; empty when ready.
    pub reasons: Vec<String>,
    database: DatabaseReport,
    journal: JournalReport,
}

#[derive(Debug, Serialize)]
struct DatabaseReport {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct JournalReport {
    depth_events: u64,
    bytes: u64,
    max_bytes: u64,
    oldest_age_seconds: Option<i64>,
}

impl Health {
    /// For a service whose settings are complete, or lack these.
    #[must_use]
    pub fn new(unconfigured: Option<&Unconfigured>) -> Self {
        let missing = unconfigured.map(|missing| missing.0.clone()).unwrap_or_default();
        Self { missing, ..Self::default() }
    }

    /// From now on the service is stopping.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// A statement reached PostgreSQL. Says whether that is news.
    pub fn database_is_up(&self) -> bool {
        let mut state = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let news = !matches!(*state, DatabaseState::Up);
        *state = DatabaseState::Up;
        news
    }

    /// A statement failed for a reason that is not its content.
    pub fn database_is_down(&self, error: &str) {
        let mut state = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        *state = DatabaseState::Down(error.to_owned());
    }

    /// Whether the last statement did not reach PostgreSQL; not known yet counts as no.
    #[must_use]
    pub fn is_database_down(&self) -> bool {
        let state = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*state, DatabaseState::Down(_))
    }

    /// Everything that `/readyz` tells.
    #[must_use]
    pub fn report(&self, journal: &Status) -> Report {
        let mut reasons = Vec::new();
        if !self.missing.is_empty() {
            let missing = self.missing.join(" and ");
            reasons.push(format!(
                "not configured: {missing} must be set; deliveries are answered 503"
            ));
        }
        if self.stopping.load(Ordering::Acquire) {
            reasons.push("stopping".to_owned());
        }
        match &journal.trouble {
            None => {}
            Some(AppendError::Full { .. }) => reasons.push(format!(
                "journal full: {} of {} bytes; room comes back as PostgreSQL takes events in, or raise \
                 CALLSINK_JOURNAL_MAX_BYTES",
                journal.bytes, journal.max_bytes
            )),
            Some(trouble) => reasons.push(trouble.to_string()),
        }
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (state, error) = match database {
            DatabaseState::Connecting => ("connecting", None),
            DatabaseState::Up => ("up", None),
            DatabaseState::Down(error) => ("down", Some(error)),
        };
        Report {
            ready: reasons.is_empty(),
            reasons,
            database: DatabaseReport { state, error },
            journal: JournalReport {
                depth_events: journal.depth,
                bytes: journal.bytes,
                max_bytes: journal.max_bytes,
                oldest_age_seconds: journal
                    .oldest
                    .map(|oldest| (Utc::now() - oldest).num_seconds()),
            },
        }
    }
}
