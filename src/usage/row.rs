//! A row of a table or a JSON log. Only the fields that a format names are looked at; everything else
//! (prompts, answers, names, keys, paths) is skipped without being kept.
//!
//! [`Layout`] describes where a format's fields are, [`RowReader`] reads JSON by it, and tables fill a
//! [`Row`] cell by cell.

mod json;
mod layout;
mod pairs;
mod points;

pub use json::RowReader;
pub use layout::{Column, Layout};

use super::moment::{self, TimeStyle};
use super::number::{self, Style};
use super::record::{Reason, When, reason};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Longest text that is kept while its row is read, bytes. A longer one is not a model, a time or a kind;
/// as an id it counts by its hash.
const LONGEST_TEXT: usize = 512;

/// A field's content.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Cell {
    #[default]
    Absent,
    Null,
    Bool(bool),
    Whole(u64),
    Negative(i64),
    Float(f64),
    /// Part of the row's text.
    Text {
        at: u32,
        len: u32,
    },
    /// The hash of a text that is too long to be kept.
    Long(u64),
    /// An object or a list, where a value was expected.
    Nested,
}

/// The fields of one row.
#[derive(Debug, Default)]
pub struct Row {
    cells: Vec<Cell>,
    /// One bit for each of the first 64 fields; set where the field has a value.
    present: u64,
    text: String,
    children: Vec<Row>,
    used: usize,
    /// Times and values of a series.
    points: Vec<(f64, f64)>,
    /// There are rows inside it, so that it may only be their wrapper.
    wraps: bool,
    /// It is an object; a list of numbers is not a row.
    is_object: bool,
}

impl Row {
    /// Clear the row, but keep its memory.
    pub fn clear(&mut self, fields: usize) {
        self.cells.clear();
        self.cells.resize(fields, Cell::Absent);
        self.present = 0;
        self.text.clear();
        self.points.clear();
        self.used = 0;
        self.wraps = false;
        self.is_object = false;
    }
    /// Set a field from a table's cell.
    pub fn set_text(&mut self, slot: usize, text: &str) {
        if self.cells.len() <= slot {
            return;
        }
        if slot < 64 && !text.is_empty() {
            self.present |= 1 << slot;
        }
        self.cells[slot] = if text.len() > LONGEST_TEXT {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            Cell::Long(hasher.finish())
        } else {
            let at = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
            self.text.push_str(text);
            Cell::Text { at, len: u32::try_from(text.len()).unwrap_or(0) }
        };
    }
    fn set(&mut self, slots: &[usize], cell: Cell) {
        for slot in slots {
            if let Some(place) = self.cells.get_mut(*slot) {
                *place = cell;
                if *slot < 64 && cell != Cell::Null {
                    self.present |= 1 << slot;
                }
            }
        }
    }
    /// The content of a field.
    pub fn cell(&self, slot: usize) -> Cell {
        self.cells.get(slot).copied().unwrap_or_default()
    }
    /// Does the field have a value that is not `null` or empty?
    pub fn has(&self, slot: usize) -> bool {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => false,
            Cell::Text { len, .. } => len > 0,
            _ => true,
        }
    }
    /// Does no field have a value?
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|c| *c == Cell::Absent) && self.used == 0
    }
    /// Is it a row, and not only the wrapper of rows?
    fn is_row(&self) -> bool {
        self.is_object && !(self.wraps && self.is_blank())
    }
    /// The rows that belong to this one.
    pub fn children(&self) -> &[Self] {
        &self.children[..self.used.min(self.children.len())]
    }
    /// The points of a `values#` field: times in seconds since 1970, and values.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }
    /// The field's text.
    pub fn text(&self, slot: usize) -> Option<&str> {
        match self.cell(slot) {
            Cell::Text { at, len } if len > 0 => self.text.get(at as usize..(at + len) as usize),
            _ => None,
        }
    }
    /// Does the field have this text, in upper or lower case?
    pub fn is(&self, slot: usize, word: &str) -> bool {
        self.text(slot).is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
    /// Does the field say yes: `true`, `"True"`, 1?
    pub fn is_true(&self, slot: usize) -> bool {
        match self.cell(slot) {
            Cell::Bool(yes) => yes,
            Cell::Whole(n) => n == 1,
            _ => self.is(slot, "true") || self.is(slot, "1"),
        }
    }
    /// A count of tokens or requests.
    pub fn count(&self, slot: usize) -> Result<Option<u64>, &'static Reason> {
        self.styled_count(slot, Style::default())
    }
    /// A count in a column's own style of numbers.
    pub fn styled_count(&self, slot: usize, style: Style) -> Result<Option<u64>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Whole(n) => Ok(Some(n)),
            Cell::Negative(_) => Err(&reason::NEGATIVE),
            Cell::Float(value) => number::count_of(value).map(Some),
            Cell::Text { .. } => number::count(self.text(slot).unwrap_or_default(), style),
            Cell::Bool(_) | Cell::Long(_) | Cell::Nested => Err(&reason::NOT_A_NUMBER),
        }
    }
    /// The first of several fields that has a count.
    pub fn first_count(&self, slots: &[usize]) -> Result<Option<u64>, &'static Reason> {
        for slot in slots {
            if let Some(n) = self.count(*slot)? {
                return Ok(Some(n));
            }
        }
        Ok(None)
    }
    /// An amount of money, as the source writes it.
    pub fn amount(&self, slot: usize) -> Result<Option<f64>, &'static Reason> {
        self.styled_amount(slot, Style::default())
    }
    /// An amount in a column's own style of numbers.
    pub fn styled_amount(&self, slot: usize, style: Style) -> Result<Option<f64>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null => Ok(None),
            Cell::Whole(n) => Ok(Some(n as f64)),
            Cell::Negative(n) => Ok(Some(n as f64)),
            Cell::Float(value) if value.is_finite() => Ok(Some(value)),
            Cell::Text { .. } => number::amount(self.text(slot).unwrap_or_default(), style),
            _ => Err(&reason::NOT_A_NUMBER),
        }
    }
    /// A time; `None` where the field is absent.
    pub fn time(&self, slot: usize) -> Result<Option<When>, &'static Reason> {
        match self.cell(slot) {
            Cell::Text { .. } => self.text(slot).map(moment::from_iso).transpose(),
            _ => self.plain_time(slot),
        }
    }
    /// A time in a column's own style.
    pub fn styled_time(&self, slot: usize, style: &TimeStyle) -> Result<Option<When>, &'static Reason> {
        match (self.cell(slot), &style.format) {
            (Cell::Text { .. }, _) => self.text(slot).map(|t| moment::from_text(t, style)).transpose(),
            (Cell::Whole(n), Some(_)) => moment::from_text(&n.to_string(), style).map(Some),
            _ => self.plain_time(slot),
        }
    }
    fn plain_time(&self, slot: usize) -> Result<Option<When>, &'static Reason> {
        match self.cell(slot) {
            Cell::Absent | Cell::Null | Cell::Text { .. } => Ok(None),
            Cell::Whole(n) => moment::from_whole(n).map(Some),
            Cell::Float(value) => moment::from_number(value).map(Some),
            _ => Err(&reason::UNREADABLE_TIME),
        }
    }
    /// The hash of a value that identifies something. The empty text and `null` have the same hash.
    pub fn hash(&self, slot: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self.cell(slot) {
            Cell::Absent | Cell::Null | Cell::Nested => return 0,
            Cell::Bool(value) => value.hash(&mut hasher),
            Cell::Whole(n) => n.to_string().hash(&mut hasher),
            Cell::Negative(n) => n.to_string().hash(&mut hasher),
            Cell::Float(value) => value.to_bits().hash(&mut hasher),
            Cell::Text { .. } => match self.text(slot) {
                Some(text) => text.hash(&mut hasher),
                None => return 0,
            },
            Cell::Long(hash) => return hash,
        }
        hasher.finish()
    }
    /// One bit for each of the first 64 fields; set where the field has a value in this row or in one that
    /// belongs to it.
    pub fn present(&self) -> u64 {
        self.children().iter().fold(self.present, |bits, child| bits | child.present)
    }
}

/// Makes a constant for each field of a format, and the list of their paths.
macro_rules! usage_fields {
    ($($name:ident = $path:literal),+ $(,)?) => {
        const FIELDS: &[&str] = &[$($path),+];
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, dead_code)]
        enum FieldOrder { $($name),+ }
        $(#[allow(dead_code)] const $name: usize = FieldOrder::$name as usize;)+
    };
}
pub(super) use usage_fields;
