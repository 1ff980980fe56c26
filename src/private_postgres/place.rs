//! Where the cluster is, or will be.
//!
//! In: the data directory. Out: a [`Place`].
//! Normally `<data_dir>/postgres`. When root starts us, PostgreSQL runs as another user; if that user may
//! not pass through to the data directory (below `/root`, say), the cluster stands in `/var/lib/callsink`
//! instead and `<data_dir>/postgres` is a link to it. Existing clusters stay where they are.
//!
//! Must not know: what is in a cluster.

use super::PrivatePostgresError as Error;
use super::files::{self, failed};
use super::user::{self, User};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Where clusters go whose data directory PostgreSQL's user cannot reach.
const ELSEWHERE: &str = "/var/lib/callsink";

/// The paths of one private PostgreSQL.
#[derive(Debug, Clone)]
pub struct Place {
    /// Absolute, without links.
    pub data_dir: PathBuf,
    /// The directory that holds, or will hold, the cluster.
    pub home: PathBuf,
    /// `<home>/postgres`, what PostgreSQL calls its data directory.
    pub cluster: PathBuf,
    /// `<data_dir>/postgres.log`.
    pub log: PathBuf,
}

impl Place {
    fn new(data_dir: &Path, cluster: PathBuf) -> Self {
        let home = cluster.parent().map_or_else(|| data_dir.to_owned(), Path::to_owned);
        Self { data_dir: data_dir.to_owned(), home, cluster, log: data_dir.join("postgres.log") }
    }

    /// Where a cluster is made before it gets its name.
    pub fn staging(&self) -> PathBuf {
        self.home.join("postgres.new")
    }

    /// Leads from the data directory to a cluster that is elsewhere.
    pub fn link(&self) -> Result<(), Error> {
        let link = self.data_dir.join("postgres");
        if link == self.cluster || link.is_symlink() {
            return Ok(());
        }
        std::os::unix::fs::symlink(&self.cluster, &link).map_err(failed("make", &link))?;
        tracing::info!(
            directory = %self.cluster.display(),
            "PostgreSQL runs as another user, who cannot enter the data directory: the private cluster is \
             elsewhere, and the data directory has a link to it"
        );
        files::sync_dir(&self.data_dir)
    }
}

/// Looks for the cluster, or decides where a new one goes. Makes no cluster.
pub fn find(data_dir: &Path) -> Result<Place, Error> {
    let own = data_dir.join("postgres");
    if own.is_symlink() {
        let target = fs::read_link(&own).map_err(failed("read", &own))?;
        let target = data_dir.join(target);
        return match target.canonicalize() {
            Ok(cluster) => Ok(Place::new(data_dir, cluster)),
            Err(_) => Err(Error::Dangling { link: own, target }),
        };
    }
    if own.exists() || !user::we_are_root() || user::can_enter(&User::for_postgres()?, data_dir)? {
        return Ok(Place::new(data_dir, own));
    }
    let home = Path::new(ELSEWHERE).join(short_hash(data_dir));
    fs::create_dir_all(&home).map_err(failed("make", &home))?;
    let cluster = home.join("postgres");
    if cluster.exists() {
        tracing::warn!(
            directory = %cluster.display(),
            "using the cluster that an earlier data directory of this name left here"
        );
    }
    Ok(Place::new(data_dir, cluster))
}

/// 16 hex digits that tell data directories apart.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
