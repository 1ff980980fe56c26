//! As whom PostgreSQL runs: as us, or, since it refuses root, as another user when we are root.
//!
//! Out: [`RunAs`], which commands are prepared with. Promises: PostgreSQL's programs see nothing of our
//! environment but the path, the locale and the time zone: no tokens, no stray `PG...` settings.
//! Must not know: what the programs do.

use super::PrivatePostgresError as Error;
use super::files::failed;
use super::place::Place;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The only variables that PostgreSQL's programs inherit.
const INHERITED: [&str; 4] = ["PATH", "LD_LIBRARY_PATH", "TMPDIR", "TZ"];

/// A user of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// `postgres`, which distributions make for this purpose, else `nobody`.
    pub fn for_postgres() -> Result<Self, Error> {
        let path = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(path).map_err(failed("read", path))?;
        Self::named("postgres", &passwd)
            .or_else(|| Self::named("nobody", &passwd))
            .ok_or(Error::NoUser)
    }

    /// Looks a name up in the text of `/etc/passwd` (`name:password:uid:gid:...`). Root is none.
    fn named(name: &str, passwd: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (uid != 0).then_some(Self { uid, gid })
        })
    }
}

/// The user that owns the cluster and runs its programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunAs {
    /// We are not root: whoever we are.
    Ourselves,
    /// We are root: this user.
    Other(User),
}

impl RunAs {
    /// As root, the owner of an existing cluster; a cluster that root owns (a restored copy) is handed over.
    pub fn choose(place: &Place) -> Result<Self, Error> {
        if !we_are_root() {
            return Ok(Self::Ourselves);
        }
        let Ok(owner) = fs::metadata(&place.cluster) else {
            return User::for_postgres().map(Self::Other);
        };
        if owner.uid() != 0 {
            return Ok(Self::Other(User { uid: owner.uid(), gid: owner.gid() }));
        }
        let run_as = Self::Other(User::for_postgres()?);
        run_as.own_all(&place.cluster)?;
        Ok(run_as)
    }

    /// A command that will run as this user, from a directory that every user may be in.
    pub fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Self::Other(user) = self {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }

    /// Hands one file or directory over.
    pub fn own(self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other(user) => {
                chown(path, Some(user.uid), Some(user.gid)).map_err(failed("hand over", path))
            }
        }
    }

    /// Hands a directory over with all it holds; links in it stay as they are.
    fn own_all(self, directory: &Path) -> Result<(), Error> {
        for entry in fs::read_dir(directory).map_err(failed("list", directory))? {
            let path = entry.map_err(failed("list", directory))?.path();
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                self.own_all(&path)?;
            } else {
                self.own(&path)?;
            }
        }
        self.own(directory)
    }
}

/// Whether this process is root. Where the system has no `/proc` the answer is no, and PostgreSQL's own
/// refusal of root is what the user sees.
pub fn we_are_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|us| us.uid() == 0)
}

/// Whether the user may pass through to the directory: tried, not computed, so that access lists count.
pub fn can_enter(user: &User, directory: &Path) -> Result<bool, Error> {
    let shell = Path::new("/bin/sh");
    let mut command = RunAs::Other(*user).command(shell);
    command.args(["-c", r#"cd -- "$1""#, "sh"]).arg(directory);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status().map_err(failed("run", shell))?.success())
}

#[cfg(test)]
mod tests {
    use super::User;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        postgresql:x:7:7::/:/bin/sh\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n\
        broken\nnobody:x:0:0::/:/bin/sh\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        assert_eq!(User::named("postgres", PASSWD), Some(User { uid: 101, gid: 104 }));
        assert_eq!(User::named("broken", PASSWD), None);
        assert_eq!(User::named("absent", PASSWD), None);
    }

    #[test]
    fn another_name_of_root_is_no_user() {
        assert_eq!(User::named("nobody", PASSWD), None);
    }
}
