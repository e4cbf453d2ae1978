//! Today's bill, from records of usage, and the same month under every option.

use super::BreakevenResult;
use crate::document::usage::UsageResult;
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
    /// `api`, `owned`, `financed` or `rented`.
    pub kind: String,
    /// Running cost of the month, and the purchase spread over its life.
    pub monthly_usd: f64,
    /// `monthly_usd` ÷ today's month (as stated, else at the prices of those days); null where that is not
    /// known.
    pub of_today: Option<f64>,
}

impl Today {
    /// Of what was used, beside what the options cost.
    pub fn of(usage: &UsageResult, file: &str, result: &BreakevenResult) -> Self {
        let tokens = usage.totals.prompt().saturating_add(usage.totals.output) as f64;
        let month = usage.need.tokens_per_month.map(|m| m.value / tokens).filter(|f| f.is_finite());
        let unpriced: Vec<String> = usage.repriced.unpriced.keys().cloned().collect();
        let scaled = |usd: Option<f64>, whole: bool| Some(usd.filter(|_| whole)? * month?);
        let monthly_bill_usd = scaled(usage.bill_usd, !usage.bill.partial);
        let monthly_repriced_usd = scaled(usage.repriced_usd, unpriced.is_empty());
        let today = monthly_bill_usd.or(monthly_repriced_usd).filter(|usd| *usd > 0.0);
        let option = |name: &str, kind: &str, monthly_usd: f64| TodayOption {
            name: name.to_owned(),
            kind: kind.to_owned(),
            monthly_usd,
            of_today: today.map(|today| monthly_usd / today),
        };
        let cloud = result
            .cloud
            .iter()
            .map(|c| option(&c.name, if c.units.is_some() { "rented" } else { "api" }, c.monthly_usd));
        let local =
            result.local.iter().map(|l| option(&l.name, &l.kind, l.monthly_usd + l.amortised_usd_per_month));
        let models = usage.need.models.iter().map(|m| TodayModel {
            name: m.name.clone(),
            priced_as: usage.repriced.priced_as.get(&m.name).cloned(),
            share_of_tokens: m.share_of_tokens,
            requests_per_month: m.requests_per_month,
        });
        Self {
            usage: file.to_owned(),
            first: usage.coverage.as_ref().and_then(|c| c.first.clone()),
            last: usage.coverage.as_ref().and_then(|c| c.last.clone()),
            requests: usage.totals.requests,
            bill_usd: usage.bill_usd,
            bill_partial: usage.bill.partial,
            repriced_usd: usage.repriced_usd,
            unpriced,
            monthly_bill_usd,
            monthly_repriced_usd,
            models: models.collect(),
            options: cloud.chain(local).collect(),
        }
    }
}
