//! Whether `serve` compares with what Twilio lists, how often, and how far back.
//!
//! In: flags and environment, as texts. Out: a schedule and how to ask Twilio; nothing where it is off.

use super::read::{Setting, SettingError};
use super::twilio::{Api, ApiArgs};
use crate::reconcile::{Mode, Schedule};
use clap::Args;
use secrecy::SecretString;
use std::time::Duration;

/// The reconciliation of `serve`.
#[derive(Args, Debug, Default)]
pub struct ReconcileArgs {
    /// Once a day, compare with what Twilio lists: off, report, or heal to bring in what is missing as well;
    /// asks Twilio's API, so that it needs TWILIO_ACCOUNT_SID [default: off]
    #[arg(long, env = "CALLSINK_RECONCILE", value_name = "MODE")]
    pub reconcile: Option<String>,
    /// Days that are compared every time; older ones are until nothing was missing, or Twilio forgets [default: 3]
    #[arg(long, env = "CALLSINK_RECONCILE_DAYS", value_name = "DAYS")]
    pub reconcile_days: Option<String>,
    /// From one comparison to the next, such as 6h [default: 24h]
    #[arg(long, env = "CALLSINK_RECONCILE_EVERY", value_name = "SPAN")]
    pub reconcile_every: Option<String>,
}

/// What `serve` does beside receiving.
#[derive(Debug, Clone)]
pub struct Reconcile {
    /// What, and when.
    pub schedule: Schedule,
    /// How Twilio is asked.
    pub api: Api,
}

impl ReconcileArgs {
    /// `None` where it is off; then nothing else is asked for.
    pub(super) fn resolve(
        self,
        api: ApiArgs,
        tokens: &[SecretString],
    ) -> Result<Option<Reconcile>, SettingError> {
        let mode = Setting::new("CALLSINK_RECONCILE", self.reconcile).one_of(&[
            ("off", None),
            ("report", Some(Mode::Report)),
            ("heal", Some(Mode::Heal)),
        ])?;
        // Twilio keeps 30 days.
        let days =
            Setting::new("CALLSINK_RECONCILE_DAYS", self.reconcile_days).number(3, 1..=30)?;
        // A minute is for trying it out; a month is what Twilio keeps.
        let limits = Duration::from_secs(60)..=Duration::from_secs(30 * 86_400);
        let every = Setting::new("CALLSINK_RECONCILE_EVERY", self.reconcile_every)
            .span(Duration::from_secs(86_400), limits)?;
        let Some(mode) = mode else { return Ok(None) };
        let schedule = Schedule { mode, every, days };
        Ok(Some(Reconcile { schedule, api: api.with_secrets(tokens.to_vec())? }))
    }
}
