//! What the tests stand on: a database each, the compiled service, a Twilio that signs.

pub mod database;
pub mod events_api;
pub mod insights;
pub mod line;
pub mod made_up;
pub mod openapi;
pub mod service;
pub mod twilio;

pub use database::Database;
pub use events_api::EventsApi;
pub use insights::Insights;
pub use line::Line;
pub use service::Service;
pub use twilio::Event;

use std::future::Future;
use std::time::{Duration, Instant};

/// Asks until the answer is yes. The limit is generous: it is there to end a hopeless wait, and no
/// statement about speed.
pub async fn eventually<F, A>(what: &str, mut ask: F)
where
    F: FnMut() -> A,
    A: Future<Output = bool>,
{
    let limit = Duration::from_secs(60);
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        if ask().await {
            return;
        }
        assert!(started.elapsed() < limit, "it did not come to pass within {limit:?}: {what}");
    }
}
