//! `callsink doctor`: what works, what does not, and what to do about it.
//!
//! In: the settings of `serve` and of the commands. Out: a line per check, or JSON; exit code 1 if one failed.
//! Promises: a part that is missing or broken is a line and never the end; nothing is changed, but for a signed
//! empty delivery through the public URL, which stores nothing; no secret, number or text of a call is printed.

mod certificate;
mod database;
mod front;
mod journal;
mod twilio;

use crate::config::{ApiArgs, DatabaseArgs, PublicUrlArgs, TokenArgs, auth_tokens, data_dir};
use serde::Serialize;
use std::process::ExitCode;

/// Options of `callsink doctor`.
#[derive(clap::Args, Debug)]
pub struct DoctorArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub api: ApiArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tokens: TokenArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub public_url: PublicUrlArgs,
    /// Directory of the journal [default: ./data]
    #[arg(long, env = "CALLSINK_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<String>,
    /// One JSON array of objects instead of lines
    #[arg(long)]
    pub json: bool,
}

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warn,
    Fail,
    Skipped,
}

/// One line.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Check {
    check: String,
    state: State,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_do: Option<String>,
}

impl Check {
    fn new(check: &str, state: State, found: impl Into<String>) -> Self {
        Self { check: check.to_owned(), state, found: found.into(), to_do: None }
    }

    fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Ok, found)
    }

    fn warn(check: &str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { to_do: Some(to_do.into()), ..Self::new(check, State::Warn, found) }
    }

    fn fail(check: &str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { to_do: Some(to_do.into()), ..Self::new(check, State::Fail, found) }
    }

    fn skipped(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, State::Skipped, found)
    }

    fn line(&self) -> String {
        let word = match self.state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "FAIL",
            State::Skipped => "skip",
        };
        let to_do =
            self.to_do.as_ref().map_or(String::new(), |to_do| format!("\n        -> {to_do}"));
        format!("{word}  {}: {}{to_do}", self.check, self.found)
    }
}

/// Looks at everything; exit code 0 when nothing failed.
///
/// # Errors
/// None in fact: whatever is wrong is a line.
pub async fn run(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut checks = Vec::new();
    let tokens = auth_tokens(args.tokens);
    let public_url = args.public_url.required();
    match &public_url {
        Ok(url) => checks.push(Check::ok("setting CALLSINK_PUBLIC_URL", url.to_string())),
        Err(error) => {
            checks.push(Check::fail("setting CALLSINK_PUBLIC_URL", error.to_string(), "set it"));
        }
    }
    match &tokens {
        Ok(tokens) if tokens.is_empty() => checks.push(Check::fail(
            "setting TWILIO_AUTH_TOKEN",
            "not set",
            "set it to the auth token of the account that owns the sink: it verifies signatures",
        )),
        Ok(tokens) => {
            checks
                .push(Check::ok("setting TWILIO_AUTH_TOKEN", format!("{} of them", tokens.len())));
        }
        Err(error) => {
            checks.push(Check::fail("setting TWILIO_AUTH_TOKEN", error.to_string(), "correct it"));
        }
    }
    let tokens = tokens.unwrap_or_default();
    checks.extend(database::checks(args.database).await);
    checks.extend(journal::checks(&data_dir(args.data_dir)));
    let public_url = public_url.ok();
    checks.extend(front::checks(public_url.as_ref(), tokens.first()).await);
    checks.extend(twilio::checks(args.api.with_secrets(tokens), public_url.as_ref()).await);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        checks.iter().for_each(|check| println!("{}", check.line()));
    }
    let failed = checks.iter().any(|check| check.state == State::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
