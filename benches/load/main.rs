//! `scripts/bench`: the whole service under load, and what it is compared with, in one run.
//!
//! In: sizes. Out: figures on standard output and in `docs/benchmarks.md`. Promises: a real PostgreSQL with fsync
//! and synchronous_commit on; ratios of figures that were measured side by side; with `--resume` a run that was
//! interrupted goes on with the figure that is missing.
//! Rooms: `corpus` (what is sent), `client` (by whom), `service`, `postgres` and `process` (to whom, and what
//! it costs), `figures` (what is measured), `queries`, `report`.

mod client;
mod corpus;
mod figures;
mod postgres;
mod process;
mod queries;
mod report;
mod service;

use anyhow::{Context, Result};
use clap::Parser;
use corpus::Corpus;
use figures::Bench;
use postgres::Postgres;
use report::Samples;
use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What to measure.
#[derive(Parser, Debug)]
#[command(name = "scripts/bench", about = "Measures callsink against a real PostgreSQL")]
pub struct Args {
    /// Without this nothing runs, so that `cargo bench` stays short
    #[arg(long, hide = true)]
    run: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
    /// Be the hello-world server
    #[arg(long, hide = true, value_name = "ADDRESS")]
    hello: Option<SocketAddr>,
    /// Small sizes: a first impression in under three minutes
    #[arg(long)]
    quick: bool,
    /// Rounds, after one that does not count [default: 5; quick: 3]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    rounds: usize,
    /// Calls in the table beforehand [default: 2000000; quick: 100000]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    preload: u64,
    /// Calls in the table that it is compared with [default: 100000; quick: 10000]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    small: u64,
    /// Events of a run [default: 60000; quick: 20000]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    events: usize,
    /// Events of the backlog [default: 1000000; quick: 60000]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    backlog: usize,
    /// Seconds per rate of answer times [default: 20; quick: 4]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    seconds: u64,
    /// Only these: rounds, small, queries, latencies, backlog
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Use figures that an interrupted run has measured already
    #[arg(long)]
    resume: bool,
    /// Where clusters and journals go; on the disk that is to be measured
    #[arg(long, default_value = "target/bench", value_name = "DIRECTORY")]
    directory: PathBuf,
    /// Add the figures to this page
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Args {
    fn with_defaults(mut self) -> Self {
        fn fill<N: Default + PartialEq>(given: &mut N, is_quick: bool, full: N, quick: N) {
            if *given == N::default() {
                *given = if is_quick { quick } else { full };
            }
        }
        fill(&mut self.rounds, self.quick, 5, 3);
        fill(&mut self.events, self.quick, 60_000, 20_000);
        fill(&mut self.backlog, self.quick, 1_000_000, 60_000);
        fill(&mut self.preload, self.quick, 2_000_000, 100_000);
        fill(&mut self.small, self.quick, 100_000, 10_000);
        fill(&mut self.seconds, self.quick, 20, 4);
        self
    }

    fn wants(&self, figure: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == figure)
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(address) = args.hello {
        return service::hello(address);
    }
    if !args.run {
        println!("load: run it by scripts/bench");
        return Ok(());
    }
    if let Some(file) = &args.record {
        around_runs(file)?; // and not after a quarter of an hour
    }
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(bench(&args.with_defaults()))
}

const RUNS: &str = "## Runs\n";

/// Figures that are measured already, and what measures the others.
struct Done {
    file: PathBuf,
    all: Samples,
    names: Vec<String>,
}

impl Done {
    fn open(file: PathBuf, resume: bool) -> Result<Self> {
        let (names, all) = match std::fs::read(&file) {
            Ok(text) if resume => serde_json::from_slice(&text)?,
            _ => (Vec::new(), Samples::new()),
        };
        Ok(Self { file, all, names })
    }

    fn has(&self, figure: &str) -> bool {
        self.names.iter().any(|name| name == figure)
    }

    fn keep(&mut self, figure: &str, samples: Samples) -> Result<()> {
        for (name, values) in samples {
            self.all.entry(name).or_default().extend(values);
        }
        self.names.push(figure.to_owned());
        std::fs::write(&self.file, serde_json::to_vec(&(&self.names, &self.all))?)?;
        Ok(())
    }
}

async fn bench(args: &Args) -> Result<()> {
    std::fs::create_dir_all(&args.directory)?;
    let directory = std::fs::canonicalize(&args.directory)?;
    let corpus = Arc::new(Corpus::make()?);
    eprintln!(
        "{} events of {} calls, {} bytes each on average",
        corpus.len(),
        corpus.calls,
        corpus.mean_bytes
    );
    // Runs on a cluster that is kept must not repeat the calls of earlier ones.
    let first_pass = Cell::new(fastrand::u32(0..0x7F_0000));
    let bench = Bench { args, corpus, directory: directory.join("journals"), pass: first_pass };
    let mut done = Done::open(directory.join("figures.json"), args.resume)?;

    if args.wants("small") && !done.has("small") {
        let postgres = start(&directory, args.small, &bench.corpus).await?;
        done.keep("small", bench.small(&postgres).await?)?;
        postgres.stop().await?;
    }
    let postgres = start(&directory, args.preload, &bench.corpus).await?;
    if args.wants("rounds") && !done.has("rounds") {
        done.keep("rounds", bench.rounds(&postgres).await?)?;
    }
    if args.wants("queries") && !done.has("queries") {
        done.keep("queries", bench.queries(&postgres).await?)?;
    }
    if args.wants("latencies") && !done.has("latencies") {
        let sustained = done.all.get("end_to_end").map(|values| report::quantile(values, 0.5));
        let sustained =
            sustained.context("latencies needs rounds, for half of the sustained rate")?;
        done.keep("latencies", bench.latencies(&postgres, sustained).await?)?;
    }
    if args.wants("backlog") && !done.has("backlog") {
        done.keep("backlog", bench.backlog(&postgres).await?)?;
    }
    postgres.stop().await?;
    let page = report::page(&done.all, args, &about(bench.corpus.mean_bytes))?;
    println!("{page}");
    if let Some(file) = &args.record {
        record(file, &page)?;
    }
    match std::fs::remove_file(directory.join("figures.json")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("figures.json")
        }
        _ => Ok(()), // with --only of nothing there is none
    }
}

async fn start(directory: &Path, calls: u64, corpus: &Corpus) -> Result<Postgres> {
    Postgres::start(&directory.join(format!("cluster-{calls}")), calls, corpus).await
}

/// When, where and what.
fn about(mean_bytes: usize) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .unwrap_or("")
        .trim_start_matches(['\t', ':', ' ']);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let commit = std::process::Command::new("git").args(["rev-parse", "--short", "HEAD"]).output();
    let commit = commit
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    let memory = read("/proc/meminfo")
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or(0)
        >> 20;
    format!(
        "{}, commit {commit}; {cores} cores ({model}), {memory} GiB, Linux {}; load average before the end {}; bodies of {mean_bytes} bytes.",
        chrono::Utc::now().format("%Y-%m-%d %H:%M UTC"),
        read("/proc/sys/kernel/osrelease").trim(),
        read("/proc/loadavg").split(' ').next().unwrap_or(""),
    )
}

/// What stands before and behind the heading "Runs" of the page.
fn around_runs(file: &Path) -> Result<(String, String)> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let (before, after) = text
        .split_once(RUNS)
        .with_context(|| format!("{} has no heading \"Runs\"", file.display()))?;
    Ok((before.to_owned(), after.to_owned()))
}

/// Puts the figures under the heading "Runs", the newest first.
fn record(file: &Path, page: &str) -> Result<()> {
    let (before, after) = around_runs(file)?;
    let title = page.split(',').next().unwrap_or("");
    let text = format!("{before}{RUNS}\n### {title}\n\n{}\n{after}", page.trim_end());
    std::fs::write(file, text).with_context(|| file.display().to_string())
}
