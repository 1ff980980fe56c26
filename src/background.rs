//! Threads that stand back behind those that answer.
//!
//! In: futures. Out: their progress, at a lower priority. Promises: what runs here gets a core that nobody else
//! wants, or a tenth of one that others do; a blocking task that it starts does, too.
//! Why: a batch of events takes ten milliseconds to decode, in which a delivery would wait to be answered.

use std::future::Future;
use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::task::JoinHandle;

/// As `nice` without arguments has it. Anybody may lower the priority of a thread of theirs.
const NICENESS: i32 = 10;

/// Threads; one per core of the small machines that most run this on.
const THREADS: usize = 2;

/// A runtime of such threads; dropped, it ends what still runs there without waiting for it.
#[derive(Debug)]
pub struct Background {
    /// There until it is dropped.
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
        Ok(Self { runtime: Some(runtime) })
    }

    /// Runs `future` there.
    pub fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let _inside = self.enter();
        tokio::spawn(future)
    }

    /// What is spawned while the guard lives runs there.
    #[must_use]
    pub fn enter(&self) -> Option<EnterGuard<'_>> {
        self.runtime.as_ref().map(Runtime::enter)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
