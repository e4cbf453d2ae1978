//! JSON Schemas of everything that is read or written by others: generated from the wire types.

use super::advice::AdviceDocument;
use super::bench::BenchDocument;
use super::breakeven::BreakevenDocument;
use super::doctor::DoctorDocument;
use super::fit::FitDocument;
use super::key_schema;
use super::prompts::PromptsDocument;
use super::usage::UsageDocument;
use schemars::{Schema, schema_for};

/// What has a schema, and what it is.
pub const NAMES: &[(&str, &str)] = &[
    ("advice", "the document of `freehold advise`"),
    ("bench", "the document of `freehold bench`"),
    ("breakeven", "the document of `freehold breakeven`"),
    ("doctor", "the document of `freehold doctor`"),
    ("fit", "the document of `freehold fit`"),
    ("profile", "a need written down (TOML), for `freehold advise --profile`"),
    ("prompts", "the document of `freehold prompts check`"),
    ("scenario", "what is compared and by which numbers (TOML), for `freehold breakeven --scenario`"),
    ("usage", "the document of `freehold usage`"),
];

/// The schema of that name.
pub fn named(name: &str) -> Option<Schema> {
    Some(match name {
        "advice" => schema_for!(AdviceDocument),
        "bench" => schema_for!(BenchDocument),
        "breakeven" => schema_for!(BreakevenDocument),
        "doctor" => schema_for!(DoctorDocument),
        "fit" => schema_for!(FitDocument),
        "profile" => key_schema::profile(),
        "prompts" => schema_for!(PromptsDocument),
        "scenario" => key_schema::scenario(),
        "usage" => schema_for!(UsageDocument),
        _ => return None,
    })
}

/// As it is printed and kept in `schemas/`.
pub fn text(name: &str) -> Option<String> {
    let mut text = serde_json::to_string_pretty(&named(name)?).ok()?;
    text.push('\n');
    Some(text)
}
