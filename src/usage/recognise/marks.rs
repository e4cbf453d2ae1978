//! Recognises formats by their marks, which are sets of fields.

use crate::usage::format::FORMATS;
use crate::usage::reader::Format;

/// Number of rows that are examined.
pub(super) const ROWS: usize = 400;

/// The format with the most marks among a table's columns.
pub(super) fn marked(columns: &[String]) -> Option<(&'static Format, usize)> {
    let has = |mark: &&str| columns.iter().any(|column| column.eq_ignore_ascii_case(mark));
    best(|marks| marks.iter().all(has))
}

/// The format that has the largest set of marks of those that are there.
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
