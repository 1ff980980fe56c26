//! `callsink erase`: forget a person's calls, or single ones.
//!
//! In: calls, or phone numbers and addresses of parties. Out: rows without personal data, or no rows; raw
//! events that speak of them deleted.
//! Promises: without `--yes` nothing is changed and what would be is counted; nothing that was looked for is
//! printed; calls are marked before anything is erased, so that what arrives later is erased, too; raw
//! events go before the rows by which they are found, so that a run that was cut off can be repeated.

mod identity;

pub use identity::Identity;

use identity::sought_call;

use super::progress::Progress;
use crate::config::{self, DatabaseArgs};
use crate::store::{Blocks, Erasure, Partition, RawTable, Session, Sought, migrate};
use anyhow::Context as _;
use std::collections::BTreeSet;
use std::process::ExitCode;

/// Calls in one transaction.
const CHUNK: usize = 200;

/// Options of `callsink erase`.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("whom").required(true).multiple(true)))]
pub struct EraseArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    /// A call (CA...); may be given more than once
    #[arg(long, group = "whom", value_name = "CALL_SID", value_parser = call_sid)]
    pub call: Vec<String>,
    /// A party of calls: a phone number with country code, client:name or sip:user@host; may be given more
    /// than once
    #[arg(long, group = "whom", value_name = "NUMBER")]
    pub number: Vec<String>,
    /// Keep the rows without personal data, so that figures do not change; this is the default
    #[arg(long, conflicts_with = "delete")]
    pub redact: bool,
    /// Delete the rows, and with them their part of every figure
    #[arg(long)]
    pub delete: bool,
    /// Do it; without this, only count what would be touched
    #[arg(long)]
    pub yes: bool,
}

/// What was found.
#[derive(Debug, Default)]
struct Tally {
    calls: usize,
    letters: usize,
    events: usize,
    archived: u64,
}

/// Erases; exit code 0 also when there was nothing to erase.
///
/// # Errors
/// A wrong setting, or the database is away. What was erased until then is erased.
pub async fn run(args: EraseArgs) -> anyhow::Result<ExitCode> {
    let identities = args.number.iter().map(|text| Identity::parse(text));
    // Not by clap, which would repeat what was written.
    let identities = match identities.collect::<Result<Vec<Identity>, String>>() {
        Ok(identities) => identities,
        Err(expected) => {
            eprintln!("callsink: --number is none (not shown): {expected}");
            return Ok(ExitCode::from(2));
        }
    };
    let how = if args.delete { Erasure::Delete } else { Erasure::Redact };
    let database = config::required_database(args.database)?;
    let place = database.place();
    migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    let mut session = Session::new(&database);
    let done = erase(&mut session, args.call, &identities, how, args.yes).await;
    let tally = done.with_context(|| {
        format!("database {place}; what was erased is erased, run the command again for the rest")
    })?;
    tally.print(how, args.yes);
    Ok(ExitCode::SUCCESS)
}

async fn erase(
    session: &mut Session,
    calls: Vec<String>,
    identities: &[Identity],
    how: Erasure,
    for_real: bool,
) -> anyhow::Result<Tally> {
    let mut sids: BTreeSet<String> = calls.into_iter().collect();
    if !identities.is_empty() {
        find(session, identities, &mut sids).await?;
    }
    let sids: Vec<String> = sids.into_iter().collect();
    if for_real {
        for chunk in sids.chunks(CHUNK) {
            session.mark_erased(chunk, how).await?;
        }
    }
    let mut sought: Vec<Sought> = identities.iter().map(Identity::sought).collect();
    sought.extend(sids.iter().map(|sid| sought_call(sid)));
    let mut tally = Tally {
        letters: sweep(session, RawTable::DeadLetters, &sought, for_real).await?,
        events: sweep(session, RawTable::Events, &sought, for_real).await?,
        ..Tally::default()
    };
    tally.archived = sweep_archive(session, &sids, &sought[..identities.len()], for_real).await?;
    let mut progress = Progress::new(sids.chunks(CHUNK).len() as u64, "batches of calls");
    for chunk in sids.chunks(CHUNK) {
        tally.calls += match for_real {
            true => session.erase_rows(chunk, how).await?,
            false => session.calls_among(chunk).await?.len(),
        };
        progress.step(|| format!("{} calls", tally.calls));
    }
    progress.finish();
    Ok(tally)
}

/// Calls with one of `identities` as a party.
async fn find(
    session: &mut Session,
    identities: &[Identity],
    sids: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let needles: Vec<String> = identities.iter().map(Identity::needle).collect();
    let mut after = String::new();
    loop {
        let page = session.parties_after(&after, &needles).await?;
        let meant = page.candidates.into_iter().filter(|call| {
            call.names.iter().any(|name| identities.iter().any(|identity| identity.is(name)))
        });
        sids.extend(meant.map(|call| call.call_sid));
        let Some(last) = page.last_call_sid else { return Ok(()) };
        after = last;
    }
}

/// Raw events of `table` that hold one of `sought`; deletes them if it is meant.
async fn sweep(
    session: &mut Session,
    table: RawTable,
    sought: &[Sought],
    for_real: bool,
) -> anyhow::Result<usize> {
    let mut found = 0;
    for sought in sought.chunks(CHUNK) {
        let mut after = Vec::new();
        loop {
            let page = session.raw_naming_after(table, &after, sought).await?;
            found += page.found.len();
            if for_real && !page.found.is_empty() {
                session.delete_raw(table, &page.found).await?;
            }
            let Some(last) = page.last_digest else { break };
            after = last;
        }
    }
    Ok(found)
}

/// Archived events of `sids`, or that hold one of `sought`.
async fn sweep_archive(
    session: &mut Session,
    sids: &[String],
    sought: &[Sought],
    for_real: bool,
) -> anyhow::Result<u64> {
    let partitions = session.archive_partitions().await?;
    let pages: Vec<Blocks> = partitions.iter().flat_map(Partition::pages).collect();
    let mut progress = Progress::new(pages.len() as u64, "pages of the archive");
    let mut found = 0;
    for page in pages {
        found += session.archive_naming(page, sids, sought, for_real).await?;
        progress.step(|| format!("{found} events found"));
    }
    progress.finish();
    Ok(found)
}

impl Tally {
    fn print(&self, how: Erasure, for_real: bool) {
        let word = |done: &'static str, would: &'static str| if for_real { done } else { would };
        let rows = match how {
            Erasure::Redact => word("redacted", "to redact"),
            Erasure::Delete => word("deleted", "to delete"),
        };
        let raw = word("deleted", "to delete");
        println!("calls          {:>8}  {rows}", self.calls);
        println!("dead letters   {:>8}  {raw}", self.letters);
        println!("other events   {:>8}  {raw}", self.events);
        println!("archived events{:>8}  {raw}", self.archived);
        if !for_real {
            println!("Nothing was changed. Run it again with --yes to do it.");
        } else {
            println!(
                "Events of these calls that are still in a journal, or come later, are erased as they are \
                 stored. What Twilio keeps, backups and exports are not in callsink's reach."
            );
        }
    }
}

fn call_sid(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_sid = text.starts_with("CA")
        && text.len() > 2
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_sid { Ok(text.to_owned()) } else { Err("expected the SID of a call, CA...".to_owned()) }
}
