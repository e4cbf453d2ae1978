//! One target of a bench document and what was measured on it.

use super::embedding::Embedding;
use super::engine::{self, Engine};
use super::load::{Level, OpenLoop};
use crate::measure::event::Fault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Local,
    Api,
}

/// Who counted the tokens. Rates from two different sources are not comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The provider's own usage record.
    Usage,
    /// The local engine's tokenizer.
    LocalTokenizer,
    /// Nobody: there is no token rate. Chunks are never counted as tokens.
    NotMeasured,
}

/// One thing that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Unique within the document: `local:smollm2.gguf`, `openai:gpt-x`.
    pub id: String,
    pub kind: Kind,
    pub model: String,
    /// It only stood in for a cloud API (a server on this machine): its speed says nothing about
    /// any provider.
    pub stand_in: bool,
    /// Scheme, host and port of an API.
    #[serde(default)]
    pub origin: Option<String>,
    pub token_source: TokenSource,
    /// Requests started, warm-up not counted.
    #[serde(default)]
    pub requests: u32,
    /// Of them, failed after all attempts.
    pub failures: u32,
    /// Of them, needed more than one attempt; they count for reliability, not for speed.
    #[serde(default)]
    pub retried: u32,
    /// Fault kind → how often.
    #[serde(default)]
    pub failure_kinds: BTreeMap<String, u32>,
    /// Why no further request was sent to this target, where that happened.
    #[serde(default)]
    pub stopped: Option<Fault>,
    /// Finish reason → how often.
    #[serde(default)]
    pub finish: BTreeMap<String, u32>,
    pub metrics: Metrics,
    #[serde(default)]
    pub tokens: TokenMeans,
    /// `engine`: prompt time inside the engine. `lower_bound`: uncached input ÷ TTFT, queue and
    /// network inside.
    #[serde(default)]
    pub prefill_basis: Option<String>,
    /// What all measured requests cost together, where a price and usage are known.
    #[serde(default)]
    pub cost_usd_total: Option<f64>,
    /// The catalogue's price record that was used.
    #[serde(default)]
    pub price: Option<Price>,
    #[serde(default)]
    pub pass_rate: Option<Rate>,
    /// The engine behind a local target.
    #[serde(default)]
    pub engine: Option<Engine>,
    /// First half of the runs against the second half of the same target: how noisy this is.
    #[serde(default)]
    pub noise: Option<Noise>,
    /// With so many requests at once, ascending.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// With requests at a rate, ascending.
    #[serde(default)]
    pub rates: Vec<OpenLoop>,
    /// The engine without prompts, in llama-bench's terms, where that was asked for.
    #[serde(default)]
    pub synthetic: Vec<engine::Synthetic>,
    /// Vectors of the prompts, where `--embed` asked for them.
    #[serde(default)]
    pub embedding: Option<Embedding>,
    /// Energy of a local target.
    #[serde(default)]
    pub energy: Option<engine::Energy>,
    /// Requests that were under way when an earlier part of the run was killed or interrupted. Each
    /// was or will be sent again, and may have been billed twice.
    #[serde(default)]
    pub cut_in_flight: u32,
    /// Share of requests that went over an already open connection.
    #[serde(default)]
    pub connection_reused_share: Option<f64>,
    /// The proxy its requests went through.
    #[serde(default)]
    pub proxy: Option<String>,
}

/// Medians with 95 % intervals over the successful, first-attempt requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    pub ttft_ms: Summary,
    #[serde(default)]
    pub ttfo_ms: Summary,
    #[serde(default)]
    pub ttfb_ms: Summary,
    pub tpot_ms: Summary,
    pub decode_tps: Summary,
    pub prefill_tps: Summary,
    pub e2e_ms: Summary,
    #[serde(default)]
    pub e2e_output_tps: Summary,
    #[serde(default)]
    pub icl_ms: Summary,
    #[serde(default)]
    pub cost_usd: Summary,
    /// The engine's or server's own decode rate, to check our clock against.
    #[serde(default)]
    pub engine_decode_tps: Summary,
    /// The parts of a local TTFT.
    #[serde(default)]
    pub tokenize_ms: Summary,
    #[serde(default)]
    pub prompt_ms: Summary,
    #[serde(default)]
    pub first_sample_ms: Summary,
    /// Choosing one token and turning it into text.
    #[serde(default)]
    pub sample_ms: Summary,
}

/// A median and what can be said about it from `n` values. Percentiles appear only where `n` can
/// bound them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub n: u32,
    pub median: Option<f64>,
    /// Order-statistic 95 % interval of the median; null below six values.
    pub low: Option<f64>,
    pub high: Option<f64>,
    #[serde(default)]
    pub min: Option<f64>,
    #[serde(default)]
    pub max: Option<f64>,
    /// From 36 values on.
    #[serde(default)]
    pub p90: Option<f64>,
    /// From 72 values on.
    #[serde(default)]
    pub p95: Option<f64>,
    /// From 368 values on.
    #[serde(default)]
    pub p99: Option<f64>,
}

/// Means per successful request, as the target counts tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMeans {
    /// All input, cached or not.
    pub input: Option<f64>,
    /// Of it, read from a prompt cache.
    pub cached_input: Option<f64>,
    /// All generated tokens, reasoning included.
    pub output: Option<f64>,
    pub reasoning: Option<f64>,
}

/// A price record in force on the day of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Id of the record: `openai/gpt-x`.
    pub id: String,
    pub input_usd_per_mtok: Option<f64>,
    pub output_usd_per_mtok: Option<f64>,
    pub cache_read_usd_per_mtok: Option<f64>,
    pub cache_write_usd_per_mtok: Option<f64>,
    pub source: String,
    pub as_of: String,
}

/// A share with its Wilson 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// Prompts that say what they expect and got an answer.
    pub n: u32,
    pub passed: u32,
    pub rate: f64,
    pub low: f64,
    pub high: f64,
}

/// A/A: one target against itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// Median decode time per token of the second half ÷ that of the first half.
    pub tpot_half_ratio: Option<f64>,
    /// The same for TTFT.
    pub ttft_half_ratio: Option<f64>,
    /// Spearman correlation of TPOT with the order of the runs: far from 0 is drift.
    pub drift_rho: Option<f64>,
}
