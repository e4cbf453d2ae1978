//! Charts of a cost document: over time, against volume, and what each input changes.

use super::usage::Carried;
use crate::document::breakeven::text::months;
use crate::document::breakeven::{
    BreakevenDocument, BreakevenResult, Comparator, CostByVolume, CumulativeCost,
};
use crate::money::Currency;
use crate::number::{grouped, short};
use crate::render::chart::{
    Axis, Band, Body, Chart, Mark, NumberStyle, Plot, Row, RowMark, Rows, Rule, Series, Span,
};
use crate::render::names;

/// Number of inputs in the tornado.
const BARS: usize = 8;
/// Possible distances of ticks on an axis of months; the first one that gives few enough is used.
const MONTHS: [u32; 7] = [1, 3, 6, 12, 24, 60, 120];

fn money_axis(money: &Currency, label: &str) -> Axis {
    Axis::new(format!("{label}, {}", money.code()), NumberStyle::Money(money.code().to_owned()))
}

fn month_ticks(horizon: u32) -> Vec<(f64, String)> {
    let every = MONTHS.into_iter().find(|m| horizon / m <= 6).unwrap_or(240);
    (0..=horizon / every).map(|n| (f64::from(n * every), (n * every).to_string())).collect()
}

/// A plot of what was paid by the end of each month.
pub(super) fn paid(cumulative: &[CumulativeCost], money: &Currency, label: &str, horizon: u32) -> Plot {
    let x = Axis::new(label, NumberStyle::Number).ticks(month_ticks(horizon));
    let mut plot = Plot::new(x, money_axis(money, "paid so far"));
    let at = |month: usize| f64::from(u32::try_from(month).unwrap_or(u32::MAX));
    for offer in cumulative {
        let convert = |usd: &[f64]| usd.iter().map(|v| money.convert(*v)).collect::<Vec<f64>>();
        let band = match (&offer.p10_usd, &offer.p90_usd) {
            (Some(low), Some(high)) => convert(low)
                .into_iter()
                .zip(convert(high))
                .enumerate()
                .map(|(month, (low, high))| Band { x: at(month), low, high })
                .collect(),
            _ => Vec::new(),
        };
        plot.series.push(Series {
            name: offer.name.clone(),
            points: convert(&offer.paid_usd).into_iter().enumerate().map(|(m, y)| (at(m), y)).collect(),
            band,
            ..Series::default()
        });
    }
    plot
}

/// The sentence about bands; empty where there are none.
pub(super) fn said_of_bands(plot: &Plot) -> &'static str {
    if plot.series.iter().any(|s| !s.band.is_empty()) {
        " The bands hold four of five simulated futures (P10 to P90)."
    } else {
        ""
    }
}

/// What every offer has cost by the end of each month.
pub fn over_time(r: &BreakevenResult) -> Option<Chart> {
    if r.cumulative.is_empty() {
        return None;
    }
    let money = r.money();
    let mut plot = paid(&r.cumulative, &money, &format!("months from {}", r.start), r.horizon_months);
    let head = r.comparisons.first()?;
    let local = plot.series.iter().find(|s| s.name == head.local);
    let mut outcome = "never paid back".to_owned();
    if let Some(payback) = head.payback_months {
        outcome = if payback < 0.05 {
            format!("{} costs less from the first month on", head.local)
        } else {
            format!("paid back after {}", months(payback))
        };
        let y = local.and_then(|s| {
            let after = s.points.iter().position(|p| p.0 >= payback)?;
            let (a, b) = (s.points[after.saturating_sub(1)], s.points[after]);
            let share = if b.0 > a.0 { (payback - a.0) / (b.0 - a.0) } else { 0.0 };
            Some(a.1 + share * (b.1 - a.1))
        });
        plot.marks.extend(y.filter(|_| payback >= 0.05).map(|y| Mark {
            x: payback,
            y,
            label: outcome.clone(),
        }));
    }
    let totals: Vec<String> = plot
        .series
        .iter()
        .filter_map(|s| {
            // The stated total is used where it is the same to the cent, so that it is rounded only once.
            let paid = s.points.last()?.1;
            let total = r.cloud.iter().find(|c| c.name == s.name).map(|c| money.convert(c.tco_usd));
            let paid = total.filter(|t| (t - paid).abs() < 0.01).unwrap_or(paid);
            Some(format!("{} {}", s.name, plot.y.of.full(paid)))
        })
        .collect();
    let band = said_of_bands(&plot);
    let kept: Vec<String> = r
        .local
        .iter()
        .filter(|l| l.residual_usd > 0.0 && plot.series.iter().any(|s| s.name == l.name))
        .map(|l| format!("{} for {}", money.show(l.residual_usd), l.name))
        .collect();
    let kept = if kept.is_empty() {
        String::new()
    } else {
        format!(" What the hardware is still worth then is not taken off: {}.", kept.join("; "))
    };
    let alt = format!(
        "Paid by the end of month {}: {}. {} against {}: {outcome}.{kept}{band}",
        r.horizon_months,
        totals.join("; "),
        head.local,
        head.cloud,
    );
    Some(Chart { id: "cost-over-time", title: "Cost over time".to_owned(), alt, body: Body::Plot(plot) })
}

/// The two offers that the ranges of a chart by volume compare.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rivals<'a> {
    pub local: &'a str,
    pub cloud: &'a str,
}

/// What a month costs at other volumes.
pub fn by_volume(r: &BreakevenResult) -> Option<Chart> {
    let found = r.by_volume.as_ref()?;
    let head = r.comparisons.first()?;
    let now =
        if found.requests_per_month.is_some() { r.requests_per_month } else { Some(r.tokens_per_month) };
    let rivals = Rivals { local: &head.local, cloud: &head.cloud };
    against_volume(found, now, Some(rivals), &r.money(), r.horizon_months)
}

/// A plot of cost against volume: with steps where a further unit is needed, and shaded where local costs
/// less.
pub(super) fn against_volume(
    found: &CostByVolume,
    now: Option<f64>,
    rivals: Option<Rivals<'_>>,
    money: &Currency,
    horizon: u32,
) -> Option<Chart> {
    let (volumes, unit) = match &found.requests_per_month {
        Some(requests) => (requests, "requests"),
        None => (&found.tokens_per_month, "tokens"),
    };
    let x = Axis::new(format!("{unit} a month"), NumberStyle::Number).log();
    let y = money_axis(money, "cost a month with everything in it").log();
    let mut plot = Plot::new(x, y);
    plot.slider = true;
    for offer in &found.offers {
        let points: Vec<(f64, f64)> = volumes
            .iter()
            .zip(&offer.monthly_usd)
            .filter_map(|(v, usd)| Some((*v, money.convert((*usd)?))))
            .filter(|p| p.1 > 0.0)
            .collect();
        if points.len() > 1 {
            plot.series.push(Series { name: offer.name.clone(), points, ..Series::default() });
        }
    }
    if plot.series.is_empty() {
        return None;
    }
    let mut said = Vec::new();
    for window in found.local_cheaper.iter().filter(|_| rivals.is_some()) {
        let (from, to) = match found.requests_per_month {
            Some(_) => (window.from_requests_per_month?, window.to_requests_per_month),
            None => (window.from_tokens_per_month, window.to_tokens_per_month),
        };
        let first = volumes.first().is_some_and(|v| from <= *v);
        said.push(match (first, to) {
            (true, None) => "at every volume shown".to_owned(),
            (true, Some(to)) => format!("up to {} {unit} a month", short(to)),
            (false, None) => format!("from {} {unit} a month on", short(from)),
            (false, Some(to)) => format!("from {} to {} {unit} a month", short(from), short(to)),
        });
        let label = rivals.map(|r| format!("local costs less than {}", r.cloud)).unwrap_or_default();
        plot.spans.push(Span { from, to, label });
    }
    if let Some(now) = now {
        plot.rules.push(Rule { at: now, upright: true, label: format!("this plan: {}", short(now)) });
    }
    let said = match rivals {
        None => String::new(),
        Some(r) if said.is_empty() => {
            format!("{} costs less than {} at no volume shown. ", r.local, r.cloud)
        }
        Some(r) => format!("{} costs less than {} {}. ", r.local, r.cloud, said.join(" and ")),
    };
    let alt = format!(
        "{said}Costs are totals over {horizon} months divided by {horizon}; steps are units that have to be bought or rented."
    );
    Some(Chart {
        id: "cost-by-volume",
        title: "Cost a month against volume".to_owned(),
        alt,
        body: Body::Plot(plot),
    })
}

/// What each input alone changes, over its own range.
pub fn tornado(document: &BreakevenDocument) -> Option<Chart> {
    let r = &document.result;
    let uncertainty = r.uncertainty.as_ref()?;
    let head = r.comparisons.first()?;
    let money = r.money();
    let unit = |input: &str| document.inputs.get(input).and_then(|i| i.unit.clone()).unwrap_or_default();
    let amount = |usd: f64| money.convert(usd);
    let rows: Vec<Row> = uncertainty
        .tornado
        .iter()
        .take(BARS)
        .map(|bar| {
            let unit = unit(&bar.input);
            let value = |v: f64| names::in_unit(v, &unit, &money);
            let end = |at: f64, usd: f64, colour: usize| RowMark::Bar {
                from: amount(head.saving_usd),
                to: amount(usd),
                label: value(at),
                colour,
            };
            Row {
                name: names::of_input_and_side(&bar.input),
                marks: vec![end(bar.low, bar.saving_at_low_usd, 0), end(bar.high, bar.saving_at_high_usd, 1)],
                value: format!("± {}", money.show(bar.swing_usd / 2.0)),
            }
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let first = &uncertainty.tornado[0];
    let assumed = if uncertainty.tornado.iter().all(|b| b.assumed) {
        " No ranges were given: each input is taken a fifth lower and higher."
    } else {
        ""
    };
    let alt = format!(
        "The saving of {} against {} is {} as planned. {} changes it most: {} at {}, {} at {}.{assumed}",
        head.local,
        head.cloud,
        money.show(head.saving_usd),
        names::of_input_and_side(&first.input),
        money.show(first.saving_at_low_usd),
        names::in_unit(first.low, &unit(&first.input), &money),
        money.show(first.saving_at_high_usd),
        names::in_unit(first.high, &unit(&first.input), &money),
    );
    let as_planned = format!("as planned: {}", money.show(head.saving_usd));
    Some(Chart {
        id: "tornado",
        title: format!("What moves the saving over {} months", r.horizon_months),
        alt,
        body: Body::Rows(Rows {
            x: money_axis(&money, "saving of local").free(),
            rows,
            rule: Some(Rule { at: amount(head.saving_usd), upright: true, label: as_planned }),
            key: "One input at a time, from the low to the high end of its range; the others as planned."
                .to_owned(),
        }),
    })
}

/// Load by hour of the week, where the document has a profile of it.
pub fn hours(document: &BreakevenDocument) -> Option<Chart> {
    let hours: Vec<f64> = document
        .inputs
        .get("hybrid.profile")?
        .value
        .as_array()?
        .iter()
        .filter_map(serde_json::Value::as_f64)
        .collect();
    let r = &document.result;
    let head = r.comparisons.first()?;
    let local = r.local.iter().find(|l| l.name == head.local);
    let carried = local.and_then(|l| {
        let times = l.capacity_tokens_per_month? / r.tokens_per_month;
        (l.units > 0 && times.is_finite() && times > 0.0).then_some(Carried { units: l.units, times })
    });
    super::usage::week(&hours, "the plan's profile", carried)
}

/// All charts of the document.
pub fn all(document: &BreakevenDocument) -> Vec<Chart> {
    let r = &document.result;
    [over_time(r), by_volume(r), tornado(document), hours(document), super::ranked::price_against_speed(r)]
        .into_iter()
        .flatten()
        .collect()
}

/// In short, why an offer is part of the report.
pub fn role(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::Asked => "",
        Comparator::SameModel => "the same model by the token",
        Comparator::RentedGpu => "the same GPU by the hour",
        Comparator::AsCapable => "the cheapest other API of the same tier or a better one",
    }
}

/// `12,345 requests a month`.
pub fn volume(requests: f64) -> String {
    format!("{} requests a month", grouped(requests, 0))
}
