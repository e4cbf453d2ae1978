//! Chart of a ranking: price against capacity.

use crate::document::breakeven::BreakevenResult;
use crate::number::grouped;
use crate::render::chart::{Axis, Body, Chart, NumberStyle, Plot, Series};

/// The most points of each kind.
const MOST: usize = 60;
/// The most points of each kind that are named.
const NAMED: usize = 6;

/// Hardware of a ranking: how much it can serve in a month against what the need costs on it.
pub fn price_against_speed(r: &BreakevenResult) -> Option<Chart> {
    if !r.ranking {
        return None;
    }
    let money = r.money();
    let mut plot = Plot::new(
        Axis::new("tokens a month that it can serve", NumberStyle::Number).log(),
        Axis::new(
            format!("total over {} months, {}", r.horizon_months, money.code()),
            NumberStyle::Money(money.code().to_owned()),
        )
        .log(),
    );
    let mut cheapest = None;
    for (kind, name) in [("owned", "bought"), ("financed", "financed"), ("rented", "rented by the hour")] {
        let mut of_kind: Vec<_> = r
            .local
            .iter()
            .filter(|l| l.kind == kind && l.tco_usd > 0.0)
            .filter_map(|l| Some((l, l.capacity_tokens_per_month.filter(|c| *c > 0.0)?)))
            .collect();
        of_kind.sort_by(|a, b| a.0.tco_usd.total_cmp(&b.0.tco_usd));
        of_kind.truncate(MOST);
        let Some((first, _)) = of_kind.first() else { continue };
        if cheapest.is_none_or(|(usd, _): (f64, &str)| first.tco_usd < usd) {
            cheapest = Some((first.tco_usd, first.name.as_str()));
        }
        plot.series.push(Series {
            name: name.to_owned(),
            points: of_kind.iter().map(|(l, c)| (*c, money.convert(l.tco_usd))).collect(),
            names: of_kind.iter().take(NAMED).map(|(l, _)| shortened(&l.name)).collect(),
            scattered: true,
            ..Series::default()
        });
    }
    let (usd, name) = cheapest?;
    let count: usize = plot.series.iter().map(|s| s.points.len()).sum();
    let alt = format!(
        "{} kinds of hardware by what they can serve and what this need costs on them. The cheapest is {name} with {} over {} months.",
        grouped(count as f64, 0),
        money.show(usd),
        r.horizon_months
    );
    Some(Chart {
        id: "price-against-speed",
        title: "Hardware: price against speed".to_owned(),
        alt,
        body: Body::Plot(plot),
    })
}

fn shortened(name: &str) -> String {
    let name = name.rsplit_once(" on ").map_or(name, |(_, hardware)| hardware);
    if name.chars().count() <= 32 {
        name.to_owned()
    } else {
        format!("{}…", name.chars().take(31).collect::<String>())
    }
}
