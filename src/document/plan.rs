//! `freehold.plan/1`: what one would build to serve a need with an open model.
//!
//! A plan names the machine, how many of them, what runs on each, how fast requests are answered, what
//! keeps the plan from being smaller, and what it costs. Times are milliseconds. Those with a band are
//! means at the peak; `ttft_p95_ms` and `tpot_p95_ms` are compared with the limits.

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

/// Plans for one need with one model, or for several needs on the same machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanResult {
    /// Id of the open model in the catalogue.
    pub model: String,
    /// The load that the plans must carry.
    pub need: PlanNeed,
    /// Months over which totals are counted.
    pub horizon_months: u32,
    /// ISO 4217 code of the currency that amounts are shown in; the fields are US dollars.
    pub currency: String,
    /// Units of that currency for one US dollar.
    pub usd_rate: f64,
    /// The part of the load that `plans` and `together` are for, 0 to 1, where machines that are there
    /// carry the rest; null where they are for all of it.
    #[serde(default)]
    pub planned_share: Option<f64>,
    /// What would be bought for all of the load if nothing were there; null unless `plans` are for a part
    /// of it.
    #[serde(default)]
    pub all_new: Option<PlanRow>,
    /// Plans that carry the load within the limits, the chosen one first, then by total cost. Where no plan
    /// keeps the limits: the plan that comes nearest, with the limits that it misses.
    pub plans: Vec<PlanRow>,
    /// Index in `plans` of the one with the lowest total cost; null where there is none.
    pub cheapest: Option<u32>,
    /// Index in `plans` of the plan with the fewest machines; null where there is none.
    pub fewest_hosts: Option<u32>,
    /// Index in `plans` of the plan that finishes an answer soonest; null where there is none.
    pub lowest_latency: Option<u32>,
    /// The best plan with weights of four bits that the maker of the model did not release; null where
    /// there is none, or where the cheapest plan has few bits anyway (they then stand in `plans`).
    pub in_four_bits: Option<PlanRow>,
    /// The cheapest plan if the limits on latency were twice as long; null unless a limit binds and this
    /// plan costs less than four fifths of the chosen one.
    #[serde(default)]
    pub with_later_limits: Option<PlanRow>,
    /// Combinations that were tried and make no plan.
    pub rejected: Vec<RejectedRow>,
    /// Machines in the catalogue that could not be considered.
    pub skipped: Vec<SkippedEntry>,
    /// What the machines that are there already can carry, one entry for each need in turn: a later need
    /// gets what the earlier ones left free. Empty where no machines were named.
    #[serde(default)]
    pub owned: Vec<OwnedResult>,
    /// The best plans for several needs on the same machines, the cheapest first; empty where there is only
    /// one need. Plans with weights of few bits stand here only where there are no others.
    #[serde(default)]
    pub together: Vec<TogetherRow>,
    /// The best of those with weights of few bits that the makers did not release; null where there is
    /// none, or where they stand in `together`.
    #[serde(default)]
    pub together_in_few_bits: Option<TogetherRow>,
    /// Every need with its model, where there are several; `need` and `plans` are then those of the first.
    #[serde(default)]
    pub needs: Vec<NamedNeed>,
}

/// One need of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NamedNeed {
    /// The need's name.
    pub name: String,
    /// Id of the model that serves it.
    pub model: String,
    /// The load of this need.
    pub need: PlanNeed,
}

/// The load of one need, and the limits on latency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanNeed {
    /// What requests are for: `chat`, `code`, `rag`, `documents`, `agent` or `batch`.
    #[serde(rename = "use")]
    pub purpose: String,
    /// Requests a second, mean over the hours of the month.
    pub requests_per_second_mean: f64,
    /// Requests a second in the busiest time, or as many as the deadline of a batch requires.
    pub requests_per_second_peak: f64,
    /// Input tokens of a request, mean.
    pub input_tokens: f64,
    /// Input tokens of a request, 95th percentile.
    pub input_tokens_p95: f64,
    /// Output tokens of a request, reasoning included, mean.
    pub output_tokens: f64,
    /// Share of the input that an earlier request had already sent, 0 to 1: the most that a prefix cache
    /// can supply.
    pub repeated_share: f64,
    /// Limit on the time to the first token at the 95th percentile, ms; null where there is none.
    pub ttft_limit_ms: Option<f64>,
    /// Limit on the time per output token after the first at the 95th percentile, ms; null where there is
    /// none.
    pub tpot_limit_ms: Option<f64>,
    /// Limit on the time of the whole answer at the 95th percentile, ms; null where there is none.
    #[serde(default)]
    pub e2e_limit_ms: Option<f64>,
    /// Where the limits come from that the user did not give.
    pub limits_from: String,
    /// The service must stay up when one machine fails.
    pub must_stay_up: bool,
    /// Hours within which a batch must be done; null where requests are answered as they come.
    pub deadline_hours: Option<f64>,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRow {
    /// Its name in reports.
    pub name: String,
    /// Id in the catalogue of what is ordered: a host, a machine or a rental; of the accelerator where no
    /// computer for it is known.
    pub host: String,
    /// The maker's name for it.
    pub host_name: String,
    #[doc = definition!(hosts)]
    pub hosts: u32,
    /// How many of the hosts are spares, which only stand in for one that fails.
    pub spare_hosts: u32,
    /// Id of the accelerator in them.
    pub accelerator: String,
    /// The maker's name for it.
    pub accelerator_name: String,
    #[doc = definition!(accelerators)]
    pub accelerators: u32,
    /// Id of the model that runs.
    pub model: String,
    /// The software path that the speeds are predicted for: `vllm`, `cuda`, `metal`, …
    pub backend: String,
    /// The engine to start: `vllm`, `llama.cpp` or `mlx`.
    pub engine: String,
    /// The weight format: `FP8`.
    pub quantisation: String,
    /// Where weights in this format come from: `published` by someone, to be `converted`, or `unknown`.
    pub weights: String,
    /// Format of keys and values in the cache: `F16`.
    pub kv_type: String,
    /// Degree of tensor parallelism: accelerators that share each layer.
    pub tensor_parallel: u32,
    /// Degree of pipeline parallelism: groups of accelerators, each of which has part of the layers.
    pub pipeline_parallel: u32,
    /// Expert parallelism: every accelerator has whole experts instead of a part of each.
    pub expert_parallel: bool,
    /// Copies of the model in service.
    pub replicas: u32,
    /// Copies of the model on one machine.
    pub replicas_per_host: u32,
    /// Requests that one copy serves at the same time.
    pub concurrency: u32,
    /// Context length that is planned for: 95th percentile of the input plus that of the output, tokens.
    pub context_tokens: f64,
    /// Share of the input that the engine's prefix cache supplies, 0 to 1.
    pub cached_input_share: f64,
    #[doc = definition!(predicted_ttft_ms)]
    pub ttft_ms: BandRow,
    #[doc = definition!(predicted_tpot_ms)]
    pub tpot_ms: BandRow,
    /// Predicted time to the first token at the 95th percentile, with `concurrency` requests in each copy,
    /// ms.
    pub ttft_p95_ms: f64,
    /// Predicted time per output token after the first at the 95th percentile, with `concurrency` requests
    /// in each copy, ms.
    pub tpot_p95_ms: f64,
    #[doc = definition!(requests_per_second)]
    pub requests_per_second: f64,
    /// Requests a second with `concurrency` requests in each copy.
    pub requests_per_second_at_most: f64,
    /// Share of the time that the machines in service are busy at the peak, 0 to 1.
    pub busy_peak: f64,
    /// Share of the time that they are busy, mean over the month, 0 to 1.
    pub busy_mean: f64,
    /// What keeps the plan from being smaller, the strongest reason first: `compute`, `kv-memory`,
    /// `ttft`, `tpot`, `e2e`, `granularity`, `spare` or `asked`.
    pub binds: Vec<String>,
    /// Limits on latency that the plan misses; empty where it keeps them.
    #[serde(default)]
    pub misses: Vec<MissedRow>,
    /// Size of the weights of one copy over its accelerators, bytes.
    pub weights_bytes: f64,
    /// Memory of one copy's accelerators that is left for the KV cache, bytes.
    pub kv_room_bytes: f64,
    #[doc = definition!(plan_watts)]
    pub watts: Option<f64>,
    /// Power with every machine at full load, W; null where it is not known.
    pub full_watts: Option<f64>,
    /// Height in a rack, rack units; null where the machine does not go into a rack or its height is not
    /// known.
    pub rack_units: Option<f64>,
    /// Hours a month that people spend looking after it.
    pub staff_hours_per_month: BandRow,
    #[doc = definition!(capex_usd)]
    pub capex_usd: f64,
    #[doc = definition!(monthly_usd)]
    pub monthly_usd: f64,
    #[doc = definition!(tco_usd)]
    pub tco_usd: f64,
    /// What the machines would still fetch at the horizon, less what is then owed, US dollars; taken off
    /// the total. Null in older documents.
    #[serde(default)]
    pub left_usd: Option<f64>,
    /// Paid until it works, US dollars: what is bought and not financed, installation, and what is paid
    /// once. Null in older documents.
    #[serde(default)]
    pub upfront_usd: Option<f64>,
    /// What is bought after that, or rented in addition.
    #[serde(default)]
    pub later: Vec<LaterRow>,
    /// Everything that recurs, summed over the horizon, US dollars: the total is `upfront_usd` + the `usd`
    /// of `later` + this − `left_usd`. Null in older documents.
    #[serde(default)]
    pub running_usd: Option<f64>,
    /// Where the price of a machine was read; null where none is known.
    pub price_source: Option<Source>,
    /// No computer for the accelerators is known, so the price is that of the accelerators alone.
    pub bare: bool,
    /// No published run of the engine on accelerators of this generation supports these speeds: measure one
    /// machine before ordering more.
    #[serde(default)]
    pub unmeasured: bool,
    /// The weights have fewer than eight bits and were not released by the model's maker: they lose some
    /// quality.
    #[serde(default)]
    pub few_bits: bool,
    /// Every figure on the way to the plan, in the order of the computation; empty for plans that are not
    /// the first, the cheapest, the smallest or the fastest.
    pub terms: Vec<TermRow>,
}

/// Machines that are bought, or rented in addition, after the start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LaterRow {
    /// Month of the horizon, from 1.
    pub month: u32,
    /// Machines that come in addition.
    pub added: u32,
    /// Machines that take the place of old ones.
    pub replaced: u32,
    /// Paid for both at the beginning of the month, US dollars, less what the old ones fetch; 0 where they
    /// are rented.
    pub usd: f64,
}

/// One figure on the way to a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermRow {
    /// Its name: `replica.requests-at-once`.
    pub name: String,
    /// Its value, in `unit`.
    pub value: f64,
    /// The unit; empty for a share or a ratio.
    pub unit: String,
    /// Where the figure comes from.
    pub source: Source,
}

/// A limit on latency that a plan misses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MissedRow {
    /// Which limit: `ttft`, `tpot` or `e2e`.
    pub limit: String,
    /// The limit, ms at the 95th percentile.
    pub limit_ms: f64,
    /// The plan's figure at the 95th percentile, ms.
    pub ms: f64,
    /// The figure of a single request with nothing else running, on the accelerators that come nearest, ms;
    /// null in older documents.
    #[serde(default)]
    pub alone_ms: Option<f64>,
}

/// A combination of accelerator, engine and format that makes no plan.
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
    /// The reason in words, with its figures.
    pub why: String,
}

/// What the machines that are there already can do for a need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedResult {
    /// Name of the need.
    pub need: String,
    /// Id of the model.
    pub model: String,
    /// Requests a second at the peak.
    pub requests_per_second_asked: f64,
    /// Requests a second that all machines together can carry within the limits.
    pub requests_per_second_at_most: f64,
    /// Requests a second at the peak that they cannot carry; 0 where the machines suffice.
    pub short_requests_per_second: f64,
    /// Share of the capacity of all machines that stays free at the peak, 0 to 1.
    pub free_at_peak: f64,
    /// The free share in each of the 168 hours of the week, beginning Monday 00:00 UTC; null where the
    /// hours of the load are not known.
    #[serde(default)]
    pub free_by_hour: Option<Vec<f64>>,
    /// Can the remaining machines carry the need when any one fails? Null where the service need not stay
    /// up.
    #[serde(default)]
    pub survives_failure: Option<bool>,
    /// One entry for each kind of machine.
    pub machines: Vec<OwnedRow>,
}

/// Machines of one kind that are there already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedRow {
    /// Their name, as the user gave it.
    pub name: String,
    /// How many there are.
    pub hosts: u32,
    /// Accelerators in all of them together.
    pub accelerators: u32,
    /// Id of the host or machine in the catalogue; of the accelerator where no computer was named.
    #[serde(default)]
    pub host: String,
    /// Id of the accelerator.
    #[serde(default)]
    pub accelerator: String,
    /// The maker's name for the accelerator.
    #[serde(default)]
    pub accelerator_name: String,
    /// What runs on them; null where the model cannot run on them within the limits.
    pub runs: Option<OwnedCopy>,
    /// Accelerators that no copy uses.
    pub free_accelerators: u32,
}

/// The copies of a model that run on machines of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnedCopy {
    /// The software path that the speeds are predicted for.
    pub backend: String,
    /// The engine to start.
    #[serde(default)]
    pub engine: String,
    /// Machines that these copies run on.
    #[serde(default)]
    pub hosts: u32,
    /// Expert parallelism: every accelerator has whole experts instead of a part of each.
    #[serde(default)]
    pub expert_parallel: bool,
    /// Context length that is planned for: 95th percentile of the input plus that of the output, tokens.
    #[serde(default)]
    pub context_tokens: f64,
    /// Size of the weights of one copy, bytes.
    #[serde(default)]
    pub weights_bytes: f64,
    /// Predicted time to the first token at the 95th percentile, with `concurrency` requests in each copy,
    /// ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Predicted time per output token after the first at the 95th percentile, with `concurrency` requests
    /// in each copy, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
    /// The weight format.
    pub quantisation: String,
    /// Format of keys and values in the cache.
    pub kv_type: String,
    /// Degree of tensor parallelism: accelerators that share each layer.
    pub tensor_parallel: u32,
    /// Degree of pipeline parallelism: groups of accelerators, each of which has part of the layers.
    pub pipeline_parallel: u32,
    /// Copies that run for this need.
    pub replicas: u32,
    /// Copies that the machines could hold.
    pub room: u32,
    /// Requests that one copy serves at the same time.
    pub concurrency: u32,
    /// Requests a second that these copies carry together.
    pub requests_per_second: f64,
}

/// Several needs on machines of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TogetherRow {
    /// Id of the host.
    pub host: String,
    /// The maker's name for it.
    pub host_name: String,
    /// Number of machines, spares included.
    pub hosts: u32,
    /// How many of them are spares, which only stand in for one that fails.
    pub spare_hosts: u32,
    /// Name of what is ordered, as in reports.
    #[serde(default)]
    pub name: String,
    /// Id of the accelerator in them.
    #[serde(default)]
    pub accelerator: String,
    /// The maker's name for the accelerator.
    #[serde(default)]
    pub accelerator_name: String,
    /// Accelerators in all machines together.
    #[serde(default)]
    pub accelerators: u32,
    /// What runs for each of the models.
    pub parts: Vec<PartRow>,
    /// Accelerators that no copy uses, not counting those of spare machines.
    pub free_accelerators: u32,
    /// Power at the wall at the mean load, W; null for rented machines.
    #[serde(default)]
    pub watts: Option<f64>,
    /// Purchase and installation, US dollars.
    pub capex_usd: f64,
    /// Power, hosting and people, US dollars a month.
    pub monthly_usd: f64,
    /// Total over the horizon, US dollars, less what the machines would then fetch.
    pub total_usd: f64,
    /// What the machines would still fetch at the horizon, less what is then owed, US dollars; taken off
    /// the total. Null in older documents.
    #[serde(default)]
    pub left_usd: Option<f64>,
    /// Paid until it works, US dollars: what is bought and not financed, installation, and what is paid
    /// once. Null in older documents.
    #[serde(default)]
    pub upfront_usd: Option<f64>,
    /// What is bought after that, or rented in addition.
    #[serde(default)]
    pub later: Vec<LaterRow>,
    /// Everything that recurs, summed over the horizon, US dollars: the total is `upfront_usd` + the `usd`
    /// of `later` + this − `left_usd`. Null in older documents.
    #[serde(default)]
    pub running_usd: Option<f64>,
    /// Some of the weights have fewer than eight bits and were not released by the model's maker: they lose
    /// some quality.
    #[serde(default)]
    pub few_bits: bool,
}

/// One model of several on the same machines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartRow {
    /// Name of the need that it serves.
    pub needs: String,
    /// Id of the model.
    pub model: String,
    /// The software path that the speeds are predicted for; empty in older documents.
    #[serde(default)]
    pub backend: String,
    /// The engine to start.
    #[serde(default)]
    pub engine: String,
    /// The weight format.
    pub quantisation: String,
    /// Format of keys and values in the cache.
    #[serde(default)]
    pub kv_type: String,
    /// Accelerators of one copy.
    pub accelerators: u32,
    /// Degree of tensor parallelism: accelerators that share each layer; null in older documents.
    #[serde(default)]
    pub tensor_parallel: Option<u32>,
    /// Degree of pipeline parallelism: groups of accelerators, each of which has part of the layers; null
    /// in older documents.
    #[serde(default)]
    pub pipeline_parallel: Option<u32>,
    /// Expert parallelism: every accelerator has whole experts instead of a part of each.
    #[serde(default)]
    pub expert_parallel: bool,
    /// Context length that is planned for, input and output, tokens; null in older documents.
    #[serde(default)]
    pub context_tokens: Option<f64>,
    /// Size of the weights of one copy, bytes; null in older documents.
    #[serde(default)]
    pub weights_bytes: Option<f64>,
    /// The weights have fewer than eight bits and were not released by the model's maker.
    #[serde(default)]
    pub few_bits: bool,
    /// Limit on the time to the first token at the 95th percentile, ms: of the needs that share the copies,
    /// the one that is hardest to keep. Null where there is none.
    #[serde(default)]
    pub ttft_limit_ms: Option<f64>,
    /// The same for the time per output token after the first, ms; null where there is none.
    #[serde(default)]
    pub tpot_limit_ms: Option<f64>,
    /// Input tokens of a request, mean; null in older documents.
    #[serde(default)]
    pub input_tokens: Option<f64>,
    /// Output tokens of a request, mean; null in older documents.
    #[serde(default)]
    pub output_tokens: Option<f64>,
    /// Copies of the model.
    pub replicas: u32,
    /// Requests that one copy serves at the same time.
    pub concurrency: u32,
    /// Requests a second at the peak.
    pub requests_per_second: f64,
    /// Predicted time to the first token at the 95th percentile, with `concurrency` requests in each copy,
    /// ms; null in older documents.
    #[serde(default)]
    pub ttft_p95_ms: Option<f64>,
    /// Predicted time per output token after the first at the 95th percentile, with `concurrency` requests
    /// in each copy, ms; null in older documents.
    #[serde(default)]
    pub tpot_p95_ms: Option<f64>,
}
