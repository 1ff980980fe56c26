//! A database of its own for each test, in one PostgreSQL for the whole run.
//!
//! `CALLSINK_TEST_DATABASE_URL` names a server whose user may create databases; unset, the run starts a
//! private one that ends with the process.

use callsink::private_postgres::{Durability, PrivatePostgres};
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Directories of the runs' servers in the system's temporary directory; the process id follows.
const PREFIX: &str = "callsink-tests-";

/// A database that nobody else uses.
pub struct Database {
    url: String,
}

struct Server {
    url: String,
    _private: Option<PrivatePostgres>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        if let Ok(url) = std::env::var("CALLSINK_TEST_DATABASE_URL") {
            return Server { url, _private: None };
        }
        let directory = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        remove_what_former_runs_left();
        std::fs::create_dir_all(&directory).expect("a directory for PostgreSQL");
        let postgres = PrivatePostgres::start(&directory, Durability::TestsOnly)
            .expect("a private PostgreSQL for the tests");
        let url = postgres.url().expose_secret().to_owned();
        Server { url, _private: Some(postgres) }
    })
}

/// A static is never dropped: the server ends with the process, its directory stays for the next run.
fn remove_what_former_runs_left() {
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).map(|id| format!("/proc/{id}"));
        if process.is_some_and(|process| !std::path::Path::new(&process).exists()) {
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

impl Database {
    /// An empty database.
    pub async fn empty() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = tokio::task::spawn_blocking(server).await.expect("the server starts");
        let name = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&server.url).await.expect("the test server");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("a database of our own");
        let (base, _) = server.url.rsplit_once('/').expect("a URL with a database");
        Self { url: format!("{base}/{name}") }
    }

    /// A database with the schema.
    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        callsink::store::migrate::migrate(&database.store()).await.expect("migrated");
        database
    }

    /// A database that is there already, on a server of the test's own.
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// As the service sees it.
    pub fn store(&self) -> callsink::store::Database {
        callsink::store::Database::parse(&SecretString::from(self.url.as_str())).expect("a URL")
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.expect("a connection")
    }

    pub async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn rows(&self, sql: &str) -> Vec<PgRow> {
        let mut connection = self.connect().await;
        sqlx::query(AssertSqlSafe(sql.to_owned()))
            .fetch_all(&mut connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The first column of the first row.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        self.rows(sql).await.first().unwrap_or_else(|| panic!("no row: {sql}")).get(0)
    }

    pub async fn count(&self, from: &str) -> i64 {
        self.value(&format!("SELECT count(*) FROM {from}")).await
    }

    /// A row as JSON without its NULLs.
    pub async fn json(&self, sql: &str) -> serde_json::Value {
        let text: String = self
            .value(&format!("SELECT json_strip_nulls(to_json(x))::text FROM ({sql}) AS x"))
            .await;
        serde_json::from_str(&text).expect("PostgreSQL makes valid JSON")
    }
}
