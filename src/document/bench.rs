//! `freehold.bench/1`: what was measured, on which target, from which samples.
//!
//! ```text
//! measured samples ─► statistics ─► BenchDocument ─► JSON | View | Evidence (for breakeven and advise)
//! ```
//!
//! Latencies are milliseconds, rates are tokens per second, money is USD. `null` is "not measured",
//! never 0. The definitions travel with the numbers in `result.definitions`.

pub mod build;
pub mod embedding;
pub mod engine;
mod evidence;
pub mod judge;
pub mod load;
pub mod model;
pub mod pair;
pub mod price;
mod sample;
pub mod sellers;
mod summary;
mod target;

pub use engine::Engine;
pub use sample::{Sample, TokenSource};
pub use summary::Summary;
pub use target::{Kind, Noise, Price, Rate, Target, TokenMeans, Turn};

use super::envelope::Envelope;
use crate::document::metrics::definition;
use load::LoadSample;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.bench/1";

/// A bench document.
pub type BenchDocument = Envelope<BenchResult>;

/// Everything one run measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BenchResult {
    /// False where planned requests were never sent, because the run was interrupted, reached its spending
    /// limit, or a target stopped. Everything listed was still measured.
    pub complete: bool,
    /// One entry for each model that was asked.
    pub targets: Vec<Target>,
    /// One entry per planned request that was started, in the order they ran.
    pub samples: Vec<Sample>,
    /// One entry per measured request under load, in the order they ended.
    #[serde(default)]
    pub load_samples: Vec<LoadSample>,
    /// Local against API, paired by prompt.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// The same verdicts for pairs of a local target and an API only, in the short form of older documents.
    #[serde(default)]
    pub quality: Vec<Quality>,
    /// Every pair of targets that answered the same prompts: quality, agreement, tokens.
    #[serde(default)]
    pub pairs: Vec<pair::Pair>,
    /// The same weights from several sellers, where `--same-weights` says that the targets are that.
    #[serde(default)]
    pub same_weights: Option<sellers::SameWeights>,
    /// Models that judged the answers.
    #[serde(default)]
    pub judges: Vec<judge::Judge>,
    /// What was spent and what was allowed, US dollars.
    #[serde(default)]
    pub spending: Spending,
    /// What each metric means: field name → definition.
    #[serde(default)]
    pub definitions: BTreeMap<String, String>,
}

/// Ratio of medians, local ÷ API, by paired bootstrap over prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Id of the local target.
    pub local: String,
    /// Id of the API target.
    pub api: String,
    /// Which metric is compared: `ttft_ms`, `tpot_ms`, `decode_tps`, `e2e_ms`.
    pub metric: String,
    /// Prompts that both sides answered.
    pub prompts: u32,
    #[doc = definition!(ratio)]
    pub ratio: Option<f64>,
    /// Lower end of the 95 % interval of the ratio; null below six prompts.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval of the ratio.
    pub high: Option<f64>,
    /// Prompts on which both sides gave the same text in the first repeat, out of `prompts`.
    #[serde(default)]
    pub equal_text: Option<u32>,
}

/// The verdict on one local target beside one API: is the local model good enough on these prompts?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// Id of the local target.
    pub local: String,
    /// Id of the API target.
    pub api: String,
    /// Prompts with an expectation that both sides answered.
    pub prompts: u32,
    #[doc = definition!(local_pass_rate)]
    pub local_pass_rate: f64,
    #[doc = definition!(api_pass_rate)]
    pub api_pass_rate: f64,
    /// Prompts that both passed.
    pub both_pass: u32,
    /// Prompts that only the local model passed.
    pub local_only: u32,
    /// Prompts that only the API passed.
    pub api_only: u32,
    /// Prompts that neither passed.
    pub neither: u32,
    /// p of the exact `McNemar` test, two-sided; null where the two sides never differ, and where the
    /// verdict rests on another test.
    pub mcnemar_p: Option<f64>,
    #[doc = definition!(pass_rate_difference)]
    pub difference: f64,
    /// Lower end of the 95 % interval of the difference of pass rates.
    pub difference_low: Option<f64>,
    /// Upper end of the 95 % interval of the difference of pass rates.
    pub difference_high: Option<f64>,
    /// Accepted loss of pass rate, as a share from 0 to 1.
    pub margin: f64,
    #[doc = definition!(non_inferior)]
    pub non_inferior: Option<bool>,
    #[doc = definition!(prompts_needed)]
    pub prompts_needed: Option<u32>,
    /// Fewer than 20 prompts: enough to show that the set-up works, too few for a decision.
    pub smoke_only: bool,
}

/// What was planned, allowed and spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spending {
    /// Requests to APIs: warm-up is counted, retries are not.
    pub planned_calls: u32,
    /// Upper bound of the input tokens of those calls.
    pub planned_input_tokens: u64,
    /// Upper bound of their output tokens.
    pub planned_output_tokens: u64,
    /// Upper bound of the cost of those calls, US dollars; null where a target has no price in the
    /// catalogue.
    pub worst_case_usd: Option<f64>,
    /// Ids of the targets without a price.
    #[serde(default)]
    pub unpriced: Vec<String>,
    /// The limit given by `--max-cost`, US dollars.
    #[serde(default)]
    pub max_cost_usd: Option<f64>,
    /// How spending was agreed to: `not-needed`, `asked`, `--yes` or `--max-cost`.
    pub consent: String,
    #[doc = definition!(spent_usd)]
    pub spent_usd: Option<f64>,
    /// The most that attempts whose cost is not known (cut off, timed out) can have cost in addition, US
    /// dollars.
    #[serde(default)]
    pub unsettled_usd: Option<f64>,
    /// Attempts that one call may take; the worst case assumes that every one of them is billed.
    #[serde(default)]
    pub attempts_per_call: Option<u32>,
}
