//! Entries of the catalogue that a comparison had to leave out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An entry of the catalogue that was left out because something about it is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedEntry {
    /// Its id in the catalogue.
    pub id: String,
    /// What is missing, in a few words.
    pub why: String,
}
