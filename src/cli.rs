//! The command line: which jobs there are, and what each reads.
//!
//! Promises: every setting is a flag and an environment variable; help says the default.

use crate::config::{AdminArgs, DatabaseArgs, LogArgs, ServeArgs};
use crate::operate::{
    BackfillArgs, CheckRequestArgs, CoverageArgs, DictionaryArgs, DoctorArgs, EraseArgs,
    JournalCommand, RebuildArgs, ReplayArgs, RetentionArgs, SetupArgs,
};
use crate::simulate::SimulateArgs;
use clap::{Parser, Subcommand};

/// Receives Twilio Event Streams webhooks and keeps one converging row per call in PostgreSQL.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// How the log looks.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The jobs.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Receive deliveries, keep them, and bring them into PostgreSQL
    Serve(Box<ServeArgs>),
    /// Bring the schema of DATABASE_URL up, and exit
    Migrate(DatabaseArgs),
    /// Ask a running service whether it is ready; exit 0 if so (for containers)
    Healthcheck(AdminArgs),
    /// Act as Twilio: send signed, batched, duplicated, reordered summaries of made-up calls
    Simulate(Box<SimulateArgs>),
    /// Make a sink and a subscription at Twilio, so that call summaries arrive here
    ///
    /// Looks at what the account has, prints what is to change and does it: a webhook sink to
    /// CALLSINK_PUBLIC_URL, subscribed to the call-summary types that the account offers, at their newest
    /// schema version. Then Twilio sends its test event, and this waits until the running service has stored it
    /// in DATABASE_URL. What is right is left alone; nothing that somebody else made is deleted. Exit code 0 if
    /// all is well.
    Setup(Box<SetupArgs>),
    /// Look at everything that must work, and say what to do about what does not
    ///
    /// Settings, database, journal, public URL (with a signed, empty delivery that stores nothing), Twilio's
    /// credentials, Advanced Features, sink, subscription and Debugger. Changes nothing. Exit code 0 if nothing failed, else 1.
    Doctor(Box<DoctorArgs>),
    /// Store dead letters again, after a fix; what succeeds leaves the table
    ///
    /// Reads callsink.dead_letters and decodes and stores each selected letter as `serve` does, after
    /// bringing the schema up as it does. Prints a line for each that still fails. May be stopped and run
    /// again at any time, beside a running service, too. Exit code 0 if no selected letter is left, else 1.
    Replay(Box<ReplayArgs>),
    /// Forget calls, or a person's calls: take personal data out of rows and delete raw events
    ///
    /// Looks through call_summaries, callsink.dead_letters, callsink.events and the archive. Without --yes it
    /// changes nothing and counts what it would touch. What arrives of these calls later is erased as it is stored;
    /// new calls of the same person are not. May be stopped and run again at any time, beside a running service,
    /// too. Exit code 0, also when nothing was found.
    Erase(Box<EraseArgs>),
    /// Bring call summaries from Twilio's REST API into the database: after an outage, or for a start
    ///
    /// Lists the calls of the span hour by hour, in all states, every page, and merges each summary with what
    /// events have told; what only events carry stays. Reads Twilio's Insights API (Voice Insights Advanced
    /// Features must be on) and writes call_summaries, callsink.backfill_windows and public.coverage, after
    /// bringing the schema up as `serve` does. May be stopped and run again at any time, beside a running
    /// service, too: windows that were read when they were final are left out. Twilio keeps 30 days. Exit
    /// code 0 if everything listed is in, else 1.
    Backfill(Box<BackfillArgs>),
    /// Compare what Twilio lists with what is here, by account and hour; --heal brings in what is missing
    ///
    /// Reads Twilio's Insights API as `backfill` does, prints a line per account and hour, and writes the view
    /// public.coverage. Only calls that ended 45 minutes ago count. Exit code 0 if nothing is missing (any
    /// more), 1 if there are holes.
    Coverage(Box<CoverageArgs>),
    /// Work rows out anew from what was kept, after an upgrade that knows more fields
    ///
    /// Reads the payloads of call_summaries, or with --from-archive the events of callsink.archive, and writes rows
    /// that come out differently. Runs beside the service; notes how far it is in callsink.rebuilds, and goes on there
    /// when it is run again. Exit code 0 when it came to the end and could read everything, else 1.
    Rebuild(Box<RebuildArgs>),
    /// Say what `serve` would delete as too old; delete nothing
    ///
    /// Reads the settings of retention as `serve` does (CALLSINK_CALLS_DAYS and the like, or as flags, to try others)
    /// and counts, per table, the rows that are older, with the oldest and the newest of them. Writes nothing; may
    /// take minutes for tables of many millions. Exit code 0.
    Retention(Box<RetentionArgs>),
    /// Print what the database says of itself: a data dictionary, or sources for dbt
    ///
    /// Reads the comments of all tables, views, columns and functions of the schemas public and callsink, and
    /// no row. The database must have been brought up (`callsink migrate`).
    Dictionary(DictionaryArgs),
    /// Look into the journal, of a running service or a stopped one: inspect, verify, export
    ///
    /// Reads journal.db in the data directory; takes no lock, and changes nothing.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Tell which verification step a captured request fails, and why
    ///
    /// Reads a body from a file, and sends nothing. Prints every string that Twilio may have signed, and
    /// recognises usual mistakes: http for https, another host, a slash, a path prefix, a changed query or
    /// body, a form, quotes around a secret. Secrets are never printed. Exit code 0: valid, 1: not valid,
    /// 2: wrong arguments.
    CheckRequest(Box<CheckRequestArgs>),
}
