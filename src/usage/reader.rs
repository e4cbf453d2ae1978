//! What a format is: a table of the fields it reads, the marks it is recognised by, and a function from a
//! row to records.

use super::collect::Collector;
use super::record::{Reason, Skip, reason};
use super::row::Row;

/// Turns what one format writes into records. One reader sees all files of its format, in the order
/// given, so that what spans files (resumed sessions, counters of a server) is seen whole.
pub trait Reader {
    /// A file begins.
    fn open(&mut self, _out: &mut Collector) {}
    /// A row of a table or an object of a log. `Err` is why it is not counted.
    fn row(&mut self, row: &Row, out: &mut Collector) -> Result<(), Skip>;
    /// A line of a text log; only for formats with `lines`.
    fn line(&mut self, _line: &str, _out: &mut Collector) -> Result<(), Skip> {
        Ok(())
    }
    /// A file ends.
    fn close(&mut self, _out: &mut Collector) {}
    /// All files were read.
    fn finish(&mut self, _out: &mut Collector) {}
}

/// A format.
#[derive(Debug)]
pub struct Format {
    /// As `--from` takes it.
    pub name: &'static str,
    /// What it is and where people find it, in a few words.
    pub about: &'static str,
    /// The paths of the fields, see `super::row`; nothing else is read.
    pub fields: &'static [&'static str],
    /// Lists whose elements are rows, besides the file itself: `data[]`.
    pub rows: &'static [&'static str],
    /// Keys that hold the row, as an object or as JSON in a string.
    pub same: &'static [&'static str],
    /// A file is of this format if all marks of one set are in it. Marks are paths as in `fields`, with
    /// `[]` for lists; column names in tables.
    pub marks: &'static [&'static [&'static str]],
    /// It may be a text of lines, which the reader takes one by one.
    pub lines: bool,
    /// Words of which one is in any such text, and in JSON beside the marks.
    pub words: &'static [&'static str],
    /// What a row without any use is called.
    pub zero: &'static Reason,
    pub reader: fn() -> Box<dyn Reader>,
}

impl Format {
    /// The parts that most formats share.
    pub const PLAIN: Self = Self {
        name: "",
        about: "",
        fields: &[],
        rows: &[],
        same: &[],
        marks: &[],
        lines: false,
        words: &[],
        zero: &reason::ZERO_ROW,
        reader: || Box::new(Nothing),
    };
}

/// A reader that reads nothing.
struct Nothing;

impl Reader for Nothing {
    fn row(&mut self, _: &Row, _: &mut Collector) -> Result<(), Skip> {
        Ok(())
    }
}

/// The model makes vectors, not text.
pub fn is_embedding(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.contains("embed") || model.contains("voyage-") || model.contains("bge-")
}

/// Numbers the rows of a bucket that nothing tells apart, so that the same export read twice is one
/// and two rows of one export are two.
#[derive(Debug, Default)]
pub struct Occurrences(std::collections::HashMap<u64, u32>);

impl Occurrences {
    /// A new file, or a new page of one.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// The n-th row of this key.
    pub fn next(&mut self, key: u64) -> u64 {
        let n = self.0.entry(key).or_default();
        *n += 1;
        super::ids::key("occurrence", (key, *n))
    }
}
