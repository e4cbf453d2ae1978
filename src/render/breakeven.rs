//! The view of a breakeven document.

mod explain;
mod today;

pub use explain::{explain, explainable};

use super::chart::Chart;
use super::charts::cost as charts;
use super::names;
use super::view::{Block, Cell, Table, View};
use crate::cost::ranking::{RATED_SHOWN, UNRATED_SHOWN};
use crate::document::breakeven::convert::source_words;
use crate::document::breakeven::text::{by_rating, count, months};
use crate::document::breakeven::{
    BreakevenDocument, BreakevenResult, CloudOffer, Comparator, Comparison, LocalOffer,
};
use crate::document::envelope::Input;
use crate::money::Currency;
use crate::number::grouped;
use crate::provenance::{Source, UserInput};
use std::collections::BTreeMap;
use std::fmt::Write as _;

impl BreakevenDocument {
    /// The full view, for pages: every input has a row.
    pub fn view(&self) -> View {
        let mut view = self.answers(charts::all(self));
        let (table, nothing) = self.input_table();
        view.heading("Inputs").push(Block::Table(table));
        if !nothing.is_empty() {
            view.paragraph(format!("Taken as nothing, by default: {}.", nothing.join(", ")));
        }
        view.paragraph(conventions(&self.result));
        view
    }

    /// The short view, for terminals: the inputs are a few lines, grouped by source.
    pub fn brief(&self) -> View {
        let mut view = self.answers(charts::over_time(&self.result).into_iter().collect());
        view.heading("Inputs").push(Block::List(self.input_lines()));
        view.paragraph(conventions(&self.result));
        view
    }

    fn answers(&self, charts: Vec<Chart>) -> View {
        let r = &self.result;
        let mut view = View::new("What it costs: local against cloud");
        if let Some(today) = &r.today {
            today::show(today, &r.money(), &mut view);
            view.heading("What was compared");
        }
        view.push(Block::List(r.summary.clone()));
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view.charts(charts);
        if r.ranking {
            ranking(r, &mut view);
        } else {
            view.heading("Offers").push(Block::List(offer_names(r)));
            view.push(Block::Table(offers(r)));
            if let Some(text) = successful(r) {
                view.paragraph(text);
            }
            if r.local.iter().any(|l| l.monthly_usd != 0.0 || l.amortised_usd_per_month != 0.0) {
                view.push(Block::Table(monthly(r)));
            }
            view.heading("Comparisons").push(Block::Table(comparisons(r)));
            view.push(Block::Table(break_even(r)));
            if let Some(table) = hybrid(r) {
                view.heading("Both at once").push(Block::Table(table));
            }
            uncertainty(r, &mut view);
            turning(r, &mut view);
        }
        view
    }

    /// The cash flow month by month as CSV; of a ranking its rows.
    pub fn csv(&self) -> String {
        if self.result.ranking {
            return ranking_csv(&self.result);
        }
        let money = self.result.money();
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
            let usd = |v: f64| n(money.convert(v));
            table.row([
                m.cloud.clone().into(),
                m.local.clone().into(),
                n(f64::from(m.month)),
                m.date.clone().into(),
                n(m.requests),
                usd(m.cloud_usd),
                n(f64::from(m.local_units)),
                usd(m.local_upfront_usd),
                usd(m.local_running_usd),
                usd(m.position_usd),
                usd(m.discounted_position_usd),
            ]);
        }
        in_currency(&money, table).to_csv()
    }

    /// The inputs as `examples/chatbot.toml: need.input_tokens 1,800; ...`, one line per source, the user's
    /// first.
    fn input_lines(&self) -> Vec<String> {
        let mut lines: BTreeMap<(u8, String), Vec<(&str, String)>> = BTreeMap::new();
        let mut nothing = Vec::new();
        for (name, input) in &self.inputs {
            // Comparators repeat the inputs of what was asked for, except for their price.
            let added = name.starts_with("comparator.");
            let origin = match &input.source {
                Source::User(how) if !added => (0, format!("Given ({})", place_of(how))),
                Source::Measured { file, .. } => (1, format!("Measured ({file})")),
                Source::Database { entry, as_of, .. } => (2, format!("Catalogue ({entry}, {as_of})")),
                Source::Assumed { .. } if !added && input.value.as_f64() == Some(0.0) => {
                    nothing.push((name.as_str(), String::new()));
                    continue;
                }
                Source::Assumed { .. } if !added => (3, "Assumed (why: --explain NAME)".to_owned()),
                Source::User(_) | Source::Assumed { .. } => continue,
            };
            // The unit is part of the name.
            let value = match shown(input, "") {
                Cell::Number(_, text) | Cell::Text(text) => text,
                Cell::None => continue,
            };
            lines.entry(origin).or_default().push((name, value));
        }
        let mut lines: Vec<String> = lines
            .into_iter()
            .map(|((_, origin), inputs)| format!("{origin}: {}.", by_table(&inputs)))
            .collect();
        if !nothing.is_empty() {
            lines.push(format!("Taken as nothing, by default: {}.", by_table(&nothing)));
        }
        lines
    }

    /// The inputs that matter, and the names of those that are assumed to be 0.
    fn input_table(&self) -> (Table, Vec<String>) {
        let mut table = Table::new(&["input", "#value", "from"]);
        let mut nothing = Vec::new();
        for (name, input) in &self.inputs {
            let assumed = matches!(input.source, Source::Assumed { .. });
            // Comparators repeat the defaults of what was asked for.
            if assumed && name.starts_with("comparator.") {
                continue;
            }
            if assumed && input.value.as_f64() == Some(0.0) {
                nothing.push(name.clone());
                continue;
            }
            let unit = input.unit.as_deref().unwrap_or("");
            table.row([name.clone().into(), shown(input, unit), source_words(&input.source).into()]);
        }
        (table, nothing)
    }
}

/// Inputs grouped by table: `cloud.model a; local.hardware b, units 1`.
fn by_table(inputs: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut last = "";
    for (name, value) in inputs {
        let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
        let name = if table == last { key } else { name };
        let before = if text.is_empty() {
            ""
        } else if table == last {
            ", "
        } else {
            "; "
        };
        let space = if value.is_empty() { "" } else { " " };
        let _ = write!(text, "{before}{name}{space}{value}");
        last = table;
    }
    text
}

/// Where the user gave a value: a file, `flags` or `answers`.
fn place_of(how: &UserInput) -> &str {
    match how {
        UserInput::Flag { .. } => "flags",
        UserInput::Question { .. } => "answers",
        UserInput::File { file, .. } => file,
        UserInput::Words { via } => via,
    }
}

fn shown(input: &Input, unit: &str) -> Cell {
    let with_unit = |text: String| {
        let text = if unit.is_empty() || unit == "x" { text } else { format!("{text} {unit}") };
        text.trim_end().to_owned()
    };
    match &input.value {
        serde_json::Value::Number(n) => {
            let v = n.as_f64().unwrap_or(0.0);
            Cell::Number(v, with_unit(plain(v)))
        }
        serde_json::Value::Object(range) => {
            let part =
                |k: &str| range.get(k).and_then(serde_json::Value::as_f64).map(plain).unwrap_or_default();
            Cell::Text(with_unit(format!("{} ({} to {})", part("likely"), part("low"), part("high"))))
        }
        serde_json::Value::String(text) => Cell::Text(text.clone()),
        serde_json::Value::Bool(on) => Cell::Text(if *on { "yes" } else { "no" }.to_owned()),
        serde_json::Value::Array(items) => Cell::Text(list(items)),
        serde_json::Value::Null => Cell::None,
    }
}

/// A list in a cell: its texts, or how many items of which kind it has.
pub(super) fn list(items: &[serde_json::Value]) -> String {
    let texts: Option<Vec<&str>> = items.iter().map(serde_json::Value::as_str).collect();
    if let Some(texts) = texts {
        return texts.join(", ");
    }
    let what = if items.iter().all(serde_json::Value::is_number) { "number" } else { "entr" };
    let end = match (what, items.len()) {
        ("number", 1) => "",
        ("number", _) => "s",
        (_, 1) => "y",
        _ => "ies",
    };
    format!("{} {what}{end}", items.len())
}

/// A number with as many digits as it needs.
pub(super) fn plain(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 {
        grouped(value, usize::from(value.fract() != 0.0 && size < 10_000.0))
    } else if size >= 10.0 {
        format!("{}", (value * 100.0).round() / 100.0)
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
        let _ = write!(text, " Oldest price used: {day}.");
    }
    if r.currency != "USD" {
        let _ = write!(text, " {} {} for one USD.", plain(r.usd_rate), r.currency);
    }
    text
}

fn usd(money: &Currency, value: f64) -> Cell {
    Cell::Number(value, money.show(value))
}

fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
    value.map_or(Cell::None, |v| Cell::Number(v, show(v)))
}

fn added(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::Asked => "",
        Comparator::SameModel => ", the same model by the token",
        Comparator::RentedGpu => ", the same GPU by the hour",
        Comparator::AsCapable => ", the cheapest other API of the same tier or a better one",
    }
}

fn offer_names(r: &BreakevenResult) -> Vec<String> {
    let cloud = r.cloud.iter().map(|c| {
        let kind = if c.billed_hours_per_month.is_some() { "rented by the hour" } else { "API" };
        format!("{} ({kind}{})", c.name, added(c.comparator))
    });
    cloud.chain(r.local.iter().map(describe)).collect()
}

/// Cost of a request whose answer passes, where quality was measured on both sides of a comparison.
fn successful(r: &BreakevenResult) -> Option<String> {
    let money = &r.money();
    let cloud = r.cloud.iter().map(|c| (&c.name, c.pass_rate, c.usd_per_successful_request));
    let local = r.local.iter().map(|l| (&l.name, l.pass_rate, l.usd_per_successful_request));
    let said: Vec<String> = cloud
        .chain(local)
        .filter_map(|(name, rate, usd)| {
            Some(format!("{name} {} ({:.0} % pass)", money.show(usd?), rate? * 100.0))
        })
        .collect();
    (!said.is_empty()).then(|| {
        format!(
            "A request whose answer passes on your prompts costs: {}. Failed answers are paid for, too.",
            said.join(", ")
        )
    })
}

fn offers(r: &BreakevenResult) -> Table {
    let money = &r.money();
    let total = format!("#{} months", r.horizon_months);
    // What the API is paid until hardware works is a column where there is such a time.
    let waits = r.local.iter().any(|l| r.meanwhile_usd(l) != 0.0);
    let mut columns = vec!["!offer", "#to buy", "#a month"];
    columns.extend(waits.then_some("#API until it works"));
    columns.extend([total.as_str(), "#per Mtok in", "#out", "#both"]);
    let mut table = Table::new(&columns);
    let price = |p: Option<f64>| maybe(p, |p| money.show(p));
    let mut row = |first: [Cell; 3], meanwhile: Cell, rest: [Cell; 4]| {
        table.row_of(first.into_iter().chain(waits.then_some(meanwhile)).chain(rest).collect());
    };
    for c in &r.cloud {
        let first = [c.name.clone().into(), Cell::None, usd(money, c.monthly_usd)];
        let rest = [
            usd(money, c.tco_usd),
            price(c.usd_per_mtok_input),
            price(c.usd_per_mtok_output),
            price(c.usd_per_mtok_blended),
        ];
        row(first, Cell::None, rest);
    }
    for l in &r.local {
        let bought = if l.capex_usd == 0.0 { Cell::None } else { usd(money, l.capex_usd) };
        let first = [l.name.clone().into(), bought, usd(money, l.monthly_usd)];
        let meanwhile = Some(r.meanwhile_usd(l)).filter(|paid| *paid != 0.0);
        let rest = [
            usd(money, r.total_usd(l)),
            price(l.usd_per_mtok_input),
            price(l.usd_per_mtok_output),
            price(l.usd_per_mtok_blended),
        ];
        row(first, meanwhile.map_or(Cell::None, |paid| usd(money, paid)), rest);
    }
    table
}

/// The view of a ranking: the cheapest of each side, and the winners.
pub(super) fn ranking(r: &BreakevenResult, view: &mut View) {
    let money = &r.money();
    let total = format!("#{} months", r.horizon_months);
    let mut local: Vec<&LocalOffer> = r.local.iter().collect();
    local.sort_by(|a, b| r.total_usd(a).total_cmp(&r.total_usd(b)));
    let mut table = Table::new(&["hardware", "#units", "#to buy", "#a month", &total]);
    for l in local.iter().take(10) {
        table.row([
            format!("{} ({})", l.name, l.kind).into(),
            Cell::Number(f64::from(l.units), l.units.to_string()),
            if l.capex_usd == 0.0 { Cell::None } else { usd(money, l.capex_usd) },
            usd(money, l.monthly_usd),
            usd(money, r.total_usd(l)),
        ]);
    }
    view.heading("Cheapest hardware").push(Block::Table(table));
    let (rated, unrated) = by_rating(r);
    let mut caption = format!(
        "The {} cheapest of {} API models, each against the hardware that saves most; of {} pairs --json has each offer once, --every-pair all.",
        RATED_SHOWN.min(rated.len()),
        rated.len(),
        grouped(r.pairs as f64, 0)
    );
    if let Some(draws) = r.draws {
        let _ = write!(
            caption,
            " Odds: the share of {} draws of every range in which the hardware costs less.",
            grouped(f64::from(draws), 0)
        );
    }
    if !rated.is_empty() {
        let table = winners(r, &rated[..RATED_SHOWN.min(rated.len())]).caption(caption);
        view.heading("Who wins").push(Block::Table(table));
    }
    if !unrated.is_empty() {
        let caption = format!(
            "The {} cheapest of {} API models without a rating: they may be less capable than the need. Their rows in --json come last.",
            UNRATED_SHOWN.min(unrated.len()),
            unrated.len()
        );
        let table = winners(r, &unrated[..UNRATED_SHOWN.min(unrated.len())]).caption(caption);
        view.heading("Not rated").push(Block::Table(table));
    }
}

/// API models, each with the hardware that saves most against it.
fn winners(r: &BreakevenResult, cloud: &[&CloudOffer]) -> Table {
    let money = &r.money();
    let total = format!("#{} months", r.horizon_months);
    let mut table = Table::new(&[
        "API model",
        "#tier",
        &total,
        "hardware that saves most",
        "#payback",
        "#saved",
        "#odds",
    ]);
    let mut best: BTreeMap<&str, &Comparison> = BTreeMap::new();
    for row in &r.comparisons {
        let best = best.entry(&row.cloud).or_insert(row);
        if row.saving_usd > best.saving_usd {
            *best = row;
        }
    }
    for c in cloud {
        let Some(best) = best.get(c.name.as_str()) else { continue };
        table.row([
            c.name.clone().into(),
            maybe(c.tier.map(f64::from), |t| format!("{t}")),
            usd(money, c.tco_usd),
            best.local.clone().into(),
            best.payback_months
                .map_or_else(|| Cell::Text("never".to_owned()), |m| Cell::Number(m, months(m))),
            usd(money, best.saving_usd),
            maybe(best.probability_local_cheaper, |p| format!("{:.0} %", p * 100.0)),
        ]);
    }
    table
}

/// Replaces the currency in the names of columns.
fn in_currency(money: &Currency, mut table: Table) -> Table {
    for column in &mut table.columns {
        if column.name.ends_with("_usd") {
            column.name = money.named(&column.name);
        }
    }
    table
}

fn ranking_csv(r: &BreakevenResult) -> String {
    let mut table = Table::new(&[
        "cloud",
        "local",
        "#payback_months",
        "#tco_cloud_usd",
        "#tco_local_usd",
        "#saving_usd",
        "#npv_saving_usd",
        "#probability_local_cheaper",
        "never_reason",
    ]);
    let money = r.money();
    for c in &r.comparisons {
        let n = |v: Option<f64>| maybe(v, |_| String::new());
        let usd = |v: f64| n(Some(money.convert(v)));
        table.row([
            c.cloud.clone().into(),
            c.local.clone().into(),
            n(c.payback_months),
            usd(c.tco_cloud_usd),
            usd(c.tco_local_usd),
            usd(c.saving_usd),
            usd(c.npv_saving_usd),
            n(c.probability_local_cheaper),
            c.never_reason.clone().into(),
        ]);
    }
    in_currency(&money, table).to_csv()
}

fn describe(l: &LocalOffer) -> String {
    let mut text = format!("{} ({}{}; {}", l.name, l.kind, added(l.comparator), l.units);
    if l.units_at_horizon != l.units {
        let _ = write!(text, " to {}", l.units_at_horizon);
    }
    text.push_str(if l.units == 1 && l.units_at_horizon == 1 { " unit" } else { " units" });
    if let Some(u) = l.utilisation {
        let _ = write!(text, ", {:.1} % busy", u * 100.0);
    }
    text.push(')');
    text
}

/// The parts of the monthly cost of local offers.
fn monthly(r: &BreakevenResult) -> Table {
    let money = &r.money();
    let names: Vec<String> = r.local.iter().map(|l| format!("#{}", l.name)).collect();
    let mut columns = vec!["a month, running"];
    columns.extend(names.iter().map(String::as_str));
    let mut table = Table::new(&columns);
    let mut parts: Vec<&String> = r.local.iter().flat_map(|l| l.monthly_parts_usd.keys()).collect();
    parts.sort();
    parts.dedup();
    for part in parts {
        let cells = r.local.iter().map(|l| maybe(l.monthly_parts_usd.get(part).copied(), |v| money.show(v)));
        table.rows.push(std::iter::once(Cell::Text(part.clone())).chain(cells).collect());
    }
    let purchase = r
        .local
        .iter()
        // The loan pays for the purchase, so that there is no amortisation beside it.
        .map(|l| {
            let own = Some(l.amortised_usd_per_month).filter(|a| *a > 0.0 && l.kind != "financed");
            maybe(own, |v| money.show(v))
        });
    table.rows.push(std::iter::once(Cell::from("purchase, per month of life")).chain(purchase).collect());
    table
}

/// `LOCAL instead of CLOUD`, by name; a star marks a note on quality.
fn pair(c: &Comparison) -> String {
    let star = if c.quality_note.is_some() { "*" } else { "" };
    format!("{} instead of {}{star}", c.local, c.cloud)
}

fn comparisons(r: &BreakevenResult) -> Table {
    let money = &r.money();
    let saved = format!("#saved in {} months", r.horizon_months);
    let mut table = Table::new(&["", "#payback, months", "#discounted", &saved, "#present value"]);
    let when = |m: Option<f64>| {
        m.map_or_else(|| Cell::Text("never".to_owned()), |m| Cell::Number(m, format!("{m:.1}")))
    };
    for c in &r.comparisons {
        table.row([
            pair(c).into(),
            when(c.payback_months),
            when(c.discounted_payback_months),
            usd(money, c.saving_usd),
            usd(money, c.npv_saving_usd),
        ]);
    }
    if r.comparisons.iter().any(|c| c.quality_note.is_some()) {
        table.caption = Some("* the models differ in capability, or one is not rated: see above.".to_owned());
    }
    table
}

/// The break-even points of each comparison.
fn break_even(r: &BreakevenResult) -> Table {
    let money = &r.money();
    let by_request = r.comparisons.iter().any(|c| c.breakeven_requests_per_month.is_some());
    let volume = if by_request { "#requests a month" } else { "#tokens a month" };
    let mut table = Table::new(&["break-even", volume, "#hardware busy", "#API price per Mtok"]);
    for c in &r.comparisons {
        let at = if by_request { c.breakeven_requests_per_month } else { c.breakeven_tokens_per_month };
        table.row([
            pair(c).into(),
            maybe(at, count),
            maybe(c.breakeven_utilisation, |u| format!("{:.1} %", u * 100.0)),
            maybe(c.breakeven_blended_usd_per_mtok, |p| money.show(p)),
        ]);
    }
    table
}

fn hybrid(r: &BreakevenResult) -> Option<Table> {
    let h = r.hybrid.as_ref()?;
    let money = &r.money();
    let total = format!("#{} months", r.horizon_months);
    let mut table = Table::new(&["", "#units", "#served locally", &total]);
    let head = r.comparisons.first()?;
    let percent = |share: f64| Cell::Number(share, format!("{:.0} %", share * 100.0));
    let none = || Cell::Number(0.0, "0".to_owned());
    let units = |n: u32| Cell::Number(f64::from(n), n.to_string());
    table.row(["cloud only".into(), none(), percent(0.0), usd(money, head.tco_cloud_usd)]);
    if let Some(x) = &h.routed {
        let label = format!("routed, {:.0} % of it escalated", x.escalation_share * 100.0);
        table.row([label.into(), units(x.units), percent(x.local_share), usd(money, x.tco_usd)]);
    }
    if let Some(o) = &h.overflow {
        let best = o.options.iter().find(|t| t.units == o.best_units)?;
        table.row([
            "base load local, overflow to the cloud".into(),
            units(o.best_units),
            percent(best.local_share),
            usd(money, o.tco_usd),
        ]);
    }
    let own = r.local.iter().find(|l| l.name == h.local).map_or(0, |l| l.units);
    table.row(["local only".into(), units(own), percent(1.0), usd(money, head.tco_local_usd)]);
    Some(table.caption(format!("Cheapest: {}.", h.cheapest)))
}

/// The most turning points that are listed.
const TURNS: usize = 6;

/// The values of inputs at which the other side costs less.
fn turning(r: &BreakevenResult, view: &mut View) {
    let Some(head) = r.comparisons.first() else { return };
    let lines = turning_lines(r);
    let (loses, wins) =
        if head.saving_usd > 0.0 { (&head.cloud, &head.local) } else { (&head.local, &head.cloud) };
    if !lines.is_empty() {
        view.heading("What would have to be true");
        view.paragraph(format!(
            "For {loses} to cost less than {wins} over {} months, one of these, all else as it is:",
            r.horizon_months
        ));
        view.push(Block::List(lines));
    }
}

/// The values of inputs at which the other side of the headline costs less, one per line.
pub(super) fn turning_lines(r: &BreakevenResult) -> Vec<String> {
    let (Some(head), Some(u)) = (r.comparisons.first(), &r.uncertainty) else { return Vec::new() };
    let money = r.money();
    let mut lines = Vec::new();
    let local_wins = head.saving_usd > 0.0;
    if let (Some(at), Some(now)) = (head.breakeven_requests_per_month, r.requests_per_month) {
        let side = if at < now { "fewer" } else { "more" };
        lines.push(format!(
            "{} requests a month or {side} instead of {}",
            grouped(if at < now { at.floor() } else { at.ceil() }, 0),
            grouped(now, 0)
        ));
    }
    let price = r.cloud.iter().find(|c| c.name == head.cloud).and_then(|c| c.usd_per_mtok_blended);
    if let (Some(at), Some(now)) = (head.breakeven_blended_usd_per_mtok, price) {
        let side = if local_wins { "less" } else { "more" };
        lines.push(format!(
            "{} charges {} a million tokens, input and output together, or {side} instead of {}",
            head.cloud,
            money.show(at),
            money.show(now)
        ));
    }
    for turn in u.turning_points.iter().take(TURNS) {
        let value = |v: f64| names::in_unit(v, &turn.unit, &money);
        let side = if turn.value > turn.likely { "more" } else { "less" };
        let range = match (turn.high > turn.low, turn.in_range) {
            (true, true) => {
                format!(", within the range that was taken ({} to {})", value(turn.low), value(turn.high))
            }
            (true, false) => {
                format!(", outside the range that was taken ({} to {})", value(turn.low), value(turn.high))
            }
            (false, _) => String::new(),
        };
        lines.push(format!(
            "{}: {} or {side} instead of {}{range} [{}]",
            names::of_input_and_side(&turn.input),
            value(turn.value),
            value(turn.likely),
            turn.input
        ));
    }
    lines
}

fn uncertainty(r: &BreakevenResult, view: &mut View) {
    let Some(u) = &r.uncertainty else { return };
    let money = &r.money();
    if u.tornado.is_empty() {
        return;
    }
    view.heading("What matters most");
    if let Some(p) = u.probability_local_cheaper {
        let when = |m: Option<f64>| m.map_or_else(|| "never".to_owned(), months);
        view.paragraph(format!(
            "Local costs less over {} months in {:.1} % of {} draws. Payback: {} (one draw in ten), {} (half), {} (nine in ten).",
            r.horizon_months,
            p * 100.0,
            grouped(f64::from(u.draws), 0),
            when(u.payback_p10),
            when(u.payback_p50),
            when(u.payback_p90)
        ));
    }
    let mut table = Table::new(&["input", "low", "high", "#saved at low", "#saved at high"]);
    for bar in u.tornado.iter().take(8) {
        // Inputs in dollars are shown in the report's currency.
        let shown = |v: f64| if bar.input.contains("usd") { money.show(v) } else { plain(v) };
        table.row([
            bar.input.clone().into(),
            shown(bar.low).into(),
            shown(bar.high).into(),
            usd(money, bar.saving_at_low_usd),
            usd(money, bar.saving_at_high_usd),
        ]);
    }
    let assumed = u.tornado.iter().any(|b| b.assumed);
    table.caption = Some(format!(
        "{} instead of {}, one input at a time{}:",
        u.local,
        u.cloud,
        if assumed {
            ", a fifth down and up where it has no range"
        } else {
            ", from the low to the high end of its range"
        }
    ));
    view.push(Block::Table(table));
}
