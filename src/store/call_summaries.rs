//! The table `call_summaries`: one upsert per batch that lets the greater event win, and one update
//! that gives a losing event's times to the row that beat it.
//!
//! In: calls, at most one element per call, sorted by `call_sid`. Out: which of them changed the row.
//! Promises: agrees with `CallSummary::merge` (a property test compares them); repeating it changes
//! nothing; rows are locked in the order of `call_sid`, so that two writers can't deadlock.
//!
//! The statement names every column in four places; it is built once from the field table,
//! so that the list exists once. Every part of it is a constant of this crate.

use super::array::{EdgeSet, add_column, array_literal};
use super::error::StoreError;
use super::session::{Session, within};
use crate::domain::CallSummary;
use crate::domain::call::Winner;
use crate::domain::fields::{Kind, SUMMARY_FIELDS};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments, Row};
use std::collections::HashSet;
use std::sync::LazyLock;

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upserted {
    /// Calls whose row now shows the event that was sent.
    pub won: usize,
    /// Calls whose row already showed a greater event, or the same.
    pub lost: usize,
}

/// Columns beside the documented fields: name, type of the parameter's elements, cast in the SELECT.
const EVENT_COLUMNS: &[(&str, &str, &str)] = &[
    ("event_type", "text", ""),
    ("event_rank", "smallint", ""),
    ("processing_version", "bigint", ""),
    ("event_time", "timestamptz", ""),
    ("event_id", "text", ""),
    ("event_source", "text", ""),
    ("dataschema", "text", ""),
    ("schema_version", "integer", ""),
    ("payload", "text", "::json"),
    ("unreadable_fields", "text", "::text[]"),
];

/// Columns that every event adds to, whichever wins: name and how they merge.
const MERGED_COLUMNS: &[(&str, &str)] = &[
    ("partial_time", "GREATEST"),
    ("predicted_complete_time", "GREATEST"),
    ("complete_time", "GREATEST"),
    ("first_received_time", "LEAST"),
    ("last_received_time", "GREATEST"),
];

/// The order of events, in SQL; the same as `Winner::order`. Missing parts sort lowest, texts by bytes.
/// What follows event_id is only looked at when all before is equal: for repeats of one event.
const KEY: &[&str] = &[
    "{}.event_rank",
    "coalesce({}.processing_version, -9223372036854775808)",
    "coalesce({}.event_time, '-infinity')",
    "coalesce({}.event_id, '') COLLATE \"C\"",
    "{}.payload::text COLLATE \"C\"",
    "{}.event_type COLLATE \"C\"",
    "coalesce({}.dataschema, '') COLLATE \"C\"",
    "coalesce({}.event_source, '') COLLATE \"C\"",
];

static UPSERT: LazyLock<String> = LazyLock::new(upsert_statement);
const TOUCH: &str = include_str!("sql/touch_call_summaries.sql");

fn upsert_statement() -> String {
    let mut names = vec!["call_sid"];
    let mut selected = vec!["new.call_sid".to_owned()];
    let mut parameters = vec!["$1::text[]".to_owned()];
    let mut column = |name: &'static str, sql_type: &str, cast: &str| {
        names.push(name);
        selected.push(format!("new.{name}{cast}"));
        parameters.push(format!("${}::{sql_type}[]", names.len()));
    };
    for field in SUMMARY_FIELDS {
        match field.kind {
            Kind::Texts => column(field.column, "text", "::text[]"),
            Kind::Json => column(field.column, "text", "::json"),
            kind => column(field.column, kind.sql_type(), ""),
        }
    }
    for (name, sql_type, cast) in EVENT_COLUMNS {
        column(name, sql_type, cast);
    }
    for (name, _) in MERGED_COLUMNS {
        column(name, "timestamptz", "");
    }
    column("edges", "callsink.edge_set", "");
    let key =
        |row| KEY.iter().map(|part| part.replace("{}", row)).collect::<Vec<_>>().join(",\n    ");
    let merged = |name: &str| MERGED_COLUMNS.iter().find(|(column, _)| *column == name);
    let set = names[1..].iter().map(|name| match merged(name) {
        Some((_, merge)) => format!("{name} = {merge}(call.{name}, excluded.{name})"),
        None => format!("{name} = excluded.{name}"),
    });
    format!(
        "-- store::Session::upsert_call_summaries\n\
         INSERT INTO public.call_summaries AS call (\n    {}\n)\nSELECT\n    {}\nFROM unnest(\n    {}\n) \
         AS new (\n    {}\n)\nON CONFLICT (call_sid) DO UPDATE SET\n    {}\nWHERE (\n    {}\n) > (\n    {}\n)\n\
         RETURNING call_sid",
        names.join(",\n    "),
        selected.join(",\n    "),
        parameters.join(",\n    "),
        names.join(",\n    "),
        set.collect::<Vec<_>>().join(",\n    "),
        key("excluded"),
        key("call"),
    )
}

impl Session {
    /// Brings the rows of `calls` up to what is known of them now.
    ///
    /// # Errors
    /// See [`StoreError`]; on a content error nothing of the batch is in.
    pub async fn upsert_call_summaries(
        &mut self,
        calls: &[CallSummary],
    ) -> Result<Upserted, StoreError> {
        debug_assert!(
            calls.is_sorted_by(|left, right| left.call_sid < right.call_sid),
            "one element per call, in order"
        );
        if calls.is_empty() {
            return Ok(Upserted::default());
        }
        let mut connection = self.take().await?;
        let upserted = within("storing a batch of calls", upsert(&mut connection, calls)).await;
        self.give_back(connection, upserted)
    }
}

async fn upsert(
    connection: &mut PgConnection,
    calls: &[CallSummary],
) -> Result<Upserted, StoreError> {
    let arguments = upsert_arguments(calls).map_err(sqlx::Error::Encode)?;
    let rows = sqlx::query_with(UPSERT.as_str(), arguments).fetch_all(&mut *connection).await?;
    let won = rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<&str>, _>>()?;
    let lost: Vec<&CallSummary> =
        calls.iter().filter(|call| !won.contains(call.call_sid.as_str())).collect();
    if !lost.is_empty() {
        let arguments = touch_arguments(&lost).map_err(sqlx::Error::Encode)?;
        sqlx::query_with(TOUCH, arguments).execute(connection).await?;
    }
    Ok(Upserted { won: won.len(), lost: lost.len() })
}

/// Parameters in the order of the columns in [`upsert_statement`].
fn upsert_arguments(calls: &[CallSummary]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    arguments.add(calls.iter().map(|call| call.call_sid.as_str()).collect::<Vec<_>>())?;
    for (index, field) in SUMMARY_FIELDS.iter().enumerate() {
        let values = calls.iter().map(|call| &call.winner.values[index]);
        add_column(&mut arguments, field.kind, values)?;
    }
    macro_rules! event_column {
        ($value:expr) => {{
            let value = $value;
            arguments.add(calls.iter().map(|call| value(&call.winner)).collect::<Vec<_>>())?;
        }};
    }
    event_column!(|winner: &Winner| winner.event_type.clone());
    event_column!(|winner: &Winner| winner.key.state.rank());
    event_column!(|winner: &Winner| winner.key.processing_version);
    event_column!(|winner: &Winner| winner.key.time);
    event_column!(|winner: &Winner| winner.key.id.clone());
    event_column!(|winner: &Winner| winner.source.clone());
    event_column!(|winner: &Winner| winner.dataschema.clone());
    event_column!(|winner: &Winner| winner.schema_version);
    arguments.add(calls.iter().map(|call| call.winner.payload.as_str()).collect::<Vec<_>>())?;
    event_column!(|winner: &Winner| {
        (!winner.unreadable.is_empty()).then(|| array_literal(&winner.unreadable))
    });
    add_merged_columns(&mut arguments, calls.iter())?;
    arguments.add(calls.iter().map(|call| EdgeSet(&call.winner.edges)).collect::<Vec<_>>())?;
    Ok(arguments)
}

fn touch_arguments(calls: &[&CallSummary]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    arguments.add(calls.iter().map(|call| call.call_sid.as_str()).collect::<Vec<_>>())?;
    add_merged_columns(&mut arguments, calls.iter().copied())?;
    Ok(arguments)
}

/// In the order of [`MERGED_COLUMNS`].
fn add_merged_columns<'c>(
    arguments: &mut PgArguments,
    calls: impl Iterator<Item = &'c CallSummary> + Clone,
) -> Result<(), BoxDynError> {
    arguments.add(calls.clone().map(|call| call.latest.partial).collect::<Vec<_>>())?;
    arguments.add(calls.clone().map(|call| call.latest.predicted_complete).collect::<Vec<_>>())?;
    arguments.add(calls.clone().map(|call| call.latest.complete).collect::<Vec<_>>())?;
    arguments.add(calls.clone().map(|call| call.received.first).collect::<Vec<_>>())?;
    arguments.add(calls.map(|call| call.received.last).collect::<Vec<_>>())
}
