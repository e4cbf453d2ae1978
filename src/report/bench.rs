//! `freehold.bench/1`: what was measured, on which target, from which samples.
//!
//! ```text
//! measured samples ─► statistics ─► BenchDocument ─► JSON | View | Evidence (for breakeven and advise)
//! ```
//!
//! Latencies are milliseconds, rates are tokens per second, money is USD. `null` is "not measured",
//! never 0. The definitions travel with the numbers in `result.definitions`.

pub mod build;
pub mod engine;
pub mod load;
pub mod price;
mod view;

use super::envelope::Envelope;
use crate::measure::event::{Fault, FinishReason};
use crate::workload::evidence::{Evidence, MeasuredLevel, MeasuredQuality, MeasuredTarget, TargetKind};
use load::{Level, LoadSample, OpenLoop};
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
    /// False when planned requests were never sent: the run was interrupted, capped, or a target
    /// stopped. What is here was measured.
    pub complete: bool,
    pub targets: Vec<Target>,
    /// One entry per planned request that was started, in the order they ran.
    pub samples: Vec<Sample>,
    /// One entry per measured request under load, in the order they ended.
    #[serde(default)]
    pub load_samples: Vec<LoadSample>,
    /// Local against API, paired by prompt.
    #[serde(default)]
    pub comparisons: Vec<Comparison>,
    /// Local against API on the user's own `expect`ations.
    #[serde(default)]
    pub quality: Vec<Quality>,
    #[serde(default)]
    pub spending: Spending,
    /// What each metric means: field name → definition.
    #[serde(default)]
    pub definitions: BTreeMap<String, String>,
}

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

/// What ran a local model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// `llama.cpp` build.
    pub build: Option<String>,
    /// CPU, or the GPU's name.
    pub device: Option<String>,
    pub gpu_layers: Option<u32>,
    pub layers: Option<u32>,
    pub threads: Option<u32>,
    pub context_tokens: Option<u32>,
    pub model_file: Option<String>,
    pub model_sha256: Option<String>,
    pub model_bytes: Option<u64>,
    pub load_ms: Option<f64>,
    /// Share of the file that was in the system's page cache before: near 0 is a cold load, near 1
    /// a warm one.
    #[serde(default)]
    pub load_cached_share: Option<f64>,
    /// A load after the file was dropped from the page cache, and one directly after it, where
    /// `--load-times` asked for them.
    #[serde(default)]
    pub load_cold_ms: Option<f64>,
    #[serde(default)]
    pub load_warm_ms: Option<f64>,
    /// Start of the engine's process to its first word, before any model.
    #[serde(default)]
    pub worker_start_ms: Option<f64>,
    /// `CPU`, `CUDA`, `Vulkan`, `Metal`, `ROCm`.
    #[serde(default)]
    pub backend: Option<String>,
    /// Version of the GPU's driver, where it tells.
    #[serde(default)]
    pub driver: Option<String>,
    #[serde(default)]
    pub batch_tokens: Option<u32>,
    #[serde(default)]
    pub ubatch_tokens: Option<u32>,
    /// `auto`, `on`, `off`.
    #[serde(default)]
    pub flash_attention: Option<String>,
    /// `f16`, `q8_0`, `q4_0`.
    #[serde(default)]
    pub kv_type: Option<String>,
    /// Weights, KV cache and working buffers as the engine allocated them.
    #[serde(default)]
    pub weights_bytes: Option<u64>,
    #[serde(default)]
    pub kv_bytes: Option<u64>,
    #[serde(default)]
    pub compute_bytes: Option<u64>,
    /// Of these three, on a GPU.
    #[serde(default)]
    pub device_bytes: Option<u64>,
    /// Resident memory of the engine's process after loading.
    #[serde(default)]
    pub resident_bytes: Option<u64>,
    /// The most it had resident during the run.
    #[serde(default)]
    pub resident_peak_bytes: Option<u64>,
    /// `greedy`: the most likely token each time.
    pub sampling: Option<String>,
    /// Id of the machine or accelerator in the catalogue, where it could be told.
    pub hardware: Option<String>,
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

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Id of the target.
    pub target: String,
    pub prompt_id: String,
    /// 0-based.
    pub repeat: u32,
    /// Milliseconds since the start of the run.
    #[serde(default)]
    pub started_ms: Option<f64>,
    /// Null: it succeeded.
    pub error: Option<Fault>,
    #[serde(default)]
    pub attempts: u32,
    /// Waited between attempts; not part of any latency.
    #[serde(default)]
    pub retry_wait_ms: f64,
    /// HTTP status of each attempt that got one.
    #[serde(default)]
    pub statuses: Vec<u16>,
    pub finish: Option<FinishReason>,
    pub token_source: TokenSource,
    pub input_tokens: Option<u64>,
    pub cached_input_tokens: Option<u64>,
    /// Reasoning included.
    pub output_tokens: Option<u64>,
    pub visible_output_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    pub ttfb_ms: Option<f64>,
    pub ttft_ms: Option<f64>,
    pub ttfo_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub decode_tps: Option<f64>,
    pub prefill_tps: Option<f64>,
    pub e2e_ms: Option<f64>,
    #[serde(default)]
    pub e2e_output_tps: Option<f64>,
    /// Median gap between content events: a network and batching figure.
    #[serde(default)]
    pub icl_ms: Option<f64>,
    #[serde(default)]
    pub icl_max_ms: Option<f64>,
    #[serde(default)]
    pub content_events: u32,
    #[serde(default)]
    pub connect_ms: Option<f64>,
    #[serde(default)]
    pub connection_reused: Option<bool>,
    /// True: HTTP/2; false: HTTP/1.1.
    #[serde(default)]
    pub http2: Option<bool>,
    #[serde(default)]
    pub engine_prompt_tps: Option<f64>,
    #[serde(default)]
    pub engine_decode_tps: Option<f64>,
    /// Local: waiting for a place, chat template and tokenizer.
    #[serde(default)]
    pub tokenize_ms: Option<f64>,
    /// Local: the prompt into the cache.
    #[serde(default)]
    pub prompt_ms: Option<f64>,
    /// Local: from there to the first text.
    #[serde(default)]
    pub first_sample_ms: Option<f64>,
    /// Local: choosing a token and turning it into text, mean per token.
    #[serde(default)]
    pub sample_ms: Option<f64>,
    /// Local: energy of the device from the request's start to its end.
    #[serde(default)]
    pub energy_j: Option<f64>,
    /// How long that was.
    #[serde(default)]
    pub energy_over_ms: Option<f64>,
    /// Reasoning was counted but not sent: TTFT contains the thinking time.
    #[serde(default)]
    pub hidden_reasoning: bool,
    /// From usage and the price record; null where either is missing.
    #[serde(default)]
    pub cost_usd: Option<f64>,
    /// What the provider says it cost.
    #[serde(default)]
    pub provider_cost_usd: Option<f64>,
    /// The tier that served it, where that is not the standard one.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// The provider's usage record as it came, where it is not too long.
    #[serde(default)]
    pub usage_raw: Option<serde_json::Value>,
    /// The provider's counts do not add up; no cost is computed from them.
    #[serde(default)]
    pub usage_inconsistent: bool,
    /// The answer meets the prompt's `expect`; null where the prompt has none.
    #[serde(default)]
    pub pass: Option<bool>,
    /// The answer, capped.
    pub text: String,
    #[serde(default)]
    pub text_capped: bool,
    #[serde(default)]
    pub request_id: Option<String>,
}

/// Ratio of medians, local ÷ API, by paired bootstrap over prompts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    pub local: String,
    pub api: String,
    /// `ttft_ms`, `tpot_ms`, `decode_tps`, `e2e_ms`.
    pub metric: String,
    /// Prompts both sides answered.
    pub prompts: u32,
    pub ratio: Option<f64>,
    /// 95 % interval; null below six prompts.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Prompts on which both gave the same text in the first repeat, and of how many.
    #[serde(default)]
    pub equal_text: Option<u32>,
}

/// Is the local model good enough on these prompts?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    pub local: String,
    pub api: String,
    /// Prompts with an expectation that both sides answered.
    pub prompts: u32,
    pub local_pass_rate: f64,
    pub api_pass_rate: f64,
    pub both_pass: u32,
    pub local_only: u32,
    pub api_only: u32,
    pub neither: u32,
    /// Exact `McNemar`, two-sided.
    pub mcnemar_p: Option<f64>,
    /// Local − API, with a 95 % interval for paired shares.
    pub difference: f64,
    pub difference_low: Option<f64>,
    pub difference_high: Option<f64>,
    /// Accepted loss of pass rate.
    pub margin: f64,
    /// Null: cannot be decided with this many prompts.
    pub non_inferior: Option<bool>,
    /// About this many prompts are needed to decide.
    pub prompts_needed: Option<u32>,
    /// Fewer than 20 prompts: enough to see that it runs, not to decide.
    pub smoke_only: bool,
}

/// What was planned, allowed and spent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spending {
    /// Requests to APIs, warm-up included, retries not.
    pub planned_calls: u32,
    /// Upper bound of the input tokens of those calls.
    pub planned_input_tokens: u64,
    /// Upper bound of their output tokens.
    pub planned_output_tokens: u64,
    /// Null where a target has no price in the catalogue.
    pub worst_case_usd: Option<f64>,
    /// Targets without a price.
    #[serde(default)]
    pub unpriced: Vec<String>,
    /// The cap given by `--max-cost`.
    #[serde(default)]
    pub max_cost_usd: Option<f64>,
    /// `not-needed`, `asked`, `--yes`, `--max-cost`.
    pub consent: String,
    /// From usage and prices, warm-up included; null where a target has no price.
    pub spent_usd: Option<f64>,
    /// The most that attempts of unknown cost (cut off, timed out) can have cost beside that.
    #[serde(default)]
    pub unsettled_usd: Option<f64>,
    /// Attempts that one call may take; the worst case has every one of them billed.
    #[serde(default)]
    pub attempts_per_call: Option<u32>,
}

/// The definitions printed with the numbers.
pub fn definitions() -> BTreeMap<String, String> {
    DEFINITIONS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

const DEFINITIONS: &[(&str, &str)] = &[
    (
        "ttft_ms",
        "time to first token: from sending the request over an open connection (local: from handing it to the engine, \
         before chat template and tokenisation) to the first non-empty text, reasoning or tool delta; role-only, empty, \
         ping and usage events do not count",
    ),
    ("ttfo_ms", "time to first output: the same, to the first delta that is not reasoning"),
    ("ttfb_ms", "time to the response headers; informational"),
    (
        "tpot_ms",
        "time per output token after the first: (last content - first content) / (output tokens - tokens of the first \
         event); null below two tokens",
    ),
    ("decode_tps", "output tokens per second of one request: 1000 / tpot_ms"),
    (
        "prefill_tps",
        "prompt tokens per second: local inside the engine; API uncached input tokens / TTFT, a lower bound, since \
         queue and network are inside",
    ),
    ("e2e_ms", "from send to the last content event"),
    ("e2e_output_tps", "output tokens / e2e, first token included: not the decode rate"),
    ("icl_ms", "inter-chunk latency: median gap between content events; a chunk is not a token"),
    ("engine_decode_tps", "the decode rate the engine or server itself reports, to check our clock"),
    (
        "tokenize_ms",
        "local: from accepting the request over waiting for a place, chat template and tokenizer",
    ),
    ("prompt_ms", "local: the prompt into the cache, the engine's other sequences included"),
    ("first_sample_ms", "local: from there to the first text"),
    ("sample_ms", "local: choosing a token and turning it into text, mean per token"),
    ("energy_j", "local: energy of the device from a request's start to its end, idle power included"),
    ("cost_usd", "from the provider's usage and the price record in force"),
    (
        "output_tps_system",
        "output tokens per second of all requests together, from the first measured send of the load to the last; a \
         request's tokens are spread evenly from its first content to its last",
    ),
    (
        "goodput",
        "requests that kept every limit (TTFT, TPOT, end to end); a failed request keeps none, and in an open loop \
         the limits count from the instant the request was due",
    ),
    (
        "ttft_scheduled_ms",
        "open loop: time to first token from the instant the request was due, so that a request that could not be sent \
         in time is not better for it; ttft_ms counts from the instant it was sent",
    ),
    (
        "e2e_scheduled_ms",
        "open loop: end to end from the instant the request was due; e2e_ms counts from the send",
    ),
    ("send_lag_ms", "open loop: how much later than due a request was sent"),
    (
        "requests_per_s",
        "successful requests per second of all together: output_tps_system / mean output tokens; where nobody counts \
         tokens, answers that ended while the load was on, per second",
    ),
    ("in_flight_mean", "requests under way at once, mean over the time the load was on"),
    (
        "client_lag_ms",
        "how late this program itself was at worst while a request was under way; stamps may be as late",
    ),
];

/// The definition of a metric, by its name in the document or without its unit: `ttft_ms`, `ttft`.
pub fn definition(name: &str) -> Option<(&'static str, &'static str)> {
    let plain = |full: &str| {
        let end = ["_ms", "_tps", "_usd"].iter().find_map(|unit| full.strip_suffix(unit));
        end.unwrap_or(full).to_owned()
    };
    let wanted = name.to_ascii_lowercase().replace('-', "_");
    let exact = DEFINITIONS.iter().find(|(full, _)| *full == wanted);
    exact.or_else(|| DEFINITIONS.iter().find(|(full, _)| plain(full) == plain(&wanted))).copied()
}

/// The name an enum value has in the document.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Envelope<BenchResult> {
    /// What the engines need of it. `file` is the name the document was read from.
    pub fn evidence(&self, file: &str) -> Evidence {
        Evidence {
            file: file.to_owned(),
            targets: self.result.targets.iter().enumerate().map(|(n, t)| measured(n, t)).collect(),
            quality: self.result.quality.first().map(|q| MeasuredQuality {
                path: "result.quality[0]".to_owned(),
                prompts: q.prompts,
                margin: q.margin,
                non_inferior: q.non_inferior,
                local_pass_rate: q.local_pass_rate,
                api_pass_rate: q.api_pass_rate,
            }),
        }
    }
}

/// Batch-1 as measured alone, then the levels. A full loop says how long the unit works on one
/// request, `1 / requests per second`; its prompt takes `input / prefill speed` of that, and what is
/// left is decoding at the level's speed.
fn measured_levels(target: &Target) -> Vec<MeasuredLevel> {
    let metrics = &target.metrics;
    let prefill_tps = metrics.prefill_tps.median;
    // Where nothing was asked alone, a loop of one is the same.
    let loop_of_one = target.levels.iter().find(|l| l.concurrency == 1);
    let alone = MeasuredLevel {
        concurrency: 1,
        prefill_tps,
        decode_tps: metrics.decode_tps.median.or_else(|| loop_of_one?.tpot_ms.median.map(|ms| 1000.0 / ms)),
        ttft_ms: metrics.ttft_ms.median.or_else(|| loop_of_one?.ttft_ms.median),
    };
    let decode = |level: &Level| {
        let decoding = 1.0 / level.requests_per_s? - target.tokens.input? / prefill_tps?;
        Some(target.tokens.output? / decoding).filter(|rate| rate.is_finite() && *rate > 0.0)
    };
    let loaded = target.levels.iter().filter(|l| l.concurrency > 1).map(|level| MeasuredLevel {
        concurrency: level.concurrency,
        prefill_tps,
        decode_tps: decode(level).or(level.output_tps_system),
        ttft_ms: level.ttft_ms.median,
    });
    std::iter::once(alone).chain(loaded).collect()
}

fn measured(n: usize, target: &Target) -> MeasuredTarget {
    let metrics = &target.metrics;
    // A GPU's board is what the catalogue's watts are too; a processor's package is not the machine.
    let board = |pick: fn(&engine::Energy) -> Option<f64>| {
        target.energy.as_ref().filter(|e| e.is_of_a_board()).and_then(pick)
    };
    MeasuredTarget {
        path: format!("result.targets[{n}]"),
        id: target.id.clone(),
        kind: match target.kind {
            Kind::Local => TargetKind::Local,
            Kind::Api => TargetKind::Api,
        },
        model: target.model.clone(),
        stand_in: target.stand_in,
        hardware: target.engine.as_ref().and_then(|e| e.hardware.clone()),
        levels: measured_levels(target),
        input_tokens: target.tokens.input,
        output_tokens: target.tokens.output,
        reasoning_tokens: target.tokens.reasoning,
        idle_watts: board(|e| e.idle_watts),
        load_watts: board(|e| e.busy_watts),
        failure_share: (target.requests > 0).then(|| f64::from(target.failures) / f64::from(target.requests)),
        cost_usd_per_request: metrics.cost_usd.median,
    }
}
