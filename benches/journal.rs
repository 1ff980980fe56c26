//! The journal alone, on the disk below `target`: 64 deliveries at once, each waiting for its answer, as fast as it goes.
//!
//! Out: appends a second and how long they took; once while nothing is forgotten (PostgreSQL is away), once while what
//! was appended is soon forgotten. By `cargo bench --bench journal`; ARGUMENT: how many appends.

use bytes::Bytes;
use callsink::journal::{Opened, open};
use chrono::Utc;
use std::path::Path;
use std::time::{Duration, Instant};

/// Deliveries at once.
const AT_ONCE: usize = 64;

/// So many of each 64 are forgotten together, about as workers do.
const FORGET_EVERY: usize = 8;

fn main() {
    let appends = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let appends: usize = appends.unwrap_or(100_000);
    for (name, forgets) in [("nothing is forgotten", false), ("soon forgotten", true)] {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let started = Instant::now();
        let mut times = run(directory.path(), appends / AT_ONCE, forgets);
        let rate = times.len() as f64 / started.elapsed().as_secs_f64();
        times.sort_unstable();
        let of = |per_mille: usize| times[times.len() * per_mille / 1000].as_secs_f64() * 1000.0;
        println!(
            "{name}: {rate:.0} a second; p50 {:.1}, p90 {:.1}, p99 {:.1}, p99.9 {:.1} ms",
            of(500),
            of(900),
            of(990),
            of(999)
        );
    }
}

fn run(directory: &Path, each: usize, forgets: bool) -> Vec<Duration> {
    let Opened { journal, reader, writer, .. } = open(directory, 64 << 30).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let times = tokio::task::LocalSet::new().block_on(&runtime, async {
        let tasks: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let journal = journal.clone();
                tokio::task::spawn_local(async move {
                    let mut times = Vec::with_capacity(each);
                    for round in 0..each {
                        // From 2.4 to 4.2 kB, as events have.
                        let size = 2400 + (number * 7919 + round * 104_729) % 1800;
                        let body = Bytes::from(vec![b'x'; size]);
                        let started = Instant::now();
                        journal.append(vec![body], Utc::now()).await.expect("durable");
                        times.push(started.elapsed());
                        if forgets && number == 0 && round % FORGET_EVERY == 0 {
                            journal.forget_through(*journal.committed().borrow());
                        }
                    }
                    times
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("no panic"));
        }
        times
    });
    drop((journal, reader));
    writer.join().expect("the writer ends");
    times
}
