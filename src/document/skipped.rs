//! What of the catalogue could not take part.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An entry of the catalogue that could not be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedEntry {
    /// Its id in the catalogue.
    pub id: String,
    /// What is missing, in a few words.
    pub why: String,
}
