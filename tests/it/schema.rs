//! Rules that the schema keeps: everything explains itself, and is what the code believes.

use crate::support::Database;
use callsink::domain::fields::{EDGE_FIELDS, SUMMARY_FIELDS};
use sqlx::Row;

const OURS: &str = "n.nspname IN ('public', 'callsink')";

async fn names(database: &Database, sql: &str) -> Vec<String> {
    database.rows(sql).await.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_schema_table_view_and_column_carries_a_comment() {
    let database = Database::migrated().await;
    let silent = format!(
        "SELECT n.nspname || '.' || c.relname || coalesce('.' || a.attname, '') \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         CROSS JOIN LATERAL (SELECT 0::int2 AS attnum, NULL::name AS attname UNION ALL \
             SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a \
         WHERE {OURS} AND c.relkind IN ('r', 'v', 'm', 'p') \
         AND coalesce(CASE a.attnum WHEN 0 THEN obj_description(c.oid, 'pg_class') \
             ELSE col_description(c.oid, a.attnum) END, '') = ''"
    );
    assert_eq!(names(&database, &silent).await, [""; 0], "without a comment");
    let all = database.count("pg_description WHERE objsubid > 0").await;
    assert!(
        all > 150,
        "only {all} columns have comments: the query above finds nothing to complain of"
    );
    let schemas = "SELECT nspname::text FROM pg_namespace WHERE nspname = 'callsink' \
        AND obj_description(oid, 'pg_namespace') IS NULL";
    assert_eq!(names(&database, schemas).await, [""; 0]);
}

#[tokio::test]
async fn every_documented_field_has_the_column_that_the_field_table_says() {
    let database = Database::migrated().await;
    let columns = |relation: &str| {
        format!(
            "SELECT a.attname || ' ' || format_type(a.atttypid, NULL) FROM pg_attribute a \
             WHERE attrelid = '{relation}'::regclass AND attnum > 0 AND NOT attisdropped"
        )
    };
    let as_sql = |name: &str, kind: callsink::domain::fields::Kind| {
        format!("{name} {}", kind.sql_type().replace("timestamptz", "timestamp with time zone"))
    };
    let table = names(&database, &columns("public.call_summaries")).await;
    for field in SUMMARY_FIELDS {
        let column = as_sql(field.column, field.kind);
        assert!(table.contains(&column), "{column} is not a column of call_summaries");
    }
    // The composite type is sent by position: its order must be that of the table of fields.
    let attributes =
        names(&database, &format!("{} ORDER BY attnum", columns("public.edge_metric"))).await;
    let expected = EDGE_FIELDS.iter().map(|field| as_sql(field.column, field.kind));
    let expected: Vec<String> =
        ["edge text", "direction text"].map(str::to_owned).into_iter().chain(expected).collect();
    assert_eq!(attributes, expected);
    let view = names(&database, &columns("public.call_edge_metrics")).await;
    for column in expected {
        assert!(view.contains(&column), "{column} is not a column of call_edge_metrics");
    }
}

#[tokio::test]
async fn only_call_sid_is_unique_and_nothing_stands_in_the_way_of_distributing_the_table() {
    let database = Database::migrated().await;
    let unique = "SELECT indexrelid::regclass::text FROM pg_index \
        WHERE indrelid = 'public.call_summaries'::regclass AND indisunique";
    assert_eq!(names(&database, unique).await, ["call_summaries_pkey"]);
    assert_eq!(database.count("pg_constraint WHERE contype = 'f'").await, 0);
    assert_eq!(database.count("pg_trigger WHERE NOT tgisinternal").await, 0);
}

#[tokio::test]
async fn the_reader_role_sees_quality_but_no_numbers_and_no_addresses() {
    let database = Database::migrated().await;
    let may = |role: &str, relation: &str, column: &str| {
        format!("SELECT has_column_privilege('{role}', 'public.{relation}', '{column}', 'SELECT')")
    };
    for (relation, column) in [
        ("call_summaries", "from_caller"),
        ("call_summaries", "to_callee"),
        ("call_summaries", "from_ip_address"),
        ("call_summaries", "payload"),
        ("call_summaries", "other_payload"),
        ("call_summaries", "edges"),
        ("call_edge_metrics", "external_media_ip"),
    ] {
        let reader = database.value::<bool>(&may("callsink_reader", relation, column)).await;
        let trusted = database.value::<bool>(&may("callsink_pii_reader", relation, column)).await;
        assert!(!reader && trusted, "{relation}.{column}: {reader} {trusted}");
    }
    for (relation, column) in [
        ("call_summaries", "call_sid"),
        ("call_summaries", "pdd_ms"),
        ("call_summaries", "summary_source"),
        ("call_edge_metrics", "jitter_avg"),
    ] {
        assert!(
            database.value::<bool>(&may("callsink_reader", relation, column)).await,
            "{column}"
        );
    }
    let machinery = "SELECT has_schema_privilege('callsink_reader', 'callsink', 'USAGE')";
    assert!(!database.value::<bool>(machinery).await, "dead letters hold raw events");
}
