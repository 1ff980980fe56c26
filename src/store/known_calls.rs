//! Calls that the REST API has told of, with or without events: read, merged by the rule, written whole.
//!
//! In: observations, or events of calls that were observed, at most one element per call, sorted by
//! `call_sid`. Out: what became of each row.
//! Promises: the rule is `KnownCall::merge` itself, under the row's lock; repeating it changes nothing; rows
//! are locked in the order of `call_sid`, and no transaction locks twice, so that writers can't deadlock.
//! Why not in SQL, as for events: these rows are few, and what they show depends on two summaries.

use super::array::{EdgeSet, add_column, array_literal};
use super::columns::{Columns, Extra};
use super::dirty_hours::DirtyHours;
use super::erased_calls;
use super::error::{StoreError, Trouble};
use super::session::{Session, within};
use crate::decode::kept;
use crate::domain::KnownCall;
use crate::domain::call::{LatestTimes, Received, Winner};
use crate::domain::fields::SUMMARY_FIELDS;
use crate::domain::known::Source;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{Arguments, Connection, Row};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

pub(super) const LOCK: &str = include_str!("sql/lock_known_calls.sql");

/// Beside the columns that events fill.
pub(super) const MORE: &[Extra] = &[
    ("summary_source", "text", ""),
    ("rest_observed_time", "timestamptz", ""),
    ("other_payload", "text", "::json"),
];

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::and(MORE);
    format!(
        "-- store::known_calls::insert\nINSERT INTO public.call_summaries (\n    {}\n)\n{}\n\
         ON CONFLICT (call_sid) DO NOTHING\nRETURNING call_sid, start_time",
        columns.list(),
        columns.select(),
    )
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::and(MORE);
    let set = columns.names[1..].iter().map(|name| format!("{name} = merged.{name}"));
    let set = set.chain(["replaced_start_time = call.start_time".to_owned()]);
    format!(
        "-- store::known_calls::update\nUPDATE public.call_summaries AS call SET\n    {}\n\
         FROM (\n{}\n) AS merged\n\
         WHERE call.call_sid = merged.call_sid\nRETURNING call.start_time, call.replaced_start_time",
        set.collect::<Vec<_>>().join(",\n    "),
        columns.select(),
    )
});

/// What became of the row of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merged {
    /// There was no row.
    pub inserted: bool,
    /// The row shows something more final than before.
    pub improved: bool,
    /// The row shows the summary that was sent.
    pub shows_it: bool,
}

impl Session {
    /// Brings the rows of observed calls up to what is known of them now; what became of each, in order.
    /// A call whose row is deleted at the same moment is left out.
    ///
    /// # Errors
    /// See [`StoreError`]. Some of the calls may be in; repeating it does no harm.
    pub async fn merge_rest_summaries(
        &mut self,
        calls: &[KnownCall],
    ) -> Result<Vec<(String, Merged)>, StoreError> {
        debug_assert!(
            calls.is_sorted_by(|left, right| left.call_sid < right.call_sid),
            "one element per call, in order"
        );
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.take().await?;
        let merged =
            within("storing REST summaries", insert_or_merge(&mut connection, calls)).await;
        self.give_back(connection, merged)
    }
}

async fn insert_or_merge(
    connection: &mut PgConnection,
    calls: &[KnownCall],
) -> Result<Vec<(String, Merged)>, StoreError> {
    // In a transaction of its own, so that it holds no lock when rows are locked.
    let written: Vec<&KnownCall> = calls.iter().collect();
    let arguments = arguments(&written).map_err(sqlx::Error::Encode)?;
    let mut transaction = connection.begin().await?;
    let rows = sqlx::query_with(INSERT.as_str(), arguments).fetch_all(&mut *transaction).await?;
    let inserted = rows.iter().map(|row| row.try_get(0)).collect::<Result<HashSet<&str>, _>>()?;
    let mut dirty = DirtyHours::default();
    for row in &rows {
        dirty.add(row.try_get(1)?);
    }
    dirty.mark(&mut transaction).await?;
    transaction.commit().await?;
    let is_inserted = |call: &&KnownCall| inserted.contains(call.call_sid.as_str());

    let known = calls.iter().filter(|call| !is_inserted(call)).cloned().collect();
    let mut transaction = connection.begin().await?;
    let mut merged = merge_into_rows(&mut transaction, known).await?;
    transaction.commit().await?;
    let sids: Vec<&str> = calls.iter().map(|call| call.call_sid.as_str()).collect();
    erased_calls::again(connection, &sids, &[]).await?;
    merged.extend(calls.iter().filter(is_inserted).map(|call| {
        let merged = Merged { inserted: true, improved: false, shows_it: true };
        (call.call_sid.clone(), merged)
    }));
    merged.sort_by(|left, right| left.0.cmp(&right.0));
    Ok(merged)
}

/// Merges `calls`, sorted, into their rows, which exist.
pub(super) async fn merge_into_rows(
    connection: &mut PgConnection,
    calls: Vec<KnownCall>,
) -> Result<Vec<(String, Merged)>, StoreError> {
    if calls.is_empty() {
        return Ok(Vec::new());
    }
    let sids: Vec<&str> = calls.iter().map(|call| call.call_sid.as_str()).collect();
    let rows = sqlx::query(LOCK).bind(sids).fetch_all(&mut *connection).await?;
    let known = rows.iter().map(|row| known_call(row, as_it_is)).collect::<Result<Vec<_>, _>>()?;
    let mut known: HashMap<String, KnownCall> =
        known.into_iter().map(|call| (call.call_sid.clone(), call)).collect();
    let (mut changed, mut outcomes) = (Vec::new(), Vec::new());
    for new in calls {
        let Some(before) = known.remove(&new.call_sid) else { continue };
        let after = before.clone().merge(new.clone());
        let merged = Merged {
            inserted: false,
            improved: after.state() > before.state(),
            shows_it: match after.source() {
                Source::Event => after.event == new.event,
                Source::Rest => after.rest == new.rest,
            },
        };
        outcomes.push((new.call_sid, merged));
        if after != before {
            changed.push(after);
        }
    }
    if !changed.is_empty() {
        let arguments =
            arguments(&changed.iter().collect::<Vec<_>>()).map_err(sqlx::Error::Encode)?;
        let rows = sqlx::query_with(UPDATE.as_str(), arguments).fetch_all(&mut *connection).await?;
        let mut dirty = DirtyHours::default();
        for row in &rows {
            dirty.add(row.try_get(0)?);
            dirty.add(row.try_get(1)?);
        }
        dirty.mark(connection).await?;
    }
    Ok(outcomes)
}

fn as_it_is(payload: &str) -> Option<String> {
    Some(payload.to_owned())
}

/// What the row was made of, once its payloads are edited by `edit`.
pub(super) fn known_call(
    row: &PgRow,
    edit: fn(&str) -> Option<String>,
) -> Result<KnownCall, StoreError> {
    let payload = |column| match row.try_get::<Option<&str>, _>(column)? {
        Some(payload) => edit(payload).map(Some).ok_or_else(unlike_ours),
        None => Ok(None),
    };
    let (shown, other) = (payload("payload")?, payload("other_payload")?);
    let (event, rest) = if row.try_get("shows_rest")? { (other, shown) } else { (shown, other) };
    let event_type: Option<&str> = row.try_get("event_type")?;
    let event = match event_type.zip(event) {
        None => None,
        Some((event_type, payload)) => {
            let envelope = kept::Envelope {
                event_type,
                id: row.try_get("event_id")?,
                source: row.try_get("event_source")?,
                dataschema: row.try_get("dataschema")?,
                time: row.try_get("event_time")?,
            };
            Some(kept::event(&envelope, &payload).map_err(|_| unlike_ours())?)
        }
    };
    let rest = match row.try_get::<Option<_>, _>("rest_observed_time")?.zip(rest) {
        None => None,
        Some((observed, payload)) => {
            Some(kept::rest(&payload, observed).map_err(|_| unlike_ours())?)
        }
    };
    Ok(KnownCall {
        call_sid: row.try_get("call_sid")?,
        event,
        rest,
        latest: LatestTimes {
            partial: row.try_get("partial_time")?,
            predicted_complete: row.try_get("predicted_complete_time")?,
            complete: row.try_get("complete_time")?,
        },
        received: Received {
            first: row.try_get("first_received_time")?,
            last: row.try_get("last_received_time")?,
        },
    })
}

/// Of kind content: the batch is halved until the call stands alone, and the others go in.
fn unlike_ours() -> StoreError {
    let message = "the payload of the call's row is not what callsink writes".to_owned();
    StoreError { trouble: Trouble::Content, sqlstate: None, message }
}

/// Parameters in the order of [`Columns`].
pub(super) fn arguments(calls: &[&KnownCall]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    macro_rules! column {
        ($value:expr) => {{
            let value = $value;
            arguments.add(calls.iter().map(|call| value(*call)).collect::<Vec<_>>())?;
        }};
    }
    macro_rules! event_column {
        ($value:expr) => {{
            let value = $value;
            column!(|call: &KnownCall| call.event.as_ref().and_then(value));
        }};
    }
    column!(|call: &KnownCall| call.call_sid.clone());
    let values: Vec<_> = calls.iter().map(|call| call.values()).collect();
    for (index, field) in SUMMARY_FIELDS.iter().enumerate() {
        add_column(&mut arguments, field.kind, values.iter().map(|values| &values[index]))?;
    }
    event_column!(|event: &Winner| Some(event.event_type.clone()));
    column!(|call: &KnownCall| call.state().rank());
    event_column!(|event: &Winner| event.key.processing_version);
    event_column!(|event: &Winner| event.key.time);
    event_column!(|event: &Winner| event.key.id.clone());
    event_column!(|event: &Winner| event.source.clone());
    event_column!(|event: &Winner| event.dataschema.clone());
    event_column!(|event: &Winner| event.schema_version);
    column!(|call: &KnownCall| call.payloads().0.map(str::to_owned));
    column!(|call: &KnownCall| {
        (!call.unreadable().is_empty()).then(|| array_literal(call.unreadable()))
    });
    column!(|call: &KnownCall| call.latest.partial);
    column!(|call: &KnownCall| call.latest.predicted_complete);
    column!(|call: &KnownCall| call.latest.complete);
    column!(|call: &KnownCall| call.received.first);
    column!(|call: &KnownCall| call.received.last);
    arguments.add(calls.iter().map(|call| EdgeSet(call.edges())).collect::<Vec<_>>())?;
    column!(|call: &KnownCall| call.source().as_str());
    column!(|call: &KnownCall| call.rest.as_ref().map(|rest| rest.observed));
    column!(|call: &KnownCall| call.payloads().1.map(str::to_owned));
    Ok(arguments)
}
