//! What a format consists of: the fields it reads, the marks it is recognised by, and a function from a row
//! to records.

use super::collect::Collector;
use super::record::{Reason, Skip, reason};
use super::row::Row;

/// Makes records from files of one format. A single reader sees all files of its format in the given order,
/// so that it can follow what spans several files (resumed sessions, counters of a server).
pub trait Reader {
    /// A file begins.
    fn open(&mut self, _out: &mut Collector) {}
    /// A row of a table, or an object of a log.
    ///
    /// # Errors
    ///
    /// Why the row is not counted.
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
    /// Its name, as `--from` takes it.
    pub name: &'static str,
    /// What it is, and where people find it, in a few words.
    pub about: &'static str,
    /// Paths of its fields, see `super::row`; nothing else is read.
    pub fields: &'static [&'static str],
    /// Lists whose elements are rows, in addition to the file itself: `data[]`.
    pub rows: &'static [&'static str],
    /// Keys whose value is the row itself, as an object or as JSON in a string.
    pub same: &'static [&'static str],
    /// Sets of marks: a file is of this format if it has all marks of one set. A mark is a path as in
    /// `fields`, with `[]` for lists, or the name of a column.
    pub marks: &'static [&'static [&'static str]],
    /// It may also be a text whose lines the reader parses.
    pub lines: bool,
    /// Words of which such a text contains at least one; in JSON they are required beside the marks.
    pub words: &'static [&'static str],
    /// The reason under which a row without any use is skipped.
    pub zero: &'static Reason,
    pub reader: fn() -> Box<dyn Reader>,
}

impl Format {
    /// Defaults for the parts that most formats share.
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

/// Is this a model that makes embeddings, by its name?
pub fn is_embedding(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.contains("embed") || model.contains("voyage-") || model.contains("bge-")
}

/// Numbers rows of a bucket that are otherwise identical. Reading the same export twice then gives the same
/// ids, while two such rows of one export remain two.
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
