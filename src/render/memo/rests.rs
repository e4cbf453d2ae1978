//! What the memo is based on: warnings in groups, and inputs by how much they matter.

use super::case::Case;
use crate::document::joined::Difference;
use crate::document::{Document, Input, Warning};
use crate::render::charts;
use crate::render::names;
use crate::render::view::{Block, Cell, Table, View};

/// The most inputs on the page; the others are folded.
const SHOWN: usize = 8;
/// The most subjects that a group of warnings names.
const NAMED: usize = 3;

pub(super) fn warnings(view: &mut View, case: &Case<'_>, differences: &[Difference]) {
    let mut all: Vec<Warning> = differences
        .iter()
        .map(|d| Warning::new("documents-disagree", format!("{}.", d.text)).about(d.about.clone()))
        .collect();
    for (_, document) in case.all {
        match document {
            Document::Advice(advice) => all.extend(advice.warnings_left().cloned()),
            _ => all.extend(document.warnings().iter().cloned()),
        }
    }
    let mut grouped: Vec<(Warning, Vec<String>)> = Vec::new();
    for warning in all {
        if grouped.iter().any(|(first, _)| first.message == warning.message) {
            continue;
        }
        match grouped.iter_mut().find(|(first, _)| {
            first.id == warning.id && warning.id != "documents-disagree" && warning.about.is_some()
        }) {
            // Two documents may say the same of one target, each in its own words.
            Some((first, others)) => {
                let new = warning.about.filter(|about| first.about.as_ref() != Some(about));
                others.extend(new.filter(|about| !others.contains(about)));
            }
            None => grouped.push((warning, Vec::new())),
        }
    }
    if grouped.is_empty() {
        return;
    }
    view.heading("Before you rely on it");
    let lines = grouped.into_iter().map(|(mut first, others)| {
        if !others.is_empty() {
            let named = others.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = others.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            first.message = format!("{} The same holds for {named}{more}.", first.message);
        }
        first
    });
    view.push(Block::Warnings(lines.collect()));
}

/// An input with the cells of its row.
struct Row<'a> {
    name: &'a str,
    input: &'a Input,
    counts_as: Option<String>,
    /// How much the saving changes over the input's range, US dollars.
    swing: f64,
    rank: u8,
}

/// Every input with its source: first those that affect the answer most, then those that nobody gave.
pub(super) fn assumptions(view: &mut View, case: &Case<'_>) {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (_, document) in case.all {
        let bars = match document {
            Document::Breakeven(cost) => {
                cost.result.uncertainty.as_ref().map_or(&[][..], |u| u.tornado.as_slice())
            }
            _ => &[],
        };
        for (name, input) in document.inputs() {
            if nothing(input)
                || as_elsewhere(document, name, input)
                || rows.iter().any(|r| r.name == name && r.input.value == input.value)
            {
                continue;
            }
            let counts_as = match document {
                Document::Advice(advice) => advice.counted_as(name).map(str::to_owned),
                _ => None,
            };
            let rank = match input.source.word() {
                "assumed" => 0,
                "database" => 1,
                "measured" => 2,
                _ => 3,
            };
            let swing = bars.iter().find(|b| b.input == *name).map_or(0.0, |b| b.swing_usd);
            rows.push(Row { name, input, counts_as, swing, rank });
        }
    }
    if rows.is_empty() {
        return;
    }
    rows.sort_by(|a, b| b.swing.total_cmp(&a.swing).then(a.rank.cmp(&b.rank)).then(a.name.cmp(b.name)));
    let heavy = rows.iter().filter(|r| r.swing > 0.0).count();
    let shown = SHOWN.max(heavy.min(SHOWN)).min(rows.len());
    let table = |rows: &[Row<'_>]| {
        let weighed = rows.iter().any(|r| r.swing > 0.0);
        let mut columns = vec!["!assumption or input", "value"];
        if weighed {
            columns.push("#moves the saving by");
        }
        columns.push("from");
        let mut table = Table::new(&columns);
        for row in rows {
            let value = names::value(row.input, &case.money);
            let value =
                row.counts_as.as_ref().map_or(value.clone(), |used| format!("{value} (counts as {used})"));
            let mut cells: Vec<Cell> = vec![names::of_input_and_side(row.name).into(), value.into()];
            if weighed {
                let swing = Some(row.swing).filter(|s| *s > 0.0);
                cells.push(
                    swing.map_or(Cell::None, |s| Cell::Number(case.money.convert(s), case.money.show(s))),
                );
            }
            cells.push(row.input.source.describe().into());
            table.row_of(cells);
        }
        Block::Table(table)
    };
    view.heading("What it rests on, by weight");
    for cost in &case.cost {
        view.charts(charts::cost::tornado(cost));
    }
    view.push(table(&rows[..shown]));
    if rows.len() > shown {
        let more = rows.len() - shown;
        let title = if more == 1 { "1 more input".to_owned() } else { format!("{more} more inputs") };
        view.push(Block::More(title, vec![table(&rows[shown..])]));
    }
}

/// Is this a default that adds nothing, or that has no value?
fn nothing(input: &Input) -> bool {
    input.source.word() == "assumed" && (input.value.as_f64() == Some(0.0) || input.value.is_null())
}

/// Does an input of a comparator repeat the assumption of another offer? Then it is listed only once.
fn as_elsewhere(document: &Document, name: &str, input: &Input) -> bool {
    let Some((_, key)) = name.strip_prefix("comparator.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    ["local", "cloud"].iter().any(|side| document.inputs().get(&format!("{side}.{key}")) == Some(input))
}
