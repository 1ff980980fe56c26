//! Arguments, log, then the job; exit codes. Nothing else.
//!
//! 0: done. 1: the job failed. 2: a setting or an argument is wrong.

use callsink::cli::{Cli, Command};
use callsink::{app, config, healthcheck, operate, simulate, telemetry};
use clap::Parser;
use std::process::ExitCode;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = telemetry::start_logging(&cli.log) {
        return fail(&error.into());
    }
    let result = match cli.command {
        Command::Serve(args) => app::serve(*args).await,
        Command::Migrate(args) => app::migrate(args).await,
        Command::Healthcheck(args) => healthcheck::run(args).await,
        Command::Simulate(args) => simulate::run(*args).await,
        Command::Replay(args) => operate::replay::run(*args).await,
        Command::Erase(args) => operate::erase::run(*args).await,
        Command::Doctor(args) => operate::doctor::run(*args).await,
        Command::Setup(args) => operate::setup::run(*args).await,
        Command::Backfill(args) => operate::backfill::run(*args).await,
        Command::Coverage(args) => operate::coverage::run(*args).await,
        Command::Rebuild(args) => operate::rebuild::run(*args).await,
        Command::Retention(args) => operate::retention::run(*args).await,
        Command::Dictionary(args) => operate::dictionary::run(args).await,
        Command::Journal(command) => operate::journal::run(command),
        Command::CheckRequest(args) => Ok(operate::check_request::run(*args)),
    };
    result.unwrap_or_else(|error| fail(&error))
}

/// One line, and the code that says whose turn it is.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("callsink: {error:#}");
    let is_setting = error.is::<config::SettingError>() || error.is::<telemetry::LogError>();
    ExitCode::from(if is_setting { 2 } else { 1 })
}
