//! Hangs up on connections that keep a place and bring nothing.
//!
//! In: a connection, and what its handler says of it. Out: nothing, or its end.
//! Promises: a connection that waits for a request, or whose answer was its last word, ends at its deadline
//! whatever trickles in. While a handler works there is none; the handler has limits of its own.
//!
//! Why: actix limits the time for the first head of a connection only, and reads on after an answer that
//! closes it. With a byte a second, a stranger would hold every connection there is for ever.

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use std::any::Any;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// For the last answer to reach the other side.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Held by a connection; gone with it.
pub(super) struct Patience {
    deadline: watch::Sender<Option<Instant>>,
    between_requests: Duration,
}

impl Patience {
    /// Watches a connection that was just made. It takes a second descriptor of the socket, as only its
    /// owner could close the first.
    pub(super) fn watch(
        connection: &dyn Any,
        data: &mut Extensions,
        head: Duration,
        keep_alive: Duration,
    ) {
        let stream = connection.downcast_ref::<TcpStream>();
        let Some(Ok(socket)) = stream.map(|stream| stream.as_fd().try_clone_to_owned()) else {
            return; // out of descriptors: the limits of actix are left
        };
        let between_requests = head + keep_alive;
        let (deadline, mut changes) = watch::channel(Some(Instant::now() + between_requests));
        data.insert(Self { deadline, between_requests });
        actix_web::rt::spawn(async move {
            loop {
                let deadline = *changes.borrow_and_update();
                let passes = async {
                    match deadline {
                        Some(deadline) => sleep_until(deadline).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    () = passes => break,
                }
            }
            // An error means that it has ended already.
            drop(std::net::TcpStream::from(socket).shutdown(Shutdown::Both));
        });
    }

    /// A handler works on a request of it.
    pub(super) fn suspend(&self) {
        self.deadline.send_replace(None);
    }

    /// The handler has its answer.
    pub(super) fn resume(&self, closes: bool) {
        let wait = if closes { LAST_WORD } else { self.between_requests };
        self.deadline.send_replace(Some(Instant::now() + wait));
    }
}
