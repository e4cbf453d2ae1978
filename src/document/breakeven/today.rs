//! Today's bill, from records of use, and the same month under every option.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is paid today, and what the same month would have cost otherwise. Amounts are US dollars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Today {
    /// The usage document, or the files of the records, by name.
    pub usage: String,
    /// Time of the first record, RFC 3339; null where the records have no dates.
    pub first: Option<String>,
    /// Time of the last record, RFC 3339; null where the records have no dates.
    pub last: Option<String>,
    /// Number of requests in the records; null where a source does not count them.
    pub requests: Option<u64>,
    /// The bill as the sources state it, US dollars; null where none does.
    pub bill_usd: Option<f64>,
    /// Some requests have no stated cost, so that `bill_usd` is only part of the bill.
    pub bill_partial: bool,
    /// Cost of the same records at the list prices of their days, US dollars; null where no model has a
    /// price.
    pub repriced_usd: Option<f64>,
    /// Models without a price, whose use is not part of `repriced_usd`.
    pub unpriced: Vec<String>,
    /// The stated bill scaled to a month, US dollars; null where it is partial, and where the records cover
    /// no whole day.
    pub monthly_bill_usd: Option<f64>,
    /// `repriced_usd` scaled to a month, US dollars.
    pub monthly_repriced_usd: Option<f64>,
    /// What is used today, the most used model first.
    pub models: Vec<TodayModel>,
    /// The same month under every option of this document.
    pub options: Vec<TodayOption>,
}

/// A model that is used today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TodayModel {
    /// The model's name as the source writes it.
    pub name: String,
    /// Id of the price record that was used for it; null where it has none.
    pub priced_as: Option<String>,
    /// Its share of all tokens, 0 to 1.
    pub share_of_tokens: f64,
    /// Requests in a month; null where they are not counted.
    pub requests_per_month: Option<f64>,
}

/// One option and its month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TodayOption {
    /// Name of the offer.
    pub name: String,
    /// `seat`, `api`, `owned`, `financed` or `rented`.
    pub kind: String,
    /// Running cost of the month plus the purchase spread over its life, US dollars; for seats their price.
    pub monthly_usd: f64,
    /// The same without the people who look after it, US dollars: this compares with a bill, which does not
    /// contain them either.
    #[serde(default)]
    pub bill_usd: f64,
    /// `bill_usd` ÷ today's bill for a month (as stated, or else at list prices); null where that is not
    /// known.
    pub of_today: Option<f64>,
    /// What must be known beside the amount: for seats, whether their usage limits are known.
    #[serde(default)]
    pub note: Option<String>,
}
