//! Every panel and every variable of the Grafana dashboards, asked as Grafana asks: macros and variables replaced,
//! as `callsink_reader`, on a seeded database.
//!
//! What the macros become: Grafana's documentation of its PostgreSQL data source, "Macros".

use super::seed::{project, seeded};
use crate::support::Database;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use regex_lite::{Captures, Regex};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Column, PgConnection, Row, TypeInfo, postgres::PgRow};
use std::collections::BTreeMap;

const DASHBOARDS: [&str; 3] = ["call-quality", "ingestion", "one-call"];

/// What dashboards are shown for.
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    interval: (&'static str, u32),
}

impl Span {
    fn of(dashboard: &Value, panel: &Value) -> Self {
        let from = dashboard["time"]["from"].as_str().expect("a time");
        let number = from.trim_start_matches("now-");
        let (number, unit) = number.split_at(number.len() - 1);
        let number: i64 = number.parse().expect("now-7d or now-24h");
        let span = if unit == "d" { Duration::days(number) } else { Duration::hours(number) };
        let to = Utc::now();
        let interval = if panel["interval"] == "1m" { ("1m", 60) } else { ("1h", 3600) };
        Self { from: to - span, to, interval }
    }

    /// Replaces the macros that our queries use; any other would stay, and fail in PostgreSQL.
    fn expand(&self, sql: &str) -> String {
        let quoted =
            |time: DateTime<Utc>| format!("'{}'", time.to_rfc3339_opts(SecondsFormat::Secs, true));
        let (from, to) = (quoted(self.from), quoted(self.to));
        let (interval, seconds) = self.interval;
        let sql = sql.replace("$__interval", interval);
        // As Grafana reads arguments: up to the first closing bracket.
        let filter = Regex::new(r"\$__timeFilter\(([^)]*)\)").expect("a pattern");
        let sql = filter
            .replace_all(&sql, |found: &Captures| format!("{} BETWEEN {from} AND {to}", &found[1]));
        let group = Regex::new(r"\$__timeGroupAlias\(([^),]*),\s*([^)]*)\)").expect("a pattern");
        let sql = group.replace_all(&sql, |found: &Captures| {
            assert_eq!(&found[2], interval, "an interval of its own");
            format!("floor(extract(epoch from {})/{seconds})*{seconds} AS \"time\"", &found[1])
        });
        sql.replace("$__timeFrom()", &from).replace("$__timeTo()", &to)
    }
}

fn dashboard(name: &str) -> Value {
    let path = project(&format!("deploy/grafana/dashboards/{name}.json"));
    let text = std::fs::read_to_string(path).expect("a dashboard");
    serde_json::from_str(&text).expect("JSON")
}

/// Panels, out of their rows.
fn panels(dashboard: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        if panel["type"] == "row" {
            found.extend(panel["panels"].as_array().into_iter().flatten().cloned());
        } else {
            found.push(panel.clone());
        }
    }
    found
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

async fn ask(connection: &mut PgConnection, what: &str, sql: &str) -> Vec<PgRow> {
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(connection)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}\n{sql}"))
}

async fn reader(database: &Database) -> PgConnection {
    let mut connection = database.connect().await;
    sqlx::raw_sql("SET ROLE callsink_reader").execute(&mut connection).await.expect("a role");
    connection
}

/// Each variable with all of its values chosen, as `${name:sqlstring}` writes them.
async fn variables(connection: &mut PgConnection, dashboard: &Value) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for variable in dashboard["templating"]["list"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().expect("a name");
        let query = if variable["type"] == "query" {
            variable["query"].as_str().expect("SQL").to_owned()
        } else {
            assert_eq!(name, "call_sid", "a variable that nobody fills");
            "SELECT call_sid FROM calls WHERE tags <> '{}' AND answered LIMIT 1".to_owned()
        };
        let query = Span::of(dashboard, &Value::Null).expand(&query);
        let rows = ask(connection, name, &query).await;
        assert!(!rows.is_empty(), "nothing to choose from for {name}");
        let all: Vec<String> = rows.iter().map(|row| literal(row.get(0))).collect();
        values.insert(name.to_owned(), all.join(","));
    }
    values
}

fn columns(row: &PgRow) -> Vec<(&str, &str)> {
    row.columns().iter().map(|column| (column.name(), column.type_info().name())).collect()
}

#[tokio::test]
async fn every_panel_of_the_dashboards_answers_a_reader_with_the_columns_that_it_draws() {
    let mut connection = reader(seeded().await).await;
    let used = Regex::new(r"\$\{(\w+):sqlstring\}").expect("a pattern");
    let mut asked = 0;
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        let variables = variables(&mut connection, &dashboard).await;
        for panel in panels(&dashboard) {
            let title = format!("{name}: {}", panel["title"].as_str().expect("a title"));
            for target in panel["targets"].as_array().expect("targets") {
                let sql = target["rawSql"].as_str().expect("SQL");
                let sql = used.replace_all(sql, |found: &Captures| {
                    variables.get(&found[1]).unwrap_or_else(|| panic!("{title}: {}", &found[1]))
                });
                let sql = Span::of(&dashboard, &panel).expand(&sql);
                let rows = ask(&mut connection, &title, &sql).await;
                let first = rows.first().unwrap_or_else(|| panic!("{title} shows nothing:\n{sql}"));
                let columns = columns(first);
                let number = |kind: &str| ["INT8", "INT4", "FLOAT8", "NUMERIC"].contains(&kind);
                if target["format"] == "time_series" {
                    let names: Vec<&str> = columns.iter().map(|column| column.0).collect();
                    assert_eq!(names, ["time", "metric", "value"], "{title}");
                    assert!(columns[0].1 == "TIMESTAMPTZ" || number(columns[0].1), "{title}");
                    assert_eq!(columns[1].1, "TEXT", "{title}");
                    assert!(number(columns[2].1), "{title}: {columns:?}");
                } else if panel["type"] == "stat" {
                    assert!(rows.len() == 1 && columns.len() == 1, "{title}: {columns:?}");
                    assert!(number(columns[0].1), "{title}: {columns:?}");
                } else {
                    let shown: Vec<&str> = columns.iter().map(|column| column.0).collect();
                    for option in panel["fieldConfig"]["overrides"].as_array().into_iter().flatten()
                    {
                        let column = option["matcher"]["options"].as_str().expect("a column");
                        assert!(shown.contains(&column), "{title} dresses {column}: {shown:?}");
                    }
                }
                asked += 1;
            }
        }
    }
    assert!(asked >= 45, "only {asked} panels: the walk has lost its way");
}

#[tokio::test]
async fn panels_say_what_they_show_and_links_lead_somewhere() {
    let mut addresses = Vec::new();
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        let uid = dashboard["uid"].as_str().expect("a uid");
        addresses.push(format!("/d/{uid}?"));
        for panel in panels(&dashboard) {
            let title = panel["title"].as_str().expect("a title");
            let about = panel["description"].as_str().unwrap_or_default();
            assert!(about.len() > 30, "{name}: {title} does not say what it shows");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(defaults["noValue"].is_string(), "{name}: {title} when it is empty");
            assert!(panel["type"] == "table" || defaults["unit"].is_string(), "{title}: no unit");
            let source = &panel["datasource"]["uid"];
            assert_eq!(source, "callsink", "{title}: a source that is not provisioned");
        }
    }
    let links = DASHBOARDS.map(|name| dashboard(name).to_string()).concat();
    let pattern = Regex::new(r#""url":"([^"?]*\?)"#).expect("a pattern");
    let mut found = 0;
    for link in pattern.captures_iter(&links) {
        assert!(addresses.contains(&link[1].to_owned()), "{} leads nowhere", &link[1]);
        found += 1;
    }
    assert!(found >= 3, "only {found} links");
}
