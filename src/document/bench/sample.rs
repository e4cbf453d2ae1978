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
    /// 0-based.
    pub repeat: u32,
    /// Which turn of the prompt's conversation, 0-based.
    #[serde(default)]
    pub turn: u32,
    /// Milliseconds since the start of the run.
    #[serde(default)]
    pub started_ms: Option<f64>,
    /// Null: it succeeded.
    pub error: Option<Fault>,
    /// How often the request was sent.
    #[serde(default)]
    pub attempts: u32,
    /// Waited between attempts; not part of any latency.
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
    /// Of these, read from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Reasoning included.
    pub output_tokens: Option<u64>,
    /// Output tokens without reasoning.
    pub visible_output_tokens: Option<u64>,
    /// Output tokens of reasoning.
    pub reasoning_tokens: Option<u64>,
    /// What the table of metrics has of each request, each in a field of its own.
    #[serde(flatten)]
    pub metrics: PerRequest<Option<f64>>,
    /// Longest gap between two pieces of the answer, ms.
    #[serde(default)]
    pub icl_max_ms: Option<f64>,
    /// Pieces in which the answer came.
    #[serde(default)]
    pub content_events: u32,
    /// Time to connect, ms; null where a connection was reused.
    #[serde(default)]
    pub connect_ms: Option<f64>,
    /// The request went over a connection that was open already.
    #[serde(default)]
    pub connection_reused: Option<bool>,
    /// True: HTTP/2; false: HTTP/1.1.
    #[serde(default)]
    pub http2: Option<bool>,
    /// Prompt tokens a second as the engine itself counts them.
    #[serde(default)]
    pub engine_prompt_tps: Option<f64>,
    #[doc = definition!(energy_j)]
    #[serde(default)]
    pub energy_j: Option<f64>,
    /// How long that was.
    #[serde(default)]
    pub energy_over_ms: Option<f64>,
    /// Reasoning was counted but not sent: TTFT contains the thinking time.
    #[serde(default)]
    pub hidden_reasoning: bool,
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
    /// How far the wall clock moved by itself during the request: the machine slept, or its clock was
    /// set. No time here contains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_gap_ms: Option<f64>,
    /// The answer meets the prompt's `expect` and its assertions; null where the prompt has none, and where it
    /// cannot be graded.
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
    /// The answer, without its thoughts, capped.
    pub text: String,
    /// The text was longer than what is kept.
    #[serde(default)]
    pub text_capped: bool,
    /// The reasoning that was sent, capped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_text: Option<String>,
    /// Characters of all reasoning that was sent.
    #[serde(default)]
    pub reasoning_chars: u64,
    /// The reasoning stood in the answer's text, between markers such as `<think>`, and was taken out:
    /// the provider counts its tokens with the answer's.
    #[serde(default)]
    pub reasoning_in_text: bool,
    /// What a reader of these figures must know beside them.
    #[serde(default)]
    pub doubts: Vec<Doubt>,
    /// The model that answered, in the server's words.
    #[serde(default)]
    pub answered_by: Option<String>,
    /// The provider's own id of the request.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// Only these count for speed: whole answers, at the first attempt.
pub(super) fn for_speed<'a>(rows: &[&'a Sample]) -> Vec<&'a Sample> {
    rows.iter().copied().filter(|s| s.error.is_none() && s.attempts <= 1).collect()
}
