//! Takes over what can still be read of a damaged journal into a new one.
//!
//! In: the directory of a journal that was found damaged. Out: a new journal in its place; the old one
//! beside it, untouched; how much was taken over and how much was not.
//! Promises: the order of positions is kept, and they are without gaps again; memory is bounded; nothing is
//! written to the old file; a kill at any moment loses nothing, the next start begins again. Costs up to as
//! much disk as the old journal has in use.
//!
//! How: SQLite reads what it can reach. For the positions it misses, the bare pages of file and log are
//! searched (see `leaf`), which may bring up entries a second time or some that were forgotten before:
//! applying them again changes nothing.

use super::checksum::checksum;
use super::examine::Damage;
use super::inspect::Inspector;
use super::leaf::{PAGE, Pages, Source};
use super::open::{FILE, create, private_file};
use super::walk::{Found, walk};
use super::{Entry, swap, wal};
use rusqlite::Connection;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A commit for so many bytes.
const COMMIT_BYTES: usize = 4 << 20;

/// Between lines of progress.
const SAY_EVERY: Duration = Duration::from_secs(2);

const STAGE: &str = include_str!("sql/create_stage.sql");
const STAGE_ENTRY: &str = include_str!("sql/insert_stage.sql");
const NEXT_STAGED: &str = include_str!("sql/select_stage.sql");
const COUNT_STAGED: &str = include_str!("sql/count_stage.sql");
const FINISH: &str = include_str!("sql/finish_salvage.sql");
const INSERT: &str = include_str!("sql/insert_entry.sql");

/// What became of a damaged journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// Where the old file is now.
    pub aside: PathBuf,
    /// What was wrong with it.
    pub reason: String,
    /// Entries taken over.
    pub entries: u64,
    /// Positions whose entries could not be read.
    pub unreadable: u64,
    /// There may have been more, of unknown number.
    pub unknown: bool,
}

/// Why what can be read could not be taken over.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// The system's word.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// SQLite's word on the new file.
    #[error(transparent)]
    New(#[from] rusqlite::Error),
    /// SQLite's word on the old file.
    #[error(transparent)]
    Old(#[from] super::inspect::InspectError),
}

/// Finishes what an earlier start has begun.
pub(super) fn recover(directory: &Path) -> std::io::Result<Option<Salvaged>> {
    let Some((aside, figures)) = swap::recover(directory)? else { return Ok(None) };
    let mut words = figures.splitn(4, ' ');
    let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
    let (entries, unreadable, unknown) = (number(), number(), number() > 0);
    let reason = words.next().unwrap_or_default().to_owned();
    Ok(Some(Salvaged { aside, reason, entries, unreadable, unknown }))
}

/// Makes the new journal and puts it in place.
pub(super) fn salvage(directory: &Path, damage: &Damage) -> Result<Salvaged, SalvageError> {
    let reason = match damage {
        Damage::Foreign => "it is a file of another program".to_owned(),
        Damage::Damaged(reason) => reason.lines().next().unwrap_or_default().to_owned(),
    };
    tracing::error!(reason, "the journal is damaged: taking over what can be read of it");
    swap::discard_new(directory)?;
    let path = directory.join(swap::NEW);
    private_file(&path)?;
    let mut target = Target {
        connection: create(&path).map_err(rusqlite::Error::from)?,
        next_position: 1,
        pending: 0,
        said: Instant::now(),
    };
    let mut gaps = Gaps::default();
    target.begin()?;
    if *damage != Damage::Foreign {
        fill(&directory.join(FILE), &mut gaps, &mut target)?;
    }
    let unreadable = gaps.still_missing(&target)?;
    let entries = target.next_position - 1;
    target.finish()?;
    let unknown = gaps.unknown;
    let figures = format!("{entries} {unreadable} {} {reason}", u8::from(unknown));
    let aside = swap::swap(directory, &figures)?;
    Ok(Salvaged { aside, reason, entries, unreadable, unknown })
}

fn fill(path: &Path, gaps: &mut Gaps, target: &mut Target) -> Result<(), SalvageError> {
    let old = File::open(path)?;
    // An empty file would have SQLite throw its log away.
    let is_empty = old.metadata()?.len() == 0;
    let inspector = (!is_empty).then(|| Inspector::open_alone(path)).and_then(Result::ok);
    let log_path = swap::beside(path, "-wal");
    let log = wal::read(&log_path, PAGE)?;

    let walked = inspector.as_ref().map_or(Ok(()), |old| {
        walk::<SalvageError>(old, None, None, &mut |found| {
            gaps.take(&found);
            target.say();
            Ok(())
        })
    });
    if inspector.is_none() || walked.is_err() {
        gaps.open_end(None);
    } else if log.is_damaged {
        gaps.open_end(Some(Source::Log));
    } else if gaps.found.is_empty() {
        gaps.open_ends();
    }
    if !gaps.found.is_empty() {
        let log = if log.frames.is_empty() { None } else { Some((File::open(&log_path)?, log)) };
        let pages = Pages::new(old, log)?;
        let wanted = |source, position| gaps.wants(source, position);
        pages.entries(wanted, |entry| target.stage(&entry))?;
    }
    let mut staged = Staged::default();
    if let Some(old) = &inspector
        && walked.is_ok()
    {
        for (from, to) in gaps.between() {
            walk::<SalvageError>(old, Some(from), Some(to), &mut |found| {
                if let Found::Entry(entry) = found {
                    staged.insert_before(entry.position, target)?;
                    target.insert(entry.received.timestamp_micros(), &entry.body)?;
                }
                Ok(())
            })?;
        }
    }
    staged.insert_before(u64::MAX, target)
}

/// Which positions SQLite could not reach.
#[derive(Default)]
struct Gaps {
    /// First and last, both within, in order; and where alone to look, if not everywhere.
    found: Vec<(u64, u64, Option<Source>)>,
    /// The first entry that SQLite gave, and the last position that was tried.
    first: u64,
    last: u64,
    /// One of them is open: how many entries belong there nobody can say.
    unknown: bool,
}

impl Gaps {
    fn take(&mut self, found: &Found) {
        match found {
            Found::NothingBefore(position) => {
                self.unknown = true;
                if *position > 1 {
                    self.found.push((1, position - 1, None));
                    self.last = position - 1;
                }
            }
            Found::NothingFrom(_) => self.open_end(None),
            Found::Unreadable { first, last } => {
                let from = if self.last > 0 { self.last + 1 } else { *first };
                self.found.push((from, *last, None));
                self.last = *last;
            }
            Found::Entry(entry) => {
                if self.first == 0 {
                    self.first = entry.position;
                }
                // Forgetting goes from the front, so before the first there may be nothing.
                if self.last > 0 && entry.position > self.last + 1 {
                    self.found.push((self.last + 1, entry.position - 1, None));
                }
                self.last = entry.position;
            }
        }
    }

    fn open_end(&mut self, source: Option<Source>) {
        self.unknown = true;
        self.found.push((self.last + 1, u64::MAX, source));
    }

    /// For a file that is damaged and of which all can be read, it seems: whole pages at its ends may be gone,
    /// with others in their place.
    fn open_ends(&mut self) {
        self.open_end(None);
        if self.first > 1 {
            self.found.insert(0, (1, self.first - 1, None));
        }
    }

    /// Between which positions SQLite could read everything. It is asked for nothing else a second time: to find
    /// out that nothing comes of a cut file takes long.
    fn between(&self) -> Vec<(u64, u64)> {
        let (mut spans, mut from) = (Vec::new(), 1);
        for (first, last, only) in &self.found {
            if only.is_none() {
                spans.push((from, first.saturating_sub(1)));
                from = last.saturating_add(1);
            }
        }
        spans.push((from, u64::MAX));
        spans.retain(|(from, to)| from <= to && *from < u64::MAX);
        spans
    }

    fn wants(&self, source: Source, position: u64) -> bool {
        let at = self.found.partition_point(|gap| gap.1 < position);
        self.found.get(at).is_some_and(|(first, _, only)| {
            *first <= position && only.is_none_or(|only| only == source)
        })
    }

    /// Positions of gaps that have two ends which are still missing.
    fn still_missing(&self, target: &Target) -> rusqlite::Result<u64> {
        let mut count = target.connection.prepare(COUNT_STAGED)?;
        let mut missing = 0;
        for (first, last, _) in self.found.iter().filter(|gap| gap.0 > 1 && gap.1 < u64::MAX) {
            let span = (first.cast_signed(), last.cast_signed());
            let staged: i64 = count.query_row(span, |row| row.get(0))?;
            missing += last + 1 - first - staged.cast_unsigned();
        }
        Ok(missing)
    }
}

/// The new file.
struct Target {
    connection: Connection,
    next_position: u64,
    /// Bytes that the open transaction holds.
    pending: usize,
    said: Instant,
}

impl Target {
    fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch(STAGE)
    }

    fn insert(&mut self, received: i64, body: &[u8]) -> rusqlite::Result<()> {
        let position = self.next_position;
        let checksum = checksum(position, received, body);
        let mut insert = self.connection.prepare_cached(INSERT)?;
        insert.execute((position.cast_signed(), received, body, checksum))?;
        drop(insert);
        self.next_position += 1;
        self.wrote(body.len())
    }

    /// Keeps an entry from a bare page until its turn comes.
    fn stage(&mut self, entry: &Entry) -> Result<(), SalvageError> {
        let (position, received) = (entry.position, entry.received.timestamp_micros());
        let sum = checksum(position, received, &entry.body);
        let mut insert = self.connection.prepare_cached(STAGE_ENTRY)?;
        insert.execute((position.cast_signed(), received, sum, &entry.body[..]))?;
        drop(insert);
        Ok(self.wrote(entry.body.len())?)
    }

    fn wrote(&mut self, bytes: usize) -> rusqlite::Result<()> {
        self.pending += bytes;
        if self.pending >= COMMIT_BYTES {
            self.pending = 0;
            self.connection.execute_batch("COMMIT; BEGIN")?;
        }
        self.say();
        Ok(())
    }

    fn say(&mut self) {
        if self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            let entries = self.next_position - 1;
            tracing::info!(entries, "still taking over from the damaged journal");
        }
    }

    /// Syncs and closes the file.
    fn finish(self) -> rusqlite::Result<()> {
        self.connection.execute_batch(FINISH)?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// How far what was staged has been taken over.
#[derive(Default)]
struct Staged {
    position: i64,
    received: i64,
    sum: i64,
}

impl Staged {
    fn insert_before(&mut self, position: u64, target: &mut Target) -> Result<(), SalvageError> {
        let before = i64::try_from(position).unwrap_or(i64::MAX);
        loop {
            let mut select = target.connection.prepare_cached(NEXT_STAGED)?;
            let mut rows = select.query((self.position, self.received, self.sum, before))?;
            let Some(row) = rows.next()? else { return Ok(()) };
            *self = Self { position: row.get(0)?, received: row.get(1)?, sum: row.get(2)? };
            let body: Vec<u8> = row.get(3)?;
            drop(rows);
            drop(select);
            target.insert(self.received, &body)?;
        }
    }
}

#[cfg(test)]
#[path = "gap_tests.rs"]
mod gap_tests;
