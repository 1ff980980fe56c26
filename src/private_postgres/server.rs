//! One run of the server, under a guard.
//!
//! In: a finished cluster. Out: a [`Server`] that accepts connections.
//! The direct child is a small shell script, `guard.sh`, in its own process group: it holds PostgreSQL, and
//! stops it when the pipe from us closes. A Ctrl-C in the terminal thus doesn't reach PostgreSQL before the
//! service has flushed, and a killed service doesn't leave it behind.
//! Must not know: how clusters are made; what happens when a run ends (see `keeper`).

use super::binaries::Binaries;
use super::files::{self, failed};
use super::place::Place;
use super::user::RunAs;
use super::{Durability, PrivatePostgresError as Error, port};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Recovery after a crash reads at most `max_wal_size` of log; a minute does on a slow disk.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// A predecessor that was killed a moment ago is still writing its last checkpoint.
const PREDECESSOR_GONE_WITHIN: Duration = Duration::from_secs(10);
/// A checkpoint of what `shared_buffers` holds takes seconds, on a slow disk some more.
pub const STOPPED_WITHIN: Duration = Duration::from_secs(30);
/// Fast enough for tests to start many, slow enough to cost nothing.
const POLL: Duration = Duration::from_millis(50);
/// Another process may take a port between our look and PostgreSQL's bind; thrice in a row it doesn't.
const PORT_ATTEMPTS: u32 = 3;

/// Everything that a start needs.
#[derive(Debug)]
pub struct Spec {
    pub place: Place,
    pub binaries: Binaries,
    pub run_as: RunAs,
    pub durability: Durability,
}

/// A running server. Dropping it closes the pipe, so the guard stops it soon after.
#[derive(Debug)]
pub struct Server {
    guard: Child,
    pipe: Option<ChildStdin>,
    pid: u32,
}

/// Starts on the remembered port or another free one; returns when connections are accepted.
pub fn start_on_some_port(spec: &Spec) -> Result<(Server, u16), Error> {
    let mut attempt = 1;
    let mut port = port::choose(&spec.place.data_dir)?;
    loop {
        match start(spec, port) {
            Err(Error::Ended { tail, .. })
                if attempt < PORT_ATTEMPTS
                    && tail.contains("could not create any TCP/IP sockets") =>
            {
                attempt += 1;
                port = port::any().map_err(failed("find a free port for", &spec.place.data_dir))?;
            }
            result => return result.map(|server| (server, port)),
        }
    }
}

/// Starts on this port; returns when connections are accepted. Waits for a stopping predecessor.
pub fn start(spec: &Spec, port: u16) -> Result<Server, Error> {
    let give_up = Instant::now() + PREDECESSOR_GONE_WITHIN;
    loop {
        match try_start(spec, port) {
            Err(Error::Ended { tail, .. }) if says_in_use(&tail) => {
                if Instant::now() > give_up {
                    let seconds = PREDECESSOR_GONE_WITHIN.as_secs();
                    return Err(Error::InUse { cluster: spec.place.cluster.clone(), seconds });
                }
                sleep(POLL * 5);
            }
            result => return result,
        }
    }
}

/// PostgreSQL's words when the lock file's process lives, and when only a child of a killed one still does.
fn says_in_use(tail: &str) -> bool {
    tail.contains("lock file \"postmaster.pid\" already exists")
        || tail.contains("pre-existing shared memory block")
}

fn try_start(spec: &Spec, port: u16) -> Result<Server, Error> {
    let log_path = &spec.place.log;
    let log = files::open_log(log_path)?;
    let log_begin = log.metadata().map_err(failed("read", log_path))?.len();
    let mut server = spawn(spec, port, log)?;
    let give_up = Instant::now() + READY_WITHIN;
    loop {
        if server.is_ready(&spec.place.cluster, port) {
            return Ok(server);
        }
        if server.has_ended() {
            let tail = files::tail(log_path, log_begin);
            return Err(Error::Ended { log: log_path.clone(), tail });
        }
        if Instant::now() > give_up {
            let tail = files::tail(log_path, log_begin);
            let seconds = READY_WITHIN.as_secs();
            return Err(Error::NotReady { log: log_path.clone(), seconds, tail });
        }
        sleep(POLL);
    }
}

fn spawn(spec: &Spec, port: u16, log: std::fs::File) -> Result<Server, Error> {
    let shell = Path::new("/bin/sh");
    let mut command = spec.run_as.command(shell);
    command.args(["-c", include_str!("guard.sh"), "callsink-postgres-guard"]);
    command.arg(spec.binaries.postgres()).arg("-D").arg(&spec.place.cluster);
    for setting in settings(spec.durability, port) {
        command.arg("-c").arg(setting);
    }
    // A stale lock file may hold a process id that is now ours (in containers they repeat); PostgreSQL
    // ignores its parent's, and this one, as nobody else can be running it under us.
    command.env("PG_GRANDPARENT_PID", std::process::id().to_string());
    command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
    let mut guard = command.spawn().map_err(failed("run", shell))?;
    let pipe = guard.stdin.take();
    let mut line = String::new();
    if let Some(stdout) = guard.stdout.take() {
        BufReader::new(stdout).read_line(&mut line).map_err(failed("read from", shell))?;
    }
    // A guard without a process id to tell has ended, which the caller sees next.
    Ok(Server { guard, pipe, pid: line.trim().parse().unwrap_or(0) })
}

/// What callsink depends on, given at every start so that no edited file changes it.
fn settings(durability: Durability, port: u16) -> Vec<String> {
    let mut settings = vec![
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "logging_collector=off".to_owned(),
        "log_destination=stderr".to_owned(),
        "lc_messages=C".to_owned(), // its words are recognised here
    ];
    // Without this a kill of PostgreSQL would lose rows; with fsync off it costs tests nothing.
    settings.push("synchronous_commit=on".to_owned());
    let power_loss = match durability {
        Durability::Full => "on",
        Durability::TestsOnly => "off",
    };
    for name in ["fsync", "full_page_writes"] {
        settings.push(format!("{name}={power_loss}"));
    }
    settings
}

impl Server {
    /// Whether the server has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.guard.try_wait(), Ok(None))
    }

    /// Begins the shutdown; returns when the server is down, or `false` when it takes too long.
    pub fn stop(&mut self) -> bool {
        drop(self.pipe.take());
        let give_up = Instant::now() + STOPPED_WITHIN;
        while !self.has_ended() {
            if Instant::now() > give_up {
                return false;
            }
            sleep(POLL);
        }
        true
    }

    /// Whether *this* server accepts connections: a killed predecessor's file may also say "ready".
    fn is_ready(&self, cluster: &Path, port: u16) -> bool {
        let Ok(file) = std::fs::read_to_string(cluster.join("postmaster.pid")) else {
            return false;
        };
        let mut lines = file.lines().map(str::trim);
        let pid = lines.next().and_then(|line| line.parse().ok());
        // The lines: pid, directory, start time, port, socket directory, address, shared memory, status.
        let status = lines.nth(6);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        pid == Some(self.pid)
            && status == Some("ready")
            && TcpStream::connect_timeout(&address, POLL * 10).is_ok()
    }
}
