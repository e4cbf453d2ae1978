//! Figures of requests under load: several at once, or at a rate.

use super::summary::Summary;
use crate::document::metrics::definition;
use crate::measure::event::Fault;
use crate::measure::load::{Arrivals, Phase, Slo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A closed loop: a fixed number of requests is kept under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Requests that were under way at once.
    pub concurrency: u32,
    /// Requests that were measured.
    pub requests: u32,
    /// Measured requests that failed.
    pub failures: u32,
    #[doc = definition!(output_tps_system)]
    pub output_tps_system: Option<f64>,
    #[doc = definition!(requests_per_s)]
    pub requests_per_s: Option<f64>,
    #[doc = definition!(ttft_ms)]
    /// It includes waiting for a place in the batch.
    pub ttft_ms: Summary,
    #[doc = definition!(tpot_ms)]
    pub tpot_ms: Summary,
    #[doc = definition!(e2e_ms)]
    #[serde(default)]
    pub e2e_ms: Summary,
    /// Further figures of this level.
    #[serde(default)]
    pub detail: LoadDetail,
}

/// An open loop: requests are sent at a rate, whether or not earlier ones have been answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLoop {
    /// Requests sent per second, as asked for.
    pub rate_per_s: f64,
    /// How requests arrived: `poisson` or `constant`.
    pub arrivals: Arrivals,
    /// Requests that were measured.
    pub requests: u32,
    /// Measured requests that failed.
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
    /// Requests were sent late: the 99th percentile of the send lag (its maximum where there are too few
    /// requests for a percentile) exceeds a tenth of the median TTFT.
    pub lagging: bool,
    /// Further figures of this rate.
    pub detail: LoadDetail,
}

/// Figures that closed and open loops share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadDetail {
    /// How often this load was run on the target.
    pub rounds: u32,
    /// Duration of the load, seconds, all rounds together: from the first measured send to the last.
    pub seconds: Option<f64>,
    #[doc = definition!(in_flight_mean)]
    pub in_flight_mean: Option<f64>,
    /// Most requests that were under way at the same time.
    pub in_flight_max: u32,
    /// Number of failures of each kind.
    pub failure_kinds: BTreeMap<String, u32>,
    /// Requests that kept the limits on latency; null where no limits were given, or it cannot be judged.
    pub goodput: Option<Goodput>,
    #[doc = definition!(client_lag_ms)]
    pub client_lag_ms: Summary,
    /// Input tokens read from a prompt cache, all requests together; null where nobody counts them.
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

/// Requests that kept every limit on latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    /// The limits that were given.
    pub slo: Slo,
    /// Requests that kept all of them.
    pub met: u32,
    /// All measured requests; a failed one keeps no limit.
    pub requests: u32,
    #[doc = definition!(goodput)]
    pub share: f64,
    /// Lower end of the 95 % Wilson interval of the share, 0 to 1.
    pub low: f64,
    /// Upper end of the 95 % Wilson interval of the share, 0 to 1.
    pub high: f64,
    #[doc = definition!(goodput_requests_per_s)]
    pub requests_per_s: Option<f64>,
}

/// One measured request under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadSample {
    /// Id of the target.
    pub target: String,
    /// Requests under way at once, in a closed loop; null in an open loop, which has `rate_per_s`.
    pub concurrency: Option<u32>,
    /// Rate of arrivals that was asked for, requests a second; null for a closed loop.
    pub rate_per_s: Option<f64>,
    /// Which run of this load it belongs to, from 0.
    pub round: u32,
    /// Its number within its level or rate in this round, from 0.
    pub index: u32,
    /// Which part of a resumed run it belongs to, from 0.
    pub session: u32,
    /// Id of the prompt.
    pub prompt_id: String,
    /// When it was due in an open loop, ms since this load began in this part of the run; null in a closed
    /// loop.
    pub scheduled_ms: Option<f64>,
    /// When it was sent, ms since this load began.
    pub sent_ms: f64,
    /// Why it failed; null where it did not.
    pub error: Option<Fault>,
    /// Tokens of the prompt.
    pub input_tokens: Option<u64>,
    /// Input tokens read from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Output tokens, reasoning included; null where nobody counted them.
    pub output_tokens: Option<u64>,
    /// Events of the stream in which the answer came.
    pub content_events: u32,
    #[doc = definition!(ttft_ms)]
    pub ttft_ms: Option<f64>,
    #[doc = definition!(tpot_ms)]
    pub tpot_ms: Option<f64>,
    #[doc = definition!(e2e_ms)]
    pub e2e_ms: Option<f64>,
    /// It kept the limits, counted from `scheduled_ms` where there is one; null where it cannot be judged.
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

/// The loads that were planned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    pub phases: Vec<Phase>,
    pub extent: crate::measure::load::Extent,
    /// Warm-up: requests for each place of a closed loop, seconds of an open loop.
    pub warmup: u32,
    pub slo: Slo,
}
