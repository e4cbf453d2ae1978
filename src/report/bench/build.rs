//! Measured records → the bench document.

use super::engine::{Energy, EnergyFacts, Synthetic};
use super::{
    BenchDocument, BenchResult, Comparison, Engine, Kind, Metrics, Noise, Quality, Rate, SCHEMA, Sample,
    Spending, Summary, Target, TokenMeans, TokenSource,
    load::{self, LoadPlan},
    price::PriceInForce,
};
use crate::measure::event::{Fault, FaultKind};
use crate::measure::fold;
use crate::measure::load::Sent;
use crate::measure::prompts::Prompt;
use crate::measure::quality::{self, Pairs};
use crate::measure::run::{Ended, Record};
use crate::measure::stats;
use crate::report::envelope::{Envelope, Input, Warning};
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
        pass: pass(record, prompt),
        text_capped: capped.len() < f.text.len(),
        text: capped,
        request_id: f.request_id.clone(),
    }
}

/// Does the answer meet the prompt's expectation, where it has one?
fn pass(record: &Record, prompt: &Prompt) -> Option<bool> {
    let expect = prompt.expect.as_ref().filter(|_| record.figures.error.is_none())?;
    Some(quality::passes(&record.figures.text, expect))
}

/// One record under load as a row.
pub fn sent(record: &Record, session: u32, facts: &TargetFacts, prompts: &[Prompt]) -> Sent {
    Sent::of(record, session, cost(record, facts), pass(record, &prompts[record.step.prompt]))
}

/// What one request cost, USD: by the price record; where there is none, by the provider's own word.
pub fn cost(record: &Record, facts: &TargetFacts) -> Option<f64> {
    let usage = &record.figures.usage;
    match &facts.price {
        Some(price) => price.cost(usage, record.trace.unix),
        None => usage.provider_cost_usd.filter(|_| !facts.stand_in),
    }
}

/// What is known of the cost of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bill {
    /// USD.
    Known(f64),
    /// The server turned every attempt away, or none reached it.
    Nothing,
    /// So many attempts may have been billed, and what they used is not known.
    Open(u32),
}

/// The bill of a request. Attempts that were turned away with an error status cost nothing.
pub fn bill(record: &Record, facts: &TargetFacts) -> Bill {
    let f = &record.figures;
    let turned_away = |status: &&u16| **status >= 300;
    let refused = u32::try_from(record.statuses.iter().filter(turned_away).count()).unwrap_or(u32::MAX);
    let unreached = f.error.as_ref().is_some_and(|e| {
        matches!(
            e.kind,
            FaultKind::ConnectDns | FaultKind::ConnectRefused | FaultKind::ConnectTimeout | FaultKind::Tls
        )
    });
    if unreached {
        return Bill::Nothing;
    }
    match (cost(record, facts), record.attempts.saturating_sub(refused)) {
        (_, 0) => Bill::Nothing,
        (Some(usd), 1) => Bill::Known(usd),
        (_, open) => Bill::Open(open),
    }
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
    let pairs: Vec<(&Target, &Target)> = targets
        .iter()
        .filter(|t| t.kind == Kind::Local)
        .flat_map(|l| targets.iter().filter(|t| t.kind == Kind::Api).map(move |a| (l, a)))
        .collect();
    let comparisons =
        pairs.iter().flat_map(|(l, a)| compare(l, a, samples, &basis.prompts, basis.seed)).collect();
    let quality =
        pairs.iter().filter_map(|(l, a)| judge(l, a, samples, &basis.prompts, basis.margin)).collect();
    let warnings = warnings(&run, &targets, samples);
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

/// One figure of a sample.
type Pick = fn(&Sample) -> Option<f64>;

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
        pass_rate: pass_rate(&facts.id, rows, prompts),
        engine: facts.engine.clone(),
        noise: noise(&speed),
        levels: Vec::new(),
        rates: Vec::new(),
        synthetic: facts.synthetic.clone(),
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

/// Does a target pass a prompt? By the majority of its answers; a failed request is no answer.
fn passed(target: &str, prompt: &str, rows: &[&Sample]) -> Option<bool> {
    let votes: Vec<bool> =
        rows.iter().filter(|s| s.target == target && s.prompt_id == prompt).filter_map(|s| s.pass).collect();
    (!votes.is_empty()).then(|| votes.iter().filter(|v| **v).count() * 2 > votes.len())
}

fn pass_rate(target: &str, rows: &[&Sample], prompts: &[Prompt]) -> Option<Rate> {
    let votes: Vec<bool> = prompts.iter().filter_map(|p| passed(target, &p.id, rows)).collect();
    let n = u32::try_from(votes.len()).ok()?;
    let passed = u32::try_from(votes.iter().filter(|v| **v).count()).ok()?;
    let interval = stats::wilson(passed, n)?;
    Some(Rate { n, passed, rate: f64::from(passed) / f64::from(n), low: interval.low, high: interval.high })
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

fn compare(
    local: &Target,
    api: &Target,
    samples: &[Sample],
    prompts: &[Prompt],
    seed: u64,
) -> Vec<Comparison> {
    let all: Vec<&Sample> = samples.iter().collect();
    let speed = for_speed(&all);
    let metrics: [(&str, Pick); 4] = [
        ("ttft_ms", |s| s.ttft_ms),
        ("tpot_ms", |s| s.tpot_ms),
        ("decode_tps", |s| s.decode_tps),
        ("e2e_ms", |s| s.e2e_ms),
    ];
    let equal = equal_text(&local.id, &api.id, samples, prompts);
    metrics
        .into_iter()
        .filter_map(|(metric, pick)| {
            let side = |id: &str, prompt: &str| -> Vec<f64> {
                speed
                    .iter()
                    .filter(|s| s.target == id && s.prompt_id == prompt)
                    .filter_map(|s| pick(s))
                    .collect()
            };
            let paired: Vec<stats::PromptPair> = prompts
                .iter()
                .map(|p| (side(&local.id, &p.id), side(&api.id, &p.id)))
                .filter(|(l, a)| !l.is_empty() && !a.is_empty())
                .collect();
            let ratio = stats::ratio_of_medians(&paired, seed)?;
            Some(Comparison {
                local: local.id.clone(),
                api: api.id.clone(),
                metric: metric.to_owned(),
                prompts: u32::try_from(paired.len()).unwrap_or(u32::MAX),
                ratio: Some(ratio.ratio),
                low: ratio.interval.map(|i| i.low),
                high: ratio.interval.map(|i| i.high),
                equal_text: equal,
            })
        })
        .collect()
}

/// Prompts on which both sides gave the same text in their first repeat.
fn equal_text(local: &str, api: &str, samples: &[Sample], prompts: &[Prompt]) -> Option<u32> {
    let text = |id: &str, prompt: &str| {
        samples
            .iter()
            .find(|s| s.target == id && s.prompt_id == prompt && s.repeat == 0 && s.error.is_none())
            .map(|s| s.text.trim())
    };
    let pairs: Vec<bool> =
        prompts.iter().filter_map(|p| Some(text(local, &p.id)? == text(api, &p.id)?)).collect();
    (!pairs.is_empty()).then(|| u32::try_from(pairs.iter().filter(|e| **e).count()).unwrap_or(u32::MAX))
}

fn judge(
    local: &Target,
    api: &Target,
    samples: &[Sample],
    prompts: &[Prompt],
    margin: f64,
) -> Option<Quality> {
    let all: Vec<&Sample> = samples.iter().collect();
    let mut pairs = Pairs::default();
    for prompt in prompts {
        if let (Some(l), Some(a)) = (passed(&local.id, &prompt.id, &all), passed(&api.id, &prompt.id, &all)) {
            pairs.count(l, a);
        }
    }
    let verdict = quality::non_inferiority(pairs, margin)?;
    let share = |n: u32| f64::from(n) / f64::from(pairs.total());
    Some(Quality {
        local: local.id.clone(),
        api: api.id.clone(),
        prompts: pairs.total(),
        local_pass_rate: share(pairs.both + pairs.only_a),
        api_pass_rate: share(pairs.both + pairs.only_b),
        both_pass: pairs.both,
        local_only: pairs.only_a,
        api_only: pairs.only_b,
        neither: pairs.neither,
        mcnemar_p: verdict.p,
        difference: verdict.difference,
        difference_low: Some(verdict.interval.low),
        difference_high: Some(verdict.interval.high),
        margin,
        non_inferior: verdict.non_inferior,
        prompts_needed: verdict.prompts_needed,
        smoke_only: verdict.smoke_only,
    })
}

fn warnings(run: &Run<'_>, targets: &[Target], samples: &[Sample]) -> Vec<Warning> {
    let mut list = Vec::new();
    if run.asked_again > 0 {
        list.push(Warning::new(
            "asked-again",
            format!(
                "{} requests failed in an earlier part of this run, without a bill, and were asked again.",
                run.asked_again
            ),
        ));
    }
    for (n, target) in targets.iter().enumerate() {
        let mut warn = |id: &str, text: String| {
            list.push(Warning::new(id, format!("{}: {text}", target.id)).about(target.id.clone()));
        };
        if target.stand_in {
            warn(
                "stand-in",
                "a stand-in for a cloud API on this machine. Its speed says nothing about a provider.".into(),
            );
        }
        if let Some(note) = &run.basis.targets[n].note {
            warn("provider", note.clone());
        }
        if let Some(proxy) = &target.proxy {
            warn("proxy", format!("its requests went through the proxy {proxy}; its times contain it."));
        }
        if target.failures > 0 {
            warn(
                "requests-failed",
                format!(
                    "{} of {} requests failed; failed requests have no latency.",
                    target.failures, target.requests
                ),
            );
        }
        if run.ended.skipped[n] > 0 {
            warn("requests-not-sent", format!("{} planned requests were not sent.", run.ended.skipped[n]));
        }
        if target.token_source == TokenSource::NotMeasured && target.requests > target.failures {
            warn("tokens-not-measured", "the server did not report how many tokens it generated, so there are no token rates. Chunks are not tokens.".into());
        }
        if run.basis.cache_bust && target.tokens.cached_input.is_some_and(|n| n > 0.5) {
            warn("prompt-cache-hit", "a part of the input came from a prompt cache although every prompt began with a unique marker; TTFT is shorter than without it.".into());
        }
        let rows: Vec<&Sample> = samples.iter().filter(|s| s.target == target.id).collect();
        if rows.iter().any(|s| s.usage_inconsistent) {
            warn("usage-inconsistent", "some usage records cannot be true or do not add up to their total; their tokens and cost are left out.".into());
        }
        let differs = |s: &&&Sample| matches!((s.cost_usd, s.provider_cost_usd), (Some(a), Some(b)) if (a - b).abs() > 1e-9 + 0.01 * a.max(b));
        let differing = rows.iter().filter(differs).count();
        if differing > 0 {
            warn(
                "cost-differs",
                format!(
                    "the provider says of {differing} requests that they cost something else than its usage does by the price record: the record may be out of date."
                ),
            );
        }
        if let Some(tier) = rows.iter().find_map(|s| s.service_tier.as_ref()) {
            warn(
                "special-tier",
                format!(
                    "requests were served in the tier {tier}, which has prices of its own: their cost is not known."
                ),
            );
        }
        if rows.iter().any(|s| s.hidden_reasoning) {
            warn("hidden-reasoning", "the model reasons without sending its reasoning: TTFT contains the thinking time, and TPOT covers the visible tokens only.".into());
        }
        if target.kind == Kind::Api && target.price.is_none() && !target.stand_in {
            warn("unpriced", "no price is known for this model, so its cost is not computed.".into());
        }
        if (1..6).contains(&target.metrics.ttft_ms.n) {
            warn(
                "few-samples",
                format!(
                    "{} successful requests; an interval for a median needs six.",
                    target.metrics.ttft_ms.n
                ),
            );
        }
        if target.cut_in_flight > 0 {
            warn(
                "cut-in-flight",
                format!(
                    "{} requests were under way when the run was killed or interrupted; they may have been billed without being measured.",
                    target.cut_in_flight
                ),
            );
        }
        for remark in &run.basis.targets[n].remarks {
            warn("remark", format!("{remark}."));
        }
        speed_warnings(target, &rows, &mut warn);
        load_warnings(target, &mut warn);
    }
    list
}

/// The client's own lateness from which stamps are not to be trusted to the millisecond.
const LATE_MS: f64 = 20.0;

fn load_warnings(target: &Target, warn: &mut dyn FnMut(&str, String)) {
    for open in target.rates.iter().filter(|r| r.lagging) {
        let late = open.send_lag_ms.p99.or(open.send_lag_ms.max).unwrap_or(0.0);
        warn(
            "sender-late",
            format!(
                "at {} requests/s the sender was up to {late:.0} ms late, more than a tenth of the median TTFT; latencies from the schedule contain that.",
                open.rate_per_s
            ),
        );
    }
    let details = target.levels.iter().map(|l| &l.detail).chain(target.rates.iter().map(|r| &r.detail));
    let worst = details.filter_map(|d| d.client_lag_ms.p99.or(d.client_lag_ms.max)).reduce(f64::max);
    if let Some(late) = worst.filter(|ms| *ms > LATE_MS) {
        warn(
            "client-late",
            format!(
                "under load this program itself was up to {late:.0} ms late, and so may be its stamps: this machine was busy."
            ),
        );
    }
    let failed =
        target.levels.iter().map(|l| l.failures).chain(target.rates.iter().map(|r| r.failures)).sum::<u32>();
    if failed > 0 {
        warn(
            "requests-failed-under-load",
            format!("{failed} requests under load failed; nothing is tried again under load."),
        );
    }
}

fn speed_warnings(target: &Target, rows: &[&Sample], warn: &mut dyn FnMut(&str, String)) {
    let speed = for_speed(rows);
    let ttft: Vec<f64> = speed.iter().filter_map(|s| s.ttft_ms).collect();
    let outliers = stats::outliers(&ttft);
    if outliers == [0] {
        warn(
            "first-request-slow",
            "the first request was far slower than the others (a cold start); more warm-up helps.".into(),
        );
    } else if !outliers.is_empty() {
        warn("outliers", format!("{} requests are far outside the rest; they are kept.", outliers.len()));
    }
    let Some(noise) = target.noise else { return };
    if let Some(rho) = noise.drift_rho.filter(|rho| speed.len() >= 10 && rho.abs() > 0.6) {
        let way = if rho > 0.0 { "slower" } else { "faster" };
        warn(
            "drift",
            format!("it became {way} during the run (rank correlation {rho:.2}): heat, load or throttling."),
        );
    }
    if let Some(ratio) = noise.tpot_half_ratio.filter(|r| speed.len() >= 10 && !(0.9..=1.1).contains(r)) {
        warn(
            "noisy",
            format!(
                "measured against itself (first against second half of the run) its time per token differs by {:.0} %: differences of that size between targets mean nothing.",
                (ratio - 1.0).abs() * 100.0
            ),
        );
    }
}
