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

/// The kernel tells its list of locks 4 KiB at a time, by their numbers in the list: while others come and go, one that
/// stays can be passed over. Not so often.
const LOOKS: usize = 5;

/// Whether a service holds the lock of `directory`. Asked of the system's list of locks: to try the lock
/// would take it, and a service that is just starting would find it taken.
#[must_use]
pub fn lock_of(directory: &Path) -> Lock {
    for _ in 0..LOOKS {
        let Ok(list) = std::fs::read_to_string("/proc/locks") else { return Lock::Unknown };
        let Ok(file) = std::fs::metadata(directory.join(LOCK)) else { return Lock::NotSeen };
        if list.lines().any(|line| is_exclusive_lock_on(line, file.dev(), file.ino())) {
            return Lock::Held;
        }
    }
    Lock::NotSeen
}

/// A line is such as `4: FLOCK  ADVISORY  WRITE 15564 fe:00:10347187 0 EOF`; see proc_locks(5).
fn is_exclusive_lock_on(line: &str, device: u64, inode: u64) -> bool {
    // As the C library's `major` and `minor` take a device apart.
    let major = ((device >> 8) & 0xfff) | ((device >> 32) & 0xffff_f000);
    let minor = (device & 0xff) | ((device >> 12) & 0xffff_ff00);
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

    #[test]
    fn a_device_with_large_numbers_is_recognised() {
        // major 0x12345, minor 0x6789a
        let device = 0x0001_2000_6783_459a;
        let line = "1: FLOCK  ADVISORY  WRITE 1 12345:6789a:7 0 EOF";
        assert!(is_exclusive_lock_on(line, device, 7));
    }

    #[test]
    fn files_moved_aside_are_told_without_their_companions() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(moved_aside_in(&directory.path().join("missing")), [""; 0].map(PathBuf::from));
        for name in ["2", "1", "1-wal", "1-shm"] {
            let name = format!("journal.db.corrupt-{name}");
            std::fs::write(directory.path().join(name), "").expect("written");
        }
        for name in ["journal.db", "journal.db-wal", "notes"] {
            std::fs::write(directory.path().join(name), "").expect("written");
        }
        let aside = |name| directory.path().join(format!("journal.db.corrupt-{name}"));
        assert_eq!(moved_aside_in(directory.path()), [aside("1"), aside("2")]);
    }

    #[test]
    fn a_running_service_is_seen_and_a_stopped_one_is_not() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(lock_of(directory.path()), Lock::NotSeen, "none has run");
        let opened = super::super::open(directory.path(), 1 << 20).expect("opens");
        assert_eq!(lock_of(directory.path()), Lock::Held);
        drop(opened.journal);
        opened.writer.join().expect("the writer ends");
        assert_eq!(lock_of(directory.path()), Lock::NotSeen);
    }
}
