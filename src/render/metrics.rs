//! The view of the table of metrics.

use super::view::{Block, View};
use crate::document::metrics::{METRICS, Metric};

/// All metrics, each under the kind of document that has it first.
pub fn all() -> View {
    const KINDS: [(&str, &str); 5] = [
        ("bench", "Measured (bench)"),
        ("breakeven", "Computed (breakeven)"),
        ("advice", "Decided (advise)"),
        ("fit", "Predicted (fit)"),
        ("plan", "Planned (plan)"),
    ];
    let mut view = View::new("Metrics");
    for (kind, heading) in KINDS {
        let first = |m: &&Metric| m.places.first().is_some_and(|place| place.document == kind);
        view.heading(heading);
        view.push(Block::List(METRICS.iter().filter(first).map(Metric::described).collect()));
    }
    view
}

/// One metric.
pub fn one(metric: &Metric) -> View {
    let mut view = View::new(metric.id);
    view.paragraph(metric.definition);
    let mut facts = vec![metric.name.to_owned()];
    let symbol = metric.unit.symbol();
    if !symbol.is_empty() {
        facts.push(format!("in {symbol}"));
    }
    facts.extend(Some(metric.better.words()).filter(|w| !w.is_empty()).map(str::to_owned));
    view.paragraph(format!("{}.", facts.join(", ")));
    let places = metric.places.iter().map(|p| format!("{}: result.{}", p.document, p.path));
    view.push(Block::List(places.collect()));
    view
}
