//! What a piece of hardware was asked for, somewhere, on some day.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What one was asked for, somewhere, on some day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurchasePrice {
    /// In the currency beside it, without tax unless the note says otherwise.
    pub amount: f64,
    /// ISO 4217.
    pub currency: String,
    /// Country or shop: `US`, `DE`.
    pub place: String,
    /// New, used, or what the maker asks.
    pub condition: Condition,
    /// Value added tax inside the amount, as a share of the price without it: 0.24. Absent: none is
    /// in it, or that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<f64>,
    /// Asked besides the amount, once, to set it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<f64>,
    /// Accelerators in it, where it is the price of a host with some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<Fitted>,
    /// The page it was read on.
    pub source: String,
    /// The day it was read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// What a reader must know, such as that tax is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl PurchasePrice {
    /// The amount without value added tax: what prices of different countries are compared by.
    pub fn net(&self) -> f64 {
        self.amount / (1.0 + self.vat.unwrap_or(0.0))
    }
}

/// In which state it was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The maker's list price.
    Msrp,
    /// New, at a shop.
    New,
    /// Second-hand.
    Used,
    /// Second-hand, put in order by a dealer.
    Refurbished,
}

/// Accelerators that a price includes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// Id of the accelerator.
    pub accelerator: String,
    /// How many of them.
    pub number: u32,
}
