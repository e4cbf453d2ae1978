//! One target of a bench document and what was measured on it.

use super::embedding::Embedding;
use super::engine::{self, Engine};
use super::load::{Level, OpenLoop};
use super::sample::TokenSource;
use super::summary::Summary;
use crate::document::metrics::{PerRequest, definition};
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

/// One model that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Unique within the document: `local:smollm2.gguf`, `openai:gpt-x`.
    pub id: String,
    /// Where it runs: `local` or `api`.
    pub kind: Kind,
    /// The model's file or name as it was given.
    pub model: String,
    /// It stood in for a cloud API (a server on this machine): its speed says nothing about any provider.
    pub stand_in: bool,
    /// Scheme, host and port of an API.
    #[serde(default)]
    pub origin: Option<String>,
    /// Its answers were recorded by another program, in this file. Nothing was sent, so there are no times.
    #[serde(default)]
    pub recorded_in: Option<String>,
    /// Who counted its tokens.
    pub token_source: TokenSource,
    #[doc = definition!(requests)]
    #[serde(default)]
    pub requests: u32,
    #[doc = definition!(failures)]
    pub failures: u32,
    #[doc = definition!(retried)]
    #[serde(default)]
    pub retried: u32,
    /// Number of failures of each kind.
    #[serde(default)]
    pub failure_kinds: BTreeMap<String, u32>,
    /// Why no further request was sent to it, where that happened.
    #[serde(default)]
    pub stopped: Option<Fault>,
    /// Number of answers by finish reason.
    #[serde(default)]
    pub finish: BTreeMap<String, u32>,
    /// Median and 95 % interval of each metric, over the requests that succeeded at the first attempt.
    pub metrics: PerRequest<Summary>,
    /// Mean tokens of a request.
    #[serde(default)]
    pub tokens: TokenMeans,
    /// How `prefill_tps` was measured. `engine`: time for the prompt inside the engine. `lower_bound`:
    /// uncached input ÷ TTFT, which includes queue and network.
    #[serde(default)]
    pub prefill_basis: Option<String>,
    #[doc = definition!(cost_usd_total)]
    #[serde(default)]
    pub cost_usd_total: Option<f64>,
    /// The catalogue's price record that its cost is computed from.
    #[serde(default)]
    pub price: Option<Price>,
    /// Share of the graded answers that passed; null where nothing was graded.
    #[serde(default)]
    pub pass_rate: Option<Rate>,
    /// How often all repeats of a prompt pass; null where prompts were asked once.
    #[serde(default)]
    pub pass_hat: Option<PassHat>,
    /// Of its answers that call tools, the share whose calls are of tools that were offered, with arguments
    /// that fit their schemas; null where none calls one.
    #[serde(default)]
    pub tool_calls_fit: Option<Rate>,
    /// The engine behind a local target.
    #[serde(default)]
    pub engine: Option<Engine>,
    /// How much its figures differ between the first and the second half of the run.
    #[serde(default)]
    pub noise: Option<Noise>,
    /// Turn by turn, where prompts are conversations.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// Figures with a fixed number of requests at once, ascending.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// Figures with requests sent at a rate, ascending.
    #[serde(default)]
    pub rates: Vec<OpenLoop>,
    /// Tests of the engine without prompts, in llama-bench's terms, where `--synthetic` asked for them.
    #[serde(default)]
    pub synthetic: Vec<engine::Synthetic>,
    /// What embedding the prompts took, where `--embed` asked for it.
    #[serde(default)]
    pub embedding: Option<Embedding>,
    /// Energy of a local target.
    #[serde(default)]
    pub energy: Option<engine::Energy>,
    /// Requests that were under way when an earlier part of the run was killed or interrupted. Each was or
    /// will be sent again, and may have been billed twice.
    #[serde(default)]
    pub cut_in_flight: u32,
    #[doc = definition!(connection_reused_share)]
    #[serde(default)]
    pub connection_reused_share: Option<f64>,
    /// The proxy its requests went through.
    #[serde(default)]
    pub proxy: Option<String>,
}

/// Mean tokens of a successful request, as the target counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenMeans {
    #[doc = definition!(input_tokens)]
    pub input: Option<f64>,
    #[doc = definition!(cached_input_tokens)]
    pub cached_input: Option<f64>,
    #[doc = definition!(output_tokens)]
    pub output: Option<f64>,
    #[doc = definition!(reasoning_tokens)]
    pub reasoning: Option<f64>,
}

/// The catalogue's price record in force on the day of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Id of the model in the catalogue: `openai/gpt-x`.
    pub id: String,
    /// US dollars per million input tokens.
    pub input_usd_per_mtok: Option<f64>,
    /// US dollars per million output tokens.
    pub output_usd_per_mtok: Option<f64>,
    /// US dollars per million input tokens read from the provider's cache; null where it is not known.
    pub cache_read_usd_per_mtok: Option<f64>,
    /// US dollars per million input tokens written to the provider's cache; null where it is not known.
    pub cache_write_usd_per_mtok: Option<f64>,
    /// Where the price was read.
    pub source: String,
    /// Day on which it was read, `YYYY-MM-DD`.
    pub as_of: String,
}

/// One turn of all conversations, over the requests that succeeded at the first attempt. A prompt cache
/// that holds the beginning of a conversation shows in the cached input and in TTFT.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// Which turn, from 0.
    pub turn: u32,
    /// Mean tokens of a request in this turn.
    pub tokens: TokenMeans,
    /// Time to the first token in this turn, ms.
    pub ttft_ms: Summary,
    /// Time per output token after the first in this turn, ms.
    pub tpot_ms: Summary,
    /// Time of the whole answer in this turn, ms.
    pub e2e_ms: Summary,
}

/// pass^k: the chance that `k` repeats of a prompt all pass, averaged over prompts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PassHat {
    /// Number of repeats.
    pub k: u32,
    /// The chance, 0 to 1.
    pub share: f64,
    /// Prompts that have this many graded repeats.
    pub prompts: u32,
}

/// A share with its 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// Answers, or prompts, that the share is of.
    pub n: u32,
    /// How many of them pass.
    pub passed: u32,
    #[doc = definition!(pass_rate)]
    pub rate: f64,
    /// Lower end of the 95 % Wilson interval, 0 to 1.
    pub low: f64,
    /// Upper end of the 95 % Wilson interval, 0 to 1.
    pub high: f64,
}

/// How noisy the measurement is: one target compared with itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Noise {
    /// Median decode time per token of the second half ÷ that of the first half.
    pub tpot_half_ratio: Option<f64>,
    /// Median TTFT of the second half ÷ that of the first half.
    pub ttft_half_ratio: Option<f64>,
    /// Spearman correlation of TPOT with the order of the requests: far from 0 means drift.
    pub drift_rho: Option<f64>,
}
