//! What is measured, figure by figure.
//!
//! In: a PostgreSQL, a corpus. Out: samples. Promises: what is compared is measured in the same round, in an order
//! that turns; after each run every call has its row, or the benchmark fails.

use crate::client::{Plan, Sent, Source, send};
use crate::corpus::Corpus;
use crate::postgres::{BATCH, Postgres, decoded, reduced};
use crate::process;
use crate::report::Samples;
use crate::service::{NO_DATABASE, Service};
use crate::{Args, queries};
use anyhow::{Result, ensure};
use callsink::store::Session;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Runs figures, each with calls that no other has seen.
pub struct Bench<'a> {
    pub args: &'a Args,
    pub corpus: Arc<Corpus>,
    pub directory: PathBuf,
    pub pass: Cell<u32>,
}

fn add(samples: &mut Samples, name: &str, value: f64) {
    samples.entry(name.to_owned()).or_default().push(value);
}

fn micros_each(time: Duration, events: usize) -> f64 {
    time.as_secs_f64() * 1e6 / events as f64
}

impl Bench<'_> {
    /// The first of as many passes as `events` need, none of which was used before.
    fn next_pass(&self, events: usize) -> u32 {
        let pass = self.pass.get();
        let passes = u32::try_from(events / self.corpus.len() + 1).unwrap_or(u32::MAX);
        self.pass.set(pass.saturating_add(passes));
        pass
    }

    /// Requests made beforehand.
    fn ready(&self, pass: u32, count: usize) -> Source {
        let requests: Vec<Vec<u8>> =
            (0..count).map(|index| self.corpus.request(pass, index)).collect();
        Arc::new(move |index| requests[index].clone())
    }

    /// Requests made as they are sent, for more than fit into memory.
    fn making(&self, pass: u32) -> Source {
        let corpus = Arc::clone(&self.corpus);
        Arc::new(move |index| corpus.request(pass, index))
    }

    fn fresh_directory(&self, name: &str) -> Result<PathBuf> {
        let directory = self.directory.join(name);
        if directory.exists() {
            std::fs::remove_dir_all(&directory)?;
        }
        Ok(directory)
    }

    /// The figures that are compared with each other, round by round, after one that does not count.
    pub async fn rounds(&self, postgres: &Postgres) -> Result<Samples> {
        let bodies = (0..self.args.events).map(|index| self.corpus.body(0xFE_0000, index));
        let rows = postgres.binary_rows(bodies).await?;
        let mut samples = Samples::new();
        for round in 0..=self.args.rounds {
            let mut of_round = Samples::new();
            for step in 0..5 {
                match (round + step) % 5 {
                    0 => self.copy(postgres, &rows, &mut of_round).await?,
                    1 => self.writer(postgres, &mut of_round).await?,
                    2 => self.hello(&mut of_round).await?,
                    3 => self.acknowledge(&mut of_round).await?,
                    _ => self.end_to_end(postgres, "end_to_end", &mut of_round).await?,
                }
            }
            let rate =
                |name: &str| of_round.get(name).and_then(|it| it.first()).copied().unwrap_or(0.0);
            eprintln!(
                "round {round}{}: end to end {:.0}/s, acknowledged {:.0}/s, COPY {:.0}/s, upsert {:.0}/s, hello {:.0}/s, acknowledge only {:.0}/s; CPU µs service {:.0}, PostgreSQL {:.0}",
                if round == 0 { " (warm-up)" } else { "" },
                rate("end_to_end"),
                rate("ack_rate"),
                rate("copy"),
                rate("writer"),
                rate("hello"),
                rate("acknowledge"),
                rate("cpu_service"),
                rate("cpu_postgres"),
            );
            if round > 0 {
                for (name, values) in of_round {
                    samples.entry(name).or_default().extend(values);
                }
            }
        }
        Ok(samples)
    }

    async fn copy(
        &self,
        postgres: &Postgres,
        rows: &[Vec<u8>],
        samples: &mut Samples,
    ) -> Result<()> {
        let before = process::postgres_cpu(&postgres.cluster)?;
        let took = postgres.copy(rows).await?;
        let cpu = process::postgres_cpu(&postgres.cluster)?.saturating_sub(before);
        add(samples, "copy", rows.len() as f64 / took.as_secs_f64());
        add(samples, "cpu_copy_postgres", micros_each(cpu, rows.len()));
        Ok(())
    }

    /// The service's own statement, without the service: two connections, calls parted by SID.
    async fn writer(&self, postgres: &Postgres, samples: &mut Samples) -> Result<()> {
        let pass = self.next_pass(self.args.events);
        let mut shares = [Vec::new(), Vec::new()];
        let mut batches = [Vec::new(), Vec::new()];
        for call in decoded((0..self.args.events).map(|index| self.corpus.body(pass, index))) {
            let share = usize::from(call.call_sid.as_bytes()[20] % 2);
            shares[share].push(call);
            if shares[share].len() == BATCH {
                batches[share].push(reduced(shares[share].drain(..)));
            }
        }
        for (share, rest) in shares.into_iter().enumerate() {
            batches[share].push(reduced(rest.into_iter()));
        }
        let before = process::postgres_cpu(&postgres.cluster)?;
        let started = Instant::now();
        let tasks = batches.map(|batches| {
            let mut session = Session::new(&postgres.database);
            tokio::spawn(async move {
                for batch in batches {
                    session.upsert_call_summaries(&batch).await?;
                }
                anyhow::Ok(())
            })
        });
        for task in tasks {
            task.await??;
        }
        let took = started.elapsed();
        let cpu = process::postgres_cpu(&postgres.cluster)?.saturating_sub(before);
        add(samples, "writer", self.args.events as f64 / took.as_secs_f64());
        add(samples, "cpu_writer_postgres", micros_each(cpu, self.args.events));
        Ok(())
    }

    async fn hello(&self, samples: &mut Samples) -> Result<()> {
        let server = Service::start_hello().await?;
        let source = self.ready(self.next_pass(self.args.events), self.args.events);
        let sent = send(Plan::closed(server.address, source, self.args.events)).await?;
        add(samples, "hello", sent.rate());
        Ok(())
    }

    /// Acknowledging alone: PostgreSQL is away, the journal keeps everything.
    async fn acknowledge(&self, samples: &mut Samples) -> Result<()> {
        let service = Service::start(&self.fresh_directory("acknowledge")?, NO_DATABASE).await?;
        let source = self.ready(self.next_pass(self.args.events), self.args.events);
        let before = process::cpu(service.pid())?;
        let sent = send(Plan::closed(service.address, source, self.args.events)).await?;
        self.all_acknowledged(&sent, self.args.events)?;
        add(samples, "acknowledge", sent.rate());
        add(
            samples,
            "cpu_ack_service",
            micros_each(process::cpu(service.pid())?.saturating_sub(before), self.args.events),
        );
        Ok(())
    }

    fn all_acknowledged(&self, sent: &Sent, events: usize) -> Result<()> {
        ensure!(
            sent.refused == 0 && sent.acknowledged == events,
            "{} of {events} were acknowledged, {} refused",
            sent.acknowledged,
            sent.refused
        );
        Ok(())
    }

    /// From the first request to the last committed row.
    async fn end_to_end(
        &self,
        postgres: &Postgres,
        name: &str,
        samples: &mut Samples,
    ) -> Result<()> {
        let events = self.args.events;
        let service = Service::start(&self.fresh_directory("end-to-end")?, postgres.url()).await?;
        while service.metric("callsink_database_up")? < 1.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // What earlier runs have left to do is not this one's.
        while !postgres.key_figures_are_fresh().await? {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let pass = self.next_pass(self.args.events);
        let source = self.ready(pass, events);
        let before = (
            process::cpu(service.pid())?,
            process::postgres_cpu(&postgres.cluster)?,
            process::own_cpu()?,
            process::written_bytes(service.pid())?,
            postgres.wal_bytes().await?,
        );
        let started = Instant::now();
        let sent = send(Plan::closed(service.address, source, events)).await?;
        service.wait_until_drained().await?;
        let took = started.elapsed();
        self.all_acknowledged(&sent, events)?;
        add(samples, name, events as f64 / took.as_secs_f64());
        add(samples, "rss", process::peak_rss_mib(service.pid())?);
        if name == "end_to_end" {
            let cpu = process::cpu(service.pid())?.saturating_sub(before.0);
            add(samples, "ack_rate", sent.rate());
            add(samples, "cpu_service", micros_each(cpu, events));
            let cpu = process::postgres_cpu(&postgres.cluster)?.saturating_sub(before.1);
            add(samples, "cpu_postgres", micros_each(cpu, events));
            add(
                samples,
                "cpu_generator",
                micros_each(process::own_cpu()?.saturating_sub(before.2), events),
            );
            let written = process::written_bytes(service.pid())? - before.3;
            add(samples, "journal_bytes", written as f64 / events as f64);
            add(samples, "wal_bytes", (postgres.wal_bytes().await? - before.4) / events as f64);
        }
        let calls: HashSet<String> =
            decoded((0..events).map(|index| self.corpus.body(pass, index)))
                .map(|call| call.call_sid)
                .collect();
        let rows = postgres.rows_of(&calls).await?;
        ensure!(rows == calls.len(), "{rows} of {} calls have a row", calls.len());
        service.stop()
    }

    /// The same on a table of another size.
    pub async fn small(&self, postgres: &Postgres) -> Result<Samples> {
        let mut samples = Samples::new();
        for round in 0..=self.args.rounds {
            let mut of_round = Samples::new();
            self.end_to_end(postgres, "end_to_end_small", &mut of_round).await?;
            if round > 0 {
                for (name, values) in of_round {
                    samples.entry(name).or_default().extend(values);
                }
            }
        }
        eprintln!("small table: {:.0?}/s", samples.get("end_to_end_small"));
        Ok(samples)
    }

    /// With and without a dashboard's queries, in turn.
    pub async fn queries(&self, postgres: &Postgres) -> Result<Samples> {
        let mut samples = Samples::new();
        for _ in 0..self.args.rounds.min(5) {
            self.end_to_end(postgres, "end_to_end_no_queries", &mut samples).await?;
            let dashboard = queries::Dashboard::start(postgres.pool.clone());
            self.end_to_end(postgres, "end_to_end_queries", &mut samples).await?;
            add(&mut samples, "dashboard_refreshes", dashboard.stop().await? as f64);
        }
        eprintln!("dashboard: {samples:.0?}");
        Ok(samples)
    }

    /// Answer times in the open loop, and idling.
    pub async fn latencies(&self, postgres: &Postgres, sustained: f64) -> Result<Samples> {
        let mut samples = Samples::new();
        let half = sustained / 2.0;
        for _ in 0..self.args.rounds.min(3) {
            for (name, rate, database) in [
                ("half", half, postgres.url()),
                ("half_stopped", half, NO_DATABASE),
                ("100", 100.0, postgres.url()),
            ] {
                let service = Service::start(&self.fresh_directory("latency")?, database).await?;
                tokio::time::sleep(Duration::from_millis(500)).await;
                while database != NO_DATABASE && !postgres.key_figures_are_fresh().await? {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                if name == "100" {
                    let before = process::cpu_exact(service.pid())?;
                    let idle = Duration::from_secs(self.args.seconds.min(10));
                    tokio::time::sleep(idle).await;
                    let used = process::cpu_exact(service.pid())?.saturating_sub(before);
                    add(&mut samples, "idle", used.as_secs_f64() / idle.as_secs_f64() * 100.0);
                }
                let seconds = self.args.seconds as f64;
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let count = (rate * seconds).round() as usize;
                let source = self.ready(self.next_pass(count), count);
                let sent = send(Plan::open(service.address, source, count, rate)).await?;
                self.all_acknowledged(&sent, count)?;
                add(&mut samples, &format!("offered_{name}"), sent.rate());
                add(&mut samples, &format!("p50_{name}"), sent.quantile_ms(0.5));
                add(&mut samples, &format!("p99_{name}"), sent.quantile_ms(0.99));
                add(&mut samples, "rss", process::peak_rss_mib(service.pid())?);
                eprintln!(
                    "{name}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms",
                    sent.rate(),
                    sent.quantile_ms(0.5),
                    sent.quantile_ms(0.99)
                );
                if database != NO_DATABASE {
                    service.wait_until_drained().await?;
                }
                service.stop()?;
            }
        }
        Ok(samples)
    }

    /// An outage of PostgreSQL, and what comes after it.
    pub async fn backlog(&self, postgres: &Postgres) -> Result<Samples> {
        let mut samples = Samples::new();
        let directory = self.fresh_directory("backlog")?;
        let backlog = self.args.backlog;
        let pass = self.next_pass(backlog);
        let service = Service::start(&directory, NO_DATABASE).await?;
        let sent = send(Plan::closed(service.address, self.making(pass), backlog)).await?;
        self.all_acknowledged(&sent, backlog)?;
        add(&mut samples, "rss", process::peak_rss_mib(service.pid())?);
        eprintln!("a backlog of {backlog} was taken in at {:.0}/s", sent.rate());
        service.stop()?;

        let service = Service::start(&directory, postgres.url()).await?;
        let started = Instant::now();
        let plan = Plan::open(
            service.address,
            self.making(self.next_pass(10 * backlog)),
            usize::MAX,
            1000.0,
        );
        let (stop, arrived) = (Arc::clone(&plan.stop), Arc::clone(&plan.acknowledged));
        let arriving = tokio::spawn(send(plan));
        // What arrives meanwhile never lets the journal run empty for long: a second's worth is empty enough.
        let (mut told, mut depth) = (Instant::now(), f64::MAX);
        while depth > 1000.0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            depth = service.metric("callsink_journal_depth_events")?;
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                eprintln!("  {depth:.0} to go after {:.0} s", started.elapsed().as_secs_f64());
            }
        }
        let took = started.elapsed().as_secs_f64();
        let drained = backlog as f64 + arrived.load(Ordering::Relaxed) as f64 - depth;
        stop.store(true, Ordering::Relaxed);
        let arriving = arriving.await??;
        ensure!(arriving.refused == 0, "{} were refused meanwhile", arriving.refused);
        add(&mut samples, "drain", drained / took);
        add(&mut samples, "rss", process::peak_rss_mib(service.pid())?);
        eprintln!("drained {drained:.0} events at {:.0}/s", drained / took);
        service.wait_until_drained().await?;
        service.stop()?;
        std::fs::remove_dir_all(directory)?;
        Ok(samples)
    }
}
