//! A view as one self-contained HTML page.

use super::view::{Block, Table, View};
use crate::sanitize;
use std::fmt::Write as _;

impl View {
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
