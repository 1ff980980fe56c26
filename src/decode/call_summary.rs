//! From the data of a call-summary event to a call known by that one event.
//!
//! In: the envelope's members and the text of `data`, of any schema version. Out: the call.
//! Promises: needs nothing but `call_sid`; takes SIDs as they are (documentation examples are one
//! character short); leaves the payload as it came.

use super::members::{Member, members};
use super::tree::{Node, Path, Row};
use super::unknown::UnknownField;
use super::{Data, Reason, scalar, straight};
use crate::domain::call::Winner;
use crate::domain::fields::{DIRECTIONS, EDGE_FIELDS, EDGES, Kind, SUMMARY_FIELDS, Scope};
use crate::domain::{CallSummary, EdgeMetric, EventKey, SummaryState, Value};
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use std::sync::LazyLock;

/// What the envelope says of the event.
pub(super) struct Header<'a> {
    pub(super) event_type: &'a str,
    pub(super) state: SummaryState,
    pub(super) id: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) dataschema: Option<&'a str>,
    pub(super) time: Option<DateTime<Utc>>,
    pub(super) has_data: bool,
}

/// Why nothing can be read of `data` that is a text of something else.
const NOT_JSON: (Reason, &str) =
    (Reason::DataNotAnObject, "data is a text that does not hold JSON");

pub(super) static SUMMARY: LazyLock<Node> = LazyLock::new(|| {
    Node::of(
        SUMMARY_FIELDS.iter().enumerate().map(|(index, field)| (index, field.path, field.kind)),
    )
});
pub(super) static METRICS: LazyLock<Node> = LazyLock::new(|| edge_fields(Scope::Metrics));
pub(super) static PROPERTIES: LazyLock<Node> = LazyLock::new(|| edge_fields(Scope::Properties));
pub(super) static EDGE: LazyLock<Node> = LazyLock::new(|| edge_fields(Scope::Edge));

/// Where `properties.direction` stands in a row.
static DIRECTION: LazyLock<Option<usize>> =
    LazyLock::new(|| SUMMARY_FIELDS.iter().position(|field| field.column == "direction"));

fn edge_fields(scope: Scope) -> Node {
    let fields = EDGE_FIELDS.iter().enumerate().filter(|(_, field)| field.scope == scope);
    Node::of(fields.map(|(index, field)| (index, field.path, field.kind)))
}

/// Reads a call summary; the members of its data that the table of fields doesn't name.
///
/// # Errors
/// The reason why the event names no call, and what was found, for a person.
pub(super) fn read(
    header: &Header<'_>,
    data: Option<Data<'_>>,
    received: DateTime<Utc>,
) -> Result<(CallSummary, Vec<UnknownField>), (Reason, String)> {
    let Some(data) = data else {
        return Err(if header.has_data {
            (NOT_JSON.0, NOT_JSON.1.to_owned())
        } else {
            (Reason::NoData, "the event has no data".to_owned())
        });
    };
    let read = match read_data(&data.text) {
        Ok(read) => read,
        Err(_) if !data.is_json() => return Err((NOT_JSON.0, NOT_JSON.1.to_owned())),
        Err(reason) => return Err(reason),
    };
    let winner = Winner {
        key: EventKey {
            state: header.state,
            processing_version: read.processing_version,
            time: header.time,
            id: header.id.map(str::to_owned),
        },
        event_type: header.event_type.to_owned(),
        source: header.source.map(str::to_owned),
        dataschema: header.dataschema.map(str::to_owned),
        schema_version: header.dataschema.and_then(schema_version),
        values: read.values,
        edges: read.edges,
        payload: data.text.into_owned(),
        unreadable: read.unreadable,
    };
    Ok((CallSummary::from_event(read.call_sid, winner, received), read.unknown))
}

/// What the text of a summary says, be it the data of an event or an item of the REST API.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Read {
    pub(super) call_sid: String,
    pub(super) processing_version: Option<i64>,
    pub(super) values: Vec<Value>,
    pub(super) edges: Vec<EdgeMetric>,
    pub(super) unreadable: Vec<String>,
    pub(super) unknown: Vec<UnknownField>,
}

/// Reads the text of a summary.
///
/// # Errors
/// The reason why it names no call, and what was found, for a person.
pub(super) fn read_data(text: &str) -> Result<Read, (Reason, String)> {
    straight::read(text).map_or_else(|| read_carefully(text), Ok)
}

/// Reads the text of a summary in which anything may be odd; the rule that the straight way agrees with.
pub(super) fn read_carefully(text: &str) -> Result<Read, (Reason, String)> {
    let members = members(text).map_err(|error| (Reason::DataNotAnObject, what(&error)))?;
    let mut call_sid = None;
    let mut processing_version = None;
    let mut row = Row::new(SUMMARY_FIELDS.len());
    let mut edges = Vec::new();
    for (name, value) in &members {
        match &**name {
            "call_sid" => call_sid = Some(sid(value)?),
            "processing_version" => match scalar::read(value, Kind::Int8) {
                Ok(Value::Int8(version)) => processing_version = Some(version),
                Ok(_) => processing_version = None,
                Err(found) => row.note(&Path::of(name), found),
            },
            name => {
                if let Some(edge) = EDGES.iter().find(|edge| **edge == name) {
                    edges.retain(|known: &EdgeMetric| known.edge != *edge);
                    read_edge(edge, value, &mut edges, &mut row);
                } else if let Some(node) = SUMMARY.child(name) {
                    node.fill(value, &Path::of(name), &mut row);
                } else {
                    row.pass_over(None, name, value);
                }
            }
        }
    }
    let call_sid =
        call_sid.ok_or_else(|| (Reason::NoCallSid, "data has no call_sid".to_owned()))?;
    normalise_direction(&mut row);

    Ok(Read {
        call_sid,
        processing_version,
        values: row.values,
        edges,
        unreadable: row.unreadable,
        unknown: row.unknown,
    })
}

/// What is wrong with data, without quoting it: the parser names a value that it did not expect.
fn what(error: &serde_json::Error) -> String {
    if error.is_data() {
        "data is JSON, but not an object".to_owned()
    } else {
        format!("data is not JSON: {error}")
    }
}

pub(super) fn sid(raw: &RawValue) -> Result<String, (Reason, String)> {
    let text = if raw.get().starts_with('"') { scalar::unquote(raw.get()) } else { None };
    match text {
        Some(text) if !text.is_empty() => Ok(text),
        Some(_) => Err((Reason::NoCallSid, "call_sid is empty".to_owned())),
        None => Err((Reason::NoCallSid, "call_sid is not a text".to_owned())),
    }
}

/// Appends one element per direction of the edge, or a single one where it has no metrics.
fn read_edge(name: &'static str, raw: &RawValue, edges: &mut Vec<EdgeMetric>, row: &mut Row) {
    if matches!(raw.get(), "null" | "\"\"" | "{}") {
        return;
    }
    let path = Path::of(name);
    let metrics_path = path.join("metrics");
    let Ok(parts) = members(raw.get()) else {
        row.note(&path, "not an object");
        return;
    };
    let mut common = Row::new(EDGE_FIELDS.len());
    PROPERTIES.fill_member(&parts, "properties", &path, &mut common);
    for (part, value) in &parts {
        if let Some(node) = EDGE.child(part) {
            node.fill(value, &path.join(part), &mut common);
        } else if !["metrics", "properties"].contains(&&**part) {
            common.pass_over(Some(&path), part, value);
        }
    }
    let mut directions = Vec::new();
    if let Some(metrics) = last(&parts, "metrics").filter(|metrics| metrics.get() != "null") {
        match members(metrics.get()) {
            Err(_) => common.note(&metrics_path, "not an object"),
            Ok(metrics) => {
                for direction in DIRECTIONS {
                    if last(&metrics, direction).is_some_and(|raw| raw.get() != "null") {
                        let mut filled = Row::new(0);
                        filled.values.clone_from(&common.values);
                        METRICS.fill_member(&metrics, direction, &metrics_path, &mut filled);
                        common.unreadable.append(&mut filled.unreadable);
                        common.unknown.append(&mut filled.unknown);
                        directions.push((direction, filled.values));
                    }
                }
                for (member, value) in &metrics {
                    if !DIRECTIONS.contains(&&**member) {
                        common.pass_over(Some(&metrics_path), member, value);
                    }
                }
            }
        }
    }
    row.unreadable.append(&mut common.unreadable);
    row.unknown.append(&mut common.unknown);
    if directions.is_empty() {
        edges.push(EdgeMetric { edge: name, direction: None, values: common.values });
    }
    edges.extend(directions.into_iter().map(|(direction, values)| EdgeMetric {
        edge: name,
        direction: Some(direction),
        values,
    }));
}

impl Node {
    /// Fills from the member `name` of an object at `path`, if it is there.
    fn fill_member(&self, members: &[Member<'_>], name: &str, path: &Path<'_>, row: &mut Row) {
        if let Some(raw) = last(members, name) {
            self.fill(raw, &path.join(name), row);
        }
    }
}

/// The value of `name`; of repeated names the last, as everywhere in JSON.
fn last<'a>(members: &[Member<'a>], name: &str) -> Option<&'a RawValue> {
    members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| *value)
}

/// Twilio's table prints `outbound-api`, its data says `outbound_api`; queries need one spelling.
pub(super) fn normalise_direction(row: &mut Row) {
    let Some(index) = *DIRECTION else { return };
    if let Value::Text(direction) = &mut row.values[index]
        && direction.contains('-')
    {
        *direction = direction.replace('-', "_");
    }
}

/// The number that `.../VoiceInsights.CallSummary/7` ends in, `.json` or not.
fn schema_version(dataschema: &str) -> Option<i32> {
    dataschema.rsplit('/').next()?.trim_end_matches(".json").parse().ok()
}
