//! Why there is no private PostgreSQL: a sentence per case that says what to do next.

use std::path::PathBuf;

/// Why the private PostgreSQL could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// No usable programs on this machine.
    #[error(
        "no PostgreSQL 15 or newer was found ({seen}): install PostgreSQL 15 or newer (Debian: apt-get \
         install postgresql), name the directory of its programs in CALLSINK_POSTGRES_BIN, or set \
         DATABASE_URL to use a server of yours"
    )]
    NoBinaries {
        /// What was looked at and why it didn't do.
        seen: String,
    },
    /// Only other versions than the one that made the cluster are installed.
    #[error(
        "{cluster} was made by PostgreSQL {major}, which was not found ({seen}): install PostgreSQL {major}, \
         or move the cluster to the newer one with pg_upgrade"
    )]
    OtherMajor {
        /// The cluster.
        cluster: PathBuf,
        /// The major version that made it.
        major: u32,
        /// What was found instead.
        seen: String,
    },
    /// Running as root without a user to hand PostgreSQL to.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither a user postgres nor nobody: run \
         callsink as another user, or set DATABASE_URL"
    )]
    NoUser,
    /// The place of the cluster is taken by something else.
    #[error("{path} is no PostgreSQL cluster and is not empty: move it away, or set DATABASE_URL")]
    NotACluster {
        /// The cluster's place.
        path: PathBuf,
    },
    /// The cluster was elsewhere and is gone.
    #[error(
        "{link} points to {target}, which is not there: bring it back, or remove the link to begin with an \
         empty database"
    )]
    Dangling {
        /// In the data directory.
        link: PathBuf,
        /// Where the cluster was.
        target: PathBuf,
    },
    /// A file could not be read, written, made or owned.
    #[error("could not {what} {path}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// One of PostgreSQL's programs could not make or change the cluster.
    #[error("{program} failed ({status}): {output}")]
    Program {
        /// `initdb` or `postgres --single`.
        program: &'static str,
        /// How it ended.
        status: String,
        /// The end of what it said.
        output: String,
    },
    /// Another server works on the same cluster.
    #[error(
        "another PostgreSQL still runs on {cluster} after {seconds} s: stop the other callsink on this data \
         directory, or choose another CALLSINK_DATA_DIR"
    )]
    InUse {
        /// The cluster.
        cluster: PathBuf,
        /// How long we waited for it to go away.
        seconds: u64,
    },
    /// The server ended before it was ready.
    #[error("PostgreSQL ended at its start; the end of {log} says: {tail}")]
    Ended {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server runs and doesn't get ready.
    #[error(
        "PostgreSQL was not ready after {seconds} s, perhaps it recovers from a crash: try again; the end \
         of {log} says: {tail}"
    )]
    NotReady {
        /// The server's log.
        log: PathBuf,
        /// How long we waited.
        seconds: u64,
        /// Its last lines.
        tail: String,
    },
    /// The server doesn't stop.
    #[error("PostgreSQL is still stopping after {seconds} s; {log} says why")]
    StillRunning {
        /// The server's log.
        log: PathBuf,
        /// How long we waited.
        seconds: u64,
    },
}
