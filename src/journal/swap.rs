//! Puts a new journal in the place of a damaged one, so that a kill at any moment loses neither.
//!
//! In: the directory, a finished new file, what to say about it. Out: the new file in place, the old one
//! with its log under a name of its own. Promises: once the order to swap is on stable storage, it is
//! carried out, now or at the next start; until then everything is as it was. Nothing is deleted but an
//! unfinished new file and the order.
//!
//! Why an order: the file and its log are two renames, and a file without its log has lost events.

use super::open::FILE;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The new file while it is being made.
pub(super) const NEW: &str = "journal.db.new";

/// The order: the name that the old file gets, and a line on what was taken over.
const ORDER: &str = "journal.swap";

/// Why a running service found the journal damaged; the next start takes over what it can.
pub(super) const DAMAGED: &str = "journal.damaged";

/// What a file of SQLite may have beside it.
const COMPANIONS: [&str; 3] = ["", "-wal", "-shm"];

/// The file at `path` with `suffix` behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Carries out an order that was interrupted, and removes what an interrupted salvage has left; what the
/// order says, if there was one.
pub(super) fn recover(directory: &Path) -> io::Result<Option<(PathBuf, String)>> {
    match std::fs::read_to_string(directory.join(ORDER)) {
        Ok(order) => carry_out(directory, &order).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            discard_new(directory)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Removes an unfinished new file.
pub(super) fn discard_new(directory: &Path) -> io::Result<()> {
    for suffix in COMPANIONS {
        remove(&beside(&directory.join(NEW), suffix))?;
    }
    Ok(())
}

/// Swaps; where the old file is now.
pub(super) fn swap(directory: &Path, figures: &str) -> io::Result<PathBuf> {
    let stamp = chrono::Utc::now().format("%Y%m%dT%H%M%S%.3fZ");
    let order = format!("{FILE}.corrupt-{stamp}\n{figures}\n");
    // Under another name first: half an order would be carried out by halves.
    let unfinished = directory.join(format!("{ORDER}.new"));
    let mut file = File::create(&unfinished)?;
    file.write_all(order.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, directory.join(ORDER))?;
    sync(directory)?;
    carry_out(directory, &order).map(|(aside, _)| aside)
}

fn carry_out(directory: &Path, order: &str) -> io::Result<(PathBuf, String)> {
    let (name, figures) = order.trim_end().split_once('\n').unwrap_or((order.trim_end(), ""));
    let (file, new, aside) = (directory.join(FILE), directory.join(NEW), directory.join(name));
    // As long as the new file has its first name, what bears the journal's name is the old one.
    if new.exists() {
        for suffix in COMPANIONS {
            let old = beside(&file, suffix);
            if old.exists() {
                std::fs::rename(old, beside(&aside, suffix))?;
            }
        }
        sync(directory)?;
        std::fs::rename(new, file)?;
        sync(directory)?;
    }
    remove(&directory.join(DAMAGED))?;
    remove(&directory.join(ORDER))?;
    sync(directory)?;
    Ok((aside, figures.to_owned()))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Renames are on stable storage only when the directory is.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod swap_tests;
