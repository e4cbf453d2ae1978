//! One assertion of a prompt file, in promptfoo's terms, as written.

use super::bounds;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One assertion as written in a file: templates are not yet filled in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assertion {
    /// `contains`, `not-equals`, `assert-set`, … Empty where a file says `type: ''`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value to compare with; `None` where the key is absent, which differs from `null`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Weight in the mean score; 1 where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The named score this one counts towards; may be a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The members of an `assert-set`.
    #[serde(default, rename = "assert", skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Assertion>,
    /// A program that would change the answer before it is compared. Programs of a prompt file are never
    /// run, so that an assertion with one is reported as not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<String>,
    /// Why the value could not be filled in: a broken template, a file that is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Line of the file, from 1, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// A key with `null` has a value; only an absent key has none.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// Keys of an assertion that have no effect here: they configure promptfoo's own judges, or are for people.
const WITHOUT_EFFECT: &[&str] =
    &["config", "provider", "rubricPrompt", "contextTransform", "description", "note"];
const KEYS: &[&str] = &["type", "value", "threshold", "weight", "metric", "assert", "transform"];

/// Why a value is not an assertion; the whole file is then refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("an assertion is a mapping such as {{type: contains, value: Paris}}")]
    NotAMapping,
    #[error("an assertion has no type")]
    NoType,
    #[error("the {key} of an assertion is {found}, not {wanted}")]
    Wrong { key: &'static str, found: String, wanted: &'static str },
    #[error("an assert-set cannot contain another one")]
    Nested,
    #[error("an assert-set has no list `assert`")]
    NoMembers,
    #[error("there are more than {} assertions for one prompt", bounds::MOST_ASSERTIONS)]
    TooMany,
}

impl Assertion {
    /// An assertion of this type, with a value.
    pub fn of(kind: &str, value: Value) -> Self {
        Self { kind: kind.to_owned(), value: Some(value), ..Self::default() }
    }

    /// Read one assertion. Unknown keys are added to `unknown`.
    pub fn read(value: &Value, line: Option<usize>, unknown: &mut Vec<String>) -> Result<Self, Malformed> {
        let map = value.as_object().ok_or(Malformed::NotAMapping)?;
        let kind = match map.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            None | Some(Value::Null) => return Err(Malformed::NoType),
            Some(other) => return Err(wrong("type", other, "a name")),
        };
        unknown.extend(
            map.keys()
                .filter(|k| !KEYS.contains(&k.as_str()) && !WITHOUT_EFFECT.contains(&k.as_str()))
                .cloned(),
        );
        let members = if kind == "assert-set" {
            let list = map.get("assert").and_then(Value::as_array).ok_or(Malformed::NoMembers)?;
            if list.len() > bounds::MOST_ASSERTIONS {
                return Err(Malformed::TooMany);
            }
            if list.iter().any(|m| m.get("type").and_then(Value::as_str) == Some("assert-set")) {
                return Err(Malformed::Nested);
            }
            list.iter().map(|m| Self::read(m, line, unknown)).collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        Ok(Self {
            kind,
            value: map.get("value").cloned(),
            threshold: number(map, "threshold")?,
            weight: number(map, "weight")?,
            metric: text(map, "metric")?,
            members,
            transform: text(map, "transform")?,
            fault: None,
            line,
        })
    }

    /// Read a list of assertions.
    pub fn read_all(
        value: &Value,
        line: Option<usize>,
        unknown: &mut Vec<String>,
    ) -> Result<Vec<Self>, Malformed> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(list) if list.len() > bounds::MOST_ASSERTIONS => Err(Malformed::TooMany),
            Value::Array(list) => list.iter().map(|a| Self::read(a, line, unknown)).collect(),
            other => Err(wrong("assert", other, "a list")),
        }
    }
}

fn wrong(key: &'static str, found: &Value, wanted: &'static str) -> Malformed {
    let mut found = found.to_string();
    if found.chars().count() > 40 {
        found = found.chars().take(40).chain(['…']).collect();
    }
    Malformed::Wrong { key, found, wanted }
}

fn number(map: &Map<String, Value>, key: &'static str) -> Result<Option<f64>, Malformed> {
    match map.get(key) {
        None => Ok(None),
        Some(Value::Number(n)) => Ok(n.as_f64()),
        Some(other) => Err(wrong(key, other, "a number")),
    }
}

fn text(map: &Map<String, Value>, key: &'static str) -> Result<Option<String>, Malformed> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(key, other, "text")),
    }
}
