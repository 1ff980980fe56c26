//! Many windows, one after the other, each recorded when it is read.
//!
//! In: an account's windows. Out: a tally per window, said as soon as it is there.
//! Promises: a window counts as done only after its last page is in; what was done stays done when a later
//! window fails.

use super::check::{Carry, Mode, WindowTally, check_window};
use super::source::{ListError, Summaries};
use super::window::Window;
use crate::store::{BackfillWindow, CoverageHour, SeenField, Session, StoreError};
use chrono::{DateTime, Utc};

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Twilio.
    #[error(transparent)]
    List(#[from] ListError),
    /// PostgreSQL.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How to sweep.
#[derive(Debug, Clone, Copy)]
pub struct Sweep {
    /// What to do with what is listed.
    pub mode: Mode,
    /// Write nothing at all, not even what was found.
    pub dry_run: bool,
}

impl Sweep {
    /// Reads one window of one account, compares, brings in, and records it. Windows of an account are read
    /// oldest first, with one `carry` that goes from each to the next.
    ///
    /// # Errors
    /// Twilio or PostgreSQL; what was brought in until then is in, and the window is not marked as done.
    pub async fn window<S: Summaries>(
        self,
        session: &mut Session,
        source: &S,
        window: Window,
        carry: &mut Carry,
    ) -> Result<WindowTally, SweepError> {
        let observed = Utc::now();
        let record = |tally: &WindowTally, done: bool| BackfillWindow {
            account_sid: source.account_sid(),
            start: window.start,
            end: window.end(),
            done,
            pages: tally.pages,
            listed: tally.listed,
            inserted: tally.inserted,
            improved: tally.improved,
            refused: tally.refused,
            observed,
        };
        let is_recorded = self.mode == Mode::All && !self.dry_run;
        if is_recorded {
            session.record_window(&record(&WindowTally::default(), false)).await?;
        }
        let mode = if self.dry_run { Mode::Report } else { self.mode };
        let mut tally = check_window(session, source, window, mode, observed, carry).await?;
        if !self.dry_run && !tally.unknown.is_empty() {
            tally.new_fields = count_unknown_fields(session, &tally, observed).await?;
        }
        if is_recorded {
            session.record_window(&record(&tally, !tally.restless)).await?;
        }
        if !self.dry_run && !tally.restless {
            let hours: Vec<CoverageHour<'_>> = tally
                .hours
                .iter()
                .map(|((account_sid, hour), counts)| CoverageHour {
                    account_sid,
                    hour: *hour,
                    listed: counts.listed,
                    present: counts.listed - counts.missing + counts.inserted,
                    missing: counts.missing - counts.inserted,
                    still_partial: counts.still_partial - counts.improved,
                    healed: counts.healed(),
                })
                .collect();
            session.record_coverage(&hours, observed).await?;
        }
        Ok(tally)
    }
}

/// Fields that Twilio lists and no column holds are counted as those of events are; how many of them are new.
async fn count_unknown_fields(
    session: &mut Session,
    tally: &WindowTally,
    observed: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let seen = tally.unknown.iter().map(|(field, count)| SeenField {
        path: &field.path,
        json_type: field.json_type,
        schema_version: None,
        first_seen: observed,
        last_seen: observed,
        occurrences: *count,
    });
    let new = session.add_unknown_fields(&seen.collect::<Vec<_>>()).await?;
    for (path, _) in &new {
        tracing::warn!(
            path,
            "Twilio's REST API tells a field that callsink has no column for; it is in the payload of \
             calls that were read from there, and counted in callsink.unknown_fields"
        );
    }
    Ok(new.len() as u64)
}
