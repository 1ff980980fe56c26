//! What stands beside a journal's file: the lock of a service, files that were moved aside.
//!
//! In: the directory of a journal. Out: who has it open, and what else is there. Promises: takes no lock
//! and writes nothing.

use super::open::LOCK;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whether a service has the journal open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// A service runs.
    Held,
    /// None was seen. One in another container, with process ids of its own, can't be.
    NotSeen,
    /// This system does not tell who holds locks.
    Unknown,
}

/// Whether a service holds the lock of `directory`. Asked of the system's list of locks: to try the lock
/// would take it, and a service that is just starting would find it taken.
#[must_use]
pub fn lock_of(directory: &Path) -> Lock {
    let Ok(list) = std::fs::read_to_string("/proc/locks") else { return Lock::Unknown };
    let Ok(file) = std::fs::metadata(directory.join(LOCK)) else { return Lock::NotSeen };
    let held = list.lines().any(|line| is_exclusive_lock_on(line, file.dev(), file.ino()));
    if held { Lock::Held } else { Lock::NotSeen }
}

/// A line is such as `4: FLOCK  ADVISORY  WRITE 15564 fe:00:10347187 0 EOF`; see proc_locks(5).
fn is_exclusive_lock_on(line: &str, device: u64, inode: u64) -> bool {
    // As the C library's `major` and `minor` take a device apart.
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & !0xfff);
    let minor = (device & 0xff) | ((device >> 12) & !0xff);
    let mut words = line.split_whitespace().skip(1);
    let (kind, _, mode, _, file) =
        (words.next(), words.next(), words.next(), words.next(), words.next());
    // A waiting lock has an arrow where a held one has its kind.
    kind == Some("FLOCK")
        && mode == Some("WRITE")
        && file.is_some_and(|file| file == format!("{major:02x}:{minor:02x}:{inode}"))
}

/// Files that were moved aside because they could not be read, without their companions.
#[must_use]
pub fn moved_aside_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(directory) else { return Vec::new() };
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("journal.db.corrupt-")
            && !name.ends_with("-wal")
            && !name.ends_with("-shm")
    };
    let mut found: Vec<PathBuf> =
        files.filter_map(Result::ok).map(|file| file.path()).filter(is_aside).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_told_from_others() {
        let device = 0xfe00;
        let held = "4: FLOCK  ADVISORY  WRITE 15564 fe:00:10347187 0 EOF";
        assert!(is_exclusive_lock_on(held, device, 10_347_187));
        assert!(!is_exclusive_lock_on(held, device, 10_347_188));
        assert!(!is_exclusive_lock_on(held, device + 1, 10_347_187));
        let others = [
            "4: -> FLOCK  ADVISORY  WRITE 15564 fe:00:10347187 0 EOF",
            "4: POSIX  ADVISORY  WRITE 15564 fe:00:10347187 0 EOF",
            "4: FLOCK  ADVISORY  READ 15564 fe:00:10347187 0 EOF",
            "",
        ];
        assert!(others.iter().all(|line| !is_exclusive_lock_on(line, device, 10_347_187)));
    }
}
