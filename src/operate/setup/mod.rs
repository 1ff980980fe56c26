//! `callsink setup`: from a Twilio account to deliveries that arrive.
//!
//! In: accounts, the sink's destination. Out: a sink and a subscription at Twilio; what was done, line by line.
//! Promises: what is right already is left alone, so that it can be run at any time; nothing that somebody else
//! made is deleted; at the end Twilio's own test event has come through the public URL and its signature
//! held, or it says what to look at.

mod plan;

use crate::config::{self, Api, ApiArgs, DatabaseArgs, PublicUrlArgs, TokenArgs};
use crate::domain::event::CALL_SUMMARY_PREFIX;
use crate::store::{Database, Session};
use crate::twilio::events::{EventType, Events};
use crate::twilio::{ApiError, Client};
use crate::verify::public_url::PublicUrl;
use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use plan::{Account, DESCRIPTION, Plan, Step, Wanted};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Twilio sends its test event within seconds.
const WAIT: Duration = Duration::from_secs(60);

/// The clocks of who asks and who receives may differ.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// What follows the prefix of the types that are wanted.
const STATES: [&str; 3] = ["partial", "predicted-complete", "complete"];

/// Options of `callsink setup`.
#[derive(clap::Args, Debug)]
pub struct SetupArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub api: ApiArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tokens: TokenArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub public_url: PublicUrlArgs,
    /// Several events in one delivery; false: each alone
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub batch_events: bool,
    /// Only say what would be done
    #[arg(long)]
    pub plan: bool,
    /// Take down the sink and the subscription that this command has made
    #[arg(long, conflicts_with = "batch_events")]
    pub destroy: bool,
    /// Do not have Twilio send its test event
    #[arg(long)]
    pub no_test: bool,
}

/// Sets up; exit code 0 when everything is as it should be and the test event has come.
///
/// # Errors
/// A wrong setting, or Twilio does not go on. What was done until then is done; run it again.
pub async fn run(args: SetupArgs) -> anyhow::Result<ExitCode> {
    let public_url = args.public_url.required()?;
    let api = args.api.resolve(args.tokens)?;
    let database = config::optional_database(args.database)?;
    let mut all_well = true;
    for events in accounts(&api)? {
        println!("account {}", events.account_sid);
        let context =
            || format!("account {}; run the command again for the rest", events.account_sid);
        let account = look(&events).await.with_context(context)?;
        let wanted = if args.destroy {
            let (destination, batch_events) = (public_url.verbatim(), args.batch_events);
            Wanted { destination, batch_events, types: Vec::new() }
        } else {
            wanted(&events, &public_url, args.batch_events).await.with_context(context)?
        };
        let plan = match args.destroy {
            true => Plan::to_destroy(&wanted.destination, &account),
            false => Plan::to_reach(&wanted, &account),
        };
        let shown = public_url.to_string();
        for remark in &plan.remarks {
            println!("  ! {remark}");
        }
        if plan.steps.is_empty() {
            println!("  nothing to change");
        }
        let mut made = plan.sink.clone();
        for step in &plan.steps {
            println!("  {}", step.line(&wanted, &shown));
            if !args.plan {
                apply(&events, &wanted, step, &mut made).await.with_context(context)?;
            }
        }
        if let Some(sink) = made.filter(|_| !args.plan && !args.destroy && !args.no_test) {
            all_well &= test(&events, &sink, database.as_ref()).await.with_context(context)?;
        }
    }
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The Events API knows no subaccounts: each is asked with its auth token, as an API key is of one account only.
pub(super) fn accounts(api: &Api) -> anyhow::Result<Vec<Events>> {
    api.needs_tokens_of_subaccounts()?;
    let client = Client::new(api)?;
    let mut accounts = Vec::new();
    for (index, sid) in api.account_sids.iter().enumerate() {
        let client = if index == 0 { client.clone() } else { client.as_account(sid, &api.tokens) };
        accounts.push(Events::new(client, &api.events, sid)?);
    }
    Ok(accounts)
}

/// What the account has.
async fn look(events: &Events) -> Result<Account, ApiError> {
    let mut account = Account { sinks: events.sinks().await?, subscriptions: Vec::new() };
    for held in events.subscriptions().await? {
        let types = events.subscribed(&held.sid).await?;
        account.subscriptions.push((held, types));
    }
    Ok(account)
}

/// The call-summary types that the account may subscribe to, at their newest schema version.
async fn wanted(
    events: &Events,
    public_url: &PublicUrl,
    batch_events: bool,
) -> anyhow::Result<Wanted> {
    let types = offered(events).await?;
    if types.is_empty() {
        bail!(
            "Twilio offers no call-summary events to {}: are Voice Insights Advanced Features on?",
            events.account_sid
        );
    }
    if types.len() < STATES.len() {
        println!(
            "  ! only {} of {} call-summary types are offered to this account",
            types.len(),
            STATES.len()
        );
    }
    Ok(Wanted { destination: public_url.verbatim(), batch_events, types })
}

/// Those of the three types that are offered.
pub(super) async fn offered(events: &Events) -> Result<Vec<(String, i64)>, ApiError> {
    let known = events.types().await?;
    let mut offered = Vec::new();
    for suffix in STATES {
        let name = format!("{CALL_SUMMARY_PREFIX}{suffix}");
        let found = known.iter().find(|known| known.event_type == name);
        match found {
            Some(EventType { status: Some(status), schema_id: Some(schema), .. })
                if matches!(status.as_str(), "available" | "deprecated") =>
            {
                offered.push((name, events.latest_version(schema).await?));
            }
            _ => {}
        }
    }
    Ok(offered)
}

async fn apply(
    events: &Events,
    wanted: &Wanted,
    step: &Step,
    made: &mut Option<String>,
) -> anyhow::Result<()> {
    match step {
        Step::CreateSink => {
            let sid =
                events.create_sink(DESCRIPTION, &wanted.destination, wanted.batch_events).await?;
            println!("    {sid}");
            *made = Some(sid);
        }
        Step::Subscribe { sink, types } => {
            let sink = sink.as_ref().or(made.as_ref()).context("no sink was made")?;
            println!("    {}", events.create_subscription(DESCRIPTION, sink, types).await?);
        }
        Step::AddType { subscription, event_type, version } => {
            events.add_type(subscription, event_type, *version).await?;
        }
        Step::UpgradeType { subscription, event_type, to, .. } => {
            events.upgrade_type(subscription, event_type, *to).await?;
        }
        Step::DeleteSubscription(sid) => events.delete_subscription(sid).await?,
        Step::DeleteSink(sid) => events.delete_sink(sid).await?,
    }
    Ok(())
}

/// Has Twilio send its test event, and waits until the service has stored it, which it does only when the
/// signature held.
async fn test(events: &Events, sink: &str, database: Option<&Database>) -> anyhow::Result<bool> {
    let Some(database) = database else {
        println!(
            "  DATABASE_URL is not set: whether Twilio's test event arrives can't be seen from here"
        );
        return Ok(true);
    };
    let mut session = Session::new(database);
    let since: DateTime<Utc> = Utc::now() - SKEW;
    let before = session.test_events_since(since).await?;
    let started = Instant::now();
    events.send_test_event(sink).await?;
    println!("  Twilio's test event is on its way ...");
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    while started.elapsed() < WAIT {
        ticks.tick().await;
        let arrived = session.test_events_since(since).await?;
        let Some(test_id) = arrived.iter().find(|test_id| !before.contains(test_id)) else {
            continue;
        };
        let seconds = started.elapsed().as_secs_f64();
        let valid = events.validate(sink, test_id).await?;
        let verdict = if valid { "Twilio agrees" } else { "Twilio says it is another one" };
        println!(
            "  it came through the public URL after {seconds:.1} s, and its signature held; {verdict}"
        );
        return Ok(valid);
    }
    println!(
        "  it did not come within {} s. Is the service running, with this database? Does the log tell of a \
         rejected delivery? `callsink doctor` looks at the way here; Twilio's Debugger tells what it saw",
        WAIT.as_secs()
    );
    Ok(false)
}
