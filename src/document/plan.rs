//! `freehold.plan/1`: what somebody would build to serve a need with one open model.
//!
//! A plan names the machine, how many, what runs on each, what every request gets, what keeps it from
//! being smaller, and what it costs. Times are milliseconds; those with a band are means at the peak,
//! `ttft_p95_ms` and `tpot_p95_ms` are what the limits are held against.

mod build;

pub use build::{bind_word, order_name};

use super::envelope::Envelope;
use super::fit::BandRow;
use super::metrics::definition;
use super::skipped::SkippedEntry;
use crate::provenance::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.plan/1";

/// A plan document.
pub type PlanDocument = Envelope<PlanResult>;

/// Plans for one need and one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanResult {
    /// Id of the open model in the catalogue.
    pub model: String,
    /// What the plans must carry.
    pub need: PlanNeed,
    /// Months over which totals are counted.
    pub horizon_months: u32,
    /// ISO 4217 code of the currency that amounts are shown in; the fields are US dollars.
    pub currency: String,
    /// Units of that currency for one US dollar.
    pub usd_rate: f64,
    /// Plans that carry the need within the limits, the chosen one first, then by total cost. Where no
    /// plan keeps the limits: the one that comes nearest, with what it misses.
    pub plans: Vec<PlanRow>,
    /// Index in `plans` of the one with the lowest total cost; null where there is none.
    pub cheapest: Option<u32>,
    /// Index in `plans` of the one with the fewest machines.
    pub fewest_hosts: Option<u32>,
    /// Index in `plans` of the one whose whole answers are there first.
    pub lowest_latency: Option<u32>,
    /// The best plan with weights of four bits that the maker of the model did not release; null where
    /// there is none, or where only such plans exist (they then stand in `plans`).
    pub in_four_bits: Option<PlanRow>,
    /// The cheapest plan with limits on latency twice as long, where a limit binds and it costs less than
    /// four fifths of the chosen one; else null.
    #[serde(default)]
    pub with_later_limits: Option<PlanRow>,
    /// What was tried and is no plan.
    pub rejected: Vec<RejectedRow>,
    /// Machines that could not be considered.
    pub skipped: Vec<SkippedEntry>,
    /// What machines that are there already do, one for each need in turn: a later
    /// one gets what the earlier left free. Empty where none were named.
    #[serde(default)]
    pub owned: Vec<OwnedResult>,
    /// Several needs on the same machines: the best plans; empty where there is one need.
    #[serde(default)]
    pub together: Vec<TogetherRow>,
    /// Every need with its model, where there are several: `need` and `plans` are the first's alone.
    #[serde(default)]
    pub needs: Vec<NamedNeed>,
}

/// One need of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedNeed {
    /// What it is called.
    pub name: String,
    /// Id of the model that serves it.
    pub model: String,
    /// What must be carried.
    pub need: PlanNeed,
}

/// What the plans must carry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNeed {
    /// `chat`, `code`, `rag`, `documents`, `agent` or `batch`.
    #[serde(rename = "use")]
    pub purpose: String,
    /// Requests a second, mean over the hours of the month.
    pub requests_per_second_mean: f64,
    /// Requests a second in the busiest time, or what the deadline of a batch asks for.
    pub requests_per_second_peak: f64,
    /// Input tokens of a request, mean.
    pub input_tokens: f64,
    /// Input tokens that 95 requests of 100 do not exceed.
    pub input_tokens_p95: f64,
    /// Output tokens of a request with its reasoning, mean.
    pub output_tokens: f64,
    /// Share of the input that was sent before, 0 to 1: at most so much comes from a prefix cache.
    pub repeated_share: f64,
    /// Limit on the time to the first token, ms at the 95th percentile; null: none.
    pub ttft_limit_ms: Option<f64>,
    /// Limit on each further token, ms at the 95th percentile; null: none.
    pub tpot_limit_ms: Option<f64>,
    /// Limit on the whole answer, ms at the 95th percentile; null: none.
    #[serde(default)]
    pub e2e_limit_ms: Option<f64>,
    /// Where limits that nobody gave are from.
    pub limits_from: String,
    /// One machine may fail without a loss.
    pub must_stay_up: bool,
    /// Hours in which a batch must be done; null where requests are answered as they come.
    pub deadline_hours: Option<f64>,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRow {
    /// As reports call it.
    pub name: String,
    /// Id of the host, machine or rental in the catalogue that is ordered; of the accelerator where no
    /// computer for it is known.
    pub host: String,
    /// As its maker writes it.
    pub host_name: String,
    #[doc = definition!(hosts)]
    pub hosts: u32,
    /// Machines that only stand in for one that failed.
    pub spare_hosts: u32,
    /// Id of the accelerator in them.
    pub accelerator: String,
    /// As its maker writes it.
    pub accelerator_name: String,
    #[doc = definition!(accelerators)]
    pub accelerators: u32,
    /// Id of the model that runs.
    pub model: String,
    /// `vllm`, `cuda`, `metal`, …: the software path that the speeds are predicted for.
    pub backend: String,
    /// `vllm`, `llama.cpp` or `mlx`: the engine that is started.
    pub engine: String,
    /// The weight format: `FP8`.
    pub quantisation: String,
    /// `published`, `converted` or `unknown`: whether weights of the model in this format are there.
    pub weights: String,
    /// The format of keys and values in the cache: `F16`.
    pub kv_type: String,
    /// Accelerators that share every layer.
    pub tensor_parallel: u32,
    /// Groups of accelerators that share the layers out.
    pub pipeline_parallel: u32,
    /// Experts are dealt out whole instead of split.
    pub expert_parallel: bool,
    /// Copies of the model in service.
    pub replicas: u32,
    /// Copies that one machine holds.
    pub replicas_per_host: u32,
    /// Requests that one copy serves at once.
    pub concurrency: u32,
    /// Tokens that the longest planned request has, input and output.
    pub context_tokens: f64,
    /// Share of the input that the engine's own prefix cache holds, 0 to 1.
    pub cached_input_share: f64,
    #[doc = definition!(predicted_ttft_ms)]
    pub ttft_ms: BandRow,
    #[doc = definition!(predicted_tpot_ms)]
    pub tpot_ms: BandRow,
    /// Time to the first token at the 95th percentile, with every place taken, ms.
    pub ttft_p95_ms: f64,
    /// Time per further token with every place taken, ms.
    pub tpot_p95_ms: f64,
    #[doc = definition!(requests_per_second)]
    pub requests_per_second: f64,
    /// Requests a second with every place taken.
    pub requests_per_second_at_most: f64,
    /// Share of the time that the machines in service are busy at the peak, 0 to 1.
    pub busy_peak: f64,
    /// The same on average.
    pub busy_mean: f64,
    /// What keeps the plan from being smaller, the strongest reason first: `compute`, `kv-memory`,
    /// `ttft`, `tpot`, `e2e`, `granularity`, `spare` or `asked`.
    pub binds: Vec<String>,
    /// Limits that it misses; empty where it keeps them.
    #[serde(default)]
    pub misses: Vec<MissedRow>,
    /// Bytes of the weights of one copy, over its accelerators.
    pub weights_bytes: f64,
    /// Bytes that one copy has left for keys and values, over its accelerators.
    pub kv_room_bytes: f64,
    #[doc = definition!(plan_watts)]
    pub watts: Option<f64>,
    /// The same with every machine at full load.
    pub full_watts: Option<f64>,
    /// Height in a rack; null where it stands elsewhere or is not known.
    pub rack_units: Option<f64>,
    /// Hours a month of people who look after it.
    pub staff_hours_per_month: BandRow,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// What the machines still fetch at the horizon, less what is owed then; it is taken off the total. Null
    /// in older documents.
    #[serde(default)]
    pub left_usd: Option<f64>,
    /// Where the price of a machine was read; null where none is known.
    pub price_source: Option<Source>,
    /// No computer for the accelerators is known: the price is theirs alone.
    pub bare: bool,
    /// No published run of the engine on accelerators of this generation stands behind the speeds: measure
    /// one before more are ordered.
    #[serde(default)]
    pub unmeasured: bool,
    /// Weights of fewer than eight bits that the maker of the model did not release: they lose some quality.
    #[serde(default)]
    pub few_bits: bool,
    /// Every figure on the way, in the order in which they follow from each other; empty for plans that are
    /// neither the first nor one of the three that are chosen.
    pub terms: Vec<TermRow>,
}

/// One figure on the way to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermRow {
    /// Its name: `replica.requests-at-once`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; empty for a share or a ratio.
    pub unit: String,
    /// Where it comes from.
    pub source: Source,
}

/// A limit that a plan misses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissedRow {
    /// `ttft`, `tpot` or `e2e`.
    pub limit: String,
    /// The limit, ms at the 95th percentile.
    pub limit_ms: f64,
    /// What 95 of its requests of 100 get, ms.
    pub ms: f64,
    /// What one request alone gets on the accelerators that come nearest, ms; null in older documents.
    #[serde(default)]
    pub alone_ms: Option<f64>,
}

/// What was tried and is no plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedRow {
    /// Id of the accelerator.
    pub accelerator: String,
    /// The engine.
    pub engine: String,
    /// The weight format.
    pub quantisation: String,
    /// `too-slow`, `does-not-fit`, `no-weights` or `no-engine`.
    pub reason: String,
    /// The same in words with its figures.
    pub why: String,
}

/// What machines that are there do for a need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedResult {
    /// Which need.
    pub need: String,
    /// Id of the model.
    pub model: String,
    /// Requests a second that are asked for at the peak.
    pub requests_per_second_asked: f64,
    /// Requests a second that all machines together could carry within the limits.
    pub requests_per_second_at_most: f64,
    /// Requests a second beyond that; 0 where the machines are enough.
    pub short_requests_per_second: f64,
    /// Share of what all machines carry that stays free at the peak, 0 to 1.
    pub free_at_peak: f64,
    /// The same in each of the 168 hours of the week, Monday 00:00 UTC first; null where the hours of the
    /// load are not known.
    #[serde(default)]
    pub free_by_hour: Option<Vec<f64>>,
    /// Whether the others carry the need when any one machine fails; null where it need not stay up.
    #[serde(default)]
    pub survives_failure: Option<bool>,
    /// One for each kind of machine.
    pub machines: Vec<OwnedRow>,
}

/// Machines of one kind that are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedRow {
    /// As they were named.
    pub name: String,
    /// How many.
    pub hosts: u32,
    /// Accelerators in all of them.
    pub accelerators: u32,
    /// Id of the host or machine in the catalogue; of the accelerator where no computer was named.
    #[serde(default)]
    pub host: String,
    /// Id of the accelerator.
    #[serde(default)]
    pub accelerator: String,
    /// As its maker writes it.
    #[serde(default)]
    pub accelerator_name: String,
    /// The engine, formats and parallelism of a copy; null where the model does not run here within
    /// the limits.
    pub runs: Option<OwnedCopy>,
    /// Accelerators that stay free.
    pub free_accelerators: u32,
}

/// A copy of the model on owned machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedCopy {
    /// The software path.
    pub backend: String,
    /// The engine that is started.
    #[serde(default)]
    pub engine: String,
    /// Machines that these copies run on.
    #[serde(default)]
    pub hosts: u32,
    /// Experts are dealt out whole instead of split.
    #[serde(default)]
    pub expert_parallel: bool,
    /// Tokens that the longest planned request has, input and output.
    #[serde(default)]
    pub context_tokens: f64,
    /// Bytes of the weights of one copy.
    #[serde(default)]
    pub weights_bytes: f64,
    /// Time to the first token at the 95th percentile, with every place taken, ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Time per further token with every place taken, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
    /// The weight format.
    pub quantisation: String,
    /// The format of the KV cache.
    pub kv_type: String,
    /// Accelerators that share every layer.
    pub tensor_parallel: u32,
    /// Groups of accelerators that share the layers out.
    pub pipeline_parallel: u32,
    /// Copies that run for this need.
    pub replicas: u32,
    /// Copies that there is room for.
    pub room: u32,
    /// Requests at once of one copy.
    pub concurrency: u32,
    /// Requests a second that the copies carry.
    pub requests_per_second: f64,
}

/// Several needs on machines of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TogetherRow {
    /// Id of the host.
    pub host: String,
    /// As its maker writes it.
    pub host_name: String,
    /// Machines, the spare ones included.
    pub hosts: u32,
    /// Machines that only stand in for one that failed.
    pub spare_hosts: u32,
    /// What is ordered, as reports call it.
    #[serde(default)]
    pub name: String,
    /// Id of the accelerator in them.
    #[serde(default)]
    pub accelerator: String,
    /// As its maker writes it.
    #[serde(default)]
    pub accelerator_name: String,
    /// Accelerators in all of them.
    #[serde(default)]
    pub accelerators: u32,
    /// What runs for each model.
    pub parts: Vec<PartRow>,
    /// Accelerators that no copy uses, in the machines in service.
    pub free_accelerators: u32,
    /// At the wall at the mean load, W.
    #[serde(default)]
    pub watts: Option<f64>,
    /// Purchase and installation.
    pub capex_usd: f64,
    /// Power, place and people, a month.
    pub monthly_usd: f64,
    /// Over the horizon, what is left then taken off.
    pub total_usd: f64,
}

/// One model of several on the same machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartRow {
    /// Names of the needs that it serves.
    pub needs: String,
    /// Id of the model.
    pub model: String,
    /// The engine that is started.
    #[serde(default)]
    pub engine: String,
    /// The weight format.
    pub quantisation: String,
    /// The format of keys and values in the cache.
    #[serde(default)]
    pub kv_type: String,
    /// Accelerators of one copy.
    pub accelerators: u32,
    /// Copies.
    pub replicas: u32,
    /// Requests at once of one copy.
    pub concurrency: u32,
    /// Requests a second at the peak.
    pub requests_per_second: f64,
    /// Time to the first token at the 95th percentile, with every place taken, ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Time per further token with every place taken, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
}
