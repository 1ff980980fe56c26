//! Which PostgreSQL programs to use.
//!
//! In: the major version of an existing cluster, or none. Out: a directory with `initdb` and `postgres`.
//! Where: only `CALLSINK_POSTGRES_BIN` if that is set; else the first good one of `PATH`, then the highest
//! version in the directories that distributions use. For an existing cluster only its own version will do.
//! Must not know: clusters, users.

use super::PrivatePostgresError as Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest version that the schema runs on.
const OLDEST: u32 = 15;

/// `<parent>/<prefix>*/bin`: Debian and Ubuntu; PGDG's packages for Red Hat; Homebrew.
const USUAL: [(&str, &str); 3] =
    [("/usr/lib/postgresql", ""), ("/usr", "pgsql-"), ("/opt/homebrew/opt", "postgresql")];

/// One installed PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
    major: u32,
}

impl Binaries {
    /// Finds the programs for a cluster of this major version, or for a new one.
    pub fn find(cluster: Option<(u32, &Path)>) -> Result<Self, Error> {
        let candidates = match std::env::var_os("CALLSINK_POSTGRES_BIN") {
            Some(named) => vec![PathBuf::from(named)],
            None => usual_directories(),
        };
        let seen: Vec<_> =
            candidates.iter().map(|path| (path.as_path(), look_into(path))).collect();
        match choose(&seen, cluster.map(|(major, _)| major)) {
            Some(binaries) => Ok(binaries),
            None => Err(match cluster {
                Some((major, path)) => {
                    Error::OtherMajor { cluster: path.to_owned(), major, seen: describe(&seen) }
                }
                None => Error::NoBinaries { seen: describe(&seen) },
            }),
        }
    }

    /// `initdb`, by its full name.
    pub fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    /// The server, by its full name.
    pub fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }
}

type Looked = Result<Binaries, &'static str>;

/// The directories of `PATH` that have an `initdb`, in order, then the usual ones, the highest first.
fn usual_directories() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<PathBuf> = std::env::split_paths(&path)
        .filter(|directory| directory.join("initdb").exists())
        .collect();
    for (parent, prefix) in USUAL {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        let mut versions: Vec<(u32, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let rest = name.strip_prefix(prefix)?;
                let version = rest.trim_start_matches('@').parse().unwrap_or(0);
                let directory = entry.path().join("bin");
                directory.join("initdb").exists().then_some((version, directory))
            })
            .collect();
        versions.sort();
        found.extend(versions.into_iter().rev().map(|(_, directory)| directory));
    }
    found
}

/// What kind of PostgreSQL a directory holds. Links are resolved: PostgreSQL looks for its other files
/// beside the real programs.
fn look_into(directory: &Path) -> Looked {
    let initdb = directory.join("initdb").canonicalize().map_err(|_| "no initdb")?;
    let directory = initdb.parent().ok_or("no initdb")?.to_owned();
    let postgres = directory.join("postgres");
    if !postgres.exists() {
        return Err("no postgres beside initdb");
    }
    let output = Command::new(postgres).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|_| "postgres does not run")?;
    let major = major_of(&String::from_utf8_lossy(&output.stdout)).ok_or("no known version")?;
    Ok(Binaries { directory, major })
}

/// The major version in `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`, or of `18beta1`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL) ")?.1;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn choose(seen: &[(&Path, Looked)], cluster: Option<u32>) -> Option<Binaries> {
    let mut good = seen.iter().filter_map(|(_, looked)| looked.as_ref().ok());
    good.find(|binaries| match cluster {
        Some(major) => binaries.major == major,
        None => binaries.major >= OLDEST,
    })
    .cloned()
}

fn describe(seen: &[(&Path, Looked)]) -> String {
    if seen.is_empty() {
        return "no initdb in PATH or in the usual places".to_owned();
    }
    let seen = seen.iter().map(|(path, looked)| match looked {
        Ok(binaries) => format!("version {} in {}", binaries.major, path.display()),
        Err(reason) => format!("{reason} in {}", path.display()),
    });
    seen.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Binaries, choose, describe, major_of};
    use std::path::Path;

    fn version(major: u32) -> Result<Binaries, &'static str> {
        Ok(Binaries { directory: format!("/pg/{major}").into(), major })
    }

    #[test]
    fn the_major_version_is_read_from_what_the_server_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major_of("something else 15"), None);
    }

    #[test]
    fn a_new_cluster_takes_the_first_that_is_new_enough() {
        let seen = [(Path::new("/a"), version(14)), (Path::new("/b"), version(17))];
        assert_eq!(choose(&seen, None).map(|found| found.major), Some(17));
    }

    #[test]
    fn an_existing_cluster_takes_only_its_own_version() {
        let seen = [(Path::new("/a"), version(17)), (Path::new("/b"), version(15))];
        assert_eq!(choose(&seen, Some(15)).map(|found| found.major), Some(15));
        assert_eq!(choose(&seen, Some(16)), None);
        assert_eq!(describe(&seen), "version 17 in /a, version 15 in /b");
    }
}
