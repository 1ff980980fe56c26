//! Logs and metrics: what an operator sees.
//!
//! Promises: no phone numbers, bodies or secrets in any of it; the words of a log line are for people,
//! its fields for queries.

pub mod limited;
pub mod metric;

use crate::config::LogArgs;
use tracing_subscriber::EnvFilter;

/// Libraries whose `info` is about themselves; a filter that names them has the last word.
const QUIET: &str = "actix_server=warn,sqlx=warn,refinery_core=warn";

/// Why logging could not be set up; one line that names the variable.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Neither of the two formats.
    #[error("LOG_FORMAT is {0:?}: expected text or json")]
    Format(String),
    /// Not a filter.
    #[error(
        "RUST_LOG is {0:?}: expected a level such as info, or a filter such as info,callsink=debug"
    )]
    Filter(String),
}

/// Starts logging to standard error. Call once.
///
/// # Errors
/// See [`LogError`].
pub fn start_logging(args: &LogArgs) -> Result<(), LogError> {
    let given = |value: &Option<String>| value.clone().filter(|value| !value.trim().is_empty());
    let filter = given(&args.log_filter).unwrap_or_else(|| "info".to_owned());
    let directives = format!("{QUIET},{filter}");
    let filter = EnvFilter::try_new(directives).map_err(|_| LogError::Filter(filter))?;
    let format = given(&args.log_format).unwrap_or_else(|| "text".to_owned());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format.as_str() {
        "text" => {
            use std::io::IsTerminal;
            let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_target(false);
            drop(lines.try_init());
        }
        "json" => drop(lines.json().flatten_event(true).try_init()),
        _ => return Err(LogError::Format(format)),
    }
    Ok(())
}
