//! What processes have used, as Linux tells it.
//!
//! In: process ids. Out: CPU time, peak memory, bytes written. Promises: of PostgreSQL the processes that have
//! ended count as well, since their parent inherits their time.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Of `/proc/PID/stat`: hundredths of a second on every Linux that runs here.
const TICK: Duration = Duration::from_millis(10);

struct Stat {
    parent: u32,
    own: u32,
    inherited: u32,
}

fn stat(pid: u32) -> Result<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("a process has a name")?;
    let fields: Vec<u32> =
        rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let at = |index: usize| fields.get(index).copied().unwrap_or(0);
    Ok(Stat { parent: at(1), own: at(11) + at(12), inherited: at(13) + at(14) })
}

/// CPU time of one process, threads that have ended included.
pub fn cpu(pid: u32) -> Result<Duration> {
    Ok(TICK * stat(pid)?.own)
}

/// CPU time of this process.
pub fn own_cpu() -> Result<Duration> {
    cpu(std::process::id())
}

/// To the nanosecond, of the threads that live: for a process that is idle.
pub fn cpu_exact(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// CPU time of a PostgreSQL: its first process and all that it started, dead or alive.
pub fn postgres_cpu(cluster: &Path) -> Result<Duration> {
    let file = fs::read_to_string(cluster.join("postmaster.pid"))?;
    let postmaster: u32 = file.lines().next().unwrap_or_default().trim().parse()?;
    let first = stat(postmaster)?;
    let mut ticks = first.own + first.inherited;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Ok(child) = stat(pid)
            && child.parent == postmaster
        {
            ticks += child.own + child.inherited;
        }
    }
    Ok(TICK * ticks)
}

/// Peak resident memory in MiB.
pub fn peak_rss_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// Bytes that the process has sent towards a disk.
pub fn written_bytes(pid: u32) -> Result<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let line =
        io.lines().find_map(|line| line.strip_prefix("write_bytes:")).context("write_bytes")?;
    Ok(line.trim().parse()?)
}
