//! The JSON Schema of a scenario file (TOML read as JSON), from the same table that reads it: for
//! editors that complete and check TOML.

use crate::cost::keys::{CHANGE_RATES, KEYS, Key, Kind, LARGEST, Section, find};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// Of `freehold breakeven --scenario FILE`.
pub fn scenario_schema() -> Schema {
    let tables: Map<String, Value> = Section::ALL
        .into_iter()
        .map(|section| {
            let table = table(section);
            let schema = if section.repeats() {
                // One offer may be written without the double brackets.
                json!({ "anyOf": [{ "type": "array", "items": table }, table] })
            } else {
                table
            };
            (section.name().to_owned(), schema)
        })
        .collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario",
        "description": "What `freehold breakeven --scenario FILE` reads. Every key is optional where a default or the catalogue can serve.",
        "type": "object",
        "properties": tables,
        "additionalProperties": false,
    });
    // An object is always a schema.
    Schema::try_from(schema).unwrap_or_default()
}

fn table(section: Section) -> Value {
    let keys = KEYS.iter().filter(|k| k.section == section);
    let properties: Map<String, Value> = keys.map(|key| (key.name.to_owned(), described(key))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn described(key: &Key) -> Value {
    let mut schema = value(key);
    let unit = if key.unit.is_empty() { String::new() } else { format!(" ({})", key.unit) };
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), format!("{}{unit}", key.help).into());
    }
    schema
}

fn value(key: &Key) -> Value {
    match key.kind {
        Kind::Number { min, max } => ranged(&json!({ "type": "number", "minimum": min, "maximum": max })),
        Kind::Positive => ranged(&json!({ "type": "number", "exclusiveMinimum": 0, "maximum": LARGEST })),
        Kind::Months => ranged(&json!({ "type": "integer", "minimum": 1 })),
        Kind::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text => json!({ "type": "string", "minLength": 1, "maxLength": 200 }),
        Kind::Month => json!({ "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$" }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        Kind::Profile => json!({ "anyOf": [
            { "enum": ["office-hours", "flat"] },
            { "type": "array", "items": { "type": "number", "minimum": 0 }, "minItems": 168, "maxItems": 168 },
        ] }),
        Kind::Changes => changes(),
    }
}

/// A number, or what is known about one.
fn ranged(number: &Value) -> Value {
    json!({ "anyOf": [number, {
        "type": "object",
        "properties": { "low": number, "likely": number, "high": number },
        "required": ["low", "likely", "high"],
        "additionalProperties": false,
    }] })
}

fn changes() -> Value {
    let rates = CHANGE_RATES.into_iter().filter_map(|name| find(Section::Cloud, name));
    let mut properties: Map<String, Value> = rates.map(|key| (key.name.to_owned(), described(key))).collect();
    properties.insert("from".to_owned(), json!({ "type": "string", "description": "YYYY-MM-DD or YYYY-MM" }));
    json!({ "type": "array", "items": {
        "type": "object", "properties": properties, "required": ["from"], "additionalProperties": false,
    } })
}
