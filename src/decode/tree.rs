//! The paths of the field table as a tree, and the walk that fills a row with it.
//!
//! In: a table of paths and kinds, the text of an object. Out: one value per entry of the table.
//! Promises: every member is looked at once; a member of the wrong kind is named in `unreadable` and
//! its column stays `Null`; members that the table doesn't name are noted as unknown and passed over.

use super::members::members;
use super::scalar;
use super::unknown::{self, UnknownField};
use crate::domain::Value;
use crate::domain::fields::Kind;
use serde_json::value::RawValue;
use std::fmt;

/// What stands at one name of a path.
#[derive(Debug, Default)]
pub(super) struct Node {
    children: Vec<(&'static str, Node)>,
    /// Its position in the row, and what it holds.
    pub(super) leaf: Option<(usize, Kind)>,
}

/// Where a value stands: names from the outermost object in. Written out only when there is something to
/// tell of the value, which is rare; writing it for every value cost more than reading the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
}

impl<'a> Path<'a> {
    /// A member of the outermost object.
    pub(super) fn of(name: &'a str) -> Self {
        Self { parent: None, name }
    }

    /// The member `name` of the object that stands here.
    pub(super) fn join(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), name }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(out, "{parent}.")?;
        }
        out.write_str(self.name)
    }
}

/// Collects the values of one object.
pub(super) struct Row {
    pub(super) values: Vec<Value>,
    pub(super) unreadable: Vec<String>,
    /// Members that the table doesn't name, by their paths from the event's root.
    pub(super) unknown: Vec<UnknownField>,
}

impl Row {
    pub(super) fn new(width: usize) -> Self {
        Self { values: vec![Value::Null; width], unreadable: Vec::new(), unknown: Vec::new() }
    }

    /// Notes that the value at `path` was not what the field table says.
    pub(super) fn note(&mut self, path: &Path<'_>, found: &str) {
        self.unreadable.push(format!("{path}: {found}"));
    }

    /// Notes the member `name` of the object at `path` in the data, or of the data itself, which the table
    /// doesn't name.
    pub(super) fn pass_over(&mut self, path: Option<&Path<'_>>, name: &str, value: &RawValue) {
        let parent = path.map_or_else(|| "data".to_owned(), |path| format!("data.{path}"));
        unknown::note(&mut self.unknown, &parent, name, value);
    }
}

impl Node {
    /// The tree of a table of (path, kind); the position in the table is the position in the row.
    pub(super) fn of(table: impl IntoIterator<Item = (usize, &'static str, Kind)>) -> Self {
        let mut root = Self::default();
        for (index, path, kind) in table {
            let mut node = &mut root;
            for name in path.split('.') {
                let position = node.children.iter().position(|(child, _)| *child == name);
                let position = position.unwrap_or_else(|| {
                    node.children.push((name, Self::default()));
                    node.children.len() - 1
                });
                node = &mut node.children[position].1;
            }
            node.leaf = Some((index, kind));
        }
        root
    }

    /// The node under `name`.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|(child, _)| *child == name).map(|(_, node)| node)
    }

    /// Puts `raw`, which stands at `path`, and all below it into `row`.
    pub(super) fn fill(&self, raw: &RawValue, path: &Path<'_>, row: &mut Row) {
        if let Some((index, kind)) = self.leaf {
            match scalar::read(raw, kind) {
                Ok(value) => row.values[index] = value,
                Err(found) => {
                    row.values[index] = Value::Null;
                    row.note(path, found);
                }
            }
            return;
        }
        if matches!(raw.get(), "null" | "\"\"") {
            return;
        }
        let Ok(members) = members(raw.get()) else {
            row.note(path, "not an object");
            return;
        };
        for (name, value) in members {
            if let Some(child) = self.child(&name) {
                child.fill(value, &path.join(&name), row);
            } else {
                row.pass_over(Some(path), &name, value);
            }
        }
    }
}
