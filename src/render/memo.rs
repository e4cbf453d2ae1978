//! The memo: several documents on one page, for whoever has to agree. The need, the verdict and
//! why, what was measured, what it costs, what would change it, on what it rests, how to repeat it.

use super::bench::summary_cell;
use super::view::{Block, Cell, Table, View};
use crate::document::advice::AdviceDocument;
use crate::document::bench::{BenchDocument, Kind, Target};
use crate::document::breakeven::BreakevenDocument;
use crate::document::joined::Difference;
use crate::document::metrics::{PER_REQUEST, Shown};
use crate::document::{Document, Input, Warning, repeat};
use crate::money::Currency;
use crate::number;

/// A document and the file it was read from.
pub type Named = (String, Document);

/// The page. `differences`: where its documents are not of one case, which it says before all else that
/// one should know.
pub fn memo(documents: &[Named], differences: &[Difference]) -> View {
    let mut view = View::new("Cloud or local: the decision");
    let advice: Vec<(&str, &AdviceDocument)> = documents
        .iter()
        .filter_map(|(f, d)| if let Document::Advice(d) = d { Some((f.as_str(), d.as_ref())) } else { None })
        .collect();
    let bench: Vec<(&str, &BenchDocument)> = documents
        .iter()
        .filter_map(|(f, d)| if let Document::Bench(d) = d { Some((f.as_str(), d.as_ref())) } else { None })
        .collect();
    let cost: Vec<(&str, &BreakevenDocument)> = documents
        .iter()
        .filter_map(
            |(f, d)| if let Document::Breakeven(d) = d { Some((f.as_str(), d.as_ref())) } else { None },
        )
        .collect();
    for (_, advice) in &advice {
        verdict(&mut view, advice);
    }
    if advice.is_empty() {
        view.paragraph("No advice document is among the files, so this page gives numbers and no verdict.");
    }
    need(&mut view, documents);
    for (file, bench) in &bench {
        measured(&mut view, file, bench);
    }
    for (file, cost) in &cost {
        costs(&mut view, file, cost);
    }
    for (_, advice) in &advice {
        advice.flips(&mut view);
    }
    for (file, document) in documents {
        if matches!(document, Document::Fit(_) | Document::Doctor(_) | Document::Usage(_)) {
            beside(&mut view, file, &document.view());
        }
    }
    warnings(&mut view, documents, differences);
    assumptions(&mut view, documents);
    repetition(&mut view, documents);
    view
}

/// A document that stands by itself: what fits and how fast, what the machine is. Its warnings stand
/// with all others.
fn beside(view: &mut View, file: &str, document: &View) {
    view.heading(format!("{} ({file})", document.title));
    let own = document.blocks.iter().filter(|b| !matches!(b, Block::Warnings(_)));
    view.blocks.extend(own.cloned());
}

fn verdict(view: &mut View, advice: &AdviceDocument) {
    view.heading("Verdict");
    view.paragraph(advice.headline());
    advice.replaced(view);
    let result = &advice.result;
    view.push(Block::List(result.reasons.iter().map(|r| format!("For: {}", r.text)).collect()));
    if !result.against.is_empty() {
        view.push(Block::List(result.against.iter().map(|r| format!("Against: {}", r.text)).collect()));
    }
    for note in result.quality.iter().map(|q| &q.text).chain(result.cost.iter().map(|c| &c.text)) {
        if result.reasons.iter().chain(&result.against).all(|r| r.text != *note) {
            view.paragraph(note.clone());
        }
    }
}

/// The answers and the request, whichever document has them.
fn need(view: &mut View, documents: &[Named]) {
    let wanted = [
        "privacy",
        "privacy_reason",
        "volume",
        "capability",
        "operations",
        "budget",
        "need.requests_per_month",
        "need.input_tokens",
        "need.cached_input_share",
        "need.output_tokens",
        "need.reasoning_tokens",
        "need.horizon_months",
    ];
    let mut table = Table::new(&["need", "value", "from"]);
    let mut seen = std::collections::BTreeSet::new();
    let mut add = |shown: &str, input: &Input, counts_as: Option<&str>| {
        let value =
            counts_as.map_or_else(|| input.shown(), |used| format!("{} (counts as {used})", input.shown()));
        let row = (shown.to_owned(), value);
        if seen.insert(row.clone()) {
            table.row([row.0.into(), row.1.into(), input.source.describe().into()]);
        }
    };
    for name in wanted {
        for (_, document) in documents {
            if let Some(input) = document.inputs().get(name) {
                let counts_as = match document {
                    Document::Advice(advice) => advice.counted_as(name),
                    _ => None,
                };
                add(name.trim_start_matches("need."), input, counts_as);
            }
        }
    }
    for (_, document) in documents {
        for (name, input) in document.inputs() {
            if let Some(modifier) = name.strip_prefix("modifiers.") {
                add(modifier, input, None);
            }
        }
    }
    if !table.rows.is_empty() {
        view.heading("The need");
        view.push(Block::Table(table));
    }
}

/// One row per target: few columns, so that it fits a page.
fn measured(view: &mut View, file: &str, bench: &BenchDocument) {
    view.heading("What was measured");
    if bench.result.targets.iter().any(|t| t.stand_in) {
        view.push(Block::Warnings(vec![Warning::new(
            "stand-in",
            "STAND-IN for a cloud API: a server on this machine was measured in its place. Its speed, price and \
             answers say nothing about any provider.",
        )]));
    }
    for targets in bench.result.targets.chunks(3) {
        view.push(Block::Table(targets_table(targets)));
    }
    view.paragraph(format!(
        "Medians with their 95 % intervals, of {} ({}).{}",
        file,
        bench.created,
        if bench.result.complete { "" } else { " INTERRUPTED: a part of the planned requests is missing." }
    ));
    for q in &bench.result.quality {
        let decided = match q.non_inferior {
            Some(true) => "the local model is not worse by more than the margin".to_owned(),
            Some(false) => "the local model is worse by more than the margin".to_owned(),
            None => q.prompts_needed.map_or_else(
                || "that cannot be decided with so few".to_owned(),
                |n| format!("that cannot be decided with so few; about {n} are needed"),
            ),
        };
        view.paragraph(format!(
            "Quality of {} against {} on {} prompts: {} against {} passed; within a margin of {}, {decided}.",
            q.local,
            q.api,
            q.prompts,
            number::percent(q.local_pass_rate),
            number::percent(q.api_pass_rate),
            number::percent(q.margin),
        ));
    }
}

/// Targets beside each other.
fn targets_table(targets: &[Target]) -> Table {
    let mut table = Table::beside(targets.iter().map(|t| t.id.as_str()));
    let mut row = |name: &str, cell: &dyn Fn(&Target) -> Cell| table.property(name, targets.iter().map(cell));
    row("what it is", &|t| what_it_is(t).into());
    row("model", &|t| t.model.as_str().into());
    for metric in PER_REQUEST.iter().filter(|m| m.shown == Shown::Headline) {
        let unit = match metric.metric.unit.symbol() {
            "" | "USD" => String::new(),
            symbol => format!(", {symbol}"),
        };
        let cell = |t: &Target| summary_cell(metric.metric.unit, metric.of(&t.metrics));
        row(&format!("{}{unit}", metric.metric.name), &cell);
    }
    row("passed", &|t| {
        t.pass_rate.map_or(Cell::None, |r| {
            Cell::Number(r.rate, format!("{} of {} ({})", r.passed, r.n, number::percent(r.rate)))
        })
    });
    row("failed", &|t| Cell::Number(f64::from(t.failures), format!("{} of {}", t.failures, t.requests)));
    table
}

fn what_it_is(target: &Target) -> &'static str {
    match (target.kind, target.stand_in) {
        (_, true) => "STAND-IN for a cloud API",
        (Kind::Local, _) => "local",
        (Kind::Api, _) => "API",
    }
}

fn costs(view: &mut View, file: &str, cost: &BreakevenDocument) {
    let result = &cost.result;
    view.heading("What it costs");
    view.push(Block::List(result.summary.clone()));
    let mut table =
        Table::new(&["own", "against", "#payback, months", "#own, total", "#cloud, total", "note"]);
    for c in &result.comparisons {
        let payback = c.payback_months.map_or_else(
            || Cell::Text("never".to_owned()),
            |m| Cell::Number(m, if m == 0.0 { "at once".to_owned() } else { format!("{m:.1}") }),
        );
        let notes: Vec<&str> =
            [c.never_because.as_deref(), c.quality_note.as_deref()].into_iter().flatten().collect();
        table.row([
            c.local.as_str().into(),
            c.cloud.as_str().into(),
            payback,
            Cell::Number(c.tco_local_usd, Currency::usd().show(c.tco_local_usd)),
            Cell::Number(c.tco_cloud_usd, Currency::usd().show(c.tco_cloud_usd)),
            if notes.is_empty() { Cell::None } else { notes.join("; ").into() },
        ]);
    }
    view.push(Block::Table(table));
    view.paragraph(format!("Totals over {} months, of {file} ({}).", result.horizon_months, cost.created));
}

fn warnings(view: &mut View, documents: &[Named], differences: &[Difference]) {
    let differs = |d: &Difference| Warning::new("documents-disagree", d.text.clone()).about(d.about.clone());
    let mut all: Vec<Warning> = differences.iter().map(differs).collect();
    for (file, document) in documents {
        let left: Vec<&Warning> = match document {
            Document::Advice(advice) => advice.warnings_left().collect(),
            _ => document.warnings().iter().collect(),
        };
        for warning in left {
            let known = all.iter().any(|w| w.message.starts_with(&warning.message));
            if !known {
                all.push(Warning { message: format!("{} ({file})", warning.message), ..warning.clone() });
            }
        }
    }
    if !all.is_empty() {
        view.heading("Before you rely on it");
        view.push(Block::Warnings(all));
    }
}

/// Every input with its origin: what nobody gave or measured stands first.
fn assumptions(view: &mut View, documents: &[Named]) {
    let mut rows: Vec<(u8, &str, &Input)> = Vec::new();
    for (_, document) in documents {
        for (name, input) in document.inputs() {
            if !as_elsewhere(document, name, input)
                && rows.iter().all(|(_, n, i)| n != name || i.value != input.value)
            {
                let rank = match input.source.word() {
                    "assumed" => 0,
                    "database" => 1,
                    "measured" => 2,
                    _ => 3,
                };
                rows.push((rank, name, input));
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|(rank, name, _)| (*rank, *name));
    let mut table = Table::new(&["input", "value", "from"]);
    for (_, name, input) in rows {
        table.row([name.into(), input.shown().into(), input.source.describe().into()]);
    }
    view.heading("What it rests on, assumptions first");
    view.push(Block::Table(table));
}

/// A second offer rests on the same assumption as the first: once is enough.
fn as_elsewhere(document: &Document, name: &str, input: &Input) -> bool {
    let Some((_, key)) = name.strip_prefix("comparator.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    ["local", "cloud"].iter().any(|side| document.inputs().get(&format!("{side}.{key}")) == Some(input))
}

fn repetition(view: &mut View, documents: &[Named]) {
    view.heading("How to repeat it");
    let mut lines: Vec<String> = documents
        .iter()
        .map(|(file, d)| {
            // Documents of the first versions do not say for which day prices were taken.
            let day = match d.inputs().get("today") {
                Some(_) => String::new(),
                None => format!(" --today {}", repeat::quoted(d.created().get(..10).unwrap_or_default())),
            };
            format!("{}{day} -o {}", repeat::command(d.kind(), d.inputs()), repeat::quoted(file))
        })
        .collect();
    let files: Vec<String> = documents.iter().map(|(file, _)| repeat::quoted(file)).collect();
    lines.push(format!("freehold report {} --format markdown -o memo.md", files.join(" ")));
    view.push(Block::Code(lines.join("\n")));
    let mut versions: Vec<&str> = documents.iter().map(|(_, d)| d.tool_version()).collect();
    versions.sort_unstable();
    versions.dedup();
    view.paragraph(format!("Made by freehold {}.", versions.join(" and ")));
}
