//! The committed data dictionary and dbt sources are what the database says of itself.

use crate::support::Database;
use crate::support::service::callsink;
use std::path::Path;

const UPDATE: &str = "CALLSINK_UPDATE_DOCS=1 cargo test --test it dictionary";

async fn dictionary(database: &Database, format: &str) -> String {
    let mut command = callsink();
    command.args(["dictionary", "--format", format]).env("DATABASE_URL", database.url());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("waited for").expect("the compiled binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn the_committed_dictionary_and_dbt_sources_are_current() {
    let database = Database::migrated().await;
    for (file, format) in
        [("docs/data-dictionary.md", "markdown"), ("dbt/models/sources.yml", "dbt")]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let is = dictionary(&database, format).await;
        if std::env::var_os("CALLSINK_UPDATE_DOCS").is_some() {
            std::fs::write(&path, &is).expect("writable");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = is.lines().zip(committed.lines()).find(|(is, committed)| is != committed);
        assert!(
            is == committed,
            "{file} is not current; run\n    {UPDATE}\nFirst difference: {differs:#?}"
        );
    }
}

#[tokio::test]
async fn every_relation_a_reader_sees_is_a_dbt_source_and_none_of_its_personal_columns_is() {
    let database = Database::migrated().await;
    let yaml = dictionary(&database, "dbt").await;
    let readable = "SELECT c.relname || '.' || a.attname FROM pg_class c \
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p') \
        AND has_column_privilege('callsink_reader', c.oid, a.attnum, 'SELECT') ORDER BY 1";
    let rows = database.rows(readable).await;
    let mut readable: Vec<String> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    let mut relation = String::new();
    let mut sources = Vec::new();
    for line in yaml.lines() {
        if let Some(name) = line.strip_prefix("      - name: ") {
            name.clone_into(&mut relation);
        } else if let Some(name) = line.strip_prefix("          - name: ") {
            sources.push(format!("{relation}.{name}"));
        }
    }
    readable.sort();
    sources.sort();
    assert_eq!(sources, readable);
    assert!(sources.contains(&"calls.call_sid".to_owned()), "{sources:?}");
}

#[tokio::test]
async fn a_database_without_our_schema_is_told_what_to_do() {
    let database = Database::empty().await;
    let mut command = callsink();
    command.arg("dictionary").env("DATABASE_URL", database.url());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output.expect("waited for").expect("the compiled binary");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("run callsink migrate first"), "{said}");
}
