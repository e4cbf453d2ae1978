//! The `freehold.breakeven/1` document: wire types, and how they are made from the cost engine.

pub mod convert;
pub mod series;
pub mod text;
pub mod today;

use super::envelope::Envelope;
use super::plan::PlanRow;
pub use super::skipped::SkippedEntry;
use crate::document::metrics::definition;
use crate::money::Currency;
use crate::provenance::Source;
use crate::terms::{Column, Derivation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use series::{CostByVolume, CumulativeCost, OfferByVolume, VolumeWindow};

/// Name and major version.
pub const SCHEMA: &str = "freehold.breakeven/1";

/// The whole document.
pub type BreakevenDocument = Envelope<BreakevenResult>;

/// What the cost calculation came to. Amounts are US dollars, whatever currency is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakevenResult {
    /// What is paid today, and what the same month would cost under every option; null without records of
    /// use.
    #[serde(default)]
    pub today: Option<today::Today>,
    /// At most eight lines for readers who stop here; the first six have what decides.
    pub summary: Vec<String>,
    /// Currency of the text and tables; fields named `_usd` stay in USD.
    pub currency: String,
    /// Units of `currency` for one US dollar.
    pub usd_rate: f64,
    /// Hours that one month is counted as.
    pub hours_per_month: f64,
    /// Months over which totals are computed.
    pub horizon_months: u32,
    /// First month of the calculation, `YYYY-MM`.
    pub start: String,
    /// Date of the oldest price used, `YYYY-MM-DD`; null where none came from the catalogue.
    pub oldest_price: Option<String>,
    #[doc = definition!(requests_per_month)]
    pub requests_per_month: Option<f64>,
    #[doc = definition!(tokens_per_month)]
    pub tokens_per_month: f64,
    /// Pairs of offers, the headline first: those that were asked for come before those added for
    /// comparison. In a ranking, the pairs that pay back earliest come first: for each API model the
    /// hardware that saves most, and for each hardware the API model against which it saves least; all
    /// pairs with `--every-pair`. `pairs` counts them.
    pub comparisons: Vec<Comparison>,
    /// Every offer that runs the model on hardware.
    pub local: Vec<LocalOffer>,
    /// Every offer that local ones are compared with: APIs, and hardware that serves only as a baseline.
    pub cloud: Vec<CloudOffer>,
    /// Both sides of the headline pair used together; null where that makes no sense.
    pub hybrid: Option<Hybrid>,
    /// What the ranges of the inputs mean for the headline pair; null where no input is varied.
    pub uncertainty: Option<Uncertainty>,
    /// Every comparison, month by month.
    pub cash_flow: Vec<CashFlowMonth>,
    /// How the figures of the offers are computed: for each figure its path, its formula, and every term
    /// with its value. Empty in a ranking.
    #[serde(default)]
    pub derivations: Vec<Derivation>,
    /// How the figures in lists are computed, where all rows are computed alike: the months, the bars of
    /// the tornado, the numbers of units that were tried. Empty in a ranking.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// What each offer has cost by the end of each month; empty in a ranking.
    #[serde(default)]
    pub cumulative: Vec<CumulativeCost>,
    /// What a month costs at other volumes; null in a ranking, and where the volume is defined as
    /// everything the hardware can generate.
    #[serde(default)]
    pub by_volume: Option<CostByVolume>,
    /// This is a ranking of every API model against every hardware; `comparisons` has its rows.
    #[serde(default)]
    pub ranking: bool,
    /// Draws behind `probability_local_cheaper` of each row that is shown; null where no input is a range,
    /// and where this is no ranking.
    #[serde(default)]
    pub draws: Option<u32>,
    /// Number of pairs that were compared.
    #[serde(default)]
    pub pairs: u64,
    /// How many of these pairs cost less on the local side over the horizon.
    #[serde(default)]
    pub pairs_local_cheaper: u64,
    /// Entries of the catalogue that the ranking leaves out, and why.
    #[serde(default)]
    pub skipped: Vec<SkippedEntry>,
}

impl BreakevenResult {
    /// The currency that amounts are shown in.
    pub fn money(&self) -> Currency {
        Currency::new(&self.currency, self.usd_rate)
    }

    /// What a local offer pays for the API until it works, and while both run, over the horizon, US
    /// dollars; with the API that makes it cheapest. 0 where it works from the first day, and where it is
    /// compared with nothing.
    pub fn meanwhile_usd(&self, local: &LocalOffer) -> f64 {
        let with = self.comparisons.iter().filter(|c| c.local == local.name).map(|c| c.tco_local_usd);
        let least = with.min_by(f64::total_cmp).map_or(0.0, |usd| usd - local.tco_usd);
        if least.abs() < 0.005 { 0.0 } else { least }
    }

    /// What it costs to choose a local offer: its own total, and the API until it works.
    pub fn total_usd(&self, local: &LocalOffer) -> f64 {
        local.tco_usd + self.meanwhile_usd(local)
    }
}

/// Why an offer or a comparison is part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comparator {
    /// It was asked for.
    Asked,
    /// The same open model, rented by the token.
    SameModel,
    /// The same GPU, rented by the hour.
    RentedGpu,
    /// The cheapest other API of the same tier or a better one that is sold to the end, where nobody sells the model by the token.
    AsCapable,
}

/// One local offer compared with one cloud offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Name of the cloud offer, the baseline.
    pub cloud: String,
    /// Name of the local offer.
    pub local: String,
    /// Why this comparison is part of the report.
    pub comparator: Comparator,
    #[doc = definition!(payback_months)]
    pub payback_months: Option<f64>,
    /// Why it never pays back; null when it does.
    pub never_because: Option<String>,
    /// The reason as a stable word: `running-cost`, `saving-ends`, `replacements`, `too-far`.
    pub never_reason: Option<String>,
    #[doc = definition!(discounted_payback_months)]
    pub discounted_payback_months: Option<f64>,
    #[doc = definition!(tco_cloud_usd)]
    pub tco_cloud_usd: f64,
    #[doc = definition!(tco_local_usd)]
    pub tco_local_usd: f64,
    #[doc = definition!(saving_usd)]
    pub saving_usd: f64,
    #[doc = definition!(npv_saving_usd)]
    pub npv_saving_usd: f64,
    #[doc = definition!(breakeven_requests_per_month)]
    pub breakeven_requests_per_month: Option<f64>,
    #[doc = definition!(breakeven_tokens_per_month)]
    pub breakeven_tokens_per_month: Option<f64>,
    /// Ranges of volume in which the local side costs no more over the horizon. There is more than one
    /// where a further unit takes the saving away again, none where it never costs less or the number of
    /// requests is not known.
    #[serde(default)]
    pub breakeven_windows: Vec<VolumeWindow>,
    #[doc = definition!(breakeven_utilisation)]
    pub breakeven_utilisation: Option<f64>,
    #[doc = definition!(breakeven_blended_usd_per_mtok)]
    pub breakeven_blended_usd_per_mtok: Option<f64>,
    #[doc = definition!(best_point_months)]
    pub best_point_months: Option<f64>,
    #[doc = definition!(best_point_usd)]
    pub best_point_usd: Option<f64>,
    #[doc = definition!(probability_local_cheaper)]
    /// In a ranking only, for the rows that a table shows: those of the cheapest API models.
    pub probability_local_cheaper: Option<f64>,
    /// A note where the two sides differ in capability, or where that is not known.
    pub quality_note: Option<String>,
}

/// An offer that runs the model on hardware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocalOffer {
    /// Its name in reports.
    pub name: String,
    /// Its id in the catalogue; null where it was described by hand.
    pub id: Option<String>,
    /// `owned`, `financed` or `rented`.
    pub kind: String,
    /// Why it is part of the report.
    pub comparator: Comparator,
    /// The model it runs; null where none was named.
    pub model: Option<String>,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    #[doc = definition!(units)]
    pub units: u32,
    #[doc = definition!(units_at_horizon)]
    pub units_at_horizon: u32,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    /// The cost of the first month by part, US dollars.
    pub monthly_parts_usd: BTreeMap<String, f64>,
    #[doc = definition!(amortised_usd_per_month)]
    pub amortised_usd_per_month: f64,
    #[doc = definition!(residual_usd)]
    #[serde(default)]
    pub residual_usd: f64,
    #[doc = definition!(still_owed_usd)]
    #[serde(default)]
    pub still_owed_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    #[doc = definition!(capacity_tokens_per_month)]
    pub capacity_tokens_per_month: Option<f64>,
    #[doc = definition!(utilisation)]
    pub utilisation: Option<f64>,
    #[doc = definition!(usd_per_mtok_input)]
    pub usd_per_mtok_input: Option<f64>,
    #[doc = definition!(usd_per_mtok_output)]
    pub usd_per_mtok_output: Option<f64>,
    #[doc = definition!(usd_per_mtok_blended)]
    pub usd_per_mtok_blended: Option<f64>,
    /// Share of its answers that passed on the user's prompts, 0 to 1; null where that was not measured.
    #[serde(default)]
    pub pass_rate: Option<f64>,
    /// Where it was measured.
    #[serde(default)]
    pub pass_rate_source: Option<Source>,
    #[doc = definition!(usd_per_successful_request)]
    #[serde(default)]
    pub usd_per_successful_request: Option<f64>,
    #[doc = definition!(billed_hours_per_month)]
    pub billed_hours_per_month: Option<f64>,
    /// What is paid at the beginning of months over the horizon, US dollars: purchases, less what replaced
    /// units fetch.
    #[serde(default)]
    pub total_upfront_usd: f64,
    /// Everything else that is paid over the horizon, by part, US dollars.
    #[serde(default)]
    pub total_parts_usd: BTreeMap<String, f64>,
    /// What changes before the horizon: prices, units, replacements, delivery.
    #[serde(default)]
    pub events: Vec<EventRow>,
    /// The serving plan; null where speeds were measured or given by hand.
    #[serde(default)]
    pub plan: Option<Box<PlanRow>>,
}

/// A change to an offer before the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// Month in which it happens, from 1.
    pub month: u32,
    /// That month as `YYYY-MM`.
    pub date: String,
    /// `price-change`, `units`, `replacement` or `delivery`.
    pub kind: String,
    /// What happens, in words and with its figures.
    pub what: String,
}

/// What a local offer is compared with: an API, or hardware that serves only as a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudOffer {
    /// Its name in reports.
    pub name: String,
    /// Its id in the catalogue; null where it was described by hand.
    pub id: Option<String>,
    /// Why it is part of the report.
    pub comparator: Comparator,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    /// The cost of the first month by part, US dollars.
    pub monthly_parts_usd: BTreeMap<String, f64>,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    #[doc = definition!(usd_per_request)]
    pub usd_per_request: Option<f64>,
    #[doc = definition!(usd_per_mtok_input)]
    pub usd_per_mtok_input: Option<f64>,
    #[doc = definition!(usd_per_mtok_output)]
    pub usd_per_mtok_output: Option<f64>,
    #[doc = definition!(usd_per_mtok_blended)]
    pub usd_per_mtok_blended: Option<f64>,
    /// Share of its answers that passed on the user's prompts, 0 to 1; null where that was not measured.
    #[serde(default)]
    pub pass_rate: Option<f64>,
    /// Where it was measured.
    #[serde(default)]
    pub pass_rate_source: Option<Source>,
    #[doc = definition!(usd_per_successful_request)]
    #[serde(default)]
    pub usd_per_successful_request: Option<f64>,
    #[doc = definition!(billed_hours_per_month)]
    pub billed_hours_per_month: Option<f64>,
    #[doc = definition!(units)]
    /// Units in the first month of a baseline that is hardware; null for an API.
    pub units: Option<u32>,
    /// What changes before the horizon: prices that change on a day, units that are added.
    #[serde(default)]
    pub events: Vec<EventRow>,
    /// Day on which the model's announced retirement takes effect, `YYYY-MM-DD`; null where none is
    /// announced.
    #[serde(default)]
    pub retires: Option<String>,
}

/// Both sides of the headline pair used together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hybrid {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// Routing: a share of the requests goes to the local side first.
    pub routed: Option<RoutedSplit>,
    /// Overflow: the local side serves the base load, the cloud the rest.
    pub overflow: Option<Overflow>,
    /// `cloud`, `local`, `routed` or `overflow`: what costs least over the horizon.
    pub cheapest: String,
}

/// Routing: a share of the requests goes to the local side first, and what it cannot answer is sent on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoutedSplit {
    /// Share of the requests that go to the local side first, 0 to 1.
    pub local_share: f64,
    /// Share of these requests that are sent on to the cloud, and so are paid twice; 0 to 1.
    pub escalation_share: f64,
    #[doc = definition!(units)]
    pub units: u32,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// Total over the horizon if everything went to the cloud, US dollars.
    pub tco_cloud_only_usd: f64,
    /// Total over the horizon if everything were answered locally, US dollars.
    pub tco_local_only_usd: f64,
    #[doc = definition!(payback_months)]
    pub payback_months: Option<f64>,
}

/// Overflow: the local side serves the base load, the cloud whatever exceeds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overflow {
    /// Number of owned units with the lowest total; 0 means cloud only.
    pub best_units: u32,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// Every number of units that was tried, with its cost.
    pub options: Vec<OverflowOption>,
}

/// One number of owned units, and what it costs together with the cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverflowOption {
    /// Owned units; 0 means cloud only.
    pub units: u32,
    /// Share of the first month's requests served locally.
    pub local_share: f64,
    /// Paid to the cloud over the horizon, US dollars.
    #[serde(default)]
    pub cloud_usd: f64,
    /// Paid for the units over the horizon, US dollars.
    #[serde(default)]
    pub local_usd: f64,
    /// What the units would still fetch at the horizon, less what is owed, US dollars; taken off the total.
    #[serde(default)]
    pub left_usd: f64,
    /// Total over the horizon, US dollars.
    pub tco_usd: f64,
}

/// What the ranges of the inputs mean for the headline pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Uncertainty {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// Draws from the ranges of the inputs; 0 where no input is a range.
    pub draws: u32,
    /// Seed of the random numbers: the same seed gives the same draws.
    pub seed: u64,
    /// Distribution of an input between its low and high value: `triangular`.
    pub distribution: String,
    #[doc = definition!(probability_local_cheaper)]
    pub probability_local_cheaper: Option<f64>,
    #[doc = definition!(payback_p10)]
    pub payback_p10: Option<f64>,
    #[doc = definition!(payback_p50)]
    pub payback_p50: Option<f64>,
    #[doc = definition!(payback_p90)]
    pub payback_p90: Option<f64>,
    /// How the saving changes with each input alone, from its low to its high value; the input that matters
    /// most comes first.
    pub tornado: Vec<TornadoBar>,
    /// Values at which one input alone turns the answer, so that the other side costs less over the
    /// horizon. Those within their input's range come first. Volume and the API's price have fields of
    /// their own in the comparison.
    #[serde(default)]
    pub turning_points: Vec<TurningPoint>,
}

/// The value of one input at which the answer turns, while all other inputs stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurningPoint {
    /// Dotted name of the input: with `--NAME VALUE` the answer turns.
    pub input: String,
    /// Unit of the input; empty for a ratio.
    pub unit: String,
    /// The input's likely value, which was used.
    pub likely: f64,
    /// Low end of its range; the likely value where it has none.
    pub low: f64,
    /// High end of its range; the likely value where it has none.
    pub high: f64,
    /// The value at which the answer turns: from here on, going away from the likely value, the other side
    /// costs less.
    pub value: f64,
    /// `value` lies within the range.
    pub in_range: bool,
}

/// How much one input alone changes the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TornadoBar {
    /// Dotted name of the input.
    pub input: String,
    /// The low end of the input, in its own unit.
    pub low: f64,
    /// The high end of the input, in its own unit.
    pub high: f64,
    /// Saving of the local side over the horizon at the low value, US dollars.
    pub saving_at_low_usd: f64,
    /// Saving of the local side over the horizon at the high value, US dollars.
    pub saving_at_high_usd: f64,
    /// Difference between these two savings, US dollars.
    pub swing_usd: f64,
    /// The range is not the user's but assumed: from a fifth below to a fifth above.
    pub assumed: bool,
}

/// One month of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CashFlowMonth {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// Month, from 1.
    pub month: u32,
    /// The month as `YYYY-MM`.
    pub date: String,
    /// Requests in this month.
    pub requests: f64,
    /// Cost of the cloud side in this month, US dollars.
    pub cloud_usd: f64,
    /// The part of it that is paid at the beginning of the month, US dollars.
    #[serde(default)]
    pub cloud_upfront_usd: f64,
    /// The rest of it by part, US dollars; parts that cost nothing are left out.
    #[serde(default)]
    pub cloud_parts_usd: BTreeMap<String, f64>,
    /// Units of the local side in this month.
    pub local_units: u32,
    /// What the local side pays at the beginning of the month, US dollars: purchases, less what replaced
    /// units fetch.
    pub local_upfront_usd: f64,
    /// Running cost of the local side in this month, US dollars.
    pub local_running_usd: f64,
    /// That running cost by part, US dollars; parts that cost nothing are left out.
    #[serde(default)]
    pub local_parts_usd: BTreeMap<String, f64>,
    /// Saving of the local side from the first day to the end of this month, US dollars.
    pub position_usd: f64,
    /// The same saving with the payments of later months discounted, US dollars.
    pub discounted_position_usd: f64,
}
