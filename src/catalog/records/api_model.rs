//! Models by the token: their prices by date, by length of the request and by time of day.

use super::CiteByField;
use crate::provenance::Cite;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model rented by the token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiModel {
    /// `provider/model`, dated where the provider dates it: `anthropic/claude-sonnet-4-5-20250929`.
    pub id: String,
    /// Who sells it: what stands before the slash of the id.
    pub provider: String,
    /// The name sent on the wire.
    pub model: String,
    /// As the provider writes it for people.
    pub name: Option<String>,
    /// Other names that mean this model *today*. Never priced by themselves.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Id of the open model it is, where it is one: the second comparator.
    pub open_model: Option<String>,
    /// Capability tier of the brief: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Most tokens of prompt and answer together.
    pub context_tokens: Option<u64>,
    /// Most tokens of an answer.
    pub max_output_tokens: Option<u64>,
    /// How the tokens of its thoughts are billed.
    #[serde(default)]
    pub reasoning: ReasoningRule,
    /// The day the provider stops serving it.
    #[schemars(with = "Option<String>")]
    pub retires: Option<Date>,
    /// In order of `from`; the last whose `from` is not after the date is in force.
    pub price: Vec<PricePeriod>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(ApiModel);

/// How reasoning tokens are billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasoningRule {
    /// As output tokens.
    #[default]
    AsOutput,
    /// At [`Rates::reasoning_per_mtok`].
    OwnRate,
}

/// The prices in force from a date on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricePeriod {
    /// First day; absent: since the model exists.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// ISO 4217.
    #[serde(default = "usd")]
    pub currency: String,
    /// What a request pays outside the tiers and windows below.
    pub rates: Rates,
    /// Factor on every rate for batch requests; absent: no batch offer known.
    pub batch_multiplier: Option<f64>,
    /// Past the threshold *all* tokens of the request pay the tier's rates.
    #[serde(default)]
    pub tiers: Vec<ContextTier>,
    /// Times of day with other rates.
    #[serde(default)]
    pub windows: Vec<TimeWindow>,
    /// A price of zero is an error unless this says so.
    #[serde(default)]
    pub free: bool,
    /// The source of these prices, where it is not the record's.
    #[serde(default)]
    pub cite: Option<Cite>,
}

fn usd() -> String {
    "USD".to_owned()
}

/// Prices of one million tokens, in the period's currency. Absent is unknown, never 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Prompt tokens that are in no cache.
    pub input_per_mtok: Option<f64>,
    /// Tokens of the answer.
    pub output_per_mtok: Option<f64>,
    /// Prompt tokens read from a cache.
    pub cache_read_per_mtok: Option<f64>,
    /// Prompt tokens written to a cache.
    pub cache_write_per_mtok: Option<f64>,
    /// Tokens of thoughts, where they have a rate of their own.
    pub reasoning_per_mtok: Option<f64>,
}

/// Rates for requests whose input is longer than a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTier {
    /// Applies when the request's input tokens exceed this.
    pub above_input_tokens: u64,
    /// What such a request pays for all of its tokens.
    pub rates: Rates,
}

/// Rates within a part of each day, UTC; may wrap midnight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeWindow {
    /// `HH:MM`, inclusive.
    pub start_utc: String,
    /// `HH:MM`, exclusive.
    pub end_utc: String,
    /// Days of the week it starts on, 1 (Monday) to 7; empty: every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u8>,
    /// What a request pays that begins within it.
    pub rates: Rates,
}

impl ApiModel {
    /// The prices in force on a day.
    pub fn price_on(&self, day: Date) -> Option<&PricePeriod> {
        self.price.iter().rfind(|p| p.from.is_none_or(|from| from <= day))
    }
}
