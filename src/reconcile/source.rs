//! Where lists of call summaries come from, as this room sees it.
//!
//! In: an account, a span of time, or the address of a next page. Out: the items of one page.
//! Promises of an implementation: items as texts, to the letter; waits and tries again by itself when
//! Twilio asks for patience.

use super::window::Span;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// Call summaries.
    pub items: Vec<Box<RawValue>>,
    /// Address of the next page; `None` on the last.
    pub next: Option<String>,
    /// When it was asked for, by our clock: what it says is at least as new.
    pub asked: DateTime<Utc>,
}

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// This page is not there any more; the list must be read from its start.
    #[error("a page of the list is no longer there: {0}")]
    Lost(String),
    /// Anything else, for a person.
    #[error("{0}")]
    Failed(String),
}

/// The call summaries of one account.
pub trait Summaries {
    /// The account (AC...).
    fn account_sid(&self) -> &str;

    /// The first page of the calls of `span`, in all states.
    fn first_page(&self, span: Span) -> impl Future<Output = Result<Page, ListError>> + Send;

    /// The page at `address`, which a page before has named.
    fn next_page(&self, address: &str) -> impl Future<Output = Result<Page, ListError>> + Send;
}
