//! Twilio's Insights API: lists of call summaries, by HTTPS.
//!
//! In: credentials, an account, a span of time. Out: pages of summaries, each item as Twilio wrote it.
//! Promises: 429, 5xx and a line that fails are waited out, as long as Twilio asks for or longer each time;
//! `next_page_url` is followed to the letter, but never to another host: the request carries credentials;
//! an error says what to do and holds neither a secret nor what a call said.
//! Must not know: rows, SQL, what a summary says.
//! Source: Twilio's OpenAPI description of insights v1; 401 where Advanced Features are off: its FAQ.

mod answer;
mod patience;

use crate::config::Api;
use crate::http_client;
use crate::reconcile::source::{ListError, Page, Summaries};
use crate::reconcile::window::Span;
use answer::{Answer, ListBody};
use chrono::{DateTime, SecondsFormat, Utc};
use patience::Patience;
use reqwest::Url;
use secrecy::ExposeSecret;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Twilio's most. A page of them has a few MiB.
const PAGE_SIZE: &str = "1000";

/// A page that is no larger than this is read; a thousand summaries have some 6 MB.
const MOST_BYTES: usize = 64 << 20;

/// A slow page of a thousand takes some seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The summaries of one account.
#[derive(Debug, Clone)]
pub struct Insights {
    client: reqwest::Client,
    summaries: Url,
    api: Arc<Api>,
    /// Which of the secrets Twilio took: while tokens are rotated only one of them is valid.
    taken: Arc<AtomicUsize>,
    account_sid: String,
    /// Asked for with the credentials of the account above it.
    is_subaccount: bool,
}

/// The accounts of `api`: the first is that of the credentials, the others are its subaccounts.
///
/// # Errors
/// The HTTP client can't be built, or the address is none.
pub fn accounts(api: Api) -> anyhow::Result<Vec<Insights>> {
    let client = http_client::builder()
        .connect_timeout(Duration::from_secs(10))
        .timeout(ANSWER_WITHIN)
        .build()?;
    let summaries = Url::parse(&format!("{}/v1/Voice/Summaries", api.insights))?;
    let (api, taken) = (Arc::new(api), Arc::new(AtomicUsize::new(0)));
    let account = |(index, account_sid): (usize, &String)| Insights {
        client: client.clone(),
        summaries: summaries.clone(),
        api: Arc::clone(&api),
        taken: Arc::clone(&taken),
        account_sid: account_sid.clone(),
        is_subaccount: index > 0,
    };
    Ok(api.account_sids.iter().enumerate().map(account).collect())
}

impl Insights {
    async fn page(&self, address: Url, is_next: bool) -> Result<Page, ListError> {
        let mut patience = Patience::default();
        loop {
            let asked = Utc::now();
            let trouble = match self.ask(&address).await {
                Answer::Body(body) => {
                    let body: ListBody = body.parse().map_err(ListError::Failed)?;
                    return Ok(Page { items: body.items, next: body.next, asked });
                }
                Answer::Denied(status) if is_next => return Err(ListError::Lost(status)),
                Answer::Denied(status) => return Err(self.failed(&status)),
                Answer::Refused => return Err(self.refused()),
                Answer::Wait(trouble) => trouble,
            };
            if !patience.wait(&trouble).await {
                let text = format!("{}, {} times in a row", trouble.what, patience.tries());
                return Err(self.failed(&text));
            }
        }
    }

    /// Asks once, with every secret that there is.
    async fn ask(&self, address: &Url) -> Answer {
        let secrets = &self.api.secrets;
        let first = self.taken.load(Ordering::Relaxed);
        for offset in 0..secrets.len() {
            let index = (first + offset) % secrets.len();
            let request = self
                .client
                .get(address.clone())
                .basic_auth(&self.api.user, Some(secrets[index].expose_secret()));
            match answer::of(request, MOST_BYTES).await {
                Answer::Refused => {}
                answer => {
                    self.taken.store(index, Ordering::Relaxed);
                    return answer;
                }
            }
        }
        Answer::Refused
    }

    fn refused(&self) -> ListError {
        ListError::Failed(format!(
            "Twilio answered 401 for {}: the credentials are wrong, or Voice Insights Advanced Features are not \
             on for this account (they must have been on when the calls were made)",
            self.account_sid
        ))
    }

    fn failed(&self, what: &str) -> ListError {
        ListError::Failed(format!("the list of {} could not be read: {what}", self.account_sid))
    }
}

impl Summaries for Insights {
    fn account_sid(&self) -> &str {
        &self.account_sid
    }

    async fn first_page(&self, span: Span) -> Result<Page, ListError> {
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut address = self.summaries.clone();
        {
            let mut query = address.query_pairs_mut();
            query.append_pair("StartTime", &time(span.from));
            query.append_pair("EndTime", &time(span.to));
            query.append_pair("SortBy", "start_time");
            query.append_pair("ProcessingState", "all");
            query.append_pair("PageSize", PAGE_SIZE);
            if self.is_subaccount {
                query.append_pair("Subaccount", &self.account_sid);
            }
        }
        self.page(address, false).await
    }

    async fn next_page(&self, address: &str) -> Result<Page, ListError> {
        let address =
            Url::parse(address).map_err(|_| self.failed("next_page_url is no address"))?;
        if address.origin() != self.summaries.origin() {
            return Err(self.failed("next_page_url leads to another host"));
        }
        self.page(address, true).await
    }
}
