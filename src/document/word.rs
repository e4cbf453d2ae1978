//! Names of enum values.

use serde::Serialize;

/// The name that an enum value has in a document; empty for a value that is not serialised as a string.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
