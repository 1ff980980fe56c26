//! The PostgreSQL that callsink brings along when `DATABASE_URL` is unset.
//!
//! In: a data directory and PostgreSQL's own programs (15 or newer), found on this machine. Out: the URL of
//! a running server with an empty database `callsink`, the same rows at every start.
//!
//! Promises:
//! - the server listens on 127.0.0.1 only, and every connection needs the password;
//! - with [`Durability::Full`] nothing that PostgreSQL calls committed is lost, as `fsync` stays on;
//! - it stops when callsink stops, also when callsink is killed, and is started again when it dies alone;
//! - half-made clusters are made again, finished ones are never deleted;
//! - as root it runs as another user, since PostgreSQL refuses root.
//!
//! In the data directory it keeps `postgres` (the cluster, or a link to it), `postgres.password`,
//! `postgres.port`, `postgres.log` and `postgres.lock`.
//!
//! Rooms, in order of use: `place` (where), `user` (as whom), `binaries` (with what), `cluster` (made once),
//! `server` (started each time), `keeper` (kept running).
//!
//! Must not know: Twilio, the schema, how rows are written.

mod binaries;
mod cluster;
mod error;
mod files;
mod keeper;
mod place;
mod port;
mod server;
mod user;

#[cfg(test)]
mod tests;

pub use error::PrivatePostgresError;

use binaries::Binaries;
use keeper::Keeper;
use secrecy::SecretString;
use server::Spec;
use std::path::Path;
use user::RunAs;

/// What a power loss may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was committed: `fsync`, `full_page_writes` and `synchronous_commit` are on. What the
    /// service uses.
    Full,
    /// The whole cluster. A kill of PostgreSQL or callsink alone still loses nothing. Only for throw-away
    /// clusters of tests, which it makes faster.
    TestsOnly,
}

/// A running private server. Dropping it stops the server without waiting; [`PrivatePostgres::stop`] waits.
#[derive(Debug)]
pub struct PrivatePostgres {
    url: SecretString,
    keeper: Keeper,
}

impl PrivatePostgres {
    /// Makes the cluster if there is none yet, starts it, and returns when it accepts connections.
    ///
    /// Blocks: a first start takes a few seconds, recovery after a crash up to a minute.
    ///
    /// # Errors
    /// See [`PrivatePostgresError`]; each says what to do.
    pub fn start(data_dir: &Path, durability: Durability) -> Result<Self, PrivatePostgresError> {
        let data_dir = files::make_data_dir(data_dir)?;
        // Two starters must not make the cluster side by side; the second waits here for the first.
        let lock = files::lock(&data_dir.join("postgres.lock"))?;
        let place = place::find(&data_dir)?;
        let binaries = Binaries::find(cluster::major(&place)?)?;
        let run_as = RunAs::choose(&place)?;
        let password = cluster::make_or_open(&place, &binaries, &run_as, durability)?;
        let spec = Spec { place, binaries, run_as, durability };
        let (server, port) = server::start_on_some_port(&spec)?;
        port::remember(&data_dir, port)?;
        drop(lock);
        let url = format!("postgres://callsink:{password}@127.0.0.1:{port}/callsink");
        tracing::info!(port, directory = %spec.place.cluster.display(), "the private PostgreSQL is up");
        Ok(Self { url: SecretString::from(url), keeper: Keeper::spawn(spec, port, server) })
    }

    /// `postgres://callsink:PASSWORD@127.0.0.1:PORT/callsink`; the same as long as the server lives.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Ends all connections and stops the server; returns when it's down, so that the data directory may be
    /// moved or used again.
    ///
    /// # Errors
    /// When it takes longer than half a minute. It will still stop when its checkpoint is through.
    pub fn stop(self) -> Result<(), PrivatePostgresError> {
        self.keeper.stop()
    }
}
