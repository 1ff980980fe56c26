//! One window read whole, however the list changes meanwhile.
//!
//! In: a source and a window. Out: its summaries, page by page, each call once.
//! Promises: a call that is listed from the first page to the last is handed out. A list that moves under
//! the reader (a call twice, a page gone, a window whose calls still change) is read again until a whole
//! reading brings no new call; one with a suspiciously round total may have been cut off, and is read
//! again in halves.

use super::source::{ListError, Page, Summaries};
use super::window::{SETTLED, Span, Window};
use crate::decode::rest;
use crate::decode::unknown::UnknownField;
use crate::domain::KnownCall;
use chrono::{DateTime, Utc};
use std::collections::HashSet;

/// A total that divides by this may be where Twilio stops listing, which is said nowhere.
const ROUND: usize = 1000;

/// A list that still changes after so many readings is left for another time.
const MOST_READINGS: u32 = 5;

/// One page's worth of calls that were not listed before.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) calls: Vec<KnownCall>,
    /// Members of theirs that no column holds.
    pub(super) unknown: Vec<UnknownField>,
    /// Items that name no call.
    pub(super) unreadable: u64,
    /// When it was asked for.
    pub(super) asked: DateTime<Utc>,
}

pub(super) struct Listing<'s, S> {
    source: &'s S,
    /// Still to be read.
    spans: Vec<Span>,
    reading: Option<Reading>,
    seen: HashSet<String>,
    settled: bool,
    pub(super) pages: u64,
    /// It changed until we stopped reading it.
    pub(super) restless: bool,
}

/// One reading of one span, from its first page to its last.
struct Reading {
    span: Span,
    number: u32,
    next: Option<String>,
    pages: u64,
    sids: HashSet<String>,
    unreadable: usize,
    found: usize,
    /// The list moved under us.
    moved: bool,
}

impl Reading {
    fn new(span: Span, number: u32) -> Self {
        Self {
            span,
            number,
            next: None,
            pages: 0,
            sids: HashSet::new(),
            unreadable: 0,
            found: 0,
            moved: false,
        }
    }
}

impl<'s, S: Summaries> Listing<'s, S> {
    pub(super) fn new(source: &'s S, window: Window, now: DateTime<Utc>) -> Self {
        Self {
            source,
            spans: vec![window.span()],
            reading: None,
            seen: HashSet::new(),
            settled: window.end() + SETTLED <= now,
            pages: 0,
            restless: false,
        }
    }

    /// What the next page brings; `None` when the window is read.
    pub(super) async fn next(&mut self) -> Result<Option<Listed>, ListError> {
        loop {
            let mut reading = match self.reading.take() {
                Some(reading) => reading,
                None => match self.spans.pop() {
                    Some(span) => Reading::new(span, 1),
                    None => return Ok(None),
                },
            };
            let page = match &reading.next {
                None => self.source.first_page(reading.span).await,
                Some(address) => self.source.next_page(address).await,
            };
            let page = match page {
                Ok(page) => page,
                Err(ListError::Lost(_)) if reading.pages > 0 => {
                    reading.moved = true;
                    self.conclude(&reading);
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.pages += 1;
            reading.pages += 1;
            reading.next.clone_from(&page.next);
            let listed = self.take_in(&mut reading, &page);
            if reading.next.is_some() {
                self.reading = Some(reading);
            } else {
                self.conclude(&reading);
            }
            if !listed.calls.is_empty() || listed.unreadable > 0 {
                return Ok(Some(listed));
            }
        }
    }

    fn take_in(&mut self, reading: &mut Reading, page: &Page) -> Listed {
        let mut listed = Listed { asked: page.asked, ..Listed::default() };
        for item in &page.items {
            let Ok((call, unknown)) = rest::read(item.get(), page.asked) else {
                reading.unreadable += 1;
                // Without a name it can't be told apart from itself in a later reading.
                listed.unreadable += u64::from(reading.number == 1);
                continue;
            };
            if !reading.sids.insert(call.call_sid.clone()) {
                reading.moved = true;
            } else if self.seen.insert(call.call_sid.clone()) {
                reading.found += 1;
                listed.calls.push(call);
                listed.unknown.extend(unknown);
            }
        }
        listed
    }

    /// Decides what a reading that has come to its end was worth.
    fn conclude(&mut self, reading: &Reading) {
        let total = reading.sids.len() + reading.unreadable;
        if let Some(halves) =
            reading.span.halves().filter(|_| total > 0 && total.is_multiple_of(ROUND))
        {
            self.spans.extend(halves);
            return;
        }
        let may_have_moved = reading.moved || reading.pages > 1 && !self.settled;
        let brought_something = reading.number == 1 || reading.found > 0;
        if may_have_moved && brought_something {
            if reading.number < MOST_READINGS {
                self.reading = Some(Reading::new(reading.span, reading.number + 1));
            } else {
                self.restless = true;
            }
        }
    }
}
