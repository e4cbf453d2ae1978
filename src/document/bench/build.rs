//! Measured records → the bench document.

mod basis;
mod bill;
mod doubts;
mod load;
mod pairs;
mod warnings;

pub use basis::{Basis, Run, TargetFacts};
pub use bill::{Bill, bill, cost};

use super::engine::Energy;
use super::sample::for_speed;
use super::{
    BenchDocument, BenchResult, Comparison, Kind, Noise, Quality, SCHEMA, Sample, Spending, Summary, Target,
    TokenMeans, TokenSource, Turn,
};
use crate::document::envelope::Envelope;
use crate::document::metrics::{Measured, PerRequest, lookup};
use crate::document::word;
use crate::measure::conversation;
use crate::measure::counts;
use crate::measure::event::{Fault, FinishReason};
use crate::measure::load::Sent;
use crate::measure::run::Record;
use crate::measure::stats;
use crate::prompts::Prompt;
use crate::quality;
use std::collections::BTreeMap;

/// Longest answer kept in a document, characters.
const LONGEST_TEXT: usize = 4096;

/// One record as a row of the document.
pub fn sample(record: &Record, facts: &TargetFacts, prompts: &[Prompt]) -> Sample {
    let f = &record.figures;
    let prompt = &prompts[record.step.prompt];
    let text = &record.trace.text;
    let capped: String = text.chars().take(LONGEST_TEXT).collect();
    Sample {
        target: facts.id.clone(),
        prompt_id: prompt.id.clone(),
        repeat: record.step.repeat,
        turn: record.step.turn,
        started_ms: Some(record.started.as_secs_f64() * 1000.0),
        error: f.error.clone(),
        attempts: record.attempts,
        retry_wait_ms: record.waited.as_secs_f64() * 1000.0,
        statuses: record.statuses.clone(),
        finish: f.finish,
        token_source: match f.token_source {
            counts::TokenSource::Usage => TokenSource::Usage,
            counts::TokenSource::LocalTokenizer => TokenSource::LocalTokenizer,
            counts::TokenSource::NotMeasured => TokenSource::NotMeasured,
        },
        input_tokens: f.input_tokens,
        cached_input_tokens: f.usage.cache_read,
        output_tokens: f.output_tokens,
        visible_output_tokens: f.visible_output_tokens,
        reasoning_tokens: f.usage.reasoning,
        metrics: PerRequest::of(&Measured { record, cost_usd: cost(record, facts) }),
        icl_max_ms: f.icl_ms.iter().copied().reduce(f64::max),
        content_events: f.content_events,
        connect_ms: record.connect.map(|c| c.as_secs_f64() * 1000.0),
        connection_reused: f.connection_reused,
        energy_j: f.energy_j,
        energy_over_ms: f.energy_over_ms,
        http2: f.http2,
        engine_prompt_tps: f.engine_prompt_tps,
        hidden_reasoning: f.hidden_reasoning,
        provider_cost_usd: f.usage.provider_cost_usd,
        service_tier: f.usage.special_tier.clone(),
        usage_raw: f.usage.raw.clone(),
        usage_inconsistent: f.usage.inconsistent,
        clock_gap_ms: f.clock_gap_ms,
        pass: pass(record, prompt, facts),
        text_capped: capped.len() < text.len(),
        text: capped,
        reasoning_text: (!record.trace.thoughts.is_empty())
            .then(|| record.trace.thoughts.chars().take(LONGEST_TEXT).collect()),
        reasoning_chars: record.trace.thought_chars,
        reasoning_in_text: record.trace.thoughts_in_text,
        doubts: f.doubts.clone(),
        answered_by: record.trace.model.clone(),
        request_id: f.request_id.clone(),
    }
}

/// Does the answer meet the prompt's expectation and assertions, where it has any? `None` where it has
/// none, or where it cannot be graded.
fn pass(record: &Record, prompt: &Prompt, facts: &TargetFacts) -> Option<bool> {
    let f = &record.figures;
    // Read back from a journal, an answer with the key in it is not what came.
    let there = f.error.is_none() && (!record.trace.redacted || record.unredacted.is_some());
    // What is expected is expected of the conversation's end.
    let last = record.step.turn + 1 == conversation::turns(prompt);
    if !there || !last || (prompt.expect.is_none() && prompt.asserts.is_empty()) {
        return None;
    }
    let expected = prompt.expect.as_ref().is_none_or(|e| quality::passes(record.answer(), e));
    if prompt.asserts.is_empty() {
        return Some(expected);
    }
    let answer = quality::Answer {
        text: record.answer(),
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
    let comparisons: Vec<Comparison> =
        couples.iter().flat_map(|(l, a)| pairs::compare(l, a, samples, &basis.prompts, basis.seed)).collect();
    let quality: Vec<Quality> = couples
        .iter()
        .filter_map(|(l, a)| pairs::judge(l, a, samples, &basis.prompts, basis.margin))
        .collect();
    let warnings = warnings::warnings(&run, &targets, samples);
    let spending =
        Spending { spent_usd: run.spent_usd, unsettled_usd: run.unsettled_usd, ..basis.spending.clone() };
    let definitions = definitions(&targets, &comparisons, &quality, &spending);
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
            spending,
            // Without requests there is nothing that they define.
            definitions: if basis.prompts.is_empty() { BTreeMap::new() } else { definitions },
        },
        warnings,
    }
}

/// What the figures mean that the document has.
fn definitions(
    targets: &[Target],
    comparisons: &[Comparison],
    quality: &[Quality],
    spending: &Spending,
) -> BTreeMap<String, String> {
    let parts = serde_json::json!({
        "targets": targets, "comparisons": comparisons, "quality": quality, "spending": spending,
    });
    lookup::definitions("bench", &parts)
}

fn target(facts: &TargetFacts, rows: &[&Sample], stopped: Option<Fault>, prompts: &[Prompt]) -> Target {
    let speed = for_speed(rows);
    let good: Vec<&Sample> = rows.iter().copied().filter(|s| s.error.is_none()).collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let reused: Vec<bool> = rows.iter().filter_map(|s| s.connection_reused).collect();
    let costs: Option<Vec<f64>> = good.iter().map(|s| s.metrics.cost_usd).collect();
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
        metrics: PerRequest::from_each(|metric| summary(&speed, |s| *metric.of(&s.metrics))),
        tokens: token_means(&good),
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
        turns: turns(&speed),
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

fn token_means(rows: &[&Sample]) -> TokenMeans {
    let mean = |pick: fn(&Sample) -> Option<u64>| {
        let values: Vec<f64> = rows.iter().filter_map(|s| pick(s)).map(|n| n as f64).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    };
    TokenMeans {
        input: mean(|s| s.input_tokens),
        cached_input: mean(|s| s.cached_input_tokens),
        output: mean(|s| s.output_tokens),
        reasoning: mean(|s| s.reasoning_tokens),
    }
}

/// The turns of the conversations among these requests; nothing where there is only a first one.
fn turns(speed: &[&Sample]) -> Vec<Turn> {
    let last = speed.iter().map(|s| s.turn).max().filter(|last| *last > 0);
    let of_turn = |turn| {
        let rows: Vec<&Sample> = speed.iter().copied().filter(|s| s.turn == turn).collect();
        Turn {
            turn,
            tokens: token_means(&rows),
            ttft_ms: summary(&rows, |s| s.metrics.ttft_ms),
            tpot_ms: summary(&rows, |s| s.metrics.tpot_ms),
            e2e_ms: summary(&rows, |s| s.metrics.e2e_ms),
        }
    };
    last.map(|last| (0..=last).map(of_turn).collect()).unwrap_or_default()
}

fn summary(rows: &[&Sample], pick: impl Fn(&Sample) -> Option<f64>) -> Summary {
    Summary::of(&rows.iter().filter_map(|s| pick(s)).collect::<Vec<f64>>())
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
        *counts.entry(word(value)).or_insert(0) += 1;
    }
    counts
}

/// First against second half, in the order they ran.
fn noise(speed: &[&Sample]) -> Option<Noise> {
    let of = |pick: fn(&Sample) -> Option<f64>| speed.iter().filter_map(|s| pick(s)).collect::<Vec<f64>>();
    let (tpot, ttft) = (of(|s| s.metrics.tpot_ms), of(|s| s.metrics.ttft_ms));
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
