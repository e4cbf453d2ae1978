//! What a document looks like to a person, before any format is chosen: a list of blocks. One
//! renderer per format turns it into text. Documents never format for a terminal themselves.

use super::envelope::Warning;
use super::sanitize;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};
use std::fmt::Write as _;

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
    fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(value, _) => (*value).into(),
            Self::None => serde_json::Value::Null,
        }
    }
    fn shown(&self) -> &str {
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

    /// For a terminal `width` columns wide.
    pub fn to_terminal(&self, width: u16) -> String {
        let mut out = String::new();
        let title = sanitize::line(&self.title, 200);
        if !title.is_empty() {
            let _ = writeln!(out, "{title}\n{}", "=".repeat(title.chars().count()));
        }
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => {
                    let text = sanitize::line(text, 200);
                    let _ = writeln!(out, "{text}\n{}", "-".repeat(text.chars().count()));
                }
                Block::Paragraph(text) => wrap(&mut out, &sanitize::terminal(text), width, "", ""),
                Block::List(items) => {
                    for item in items {
                        wrap(&mut out, &sanitize::terminal(item), width, "- ", "  ");
                    }
                }
                Block::Numbered(items) => {
                    for (n, item) in items.iter().enumerate() {
                        wrap(&mut out, &sanitize::terminal(item), width, &format!("{}. ", n + 1), "   ");
                    }
                }
                Block::Table(table) => terminal_table(&mut out, table, width),
                Block::Code(text) => {
                    for line in sanitize::terminal(text).lines() {
                        let _ = writeln!(out, "  {line}");
                    }
                }
                Block::Warnings(warnings) => {
                    for w in warnings {
                        wrap(&mut out, &sanitize::terminal(&w.message), width, "warning: ", "         ");
                    }
                }
            }
        }
        out
    }

    /// GitHub-flavoured Markdown.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        if !self.title.is_empty() {
            let _ = writeln!(out, "# {}", sanitize::markdown(&self.title));
        }
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => {
                    let _ = writeln!(out, "## {}", sanitize::markdown(text));
                }
                Block::Paragraph(text) => {
                    let _ = writeln!(out, "{}", sanitize::markdown(text));
                }
                Block::List(items) => {
                    for item in items {
                        let _ = writeln!(out, "- {}", sanitize::markdown(item));
                    }
                }
                Block::Numbered(items) => {
                    for (n, item) in items.iter().enumerate() {
                        let _ = writeln!(out, "{}. {}", n + 1, sanitize::markdown(item));
                    }
                }
                Block::Table(table) => markdown_table(&mut out, table),
                Block::Code(text) => {
                    let text = sanitize::terminal(text);
                    let fence = "`".repeat(3.max(longest_run(&text, '`') + 1));
                    let _ = writeln!(out, "{fence}\n{}\n{fence}", text.trim_end());
                }
                Block::Warnings(warnings) => {
                    for w in warnings {
                        let _ = writeln!(out, "> **Warning:** {}", sanitize::markdown(&w.message));
                    }
                }
            }
        }
        out
    }

    /// One self-contained page: no script, nothing loaded from elsewhere.
    pub fn to_html(&self) -> String {
        let mut out = String::from(HTML_HEAD);
        let title = sanitize::html(&self.title);
        let _ = writeln!(
            out,
            "<title>{title}</title>\n<style>{HTML_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
        );
        for block in &self.blocks {
            match block {
                Block::Heading(text) => {
                    let _ = writeln!(out, "<h2>{}</h2>", sanitize::html(text));
                }
                Block::Paragraph(text) => {
                    let _ = writeln!(out, "<p>{}</p>", sanitize::html(text));
                }
                Block::List(items) => html_list(&mut out, "ul", items),
                Block::Numbered(items) => html_list(&mut out, "ol", items),
                Block::Table(table) => html_table(&mut out, table),
                Block::Code(text) => {
                    let _ = writeln!(out, "<pre>{}</pre>", sanitize::html(text));
                }
                Block::Warnings(warnings) => {
                    for w in warnings {
                        let _ = writeln!(
                            out,
                            "<p class=\"warning\"><strong>Warning:</strong> {}</p>",
                            sanitize::html(&w.message)
                        );
                    }
                }
            }
        }
        out.push_str("</body>\n</html>\n");
        out
    }

    /// The tables as data: `[{"title", "columns", "rows"}]`, numbers bare, unknown `null`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut title = self.title.as_str();
        let mut tables = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Heading(text) => title = text,
                Block::Table(table) => tables.push(serde_json::json!({
                    "title": title,
                    "columns": table.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
                    "rows": table.rows.iter().map(|r| r.iter().map(Cell::json).collect::<Vec<_>>()).collect::<Vec<_>>(),
                })),
                Block::List(items) | Block::Numbered(items) => {
                    tables.push(serde_json::json!({ "title": title, "items": items }));
                }
                _ => {}
            }
        }
        serde_json::to_string_pretty(&tables)
    }

    /// Every table, one after the other, an empty line between them. Documents with a natural
    /// table of their own (month by month) write that instead.
    pub fn to_csv(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            let Block::Table(table) = block else { continue };
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&table.to_csv());
        }
        out
    }
}

impl Table {
    /// RFC 4180, text always quoted, numbers bare.
    pub fn to_csv(&self) -> String {
        let mut writer =
            csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
        let header: Vec<String> = self.columns.iter().map(|c| sanitize::csv_text(&c.name)).collect();
        // Writing to memory cannot fail, and every row has the header's length.
        let _ = writer.write_record(&header);
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .map(|cell| match cell {
                    Cell::Text(text) => sanitize::csv_text(text),
                    Cell::Number(value, _) => value.to_string(),
                    Cell::None => String::new(),
                })
                .collect();
            let _ = writer.write_record(&cells);
        }
        String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
    }
}

/// Words into lines of at most `width` columns; a word that is longer is cut.
fn wrap(out: &mut String, text: &str, width: u16, first: &str, rest: &str) {
    use unicode_width::UnicodeWidthStr as _;
    let width = usize::from(width.max(20));
    for (n, line) in text.lines().enumerate() {
        let mut prefix = if n == 0 { first } else { rest };
        let mut used = 0;
        for word in
            line.split_whitespace().flat_map(|word| pieces(word, width - rest.width().max(first.width())))
        {
            if used > 0 && prefix.width() + used + 1 + word.width() > width {
                out.push('\n');
                prefix = rest;
                used = 0;
            }
            if used == 0 {
                out.push_str(prefix);
            } else {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += word.width();
        }
        out.push('\n');
    }
}

/// A word in pieces of at most `width` columns.
fn pieces(word: &str, width: usize) -> Vec<&str> {
    use unicode_width::UnicodeWidthChar as _;
    let (mut found, mut start, mut used) = (Vec::new(), 0, 0);
    for (at, c) in word.char_indices() {
        let w = c.width().unwrap_or(0);
        if used + w > width && at > start {
            found.push(&word[start..at]);
            (start, used) = (at, 0);
        }
        used += w;
    }
    found.push(&word[start..]);
    found
}

/// A text column narrower than this reads worse than a list does.
const NARROWEST_TEXT: usize = 16;

/// Columns where they fit, each row as a list of its own where they do not.
fn terminal_table(out: &mut String, table: &Table, width: u16) {
    if let Some(caption) = &table.caption {
        wrap(out, &sanitize::terminal(caption), width, "", "");
    }
    let least: Vec<usize> = (0..table.columns.len()).map(|n| least_width(table, n, width)).collect();
    // Two characters of padding and one of border per column, and the border on the left.
    if least.iter().map(|w| w + 3).sum::<usize>() + 1 > usize::from(width) {
        return terminal_records(out, table, width);
    }
    let mut drawn = comfy_table::Table::new();
    drawn
        .load_style(comfy_table::presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    drawn.set_header(
        table
            .columns
            .iter()
            .map(|c| comfy_table::Cell::new(sanitize::line(&c.name, 60)).set_alignment(alignment(c))),
    );
    for row in &table.rows {
        drawn.add_row(row.iter().zip(&table.columns).map(|(cell, column)| {
            comfy_table::Cell::new(sanitize::line(cell.shown(), 400)).set_alignment(alignment(column))
        }));
    }
    for (n, least) in least.into_iter().enumerate() {
        if let Some(column) = drawn.column_mut(n) {
            let width = Width::Fixed(u16::try_from(least + 2).unwrap_or(u16::MAX));
            column.set_constraint(ColumnConstraint::LowerBoundary(width));
        }
    }
    for line in drawn.lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// Numbers never wrap, ids hardly, text not below [`NARROWEST_TEXT`], headings only between words.
fn least_width(table: &Table, column: usize, width: u16) -> usize {
    use unicode_width::UnicodeWidthStr;
    let name = sanitize::line(&table.columns[column].name, 60);
    let word = name.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
    let widest = table
        .rows
        .iter()
        .filter_map(|r| r.get(column))
        .map(|cell| sanitize::line(cell.shown(), 400).width())
        .max()
        .unwrap_or(0);
    let most = match &table.columns[column] {
        Column { whole: true, .. } => usize::from(width / 2),
        Column { numeric: true, .. } => 24,
        _ => NARROWEST_TEXT,
    };
    widest.min(most).max(word)
}

/// The first cell as a title, the others below it by the names of their columns.
fn terminal_records(out: &mut String, table: &Table, width: u16) {
    for (n, row) in table.rows.iter().enumerate() {
        if n > 0 {
            out.push('\n');
        }
        let mut cells = row.iter().zip(&table.columns);
        if let Some((first, _)) = cells.next() {
            wrap(out, &sanitize::line(first.shown(), 400), width, "", "  ");
        }
        for (cell, column) in cells.filter(|(cell, _)| **cell != Cell::None) {
            let text = format!("{}: {}", sanitize::line(&column.name, 60), sanitize::line(cell.shown(), 400));
            wrap(out, &text, width, "  ", "    ");
        }
    }
}

fn alignment(column: &Column) -> CellAlignment {
    if column.numeric { CellAlignment::Right } else { CellAlignment::Left }
}

fn markdown_table(out: &mut String, table: &Table) {
    if let Some(caption) = &table.caption {
        let _ = writeln!(out, "{}\n", sanitize::markdown(caption));
    }
    let names: Vec<String> = table.columns.iter().map(|c| sanitize::markdown(&c.name)).collect();
    let rules: Vec<&str> = table.columns.iter().map(|c| if c.numeric { "---:" } else { "---" }).collect();
    let _ = writeln!(out, "| {} |\n| {} |", names.join(" | "), rules.join(" | "));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|c| sanitize::markdown(c.shown())).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

fn html_list(out: &mut String, tag: &str, items: &[String]) {
    let _ = writeln!(out, "<{tag}>");
    for item in items {
        let _ = writeln!(out, "<li>{}</li>", sanitize::html(item));
    }
    let _ = writeln!(out, "</{tag}>");
}

fn html_table(out: &mut String, table: &Table) {
    out.push_str("<div class=\"scroll\"><table>\n");
    if let Some(caption) = &table.caption {
        let _ = writeln!(out, "<caption>{}</caption>", sanitize::html(caption));
    }
    out.push_str("<thead><tr>");
    for c in &table.columns {
        let class = if c.numeric { " class=\"n\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", sanitize::html(&c.name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (cell, c) in row.iter().zip(&table.columns) {
            let class = if c.numeric { " class=\"n\"" } else { "" };
            let _ = write!(out, "<td{class}>{}</td>", sanitize::html(cell.shown()));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

const HTML_HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
"#;

const HTML_STYLE: &str = "
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}caption{text-align:left;padding:.3rem 0;color:#555}
th,td{padding:.3rem .6rem;border-bottom:1px solid #ddd;text-align:left;vertical-align:top}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}pre{background:#f5f5f5;padding:.8rem;overflow-x:auto}
.warning{border-left:4px solid #b45309;padding-left:.8rem}.scroll{overflow-x:auto}
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}th,td{border-color:#333}pre{background:#222}caption{color:#aaa}}
";

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
