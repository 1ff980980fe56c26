//! `callsink coverage`: what Twilio lists against what is here, by account and hour.
//!
//! In: a span of time and the accounts. Out: a table, the view `public.coverage`, an exit code; rows, where
//! healing is asked for.
//! Promises: only calls that ended 45 minutes ago count; healing brings in what is missing or less final
//! here than there, and touches no other row.

use super::progress::Progress;
use super::range::{RangeArgs, stamp};
use crate::config::{self, ApiArgs, DatabaseArgs, TokenArgs};
use crate::reconcile::{Carry, HourTally, Mode, Summaries, Sweep, Window};
use crate::store::{Session, migrate};
use crate::twilio::insights::accounts;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Options of `callsink coverage`.
#[derive(clap::Args, Debug)]
pub struct CoverageArgs {
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
    /// Bring in what is missing, and what is less final here than at Twilio
    #[arg(long)]
    pub heal: bool,
    /// Leave hours without holes out of the table
    #[arg(long)]
    pub holes: bool,
}

/// What was found, by account and hour.
#[derive(Debug, Default)]
struct Found {
    hours: BTreeMap<(String, DateTime<Utc>), HourTally>,
    refused: u64,
    restless: u64,
}

/// Compares; exit code 0 when nothing is missing (any more), 1 when there are holes.
///
/// # Errors
/// A wrong setting, or Twilio or the database does not go on. What was checked until then is recorded.
pub async fn run(args: CoverageArgs) -> anyhow::Result<ExitCode> {
    let sources = accounts(&args.api.resolve(args.tokens)?)?;
    let windows = args.range.windows()?;
    let database = config::required_database(args.database)?;
    let place = database.place();
    migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    let mut session = Session::new(&database);
    let mode = if args.heal { Mode::Heal } else { Mode::Report };
    let sweep = Sweep { mode, dry_run: false };
    let mut progress = Progress::new((windows.len() * sources.len()) as u64, "windows");
    let mut found = Found::default();
    let mut checked = Ok(());
    for source in &sources {
        checked = check(sweep, &mut session, source, &windows, &mut found, &mut progress).await;
        if checked.is_err() {
            break;
        }
    }
    progress.finish();
    print!("{}", found.table(args.holes));
    checked.context("what was checked until now stands in public.coverage")?;
    let complete = found.total().holes() == 0 && found.refused == 0 && found.restless == 0;
    Ok(if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check<S: Summaries>(
    sweep: Sweep,
    session: &mut Session,
    source: &S,
    windows: &[Window],
    found: &mut Found,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut carry = Carry::default();
    for window in windows {
        let tally =
            sweep.window(session, source, *window, &mut carry).await.with_context(|| {
                format!("account {}, window {}", source.account_sid(), stamp(window.start))
            })?;
        found.refused += tally.refused;
        found.restless += u64::from(tally.restless);
        for (hour, counts) in &tally.hours {
            found.hours.entry(hour.clone()).or_default().add(counts);
        }
        progress.step(|| {
            let total = found.total();
            format!("{} calls listed, {} holes", total.listed, total.holes())
        });
    }
    Ok(())
}

impl Found {
    fn total(&self) -> HourTally {
        let mut total = HourTally::default();
        self.hours.values().for_each(|counts| total.add(counts));
        total
    }

    /// A line per account and hour, and the sums.
    fn table(&self, only_holes: bool) -> String {
        let mut table = String::new();
        let mut line = |account: &str, hour: &str, counts: &HourTally| {
            let HourTally { listed, missing, still_partial, .. } = counts;
            let (present, healed, holes) = (listed - missing, counts.healed(), counts.holes());
            let written = writeln!(
                table,
                "{account:<34}  {hour:<20}  {listed:>8}  {present:>8}  {missing:>8}  {still_partial:>13}  \
                 {healed:>8}  {holes:>8}",
            );
            debug_assert!(written.is_ok(), "writing to a String cannot fail");
        };
        let shown = self
            .hours
            .iter()
            .filter(|(_, counts)| !only_holes || counts.missing + counts.still_partial > 0);
        for ((account_sid, hour), counts) in shown {
            line(account_sid, &stamp(*hour), counts);
        }
        line("total", "", &self.total());
        let heading = format!(
            "{:<34}  {:<20}  {:>8}  {:>8}  {:>8}  {:>13}  {:>8}  {:>8}\n",
            "account", "hour", "listed", "present", "missing", "still_partial", "healed", "holes"
        );
        let mut text = heading + &table;
        if self.refused > 0 {
            text += &format!("{} summaries could not be read or stored\n", self.refused);
        }
        if self.restless > 0 {
            text += &format!(
                "{} windows changed while they were read: check them again\n",
                self.restless
            );
        }
        text
    }
}
