//! Which port of 127.0.0.1 the server listens on.
//!
//! Promises: the port of the last start is asked for first, so that saved connections keep working; the
//! first port is the same for the same data directory, and below the range that systems take outgoing
//! connections from, so that it's seldom taken at the next start.
//! Must not know: the server.

use super::PrivatePostgresError as Error;
use super::files;
use sha2::{Digest, Sha256};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the remembered port is waited for before another one is taken.
const PREDECESSOR_WAIT: Duration = Duration::from_secs(10);

/// Below 32768, where Linux begins to hand out ports by itself, and above well-known services.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A free port: the remembered one, the data directory's own, or any.
pub fn choose(data_dir: &Path) -> Result<u16, Error> {
    if let Some(port) = remembered(data_dir)? {
        // A predecessor that was killed a moment ago takes its server along, which takes a moment.
        let waiting_since = Instant::now();
        while !is_free(port) && waiting_since.elapsed() < PREDECESSOR_WAIT {
            std::thread::sleep(PREDECESSOR_WAIT / 100);
        }
        if is_free(port) {
            return Ok(port);
        }
    }
    let own = own(data_dir);
    if is_free(own) {
        return Ok(own);
    }
    any().map_err(files::failed("find a free port for", data_dir))
}

/// Any free port.
pub fn any() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether nothing listens there now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Writes the port to `postgres.port`, for the next start and for people who want to connect.
pub fn remember(data_dir: &Path, port: u16) -> Result<(), Error> {
    if remembered(data_dir)? == Some(port) {
        return Ok(());
    }
    files::replace(&file(data_dir), &format!("{port}\n"), 0o644)
}

fn remembered(data_dir: &Path) -> Result<Option<u16>, Error> {
    let text = files::read_if_there(&file(data_dir))?;
    Ok(text.and_then(|text| text.parse().ok()).filter(|port| *port != 0))
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.port")
}

fn own(data_dir: &Path) -> u16 {
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    FIRST + u16::from_be_bytes([digest[0], digest[1]]) % COUNT
}
