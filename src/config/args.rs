//! The settings as flags and variables, still texts.
//!
//! Why texts: checking them is `read`'s job, whose errors name the variable on one line.

use super::growth::KeepArgs;
use super::{ApiArgs, ReconcileArgs};
use clap::{Args, Command};

/// Where rows go.
#[derive(Args, Debug, Default)]
pub struct DatabaseArgs {
    /// PostgreSQL, 15 or newer, as a URL [unset: `serve` runs a private PostgreSQL in the data directory]
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// File that holds DATABASE_URL, for secrets that come as files
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<String>,
}

/// Where a running service tells how it is.
#[derive(Args, Debug, Default)]
pub struct AdminArgs {
    /// Listener of /livez, /readyz and /metrics; keep it private [default: 127.0.0.1:9090]
    #[arg(long, env = "CALLSINK_ADMIN_LISTEN", value_name = "ADDRESS")]
    pub admin_listen: Option<String>,
}

/// How the log looks.
#[derive(Args, Debug, Default)]
pub struct LogArgs {
    /// text, or json for machines [default: text]
    #[arg(long, env = "LOG_FORMAT", value_name = "FORMAT", global = true)]
    pub log_format: Option<String>,
    /// What is logged: error, warn, info, debug, or a filter such as info,callsink=debug [default: info]
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", global = true)]
    pub log_filter: Option<String>,
}

/// Everything that `serve` can be told.
#[derive(Args, Debug, Default)]
pub struct ServeArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub admin: AdminArgs,
    /// Signing secrets (auth tokens), comma-separated: old and new while rotating, one per subaccount
    #[arg(long, env = "TWILIO_AUTH_TOKEN", value_name = "TOKENS", hide_env_values = true)]
    pub twilio_auth_token: Option<String>,
    /// File that holds TWILIO_AUTH_TOKEN, for secrets that come as files
    #[arg(long, env = "TWILIO_AUTH_TOKEN_FILE", value_name = "FILE")]
    pub twilio_auth_token_file: Option<String>,
    /// The sink's destination, to the letter as Twilio has it; its path is where deliveries are taken
    #[arg(long, env = "CALLSINK_PUBLIC_URL", value_name = "URL", hide_env_values = true)]
    pub public_url: Option<String>,
    /// Listener of deliveries [default: 0.0.0.0:8080]
    #[arg(long, env = "CALLSINK_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Directory of the journal and of the private PostgreSQL [default: ./data]
    #[arg(long, env = "CALLSINK_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<String>,
    /// Threads that receive [default: a quarter of the cores]
    #[arg(long, env = "CALLSINK_HTTP_WORKERS", value_name = "COUNT")]
    pub http_workers: Option<String>,
    /// Connections at once; each may hold a body in memory and takes two files [default: 1024, or what the
    /// limit of open files allows]
    #[arg(long, env = "CALLSINK_MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<String>,
    /// Time for the head of a request; Twilio gives up after 5 s in all [default: 5s]
    #[arg(long, env = "CALLSINK_HEAD_TIMEOUT", value_name = "TIME")]
    pub head_timeout: Option<String>,
    /// Time for the body of a request, then it is answered 408 [default: 10s]
    #[arg(long, env = "CALLSINK_BODY_TIMEOUT", value_name = "TIME")]
    pub body_timeout: Option<String>,
    /// How long a connection may be idle; more than the proxy in front allows, so that the proxy closes it
    /// [default: 75s]
    #[arg(long, env = "CALLSINK_KEEP_ALIVE", value_name = "TIME")]
    pub keep_alive: Option<String>,
    /// Workers that store, each with a connection; two keep two cores busy [default: 2]
    #[arg(long, env = "CALLSINK_WORKERS", value_name = "COUNT")]
    pub workers: Option<String>,
    /// Events in memory between journal and workers; more wait in the journal [default: 1000]
    #[arg(long, env = "CALLSINK_QUEUE_EVENTS", value_name = "COUNT")]
    pub queue_events: Option<String>,
    /// Events in one statement at most; beyond 500 nothing is gained [default: 500]
    #[arg(long, env = "CALLSINK_BATCH_EVENTS", value_name = "COUNT")]
    pub batch_events: Option<String>,
    /// Seconds between refreshes of the key figures, the views kpi_* [default: 60]
    #[arg(long, env = "CALLSINK_ROLLUP_SECONDS", value_name = "SECONDS")]
    pub rollup_seconds: Option<String>,
    /// Size of the journal at which deliveries are answered 503, such as 8GiB [default: 8GiB]
    #[arg(long, env = "CALLSINK_JOURNAL_MAX_BYTES", value_name = "BYTES")]
    pub journal_max_bytes: Option<String>,
    /// Size of a body at which a delivery is answered 413, such as 4MiB [default: 4MiB]
    #[arg(long, env = "CALLSINK_MAX_BODY_BYTES", value_name = "BYTES")]
    pub max_body_bytes: Option<String>,
    /// Answer to deliveries whose signature does not hold; 503 while setting up or rotating tokens, as
    /// Twilio then tries again for four hours instead of dropping the event [default: 403]
    #[arg(long, env = "CALLSINK_REJECT_STATUS", value_name = "STATUS")]
    pub reject_status: Option<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub reconcile: ReconcileArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub api: ApiArgs,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub keep: KeepArgs,
}

/// Every variable that `command` or one of its subcommands reads.
pub(super) fn variable_names(command: Command) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        let variables = command.get_arguments().filter_map(|argument| argument.get_env());
        names.extend(variables.filter_map(|name| name.to_str().map(str::to_owned)));
        commands.extend(command.get_subcommands().cloned());
    }
    names.push("CALLSINK_POSTGRES_BIN".to_owned()); // read by the private PostgreSQL
    names
}
