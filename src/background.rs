//! Threads that stand back behind those that answer.
//!
//! In: futures. Out: their progress, at a lower priority. Promises: what runs here gets a core that nobody else
//! wants, or a tenth of one that others do; a blocking task that it starts does, too.
//! Why: a batch of events takes some milliseconds to decode, in which a delivery would wait to be answered.

use std::future::Future;
use tokio::runtime::{Builder, EnterGuard, Handle, Runtime};
use tokio::task::JoinHandle;

/// As `nice` without arguments has it. Anybody may lower the priority of a thread of theirs.
const NICENESS: i32 = 10;

/// Threads; one per core of the small machines that most run this on.
const THREADS: usize = 2;

/// A runtime of such threads; dropped, it ends what still runs there without waiting for it.
#[derive(Debug)]
pub struct Background {
    handle: Handle,
    /// Taken only by `drop`: a runtime that is dropped as it is waits for its threads, which panics among futures.
    runtime: Option<Runtime>,
}

impl Background {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system has no more threads for us.
    pub fn start() -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("background")
            .on_thread_start(|| {
                // On Linux this is the priority of the calling thread, and of no other.
                if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                    tracing::debug!(%error, "a thread keeps its priority");
                }
            })
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Runs `future` there.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.handle.spawn(future)
    }

    /// What is spawned while the guard lives runs there.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
