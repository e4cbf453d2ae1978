//! A view as GitHub-flavoured Markdown.

use super::view::{Block, Table, View};
use crate::sanitize;
use std::fmt::Write as _;

impl View {
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

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}
