//! Today's bill, from records of usage, and the same month under every option.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is paid today, and what the same month would have cost otherwise. Amounts are US dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Today {
    /// The usage document, or the records, as they were named.
    pub usage: String,
    /// First record, RFC 3339; null where the records have no dates.
    pub first: Option<String>,
    /// Last record, RFC 3339; null where the records have no dates.
    pub last: Option<String>,
    /// Requests of the records; null where a source does not count them.
    pub requests: Option<u64>,
    /// The bill as the sources state it; null where none does.
    pub bill_usd: Option<f64>,
    /// Not every request of the records has a stated cost.
    pub bill_partial: bool,
    /// The same records at the prices of their days; null where no model has a price.
    pub repriced_usd: Option<f64>,
    /// Models that have no price; their use is no part of `repriced_usd`.
    pub unpriced: Vec<String>,
    /// The stated bill of a month of such use; null where it is partial or the records cover no whole day.
    pub monthly_bill_usd: Option<f64>,
    /// The same at the prices of those days.
    pub monthly_repriced_usd: Option<f64>,
    /// What is used today, the most used model first.
    pub models: Vec<TodayModel>,
    /// The same month under every option of this document.
    pub options: Vec<TodayOption>,
}

/// A model that is used today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TodayModel {
    /// As the source writes it.
    pub name: String,
    /// The price record it was taken for; null where it has none.
    pub priced_as: Option<String>,
    /// Of all tokens.
    pub share_of_tokens: f64,
    /// Null where requests are not counted.
    pub requests_per_month: Option<f64>,
}

/// One option and its month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TodayOption {
    /// As the offers are named.
    pub name: String,
    /// `seat`, `api`, `owned`, `financed` or `rented`.
    pub kind: String,
    /// Running cost of the month, and the purchase spread over its life; of seats their price.
    pub monthly_usd: f64,
    /// The same without the people who look after it: what stands beside a bill, in which they are not.
    #[serde(default)]
    pub bill_usd: f64,
    /// `bill_usd` ÷ today's month (as stated, else at the prices of those days); null where that is not
    /// known.
    pub of_today: Option<f64>,
    /// What must be known beside the amount: of seats, whether their limits are known.
    #[serde(default)]
    pub note: Option<String>,
}
