//! The composition root: builds every room, and owns the order of start and stop.
//!
//! Start: journal, private PostgreSQL if one is wanted, listeners, then the schema and the workers, for
//! which nobody waits: deliveries are accepted while PostgreSQL is away.
//! Stop: the workers first, with what is there, while deliveries are still accepted; then the door, what is
//! underway, and what came in last; then the journal. What does not fit into the time waits in the journal.
//! Promises: a wrong setting, a journal in use, an address that is taken or a schema that is too new ends
//! the process with one line that says so; a database that is away does not.

mod database_side;
mod signals;

use crate::background::Background;
use crate::cli::Cli;
use crate::config::{self, DatabaseArgs, ServeArgs, ServeSettings};
use crate::health::Health;
use crate::housekeeping::Housekeeping;
use crate::journal::{Journal, Salvaged};
use crate::private_postgres::{Durability, PrivatePostgres};
use crate::queue::{self, Stop};
use crate::receive::{self, Context};
use crate::store::{Database, migrate};
use crate::telemetry::metric::Metrics;
use crate::verify::Verifier;
use crate::{apply, journal};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use anyhow::Context as _;
use clap::CommandFactory;
use signals::Signals;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// From the signal to the end, if all goes well; under the usual kill time of 30 s.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// Of it, for what is there to reach PostgreSQL while the door is still open: Twilio need not notice.
const FLUSH_OPEN_WITHIN: Duration = Duration::from_secs(14);

/// Of it, for what came in last, behind a closed door, where every second turns deliveries away.
const FLUSH_CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Between looks at how far the workers are.
const FLUSH_LOOK: Duration = Duration::from_millis(10);

/// For the journal's file to be closed tidily; what is in it is durable anyway.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// `callsink migrate`.
///
/// # Errors
/// A wrong setting, or why the schema could not be brought up.
pub async fn migrate(args: DatabaseArgs) -> anyhow::Result<ExitCode> {
    let database = config::required_database(args)?;
    let place = database.place();
    let applied = migrate::migrate(&database).await.with_context(|| format!("database {place}"))?;
    let version = migrate::binary_version();
    println!("database {place}: {applied} migrations applied, schema version {version}");
    Ok(ExitCode::SUCCESS)
}

/// `callsink serve`, until a signal or until it can't go on.
///
/// # Errors
/// Why it could not start, or could not go on.
pub async fn serve(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = ServeSettings::resolve(args)?;
    for name in config::unknown_variables(Cli::command()) {
        tracing::warn!(name, "this variable is not a setting of callsink and is ignored");
    }
    let mut signals = Signals::listen()?;
    let mut service = Service::start(settings).await?;
    let ended = tokio::select! {
        () = signals.next() => {
            tracing::info!("stopping; a second signal stops at once");
            Ok(ExitCode::SUCCESS)
        }
        failure = service.failed() => Err(failure),
    };
    tokio::select! {
        () = service.stop() => ended,
        () = signals.next() => {
            tracing::warn!("stopped at once; what PostgreSQL does not have yet waits in the journal");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Everything that runs.
struct Service {
    health: Arc<Health>,
    journal: Journal,
    writer: JoinHandle<()>,
    private_postgres: Option<PrivatePostgres>,
    public: ServerHandle,
    admin: ServerHandle,
    feeding: Stop,
    give_up: CancellationToken,
    /// Where events are read, decoded and stored.
    background: Background,
    /// Ends by itself only when the service can't go on.
    store: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Service {
    async fn start(settings: ServeSettings) -> anyhow::Result<Self> {
        let opened = journal::open(&settings.data_dir, settings.journal_max_bytes)?;
        let metrics = Arc::new(Metrics::new());
        if let Some(salvaged) = &opened.salvaged {
            tell_salvaged(salvaged, &metrics);
        }
        let (listener, listen) = bind("CALLSINK_LISTEN", settings.listen)?;
        let (admin_listener, admin_listen) = bind("CALLSINK_ADMIN_LISTEN", settings.admin_listen)?;
        let (database, private_postgres) = match settings.database {
            Some(database) => (database, None),
            None => start_private_postgres(settings.data_dir).await?,
        };

        let health = Arc::new(Health::new(settings.sink.as_ref().err()));
        let feeding = Stop::default();
        let background = Background::start().context("threads could not be started")?;
        let queue = {
            let _inside = background.enter();
            queue::start(
                &opened.journal,
                opened.reader,
                opened.forgotten,
                settings.queue_events,
                feeding.clone(),
            )
        };
        let context = Arc::new(Context {
            verifier: settings.sink.map(|sink| Verifier::new(sink.public_url, &sink.secrets)),
            journal: opened.journal.clone(),
            health: Arc::clone(&health),
            metrics: Arc::clone(&metrics),
            max_body_bytes: settings.max_body_bytes,
            body_timeout: settings.body_timeout,
            reject_status: StatusCode::from_u16(settings.reject_status)?,
            queue_depth: queue.depth.clone(),
            gates: receive::Gates::default(),
        });
        let limits = receive::Limits {
            http_workers: settings.http_workers,
            max_connections: settings.max_connections,
            head_timeout: settings.head_timeout,
            keep_alive: settings.keep_alive,
        };
        let public_server = receive::public_server(listener, &context, limits)?;
        let admin_server = receive::admin_server(admin_listener, &context)?;
        let (public, admin) = (public_server.handle(), admin_server.handle());
        tokio::spawn(public_server);
        tokio::spawn(admin_server);
        tracing::info!(%listen, %admin_listen, database = database.place(), backlog = opened.backlog, "started");
        match &context.verifier {
            Ok(verifier) => {
                tracing::info!(public_url = %verifier.url(), "accepting deliveries of this sink");
            }
            Err(missing) => tracing::warn!(
                "not configured: set {} to accept deliveries; until then they are answered 503, and \
                 Twilio tries them again for four hours",
                missing.0.join(" and ")
            ),
        }

        let give_up = CancellationToken::new();
        let shared =
            apply::Shared { metrics, health: Arc::clone(&health), give_up: give_up.clone() };
        let limits = apply::Limits {
            workers: settings.workers,
            batch_events: settings.batch_events,
            archive: if settings.keep.archive { apply::Archive::On } else { apply::Archive::Off },
        };
        let housekeeping = Housekeeping::new(&database, settings.keep, Arc::clone(&shared.metrics));
        let store = background.spawn(database_side::run(
            database,
            queue,
            limits,
            shared,
            settings.rollup_every,
            settings.reconcile,
            housekeeping,
        ));
        Ok(Self {
            health,
            journal: opened.journal,
            writer: opened.writer,
            private_postgres,
            public,
            admin,
            feeding,
            give_up,
            background,
            store,
        })
    }

    /// Resolves when the service can't go on, with the reason.
    async fn failed(&mut self) -> anyhow::Error {
        let ended = tokio::select! {
            biased;
            what = self.journal.damaged() => return anyhow::anyhow!(
                "the journal is damaged ({what}): start callsink again, which takes over what can be read of it"
            ),
            ended = &mut self.store => ended,
        };
        match ended {
            Ok(Ok(())) => anyhow::anyhow!("the workers ended without being told to"),
            Ok(Err(error)) => error,
            Err(panic) => anyhow::anyhow!(panic).context("the workers broke"),
        }
    }

    /// Resolves when PostgreSQL has what had been accepted until now, or when it will not get it.
    async fn flushed(&self) {
        let accepted = *self.journal.committed().borrow();
        while !self.journal.is_done_through(accepted)
            && !self.store.is_finished()
            && !self.health.is_database_down()
        {
            tokio::time::sleep(FLUSH_LOOK).await;
        }
    }

    async fn stop(self) {
        let deadline = Instant::now() + STOP_WITHIN;
        self.health.stop();
        // What is slower than this would hardly end sooner with the door closed.
        drop(timeout(FLUSH_OPEN_WITHIN, self.flushed()).await);
        self.public.stop(true).await;
        self.journal.close();
        self.feeding.when_empty.cancel();
        if self.health.is_database_down() {
            self.give_up.cancel(); // waiting for it would only delay the end
        }
        let left = deadline.saturating_duration_since(Instant::now()).min(FLUSH_CLOSED_WITHIN);
        if !self.store.is_finished() && timeout(left, self.store).await.is_err() {
            self.give_up.cancel();
            self.feeding.now.cancel();
        }
        let backlog = self.journal.status().depth;
        drop(self.background);
        self.admin.stop(false).await;
        drop(self.journal);
        let writer = tokio::task::spawn_blocking(move || self.writer.join());
        drop(timeout(CLOSE_WITHIN, writer).await);
        if let Some(postgres) = self.private_postgres {
            match tokio::task::spawn_blocking(move || postgres.stop()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the private PostgreSQL did not stop"),
                Err(error) => tracing::error!(%error, "stopping the private PostgreSQL broke"),
            }
        }
        tracing::info!(backlog, "stopped; a backlog is applied at the next start");
    }
}

/// Loudly: what was acknowledged may be missing.
fn tell_salvaged(salvaged: &Salvaged, metrics: &Metrics) {
    let Salvaged { aside, reason, entries, unreadable, unknown } = salvaged;
    metrics.journals_moved_aside.increment(1);
    metrics.journal_salvaged.increment(*entries);
    metrics.journal_unreadable.increment(*unreadable);
    tracing::error!(
        reason,
        entries,
        unreadable,
        maybe_more = unknown,
        path = %aside.display(),
        "the journal was damaged: what could be read has been taken over into a new one, and the old file has \
         been moved aside; what is unreadable in it and not in PostgreSQL yet can be fetched from Twilio"
    );
}

fn bind(variable: &str, address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = receive::bind(address).with_context(|| {
        format!("{variable} is \"{address}\": expected an address of this machine that is free")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn start_private_postgres(
    data_dir: PathBuf,
) -> anyhow::Result<(Database, Option<PrivatePostgres>)> {
    tracing::info!("DATABASE_URL is not set: starting a private PostgreSQL in the data directory");
    let start = move || PrivatePostgres::start(&data_dir, Durability::Full);
    let postgres = tokio::task::spawn_blocking(start).await??;
    let database = Database::parse(postgres.url()).map_err(anyhow::Error::msg)?;
    Ok((database, Some(postgres)))
}
