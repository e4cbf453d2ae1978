//! Speed and quality, as measured.

use super::case::Case;
use crate::document::Warning;
use crate::document::bench::{BenchDocument, Kind, Target};
use crate::document::metrics::{PER_REQUEST, Shown};
use crate::number;
use crate::render::bench::{in_short, judge_sentence, judges, summary_cell};
use crate::render::charts::measured as charts;
use crate::render::view::{Block, Cell, Table, View};

pub(super) fn section(view: &mut View, case: &Case<'_>) {
    for (n, (file, bench)) in case.bench.iter().enumerate() {
        if n == 0 {
            view.heading("Quality and speed, as measured");
        }
        measured(view, file, bench);
    }
}

/// One row per target, with few columns, so that it fits a page.
fn measured(view: &mut View, file: &str, bench: &BenchDocument) {
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
            number::points(q.margin),
        ));
    }
    for pair in &bench.result.pairs {
        if bench.result.quality.iter().any(|q| q.local == pair.a && q.api == pair.b) {
            in_short(view, pair);
        }
        for judged in &pair.judged {
            view.paragraph(judge_sentence(pair, judged));
        }
    }
    judges(view, &bench.result.judges);
    view.charts(charts::all(bench));
}

/// The targets beside each other.
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
    row("passed", &|t| t.pass_rate.map_or(Cell::None, |r| Cell::Number(r.rate, charts::passed(&r))));
    row("failed", &|t| Cell::Number(f64::from(t.failures), format!("{} of {}", t.failures, t.requests)));
    table
}

fn what_it_is(target: &Target) -> &'static str {
    match (target.kind, target.stand_in) {
        _ if target.recorded_in.is_some() => "recorded answers",
        (_, true) => "STAND-IN for a cloud API",
        (Kind::Local, _) => "local",
        (Kind::Api, _) => "API",
    }
}
