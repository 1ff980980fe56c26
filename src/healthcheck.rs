//! Asks a running service's `/readyz`; what containers without a shell use as their health check.
//!
//! In: the admin address. Out: exit code 0 and silence, or 1 and the reasons.

use crate::config::{AdminArgs, resolve_admin};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

/// A service that takes longer to say how it is, is not well.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Asks and tells.
///
/// # Errors
/// When the setting is wrong, or nobody answers at the address.
pub async fn run(args: AdminArgs) -> anyhow::Result<ExitCode> {
    let address = reachable(resolve_admin(args)?);
    let client = crate::http_client::builder().timeout(TIMEOUT).build()?;
    let answer = client.get(format!("http://{address}/readyz")).send().await;
    let answer = answer.map_err(|error| {
        anyhow::anyhow!(
            "no callsink answers at {address} (CALLSINK_ADMIN_LISTEN): {}",
            error.without_url()
        )
    })?;
    let ready = answer.status().is_success();
    let report: serde_json::Value = answer.json().await.unwrap_or_default();
    if ready {
        println!("ready");
        return Ok(ExitCode::SUCCESS);
    }
    let reasons = report["reasons"].as_array().cloned().unwrap_or_default();
    for reason in &reasons {
        println!("not ready: {}", reason.as_str().unwrap_or_default());
    }
    Ok(ExitCode::FAILURE)
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
