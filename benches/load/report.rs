//! From samples to a page that a person can read.
//!
//! In: samples by name. Out: medians with their spread, verdicts, Markdown. Promises: a goal that was missed
//! stands there like one that was reached; a ratio is formed within a round and never across rounds.

use crate::Args;
use anyhow::Result;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Samples by name, in the order of rounds.
pub type Samples = BTreeMap<String, Vec<f64>>;

/// The value that `share` of `values` do not exceed.
pub fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut at = 0;
    while at + 1 < sorted.len() && ((at + 1) as f64) < share * sorted.len() as f64 {
        at += 1;
    }
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// `median (least to most)`.
fn spread(values: &[f64], digits: usize) -> String {
    let (median, least, most) =
        (quantile(values, 0.5), quantile(values, 0.0), quantile(values, 1.0));
    if values.len() == 1 {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}

enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

/// A line of the goals: figure, what it is made of, goal.
type Line = (&'static str, Formula, Goal, usize);

enum Formula {
    Value(&'static str),
    Ratio(&'static str, &'static str),
}

const GOALS: &[Line] = &[
    (
        "end to end ÷ bare COPY, 1 connection, no index",
        Formula::Ratio("end_to_end", "copy"),
        Goal::AtLeast(0.55),
        2,
    ),
    (
        "end to end ÷ upsert alone, 2 connections",
        Formula::Ratio("end_to_end", "writer"),
        Goal::AtLeast(0.55),
        2,
    ),
    (
        "durable acknowledge ÷ hello-world POST, 1 HTTP worker",
        Formula::Ratio("acknowledge", "hello"),
        Goal::AtLeast(0.40),
        2,
    ),
    (
        "acknowledge p99 at half the sustained rate, ms",
        Formula::Value("p99_half"),
        Goal::AtMost(15.0),
        1,
    ),
    ("acknowledge p99 at 100 events/s, ms", Formula::Value("p99_100"), Goal::AtMost(3.0), 1),
    (
        "p99 at half rate, PostgreSQL stopped ÷ running",
        Formula::Ratio("p99_half_stopped", "p99_half"),
        Goal::AtMost(1.0),
        2,
    ),
    (
        "drain of a backlog, 1,000/s arriving ÷ end to end",
        Formula::Ratio("drain", "end_to_end"),
        Goal::AtLeast(0.9),
        2,
    ),
    (
        "end to end, large table ÷ small table",
        Formula::Ratio("end_to_end", "end_to_end_small"),
        Goal::AtLeast(0.85),
        2,
    ),
    (
        "end to end with dashboard queries ÷ without",
        Formula::Ratio("end_to_end_queries", "end_to_end_no_queries"),
        Goal::AtLeast(0.8),
        2,
    ),
    ("peak RSS of the service, MiB", Formula::Value("rss"), Goal::AtMost(64.0), 0),
    ("idle CPU of the service, % of a core", Formula::Value("idle"), Goal::AtMost(0.2), 2),
];

fn values(samples: &Samples, formula: &Formula) -> Vec<f64> {
    let of = |name: &str| samples.get(name).cloned().unwrap_or_default();
    match formula {
        Formula::Value(name) => of(name),
        Formula::Ratio(above, below) => {
            let (above, below) = (of(above), of(below));
            if above.len() == below.len() {
                return above.iter().zip(&below).map(|(above, below)| above / below).collect();
            }
            // Not measured in the same rounds: each against the other's median.
            let below = quantile(&below, 0.5);
            above.iter().map(|above| above / below).collect()
        }
    }
}

/// The figures as Markdown.
pub fn page(samples: &Samples, args: &Args, about: &str) -> Result<String> {
    let mut out =
        format!("{about}\n\n| figure | median (least to most) | goal | |\n|---|---|---|---|\n");
    for (name, formula, goal, digits) in GOALS {
        let values: Vec<f64> =
            values(samples, formula).into_iter().filter(|it| it.is_finite()).collect();
        let goal_text = match goal {
            Goal::AtLeast(least) => format!("≥ {least}"),
            Goal::AtMost(most) => format!("≤ {most}"),
        };
        // Peak memory is the worst of all runs; everything else the median.
        let judged = if *name == "peak RSS of the service, MiB" { 1.0 } else { 0.5 };
        let value = quantile(&values, judged);
        let verdict = match goal {
            _ if values.is_empty() => "not measured",
            Goal::AtLeast(least) if value >= *least => "reached",
            Goal::AtMost(most) if value <= *most => "reached",
            _ => "missed",
        };
        let shown = if values.is_empty() { "–".to_owned() } else { spread(&values, *digits) };
        writeln!(out, "| {name} | {shown} | {goal_text} | {verdict} |")?;
    }
    writeln!(out, "\n| events per second | median (least to most) |\n|---|---|")?;
    for (name, label) in [
        ("end_to_end", "end to end, until the last row is committed"),
        ("ack_rate", "acknowledged meanwhile"),
        ("copy", "bare COPY BINARY, 1 connection, no index"),
        ("writer", "the service's upsert alone, 2 connections"),
        ("acknowledge", "durable acknowledge, PostgreSQL away"),
        ("hello", "hello-world POST, 1 actix worker"),
        ("end_to_end_small", "end to end, small table"),
        ("end_to_end_no_queries", "end to end, beside the next"),
        ("end_to_end_queries", "end to end, dashboard queries running"),
        ("drain", "drain of a backlog, arriving ones included"),
    ] {
        if let Some(values) = samples.get(name) {
            writeln!(out, "| {label} | {} |", spread(values, 0))?;
        }
    }
    writeln!(out, "\n| per event, end to end | median (least to most) |\n|---|---|")?;
    for (name, label) in [
        ("cpu_service", "CPU of the service, µs"),
        ("cpu_postgres", "CPU of PostgreSQL, µs"),
        ("cpu_generator", "CPU of the generator, µs"),
        ("cpu_ack_service", "CPU of the service, acknowledge only, µs"),
        ("cpu_writer_postgres", "CPU of PostgreSQL, upsert alone, µs"),
        ("cpu_copy_postgres", "CPU of PostgreSQL, bare COPY, µs"),
        ("journal_bytes", "written by the service (journal), bytes"),
        ("wal_bytes", "WAL of PostgreSQL, bytes"),
    ] {
        if let Some(values) = samples.get(name) {
            writeln!(out, "| {label} | {} |", spread(values, 0))?;
        }
    }
    writeln!(out, "\n| acknowledge time, ms | p50 | p99 | offered/s |\n|---|---|---|---|")?;
    for (name, label) in [
        ("half", "half the sustained rate"),
        ("half_stopped", "the same, PostgreSQL stopped"),
        ("100", "100 a second"),
    ] {
        let of =
            |prefix: &str| samples.get(&format!("{prefix}_{name}")).map(|values| spread(values, 1));
        if let (Some(p50), Some(p99), Some(rate)) = (of("p50"), of("p99"), of("offered")) {
            writeln!(out, "| {label} | {p50} | {p99} | {rate} |")?;
        }
    }
    writeln!(
        out,
        "\nSizes: {} calls preloaded (small table: {}), {} events a run, {} rounds, a backlog of {}, {} s per rate.",
        args.preload, args.small, args.events, args.rounds, args.backlog, args.seconds
    )?;
    Ok(out)
}
