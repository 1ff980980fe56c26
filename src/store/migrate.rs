//! Brings the schema up, and refuses one that is newer than this binary.
//!
//! In: a database. Out: how many migrations were applied. Promises: any number of processes may start
//! at once: an advisory lock lets one migrate and the others wait; each migration is one transaction.
//! Only this file knows refinery, which has no driver for sqlx and takes no lock: the adapter and the
//! lock are here.

use super::error::{StoreError, Trouble};
use super::session::Database;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Key of the advisory lock: `callsink` in ASCII. Fixed for ever, so that all versions exclude each other.
const LOCK_KEY: i64 = 0x6361_6c6c_7369_6e6b;

/// Refinery's history, beside the rest of the machinery.
const HISTORY: &str = "callsink.schema_history";

/// How long another process may take to migrate before we say that we wait for it, again and again.
const LOCK_NOTICE: Duration = Duration::from_secs(10);

/// Why the schema could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A later callsink has been here; this one doesn't know what its tables mean.
    #[error(
        "the database has schema version {database}, this callsink knows up to {binary}: \
         start the newer callsink again, or restore a backup from before the upgrade"
    )]
    TooNew {
        /// Version in the database.
        database: u32,
        /// Newest version in this binary.
        binary: u32,
    },
    /// An applied migration is not the one in this binary: somebody edited history.
    #[error("the database's migration history does not fit this callsink: {0}")]
    Divergent(String),
    /// The database is away, or refuses; what is in it is untouched.
    #[error("the schema could not be brought up: {0}")]
    Store(StoreError),
}

/// By hand: as a `source`, the text would be printed twice.
impl From<StoreError> for MigrateError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl MigrateError {
    /// Whether trying again later can help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.trouble == Trouble::Transient)
    }
}

/// Applies what is missing.
///
/// # Errors
/// See [`MigrateError`].
pub async fn migrate(database: &Database) -> Result<usize, MigrateError> {
    let mut connection = Adapter(database.connect_unlimited().await?);
    lock(&mut connection.0).await?;
    let result = run(&mut connection).await;
    // Closing the connection releases the lock, whatever happened.
    drop(connection.0.close().await);
    result
}

/// The newest version in this binary.
#[must_use]
pub fn binary_version() -> u32 {
    let runner = embedded::migrations::runner();
    let versions = runner.get_migrations().iter().map(Migration::version);
    versions.max().map_or(0, |version| u32::try_from(version).unwrap_or(0))
}

async fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    let lock = sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK_KEY).execute(connection);
    tokio::pin!(lock);
    loop {
        match tokio::time::timeout(LOCK_NOTICE, &mut lock).await {
            Ok(result) => return result.map(|_| ()).map_err(StoreError::from),
            Err(_) => tracing::warn!("waiting for another instance to migrate the database"),
        }
    }
}

async fn run(connection: &mut Adapter) -> Result<usize, MigrateError> {
    // Looked at first: a reader of an up-to-date schema needs no right to create anything.
    if let Some(database) = database_version(&mut connection.0).await? {
        let binary = binary_version();
        if database > binary {
            return Err(MigrateError::TooNew { database, binary });
        }
        if database == binary {
            return Ok(0);
        }
    } else {
        sqlx::raw_sql("CREATE SCHEMA IF NOT EXISTS callsink")
            .execute(&mut connection.0)
            .await
            .map_err(StoreError::from)?;
    }
    let mut runner: Runner = embedded::migrations::runner();
    runner.set_migration_table_name(HISTORY);
    let report = runner.run_async(connection).await.map_err(|error| migrate_error(&error))?;
    sqlx::raw_sql(include_str!("sql/comment_schema_history.sql"))
        .execute(&mut connection.0)
        .await
        .map_err(StoreError::from)?;
    Ok(report.applied_migrations().len())
}

async fn database_version(connection: &mut PgConnection) -> Result<Option<u32>, StoreError> {
    let exists: bool = sqlx::query("SELECT to_regclass($1) IS NOT NULL")
        .bind(HISTORY)
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    if !exists {
        return Ok(None);
    }
    let version: Option<i32> = sqlx::query("SELECT max(version) FROM callsink.schema_history")
        .fetch_one(connection)
        .await?
        .try_get(0)?;
    Ok(version.map(|version| u32::try_from(version).unwrap_or(0)))
}

fn migrate_error(error: &refinery_core::Error) -> MigrateError {
    use refinery_core::error::Kind;
    match error.kind() {
        Kind::Connection(_, source) => match source.downcast_ref::<sqlx::Error>() {
            // The text of our own migration holds nobody's data: say all of it.
            Some(sqlx::Error::Database(database)) => MigrateError::Store(StoreError {
                trouble: Trouble::Transient,
                sqlstate: database.code().map(std::borrow::Cow::into_owned),
                message: database.message().to_owned(),
            }),
            _ => MigrateError::Store(StoreError {
                trouble: Trouble::Transient,
                sqlstate: None,
                message: error.to_string(),
            }),
        },
        _ => MigrateError::Divergent(error.to_string()),
    }
}

/// Refinery's traits over a sqlx connection; a type of our own because neither is ours.
struct Adapter(PgConnection);

impl AsyncTransaction for Adapter {
    type Error = sqlx::Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send>(
        &mut self,
        queries: T,
    ) -> Result<usize, Self::Error> {
        let mut transaction = self.0.begin().await?;
        let mut count = 0;
        for query in queries {
            // Simple protocol: a migration is a file of many statements.
            sqlx::raw_sql(AssertSqlSafe(query.to_owned())).execute(&mut *transaction).await?;
            count += 1;
        }
        transaction.commit().await?;
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for Adapter {
    async fn query(&mut self, query: &str) -> Result<Vec<Migration>, Self::Error> {
        let rows = sqlx::query(AssertSqlSafe(query.to_owned())).fetch_all(&mut self.0).await?;
        rows.iter()
            .map(|row| {
                let applied_on: String = row.try_get(2)?;
                let checksum: String = row.try_get(3)?;
                Ok(Migration::applied(
                    row.try_get(0)?,
                    row.try_get(1)?,
                    OffsetDateTime::parse(&applied_on, &Rfc3339)
                        .map_err(|error| sqlx::Error::Decode(error.into()))?,
                    checksum.parse().map_err(|error: std::num::ParseIntError| {
                        sqlx::Error::Decode(error.into())
                    })?,
                ))
            })
            .collect()
    }
}

impl AsyncMigrate for Adapter {}
