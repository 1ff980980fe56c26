//! One worker's connection, made when it is needed and thrown away when it is in doubt.
//!
//! In: a database URL. Out: a live connection. Promises: connecting and every statement have a limit;
//! a connection on which something failed is not used again.
//! Why no pool: each worker holds one connection for its life and keeps its prepared statements.

use super::error::{StoreError, Trouble};
use secrecy::{ExposeSecret, SecretString};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use std::str::FromStr;
use std::time::Duration;

/// Time to connect, TLS and authentication included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// PostgreSQL ends a statement after this; a lock on the table must not hold a worker for ever.
const STATEMENT_TIMEOUT_MS: u64 = 30_000;

/// We stop waiting after this, a little later, in case nobody is at the other end any more.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(STATEMENT_TIMEOUT_MS + 5_000);

/// Where the rows go.
#[derive(Debug, Clone)]
pub struct Database {
    options: PgConnectOptions,
}

impl Database {
    /// Reads a URL such as `postgres://user:password@host:5432/name?sslmode=verify-full`.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it: it holds a password.
    pub fn parse(url: &SecretString) -> Result<Self, String> {
        let url = url.expose_secret();
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err("it does not start with postgres:// or postgresql://".to_owned());
        }
        let options = PgConnectOptions::from_str(url).map_err(|error| match error {
            sqlx::Error::Configuration(reason) => reason.to_string(),
            _ => "it is not a PostgreSQL connection URL".to_owned(),
        })?;
        Ok(Self { options: options.application_name("callsink").disable_statement_logging() })
    }

    /// For a person: where, without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        let database = self.options.get_database().unwrap_or("(default)");
        format!("{}:{}/{database}", self.options.get_host(), self.options.get_port())
    }

    /// A connection without the limits of a worker's, for migrations.
    pub(super) async fn connect_unlimited(&self) -> Result<PgConnection, StoreError> {
        connect(&self.options).await
    }
}

/// A worker's connection.
#[derive(Debug)]
pub struct Session {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Session {
    /// Connects at first use.
    #[must_use]
    pub fn new(database: &Database) -> Self {
        let statement_timeout = STATEMENT_TIMEOUT_MS.to_string();
        let options = database.options.clone().options([
            // Compiling a plan for 500 rows costs more than running it.
            ("jit", "off"),
            // What we are told is committed the journal forgets, so it must be on the disk.
            ("synchronous_commit", "on"),
            ("statement_timeout", statement_timeout.as_str()),
        ]);
        Self { options, connection: None }
    }

    /// The connection, made if there is none. It is taken out: whoever drops it half-way, by a time limit or
    /// because nobody waits any more, leaves none behind that is in doubt.
    pub(super) async fn take(&mut self) -> Result<PgConnection, StoreError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => connect(&self.options).await,
        }
    }

    /// Puts the connection back if it can be used again: a refusal of content leaves it as it was, anything
    /// else leaves it in doubt. It is not closed politely then: nobody may be there to answer.
    pub(super) fn give_back<T>(
        &mut self,
        connection: PgConnection,
        answer: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if answer.as_ref().err().is_none_or(|error| error.trouble == Trouble::Content) {
            self.connection = Some(connection);
        }
        answer
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(connected) => connected.map_err(StoreError::from),
        Err(_) => Err(StoreError::timed_out("connecting")),
    }
}

/// One statement, or a few that belong together, within the limit.
pub(super) async fn within<T, E: Into<StoreError>>(
    what: &str,
    statements: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    within_limit(ANSWER_TIMEOUT, what, statements).await
}

/// The same, for what may take longer.
pub(super) async fn within_limit<T, E: Into<StoreError>>(
    limit: Duration,
    what: &str,
    statements: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, statements).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(StoreError::timed_out(what)),
    }
}
