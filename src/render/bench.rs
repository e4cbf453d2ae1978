//! The view of a bench document.

mod cells;
mod embedding;
mod engine;
mod load;
mod quality;

use super::view::{Block, Cell, Table, View};
use crate::document::bench::{BenchResult, Comparison, Kind, Quality, Target, TokenSource};
use crate::document::envelope::Envelope;
use crate::document::metrics::{self, OfRequest, PER_REQUEST, Shown, Unit};
use crate::document::word;
use crate::number;
pub(super) use cells::summary_cell;
pub(super) use quality::{in_short, judge_sentence, judges};

/// The most targets beside each other in one table; more of them are split over several tables.
const COLUMNS: usize = 3;

impl Envelope<BenchResult> {
    /// The document for people.
    pub fn view(&self) -> View {
        let result = &self.result;
        let mut view = View::new("Benchmark");
        view.paragraph(self.summary());
        let alone = result.targets.iter().any(|t| !t.synthetic.is_empty() || t.embedding.is_some());
        let asked = result.targets.iter().any(|t| t.requests > 0);
        if asked || (result.load_samples.is_empty() && !alone) {
            for targets in result.targets.chunks(COLUMNS) {
                view.push(Block::Table(metrics_table(targets)));
            }
            view.paragraph(
                "Median (95 % interval of the median, from six requests on). Only requests that \
                 succeeded at the first attempt count for speed.",
            );
        }
        view.charts(super::charts::measured::all(self));
        failures(&mut view, &result.targets);
        turns(&mut view, &result.targets);
        load::loads(&mut view, &result.targets);
        engine::synthetic_view(&mut view, &result.targets);
        embedding::view(&mut view, &result.targets);
        comparisons(&mut view, &result.comparisons);
        quality::pairs(&mut view, result);
        if result.pairs.is_empty() {
            // A document from before there were `pairs`.
            for quality in &result.quality {
                view.heading("Quality on these prompts");
                view.paragraph(quality_sentence(quality));
            }
        }
        if let Some(same) = &result.same_weights {
            quality::same_weights(&mut view, same);
        }
        quality::judges(&mut view, &result.judges);
        quality::repeats(&mut view, &result.targets);
        engine::engines_view(&mut view, &result.targets);
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        if !result.definitions.is_empty() {
            let all = result.definitions.iter().map(|(name, text)| format!("`{name}`: {text}")).collect();
            view.push(Block::More("What the numbers mean".to_owned(), vec![Block::List(all)]));
        }
        view
    }

    fn summary(&self) -> String {
        let result = &self.result;
        let without_prompts = result.samples.is_empty() && result.load_samples.is_empty();
        if without_prompts && result.targets.iter().any(|t| !t.synthetic.is_empty()) {
            return format!("the engine alone, without prompts · {}", self.created);
        }
        if let Some(made) = result.targets.iter().find_map(|t| t.embedding.as_ref()) {
            let (texts, rounds) = (made.texts.len(), made.rounds as usize);
            return format!(
                "vectors of {texts} text{} · {rounds} round{} · {}",
                plural(texts),
                plural(rounds),
                self.created
            );
        }
        let prompts: std::collections::BTreeSet<&str> =
            result.samples.iter().map(|s| s.prompt_id.as_str()).collect();
        let repeats = result.samples.iter().map(|s| s.repeat + 1).max().unwrap_or(0);
        let under_load = result.load_samples.len();
        let mut parts = vec![format!("{} target{}", result.targets.len(), plural(result.targets.len()))];
        if repeats > 0 || under_load == 0 {
            parts.push(format!("{} prompt{}", prompts.len(), plural(prompts.len())));
            parts.push(format!("{repeats} repeat{}", plural(repeats as usize)));
        }
        if under_load > 0 {
            parts.push(format!("{under_load} request{} under load", plural(under_load)));
        }
        parts.push(self.created.clone());
        let mut text = parts.join(" · ");
        if !result.complete {
            text.push_str(" · INCOMPLETE: a part of the planned requests was not sent");
        }
        if let Some(usd) = result.spending.spent_usd
            && usd > 0.0
        {
            text.push_str(" · spent ");
            text.push_str(&crate::money::Currency::usd().show(usd));
        }
        text
    }

    /// The tests of the engine alone as CSV, one row per round.
    pub fn synthetic_csv(&self) -> String {
        engine::synthetic_csv(&self.result.targets)
    }

    /// The embedded texts as CSV, one row per text.
    pub fn embedding_csv(&self) -> String {
        embedding::csv(&self.result.targets)
    }

    /// The requests as CSV, one row per sample.
    pub fn samples_csv(&self) -> String {
        let first = [
            "target",
            "prompt_id",
            "#repeat",
            "error",
            "finish",
            "token_source",
            "#input_tokens",
            "#cached_input_tokens",
            "#output_tokens",
            "#reasoning_tokens",
        ];
        let metrics: Vec<String> = PER_REQUEST.iter().map(|m| format!("#{}", m.metric.id)).collect();
        let heads = first.into_iter().chain(metrics.iter().map(String::as_str)).chain(["#attempts", "pass"]);
        let mut table = Table::new(&heads.collect::<Vec<_>>());
        let number = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, v.to_string()));
        #[allow(clippy::cast_precision_loss)]
        let count = |v: Option<u64>| number(v.map(|v| v as f64));
        for s in &self.result.samples {
            let mut row: Vec<Cell> = vec![
                s.target.clone().into(),
                s.prompt_id.clone().into(),
                number(Some(f64::from(s.repeat))),
                s.error.as_ref().map(|e| word(&e.kind)).into(),
                s.finish.as_ref().map(word).into(),
                word(&s.token_source).into(),
                count(s.input_tokens),
                count(s.cached_input_tokens),
                count(s.output_tokens),
                count(s.reasoning_tokens),
            ];
            row.extend(s.metrics.iter().map(|(_, value)| number(*value)));
            row.push(number(Some(f64::from(s.attempts))));
            row.push(s.pass.map(|p| if p { "yes" } else { "no" }).into());
            table.row_of(row);
        }
        table.to_csv()
    }
}

fn metrics_table(targets: &[Target]) -> Table {
    let mut table = Table::beside(targets.iter().map(|t| t.id.as_str()));
    let mut row = |name: &str, cell: &dyn Fn(&Target) -> Cell| table.property(name, targets.iter().map(cell));
    row("what it is", &|t| role(t).into());
    for metric in PER_REQUEST.iter().filter(|m| m.shown >= Shown::Row) {
        row(&metric.metric.label(), &|t| metric_cell(metric, t));
    }
    row("output tokens (mean)", &|t| {
        t.tokens.output.map_or(Cell::None, |v| Cell::Number(v, number::measured(v)))
    });
    row("input tokens (mean)", &|t| {
        t.tokens.input.map_or(Cell::None, |v| Cell::Number(v, number::measured(v)))
    });
    row("of them from a cache", &|t| {
        t.tokens.cached_input.map_or(Cell::None, |v| Cell::Number(v, number::measured(v)))
    });
    row("tokens counted by", &|t| match t.token_source {
        TokenSource::Usage => "provider usage".into(),
        TokenSource::LocalTokenizer => "local tokenizer".into(),
        TokenSource::NotMeasured => "not measured".into(),
    });
    row("pass rate", &|t| {
        t.pass_rate.map_or(Cell::None, |r| {
            let interval = format!("{:.0}–{:.0} %", r.low * 100.0, r.high * 100.0);
            Cell::Number(r.rate, format!("{}, 95 %: {interval}", super::charts::measured::passed(&r)))
        })
    });
    row("requests failed", &|t| {
        Cell::Number(f64::from(t.failures), format!("{} of {}", t.failures, t.requests))
    });
    row("retried", &|t| {
        if t.retried == 0 { Cell::None } else { Cell::Number(f64::from(t.retried), t.retried.to_string()) }
    });
    table
}

/// The summary of one metric of a target, with what must be known about it.
fn metric_cell(metric: &OfRequest, target: &Target) -> Cell {
    let summary = metric.of(&target.metrics);
    let cell = summary_cell(metric.metric.unit, summary);
    match (metric.metric.id, cell) {
        // Without reasoning this equals the time to the first token.
        ("ttfo_ms", _) if *summary == target.metrics.ttft_ms => Cell::None,
        ("prefill_tps", Cell::Number(v, text)) if target.prefill_basis.as_deref() == Some("lower_bound") => {
            Cell::Number(v, format!("≥ {text}"))
        }
        ("cost_usd", Cell::None)
            if target.kind == Kind::Api && !target.stand_in && target.recorded_in.is_none() =>
        {
            "no price known".into()
        }
        (_, cell) => cell,
    }
}

fn role(target: &Target) -> &'static str {
    match (target.kind, target.stand_in) {
        _ if target.recorded_in.is_some() => "recorded answers",
        (Kind::Local, _) => "local",
        (Kind::Api, false) => "cloud API",
        (Kind::Api, true) => "stand-in for a cloud API",
    }
}

/// The figures of conversations by turn, for each target.
fn turns(view: &mut View, targets: &[Target]) {
    for target in targets.iter().filter(|t| !t.turns.is_empty()) {
        view.heading(format!("{}: turn by turn", target.id));
        let mut table = Table::new(&[
            "#turn",
            "#requests",
            "#input tokens",
            "#of them cached",
            "#TTFT ms",
            "#TPOT ms",
            "#end to end ms",
        ]);
        let tokens = |v: Option<f64>| v.map_or(Cell::None, |v| Cell::Number(v, Unit::Tokens.shown(v)));
        let times = |summary| summary_cell(Unit::Milliseconds, summary);
        for turn in &target.turns {
            let n = turn.ttft_ms.n;
            table.row([
                Cell::Number(f64::from(turn.turn + 1), (turn.turn + 1).to_string()),
                Cell::Number(f64::from(n), n.to_string()),
                tokens(turn.tokens.input),
                tokens(turn.tokens.cached_input),
                times(&turn.ttft_ms),
                times(&turn.tpot_ms),
                times(&turn.e2e_ms),
            ]);
        }
        view.push(Block::Table(table));
        view.paragraph(
            "Means of tokens, medians of times. Each turn is sent with everything said before it.",
        );
    }
}

fn failures(view: &mut View, targets: &[Target]) {
    let lines: Vec<String> = targets
        .iter()
        .flat_map(|t| {
            let counts = t.failure_kinds.iter().map(|(kind, n)| format!("{}: {n} × {kind}", t.id));
            let stopped = t
                .stopped
                .as_ref()
                .map(|f| format!("{}: stopped, no further request was sent: {}", t.id, f.message));
            counts.chain(stopped).collect::<Vec<_>>()
        })
        .collect();
    if !lines.is_empty() {
        view.heading("Failures");
        view.push(Block::List(lines));
    }
}

/// One table for each pair of a local and an API target.
fn comparisons(view: &mut View, all: &[Comparison]) {
    if all.is_empty() {
        return;
    }
    view.heading("Local against API");
    for pair in all.chunk_by(|a, b| (&a.local, &a.api) == (&b.local, &b.api)) {
        let first = &pair[0];
        let equal = first.equal_text.map_or(String::new(), |n| {
            format!(" The first answers were the same text on {n} of {} prompts.", first.prompts)
        });
        view.paragraph(format!(
            "{} ÷ {}: ratio of medians, paired by prompt. Below 1 the local side has the smaller value.{equal}",
            first.local, first.api
        ));
        view.push(Block::Table(comparison_table(pair)));
    }
}

fn comparison_table(pair: &[Comparison]) -> Table {
    let mut table = Table::new(&["metric", "#prompts", "#ratio (95 % interval)"]);
    for c in pair {
        let ratio = c.ratio.map_or(Cell::None, |ratio| {
            let text = match (c.low, c.high) {
                (Some(low), Some(high)) => format!(
                    "{} ({}–{})",
                    number::measured(ratio),
                    number::measured(low),
                    number::measured(high)
                ),
                _ => number::measured(ratio),
            };
            Cell::Number(ratio, text)
        });
        table.row([
            metrics::by_id(&c.metric).map_or(c.metric.as_str(), |m| m.short).into(),
            Cell::Number(f64::from(c.prompts), c.prompts.to_string()),
            ratio,
        ]);
    }
    table
}

fn quality_sentence(q: &Quality) -> String {
    let rates = format!(
        "{} passed {:.0} %, {} passed {:.0} % of {} prompts with an expectation. ",
        q.local,
        q.local_pass_rate * 100.0,
        q.api,
        q.api_pass_rate * 100.0,
        q.prompts
    );
    let margin = number::points(q.margin);
    let verdict = match q.non_inferior {
        Some(true) => format!("The local model is not worse by more than {margin}."),
        Some(false) => format!("The local model is worse by more than {margin}."),
        None => {
            let needed = q.prompts_needed.map_or(String::new(), |n| format!("; about {n} are needed"));
            format!(
                "Whether the local model is worse by more than {margin} cannot be decided \
                 with {} prompts{needed}.",
                q.prompts
            )
        }
    };
    let smoke = if q.smoke_only { " Fewer than 20 prompts: a smoke test only." } else { "" };
    format!("{rates}{verdict}{smoke}")
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}
