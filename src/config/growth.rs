//! Settings of what is kept, and for how long.

use super::read::{Setting, SettingError};
use clap::Args;

/// A century; whoever wants more wants `off`.
const MOST_DAYS: u32 = 36_500;

/// Long enough to look into what went wrong last month, and to replay it after the next release.
const RAW_DAYS: u32 = 90;

/// As long as Twilio itself can tell a call's summary again.
const ARCHIVE_DAYS: u32 = 30;

/// What is kept, and for how long, as texts.
#[derive(Args, Debug, Default)]
pub struct KeepArgs {
    /// Days after which calls are deleted, counted from their start, or off [default: off]
    #[arg(long, env = "CALLSINK_CALLS_DAYS", value_name = "DAYS")]
    pub calls_days: Option<String>,
    /// Days after which events of other types (callsink.events) are deleted, or off [default: 90]
    #[arg(long, env = "CALLSINK_EVENTS_DAYS", value_name = "DAYS")]
    pub events_days: Option<String>,
    /// Days after which dead letters are deleted, counted from when they last came, or off [default: 90]
    #[arg(long, env = "CALLSINK_DEAD_LETTERS_DAYS", value_name = "DAYS")]
    pub dead_letters_days: Option<String>,
    /// on: keep every accepted event as it came, in callsink.archive [default: off]
    #[arg(long, env = "CALLSINK_ARCHIVE", value_name = "SWITCH")]
    pub archive: Option<String>,
    /// Days after which a day of the archive is dropped, or off [default: 30]
    #[arg(long, env = "CALLSINK_ARCHIVE_DAYS", value_name = "DAYS")]
    pub archive_days: Option<String>,
}

/// What is kept, and for how long; no number of days means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Rows of `call_summaries`.
    pub calls_days: Option<u32>,
    /// Rows of `callsink.events`.
    pub events_days: Option<u32>,
    /// Rows of `callsink.dead_letters`.
    pub dead_letters_days: Option<u32>,
    /// Whether accepted events are archived.
    pub archive: bool,
    /// Partitions of `callsink.archive`, also where archiving is off by now.
    pub archive_days: Option<u32>,
}

impl Keep {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn resolve(args: KeepArgs) -> Result<Self, SettingError> {
        let days =
            |variable, value, default| Setting::new(variable, value).days(default, MOST_DAYS);
        Ok(Self {
            calls_days: days("CALLSINK_CALLS_DAYS", args.calls_days, None)?,
            events_days: days("CALLSINK_EVENTS_DAYS", args.events_days, Some(RAW_DAYS))?,
            dead_letters_days: days(
                "CALLSINK_DEAD_LETTERS_DAYS",
                args.dead_letters_days,
                Some(RAW_DAYS),
            )?,
            archive: Setting::new("CALLSINK_ARCHIVE", args.archive).switch(false)?,
            archive_days: days("CALLSINK_ARCHIVE_DAYS", args.archive_days, Some(ARCHIVE_DAYS))?,
        })
    }
}
