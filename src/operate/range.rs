//! The span of time that `backfill` and `coverage` are asked for.
//!
//! In: `--since` and `--until` as people say them. Out: whole hours that Twilio still keeps, oldest first.
//! Promises: what is beyond Twilio's 30 days is said and not passed over in silence.

use crate::reconcile::Window;
use crate::reconcile::window::{Range, time};
use chrono::{DateTime, Utc};

/// Options of commands that look at a span of time.
#[derive(clap::Args, Debug)]
pub struct RangeArgs {
    /// From here on: how long ago (90m, 4h, 3d, 1w), a date, or a time such as 2026-01-31T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = a_time)]
    pub since: DateTime<Utc>,
    /// Up to here, in the same words [default: 45m, when summaries are final]
    #[arg(long, value_name = "TIME", value_parser = a_time)]
    pub until: Option<DateTime<Utc>>,
}

fn a_time(text: &str) -> Result<DateTime<Utc>, String> {
    time(text, Utc::now())
}

impl RangeArgs {
    /// The windows of the range; what Twilio has forgotten of it is said on standard error.
    ///
    /// # Errors
    /// Nothing of the range can be read.
    pub fn windows(&self) -> anyhow::Result<Vec<Window>> {
        let range =
            Range::readable(self.since, self.until, Utc::now()).map_err(anyhow::Error::msg)?;
        if let Some(gone) = range.gone_since {
            eprintln!(
                "callsink: Twilio keeps summaries for 30 days: what is before {} can't be read any more \
                 ({} was asked for)",
                stamp(range.since),
                stamp(gone),
            );
        }
        Ok(Window::between(range.since, range.until).collect())
    }
}

/// As people and Twilio write it.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.format("%FT%TZ").to_string()
}
