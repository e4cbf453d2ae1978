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
