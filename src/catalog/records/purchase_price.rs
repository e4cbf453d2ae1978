//! Prices of hardware, with place and date.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A price that was asked for one piece of hardware, at some place on some day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchasePrice {
    /// The amount in `currency`, without tax unless `vat` or the note says otherwise.
    pub amount: f64,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Country or shop: `US`, `DE`.
    pub place: String,
    /// New, used, or the maker's list price.
    pub condition: Condition,
    /// Value added tax that the amount includes, as a share of the price without it: 0.24. Absent where
    /// none is included, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<f64>,
    /// Charge for setting it up, once, in addition to the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<f64>,
    /// Accelerators that the price of a host includes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitted>,
    /// The page it was read on.
    pub source: String,
    /// The day on which it was read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// What a reader must know about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl PurchasePrice {
    /// The amount without value added tax, for comparisons between countries.
    pub fn net(&self) -> f64 {
        self.amount / (1.0 + self.vat.unwrap_or(0.0))
    }
}

/// The condition in which it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The maker's list price.
    Msrp,
    /// New, at a shop.
    New,
    /// Second-hand.
    Used,
    /// Second-hand, overhauled by a dealer.
    Refurbished,
}

/// Accelerators that a price includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Id of the accelerator.
    pub accelerator: String,
    /// How many there are.
    pub number: u32,
}
