//! The dictionary as sources of a dbt project.
//!
//! In: the catalogue. Out: `sources.yml`: the relations that analysts read, every column that
//! `callsink_reader` may read, tests on keys, freshness.
//! Why not personal columns: dbt runs as a reader, and a source that it can't read is no use.

use crate::store::{Column, Dictionary, Relation};
use std::fmt::Write as _;

/// Columns of which each row has its own.
const UNIQUE: &[(&str, &str)] = &[("call_summaries", "call_sid"), ("calls", "call_sid")];

/// Columns that no row lacks, beside the unique ones; views don't tell.
const NOT_NULL: &[(&str, &str)] = &[
    ("call_edge_metrics", "call_sid"),
    ("call_edge_metrics", "edge"),
    ("call_edge_quality", "call_sid"),
    ("call_edge_quality", "edge"),
    ("call_edge_silence", "call_sid"),
    ("call_edge_silence", "edge"),
    ("call_edge_silence", "media"),
    ("calls", "first_received_time"),
    ("calls", "last_received_time"),
    ("coverage", "account_sid"),
    ("coverage", "hour"),
    ("kpi_calls_hourly", "hour"),
    ("kpi_calls_daily", "day"),
    ("kpi_edges_hourly", "hour"),
    ("kpi_edges_daily", "day"),
    ("kpi_failures_hourly", "hour"),
    ("kpi_failures_daily", "day"),
];

/// How old the newest value of a column may be: calls pause at night and on Sundays, the refresh of key
/// figures (every minute) does not.
struct Freshness {
    relation: &'static str,
    column: &'static str,
    warn: (u32, &'static str),
    error: (u32, &'static str),
}

const FRESHNESS: &[Freshness] = &[
    Freshness {
        relation: "call_summaries",
        column: "last_received_time",
        warn: (12, "hour"),
        error: (3, "day"),
    },
    Freshness {
        relation: "kpi_freshness",
        column: "refreshed_time",
        warn: (15, "minute"),
        error: (2, "hour"),
    },
];

const OPENING: &str = "\
# Generated from the comments in the database by `callsink dictionary --format dbt`; a test fails when it is not current.
# For dbt 1.10 or newer. Log in as a user with callsink_reader; personal columns are left out, as it may not read them.
# Where calls come around the clock, narrow the freshness of call_summaries.
version: 2

sources:
  - name: callsink
    description: \"Twilio Voice Insights call summaries, one converging row per call, and key figures. Kept up to date by callsink serve.\"
    schema: public
    tables:
";

/// The whole file.
///
/// # Errors
/// None: a `String` takes everything.
pub(super) fn sources(dictionary: &Dictionary) -> Result<String, std::fmt::Error> {
    let mut yaml = OPENING.to_owned();
    for relation in dictionary.relations.iter().filter(|relation| relation.schema == "public") {
        table(&mut yaml, relation)?;
    }
    Ok(yaml)
}

fn table(yaml: &mut String, relation: &Relation) -> std::fmt::Result {
    let name = relation.name.as_str();
    writeln!(yaml, "      - name: {name}\n        description: {}", text(&relation.comment))?;
    if let Some(fresh) = FRESHNESS.iter().find(|fresh| fresh.relation == name) {
        writeln!(
            yaml,
            "        config:\n          loaded_at_field: {}\n          freshness:\n            \
             warn_after: {{count: {}, period: {}}}\n            error_after: {{count: {}, period: {}}}",
            fresh.column, fresh.warn.0, fresh.warn.1, fresh.error.0, fresh.error.1
        )?;
    }
    yaml.push_str("        columns:\n");
    for column in relation.columns.iter().filter(|column| !column.hidden) {
        writeln!(
            yaml,
            "          - name: {}\n            description: {}\n            data_type: {}",
            column.name,
            text(&column.comment),
            column.sql_type
        )?;
        let tests = tests(name, column);
        if !tests.is_empty() {
            writeln!(yaml, "            data_tests: [{}]", tests.join(", "))?;
        }
    }
    Ok(())
}

fn tests(relation: &str, column: &Column) -> Vec<&'static str> {
    let is_in = |list: &[(&str, &str)]| list.contains(&(relation, column.name.as_str()));
    if is_in(UNIQUE) {
        vec!["unique", "not_null"]
    } else if column.required || is_in(NOT_NULL) {
        vec!["not_null"]
    } else {
        Vec::new()
    }
}

/// A YAML text in double quotes. JSON's is one; Jinja, which dbt looks for in it, must find nothing.
fn text(text: &str) -> String {
    let braceless = text.replace("{{", "{ {").replace("{%", "{ %");
    serde_json::Value::String(braceless).to_string()
}
