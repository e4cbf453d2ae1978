//! Several requests at once, as the document has it.

use super::Summary;
use crate::measure::event::Fault;
use crate::measure::load::{Arrivals, LoadFigures, Phase, Sent, Shape, Slo, figures};
use crate::measure::stats;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A closed loop with a fixed number of requests under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    pub concurrency: u32,
    pub requests: u32,
    pub failures: u32,
    /// Output tokens per second of all sequences together, while the loop was full.
    pub output_tps_system: Option<f64>,
    /// Requests per second, while the loop was full.
    pub requests_per_s: Option<f64>,
    /// Per request; waiting for a place in the batch is inside.
    pub ttft_ms: Summary,
    pub tpot_ms: Summary,
    #[serde(default)]
    pub e2e_ms: Summary,
    #[serde(default)]
    pub detail: LoadDetail,
}

/// An open loop: requests sent at a rate, whatever the answers do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLoop {
    /// Offered requests per second.
    pub rate_per_s: f64,
    pub arrivals: Arrivals,
    pub requests: u32,
    pub failures: u32,
    pub output_tps_system: Option<f64>,
    /// Requests answered per second while the load was on.
    pub requests_per_s: Option<f64>,
    /// Requests sent per second: below the offered rate where the sender was late.
    pub sent_per_s: Option<f64>,
    /// From the instant the request was due.
    pub ttft_scheduled_ms: Summary,
    pub e2e_scheduled_ms: Summary,
    /// From the instant it was sent.
    pub ttft_ms: Summary,
    pub e2e_ms: Summary,
    pub tpot_ms: Summary,
    /// Sent − due.
    pub send_lag_ms: Summary,
    /// The 99th percentile of the send lag, or its maximum where there are too few requests for one,
    /// is more than a tenth of the median TTFT.
    pub lagging: bool,
    pub detail: LoadDetail,
}

/// What both kinds of load have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadDetail {
    /// How often this load was put on the target.
    pub rounds: u32,
    /// Seconds the load was on, all rounds together: from the first measured send to the last.
    pub seconds: Option<f64>,
    pub in_flight_mean: Option<f64>,
    pub in_flight_max: u32,
    pub failure_kinds: BTreeMap<String, u32>,
    /// Requests within the limits; null where there are none or they cannot be judged.
    pub goodput: Option<Goodput>,
    /// How late this program itself was while a request was under way, worst instant of each.
    pub client_lag_ms: Summary,
    /// Input tokens read from a prompt cache, all requests together.
    pub cached_input_tokens: Option<u64>,
    pub cost_usd_total: Option<f64>,
    /// A local target's device while the load was on, idle power included; null where its energy
    /// cannot be read, for the reason that the target's `energy` gives.
    #[serde(default)]
    pub busy_watts: Option<f64>,
    /// The same energy over the output tokens of all requests; their prompts are inside.
    #[serde(default)]
    pub output_token_j: Option<f64>,
}

/// Requests that kept every limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    pub slo: Slo,
    pub met: u32,
    /// All measured requests; a failed one keeps no limit.
    pub requests: u32,
    pub share: f64,
    /// Wilson 95 % interval of the share.
    pub low: f64,
    pub high: f64,
    /// Requests per second within the limits.
    pub requests_per_s: Option<f64>,
}

/// One measured request under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadSample {
    /// Id of the target.
    pub target: String,
    /// Exactly one of these two is there.
    pub concurrency: Option<u32>,
    pub rate_per_s: Option<f64>,
    /// 0-based.
    pub round: u32,
    pub index: u32,
    /// 0, or which part of a resumed run.
    pub session: u32,
    pub prompt_id: String,
    /// Since the start of this load, in this part of the run.
    pub scheduled_ms: Option<f64>,
    pub sent_ms: f64,
    pub error: Option<Fault>,
    pub input_tokens: Option<u64>,
    pub cached_input_tokens: Option<u64>,
    pub output_tokens: Option<u64>,
    pub content_events: u32,
    /// From the send.
    pub ttft_ms: Option<f64>,
    pub tpot_ms: Option<f64>,
    pub e2e_ms: Option<f64>,
    /// Within the limits, counted from `scheduled_ms` where there is one.
    pub within_limits: Option<bool>,
    pub client_lag_ms: Option<f64>,
    pub connection_reused: Option<bool>,
    pub cost_usd: Option<f64>,
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

/// The loads of one target: closed loops ascending, open loops ascending.
pub fn loads(target: usize, plan: &LoadPlan, sent: &[Sent]) -> (Vec<Level>, Vec<OpenLoop>) {
    let (mut levels, mut open) = (Vec::new(), Vec::new());
    let mut shapes: Vec<Shape> = Vec::new();
    for phase in plan.phases.iter().filter(|p| p.target == target) {
        if !shapes.contains(&phase.shape) {
            shapes.push(phase.shape);
        }
    }
    for shape in shapes {
        let rows: Vec<&Sent> = sent
            .iter()
            .filter(|s| {
                s.step
                    .load
                    .and_then(|p| plan.phases.get(p.phase))
                    .is_some_and(|p| p.target == target && p.shape == shape)
            })
            .collect();
        let f = figures(&rows, &plan.slo);
        if f.requests == 0 {
            continue;
        }
        let rounds: std::collections::BTreeSet<usize> =
            rows.iter().filter(|r| !r.step.warmup).filter_map(|r| Some(r.step.load?.phase)).collect();
        let detail = detail(&f, &plan.slo, rounds.len());
        match shape {
            Shape::Closed { concurrency } => levels.push(level(concurrency, &f, detail)),
            Shape::Open { rate_per_s, arrivals } => open.push(open_loop(rate_per_s, arrivals, &f, detail)),
        }
    }
    levels.sort_by_key(|l| l.concurrency);
    open.sort_by(|a, b| a.rate_per_s.total_cmp(&b.rate_per_s));
    (levels, open)
}

fn level(concurrency: u32, f: &LoadFigures, detail: LoadDetail) -> Level {
    Level {
        concurrency,
        requests: f.requests,
        failures: f.failures,
        output_tps_system: f.output_tps_system,
        requests_per_s: f.requests_per_s,
        ttft_ms: summary(&f.ttft_ms),
        tpot_ms: summary(&f.tpot_ms),
        e2e_ms: summary(&f.e2e_ms),
        detail,
    }
}

fn open_loop(rate_per_s: f64, arrivals: Arrivals, f: &LoadFigures, detail: LoadDetail) -> OpenLoop {
    OpenLoop {
        rate_per_s,
        arrivals,
        requests: f.requests,
        failures: f.failures,
        output_tps_system: f.output_tps_system,
        requests_per_s: f.requests_per_s,
        sent_per_s: f.sent_per_s,
        ttft_scheduled_ms: summary(&f.ttft_scheduled_ms),
        e2e_scheduled_ms: summary(&f.e2e_scheduled_ms),
        ttft_ms: summary(&f.ttft_ms),
        e2e_ms: summary(&f.e2e_ms),
        tpot_ms: summary(&f.tpot_ms),
        send_lag_ms: summary(&f.send_lag_ms),
        lagging: f.lagging,
        detail,
    }
}

fn detail(f: &LoadFigures, slo: &Slo, rounds: usize) -> LoadDetail {
    let mut failure_kinds = BTreeMap::new();
    for fault in &f.failure_kinds {
        *failure_kinds.entry(super::word(&fault.kind)).or_insert(0) += 1;
    }
    LoadDetail {
        rounds: u32::try_from(rounds).unwrap_or(u32::MAX),
        seconds: Some(f.seconds).filter(|s| *s > 0.0),
        in_flight_mean: f.in_flight_mean,
        in_flight_max: f.in_flight_max,
        failure_kinds,
        goodput: f.good.and_then(|(met, requests)| {
            let interval = stats::wilson(met, requests)?;
            Some(Goodput {
                slo: *slo,
                met,
                requests,
                share: f64::from(met) / f64::from(requests),
                low: interval.low,
                high: interval.high,
                requests_per_s: f.goodput_rps,
            })
        }),
        client_lag_ms: summary(&f.client_lag_ms),
        cached_input_tokens: f.cached_input_tokens,
        cost_usd_total: f.cost_usd,
        busy_watts: f.watts,
        output_token_j: f.output_token_j,
    }
}

fn summary(values: &[f64]) -> Summary {
    super::build::summary_of(values)
}

/// The measured requests under load, in the order they ended.
pub fn samples(sent: &[Sent], basis: &super::build::Basis) -> Vec<LoadSample> {
    let measured = sent.iter().filter(|s| !s.step.warmup);
    measured
        .filter_map(|s| {
            let place = s.step.load?;
            let phase = basis.load.phases.get(place.phase)?;
            let (concurrency, rate_per_s) = match phase.shape {
                Shape::Closed { concurrency } => (Some(concurrency), None),
                Shape::Open { rate_per_s, .. } => (None, Some(rate_per_s)),
            };
            Some(LoadSample {
                target: basis.targets.get(s.step.target)?.id.clone(),
                concurrency,
                rate_per_s,
                round: phase.round,
                index: place.index,
                session: s.session,
                prompt_id: basis.prompts.get(s.step.prompt)?.id.clone(),
                scheduled_ms: s.scheduled_ms,
                sent_ms: s.sent_ms,
                error: s.error.clone(),
                input_tokens: s.input_tokens,
                cached_input_tokens: s.cached_input_tokens,
                output_tokens: s.output_tokens,
                content_events: s.content_events,
                ttft_ms: s.ttft_ms,
                tpot_ms: s.tpot_ms,
                e2e_ms: s.e2e_ms,
                within_limits: Some(basis.load.slo)
                    .filter(|l| *l != Slo::default())
                    .and_then(|l| s.meets(&l)),
                client_lag_ms: s.client_lag_ms,
                connection_reused: s.connection_reused,
                cost_usd: s.cost_usd,
                pass: s.pass,
            })
        })
        .collect()
}
