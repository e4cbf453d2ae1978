//! A view as one self-contained HTML page: it loads nothing, can be read on phones, in dark mode and on
//! paper, and is complete without its script.

use super::chart::{self, Chart, Size};
use super::view::{Block, Cell, Figure, Table, View};
use crate::document::envelope::Warning;
use crate::sanitize;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::LazyLock;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Hash for the content security policy: only this script may run.
static SCRIPT_HASH: LazyLock<String> =
    LazyLock::new(|| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT.as_bytes())));

/// The most characters of a number with its unit that are kept on one line.
const SHORT: usize = 14;
/// The most rows of a table on a page; the document has all of them.
const MOST_ROWS: usize = 500;

impl View {
    /// The view as a self-contained page.
    pub fn to_html(&self) -> String {
        let title = sanitize::html(&self.title);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
             img-src data:; script-src 'sha256-{}'\">\n<title>{title}</title>\n<style>{}{STYLE}</style>\n</head>\n\
             <body>\n<main>\n<h1>{title}</h1>\n",
            *SCRIPT_HASH,
            *chart::STYLE
        );
        let mut page = Page { out: &mut out, charts: 0, script: false };
        page.blocks(&self.blocks);
        let script = page.script;
        out.push_str("</main>\n");
        if script {
            let _ = writeln!(out, "<script>{SCRIPT}</script>");
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

struct Page<'a> {
    out: &'a mut String,
    /// Number of charts so far, for their ids.
    charts: usize,
    /// The page has something for the script to do.
    script: bool,
}

impl Page<'_> {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn blocks(&mut self, blocks: &[Block]) {
        let mut in_charts = false;
        for (at, block) in blocks.iter().enumerate() {
            let is_chart = matches!(block, Block::Chart(_));
            if is_chart != in_charts {
                let alone = is_chart && !matches!(blocks.get(at + 1), Some(Block::Chart(_)));
                self.out.push_str(match (is_chart, alone) {
                    (false, _) => "</div>\n",
                    (true, false) => "<div class=\"charts\">\n",
                    (true, true) => "<div class=\"charts one\">\n",
                });
                in_charts = is_chart;
            }
            self.block(block);
        }
        if in_charts {
            self.out.push_str("</div>\n");
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(text) => self.line(format_args!("<h2>{}</h2>", sanitize::html_text(text))),
            Block::Lead(text) => {
                self.line(format_args!("<p class=\"lead\">{}</p>", sanitize::html_text(text)));
            }
            Block::Paragraph(text) => self.line(format_args!("<p>{}</p>", sanitize::html_text(text))),
            Block::Figures(figures) => self.figures(figures),
            Block::List(items) => self.list("ul", items),
            Block::Numbered(items) => self.list("ol", items),
            Block::Table(table) => self.table(table),
            Block::Chart(chart) => self.chart(chart),
            Block::More(title, blocks) => {
                self.line(format_args!(
                    "<details class=\"more\"><summary>{}</summary>",
                    sanitize::html(title)
                ));
                self.blocks(blocks);
                self.out.push_str("</details>\n");
            }
            Block::Code(text) => {
                self.line(format_args!("<pre tabindex=\"0\">{}</pre>", sanitize::html(text)));
            }
            Block::Warnings(warnings) => self.warnings(warnings),
        }
    }

    fn warnings(&mut self, warnings: &[Warning]) {
        for w in warnings {
            self.line(format_args!(
                "<p class=\"warning\"><strong>Warning:</strong> {}</p>",
                sanitize::html_text(&w.message)
            ));
        }
    }

    fn figures(&mut self, figures: &[Figure]) {
        self.out.push_str("<dl class=\"figures\">\n");
        for f in figures {
            let _ = writeln!(
                self.out,
                "<div><dt>{}</dt><dd><b>{}</b> <span>{}</span></dd></div>",
                sanitize::html(&f.label),
                sanitize::html(&f.value),
                sanitize::html_text(&f.note)
            );
        }
        self.out.push_str("</dl>\n");
    }

    fn list(&mut self, tag: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        let _ = writeln!(self.out, "<{tag}>");
        for item in items {
            let _ = writeln!(self.out, "<li>{}</li>", sanitize::html_text(item));
        }
        let _ = writeln!(self.out, "</{tag}>");
    }

    /// On a phone each row becomes a list of its cells, each with the name of its column.
    fn table(&mut self, table: &Table) {
        let stacked = table.columns.len() > 2;
        let sorted = table.rows.len() > 3 && !table.columns.iter().all(|c| c.name.is_empty());
        self.script |= sorted;
        let classes = [(stacked, "stack"), (sorted, "sort")].into_iter().filter(|c| c.0).map(|c| c.1);
        let classes = classes.collect::<Vec<_>>().join(" ");
        let _ = writeln!(self.out, "<table class=\"{classes}\" role=\"table\">");
        if let Some(caption) = &table.caption {
            let _ = writeln!(self.out, "<caption>{}</caption>", sanitize::html(caption));
        }
        self.out.push_str("<thead role=\"rowgroup\"><tr role=\"row\">");
        for c in &table.columns {
            let class = if c.numeric { " class=\"n\"" } else { "" };
            // A heading cell without text names nothing.
            let (tag, scope) =
                if c.name.is_empty() { ("td", "") } else { ("th", " scope=\"col\" role=\"columnheader\"") };
            let _ = write!(self.out, "<{tag}{scope}{class}>{}</{tag}>", sanitize::html(&c.name));
        }
        self.out.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
        for row in table.rows.iter().take(MOST_ROWS) {
            self.out.push_str("<tr role=\"row\">");
            for (n, (cell, c)) in row.iter().zip(&table.columns).enumerate() {
                // On a phone, where a row is a list, a missing value needs no line.
                let nothing = stacked && n > 0 && matches!(cell, Cell::None);
                let mut attributes = match (c.numeric, nothing) {
                    (true, true) => " class=\"n e\"",
                    (true, false) => " class=\"n\"",
                    (false, true) => " class=\"e\"",
                    (false, false) => "",
                }
                .to_owned();
                if stacked && n > 0 && !c.name.is_empty() {
                    let _ = write!(attributes, " data-l=\"{}\"", sanitize::html(&c.name));
                }
                if sorted && let Cell::Number(value, _) = cell {
                    let _ = write!(attributes, " data-v=\"{value}\"");
                }
                let (tag, role) = if n == 0 { ("th", "rowheader\" scope=\"row") } else { ("td", "cell") };
                let mut shown = sanitize::html_text(cell.shown());
                // A short number and its unit stay on one line.
                if matches!(cell, Cell::Number(..)) && cell.shown().chars().count() <= SHORT {
                    shown = shown.replace(' ', "\u{a0}");
                }
                let _ = write!(self.out, "<{tag} role=\"{role}\"{attributes}>{shown}</{tag}>");
            }
            self.out.push_str("</tr>\n");
        }
        self.out.push_str("</tbody></table>\n");
        if table.rows.len() > MOST_ROWS {
            let left = table.rows.len() - MOST_ROWS;
            self.line(format_args!("<p class=\"note\">{left} more rows are in the document.</p>"));
        }
    }

    fn chart(&mut self, chart: &Chart) {
        self.charts += 1;
        let id = format!("chart-{}", self.charts);
        let _ = write!(
            self.out,
            "<figure class=\"chart\" id=\"{id}\">\n<figcaption><strong>{}.</strong> {}</figcaption>\n",
            sanitize::html(&chart.title),
            sanitize::html_text(&chart.alt)
        );
        let wide = chart.to_svg(Size::Wide, &format!("{id}-wide"));
        let narrow = chart.to_svg(Size::Narrow, &format!("{id}-narrow"));
        let _ = writeln!(self.out, "{wide}\n{narrow}");
        if let Some(data) = chart.values() {
            self.script = true;
            // A `<` in a name must not end the element.
            let data = data.to_string().replace('<', "\\u003c");
            // A name must not look like a command to a CI system that prints the page's text.
            let data = data.replace("##", "#\\u0023");
            let _ = writeln!(self.out, "<script type=\"application/json\">{data}</script>");
        }
        self.out.push_str("<details><summary>The numbers</summary>\n");
        self.table(&chart.table());
        self.out.push_str("</details>\n</figure>\n");
    }
}
