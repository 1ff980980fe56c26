//! The table `call_summaries`: one upsert per batch that lets the greater event win, and one update
//! that gives a losing event's times to the row that beat it.
//!
//! In: calls, at most one element per call, sorted by `call_sid`. Out: which of them changed the row.
//! Rows that the REST API has told of, too, are few; they are left to `known_calls`.
//! Promises: agrees with `CallSummary::merge` (a property test compares them); repeating it changes
//! nothing; rows are locked in the order of `call_sid`, so that two writers can't deadlock.
//!
//! The statement names every column in four places; it is built once from the field table,
//! so that the list exists once. Every part of it is a constant of this crate.

use super::array::{EdgeSet, add_column, array_literal};
use super::columns::{Columns, MERGED_COLUMNS};
use super::dirty_hours::DirtyHours;
use super::error::StoreError;
use super::known_calls;
use super::session::{Session, within};
use crate::domain::call::Winner;
use crate::domain::fields::SUMMARY_FIELDS;
use crate::domain::{CallSummary, KnownCall};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments, Connection, Row};
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
    let columns = Columns::and(&[]);
    let key =
        |row| KEY.iter().map(|part| part.replace("{}", row)).collect::<Vec<_>>().join(",\n    ");
    let merged = |name: &str| MERGED_COLUMNS.iter().find(|(column, _)| *column == name);
    let set = columns.names[1..].iter().map(|name| match merged(name) {
        Some((_, merge)) => format!("{name} = {merge}(call.{name}, excluded.{name})"),
        None => format!("{name} = excluded.{name}"),
    });
    // What the row was counted under goes on record in the row itself, where no race can falsify it.
    let set = set.chain(["replaced_start_time = call.start_time".to_owned()]);
    // A row that is also known from the REST API is merged by `known_calls`, by the rule itself.
    format!(
        "-- store::Session::upsert_call_summaries\n\
         INSERT INTO public.call_summaries AS call (\n    {}\n)\n{}\n\
         ON CONFLICT (call_sid) DO UPDATE SET\n    {}\n\
         WHERE call.rest_observed_time IS NULL AND (\n    {}\n) > (\n    {}\n)\n\
         RETURNING call_sid, start_time, replaced_start_time",
        columns.list(),
        columns.select(),
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
    // One transaction: a row stays locked from reading it to writing it, and its change and the mark of its
    // hour are seen together. The upsert locks every row of the batch, in order, and nothing after it
    // locks another, so that two writers can't deadlock.
    let mut transaction = connection.begin().await?;
    let mut dirty = DirtyHours::default();
    let arguments = upsert_arguments(calls).map_err(sqlx::Error::Encode)?;
    let rows = sqlx::query_with(UPSERT.as_str(), arguments).fetch_all(&mut *transaction).await?;
    let mut won = HashSet::with_capacity(rows.len());
    for row in &rows {
        won.insert(row.try_get::<&str, _>(0)?);
        dirty.add(row.try_get(1)?);
        dirty.add(row.try_get(2)?);
    }
    let lost: Vec<&CallSummary> =
        calls.iter().filter(|call| !won.contains(call.call_sid.as_str())).collect();
    let mut upserted = Upserted { won: won.len(), lost: lost.len() };
    if !lost.is_empty() {
        let arguments = touch_arguments(&lost).map_err(sqlx::Error::Encode)?;
        let rows = sqlx::query_with(TOUCH, arguments).fetch_all(&mut *transaction).await?;
        let mut observed = HashSet::new();
        for row in &rows {
            if row.try_get(1)? {
                observed.insert(row.try_get::<&str, _>(0)?);
            } else {
                dirty.add(row.try_get(2)?);
            }
        }
        let observed = lost.into_iter().filter(|call| observed.contains(call.call_sid.as_str()));
        let observed: Vec<KnownCall> = observed.cloned().map(KnownCall::from).collect();
        let won = known_calls::merge_into_rows(&mut transaction, observed).await?;
        let won = won.iter().filter(|(_, merged)| merged.shows_it).count();
        upserted = Upserted { won: upserted.won + won, lost: upserted.lost - won };
    }
    dirty.mark(&mut transaction).await?;
    transaction.commit().await?;
    Ok(upserted)
}

/// For `cargo bench`: only encodes what an upsert of `calls` would send; how many parameters that are.
///
/// # Errors
/// A value that can't be encoded.
#[doc(hidden)]
pub fn encode_upsert(calls: &[CallSummary]) -> Result<usize, StoreError> {
    Ok(upsert_arguments(calls).map_err(sqlx::Error::Encode)?.len())
}

/// Parameters in the order of [`Columns`].
fn upsert_arguments(calls: &[CallSummary]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    // Grown by doubling it would take twice as much, and be copied a dozen times on the way.
    let payloads: usize = calls.iter().map(|call| call.winner.payload.len()).sum();
    arguments.reserve(0, payloads * 2);
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
