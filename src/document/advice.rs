//! `freehold.advice/1`: the verdict, why, what argues against it, what would change it, and how to
//! start.
//!
//! ```text
//! Verdict + Guide + candidates ─► AdviceDocument ─► JSON | View
//! ```

mod build;
pub mod text;

pub use build::{Setting, build, inputs_of};
pub use text::modifier;

use super::envelope::Envelope;
use crate::advise::matrix::BriefLine;
use crate::advise::{Confidence, Placement, Stage};
use crate::document::breakeven::{CostByVolume, CumulativeCost};
use crate::document::metrics::definition;
use crate::document::plan::PlanRow;
use crate::provenance::Source;
use crate::workload::Answers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.advice/1";

/// The warning of an answer that was outranked.
pub const ANSWER_REPLACED: &str = "answer-replaced";

/// An advice document.
pub type AdviceDocument = Envelope<AdviceResult>;

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceResult {
    #[doc = definition!(placement)]
    pub placement: Placement,
    #[doc = definition!(confidence)]
    pub confidence: Confidence,
    /// What it rests on, and what keeps it from being higher, one sentence each.
    #[serde(default)]
    pub confidence_because: Vec<String>,
    #[doc = definition!(rule)]
    /// Its text is the first of `reasons`.
    pub rule: String,
    /// The part of the decision the rule belongs to.
    pub stage: Stage,
    /// What speaks for the placement, the rule's own reason first, then by weight.
    pub reasons: Vec<Reason>,
    /// What speaks against it, by weight.
    pub against: Vec<Reason>,
    /// The answers the rule saw, after `adjustments`.
    pub answers: Answers,
    /// Answers that were replaced, and by what.
    #[serde(default)]
    pub adjustments: Vec<Adjustment>,
    /// Every single change that would change the placement.
    #[serde(default)]
    pub flips: Vec<Flip>,
    /// Where the volume answer turns.
    #[serde(default)]
    pub volume_threshold: Option<VolumeThreshold>,
    /// What the evidence says about quality, where some was given.
    #[serde(default)]
    pub quality: Option<QualityNote>,
    /// What the calculation says about cost, where one was given.
    #[serde(default)]
    pub cost: Option<CostNote>,
    /// Which class of model, and examples of the day.
    #[serde(default)]
    pub models: Models,
    /// How to get from one placement to the other; null where nothing moves.
    #[serde(default)]
    pub migration: Option<Migration>,
    /// How to begin, step by step.
    #[serde(default)]
    pub recipes: Vec<Recipe>,
    /// When the verdict should be checked; null where nothing ages.
    #[serde(default)]
    pub look_again: Option<LookAgain>,
    /// The verdict in one sentence, with its cost; null where nothing was priced.
    #[serde(default)]
    pub sentence: Option<String>,
    /// Every way to serve the need, priced: those that may be taken first, each group by its total.
    /// Empty where the need has no numbers: then the matrix decides alone.
    #[serde(default)]
    pub options: Vec<OptionRow>,
    /// Id of the option to take; null where nothing was priced.
    #[serde(default)]
    pub chosen: Option<String>,
    /// What the matrix of the brief says about these answers.
    #[serde(default)]
    pub matrix: Option<MatrixNote>,
    /// Months over which the options are priced; null where none is.
    #[serde(default)]
    pub horizon_months: Option<u32>,
    /// What the options have cost by the end of each month, the chosen one first; empty where nothing was
    /// priced.
    #[serde(default)]
    pub cumulative: Vec<CumulativeCost>,
    /// What a month of the options costs at other volumes; null where nothing was priced, or where the volume
    /// is what the hardware can do.
    #[serde(default)]
    pub by_volume: Option<CostByVolume>,
    /// What was left out before anything was priced, and how many.
    #[serde(default)]
    pub excluded: Vec<ExcludedGroup>,
    /// Answers that pull in different directions, each with a way out.
    #[serde(default)]
    pub tensions: Vec<Tension>,
    /// What to do first, in order.
    #[serde(default)]
    pub first_steps: Vec<RecipeStep>,
    /// The command that computes the same costs; null where nothing was priced.
    #[serde(default)]
    pub cost_command: Option<String>,
}

/// One way to serve the need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptionRow {
    /// `api`, `same-model`, `seats`, `rented`, `owned`, `have`, `hybrid-routed` or `hybrid-overflow`; the
    /// latter two end in `-rented` where the machine is rented. The second of a kind ends in `-2`.
    pub id: String,
    /// Where it runs.
    pub placement: Placement,
    /// As people call it.
    pub name: String,
    /// Id of the API model; null where it needs none.
    #[serde(default)]
    pub api_model: Option<String>,
    /// Id of the open model; null where it runs none.
    #[serde(default)]
    pub open_model: Option<String>,
    /// Tier of its model, 1 (highest) to 4; null where it is not known.
    #[serde(default)]
    pub tier: Option<u8>,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: Option<f64>,
    /// Its parts by name, US dollars; empty for a split.
    #[serde(default)]
    pub monthly_parts_usd: BTreeMap<String, f64>,
    #[doc = definition!(tco_usd)]
    pub tco_usd: Option<f64>,
    #[doc = definition!(capex_usd)]
    pub capex_usd: Option<f64>,
    #[doc = definition!(p_cheapest)]
    /// Of the options that may be taken; null where it may not.
    pub probability_cheapest: Option<f64>,
    /// Mean of the total over all draws, US dollars: what the choice goes by.
    #[serde(default)]
    pub expected_tco_usd: Option<f64>,
    /// Why it may not be taken; null where it may.
    pub excluded_because: Option<String>,
    /// The same as a stable word: `may-not-leave`, `no-people`.
    #[serde(default)]
    pub excluded_by: Option<String>,
    /// What it takes: machines, people, agreements.
    #[serde(default)]
    pub needs: Vec<String>,
    /// What speaks against it.
    #[serde(default)]
    pub against: Vec<String>,
    /// Share of the requests that its local side serves; null where it has no two sides.
    #[serde(default)]
    pub local_share: Option<f64>,
    /// What would be built for its own side at the whole load; null where it has none, or where it was
    /// not planned.
    #[serde(default)]
    pub plan: Option<PlanRow>,
}

/// What the matrix of the brief says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixNote {
    /// The cell: `moderate capability, high volume`.
    pub cell: String,
    /// What stands in it for these answers.
    pub placement: Placement,
    /// Id of the rule that fired.
    #[serde(default)]
    pub rule: String,
    /// The rule's reason.
    #[serde(default)]
    pub text: String,
    /// Why the verdict is another one; null where it is the same.
    #[serde(default)]
    pub differs_because: Option<String>,
}

/// What was left out before anything was priced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExcludedGroup {
    /// Of what: `API models`.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Why.
    pub because: String,
    /// The same as a stable word.
    pub excluded_by: String,
}

/// Answers that pull in different directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tension {
    /// Stable, kebab case.
    pub id: String,
    /// What pulls in which direction.
    pub text: String,
    /// What could be done about it.
    pub way_out: String,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Stable, kebab case.
    pub id: String,
    /// The argument, in one sentence.
    pub text: String,
    /// The placements it speaks for.
    #[serde(default)]
    pub toward: Vec<Placement>,
    /// 1 (light) to 3 (heavy); 0 for the rule's own reason.
    #[serde(default)]
    pub weight: u32,
    /// The line of the brief it rests on.
    #[serde(default)]
    pub brief: Option<BriefLine>,
    /// Where its numbers come from, where it has some.
    #[serde(default)]
    pub source: Option<Source>,
}

/// An answer that was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjustment {
    /// Stable, kebab case.
    pub id: String,
    /// `privacy`, `volume` or `capability`.
    pub question: String,
    /// The answer that was given.
    pub given: String,
    /// The answer that took its place.
    pub used: String,
    /// Why, in one sentence.
    pub because: String,
}

/// A change that would change the placement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Flip {
    /// The question or, for a modifier, its key.
    pub what: String,
    /// The other answer; `null` for a modifier that no longer holds.
    pub to: Option<String>,
    /// What the verdict would be.
    pub placement: Placement,
    /// `mandate`, `measurement` or `calculation` where that outranks the answer: another answer alone
    /// changes nothing. `null` where the user may simply answer otherwise.
    #[serde(default)]
    pub settled_by: Option<String>,
    /// The number at which it turns, where it is one: requests a month, dollars, a share.
    #[serde(default)]
    pub at: Option<f64>,
    /// The same number today.
    #[serde(default)]
    pub today: Option<f64>,
    /// The change and its verdict, in one sentence.
    pub text: String,
}

/// The volume at which the volume answer turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeThreshold {
    /// `null` with a calculation as the source: it finds no such volume.
    pub requests_per_month: Option<f64>,
    /// The same in tokens, input and output together; null where the request is not known.
    pub tokens_per_month: Option<f64>,
    /// Where its numbers come from.
    pub source: Source,
}

/// What was measured about quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityNote {
    /// `non-inferior`, `inferior`, `undecided` or `stand-in`.
    pub standing: String,
    /// Prompts that both sides answered and that could be graded.
    pub prompts: u32,
    /// Accepted loss of pass rate.
    pub margin: f64,
    #[doc = definition!(local_pass_rate)]
    pub local_pass_rate: f64,
    #[doc = definition!(api_pass_rate)]
    pub api_pass_rate: f64,
    /// What that means, in one sentence.
    pub text: String,
    /// Where its numbers come from.
    pub source: Source,
}

/// What was computed about cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostNote {
    /// `local`, `cloud` or `contested`.
    pub standing: String,
    /// Months over which both were computed.
    pub horizon_months: Option<f64>,
    /// The pair that is hardest for local to win.
    pub cloud: String,
    /// Name of the local side of that pair.
    pub local: String,
    #[doc = definition!(payback_months)]
    pub payback_months: Option<f64>,
    /// Why it never pays back; null when it does.
    pub never_because: Option<String>,
    #[doc = definition!(tco_cloud_usd)]
    pub tco_cloud_usd: Option<f64>,
    #[doc = definition!(tco_local_usd)]
    pub tco_local_usd: Option<f64>,
    /// What that means, in one sentence.
    pub text: String,
    /// The cost document it was read from.
    pub file: String,
}

/// Which class of model, and examples of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// When rented.
    pub cloud_tier: Option<TierNote>,
    /// When run locally.
    pub local_tier: Option<TierNote>,
    /// An API model of that tier; null where none has a price.
    pub api: Option<ApiExample>,
    /// An open model of that tier.
    pub open: Option<OpenExample>,
    /// The hardware that carries it.
    pub hardware: Option<HardwareExample>,
}

/// A tier of capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierNote {
    /// 1 (highest) to 4.
    pub tier: u8,
    /// Its name.
    pub title: String,
    /// What such models can do.
    pub meaning: String,
    /// What it takes to run one of them.
    pub hardware: String,
}

/// An API model of a tier, and what it would cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiExample {
    /// Its id in the catalogue: `provider/model`.
    pub id: String,
    /// Its tier, 1 (highest) to 4; null where it is not known.
    pub tier: Option<u8>,
    #[doc = definition!(usd_per_request)]
    /// At list price, without cache, batch or context tiers.
    pub usd_per_request: f64,
    /// The same for a month's requests; null where their number is not known.
    pub usd_per_month: Option<f64>,
    /// The request shape is the user's, or the assumption.
    pub request: Source,
    /// Where its numbers come from.
    pub source: Source,
}

/// An open model of a tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenExample {
    /// Its id in the catalogue.
    pub id: String,
    /// Its tier, 1 (highest) to 4; null where it is not known.
    pub tier: Option<u8>,
    /// `OWNER/REPO` on the hub.
    pub repository: Option<String>,
    /// Parameters of the whole model.
    pub parameters: Option<u64>,
    /// Where its numbers come from.
    pub source: Source,
}

/// Hardware that carries an open model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HardwareExample {
    /// Its id in the catalogue.
    pub id: String,
    /// As its maker writes it.
    pub name: String,
    /// How many of them.
    pub count: u32,
    /// Memory of all of them.
    pub memory_gib: Option<f64>,
    #[doc = definition!(needed_gib)]
    pub needed_gib: f64,
    /// Where its numbers come from.
    pub source: Source,
}

/// How to get from one placement to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// From where to where.
    pub title: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What says whether a step went well.
    #[serde(default)]
    pub measures: Vec<String>,
    /// When to go back to the step before.
    #[serde(default)]
    pub stop_if: Vec<String>,
}

/// How to begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    /// What it brings about.
    pub title: String,
    /// How long until something answers, in words.
    pub time_to_first_result: String,
    /// What to do, in order.
    pub steps: Vec<RecipeStep>,
}

/// One step of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeStep {
    /// What to do.
    pub text: String,
    /// A command or a file; null where there is none.
    pub code: Option<String>,
}

/// When the verdict should be checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookAgain {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// Why on that day, in one sentence.
    pub because: String,
    /// Look sooner if one of these happens.
    pub triggers: Vec<String>,
}

impl AdviceResult {
    /// The options a reader weighs. Left out: splits that may not be taken and do not cost less than
    /// everything else; they are in the document.
    pub fn worth_showing(&self) -> impl Iterator<Item = &OptionRow> {
        let hybrid = |o: &OptionRow| o.placement == Placement::Hybrid;
        let rest = self.options.iter().filter(move |o| !hybrid(o));
        let least = rest.filter_map(|o| o.tco_usd).fold(f64::INFINITY, f64::min);
        self.options.iter().filter(move |o| {
            let chosen = self.chosen.as_ref() == Some(&o.id);
            let cheapest = o.tco_usd.is_some_and(|tco| tco < least);
            chosen || !hybrid(o) || o.excluded_because.is_none() || cheapest
        })
    }
}
