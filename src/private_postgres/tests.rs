//! Real servers in throw-away directories. They need PostgreSQL's programs, like everything here.

use super::{Durability, PrivatePostgres, PrivatePostgresError};
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Tells [`an_owner_that_is_killed`] that it's the owner, and where.
const OWNER_DIR: &str = "CALLSINK_TEST_OWNER_DIR";

/// A directory that PostgreSQL's user may enter, also when root runs the tests.
fn open_dir() -> TempDir {
    dir_with_mode(0o755)
}

fn dir_with_mode(mode: u32) -> TempDir {
    let permissions = fs::Permissions::from_mode(mode);
    tempfile::Builder::new().permissions(permissions).tempdir().expect("a directory")
}

fn start(dir: &TempDir) -> PrivatePostgres {
    PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect("it starts")
}

/// Runs a query of one column and gives its first row as text.
fn ask(postgres: &PrivatePostgres, sql: &'static str) -> Option<String> {
    query(postgres.url().expose_secret(), sql).expect("the query runs")
}

fn query(url: &str, sql: &'static str) -> Result<Option<String>, sqlx::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await?;
        let row = sqlx::query_scalar(sql).fetch_optional(&mut connection).await?;
        connection.close().await?;
        Ok(row)
    })
}

fn pid(dir: &Path) -> u32 {
    let file = fs::read_to_string(dir.join("postgres/postmaster.pid")).expect("a lock file");
    file.lines().next().and_then(|line| line.parse().ok()).expect("a process id")
}

fn port(dir: &Path) -> u16 {
    let text = fs::read_to_string(dir.join("postgres.port")).expect("a port file");
    text.trim().parse().expect("a port")
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(40);
    while !holds() {
        assert!(Instant::now() < give_up, "{what}: still not after 40 s");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kill_hard(pid: u32) {
    let status = Command::new("/bin/sh").args(["-c", &format!("kill -KILL {pid}")]).status();
    assert!(status.expect("a shell").success());
}

#[test]
fn a_private_server_keeps_fsync_on() {
    let dir = open_dir();
    let postgres = PrivatePostgres::start(dir.path(), Durability::Full).expect("it starts");
    for sql in
        ["SHOW fsync", "SHOW full_page_writes", "SHOW synchronous_commit", "SHOW data_checksums"]
    {
        assert_eq!(ask(&postgres, sql).as_deref(), Some("on"), "{sql}");
    }
    assert_eq!(ask(&postgres, "SHOW server_encoding").as_deref(), Some("UTF8"));
    assert_eq!(ask(&postgres, "SHOW jit").as_deref(), Some("off"));
    postgres.stop().expect("it stops");
}

#[test]
fn rows_port_and_password_survive_a_restart() {
    let dir = open_dir();
    let first = start(&dir);
    ask(&first, "CREATE TABLE t AS SELECT 'kept' AS word");
    let url = first.url().expose_secret().to_owned();
    first.stop().expect("it stops");

    let second = start(&dir);
    assert_eq!(second.url().expose_secret(), url);
    assert_eq!(ask(&second, "SELECT word FROM t").as_deref(), Some("kept"));
    second.stop().expect("it stops");
}

#[test]
fn it_listens_on_the_loopback_only_and_asks_for_the_password() {
    let dir = open_dir();
    let postgres = start(&dir);
    assert_eq!(ask(&postgres, "SHOW listen_addresses").as_deref(), Some("127.0.0.1"));
    assert_eq!(ask(&postgres, "SHOW unix_socket_directories").as_deref(), Some(""));
    let mode = |name| fs::metadata(dir.path().join(name)).expect(name).mode() & 0o777;
    assert_eq!((mode("postgres.password"), mode("postgres.log")), (0o600, 0o600));
    let wrong = format!("postgres://callsink:wrong@127.0.0.1:{}/callsink", port(dir.path()));
    let error = query(&wrong, "SELECT 'in'").expect_err("a wrong password must not do");
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    postgres.stop().expect("it stops");
}

#[test]
fn a_half_made_cluster_is_made_again() {
    let dir = open_dir();
    let half = dir.path().join("postgres.new/cluster");
    fs::create_dir_all(&half).expect("made");
    fs::write(half.join("PG_VERSION"), "15\n").expect("written");
    let postgres = start(&dir);
    assert_eq!(ask(&postgres, "SELECT current_database()::text").as_deref(), Some("callsink"));
    assert!(!dir.path().join("postgres.new").exists());
    postgres.stop().expect("it stops");
}

#[test]
fn a_lost_password_is_replaced() {
    let dir = open_dir();
    let first = start(&dir);
    ask(&first, "CREATE TABLE t AS SELECT 'kept' AS word");
    first.stop().expect("it stops");
    fs::remove_file(dir.path().join("postgres.password")).expect("removed");
    let second = start(&dir);
    assert_eq!(ask(&second, "SELECT word FROM t").as_deref(), Some("kept"));
    second.stop().expect("it stops");
}

#[test]
fn another_port_is_taken_when_the_remembered_one_is_busy() {
    let dir = open_dir();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let busy = taken.local_addr().expect("an address").port();
    fs::write(dir.path().join("postgres.port"), busy.to_string()).expect("written");
    let postgres = start(&dir);
    assert_ne!(port(dir.path()), busy);
    postgres.stop().expect("it stops");
}

#[test]
fn something_else_in_its_place_is_left_alone() {
    let dir = open_dir();
    let precious = dir.path().join("postgres/precious");
    fs::create_dir_all(&precious).expect("made");
    let error = PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect_err("refused");
    assert!(matches!(error, PrivatePostgresError::NotACluster { .. }), "{error}");
    assert!(precious.exists());
}

#[test]
fn a_cluster_of_another_version_is_refused_with_its_name() {
    let dir = open_dir();
    fs::create_dir_all(dir.path().join("postgres")).expect("made");
    fs::write(dir.path().join("postgres/PG_VERSION"), "9\n").expect("written");
    let error = PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect_err("refused");
    assert!(error.to_string().contains("install PostgreSQL 9"), "{error}");
}

#[test]
fn a_start_that_fails_tells_the_end_of_the_log() {
    let dir = open_dir();
    start(&dir).stop().expect("it stops");
    let conf = dir.path().join("postgres/postgresql.conf");
    fs::write(conf, "no_such_setting = 1\n").expect("written");
    let error = PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect_err("refused");
    assert!(matches!(error, PrivatePostgresError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[test]
fn a_second_server_on_the_same_cluster_is_refused() {
    let dir = open_dir();
    let postgres = start(&dir);
    let error = PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect_err("refused");
    assert!(matches!(error, PrivatePostgresError::InUse { .. }), "{error}");
    assert_eq!(ask(&postgres, "SELECT 'unharmed'").as_deref(), Some("unharmed"));
    postgres.stop().expect("it stops");
}

#[test]
fn a_server_that_is_killed_comes_back_with_its_rows() {
    let dir = open_dir();
    let postgres = start(&dir);
    ask(&postgres, "CREATE TABLE t AS SELECT 'kept' AS word");
    let killed = pid(dir.path());
    kill_hard(killed);
    let url = postgres.url().expose_secret();
    eventually("the server is back", || {
        matches!(query(url, "SELECT word FROM t"), Ok(Some(word)) if word == "kept")
            && pid(dir.path()) != killed
    });
    postgres.stop().expect("it stops");
}

#[test]
fn a_dropped_server_stops() {
    let dir = open_dir();
    drop(start(&dir));
    eventually("it stopped", || !dir.path().join("postgres/postmaster.pid").exists());
}

#[test]
fn the_server_stops_when_its_owner_is_killed() {
    let dir = open_dir();
    let this_test_program = std::env::current_exe().expect("a path");
    let mut owner = Command::new(this_test_program)
        .args(["--exact", "private_postgres::tests::an_owner_that_is_killed"])
        .env(OWNER_DIR, dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the owner starts");
    eventually("the owner has a server", || dir.path().join("postgres.port").exists());
    let address = ("127.0.0.1", port(dir.path()));
    assert!(TcpStream::connect(address).is_ok());

    owner.kill().expect("killed"); // SIGKILL
    owner.wait().expect("reaped");
    eventually("the server is gone", || TcpStream::connect(address).is_err());
    // PostgreSQL removes its lock file as the last act of a clean shutdown.
    eventually("it stopped cleanly", || !dir.path().join("postgres/postmaster.pid").exists());
}

/// The process that the test above kills; does nothing otherwise.
#[test]
fn an_owner_that_is_killed() {
    if let Some(dir) = std::env::var_os(OWNER_DIR) {
        let dir = PathBuf::from(dir);
        let _postgres = PrivatePostgres::start(&dir, Durability::TestsOnly).expect("it starts");
        std::thread::sleep(Duration::from_secs(120));
    }
}

/// Only root runs PostgreSQL as another user, so only then there is something to see.
#[test]
fn a_directory_that_postgres_cannot_enter_gets_a_link_to_its_cluster() {
    struct Elsewhere(PathBuf);
    impl Drop for Elsewhere {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).ok();
        }
    }
    if !super::user::we_are_root() {
        return;
    }
    let dir = dir_with_mode(0o700);
    let postgres = start(&dir);
    let cluster = fs::read_link(dir.path().join("postgres")).expect("a link");
    let elsewhere = Elsewhere(cluster.parent().expect("a parent").to_owned());
    assert!(elsewhere.0.starts_with("/var/lib/callsink"), "{}", cluster.display());
    ask(&postgres, "CREATE TABLE t AS SELECT 'kept' AS word");
    postgres.stop().expect("it stops");

    let again = start(&dir);
    assert_eq!(ask(&again, "SELECT word FROM t").as_deref(), Some("kept"));
    again.stop().expect("it stops");
    fs::remove_dir_all(&elsewhere.0).expect("removed");
    let error = PrivatePostgres::start(dir.path(), Durability::TestsOnly).expect_err("refused");
    assert!(matches!(error, PrivatePostgresError::Dangling { .. }), "{error}");
}
