//! `callsink journal`: how the journal is doing, whether it is whole, and what is in it.
//!
//! In: a data directory, or the file of a journal. Out: text, or JSON. Works beside a running service as
//! on a stopped one. Promises: nothing is written but the file that `export` is told to write.
//! Must not know: what the bytes of an entry mean.

mod export;
mod inspect;
mod verify;

use crate::journal::inspect::{InspectError, Inspector, file_in};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to do with the journal.
#[derive(clap::Subcommand, Debug)]
pub enum JournalCommand {
    /// Tell depth, age and size, and whether a service runs on it
    Inspect {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// One JSON object, for machines
        #[arg(long)]
        json: bool,
    },
    /// Check that the file is whole: SQLite's integrity check, every entry, no gaps; exit 1 if not
    Verify {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
    },
    /// Write the entries as NDJSON, in order: position, time and bytes of each event as received
    ///
    /// THE OUTPUT HOLDS PERSONAL DATA: phone numbers and whatever else Twilio sent. Bytes that are not
    /// UTF-8 stand as base64 in "body_base64" instead of "body". Of a damaged file what can be read is
    /// written, and the rest is counted; then the exit code is 1.
    Export {
        #[command(flatten)]
        #[allow(missing_docs)]
        place: Place,
        /// File to write; must not exist [default: standard output]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// First position [default: the first there is]
        #[arg(long, value_name = "POSITION", value_parser = position())]
        from: Option<u64>,
        /// Last position [default: the last there is]
        #[arg(long, value_name = "POSITION", value_parser = position())]
        to: Option<u64>,
    },
}

/// Positions as the journal's file can hold them.
fn position() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=i64::MAX.cast_unsigned())
}

/// Which journal.
#[derive(clap::Args, Debug)]
pub struct Place {
    /// Directory of the journal [default: ./data]
    #[arg(long, env = "CALLSINK_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<String>,
    /// The file of a journal, such as one that was moved aside; --data-dir is not looked at then
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

impl Place {
    fn file(&self) -> PathBuf {
        let directory = self.data_dir.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let in_directory = || file_in(Path::new(directory.unwrap_or("./data")));
        self.journal.clone().unwrap_or_else(in_directory)
    }

    fn open(&self) -> Result<Inspector, InspectError> {
        Inspector::open(&self.file())
    }
}

/// Does it.
///
/// # Errors
/// There is no journal, it can't be read, or the output can't be written.
pub fn run(command: JournalCommand) -> anyhow::Result<ExitCode> {
    match command {
        JournalCommand::Inspect { place, json } => inspect::run(&place, json),
        JournalCommand::Verify { place } => verify::run(&place),
        JournalCommand::Export { place, file, from, to } => {
            export::run(&place, file.as_deref(), from, to)
        }
    }
}
