//! From files to [`Usage`]: the format of each file is recognised, its rows are read, and they are added
//! up.
//!
//! ```
//! # use freehold::usage::{Import, Settings};
//! let log = r#"{"model":"m","created":1788771600,"usage":{"prompt_tokens":12,"completion_tokens":3}}"#;
//! let mut import = Import::new(Settings::default(), None);
//! import.read(log.as_bytes()).expect("a format it knows");
//! assert_eq!(import.finish().totals.input, 12);
//! ```

use super::collect::{Collector, Price};
use super::format::generic::{self, Fields, Generic};
use super::mapping::Mapping;
use super::reader::{Format, Reader};
use super::recognise::{self, Container, Mixed, Unknown};
use super::record::{Skip, reason};
use super::row::{Column, Layout, Row, RowReader};
use super::summary::{Note, Usage};
use super::table::{self, Table};
use super::text::{Foreign, LONGEST_LINE, Text};
use jiff::tz::TimeZone;
use std::cell::Cell;
use std::io::{self, BufReader, Read};

/// Settings of an import.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The present in seconds since 1970: records more than a day later cannot be true. `None` accepts all
    /// times.
    pub now: Option<i64>,
    /// Days and hours of the week are also counted in this zone, beside UTC.
    pub zone: TimeZone,
    /// Read every file as this format.
    pub from: Option<&'static Format>,
    /// The meaning of columns in files of an unknown format; for all files if `from` is the generic one.
    pub mapping: Option<Mapping>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { now: None, zone: TimeZone::UTC, from: None, mapping: None }
    }
}

/// Why a file was not read. None of these contains a text of the file or a path.
#[derive(Debug)]
pub enum Unreadable {
    Io(io::Error),
    /// The file is not text.
    Foreign(Foreign),
    /// The format is unknown.
    Unknown(Unknown),
    /// The file has rows of several formats.
    Mixed(Mixed),
    /// A table has none of the columns that the mapping names; with those that it has.
    NoSuchColumns {
        wanted: Vec<String>,
        found: Unknown,
    },
    /// The format can only be read with a mapping.
    NoMapping,
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Why reading failed, in words that contain no path.
pub fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => "its gzip data is damaged".to_owned(),
        io::ErrorKind::UnexpectedEof => "its gzip data ends too early".to_owned(),
        kind => kind.to_string(),
    }
}

/// The result of reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has records of this format.
    Read(&'static str),
    /// It is empty.
    Empty,
}

/// A format of which files are read.
struct Source {
    format: &'static Format,
    layout: Layout,
    /// The keys around the rows of the current file, see [`recognise::Recognised`].
    inside: Vec<String>,
    reader: Box<dyn Reader>,
    /// The user's names of the fields, if a mapping gave them.
    names: Vec<String>,
    /// Memory for rows, which is reused.
    rows: Vec<Row>,
}

/// Reads files one after the other.
pub struct Import<'p> {
    settings: Settings,
    collector: Collector<'p>,
    sources: Vec<Source>,
    files: u32,
}

impl std::fmt::Debug for Import<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import").field("files", &self.files).finish_non_exhaustive()
    }
}

impl<'p> Import<'p> {
    /// `price` returns the charge for each record that is counted, see [`super::collect::Priced`].
    pub fn new(settings: Settings, price: Option<Price<'p>>) -> Self {
        let collector = Collector::new(settings.now, settings.zone.clone(), price);
        Self { settings, collector, sources: Vec::new(), files: 0 }
    }

    /// Read a file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read; what was read of it before (from a broken pipe, say) is still
    /// counted.
    pub fn read(&mut self, from: impl Read) -> Result<Outcome, Unreadable> {
        self.files += 1;
        let mut text = Text::open(from)?.map_err(Unreadable::Foreign)?;
        let (head, all) = text.head()?;
        let (container, format, inside) = if let Some(format) = self.settings.from {
            let Some(container) = recognise::container(head, all) else { return Ok(Outcome::Empty) };
            let is_json = matches!(container, Container::Json | Container::JsonLines);
            let inside = if is_json { recognise::inside(head, format) } else { Vec::new() };
            (if format.lines && !is_json { Container::Lines } else { container }, format, inside)
        } else {
            let found = recognise::recognise(head, all);
            // With a mapping the rows are read by it, even if they are of several formats.
            let found = match (found, &self.settings.mapping) {
                (Err(_), Some(_)) => {
                    let container = Container::JsonLines;
                    Some(recognise::Recognised { container, format: None, inside: Vec::new() })
                }
                (found, _) => found.map_err(Unreadable::Mixed)?,
            };
            let Some(found) = found else { return Ok(Outcome::Empty) };
            // A mapping takes precedence: the user has said what is to be read.
            let format = match (&self.settings.mapping, found.format) {
                (Some(_), _) => &generic::FORMAT,
                (None, Some(format)) => format,
                (None, None) => {
                    let unknown = recognise::describe(head, all, found.container);
                    return Err(Unreadable::Unknown(unknown));
                }
            };
            (found.container, format, found.inside)
        };
        let container = match (container, self.settings.mapping.as_ref().and_then(|m| m.delimiter)) {
            (Container::Table(_) | Container::Lines, Some(mark)) if format.name == generic::FORMAT.name => {
                Container::Table(mark)
            }
            (container, _) => container,
        };
        let found = recognise::describe(head, all, container);
        let at = self.source(format)?;
        let source = &mut self.sources[at];
        if source.inside != inside {
            source.layout =
                Layout::new(format.fields.iter().copied(), format.rows, format.same).inside(&inside);
            source.inside = inside;
        }
        self.collector.enter(format.name, format.zero);
        self.collector.begin_file(self.files);
        source.reader.open(&mut self.collector);
        let mut run = Run { source, out: &mut self.collector, present: [0; 64] };
        let read = match container {
            Container::JsonLines => run.json_lines(&mut text),
            Container::Json => run.json(text),
            Container::Table(mark) => run.table(&mut text, mark, found),
            Container::Lines => run.lines(&mut text),
        };
        let Run { source, present, out } = run;
        source.reader.close(out);
        for (slot, records) in present.iter().enumerate().filter(|(_, n)| **n > 0) {
            let given = source.names.get(slot).cloned();
            let name = given.or_else(|| format.fields.get(slot).map(|path| shown(path)));
            out.field(&name.unwrap_or_default(), *records);
        }
        read.map(|()| Outcome::Read(format.name))
    }

    fn source(&mut self, format: &'static Format) -> Result<usize, Unreadable> {
        if let Some(at) = self.sources.iter().position(|s| s.format.name == format.name) {
            return Ok(at);
        }
        let is_generic = format.name == generic::FORMAT.name;
        let (layout, reader, names): (_, Box<dyn Reader>, _) = if is_generic {
            let mapping = self.settings.mapping.clone().ok_or(Unreadable::NoMapping)?;
            let fields = Fields::of(&mapping);
            (fields.layout(), Box::new(Generic::new(mapping)), fields.names())
        } else {
            let layout = Layout::new(format.fields.iter().copied(), format.rows, format.same);
            (layout, (format.reader)(), Vec::new())
        };
        self.sources.push(Source { format, layout, inside: Vec::new(), reader, names, rows: Vec::new() });
        Ok(self.sources.len() - 1)
    }

    /// The summary of all files.
    pub fn finish(mut self) -> Usage {
        self.collector.at_line(0);
        for source in &mut self.sources {
            self.collector.enter(source.format.name, source.format.zero);
            source.reader.finish(&mut self.collector);
        }
        self.collector.finish()
    }
}

/// A path as people write it.
fn shown(path: &str) -> String {
    let steps = path.split('/').map(|step| step.split(['{', '*', '#']).next().unwrap_or(step));
    steps.collect::<Vec<_>>().join(".")
}

/// The longest part of a JSON document without a row, bytes.
const LONGEST_GAP: u64 = 2 * LONGEST_LINE as u64;

/// A file that is being read.
struct Run<'a, 'p> {
    source: &'a mut Source,
    out: &'a mut Collector<'p>,
    /// For each of the first fields, the number of rows in which it has a value.
    present: [u64; 64],
}

impl Run<'_, '_> {
    /// Read JSON values from `json` until the end.
    fn values<'de, R: serde_json::de::Read<'de>>(
        &mut self,
        json: &mut serde_json::Deserializer<R>,
        seen: impl Fn(),
    ) -> serde_json::Result<()> {
        let Source { layout, reader, rows, .. } = &mut *self.source;
        let (out, present) = (&mut *self.out, &mut self.present);
        let mut emit = |row: &Row| {
            seen();
            count_present(row, present);
            if let Err(skip) = reader.row(row, out) {
                out.skip(skip);
            }
        };
        let mut reader = RowReader::new(layout, rows, &mut emit);
        let mut result = reader.value(&mut *json);
        while result.is_ok() && json.end().is_err() {
            result = reader.value(&mut *json);
        }
        *rows = reader.into_rows();
        result
    }

    fn json_lines(&mut self, text: &mut Text) -> Result<(), Unreadable> {
        while let Some(line) = text.next_line()? {
            self.out.at_line(line.number);
            if line.too_long {
                self.out.skip(&reason::TOO_LONG);
                continue;
            }
            let bytes = text.of(line).trim_ascii();
            if bytes.is_empty() {
                continue;
            }
            let good = matches!(bytes[0], b'{' | b'[')
                && self.values(&mut serde_json::Deserializer::from_slice(bytes), || ()).is_ok();
            if !good {
                // The last line of a log that is still being written is rarely complete.
                self.out.skip(if line.finished { &reason::DAMAGED } else { &reason::TORN });
            }
        }
        Ok(())
    }

    fn json(&mut self, mut text: Text) -> Result<(), Unreadable> {
        text.skip_blank()?;
        let gap = Cell::new(0);
        let guarded = Guarded { from: text, gap: &gap };
        let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(64 << 10, guarded));
        let Err(error) = self.values(&mut json, || gap.set(0)) else { return Ok(()) };
        self.out.at_line(error.line() as u64);
        match error.classify() {
            serde_json::error::Category::Io if gap.get() > LONGEST_GAP => self.out.skip(&reason::TOO_LONG),
            serde_json::error::Category::Io => return Err(Unreadable::Io(error.into())),
            serde_json::error::Category::Eof => self.out.skip(&reason::TORN),
            _ => self.out.skip(&reason::DAMAGED),
        }
        Ok(())
    }

    fn table(&mut self, text: &mut Text, mark: u8, found: Unknown) -> Result<(), Unreadable> {
        let mut table = Table::new(text, mark);
        let table::Read::Record { .. } = table.read()? else { return Ok(()) };
        let names: Vec<Vec<u8>> = (0..table.cells()).map(|n| table.cell(n).to_vec()).collect();
        let columns: Vec<(usize, Column)> = names
            .iter()
            .enumerate()
            .filter_map(|(n, name)| Some((n, self.source.layout.column(&String::from_utf8_lossy(name))?)))
            .collect();
        if columns.is_empty() {
            let wanted = if self.source.names.is_empty() {
                self.source.format.fields.iter().map(|path| shown(path)).collect()
            } else {
                self.source.names.clone()
            };
            return Err(Unreadable::NoSuchColumns { wanted, found });
        }
        let mut row = Row::default();
        loop {
            let (line, finished) = match table.read()? {
                table::Read::Record { line, finished } => (line, finished),
                table::Read::TooLong { line } => {
                    self.out.at_line(line);
                    self.out.skip(&reason::TOO_LONG);
                    continue;
                }
                table::Read::NeverClosed { line } => {
                    self.out.at_line(line);
                    self.out.skip(&reason::NEVER_CLOSED);
                    return Ok(());
                }
                table::Read::End => return Ok(()),
            };
            self.out.at_line(line);
            // Concatenated exports repeat the header.
            if table.cells() == names.len() && (0..names.len()).all(|n| table.cell(n) == names[n]) {
                continue;
            }
            if table.cells() != names.len() {
                self.out.skip(if finished { &reason::DAMAGED } else { &reason::TORN_ROW });
                continue;
            }
            row.clear(self.source.layout.fields());
            for (n, column) in &columns {
                let cell = table.cell(*n);
                if cell.is_empty() {
                    continue;
                }
                let text = String::from_utf8_lossy(cell);
                if matches!(text, std::borrow::Cow::Owned(_)) {
                    self.out.note(Note::NotUtf8);
                }
                self.source.layout.fill(*column, text.trim(), &mut row);
            }
            count_present(&row, &mut self.present);
            if let Err(skip) = self.source.reader.row(&row, self.out) {
                self.out.skip(skip);
            }
        }
    }

    fn lines(&mut self, text: &mut Text) -> Result<(), Unreadable> {
        while let Some(line) = text.next_line()? {
            self.out.at_line(line.number);
            if line.too_long {
                self.out.skip(&reason::TOO_LONG);
                continue;
            }
            let Ok(plain) = std::str::from_utf8(text.of(line)) else {
                self.out.skip(&reason::DAMAGED);
                continue;
            };
            if let Err(skip) = self.source.reader.line(plain, self.out) {
                let damaged = skip == Skip::of(&reason::DAMAGED) && !line.finished;
                self.out.skip(if damaged { Skip::of(&reason::TORN_ROW) } else { skip });
            }
        }
        Ok(())
    }
}

fn count_present(row: &Row, present: &mut [u64; 64]) {
    let mut bits = row.present();
    while bits != 0 {
        present[bits.trailing_zeros() as usize] += 1;
        bits &= bits - 1;
    }
}

/// Stops reading a document if no row comes for too long; otherwise a string of a gigabyte would be kept in
/// memory.
struct Guarded<'g, R> {
    from: R,
    /// Bytes since the last row.
    gap: &'g Cell<u64>,
}

impl<R: Read> Read for Guarded<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.gap.get() > LONGEST_GAP {
            return Err(io::Error::other("no record for too long"));
        }
        let n = self.from.read(out)?;
        self.gap.set(self.gap.get() + n as u64);
        Ok(n)
    }
}
