//! A view for a terminal of a given width. No line is wider, and numbers are never wrapped.

use super::view::{Block, Cell, Column, Table, View};
use crate::sanitize;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width};
use std::fmt::Write as _;

impl View {
    /// For a terminal `width` columns wide.
    pub fn to_terminal(&self, width: u16) -> String {
        let mut out = String::new();
        let title = sanitize::line(&self.title, 200);
        if !title.is_empty() {
            let _ = writeln!(out, "{title}\n{}", "=".repeat(title.chars().count()));
        }
        terminal_blocks(&mut out, &self.blocks, width);
        // A line that begins within a text can look like a command to a CI system, too.
        sanitize::no_commands(&out)
    }
}

fn terminal_blocks(out: &mut String, blocks: &[Block], width: u16) {
    for block in blocks {
        let lines = match block {
            Block::Chart(chart) => chart.to_lines(usize::from(width)),
            _ => Vec::new(),
        };
        if matches!(block, Block::Chart(_)) && lines.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        match block {
            Block::Heading(text) => {
                let text = sanitize::line(text, 200);
                let _ = writeln!(out, "{text}\n{}", "-".repeat(text.chars().count()));
            }
            Block::Paragraph(text) | Block::Lead(text) => wrap(out, &sanitize::terminal(text), width, "", ""),
            Block::List(items) => {
                for item in items {
                    wrap(out, &sanitize::terminal(item), width, "- ", "  ");
                }
            }
            Block::Numbered(items) => {
                for (n, item) in items.iter().enumerate() {
                    wrap(out, &sanitize::terminal(item), width, &format!("{}. ", n + 1), "   ");
                }
            }
            Block::Table(table) => terminal_table(out, table, width),
            Block::Chart(_) => {
                for line in lines {
                    let _ = writeln!(out, "{}", line.trim_end());
                }
            }
            Block::Figures(figures) => {
                for f in figures {
                    let note = if f.note.is_empty() { String::new() } else { format!(" ({})", f.note) };
                    wrap(
                        out,
                        &sanitize::terminal(&format!("{}: {}{note}", f.label, f.value)),
                        width,
                        "* ",
                        "  ",
                    );
                }
            }
            Block::More(title, blocks) => {
                let title = sanitize::line(title, 200);
                let _ = writeln!(out, "{title}");
                terminal_blocks(out, blocks, width);
            }
            Block::Code(text) => {
                for line in sanitize::terminal(text).lines() {
                    let _ = writeln!(out, "  {line}");
                }
            }
            Block::Warnings(warnings) => {
                for w in warnings {
                    wrap(out, &sanitize::terminal(&w.message), width, "warning: ", "         ");
                }
            }
        }
    }
}

/// Wrap words into lines of at most `width` columns; a longer word is cut.
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

/// Cut a word into pieces of at most `width` columns.
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

/// Width below which a list is easier to read than a column of text.
const NARROWEST_TEXT: usize = 16;

/// A table with columns if they fit, or otherwise a list for each row.
fn terminal_table(out: &mut String, table: &Table, width: u16) {
    if let Some(caption) = &table.caption {
        wrap(out, &sanitize::terminal(caption), width, "", "");
    }
    let least: Vec<usize> = (0..table.columns.len()).map(|n| least_width(table, n, width)).collect();
    // Two characters of padding and one of border per column, and the left border.
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
    for (n, width) in widths(table, &least, usize::from(width)).into_iter().enumerate() {
        if let Some(column) = drawn.column_mut(n) {
            let width = Width::Fixed(u16::try_from(width + 2).unwrap_or(u16::MAX));
            column.set_constraint(ColumnConstraint::Absolute(width));
        }
    }
    for line in drawn.lines() {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The width of each column. What is left beyond the least widths goes where a character saves the most lines.
fn widths(table: &Table, least: &[usize], width: usize) -> Vec<usize> {
    let mut left = width.saturating_sub(least.iter().map(|w| w + 3).sum::<usize>() + 1);
    let most: Vec<usize> = (0..least.len()).map(|n| widest(table, n).max(least[n])).collect();
    if most.iter().zip(least).map(|(most, least)| most - least).sum::<usize>() <= left {
        return most;
    }
    // For each column: the lines of its cells, by what it gets beyond its least width.
    let lines: Vec<Vec<usize>> = (0..least.len())
        .map(|n| (0..=left.min(most[n] - least[n])).map(|more| lines(table, n, least[n] + more)).collect())
        .collect();
    let mut given = vec![0; least.len()];
    loop {
        let steps = lines.iter().zip(&given).enumerate().flat_map(|(n, (lines, &now))| {
            let further = lines.iter().enumerate().skip(now + 1).take(left);
            further.map(move |(more, &then)| (n, more, (lines[now] - then) as f64 / (more - now) as f64))
        });
        // Of equal steps the first: the column further to the left, and the shorter step.
        let best = steps.filter(|(.., saved)| *saved > 0.0).reduce(|a, b| if b.2 > a.2 { b } else { a });
        let Some((n, more, _)) = best else { break };
        left -= more - given[n];
        given[n] = more;
    }
    least.iter().zip(given).map(|(least, given)| least + given).collect()
}

/// Lines of all cells of a column of this width, and of its name.
fn lines(table: &Table, column: usize, width: usize) -> usize {
    let name = sanitize::line(&table.columns[column].name, 60);
    let cells = table.rows.iter().filter_map(|row| row.get(column));
    cells.map(|cell| wrapped(&sanitize::line(cell.shown(), 400), width)).sum::<usize>()
        + wrapped(&name, width)
}

/// Lines of a text that is wrapped between words, or within a word that is too long.
fn wrapped(text: &str, width: usize) -> usize {
    use unicode_width::UnicodeWidthStr as _;
    let (mut lines, mut used) = (1, 0);
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        let more = word.width();
        if used > 0 && used + 1 + more > width {
            lines += 1;
            used = more;
        } else {
            used += more + usize::from(used > 0);
        }
    }
    lines
}

/// Minimum width of a column: numbers are not wrapped, ids only if necessary, text not below
/// [`NARROWEST_TEXT`], headings only between words.
fn least_width(table: &Table, column: usize, width: u16) -> usize {
    use unicode_width::UnicodeWidthStr;
    let name = sanitize::line(&table.columns[column].name, 60);
    let word = name.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
    let widest = cells(table, column);
    let most = match &table.columns[column] {
        Column { whole: true, .. } => usize::from(width / 2),
        Column { numeric: true, .. } => 24,
        _ => NARROWEST_TEXT,
    };
    widest.min(most).max(word)
}

/// Width of a column's widest cell.
fn cells(table: &Table, column: usize) -> usize {
    use unicode_width::UnicodeWidthStr;
    let cells = table.rows.iter().filter_map(|r| r.get(column));
    cells.map(|cell| sanitize::line(cell.shown(), 400).width()).max().unwrap_or(0)
}

/// Width of a column's widest cell or of its name.
fn widest(table: &Table, column: usize) -> usize {
    use unicode_width::UnicodeWidthStr;
    cells(table, column).max(sanitize::line(&table.columns[column].name, 60).width())
}

/// A list for each row: the first cell as its title, the others below with the names of their columns.
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
