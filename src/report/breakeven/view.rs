//! How the document looks to people.

use super::convert::source_words;
use super::text::{Money, count, grouped, months};
use super::{BreakevenDocument, BreakevenResult, Comparator};
use crate::report::view::{Block, Cell, Table, View};

impl BreakevenDocument {
    /// For every format but JSON and CSV.
    pub fn view(&self) -> View {
        let r = &self.result;
        let mut view = View::new("Local against cloud: what it costs");
        view.push(Block::List(r.summary.clone()));
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view.heading("Comparisons").push(Block::Table(comparisons(r)));
        if !r.local.is_empty() {
            view.heading("Local").push(Block::Table(locals(r)));
        }
        if !r.cloud.is_empty() {
            view.heading("Cloud").push(Block::Table(clouds(r)));
        }
        view.heading("Inputs").push(Block::Table(self.input_table()));
        view.paragraph(conventions(r));
        view
    }

    /// Month by month.
    pub fn csv(&self) -> String {
        let mut table = Table::new(&[
            "cloud",
            "local",
            "#month",
            "date",
            "#requests",
            "#cloud_usd",
            "#local_units",
            "#local_upfront_usd",
            "#local_running_usd",
            "#position_usd",
            "#discounted_position_usd",
        ]);
        for m in &self.result.cash_flow {
            let n = |v: f64| Cell::Number(v, String::new());
            table.row([
                m.cloud.clone().into(),
                m.local.clone().into(),
                n(f64::from(m.month)),
                m.date.clone().into(),
                n(m.requests),
                n(m.cloud_usd),
                n(f64::from(m.local_units)),
                n(m.local_upfront_usd),
                n(m.local_running_usd),
                n(m.position_usd),
                n(m.discounted_position_usd),
            ]);
        }
        table.to_csv()
    }

    fn input_table(&self) -> Table {
        let mut table = Table::new(&["input", "#value", "unit", "from"]);
        for (name, input) in &self.inputs {
            let value = match &input.value {
                serde_json::Value::Number(n) => {
                    let v = n.as_f64().unwrap_or(0.0);
                    Cell::Number(v, plain(v))
                }
                serde_json::Value::Object(range) => {
                    let part = |k: &str| {
                        range.get(k).and_then(serde_json::Value::as_f64).map(plain).unwrap_or_default()
                    };
                    Cell::Text(format!("{} ({} to {})", part("likely"), part("low"), part("high")))
                }
                serde_json::Value::String(text) => Cell::Text(text.clone()),
                serde_json::Value::Bool(on) => Cell::Text(if *on { "yes" } else { "no" }.to_owned()),
                serde_json::Value::Array(items) => Cell::Text(format!("{} numbers", items.len())),
                serde_json::Value::Null => Cell::None,
            };
            table.row([
                name.clone().into(),
                value,
                input.unit.clone().unwrap_or_default().into(),
                source_words(&input.source).into(),
            ]);
        }
        table
    }
}

/// A number with as many digits as it needs.
fn plain(value: f64) -> String {
    if value.abs() >= 1000.0 && value.fract() == 0.0 {
        grouped(value, 0)
    } else {
        format!("{}", (value * 1e6).round() / 1e6)
    }
}

fn conventions(r: &BreakevenResult) -> String {
    let mut text = format!(
        "Conventions: {} hours a month; {} months from {}; purchases are paid at the beginning of a month, everything else over it; amounts before tax.",
        plain(r.hours_per_month),
        r.horizon_months,
        r.start
    );
    if let Some(day) = &r.oldest_price {
        text.push_str(&format!(" Oldest price used: {day}."));
    }
    if r.currency != "USD" {
        text.push_str(&format!(" {} {} for one USD.", r.usd_rate, r.currency));
    }
    text
}

fn usd(money: Money<'_>, value: f64) -> Cell {
    Cell::Number(value, money.show(value))
}

fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
    value.map_or(Cell::None, |v| Cell::Number(v, show(v)))
}

fn label(comparator: Comparator, name: &str) -> String {
    match comparator {
        Comparator::Asked => name.to_owned(),
        Comparator::SameModel => format!("{name} (same model, by the token)"),
        Comparator::RentedGpu => format!("{name} (same GPU, rented)"),
    }
}

fn comparisons(r: &BreakevenResult) -> Table {
    let money = Money::of_result(r);
    let total = format!("#total, {} months", r.horizon_months);
    let mut table = Table::new(&[
        "",
        "#payback",
        "#discounted",
        &total,
        "#saving",
        "#present value",
        "#break-even volume",
        "#break-even price",
    ]);
    table.columns[3].name = format!("cloud / local, {} months", r.horizon_months);
    for c in &r.comparisons {
        let when =
            |m: Option<f64>| m.map_or_else(|| Cell::Text("never".to_owned()), |m| Cell::Number(m, months(m)));
        let volume = match (c.breakeven_requests_per_month, c.breakeven_tokens_per_month) {
            (Some(requests), _) => Cell::Number(requests, format!("{} requests", count(requests))),
            (None, tokens) => maybe(tokens, |t| format!("{} tokens", count(t))),
        };
        table.row([
            format!("{} against {}", c.local, label(c.comparator, &c.cloud)).into(),
            when(c.payback_months),
            when(c.discounted_payback_months),
            Cell::Text(format!("{} / {}", money.show(c.tco_cloud_usd), money.show(c.tco_local_usd))),
            usd(money, c.saving_usd),
            usd(money, c.npv_saving_usd),
            volume,
            maybe(c.breakeven_blended_usd_per_mtok, |p| format!("{}/Mtok", money.show(p))),
        ]);
    }
    table
}

fn locals(r: &BreakevenResult) -> Table {
    let money = Money::of_result(r);
    let mut table = Table::new(&[
        "",
        "#units",
        "#to buy",
        "#per month",
        "of which",
        "#busy",
        "#per Mtok in",
        "#per Mtok out",
        "#per Mtok",
    ]);
    for l in &r.local {
        let parts: Vec<String> = l
            .monthly_parts_usd
            .iter()
            .filter(|(_, v)| **v != 0.0)
            .map(|(name, v)| format!("{name} {}", money.show(*v)))
            .collect();
        let units = if l.units_at_horizon == l.units {
            l.units.to_string()
        } else {
            format!("{} to {}", l.units, l.units_at_horizon)
        };
        table.row([
            label(l.comparator, &format!("{} ({})", l.name, l.kind)).into(),
            Cell::Number(f64::from(l.units), units),
            usd(money, l.capex_usd),
            usd(money, l.monthly_usd),
            parts.join(", ").into(),
            maybe(l.utilisation, |u| format!("{:.1} %", u * 100.0)),
            maybe(l.usd_per_mtok_input, |p| money.show(p)),
            maybe(l.usd_per_mtok_output, |p| money.show(p)),
            maybe(l.usd_per_mtok_blended, |p| money.show(p)),
        ]);
    }
    table
}

fn clouds(r: &BreakevenResult) -> Table {
    let money = Money::of_result(r);
    let mut table =
        Table::new(&["", "#per month", "#per request", "#per Mtok in", "#per Mtok out", "#per Mtok"]);
    for c in &r.cloud {
        table.row([
            label(c.comparator, &c.name).into(),
            usd(money, c.monthly_usd),
            maybe(c.usd_per_request, |p| money.show(p)),
            maybe(c.usd_per_mtok_input, |p| money.show(p)),
            maybe(c.usd_per_mtok_output, |p| money.show(p)),
            maybe(c.usd_per_mtok_blended, |p| money.show(p)),
        ]);
    }
    table
}
