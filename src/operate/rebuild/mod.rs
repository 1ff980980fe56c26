//! `callsink rebuild`: rows once more, by what this version makes of what was kept.
//!
//! In: rows' own payloads, or archived events. Out: rows as they would be had this version received it all.
//! Promises: runs beside the service and never overwrites anything newer; what is equal is not written; stopped
//! at any point and run again it goes on where it was; memory is bounded by a page.

mod from_archive;
mod from_payload;

use super::progress::Progress;
use crate::config::{self, DatabaseArgs};
use crate::store::{RebuildState, Session, StoreError, migrate};
use anyhow::Context as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Options of `callsink rebuild`.
#[derive(clap::Args, Debug)]
pub struct RebuildArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    /// Store all archived events again, which also brings back rows that are gone
    #[arg(long)]
    pub from_archive: bool,
    /// Start from the beginning, even if a rebuild was cut off
    #[arg(long)]
    pub restart: bool,
    /// Rows, or archived events, per second at most
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
}

/// What a rebuild came to.
#[derive(Debug, Default)]
struct Outcome {
    state: RebuildState,
    /// Rows or events that can't be read; they are left as they are.
    unreadable: u64,
    /// What should have been stored and is not.
    failed: u64,
}

/// Rebuilds; exit code 0 when it came to the end and everything could be read.
///
/// # Errors
/// A wrong setting, or the database is away. What was done is done, and noted.
pub async fn run(args: RebuildArgs) -> anyhow::Result<ExitCode> {
    let database = config::required_database(args.database)?;
    let place = database.place();
    migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    let mut job = Job {
        session: Session::new(&database),
        source: if args.from_archive { "archive" } else { "payload" },
        pace: Pace::new(args.rate),
    };
    let start = job.start(args.restart).await?;
    let done = match args.from_archive {
        true => from_archive::run(&mut job, start).await,
        false => from_payload::run(&mut job, start).await,
    };
    let outcome = done.with_context(|| {
        format!("database {place}; run the command again, it goes on where it was")
    })?;
    let (looked_at, changed, unreadable) =
        (outcome.state.looked_at, outcome.state.changed, outcome.unreadable);
    match args.from_archive {
        true => println!(
            "read {looked_at} archived events: unreadable {unreadable}, refused {}",
            outcome.failed
        ),
        false => println!("looked at {looked_at} rows, changed {changed}, unreadable {unreadable}"),
    }
    Ok(if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What both sources need.
struct Job {
    session: Session,
    source: &'static str,
    pace: Pace,
}

impl Job {
    async fn start(&mut self, restart: bool) -> Result<RebuildState, StoreError> {
        if restart {
            return Ok(RebuildState::default());
        }
        let version = migrate::binary_version();
        let unfinished = self.session.unfinished_rebuild(self.source, version).await?;
        if let Some(state) = &unfinished {
            eprintln!("callsink: going on after {} that are done", state.looked_at);
        }
        Ok(unfinished.unwrap_or_default())
    }

    async fn save(&mut self, state: &RebuildState, is_finished: bool) -> Result<(), StoreError> {
        let version = migrate::binary_version();
        self.session.save_rebuild(self.source, version, state, is_finished).await
    }
}

/// Keeps to a rate.
struct Pace {
    rate: Option<u32>,
    started: Instant,
    count: u64,
}

impl Pace {
    fn new(rate: Option<u32>) -> Self {
        Self { rate, started: Instant::now(), count: 0 }
    }

    async fn did(&mut self, count: u64) {
        self.count += count;
        let Some(rate) = self.rate else { return };
        let due = Duration::from_secs_f64(
            f64::from(u32::try_from(self.count).unwrap_or(u32::MAX)) / f64::from(rate),
        );
        tokio::time::sleep(due.saturating_sub(self.started.elapsed())).await;
    }
}
