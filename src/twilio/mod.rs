//! Twilio's APIs, by HTTPS: one way of asking for all of them.
//!
//! In: credentials, what is asked. Out: bodies, or what to do about it.
//! Promises: 429, 5xx and a line that fails are waited out, as long as Twilio asks for or longer each time; what
//! may have been done already is not asked for twice; an error says what to do and holds neither a secret nor
//! what a call said.
//! Must not know: rows, SQL, what a summary says.
//! Source: Twilio's OpenAPI descriptions; 401 where Advanced Features are off: its FAQ.

mod answer;
pub mod events;
pub mod insights;
pub mod monitor;
mod patience;

use crate::config::Api;
use crate::http_client;
use answer::Answer;
pub use answer::Body;
use patience::Patience;
use reqwest::{Method, Url};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A page that is no larger than this is read; a thousand summaries have some 6 MB.
const MOST_BYTES: usize = 64 << 20;

/// A slow page of a thousand takes some seconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Why Twilio did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401: none of the secrets is taken, or the account may not.
    #[error("Twilio answered 401: the credentials are wrong, or the account may not ask for this")]
    Refused,
    /// 404: it is not there.
    #[error("{0}")]
    Missing(String),
    /// Another answer that asking again does not change.
    #[error("{0}")]
    Denied(String),
    /// It did not answer, for as long as we were willing to wait.
    #[error("{0}")]
    Away(String),
}

/// Asks with the credentials of one account.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Account SID or API key SID.
    user: String,
    secrets: Vec<SecretString>,
    /// Which of the secrets Twilio took: while tokens are rotated only one of them is valid.
    taken: Arc<AtomicUsize>,
    /// How often to ask before giving up.
    tries: u32,
}

impl Client {
    /// With the credentials of the first account of `api`.
    ///
    /// # Errors
    /// The HTTP client can't be built.
    pub fn new(api: &Api) -> Result<Self, reqwest::Error> {
        let http = http_client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(ANSWER_WITHIN)
            .build()?;
        let (user, secrets) = (api.user.clone(), api.secrets.clone());
        Ok(Self { http, user, secrets, taken: Arc::default(), tries: patience::TRIES })
    }

    /// As another account, with the auth token that is its own among `tokens`.
    #[must_use]
    pub fn as_account(&self, account_sid: &str, tokens: &[SecretString]) -> Self {
        let (user, secrets) = (account_sid.to_owned(), tokens.to_vec());
        Self { user, secrets, taken: Arc::default(), ..self.clone() }
    }

    /// Gives up after `tries`: somebody waits for a diagnosis and not for the thing itself.
    #[must_use]
    pub fn impatient(&self, tries: u32) -> Self {
        Self { tries, ..self.clone() }
    }

    /// Reads.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn get(&self, address: &Url) -> Result<Body, ApiError> {
        self.ask(Method::GET, address, None).await
    }

    /// Changes something.
    ///
    /// # Errors
    /// See [`ApiError`]; after [`ApiError::Away`] it may be done all the same.
    pub async fn post(&self, address: &Url, form: &[(&str, String)]) -> Result<Body, ApiError> {
        self.ask(Method::POST, address, Some(form)).await
    }

    /// Deletes; what is not there counts as deleted.
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn delete(&self, address: &Url) -> Result<(), ApiError> {
        match self.ask(Method::DELETE, address, None).await {
            Ok(_) | Err(ApiError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn ask(
        &self,
        method: Method,
        address: &Url,
        form: Option<&[(&str, String)]>,
    ) -> Result<Body, ApiError> {
        let mut patience = Patience::new(self.tries);
        loop {
            let trouble = match self.ask_once(&method, address, form).await {
                Answer::Body(body) => return Ok(body),
                Answer::Refused => return Err(ApiError::Refused),
                Answer::Missing(what) => return Err(ApiError::Missing(what)),
                Answer::Denied(what) => return Err(ApiError::Denied(what)),
                Answer::Wait(trouble) if method == Method::POST && trouble.may_be_done => {
                    return Err(ApiError::Away(format!(
                        "{}; it may be done all the same",
                        trouble.what
                    )));
                }
                Answer::Wait(trouble) => trouble,
            };
            if !patience.wait(&trouble).await {
                let text = format!("{}, {} times in a row", trouble.what, patience.tries());
                return Err(ApiError::Away(text));
            }
        }
    }

    /// Asks once, with every secret that there is.
    async fn ask_once(
        &self,
        method: &Method,
        address: &Url,
        form: Option<&[(&str, String)]>,
    ) -> Answer {
        let first = self.taken.load(Ordering::Relaxed);
        for offset in 0..self.secrets.len() {
            let index = (first + offset) % self.secrets.len();
            let secret = self.secrets[index].expose_secret();
            let mut request = self.http.request(method.clone(), address.clone());
            request = request.basic_auth(&self.user, Some(secret));
            if let Some(form) = form {
                request = request
                    .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(encoded(form));
            }
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
}

/// A form as a body; reqwest's own needs a feature for these few lines.
fn encoded(form: &[(&str, String)]) -> String {
    let mut url = Url::parse("http://form/").unwrap_or_else(|_| unreachable!("it is an address"));
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap_or_default().to_owned()
}
