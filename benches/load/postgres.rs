//! The PostgreSQL under test: a private one with everything that makes it durable, and a table full of calls.
//!
//! In: a directory, a number of calls. Out: a database whose `call_summaries` holds that many, bare COPY into a
//! table without indexes, WAL positions. Promises: a cluster that is there and full is used again.

use crate::corpus::Corpus;
use anyhow::{Context, Result, ensure};
use callsink::decode::{Meaning, decode};
use callsink::domain::CallSummary;
use callsink::private_postgres::{Durability, PrivatePostgres};
use callsink::store::{Database, Session, migrate};
use chrono::Utc;
use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnection, PgPoolCopyExt};
use sqlx::{AssertSqlSafe, Connection, PgPool, Row};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Not a pass of any round.
const PRELOAD_PASS: u32 = 0xFF_0000;
/// Rows per COPY, as events per batch of the service.
pub const BATCH: usize = 500;
/// Calls that go in by one INSERT while the table is filled.
const FILL: usize = 50_000;

/// A running PostgreSQL.
pub struct Postgres {
    server: PrivatePostgres,
    pub pool: PgPool,
    pub database: Database,
    pub cluster: PathBuf,
}

impl Postgres {
    /// Starts the cluster in `directory`, making it where it is missing, and fills it with `calls`.
    pub async fn start(directory: &Path, calls: u64, corpus: &Corpus) -> Result<Self> {
        let mut postgres = Self::open(directory).await?;
        let tuned: String =
            sqlx::query_scalar("SHOW shared_buffers").fetch_one(&postgres.pool).await?;
        if tuned != "1GB" {
            for setting in ["shared_buffers = '1GB'", "max_wal_size = '8GB'"] {
                postgres.run(&format!("ALTER SYSTEM SET {setting}")).await?;
            }
            postgres.stop().await?;
            postgres = Self::open(directory).await?;
        }
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let show = AssertSqlSafe(format!("SHOW {setting}"));
            let value: String = sqlx::query_scalar(show).fetch_one(&postgres.pool).await?;
            ensure!(value == "on", "{setting} is {value}: such figures would be worth nothing");
        }
        migrate::migrate(&postgres.database).await?;
        postgres.fill(calls, corpus).await?;
        Ok(postgres)
    }

    async fn open(directory: &Path) -> Result<Self> {
        let owned = directory.to_owned();
        let start = move || PrivatePostgres::start(&owned, Durability::Full);
        let server = tokio::task::spawn_blocking(start).await??;
        let pool = PgPool::connect(server.url().expose_secret()).await?;
        let database = Database::parse(server.url()).map_err(anyhow::Error::msg)?;
        let cluster = std::fs::canonicalize(directory.join("postgres"))?;
        Ok(Self { server, pool, database, cluster })
    }

    /// Stops it, and waits.
    pub async fn stop(self) -> Result<()> {
        self.pool.close().await;
        Ok(tokio::task::spawn_blocking(move || self.server.stop()).await??)
    }

    pub fn url(&self) -> &str {
        self.server.url().expose_secret()
    }

    /// Any statements.
    pub async fn run(&self, sql: &str) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await?;
        Ok(())
    }

    /// Bytes of WAL ever written.
    pub async fn wal_bytes(&self) -> Result<f64> {
        let sql = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    /// Whether the key figures are those of the calls.
    pub async fn key_figures_are_fresh(&self) -> Result<bool> {
        let sql = "SELECT NOT EXISTS (SELECT FROM callsink.dirty_hours)";
        Ok(sqlx::query_scalar(sql).fetch_one(&self.pool).await?)
    }

    /// How many of `calls` have a row.
    pub async fn rows_of(&self, calls: &HashSet<String>) -> Result<usize> {
        let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
        let sql = "SELECT count(*) FROM public.call_summaries WHERE call_sid = ANY($1)";
        let count: i64 = sqlx::query_scalar(sql).bind(calls).fetch_one(&self.pool).await?;
        Ok(usize::try_from(count)?)
    }

    /// Calls are made up, and then multiplied in SQL, with other SIDs and other times of the last 30 days.
    async fn fill(&self, calls: u64, corpus: &Corpus) -> Result<()> {
        self.run("CREATE SCHEMA IF NOT EXISTS bench").await?;
        self.run("CREATE TABLE IF NOT EXISTS bench.filled (calls bigint PRIMARY KEY)").await?;
        let filled: Option<i64> =
            sqlx::query_scalar("SELECT max(calls) FROM bench.filled").fetch_one(&self.pool).await?;
        let calls_wanted = i64::try_from(calls)?;
        if filled == Some(calls_wanted) {
            return Ok(());
        }
        ensure!(filled.is_none(), "this cluster holds another number of calls: delete it");
        eprintln!("filling the table with {calls} calls ...");
        let started = Instant::now();
        self.run("TRUNCATE public.call_summaries").await?;
        let made: Vec<CallSummary> =
            merged((0..corpus.len()).map(|index| corpus.body(PRELOAD_PASS, index)));
        let mut session = Session::new(&self.database);
        for batch in made.chunks(BATCH) {
            session.upsert_call_summaries(batch).await?;
        }
        self.multiply(calls_wanted, i64::try_from(made.len())?, started).await?;
        self.run(
            "INSERT INTO callsink.dirty_hours
             SELECT DISTINCT date_trunc('hour', start_time) FROM public.call_summaries
             WHERE start_time IS NOT NULL",
        )
        .await?;
        while session.refresh_kpis(24).await? > 0 {}
        self.run("VACUUM ANALYZE public.call_summaries").await?;
        self.run("CHECKPOINT").await?;
        sqlx::query("INSERT INTO bench.filled VALUES ($1)")
            .bind(calls_wanted)
            .execute(&self.pool)
            .await?;
        eprintln!("filled in {:.0} s", started.elapsed().as_secs_f64());
        Ok(())
    }

    async fn multiply(&self, calls: i64, made: i64, started: Instant) -> Result<()> {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT attname::text, atttypid::regtype::text FROM pg_attribute
             WHERE attrelid = 'public.call_summaries'::regclass AND attnum > 0 AND NOT attisdropped
               AND attgenerated = '' ORDER BY attnum",
        )
        .fetch_all(&self.pool)
        .await?;
        let copies = (calls - made).max(0).div_euclid(made) + 1;
        let values = columns.iter().map(|(name, kind)| match (name.as_str(), kind.as_str()) {
            ("call_sid", _) => "'CA' || md5(call_sid || copy)".to_owned(),
            (_, "timestamp with time zone") => {
                format!("{name} - copy * (interval '30 days' / {copies})")
            }
            _ => name.clone(),
        });
        let names = columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        let values = values.collect::<Vec<_>>().join(", ");
        self.run("DROP TABLE IF EXISTS bench.made").await?;
        self.run("CREATE UNLOGGED TABLE bench.made AS SELECT * FROM public.call_summaries").await?;
        // Filled without its secondary indexes, which are then made again as they were.
        let indexes: Vec<(String, String)> = sqlx::query_as(
            "SELECT format('%I.%I', schemaname, indexname), indexdef FROM pg_indexes
             WHERE schemaname = 'public' AND tablename = 'call_summaries'
               AND indexname NOT IN (SELECT conname FROM pg_constraint)",
        )
        .fetch_all(&self.pool)
        .await?;
        for (name, _) in &indexes {
            self.run(&format!("DROP INDEX {name}")).await?;
        }
        let (mut copy, mut left, mut told) = (1, calls - made, Instant::now());
        let step = i64::try_from(FILL)?.div_euclid(made).max(1);
        while left > 0 {
            let last = (copy + step).min(copies + 1);
            self.run(&format!(
                "INSERT INTO public.call_summaries ({names})
                 SELECT {values} FROM bench.made, generate_series({copy}, {}) AS copy LIMIT {left}",
                last - 1
            ))
            .await?;
            left -= (last - copy) * made;
            copy = last;
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                eprintln!(
                    "  {} calls to go after {:.0} s",
                    left.max(0),
                    started.elapsed().as_secs_f64()
                );
            }
        }
        self.run("DROP TABLE bench.made").await?;
        for (_, definition) in &indexes {
            self.run(definition).await?;
        }
        Ok(())
    }

    /// One row per event as the service would store it, as COPY's binary rows.
    pub async fn binary_rows(&self, bodies: impl Iterator<Item = Vec<u8>>) -> Result<Vec<Vec<u8>>> {
        let mut rows: Vec<CallSummary> = decoded(bodies).collect();
        for (number, row) in rows.iter_mut().enumerate() {
            row.call_sid = format!("CA{number:032x}"); // repeats of a call are rows of their own here
        }
        let mut session = Session::new(&self.database);
        for batch in rows.chunks(BATCH) {
            session.upsert_call_summaries(batch).await?;
        }
        let condition = "call_sid < 'CA0000000000000001'";
        let sql = format!(
            "COPY (SELECT * FROM public.call_summaries WHERE {condition}) TO STDOUT (FORMAT binary)"
        );
        let stream = self.pool.copy_out_raw(&sql).await?;
        let mut bytes = Vec::new();
        futures_util::pin_mut!(stream);
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            bytes.extend_from_slice(&chunk?);
        }
        self.run(&format!("DELETE FROM public.call_summaries WHERE {condition}")).await?;
        self.run("VACUUM public.call_summaries").await?;
        tuples(&bytes)
    }

    /// Bare COPY of `rows` into a table without indexes, over one connection, a batch a commit.
    pub async fn copy(&self, rows: &[Vec<u8>]) -> Result<Duration> {
        self.run("DROP TABLE IF EXISTS bench.bare").await?;
        self.run("CREATE TABLE bench.bare (LIKE public.call_summaries INCLUDING COMPRESSION)")
            .await?;
        let mut connection = PgConnection::connect(self.url()).await?;
        let started = Instant::now();
        for batch in rows.chunks(BATCH) {
            let mut copy =
                connection.copy_in_raw("COPY bench.bare FROM STDIN (FORMAT binary)").await?;
            let mut bytes = HEADER.to_vec();
            batch.iter().for_each(|row| bytes.extend_from_slice(row));
            bytes.extend_from_slice(&[0xff, 0xff]);
            copy.send(bytes).await?;
            copy.finish().await?;
        }
        let took = started.elapsed();
        connection.close().await?;
        let count = sqlx::query("SELECT count(*) FROM bench.bare").fetch_one(&self.pool).await?;
        ensure!(usize::try_from(count.get::<i64, _>(0))? == rows.len(), "COPY lost rows");
        self.run("DROP TABLE bench.bare").await?;
        Ok(took)
    }
}

/// Signature, flags, length of the header's extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Splits COPY's binary format into its rows.
fn tuples(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut rest = bytes.strip_prefix(HEADER).context("COPY's signature")?;
    let mut rows = Vec::new();
    loop {
        let (count, mut after) = rest.split_first_chunk::<2>().context("a row")?;
        let count = i16::from_be_bytes(*count);
        if count < 0 {
            return Ok(rows);
        }
        for _ in 0..count {
            let (length, value) = after.split_first_chunk::<4>().context("a length")?;
            let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
            after = value.get(length..).context("a value")?;
        }
        rows.push(rest[..rest.len() - after.len()].to_vec());
        rest = after;
    }
}

/// The call summaries of `bodies`, each an array of one event.
pub fn decoded(bodies: impl Iterator<Item = Vec<u8>>) -> impl Iterator<Item = CallSummary> {
    let received = Utc::now();
    bodies.filter_map(move |body| {
        let event = body.get(1..body.len() - 1)?;
        match decode(event, received).meaning {
            Meaning::CallSummary { call, .. } => Some(*call),
            _ => None,
        }
    })
}

/// One call each, in the order of `call_sid`, as the service reduces a batch.
pub fn reduced(events: impl Iterator<Item = CallSummary>) -> Vec<CallSummary> {
    let mut calls: BTreeMap<String, CallSummary> = BTreeMap::new();
    for call in events {
        let merged = match calls.remove(&call.call_sid) {
            Some(known) => known.merge(call),
            None => call,
        };
        calls.insert(merged.call_sid.clone(), merged);
    }
    calls.into_values().collect()
}

fn merged(bodies: impl Iterator<Item = Vec<u8>>) -> Vec<CallSummary> {
    reduced(decoded(bodies))
}
