//! `freehold.advice/1`: the verdict, why, what argues against it, what would change it, and how to
//! start.
//!
//! ```text
//! Verdict + Guide + candidates ─► AdviceDocument ─► JSON | View
//! ```

mod build;
pub mod text;

pub use build::{Setting, api_example, build, examples, inputs_of, open_example, target};
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

/// Id of the warning that an answer of the user's was replaced by another one.
pub const ANSWER_REPLACED: &str = "answer-replaced";

/// An advice document.
pub type AdviceDocument = Envelope<AdviceResult>;

/// The verdict, and everything it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceResult {
    #[doc = definition!(placement)]
    pub placement: Placement,
    #[doc = definition!(confidence)]
    pub confidence: Confidence,
    /// What the confidence rests on, and what keeps it from being higher; one sentence each.
    #[serde(default)]
    pub confidence_because: Vec<String>,
    #[doc = definition!(rule)]
    /// Its text is the first entry of `reasons`.
    pub rule: String,
    /// The part of the decision the rule belongs to.
    pub stage: Stage,
    /// What speaks for the placement, the rule's own reason first, then by weight.
    pub reasons: Vec<Reason>,
    /// What speaks against the placement, by weight.
    pub against: Vec<Reason>,
    /// The answers the rule saw, after `adjustments`.
    pub answers: Answers,
    /// Answers that a mandate, a measurement or a calculation replaced, and by what.
    #[serde(default)]
    pub adjustments: Vec<Adjustment>,
    /// Every change of one answer or one number that would by itself change the placement.
    #[serde(default)]
    pub flips: Vec<Flip>,
    /// The volume above which the answer to the volume question is "high".
    #[serde(default)]
    pub volume_threshold: Option<VolumeThreshold>,
    /// What the bench document says about quality; null where none was given.
    #[serde(default)]
    pub quality: Option<QualityNote>,
    /// What the cost document says; null where none was given.
    #[serde(default)]
    pub cost: Option<CostNote>,
    /// Which class of model the placement calls for, with examples from today's catalogue.
    #[serde(default)]
    pub models: Models,
    /// How to move the workload from one placement to the other; null where nothing moves.
    #[serde(default)]
    pub migration: Option<Migration>,
    /// How to begin: one recipe for each way to do so.
    #[serde(default)]
    pub recipes: Vec<Recipe>,
    /// When the verdict should be checked again; null where nothing in it ages.
    #[serde(default)]
    pub look_again: Option<LookAgain>,
    /// The verdict in one sentence, with its cost; null where nothing was priced.
    #[serde(default)]
    pub sentence: Option<String>,
    /// Every way to serve the need, with its price: first the options that may be taken, then those that
    /// may not, each group by its total. Empty where the need has no numbers; the matrix then decides
    /// alone.
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
    /// What each option has cost by the end of each month, the chosen one first; empty where nothing was
    /// priced.
    #[serde(default)]
    pub cumulative: Vec<CumulativeCost>,
    /// What each option costs a month at other volumes; null where nothing was priced, and where the volume
    /// is defined as everything the hardware can generate.
    #[serde(default)]
    pub by_volume: Option<CostByVolume>,
    /// What was ruled out before anything was priced, and how many of each.
    #[serde(default)]
    pub excluded: Vec<ExcludedGroup>,
    /// Answers that pull in different directions, each with a proposal.
    #[serde(default)]
    pub tensions: Vec<Tension>,
    /// What to do first, in order.
    #[serde(default)]
    pub first_steps: Vec<RecipeStep>,
    /// The `freehold breakeven` command that computes the same costs; null where nothing was priced.
    #[serde(default)]
    pub cost_command: Option<String>,
}

/// One way to serve the need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptionRow {
    /// `api`, `same-model`, `seats`, `rented`, `owned`, `have` (machines that are there already),
    /// `hybrid-routed` or `hybrid-overflow`; the latter two end in `-rented` where the machine is rented.
    /// The second option of a kind ends in `-2`.
    pub id: String,
    /// Where it runs.
    pub placement: Placement,
    /// Its name in reports.
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
    /// What its first month costs by part, US dollars; empty for a split between two sides.
    #[serde(default)]
    pub monthly_parts_usd: BTreeMap<String, f64>,
    #[doc = definition!(tco_usd)]
    pub tco_usd: Option<f64>,
    #[doc = definition!(capex_usd)]
    pub capex_usd: Option<f64>,
    #[doc = definition!(p_cheapest)]
    /// Null for an option that may not be taken.
    pub probability_cheapest: Option<f64>,
    /// Mean of the total over all draws, US dollars: the cheapest by this figure is chosen.
    #[serde(default)]
    pub expected_tco_usd: Option<f64>,
    /// Why it may not be taken; null where it may.
    pub excluded_because: Option<String>,
    /// The reason as a stable word: `may-not-leave`, `no-people`.
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
    /// The plan for the machines that would carry the whole load; null where the option has no hardware of
    /// its own, or where that was not planned.
    #[serde(default)]
    pub plan: Option<PlanRow>,
}

/// What the matrix of the brief says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixNote {
    /// The cell's name: `moderate capability, high volume`.
    pub cell: String,
    /// The placement that the cell gives for these answers.
    pub placement: Placement,
    /// Id of the rule that fired.
    #[serde(default)]
    pub rule: String,
    /// The rule's reason.
    #[serde(default)]
    pub text: String,
    /// Why the verdict differs from the cell; null where the two agree.
    #[serde(default)]
    pub differs_because: Option<String>,
}

/// A group of offers that was ruled out before anything was priced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExcludedGroup {
    /// What kind of offer: `API models`.
    pub what: String,
    /// How many offers.
    pub count: u64,
    /// Why they were ruled out.
    pub because: String,
    /// The reason as a stable word.
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

/// One argument for or against a placement.
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
    /// Where its numbers come from; null where it has none.
    #[serde(default)]
    pub source: Option<Source>,
}

/// An answer that was replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjustment {
    /// Which replacement this is: a stable name in kebab case.
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
    /// What changes: a question (`volume`), the key of a modifier, or the name of a number:
    /// `requests_per_month`, `api_usd_per_mtok`, `pass_rate`.
    pub what: String,
    /// The answer it would change to; null for a number, and for a modifier that would no longer apply.
    pub to: Option<String>,
    /// What the verdict would be.
    pub placement: Placement,
    /// What outranks the answer: `mandate`, `measurement` or `calculation`. Another answer alone then
    /// changes nothing. Null where the user may simply answer otherwise.
    #[serde(default)]
    pub settled_by: Option<String>,
    /// The value at which the placement changes; null where no number decides. In requests a month, US
    /// dollars, or as a share from 0 to 1.
    #[serde(default)]
    pub at: Option<f64>,
    /// The value of that number today, in the same unit; null where it is not known.
    #[serde(default)]
    pub today: Option<f64>,
    /// The change and the verdict that would follow, in one sentence.
    pub text: String,
}

/// The volume above which the answer to the volume question is "high".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeThreshold {
    /// Requests a month. Null where the size of a request is not known, and where a calculation finds that
    /// own hardware pays back at no volume.
    pub requests_per_month: Option<f64>,
    /// The same in tokens, input and output together; null where the request is not known.
    pub tokens_per_month: Option<f64>,
    /// Where its numbers come from.
    pub source: Source,
}

/// What was measured about quality, on the user's prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityNote {
    /// `non-inferior`, `inferior`, `undecided`, or `stand-in`: what stood for the API was a server on this
    /// machine, so the comparison says nothing about a provider.
    pub standing: String,
    /// Prompts that both sides answered and that could be graded.
    pub prompts: u32,
    /// Accepted loss of pass rate, as a share from 0 to 1.
    pub margin: f64,
    #[doc = definition!(local_pass_rate)]
    pub local_pass_rate: f64,
    #[doc = definition!(api_pass_rate)]
    pub api_pass_rate: f64,
    /// What the comparison means, in one sentence.
    pub text: String,
    /// Where its numbers come from.
    pub source: Source,
}

/// What the cost document says about this need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostNote {
    /// `local` where every cloud offer is beaten by some local offer, `cloud` where none is, `contested`
    /// where only some are.
    pub standing: String,
    /// Months over which both sides were computed.
    pub horizon_months: Option<f64>,
    /// Name of the cloud side of the pair that is hardest for local to win; the other figures are of this
    /// pair.
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
    /// What the calculation means, in one sentence.
    pub text: String,
    /// The cost document it was read from.
    pub file: String,
}

/// Which class of model, with examples from today's catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// The tier to look for when the model is rented by the token.
    pub cloud_tier: Option<TierNote>,
    /// The tier to look for when the model runs locally.
    pub local_tier: Option<TierNote>,
    /// An API model of that tier; null where none has a price.
    pub api: Option<ApiExample>,
    /// An open model of that tier; null where the catalogue has none.
    pub open: Option<OpenExample>,
    /// Hardware that carries the open model; null where nothing in the catalogue does.
    pub hardware: Option<HardwareExample>,
}

/// A tier of capability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierNote {
    /// 1 (highest) to 4.
    pub tier: u8,
    /// Its name.
    pub title: String,
    /// What models of this tier can do.
    pub meaning: String,
    /// The hardware that running one of them takes, in words.
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
    /// At list price, without caching, batch discount or context tiers.
    pub usd_per_request: f64,
    /// US dollars for a month's requests; null where their number is not known.
    pub usd_per_month: Option<f64>,
    /// Where the request shape comes from: the user, or an assumption.
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
    /// `OWNER/REPO` on the Hugging Face hub.
    pub repository: Option<String>,
    /// Parameters of the whole model, all experts included.
    pub parameters: Option<u64>,
    /// Where its numbers come from.
    pub source: Source,
}

/// Hardware that carries an open model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HardwareExample {
    /// Its id in the catalogue.
    pub id: String,
    /// The maker's name for it.
    pub name: String,
    /// How many of them.
    pub count: u32,
    /// Memory of all of them together, GiB.
    pub memory_gib: Option<f64>,
    #[doc = definition!(needed_gib)]
    pub needed_gib: f64,
    /// Where its numbers come from.
    pub source: Source,
}

/// How to get from one placement to the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// From which placement to which.
    pub title: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// What to measure to see whether a step went well.
    #[serde(default)]
    pub measures: Vec<String>,
    /// Signs that a step should be taken back.
    #[serde(default)]
    pub stop_if: Vec<String>,
}

/// One way to begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    /// What one has at its end.
    pub title: String,
    /// How long it takes until something answers, in words.
    pub time_to_first_result: String,
    /// What to do, in order.
    pub steps: Vec<RecipeStep>,
}

/// One step of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeStep {
    /// What to do.
    pub text: String,
    /// A command, or the text of a file; null where there is none.
    pub code: Option<String>,
}

/// When the verdict should be checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookAgain {
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// Why on that day, in one sentence.
    pub because: String,
    /// Events after which to look sooner.
    pub triggers: Vec<String>,
}

impl AdviceResult {
    /// The options worth showing to a reader. Left out are splits that may not be taken, unless they cost
    /// less than every option that is no split; the document keeps them all.
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
