//! The cluster on disk: made once, whole or not at all.
//!
//! In: a place, programs, a user. Out: a cluster that can be started, and its password.
//! Promises: a cluster gets its name only when it's complete (`initdb` runs in `postgres.new`, which a crash
//! leaves behind and the next start removes), and one that has its name is never deleted here.
//!
//! Settings that callsink depends on are not written here but given at every start, see `server`. What is
//! written are starting values that an operator may change with `ALTER SYSTEM`.
//! Must not know: ports, running servers.

use super::binaries::Binaries;
use super::files::{self, failed};
use super::place::Place;
use super::user::RunAs;
use super::{Durability, PrivatePostgresError as Error};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Asked for first; C where the system doesn't know it. Sorting then never depends on the system's library,
/// whose upgrades can damage indexes.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// For one service with a handful of connections on a small machine: room for its indexes, few checkpoints
/// (each makes the next writes of every page larger), no compiling of short queries.
const FIRST_STATEMENTS: [&str; 7] = [
    "ALTER SYSTEM SET shared_buffers = '256MB'",
    "ALTER SYSTEM SET max_wal_size = '4GB'",
    "ALTER SYSTEM SET checkpoint_timeout = '15min'",
    "ALTER SYSTEM SET jit = off",
    "ALTER SYSTEM SET timezone = 'UTC'",
    "ALTER SYSTEM SET log_timezone = 'UTC'",
    "CREATE DATABASE callsink",
];

/// The major version of the cluster, if there is one yet.
pub fn major(place: &Place) -> Result<Option<(u32, &Path)>, Error> {
    match files::read_if_there(&place.cluster.join("PG_VERSION"))? {
        Some(version) => match version.parse() {
            Ok(major) => Ok(Some((major, &place.cluster))),
            Err(_) => Err(Error::NotACluster { path: place.cluster.clone() }),
        },
        None if is_absent_or_empty(&place.cluster)? => Ok(None),
        None => Err(Error::NotACluster { path: place.cluster.clone() }),
    }
}

/// Makes the cluster if there is none, and gives its password.
pub fn make_or_open(
    place: &Place,
    binaries: &Binaries,
    run_as: &RunAs,
    durability: Durability,
) -> Result<String, Error> {
    let password_file = place.data_dir.join("postgres.password");
    let kept = files::read_if_there(&password_file)?.filter(|password| !password.is_empty());
    let exists = major(place)?.is_some();
    let password = match kept {
        Some(password) => password,
        None => {
            let password = new_password()?;
            if exists {
                tracing::warn!(
                    "postgres.password was lost: giving the private PostgreSQL a new one"
                );
                let statement = format!("ALTER ROLE callsink PASSWORD '{password}'");
                run_single(binaries, *run_as, durability, &place.cluster, &[&statement])?;
            }
            files::replace(&password_file, &format!("{password}\n"), 0o600)?;
            password
        }
    };
    if !exists {
        tracing::info!(directory = %place.cluster.display(), "making a private PostgreSQL cluster");
        make(place, binaries, *run_as, durability, &password)?;
    }
    place.link()?;
    Ok(password)
}

fn is_absent_or_empty(path: &Path) -> Result<bool, Error> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed("list", path)(error)),
    }
}

/// 32 random bytes, in letters that need no escaping in a URL or in SQL.
fn new_password() -> Result<String, Error> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 32];
    File::open(path)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(failed("read", path))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn make(
    place: &Place,
    binaries: &Binaries,
    run_as: RunAs,
    durability: Durability,
    password: &str,
) -> Result<(), Error> {
    let staging = place.staging();
    if staging.exists() {
        tracing::warn!(directory = %staging.display(), "removing a half-made cluster");
        fs::remove_dir_all(&staging).map_err(failed("remove", &staging))?;
    }
    files::make_private_dir(&staging)?;
    let password_file = staging.join("password");
    files::replace(&password_file, &format!("{password}\n"), 0o600)?;
    run_as.own(&password_file)?;
    run_as.own(&staging)?;

    let cluster = staging.join("cluster");
    init(binaries, run_as, durability, &cluster, &password_file)?;
    run_single(binaries, run_as, durability, &cluster, &FIRST_STATEMENTS)?;

    fs::rename(&cluster, &place.cluster).map_err(failed("make", &place.cluster))?;
    files::sync_dir(&place.home)?;
    fs::remove_dir_all(&staging).map_err(failed("remove", &staging))
}

fn init(
    binaries: &Binaries,
    run_as: RunAs,
    durability: Durability,
    cluster: &Path,
    password_file: &Path,
) -> Result<(), Error> {
    let mut outcome = Ok(());
    for locale in LOCALES {
        let initdb = binaries.initdb();
        let mut command = run_as.command(&initdb);
        command.args(["--username=callsink", "--auth=scram-sha-256", "--encoding=UTF8"]);
        command.args(["--data-checksums", "--no-instructions"]).arg(format!("--locale={locale}"));
        command.arg("--pwfile").arg(password_file).arg("--pgdata").arg(cluster);
        if durability == Durability::TestsOnly {
            command.arg("--no-sync");
        }
        // A failed initdb removes what it made, so the next locale finds an empty place.
        let output = run(&mut command, &initdb, b"")?;
        outcome = expect_success("initdb", &output);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Runs statements in the server's single-user mode: before it listens, and without a client program.
fn run_single(
    binaries: &Binaries,
    run_as: RunAs,
    durability: Durability,
    cluster: &Path,
    statements: &[&str],
) -> Result<(), Error> {
    let postgres = binaries.postgres();
    let mut command = run_as.command(&postgres);
    command.arg("--single").arg("-D").arg(cluster);
    command.args(["-c", "exit_on_error=on", "-c", "log_checkpoints=off"]);
    if durability == Durability::TestsOnly {
        command.args(["-c", "fsync=off"]);
    }
    command.arg("postgres");
    let input = statements.iter().map(|statement| format!("{statement}\n")).collect::<String>();
    let output = run(&mut command, &postgres, input.as_bytes())?;
    expect_success("postgres --single", &output)
}

/// Runs a program to its end. The input is far smaller than a pipe's buffer, so writing it can't block.
fn run(command: &mut Command, program: &Path, input: &[u8]) -> Result<Output, Error> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed("run", program))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ended early closed its side; its exit status tells more than this error.
        stdin.write_all(input).ok();
    }
    child.wait_with_output().map_err(failed("run", program))
}

fn expect_success(program: &'static str, output: &Output) -> Result<(), Error> {
    if output.status.success() {
        return Ok(());
    }
    let output_text = files::last_lines(&String::from_utf8_lossy(&output.stderr));
    Err(Error::Program { program, status: output.status.to_string(), output: output_text })
}
