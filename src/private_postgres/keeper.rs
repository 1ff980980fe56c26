//! Keeps the server running until it's told to stop.
//!
//! In: a running server. Promises: one that ends by itself (killed, out of memory) is started again on the
//! same port, for ever; events wait in the journal meanwhile. A stop, or dropping the [`Keeper`], ends it.
//! Must not know: how a server is started.

use super::PrivatePostgresError as Error;
use super::server::{self, STOPPED_WITHIN, Server, Spec};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

/// How soon the death of the server is seen, and how often a failing start is tried again: seldom enough
/// to be free, often enough for the workers' own retries to hardly notice.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The handle of the thread that watches the server.
#[derive(Debug)]
pub struct Keeper {
    stop: Sender<SyncSender<Result<(), Error>>>,
}

impl Keeper {
    /// Takes over a running server.
    pub fn spawn(spec: Spec, port: u16, server: Server) -> Self {
        let (stop, told) = channel();
        thread::spawn(move || keep(&spec, port, Some(server), &told));
        Self { stop }
    }

    /// Stops the server and waits for it.
    pub fn stop(self) -> Result<(), Error> {
        let (answer, stopped) = sync_channel(1);
        // Both fail only if the thread is gone, and with it the pipe that keeps the server alive.
        match self.stop.send(answer).map(|()| stopped.recv()) {
            Ok(Ok(result)) => result,
            _ => Ok(()),
        }
    }
}

fn keep(
    spec: &Spec,
    port: u16,
    mut server: Option<Server>,
    told: &Receiver<SyncSender<Result<(), Error>>>,
) {
    loop {
        match told.recv_timeout(LOOK_EVERY) {
            Err(RecvTimeoutError::Timeout) => {
                if server.as_mut().is_none_or(Server::has_ended) {
                    server = start_again(spec, port);
                }
            }
            Err(RecvTimeoutError::Disconnected) => {
                stop(spec, server).ok(); // nobody is left to hear how it went
                return;
            }
            Ok(answer) => {
                answer.send(stop(spec, server)).ok(); // as above
                return;
            }
        }
    }
}

fn start_again(spec: &Spec, port: u16) -> Option<Server> {
    tracing::error!(log = %spec.place.log.display(), "the private PostgreSQL ended by itself: starting it again");
    match server::start(spec, port) {
        Ok(server) => {
            tracing::info!(port, "the private PostgreSQL is up again");
            Some(server)
        }
        Err(error) => {
            tracing::error!(%error, "the private PostgreSQL did not start again");
            None
        }
    }
}

fn stop(spec: &Spec, server: Option<Server>) -> Result<(), Error> {
    let Some(mut server) = server else { return Ok(()) };
    if server.stop() {
        return Ok(());
    }
    Err(Error::StillRunning { log: spec.place.log.clone(), seconds: STOPPED_WITHIN.as_secs() })
}
