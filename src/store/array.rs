//! How values travel: one array per column, and the edges of a call as one composite.
//!
//! In: values of the domain. Out: PostgreSQL's binary format, by sqlx's encoders; lists within lists as
//! array literals, because PostgreSQL has no arrays of arrays of unequal length.

use crate::domain::fields::{EDGE_FIELDS, Kind};
use crate::domain::{EdgeMetric, Value};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::PgRecordEncoder;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgHasArrayType, PgTypeInfo};
use sqlx::{Arguments, Encode, Postgres, Type};

/// Adds one column of `kind`, a value per row, as one array parameter.
pub(super) fn add_column<'v>(
    arguments: &mut PgArguments,
    kind: Kind,
    values: impl Iterator<Item = &'v Value>,
) -> Result<(), BoxDynError> {
    macro_rules! array {
        ($variant:ident) => {
            arguments.add(
                values
                    .map(|value| match value {
                        Value::$variant(value) => Some(value.clone()),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            )
        };
    }
    match kind {
        Kind::Int4 => array!(Int4),
        Kind::Int8 => array!(Int8),
        Kind::Float => array!(Float),
        Kind::Bool => array!(Bool),
        Kind::Time => array!(Time),
        Kind::Text => arguments.add(values.map(Value::as_text).collect::<Vec<Option<&str>>>()),
        Kind::Json => {
            let text = |value: &'v Value| match value {
                Value::Json(text) => Some(text.as_str()),
                _ => None,
            };
            arguments.add(values.map(text).collect::<Vec<Option<&str>>>())
        }
        Kind::Texts => {
            let literal = |value: &Value| match value {
                Value::Texts(texts) => Some(array_literal(texts)),
                _ => None,
            };
            arguments.add(values.map(literal).collect::<Vec<Option<String>>>())
        }
    }
}

/// `{"a","b"}`, for a cast to `text[]`.
pub(super) fn array_literal(texts: &[String]) -> String {
    let quoted = texts.iter().map(|text| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    });
    format!("{{{}}}", quoted.collect::<Vec<_>>().join(","))
}

/// The edges of one call: the composite type `callsink.edge_set`.
pub(super) struct EdgeSet<'a>(pub(super) &'a [EdgeMetric]);

/// One edge and direction: the composite type `public.edge_metric`.
#[derive(Clone, Copy)]
struct Edge<'a>(&'a EdgeMetric);

impl Type<Postgres> for EdgeSet<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("callsink.edge_set")
    }
}

impl PgHasArrayType for EdgeSet<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("callsink.edge_set")
    }
}

impl Encode<'_, Postgres> for EdgeSet<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let mut record = PgRecordEncoder::new(buffer);
        record.encode(self.0.iter().map(Edge).collect::<Vec<_>>())?;
        record.finish();
        Ok(IsNull::No)
    }
}

impl Type<Postgres> for Edge<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("public.edge_metric")
    }
}

impl PgHasArrayType for Edge<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("public.edge_metric")
    }
}

impl Encode<'_, Postgres> for Edge<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let mut record = PgRecordEncoder::new(buffer);
        record.encode(self.0.edge)?;
        record.encode(self.0.direction)?;
        for (field, value) in EDGE_FIELDS.iter().zip(&self.0.values) {
            match (field.kind, value) {
                (Kind::Text, value) => record.encode(value.as_text())?,
                (Kind::Int4, Value::Int4(number)) => record.encode(Some(*number))?,
                (Kind::Int4, _) => record.encode(None::<i32>)?,
                (Kind::Int8, Value::Int8(number)) => record.encode(Some(*number))?,
                (Kind::Int8, _) => record.encode(None::<i64>)?,
                (Kind::Float, Value::Float(number)) => record.encode(Some(*number))?,
                (Kind::Float, _) => record.encode(None::<f64>)?,
                (Kind::Bool, Value::Bool(yes)) => record.encode(Some(*yes))?,
                (Kind::Bool, _) => record.encode(None::<bool>)?,
                (Kind::Time, Value::Time(time)) => record.encode(Some(*time))?,
                (Kind::Time, _) => record.encode(None::<chrono::DateTime<chrono::Utc>>)?,
                (Kind::Texts, Value::Texts(texts)) => record.encode(Some(texts.as_slice()))?,
                (Kind::Texts, _) => record.encode(None::<Vec<String>>)?,
                (Kind::Json, Value::Json(text)) => record.encode(Some(Json(text)))?,
                (Kind::Json, _) => record.encode(None::<Json<'_>>)?,
            };
        }
        record.finish();
        Ok(IsNull::No)
    }
}

/// JSON text as it came, with the type `json`.
struct Json<'a>(&'a str);

impl Type<Postgres> for Json<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("json")
    }
}

impl Encode<'_, Postgres> for Json<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_array_literal_escapes_quotes_and_backslashes() {
        let texts = ["a", "", "q\"b\\c", "{x,y}", "NULL"].map(str::to_owned);
        assert_eq!(super::array_literal(&texts), r#"{"a","","q\"b\\c","{x,y}","NULL"}"#);
        assert_eq!(super::array_literal(&[]), "{}");
    }
}
