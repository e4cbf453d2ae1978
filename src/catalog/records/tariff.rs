//! Prices of electricity.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A price of electricity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// Its id: `us`, `de-household`, `de-industry`.
    pub id: String,
    /// Who pays it.
    pub name: String,
    /// Country: two letters by ISO 3166, or a name.
    pub country: String,
    /// US dollars per kWh, taxes and fees included.
    pub usd_per_kwh: f64,
    /// The figure as published, per kWh, where it is not in US dollars.
    pub local_per_kwh: Option<f64>,
    /// Currency of that figure, ISO 4217.
    pub currency: Option<String>,
    /// Grams of CO2 per kWh.
    pub grams_co2_per_kwh: Option<f64>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Tariff);
