//! The load generator: raw HTTP over kept connections, from a thread of its own.
//!
//! In: an address, requests, how they come: as fast as answers do (closed loop), or at times that do not
//! depend on answers (open loop). Out: how many were acknowledged, in what time, each answer's time.
//! Promises: as little work per request as can be, as it shares the machine with what is measured. In the open
//! loop a request that finds no free connection counts from when it should have left, so that a stall is not
//! hidden; one that only its timer woke late counts from when it left.

use anyhow::{Context, Result, ensure};
use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where requests come from, by number.
pub type Source = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// What to send.
#[derive(Clone)]
pub struct Plan {
    pub address: SocketAddr,
    pub source: Source,
    pub requests: usize,
    pub connections: usize,
    /// Requests per second; `None`: closed loop.
    pub rate: Option<f64>,
    /// Ends an open loop early.
    pub stop: Arc<AtomicBool>,
    /// Counts acknowledged requests while it runs.
    pub acknowledged: Arc<AtomicU64>,
}

impl Plan {
    /// A closed loop.
    pub fn closed(address: SocketAddr, source: Source, requests: usize) -> Self {
        Self {
            address,
            source,
            requests,
            connections: 64,
            rate: None,
            stop: Arc::default(),
            acknowledged: Arc::default(),
        }
    }

    /// An open loop.
    pub fn open(address: SocketAddr, source: Source, requests: usize, rate: f64) -> Self {
        Self { rate: Some(rate), connections: 256, ..Self::closed(address, source, requests) }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub acknowledged: usize,
    pub refused: usize,
    pub elapsed: Duration,
    times: Vec<Duration>,
}

impl Sent {
    /// Acknowledged requests per second.
    pub fn rate(&self) -> f64 {
        self.acknowledged as f64 / self.elapsed.as_secs_f64()
    }

    /// The time in milliseconds that `share` of all answers did not exceed.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        crate::report::quantile(
            &self.times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
            share,
        ) * 1000.0
    }
}

/// Sends on a thread of its own; `await` the result.
pub async fn send(plan: Plan) -> Result<Sent> {
    let thread = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio::task::LocalSet::new().block_on(&runtime, run(plan))
    });
    thread.await.context("the generator broke")?
}

#[derive(Default)]
struct Progress {
    next: Cell<usize>,
    refused: Cell<usize>,
    times: RefCell<Vec<Duration>>,
}

async fn run(plan: Plan) -> Result<Sent> {
    let progress = Rc::new(Progress::default());
    let mut connections = Vec::new();
    for _ in 0..plan.connections.min(plan.requests) {
        let stream = TcpStream::connect(plan.address).await.context("connecting")?;
        stream.set_nodelay(true)?;
        connections.push(stream);
    }
    let started = Instant::now();
    let plan = Rc::new(plan);
    let tasks = connections.into_iter().map(|stream| {
        tokio::task::spawn_local(connection(
            stream,
            Rc::clone(&plan),
            Rc::clone(&progress),
            started,
        ))
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.context("a connection broke")??;
    }
    let times = progress.times.take();
    Ok(Sent {
        acknowledged: times.len(),
        refused: progress.refused.get(),
        elapsed: started.elapsed(),
        times,
    })
}

async fn connection(
    mut stream: TcpStream,
    plan: Rc<Plan>,
    progress: Rc<Progress>,
    started: Instant,
) -> Result<()> {
    let mut answer = Vec::with_capacity(1024);
    loop {
        let index = progress.next.get();
        if index >= plan.requests || plan.stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        progress.next.set(index + 1);
        let mut since = Instant::now();
        let request = match plan.rate {
            None => {
                let request = (plan.source)(index);
                since = Instant::now();
                request
            }
            Some(rate) => {
                let due = started + Duration::from_secs_f64(index as f64 / rate);
                let request = (plan.source)(index);
                if Instant::now() < due {
                    tokio::time::sleep_until(due.into()).await;
                    since = Instant::now();
                } else {
                    since = since.min(due);
                }
                request
            }
        };
        stream.write_all(&request).await.context("sending")?;
        let status = read_answer(&mut stream, &mut answer).await?;
        if status == 200 {
            plan.acknowledged.fetch_add(1, Ordering::Relaxed);
            progress.times.borrow_mut().push(since.elapsed());
        } else {
            progress.refused.set(progress.refused.get() + 1);
        }
    }
}

/// Reads one answer whole; its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<u16> {
    answer.clear();
    loop {
        ensure!(stream.read_buf(answer).await.context("reading")? > 0, "the service hung up");
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&answer[..end]).context("an answer in UTF-8")?;
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(Ok(0), |(_, length)| length.trim().parse::<usize>())?;
        while answer.len() < end + 4 + length {
            ensure!(stream.read_buf(answer).await? > 0, "the service hung up");
        }
        return Ok(std::str::from_utf8(&answer[9..12])?.parse()?);
    }
}
