//! The service with a login that may do its work and nothing else, in a database that another role owns.

use crate::support::insights::ACCOUNT;
use crate::support::service::Setup;
use crate::support::twilio::TOKEN;
use crate::support::{Database, Event, Insights, eventually, made_up};
use chrono::{TimeDelta, Utc};
use sqlx::{AssertSqlSafe, Row};

/// A login in the role `callsink_service`, and a URL with it.
async fn login(database: &Database) -> String {
    let name: String = database.value("SELECT current_database() || '_service'").await;
    database
        .execute(&format!("CREATE ROLE {name} LOGIN PASSWORD 'secret' IN ROLE callsink_service"))
        .await;
    let (_, rest) = database.url().rsplit_once('@').expect("a URL with a user");
    format!("postgres://{name}:secret@{rest}")
}

#[tokio::test]
async fn serve_and_the_operators_commands_need_no_more_than_the_service_role_has() {
    let database = Database::migrated().await;
    let url = login(&database).await;
    let data = tempfile::tempdir().expect("a directory");
    database
        .execute("SELECT callsink.create_archive_partition((now() - interval '90 days')::date)")
        .await;
    let old = "INSERT INTO callsink.events SELECT '', NULL, 'x', NULL, NULL, NULL, now() - interval '90 days', NULL, '{}'";
    database.execute(old).await;
    let setup = Setup::at(&url, data.path())
        .set("CALLSINK_ARCHIVE", "on")
        .set("CALLSINK_ARCHIVE_DAYS", "30")
        .set("CALLSINK_EVENTS_DAYS", "30")
        .set("CALLSINK_ROLLUP_SECONDS", "1")
        .set("CALLSINK_CALLS_DAYS", "60");
    let service = setup.start().await;
    let start = chrono::Utc::now().to_rfc3339();
    let event = Event::new("CA1", "complete").with("start_time", start).with("brand_new", 1);
    assert_eq!(service.deliver_events(&[event.clone(), Event::new("CA2", "partial")]).await, 200);
    assert_eq!(service.deliver(br#"[{"type":"x.other","data":{}},{"broken"]"#).await, 200);
    service.drained().await;
    assert_eq!(service.deliver_events(&[event]).await, 200); // a loser: the second statement
    service.drained().await;
    for (table, rows) in [
        ("call_summaries", 2),
        ("callsink.dead_letters", 1),
        ("callsink.unknown_fields", 1),
        ("callsink.archive_default", 0),
    ] {
        assert_eq!(database.count(table).await, rows, "{table}");
    }
    eventually("key figures", || async {
        database.count("callsink.call_kpis_hourly").await > 0
            && database.count("callsink.dirty_hours").await == 0
    })
    .await;
    eventually("what is old goes", || async {
        let gone = "to_regclass('callsink.archive_' || to_char(now() - interval '90 days', 'YYYYMMDD')) IS NULL";
        database.value::<bool>(&format!("SELECT {gone}")).await
            && database.count("callsink.events WHERE digest = ''").await == 0
    })
    .await;
    let log = service.log();
    assert!(!log.contains("permission denied") && !log.contains("42501"), "{log}");
    assert!(service.stop().await.success());

    for arguments in [
        &["replay", "--all"][..],
        &["erase", "--call", "CA2", "--delete", "--yes"],
        &["rebuild"],
        &["migrate"],
    ] {
        let mut command = setup.command(arguments[0]);
        let output = command.args(&arguments[1..]).output().expect("the binary");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("permission denied"), "{arguments:?}: {told}");
        // One letter is broken for good, and `replay` says so.
        assert!(output.status.success() || arguments[0] == "replay", "{arguments:?}: {told}");
    }
    assert_eq!(database.count("call_summaries").await, 1);
}

#[tokio::test]
async fn missing_calls_are_found_and_brought_in_with_no_more_than_the_service_role_has() {
    const HEALED: &str = "call_summaries WHERE summary_source = 'rest'";
    let insights = Insights::start(ACCOUNT, TOKEN);
    insights.state().calls = [3, 30]
        .map(|hours| made_up::item(ACCOUNT, hours, Utc::now() - TimeDelta::hours(i64::from(hours))))
        .to_vec();
    let database = Database::migrated().await;
    let data = tempfile::tempdir().expect("a directory");
    let setup = Setup::at(&login(&database).await, data.path())
        .set("CALLSINK_RECONCILE", "heal")
        .set("CALLSINK_RECONCILE_EVERY", "1m")
        .set("TWILIO_ACCOUNT_SID", ACCOUNT)
        .set("CALLSINK_INSIGHTS_API", insights.url.clone());
    let service = setup.start().await;
    eventually("the service heals by itself", || async {
        database.count("callsink.reconciliations WHERE healed = 2 AND error IS NULL").await == 1
    })
    .await;
    assert_eq!(database.count(HEALED).await, 2);
    assert!(service.stop().await.success());

    let since = (Utc::now() - TimeDelta::hours(48)).to_rfc3339();
    for arguments in [&["backfill", "--again"][..], &["coverage", "--heal"], &["coverage"]] {
        database.execute("DELETE FROM call_summaries").await;
        let mut command = setup.command(arguments[0]);
        command.args(&arguments[1..]).args(["--since", &since]);
        let run = tokio::task::spawn_blocking(move || command.output()).await.expect("joined");
        let output = run.expect("the binary");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!told.contains("permission denied"), "{arguments:?}: {told}");
        let healed = if *arguments == ["coverage"] { 0 } else { 2 };
        assert_eq!(database.count(HEALED).await, healed, "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn the_service_role_can_create_alter_and_drop_nothing_and_read_nothing_of_others() {
    let database = Database::migrated().await;
    database.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.salaries (who text)").await;
    database.execute("CREATE TABLE public.salaries (who text)").await;
    let service = Database::at(&login(&database).await);
    let mut connection = service.connect().await;
    for refused in [
        "SELECT * FROM theirs.salaries",
        "SELECT * FROM public.salaries",
        "SELECT * FROM callsink.pseudonym_key",
        "CREATE TABLE public.mine (x int)",
        "CREATE TABLE callsink.mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "DROP TABLE public.call_summaries",
        "DROP SCHEMA callsink CASCADE",
        "TRUNCATE public.call_summaries",
        "ALTER TABLE public.call_summaries ADD COLUMN x int",
        "CREATE INDEX ON public.call_summaries (duration)",
        "INSERT INTO callsink.schema_history (version) VALUES (999)",
        "UPDATE callsink.schema_history SET version = 0",
        "SELECT callsink.grant_to_service()",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        let result =
            sqlx::raw_sql(AssertSqlSafe(refused.to_owned())).execute(&mut connection).await;
        let code = match result {
            Err(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            other => panic!("{refused}: {other:?}"),
        };
        assert_eq!(code.as_deref(), Some("42501"), "{refused}");
    }
    // It may make a partition, and not say where things are looked up while it is made.
    let made = "SET search_path = pg_temp; SELECT callsink.create_archive_partition('2020-01-01')";
    sqlx::raw_sql(made).execute(&mut connection).await.expect("a partition");
    let owner =
        "SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'archive_20200101'";
    assert!(database.value::<bool>(owner).await, "it belongs to the owner of the schema");
}

/// A migration that adds a table to `public` and forgets the service fails here.
#[tokio::test]
async fn every_table_is_granted_to_the_service_role_unless_it_is_named_here() {
    const WITHHELD: [(&str, &str); 2] =
        [("callsink.schema_history", "SELECT"), ("callsink.pseudonym_key", "")];
    let database = Database::migrated().await;
    let tables = "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname IN ('public', 'callsink') AND c.relkind IN ('r', 'p') AND NOT c.relispartition";
    let tables: Vec<String> = database.rows(tables).await.iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 10, "the query finds only {tables:?}");
    for table in tables {
        let allowed = WITHHELD.iter().find(|(name, _)| *name == table).map(|(_, allowed)| *allowed);
        for right in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
            let has =
                format!("SELECT has_table_privilege('callsink_service', '{table}', '{right}')");
            let expected = allowed.is_none_or(|allowed| allowed == right);
            assert_eq!(database.value::<bool>(&has).await, expected, "{right} on {table}");
        }
    }
}

#[tokio::test]
async fn tables_that_a_later_migration_adds_to_schema_callsink_are_granted_by_themselves() {
    let database = Database::migrated().await;
    database.execute("CREATE TABLE callsink.later (x int)").await;
    let service = Database::at(&login(&database).await);
    service.execute("INSERT INTO callsink.later VALUES (1); DELETE FROM callsink.later").await;
}
