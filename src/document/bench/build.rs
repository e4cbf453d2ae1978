//! Measured records → the bench document.

mod bill;
mod pairs;
mod warnings;

pub use bill::{Bill, bill, cost};

use super::embedding::Embedding;
use super::engine::{Energy, EnergyFacts, Synthetic};
use super::{
    BenchDocument, BenchResult, Engine, Kind, Metrics, Noise, SCHEMA, Sample, Spending, Summary, Target,
    TokenMeans, TokenSource,
    load::{self, LoadPlan},
    price::PriceInForce,
};
use crate::document::envelope::{Envelope, Input};
use crate::measure::event::{Fault, FinishReason};
use crate::measure::fold;
use crate::measure::load::Sent;
use crate::measure::run::{Ended, Record};
use crate::measure::stats;
use crate::prompts::Prompt;
use crate::quality;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest answer kept in a document, characters.
const LONGEST_TEXT: usize = 4096;

/// What is known of a target beside its measurements.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetFacts {
    pub id: String,
    pub kind: Kind,
    pub model: String,
    pub stand_in: bool,
    pub origin: Option<String>,
    pub price: Option<PriceInForce>,
    pub engine: Option<Engine>,
    /// The engine alone, where that was measured.
    #[serde(default)]
    pub synthetic: Vec<Synthetic>,
    /// Vectors of the prompts, where they were made.
    #[serde(default)]
    pub embedding: Option<Embedding>,
    /// Of a local target: where its energy was read, or why not.
    #[serde(default)]
    pub energy: Option<EnergyFacts>,
    /// What happened meanwhile: heat, other programs on the device, levels left out.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// The proxy requests went through, without its credentials.
    #[serde(default)]
    pub proxy: Option<String>,
    /// What a reader of its figures must know.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a document rests on beside the requests themselves: known when the run begins, and kept at
/// the beginning of its journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Basis {
    pub targets: Vec<TargetFacts>,
    pub prompts: Vec<Prompt>,
    pub max_output_tokens: u32,
    pub seed: u64,
    /// Accepted loss of pass rate.
    pub margin: f64,
    /// Prompt caches were to be defeated.
    pub cache_bust: bool,
    pub load: LoadPlan,
    /// As planned; what was spent is not known yet.
    pub spending: Spending,
    pub inputs: BTreeMap<String, Input>,
    pub created: String,
}

/// Everything a document is made of.
#[derive(Debug)]
pub struct Run<'a> {
    pub basis: &'a Basis,
    /// In the order they ran, without warm-up.
    pub samples: Vec<Sample>,
    /// Requests under load, warm-up included.
    pub sent: &'a [Sent],
    /// Per target: requests cut off by a kill or an interruption.
    pub cut: &'a [u32],
    pub ended: &'a Ended,
    pub spent_usd: Option<f64>,
    /// The most that requests of unknown cost can have cost.
    pub unsettled_usd: Option<f64>,
    /// Requests that failed without a bill in an earlier part of the run and were asked again.
    pub asked_again: u32,
}

/// One record as a row of the document.
pub fn sample(record: &Record, facts: &TargetFacts, prompts: &[Prompt]) -> Sample {
    let f = &record.figures;
    let prompt = &prompts[record.step.prompt];
    let capped: String = f.text.chars().take(LONGEST_TEXT).collect();
    Sample {
        target: facts.id.clone(),
        prompt_id: prompt.id.clone(),
        repeat: record.step.repeat,
        started_ms: Some(record.started.as_secs_f64() * 1000.0),
        error: f.error.clone(),
        attempts: record.attempts,
        retry_wait_ms: record.waited.as_secs_f64() * 1000.0,
        statuses: record.statuses.clone(),
        finish: f.finish,
        token_source: match f.token_source {
            fold::TokenSource::Usage => TokenSource::Usage,
            fold::TokenSource::LocalTokenizer => TokenSource::LocalTokenizer,
            fold::TokenSource::NotMeasured => TokenSource::NotMeasured,
        },
        input_tokens: f.input_tokens,
        cached_input_tokens: f.usage.cache_read,
        output_tokens: f.output_tokens,
        visible_output_tokens: f.visible_output_tokens,
        reasoning_tokens: f.usage.reasoning,
        ttfb_ms: f.ttfb_ms,
        ttft_ms: f.ttft_ms,
        ttfo_ms: f.ttfo_ms,
        tpot_ms: f.tpot_ms,
        decode_tps: f.decode_tps,
        prefill_tps: f.prefill_tps,
        e2e_ms: f.e2e_ms,
        e2e_output_tps: f.e2e_output_tps,
        icl_ms: stats::median(&f.icl_ms),
        icl_max_ms: f.icl_ms.iter().copied().reduce(f64::max),
        content_events: f.content_events,
        connect_ms: record.connect.map(|c| c.as_secs_f64() * 1000.0),
        connection_reused: f.connection_reused,
        tokenize_ms: f.tokenize_ms,
        prompt_ms: f.prompt_ms,
        first_sample_ms: f.first_sample_ms,
        sample_ms: f.sample_ms,
        energy_j: f.energy_j,
        energy_over_ms: f.energy_over_ms,
        http2: f.http2,
        engine_prompt_tps: f.engine_prompt_tps,
        engine_decode_tps: f.engine_decode_tps,
        cost_usd: cost(record, facts),
        hidden_reasoning: f.hidden_reasoning,
        provider_cost_usd: f.usage.provider_cost_usd,
        service_tier: f.usage.special_tier.clone(),
        usage_raw: f.usage.raw.clone(),
        usage_inconsistent: f.usage.inconsistent,
        clock_gap_ms: f.clock_gap_ms,
        pass: pass(record, prompt, facts),
        text_capped: capped.len() < f.text.len(),
        text: capped,
        request_id: f.request_id.clone(),
    }
}

/// Does the answer meet the prompt's expectation and assertions, where it has any? `None` where it has
/// none, or where it cannot be graded.
fn pass(record: &Record, prompt: &Prompt, facts: &TargetFacts) -> Option<bool> {
    let f = &record.figures;
    if f.error.is_some() || (prompt.expect.is_none() && prompt.asserts.is_empty()) {
        return None;
    }
    let expected = prompt.expect.as_ref().is_none_or(|e| quality::passes(&f.text, e));
    if prompt.asserts.is_empty() {
        return Some(expected);
    }
    let answer = quality::Answer {
        text: &f.text,
        latency_ms: f.e2e_ms,
        cost_usd: cost(record, facts),
        output_tokens: f.output_tokens,
        finish_reason: f.finish.and_then(|reason| match reason {
            FinishReason::Stop => Some("stop"),
            FinishReason::Length => Some("length"),
            FinishReason::ToolCalls => Some("tool_calls"),
            FinishReason::ContentFilter => Some("content_filter"),
            FinishReason::Other => None,
        }),
        ..quality::Answer::default()
    };
    match quality::Graders::new(&prompt.asserts, prompt.threshold).grade(&answer, &BTreeMap::new()) {
        quality::Grade::Scored(score) => Some(expected && score.pass),
        quality::Grade::Missing(_) => None,
    }
}

/// One record under load as a row.
pub fn sent(record: &Record, session: u32, facts: &TargetFacts, prompts: &[Prompt]) -> Sent {
    Sent::of(record, session, cost(record, facts), pass(record, &prompts[record.step.prompt], facts))
}

/// The document of a run.
pub fn document(run: Run<'_>) -> BenchDocument {
    let (basis, samples) = (run.basis, &run.samples);
    let targets: Vec<Target> = basis
        .targets
        .iter()
        .enumerate()
        .map(|(n, facts)| {
            let rows: Vec<&Sample> = samples.iter().filter(|s| s.target == facts.id).collect();
            let mut target = target(facts, &rows, run.ended.stopped[n].clone(), &basis.prompts);
            (target.levels, target.rates) = load::loads(n, &basis.load, run.sent);
            target.cut_in_flight = run.cut[n];
            target
        })
        .collect();
    let couples: Vec<(&Target, &Target)> = targets
        .iter()
        .filter(|t| t.kind == Kind::Local)
        .flat_map(|l| targets.iter().filter(|t| t.kind == Kind::Api).map(move |a| (l, a)))
        .collect();
    let comparisons =
        couples.iter().flat_map(|(l, a)| pairs::compare(l, a, samples, &basis.prompts, basis.seed)).collect();
    let quality = couples
        .iter()
        .filter_map(|(l, a)| pairs::judge(l, a, samples, &basis.prompts, basis.margin))
        .collect();
    let warnings = warnings::warnings(&run, &targets, samples);
    Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: basis.created.clone(),
        inputs: basis.inputs.clone(),
        result: BenchResult {
            complete: run.ended.complete,
            targets,
            load_samples: load::samples(run.sent, basis),
            samples: run.samples,
            comparisons,
            quality,
            spending: Spending {
                spent_usd: run.spent_usd,
                unsettled_usd: run.unsettled_usd,
                ..basis.spending.clone()
            },
            // Without requests there is nothing that they define.
            definitions: if basis.prompts.is_empty() { BTreeMap::new() } else { super::definitions() },
        },
        warnings,
    }
}

/// Only these count for speed: whole answers, at the first attempt.
fn for_speed<'a>(rows: &[&'a Sample]) -> Vec<&'a Sample> {
    rows.iter().copied().filter(|s| s.error.is_none() && s.attempts <= 1).collect()
}

fn target(facts: &TargetFacts, rows: &[&Sample], stopped: Option<Fault>, prompts: &[Prompt]) -> Target {
    let speed = for_speed(rows);
    let of = |pick: fn(&Sample) -> Option<f64>| summary(&speed, pick);
    let good: Vec<&Sample> = rows.iter().copied().filter(|s| s.error.is_none()).collect();
    let mean = |pick: fn(&Sample) -> Option<u64>| {
        let values: Vec<f64> = good.iter().filter_map(|s| pick(s)).map(|n| n as f64).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let reused: Vec<bool> = rows.iter().filter_map(|s| s.connection_reused).collect();
    let costs: Option<Vec<f64>> = good.iter().map(|s| s.cost_usd).collect();
    Target {
        id: facts.id.clone(),
        kind: facts.kind,
        model: facts.model.clone(),
        stand_in: facts.stand_in,
        origin: facts.origin.clone(),
        token_source: token_source(facts.kind, &good),
        requests: count(rows.len()),
        failures: count(rows.iter().filter(|s| s.error.is_some()).count()),
        retried: count(rows.iter().filter(|s| s.attempts > 1).count()),
        failure_kinds: tally(rows.iter().filter_map(|s| s.error.as_ref().map(|e| &e.kind))),
        stopped,
        finish: tally(good.iter().filter_map(|s| s.finish.as_ref())),
        metrics: Metrics {
            ttft_ms: of(|s| s.ttft_ms),
            ttfo_ms: of(|s| s.ttfo_ms),
            ttfb_ms: of(|s| s.ttfb_ms),
            tpot_ms: of(|s| s.tpot_ms),
            decode_tps: of(|s| s.decode_tps),
            prefill_tps: of(|s| s.prefill_tps),
            e2e_ms: of(|s| s.e2e_ms),
            e2e_output_tps: of(|s| s.e2e_output_tps),
            icl_ms: of(|s| s.icl_ms),
            cost_usd: of(|s| s.cost_usd),
            engine_decode_tps: of(|s| s.engine_decode_tps),
            tokenize_ms: of(|s| s.tokenize_ms),
            prompt_ms: of(|s| s.prompt_ms),
            first_sample_ms: of(|s| s.first_sample_ms),
            sample_ms: of(|s| s.sample_ms),
        },
        tokens: TokenMeans {
            input: mean(|s| s.input_tokens),
            cached_input: mean(|s| s.cached_input_tokens),
            output: mean(|s| s.output_tokens),
            reasoning: mean(|s| s.reasoning_tokens),
        },
        prefill_basis: Some(
            match facts.kind {
                Kind::Local => "engine",
                Kind::Api => "lower_bound",
            }
            .to_owned(),
        ),
        cost_usd_total: costs.filter(|c| !c.is_empty()).map(|c| c.iter().sum()),
        price: facts.price.as_ref().map(|p| p.record.clone()),
        pass_rate: pairs::pass_rate(&facts.id, rows, prompts),
        engine: facts.engine.clone(),
        noise: noise(&speed),
        levels: Vec::new(),
        rates: Vec::new(),
        synthetic: facts.synthetic.clone(),
        embedding: facts.embedding.clone(),
        energy: facts.energy.as_ref().map(|e| Energy::new(e, &good)),
        cut_in_flight: 0,
        proxy: facts.proxy.clone(),
        connection_reused_share: (!reused.is_empty())
            .then(|| reused.iter().filter(|r| **r).count() as f64 / reused.len() as f64),
    }
}

fn summary(rows: &[&Sample], pick: fn(&Sample) -> Option<f64>) -> Summary {
    let values: Vec<f64> = rows.iter().filter_map(|s| pick(s)).collect();
    summary_of(&values)
}

pub(super) fn summary_of(values: &[f64]) -> Summary {
    let s = stats::summary(values);
    Summary {
        n: s.n,
        median: s.median,
        low: s.low,
        high: s.high,
        min: s.min,
        max: s.max,
        p90: s.p90,
        p95: s.p95,
        p99: s.p99,
    }
}

/// One answer whose tokens nobody counted is enough to say so; a mixture is never called measured.
fn token_source(kind: Kind, good: &[&Sample]) -> TokenSource {
    match (kind, good.iter().any(|s| s.token_source == TokenSource::NotMeasured)) {
        (Kind::Local, _) => TokenSource::LocalTokenizer,
        (Kind::Api, false) if !good.is_empty() => TokenSource::Usage,
        (Kind::Api, _) => TokenSource::NotMeasured,
    }
}

fn tally<'a, T: serde::Serialize + 'a>(values: impl Iterator<Item = &'a T>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(super::word(value)).or_insert(0) += 1;
    }
    counts
}

/// First against second half, in the order they ran.
fn noise(speed: &[&Sample]) -> Option<Noise> {
    let of = |pick: fn(&Sample) -> Option<f64>| speed.iter().filter_map(|s| pick(s)).collect::<Vec<f64>>();
    let (tpot, ttft) = (of(|s| s.tpot_ms), of(|s| s.ttft_ms));
    let halves = |values: &[f64]| {
        if values.len() < 4 {
            return None;
        }
        let (first, second) = values.split_at(values.len() / 2);
        Some(stats::median(second)? / stats::median(first)?)
    };
    let order: Vec<f64> = (0..tpot.len()).map(|i| i as f64).collect();
    let noise = Noise {
        tpot_half_ratio: halves(&tpot),
        ttft_half_ratio: halves(&ttft),
        drift_rho: stats::spearman(&order, &tpot),
    };
    (noise.tpot_half_ratio.is_some() || noise.ttft_half_ratio.is_some()).then_some(noise)
}
