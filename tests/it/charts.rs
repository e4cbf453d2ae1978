//! Numbers of a chart, read back from its drawing, are those of the document.

use crate::run::Sandbox;
use freehold::document::saved::Document;
use freehold::render::chart::{Body, Chart, Size};
use freehold::render::charts;

/// The attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let from = element.find(&format!(" {name}=\""))? + name.len() + 3;
    element[from..].split('"').next()
}

/// Labels of the left axis: height and number.
fn heights(svg: &str) -> Vec<(f64, f64)> {
    let texts =
        svg.split("<text ").skip(1).filter(|t| t.contains("text-anchor=\"end\"") && t.contains("fcm"));
    texts
        .filter_map(|t| {
            let label = t.split('>').nth(1)?.split('<').next()?.replace(['$', ','], "");
            let factor = if label.ends_with('k') {
                1e3
            } else if label.ends_with('M') {
                1e6
            } else {
                1.0
            };
            let number: f64 = label.trim_end_matches(['k', 'M']).parse().ok()?;
            // From the base line back to the middle of the text.
            Some((attribute(t, "y")?.parse::<f64>().ok()? - 12.0 * 0.35, number * factor))
        })
        .collect()
}

fn curve(svg: &str, class: &str) -> Vec<(f64, f64)> {
    let line = svg
        .split("<polyline ")
        .skip(1)
        .filter(|l| l.contains(&format!("\"s{class}")))
        .max_by_key(|l| attribute(l, "points").map_or(0, str::len))
        .expect("a curve");
    let pair = |p: &str| p.split_once(',').map(|(x, y)| (x.parse().expect("x"), y.parse().expect("y")));
    attribute(line, "points").expect("points").split(' ').filter_map(pair).collect()
}

fn of_the_example() -> (Document, Vec<Chart>) {
    let sandbox = Sandbox::new();
    super::report::documents(&sandbox);
    let text = std::fs::read_to_string(sandbox.path("cost.json")).expect("there");
    let document = Document::parse("cost.json", &text).expect("a document");
    let Document::Breakeven(cost) = &document else { panic!("a cost document") };
    let charts = charts::cost::all(cost);
    (document, charts)
}

#[test]
fn a_curve_is_where_its_numbers_are() {
    let (document, charts) = of_the_example();
    let Document::Breakeven(cost) = &document else { panic!("a cost document") };
    let chart = charts.iter().find(|c| c.id == "cost-over-time").expect("the chart");
    for size in [Size::Wide, Size::Narrow] {
        let svg = chart.to_svg(size, "x");
        let ticks = heights(&svg);
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        let value = |y: f64| first.1 + (y - first.0) / (last.0 - first.0) * (last.1 - first.1);
        let most = ticks.iter().map(|t| t.1).fold(0.0, f64::max);
        for (n, offer) in cost.result.cumulative.iter().enumerate() {
            let drawn = curve(&svg, &format!("c{n}"));
            assert_eq!(drawn.len(), offer.paid_usd.len(), "{}", offer.name);
            for (at, usd) in drawn.iter().zip(&offer.paid_usd) {
                assert!(
                    (value(at.1) - usd).abs() < most * 0.005,
                    "{}: {} for {usd}",
                    offer.name,
                    value(at.1)
                );
            }
        }
    }
    // What the last month says is what the totals say.
    let head = &cost.result.comparisons[0];
    let cloud = cost.result.cumulative.iter().find(|c| c.name == head.cloud).expect("the cloud side");
    assert!((cloud.paid_usd.last().expect("months") - head.tco_cloud_usd).abs() < 0.02);
}

#[test]
fn the_cost_at_the_volume_in_force_is_the_total() {
    let (document, _) = of_the_example();
    let Document::Breakeven(cost) = &document else { panic!("a cost document") };
    let r = &cost.result;
    let by_volume = r.by_volume.as_ref().expect("a series");
    let now = r.requests_per_month.expect("requests");
    let volumes = by_volume.requests_per_month.as_ref().expect("requests");
    let at = volumes.iter().position(|v| (v - now).abs() < now * 1e-6).expect("the volume in force");
    for (name, tco) in
        r.cloud.iter().map(|c| (&c.name, c.tco_usd)).chain(r.local.iter().map(|l| (&l.name, l.tco_usd)))
    {
        let offer = by_volume.offers.iter().find(|o| o.name == *name).expect("the offer");
        let monthly = offer.monthly_usd[at].expect("a cost") * f64::from(r.horizon_months);
        assert!((monthly - tco).abs() < 1.0, "{name}: {monthly} for {tco}");
    }
    // Where the window begins, both cost the same.
    let found = r.comparisons[0].breakeven_requests_per_month.expect("a volume");
    let window = by_volume.local_cheaper.first().and_then(|w| w.from_requests_per_month).expect("a window");
    assert!((window - found).abs() < found * 0.01, "{window} for {found}");
}

#[test]
fn every_chart_has_words_and_numbers_in_every_format() {
    let (_, charts) = of_the_example();
    assert!(charts.len() >= 3);
    for chart in charts {
        assert!(chart.alt.len() > 40 && !chart.alt.contains("NaN"), "{}", chart.alt);
        assert!(!chart.table().rows.is_empty(), "{}", chart.id);
        let file = chart.to_svg_file();
        assert!(file.contains("<title") && file.contains("<desc") && !file.contains("NaN"), "{}", chart.id);
        let lines = chart.to_lines(100);
        assert!(lines.len() > 2 && lines.iter().all(|l| l.chars().count() <= 100), "{}: {lines:?}", chart.id);
        if let Body::Plot(plot) = &chart.body {
            assert!(plot.series.iter().all(|s| !s.name.is_empty()));
        }
    }
}

/// The ticks along the bottom: place and number, of plain numbers and shares.
fn places(svg: &str) -> Vec<(f64, f64)> {
    let texts = svg.split("<text ").skip(1);
    let ticks = texts.filter(|t| t.contains("text-anchor=\"middle\"") && t.contains("fcm"));
    ticks
        .filter_map(|t| {
            let label = t.split('>').nth(1)?.split('<').next()?.replace(',', "");
            let factor = if label.ends_with(" %") { 0.01 } else { 1.0 };
            let number: f64 = label.trim_end_matches(" %").parse().ok()?;
            Some((attribute(t, "x")?.parse().ok()?, number * factor))
        })
        .collect()
}

/// The value at a place, from the first and the last tick.
fn value(ticks: &[(f64, f64)], at: f64) -> f64 {
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    first.1 + (at - first.0) / (last.0 - first.0) * (last.1 - first.1)
}

/// Where circles of that radius stand.
fn circles(svg: &str, radius: &str) -> Vec<(f64, f64)> {
    let all = svg.split("<circle ").skip(1).filter(|c| attribute(&format!(" {c}"), "r") == Some(radius));
    all.filter_map(|c| {
        let c = format!(" {c}");
        Some((attribute(&c, "cx")?.parse().ok()?, attribute(&c, "cy")?.parse().ok()?))
    })
    .collect()
}

/// A figure of a level of load.
type Read = fn(&freehold::document::bench::load::Level) -> Option<f64>;

/// Every point that was measured is where its numbers are: load, quality, kinds of work, hours, hardware.
#[test]
fn measured_points_are_where_their_numbers_are() {
    let text = std::fs::read_to_string(super::formats::kept("bench.json")).expect("there");
    let Ok(Document::Bench(bench)) = Document::parse("bench.json", &text) else { panic!("a bench document") };
    let all = charts::measured::all(&bench);
    let chart = |id: &str| all.iter().find(|c| c.id == id).unwrap_or_else(|| panic!("no {id}"));
    let levels = &bench.result.targets[0].levels;
    let figures: [(&str, Read); 2] =
        [("throughput", |l| l.output_tps_system), ("tpot", |l| l.tpot_ms.median)];
    for (id, of) in figures {
        let svg = chart(id).to_svg(Size::Wide, "x");
        let (up, along) = (heights(&svg), places(&svg));
        let points = circles(&svg, "3.5");
        assert_eq!(points.len(), levels.len(), "{id}");
        let most = levels.iter().filter_map(of).fold(0.0, f64::max);
        for (at, level) in points.iter().zip(levels) {
            let (x, y) = (value(&along, at.0), value(&up, at.1));
            let wanted = of(level).expect("a figure");
            assert!((x - f64::from(level.concurrency)).abs() < 0.2, "{id}: {x} for {}", level.concurrency);
            assert!((y - wanted).abs() < most * 0.01, "{id}: {y} for {wanted}");
        }
    }
    // The limit stands where it is.
    let limit = levels[0].detail.goodput.and_then(|g| g.slo.tpot_ms).expect("a limit");
    let Body::Plot(plot) = &chart("tpot").body else { panic!("a plot") };
    assert!((plot.rules[0].at - limit).abs() < 1e-9);

    let targets: Vec<f64> = bench.result.targets.iter().filter_map(|t| Some(t.pass_rate?.rate)).collect();
    let pair = bench.result.pairs[0].quality.as_ref().expect("a quality");
    let kinds: Vec<f64> =
        pair.categories.iter().flat_map(|c| [c.a_pass_rate.rate, c.b_pass_rate.rate]).collect();
    for (id, wanted) in [("quality", targets), ("quality-by-category", kinds)] {
        for size in [Size::Wide, Size::Narrow] {
            let svg = chart(id).to_svg(size, "x");
            let along = places(&svg);
            assert!((along[along.len() - 1].1 - 1.0).abs() < 1e-9, "{id}: it goes up to 100 %");
            let drawn = circles(&svg, "5");
            assert_eq!(drawn.len(), wanted.len(), "{id}");
            for (at, rate) in drawn.iter().zip(&wanted) {
                assert!(
                    (value(&along, at.0) - rate).abs() < 0.005,
                    "{id}: {} for {rate}",
                    value(&along, at.0)
                );
            }
        }
    }
}

/// The load of a week against what the units of the plan carry.
#[test]
fn a_week_is_drawn_against_what_the_units_carry() {
    use freehold::render::charts::usage::{Carried, week};
    let mut hours = vec![1.0; 168];
    hours[10] = 3.0;
    let chart = week(&hours, "made up", Some(Carried { units: 2, times: 2.4 })).expect("a chart");
    assert!(
        chart.alt.contains("Mon 10:00") && chart.alt.contains("2 units carry 2.4 times"),
        "{}",
        chart.alt
    );
    let Body::Plot(plot) = &chart.body else { panic!("a plot") };
    let rules: Vec<f64> = plot.rules.iter().map(|r| r.at).collect();
    assert!(rules.len() == 3 && (rules[1] - 1.2).abs() < 1e-9 && (rules[2] - 2.4).abs() < 1e-9, "{rules:?}");
    let svg = chart.to_svg(Size::Wide, "x");
    let ticks = heights(&svg);
    let drawn = curve(&svg, "c0");
    let highest = drawn.iter().map(|p| value(&ticks, p.1)).fold(0.0, f64::max);
    let wanted = 3.0 / 170.0 * 168.0;
    assert!((highest - wanted).abs() < 0.02, "{highest} for {wanted}");
    // So far above the load that the line would say nothing: told in words alone.
    let idle = week(&hours, "made up", Some(Carried { units: 1, times: 50.0 })).expect("a chart");
    let Body::Plot(plot) = &idle.body else { panic!("a plot") };
    assert!(plot.rules.len() == 1 && idle.alt.contains("1 unit carries 50.0 times"), "{}", idle.alt);
}

/// The same bytes every time, of the size it says, with ink on it; and the letters are the program's own.
#[test]
fn a_chart_is_a_png_on_request() {
    let sandbox = Sandbox::new();
    super::report::documents(&sandbox);
    let draw = |name: &str| {
        sandbox.run(&["report", "cost.json", "--chart", "cost-over-time", "-o", name]).ok();
        std::fs::read(sandbox.path(name)).expect("written")
    };
    let (first, second) = (draw("a.png"), draw("b.png"));
    assert_eq!(first, second);
    assert!(first.starts_with(b"\x89PNG\r\n\x1a\n") && first.len() < 200_000, "{} bytes", first.len());
    let size = |at: usize| u32::from_be_bytes(first[at..at + 4].try_into().expect("four"));
    assert!(size(16) == 1440 && (500..2000).contains(&size(20)), "{} by {}", size(16), size(20));
    assert!(String::from_utf8(draw("a.svg")).expect("text").starts_with("<svg "));
    sandbox.run(&["report", "cost.json", "--charts", "png", "-o", "memo.md"]).ok();
    let memo = std::fs::read_to_string(sandbox.path("memo.md")).expect("written");
    assert!(memo.contains("(<memo-cost-over-time.png>)"), "{memo}");
    assert!(sandbox.path("memo-tornado.png").exists());
    sandbox.run(&["report", "cost.json", "--chart", "nothing"]).refused(&["cost-over-time", "tornado"]);
    sandbox.run(&["report", "cost.json", "-o", "page.png"]).refused(&["--chart"]);
}

/// A number as a tick writes it: `$-1.5k`, `200M`, `45 %`.
fn number(label: &str) -> Option<f64> {
    let label = label.replace(['$', ','], "");
    let factor = match label.chars().last()? {
        'k' => 1e3,
        'M' => 1e6,
        'B' => 1e9,
        'T' => 1e12,
        '%' => 0.01,
        _ => 1.0,
    };
    let number: f64 = label.trim_end_matches(['k', 'M', 'B', 'T', '%', ' ']).parse().ok()?;
    Some(number * factor)
}

/// The numbers along one axis: place and value. `middle`: the lower axis, whose numbers are centred.
fn ticks(svg: &str, middle: bool) -> Vec<(f64, f64)> {
    let anchor = if middle { "text-anchor=\"middle\"" } else { "text-anchor=\"end\"" };
    let texts = svg.split("<text ").skip(1).filter(|t| t.contains(anchor) && t.contains("fcm"));
    texts
        .filter_map(|t| {
            let value = number(t.split('>').nth(1)?.split('<').next()?)?;
            let t = format!(" {t}");
            let (x, y): (f64, f64) = (attribute(&t, "x")?.parse().ok()?, attribute(&t, "y")?.parse().ok()?);
            Some((if middle { x } else { y - 12.0 * 0.35 }, value))
        })
        .collect()
}

/// The value at a place of an axis whose steps are factors.
fn log_value(ticks: &[(f64, f64)], at: f64) -> f64 {
    let logs: Vec<(f64, f64)> = ticks.iter().map(|(at, v)| (*at, v.log10())).collect();
    10f64.powf(value(&logs, at))
}

/// Both ends of every bar of a colour, from the top down.
fn bars(svg: &str, class: &str) -> Vec<(f64, f64)> {
    let rects = svg.split("<rect ").skip(1).filter(|r| r.starts_with(&format!("class=\"f{class}\"")));
    rects
        .map(|r| {
            let r = format!(" {r}");
            let of =
                |name: &str| attribute(&r, name).expect("an attribute").parse::<f64>().expect("a number");
            (of("x"), of("x") + of("width"))
        })
        .collect()
}

/// Every bar of the tornado reaches from the saving as planned to the saving at the end of the input's range.
#[test]
fn a_tornado_is_where_its_numbers_are() {
    let text = std::fs::read_to_string(super::formats::kept("cost.json")).expect("there");
    let Ok(Document::Breakeven(cost)) = Document::parse("cost.json", &text) else {
        panic!("a cost document")
    };
    let chart = charts::cost::tornado(&cost).expect("the chart");
    let tornado = &cost.result.uncertainty.as_ref().expect("ranges").tornado;
    let planned = cost.result.comparisons[0].saving_usd;
    let Body::Rows(rows) = &chart.body else { panic!("rows") };
    for size in [Size::Wide, Size::Narrow] {
        let svg = chart.to_svg(size, "x");
        let along = ticks(&svg, true);
        let span = along.iter().map(|t| t.1.abs()).fold(0.0, f64::max);
        let (low, high) = (bars(&svg, "c0"), bars(&svg, "c1"));
        assert_eq!((low.len(), high.len()), (rows.rows.len(), rows.rows.len()));
        for (n, bar) in tornado.iter().take(rows.rows.len()).enumerate() {
            for (drawn, wanted) in [(low[n], bar.saving_at_low_usd), (high[n], bar.saving_at_high_usd)] {
                let mut ends = [value(&along, drawn.0), value(&along, drawn.1)];
                let mut expected = [planned, wanted];
                ends.sort_by(f64::total_cmp);
                expected.sort_by(f64::total_cmp);
                for (end, expected) in ends.iter().zip(expected) {
                    assert!((end - expected).abs() < span * 0.01, "{}: {end} for {expected}", bar.input);
                }
            }
            // Its ends are called what the input is there.
            for name in &rows.rows[n].marks {
                let freehold::render::chart::RowMark::Bar { label, .. } = name else { panic!("a bar") };
                assert!(!label.is_empty());
            }
        }
    }
}

/// Single requests, medians, their intervals and percentiles of times and speeds.
#[test]
fn distributions_are_where_their_numbers_are() {
    let text = std::fs::read_to_string(super::formats::kept("bench.json")).expect("there");
    let Ok(Document::Bench(bench)) = Document::parse("bench.json", &text) else { panic!("a bench document") };
    let all = charts::measured::all(&bench);
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    for id in ["ttft", "decode"] {
        let chart = all.iter().find(|c| c.id == id).expect("the chart");
        let Body::Rows(rows) = &chart.body else { panic!("rows") };
        for size in [Size::Wide, Size::Narrow] {
            let svg = chart.to_svg(size, "x");
            // Names of percentiles are centred, too, and no numbers.
            let along = ticks(&svg, true);
            let read = |at: f64| if rows.x.log { log_value(&along, at) } else { value(&along, at) };
            let close = |drawn: f64, wanted: f64| (drawn - wanted).abs() < wanted.abs() * 0.02 + 0.5;
            let mut dots = Vec::new();
            let mut wanted_dots = Vec::new();
            let medians = circles(&svg, "5");
            for (n, target) in bench.result.targets.iter().enumerate() {
                let summary = if id == "ttft" { target.metrics.ttft_ms } else { target.metrics.decode_tps };
                let median = summary.median.expect("a median");
                assert!(close(read(medians[n].0), median), "{id}: {} for {median}", read(medians[n].0));
                let own = bench
                    .result
                    .samples
                    .iter()
                    .filter(|s| s.target == target.id && s.error.is_none() && s.attempts <= 1);
                let values =
                    own.filter_map(|s| if id == "ttft" { s.metrics.ttft_ms } else { s.metrics.decode_tps });
                wanted_dots.extend(values);
                let height = medians[n].1;
                dots.extend(
                    circles(&svg, "2.2")
                        .into_iter()
                        .filter(|c| (c.1 - height).abs() < 0.5)
                        .map(|c| read(c.0)),
                );
                // The interval is the thick line through the median, the percentile a stroke across it.
                let lines: Vec<Vec<(f64, f64)>> = svg
                    .split("<polyline ")
                    .skip(1)
                    .filter(|l| l.contains("stroke-width=\"3\"") || l.contains("stroke-width=\"1.6\""))
                    .map(|l| {
                        let pair = |p: &str| {
                            p.split_once(',').map(|(x, y)| (x.parse().expect("x"), y.parse().expect("y")))
                        };
                        attribute(&format!(" {l}"), "points")
                            .expect("points")
                            .split(' ')
                            .filter_map(pair)
                            .collect()
                    })
                    .collect();
                let of_row =
                    |line: &&Vec<(f64, f64)>| (f64::midpoint(line[0].1, line[1].1) - height).abs() < 0.6;
                let across =
                    lines.iter().filter(of_row).find(|l| (l[0].1 - l[1].1).abs() < 0.1).expect("an interval");
                let (low, high) = (summary.low.expect("low"), summary.high.expect("high"));
                assert!(
                    close(read(across[0].0), low) && close(read(across[1].0), high),
                    "{id}: {across:?} for {low} to {high}"
                );
                let upright: Vec<f64> = lines
                    .iter()
                    .filter(of_row)
                    .filter(|l| (l[0].0 - l[1].0).abs() < 0.1)
                    .map(|l| read(l[0].0))
                    .collect();
                for percentile in [summary.p95, summary.p99].into_iter().flatten() {
                    assert!(
                        upright.iter().any(|at| close(*at, percentile)),
                        "{id}: {upright:?} lacks {percentile}"
                    );
                }
            }
            let (dots, wanted) = (sorted(dots), sorted(wanted_dots));
            assert_eq!(dots.len(), wanted.len(), "{id}");
            assert!(
                !dots.is_empty() && dots.iter().zip(&wanted).all(|(a, b)| close(*a, *b)),
                "{id}: {dots:?} for {wanted:?}"
            );
        }
    }
}

/// A curve of costs at other volumes goes through every one of its numbers, and a unit that is bought is a step.
#[test]
fn curves_by_volume_are_where_their_numbers_are() {
    let (document, _) = of_the_example();
    let Document::Breakeven(cost) = &document else { panic!("a cost document") };
    let found = cost.result.by_volume.as_ref().expect("a series");
    let volumes = found.requests_per_month.as_ref().expect("requests");
    let chart = charts::cost::by_volume(&cost.result).expect("the chart");
    for size in [Size::Wide, Size::Narrow] {
        let svg = chart.to_svg(size, "x");
        let (along, up) = (ticks(&svg, true), ticks(&svg, false));
        for (n, offer) in found.offers.iter().enumerate() {
            let drawn = curve(&svg, &format!("c{n}"));
            assert_eq!(drawn.len(), volumes.len(), "{}", offer.name);
            for ((at, volume), usd) in drawn.iter().zip(volumes).zip(&offer.monthly_usd) {
                let (x, y) = (log_value(&along, at.0), log_value(&up, at.1));
                let usd = usd.expect("a cost");
                assert!((x / volume - 1.0).abs() < 0.03, "{}: {x} for {volume}", offer.name);
                assert!((y / usd - 1.0).abs() < 0.03, "{}: {y} for {usd}", offer.name);
            }
            for (n, pair) in offer.units.iter().flatten().collect::<Vec<_>>().windows(2).enumerate() {
                if let [Some(few), Some(more)] = pair
                    && *more == few + 1
                {
                    let run = drawn[n + 1].0 - drawn[n].0;
                    assert!(run < 0.6, "{}: unit {more} comes over {run} units of the picture", offer.name);
                }
            }
        }
        // Shades begin where local begins to cost less.
        let shade = bars(&svg, "cs");
        assert_eq!(shade.len(), found.local_cheaper.len());
        for (drawn, window) in shade.iter().zip(&found.local_cheaper) {
            let from = window.from_requests_per_month.expect("requests");
            assert!((log_value(&along, drawn.0) / from - 1.0).abs() < 0.03, "{drawn:?} for {from}");
        }
    }
}

/// Every point of the catalogue's hardware, and of what was measured, stands at its price and its speed.
#[test]
fn prices_against_speeds_are_where_their_numbers_are() {
    let sandbox = Sandbox::new();
    let args = [
        "breakeven",
        "--all",
        "--requests-per-month",
        "300000",
        "--input-tokens",
        "900",
        "--output-tokens",
        "200",
        "--model",
        "llama-3.1-8b-instruct",
        "--draws",
        "1",
        "--today",
        "2026-11-22",
        "-o",
        "all.json",
    ];
    sandbox.run(&args).ok();
    let text = std::fs::read_to_string(sandbox.path("all.json")).expect("written");
    let Ok(Document::Breakeven(all)) = Document::parse("all.json", &text) else { panic!("a cost document") };
    let chart = charts::ranked::price_against_speed(&all.result).expect("the chart");
    let Body::Plot(plot) = &chart.body else { panic!("a plot") };
    let known: Vec<(f64, f64)> =
        all.result.local.iter().filter_map(|l| Some((l.capacity_tokens_per_month?, l.tco_usd))).collect();
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.04;
    let svg = chart.to_svg(Size::Wide, "x");
    let (along, up) = (ticks(&svg, true), ticks(&svg, false));
    let drawn = circles(&svg, "4");
    let is_known = |at: &&(f64, f64)| {
        let (speed, price) = (log_value(&along, at.0), log_value(&up, at.1));
        known.iter().any(|(s, p)| near(speed, *s) && near(price, *p))
    };
    // Beside the points there is one dot for each name of a kind.
    let points = plot.series.iter().map(|s| s.points.len()).sum::<usize>();
    assert_eq!(drawn.len(), points + plot.series.len());
    assert_eq!(drawn.iter().filter(is_known).count(), points);
    assert!(points > 20, "{points} points");
    let text = std::fs::read_to_string(super::formats::kept("bench.json")).expect("there");
    let Ok(Document::Bench(bench)) = Document::parse("bench.json", &text) else { panic!("a bench document") };
    let mut bench = *bench;
    for (n, target) in bench.result.targets.iter_mut().enumerate() {
        target.metrics.cost_usd.median = Some(0.001 * (n as f64 + 1.0));
    }
    let chart = charts::measured::price_against_speed(&bench.result).expect("the chart");
    let svg = chart.to_svg(Size::Wide, "x");
    let (along, up) = (ticks(&svg, true), ticks(&svg, false));
    let drawn = circles(&svg, "4");
    for target in &bench.result.targets {
        let speed = target.metrics.decode_tps.median.expect("a speed");
        let price = target.metrics.cost_usd.median.expect("a price");
        let is_there = |at: &(f64, f64)| {
            (value(&along, at.0) / speed - 1.0).abs() < 0.01 && (value(&up, at.1) / price - 1.0).abs() < 0.02
        };
        assert!(drawn.iter().any(is_there), "{}: {speed} at {price} of {drawn:?}", target.id);
    }
}

/// A verdict alone has the curves of its options, with the numbers of its document.
#[test]
fn a_verdict_alone_has_its_charts() {
    let sandbox = Sandbox::new();
    let need = ["--requests-per-month", "400000", "--input-tokens", "1500", "--output-tokens", "300"];
    let answers = [
        "--privacy",
        "standard",
        "--volume",
        "high",
        "--capability",
        "moderate",
        "--operations",
        "available",
        "--budget",
        "capex",
    ];
    sandbox
        .run(&[&["advise", "--today", "2026-11-22", "-o", "advice.json"], &need[..], &answers].concat())
        .ok();
    let text = std::fs::read_to_string(sandbox.path("advice.json")).expect("written");
    let Ok(Document::Advice(advice)) = Document::parse("advice.json", &text) else { panic!("an advice") };
    let r = &advice.result;
    let all = charts::advice::all(&advice, &freehold::money::Currency::usd());
    assert_eq!(all.iter().map(|c| c.id).collect::<Vec<_>>(), ["cost-over-time", "cost-by-volume"]);
    // Every option that may be taken is drawn, the chosen one first, and ends at its total.
    let chosen = r.options.iter().find(|o| r.chosen.as_ref() == Some(&o.id)).expect("chosen");
    assert_eq!(r.cumulative[0].name, chosen.name);
    let may = r.options.iter().filter(|o| o.excluded_because.is_none() && o.tco_usd.is_some());
    for option in may.clone().take(6) {
        let paid = r
            .cumulative
            .iter()
            .find(|c| c.name == option.name)
            .unwrap_or_else(|| panic!("no {}", option.name));
        let (total, end) = (option.tco_usd.expect("a total"), *paid.paid_usd.last().expect("months"));
        // What hardware is still worth is in the total only.
        let kept = end - total;
        assert!(
            kept > -1.0 && (kept < 1.0 || option.capex_usd.is_some_and(|c| kept <= c)),
            "{}: {end} for {total}",
            option.name
        );
        assert_eq!(paid.paid_usd.len(), r.horizon_months.expect("months") as usize + 1);
    }
    assert!(may.count() >= 3);
    let svg = all[0].to_svg(Size::Wide, "x");
    let up = heights(&svg);
    let most = up.iter().map(|t| t.1).fold(0.0, f64::max);
    for (n, offer) in r.cumulative.iter().enumerate() {
        for (at, usd) in curve(&svg, &format!("c{n}")).iter().zip(&offer.paid_usd) {
            assert!(
                (value(&up, at.1) - usd).abs() < most * 0.006,
                "{}: {} for {usd}",
                offer.name,
                value(&up, at.1)
            );
        }
    }
    let volumes = r.by_volume.as_ref().expect("a series");
    let requests = volumes.requests_per_month.as_ref().expect("requests");
    let now = requests.iter().position(|v| (v - 400_000.0).abs() < 1.0).expect("the volume in force");
    for offer in &volumes.offers {
        let option = r.options.iter().find(|o| o.name == offer.name).expect("an option");
        let monthly = offer.monthly_usd[now].expect("a cost") * f64::from(r.horizon_months.expect("months"));
        let total = option.tco_usd.expect("a total");
        assert!((monthly - total).abs() < total * 0.001 + 1.0, "{}: {monthly} for {total}", offer.name);
    }
    let memo = sandbox.run(&["report", "advice.json", "--format", "html"]).ok();
    assert!(memo.contains("Cost over time") && memo.contains("Cost a month against volume"));
}
