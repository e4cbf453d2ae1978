//! Subscriptions: seats for people, at a fixed price.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A plan that is sold by seat and month, with its allowance and what further use costs.
///
/// Most plans do not allow programs to use them: a seat competes with an API only for work that people do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Its id, `provider-plan`: `anthropic-claude-max-5x`.
    pub id: String,
    /// Who sells it.
    pub provider: String,
    /// The provider's name for it.
    pub name: String,
    /// Who can buy it.
    pub buyer: Buyer,
    /// Currency, ISO 4217.
    pub currency: String,
    /// Price of one seat for one month, paid monthly.
    pub per_month: Option<f64>,
    /// Price of one seat for one month, paid yearly.
    pub per_month_of_year: Option<f64>,
    /// Smallest number of seats that is sold; absent for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_from: Option<u32>,
    /// Largest number of seats that is sold; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_to: Option<u32>,
    /// What must be bought in addition: `GitHub Enterprise Cloud`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// How much one seat may use; empty where the provider does not publish it.
    #[serde(default)]
    pub allowance: Vec<Allowance>,
    /// What happens beyond the allowance; absent where that is not known.
    pub overage: Option<Overage>,
    /// The seat only gives access, and all use is charged at the API's prices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_use_charged: bool,
    /// What a reader of its figures must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Subscription);

/// Who can buy a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Buyer {
    /// A single person.
    Person,
    /// An organisation, for several people on one bill.
    Organisation,
}

/// An amount of use within a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    /// The amount, in `unit`.
    pub amount: f64,
    /// What is counted.
    pub unit: AllowanceUnit,
    /// The period.
    pub per: AllowancePeriod,
    /// Id of the plan that it is a multiple of, where `unit` is `times`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The model or kind of work that it is for; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// All seats of an organisation share one pool.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pooled: bool,
}

/// What an allowance counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllowanceUnit {
    /// Requests to a model, whatever their length.
    Requests,
    /// Messages that a person sends; one message can cause many requests.
    Messages,
    /// Tokens, as the provider counts them.
    Tokens,
    /// The plan's own unit; see [`Subscription::note`] for what it is worth.
    Credits,
    /// Use worth this much in the plan's currency, at the API's prices or the plan's own.
    Money,
    /// A multiple of what another plan has.
    Times,
}

/// The period after which an allowance starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AllowancePeriod {
    /// Every minute.
    Minute,
    /// Every five hours, from the first use.
    FiveHours,
    /// Every day.
    Day,
    /// Every week.
    Week,
    /// Every month.
    Month,
}

/// What happens beyond the allowance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Overage {
    /// Service stops or slows down until the allowance starts again.
    Waits,
    /// Use is charged at the provider's API prices, times a factor.
    ApiPrice {
        /// Factor on the API's prices; 1 where the record does not say.
        #[serde(default = "once")]
        factor: f64,
    },
    /// More can be bought, in packs.
    Packs {
        /// Amount in a pack.
        amount: f64,
        /// What is counted.
        unit: AllowanceUnit,
        /// Price of a pack, in the plan's currency.
        price: f64,
    },
}

fn once() -> f64 {
    1.0
}
