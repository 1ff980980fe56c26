//! Rows of `call_summaries` worked out anew from their own payloads, as they are or without the person.
//!
//! In: calls. Out: which of their rows changed, and which can't be read.
//! Promises: a row is locked from reading it to writing it, so nothing newer is overwritten; what is equal
//! already is not written; rows are locked in the order of `call_sid`, as everywhere. Times of receipt and
//! of states are kept as they are.

use super::columns::Columns;
use super::dirty_hours::DirtyHours;
use super::error::{StoreError, Trouble};
use super::known_calls::{LOCK, MORE, arguments, known_call};
use super::session::{Session, within};
use crate::decode::redact::redact;
use crate::domain::KnownCall;
use crate::domain::fields::{Kind, SUMMARY_FIELDS};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use std::sync::LazyLock;

const PAGE: &str = include_str!("sql/select_call_page.sql");

static REWRITE: LazyLock<String> = LazyLock::new(|| {
    let columns = Columns::and(MORE);
    let is_json = |name: &str| {
        // Neither json nor an array of composites that hold json can be compared but as texts.
        let json = SUMMARY_FIELDS.iter().filter(|field| field.kind == Kind::Json);
        ["payload", "other_payload", "edges"].contains(&name)
            || json.map(|field| field.column).any(|column| column == name)
    };
    let set = columns.names[1..].iter().map(|name| format!("{name} = anew.{name}"));
    let set = set.chain(["replaced_start_time = call.start_time".to_owned()]);
    let differs = columns.names[1..].iter().map(|name| {
        let text = if is_json(name) { "::text" } else { "" };
        format!("call.{name}{text} IS DISTINCT FROM anew.{name}{text}")
    });
    format!(
        "-- store::rewrite::rewrite\nUPDATE public.call_summaries AS call SET\n    {}\n\
         FROM (\n{}\n) AS anew\nWHERE call.call_sid = anew.call_sid AND (\n    {}\n)\n\
         RETURNING call.call_sid, call.start_time, call.replaced_start_time",
        set.collect::<Vec<_>>().join(",\n    "),
        columns.select(),
        differs.collect::<Vec<_>>().join("\n    OR "),
    )
});

/// What to do with the payloads of a row before it is worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payloads {
    /// They stay: the row becomes what this version makes of them.
    AsTheyAre,
    /// The person is taken out of them.
    Redacted,
}

/// What became of some rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// Rows that were there.
    pub(super) rows: usize,
    /// Calls whose row is another now.
    pub(super) changed: Vec<String>,
    /// Calls whose payload is not what callsink writes; untouched.
    pub(super) unreadable: Vec<String>,
}

/// A stretch of the table, in the order of `call_sid`.
#[derive(Debug, Clone)]
pub struct RebuiltPage {
    /// The last call of the stretch.
    pub last_call_sid: String,
    /// Rows in it.
    pub rows: usize,
    /// Of these, rows of which something changed.
    pub changed: usize,
    /// Of these, rows whose payload is not what callsink writes; untouched.
    pub unreadable: usize,
}

impl Session {
    /// Works out anew the next `limit` rows after `after`; `None` when there are none.
    ///
    /// # Errors
    /// See [`StoreError`]. Nothing of the stretch is written.
    pub async fn rebuild_rows_after(
        &mut self,
        after: &str,
        limit: u32,
    ) -> Result<Option<RebuiltPage>, StoreError> {
        let mut connection = self.take().await?;
        let page = within("rebuilding rows", rebuild(&mut connection, after, limit)).await;
        self.give_back(connection, page)
    }
}

async fn rebuild(
    connection: &mut PgConnection,
    after: &str,
    limit: u32,
) -> Result<Option<RebuiltPage>, StoreError> {
    let rows =
        sqlx::query(PAGE).bind(after).bind(i64::from(limit)).fetch_all(&mut *connection).await?;
    let sids = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let Some(last) = sids.last().cloned() else { return Ok(None) };
    let mut transaction = connection.begin().await?;
    let rewritten = rewrite(&mut transaction, &sids, Payloads::AsTheyAre).await?;
    transaction.commit().await?;
    Ok(Some(RebuiltPage {
        last_call_sid: last,
        rows: sids.len(),
        changed: rewritten.changed.len(),
        unreadable: rewritten.unreadable.len(),
    }))
}

/// Works the rows of `sids` out anew, within the caller's transaction.
pub(super) async fn rewrite(
    connection: &mut PgConnection,
    sids: &[String],
    payloads: Payloads,
) -> Result<Rewritten, StoreError> {
    let edit: fn(&str) -> Option<String> = match payloads {
        Payloads::AsTheyAre => |payload| Some(payload.to_owned()),
        Payloads::Redacted => redact,
    };
    let rows = sqlx::query(LOCK).bind(sids).fetch_all(&mut *connection).await?;
    let mut rewritten = Rewritten { rows: rows.len(), ..Rewritten::default() };
    let mut calls: Vec<KnownCall> = Vec::with_capacity(rows.len());
    for row in &rows {
        match known_call(row, edit) {
            Ok(call) => calls.push(call),
            Err(error) if error.trouble == Trouble::Content => {
                rewritten.unreadable.push(row.try_get("call_sid")?);
            }
            Err(error) => return Err(error),
        }
    }
    if !calls.is_empty() {
        let arguments =
            arguments(&calls.iter().collect::<Vec<_>>()).map_err(sqlx::Error::Encode)?;
        let rows =
            sqlx::query_with(REWRITE.as_str(), arguments).fetch_all(&mut *connection).await?;
        let mut dirty = DirtyHours::default();
        for row in &rows {
            rewritten.changed.push(row.try_get(0)?);
            dirty.add(row.try_get(1)?);
            dirty.add(row.try_get(2)?);
        }
        dirty.mark(connection).await?;
    }
    Ok(rewritten)
}
