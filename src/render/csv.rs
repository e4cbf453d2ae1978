//! The tables of a view as CSV, and as bare data in JSON.

use super::view::{Block, Cell, Table, View};
use crate::sanitize;

impl View {
    /// The tables as JSON: `[{"title", "columns", "rows"}]`, with plain numbers, and `null` for unknown
    /// values.
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
        crate::document::json::pretty(&tables)
    }

    /// All tables, separated by empty lines. Documents with a table of their own for spreadsheets (such as
    /// the cash flow) write that instead.
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
    /// The table as CSV by RFC 4180: text is always quoted, numbers are plain.
    pub fn to_csv(&self) -> String {
        let mut writer =
            csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).from_writer(Vec::new());
        let header: Vec<String> = self.columns.iter().map(|c| sanitize::csv_text(&c.name)).collect();
        // Writing to memory cannot fail, and every row has as many cells as the header.
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
