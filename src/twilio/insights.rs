//! The Insights API: lists of call summaries.
//!
//! In: an account, a span of time. Out: pages of summaries, each item as Twilio wrote it.
//! Promises: every state is asked for; `next_page_url` is followed to the letter, but never to another host:
//! the request carries credentials.

use super::{ApiError, Client};
use crate::config::Api;
use crate::reconcile::source::{ListError, Page, Summaries};
use crate::reconcile::window::Span;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Url;

/// Twilio's most. A page of them has a few MiB.
const PAGE_SIZE: &str = "1000";

/// The summaries of one account.
#[derive(Debug, Clone)]
pub struct Insights {
    client: Client,
    summaries: Url,
    account_sid: String,
    /// Asked for with the credentials of the account above it.
    is_subaccount: bool,
}

/// The accounts of `api`: the first is that of the credentials, the others are its subaccounts.
///
/// # Errors
/// The HTTP client can't be built, or the address is none.
pub fn accounts(api: &Api) -> anyhow::Result<Vec<Insights>> {
    let client = Client::new(api)?;
    let summaries = Url::parse(&format!("{}/v1/Voice/Summaries", api.insights))?;
    let account = |(index, account_sid): (usize, &String)| Insights {
        client: client.clone(),
        summaries: summaries.clone(),
        account_sid: account_sid.clone(),
        is_subaccount: index > 0,
    };
    Ok(api.account_sids.iter().enumerate().map(account).collect())
}

impl Insights {
    /// Asks fewer times: for a diagnosis.
    #[must_use]
    pub fn impatient(&self) -> Self {
        Self { client: self.client.impatient(2), ..self.clone() }
    }

    async fn page(&self, address: &Url, is_next: bool) -> Result<Page, ListError> {
        let asked = Utc::now();
        let body = self.client.get(address).await.map_err(|error| match error {
            ApiError::Refused => self.refused(),
            ApiError::Missing(what) | ApiError::Denied(what) if is_next => ListError::Lost(what),
            other => self.failed(&other.to_string()),
        })?;
        let list = body.list().map_err(|what| self.failed(&what))?;
        Ok(Page { items: list.items, next: list.next, asked })
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
        self.page(&address, false).await
    }

    async fn next_page(&self, address: &str) -> Result<Page, ListError> {
        let address =
            Url::parse(address).map_err(|_| self.failed("next_page_url is no address"))?;
        if address.origin() != self.summaries.origin() {
            return Err(self.failed("next_page_url leads to another host"));
        }
        self.page(&address, true).await
    }
}
