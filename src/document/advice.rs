//! `freehold.advice/1`: the verdict, why, what argues against it, what would change it, and how to
//! start.
//!
//! ```text
//! Verdict + Guide + candidates ─► AdviceDocument ─► JSON | View
//! ```

mod build;
pub mod text;

pub use build::{Setting, build};
pub use text::modifier;

use super::envelope::Envelope;
use crate::advise::matrix::BriefLine;
use crate::advise::{Confidence, Placement, Stage};
use crate::provenance::Source;
use crate::workload::Answers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.advice/1";

/// The warning of an answer that was outranked.
pub const ANSWER_REPLACED: &str = "answer-replaced";

/// An advice document.
pub type AdviceDocument = Envelope<AdviceResult>;

/// The verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdviceResult {
    pub placement: Placement,
    pub confidence: Confidence,
    /// What moved it from the rule's own.
    #[serde(default)]
    pub confidence_because: Vec<String>,
    /// Id of the rule that fired; its text is the first of `reasons`.
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
    #[serde(default)]
    pub models: Models,
    #[serde(default)]
    pub migration: Option<Migration>,
    #[serde(default)]
    pub recipes: Vec<Recipe>,
    #[serde(default)]
    pub look_again: Option<LookAgain>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// Stable, kebab case.
    pub id: String,
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
    pub given: String,
    pub used: String,
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
    pub text: String,
}

/// The volume at which the volume answer turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeThreshold {
    /// `null` with a calculation as the source: it finds no such volume.
    pub requests_per_month: Option<f64>,
    pub tokens_per_month: Option<f64>,
    pub source: Source,
}

/// What was measured about quality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityNote {
    /// `non-inferior`, `inferior`, `undecided` or `stand-in`.
    pub standing: String,
    pub prompts: u32,
    /// Accepted loss of pass rate.
    pub margin: f64,
    pub local_pass_rate: f64,
    pub api_pass_rate: f64,
    pub text: String,
    pub source: Source,
}

/// What was computed about cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CostNote {
    /// `local`, `cloud` or `contested`.
    pub standing: String,
    pub horizon_months: Option<f64>,
    /// The pair that is hardest for local to win.
    pub cloud: String,
    pub local: String,
    pub payback_months: Option<f64>,
    pub never_because: Option<String>,
    pub tco_cloud_usd: Option<f64>,
    pub tco_local_usd: Option<f64>,
    pub text: String,
    pub file: String,
}

/// Which class of model, and examples of the day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Models {
    /// When rented.
    pub cloud_tier: Option<TierNote>,
    /// When run locally.
    pub local_tier: Option<TierNote>,
    pub api: Option<ApiExample>,
    pub open: Option<OpenExample>,
    pub hardware: Option<HardwareExample>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TierNote {
    pub tier: u8,
    pub title: String,
    pub meaning: String,
    /// What it takes to run one of them.
    pub hardware: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApiExample {
    pub id: String,
    pub tier: Option<u8>,
    /// At list price, without cache, batch or context tiers.
    pub usd_per_request: f64,
    pub usd_per_month: Option<f64>,
    /// The request shape is the user's, or the assumption.
    pub request: Source,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenExample {
    pub id: String,
    pub tier: Option<u8>,
    pub repository: Option<String>,
    pub parameters: Option<u64>,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HardwareExample {
    pub id: String,
    pub name: String,
    pub count: u32,
    /// Memory of all of them.
    pub memory_gib: Option<f64>,
    /// Weights at 4 bits, cache and buffers.
    pub needed_gib: f64,
    pub source: Source,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    pub title: String,
    pub steps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    pub title: String,
    pub time_to_first_result: String,
    pub steps: Vec<RecipeStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeStep {
    pub text: String,
    pub code: Option<String>,
}

/// When the verdict should be checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LookAgain {
    /// `YYYY-MM-DD`.
    pub date: String,
    pub because: String,
    /// Look sooner if one of these happens.
    pub triggers: Vec<String>,
}
