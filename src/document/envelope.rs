//! The envelope that every document has.

use crate::provenance::{Source, Sourced};
use crate::workload::given::{Change, Range, RequestSize, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `{"schema", "tool_version", "created", "inputs", "result", "warnings"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Envelope<R> {
    /// Name and major version of the document: `freehold.bench/1`.
    pub schema: String,
    /// Version of the program that wrote the document.
    pub tool_version: String,
    /// When it was written: RFC 3339, UTC.
    pub created: String,
    /// Every value that went in, by its dotted name, so that the run can be repeated.
    pub inputs: BTreeMap<String, Input>,
    /// What came out.
    pub result: R,
    /// What a reader must know before trusting the numbers.
    pub warnings: Vec<Warning>,
}

/// One input value, with its unit and its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// A number, text, truth value or list; `null` where it is not known.
    pub value: serde_json::Value,
    /// The unit; null for a value without one.
    pub unit: Option<String>,
    /// Where the value came from.
    pub source: Source,
}

impl Input {
    /// A value without a unit.
    pub fn plain<T: Serialize>(value: &Sourced<T>) -> Self {
        Self::with_unit(value, None)
    }
    /// A value with a unit.
    pub fn of<T: Serialize>(value: &Sourced<T>, unit: &str) -> Self {
        Self::with_unit(value, Some(unit.to_owned()))
    }
    /// The value given for a key; `unit` is empty for a key without one.
    pub fn given(value: &Value, unit: &str, source: Source) -> Self {
        let value = match value {
            Value::Number(r) | Value::Uncertain(r) => number(*r),
            Value::Flag(on) => serde_json::json!(on),
            Value::Text(text) => serde_json::json!(text),
            Value::Texts(texts) => serde_json::json!(texts),
            Value::Hours(hours) => serde_json::json!(hours),
            Value::Changes(changes) => changes.iter().map(change).collect(),
            Value::Sizes(sizes) => {
                let one = |size: &RequestSize| {
                    size.named().map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
                };
                serde_json::Value::Array(
                    sizes.iter().map(|size| serde_json::Value::Object(one(size))).collect(),
                )
            }
            Value::Discounts(steps) => steps
                .iter()
                .map(|(above, share)| serde_json::json!({ "above_usd": above, "share": share }))
                .collect(),
        };
        Self { value, unit: (!unit.is_empty()).then(|| unit.to_owned()), source }
    }
    /// The value with its unit, for people.
    pub fn shown(&self) -> String {
        use serde_json::Value;
        let text = match &self.value {
            Value::String(s) => s.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            Value::Null => "unknown".to_owned(),
            Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), crate::number::exact),
            Value::Array(items) if items.len() <= 8 => items
                .iter()
                .map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(", "),
            Value::Array(items) => format!("{} values", items.len()),
            Value::Object(range) => {
                let part = |k: &str| range.get(k).and_then(Value::as_f64).map(crate::number::exact);
                match (part("low"), part("likely"), part("high")) {
                    (Some(low), Some(likely), Some(high)) => format!("{likely} ({low} to {high})"),
                    _ => self.value.to_string(),
                }
            }
        };
        match &self.unit {
            Some(unit) => format!("{text} {unit}"),
            None => text,
        }
    }
    fn with_unit<T: Serialize>(value: &Sourced<T>, unit: Option<String>) -> Self {
        Self {
            value: serde_json::to_value(&value.value).unwrap_or(serde_json::Value::Null),
            unit,
            source: value.source.clone(),
        }
    }
}

fn number(range: Range) -> serde_json::Value {
    if range.is_wide() {
        serde_json::json!({ "low": range.low, "likely": range.likely, "high": range.high })
    } else {
        serde_json::json!(range.likely)
    }
}

/// A price change on a date, written as in a scenario file.
fn change(change: &Change) -> serde_json::Value {
    let rates = change.rates.iter().map(|(key, range)| ((*key).to_owned(), number(*range)));
    std::iter::once(("from".to_owned(), change.from.to_string().into())).chain(rates).collect()
}

/// Something a reader must know before trusting the numbers. Every renderer shows all warnings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// A stable name in kebab case: `prices-older-than-90-days`.
    pub id: String,
    /// The warning, in one sentence.
    pub message: String,
    /// The input, target or offer that it is about; null where it is about the whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Warning {
    /// A warning about the whole document.
    pub fn new(id: impl Into<String>, message: impl Into<String>) -> Self {
        Self { id: id.into(), message: message.into(), about: None }
    }
    /// Set what the warning is about.
    #[must_use]
    pub fn about(mut self, what: impl Into<String>) -> Self {
        self.about = Some(what.into());
        self
    }
}
