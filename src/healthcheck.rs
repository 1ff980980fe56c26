//! Asks a running service's `/readyz`; what containers without a shell use as their health check.
//!
//! In: the admin address. Out: exit code 0 and silence, or 1 and the reasons.

use crate::config::{AdminArgs, resolve_admin};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A service that takes longer to say how it is, is not well.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks and tells.
///
/// # Errors
/// When the setting is wrong, or nobody answers at the address.
pub async fn run(args: AdminArgs) -> anyhow::Result<ExitCode> {
    let address = reachable(resolve_admin(args)?);
    let answer = tokio::time::timeout(TIMEOUT, ask(address)).await;
    let answer = answer.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
    let (ready, body) = answer.map_err(|error| {
        anyhow::anyhow!("no callsink answers at {address} (CALLSINK_ADMIN_LISTEN): {error}")
    })?;
    if ready {
        println!("ready");
        return Ok(ExitCode::SUCCESS);
    }
    let report: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let reasons = report["reasons"].as_array().cloned().unwrap_or_default();
    for reason in &reasons {
        println!("not ready: {}", reason.as_str().unwrap_or_default());
    }
    Ok(ExitCode::FAILURE)
}

/// Whether it is ready, and what it says. By hand: a client would want certificates for a request that
/// never leaves the machine, and an image without any has a health check, too.
async fn ask(address: SocketAddr) -> std::io::Result<(bool, String)> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).ok_or(ErrorKind::InvalidData)?;
    Ok((status == "200", body.to_owned()))
}

/// A service that listens everywhere is asked on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
