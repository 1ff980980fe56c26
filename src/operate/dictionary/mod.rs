//! `callsink dictionary`: what the database says of itself, as a page or as dbt sources.
//!
//! In: the catalogue of a database whose schema is up. Out: text on standard output.
//! Promises: the same schema gives the same bytes, so that a test can tell whether the committed files are
//! current; nothing but the catalogue is read.

mod dbt;
mod markdown;

use crate::config::{self, DatabaseArgs};
use crate::store::{Dictionary, Session};
use anyhow::{Context as _, ensure};
use std::io::Write as _;
use std::process::ExitCode;

/// Options of `callsink dictionary`.
#[derive(clap::Args, Debug)]
pub struct DictionaryArgs {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub database: DatabaseArgs,
    /// markdown: a page for people (docs/data-dictionary.md). dbt: sources with descriptions and tests
    /// (dbt/models/sources.yml)
    #[arg(long, value_enum, default_value = "markdown", value_name = "FORMAT")]
    pub format: DictionaryFormat,
}

/// For whom.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum DictionaryFormat {
    /// A page for people.
    Markdown,
    /// `sources.yml`.
    Dbt,
}

/// Writes the dictionary; exit code 0.
///
/// # Errors
/// A wrong setting, the database is away, or it has no schema of ours.
pub async fn run(args: DictionaryArgs) -> anyhow::Result<ExitCode> {
    let database = config::required_database(args.database)?;
    let place = database.place();
    let mut session = Session::new(&database);
    let dictionary = session.dictionary().await.with_context(|| format!("database {place}"))?;
    ensure!(
        dictionary.relations.iter().any(|relation| relation.name == "call_summaries"),
        "database {place} has no call_summaries: run callsink migrate first"
    );
    let text = text(&dictionary, args.format)?;
    std::io::stdout().write_all(text.as_bytes()).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn text(dictionary: &Dictionary, format: DictionaryFormat) -> Result<String, std::fmt::Error> {
    match format {
        DictionaryFormat::Markdown => markdown::page(dictionary),
        DictionaryFormat::Dbt => dbt::sources(dictionary),
    }
}
