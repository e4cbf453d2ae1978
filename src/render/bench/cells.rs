//! Measured figures as cells of a table.

use crate::document::bench::Summary;
use crate::render::view::Cell;

/// The median, with its interval where there is one.
pub(super) fn summary_cell(summary: &Summary) -> Cell {
    let Some(median) = summary.median else { return Cell::None };
    let text = match (summary.low, summary.high) {
        (Some(low), Some(high)) => format!("{} ({}–{})", short(median), short(low), short(high)),
        _ => short(median),
    };
    Cell::Number(median, text)
}

/// Three significant digits, no exponent.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    let digits = match size {
        s if s >= 100.0 => 0,
        s if s >= 10.0 => 1,
        s if s >= 1.0 || s == 0.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}
