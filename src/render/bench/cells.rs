//! Measured figures as cells of a table.

use crate::document::bench::Summary;
use crate::document::metrics::Unit;
use crate::render::view::Cell;

/// The median, with its interval where there is one.
pub fn summary_cell(unit: Unit, summary: &Summary) -> Cell {
    let Some(median) = summary.median else { return Cell::None };
    let text = match (summary.low, summary.high) {
        (Some(low), Some(high)) => {
            format!("{} ({}–{})", unit.shown(median), unit.shown(low), unit.shown(high))
        }
        _ => unit.shown(median),
    };
    Cell::Number(median, text)
}
