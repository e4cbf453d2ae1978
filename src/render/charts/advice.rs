//! Charts of a verdict with computed options: what they cost over time and at other volumes.

use super::cost::{Rivals, against_volume, paid, said_of_bands};
use crate::advise::Placement;
use crate::document::advice::{AdviceDocument, OptionRow};
use crate::money::Currency;
use crate::render::chart::{Body, Chart};

/// What the options have cost by the end of each month.
fn over_time(document: &AdviceDocument, money: &Currency) -> Option<Chart> {
    let r = &document.result;
    let horizon = r.horizon_months?;
    if r.cumulative.is_empty() {
        return None;
    }
    let plot = paid(&r.cumulative, money, "months from the start", horizon);
    let totals: Vec<String> = plot
        .series
        .iter()
        .filter_map(|s| Some(format!("{} {}", s.name, plot.y.of.full(s.points.last()?.1))))
        .collect();
    let alt = format!(
        "Paid by the end of month {horizon}: {}. What hardware is still worth then is not taken off.{}",
        totals.join("; "),
        said_of_bands(&plot)
    );
    Some(Chart { id: "cost-over-time", title: "Cost over time".to_owned(), alt, body: Body::Plot(plot) })
}

/// What a month of the options costs at other volumes.
fn by_volume(document: &AdviceDocument, money: &Currency) -> Option<Chart> {
    let r = &document.result;
    let found = r.by_volume.as_ref()?;
    let of_need = |key: &str| {
        let value = &document.inputs.get(key)?.value;
        value.as_f64().or_else(|| value.get("likely")?.as_f64())
    };
    let now = of_need(match found.requests_per_month {
        Some(_) => "need.requests_per_month",
        None => "need.tokens_per_month",
    });
    let of = |placement: Placement| {
        let drawn = |o: &&OptionRow| found.offers.iter().any(|f| f.name == o.name);
        let mut all: Vec<&OptionRow> =
            r.options.iter().filter(|o| o.placement == placement).filter(drawn).collect();
        let last = |o: &OptionRow| {
            (r.chosen.as_ref() != Some(&o.id), o.excluded_because.is_some(), o.tco_usd.unwrap_or(f64::MAX))
        };
        all.sort_by(|a, b| {
            let (a, b) = (last(a), last(b));
            (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
        });
        all.first().map(|o| o.name.as_str())
    };
    let rivals = of(Placement::Local).zip(of(Placement::Cloud));
    let rivals = rivals.map(|(local, cloud)| Rivals { local, cloud });
    against_volume(found, now, rivals, money, r.horizon_months?)
}

/// All charts of the document.
pub fn all(document: &AdviceDocument, money: &Currency) -> Vec<Chart> {
    [over_time(document, money), by_volume(document, money)].into_iter().flatten().collect()
}
