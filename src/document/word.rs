//! Enum values by name.

use serde::Serialize;

/// The name an enum value has in a document; empty for what is no plain name.
pub fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
