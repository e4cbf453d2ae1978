//! Measured records → the bench document.

mod basis;
mod bill;
mod decide;
mod doubts;
mod grade;
mod judging;
mod load;
mod pairs;
mod sellers;
mod warnings;

pub use basis::{Basis, JudgedPair, Run, TargetFacts};
pub use bill::{Bill, bill, cost};
pub use decide::Deciding;
pub use grade::{Graded, Grading, Kept};
pub use judging::{
    Answers, Asking, CRITERION, ForProgram, HumanGrade, Judging, Question, Replies, key as judge_key,
    most as most_to_judge, vector_about,
};

use super::engine::Energy;
use super::pair::Pair;
use super::sample::for_speed;
use super::{
    BenchDocument, BenchResult, Comparison, Kind, Noise, Quality, Rate, SCHEMA, Sample, Spending, Summary,
    Target, TokenMeans, TokenSource, Turn,
};
use crate::document::envelope::Envelope;
use crate::document::metrics::{Measured, PerRequest, lookup};
use crate::document::word;
use crate::measure::counts;
use crate::measure::event::Fault;
use crate::measure::load::Sent;
use crate::measure::run::Record;
use crate::measure::schedule::Step;
use crate::measure::stats;
use crate::prompts::Prompt;
use std::collections::BTreeMap;

/// Longest answer kept in a document, characters.
const LONGEST_TEXT: usize = 4096;

/// One measured request as a row of the document.
pub fn sample(record: &Record, facts: &TargetFacts, prompts: &[Prompt], graded: Graded) -> Sample {
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
        pass: graded.pass,
        score: graded.score,
        failed_graders: graded.failed,
        not_graded: graded.missing,
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

/// An answer that another program has recorded, as a row: it has a text and a grade, but no times.
pub fn recorded(text: &str, step: &Step, facts: &TargetFacts, prompts: &[Prompt], graded: Graded) -> Sample {
    let capped: String = text.chars().take(LONGEST_TEXT).collect();
    Sample {
        target: facts.id.clone(),
        prompt_id: prompts[step.prompt].id.clone(),
        repeat: step.repeat,
        turn: step.turn,
        started_ms: None,
        error: None,
        attempts: 0,
        retry_wait_ms: 0.0,
        statuses: Vec::new(),
        finish: None,
        token_source: TokenSource::NotMeasured,
        input_tokens: None,
        cached_input_tokens: None,
        output_tokens: None,
        visible_output_tokens: None,
        reasoning_tokens: None,
        metrics: PerRequest::from_each(|_| None),
        icl_max_ms: None,
        content_events: 0,
        connect_ms: None,
        connection_reused: None,
        energy_j: None,
        energy_over_ms: None,
        http2: None,
        engine_prompt_tps: None,
        hidden_reasoning: false,
        provider_cost_usd: None,
        service_tier: None,
        usage_raw: None,
        usage_inconsistent: false,
        clock_gap_ms: None,
        pass: graded.pass,
        score: graded.score,
        failed_graders: graded.failed,
        not_graded: graded.missing,
        text_capped: capped.len() < text.len(),
        text: capped,
        reasoning_text: None,
        reasoning_chars: 0,
        reasoning_in_text: false,
        doubts: Vec::new(),
        answered_by: None,
        request_id: None,
    }
}

/// One measured request under load, with its cost and grade.
pub fn sent(record: &Record, session: u32, facts: &TargetFacts, grading: &Grading) -> Sent {
    let step = &record.step;
    let kept = grading.expects(step.prompt, step.turn).then(|| Kept::of(record, facts)).flatten();
    let graded = grading.grade(step.prompt, step.turn, kept.as_ref(), &BTreeMap::new());
    Sent::of(record, session, cost(record, facts), graded.pass)
}

/// The document of a finished or interrupted run.
pub fn document(run: Run<'_>) -> BenchDocument {
    let (basis, samples) = (run.basis, &run.samples);
    let rows = pairs::Rows::of(samples);
    let targets: Vec<Target> = basis
        .targets
        .iter()
        .enumerate()
        .map(|(n, facts)| {
            let mine: Vec<&Sample> = samples.iter().filter(|s| s.target == facts.id).collect();
            let mut target = target(facts, &mine, run.ended.stopped[n].clone());
            target.pass_rate = pairs::pass_rate(&facts.id, &rows, &basis.prompts);
            target.pass_hat = pairs::pass_hat(&facts.id, &rows, &basis.prompts);
            target.tool_calls_fit = run.calls_fit.get(n).and_then(|[fit, of]| rate(*fit, *of));
            (target.levels, target.rates) = load::loads(n, &basis.load, run.sent);
            target.cut_in_flight = run.cut[n];
            target
        })
        .collect();
    let couples = couples(&targets);
    let comparisons: Vec<Comparison> = couples
        .iter()
        .filter(|(l, a)| l.kind != a.kind)
        .flat_map(|(l, a)| pairs::compare(l, a, samples, &basis.prompts, basis.seed))
        .collect();
    let paired: Vec<Pair> = couples
        .iter()
        .map(|(a, b)| pairs::pair(a, b, &rows, basis))
        .filter(|p| p.quality.is_some() || p.agreement.is_some())
        .map(|pair| with_judges(pair, run.judged))
        .collect();
    let of_both = |p: &&Pair| couples.iter().any(|(a, b)| a.id == p.a && b.id == p.b && a.kind != b.kind);
    let quality: Vec<Quality> = paired.iter().filter(of_both).filter_map(pairs::local_beside_api).collect();
    let same_weights = sellers::same_weights(basis, &targets, &paired, samples);
    let warnings = warnings::warnings(&run, &targets, samples);
    let spending =
        Spending { spent_usd: run.spent_usd, unsettled_usd: run.unsettled_usd, ..basis.spending.clone() };
    let definitions = definitions(&targets, &comparisons, &quality, &paired, &spending);
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
            pairs: paired,
            judges: run.judges.to_vec(),
            same_weights,
            spending,
            // Without requests there are no metrics to define.
            definitions: if basis.prompts.is_empty() { BTreeMap::new() } else { definitions },
        },
        warnings,
    }
}

/// Every pair of targets, with the one in question first: the local one beside an API; of two of the same
/// kind, the one that was named first.
fn couples(targets: &[Target]) -> Vec<(&Target, &Target)> {
    let mut couples = Vec::new();
    for (n, one) in targets.iter().enumerate() {
        for other in &targets[n + 1..] {
            let turned = one.kind == Kind::Api && other.kind == Kind::Local;
            couples.push(if turned { (other, one) } else { (one, other) });
        }
    }
    // Local beside API comes first: it is what the program is for.
    couples.sort_by_key(|(a, b)| a.kind == b.kind);
    couples
}

fn with_judges(mut pair: Pair, judged: &[JudgedPair]) -> Pair {
    pair.judged =
        judged.iter().filter(|j| j.a == pair.a && j.b == pair.b).map(|j| j.preference.clone()).collect();
    pair
}

fn rate(passed: u32, n: u32) -> Option<Rate> {
    let interval = stats::wilson(passed, n)?;
    Some(Rate { n, passed, rate: f64::from(passed) / f64::from(n), low: interval.low, high: interval.high })
}

/// Definitions of the metrics that the document has a value of.
fn definitions(
    targets: &[Target],
    comparisons: &[Comparison],
    quality: &[Quality],
    pairs: &[Pair],
    spending: &Spending,
) -> BTreeMap<String, String> {
    let parts = serde_json::json!({
        "targets": targets, "comparisons": comparisons, "quality": quality, "pairs": pairs,
        "spending": spending,
    });
    lookup::definitions("bench", &parts)
}

fn target(facts: &TargetFacts, rows: &[&Sample], stopped: Option<Fault>) -> Target {
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
        recorded_in: facts.recorded_in.clone(),
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
        pass_rate: None,
        pass_hat: None,
        tool_calls_fit: None,
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

/// The figures of each turn, where prompts are conversations; empty where all requests are first turns.
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

/// Who counted the tokens of a target. If one answer of an API has no count, the target's counts are not
/// measured.
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

/// The first half of the requests against the second, in the order they ran.
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
