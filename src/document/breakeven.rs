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

/// What came out. Amounts are in USD whatever the currency shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BreakevenResult {
    /// What is paid today and the same month under every option; null without records of usage.
    #[serde(default)]
    pub today: Option<today::Today>,
    /// At most eight lines for people who read no further; what decides stands in the first six.
    pub summary: Vec<String>,
    /// Currency of the text and tables; fields named `_usd` stay in USD.
    pub currency: String,
    /// Units of that currency for one USD.
    pub usd_rate: f64,
    /// Hours that a month is counted with.
    pub hours_per_month: f64,
    /// Months over which totals are computed.
    pub horizon_months: u32,
    /// First month, `YYYY-MM`.
    pub start: String,
    /// The oldest price used, `YYYY-MM-DD`; null where none came from the catalogue.
    pub oldest_price: Option<String>,
    #[doc = definition!(requests_per_month)]
    pub requests_per_month: Option<f64>,
    #[doc = definition!(tokens_per_month)]
    pub tokens_per_month: f64,
    /// The headline first: what was asked for before what was added for comparison. In a ranking the rows,
    /// the first to pay back first: for each API model the hardware that saves most, and for each hardware
    /// the API model against which it saves least; with `--every-pair` all of them (`pairs` counts them).
    pub comparisons: Vec<Comparison>,
    /// Every way to run it on hardware.
    pub local: Vec<LocalOffer>,
    /// Every way to pay for it otherwise.
    pub cloud: Vec<CloudOffer>,
    /// Both at once, for the headline pair; null where it makes no sense.
    pub hybrid: Option<Hybrid>,
    /// What ranges of the inputs mean for the headline pair; null where nothing was drawn.
    pub uncertainty: Option<Uncertainty>,
    /// Month by month, comparison after comparison.
    pub cash_flow: Vec<CashFlowMonth>,
    /// How the figures of the offers come about, as the engine computed them: the figure's path, its
    /// formula, and every term with its value. Empty in a ranking.
    #[serde(default)]
    pub derivations: Vec<Derivation>,
    /// How the figures of lists come about whose rows are all computed alike: the months, the bars of the
    /// tornado, the numbers of units tried. Empty in a ranking.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// What each offer has cost by the end of each month; empty in a ranking.
    #[serde(default)]
    pub cumulative: Vec<CumulativeCost>,
    /// What a month costs at other volumes; null in a ranking, and where the volume is everything the
    /// hardware can do.
    #[serde(default)]
    pub by_volume: Option<CostByVolume>,
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
    /// The cheapest API of the same tier or a better one, where nobody sells the model by the token.
    AsCapable,
}

/// Local against cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Name of the baseline.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// Why it stands in the report.
    pub comparator: Comparator,
    #[doc = definition!(payback_months)]
    pub payback_months: Option<f64>,
    /// Why it never pays back; null when it does.
    pub never_because: Option<String>,
    /// The same as a stable word: `running-cost`, `saving-ends`, `replacements`, `too-far`.
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
    /// Volumes between which the local side costs no more over the horizon. More than one where a further
    /// unit takes the saving away again; empty where there is none, or no requests are known.
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
    /// Only where many pairs are ranked, and of them for the rows that a table shows: the cheapest API models.
    pub probability_local_cheaper: Option<f64>,
    /// Set where the two sides differ in capability, or where that is not known.
    pub quality_note: Option<String>,
}

/// A way to run it on hardware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LocalOffer {
    /// As the reports call it.
    pub name: String,
    /// Its id in the catalogue; null where it was described by hand.
    pub id: Option<String>,
    /// `owned`, `financed` or `rented`.
    pub kind: String,
    /// Why it stands in the report.
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
    /// Its parts by name, US dollars.
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
    /// Paid at the beginning of months over the whole horizon: purchases, less what replaced units
    /// fetch.
    #[serde(default)]
    pub total_upfront_usd: f64,
    /// Everything else that is paid over the horizon, by part, US dollars.
    #[serde(default)]
    pub total_parts_usd: BTreeMap<String, f64>,
    /// What happens on the way to the horizon beside the months going by.
    #[serde(default)]
    pub events: Vec<EventRow>,
    /// What would be built; null where speeds were measured or given by hand.
    #[serde(default)]
    pub plan: Option<Box<PlanRow>>,
}

/// Something that happens to an offer on the way to the horizon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventRow {
    /// Month in which it happens, counted from 1.
    pub month: u32,
    /// The same as `YYYY-MM`.
    pub date: String,
    /// `price-change`, `units`, `replacement` or `delivery`.
    pub kind: String,
    /// The same in words, with its figures.
    pub what: String,
}

/// What is paid otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CloudOffer {
    /// As the reports call it.
    pub name: String,
    /// Its id in the catalogue; null where it was described by hand.
    pub id: Option<String>,
    /// Why it stands in the report.
    pub comparator: Comparator,
    /// Capability tier, 1 (highest) to 4.
    pub tier: Option<u8>,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    /// Its parts by name, US dollars.
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
    /// For a baseline that is hardware.
    pub units: Option<u32>,
    /// What happens on the way to the horizon: prices that change on a day, units that are added.
    #[serde(default)]
    pub events: Vec<EventRow>,
    /// Day on which the model is no longer served, where that is announced, `YYYY-MM-DD`.
    #[serde(default)]
    pub retires: Option<String>,
}

/// Both at once, for the headline pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hybrid {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// A share of the requests goes to the local side first.
    pub routed: Option<RoutedSplit>,
    /// Base load local, overflow to the cloud.
    pub overflow: Option<Overflow>,
    /// `cloud`, `local`, `routed` or `overflow`: what costs least over the horizon.
    pub cheapest: String,
}

/// A share of the requests goes to the local side first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RoutedSplit {
    /// Share of the requests that go to the local side first, 0 to 1.
    pub local_share: f64,
    /// Of those, sent on to the cloud and paid twice.
    pub escalation_share: f64,
    #[doc = definition!(units)]
    pub units: u32,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// The same if everything went to the cloud.
    pub tco_cloud_only_usd: f64,
    /// The same if everything were answered locally.
    pub tco_local_only_usd: f64,
    #[doc = definition!(payback_months)]
    pub payback_months: Option<f64>,
}

/// The local side carries the base load, the cloud what is above it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overflow {
    /// The number of owned units with the lowest total; 0: cloud only.
    pub best_units: u32,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// Every number of units that was tried.
    pub options: Vec<OverflowOption>,
}

/// One number of units, and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverflowOption {
    /// Owned units; 0: cloud only.
    pub units: u32,
    /// Share of the first month's requests served locally.
    pub local_share: f64,
    /// Paid to the cloud over the horizon, US dollars.
    #[serde(default)]
    pub cloud_usd: f64,
    /// Paid for the units over the horizon, US dollars.
    #[serde(default)]
    pub local_usd: f64,
    /// What is left of the units at the horizon: what they fetch, less what is owed, US dollars.
    #[serde(default)]
    pub left_usd: f64,
    /// Total over the horizon, US dollars.
    pub tco_usd: f64,
}

/// What ranges of the inputs mean for the headline pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Uncertainty {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// Draws from the ranges; 0 where no input is a range.
    pub draws: u32,
    /// Start of the random numbers: the same seed gives the same draws.
    pub seed: u64,
    /// Shape of a range between low and high: `triangular`.
    pub distribution: String,
    #[doc = definition!(probability_local_cheaper)]
    pub probability_local_cheaper: Option<f64>,
    #[doc = definition!(payback_p10)]
    pub payback_p10: Option<f64>,
    #[doc = definition!(payback_p50)]
    pub payback_p50: Option<f64>,
    #[doc = definition!(payback_p90)]
    pub payback_p90: Option<f64>,
    /// One input at a time, from low to high, the others as they are; the most important first.
    pub tornado: Vec<TornadoBar>,
    /// What would have to be true for the other side to cost less over the horizon: one input at a time, the
    /// others as they are. Those within their ranges stand first. Volume and the API's price have fields of
    /// their own in the comparison.
    #[serde(default)]
    pub turning_points: Vec<TurningPoint>,
}

/// An input at which the comparison turns by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TurningPoint {
    /// Dotted name of the input: put in as `--NAME VALUE` it turns the answer.
    pub input: String,
    /// Its unit; empty for a ratio.
    pub unit: String,
    /// What was taken.
    pub likely: f64,
    /// The range it was taken over; both are the likely value where it has none.
    pub low: f64,
    /// The high end of the range.
    pub high: f64,
    /// From here on, away from the likely value, the other side costs less.
    pub value: f64,
    /// The value lies within the range.
    pub in_range: bool,
}

/// What one input alone changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TornadoBar {
    /// Dotted name of the input.
    pub input: String,
    /// The low end of the input, in its own unit.
    pub low: f64,
    /// The high end of the input, in its own unit.
    pub high: f64,
    /// Cloud less local over the horizon at the low and at the high value.
    pub saving_at_low_usd: f64,
    /// The same at the high value.
    pub saving_at_high_usd: f64,
    /// Distance between the two.
    pub swing_usd: f64,
    /// The range is not the user's: a fifth up and down.
    pub assumed: bool,
}

/// One month of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CashFlowMonth {
    /// Name of the cloud side.
    pub cloud: String,
    /// Name of the local side.
    pub local: String,
    /// From 1.
    pub month: u32,
    /// `YYYY-MM`.
    pub date: String,
    /// Requests of the month.
    pub requests: f64,
    /// What the cloud side costs in it, US dollars.
    pub cloud_usd: f64,
    /// Of that, paid at the beginning of the month, US dollars.
    #[serde(default)]
    pub cloud_upfront_usd: f64,
    /// The rest of it by part, US dollars; parts that are nothing are left out.
    #[serde(default)]
    pub cloud_parts_usd: BTreeMap<String, f64>,
    /// Units of the local side in it.
    pub local_units: u32,
    /// Paid at the beginning of the month: purchases less what replaced units fetch.
    pub local_upfront_usd: f64,
    /// Running cost of the local side in it, US dollars.
    pub local_running_usd: f64,
    /// The same by part, US dollars; parts that are nothing are left out.
    #[serde(default)]
    pub local_parts_usd: BTreeMap<String, f64>,
    /// Cumulative saving of the local side at the end of the month.
    pub position_usd: f64,
    /// The same with money of later months discounted.
    pub discounted_position_usd: f64,
}
