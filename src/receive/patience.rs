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
use std::cell::Cell;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// For the last answer to reach the other side.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Held by a connection; gone with it.
pub(super) struct Patience(Rc<State>);

/// What a connection and its watcher, who live on one thread, tell each other.
struct State {
    /// When the connection ends; `None` while a handler works.
    deadline: Cell<Option<Instant>>,
    between_requests: Duration,
    is_gone: Cell<bool>,
    /// The watcher must look again now. Deadlines that move away, as with each request, it finds by itself when the
    /// one that it knew has come: to wake it for each of them would be two looks and two timers a request.
    look: Notify,
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
        let state = Rc::new(State {
            deadline: Cell::new(Some(Instant::now() + between_requests)),
            between_requests,
            is_gone: Cell::new(false),
            look: Notify::new(),
        });
        data.insert(Self(Rc::clone(&state)));
        actix_web::rt::spawn(async move {
            if state.deadline_passes().await {
                // An error means that it has ended already.
                drop(std::net::TcpStream::from(socket).shutdown(Shutdown::Both));
            }
        });
    }

    /// A handler works on a request of it.
    pub(super) fn suspend(&self) {
        self.0.deadline.set(None);
    }

    /// The handler has its answer.
    pub(super) fn resume(&self, closes: bool) {
        let wait = if closes { LAST_WORD } else { self.0.between_requests };
        self.0.deadline.set(Some(Instant::now() + wait));
        if closes {
            self.0.look.notify_one(); // that is sooner than what the watcher waits for
        }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.0.is_gone.set(true);
        self.0.look.notify_one();
    }
}

impl State {
    /// Resolves when the deadline has passed, or with `false` when the connection is gone.
    async fn deadline_passes(&self) -> bool {
        loop {
            let now = Instant::now();
            // No deadline that a request ends with is sooner than this, but for a last word, which is told.
            let look = self.deadline.get().unwrap_or_else(|| now + self.between_requests);
            if look <= now {
                return true;
            }
            // In vain or not, there may be another deadline now.
            drop(timeout_at(look, self.look.notified()).await);
            if self.is_gone.get() {
                return false;
            }
        }
    }
}
