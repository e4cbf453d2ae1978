//! Prices of electricity.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Price of electricity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// `us`, `de-household`, `de-industry`.
    pub id: String,
    /// Who pays it, in words.
    pub name: String,
    /// ISO 3166, two letters, or a name.
    pub country: String,
    /// US dollars for one kilowatt-hour, taxes and fees included.
    pub usd_per_kwh: f64,
    /// The figure as published, where it is not in USD.
    pub local_per_kwh: Option<f64>,
    /// The currency of that figure, ISO 4217.
    pub currency: Option<String>,
    /// Grams of CO2 per kWh, where known.
    pub grams_co2_per_kwh: Option<f64>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Tariff);
