//! `journal inspect`: depth, age, size, and who has it open.
//!
//! In: a journal. Out: a line per figure, or one JSON object whose names don't change.

use super::Place;
use crate::journal::beside::{Lock, lock_of, moved_aside_in};
use crate::journal::inspect::{InspectError, Inspector, Sizes};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a journal is doing.
struct Report {
    path: PathBuf,
    layout: i64,
    service: Lock,
    /// First and last position.
    span: Option<(u64, u64)>,
    oldest: Option<DateTime<Utc>>,
    newest: Option<DateTime<Utc>>,
    sizes: Sizes,
    moved_aside: Vec<PathBuf>,
    now: DateTime<Utc>,
}

pub(super) fn run(place: &Place, json: bool) -> anyhow::Result<ExitCode> {
    let report = match place.open().and_then(|inspector| Report::of(&inspector)) {
        Ok(report) => report,
        Err(error) if error.is_damage() => {
            return Err(anyhow::Error::from(error).context(
                "the journal is damaged (`callsink journal verify` says how and what to do)",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if json {
        println!("{}", report.json());
    } else {
        print!("{report}");
    }
    Ok(ExitCode::SUCCESS)
}

impl Report {
    fn of(inspector: &Inspector) -> Result<Self, InspectError> {
        let path = inspector.path().to_owned();
        let directory = path.parent().unwrap_or(&path).to_owned();
        let span = inspector.span()?;
        // A running service may have forgotten the oldest since.
        let received = |position: Option<u64>| match position {
            Some(position) => inspector.received(position),
            None => Ok(None),
        };
        Ok(Self {
            layout: inspector.layout()?,
            service: lock_of(&directory),
            oldest: received(span.map(|(first, _)| first))?,
            newest: received(span.map(|(_, last)| last))?,
            span,
            sizes: inspector.sizes()?,
            moved_aside: moved_aside_in(&directory),
            path,
            now: Utc::now(),
        })
    }

    /// Positions have no gaps, so the ends tell how many there are.
    fn depth(&self) -> u64 {
        self.span.map_or(0, |(first, last)| last - first + 1)
    }

    fn json(&self) -> Value {
        let age =
            |time: Option<DateTime<Utc>>| time.map(|time| (self.now - time).num_seconds().max(0));
        let text = |time: Option<DateTime<Utc>>| time.map(stamp);
        json!({
            "journal": self.path.display().to_string(),
            "layout": self.layout,
            "service": match self.service {
                Lock::Held => "running",
                Lock::NotSeen => "not_seen",
                Lock::Unknown => "unknown",
            },
            "depth_events": self.depth(),
            "first_position": self.span.map(|(first, _)| first),
            "last_position": self.span.map(|(_, last)| last),
            "oldest_received": text(self.oldest),
            "oldest_age_seconds": age(self.oldest),
            "newest_received": text(self.newest),
            "newest_age_seconds": age(self.newest),
            "used_bytes": self.sizes.used,
            "file_bytes": self.sizes.file,
            "wal_bytes": self.sizes.wal,
            "moved_aside": self.moved_aside.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = match self.service {
            Lock::Held => "running: one holds the lock",
            Lock::NotSeen => "none seen (one in another container would not be)",
            Lock::Unknown => "unknown: this system does not tell who holds locks",
        };
        let age = |time: Option<DateTime<Utc>>| match time {
            Some(time) => format!("{}, {} ago", stamp(time), span_of_time(self.now - time)),
            None => "-".to_owned(),
        };
        writeln!(formatter, "journal      {}, layout {}", self.path.display(), self.layout)?;
        writeln!(formatter, "service      {service}")?;
        writeln!(formatter, "depth        {} events", self.depth())?;
        match self.span {
            Some((first, last)) => writeln!(formatter, "positions    {first} to {last}")?,
            None => writeln!(formatter, "positions    -")?,
        }
        writeln!(formatter, "oldest       {}", age(self.oldest))?;
        writeln!(formatter, "newest       {}", age(self.newest))?;
        for (name, bytes) in
            [("in use", self.sizes.used), ("file", self.sizes.file), ("wal", self.sizes.wal)]
        {
            writeln!(formatter, "{name:<12} {bytes} bytes ({})", bytesize::ByteSize::b(bytes))?;
        }
        if self.moved_aside.is_empty() {
            writeln!(formatter, "moved aside  none")?;
        }
        for path in &self.moved_aside {
            writeln!(formatter, "moved aside  {}", path.display())?;
        }
        Ok(())
    }
}

pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The two largest units are enough.
fn span_of_time(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    let parts = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let largest = parts.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(parts.len() - 1);
    let mut left = seconds;
    let said = parts.iter().enumerate().filter_map(|(index, (unit, name))| {
        let count = left / unit;
        left %= unit;
        (index == largest || (index == largest + 1 && count > 0)).then(|| format!("{count} {name}"))
    });
    said.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_its_two_largest_units() {
        for (seconds, said) in [
            (-5, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_725, "1 h 2 min"),
            (86_400 * 3 + 59, "3 d"),
            (86_400 + 7_200, "1 d 2 h"),
        ] {
            assert_eq!(span_of_time(TimeDelta::seconds(seconds)), said);
        }
    }
}
