//! The key figures: always what a full recomputation gives, true to their definitions, and safe to show.

use crate::support::service::Setup;
use crate::support::{Database, Event, eventually};
use callsink::decode::{Meaning, decode};
use callsink::domain::CallSummary;
use callsink::store::Session;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const ROLLUPS: [&str; 6] = [
    "call_kpis_hourly",
    "call_kpis_daily",
    "edge_kpis_hourly",
    "edge_kpis_daily",
    "failure_kpis_hourly",
    "failure_kpis_daily",
];

const VIEWS: [&str; 10] = [
    "calls",
    "call_edge_quality",
    "call_edge_silence",
    "kpi_calls_hourly",
    "kpi_calls_daily",
    "kpi_edges_hourly",
    "kpi_edges_daily",
    "kpi_failures_hourly",
    "kpi_failures_daily",
    "kpi_freshness",
];

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_355_200, 0).expect("2026-01-02T12:00:00Z")
}

/// One of thirty calls in one of its many forms: start times over two days are corrected, states change.
fn random_event() -> Event {
    let call = fastrand::u32(0..30);
    let state = ["partial", "predicted-complete", "complete"][fastrand::usize(0..3)];
    let mut event = Event::new(&format!("CA{call:02}"), state).version(fastrand::i64(0..4));
    event = event.id(&format!("EZ{}", fastrand::u32(0..1000)));
    if fastrand::u8(0..8) > 0 {
        let start = noon() + TimeDelta::minutes(fastrand::i64(-1440..1440));
        event = event.with("start_time", start.to_rfc3339());
        event = event.with("end_time", (start + TimeDelta::seconds(90)).to_rfc3339());
        event = event.time((start + TimeDelta::seconds(fastrand::i64(100..3000))).to_rfc3339());
    }
    let state = ["completed", "busy", "noanswer", "canceled", "fail", "ringing"];
    event = event.with("call_state", state[fastrand::usize(0..state.len())]);
    event = event.with("call_type", ["carrier", "client"][fastrand::usize(0..2)]);
    event = event.with("connect_duration", fastrand::i64(0..200));
    event = event.with("tags", json!([(["silence", "high_jitter"][fastrand::usize(0..2)])]));
    let direction = ["inbound", "outbound_api"][fastrand::usize(0..2)];
    event = event.with(
        "properties",
        json!({"direction": direction, "pdd_ms": fastrand::i64(0..9000), "last_sip_response_num": 486}),
    );
    event = event.with("from", json!({"country_code": "US", "carrier": "A"}));
    event = event.with("to", json!({"country_code": (["DE", "FR"][fastrand::usize(0..2)])}));
    event.with(
        "carrier_edge",
        json!({"metrics": {"inbound": {
            "codec_name": "pcmu",
            "packets_received": 1000,
            "packets_lost": fastrand::i64(0..100),
            "packets_loss_percentage": fastrand::f64() * 10.0,
            "jitter": {"avg": fastrand::f64() * 20.0, "max": 40.0},
        }}}),
    )
}

fn batch() -> Vec<CallSummary> {
    let mut calls: BTreeMap<String, CallSummary> = BTreeMap::new();
    for _ in 0..fastrand::usize(1..12) {
        let event = random_event();
        let meaning = decode(event.json().to_string().as_bytes(), Utc::now()).meaning;
        let Meaning::CallSummary { call, .. } = meaning else { panic!("not a call summary") };
        let merged = match calls.remove(&call.call_sid) {
            Some(known) => known.merge(*call),
            None => *call,
        };
        calls.insert(merged.call_sid.clone(), merged);
    }
    calls.into_values().collect()
}

async fn contents(database: &Database) -> Vec<String> {
    let mut all = Vec::new();
    for table in ROLLUPS {
        // Sums of floats depend on the order of rows in their last digits.
        let rows = format!(
            "SELECT '{table}: ' || regexp_replace(kpis::text, '(\\.\\d{{6}})\\d+', '\\1', 'g') \
             FROM callsink.{table} AS kpis ORDER BY 1"
        );
        all.extend(
            database.rows(&rows).await.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)),
        );
    }
    all
}

async fn refresh_all(session: &mut Session) {
    while session.refresh_kpis(3).await.expect("refreshed") > 0 {}
}

#[tokio::test]
async fn rollups_equal_a_full_recomputation_whatever_came_late_moved_or_went_while_they_were_computed()
 {
    fastrand::seed(7);
    let database = Database::migrated().await;
    let writers = (0..2).map(|seed| {
        let store = database.store();
        tokio::spawn(async move {
            let mut session = Session::new(&store);
            for step in 0..60 {
                fastrand::seed(1000 * seed + step);
                let calls = batch();
                session.upsert_call_summaries(&calls).await.expect("stored");
                if step % 20 == 19 {
                    let gone = [calls[0].call_sid.clone()];
                    let how = callsink::store::Erasure::Delete;
                    session.erase_rows(&gone, how).await.expect("deleted");
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut session = Session::new(&database.store());
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        session.refresh_kpis(2).await.expect("refreshed beside the writers");
    }
    for writer in writers {
        writer.await.expect("no panic");
    }
    refresh_all(&mut session).await;
    let kept_up = contents(&database).await;

    for table in ROLLUPS {
        database.execute(&format!("TRUNCATE callsink.{table}")).await;
    }
    database
        .execute(
            "INSERT INTO callsink.dirty_hours SELECT DISTINCT date_trunc('hour', start_time, 'UTC') \
             FROM call_summaries WHERE start_time IS NOT NULL",
        )
        .await;
    refresh_all(&mut session).await;
    let anew = contents(&database).await;
    assert!(kept_up.len() > 60, "only {} rows: the calls are not spread", kept_up.len());
    assert_eq!(kept_up, anew);

    spans_equal_their_hours(&database).await;

    // And both are what the calls say, asked in another way.
    let counted: i64 = database.value("SELECT sum(calls)::bigint FROM kpi_calls_daily").await;
    assert_eq!(counted, database.count("calls WHERE start_time IS NOT NULL").await);
    let moved = database.count("call_summaries WHERE replaced_start_time <> start_time").await;
    assert!(moved > 5, "only {moved} calls have moved to another time");
}

/// Whole days and the hours at the ends give what all hours give, wherever a span begins and ends.
async fn spans_equal_their_hours(database: &Database) {
    let spans = "FROM (SELECT since, since + lasts * interval '1 minute' AS until FROM ( \
        SELECT timestamptz '2026-01-01Z' + since * interval '20 minutes' AS since, lasts \
        FROM generate_series(-9, 150, 7) AS since, unnest(ARRAY[-60, 0, 59, 60, 700, 1379, 1380, 1440, 2881, 5000]) AS lasts) AS s) AS span";
    for (figures, sums) in [
        ("kpi_calls", "sum(calls), sum(delivered), histogram_sum(pdd_histogram)"),
        ("kpi_edges", "sum(legs), sum(packets_lost), histogram_sum(jitter_histogram)"),
        ("kpi_failures", "sum(calls), min(call_state), max(country_code)"),
    ] {
        let differ = format!(
            "SELECT count(*) {spans} WHERE (SELECT row({sums}) FROM {figures}_between(since, until)) IS DISTINCT FROM \
             (SELECT row({sums}) FROM {figures}_hourly WHERE hour BETWEEN since AND until)"
        );
        assert_eq!(database.value::<i64>(&differ).await, 0, "spans of {figures} differ");
        let fewer = format!(
            "SELECT count(*) {spans} WHERE (SELECT count(*) FROM {figures}_between(since, until)) < \
             (SELECT count(*) FROM {figures}_hourly WHERE hour BETWEEN since AND until)"
        );
        let fewer: i64 = database.value(&fewer).await;
        assert!(fewer > 20, "{figures}: days stand for hours in {fewer} spans only");
    }
}

/// What `serve` relies on, which would never rest otherwise while calls come in.
#[tokio::test]
async fn an_hour_is_computed_once_a_round_and_what_came_meanwhile_in_the_next() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let call = |sid: &str| {
        let event = Event::new(sid, "complete").with("start_time", "2026-01-02T12:10:00Z");
        match decode(event.json().to_string().as_bytes(), Utc::now()).meaning {
            Meaning::CallSummary { call, .. } => *call,
            other => panic!("not a call summary: {other:?}"),
        }
    };
    session.upsert_call_summaries(&[call("CA1")]).await.expect("stored");
    let mut round = BTreeSet::new();
    assert_eq!(session.refresh_kpis_once(6, &mut round).await.expect("refreshed"), 1);
    assert_eq!(round.iter().copied().collect::<Vec<_>>(), [noon()]);
    session.upsert_call_summaries(&[call("CA2")]).await.expect("stored");
    assert_eq!(session.refresh_kpis_once(6, &mut round).await.expect("refreshed"), 0);
    let counted = "SELECT sum(calls)::bigint FROM kpi_calls_hourly";
    assert_eq!(database.value::<i64>(counted).await, 1);
    assert_eq!(database.count("kpi_freshness WHERE hours_waiting = 1").await, 1, "still marked");
    assert_eq!(session.refresh_kpis_once(6, &mut BTreeSet::new()).await.expect("refreshed"), 1);
    assert_eq!(database.value::<i64>(counted).await, 2);
}

#[tokio::test]
async fn key_figures_follow_their_definitions() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let call = |sid: &str, state: &str, seconds: i64, pdd: i64, sip: i64| {
        Event::new(sid, "complete")
            .with("start_time", "2026-01-02T12:10:00Z")
            .with("end_time", "2026-01-02T12:12:00Z")
            .with("call_type", "carrier")
            .with("call_state", state)
            .with("connect_duration", seconds)
            .with("to", json!({"country_code": "DE", "carrier": "C"}))
            .with(
                "properties",
                json!({"direction": "outbound_api", "pdd_ms": pdd, "last_sip_response_num": sip,
                       "disconnected_by": "caller"}),
            )
            .time("2026-01-02T12:42:00Z")
    };
    let events = [
        call("CA1", "completed", 100, 1000, 200),
        call("CA2", "completed", 8, 2000, 200),
        call("CA3", "busy", 0, 0, 486),
        call("CA4", "canceled", 0, 0, 487),
        call("CA5", "canceled", 0, 3000, 487),
        call("CA6", "fail", 0, 0, 503),
        call("CA7", "fail", 0, 0, 603),
        call("CA8", "undialed", 0, 0, 0),
        call("CA9", "completed", 20, 1000, 200).with("start_time", json!(null)),
    ];
    let calls: Vec<CallSummary> = events
        .iter()
        .map(|event| match decode(event.json().to_string().as_bytes(), Utc::now()).meaning {
            Meaning::CallSummary { call, .. } => *call,
            other => panic!("not a call summary: {other:?}"),
        })
        .collect();
    session.upsert_call_summaries(&calls).await.expect("stored");
    refresh_all(&mut session).await;
    let row = database
        .json(
            "SELECT hour, country_code, carrier, calls, attempts, answered, delivered, busy, canceled, failed, \
             round(asr_percent) AS asr, round(ner_percent) AS ner, acd_seconds, short_candidates, short_calls, \
             long_calls, hung_up_by_caller, complete, still_partial, round(complete_lag_p50_seconds) AS lag, \
             round(pdd_p50_ms) AS pdd FROM kpi_calls_hourly",
        )
        .await;
    let expected = json!({
        "hour": "2026-01-02T12:00:00+00:00", "country_code": "DE", "carrier": "C",
        "calls": 8, "attempts": 7, "answered": 2, "delivered": 5, "busy": 1, "canceled": 2, "failed": 2,
        "asr": 29, "ner": 71, "acd_seconds": 54, "short_candidates": 2, "short_calls": 1, "long_calls": 1,
        "hung_up_by_caller": 2, "complete": 8, "still_partial": 0, "lag": row["lag"], "pdd": row["pdd"],
    });
    assert_eq!(row, expected);
    let close = |name: &str, exact: f64| {
        let value = row[name].as_f64().expect("a number");
        assert!((value / exact - 1.0).abs() < 0.073, "{name} is {value}, exactly {exact}");
    };
    close("lag", 1800.0);
    close("pdd", 2000.0);
    let failures = database.count("kpi_failures_daily WHERE last_sip_response_num = 503").await;
    assert_eq!(failures, 1);
}

#[tokio::test]
async fn quantiles_of_histograms_are_within_the_stated_error_also_after_adding_them_up() {
    let database = Database::migrated().await;
    let off = database
        .json(
            "WITH value AS (SELECT setseed(0.5)), sample AS ( \
                 SELECT n % 7 AS part, exp(random() * 11 - 1) AS x, 1 + random() * 3.5 AS mos \
                 FROM value, generate_series(1, 20000) AS n), \
             part AS (SELECT histogram(x) AS h, mos_histogram(mos) AS m FROM sample GROUP BY part), \
             total AS (SELECT histogram_sum(h) AS h, histogram_sum(m) AS m FROM part) \
             SELECT max(abs(histogram_quantile(h, q) / (SELECT percentile_disc(q) WITHIN GROUP (ORDER BY x) FROM sample) - 1)) AS relative, \
                    max(abs(mos_quantile(m, q) - (SELECT percentile_disc(q) WITHIN GROUP (ORDER BY mos) FROM sample))) AS mos, \
                    max(histogram_count(h)) AS counted, \
                    max((SELECT sum(counted) FROM histogram_buckets(h) WHERE upper_bound <= 0.1 * 1.15 ^ 50 + 1e-6)) AS low, \
                    (SELECT count(*) FROM sample WHERE x <= 0.1 * 1.15 ^ 50) AS exactly_low \
             FROM total, unnest(ARRAY[0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]) AS q",
        )
        .await;
    let relative = off["relative"].as_f64().expect("a number");
    assert!(relative < 0.0725 && relative > 0.001, "{relative}: not exact, but within the error");
    assert!(off["mos"].as_f64().expect("a number") <= 0.0251, "{off}");
    assert_eq!(off["counted"], 20000);
    assert_eq!(off["low"], off["exactly_low"]);
    let low = off["low"].as_i64().expect("a number");
    assert!(low > 1000 && low < 19000, "{low} of 20000: the bounds of buckets are not tested");
    let odd = "SELECT histogram_count(histogram(x)) AS counted, histogram_quantile(histogram(x), 1) AS most \
               FROM (VALUES (NULL), ('NaN'::float8), ('-Infinity'), ('Infinity'), (1e300)) AS v (x)";
    let odd = database.json(odd).await;
    assert_eq!(odd["counted"], 3);
    assert!(odd["most"].as_f64().expect("a number") > 100_000.0, "{odd}");
    let nothing = "SELECT histogram_quantile('0', 0.5) AS none, histogram_quantile(histogram(x), 0.5) AS zero \
                   FROM (VALUES (0.0), (NULL)) AS v (x)";
    assert_eq!(database.json(nothing).await, json!({"zero": 0}));
}

#[tokio::test]
async fn the_service_keeps_key_figures_up_to_date_by_itself() {
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let service =
        Setup::new(&database, data.path()).set("CALLSINK_ROLLUP_SECONDS", "1").start().await;
    let event = |state: &str, start: &str| {
        Event::new("CA1", state).with("start_time", start).with("call_state", "completed")
    };
    let hours = async || {
        let rows = "SELECT to_char(hour AT TIME ZONE 'UTC', 'HH24') || ' ' || complete FROM kpi_calls_hourly";
        let rows = database.rows(rows).await;
        rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect::<Vec<_>>()
    };
    assert_eq!(service.deliver_events(&[event("partial", "2026-01-02T12:00:00Z")]).await, 200);
    eventually("the hour is counted", async || hours().await == ["12 0"]).await;
    assert_eq!(service.deliver_events(&[event("complete", "2026-01-02T11:59:59Z")]).await, 200);
    eventually("the call has moved to its right hour", async || hours().await == ["11 1"]).await;
    let fresh = database.count("kpi_freshness WHERE refreshed_time > now() - interval '1 h'").await;
    assert_eq!(fresh, 1);
}

#[tokio::test]
async fn a_reader_sees_every_view_and_no_number_address_payload_or_key() {
    let database = Database::migrated().await;
    let mut session = Session::new(&database.store());
    let event = Event::new("CA1", "complete")
        .with("from", json!({"caller": "+15550100123", "ip_address": "192.0.2.7"}))
        .with("to", json!({"callee": "client:alice"}));
    let Meaning::CallSummary { call, .. } =
        decode(event.json().to_string().as_bytes(), Utc::now()).meaning
    else {
        panic!("a call summary")
    };
    session.upsert_call_summaries(&[*call]).await.expect("stored");
    for view in VIEWS {
        database.execute(&format!("SET ROLE callsink_reader; SELECT * FROM {view}")).await;
    }
    let mut reader = database.connect().await;
    sqlx::raw_sql("SET ROLE callsink_reader").execute(&mut reader).await.expect("a role");
    // A function that calls one of the machinery would be refused to a reader.
    let functions = "SELECT histogram_quantile(histogram(x), 0.5), histogram_count(histogram_sum(histogram_of(x))), \
                     mos_quantile(mos_histogram(x), 0.05), mos_quantile(sum(mos_histogram_of(x)), 0.5), \
                     mask_party('+15550100123'), network_of('192.0.2.7'), \
                     (SELECT count(*) FROM kpi_failures_between('-infinity', 'infinity')), estimate_mos(1, 2, 3, 'g729'), \
                     (SELECT count(*) FROM histogram_buckets(histogram(x))) FROM (VALUES (1.0), (2.0)) AS v (x)";
    sqlx::raw_sql(functions).execute(&mut reader).await.expect("functions for readers");
    let secret = [
        "SELECT from_caller FROM call_summaries",
        "SELECT payload FROM call_summaries",
        "SELECT other_payload FROM call_summaries",
        "SELECT edges FROM call_summaries",
        "SELECT external_media_ip FROM call_edge_metrics",
        "SELECT key FROM callsink.pseudonym_key",
        "SELECT raw FROM callsink.dead_letters",
        "SELECT data FROM callsink.events",
        "SELECT * FROM callsink.call_kpis_hourly",
    ];
    for query in secret {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(query)).execute(&mut reader).await;
        let error = refused.expect_err(query);
        let code = error
            .as_database_error()
            .and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        assert_eq!(code.as_deref(), Some("42501"), "{query}: {error}");
    }
    let row =
        database.json("SELECT from_party, to_party, from_pseudonym, to_pseudonym FROM calls").await;
    assert_eq!(row["from_party"], "+1555*****23");
    assert_eq!(row["to_party"], "client:***");
    assert_eq!(row["from_pseudonym"].as_str().map(str::len), Some(16));
    assert_ne!(row["from_pseudonym"], row["to_pseudonym"]);
}
