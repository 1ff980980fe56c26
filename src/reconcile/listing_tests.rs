//! A list that moves, is cut off, or loses pages under the reader.

use super::listing::Listing;
use super::source::{ListError, Page, Summaries};
use super::window::{SETTLED, Span, Window};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::sync::Mutex;

type Happening = dyn Fn(usize, &mut Vec<DateTime<Utc>>) -> Result<(), ListError> + Send + Sync;

/// What Twilio would list: the starts of calls, newest first, paged by how many to skip.
struct Script {
    calls: Mutex<Vec<DateTime<Utc>>>,
    page_size: usize,
    /// It lists this many and says nothing of the rest.
    most: usize,
    /// Before the n-th page is answered, this happens.
    before: Box<Happening>,
    asked: Mutex<usize>,
}

fn window() -> Window {
    Window::of(DateTime::from_timestamp(1_800_000_000, 0).expect("a time"))
}

fn starts(count: i64) -> Vec<DateTime<Utc>> {
    (0..count).map(|number| window().start + TimeDelta::milliseconds(number * 1000)).collect()
}

impl Script {
    fn new(calls: Vec<DateTime<Utc>>, page_size: usize) -> Self {
        let (calls, asked) = (Mutex::new(calls), Mutex::new(0));
        Self { calls, page_size, most: usize::MAX, before: Box::new(|_, _| Ok(())), asked }
    }

    fn page(&self, span: Span, skip: usize) -> Result<Page, ListError> {
        let mut asked = self.asked.lock().expect("no panic");
        *asked += 1;
        let mut calls = self.calls.lock().expect("no panic");
        (self.before)(*asked, &mut calls)?;
        let mut inside: Vec<DateTime<Utc>> =
            calls.iter().copied().filter(|start| span.from < *start && *start < span.to).collect();
        inside.sort_by(|left, right| right.cmp(left));
        inside.truncate(self.most);
        let item = |start: &DateTime<Utc>| {
            let text = format!(
                r#"{{"call_sid":"CA{}","start_time":"{}"}}"#,
                start.timestamp_millis(),
                start.to_rfc3339()
            );
            RawValue::from_string(text).expect("JSON")
        };
        let items: Vec<_> = inside.iter().skip(skip).take(self.page_size).map(item).collect();
        let end = skip + items.len();
        let (from, to) = (span.from.timestamp(), span.to.timestamp());
        let next = (end < inside.len()).then(|| format!("{from} {to} {end}"));
        Ok(Page { items, next, asked: Utc::now() })
    }
}

impl Summaries for Script {
    fn account_sid(&self) -> &'static str {
        "AC1"
    }

    async fn first_page(&self, span: Span) -> Result<Page, ListError> {
        self.page(span, 0)
    }

    async fn next_page(&self, address: &str) -> Result<Page, ListError> {
        let parts: Vec<i64> = address.split(' ').map(|part| part.parse().expect("ours")).collect();
        let time = |second| DateTime::from_timestamp(second, 0).expect("a time");
        let span = Span { from: time(parts[0]), to: time(parts[1]) };
        self.page(span, usize::try_from(parts[2]).expect("small"))
    }
}

/// The calls that were handed out, each once; and whether it gave up.
async fn read(script: &Script, now: DateTime<Utc>) -> (BTreeSet<String>, bool) {
    let mut listing = Listing::new(script, window(), now);
    let mut sids = BTreeSet::new();
    while let Some(listed) = listing.next().await.expect("readable") {
        for call in listed.calls {
            assert!(sids.insert(call.call_sid), "handed out twice");
        }
    }
    (sids, listing.restless)
}

fn later() -> DateTime<Utc> {
    window().end() + SETTLED
}

#[tokio::test]
async fn a_settled_list_that_stands_still_is_read_once() {
    let script = Script::new(starts(250), 100);
    assert_eq!(read(&script, later()).await.0.len(), 250);
    assert_eq!(*script.asked.lock().expect("no panic"), 3);
    let script = Script::new(Vec::new(), 100);
    assert_eq!(read(&script, later()).await.0.len(), 0);
}

#[tokio::test]
async fn a_call_that_appears_between_two_pages_hides_none() {
    let mut script = Script::new(starts(250), 100);
    // At the top, so that every page begins with the last call of the page before.
    script.before = Box::new(|asked, calls| {
        if asked == 2 {
            calls.push(window().start + TimeDelta::minutes(50));
        }
        Ok(())
    });
    assert_eq!(read(&script, later()).await.0.len(), 251);
}

#[tokio::test]
async fn a_call_that_vanishes_between_two_pages_hides_none_while_the_window_is_young() {
    let mut script = Script::new(starts(250), 100);
    script.before = Box::new(|asked, calls| {
        if asked == 2 {
            calls.pop(); // the next page begins one call too late
        }
        Ok(())
    });
    let (sids, restless) = read(&script, window().end()).await;
    assert_eq!((sids.len(), restless), (250, false), "all, with the one that vanished");
}

#[tokio::test]
async fn a_page_that_is_gone_starts_the_list_anew() {
    let mut script = Script::new(starts(250), 100);
    script.before = Box::new(|asked, _| match asked {
        2 => Err(ListError::Lost("404".to_owned())),
        _ => Ok(()),
    });
    assert_eq!(
        read(&script, later()).await,
        (read(&Script::new(starts(250), 100), later()).await.0, false)
    );
}

#[tokio::test]
async fn a_list_that_is_cut_off_at_a_round_number_is_read_in_halves() {
    let mut script = Script::new(starts(3500), 1000);
    script.most = 2000;
    assert_eq!(read(&script, later()).await.0.len(), 3500);
}

#[tokio::test]
async fn a_round_total_that_is_right_ends_all_the_same() {
    let same_second = vec![window().start + TimeDelta::minutes(1); 1];
    let script = Script::new([starts(2999), same_second].concat(), 1000);
    assert_eq!(read(&script, later()).await.0.len(), 2999, "two calls with one SID are one");
    let script = Script::new(starts(3000), 1000);
    assert_eq!(read(&script, later()).await.0.len(), 3000);
}

#[tokio::test]
async fn a_list_that_never_stands_still_is_given_up_for_now() {
    let mut script = Script::new(starts(250), 100);
    script.before = Box::new(|asked, calls| {
        let asked = i64::try_from(asked).expect("small");
        calls.push(window().start + TimeDelta::minutes(40) + TimeDelta::seconds(asked));
        Ok(())
    });
    let (sids, restless) = read(&script, later()).await;
    assert!(restless && sids.len() > 250);
}
