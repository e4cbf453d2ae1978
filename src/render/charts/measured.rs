//! Charts of a bench document: latencies, speeds, load, quality.

use crate::document::bench::pair::{Pair, PairCategory};
use crate::document::bench::{BenchDocument, BenchResult, Rate, Summary, Target};
use crate::number;
use crate::render::chart::{Axis, Band, Body, Chart, NumberStyle, Plot, Row, RowMark, Rows, Rule, Series};

/// The most single values that are drawn for a target; of more, a selection at equal distances by rank.
const DOTS: usize = 150;
/// The most targets in one chart.
const MOST: usize = 8;
/// The most pairs whose kinds of work are drawn.
const MOST_PAIRS: usize = 2;

fn row(name: &str, summary: &Summary, mut values: Vec<f64>, of: &NumberStyle, colour: usize) -> Option<Row> {
    let median = summary.median?;
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let dots: Vec<f64> =
        if n > DOTS { (0..DOTS).map(|at| values[at * (n - 1) / (DOTS - 1)]).collect() } else { values };
    let mut marks = Vec::new();
    if !dots.is_empty() {
        marks.push(RowMark::Dots(dots));
    }
    if let (Some(low), Some(high)) = (summary.low, summary.high) {
        marks.push(RowMark::Interval { low, high });
    }
    for (at, label) in [(summary.p95, "p95"), (summary.p99, "p99")] {
        marks.extend(at.map(|at| RowMark::Tick { at, label: label.to_owned() }));
    }
    marks.push(RowMark::Point { at: median, colour });
    Some(Row { name: name.to_owned(), marks, value: of.full(median) })
}

/// Distribution of a metric for each target.
fn distribution(
    r: &BenchResult,
    id: &'static str,
    title: &str,
    axis: Axis,
    summary: impl Fn(&Target) -> Summary,
    value: impl Fn(&crate::document::bench::Sample) -> Option<f64>,
) -> Option<Chart> {
    let rows: Vec<Row> = r
        .targets
        .iter()
        .take(MOST)
        .enumerate()
        .filter_map(|(n, t)| {
            let own = r.samples.iter().filter(|s| s.target == t.id && s.error.is_none() && s.attempts <= 1);
            row(&t.id, &summary(t), own.filter_map(&value).collect(), &axis.of, n)
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let said: Vec<String> = rows.iter().map(|r| format!("{} {}", r.name, r.value)).collect();
    let largest = |m: &RowMark| match m {
        RowMark::Dots(all) => all.iter().copied().fold(0.0, f64::max),
        RowMark::Point { at, .. } => *at,
        _ => 0.0,
    };
    let smallest = |m: &RowMark| match m {
        RowMark::Dots(all) => all.iter().copied().fold(f64::INFINITY, f64::min),
        RowMark::Point { at, .. } => *at,
        _ => f64::INFINITY,
    };
    let all = || rows.iter().flat_map(|r| &r.marks);
    let wide =
        all().map(largest).fold(0.0, f64::max) / all().map(smallest).fold(f64::INFINITY, f64::min) > 20.0;
    let x = if wide { axis.log() } else { axis };
    Some(Chart {
        id,
        title: title.to_owned(),
        alt: format!("Medians: {}.", said.join("; ")),
        body: Body::Rows(Rows {
            x,
            rows,
            rule: None,
            key: "Point: median. Thick line: its 95 % interval. Dots: single requests.".to_owned(),
        }),
    })
}

/// Distribution of the time to the first token.
pub fn ttft(r: &BenchResult) -> Option<Chart> {
    let axis = Axis::new("time to first token, ms", NumberStyle::Milliseconds);
    distribution(r, "ttft", "Time to the first token", axis, |t| t.metrics.ttft_ms, |s| s.metrics.ttft_ms)
}

/// Distribution of the decode rate.
pub fn decode(r: &BenchResult) -> Option<Chart> {
    let axis = Axis::new("output tokens per second of one request", NumberStyle::Number);
    distribution(
        r,
        "decode",
        "Output speed of one request",
        axis,
        |t| t.metrics.decode_tps,
        |s| s.metrics.decode_tps,
    )
}

/// A figure against the number of requests at once.
fn under_load(
    r: &BenchResult,
    id: &'static str,
    title: &str,
    y: Axis,
    value: impl Fn(&crate::document::bench::load::Level) -> (Option<f64>, Option<(f64, f64)>),
    limit: Option<Rule>,
) -> Option<Chart> {
    let mut levels: Vec<u32> = r.targets.iter().flat_map(|t| &t.levels).map(|l| l.concurrency).collect();
    levels.sort_unstable();
    levels.dedup();
    let ticks = levels.iter().map(|n| (f64::from(*n), n.to_string())).collect::<Vec<_>>();
    let mut x = Axis::new("requests at once", NumberStyle::Number);
    if ticks.len() <= 9 {
        x = x.ticks(ticks);
    }
    let mut plot = Plot::new(x, y);
    for target in r.targets.iter().filter(|t| t.levels.len() > 1).take(MOST) {
        let mut series = Series { name: target.id.clone(), dotted: true, ..Series::default() };
        for level in &target.levels {
            let (at, interval) = value(level);
            let x = f64::from(level.concurrency);
            series.points.extend(at.map(|at| (x, at)));
            series.band.extend(interval.map(|(low, high)| Band { x, low, high }));
        }
        if series.points.len() > 1 {
            plot.series.push(series);
        }
    }
    plot.rules.extend(limit);
    let ends: Vec<String> = plot
        .series
        .iter()
        .filter_map(|s| {
            let (first, last) = (s.points.first()?, s.points.last()?);
            Some(format!(
                "{} from {} with {} to {} with {} at once",
                s.name,
                plot.y.of.full(first.1),
                number::short(first.0),
                plot.y.of.full(last.1),
                number::short(last.0)
            ))
        })
        .collect();
    if ends.is_empty() {
        return None;
    }
    let limit = plot.rules.first().map_or_else(String::new, |r| format!(" {}.", r.label));
    let alt = format!("{}.{limit}", ends.join("; "));
    Some(Chart { id, title: title.to_owned(), alt, body: Body::Plot(plot) })
}

/// Output tokens per second of all requests together.
pub fn throughput(r: &BenchResult) -> Option<Chart> {
    let y = Axis::new("output tokens per second, all together", NumberStyle::Number);
    under_load(
        r,
        "throughput",
        "Throughput against requests at once",
        y,
        |l| (l.output_tps_system, None),
        None,
    )
}

/// Time per output token under load, with the limit if there is one.
pub fn tpot(r: &BenchResult) -> Option<Chart> {
    let slo = r.targets.iter().flat_map(|t| &t.levels).find_map(|l| l.detail.goodput?.slo.tpot_ms);
    let limit =
        slo.map(|at| Rule { at, upright: false, label: format!("limit: {} ms", number::measured(at)) });
    let y = Axis::new("time per output token, ms", NumberStyle::Milliseconds);
    let of = |l: &crate::document::bench::load::Level| (l.tpot_ms.median, l.tpot_ms.low.zip(l.tpot_ms.high));
    under_load(r, "tpot", "Time per token against requests at once", y, of, limit)
}

/// A pass rate in words. With repeats it is the mean share of a prompt's answers that passed, and so no
/// number of prompts is given.
pub fn passed(rate: &Rate) -> String {
    let share = number::percent(rate.rate);
    if (rate.rate * f64::from(rate.n) - f64::from(rate.passed)).abs() < 0.01 {
        format!("{} of {} ({share})", rate.passed, rate.n)
    } else {
        format!("{share} ({} prompts)", rate.n)
    }
}

/// Pass rates with their intervals.
pub fn quality(r: &BenchResult) -> Option<Chart> {
    let rows: Vec<Row> = r
        .targets
        .iter()
        .take(MOST)
        .enumerate()
        .filter_map(|(n, t)| {
            let rate = t.pass_rate?;
            Some(Row {
                name: t.id.clone(),
                marks: vec![
                    RowMark::Interval { low: rate.low, high: rate.high },
                    RowMark::Point { at: rate.rate, colour: n },
                ],
                value: passed(&rate),
            })
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let said: Vec<String> = rows.iter().map(|r| format!("{} {}", r.name, r.value)).collect();
    Some(Chart {
        id: "quality",
        title: "Quality on the prompts".to_owned(),
        alt: format!("Prompts passed: {}.", said.join("; ")),
        body: Body::Rows(Rows { x: shares(), rows, rule: None, key: SHARES.to_owned() }),
    })
}

const SHARES: &str = "Point: share passed. Thick line: its 95 % interval.";

/// An axis from 0 to 100 %, whatever was measured.
fn shares() -> Axis {
    let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|v| (v, NumberStyle::Share.tick_label(v))).to_vec();
    Axis::new("prompts passed", NumberStyle::Share).ticks(ticks)
}

/// Pass rates of a pair by kind of work, with their intervals.
pub fn categories(pair: &Pair) -> Option<Chart> {
    let found = &pair.quality.as_ref()?.categories;
    if found.is_empty() {
        return None;
    }
    let kind = |c: &PairCategory| if c.category.is_empty() { "other".to_owned() } else { c.category.clone() };
    let mut rows = Vec::new();
    let mut said = Vec::new();
    for c in found.iter().take(MOST) {
        for (colour, (target, share)) in
            [(&pair.a, &c.a_pass_rate), (&pair.b, &c.b_pass_rate)].into_iter().enumerate()
        {
            rows.push(Row {
                name: format!("{}: {target}", kind(c)),
                marks: vec![
                    RowMark::Interval { low: share.low, high: share.high },
                    RowMark::Point { at: share.rate, colour },
                ],
                value: format!("{} of {}", number::percent(share.rate), c.prompts),
            });
        }
        said.push(format!(
            "{} {} and {}",
            kind(c),
            number::percent(c.a_pass_rate.rate),
            number::percent(c.b_pass_rate.rate)
        ));
    }
    let left = match found.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" {more} more are in the document."),
    };
    Some(Chart {
        id: "quality-by-category",
        title: "Quality by kind of work".to_owned(),
        alt: format!("Passed by {} and {}: {}.{left}", pair.a, pair.b, said.join("; ")),
        body: Body::Rows(Rows { x: shares(), rows, rule: None, key: SHARES.to_owned() }),
    })
}

/// Cost of a request against the speed of the answer.
pub fn price_against_speed(r: &BenchResult) -> Option<Chart> {
    let points: Vec<(&Target, f64, f64)> = r
        .targets
        .iter()
        .filter_map(|t| {
            Some((t, t.metrics.decode_tps.median?, t.metrics.cost_usd.median.filter(|usd| *usd > 0.0)?))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let mut plot = Plot::new(
        Axis::new("output tokens per second of one request", NumberStyle::Number),
        Axis::new("cost of a request, USD", NumberStyle::Money("USD".to_owned())),
    );
    plot.series.push(Series {
        name: "measured".to_owned(),
        points: points.iter().map(|p| (p.1, p.2)).collect(),
        names: points.iter().map(|p| p.0.id.clone()).collect(),
        scattered: true,
        ..Series::default()
    });
    let said: Vec<String> = points
        .iter()
        .map(|(t, tps, usd)| {
            format!("{} {} tokens/s at {}", t.id, number::measured(*tps), plot.y.of.full(*usd))
        })
        .collect();
    Some(Chart {
        id: "price-against-speed",
        title: "Price against speed".to_owned(),
        alt: format!("{}.", said.join("; ")),
        body: Body::Plot(plot),
    })
}

/// All charts of the document.
pub fn all(document: &BenchDocument) -> Vec<Chart> {
    let r = &document.result;
    let by_category = r.pairs.iter().filter_map(categories).take(MOST_PAIRS);
    let first = [ttft(r), decode(r), throughput(r), tpot(r), quality(r)].into_iter().flatten();
    first.chain(by_category).chain(price_against_speed(r)).collect()
}
