//! What one answer of Twilio's means for who asked.
//!
//! In: a request. Out: a body, or what to do instead. Promises: reads no more than it is allowed to.

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::time::Duration;

/// What to do with an answer.
pub(super) enum Answer {
    /// Read it.
    Body(Body),
    /// It is not there; the status, for a person.
    Missing(String),
    /// Asking again would not help; why, for a person.
    Denied(String),
    /// Not with this secret.
    Refused,
    /// Ask again later.
    Wait(Trouble),
}

/// Why to ask again later.
pub(super) struct Trouble {
    /// For a person.
    pub(super) what: String,
    /// As Twilio asked for.
    pub(super) retry_after: Option<Duration>,
    /// Twilio may have done what it was asked for.
    pub(super) may_be_done: bool,
}

/// What Twilio answered.
#[derive(Debug)]
pub struct Body(Vec<u8>);

/// A page of a list.
#[derive(Debug)]
pub struct ListBody {
    /// As texts, to the letter.
    pub items: Vec<Box<RawValue>>,
    /// Address of the next page.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    key: String,
    next_page_url: Option<String>,
}

#[derive(Deserialize)]
struct ErrorBody {
    code: Option<i64>,
}

/// Sends `request` and reads up to `most` bytes.
pub(super) async fn of(request: RequestBuilder, most: usize) -> Answer {
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return Answer::Wait(line(&error)),
    };
    let (status, retry_after) = (response.status(), retry_after(response.headers()));
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Answer::Wait(line(&error)),
        }
        if body.len() > most {
            return Answer::Denied(format!("an answer of more than {most} bytes"));
        }
    }
    if status.is_success() {
        return Answer::Body(Body(body));
    }
    let code = serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|error| error.code);
    let code = code.map_or(String::new(), |code| format!(", error {code}"));
    let what = format!("Twilio answered {status}{code}");
    match status {
        StatusCode::UNAUTHORIZED => Answer::Refused,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Answer::Wait(Trouble { what, retry_after, may_be_done: false })
        }
        StatusCode::NOT_FOUND => Answer::Missing(what),
        status if status.is_server_error() => {
            Answer::Wait(Trouble { what, retry_after, may_be_done: true })
        }
        _ => Answer::Denied(what),
    }
}

/// Without the address, whose query may hold what a page token holds.
fn line(error: &reqwest::Error) -> Trouble {
    let what = if error.is_timeout() {
        "Twilio did not answer in time"
    } else if error.is_connect() {
        "Twilio can't be reached"
    } else {
        "the answer broke off"
    };
    Trouble { what: what.to_owned(), retry_after: None, may_be_done: !error.is_connect() }
}

/// In seconds; a date is not worth a parser, waiting longer each time does as well.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

impl Body {
    /// As the object that it should be.
    ///
    /// # Errors
    /// It is none.
    pub fn object<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.0)
            .map_err(|_| "the answer is not what it should be".to_owned())
    }

    /// As a page of a list.
    ///
    /// # Errors
    /// It is none.
    pub fn list(&self) -> Result<ListBody, String> {
        let not_a_list = |_| "the answer is not a page of a list".to_owned();
        let mut members: HashMap<String, Box<RawValue>> =
            serde_json::from_slice(&self.0).map_err(not_a_list)?;
        let meta = members.get("meta").ok_or("the answer has no meta")?;
        let meta: Meta = serde_json::from_str(meta.get()).map_err(not_a_list)?;
        let items = members.remove(&meta.key).ok_or("the answer has no items")?;
        let items = serde_json::from_str(items.get()).map_err(not_a_list)?;
        Ok(ListBody { items, next: meta.next_page_url.filter(|address| !address.is_empty()) })
    }
}
