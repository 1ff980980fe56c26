//! One window compared with the rows, and brought in where wanted.
//!
//! In: a window's list, page by page. Out: rows, by the store, and counts per account and hour.
//! Promises: only a call that ended [`SETTLED`] before it was listed counts as a hole: until then its events
//! are still on their way. A summary that PostgreSQL refuses is found by halving and harms no other.

use super::listing::{Listed, Listing};
use super::source::Summaries;
use super::sweep::SweepError;
use super::window::{SETTLED, Window};
use crate::decode::unknown::UnknownField;
use crate::domain::fields::SUMMARY_FIELDS;
use crate::domain::{KnownCall, SummaryState, Value};
use crate::store::{MOST_UNKNOWN_FIELDS, Merged, Session, StoreError, Trouble};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Duration;

/// Summaries in one statement at most, as for events.
const BATCH: usize = 500;

/// A deadlock, a restart or a reconnect is over by then.
const TRIES: u32 = 8;

/// What to do with what is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Count, and write no call.
    Report,
    /// Bring in what is missing, or is less final here than there.
    Heal,
    /// Bring in everything: annotations change late, and no event says so.
    All,
}

/// What a window came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowTally {
    /// Pages read.
    pub pages: u64,
    /// Different calls of the window that were listed.
    pub listed: u64,
    /// Without a row before; in [`Mode::Report`], that would be inserted.
    pub inserted: u64,
    /// With a row that became more final, or would.
    pub improved: u64,
    /// Not readable, or refused by PostgreSQL.
    pub refused: u64,
    /// The list changed until we stopped reading it.
    pub restless: bool,
    /// How often which field was listed that no column holds.
    pub unknown: BTreeMap<UnknownField, u64>,
    /// Of these, how many nobody had seen before; known once they are written down.
    pub new_fields: u64,
    /// By account and hour; only of the window's own hour.
    pub hours: BTreeMap<(String, DateTime<Utc>), HourTally>,
}

impl WindowTally {
    /// Counts fields, of so many names as the table takes.
    fn note(&mut self, unknown: Vec<UnknownField>) {
        for field in unknown {
            if self.unknown.len() < MOST_UNKNOWN_FIELDS || self.unknown.contains_key(&field) {
                *self.unknown.entry(field).or_default() += 1;
            }
        }
    }
}

/// Settled calls of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HourTally {
    /// Calls listed.
    pub listed: u64,
    /// Without a row when looked at.
    pub missing: u64,
    /// With a row that should be more final by now.
    pub still_partial: u64,
    /// Of the missing, inserted.
    pub inserted: u64,
    /// Of those still partial, made more final.
    pub improved: u64,
}

impl HourTally {
    /// Calls that were put right.
    #[must_use]
    pub fn healed(&self) -> u64 {
        self.inserted + self.improved
    }

    /// Calls that are wrong here after the check.
    #[must_use]
    pub fn holes(&self) -> u64 {
        self.missing + self.still_partial - self.healed()
    }

    /// Adds another hour's.
    pub fn add(&mut self, other: &Self) {
        self.listed += other.listed;
        self.missing += other.missing;
        self.still_partial += other.still_partial;
        self.inserted += other.inserted;
        self.improved += other.improved;
    }
}

/// What is there of a listed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No row.
    Missing,
    /// A row less final than the list.
    Behind,
    /// A row as final, or more.
    Here,
    /// No row, and none is wanted: it was erased.
    Erased,
}

/// Calls of the first minutes of the next window, which this one lists, too: as they were found, because by
/// then they may be here.
#[derive(Debug, Default)]
pub struct Carry {
    window: Option<Window>,
    calls: HashMap<String, Carried>,
}

#[derive(Debug)]
struct Carried {
    account_sid: String,
    found: Found,
    is_settled: bool,
    is_in: bool,
}

/// Which window counts a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// This one: it started in it, or at a time that explains nothing.
    Here,
    /// The one before.
    Before,
    /// The one after.
    After,
}

pub(super) struct Check<'s> {
    session: &'s mut Session,
    account_sid: &'s str,
    window: Window,
    mode: Mode,
    tally: WindowTally,
    before: HashMap<String, Carried>,
    after: HashMap<String, Carried>,
}

/// Reads `window` of `source`, compares, and brings in what `mode` says.
pub(super) async fn check_window<S: Summaries>(
    session: &mut Session,
    source: &S,
    window: Window,
    mode: Mode,
    now: DateTime<Utc>,
    carry: &mut Carry,
) -> Result<WindowTally, SweepError> {
    let mut listing = Listing::new(source, window, now);
    let account_sid = source.account_sid();
    let (tally, after) = (WindowTally::default(), HashMap::new());
    let before = std::mem::take(carry);
    let before = if before.window == Some(window) { before.calls } else { HashMap::new() };
    let mut check = Check { session, account_sid, window, mode, tally, before, after };
    // Also where nothing is listed: an hour that was checked is said to have been.
    check.tally.hours.insert((account_sid.to_owned(), window.start), HourTally::default());
    while let Some(listed) = listing.next().await? {
        check.page(listed).await?;
    }
    check.count_what_only_the_window_before_listed();
    check.tally.pages = listing.pages;
    check.tally.restless = listing.restless;
    *carry = Carry { window: Some(Window::of(window.end())), calls: check.after };
    Ok(check.tally)
}

impl Check<'_> {
    async fn page(&mut self, listed: Listed) -> Result<(), SweepError> {
        self.tally.refused += listed.unreadable;
        self.tally.note(listed.unknown);
        let mut calls = listed.calls;
        calls.sort_by(|left, right| left.call_sid.cmp(&right.call_sid));
        for batch in calls.chunks(BATCH) {
            let found = self.look_up(batch).await?;
            let wanted: Vec<KnownCall> = batch
                .iter()
                .zip(&found)
                .filter(|(call, found)| match (self.mode, **found) {
                    (Mode::Report, _) | (_, Found::Erased) | (Mode::Heal, Found::Here) => false,
                    (Mode::Heal, _) => is_settled(call, listed.asked),
                    (Mode::All, _) => true,
                })
                .map(|(call, _)| call.clone())
                .collect();
            let merged = self.merge(wanted).await?;
            for (call, found) in batch.iter().zip(found) {
                self.count(call, found, merged.get(&call.call_sid), listed.asked);
            }
        }
        Ok(())
    }

    async fn look_up(&mut self, calls: &[KnownCall]) -> Result<Vec<Found>, StoreError> {
        let sids: Vec<&str> = calls.iter().map(|call| call.call_sid.as_str()).collect();
        let mut patience = Patience::default();
        let ranks = loop {
            match self.session.call_ranks(&sids).await {
                Ok(ranks) => break ranks,
                Err(error) => patience.wait(error).await?,
            }
        };
        let found = |call: &KnownCall| match ranks.get(&call.call_sid) {
            None => Found::Missing,
            Some(None) => Found::Erased,
            Some(Some(rank)) if *rank < call.state().rank() => Found::Behind,
            Some(_) => Found::Here,
        };
        Ok(calls.iter().map(found).collect())
    }

    /// What became of each call that is in.
    async fn merge(
        &mut self,
        calls: Vec<KnownCall>,
    ) -> Result<HashMap<String, Merged>, StoreError> {
        let mut merged = HashMap::new();
        let mut parts = vec![&calls[..]];
        let mut patience = Patience::default();
        while let Some(part) = parts.pop() {
            match self.session.merge_rest_summaries(part).await {
                Ok(outcomes) => merged.extend(outcomes),
                Err(refusal) if refusal.trouble == Trouble::Content && part.len() == 1 => {
                    self.tally.refused += 1;
                    tracing::warn!(
                        call_sid = part[0].call_sid,
                        sqlstate = refusal.sqlstate,
                        "PostgreSQL refused a summary read from the REST API"
                    );
                }
                Err(refusal) if refusal.trouble == Trouble::Content => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
                Err(error) => {
                    patience.wait(error).await?;
                    parts.push(part);
                }
            }
        }
        Ok(merged)
    }

    fn count(
        &mut self,
        call: &KnownCall,
        found: Found,
        merged: Option<&Merged>,
        asked: DateTime<Utc>,
    ) {
        if let Some(merged) = merged {
            self.tally.inserted += u64::from(merged.inserted);
            self.tally.improved += u64::from(merged.improved);
        }
        let account_sid = text(call, *ACCOUNT_SID).unwrap_or(self.account_sid).to_owned();
        let (is_settled, is_in) = (is_settled(call, asked), merged.is_some());
        let mut carried = Carried { account_sid, found, is_settled, is_in };
        match self.place(call) {
            Place::Before => {}
            Place::After => drop(self.after.insert(call.call_sid.clone(), carried)),
            Place::Here => {
                // As it was before the window before brought it in.
                if let Some(before) = self.before.remove(&call.call_sid) {
                    carried.found = before.found;
                    carried.is_in |= before.is_in;
                }
                self.count_here(&carried);
            }
        }
    }

    fn count_here(&mut self, call: &Carried) {
        self.tally.listed += 1;
        if self.mode == Mode::Report {
            self.tally.inserted += u64::from(call.found == Found::Missing);
            self.tally.improved += u64::from(call.found == Found::Behind);
        }
        if !call.is_settled {
            return;
        }
        let key = (call.account_sid.clone(), self.window.start);
        let hour = self.tally.hours.entry(key).or_default();
        hour.listed += 1;
        hour.missing += u64::from(call.found == Found::Missing);
        hour.still_partial += u64::from(call.found == Found::Behind);
        // By what was found: an event may have come in between, which is as good.
        hour.inserted += u64::from(call.found == Found::Missing && call.is_in);
        hour.improved += u64::from(call.found == Found::Behind && call.is_in);
    }

    /// Twilio does not say by which of its times a call is listed: one that this window should have listed
    /// and only the one before did is counted all the same.
    fn count_what_only_the_window_before_listed(&mut self) {
        for call in std::mem::take(&mut self.before).into_values() {
            self.count_here(&call);
        }
    }

    fn place(&self, call: &KnownCall) -> Place {
        let span = self.window.span();
        match time(call, *START_TIME).or_else(|| time(call, *CREATED_TIME)) {
            Some(start) if span.from <= start && start < self.window.start => Place::Before,
            Some(start) if self.window.end() <= start && start <= span.to => Place::After,
            _ => Place::Here,
        }
    }
}

/// Waits for a database that is away, for about half a minute.
#[derive(Default)]
struct Patience {
    failures: u32,
}

impl Patience {
    async fn wait(&mut self, error: StoreError) -> Result<(), StoreError> {
        self.failures += 1;
        if self.failures >= TRIES || error.trouble == Trouble::Content {
            return Err(error);
        }
        let wait = Duration::from_millis(250) * 2_u32.pow(self.failures - 1);
        tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }
}

/// Whether its events should have come when it was asked for.
fn is_settled(call: &KnownCall, asked: DateTime<Utc>) -> bool {
    let is_complete = call.state() == SummaryState::Complete;
    // A call without an end has not ended yet, or never was a call: then Twilio's last word is its end.
    time(call, *END_TIME)
        .or_else(|| time(call, *START_TIME).filter(|_| is_complete))
        .is_some_and(|ended| ended + SETTLED <= asked)
}

static ACCOUNT_SID: LazyLock<Option<usize>> = LazyLock::new(|| position("account_sid"));
static CREATED_TIME: LazyLock<Option<usize>> = LazyLock::new(|| position("created_time"));
static START_TIME: LazyLock<Option<usize>> = LazyLock::new(|| position("start_time"));
static END_TIME: LazyLock<Option<usize>> = LazyLock::new(|| position("end_time"));

fn position(column: &str) -> Option<usize> {
    SUMMARY_FIELDS.iter().position(|field| field.column == column)
}

fn value(call: &KnownCall, position: Option<usize>) -> Option<&Value> {
    call.rest.as_ref()?.values.get(position?)
}

fn time(call: &KnownCall, position: Option<usize>) -> Option<DateTime<Utc>> {
    match value(call, position)? {
        Value::Time(time) => Some(*time),
        _ => None,
    }
}

fn text(call: &KnownCall, position: Option<usize>) -> Option<&str> {
    value(call, position)?.as_text()
}
