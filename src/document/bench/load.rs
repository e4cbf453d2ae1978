//! Several requests at once, as the document has it.

use super::summary::Summary;
use crate::document::metrics::definition;
use crate::measure::event::Fault;
use crate::measure::load::{Arrivals, Phase, Slo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A closed loop with a fixed number of requests under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Requests that were under way at once.
    pub concurrency: u32,
    /// Requests that were measured.
    pub requests: u32,
    /// Requests that failed.
    pub failures: u32,
    #[doc = definition!(output_tps_system)]
    pub output_tps_system: Option<f64>,
    #[doc = definition!(requests_per_s)]
    pub requests_per_s: Option<f64>,
    #[doc = definition!(ttft_ms)]
    /// Waiting for a place in the batch is inside.
    pub ttft_ms: Summary,
    #[doc = definition!(tpot_ms)]
    pub tpot_ms: Summary,
    #[doc = definition!(e2e_ms)]
    #[serde(default)]
    pub e2e_ms: Summary,
    /// What is known of single requests at this level.
    #[serde(default)]
    pub detail: LoadDetail,
}

/// An open loop: requests sent at a rate, whatever the answers do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLoop {
    /// Offered requests per second.
    pub rate_per_s: f64,
    /// How requests arrived: `poisson` or `constant`.
    pub arrivals: Arrivals,
    /// Requests that were measured.
    pub requests: u32,
    /// Requests that failed.
    pub failures: u32,
    #[doc = definition!(output_tps_system)]
    pub output_tps_system: Option<f64>,
    #[doc = definition!(requests_per_s)]
    pub requests_per_s: Option<f64>,
    #[doc = definition!(sent_per_s)]
    pub sent_per_s: Option<f64>,
    #[doc = definition!(ttft_scheduled_ms)]
    pub ttft_scheduled_ms: Summary,
    #[doc = definition!(e2e_scheduled_ms)]
    pub e2e_scheduled_ms: Summary,
    #[doc = definition!(ttft_ms)]
    pub ttft_ms: Summary,
    #[doc = definition!(e2e_ms)]
    pub e2e_ms: Summary,
    #[doc = definition!(tpot_ms)]
    pub tpot_ms: Summary,
    #[doc = definition!(send_lag_ms)]
    pub send_lag_ms: Summary,
    /// The 99th percentile of the send lag, or its maximum where there are too few requests for one,
    /// is more than a tenth of the median TTFT.
    pub lagging: bool,
    /// What is known of single requests at this rate.
    pub detail: LoadDetail,
}

/// What both kinds of load have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadDetail {
    /// How often this load was put on the target.
    pub rounds: u32,
    /// Seconds the load was on, all rounds together: from the first measured send to the last.
    pub seconds: Option<f64>,
    #[doc = definition!(in_flight_mean)]
    pub in_flight_mean: Option<f64>,
    /// Most requests that were under way at the same time.
    pub in_flight_max: u32,
    /// Failures by kind.
    pub failure_kinds: BTreeMap<String, u32>,
    /// Requests within the limits; null where there are none or they cannot be judged.
    pub goodput: Option<Goodput>,
    #[doc = definition!(client_lag_ms)]
    pub client_lag_ms: Summary,
    /// Input tokens read from a prompt cache, all requests together.
    pub cached_input_tokens: Option<u64>,
    #[doc = definition!(cost_usd_total)]
    pub cost_usd_total: Option<f64>,
    #[doc = definition!(busy_watts)]
    /// Null where its energy cannot be read, for the reason that the target's `energy` gives.
    #[serde(default)]
    pub busy_watts: Option<f64>,
    #[doc = definition!(output_token_j)]
    #[serde(default)]
    pub output_token_j: Option<f64>,
}

/// Requests that kept every limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    /// The limits that were asked for.
    pub slo: Slo,
    /// Requests that kept all of them.
    pub met: u32,
    /// All measured requests; a failed one keeps no limit.
    pub requests: u32,
    #[doc = definition!(goodput)]
    pub share: f64,
    /// Wilson 95 % interval of the share.
    pub low: f64,
    /// Upper end of the interval of the share, 0 to 1.
    pub high: f64,
    #[doc = definition!(goodput_requests_per_s)]
    pub requests_per_s: Option<f64>,
}

/// One measured request under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadSample {
    /// Id of the target.
    pub target: String,
    /// Exactly one of these two is there.
    pub concurrency: Option<u32>,
    /// Rate of arrivals that was asked for, requests a second; null for a closed loop.
    pub rate_per_s: Option<f64>,
    /// 0-based.
    pub round: u32,
    /// Its number within its level or rate, from 0.
    pub index: u32,
    /// 0, or which part of a resumed run.
    pub session: u32,
    /// Id of the prompt.
    pub prompt_id: String,
    /// Since the start of this load, in this part of the run.
    pub scheduled_ms: Option<f64>,
    /// When it was sent, ms since the level began.
    pub sent_ms: f64,
    /// Why it failed; null where it did not.
    pub error: Option<Fault>,
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Of these, read from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Output tokens, reasoning included.
    pub output_tokens: Option<u64>,
    /// Pieces in which the answer came.
    pub content_events: u32,
    #[doc = definition!(ttft_ms)]
    pub ttft_ms: Option<f64>,
    #[doc = definition!(tpot_ms)]
    pub tpot_ms: Option<f64>,
    #[doc = definition!(e2e_ms)]
    pub e2e_ms: Option<f64>,
    /// Within the limits, counted from `scheduled_ms` where there is one.
    pub within_limits: Option<bool>,
    #[doc = definition!(client_lag_ms)]
    pub client_lag_ms: Option<f64>,
    /// The request went over a connection that was open already.
    pub connection_reused: Option<bool>,
    #[doc = definition!(cost_usd)]
    pub cost_usd: Option<f64>,
    /// The answer passed its grading; null where it was not graded.
    pub pass: Option<bool>,
}

/// What was planned under load.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    pub phases: Vec<Phase>,
    pub extent: crate::measure::load::Extent,
    /// Per place, or seconds of an open loop.
    pub warmup: u32,
    pub slo: Slo,
}
