//! The numbers of a chart: as a table, and as data for the script of a page, which shows them under the
//! pointer.

use super::draw;
use super::model::{Body, Chart, Plot, RowMark, Rows};
use super::svg::Size;
use crate::render::table::{Cell, Table};

/// The most rows of the table.
const MOST_ROWS: usize = 100;

/// All x values of all series, ascending.
fn all_x(plot: &Plot) -> Vec<f64> {
    let mut xs: Vec<f64> = plot.series.iter().flat_map(|s| &s.points).map(|p| p.0).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    xs
}

/// The numbers of a chart as a table.
pub(super) fn table(chart: &Chart) -> Table {
    match &chart.body {
        Body::Plot(plot) if plot.series.iter().any(|s| s.scattered) => points(plot),
        Body::Plot(plot) => curves(plot),
        Body::Rows(rows) => rows_table(rows),
    }
}

fn points(plot: &Plot) -> Table {
    let columns =
        [String::new(), "kind".to_owned(), format!("#{}", plot.x.label), format!("#{}", plot.y.label)];
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for series in &plot.series {
        for (n, (x, y)) in series.points.iter().enumerate() {
            let name = series.names.get(n).cloned().unwrap_or_default();
            table.row([
                if name.is_empty() { Cell::None } else { name.into() },
                series.name.clone().into(),
                Cell::Number(*x, plot.x.of.full(*x)),
                Cell::Number(*y, plot.y.of.full(*y)),
            ]);
        }
    }
    table.rows.truncate(MOST_ROWS);
    table
}

fn curves(plot: &Plot) -> Table {
    let mut columns = vec![format!("#{}", plot.x.label)];
    for series in &plot.series {
        columns.push(format!("#{}", series.name));
        if !series.band.is_empty() {
            columns.push("#its P10 to P90 or interval".to_owned());
        }
    }
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    let xs = all_x(plot);
    let every = xs.len().div_ceil(MOST_ROWS).max(1);
    for x in xs.iter().step_by(every) {
        let mut row = vec![Cell::Number(*x, plot.x.of.full(*x))];
        for series in &plot.series {
            let at = series.points.iter().rfind(|p| p.0.total_cmp(x).is_eq());
            row.push(at.map_or(Cell::None, |p| Cell::Number(p.1, plot.y.of.full(p.1))));
            if !series.band.is_empty() {
                let band = series.band.iter().find(|b| b.x.total_cmp(x).is_eq());
                row.push(band.map_or(Cell::None, |b| {
                    format!("{} to {}", plot.y.of.full(b.low), plot.y.of.full(b.high)).into()
                }));
            }
        }
        table.row_of(row);
    }
    table
}

fn rows_table(rows: &Rows) -> Table {
    let mut table = Table::new(&["", "#value", "marks"]);
    let of = &rows.x.of;
    for row in &rows.rows {
        let marks: Vec<String> = row
            .marks
            .iter()
            .filter_map(|mark| match mark {
                RowMark::Bar { to, label, .. } => Some(format!("{} at {label}", of.full(*to))),
                RowMark::Interval { low, high } => {
                    Some(format!("95 % interval {} to {}", of.full(*low), of.full(*high)))
                }
                RowMark::Tick { at, label } => Some(format!("{label} {}", of.full(*at))),
                RowMark::Point { .. } | RowMark::Dots(_) => None,
            })
            .collect();
        table.row([row.name.clone().into(), row.value.clone().into(), marks.join("; ").into()]);
    }
    table
}

/// Data for the script: places along the drawing, and every value in words.
pub(super) fn data(chart: &Chart) -> Option<serde_json::Value> {
    let Body::Plot(plot) = &chart.body else { return None };
    if plot.series.iter().any(|s| s.scattered) {
        return None;
    }
    let xs = all_x(plot);
    let areas: Vec<draw::Area> = [Size::Wide, Size::Narrow]
        .into_iter()
        .filter_map(|size| draw::area(chart, size.units(), size == Size::Narrow))
        .collect();
    let first = areas.first()?;
    let shown = |x: f64| {
        let named = plot.x.ticks.as_ref().and_then(|t| t.iter().rfind(|t| t.0 <= x));
        match named {
            Some((at, label)) if plot.x.label.contains("hour of the week") => {
                format!("{label} {:02}:00", (x - at).rem_euclid(24.0))
            }
            _ => plot.x.of.full(x),
        }
    };
    let start = plot.rules.iter().find(|r| r.upright).map(|r| r.at).or(plot.marks.first().map(|m| m.x));
    let nearest = start.and_then(|at| {
        let far = |x: &f64| (x - at).abs();
        xs.iter().enumerate().min_by(|a, b| far(a.1).total_cmp(&far(b.1))).map(|(n, _)| n)
    });
    let series: Vec<serde_json::Value> = plot
        .series
        .iter()
        .map(|s| {
            let value = |x: &f64| {
                let n = s.points.iter().rposition(|p| p.0.total_cmp(x).is_eq())?;
                let note =
                    s.notes.get(n).filter(|n| !n.is_empty()).map_or_else(String::new, |n| format!(" ({n})"));
                Some(format!("{}{note}", plot.y.of.full(s.points[n].1)))
            };
            serde_json::json!({ "name": s.name, "t": xs.iter().map(value).collect::<Vec<_>>() })
        })
        .collect();
    Some(serde_json::json!({
        "label": plot.x.label,
        "x": xs.iter().map(|x| shown(*x)).collect::<Vec<_>>(),
        "at": xs.iter().map(|x| (first.share(*x) * 1e4).round() / 1e4).collect::<Vec<_>>(),
        "area": areas.iter().map(|a| [a.x0, a.x1, a.y0, a.y1]).collect::<Vec<_>>(),
        "start": nearest.unwrap_or(xs.len() - 1),
        "series": series,
    }))
}
