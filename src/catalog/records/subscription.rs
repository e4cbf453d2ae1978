//! Seats: what people, not programs, pay a fixed sum for.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A plan sold by the seat and month, with what is in it and what more of it costs.
///
/// Programs may not ask through most of them: a seat competes with an API only for work that people do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// `provider-plan`: `anthropic-claude-max-5x`.
    pub id: String,
    /// Who sells it.
    pub provider: String,
    /// As the provider writes it.
    pub name: String,
    /// Who can buy it.
    pub buyer: Buyer,
    /// ISO 4217.
    pub currency: String,
    /// One seat for one month, paid by the month.
    pub per_month: Option<f64>,
    /// One seat for one month, where a year is paid for.
    pub per_month_of_year: Option<f64>,
    /// Fewest seats that are sold; absent: one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_from: Option<u32>,
    /// Most seats that are sold; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_to: Option<u32>,
    /// What else must be paid for: `GitHub Enterprise Cloud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// What one seat may use. Empty: the provider does not publish it.
    #[serde(default)]
    pub allowance: Vec<Allowance>,
    /// What happens past the allowance; absent: not known.
    pub overage: Option<Overage>,
    /// The seat gives access only: everything that is asked is charged as the API charges it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_use_charged: bool,
    /// What a reader of its figures must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Subscription);

/// Who can buy a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Buyer {
    /// One person for oneself.
    Person,
    /// An organisation for several people, with one bill.
    Organisation,
}

/// So much of something within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// How much.
    pub amount: f64,
    /// Of what.
    pub unit: AllowanceUnit,
    /// Within which time.
    pub per: AllowancePeriod,
    /// The plan it is a multiple of, where `unit` is `times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The model, or the kind of work, that it is for; absent: for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// All seats of an organisation draw on one pool.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pooled: bool,
}

/// What an allowance counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllowanceUnit {
    /// Calls to a model, whatever their length.
    Requests,
    /// What a person sends; one can be many requests.
    Messages,
    /// Tokens, as the provider counts them.
    Tokens,
    /// The plan's own unit; see [`Subscription::note`] for what it is worth.
    Credits,
    /// Worth of use in the plan's currency, counted at the API's prices or at the plan's own.
    Money,
    /// So many times what another plan has.
    Times,
}

/// How often an allowance begins again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllowancePeriod {
    /// Every minute.
    Minute,
    /// Every five hours, from the first use on.
    FiveHours,
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every month.
    Month,
}

/// What happens past the allowance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Overage {
    /// It stops, or slows down, until the allowance begins again.
    Waits,
    /// Charged as the provider's API charges, times a factor.
    ApiPrice {
        /// On each of its prices; 1 where the record does not say.
        #[serde(default = "once")]
        factor: f64,
    },
    /// More can be bought: so many units for so much.
    Packs {
        /// How much is in one.
        amount: f64,
        /// Of what.
        unit: AllowanceUnit,
        /// What one costs, in the plan's currency.
        price: f64,
    },
}

fn once() -> f64 {
    1.0
}
