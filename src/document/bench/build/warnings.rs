//! What a reader of the figures must know beside them.

use super::basis::Run;
use super::doubts;
use crate::document::bench::sample::for_speed;
use crate::document::bench::{Kind, Sample, Target, TokenSource};
use crate::document::envelope::Warning;
use crate::measure::event::FinishReason;
use crate::measure::stats;
use crate::quality::judge::Form;
use std::collections::BTreeMap;

/// Warnings about judges: unusable replies, agreement with people, own family of models.
fn of_judges(run: &Run<'_>, list: &mut Vec<Warning>) {
    for judge in run.judges {
        let mut warn = |id: &str, text: String| {
            list.push(Warning::new(id, format!("{}, as judge: {text}", judge.id)).about(judge.id.clone()));
        };
        if !judge.own_family.is_empty() {
            warn(
                "judge-own-family",
                format!(
                    "{} of its own family of models, and judges are known to prefer their own.",
                    match &judge.own_family[..] {
                        [one] => format!("{one} is"),
                        more => format!("{} are", more.join(" and ")),
                    }
                ),
            );
        }
        let missing = judge.unusable + judge.unanswered;
        let asked = judge.answered + judge.unanswered;
        if missing * 10 > asked {
            warn(
                "judge-missing",
                format!(
                    "{missing} of {asked} questions have no usable verdict. What is missing may not be missing by \
                     chance.{}",
                    if judge.form == Some(Form::Line) && judge.unusable > 0 {
                        " --replay with --judge-form json asks those again, held to a form."
                    } else {
                        ""
                    }
                ),
            );
        }
        let flips = |j: &crate::document::bench::pair::PairJudged| {
            j.flips.is_some_and(|f| f.rate > crate::quality::judge::DOUBTFUL_FLIPS)
        };
        let doubtful =
            run.judged.iter().filter(|j| j.preference.judge == judge.id && flips(&j.preference)).count();
        if doubtful > 0 {
            warn(
                "judge-flips",
                "of more than a fifth of the pairs it says something else when they are shown the other way round: \
                 its preferences are doubtful."
                    .to_owned(),
            );
        }
    }
}

/// How many answers have no grade although something is expected of them, and why.
fn not_graded(rows: &[&Sample]) -> Option<String> {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in rows.iter().filter_map(|s| s.not_graded.as_deref()) {
        *reasons.entry(reason).or_insert(0) += 1;
    }
    let n: usize = reasons.values().sum();
    let reasons: Vec<String> = match reasons.len() {
        1 => reasons.into_keys().map(str::to_owned).collect(),
        _ => reasons.into_iter().map(|(reason, n)| format!("{reason} ({n})")).collect(),
    };
    let (answers, have, they, count) = match n {
        0 => return None,
        1 => ("1 answer".to_owned(), "has", "it", "counts"),
        n => (format!("{n} answers"), "have", "they", "count"),
    };
    Some(format!(
        "{answers} {have} no grade although something is expected, so {they} {count} neither as passed nor as failed: {}.",
        reasons.join("; ")
    ))
}

/// Answers that count as not passed and were cut at the output limit: the model may know better.
fn warn_of_cut_answers(rows: &[&Sample], warn: &mut dyn FnMut(&str, String)) {
    let failed: Vec<&&Sample> = rows.iter().filter(|s| s.pass == Some(false)).collect();
    let cut = failed.iter().filter(|s| s.finish == Some(FinishReason::Length)).count();
    if cut > 0 {
        warn(
            "answers-cut",
            format!(
                "{cut} of the {} answers that did not pass {} cut at the output limit; a larger --max-output-tokens lets them end.",
                failed.len(),
                if cut == 1 { "was" } else { "were" }
            ),
        );
    }
}

pub(super) fn warnings(run: &Run<'_>, targets: &[Target], samples: &[Sample]) -> Vec<Warning> {
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
    of_judges(run, &mut list);
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
        let rows: Vec<&Sample> = samples.iter().filter(|s| s.target == target.id).collect();
        if let Some(text) = not_graded(&rows) {
            warn("not-graded", text);
        }
        warn_of_cut_answers(&rows, &mut warn);
        if let Some(file) = &target.recorded_in {
            warn(
                "recorded",
                format!(
                    "its answers were read from {file}. Nothing was sent, so it has no times, tokens or cost."
                ),
            );
            continue;
        }
        if target.token_source == TokenSource::NotMeasured && target.requests > target.failures {
            warn("tokens-not-measured", "no usable count of generated tokens came from the server, so there are no token rates. Chunks are not tokens.".into());
        }
        // Later turns are excluded: their beginning is meant to come from the cache.
        let first_turn = target.turns.first().map_or(target.tokens, |turn| turn.tokens);
        if run.basis.cache_bust && first_turn.cached_input.is_some_and(|n| n > 0.5) {
            warn("prompt-cache-hit", "a part of the input came from a prompt cache although every prompt began with a unique marker; TTFT is shorter than without it.".into());
        }
        if rows.iter().any(|s| s.usage_inconsistent) {
            warn("usage-inconsistent", "some usage records cannot be true or do not add up to their total; their tokens and cost are left out.".into());
        }
        let differs = |s: &&&Sample| matches!((s.metrics.cost_usd, s.provider_cost_usd), (Some(a), Some(b)) if (a - b).abs() > 1e-9 + 0.01 * a.max(b));
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
        let slept = rows.iter().filter(|s| s.clock_gap_ms.is_some()).count();
        if slept > 0 {
            warn(
                "clock-gap",
                format!(
                    "while {slept} of its requests were under way this machine slept, its clock was set, or this program was stopped. Answers may have waited in a buffer: their times say nothing about the target."
                ),
            );
        }
        if target.kind == Kind::Api && target.price.is_none() && !target.stand_in {
            warn("unpriced", "no price is known for this model, so its cost is not computed.".into());
        }
        for level in target.levels.iter().filter(|l| l.detail.in_flight_max < l.concurrency) {
            let requests = if level.requests == 1 {
                "1 request".to_owned()
            } else {
                format!("{} requests", level.requests)
            };
            warn(
                "fewer-at-once",
                format!(
                    "{} at once were asked for, and with {requests} there were never more than {} under way: its figures are those of so many.",
                    level.concurrency, level.detail.in_flight_max
                ),
            );
        }
        if (1..6).contains(&target.metrics.ttft_ms.n) {
            warn(
                "few-samples",
                format!(
                    "{} successful request{}; an interval for a median needs six.",
                    target.metrics.ttft_ms.n,
                    if target.metrics.ttft_ms.n == 1 { "" } else { "s" }
                ),
            );
        }
        if target.cut_in_flight > 0 {
            warn(
                "cut-in-flight",
                format!(
                    "{} under way when the run was killed or interrupted, and {}.",
                    if target.cut_in_flight == 1 {
                        "1 request was".to_owned()
                    } else {
                        format!("{} requests were", target.cut_in_flight)
                    },
                    match target.kind {
                        Kind::Local => "could not be measured",
                        Kind::Api => "may have been billed without being measured",
                    }
                ),
            );
        }
        doubts::warn(run, n, target, &rows, &mut warn);
        for remark in &run.basis.targets[n].remarks {
            warn("remark", format!("{remark}."));
        }
        speed_warnings(target, &rows, &mut warn);
        load_warnings(target, &mut warn);
    }
    list
}

/// Lateness of this program, ms, from which its time stamps are not exact to the millisecond any more.
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
    let ttft: Vec<f64> = speed.iter().filter_map(|s| s.metrics.ttft_ms).collect();
    let outliers = stats::outliers(&ttft);
    // In a very even run a few percent are far outside the rest.
    let slow = |first: f64| target.metrics.ttft_ms.median.is_some_and(|usual| first >= 1.5 * usual);
    if outliers == [0] && ttft.first().is_some_and(|first| slow(*first)) {
        warn(
            "first-request-slow",
            "the first request was far slower than the others (a cold start); more warm-up helps.".into(),
        );
    } else if !outliers.is_empty() {
        let (requests, they) = if outliers.len() == 1 {
            ("1 request is".to_owned(), "it is")
        } else {
            (format!("{} requests are", outliers.len()), "they are")
        };
        warn("outliers", format!("{requests} far outside the rest; {they} kept."));
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
