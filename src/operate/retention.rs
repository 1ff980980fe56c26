//! `callsink retention`: what `serve` would delete as too old by these settings, table by table.
//!
//! In: the settings of retention, as `serve` reads them. Out: a table: from when on rows are kept, how many are
//! older, the oldest and the newest of these.
//! Promises: deletes nothing and writes nothing; what is too old is said by the code that `serve` deletes by.

use super::range::stamp;
use crate::config::{self, DatabaseArgs, Keep, KeepArgs};
use crate::housekeeping::due::{due_archive, due_rows, settings};
use crate::store::{Aged, AgedRows, Session, StoreError};
use anyhow::Context as _;
use chrono::{DateTime, NaiveTime, Utc};
use std::process::ExitCode;

/// Options of `callsink retention`.
#[derive(clap::Args, Debug)]
pub struct RetentionArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keep: KeepArgs,
}

/// Tells; exit code 0, also when something is due.
///
/// # Errors
/// A wrong setting, or the database is away or has no schema of ours.
pub async fn run(args: RetentionArgs) -> anyhow::Result<ExitCode> {
    let keep = Keep::resolve(args.keep)?;
    let database = config::required_database(args.database)?;
    let place = database.place();
    let mut session = Session::new(&database);
    let text = report(&mut session, keep, Utc::now())
        .await
        .with_context(|| format!("database {place} (is its schema up? callsink migrate)"))?;
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

async fn report(
    session: &mut Session,
    keep: Keep,
    now: DateTime<Utc>,
) -> Result<String, StoreError> {
    let mut text = format!(
        "{:<16}  {:>8}  {:<20}  {:>10}  {:<20}  newest\n",
        "table", "days", "deletes before", "rows", "oldest"
    );
    let mut hours = 0;
    let mut total = 0;
    for (table, days) in settings(keep) {
        let Some(due) = due_rows(keep, now).find(|due| due.table == table) else {
            text += &line(table.as_str(), days, None, AgedRows::default());
            continue;
        };
        let mut aged = session.count_aged(table, due.before).await?;
        let mut before = due.before;
        if table == Aged::Calls {
            hours = session.count_dirty_hours(due.before).await?;
        }
        if table == Aged::ArchiveDefault
            && let Some(day) = due_archive(keep, now)
        {
            // Whole days, but for what found no partition of its day.
            before = day.and_time(NaiveTime::MIN).and_utc();
            aged = together(aged, session.count_aged_archive_days(day).await?);
        }
        total += aged.rows;
        text += &line(table.as_str(), days, Some(before), aged);
    }
    if hours > 0 {
        text += &format!(
            "hours whose key figures are computed and frozen before their calls go: {hours}\n"
        );
    }
    text += &format!(
        "{total} rows are too old by these settings; callsink serve deletes them, this command nothing\n"
    );
    Ok(text)
}

fn together(left: AgedRows, right: AgedRows) -> AgedRows {
    AgedRows {
        rows: left.rows + right.rows,
        oldest: left.oldest.into_iter().chain(right.oldest).min(),
        newest: left.newest.max(right.newest),
    }
}

fn line(table: &str, days: Option<u32>, before: Option<DateTime<Utc>>, aged: AgedRows) -> String {
    let days = days.map_or_else(|| "off".to_owned(), |days| days.to_string());
    let [before, oldest, newest] =
        [before, aged.oldest, aged.newest].map(|time| time.map_or_else(|| "-".to_owned(), stamp));
    let line = format!(
        "{table:<16}  {days:>8}  {before:<20}  {:>10}  {oldest:<20}  {newest:<20}",
        aged.rows
    );
    format!("{}\n", line.trim_end())
}
