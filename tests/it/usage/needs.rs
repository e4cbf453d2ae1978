//! From records to a need: scaled to a month as far as whole days carry it.

use super::{usage_of, whole::trace};
use freehold::usage::need;
use freehold::usage::summary::Missing;

const MONDAY: i64 = 1_788_739_200;
const DAY: i64 = 86_400;

#[test]
fn a_month_is_scaled_from_whole_days_by_weekday() {
    // Two weeks and three half days around them: 24 requests on working days, 3 on others.
    let rows = (-1..16).flat_map(|day: i64| {
        let n: u8 = if day.rem_euclid(7) < 5 { 24 } else { 3 };
        let hours = if day == -1 {
            12..24
        } else if day == 15 {
            0..6
        } else {
            0..24
        };
        hours
            .step_by(usize::from(24 / n))
            .map(move |hour| (MONDAY + day * DAY + i64::from(hour) * 3600 + 5, 100, 10))
    });
    let usage = usage_of(&[&trace(rows)]);
    let need = need(&usage);
    let monthly = need.requests_per_month.expect("whole days");
    let exact = f64::from(5 * 24 + 2 * 3) / 7.0 * 730.0 / 24.0;
    assert!((monthly.value / exact - 1.0).abs() < 1e-9, "{monthly:?} {exact}");
    assert_eq!((monthly.days, monthly.whole_week), (15, true));
    let shape = need.shape.expect("a shape");
    assert!((shape.input_tokens - 100.0).abs() < 1e-9 && (shape.output_tokens - 10.0).abs() < 1e-9);
    assert_eq!(need.cached_share, None);
    let hours = need.hour_of_week.expect("hours");
    assert!((hours.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(hours[9] > 0.0 && hours[6 * 24 + 9] == 0.0);
}

#[test]
fn an_hour_is_no_month() {
    let usage = usage_of(&[&trace((0..60).map(|n| (MONDAY + 9 * 3600 + n * 60, 100, 10)))]);
    assert_eq!(need(&usage).requests_per_month, Err(Missing::TooShort));
}

#[test]
fn what_a_source_has_deleted_in_part_is_left_out() {
    let row = |day: i64, n: i64| {
        let at = jiff::Timestamp::from_second(MONDAY + day * DAY + n * 3600 + 60).expect("a time");
        format!(
            "{{\"type\":\"assistant\",\"uuid\":\"u\",\"sessionId\":\"s\",\"timestamp\":\"{at}\",\"message\":{{\"id\":\"m{day}-{n}\",\"model\":\"m\",\"usage\":{{\"input_tokens\":10,\"output_tokens\":5}}}}}}\n"
        )
    };
    // Of the days before the last thirty, one request in twelve survives.
    let rows: String = (0..60)
        .flat_map(|day| (0..24).step_by(if day < 31 { 12 } else { 1 }).map(move |n| row(day, n)))
        .collect();
    let monthly = need(&usage_of(&[&rows])).requests_per_month.expect("whole days");
    assert!((monthly.value - 730.0).abs() < 1e-6, "{monthly:?}");
    assert!(monthly.days_left_out > 25 && monthly.days < 30);
}

#[test]
fn without_a_request_count_there_are_tokens_a_month() {
    let csv = "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_read,usage_output_tokens\n2026-09-07,c,10,90,5\n2026-09-08,c,10,90,5\n";
    let need = need(&usage_of(&[csv]));
    assert_eq!((need.requests_per_month, need.shape), (Err(Missing::NoRequests), Err(Missing::NoRequests)));
    let tokens = need.tokens_per_month.expect("days");
    assert!((tokens.value - 105.0 * 730.0 / 24.0).abs() < 1e-6 && tokens.days == 2 && !tokens.whole_week);
    assert_eq!((need.cached_share, need.hour_of_week), (Some(0.9), None));
}

#[test]
fn models_are_needs_of_their_own() {
    let csv = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,small,100,10,110,x\n6,small,100,10,110,x\n7,small,100,10,110,x\n8,large,5000,500,5500,x\n";
    let need = need(&usage_of(&[csv]));
    let names: Vec<_> = need.models.iter().map(|m| (m.name.as_str(), m.share_of_requests)).collect();
    assert_eq!(names, [("large", Some(0.25)), ("small", Some(0.75))]);
    assert_eq!(need.models[0].shape.map(|s| s.input_tokens), Some(5000.0));
    assert_eq!(need.sizes.len(), 2);
}

#[test]
fn a_sampled_log_is_scaled_up() {
    let row = |n: i64| {
        let at = jiff::Timestamp::from_second(MONDAY + n * 3600).expect("a time");
        format!(
            "{{\"logging_time\":\"{at}\",\"model\":\"g\",\"request_id\":\"{n}\",\"full_request\":{{}},\"full_response\":{{\"usageMetadata\":{{\"promptTokenCount\":10,\"candidatesTokenCount\":2}}}},\"samplingRate\":0.5}}\n"
        )
    };
    let monthly = need(&usage_of(&[&(0..72).map(row).collect::<String>()])).requests_per_month.expect("days");
    assert!((monthly.value - 2.0 * 730.0).abs() < 1e-6, "{monthly:?}");
}
