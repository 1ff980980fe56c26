//! When the certificate of the public URL expires.
//!
//! In: the certificate that the proxy showed, and the time. Out: a check. Whether it is trusted and for that name was
//! decided by the connection; here only its end counts. Must not know the network.

use super::Check;
use chrono::{DateTime, TimeDelta, Utc};
use x509_parser::parse_x509_certificate;

/// Automatic renewal comes a month before the end; with less than this left it has failed for a while.
const SOON: TimeDelta = TimeDelta::days(14);

pub(super) fn check(der: &[u8], now: DateTime<Utc>) -> Check {
    let end = parse_x509_certificate(der).ok().and_then(|(_, certificate)| {
        DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
    });
    let Some(end) = end else {
        return Check::skipped("certificate", "its end could not be read");
    };
    let left = end - now;
    let found = format!("valid until {}, {} days", end.format("%Y-%m-%d"), left.num_days());
    if left < SOON {
        let to_do =
            "renew it, and look why that did not happen by itself: Twilio refuses an expired one";
        Check::warn("certificate", found, to_do)
    } else {
        Check::ok("certificate", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::doctor::State;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    /// Self-signed, until 2027-02-22T11:08:13Z.
    const CERTIFICATE: &str = concat!(
        "MIIBjjCCATOgAwIBAgIUZ6UMvoRKzq2hYvPUmIIMGMcdb5AwCgYIKoZIzj0EAwIwHDEaMBgGA1UEAwwRaG9va3MuZXhhbXBs",
        "ZS5jb20wHhcNMjYxMTI0MTEwODEzWhcNMjcwMjIyMTEwODEzWjAcMRowGAYDVQQDDBFob29rcy5leGFtcGxlLmNvbTBZMBMG",
        "ByqGSM49AgEGCCqGSM49AwEHA0IABPiqh7qrb0zquglfcvNgQ73sz50bWAQPPm2GUsQrJlIsulY13DUGBU0GT+N5eIzFuusO",
        "Qx/LWR3U8Jk1MMU8aMCjUzBRMB0GA1UdDgQWBBRfwrkw7bS+Cdz3oKJfhsfJeWjPdjAfBgNVHSMEGDAWgBRfwrkw7bS+Cdz3",
        "oKJfhsfJeWjPdjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDE4NJVxe+enrSQJM37dnzFZ39NawOE/yHF",
        "psAVUwTwKQIhAJZMA/tw27XOPFDvlpdCtvgoxGXpjbGtVqQU2JW/tA2o",
    );

    #[test]
    fn a_certificate_is_warned_of_two_weeks_before_its_end() {
        let der = BASE64_STANDARD.decode(CERTIFICATE).expect("base64");
        let on = |day: &str| check(&der, format!("{day}T12:00:00Z").parse().expect("a time"));
        assert_eq!(on("2026-12-01").state, State::Ok);
        assert_eq!(on("2026-12-01").found, "valid until 2027-02-22, 82 days");
        assert_eq!(on("2027-02-07").state, State::Ok);
        assert_eq!(on("2027-02-09").state, State::Warn);
        assert_eq!(check(b"no certificate", Utc::now()).state, State::Skipped);
    }
}
