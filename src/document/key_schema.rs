//! JSON Schemas of scenario files and profiles, made from the same tables that read them, for editors that
//! complete and check TOML. (TOML is described as the equivalent JSON.)

use crate::cost::keys;
use crate::workload::given::RequestSize;
use crate::workload::keys::{Key, Kind, LARGEST, Section, answers, need};
use crate::workload::profile::LIMITS;
use crate::workload::{Answer as _, Modifier};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// The schema of a scenario file (`freehold breakeven --scenario FILE`).
pub fn scenario() -> Schema {
    let tables: Map<String, Value> = Section::OF_SCENARIO
        .into_iter()
        .map(|section| {
            let table = table(section);
            let schema = if section.repeats() {
                // A single offer may be written without double brackets.
                let about = format!(
                    "One table [[{}]] for each offer; a single one may be written [{0}].",
                    section.name()
                );
                json!({ "anyOf": [{ "type": "array", "items": table }, table], "description": about })
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
    // `schema` is an object, and every object is a schema.
    Schema::try_from(schema).unwrap_or_default()
}

/// The schema of a profile (`freehold advise --profile FILE`).
pub fn profile() -> Schema {
    let text = |about: &str| json!({ "type": "string", "maxLength": 1000, "description": about });
    let mut properties = Map::from_iter([
        ("title".to_owned(), text("One line for lists.")),
        ("about".to_owned(), text("What situation it describes.")),
        ("brief".to_owned(), text("The row of the brief it mirrors.")),
    ]);
    for key in answers::KEYS.iter().filter(|k| !k.name.starts_with(answers::MODIFIER)) {
        properties.insert(key.name.to_owned(), described(key));
    }
    let words: Vec<&str> = Modifier::WORDS.iter().map(|w| w.word).collect();
    properties.insert(
        "modifiers".to_owned(),
        json!({ "type": "array", "items": { "enum": words }, "description": "Circumstances beyond the five answers." }),
    );
    properties.insert("need".to_owned(), object(need::KEYS, "The requests."));
    properties.insert(
        "slo".to_owned(),
        object(LIMITS, "What one request may take to be of use; the same keys may stand in [need]."),
    );
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profile",
        "description": "What `freehold advise --profile FILE` reads. Every answer may be left out: flags and questions fill the rest.",
        "type": "object",
        "properties": properties,
        "required": ["title"],
        "additionalProperties": false,
    });
    Schema::try_from(schema).unwrap_or_default()
}

fn object(keys: &[&Key], about: &str) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), described(key))).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false, "description": about })
}

fn table(section: Section) -> Value {
    object(keys::of(section), &format!("Keys of [{}].", section.name()))
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
        Kind::Choice(words) => json!({ "enum": words.iter().map(|w| w.word).collect::<Vec<_>>() }),
        Kind::Profile => json!({ "anyOf": [
            { "enum": ["office-hours", "flat"] },
            { "type": "array", "items": { "type": "number", "minimum": 0 }, "minItems": 168, "maxItems": 168 },
        ] }),
        Kind::Changes(rates) => changes(rates),
        Kind::Sizes => sizes(),
        Kind::Texts => {
            let text = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
            json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1, "maxItems": 64 }] })
        }
        Kind::Discounts => json!({ "type": "array", "items": {
            "type": "object",
            "properties": {
                "above_usd": { "type": "number", "minimum": 0, "description": "Amount of a month's bill" },
                "share": { "type": "number", "minimum": 0, "maximum": 1, "description": "Off what is above it" },
            },
            "required": ["above_usd", "share"],
            "additionalProperties": false,
        } }),
    }
}

fn sizes() -> Value {
    let about = [
        "Of all requests",
        "Input tokens, cached ones included",
        "Share of the input read from a cache",
        "Share of the input written to a cache",
        "Output tokens without reasoning",
        "Reasoning tokens",
    ];
    let properties: Map<String, Value> = RequestSize::NAMES
        .into_iter()
        .zip(about)
        .map(|(name, about)| {
            let most = if name.ends_with("share") { 1.0 } else { LARGEST };
            let schema = json!({ "type": "number", "minimum": 0, "maximum": most, "description": about });
            (name.to_owned(), schema)
        })
        .collect();
    json!({ "type": "array", "minItems": 1, "maxItems": RequestSize::MOST, "items": {
        "type": "object", "properties": properties, "required": ["share"], "additionalProperties": false,
    } })
}

/// A number, or a range of numbers.
fn ranged(number: &Value) -> Value {
    let point = |about: &str| {
        let mut point = number.clone();
        point["description"] = about.into();
        point
    };
    json!({ "anyOf": [number, {
        "type": "object",
        "properties": {
            "low": point("The lowest it can be."),
            "likely": point("The likeliest; what is taken where nothing is drawn."),
            "high": point("The highest it can be."),
        },
        "required": ["low", "likely", "high"],
        "additionalProperties": false,
    }] })
}

fn changes(rates: &[&Key]) -> Value {
    let mut properties: Map<String, Value> =
        rates.iter().map(|key| (key.name.to_owned(), described(key))).collect();
    properties.insert("from".to_owned(), json!({ "type": "string", "description": "YYYY-MM-DD or YYYY-MM" }));
    json!({ "type": "array", "items": {
        "type": "object", "properties": properties, "required": ["from"], "additionalProperties": false,
    } })
}
