//! Twilio: credentials, Voice Insights, sink, subscription, and what its Debugger says.
//!
//! In: how to ask Twilio, the sink's destination. Out: checks per account. Asks only.

use super::super::setup::{accounts, offered};
use super::Check;
use crate::config::{Api, SettingError};
use crate::reconcile::source::Summaries;
use crate::reconcile::window::Span;
use crate::twilio::events::{Events, Sink};
use crate::twilio::{ApiError, Client, insights, monitor};
use crate::verify::public_url::PublicUrl;
use chrono::{TimeDelta, Utc};

const RUN_SETUP: &str = "`callsink setup` sees to it";

pub(super) async fn checks(
    api: Result<Api, SettingError>,
    public_url: Option<&PublicUrl>,
) -> Vec<Check> {
    let api = match api {
        Ok(api) => api,
        Err(error) => return vec![Check::skipped("Twilio", error.to_string())],
    };
    let mut checks = Vec::new();
    match accounts(&api) {
        Ok(accounts) => {
            for events in accounts {
                checks.extend(sinks(&events.impatient(), public_url).await);
            }
        }
        Err(error) => {
            checks.push(Check::fail("Twilio", error.to_string(), "correct CALLSINK_EVENTS_API"));
        }
    }
    checks.extend(features(&api).await);
    checks.push(debugger(&api).await);
    checks
}

async fn sinks(events: &Events, public_url: Option<&PublicUrl>) -> Vec<Check> {
    let name = format!("Twilio {}", events.account_sid);
    let sinks = match events.sinks().await {
        Ok(sinks) => sinks,
        Err(ApiError::Refused) => {
            let to_do =
                "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN (or API key) must belong together";
            return vec![Check::fail(&name, "401: the credentials are not taken", to_do)];
        }
        Err(error) => {
            return vec![Check::fail(&name, error.to_string(), "try again; status.twilio.com")];
        }
    };
    let mut checks = vec![Check::ok(&name, "the credentials are taken")];
    let Some(url) = public_url else { return checks };
    let destination = url.verbatim();
    let ours: Vec<&Sink> =
        sinks.iter().filter(|sink| sink.destination().as_deref() == Some(&*destination)).collect();
    let Some(sink) = ours.iter().find(|sink| sink.is_post()) else {
        let found = if ours.is_empty() {
            "no sink has this destination"
        } else {
            "the sink delivers by GET, which can't be read"
        };
        checks.push(Check::fail("sink", found, RUN_SETUP));
        return checks;
    };
    let status = sink.status.as_deref().unwrap_or("without a status");
    checks.push(match status {
        "active" => Check::ok("sink", format!("{} is active, POST", sink.sid)),
        _ => Check::fail("sink", format!("{} is {status}", sink.sid), RUN_SETUP),
    });
    if ours.len() > 1 {
        checks.push(Check::warn(
            "sink",
            format!("{} sinks have this destination", ours.len()),
            RUN_SETUP,
        ));
    }
    match subscribed(events, sink).await {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::warn("subscription", error.to_string(), "try again")),
    }
    checks
}

async fn subscribed(events: &Events, sink: &Sink) -> Result<Vec<Check>, ApiError> {
    let held = events.subscriptions().await?;
    let Some(held) = held.iter().find(|held| held.sink_sid.as_deref() == Some(&*sink.sid)) else {
        return Ok(vec![Check::fail("subscription", format!("{} has none", sink.sid), RUN_SETUP)]);
    };
    let types = events.subscribed(&held.sid).await?;
    let mut checks = Vec::new();
    for (name, latest) in offered(events).await? {
        let short = name.rsplit('.').next().unwrap_or_default();
        let check = format!("subscription to {short}");
        checks.push(match types.iter().find(|known| known.event_type == name) {
            None => Check::fail(&check, "missing", RUN_SETUP),
            Some(known) if known.schema_version < latest => Check::warn(
                &check,
                format!("schema {} of {latest}", known.schema_version),
                RUN_SETUP,
            ),
            Some(known) => Check::ok(&check, format!("schema {}", known.schema_version)),
        });
    }
    Ok(checks)
}

/// A list of the last minutes is enough: 401 means that they are off.
async fn features(api: &Api) -> Vec<Check> {
    let Ok(accounts) = insights::accounts(api) else { return Vec::new() };
    let mut checks = Vec::new();
    for account in accounts {
        let name = format!("Voice Insights {}", account.account_sid());
        let now = Utc::now();
        let span = Span { from: now - TimeDelta::minutes(5), to: now };
        checks.push(match account.impatient().first_page(span).await {
            Ok(_) => Check::ok(&name, "Advanced Features are on: calls can be listed"),
            Err(error) => Check::fail(
                &name,
                error.to_string(),
                "turn Advanced Features on in the Console (Monitor > Insights > Settings); it costs per minute",
            ),
        });
    }
    checks
}

async fn debugger(api: &Api) -> Check {
    let client = match Client::new(api) {
        Ok(client) => client.impatient(2),
        Err(error) => return Check::skipped("Twilio's Debugger", error.to_string()),
    };
    let codes = match monitor::errors_of_the_last_day(&client, &api.monitor).await {
        Ok(codes) => codes,
        Err(error) => return Check::skipped("Twilio's Debugger", error.to_string()),
    };
    let ours: Vec<String> = codes
        .iter()
        .filter(|(code, _)| code.starts_with("913") || code.starts_with("931"))
        .map(|(code, count)| format!("{count} x {code}"))
        .collect();
    if ours.is_empty() {
        return Check::ok("Twilio's Debugger", "no errors of Event Streams in the last day");
    }
    let to_do = "91305: a 4xx of ours or of the proxy dropped events, `callsink coverage --heal`; 91306 to 91308: \
                 5xx, no connection or no answer, tried again for four hours; https://www.twilio.com/docs/api/errors";
    Check::warn("Twilio's Debugger", format!("in the last day: {}", ours.join(", ")), to_do)
}
