//! The marks of formats: sets of fields by which one is known.

use crate::usage::format::FORMATS;
use crate::usage::reader::Format;

/// Rows that are looked at.
pub(super) const ROWS: usize = 400;

/// The format with the most marks among a table's columns.
pub(super) fn marked(columns: &[String]) -> Option<(&'static Format, usize)> {
    let has = |mark: &&str| columns.iter().any(|column| column.eq_ignore_ascii_case(mark));
    best(|marks| marks.iter().all(has))
}

/// The format of which the largest set of marks is there.
fn best(is_there: impl Fn(&[&str]) -> bool) -> Option<(&'static Format, usize)> {
    let mut best: Option<(&'static Format, usize)> = None;
    for format in FORMATS {
        let marks = format.marks.iter().filter(|marks| is_there(marks)).map(|marks| marks.len()).max();
        if let Some(n) = marks
            && best.is_none_or(|(_, most)| n > most)
        {
            best = Some((format, n));
        }
    }
    best
}
