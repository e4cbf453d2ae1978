//! The `freehold.breakeven/1` document: wire types, and how they are made from the cost engine.

pub mod convert;
pub mod text;

use super::envelope::Envelope;
use crate::money::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and major version.
pub const SCHEMA: &str = "freehold.breakeven/1";

/// The whole document.
pub type BreakevenDocument = Envelope<BreakevenResult>;

/// What came out. Amounts are in USD whatever the currency shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakevenResult {
    /// At most six lines for people who read no further.
    pub summary: Vec<String>,
    /// Currency of the text and tables; fields named `_usd` stay in USD.
    pub currency: String,
    /// Units of that currency for one USD.
    pub usd_rate: f64,
    pub hours_per_month: f64,
    pub horizon_months: u32,
    /// First month, `YYYY-MM`.
    pub start: String,
    /// The oldest price used, `YYYY-MM-DD`; null where none came from the catalogue.
    pub oldest_price: Option<String>,
    /// Requests of the first month; null where only token totals are known.
    pub requests_per_month: Option<f64>,
    pub tokens_per_month: f64,
    /// The headline first: what was asked for before what was added for comparison.
    pub comparisons: Vec<Comparison>,
    pub local: Vec<LocalOffer>,
    pub cloud: Vec<CloudOffer>,
    pub hybrid: Option<Hybrid>,
    pub uncertainty: Option<Uncertainty>,
    /// Month by month, comparison after comparison.
    pub cash_flow: Vec<CashFlowMonth>,
    /// Every API model against every hardware: `comparisons` is a ranking.
    #[serde(default)]
    pub ranking: bool,
    /// Draws behind `probability_local_cheaper` of each row that is shown; null where no input is a
    /// range, or where this is no ranking.
    #[serde(default)]
    pub draws: Option<u32>,
    /// Pairs that were compared.
    #[serde(default)]
    pub pairs: u64,
    /// Of those, the pairs in which local costs less over the horizon.
    #[serde(default)]
    pub pairs_local_cheaper: u64,
    /// What the ranking leaves out, and why.
    #[serde(default)]
    pub skipped: Vec<SkippedEntry>,
}

impl BreakevenResult {
    /// The currency amounts are shown in.
    pub fn money(&self) -> Currency {
        Currency::new(&self.currency, self.usd_rate)
    }
}

/// An entry of the catalogue that could not be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedEntry {
    pub id: String,
    pub why: String,
}

/// Why a comparison stands in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comparator {
    /// It was asked for.
    Asked,
    /// The same open model, rented by the token.
    SameModel,
    /// The same GPU, rented by the hour.
    RentedGpu,
}

/// Local against cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Name of the baseline.
    pub cloud: String,
    pub local: String,
    pub comparator: Comparator,
    /// Months until cumulative local cost falls below cumulative cloud cost, interpolated within
    /// the month; null when never. 0: cheaper from the first day.
    pub payback_months: Option<f64>,
    /// Why it never pays back; null when it does.
    pub never_because: Option<String>,
    /// The same as a stable word: `running-cost`, `saving-ends`, `replacements`, `too-far`.
    pub never_reason: Option<String>,
    pub discounted_payback_months: Option<f64>,
    /// Total to the horizon.
    pub tco_cloud_usd: f64,
    pub tco_local_usd: f64,
    /// Cloud less local over the horizon.
    pub saving_usd: f64,
    /// Present value of the saving at the horizon.
    pub npv_saving_usd: f64,
    /// Volume at which both cost the same over the horizon; null where there is none, or no requests are known.
    pub breakeven_requests_per_month: Option<f64>,
    pub breakeven_tokens_per_month: Option<f64>,
    pub breakeven_utilisation: Option<f64>,
    /// Price per million tokens, in and out together, at which the API costs the same over the horizon.
    pub breakeven_blended_usd_per_mtok: Option<f64>,
    /// Where the saving stops growing because prices fall: months, and the position then.
    pub best_point_months: Option<f64>,
    pub best_point_usd: Option<f64>,
    /// Share of the draws in which local costs less by the horizon; only where many pairs are ranked.
    pub probability_local_cheaper: Option<f64>,
    /// Set where the two sides differ in capability, or where that is not known.
    pub quality_note: Option<String>,
}

/// A way to run it on hardware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocalOffer {
    pub name: String,
    pub id: Option<String>,
    /// `owned`, `financed` or `rented`.
    pub kind: String,
    pub comparator: Comparator,
    pub model: Option<String>,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    /// In the first month.
    pub units: u32,
    pub units_at_horizon: u32,
    /// Purchase, installation and spares of the first month's units, also where a loan pays for them.
    pub capex_usd: f64,
    /// Running cost of the first month, all parts; without the purchase.
    pub monthly_usd: f64,
    pub monthly_parts_usd: BTreeMap<String, f64>,
    /// Capex less residual value, per month of life (of the horizon where no life is given).
    pub amortised_usd_per_month: f64,
    /// What the units would fetch at the horizon; taken off the total.
    #[serde(default)]
    pub residual_usd: f64,
    /// Balance of loans, and rent of commitments that go on, at the horizon; added to the total.
    #[serde(default)]
    pub still_owed_usd: f64,
    pub tco_usd: f64,
    /// Tokens of whole requests the units can serve when never idle; null where no speed is known.
    pub capacity_tokens_per_month: Option<f64>,
    /// Mean busy share in the first month.
    pub utilisation: Option<f64>,
    /// Running cost and amortisation, split by the time spent reading and writing.
    pub usd_per_mtok_input: Option<f64>,
    pub usd_per_mtok_output: Option<f64>,
    pub usd_per_mtok_blended: Option<f64>,
    /// Hours of rent in a month.
    pub billed_hours_per_month: Option<f64>,
}

/// What is paid otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudOffer {
    pub name: String,
    pub id: Option<String>,
    pub comparator: Comparator,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    /// At the first month's volume and the prices of its first day.
    pub monthly_usd: f64,
    pub monthly_parts_usd: BTreeMap<String, f64>,
    pub tco_usd: f64,
    pub usd_per_request: Option<f64>,
    /// List price of the first month.
    pub usd_per_mtok_input: Option<f64>,
    pub usd_per_mtok_output: Option<f64>,
    /// Of the request as it is: caching, batch, tiers and retries included.
    pub usd_per_mtok_blended: Option<f64>,
    /// Hours of rent in a month, for a rented baseline.
    pub billed_hours_per_month: Option<f64>,
    /// Units, for a baseline that is hardware.
    pub units: Option<u32>,
}

/// Both at once, for the headline pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hybrid {
    pub cloud: String,
    pub local: String,
    /// A share of the requests goes to the local side first.
    pub routed: Option<RoutedSplit>,
    /// Base load local, overflow to the cloud.
    pub overflow: Option<Overflow>,
    /// `cloud`, `local`, `routed` or `overflow`: what costs least over the horizon.
    pub cheapest: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoutedSplit {
    pub local_share: f64,
    /// Of those, sent on to the cloud and paid twice.
    pub escalation_share: f64,
    pub units: u32,
    pub capex_usd: f64,
    pub monthly_usd: f64,
    pub tco_usd: f64,
    pub tco_cloud_only_usd: f64,
    pub tco_local_only_usd: f64,
    pub payback_months: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overflow {
    /// The number of owned units with the lowest total; 0: cloud only.
    pub best_units: u32,
    pub tco_usd: f64,
    /// Every number of units that was tried.
    pub options: Vec<OverflowOption>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverflowOption {
    pub units: u32,
    /// Share of the first month's requests served locally.
    pub local_share: f64,
    pub tco_usd: f64,
}

/// What ranges of the inputs mean for the headline pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Uncertainty {
    pub cloud: String,
    pub local: String,
    /// Draws from the ranges; 0 where no input is a range.
    pub draws: u32,
    pub seed: u64,
    /// Shape of a range between low and high: `triangular`.
    pub distribution: String,
    /// Share of the draws in which local costs less by the horizon.
    pub probability_local_cheaper: Option<f64>,
    /// A tenth, half, nine tenths of the draws pay back by then; null: never.
    pub payback_p10: Option<f64>,
    pub payback_p50: Option<f64>,
    pub payback_p90: Option<f64>,
    /// One input at a time, from low to high, the others as they are; the most important first.
    pub tornado: Vec<TornadoBar>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TornadoBar {
    /// Dotted name of the input.
    pub input: String,
    pub low: f64,
    pub high: f64,
    /// Cloud less local over the horizon at the low and at the high value.
    pub saving_at_low_usd: f64,
    pub saving_at_high_usd: f64,
    /// Distance between the two.
    pub swing_usd: f64,
    /// The range is not the user's: a fifth up and down.
    pub assumed: bool,
}

/// One month of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CashFlowMonth {
    pub cloud: String,
    pub local: String,
    /// From 1.
    pub month: u32,
    /// `YYYY-MM`.
    pub date: String,
    pub requests: f64,
    pub cloud_usd: f64,
    pub local_units: u32,
    /// Paid at the beginning of the month: purchases less what replaced units fetch.
    pub local_upfront_usd: f64,
    pub local_running_usd: f64,
    /// Cumulative saving of the local side at the end of the month.
    pub position_usd: f64,
    pub discounted_position_usd: f64,
}
