//! What a document looks like to people, before a format is chosen: a list of blocks. One renderer for each
//! format turns it into text; documents contain nothing that is specific to a format.

use super::chart::Chart;
use crate::document::envelope::Warning;

pub use super::table::{Cell, Column, Table};

/// The output formats that every command understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Table,
    Json,
    Markdown,
    Html,
    Csv,
    /// The gates of `--require` as test cases.
    Junit,
    /// The gates that are not met, as findings for GitLab's code quality.
    CodeQuality,
}

/// A document for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// A block of a view.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Heading(String),
    Paragraph(String),
    /// The main sentence, which everything else explains.
    Lead(String),
    /// The few numbers that support it.
    Figures(Vec<Figure>),
    List(Vec<String>),
    Numbered(Vec<String>),
    Table(Table),
    /// A chart; described in words where it cannot be drawn. It is boxed because it is much larger than the
    /// others.
    Chart(Box<Chart>),
    /// Text in a fixed-width font: commands, charts of characters.
    Code(String),
    Warnings(Vec<Warning>),
    /// Blocks that few readers need, under a title; folded where the format can fold.
    More(String, Vec<Block>),
}

/// A number that supports a decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What the number is.
    pub label: String,
    /// The number with its unit.
    pub value: String,
    /// What must be known beside it.
    pub note: String,
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
    /// Only the first chart is kept: a terminal shows one.
    #[must_use]
    pub fn with_one_chart(mut self) -> Self {
        let mut charts = 0;
        self.blocks.retain(|block| {
            charts += usize::from(matches!(block, Block::Chart(_)));
            !matches!(block, Block::Chart(_)) || charts == 1
        });
        self
    }
    /// All charts, including those in folded blocks.
    pub fn all_charts(&self) -> Vec<&Chart> {
        fn of<'a>(blocks: &'a [Block], found: &mut Vec<&'a Chart>) {
            for block in blocks {
                match block {
                    Block::Chart(chart) => found.push(chart),
                    Block::More(_, inner) => of(inner, found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        of(&self.blocks, &mut found);
        found
    }
    /// Add charts.
    pub fn charts(&mut self, charts: impl IntoIterator<Item = Chart>) -> &mut Self {
        self.blocks.extend(charts.into_iter().map(|c| Block::Chart(Box::new(c))));
        self
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
