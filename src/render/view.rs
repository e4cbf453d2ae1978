//! What a document looks like to a person, before any format is chosen: a list of blocks. One
//! renderer per format turns it into text. Documents never format for a terminal themselves.

use crate::document::envelope::Warning;

/// Output formats every command understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
    Markdown,
    Html,
    Csv,
}

/// A document for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// A part of a view.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Numbered(Vec<String>),
    Table(Table),
    /// Shown as is, in a fixed-width face: commands, terminal charts.
    Code(String),
    Warnings(Vec<Warning>),
}

/// A table. Rows have as many cells as there are columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub caption: Option<String>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub numeric: bool,
    /// Names and ids: on a terminal the other columns wrap first.
    pub whole: bool,
}

/// One cell. Numbers are kept as numbers so that CSV has them bare.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Text(String),
    /// The value, and how a person reads it.
    Number(f64, String),
    /// Not known or not applicable: shown as `–`, empty in CSV.
    None,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::None, Into::into)
    }
}

impl Cell {
    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(value, _) => (*value).into(),
            Self::None => serde_json::Value::Null,
        }
    }
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::None => "–",
        }
    }
}

impl Table {
    /// A table with these columns; a name that starts with `#` is a numeric column, one with `!` is
    /// kept whole as far as half the width allows.
    pub fn new(columns: &[&str]) -> Self {
        Self {
            caption: None,
            columns: columns
                .iter()
                .map(|name| Column {
                    name: name.trim_start_matches(['#', '!']).to_owned(),
                    numeric: name.starts_with('#'),
                    whole: name.starts_with('!'),
                })
                .collect(),
            rows: Vec::new(),
        }
    }
    /// Set the caption.
    #[must_use]
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }
    /// Things beside each other, so that long names have room: a column for each, a row for each
    /// property ([`Self::property`]).
    pub fn beside<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> =
            std::iter::once(String::new()).chain(names.map(|n| format!("#{n}"))).collect();
        Self::new(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }
    /// A property of each of the things; left out where none has it.
    pub fn property(&mut self, name: &str, cells: impl Iterator<Item = Cell>) {
        let cells: Vec<Cell> = std::iter::once(Cell::from(name)).chain(cells).collect();
        if cells[1..].iter().any(|c| *c != Cell::None) {
            self.rows.push(cells);
        }
    }
    /// Add a row of a table whose columns depend on its content.
    pub fn row_of(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }
    /// Add a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }
}

impl View {
    /// An empty view.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), blocks: Vec::new() }
    }
    /// Add a block.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }
    /// Add a heading.
    pub fn heading(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Heading(text.into()))
    }
    /// Add a paragraph.
    pub fn paragraph(&mut self, text: impl Into<String>) -> &mut Self {
        self.push(Block::Paragraph(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> View {
        let mut view = View::new("Title");
        let mut table = Table::new(&["name", "#USD"]).caption("Costs");
        table.row(["a|b".into(), Cell::Number(-1.5, "-1.50".into())]);
        table.row(["=cmd".into(), Cell::None]);
        view.heading("Part").paragraph("Some words.").push(Block::Table(table));
        view.push(Block::Warnings(vec![Warning::new("x", "Careful.")]));
        view
    }

    #[test]
    fn every_format_shows_warnings() {
        let view = sample();
        assert!(view.to_terminal(80).contains("warning: Careful."));
        assert!(view.to_markdown().contains("> **Warning:** Careful."));
        assert!(view.to_html().contains("<strong>Warning:</strong> Careful."));
    }

    #[test]
    fn csv_keeps_numbers_and_disarms_text() {
        assert_eq!(sample().to_csv(), "\"name\",\"USD\"\n\"a|b\",-1.5\n\"'=cmd\",\"\"\n");
    }

    #[test]
    fn terminal_lines_fit() {
        use unicode_width::UnicodeWidthStr as _;
        let mut view = sample();
        let mut wide =
            Table::new(&["a model with a long name", "#payback, months", "note", "another", "#total"]);
        wide.row([
            "provider/a-model-with-a-very-long-name-that-cannot-be-broken-anywhere".into(),
            Cell::Number(12.0, "12.0".into()),
            "words and words and words and words and words".into(),
            "模型的名字很长很长很长很长很长很长很长".into(),
            Cell::Number(1e9, "$1,000,000,000".into()),
        ]);
        view.push(Block::Table(wide)).paragraph("x".repeat(300));
        for width in [20, 40, 60, 80, 100, 200] {
            let text = view.to_terminal(width);
            for line in text.lines() {
                assert!(line.width() <= usize::from(width), "{width}: {line:?}");
            }
            assert!(text.contains("$1,000,000,000"), "{width}");
        }
    }

    #[test]
    fn a_table_that_does_not_fit_becomes_a_list() {
        let mut table = Table::new(&["target", "#failed", "note"]);
        table.row(["local".into(), Cell::Number(0.0, "0 of 9".into()), Cell::None]);
        let mut view = View::new("");
        view.push(Block::Table(table));
        assert_eq!(view.to_terminal(20), "local\n  failed: 0 of 9\n");
        assert!(view.to_terminal(60).contains('│'));
    }
}
