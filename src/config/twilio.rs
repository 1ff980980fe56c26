//! What it takes to ask Twilio's API: accounts, credentials, addresses.
//!
//! In: flags and environment, as texts. Out: checked accounts and credentials.
//! Promises: as its room; an account SID is one, so that a typing error does not become a 404 of Twilio's.

#![allow(
    rustdoc::bare_urls,
    reason = "these are the texts of --help, which shows them as they are"
)]

use super::read::{Setting, SettingError, given, secret};
use crate::verify::public_url::PublicUrl;
use clap::Args;
use secrecy::SecretString;

/// How Twilio's API is asked.
#[derive(Args, Debug, Default)]
pub struct ApiArgs {
    /// Account SIDs, comma-separated: the first is that of the credentials, the others are its subaccounts
    #[arg(long, env = "TWILIO_ACCOUNT_SID", value_name = "SIDS")]
    pub twilio_account_sid: Option<String>,
    /// API key to ask Twilio with, instead of the auth token
    #[arg(long, env = "TWILIO_API_KEY", value_name = "SID")]
    pub twilio_api_key: Option<String>,
    /// Secret of TWILIO_API_KEY
    #[arg(long, env = "TWILIO_API_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub twilio_api_secret: Option<String>,
    /// File that holds TWILIO_API_SECRET, for secrets that come as files
    #[arg(long, env = "TWILIO_API_SECRET_FILE", value_name = "FILE")]
    pub twilio_api_secret_file: Option<String>,
    /// Address of the Insights API, for regional hosts [default: https://insights.twilio.com]
    #[arg(long, env = "CALLSINK_INSIGHTS_API", value_name = "URL")]
    pub insights_api: Option<String>,
    /// Address of the Events API, for regional hosts [default: https://events.twilio.com]
    #[arg(long, env = "CALLSINK_EVENTS_API", value_name = "URL")]
    pub events_api: Option<String>,
    /// Address of the Monitor API, for regional hosts [default: https://monitor.twilio.com]
    #[arg(long, env = "CALLSINK_MONITOR_API", value_name = "URL")]
    pub monitor_api: Option<String>,
}

/// The auth token, of commands that ask Twilio's API.
#[derive(Args, Debug, Default)]
pub struct TokenArgs {
    /// Auth tokens, comma-separated: old and new while rotating
    #[arg(long, env = "TWILIO_AUTH_TOKEN", value_name = "TOKENS", hide_env_values = true)]
    pub twilio_auth_token: Option<String>,
    /// File that holds TWILIO_AUTH_TOKEN, for secrets that come as files
    #[arg(long, env = "TWILIO_AUTH_TOKEN_FILE", value_name = "FILE")]
    pub twilio_auth_token_file: Option<String>,
}

/// The auth tokens, of which there may be none.
///
/// # Errors
/// They can't be read.
pub fn auth_tokens(args: TokenArgs) -> Result<Vec<SecretString>, SettingError> {
    let token = secret("TWILIO_AUTH_TOKEN", args.twilio_auth_token, args.twilio_auth_token_file)?;
    Ok(token.map(|token| super::split_secrets(&token)).transpose()?.unwrap_or_default())
}

/// The sink's destination, of commands that make it or look at it.
#[derive(Args, Debug, Default)]
pub struct PublicUrlArgs {
    /// The sink's destination, to the letter
    #[arg(long, env = "CALLSINK_PUBLIC_URL", value_name = "URL", hide_env_values = true)]
    pub public_url: Option<String>,
}

impl PublicUrlArgs {
    /// The destination, which must be set.
    ///
    /// # Errors
    /// It is not, or it is none.
    pub fn required(self) -> Result<PublicUrl, SettingError> {
        const NAME: &str = "CALLSINK_PUBLIC_URL";
        let url = Setting::new(NAME, self.public_url).public_url()?;
        url.ok_or_else(|| {
            SettingError::missing(NAME, "the URL at which Twilio reaches callsink, such as https://hooks.example.com/twilio/events")
        })
    }
}

/// Twilio's API as it can be asked.
#[derive(Debug, Clone)]
pub struct Api {
    /// The first is that of the credentials, the others are its subaccounts.
    pub account_sids: Vec<String>,
    /// Account SID or API key SID.
    pub user: String,
    /// Auth tokens, one of which is valid, or the secret of the API key.
    pub secrets: Vec<SecretString>,
    /// Auth tokens, also where an API key is used: that opens no subaccount.
    pub tokens: Vec<SecretString>,
    /// Without a slash at its end.
    pub insights: String,
    /// As well.
    pub events: String,
    /// As well.
    pub monitor: String,
}

impl ApiArgs {
    /// The API, with the auth tokens that are in `tokens`.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn resolve(self, tokens: TokenArgs) -> Result<Api, SettingError> {
        self.with_secrets(auth_tokens(tokens)?)
    }

    /// The API, with auth tokens that were read before.
    ///
    /// # Errors
    /// What is missing or wrong.
    pub fn with_secrets(self, tokens: Vec<SecretString>) -> Result<Api, SettingError> {
        let account_sids = account_sids(self.twilio_account_sid)?;
        let api_secret =
            secret("TWILIO_API_SECRET", self.twilio_api_secret, self.twilio_api_secret_file)?;
        let (user, secrets) = match (given(self.twilio_api_key), api_secret) {
            (Some(key), Some(secret)) => (key, vec![secret]),
            (Some(_), None) => {
                return Err(SettingError::missing(
                    "TWILIO_API_SECRET",
                    "the secret of TWILIO_API_KEY",
                ));
            }
            (None, Some(_)) => {
                return Err(SettingError::missing(
                    "TWILIO_API_KEY",
                    "the key of TWILIO_API_SECRET",
                ));
            }
            (None, None) if tokens.is_empty() => {
                let expected =
                    "the auth token of the account, or TWILIO_API_KEY and TWILIO_API_SECRET";
                return Err(SettingError::missing("TWILIO_AUTH_TOKEN", expected));
            }
            (None, None) => (account_sids[0].clone(), tokens.clone()),
        };
        let insights = Setting::new("CALLSINK_INSIGHTS_API", self.insights_api)
            .base_url("https://insights.twilio.com")?;
        let events = Setting::new("CALLSINK_EVENTS_API", self.events_api)
            .base_url("https://events.twilio.com")?;
        let monitor = Setting::new("CALLSINK_MONITOR_API", self.monitor_api)
            .base_url("https://monitor.twilio.com")?;
        Ok(Api { account_sids, user, secrets, tokens, insights, events, monitor })
    }
}

impl Api {
    /// For what is asked of each subaccount as itself, which an API key of the account above can't do.
    ///
    /// # Errors
    /// There are subaccounts and no auth token.
    pub fn needs_tokens_of_subaccounts(&self) -> Result<(), SettingError> {
        if self.account_sids.len() > 1 && self.tokens.is_empty() {
            const EXPECTED: &str = "the auth tokens of the subaccounts as well: TWILIO_API_KEY is of the first account only";
            return Err(SettingError::missing("TWILIO_AUTH_TOKEN", EXPECTED));
        }
        Ok(())
    }
}

fn account_sids(text: Option<String>) -> Result<Vec<String>, SettingError> {
    const NAME: &str = "TWILIO_ACCOUNT_SID";
    const EXPECTED: &str = "account SIDs (AC and 32 hex digits), comma-separated";
    let text = given(text).ok_or_else(|| SettingError::missing(NAME, EXPECTED))?;
    let sids: Vec<String> =
        text.split(',').map(str::trim).filter(|sid| !sid.is_empty()).map(str::to_owned).collect();
    let is_sid = |sid: &String| {
        sid.len() == 34
            && sid.starts_with("AC")
            && sid[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if sids.is_empty() || !sids.iter().all(is_sid) {
        return Err(SettingError::wrong(NAME, &text, EXPECTED));
    }
    Ok(sids)
}
