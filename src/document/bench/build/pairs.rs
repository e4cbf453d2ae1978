//! Local against API, paired by prompt: ratios of speed, equal texts, and the user's expectations.

use crate::document::bench::sample::for_speed;
use crate::document::bench::{Comparison, Quality, Rate, Sample, Target};
use crate::document::metrics::{PER_REQUEST, Shown};
use crate::measure::stats;
use crate::prompts::Prompt;
use crate::quality::{self, Pairs};

/// Does a target pass a prompt? By the majority of its answers; a failed request is no answer.
fn passed(target: &str, prompt: &str, rows: &[&Sample]) -> Option<bool> {
    let votes: Vec<bool> =
        rows.iter().filter(|s| s.target == target && s.prompt_id == prompt).filter_map(|s| s.pass).collect();
    (!votes.is_empty()).then(|| votes.iter().filter(|v| **v).count() * 2 > votes.len())
}

pub(super) fn pass_rate(target: &str, rows: &[&Sample], prompts: &[Prompt]) -> Option<Rate> {
    let votes: Vec<bool> = prompts.iter().filter_map(|p| passed(target, &p.id, rows)).collect();
    let n = u32::try_from(votes.len()).ok()?;
    let passed = u32::try_from(votes.iter().filter(|v| **v).count()).ok()?;
    let interval = stats::wilson(passed, n)?;
    Some(Rate { n, passed, rate: f64::from(passed) / f64::from(n), low: interval.low, high: interval.high })
}

pub(super) fn compare(
    local: &Target,
    api: &Target,
    samples: &[Sample],
    prompts: &[Prompt],
    seed: u64,
) -> Vec<Comparison> {
    let all: Vec<&Sample> = samples.iter().collect();
    let speed = for_speed(&all);
    let equal = equal_text(&local.id, &api.id, samples, prompts);
    PER_REQUEST
        .iter()
        .filter(|m| m.shown >= Shown::Compared)
        .filter_map(|m| {
            let side = |id: &str, prompt: &str| -> Vec<f64> {
                speed
                    .iter()
                    .filter(|s| s.target == id && s.prompt_id == prompt)
                    .filter_map(|s| *m.of(&s.metrics))
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
                metric: m.metric.id.to_owned(),
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

pub(super) fn judge(
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
