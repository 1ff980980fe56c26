//! Small file jobs that all rooms here share; each failure names the file.
//!
//! Promises: secrets are readable by their owner only, from their first byte on.

use super::PrivatePostgresError as Error;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The log is moved to `postgres.log.old` at a start beyond this: weeks of a talkative server.
const LOG_MAX_BYTES: u64 = 10 << 20;
/// How much of the log an error looks at, and how many lines it shows: a screenful.
const TAIL_BYTES: u64 = 8 << 10;
const TAIL_LINES: usize = 10;

/// Turns an I/O error into ours.
pub fn failed<'a>(what: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> Error + 'a {
    move |source| Error::File { what, path: path.to_owned(), source }
}

/// Makes the data directory and gives its absolute name without links.
pub fn make_data_dir(path: &Path) -> Result<PathBuf, Error> {
    fs::create_dir_all(path).map_err(failed("make", path))?;
    path.canonicalize().map_err(failed("resolve", path))
}

/// Waits for the lock; it's free again when the file is dropped or the process dies.
pub fn lock(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true).mode(0o600).open(path);
    let file = file.map_err(failed("open", path))?;
    file.lock().map_err(failed("lock", path))?;
    Ok(file)
}

/// Makes a directory for its owner only; an existing one is an error.
pub fn make_private_dir(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().mode(0o700).create(path).map_err(failed("make", path))
}

/// Writes a small file whole: a crash leaves the old content or the new one.
pub fn replace(path: &Path, content: &str, mode: u32) -> Result<(), Error> {
    let new = path.with_added_extension("new");
    remove_if_there(&new)?;
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(mode).open(&new).map_err(failed("make", &new))?;
    file.write_all(content.as_bytes()).map_err(failed("write", &new))?;
    file.sync_all().map_err(failed("sync", &new))?;
    fs::rename(&new, path).map_err(failed("replace", path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Removes a file; its absence is fine.
pub fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(failed("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes renames in the directory last through a power loss.
pub fn sync_dir(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(failed("sync", path))
}

/// The content of a small text file without surrounding white space, if there is such a file.
pub fn read_if_there(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// The server's log, for appending; readable by us only, as a refused row may stand in it. A big one is
/// moved aside first.
pub fn open_log(path: &Path) -> Result<File, Error> {
    if fs::metadata(path).is_ok_and(|log| log.len() > LOG_MAX_BYTES) {
        let old = path.with_added_extension("old");
        fs::rename(path, &old).map_err(failed("move aside", path))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600).open(path).map_err(failed("open", path))
}

/// The last lines of the log that were written since it was `from` bytes long, in one line.
pub fn tail(path: &Path, from: u64) -> String {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|mut log| {
        let end = log.metadata()?.len();
        log.seek(SeekFrom::Start(from.max(end.saturating_sub(TAIL_BYTES))))?;
        log.read_to_end(&mut text)
    });
    match read {
        Ok(_) => last_lines(&String::from_utf8_lossy(&text)),
        Err(error) => format!("(cannot be read: {error})"),
    }
}

/// The last lines of a text, in one line, for an error.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.split_at(lines.len().saturating_sub(TAIL_LINES)).1 {
        [] => "(nothing)".to_owned(),
        last => last.join(" | "),
    }
}
