//! A TCP line between the service and PostgreSQL that a test can cut, mend, or turn into a black hole.

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards as long as it is whole.
pub struct Line {
    address: SocketAddr,
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Ends every connection and new ones at once.
    Cut,
    /// Takes connections and bytes, and never answers.
    Swallowing,
}

impl Line {
    /// A whole line to where `url` points.
    pub async fn to(url: &str) -> Self {
        let target = host_and_port(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(watch::Sender::new(State::Whole));
        let changes = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, target.clone(), changes.subscribe()));
            }
        });
        Self { address, state }
    }

    /// `url` by way of this line.
    pub fn through(&self, url: &str) -> String {
        url.replace(host_and_port(url), &self.address.to_string())
    }

    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }

    pub fn swallow(&self) {
        self.state.send_replace(State::Swallowing);
    }
}

async fn carry(mut near: TcpStream, target: String, mut state: watch::Receiver<State>) {
    let now = *state.borrow_and_update();
    if now == State::Whole {
        let Ok(mut far) = TcpStream::connect(&target).await else { return };
        tokio::select! {
            copied = tokio::io::copy_bidirectional(&mut near, &mut far) => return drop(copied),
            changed = state.wait_for(|state| *state != State::Whole) => drop(changed),
        }
        if *state.borrow() == State::Swallowing {
            // The far end stays connected, too: nobody gets to know anything.
            drop(state.wait_for(|state| *state == State::Cut).await);
            drop(far);
        }
    } else if now == State::Swallowing {
        drop(state.wait_for(|state| *state == State::Cut).await);
    }
}

fn host_and_port(url: &str) -> &str {
    let after_user = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    after_user.split('/').next().expect("a host")
}
