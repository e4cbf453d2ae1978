//! One request of a bench document.

use crate::document::metrics::{PerRequest, definition};
use crate::measure::counts::Doubt;
use crate::measure::event::{Fault, FinishReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// Id of the target.
    pub target: String,
    /// Id of the prompt.
    pub prompt_id: String,
    /// Which repeat of the prompt, from 0.
    pub repeat: u32,
    /// Which turn of the prompt's conversation, from 0.
    #[serde(default)]
    pub turn: u32,
    /// Milliseconds since the start of the run.
    #[serde(default)]
    pub started_ms: Option<f64>,
    /// Why the request failed; null where it succeeded.
    pub error: Option<Fault>,
    /// How often the request was sent, retries included.
    #[serde(default)]
    pub attempts: u32,
    /// Milliseconds spent waiting between attempts; not part of any latency.
    #[serde(default)]
    pub retry_wait_ms: f64,
    /// HTTP status of each attempt that got one.
    #[serde(default)]
    pub statuses: Vec<u16>,
    /// Why the answer ended; null where that was not said.
    pub finish: Option<FinishReason>,
    /// Who counted its tokens.
    pub token_source: TokenSource,
    /// Tokens of the prompt; null where nobody counted them.
    pub input_tokens: Option<u64>,
    /// Input tokens read from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Output tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Output tokens without reasoning.
    pub visible_output_tokens: Option<u64>,
    /// Output tokens of reasoning.
    pub reasoning_tokens: Option<u64>,
    /// One field for each metric that is measured of every request.
    #[serde(flatten)]
    pub metrics: PerRequest<Option<f64>>,
    /// Longest gap between two events of the answer, ms.
    #[serde(default)]
    pub icl_max_ms: Option<f64>,
    /// Events of the stream in which the answer came.
    #[serde(default)]
    pub content_events: u32,
    /// Time to connect, ms; null where a connection was reused.
    #[serde(default)]
    pub connect_ms: Option<f64>,
    /// The request went over a connection that was open already.
    #[serde(default)]
    pub connection_reused: Option<bool>,
    /// HTTP/2 was used; false: HTTP/1.1.
    #[serde(default)]
    pub http2: Option<bool>,
    /// Prompt tokens per second by the engine's own count.
    #[serde(default)]
    pub engine_prompt_tps: Option<f64>,
    #[doc = definition!(energy_j)]
    #[serde(default)]
    pub energy_j: Option<f64>,
    /// Time over which `energy_j` was measured, ms.
    #[serde(default)]
    pub energy_over_ms: Option<f64>,
    /// Reasoning was counted but not sent, so TTFT includes the thinking time.
    #[serde(default)]
    pub hidden_reasoning: bool,
    /// Cost as the provider states it, US dollars.
    #[serde(default)]
    pub provider_cost_usd: Option<f64>,
    /// The provider's service tier that served it, where that is not the standard one.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// The provider's usage record as it came; null where it was too long to keep.
    #[serde(default)]
    pub usage_raw: Option<serde_json::Value>,
    /// The provider's counts contradict each other; no cost is computed from them.
    #[serde(default)]
    pub usage_inconsistent: bool,
    /// How far the wall clock moved by itself during the request, ms: the machine slept, or its clock was
    /// set. No other time in here contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_gap_ms: Option<f64>,
    /// The answer meets the prompt's `expect` and its assertions; null where the prompt has none, and where
    /// the answer cannot be graded.
    #[serde(default)]
    pub pass: Option<bool>,
    /// Weighted mean of the scores of its graders, 0 to 1; null where the answer has no grade.
    #[serde(default)]
    pub score: Option<f64>,
    /// Types of the graders that the answer failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_graders: Vec<String>,
    /// Why the answer has no grade although something was expected of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_graded: Option<String>,
    /// The answer without its reasoning, cut after the 4,096th character.
    pub text: String,
    /// The answer's text was cut.
    #[serde(default)]
    pub text_capped: bool,
    /// The reasoning that was sent, cut likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_text: Option<String>,
    /// Characters of all reasoning that was sent.
    #[serde(default)]
    pub reasoning_chars: u64,
    /// The reasoning came within the answer's text, between markers such as `<think>`, and was taken out of
    /// it; the provider counts its tokens with the answer's.
    #[serde(default)]
    pub reasoning_in_text: bool,
    /// Reasons to doubt some of these figures.
    #[serde(default)]
    pub doubts: Vec<Doubt>,
    /// The model that answered, as the server names it.
    #[serde(default)]
    pub answered_by: Option<String>,
    /// The provider's own id of the request.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// The requests that count for speed: whole answers that came at the first attempt.
pub(super) fn for_speed<'a>(rows: &[&'a Sample]) -> Vec<&'a Sample> {
    rows.iter().copied().filter(|s| s.error.is_none() && s.attempts <= 1).collect()
}
