//! The command line: which jobs there are, and what each reads.
//!
//! Promises: every setting is a flag and an environment variable; help says the default.

use crate::config::{AdminArgs, DatabaseArgs, LogArgs, ServeArgs};
use crate::simulate::SimulateArgs;
use clap::{Parser, Subcommand};

/// Receives Twilio Event Streams webhooks and keeps one converging row per call in PostgreSQL.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How the log looks.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The jobs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Receive deliveries, keep them, and bring them into PostgreSQL
    Serve(Box<ServeArgs>),
    /// Bring the schema of DATABASE_URL up, and exit
    Migrate(DatabaseArgs),
    /// Ask a running service whether it is ready; exit 0 if so (for containers)
    Healthcheck(AdminArgs),
    /// Act as Twilio: send signed, batched, duplicated, reordered summaries of made-up calls
    Simulate(Box<SimulateArgs>),
}
