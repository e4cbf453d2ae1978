//! A view as GitHub-flavoured Markdown, as a person would write it.

use super::chart::Picture;
use super::view::{Block, Table, View};
use crate::sanitize;
use std::fmt::Write as _;

/// Width of a chart that is drawn with characters.
const CHART_WIDTH: usize = 88;
/// The most rows of a table; the document has all of them.
const MOST_ROWS: usize = 200;

/// Files that belong to a Markdown text: names and contents.
pub type Files = Vec<(String, Vec<u8>)>;

impl View {
    /// As GitHub-flavoured Markdown; charts are described in words and drawn with characters.
    pub fn to_markdown(&self) -> String {
        let mut page = Page { out: String::new(), stem: None, picture: Picture::Svg, files: Vec::new() };
        page.view(self);
        page.out
    }

    /// The same, with charts as separate picture files whose names begin with `stem`.
    pub fn to_markdown_with_charts(&self, stem: &str, picture: Picture) -> (String, Files) {
        let mut page = Page { out: String::new(), stem: Some(stem.to_owned()), picture, files: Vec::new() };
        page.view(self);
        (page.out, page.files)
    }
}

struct Page {
    out: String,
    stem: Option<String>,
    picture: Picture,
    files: Files,
}

impl Page {
    fn view(&mut self, view: &View) {
        if !view.title.is_empty() {
            let _ = writeln!(self.out, "# {}", sanitize::markdown(&view.title));
        }
        self.blocks(&view.blocks);
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            if !self.out.is_empty() {
                self.out.push('\n');
            }
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        let out = &mut self.out;
        match block {
            Block::Heading(text) => {
                let _ = writeln!(out, "## {}", sanitize::markdown(text));
            }
            Block::Paragraph(text) => {
                let _ = writeln!(out, "{}", sanitize::markdown(text));
            }
            Block::Lead(text) => {
                let _ = writeln!(out, "**{}**", sanitize::markdown(text));
            }
            Block::Figures(figures) => {
                for f in figures {
                    let note = if f.note.is_empty() { String::new() } else { format!(" ({})", f.note) };
                    let text = sanitize::markdown(&format!("{}{note}", f.value));
                    let _ = writeln!(out, "- **{}:** {text}", sanitize::markdown(&f.label));
                }
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
            Block::Table(table) => markdown_table(out, table),
            Block::Chart(chart) => {
                let words = format!("{}. {}", chart.title, chart.alt);
                let _ = writeln!(out, "{}", sanitize::markdown(&words));
                if let Some(stem) = &self.stem {
                    let name =
                        format!("{stem}-{}{}.{}", chart.id, self.again(chart.id), self.picture.ending());
                    let _ = writeln!(
                        self.out,
                        "\n![{}](<{}>)",
                        sanitize::markdown(&chart.title),
                        sanitize::destination(&name)
                    );
                    self.files.push((name, chart.to_file(self.picture)));
                } else {
                    let lines = chart.to_lines(CHART_WIDTH);
                    if !lines.is_empty() {
                        out.push('\n');
                        // The first line is the title, which is printed above.
                        fenced(out, &lines[1..].join("\n"));
                    }
                }
            }
            Block::More(title, blocks) => {
                let _ = writeln!(out, "<details>\n<summary>{}</summary>", sanitize::html(title));
                self.blocks(blocks);
                self.out.push_str("\n</details>\n");
            }
            Block::Code(text) => fenced(out, text),
            Block::Warnings(warnings) => {
                for (n, w) in warnings.iter().enumerate() {
                    if n > 0 {
                        out.push_str(">\n");
                    }
                    let _ = writeln!(out, "> **Warning:** {}", sanitize::markdown(&w.message));
                }
            }
        }
    }

    /// `-2` and so on, for the second file of the same chart.
    fn again(&self, id: &str) -> String {
        let before = self.files.iter().filter(|(name, _)| name.contains(&format!("-{id}"))).count();
        if before == 0 { String::new() } else { format!("-{}", before + 1) }
    }
}

fn fenced(out: &mut String, text: &str) {
    let text = sanitize::terminal(text);
    let fence = "`".repeat(3.max(longest_run(&text, '`') + 1));
    let _ = writeln!(out, "{fence}\n{}\n{fence}", text.trim_end());
}

fn markdown_table(out: &mut String, table: &Table) {
    if let Some(caption) = &table.caption {
        let _ = writeln!(out, "{}\n", sanitize::markdown(caption));
    }
    let names: Vec<String> = table.columns.iter().map(|c| sanitize::markdown_cell(&c.name)).collect();
    let rules: Vec<&str> = table.columns.iter().map(|c| if c.numeric { "---:" } else { "---" }).collect();
    let _ = writeln!(out, "| {} |\n| {} |", names.join(" | "), rules.join(" | "));
    for row in table.rows.iter().take(MOST_ROWS) {
        let cells: Vec<String> = row.iter().map(|c| sanitize::markdown_cell(c.shown())).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if table.rows.len() > MOST_ROWS {
        let _ = writeln!(out, "\n{} more rows are in the document.", table.rows.len() - MOST_ROWS);
    }
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}
