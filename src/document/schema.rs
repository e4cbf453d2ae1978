//! JSON Schemas of every document that other programs read or write, generated from the wire types.

use super::advice::AdviceDocument;
use super::bench::BenchDocument;
use super::breakeven::BreakevenDocument;
use super::doctor::DoctorDocument;
use super::fit::FitDocument;
use super::key_schema;
use super::plan::PlanDocument;
use super::prompts::PromptsDocument;
use super::usage::UsageDocument;
use schemars::{Schema, schema_for};

/// Names of the schemas, and what each describes.
pub const NAMES: &[(&str, &str)] = &[
    ("advice", "the document of `freehold advise`"),
    ("bench", "the document of `freehold bench`"),
    ("breakeven", "the document of `freehold breakeven`"),
    ("doctor", "the document of `freehold doctor`"),
    ("fit", "the document of `freehold fit`"),
    ("plan", "the document of `freehold fit --plan`"),
    ("profile", "a need written down (TOML), for `freehold advise --profile`"),
    ("prompts", "the document of `freehold prompts check`"),
    ("scenario", "what is compared and by which numbers (TOML), for `freehold breakeven --scenario`"),
    ("usage", "the document of `freehold usage`"),
];

/// The schema with this name; `None` where there is none.
pub fn named(name: &str) -> Option<Schema> {
    Some(match name {
        "advice" => of_document(schema_for!(AdviceDocument), super::advice::SCHEMA),
        "bench" => of_document(schema_for!(BenchDocument), super::bench::SCHEMA),
        "breakeven" => of_document(schema_for!(BreakevenDocument), super::breakeven::SCHEMA),
        "doctor" => of_document(schema_for!(DoctorDocument), super::doctor::SCHEMA),
        "fit" => of_document(schema_for!(FitDocument), super::fit::SCHEMA),
        "plan" => of_document(schema_for!(PlanDocument), super::plan::SCHEMA),
        "profile" => key_schema::profile(),
        "prompts" => schema_for!(PromptsDocument),
        "scenario" => key_schema::scenario(),
        "usage" => of_document(schema_for!(UsageDocument), super::usage::SCHEMA),
        _ => return None,
    })
}

/// Fix the value of the `schema` field, so that a document of another kind is not valid.
fn of_document(mut schema: Schema, name: &str) -> Schema {
    let field =
        schema.get_mut("properties").and_then(|p| p.get_mut("schema")).and_then(|s| s.as_object_mut());
    if let Some(field) = field {
        field.remove("type");
        field.insert("const".to_owned(), name.into());
    }
    schema
}

/// The schema as JSON text, as it is printed and kept in `schemas/`.
pub fn text(name: &str) -> Option<String> {
    let mut text = serde_json::to_string_pretty(&named(name)?).ok()?;
    text.push('\n');
    Some(text)
}
