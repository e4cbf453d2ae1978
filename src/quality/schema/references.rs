//! References of a schema: each leads somewhere in it, and none leads back to itself.

use super::error::{DEEPEST, SchemaError};
use super::parts::{Inner, inner};
use serde_json::Value;
use std::collections::HashSet;

/// Refuse a reference to what is not in the schema, and one that comes back to itself before it has looked
/// at anything inside the value: no answer could ever be held against it.
pub(super) fn check(root: &Value) -> Result<(), SchemaError> {
    let mut walk = Walk { root, has_ids: false, done: HashSet::new(), open: Vec::new() };
    walk.has_ids = has_ids(root);
    walk.everywhere(root)
}

/// Does a part of the schema have a name of its own that references may use?
fn has_ids(schema: &Value) -> bool {
    let Some(map) = schema.as_object() else { return false };
    map.get("$id").is_some_and(Value::is_string) || parts(schema).any(|(_, part)| has_ids(part))
}

/// The schemas inside a schema, with the keyword that holds each.
fn parts(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema.as_object().into_iter().flatten().flat_map(|(key, value)| {
        let found: Vec<&Value> = match (inner(key), value) {
            (Inner::Schemas, Value::Array(list)) => list.iter().collect(),
            (Inner::Schemas, one) => vec![one],
            (Inner::Named, Value::Object(map)) => map.values().collect(),
            _ => Vec::new(),
        };
        found.into_iter().map(move |part| (key.as_str(), part))
    })
}

/// Keywords whose schemas are about the same value as the schema that holds them.
const SAME_VALUE: &[&str] = &["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependencies"];

struct Walk<'a> {
    root: &'a Value,
    has_ids: bool,
    /// Targets that are known to end.
    done: HashSet<&'a str>,
    /// Targets that are being followed.
    open: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn everywhere(&mut self, schema: &'a Value) -> Result<(), SchemaError> {
        self.same_value(schema)?;
        parts(schema).try_for_each(|(_, part)| self.everywhere(part))
    }

    /// Follow what is about the same value.
    fn same_value(&mut self, schema: &'a Value) -> Result<(), SchemaError> {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str)
            && !self.done.contains(target)
        {
            if self.open.contains(&target) {
                return Err(SchemaError::Endless(target.to_owned()));
            }
            match self.find(target) {
                Some(_) if self.open.len() >= DEEPEST => return Err(SchemaError::TooDeep),
                Some(found) => {
                    self.open.push(target);
                    self.same_value(found)?;
                    self.open.pop();
                }
                // By a name of its own, or written in another way: the validator looks for it.
                None if self.has_ids || target.contains('%') => {}
                None => return Err(SchemaError::Elsewhere(target.to_owned())),
            }
            self.done.insert(target);
        }
        parts(schema)
            .filter(|(key, _)| SAME_VALUE.contains(key))
            .try_for_each(|(_, part)| self.same_value(part))
    }

    /// What `#` or `#/definitions/name` means.
    fn find(&self, target: &str) -> Option<&'a Value> {
        self.root.pointer(target.strip_prefix('#')?)
    }
}
