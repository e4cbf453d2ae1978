//! The page about the shipped prices, `docs/prices.md`.

use super::view::{Block, Cell, Table, View};
use crate::catalog::shipped_prices::Shipped;
use jiff::civil::Date;

/// Which models were taken, where the two sources disagree, and which figure is shipped. `sources` names
/// the two, as read on `today`.
pub fn page(shipped: &Shipped, sources: &str, today: Date) -> View {
    let mut view = View::new("Where the shipped prices come from");
    view.paragraph(format!(
        "{} models of {} providers, from {sources}, read {}. This page is made by \"make prices\": it says \
         which models were taken, where the two sources disagree and which figure is shipped. The rules, \
         each with its reason, are in src/catalog/shipped_prices/rules.toml.",
        shipped.models.len(),
        shipped.counts.len(),
        today
    ));
    view.paragraph(
        "genai-prices is the source: it dates its changes, keeps announced ones with their day, and cites \
         the providers' pages. litellm is held against it, and adds what the other does not have: the longest \
         answer, the day a model is switched off, dated names, and batch or cache prices where the two agree \
         on the list price.",
    );
    providers(&mut view, shipped);
    disagreements(&mut view, shipped);
    scheduled(&mut view, shipped, today);
    view.heading("Left out");
    let reasons = shipped.left_out.iter();
    view.push(Block::List(
        reasons.map(|(reason, ids)| format!("{reason} ({}): {}", ids.len(), ids.join(", "))).collect(),
    ));
    view.heading("Open weights without a record");
    view.paragraph(
        "Sold by hosts of open models, but linked to no open model of the catalogue: the weights are not public, or \
         nobody has added them yet. They cannot serve as the second comparator.",
    );
    view.paragraph(shipped.unlinked.join(", "));
    view
}

fn providers(view: &mut View, shipped: &Shipped) {
    view.heading("Providers");
    let mut table = Table::new(&["Provider", "#Models", "#Also in litellm", "#Same input and output price"]);
    for (provider, count) in &shipped.counts {
        table.row([
            provider.as_str().into(),
            number(count.models),
            number(count.checked),
            number(count.agree),
        ]);
    }
    view.push(Block::Table(table));
}

fn disagreements(view: &mut View, shipped: &Shipped) {
    view.heading("Disagreements");
    view.paragraph(
        "Figures that both sources give and that differ by more than half a per cent, on the day the files \
         were read. US dollars per million tokens.",
    );
    let mut table = Table::new(&["Model", "Figure", "#genai-prices", "#litellm", "Shipped", "Why"]);
    for d in &shipped.disagreements {
        let shown = |value: Option<f64>| value.map(|v| Cell::Number(v, v.to_string()));
        table.row([
            d.change.id.as_str().into(),
            d.change.field.as_str().into(),
            shown(d.change.old).into(),
            shown(d.change.new).into(),
            if d.second_taken { "litellm" } else { "genai-prices" }.into(),
            d.reason.as_str().into(),
        ]);
    }
    view.push(Block::Table(table));
}

fn scheduled(view: &mut View, shipped: &Shipped, today: Date) {
    view.heading("Announced changes");
    let mut table = Table::new(&["Model", "From", "#Input", "#Output", "#Input before", "#Output before"]);
    for model in &shipped.models {
        for pair in model.price.windows(2) {
            let Some(from) = pair[1].from.filter(|from| *from > today) else { continue };
            let shown = |value: Option<f64>| value.map(|v| Cell::Number(v, v.to_string()));
            table.row([
                model.id.as_str().into(),
                from.to_string().into(),
                shown(pair[1].rates.input_per_mtok).into(),
                shown(pair[1].rates.output_per_mtok).into(),
                shown(pair[0].rates.input_per_mtok).into(),
                shown(pair[0].rates.output_per_mtok).into(),
            ]);
        }
    }
    view.push(Block::Table(table));
}

fn number(n: usize) -> Cell {
    Cell::Number(n as f64, n.to_string())
}
