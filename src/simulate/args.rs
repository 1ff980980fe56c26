//! What `simulate` can be told, and what follows from it.
//!
//! In: flags and environment. Out: a plan, limits, an endpoint, or what is wrong.
//! Promises: an empty variable counts as unset; secrets never print.

use super::dispatch::Limits;
use super::endpoint::Endpoint;
use super::rounds::Plan;
use super::schedule::Order;
use super::script::DataForm;
use crate::verify::public_url::PublicUrl;
use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use std::io::IsTerminal as _;
use std::time::Duration;

/// Options of `callsink simulate`.
#[derive(clap::Args, Debug)]
pub struct SimulateArgs {
    /// Where to POST [default: the URL of --public-url]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// The URL that is signed: the sink's destination, to the letter; may differ from --url in scheme,
    /// host and port [default: the URL of --url]
    #[arg(long, env = "CALLSINK_PUBLIC_URL", value_name = "URL", hide_env_values = true)]
    pub public_url: Option<String>,

    /// Signing secret; of several, separated by commas, the first. Others on this machine can see a
    /// flag: prefer the variable or the file
    #[arg(long, env = "TWILIO_AUTH_TOKEN", value_name = "SECRET", hide_env_values = true)]
    pub token: Option<SecretString>,

    /// File that holds the signing secret
    #[arg(long, env = "TWILIO_AUTH_TOKEN_FILE", value_name = "FILE")]
    pub token_file: Option<String>,

    /// Calls to make up; each has one to five events
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub calls: u32,

    /// The same seed makes the same calls; with the same --start-time, --calls and --spread the same bytes
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub seed: u64,

    /// New events per second, whatever the answers; 0: as fast as answers come
    #[arg(long, default_value = "0", value_parser = rate, value_name = "NUMBER")]
    pub rate: f64,

    /// Requests under way at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "NUMBER")]
    pub concurrency: u16,

    /// Events per request
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1000), value_name = "NUMBER")]
    pub batch: u16,

    /// Send bare events instead of arrays of one (with --batch 1)
    #[arg(long)]
    pub bare: bool,

    /// How `data` is written in the envelope
    #[arg(long, value_enum, default_value = "mixed", value_name = "FORM")]
    pub data: DataForm,

    /// Share of events that are sent a second time, 0 to 1, later and in another request
    #[arg(long, default_value = "0", value_parser = fraction, value_name = "SHARE")]
    pub duplicates: f64,

    /// Send all events in random order instead of the order in which Twilio would emit them
    #[arg(long)]
    pub shuffle: bool,

    /// Seconds for which an event is retried; the default is Twilio's four hours
    #[arg(long, default_value = "14400", value_parser = seconds, value_name = "SECONDS")]
    pub give_up_after: Duration,

    /// Longest wait before a retry, seconds
    #[arg(long, default_value = "60", value_parser = seconds, value_name = "SECONDS")]
    pub max_backoff: Duration,

    /// After sending, check that every acknowledged call is in its right final row of this database
    /// [without a value: DATABASE_URL]
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "DATABASE_URL")]
    pub verify: Option<SecretString>,

    /// What `--verify` without a value means.
    #[arg(long = "verify-database-url", env = "DATABASE_URL", hide = true, hide_env_values = true)]
    pub database_url: Option<SecretString>,

    /// The same, in a file.
    #[arg(long = "verify-database-url-file", env = "DATABASE_URL_FILE", hide = true)]
    pub database_url_file: Option<String>,

    /// Seconds within which the rows have to be right after the last answer
    #[arg(long, default_value = "120", value_parser = seconds, value_name = "SECONDS")]
    pub verify_timeout: Duration,

    /// Go on making --calls new calls, with the next seed each time, until Ctrl-C; give it a --rate
    #[arg(long)]
    pub forever: bool,

    /// When the first call was made, RFC 3339 [default: --spread hours ago]
    #[arg(long, value_parser = time, value_name = "TIME")]
    pub start_time: Option<DateTime<Utc>>,

    /// Hours over which calls are spread; the last one ends some 40 minutes before their end
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u16).range(1..=720), value_name = "HOURS")]
    pub spread: u16,
}

/// What `simulate` has to do.
pub(super) struct Job {
    pub(super) endpoint: Endpoint,
    /// For people: without user and password.
    pub(super) shown_url: String,
    pub(super) plan: Plan,
    pub(super) limits: Limits,
    pub(super) bare: bool,
    /// The database to check, and how long.
    pub(super) verify: Option<(SecretString, Duration)>,
}

impl Job {
    pub(super) fn new(args: SimulateArgs) -> anyhow::Result<Self> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (url, signed_url) = match (given(args.url), given(args.public_url)) {
            (Some(url), Some(signed_url)) => (url, signed_url),
            (Some(url), None) | (None, Some(url)) => (url.clone(), url),
            (None, None) => bail!("--url is missing: where should calls be sent?"),
        };
        let shown_url = PublicUrl::parse(&url).context("--url is not usable")?.to_string();
        PublicUrl::parse(&signed_url)
            .context("--public-url (CALLSINK_PUBLIC_URL) is not usable")?;
        let token = secret(args.token, args.token_file)
            .context("the file of --token-file (TWILIO_AUTH_TOKEN_FILE) cannot be read")?;
        let token = token
            .as_ref()
            .and_then(|tokens| {
                tokens.expose_secret().split(',').map(str::trim).find(|t| !t.is_empty())
            })
            .map(SecretString::from)
            .context("TWILIO_AUTH_TOKEN (or --token-file) is missing: deliveries are signed")?;
        ensure!(
            !(args.bare && args.batch > 1),
            "--bare sends one event per request: not with --batch"
        );
        let concurrency = usize::from(args.concurrency);
        let endpoint = Endpoint::new(&url, &signed_url, token, concurrency)?;

        let verify = match args.verify {
            None => None,
            Some(url) if !url.expose_secret().is_empty() => Some(url),
            Some(_) => Some(
                secret(args.database_url, args.database_url_file)
                    .context("the file of DATABASE_URL_FILE cannot be read")?
                    .context("--verify has no value, and DATABASE_URL is not set")?,
            ),
        };
        let spread = TimeDelta::hours(args.spread.into());
        // Fixed now unless later rounds should follow the clock, so that a run can be repeated.
        let now = (!args.forever).then(|| Utc::now() - spread);
        Ok(Self {
            endpoint,
            shown_url,
            plan: Plan {
                seed: args.seed,
                calls: args.calls,
                start: args.start_time.or(now),
                spread,
                data: args.data,
                order: Order {
                    shuffle: args.shuffle,
                    duplicates: args.duplicates,
                    batch: usize::from(args.batch),
                },
                forever: args.forever,
            },
            limits: Limits {
                concurrency,
                rate: args.rate,
                give_up_after: args.give_up_after,
                max_backoff: args.max_backoff,
                progress: Duration::from_secs(if std::io::stderr().is_terminal() { 2 } else { 10 }),
            },
            bare: args.bare,
            verify: verify.map(|url| (url, args.verify_timeout)),
        })
    }
}

/// A secret from where it was given, the value before the file.
fn secret(
    value: Option<SecretString>,
    file: Option<String>,
) -> std::io::Result<Option<SecretString>> {
    if let Some(value) = value.filter(|value| !value.expose_secret().trim().is_empty()) {
        return Ok(Some(value));
    }
    let Some(path) = file.filter(|path| !path.is_empty()) else { return Ok(None) };
    let text = std::fs::read_to_string(path)?;
    Ok(Some(SecretString::from(text.trim())).filter(|secret| !secret.expose_secret().is_empty()))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=1e6).contains(&rate) { Ok(rate) } else { Err("expected 0 to 1000000".to_owned()) }
}

fn fraction(text: &str) -> Result<f64, String> {
    let fraction: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=1.0).contains(&fraction) { Ok(fraction) } else { Err("expected 0 to 1".to_owned()) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected seconds".to_owned())?;
    if (0.0..=1e7).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("expected 0 to 10000000 seconds".to_owned())
    }
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(Into::into).map_err(|_| "expected a time such as 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: SimulateArgs,
    }

    /// `--token` and the URLs are always given, so that the environment of the test doesn't matter.
    fn job(more: &[&str]) -> anyhow::Result<Job> {
        let url = "http://127.0.0.1:9/hook";
        let usual = ["simulate", "--url", url, "--public-url", url, "--token", "first, second"];
        let command = Command::try_parse_from(usual.iter().chain(more))?;
        Job::new(command.args)
    }

    #[test]
    fn a_run_without_a_start_time_ends_now() {
        let job = job(&["--spread", "2"]).expect("a job");
        let start = job.plan.start.expect("fixed");
        assert!((Utc::now() - start - TimeDelta::hours(2)).num_minutes().abs() < 1);
        assert!(job_forever_start().is_none());
    }

    fn job_forever_start() -> Option<DateTime<Utc>> {
        job(&["--forever"]).expect("a job").plan.start
    }

    #[test]
    fn bare_events_do_not_come_in_batches() {
        assert!(job(&["--bare"]).is_ok());
        assert!(job(&["--bare", "--batch", "2"]).is_err());
    }

    #[test]
    fn numbers_have_limits() {
        for wrong in [["--duplicates", "1.1"], ["--concurrency", "0"], ["--rate", "-1"]] {
            assert!(job(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let verify = "postgres://user:s3cret@127.0.0.1/db";
        let arguments = ["simulate", "--token", "t0ken", "--verify", verify];
        let shown = format!("{:?}", Command::try_parse_from(arguments).expect("valid").args);
        assert!(!shown.contains("t0ken") && !shown.contains("s3cret"), "{shown}");
    }
}
