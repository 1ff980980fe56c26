//! The dictionary as a page.
//!
//! In: the catalogue. Out: Markdown: a table of contents, then a section per relation.

use crate::store::{Dictionary, Relation};
use std::fmt::Write as _;

const SCHEMAS: [(&str, &str); 2] = [
    ("public", "For analysts. Names, meanings and types stay; new columns are appended."),
    ("callsink", "The machinery. May change, and is closed to `callsink_reader`."),
];

const OPENING: &str = "# Data dictionary\n\n\
    Generated from the comments in the database by `callsink dictionary`; a test fails when it is not current. \
    `\\d+ calls` in psql and every BI tool show the same. Which relation is for what: [schema.md](schema.md).\n\n\
    - **personal**: hidden from `callsink_reader`; `callsink_pii_reader` may read it.\n\
    - **not null**: never NULL. Of views PostgreSQL does not know; the text says what NULL means.\n\
    - Times are `timestamptz`, units stand in names or texts. Twilio's words are open sets: a new one may come any day.\n";

/// The whole page.
///
/// # Errors
/// None: a `String` takes everything.
pub(super) fn page(dictionary: &Dictionary) -> Result<String, std::fmt::Error> {
    let mut page = OPENING.to_owned();
    for (schema, about) in SCHEMAS {
        let relations = || dictionary.relations.iter().filter(move |of| of.schema == schema);
        writeln!(
            page,
            "\n## Schema `{schema}`\n\n{about}\n\n| relation | columns | |\n|---|---|---|"
        )?;
        for of in relations() {
            let first = of.comment.split_inclusive(". ").next().unwrap_or_default().trim();
            writeln!(
                page,
                "| [`{0}`](#{schema}{0}) | {1} | {2} |",
                of.name,
                of.columns.len(),
                cell(first)
            )?;
        }
        for of in relations() {
            relation(&mut page, of)?;
        }
        let mut routines = dictionary.routines.iter().filter(|of| of.schema == schema).peekable();
        if routines.peek().is_some() {
            writeln!(
                page,
                "\n### Functions and types of `{schema}`\n\n| name | kind | gives | meaning |\n|---|---|---|---|"
            )?;
        }
        for of in routines {
            let (name, comment) = (cell(&of.name), cell(&of.comment));
            writeln!(page, "| `{name}` | {} | {} | {comment} |", of.kind, of.returns)?;
        }
    }
    Ok(page)
}

fn relation(page: &mut String, of: &Relation) -> std::fmt::Result {
    let (schema, name, comment) = (&of.schema, &of.name, prose(&of.comment));
    let kind = if of.kind == "table" { "Table" } else { "View" };
    writeln!(
        page,
        "\n### {schema}.{name}\n\n{kind}. {comment}\n\n| column | type | meaning |\n|---|---|---|"
    )?;
    for column in &of.columns {
        let mut notes = String::new();
        if column.required {
            notes.push_str(", not null");
        }
        // The whole machinery is hidden; there it would say nothing.
        if column.hidden && schema == "public" {
            notes.push_str(", **personal**");
        }
        let (name, kind, comment) = (&column.name, &column.sql_type, cell(&column.comment));
        writeln!(page, "| `{name}` | {kind}{notes} | {comment} |")?;
    }
    Ok(())
}

/// A comment within a table: one line, no bar that would end the cell.
fn cell(text: &str) -> String {
    prose(text).replace('|', "\\|")
}

/// Stars of comments are stars, and angle brackets no tags.
fn prose(text: &str) -> String {
    text.replace('*', "\\*").replace('<', "&lt;").replace('\n', " ")
}
