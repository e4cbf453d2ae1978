//! The view of requests under load: for each target the load that it carried, and how long requests took.

use super::cells::summary_cell;
use crate::document::bench::load::{Goodput, Level, LoadDetail, OpenLoop};
use crate::document::bench::{Summary, Target};
use crate::document::metrics::{self, Unit};
use crate::measure::load::{Arrivals, Slo};
use crate::number;
use crate::render::view::{Block, Cell, Table, View};

pub(super) fn loads(view: &mut View, targets: &[Target]) {
    for target in targets {
        if !target.levels.is_empty() {
            view.heading(format!("{} with several requests at once", target.id));
            view.push(Block::Table(levels(&target.levels)));
            view.push(Block::Table(waits(target.levels.iter().flat_map(level_waits))));
        }
        if !target.rates.is_empty() {
            view.heading(format!("{} with requests at a rate", target.id));
            view.push(Block::Table(rates(&target.rates)));
            view.push(Block::Table(waits(target.rates.iter().flat_map(rate_waits))));
        }
    }
    let details: Vec<&LoadDetail> = targets
        .iter()
        .flat_map(|t| t.levels.iter().map(|l| &l.detail).chain(t.rates.iter().map(|r| &r.detail)))
        .collect();
    if let Some(limits) = details.iter().find_map(|d| d.goodput) {
        view.paragraph(format!(
            "Good: requests that kept {} (95 % interval of their share); a failed one is not good.",
            limits_in_words(&limits.slo)
        ));
    }
    if !details.is_empty() {
        view.paragraph(
            "Rates are those of the time from the first measured request to the last, while the load was on. \
             Percentiles appear where there are enough requests to bound them: 36 for p90, 72 for p95, 368 for p99.",
        );
    }
}

fn limits_in_words(slo: &Slo) -> String {
    let part = |name: &str, limit: Option<f64>| limit.map(|ms| format!("{name} ≤ {} ms", short_limit(ms)));
    let parts = [part("TTFT", slo.ttft_ms), part("TPOT", slo.tpot_ms), part("end to end", slo.e2e_ms)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A limit on latency in ms, with the digits it was given with.
fn short_limit(ms: f64) -> String {
    number::exact(ms)
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::None, |v| Cell::Number(v, number::measured(v)))
}
fn count(value: u32) -> Cell {
    Cell::Number(f64::from(value), value.to_string())
}
fn failed(failures: u32, requests: u32) -> Cell {
    Cell::Number(f64::from(failures), format!("{failures} of {requests}"))
}
fn good(goodput: Option<Goodput>) -> Cell {
    goodput.map_or(Cell::None, |g| {
        let percent = |share: f64| format!("{:.0}", share * 100.0);
        let text = format!("{} % ({}–{})", percent(g.share), percent(g.low), percent(g.high));
        Cell::Number(g.share, text)
    })
}

fn levels(levels: &[Level]) -> Table {
    let mut heads = vec!["#at once", "#tok/s together", "#requests/s", "#good", "#good/s", "#failed"];
    let metered = levels.iter().any(|l| l.detail.busy_watts.is_some());
    if metered {
        heads.extend(["#W", "#J/output token"]);
    }
    let mut table = Table::new(&heads);
    for level in levels {
        let mut row = vec![
            count(level.concurrency),
            number(level.output_tps_system),
            number(level.requests_per_s),
            good(level.detail.goodput),
            number(level.detail.goodput.and_then(|g| g.requests_per_s)),
            failed(level.failures, level.requests),
        ];
        if metered {
            row.extend([number(level.detail.busy_watts), number(level.detail.output_token_j)]);
        }
        table.row_of(row);
    }
    table
}

fn rates(rates: &[OpenLoop]) -> Table {
    let mut table = Table::new(&[
        "#offered/s",
        "#sent/s",
        "#answered/s",
        "#tok/s together",
        "#under way, mean",
        "#good",
        "#failed",
    ]);
    for rate in rates {
        table.row([
            number(Some(rate.rate_per_s)),
            number(rate.sent_per_s),
            number(rate.requests_per_s),
            number(rate.output_tps_system),
            number(rate.detail.in_flight_mean),
            good(rate.detail.goodput),
            failed(rate.failures, rate.requests),
        ]);
    }
    table
}

/// One row of the table of times: the load, the metric, its summary.
type Wait = (Cell, String, Summary);

/// The rows of one load. Its name is in the first of them only. Metrics are given by id.
fn lines(load: String, metrics: &[(&str, &str, Summary)]) -> Vec<Wait> {
    let mut name = Some(load);
    let line = |(id, what, summary): &(&str, &str, Summary)| {
        let label = metrics::by_id(id).map_or_else(|| (*id).to_owned(), metrics::Metric::label);
        (Cell::from(name.take()), format!("{label}{what}"), *summary)
    };
    metrics.iter().map(line).collect()
}

fn level_waits(level: &Level) -> Vec<Wait> {
    lines(
        format!("{} at once", level.concurrency),
        &[("ttft_ms", "", level.ttft_ms), ("tpot_ms", "", level.tpot_ms), ("e2e_ms", "", level.e2e_ms)],
    )
}

fn rate_waits(rate: &OpenLoop) -> Vec<Wait> {
    let how = match rate.arrivals {
        Arrivals::Poisson => "Poisson",
        Arrivals::Constant => "constant",
    };
    lines(
        format!("{}/s {how}", number::measured(rate.rate_per_s)),
        &[
            ("ttft_scheduled_ms", "", rate.ttft_scheduled_ms),
            ("ttft_ms", ", from send", rate.ttft_ms),
            ("tpot_ms", "", rate.tpot_ms),
            ("e2e_scheduled_ms", "", rate.e2e_scheduled_ms),
            ("send_lag_ms", "", rate.send_lag_ms),
        ],
    )
}

fn waits(rows: impl Iterator<Item = Wait>) -> Table {
    let mut table = Table::new(&["load", "what", "#median (95 %)", "#p90", "#p95", "#p99", "#max"]);
    for (load, what, s) in rows.filter(|(.., s)| s.n > 0) {
        let load = match load {
            // The name of the load is only in its first row.
            Cell::None => Cell::Text(String::new()),
            named => named,
        };
        table.row([
            load,
            what.into(),
            summary_cell(Unit::Milliseconds, &s),
            number(s.p90),
            number(s.p95),
            number(s.p99),
            number(s.max),
        ]);
    }
    table
}
