//! The catalogue: what every relation, column, function and type of ours says of itself.
//!
//! In: nothing. Out: names, types and comments of the schemas `public` and `callsink`.
//! Promises: the same schema gives the same dictionary, whatever rows and partitions there are.

use super::error::StoreError;
use super::session::{Session, within};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

/// Everything that explains itself, in a fixed order: `public` first, then by name.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    /// Tables and views.
    pub relations: Vec<Relation>,
    /// Functions, aggregates and types.
    pub routines: Vec<Routine>,
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct Relation {
    /// `public` or `callsink`.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// `table` or `view`.
    pub kind: String,
    /// What it says of itself.
    pub comment: String,
    /// In their order.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// As PostgreSQL writes it.
    pub sql_type: String,
    /// Never NULL. Views don't tell.
    pub required: bool,
    /// `callsink_reader` may not read it.
    pub hidden: bool,
    /// What it says of itself.
    pub comment: String,
}

/// A function, an aggregate or a type.
#[derive(Debug, Clone)]
pub struct Routine {
    /// `public` or `callsink`.
    pub schema: String,
    /// With its arguments.
    pub name: String,
    /// `function`, `aggregate` or `type`.
    pub kind: String,
    /// Type of the result; of a type, its kind.
    pub returns: String,
    /// What it says of itself.
    pub comment: String,
}

impl Session {
    /// Reads the catalogue.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn dictionary(&mut self) -> Result<Dictionary, StoreError> {
        let mut connection = self.take().await?;
        let read = within("reading the catalogue", read(&mut connection)).await;
        self.give_back(connection, read)
    }
}

async fn read(connection: &mut PgConnection) -> Result<Dictionary, sqlx::Error> {
    let relations = sqlx::query(include_str!("sql/select_dictionary_relations.sql"));
    let relations = relations.fetch_all(&mut *connection).await?;
    let columns = sqlx::query(include_str!("sql/select_dictionary_columns.sql"));
    let columns = columns.fetch_all(&mut *connection).await?;
    let routines = sqlx::query(include_str!("sql/select_dictionary_routines.sql"));
    let routines = routines.fetch_all(&mut *connection).await?;
    let mut dictionary = Dictionary {
        relations: relations.iter().map(relation).collect::<Result<_, _>>()?,
        routines: routines.iter().map(routine).collect::<Result<_, _>>()?,
    };
    for row in &columns {
        let (schema, name): (&str, &str) = (row.try_get("schema")?, row.try_get("relation")?);
        let mut relations = dictionary.relations.iter_mut();
        if let Some(found) = relations.find(|found| found.schema == schema && found.name == name) {
            found.columns.push(column(row)?);
        }
    }
    Ok(dictionary)
}

fn relation(row: &PgRow) -> Result<Relation, sqlx::Error> {
    Ok(Relation {
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        comment: row.try_get("comment")?,
        columns: Vec::new(),
    })
}

fn column(row: &PgRow) -> Result<Column, sqlx::Error> {
    Ok(Column {
        name: row.try_get("name")?,
        sql_type: row.try_get("type")?,
        required: row.try_get("required")?,
        hidden: row.try_get("hidden")?,
        comment: row.try_get("comment")?,
    })
}

fn routine(row: &PgRow) -> Result<Routine, sqlx::Error> {
    Ok(Routine {
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        kind: row.try_get("kind")?,
        returns: row.try_get("returns")?,
        comment: row.try_get("comment")?,
    })
}
