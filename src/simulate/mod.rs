//! Simulate (being written).
#![allow(missing_docs)]
#[derive(clap::Args, Debug)]
pub struct SimulateArgs {}
pub async fn run(_: SimulateArgs) -> anyhow::Result<std::process::ExitCode> { anyhow::bail!("stub") }
