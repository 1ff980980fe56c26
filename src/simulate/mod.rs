//! `callsink simulate`: acts as Twilio against any URL.
//!
//! In: where to send, how many calls, how badly. Out: signed deliveries of summaries of made-up calls,
//! a report of what was answered, and on request whether every acknowledged call is in its right row.
//! Promises: reproducible by seed; keeps to Twilio's rules for time limits and retries; memory grows
//! with the calls under way and not with the length of the run (`--shuffle` and `--verify` keep a few
//! bytes per event and call); numbers, addresses, names and carriers are fictitious.
//! Must not know: the service. It shares the arithmetic of signatures with it and nothing else, so
//! that an error in the service can't hide here.
//!
//! The way of one event: `make` decides what happened in a call (with `parties`, `places`, `reports`,
//! `measure`, `tags`, `trust`), `events` what is told of it and when, `payload` writes it; `schedule` puts
//! events in order, `dispatch` sends them through `endpoint` and retries, `tally` counts, `ledger`
//! remembers; `expect` knows the right row, `check` compares. `load` hands the bytes to the benchmark.

mod args;
mod call;
mod check;
mod dice;
mod dispatch;
mod edge;
mod endpoint;
mod events;
mod expect;
mod ledger;
pub mod load;
mod make;
mod measure;
mod parties;
mod payload;
mod places;
mod reports;
mod rounds;
mod schedule;
mod script;
mod tags;
mod tally;
mod trust;

pub use args::SimulateArgs;
pub use script::DataForm;

use anyhow::Context as _;
use args::Job;
use chrono::SecondsFormat;
use dispatch::Dispatch;
use ledger::Ledger;
use rounds::Rounds;
use secrecy::ExposeSecret as _;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Sends made-up calls and says what became of them; exit code 0 if every event was acknowledged and,
/// when that was asked for, every row is right.
///
/// # Errors
/// An argument is wrong. What goes wrong on the other side is counted and no error.
pub async fn run(args: SimulateArgs) -> anyhow::Result<ExitCode> {
    let job = Job::new(args)?;
    match job.plan.start {
        Some(start) => eprintln!(
            "{} calls to {}; for the same again: --seed {} --start-time {}",
            job.plan.calls,
            job.shown_url,
            job.plan.seed,
            start.to_rfc3339_opts(SecondsFormat::Millis, true),
        ),
        None => eprintln!("calls to {} until Ctrl-C", job.shown_url),
    }
    let stop = stop_on_signal()?;
    let ledger = job.verify.is_some().then(Ledger::default);
    let mut rounds = Rounds::new(job.plan);
    let mut dispatch = Dispatch::new(job.endpoint, job.limits, job.bare, job.plan.seed, ledger);
    Box::pin(dispatch.run(&mut rounds, &stop)).await?;
    print!("{}", dispatch.tally);
    let mut is_good = dispatch.tally.is_all_acknowledged();
    if let (Some((database, timeout)), Some(ledger)) = (&job.verify, &dispatch.ledger) {
        let report = Box::pin(check::check(database.expose_secret(), ledger, *timeout)).await?;
        print!("{report}");
        is_good &= report.is_right();
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Cancelled by the first Ctrl-C or SIGTERM; the second ends the process at once.
fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupts = signal(SignalKind::interrupt()).context("no signal handler")?;
    let mut terminations = signal(SignalKind::terminate()).context("no signal handler")?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = interrupts.recv() => {}
                _ = terminations.recv() => {}
            }
            if stopping.is_cancelled() {
                // What a shell reports of a process that Ctrl-C ended.
                std::process::exit(130);
            }
            stopping.cancel();
        }
    });
    Ok(stop)
}
