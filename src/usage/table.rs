//! Reads CSV and similar tables record by record. The length of a record is limited: cells may contain
//! commas and line breaks, and a quotation mark that is never closed would make the rest of the file one
//! cell.

use super::text::Text;
use csv_core::ReadRecordResult;
use std::io;

/// The longest record, bytes.
pub const LONGEST_RECORD: usize = 32 << 20;
/// The most columns.
const MOST_COLUMNS: usize = 4096;

/// A table that is being read.
pub struct Table<'t, 'r> {
    text: &'t mut Text<'r>,
    csv: csv_core::Reader,
    out: Vec<u8>,
    ends: Vec<usize>,
    /// Number of cells in the current record.
    cells: usize,
}

impl std::fmt::Debug for Table<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("cells", &self.cells).finish_non_exhaustive()
    }
}

/// The result of reading a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// A record, with the line on which it begins.
    Record {
        line: u64,
        finished: bool,
    },
    /// A record longer than [`LONGEST_RECORD`], which was skipped.
    TooLong {
        line: u64,
    },
    /// A quotation mark that is not closed before the end of the file.
    NeverClosed {
        line: u64,
    },
    End,
}

impl<'t, 'r> Table<'t, 'r> {
    pub fn new(text: &'t mut Text<'r>, delimiter: u8) -> Self {
        let csv = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { text, csv, out: vec![0; 64 << 10], ends: vec![0; 256], cells: 0 }
    }

    /// A cell of the current record, as bytes.
    pub fn cell(&self, n: usize) -> &[u8] {
        if n >= self.cells {
            return &[];
        }
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.out[start..self.ends[n]]
    }
    /// Number of cells in the current record.
    pub const fn cells(&self) -> usize {
        self.cells
    }

    /// Read the next record.
    pub fn read(&mut self) -> io::Result<Read> {
        let (mut out, mut ends) = (0, 0);
        let mut too_long = false;
        if !self.text.skip_blank_lines()? {
            self.cells = 0;
            return Ok(Read::End);
        }
        let line = self.text.line_number() + 1;
        let mut closed = true;
        let mut last = b'\n';
        loop {
            let block = self.text.block()?;
            let at_end = block.is_empty();
            let (result, used, written, cells) =
                self.csv.read_record(block, &mut self.out[out..], &mut self.ends[ends..]);
            if used > 0 {
                last = block[used - 1];
                // The state machine does not report that it is inside quotes; an odd number of them shows
                // it.
                closed ^= memchr::memchr_iter(b'"', &block[..used]).count() % 2 == 1;
            }
            self.text.used(used);
            out += written;
            ends += cells;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.out.len() >= LONGEST_RECORD => {
                    (too_long, out, ends) = (true, 0, 0);
                }
                ReadRecordResult::OutputFull => self.out.resize(self.out.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MOST_COLUMNS => {
                    (too_long, out, ends) = (true, 0, 0);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.cells = if too_long { 0 } else { ends };
                    return Ok(if at_end && !closed {
                        Read::NeverClosed { line }
                    } else if too_long {
                        Read::TooLong { line }
                    } else {
                        Read::Record { line, finished: matches!(last, b'\n' | b'\r') }
                    });
                }
                ReadRecordResult::End => {
                    self.cells = 0;
                    return Ok(Read::End);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<(Read, Vec<String>)> {
        let mut text = Text::open(text.as_bytes()).expect("reads").expect("is text");
        let mut table = Table::new(&mut text, b',');
        let mut out = Vec::new();
        loop {
            let read = table.read().expect("reads");
            if read == Read::End {
                return out;
            }
            let cells = (0..table.cells()).map(|n| String::from_utf8_lossy(table.cell(n)).into_owned());
            out.push((read, cells.collect()));
        }
    }

    #[test]
    fn records_know_their_line_whatever_is_in_their_cells() {
        let found = records("\u{feff}a,b\r\n\"x\ny, \"\"z\"\"\",1\n\n\nc,d");
        let at = |line, finished| Read::Record { line, finished };
        assert_eq!(
            found,
            [
                (at(1, true), vec!["a".into(), "b".into()]),
                (at(2, true), vec!["x\ny, \"z\"".into(), "1".into()]),
                (at(6, false), vec!["c".into(), "d".into()]),
            ]
        );
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_said() {
        let found = records("a,b\n1,2\n\"never,closed\n3,4\n");
        assert_eq!(found.last().map(|(r, _)| *r), Some(Read::NeverClosed { line: 3 }));
    }
}
