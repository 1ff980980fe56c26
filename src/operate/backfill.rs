//! `callsink backfill`: call summaries from Twilio's REST API into rows, window by window.
//!
//! In: a span of time and the accounts. Out: rows, merged with what events have told; windows recorded; a
//! line of figures.
//! Promises: stopped at any point and run again it goes on with the window where it was; it may run while
//! the service runs, and as often as one likes; a window with a summary that could not be stored is named.

use super::progress::Progress;
use super::range::{RangeArgs, stamp};
use crate::config::{self, ApiArgs, DatabaseArgs, TokenArgs};
use crate::reconcile::window::SETTLED;
use crate::reconcile::{Carry, Mode, Summaries, Sweep, Window};
use crate::store::{Session, migrate};
use crate::twilio::insights::accounts;
use anyhow::Context as _;
use std::process::ExitCode;

/// Options of `callsink backfill`.
#[derive(clap::Args, Debug)]
pub struct BackfillArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub range: RangeArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub api: ApiArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tokens: TokenArgs,
    /// Read windows again that were read when they were final: annotations change late, and no event says so
    #[arg(long)]
    pub again: bool,
    /// Only list and compare; write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Totals {
    windows: u64,
    skipped: u64,
    listed: u64,
    inserted: u64,
    improved: u64,
    refused: u64,
    restless: u64,
}

/// Backfills; exit code 0 when every window was read to its end and every summary is in.
///
/// # Errors
/// A wrong setting, or Twilio or the database does not go on. Everything until then is done.
pub async fn run(args: BackfillArgs) -> anyhow::Result<ExitCode> {
    let sources = accounts(&args.api.resolve(args.tokens)?)?;
    let windows = args.range.windows()?;
    let database = config::required_database(args.database)?;
    let place = database.place();
    if !args.dry_run {
        migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    }
    let mut session = Session::new(&database);
    let mut plans = Vec::new();
    let mut totals = Totals::default();
    for source in &sources {
        let plan = plan(&mut session, source, &windows, args.again).await?;
        totals.skipped += (windows.len() - plan.len()) as u64;
        plans.push((source, plan));
    }
    if totals.skipped > 0 {
        eprintln!(
            "callsink: {} windows were read before, when they were final; --again reads them anew",
            totals.skipped
        );
    }
    let steps = plans.iter().map(|(_, plan)| plan.len() as u64).sum();
    let mut progress = Progress::new(steps, "windows");
    let sweep = Sweep { mode: Mode::All, dry_run: args.dry_run };
    let mut swept = Ok(());
    for (source, plan) in plans {
        swept = backfill(sweep, &mut session, source, plan, &mut totals, &mut progress).await;
        if swept.is_err() {
            break;
        }
    }
    progress.finish();
    println!("{}", totals.line(args.dry_run));
    swept.context("what was read until now is in; run the command again for the rest")?;
    let all_in = totals.refused == 0 && totals.restless == 0;
    Ok(if all_in { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The windows that need reading.
async fn plan<S: Summaries>(
    session: &mut Session,
    source: &S,
    windows: &[Window],
    again: bool,
) -> anyhow::Result<Vec<Window>> {
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else {
        return Ok(Vec::new());
    };
    if again {
        return Ok(windows.to_vec());
    }
    let range = (first.start, last.end());
    let read = session.settled_windows(source.account_sid(), range, SETTLED).await?;
    Ok(windows.iter().copied().filter(|window| !read.contains(&window.start)).collect())
}

async fn backfill<S: Summaries>(
    sweep: Sweep,
    session: &mut Session,
    source: &S,
    plan: Vec<Window>,
    totals: &mut Totals,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut carry = Carry::default();
    for window in plan {
        let tally = sweep.window(session, source, window, &mut carry).await.with_context(|| {
            format!("account {}, window {}", source.account_sid(), stamp(window.start))
        })?;
        let say = |what: &str| {
            let account_sid = source.account_sid();
            progress.say(&format!("{account_sid} {}: {what}", stamp(window.start)));
        };
        if tally.refused > 0 {
            say(&format!("{} summaries could not be read or stored", tally.refused));
        }
        if tally.restless {
            say("the list changed all the time; it will be read again by the next backfill");
        }
        totals.windows += 1;
        totals.listed += tally.listed;
        totals.inserted += tally.inserted;
        totals.improved += tally.improved;
        totals.refused += tally.refused;
        totals.restless += u64::from(tally.restless);
        progress.step(|| totals.line(sweep.dry_run));
    }
    Ok(())
}

impl Totals {
    fn line(&self, dry_run: bool) -> String {
        let Self { windows, listed, inserted, improved, refused, .. } = self;
        let would = if dry_run { "would be " } else { "" };
        format!(
            "{windows} windows read, {listed} calls listed, {would}inserted {inserted}, \
             {would}improved {improved}, refused {refused}"
        )
    }
}
