//! The journal: a directory that can be written and synced, how fast, how full, and what waits in it.
//!
//! In: the data directory. Out: checks. Writes a small file there and removes it.

use super::Check;
use crate::journal::beside::{Lock, lock_of, moved_aside_in};
use crate::journal::inspect::{Inspector, file_in};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Twilio waits five seconds for an answer, which waits for one sync, or a few.
const SLOW: Duration = Duration::from_millis(100);

const SYNCS: usize = 15;

pub(super) fn checks(directory: &Path) -> Vec<Check> {
    if !directory.is_dir() {
        let found = format!("{} is not there yet; `serve` makes it", directory.display());
        return vec![Check::skipped("journal", found)];
    }
    let mut checks = Vec::new();
    checks.push(match sync_time(directory) {
        Ok(median) if median > SLOW => Check::warn(
            "journal's disk",
            format!("a sync takes {} ms", median.as_millis()),
            "use a local disk; a network file system is too slow under load",
        ),
        Ok(median) => Check::ok(
            "journal's disk",
            format!("a sync takes {:.1} ms", median.as_secs_f64() * 1e3),
        ),
        Err(error) => Check::fail(
            "journal's disk",
            format!("{} can't be written: {error}", directory.display()),
            "give the user of the service the directory; deliveries are answered 503 until then",
        ),
    });
    checks.extend(space(directory));
    let running =
        if lock_of(directory) == Lock::Held { "a service has it open" } else { "no service seen" };
    checks.push(match Inspector::open(&file_in(directory)).and_then(|journal| journal.span()) {
        Ok(span) => {
            let waiting = span.map_or(0, |(first, last)| last - first + 1);
            Check::ok("journal", format!("{waiting} events wait in it; {running}"))
        }
        Err(error) => {
            Check::warn("journal", error.to_string(), "`callsink journal verify` tells more")
        }
    });
    let aside = moved_aside_in(directory).len();
    if aside > 0 {
        let to_do = "`callsink journal export` brings out what is in them; then remove them";
        checks.push(Check::warn(
            "journal",
            format!("{aside} damaged ones were moved aside"),
            to_do,
        ));
    }
    checks
}

/// Median of a few.
fn sync_time(directory: &Path) -> std::io::Result<Duration> {
    let path = directory.join(format!(".doctor-{}", std::process::id()));
    let mut file = File::create(&path)?;
    let timed = (0..SYNCS).map(|_| {
        let started = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        Ok(started.elapsed())
    });
    let times = timed.collect::<std::io::Result<Vec<_>>>();
    std::fs::remove_file(&path)?;
    let mut times = times?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// By `df`, as the standard library can't tell.
fn space(directory: &Path) -> Option<Check> {
    let output = Command::new("df").arg("-Pk").arg(directory).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kibibytes: u64 = text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    let free = bytesize::ByteSize::kib(kibibytes);
    let found = format!("{free} free");
    Some(if kibibytes < 1 << 20 {
        Check::warn(
            "journal's space",
            found,
            "less than 1 GiB: some 300,000 events while PostgreSQL is away",
        )
    } else {
        Check::ok("journal's space", found)
    })
}
