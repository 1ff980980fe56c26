//! `journal export`: the entries as NDJSON, from a whole file or a damaged one.
//!
//! In: a journal and a span of positions. Out: a JSON object per entry, in order of position.
//! Promises: memory is bounded by a chunk; what can be read of a damaged file is written, what can't is
//! told and counted. Warns that the output holds personal data.

use super::Place;
use super::inspect::stamp;
use crate::journal::Entry;
use crate::journal::inspect::Inspector;
use crate::journal::walk::{Found, walk};
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
struct Export<W> {
    output: W,
    written: u64,
    unreadable: u64,
    /// Damage at an end: how many entries stood there nobody can say.
    unknown: bool,
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
    let said = Instant::now();
    let mut export = Export { output, written: 0, unreadable: 0, unknown: false, said };
    walk(inspector, from, to, &mut |found| export.take(found))?;
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

impl<W: Write> Export<W> {
    fn take(&mut self, found: Found) -> anyhow::Result<()> {
        match found {
            Found::Entry(entry) => self.write(&entry)?,
            Found::Unreadable { first, last } => {
                self.unreadable += last - first + 1;
                eprintln!("callsink: positions {first} to {last} can't be read");
            }
            Found::NothingBefore(position) => {
                self.unknown = true;
                if position > 1 {
                    eprintln!("callsink: before position {position} nothing can be read");
                }
            }
            Found::NothingFrom(position) => {
                self.unknown = true;
                eprintln!("callsink: from position {position} on nothing can be read");
            }
        }
        Ok(())
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
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            eprintln!("callsink: {} entries so far, at position {}", self.written, entry.position);
        }
        Ok(())
    }
}
