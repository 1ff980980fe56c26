//! `journal verify`: whether the file is whole, and what to do if it is not.
//!
//! In: a journal. Out: what was checked, what is damaged; exit code 1 if anything is.
//! Promises: beside a running service, what that one deletes meanwhile is not taken for a gap.

use super::Place;
use crate::journal::inspect::{InspectError, Inspector};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Between lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// Gaps are told one by one up to here.
const TOLD: usize = 20;

const WHAT_TO_DO: &str = "what to do:
  1. start callsink again: it takes over what can be read into a new journal, moves this file aside, and
     says how much it could not read (a file that was moved aside has been through that already)
  2. fetch what is lost from Twilio, which keeps summaries for 30 days; PostgreSQL has all that was
     stored before: only events that waited in the journal are concerned
  3. look at the disk (SMART, kernel log): SQLite files do not damage themselves
  callsink journal export --file saved.ndjson saves every event that SQLite can still reach";

pub(super) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let inspector = match place.open() {
        Err(error) if error.is_damage() => return Ok(damaged(&[error.to_string()])),
        opened => opened?,
    };
    let (inspector, problems) = check_pages(inspector);
    let mut damage = match problems {
        Err(error) if error.is_damage() => vec![format!("integrity check: {error}")],
        problems => problems?.into_iter().map(|line| format!("integrity check: {line}")).collect(),
    };
    if damage.is_empty() {
        println!("integrity check: ok");
    }
    damage.extend(check_entries(&inspector)?);
    Ok(if damage.is_empty() { ExitCode::SUCCESS } else { damaged(&damage) })
}

fn damaged(lines: &[String]) -> ExitCode {
    for line in lines {
        println!("damaged: {line}");
    }
    println!("{WHAT_TO_DO}");
    ExitCode::FAILURE
}

/// SQLite's check can't say how far it is, so the progress is that it is still at it.
fn check_pages(inspector: Inspector) -> (Inspector, Result<Vec<String>, InspectError>) {
    let started = Instant::now();
    let size = inspector.sizes().map_or(0, |sizes| sizes.file);
    let (sender, end) = channel::<()>();
    let checker = std::thread::spawn(move || {
        let problems = inspector.problems();
        drop(sender); // which ends the wait below
        (inspector, problems)
    });
    while let Err(RecvTimeoutError::Timeout) = end.recv_timeout(SAY_EVERY) {
        let size = bytesize::ByteSize::b(size);
        eprintln!("callsink: integrity check of {size}: {} s so far", started.elapsed().as_secs());
    }
    checker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Reads everything; what is wrong, a line each.
fn check_entries(inspector: &Inspector) -> Result<Vec<String>, InspectError> {
    let mut damage = Vec::new();
    let (mut readable, mut first, mut last) = (0_u64, None, 0);
    let mut said = Instant::now();
    loop {
        let chunk = match inspector.after(last) {
            Ok(chunk) => chunk,
            Err(error) if error.is_damage() => {
                damage.push(format!(
                    "not every entry after position {last} can be read (`callsink journal export` tells \
                     which): {error}"
                ));
                return Ok(damage);
            }
            Err(error) => return Err(error),
        };
        let Some(end) = chunk.last() else { break };
        let end = end.position;
        let mut before = first.map(|_| last);
        for entry in &chunk {
            let gap = before.filter(|before| before + 1 != entry.position);
            // Between two chunks a service may have forgotten what stood here.
            if let Some(before) = gap
                && inspector
                    .end(false)
                    .is_ok_and(|first| first.is_some_and(|first| first <= before))
                && damage.len() < TOLD
            {
                damage.push(format!(
                    "after position {before} comes {}: {} entries are missing",
                    entry.position,
                    entry.position - before - 1
                ));
            }
            before = Some(entry.position);
        }
        readable += chunk.len() as u64;
        first = first.or(chunk.first().map(|entry| entry.position));
        last = end;
        if said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!("callsink: {readable} entries so far, at position {last}");
        }
    }
    match first {
        Some(first) => println!("entries: {readable} readable, positions {first} to {last}"),
        None => println!("entries: none"),
    }
    Ok(damage)
}
