//! Charts as a few lines of text: curves as rows of block characters, rows as lines with marks.

use super::model::{Body, Chart, Plot, RowMark, Rows};
use crate::sanitize;
use unicode_width::UnicodeWidthStr as _;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The most rows or curves.
const MOST: usize = 12;

/// The chart in lines of at most `width` columns; empty where it would show nothing in text.
pub(super) fn lines(chart: &Chart, width: usize) -> Vec<String> {
    let mut out = match &chart.body {
        Body::Plot(plot) => curves(plot, width),
        Body::Rows(rows) => bars(rows, width),
    };
    if !out.is_empty() {
        out.insert(0, cut(&chart.title, width));
    }
    out
}

fn cut(text: &str, width: usize) -> String {
    let text = sanitize::line(text, width.max(4));
    if text.width() <= width {
        return text;
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + 2 > width {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

fn padded(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

fn curves(plot: &Plot, width: usize) -> Vec<String> {
    let shown: Vec<_> =
        plot.series.iter().filter(|s| !s.scattered && s.points.len() > 1).take(MOST).collect();
    if shown.is_empty() || width < 50 {
        return Vec::new();
    }
    let scaled = |y: f64| if plot.y.log { y.max(f64::MIN_POSITIVE).log10() } else { y };
    let all = || shown.iter().flat_map(|s| &s.points).map(|p| scaled(p.1)).filter(|y| y.is_finite());
    let low = all().fold(if plot.y.zero { 0.0 } else { f64::INFINITY }, f64::min);
    let high = all().fold(f64::NEG_INFINITY, f64::max);
    let (name, end) = ((width / 3).min(34), 22);
    let columns = (width - name - end - 2).min(36);
    let mut out: Vec<String> = Vec::new();
    for series in &shown {
        let block = |n: usize| {
            let at = n * (series.points.len() - 1) / (columns - 1).max(1);
            let share = (scaled(series.points[at].1) - low) / (high - low).max(f64::MIN_POSITIVE);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let step = (share.clamp(0.0, 1.0) * 7.0).round() as usize;
            BLOCKS[step]
        };
        let line: String = (0..columns).map(block).collect();
        let (first, last) = (series.points[0].1, series.points[series.points.len() - 1].1);
        let ends = format!("{} → {}", plot.y.of.tick(first), plot.y.of.tick(last));
        out.push(format!("{} {line} {}", padded(&series.name, name), cut(&ends, end)));
    }
    let xs = || shown.iter().flat_map(|s| &s.points).map(|p| p.0);
    let (from, to) = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
    let label = |v: f64| {
        let named = plot.x.ticks.as_ref().and_then(|t| t.iter().find(|t| t.0 >= v).or_else(|| t.last()));
        named.map_or_else(|| plot.x.of.tick(v), |t| t.1.clone())
    };
    let axis = format!("{}: {} to {}", plot.x.label, label(from), label(to));
    out.push(cut(&format!("{} {axis}", " ".repeat(name)), width));
    out.extend(plot.marks.iter().map(|m| cut(&format!("{} ○ {}", " ".repeat(name), m.label), width)));
    out
}

fn bars(rows: &Rows, width: usize) -> Vec<String> {
    if rows.rows.is_empty() || width < 60 {
        return Vec::new();
    }
    let of = |mark: &RowMark| match mark {
        RowMark::Bar { from, to, .. } => vec![*from, *to],
        RowMark::Interval { low, high } => vec![*low, *high],
        RowMark::Point { at, .. } | RowMark::Tick { at, .. } => vec![*at],
        RowMark::Dots(_) => Vec::new(),
    };
    let scaled = |v: f64| if rows.x.log { v.max(f64::MIN_POSITIVE).log10() } else { v };
    let values: Vec<f64> = rows
        .rows
        .iter()
        .flat_map(|r| &r.marks)
        .flat_map(of)
        .chain(rows.rule.iter().map(|r| r.at))
        .map(scaled)
        .collect();
    let low = values.iter().copied().fold(if rows.x.zero { 0.0 } else { f64::INFINITY }, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (name, value) = ((width / 3).min(34), 20);
    let columns = (width - name - value - 2).min(40);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let column = |v: f64| {
        let share = (scaled(v) - low) / (high - low).max(f64::MIN_POSITIVE);
        (share.clamp(0.0, 1.0) * (columns - 1) as f64).round() as usize
    };
    let mut out = Vec::new();
    for row in rows.rows.iter().take(MOST) {
        let mut line = vec![' '; columns];
        if let Some(rule) = &rows.rule {
            line[column(rule.at)] = '│';
        }
        for mark in &row.marks {
            let mut between = |a: f64, b: f64, c: char| {
                let (a, b) = (column(a.min(b)), column(a.max(b)));
                line[a..=b].fill(c);
            };
            match mark {
                RowMark::Bar { from, to, colour, .. } => {
                    between(*from, *to, if colour % 2 == 0 { '█' } else { '▒' });
                }
                RowMark::Interval { low, high } => between(*low, *high, '─'),
                RowMark::Point { at, .. } => line[column(*at)] = '●',
                RowMark::Tick { at, .. } => line[column(*at)] = '┆',
                RowMark::Dots(_) => {}
            }
        }
        let line: String = line.into_iter().collect();
        out.push(
            format!("{} {line} {}", padded(&row.name, name), cut(&row.value, value)).trim_end().to_owned(),
        );
    }
    let ends = format!(
        "{}: {} to {}",
        rows.x.label,
        rows.x.of.full(if rows.x.log { 10f64.powf(low) } else { low }),
        rows.x.of.full(if rows.x.log { 10f64.powf(high) } else { high })
    );
    out.push(cut(&format!("{} {ends}", " ".repeat(name)), width));
    out
}
