//! Rates of currencies.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one unit of a currency is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// ISO 4217: `EUR`.
    pub id: String,
    /// US dollars for one unit.
    pub usd: f64,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Currency);
