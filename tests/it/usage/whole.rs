//! What all records together say: shapes, hours, peaks, growth, prices, several sources.

use super::{requests, usage_of};
use freehold::usage::summary::Missing;
use freehold::usage::{Import, Priced, Settings, zone};
use std::fmt::Write as _;

pub fn trace(rows: impl Iterator<Item = (i64, u64, u64)>) -> String {
    let mut text = "TIMESTAMP,ContextTokens,GeneratedTokens\n".to_owned();
    for (second, input, output) in rows {
        let at = jiff::Timestamp::from_second(second).expect("a time");
        writeln!(text, "{},{input},{output}", at.strftime("%Y-%m-%d %H:%M:%S.0000000")).expect("a text");
    }
    text
}

const MONDAY: i64 = 1_788_739_200;
const DAY: i64 = 86_400;

#[test]
fn the_same_answer_in_two_logs_counts_once() {
    let answer = "msg_01ABCDEFGHIJKLMNOPQR";
    let claude = format!(
        "{{\"type\":\"assistant\",\"uuid\":\"u\",\"sessionId\":\"s\",\"timestamp\":\"2026-09-07T09:00:00Z\",\"message\":{{\"id\":\"{answer}\",\"model\":\"m\",\"usage\":{{\"input_tokens\":10,\"output_tokens\":5}}}}}}\n"
    );
    let litellm = format!(
        "{{\"request_id\":\"{answer}\",\"call_type\":\"acompletion\",\"spend\":0.1,\"prompt_tokens\":10,\"completion_tokens\":5,\"startTime\":\"2026-09-07T09:00:00\"}}\n"
    );
    for files in [[&claude, &litellm], [&litellm, &claude]] {
        let usage = usage_of(&files.map(String::as_str));
        assert_eq!((requests(&usage), usage.duplicates_dropped, usage.sources.len()), (Some(1), 1, 2));
    }
}

#[test]
fn a_source_without_a_request_count_makes_the_whole_count_unknown() {
    let console = "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n2026-09-07 09:00,c,10,5\n";
    let usage = usage_of(&[console, &trace([(MONDAY, 5, 5)].into_iter())]);
    assert_eq!((requests(&usage), usage.totals.requests_stated, usage.totals.input), (None, 1, 15));
    assert_eq!(usage.sources[1].totals.requests(), Some(1));
}

#[test]
fn sizes_are_joint_and_percentiles_are_of_single_requests() {
    let rows =
        (0..1000).map(|n| (MONDAY + n, if n < 900 { 100 } else { 50_000 }, if n < 900 { 10 } else { 2000 }));
    let usage = usage_of(&[&trace(rows)]);
    let distribution = usage.distribution.expect("single requests");
    assert_eq!(
        (distribution.prompt.p50, distribution.prompt.p95, distribution.output.p99),
        (100, 50_000, 2000)
    );
    // Nobody says what was cached: no cluster claims to know.
    assert!(distribution.clusters.iter().all(|c| c.cached.is_none()) && distribution.cache_read.is_none());
    assert_eq!(distribution.clusters.iter().map(|c| c.requests).collect::<Vec<_>>(), [900, 100]);
    // Long prompts have long answers: a mean of both would be a request that never came.
    let long = distribution.sizes.iter().find(|s| s.prompt() > 10_000.0).expect("long ones");
    assert!((long.output - 2000.0).abs() < 1e-9 && (long.share - 0.1).abs() < 1e-9);
}

#[test]
fn peaks_stand_against_the_mean_of_the_hours_covered() {
    // One request an hour for four days, and 49 more in one hour.
    let steady = (0..96).map(|h| (MONDAY + h * 3600, 10, 1));
    let burst = (0..49).map(|n| (MONDAY + 30 * 3600 + 60 + n, 10, 1));
    let usage = usage_of(&[&trace(steady.chain(burst))]);
    let hour = usage.peak.hour.expect("a peak");
    assert_eq!((hour.start, hour.requests), (MONDAY + 30 * 3600, 50));
    assert_eq!(usage.peak.minute.map(|b| b.requests), Some(49));
    let to_mean = usage.peak.hour_to_mean.expect("known");
    assert!((to_mean - 50.0 / (145.0 / 96.0)).abs() < 1e-9, "{to_mean}");
}

#[test]
fn growth_needs_weeks_and_is_found_in_them() {
    let rows = |days: i64| {
        trace((0..days).flat_map(|day| {
            // About 5 % a week.
            (0..20 + day / 6).map(move |r| (MONDAY + day * DAY + r * 60, 10, 1))
        }))
    };
    assert_eq!(usage_of(&[&rows(20)]).growth, Err(Missing::TooFewWeeks));
    let growth = usage_of(&[&rows(80)]).growth.expect("eleven weeks");
    assert!((0.05..0.32).contains(&growth.per_month) && growth.low > 0.0, "{growth:?}");
}

#[test]
fn days_and_hours_are_given_in_the_zone_asked_for() {
    let zone = zone("Asia/Kathmandu").expect("in the database");
    let mut import = Import::new(Settings { zone, ..Settings::default() }, None);
    // 18:20 UTC on Monday is 00:05 on Tuesday in Nepal.
    import.read(trace([(MONDAY + 18 * 3600 + 1200, 5, 5)].into_iter()).as_bytes()).expect("reads");
    let usage = import.finish();
    assert_eq!(usage.requests_by_hour_of_week_utc.map(|h| h.into_keys().collect::<Vec<_>>()), Some(vec![18]));
    assert_eq!(usage.requests_by_hour_of_week.map(|h| h.into_keys().collect::<Vec<_>>()), Some(vec![24]));
    assert_eq!(usage.by_day[0].date, i32::try_from(MONDAY / DAY).expect("fits") + 1);
}

#[test]
fn records_are_priced_one_by_one_and_unknown_models_are_listed() {
    let csv = "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug\n\
        gen-1,2026-09-07 09:10:00,0.5,300000,1,known\ngen-2,2026-09-07 09:10:00,0.25,10,1,known\ngen-3,2026-09-07 09:10:00,0.1,10,1,new\n";
    let price = |p: &Priced| {
        (p.model == "known")
            .then(|| p.tokens.prompt() as f64 * if p.tokens.prompt() > 200_000 { 2e-6 } else { 1e-6 })
    };
    let mut import = Import::new(Settings::default(), Some(Box::new(price)));
    import.read(csv.as_bytes()).expect("reads");
    let usage = import.finish();
    let repriced = &usage.repriced;
    assert_eq!(repriced.usd.map(freehold::usage::summary::Usd::get), Some(0.600_01));
    assert_eq!((repriced.both_stated_usd.get(), repriced.both_repriced_usd.get()), (0.75, 0.600_01));
    assert_eq!(repriced.unpriced.len(), 1);
    assert_eq!((repriced.unpriced[0].0.as_str(), repriced.unpriced[0].1.input), ("new", 10));
}

#[test]
fn coverage_names_its_gaps() {
    let days = [0, 1, 2, 10, 11];
    let usage = usage_of(&[&trace(days.into_iter().map(|d| (MONDAY + d * DAY, 5, 5)))]);
    let coverage = usage.coverage.expect("times");
    assert_eq!((coverage.days, coverage.span_days, coverage.longest_gap_days), (5, 12, 7));
}

#[test]
fn burstgpt_knows_hours_of_the_day_only() {
    let csv = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n86405,GPT-4,10,5,15,API log\n3700,GPT-4,10,5,15,API log\n";
    let usage = usage_of(&[csv]);
    assert_eq!((usage.requests_by_hour_of_week_utc, usage.by_day.len()), (None, 0));
    let hours = usage.requests_by_hour_of_day_local.expect("hours of the day");
    assert_eq!(hours.into_iter().collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    assert!(usage.coverage.is_some_and(|c| c.relative && c.span_days == 2));
}
