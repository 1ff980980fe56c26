//! The columns of `call_summaries` in the order in which they are sent, for the statements that name them all.
//!
//! In: the field table. Out: names, parameters and casts, as parts of SQL. Every part is a constant of this
//! crate. Must not know what a statement does with them.

use crate::domain::fields::{Kind, SUMMARY_FIELDS};

/// Columns beside the documented fields: name, type of the parameter's elements, cast in the SELECT.
const EVENT_COLUMNS: &[Extra] = &[
    ("event_type", "text", ""),
    ("event_rank", "smallint", ""),
    ("processing_version", "bigint", ""),
    ("event_time", "timestamptz", ""),
    ("event_id", "text", ""),
    ("event_source", "text", ""),
    ("dataschema", "text", ""),
    ("schema_version", "integer", ""),
    ("payload", "text", "::json"),
    ("unreadable_fields", "text", "::text[]"),
];

/// Columns that every event adds to, whichever wins: name and how they merge.
pub(super) const MERGED_COLUMNS: &[(&str, &str)] = &[
    ("partial_time", "GREATEST"),
    ("predicted_complete_time", "GREATEST"),
    ("complete_time", "GREATEST"),
    ("first_received_time", "LEAST"),
    ("last_received_time", "GREATEST"),
];

/// Name, type of the parameter's elements, cast in the SELECT.
pub(super) type Extra = (&'static str, &'static str, &'static str);

/// `SELECT selected FROM unnest(parameters) AS new (names)`.
pub(super) struct Columns {
    /// In order; `call_sid` is the first.
    pub(super) names: Vec<&'static str>,
    /// One per name, out of `new`.
    selected: Vec<String>,
    /// One array per name.
    parameters: Vec<String>,
}

impl Columns {
    /// `call_sid`, the documented fields, what the envelope said, what merges, `edges`, and then `more`.
    pub(super) fn and(more: &[Extra]) -> Self {
        let mut columns = Self { names: Vec::new(), selected: Vec::new(), parameters: Vec::new() };
        columns.add("call_sid", "text", "");
        for field in SUMMARY_FIELDS {
            match field.kind {
                Kind::Texts => columns.add(field.column, "text", "::text[]"),
                Kind::Json => columns.add(field.column, "text", "::json"),
                kind => columns.add(field.column, kind.sql_type(), ""),
            }
        }
        for (name, sql_type, cast) in EVENT_COLUMNS {
            columns.add(name, sql_type, cast);
        }
        for (name, _) in MERGED_COLUMNS {
            columns.add(name, "timestamptz", "");
        }
        columns.add("edges", "callsink.edge_set", "");
        for (name, sql_type, cast) in more {
            columns.add(name, sql_type, cast);
        }
        columns
    }

    fn add(&mut self, name: &'static str, sql_type: &str, cast: &str) {
        self.names.push(name);
        self.selected.push(format!("new.{name}{cast}"));
        self.parameters.push(format!("${}::{sql_type}[]", self.names.len()));
    }

    /// `name, name, ...`
    pub(super) fn list(&self) -> String {
        self.names.join(",\n    ")
    }

    /// `SELECT ... FROM unnest(...) AS new (...)`
    pub(super) fn select(&self) -> String {
        format!(
            "SELECT\n    {}\nFROM unnest(\n    {}\n) AS new (\n    {}\n)",
            self.selected.join(",\n    "),
            self.parameters.join(",\n    "),
            self.list(),
        )
    }
}
