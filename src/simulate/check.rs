//! Whether every acknowledged call is in its right final row.
//!
//! In: a database, the ledger, how long rows may take. Out: counts, and the first differences.
//! Promises: reads only; a database that is away for a while is asked again; what was right once is not
//! asked again, as nothing that was acknowledged can still change it.

use super::expect::{Difference, Row, Verdict, judge};
use super::ledger::Ledger;
use anyhow::Context as _;
use sqlx::Row as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// Calls per statement.
const CHUNK: usize = 500;

/// Between two looks at the same rows.
const PAUSE: Duration = Duration::from_millis(500);

/// Differences that are told; one bug usually makes thousands.
const TOLD: usize = 10;

const SELECT_ROWS: &str = "
-- simulate::check::select
SELECT
    call.call_sid,
    call.event_id,
    call.event_type,
    call.processing_version,
    call.event_time,
    call.payload::text AS payload,
    call.partial_time,
    call.predicted_complete_time,
    call.complete_time,
    call.account_sid,
    call.call_state,
    call.call_type,
    call.duration,
    call.connect_duration,
    call.pdd_ms,
    call.direction,
    call.from_country_code,
    call.to_carrier,
    call.tags,
    edges.edge_rows,
    edges.packets_received,
    edges.packets_lost
FROM public.call_summaries AS call
CROSS JOIN LATERAL (
    SELECT
        count(*) AS edge_rows,
        coalesce(sum(edge.packets_received), 0)::bigint AS packets_received,
        coalesce(sum(edge.packets_lost), 0)::bigint AS packets_lost
    FROM public.call_edge_metrics AS edge
    WHERE edge.call_sid = call.call_sid
) AS edges
WHERE call.call_sid = ANY($1)";

/// What the check found.
#[derive(Default)]
pub(super) struct Report {
    right: u64,
    /// Of the right ones, those that have no row and need none.
    absent: u64,
    wrong: u64,
    missing: u64,
    /// Of these nothing is known, as the database did not answer.
    unread: u64,
    told: Vec<(String, Difference)>,
    last_error: Option<String>,
}

impl Report {
    pub(super) fn is_right(&self) -> bool {
        self.wrong + self.missing + self.unread == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { right, absent, wrong, missing, unread, .. } = self;
        let calls = right + wrong + missing + unread;
        write!(out, "verified {calls} calls: {right} right, {wrong} wrong, {missing} missing")?;
        if *absent > 0 {
            write!(
                out,
                " ({absent} of the right ones rightly absent, as nothing of them was acknowledged)"
            )?;
        }
        if *unread > 0 {
            write!(out, ", {unread} could not be read")?;
        }
        writeln!(out)?;
        for (sid, Difference { column, expected, found }) in &self.told {
            writeln!(out, "  {sid} {column}: expected {expected}, found {found}")?;
        }
        if let Some(error) = &self.last_error {
            writeln!(out, "  the database said: {error}")?;
        }
        Ok(())
    }
}

/// A call that isn't right yet: position of its round, its number.
type Pending = (usize, u32);

/// Looks until everything is right, or until `timeout` has passed since the start.
pub(super) async fn check(
    database_url: &str,
    ledger: &Ledger,
    timeout: Duration,
) -> anyhow::Result<Report> {
    let options: PgConnectOptions = database_url
        .parse()
        .map_err(|_| anyhow::anyhow!("--verify is not a URL like postgres://user@host/database"))?;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options.application_name("callsink simulate"));
    let deadline = Instant::now() + timeout;
    let mut pending = touched(ledger);
    let mut report = Report::default();
    loop {
        // Starts over: what was wrong may be right by now.
        report = Report { right: report.right, absent: report.absent, ..Report::default() };
        let mut still_pending = Vec::new();
        for chunk in pending.chunks(CHUNK) {
            look(&pool, ledger, chunk, &mut report, &mut still_pending).await?;
        }
        pending = still_pending;
        if pending.is_empty() || Instant::now() >= deadline {
            pool.close().await;
            return Ok(report);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The calls of which anything was sent.
fn touched(ledger: &Ledger) -> Vec<Pending> {
    let rounds = ledger.0.iter().enumerate();
    rounds
        .flat_map(|(position, round)| {
            let calls = (0..).zip(&round.records);
            calls
                .filter(|(_, record)| record.acknowledged | record.open | record.refused != 0)
                .map(move |(index, _)| (position, index))
        })
        .collect()
}

async fn look(
    pool: &PgPool,
    ledger: &Ledger,
    chunk: &[Pending],
    report: &mut Report,
    still_pending: &mut Vec<Pending>,
) -> anyhow::Result<()> {
    let sids: Vec<String> =
        chunk.iter().map(|&(round, index)| ledger.0[round].script.sid(index)).collect();
    let rows = match select(pool, &sids).await {
        Ok(rows) => rows,
        Err(error) => {
            report.last_error = Some(error.to_string());
            report.unread += chunk.len() as u64;
            still_pending.extend(chunk);
            return Ok(());
        }
    };
    for (&(position, index), sid) in chunk.iter().zip(sids) {
        let round = &ledger.0[position];
        let record = usize::try_from(index)
            .ok()
            .and_then(|index| round.records.get(index))
            .copied()
            .unwrap_or_default();
        let verdict = judge(&round.script, index, record, rows.get(&sid))
            .context("an event cannot be written")?;
        match verdict {
            Verdict::Right => {
                report.right += 1;
                report.absent += u64::from(!rows.contains_key(&sid));
                continue;
            }
            Verdict::Missing => report.missing += 1,
            Verdict::Wrong(differences) => {
                report.wrong += 1;
                let room = TOLD.saturating_sub(report.told.len());
                let told = differences.into_iter().take(room);
                report.told.extend(told.map(|difference| (sid.clone(), difference)));
            }
        }
        still_pending.push((position, index));
    }
    Ok(())
}

async fn select(pool: &PgPool, sids: &[String]) -> sqlx::Result<HashMap<String, Row>> {
    let rows = sqlx::query(SELECT_ROWS).bind(sids).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get("call_sid")?, read(row)?))).collect()
}

fn read(row: &PgRow) -> sqlx::Result<Row> {
    Ok(Row {
        event_id: row.try_get("event_id")?,
        event_type: row.try_get("event_type")?,
        processing_version: row.try_get("processing_version")?,
        event_time: row.try_get("event_time")?,
        payload: row.try_get("payload")?,
        partial_time: row.try_get("partial_time")?,
        predicted_complete_time: row.try_get("predicted_complete_time")?,
        complete_time: row.try_get("complete_time")?,
        account_sid: row.try_get("account_sid")?,
        call_state: row.try_get("call_state")?,
        call_type: row.try_get("call_type")?,
        duration: row.try_get("duration")?,
        connect_duration: row.try_get("connect_duration")?,
        pdd_ms: row.try_get("pdd_ms")?,
        direction: row.try_get("direction")?,
        from_country_code: row.try_get("from_country_code")?,
        to_carrier: row.try_get("to_carrier")?,
        tags: row.try_get("tags")?,
        edge_rows: row.try_get("edge_rows")?,
        packets_received: row.try_get("packets_received")?,
        packets_lost: row.try_get("packets_lost")?,
    })
}
