//! One setting from text to type, with limits.

use crate::verify::public_url::PublicUrl;
use bytesize::ByteSize;
use secrecy::SecretString;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// One line that names the variable, what it holds and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {holds}: expected {expected}")]
pub struct SettingError {
    variable: &'static str,
    holds: String,
    expected: String,
}

impl SettingError {
    pub(super) fn missing(variable: &'static str, expected: &str) -> Self {
        Self { variable, holds: "is not set".to_owned(), expected: expected.to_owned() }
    }

    pub(super) fn wrong_secret(variable: &'static str, reason: &str) -> Self {
        let expected = format!("another value, as {reason}");
        Self { variable, holds: "is set (not shown)".to_owned(), expected }
    }

    pub(super) fn wrong(variable: &'static str, value: &str, expected: impl Into<String>) -> Self {
        Self { variable, holds: format!("is {value:?}"), expected: expected.into() }
    }
}

/// A setting as it was given.
pub(super) struct Setting {
    variable: &'static str,
    value: Option<String>,
}

impl Setting {
    pub(super) fn new(variable: &'static str, value: Option<String>) -> Self {
        Self { variable, value: given(value) }
    }

    pub(super) fn address(self, default: &str) -> Result<SocketAddr, SettingError> {
        let value = self.value.unwrap_or_else(|| default.to_owned());
        value.parse().map_err(|_| {
            let expected = format!("an IP address and port such as {default}");
            SettingError::wrong(self.variable, &value, expected)
        })
    }

    pub(super) fn path(self, default: &str) -> PathBuf {
        PathBuf::from(self.value.unwrap_or_else(|| default.to_owned()))
    }

    pub(super) fn number<T>(self, default: T, limits: RangeInclusive<T>) -> Result<T, SettingError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(value) = self.value else { return Ok(default) };
        value.parse().ok().filter(|number| limits.contains(number)).ok_or_else(|| {
            let expected = format!("a number from {} to {}", limits.start(), limits.end());
            SettingError::wrong(self.variable, &value, expected)
        })
    }

    /// A number of days, or `off`, which is `None`.
    pub(super) fn days(self, default: Option<u32>, most: u32) -> Result<Option<u32>, SettingError> {
        let Some(value) = self.value else { return Ok(default) };
        if value == "off" {
            return Ok(None);
        }
        let days = value.parse().ok().filter(|days| (1..=most).contains(days));
        days.map(Some).ok_or_else(|| {
            let expected = format!("off, or a number of days from 1 to {most}");
            SettingError::wrong(self.variable, &value, expected)
        })
    }

    /// `on` or `off`.
    pub(super) fn switch(self, default: bool) -> Result<bool, SettingError> {
        match self.value.as_deref() {
            None => Ok(default),
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(value) => Err(SettingError::wrong(self.variable, value, "on or off")),
        }
    }

    pub(super) fn bytes(
        self,
        default: u64,
        limits: RangeInclusive<u64>,
    ) -> Result<u64, SettingError> {
        let Some(value) = self.value else { return Ok(default) };
        let bytes = ByteSize::from_str(&value).map(|size| size.as_u64());
        bytes.ok().filter(|bytes| limits.contains(bytes)).ok_or_else(|| {
            let (least, most) = (ByteSize::b(*limits.start()), ByteSize::b(*limits.end()));
            let expected = format!(
                "a size in bytes, or such as {}, from {least} to {most}",
                ByteSize::b(default)
            );
            SettingError::wrong(self.variable, &value, expected)
        })
    }

    /// One of a few words; the first is the default.
    pub(super) fn one_of<T: Clone>(self, words: &[(&str, T)]) -> Result<T, SettingError> {
        let value = self.value.unwrap_or_else(|| words[0].0.to_owned());
        let found = words.iter().find(|(word, _)| *word == value);
        found.map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            SettingError::wrong(self.variable, &value, words.join(", "))
        })
    }

    /// A span of time such as `24h`.
    pub(super) fn span(
        self,
        default: Duration,
        limits: RangeInclusive<Duration>,
    ) -> Result<Duration, SettingError> {
        let Some(value) = self.value else { return Ok(default) };
        let span = humantime::parse_duration(&value).ok();
        span.filter(|span| limits.contains(span)).ok_or_else(|| {
            let text = |span| humantime::format_duration(span);
            let expected = format!(
                "a span of time such as {}, from {} to {}",
                text(default),
                text(*limits.start()),
                text(*limits.end())
            );
            SettingError::wrong(self.variable, &value, expected)
        })
    }

    /// The address that paths are added to.
    pub(super) fn base_url(self, default: &str) -> Result<String, SettingError> {
        let value = self.value.unwrap_or_else(|| default.to_owned());
        let is_http = reqwest::Url::parse(&value).is_ok_and(|url| {
            matches!(url.scheme(), "https" | "http") && url.has_host() && url.username().is_empty()
        });
        let address = value.trim_end_matches('/').to_owned();
        if is_http {
            Ok(address)
        } else {
            Err(SettingError::wrong(self.variable, &value, format!("an address such as {default}")))
        }
    }

    pub(super) fn public_url(self) -> Result<Option<PublicUrl>, SettingError> {
        let Some(value) = self.value else { return Ok(None) };
        PublicUrl::parse(&value).map(Some).map_err(|reason| SettingError {
            variable: self.variable,
            // It may hold a password; what is wrong says enough.
            holds: "is not the URL of a sink".to_owned(),
            expected: format!("one such as https://hooks.example.com/twilio/events, but {reason}"),
        })
    }
}

/// A secret given as it is, or as the name of a file; not both.
pub(super) fn secret(
    variable: &'static str,
    value: Option<String>,
    file: Option<String>,
) -> Result<Option<SecretString>, SettingError> {
    match (given(value), given(file)) {
        (None, None) => Ok(None),
        (Some(value), None) => Ok(Some(SecretString::from(value))),
        (Some(_), Some(_)) => Err(SettingError {
            variable,
            holds: format!("and {variable}_FILE are both set"),
            expected: "one of them".to_owned(),
        }),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Ok(given(Some(text.trim().to_owned())).map(SecretString::from)),
            Err(error) => Err(SettingError {
                variable,
                holds: format!("is to come from {variable}_FILE={path:?}"),
                expected: format!("a readable file: {error}"),
            }),
        },
    }
}

pub(super) fn given(value: Option<String>) -> Option<String> {
    value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
