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
