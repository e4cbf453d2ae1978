//! The view of a usage document.

use super::view::{Block, Cell, Table, View};
use crate::document::advice::text;
use crate::document::envelope::Envelope;
use crate::document::usage::{
    CoverageRow, DistributionRow, MissingRow, MonthlyRow, SkippedRow, SpreadRow, TotalsRow, UsageResult,
};
use crate::money::Currency;
use crate::number::{grouped, percent, plain, short};
use std::collections::BTreeMap;

/// The most days in the table; the document has all of them.
const DAYS: usize = 31;

impl Envelope<UsageResult> {
    /// The document for people.
    pub fn view(&self) -> View {
        let r = &self.result;
        let mut view = View::new("Usage");
        view.paragraph(opening(r));
        if r.totals == TotalsRow::default() && r.skipped.is_empty() {
            view.paragraph("There is nothing to count in these files.");
            return view;
        }
        view.push(Block::Table(by_model(r)));
        if let Some(note) = not_stated(r) {
            view.paragraph(note);
        }
        view.heading("Size of a request");
        sizes(r, &mut view);
        view.heading("When");
        when(r, &mut view);
        view.charts(super::charts::usage::all(self));
        view.heading("A month");
        month(r, &mut view);
        view.heading("The bill");
        bill(r, &mut view);
        apart(r, &mut view);
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view
    }

    /// What was read: every field, with the number of records in which it had a value.
    pub fn fields(&self) -> View {
        let mut view = View::new("What was read");
        for source in &self.result.sources {
            view.heading(source.name.clone());
            let mut table = Table::new(&["!field", "#records with content"]);
            for field in &source.fields {
                table.row([field.name.as_str().into(), count(field.records)]);
            }
            view.push(Block::Table(table));
        }
        view.paragraph("Nothing else in the files was looked at.");
        view
    }

    /// The use by day, for a spreadsheet.
    pub fn csv(&self) -> String {
        let mut table = Table::new(&[
            "date",
            "#requests",
            "#input",
            "#cache_read",
            "#cache_write_5m",
            "#cache_write_1h",
            "#cache_write_other",
            "#output",
            "#reasoning",
        ]);
        for day in &self.result.by_day {
            let t = &day.totals;
            table.row([
                day.date.as_str().into(),
                t.requests.map(count).into(),
                count(t.input),
                count(t.cache_read),
                count(t.cache_write_5m),
                count(t.cache_write_1h),
                count(t.cache_write_other),
                count(t.output),
                count(t.reasoning),
            ]);
        }
        table.to_csv()
    }
}

fn count(n: u64) -> Cell {
    Cell::Number(n as f64, grouped(n as f64, 0))
}

fn tokens(n: f64) -> Cell {
    Cell::Number(n, plain(n.round()))
}

/// `1 request`, `2 requests`.
fn of(n: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(n as f64, 0), if n == 1 { "" } else { "s" })
}

fn opening(r: &UsageResult) -> String {
    let files: u64 = r.sources.iter().map(|s| u64::from(s.files)).sum();
    let names: Vec<&str> = r.sources.iter().map(|s| s.name.as_str()).collect();
    let requests =
        r.totals.requests.map_or_else(|| "An unknown number of requests".to_owned(), |n| of(n, "request"));
    let covered = r.coverage.as_ref().map_or_else(String::new, |c| format!(", {}", covered(c)));
    format!("{requests}{covered}; {} of {}.", of(files, "file"), names.join(", "))
}

fn covered(c: &CoverageRow) -> String {
    let day = |time: &Option<String>| time.as_deref().and_then(|t| t.get(..10)).map(str::to_owned);
    let span = of(u64::from(c.span_days), "day");
    let dates = match (day(&c.first), day(&c.last)) {
        (Some(first), Some(last)) => format!("{first} to {last}, {span}"),
        _ => format!("{span} without a date"),
    };
    let silent = c.span_days - c.days.min(c.span_days);
    if silent == 0 {
        return dates;
    }
    format!("{dates}, {} of them without a record (at most {} in a row)", silent, c.longest_gap_days)
}

fn by_model(r: &UsageResult) -> Table {
    let mut table = Table::new(&[
        "!model",
        "#requests",
        "#uncached input",
        "#cache read",
        "#cache write",
        "#output",
        "#of it reasoning",
    ]);
    let cells = |name: &str, t: &TotalsRow| {
        let write = t.cache_write_5m.saturating_add(t.cache_write_1h).saturating_add(t.cache_write_other);
        let stated = |known: bool, n: u64| if known { count(n) } else { Cell::None };
        vec![
            name.into(),
            t.requests.map(count).into(),
            count(t.input),
            stated(r.stated.cache_read, t.cache_read),
            stated(r.stated.cache_write, write),
            count(t.output),
            stated(r.stated.reasoning, t.reasoning),
        ]
    };
    let mut models: Vec<(&String, &TotalsRow)> = r.by_model.iter().collect();
    models.sort_by_key(|(_, t)| std::cmp::Reverse(t.prompt().saturating_add(t.output)));
    for (name, totals) in &models {
        table.row_of(cells(name, totals));
    }
    if models.len() != 1 {
        table.row_of(cells("all", &r.totals));
    }
    table
}

fn not_stated(r: &UsageResult) -> Option<String> {
    let parts: Vec<&str> = [
        (r.stated.cache_read, "what was read from caches"),
        (r.stated.cache_write, "what was written to caches"),
        (r.stated.reasoning, "reasoning"),
    ]
    .into_iter()
    .filter_map(|(known, what)| (!known).then_some(what))
    .collect();
    let list = text::all(&parts);
    (!list.is_empty()).then(|| format!("The sources do not state {list}: unknown, not zero."))
}

fn spread(name: &str, s: &SpreadRow) -> [Cell; 6] {
    [name.into(), tokens(s.mean), count(s.p50), count(s.p95), count(s.p99), count(s.max)]
}

fn sizes(r: &UsageResult, view: &mut View) {
    let Some(d) = &r.distribution else {
        let why = match r.distribution_missing {
            Some(MissingRow::OnlyBuckets) => {
                "The records are sums over many requests: the mean is known, how large single requests are is not."
            }
            _ => "There are no requests to measure.",
        };
        view.paragraph(why);
        if let Some(shape) = &r.need.shape {
            view.paragraph(format!(
                "Mean: {} input tokens, {} output tokens.",
                plain(shape.input_tokens.round()),
                plain((shape.output_tokens + shape.reasoning_tokens).round())
            ));
        }
        for (name, bounds) in [("Prompts", &r.prompt_bounds), ("Outputs", &r.output_bounds)] {
            let Some(bounds) = bounds else { continue };
            let at =
                |bound: Option<f64>| bound.map_or_else(|| "more than the server counts".to_owned(), plain);
            view.paragraph(format!(
                "{name} by the server's histogram: half have at most {} tokens, 95 % at most {}.",
                at(bounds.p50_at_most),
                at(bounds.p95_at_most)
            ));
        }
        return;
    };
    let mut table = Table::new(&["tokens", "#mean", "#p50", "#p95", "#p99", "#largest"]);
    table.row(spread("prompt", &d.prompt));
    table.row(spread("of it uncached", &d.input));
    if let Some(read) = &d.cache_read {
        table.row(spread("of it from a cache", read));
    }
    table.row(spread("output", &d.output));
    if let Some(reasoning) = &d.reasoning {
        table.row(spread("of it reasoning", reasoning));
    }
    view.push(Block::Table(table));
    if d.clusters.len() > 1 {
        view.push(Block::Table(clusters(d)));
    }
}

fn clusters(d: &DistributionRow) -> Table {
    let mut table =
        Table::new(&["kind", "#requests", "#share", "#mean prompt", "#from a cache", "#mean output"]);
    for c in &d.clusters {
        let length = match (c.long, d.boundary_prompt_tokens) {
            (Some(long), Some(end)) => {
                format!("{} {}", if long { "above" } else { "up to" }, plain(end as f64))
            }
            _ => "any length".to_owned(),
        };
        let cached = match c.cached {
            Some(true) => ", mostly cached",
            Some(false) => ", mostly uncached",
            None => "",
        };
        let m = &c.mean;
        let prompt = m.input + m.cache_read + m.cache_write_5m + m.cache_write_1h + m.cache_write_other;
        table.row([
            format!("{length}{cached}").into(),
            count(c.requests),
            Cell::Number(m.share, percent(m.share)),
            tokens(prompt),
            if c.cached.is_some() { tokens(m.cache_read) } else { Cell::None },
            tokens(m.output),
        ]);
    }
    table
}

fn when(r: &UsageResult, view: &mut View) {
    match (&r.requests_by_hour_of_week, &r.tokens_by_hour_of_week) {
        (Some(hours), _) if !hours.is_empty() => {
            view.push(Block::Code(week(hours, "requests", &r.time_zone)))
        }
        (_, Some(hours)) if !hours.is_empty() => view.push(Block::Code(week(hours, "tokens", &r.time_zone))),
        _ => view.paragraph("The records have no hours."),
    };
    if let Some(hour) = &r.peak.hour {
        let minute = r
            .peak
            .minute
            .as_ref()
            .map(|m| format!(", {} in the busiest minute", grouped(m.requests as f64, 0)));
        let second = r
            .peak
            .second
            .as_ref()
            .map(|s| format!(", {} in the busiest second", grouped(s.requests as f64, 0)));
        let ratio = r.peak.hour_to_mean.map(|x| format!(": {} times the mean", grouped(x, 1)));
        view.paragraph(format!(
            "Busiest hour: {}, {}{}{}{}.",
            hour.start,
            of(hour.requests, "request"),
            ratio.unwrap_or_default(),
            minute.unwrap_or_default(),
            second.unwrap_or_default()
        ));
    }
    if let Some(g) = &r.growth {
        view.paragraph(format!(
            "Growth: {} a month, between {} and {} with 95 % confidence ({} whole weeks).",
            signed(g.per_month),
            signed(g.low),
            signed(g.high),
            g.weeks
        ));
    } else if let Some(why) = r.growth_missing {
        let why = match why {
            MissingRow::TooFewWeeks => "it takes four whole weeks",
            MissingRow::IdleWeek => "a whole week has no use at all",
            _ => "the records do not say when",
        };
        view.paragraph(format!("Growth is not known: {why}."));
    }
    if r.by_day.len() > 1 {
        let mut table = Table::new(&["day", "#requests", "#prompt", "#output"]);
        for day in r.by_day.iter().rev().take(DAYS).rev() {
            let t = &day.totals;
            table.row([
                day.date.as_str().into(),
                t.requests.map(count).into(),
                count(t.prompt()),
                count(t.output),
            ]);
        }
        if r.by_day.len() > DAYS {
            table = table.caption(format!("The last {DAYS} of {} days", r.by_day.len()));
        }
        view.push(Block::Table(table));
    }
}

fn signed(share: f64) -> String {
    if share >= 0.0 { format!("+{}", percent(share)) } else { format!("−{}", percent(-share)) }
}

/// The week as a picture of characters: a row for each day, a column for each hour.
fn week(hours: &BTreeMap<u8, u64>, what: &str, zone: &str) -> String {
    const STEPS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let most = hours.values().copied().max().unwrap_or(0).max(1);
    let marks: Vec<String> = (0..24).step_by(3).map(|h| format!("{h:<6}")).collect();
    let mut lines = vec![format!("    {}", marks.concat().trim_end())];
    for (day, name) in (0u8..).zip(DAYS) {
        let mut line = format!("{name} ");
        let mut sum = 0u64;
        for hour in 0..24 {
            let n = hours.get(&(day * 24 + hour)).copied().unwrap_or(0);
            sum = sum.saturating_add(n);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let step = (n as f64 / most as f64 * 8.0).ceil() as usize;
            line.push(' ');
            line.push(STEPS[step.min(8)]);
        }
        lines.push(format!("{line}  {}", short(sum as f64)));
    }
    lines.push(format!("    {what} by hour of the week ({zone}); a full block is {}", short(most as f64)));
    lines.join("\n")
}

fn month(r: &UsageResult, view: &mut View) {
    let need = &r.need;
    let scaled = |m: &MonthlyRow| {
        let week = if m.whole_week { "" } else { ", not every day of the week among them" };
        let left = if m.days_left_out > 0 {
            format!(", {} left out as incomplete", of(u64::from(m.days_left_out), "day"))
        } else {
            String::new()
        };
        format!("{}{week}{left}", of(u64::from(m.days), "whole day"))
    };
    match (&need.requests_per_month, need.requests_missing) {
        (Some(m), _) => {
            view.paragraph(format!("{} requests a month, scaled from {}.", plain(m.value.round()), scaled(m)))
        }
        (None, Some(MissingRow::NoRequests)) => {
            view.paragraph("Requests a month: not known, because a source does not count requests.")
        }
        (None, Some(MissingRow::TooShort)) => {
            view.paragraph("Requests a month: not known from less than a whole day.")
        }
        (None, _) => view.paragraph("Requests a month: not known, because the records do not say when."),
    };
    if let (None, Some(m)) = (&need.requests_per_month, &need.tokens_per_month) {
        view.paragraph(format!("{} tokens a month, scaled from {}.", short(m.value), scaled(m)));
    }
    let cached = need.cached_share.map(|s| format!("{} of the prompt tokens come from a cache", percent(s)));
    let batch = (need.batch_share > 0.0)
        .then(|| format!("{} of the requests can wait (batch)", percent(need.batch_share)));
    let parts: Vec<String> = cached.into_iter().chain(batch).collect();
    if !parts.is_empty() {
        view.paragraph(format!("{}.", parts.join("; ")));
    }
}

fn bill(r: &UsageResult, view: &mut View) {
    let usd = Currency::usd();
    let show = |amount: f64| usd.show(amount);
    match r.bill_usd {
        Some(amount) if r.bill.from_report => {
            view.paragraph(format!("By the cost report: {}.", show(amount)))
        }
        Some(amount) if r.bill.partial => view.paragraph(format!(
            "Stated for {}: {}. That is a part of the bill.",
            of(r.bill.requests, "request"),
            show(amount)
        )),
        Some(amount) => view.paragraph(format!("As stated: {}.", show(amount))),
        None => view.paragraph("The sources state no cost."),
    };
    if let Some(amount) = r.bill.byok_usd {
        view.paragraph(format!("Beside it, {} was paid to providers with own keys.", show(amount)));
    }
    for (code, amount) in &r.bill.other {
        view.paragraph(format!("In another currency: {} {code}.", plain(*amount)));
    }
    if let Some(amount) = r.repriced_usd {
        view.paragraph(format!("At the prices of those days: {}.", show(amount)));
        let (stated, ours) = (r.repriced.both_stated_usd, r.repriced.both_repriced_usd);
        if stated > 0.0 {
            view.paragraph(format!(
                "Where both are known: stated {}, by the price records {} ({}).",
                show(stated),
                show(ours),
                signed(ours / stated - 1.0)
            ));
        }
    }
    if !r.repriced.unpriced.is_empty() {
        let mut table = Table::new(&["!model without a price", "#requests", "#prompt", "#output"]);
        for (name, t) in &r.repriced.unpriced {
            table.row([
                name.as_str().into(),
                t.requests.map(count).into(),
                count(t.prompt()),
                count(t.output),
            ]);
        }
        view.push(Block::Table(table));
    }
}

fn apart(r: &UsageResult, view: &mut View) {
    let mut lines = Vec::new();
    if r.duplicates_dropped > 0 {
        lines.push(format!(
            "{} dropped: the same answer or bucket again.",
            of(r.duplicates_dropped, "repeat")
        ));
    }
    lines.extend(r.skipped.iter().map(skipped));
    if lines.is_empty() {
        return;
    }
    view.heading("Not counted");
    view.push(Block::List(lines));
}

fn skipped(s: &SkippedRow) -> String {
    let places: Vec<String> = s.places.iter().map(|p| format!("file {}, line {}", p.file, p.line)).collect();
    let places = match places.as_slice() {
        [] => String::new(),
        all => {
            let more = if s.records > all.len() as u64 { " …" } else { "" };
            format!(" ({}{more})", all.join("; "))
        }
    };
    format!("{}: {}{places}", of(s.records, "record"), s.reason)
}
