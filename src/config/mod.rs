//! Settings: what may be set, what it may hold, and a clear word when it holds something else.
//!
//! In: flags and environment, as texts. Out: typed settings within limits.
//! Promises: an error is one line that names the variable, what it holds (not if it is secret) and what
//! is expected; an empty variable counts as unset, as compose files pass `${NAME:-}`; secrets never
//! print. Only this room reads the environment.

mod args;
mod growth;
mod read;
mod reconcile;
mod twilio;

pub use args::{AdminArgs, DatabaseArgs, LogArgs, ServeArgs};
pub use growth::{Keep, KeepArgs};
pub use read::SettingError;
pub use reconcile::{Reconcile, ReconcileArgs};
pub use twilio::{Api, ApiArgs, PublicUrlArgs, TokenArgs, auth_tokens};

use crate::store::Database;
use crate::verify::public_url::PublicUrl;
use read::{Setting, secret};
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Everything that `serve` needs.
#[derive(Debug)]
pub struct ServeSettings {
    /// Where the rows go; `None`: a private PostgreSQL in the data directory.
    pub database: Option<Database>,
    /// The sink and its secrets; `None` until both are set.
    pub sink: Result<Sink, Unconfigured>,
    /// The webhook listener.
    pub listen: SocketAddr,
    /// `/livez`, `/readyz`, `/metrics`.
    pub admin_listen: SocketAddr,
    /// The journal, and the private PostgreSQL.
    pub data_dir: PathBuf,
    /// Threads that receive.
    pub http_workers: usize,
    /// Connections at once; more wait in the kernel.
    pub max_connections: usize,
    /// For the head of a request.
    pub head_timeout: Duration,
    /// For the body of a request.
    pub body_timeout: Duration,
    /// For a connection that is idle.
    pub keep_alive: Duration,
    /// Workers that store, each with one connection to PostgreSQL.
    pub workers: usize,
    /// Events between the journal and the workers.
    pub queue_events: usize,
    /// Events in one statement at most.
    pub batch_events: usize,
    /// Between refreshes of the key figures.
    pub rollup_every: Duration,
    /// Then deliveries are answered 503.
    pub journal_max_bytes: u64,
    /// Then a delivery is answered 413.
    pub max_body_bytes: usize,
    /// Answer to deliveries that are not Twilio's.
    pub reject_status: u16,
    /// Comparing with what Twilio lists; `None`: off.
    pub reconcile: Option<Reconcile>,
    /// What is kept, and for how long.
    pub keep: Keep,
}

/// What it takes to tell Twilio's deliveries from others.
#[derive(Debug)]
pub struct Sink {
    /// The sink's destination.
    pub public_url: PublicUrl,
    /// Any of these may have signed.
    pub secrets: Vec<SecretString>,
}

/// What is missing for a [`Sink`], by the names of the variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfigured(pub Vec<&'static str>);

impl ServeSettings {
    /// Checks all settings of `serve`.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn resolve(args: ServeArgs) -> Result<Self, SettingError> {
        let token =
            secret("TWILIO_AUTH_TOKEN", args.twilio_auth_token, args.twilio_auth_token_file)?;
        let secrets = token.map(|token| split_secrets(&token)).transpose()?.unwrap_or_default();
        let reconcile = args.reconcile.resolve(args.api, &secrets)?;
        let public_url = Setting::new("CALLSINK_PUBLIC_URL", args.public_url).public_url()?;
        let sink = match (public_url, secrets.is_empty()) {
            (Some(public_url), false) => Ok(Sink { public_url, secrets }),
            (public_url, no_secrets) => {
                let missing = [
                    no_secrets.then_some("TWILIO_AUTH_TOKEN"),
                    public_url.is_none().then_some("CALLSINK_PUBLIC_URL"),
                ];
                Err(Unconfigured(missing.into_iter().flatten().collect()))
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            database: resolve_database(args.database)?,
            sink,
            listen: Setting::new("CALLSINK_LISTEN", args.listen).address("0.0.0.0:8080")?,
            admin_listen: resolve_admin(args.admin)?,
            data_dir: Setting::new("CALLSINK_DATA_DIR", args.data_dir).path("./data"),
            // One thread verifies and journals more than PostgreSQL takes in on two cores.
            http_workers: Setting::new("CALLSINK_HTTP_WORKERS", args.http_workers)
                .number(cores.div_ceil(4), 1..=64)?,
            max_connections: Setting::new("CALLSINK_MAX_CONNECTIONS", args.max_connections)
                .number(connections(open_files()), 1..=100_000)?,
            // Twilio sends a head at once and gives up after five seconds in all; a stranger may dawdle, and
            // takes one of the connections.
            head_timeout: Setting::new("CALLSINK_HEAD_TIMEOUT", args.head_timeout)
                .span(SECOND * 5, SECOND..=SECOND * 60)?,
            // Longer than Twilio waits, as a proxy may have taken the body from Twilio in time.
            body_timeout: Setting::new("CALLSINK_BODY_TIMEOUT", args.body_timeout)
                .span(SECOND * 10, SECOND..=SECOND * 300)?,
            // Longer than nginx keeps idle connections (60 s), so that it is the proxy who closes them: one
            // that is closed under a request costs that delivery a retry.
            keep_alive: Setting::new("CALLSINK_KEEP_ALIVE", args.keep_alive)
                .span(SECOND * 75, SECOND..=SECOND * 3600)?,
            workers: Setting::new("CALLSINK_WORKERS", args.workers).number(2, 1..=64)?,
            queue_events: Setting::new("CALLSINK_QUEUE_EVENTS", args.queue_events)
                .number(1000, 1..=1_000_000)?,
            batch_events: Setting::new("CALLSINK_BATCH_EVENTS", args.batch_events)
                .number(500, 1..=5000)?,
            // A dashboard is looked at every minute or so; an hour of calls is then computed as often.
            rollup_every: Duration::from_secs(
                Setting::new("CALLSINK_ROLLUP_SECONDS", args.rollup_seconds)
                    .number(60, 1..=86_400)?,
            ),
            journal_max_bytes: Setting::new("CALLSINK_JOURNAL_MAX_BYTES", args.journal_max_bytes)
                .bytes(8 << 30, 1 << 20..=1 << 50)?,
            max_body_bytes: usize::try_from(
                Setting::new("CALLSINK_MAX_BODY_BYTES", args.max_body_bytes)
                    .bytes(4 << 20, 1 << 10..=1 << 30)?,
            )
            .unwrap_or(usize::MAX),
            reject_status: Setting::new("CALLSINK_REJECT_STATUS", args.reject_status)
                .number(403, 400..=599)?,
            reconcile,
            keep: Keep::resolve(args.keep)?,
        })
    }
}

/// The database of commands that can't do without one.
///
/// # Errors
/// When it is not set, or not a URL of PostgreSQL.
pub fn required_database(args: DatabaseArgs) -> Result<Database, SettingError> {
    resolve_database(args)?.ok_or_else(|| {
        SettingError::missing(
            "DATABASE_URL",
            "a URL such as postgres://user:password@host:5432/name",
        )
    })
}

/// The database of commands that can do without one.
///
/// # Errors
/// When it is not a URL of PostgreSQL.
pub fn optional_database(args: DatabaseArgs) -> Result<Option<Database>, SettingError> {
    resolve_database(args)
}

/// Where the journal is.
#[must_use]
pub fn data_dir(text: Option<String>) -> PathBuf {
    Setting::new("CALLSINK_DATA_DIR", text).path("./data")
}

/// Where the admin listener is.
///
/// # Errors
/// When it is not an address and port.
pub fn resolve_admin(args: AdminArgs) -> Result<SocketAddr, SettingError> {
    Setting::new("CALLSINK_ADMIN_LISTEN", args.admin_listen).address("127.0.0.1:9090")
}

fn resolve_database(args: DatabaseArgs) -> Result<Option<Database>, SettingError> {
    let url = secret("DATABASE_URL", args.database_url, args.database_url_file)?;
    url.map(|url| {
        Database::parse(&url).map_err(|reason| SettingError::wrong_secret("DATABASE_URL", &reason))
    })
    .transpose()
}

/// Secrets are separated by commas, for rotation and subaccounts.
fn split_secrets(text: &SecretString) -> Result<Vec<SecretString>, SettingError> {
    use secrecy::ExposeSecret;
    let parts = text.expose_secret().split(',').map(str::trim).filter(|part| !part.is_empty());
    let secrets: Vec<SecretString> = parts.map(SecretString::from).collect();
    if secrets.iter().any(|secret| secret.expose_secret().chars().any(char::is_whitespace)) {
        return Err(SettingError::wrong_secret(
            "TWILIO_AUTH_TOKEN",
            "it has a space within a token; separate several tokens by commas",
        ));
    }
    Ok(secrets)
}

/// Variables of the environment that look like ours and that no part of `command` reads: a misspelled name
/// would be ignored.
#[must_use]
pub fn unknown_variables(command: clap::Command) -> Vec<String> {
    let known = args::variable_names(command);
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("CALLSINK_") && !known.contains(name))
        .collect()
}

/// Two descriptors a connection, and some for everything else: without any left, no database is reached.
fn connections(open_files: Option<usize>) -> usize {
    open_files.map_or(1024, |files| (files.saturating_sub(200) / 2).clamp(16, 1024))
}

/// How many files this process may have open; unknown where the system does not tell, or sets no limit.
fn open_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests;
