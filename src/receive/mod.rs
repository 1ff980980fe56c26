//! The two listeners: deliveries in public, health and metrics in private.
//!
//! In: HTTP requests. Out: answers, by the one table in `answer`.
//! Promises: nothing unverified is parsed or stored; a 2xx leaves only after the journal has synced;
//! the answer never waits for PostgreSQL; connections, heads, bodies and waits are limited.
//! Must not know: the store. Only this room and `app` say actix.

mod admin;
mod answer;
mod patience;
mod webhook;

use crate::config::Unconfigured;
use crate::health::Health;
use crate::journal::Journal;
use crate::queue::Depth;
use crate::telemetry::limited::Limited;
use crate::telemetry::metric::Metrics;
use crate::verify::Verifier;
use actix_web::dev::Server;
use actix_web::{App, HttpServer, web};
use patience::Patience;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// How long requests in flight may take once the service stops; they are a matter of milliseconds.
const STOP_TIMEOUT_SECONDS: u64 = 6;

/// What the handlers need.
pub struct Context {
    /// Tells Twilio's deliveries from others; not there until it can be.
    pub verifier: Result<Verifier, Unconfigured>,
    /// Where events become durable.
    pub journal: Journal,
    /// What `/readyz` tells.
    pub health: Arc<Health>,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// Largest body.
    pub max_body_bytes: usize,
    /// For the whole body.
    pub body_timeout: Duration,
    /// Answer to what is not Twilio's.
    pub reject_status: actix_web::http::StatusCode,
    /// How many events are in memory between journal and workers.
    pub queue_depth: Depth,
    /// Gates of log lines that strangers can cause.
    pub gates: Gates,
}

/// One gate per kind of line.
#[derive(Debug, Default)]
pub struct Gates {
    rejected: Limited,
    unavailable: Limited,
    wrong_request: Limited,
    get_sink: Limited,
}

/// How the public listener is limited. Heads are limited by actix, at 128 KiB and 96 headers, which leaves
/// room for what proxies add to Twilio's ten.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Threads.
    pub http_workers: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// For the head of a request.
    pub head_timeout: Duration,
    /// For a connection that is idle.
    pub keep_alive: Duration,
}

/// Takes the address; a port of 0 becomes a free one.
///
/// # Errors
/// The address is taken, or not ours to take.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The listener of deliveries.
///
/// # Errors
/// The listener can't be used.
pub fn public_server(
    listener: TcpListener,
    context: &Arc<Context>,
    limits: Limits,
) -> std::io::Result<Server> {
    let context = web::Data::from(Arc::clone(context));
    let server = HttpServer::new(move || {
        App::new().app_data(context.clone()).default_service(web::to(webhook::receive))
    });
    Ok(server
        .workers(limits.http_workers)
        .max_connections(limits.max_connections.div_ceil(limits.http_workers))
        .client_request_timeout(limits.head_timeout)
        .keep_alive(limits.keep_alive)
        .on_connect(move |connection, data| {
            Patience::watch(connection, data, limits.head_timeout, limits.keep_alive);
        })
        .shutdown_timeout(STOP_TIMEOUT_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// The listener of health and metrics.
///
/// # Errors
/// The listener can't be used.
pub fn admin_server(listener: TcpListener, context: &Arc<Context>) -> std::io::Result<Server> {
    let context = web::Data::from(Arc::clone(context));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(context.clone())
            .route("/livez", web::get().to(admin::livez))
            .route("/readyz", web::get().to(admin::readyz))
            .route("/metrics", web::get().to(admin::metrics))
    });
    Ok(server.workers(1).max_connections(64).disable_signals().listen(listener)?.run())
}
