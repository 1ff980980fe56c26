//! `journal export`: the entries as NDJSON, from a whole file or a damaged one.
//!
//! In: a journal and a span of positions. Out: a JSON object per entry, in order of position.
//! Promises: memory is bounded by a chunk; what can be read of a damaged file is written, what can't is
//! told and counted. Warns that the output holds personal data.

use super::Place;
use super::inspect::stamp;
use crate::journal::Entry;
use crate::journal::inspect::{InspectError, Inspector};
use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

/// After an entry that can't be read, this many are asked for one by one before chunks are tried again.
const STEPS: u64 = 64;

/// So many unreadable positions in a row are the end of what there is: a damaged inner page of SQLite's
/// tree takes up to a thousand leaves along, each of which holds two usual events, or a hundred tiny ones.
const HOPELESS: u64 = 200_000;

/// A line of the output.
#[derive(Serialize)]
struct Line<'a> {
    position: u64,
    received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// What was written and what was not.
struct Export<'i, W> {
    inspector: &'i Inspector,
    output: W,
    to: u64,
    written: u64,
    unreadable: u64,
    /// Damage at an end: how many entries stood there nobody can say.
    unknown: bool,
    /// Where the unreadable positions that were not told yet begin.
    unreadable_from: Option<u64>,
    said: Instant,
}

pub(super) fn run(
    place: &Place,
    file: Option<&Path>,
    from: Option<u64>,
    to: Option<u64>,
) -> anyhow::Result<ExitCode> {
    let inspector = Inspector::open_damaged(&place.file())?;
    eprintln!(
        "callsink: what is exported holds personal data: phone numbers, and whatever else Twilio sent"
    );
    let Some(file) = file else {
        let output = BufWriter::new(io::stdout().lock());
        return export(&inspector, output, from, to).map(|(code, _)| code);
    };
    let shown = file.display();
    // For its owner only, and never over something that is there.
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let output = BufWriter::new(created.with_context(|| format!("{shown} can't be made"))?);
    let (code, output) = export(&inspector, output, from, to)?;
    let output: io::Result<File> = output.into_inner().map_err(io::IntoInnerError::into_error);
    output.and_then(|file| file.sync_all()).with_context(|| format!("{shown} can't be written"))?;
    Ok(code)
}

fn export<W: Write>(
    inspector: &Inspector,
    output: W,
    from: Option<u64>,
    to: Option<u64>,
) -> anyhow::Result<(ExitCode, W)> {
    let Ends { first, last, unknown } = ends(inspector)?;
    let to = to.unwrap_or(u64::MAX).min(last.unwrap_or(u64::MAX));
    let said = Instant::now();
    let mut export = Export {
        inspector,
        output,
        to,
        written: 0,
        unreadable: 0,
        unknown: unknown && from.is_none(),
        unreadable_from: None,
        said,
    };
    if let Some(first) = from.or(first) {
        export.span(from.map_or(first, |from| from.max(first)))?;
    }
    export.output.flush().context(UNWRITABLE)?;
    let unknown = if export.unknown { ", and others of unknown number" } else { "" };
    eprintln!(
        "callsink: {} entries exported, {} positions unreadable{unknown}",
        export.written, export.unreadable
    );
    let is_whole = export.unreadable == 0 && !export.unknown;
    if !is_whole {
        eprintln!(
            "callsink: `.recover` of the sqlite3 shell, on a copy of the file, may find more"
        );
    }
    let code = if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    Ok((code, export.output))
}

const UNWRITABLE: &str = "the output can't be written";

/// Between which positions there is something.
struct Ends {
    /// `None`: it is empty.
    first: Option<u64>,
    /// `None`: not known.
    last: Option<u64>,
    /// Entries before `first` can't be read.
    unknown: bool,
}

/// An end that stands on a damaged page is looked for from the other one.
fn ends(inspector: &Inspector) -> Result<Ends, InspectError> {
    let last = readable(inspector.end(true))?.flatten();
    let (first, unknown) = match (readable(inspector.end(false))?, last) {
        (Some(first), _) => (first, false),
        (None, Some(last)) => (Some(lowest(inspector, last)?), true),
        (None, None) => (Some(1), true),
    };
    if let (true, Some(first @ 2..)) = (unknown, first) {
        eprintln!("callsink: before position {first} nothing can be read");
    }
    Ok(Ends { first, last, unknown })
}

/// The lowest position above which nothing hopeless lies, going down from `last`.
fn lowest(inspector: &Inspector, last: u64) -> Result<u64, InspectError> {
    let (mut lowest, mut position) = (last, last);
    while position > 1 && lowest - position < HOPELESS {
        position -= 1;
        if readable(inspector.entry(position))?.flatten().is_some() {
            lowest = position;
        }
    }
    Ok(lowest)
}

/// `None` in place of damage; other errors are errors.
fn readable<T>(answer: Result<T, InspectError>) -> Result<Option<T>, InspectError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_damage() => Ok(None),
        Err(error) => Err(error),
    }
}

impl<W: Write> Export<'_, W> {
    fn span(&mut self, from: u64) -> anyhow::Result<()> {
        let mut after = from.saturating_sub(1);
        while after < self.to {
            match readable(self.inspector.after(after))? {
                Some(chunk) => {
                    self.tell_unreadable(after);
                    let Some(last) = chunk.last() else { break };
                    after = last.position;
                    let to = self.to;
                    for entry in chunk.iter().take_while(|entry| entry.position <= to) {
                        self.write(entry)?;
                    }
                }
                None => after = self.step_over(after)?,
            }
            if self.said.elapsed() >= SAY_EVERY {
                self.said = Instant::now();
                eprintln!("callsink: {} entries so far, at position {after}", self.written);
            }
        }
        self.tell_unreadable(self.to.min(after));
        Ok(())
    }

    /// Goes on one by one, where a chunk can't be read; the position up to which all was tried.
    fn step_over(&mut self, after: u64) -> anyhow::Result<u64> {
        let end = self.to.min(after.saturating_add(STEPS));
        for position in after + 1..=end {
            match readable(self.inspector.entry(position))? {
                Some(Some(entry)) => {
                    self.tell_unreadable(position - 1);
                    self.write(&entry)?;
                }
                Some(None) => self.tell_unreadable(position - 1),
                None => {
                    let from = *self.unreadable_from.get_or_insert(position);
                    if position - from >= HOPELESS {
                        self.unreadable_from = None;
                        self.unknown = true;
                        self.to = from;
                        eprintln!("callsink: from position {from} on nothing can be read");
                        return Ok(position);
                    }
                }
            }
        }
        Ok(end)
    }

    fn write(&mut self, entry: &Entry) -> anyhow::Result<()> {
        let body = std::str::from_utf8(&entry.body).ok();
        let line = Line {
            position: entry.position,
            received: stamp(entry.received),
            body,
            body_base64: body.is_none().then(|| STANDARD.encode(&entry.body)),
        };
        serde_json::to_writer(&mut self.output, &line)
            .map_err(io::Error::from)
            .context(UNWRITABLE)?;
        self.output.write_all(b"\n").context(UNWRITABLE)?;
        self.written += 1;
        Ok(())
    }

    /// Ends a run of unreadable positions at `last`.
    fn tell_unreadable(&mut self, last: u64) {
        let Some(first) = self.unreadable_from.take() else { return };
        self.unreadable += last - first + 1;
        eprintln!("callsink: positions {first} to {last} can't be read");
    }
}
