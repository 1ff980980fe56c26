//! A Twilio for `scripts/demo-operators`: lists made-up calls, and has delivered the events of most of them.
//!
//! Made of the parts that the tests use. Calls are spread over `--hours` hours that lie two hours back; those of
//! the hours `--outage FROM..TO` have no events, as if nobody had answered. Says when it has delivered, then
//! answers the Insights API until it is stopped.
//!
//!   cargo run --example fake_twilio -- --listen 127.0.0.1:9911 \
//!       --listen-events 127.0.0.1:9912 --sink http://127.0.0.1:8080/twilio/events \
//!       --calls 3000 --hours 9 --outage 3..6

#![allow(dead_code, reason = "the tests use more of these modules")]

#[path = "../tests/it/support/events_api.rs"]
mod events_api;
#[path = "../tests/it/support/insights.rs"]
mod insights;
#[path = "../tests/it/support/made_up.rs"]
mod made_up;
#[path = "../tests/it/support/openapi.rs"]
mod openapi;
#[path = "../tests/it/support/twilio.rs"]
mod twilio;

use anyhow::{Context as _, ensure};
use chrono::{DurationRound, TimeDelta, Utc};
use clap::Parser;
use std::ops::Range;

/// Act as a Twilio that lists calls, after the events of most of them were delivered.
#[derive(Parser)]
struct Args {
    /// Where the Insights API is.
    #[arg(long)]
    listen: String,
    /// Where the Events API is, and the Monitor API's alerts.
    #[arg(long)]
    listen_events: String,
    /// Destination of the sink, as signed.
    #[arg(long)]
    sink: String,
    /// The account's auth token, which signs, too.
    #[arg(long, env = "TWILIO_AUTH_TOKEN")]
    token: String,
    #[arg(long, default_value_t = 3000)]
    calls: u32,
    #[arg(long, default_value_t = 9)]
    hours: u32,
    /// Hours from the first whose events never came.
    #[arg(long, value_parser = hours, default_value = "3..6")]
    outage: Range<u32>,
}

fn hours(text: &str) -> Result<Range<u32>, String> {
    let ends =
        text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    ends.ok_or_else(|| "expected FROM..TO".to_owned())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let twilio = insights::Insights::listen(&args.listen, insights::ACCOUNT, &args.token);
    let events_api =
        events_api::EventsApi::listen(&args.listen_events, insights::ACCOUNT, &args.token);
    let path = args.sink.rfind("/twilio").context("a sink that ends in /twilio/...")?;
    events_api.state().deliver_to = Some(args.sink[..path].to_owned());
    let this_hour = Utc::now().duration_trunc(TimeDelta::hours(1))?;
    let first = this_hour - TimeDelta::hours(i64::from(args.hours) + 2);
    let step = TimeDelta::hours(i64::from(args.hours)) / i32::try_from(args.calls)?;
    let calls: Vec<_> = (0..args.calls)
        .map(|number| {
            let start = first + step * i32::try_from(number).unwrap_or(i32::MAX);
            made_up::item(insights::ACCOUNT, number + 1, start)
        })
        .collect();
    twilio.state().calls.clone_from(&calls);
    let first_of = |hour: u32| hour * args.calls / args.hours;
    let lost = first_of(args.outage.start)..first_of(args.outage.end);
    let told = (0..).zip(&calls).filter(|(number, _)| !lost.contains(number)).map(|(_, call)| call);
    let events: Vec<_> = told.map(|call| made_up::event(call, "complete")).collect();
    let client = callsink::http_client::builder().build()?;
    for batch in events.chunks(100) {
        let body = twilio::array(batch);
        let delivery = twilio::delivery(&args.sink, &args.token, &body);
        let url =
            format!("{}?{}", args.sink, delivery.target.rsplit_once('?').context("a query")?.1);
        let request = client.post(url).header("X-Twilio-Signature", delivery.signature).body(body);
        let status = request.send().await?.status();
        ensure!(status.is_success(), "the sink answered {status}");
    }
    println!(
        "Twilio has {} calls since {}, events of {} were delivered, of {} they were lost; Insights API at {}",
        calls.len(),
        first.format("%FT%TZ"),
        events.len(),
        calls.len() - events.len(),
        twilio.url
    );
    tokio::signal::ctrl_c().await?;
    Ok(())
}
