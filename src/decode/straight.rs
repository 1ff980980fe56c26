//! The straight way through a summary in which everything is as documented: once, from left to right.
//!
//! In: the text of a summary. Out: what `call_summary::read_carefully` makes of it, or `None` when there is anything
//! to tell of it: a member that the table of fields doesn't name or that stands twice, a value of the wrong kind,
//! no `call_sid`, no JSON. Then the careful way says what. Promises: never another row than the careful way.
//! Why two: the careful way looks at each level of nesting anew, so that nothing in a value can harm what stands
//! beside it; that is about four times over each byte, and events as documented are nearly all there are.

use super::call_summary::{EDGE, METRICS, PROPERTIES, Read, SUMMARY, normalise_direction, sid};
use super::members::Name;
use super::scalar;
use super::tree::{Node, Row};
use crate::domain::fields::{DIRECTIONS, EDGE_FIELDS, EDGES, Kind, SUMMARY_FIELDS, Scope};
use crate::domain::{EdgeMetric, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Reads the text of a summary.
pub(super) fn read(text: &str) -> Option<Read> {
    let mut row = Row::new(SUMMARY_FIELDS.len());
    let mut edges = Vec::new();
    let mut summary = Summary { row: &mut row, edges: &mut edges, call_sid: None, version: None };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_map(&mut summary).ok()?;
    deserializer.end().ok()?;
    let (call_sid, processing_version) = (summary.call_sid?, summary.version);
    normalise_direction(&mut row);
    Some(Read {
        call_sid,
        processing_version,
        values: row.values,
        edges,
        unreadable: Vec::new(),
        unknown: Vec::new(),
    })
}

/// Something for the careful way.
fn careful<E: Error>() -> E {
    E::custom("not as documented")
}

/// The outermost object.
struct Summary<'r> {
    row: &'r mut Row,
    edges: &'r mut Vec<EdgeMetric>,
    call_sid: Option<String>,
    version: Option<i64>,
}

impl<'de> Visitor<'de> for &mut Summary<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a summary")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            match &*name {
                "call_sid" => self.call_sid = Some(sid(map.next_value()?).map_err(|_| careful())?),
                "processing_version" => {
                    self.version = match scalar::read(map.next_value()?, Kind::Int8) {
                        Ok(Value::Int8(version)) => Some(version),
                        Ok(_) => None,
                        Err(_) => return Err(careful()),
                    }
                }
                name => {
                    if let Some(node) = SUMMARY.child(name) {
                        map.next_value_seed(Filling { node, row: self.row })?;
                    } else if let Some(edge) = EDGES.iter().find(|edge| **edge == name) {
                        if self.edges.iter().any(|known| known.edge == *edge) {
                            return Err(careful());
                        }
                        map.next_value_seed(Edge { name: edge, edges: self.edges })?;
                    } else {
                        return Err(careful());
                    }
                }
            }
        }
        Ok(())
    }
}

/// A value, and all below it.
struct Filling<'a> {
    node: &'a Node,
    row: &'a mut Row,
}

impl<'de> DeserializeSeed<'de> for Filling<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.node.leaf {
            None => deserializer.deserialize_any(self),
            Some((index, kind)) => {
                let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
                self.row.values[index] = scalar::read(raw, kind).map_err(|_| careful())?;
                Ok(())
            }
        }
    }
}

impl<'de> Visitor<'de> for Filling<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let node = self.node.child(&name).ok_or_else(careful)?;
            map.next_value_seed(Filling { node, row: self.row })?;
        }
        Ok(())
    }

    /// `null`
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() { Ok(()) } else { Err(careful()) }
    }
}

/// One edge.
struct Edge<'r> {
    name: &'static str,
    edges: &'r mut Vec<EdgeMetric>,
}

impl<'de> DeserializeSeed<'de> for Edge<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Edge<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an edge")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut common = Row::new(EDGE_FIELDS.len());
        let mut directions = Directions::default();
        let (mut is_empty, mut has_properties, mut has_metrics) = (true, false, false);
        while let Some(Name(name)) = map.next_key()? {
            is_empty = false;
            match &*name {
                "properties" if !has_properties => {
                    has_properties = true;
                    map.next_value_seed(Filling { node: &PROPERTIES, row: &mut common })?;
                }
                "metrics" if !has_metrics => {
                    has_metrics = true;
                    map.next_value_seed(&mut directions)?;
                }
                name => {
                    let node = EDGE.child(name).ok_or_else(careful)?;
                    map.next_value_seed(Filling { node, row: &mut common })?;
                }
            }
        }
        if is_empty {
            return Ok(());
        }
        let edge = self.name;
        let mut none = true;
        for (direction, values) in directions.0 {
            let Some(mut values) = values else { continue };
            none = false;
            for (index, field) in EDGE_FIELDS.iter().enumerate() {
                if field.scope != Scope::Metrics {
                    values[index].clone_from(&common.values[index]);
                }
            }
            self.edges.push(EdgeMetric { edge, direction: Some(direction), values });
        }
        if none {
            self.edges.push(EdgeMetric { edge, direction: None, values: common.values });
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if text.is_empty() { Ok(()) } else { Err(careful()) }
    }
}

/// What an edge says of each direction; `None` for one of which it says nothing.
struct Directions([(&'static str, Option<Vec<Value>>); DIRECTIONS.len()]);

impl Default for Directions {
    fn default() -> Self {
        Self(DIRECTIONS.map(|direction| (direction, None)))
    }
}

impl<'de> DeserializeSeed<'de> for &mut Directions {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Directions {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("metrics")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = [false; DIRECTIONS.len()];
        while let Some(Name(name)) = map.next_key()? {
            let index = DIRECTIONS.iter().position(|direction| **direction == *name);
            let index = index.filter(|index| !seen[*index]).ok_or_else(careful)?;
            seen[index] = true;
            self.0[index].1 = map.next_value_seed(Direction)?;
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// The metrics of one direction; `None` for `null`.
struct Direction;

impl<'de> DeserializeSeed<'de> for Direction {
    type Value = Option<Vec<Value>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Direction {
    type Value = Option<Vec<Value>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("metrics of a direction")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut row = Row::new(EDGE_FIELDS.len());
        Filling { node: &METRICS, row: &mut row }.visit_map(map)?;
        Ok(Some(row.values))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
#[path = "straight_tests.rs"]
mod tests;
