//! Models paid by the token: their prices by date, by length of the request and by time of day.

use super::CiteByField;
use crate::provenance::Cite;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model that an API serves and that is paid by the token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiModel {
    /// Its id, `provider/model`, with a date where the provider has one:
    /// `anthropic/claude-sonnet-4-5-20250929`.
    pub id: String,
    /// Id of the provider in prices: the part before the slash.
    pub provider: String,
    /// The name used in requests.
    pub model: String,
    /// The provider's name for it, for people.
    pub name: Option<String>,
    /// Other names that mean this model today. No price is attached to them.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Id of the open model that it serves; `None` for a closed model.
    pub open_model: Option<String>,
    /// Capability tier: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Context length: the most tokens of input and output together.
    pub context_tokens: Option<u64>,
    /// The most output tokens.
    pub max_output_tokens: Option<u64>,
    /// How reasoning tokens are billed.
    #[serde(default)]
    pub reasoning: ReasoningRule,
    /// The day on which the provider stops serving it.
    #[schemars(with = "Option<String>")]
    pub retires: Option<Date>,
    /// Prices in order of `from`; the last one that has begun applies.
    pub price: Vec<PricePeriod>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(ApiModel);

/// How reasoning tokens are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasoningRule {
    /// At the rate of output tokens.
    #[default]
    AsOutput,
    /// At a rate of their own, [`Rates::reasoning_per_mtok`].
    OwnRate,
}

/// The prices that apply from a date on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePeriod {
    /// First day; absent where they apply from the model's release.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// Currency, ISO 4217.
    #[serde(default = "usd")]
    pub currency: String,
    /// Rates outside the tiers and windows below.
    pub rates: Rates,
    /// Batch price ÷ standard price; absent where no batch offer is known.
    pub batch_multiplier: Option<f64>,
    /// Rates by length of the input: above a threshold they apply to *all* tokens of the request.
    #[serde(default)]
    pub tiers: Vec<ContextTier>,
    /// Rates by time of day.
    #[serde(default)]
    pub windows: Vec<TimeWindow>,
    /// It really is free; otherwise a price of zero is an error.
    #[serde(default)]
    pub free: bool,
    /// Source of these prices, where it is not the record's.
    #[serde(default)]
    pub cite: Option<Cite>,
}

fn usd() -> String {
    "USD".to_owned()
}

/// Prices per million tokens, in the period's currency. Absent means unknown, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Input tokens neither read from nor written to a cache.
    pub input_per_mtok: Option<f64>,
    /// Output tokens.
    pub output_per_mtok: Option<f64>,
    /// Input tokens read from a cache.
    pub cache_read_per_mtok: Option<f64>,
    /// Input tokens written to a cache.
    pub cache_write_per_mtok: Option<f64>,
    /// Reasoning tokens, where they have a rate of their own.
    pub reasoning_per_mtok: Option<f64>,
}

/// Rates for requests with a long input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTier {
    /// They apply to requests with more input tokens than this.
    pub above_input_tokens: u64,
    /// The rates, which such a request pays for all of its tokens.
    pub rates: Rates,
}

/// Rates within a part of the day, in UTC; it may extend past midnight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// When it begins, `HH:MM`, inclusive.
    pub start_utc: String,
    /// When it ends, `HH:MM`, exclusive.
    pub end_utc: String,
    /// Days of the week on which it begins, 1 (Monday) to 7; empty for every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u8>,
    /// Rates for requests that begin within it.
    pub rates: Rates,
}

impl ApiModel {
    /// The prices in force on a day.
    pub fn price_on(&self, day: Date) -> Option<&PricePeriod> {
        self.price.iter().rfind(|p| p.from.is_none_or(|from| from <= day))
    }
}
