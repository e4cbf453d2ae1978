//! The views of the documents of `db` commands.

pub mod record_rows;

use super::every_format::Page;
use super::view::{Block, Cell, Table, View};
use crate::catalog::Kind;
use crate::catalog::compare::{Change, Comparison};
use crate::catalog::import::Reason;
use crate::document::db::{
    Ages, Checked, CheckedFile, Differences, ImportPlan, Paths, Shown, Stale, document,
};
use crate::document::envelope::Envelope;
use jiff::civil::Date;
use record_rows::Row;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most single models that are listed on the screen; JSON has all of them.
const SHOWN: usize = 40;

/// A result of a `db` command that has a view.
trait Viewed {
    fn view(&self) -> View;
}

impl<R: Viewed + Serialize> Page for Envelope<R> {
    fn view(&self) -> View {
        self.result.view()
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        crate::document::json::pretty(self)
    }
}

/// A list of catalogue records, by kind.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The command: `list` or `search`.
    pub command: &'static str,
    pub kinds: Vec<(Kind, Vec<Row<'a>>)>,
    /// RFC 3339.
    pub now: &'a str,
}

impl Page for Listing<'_> {
    fn view(&self) -> View {
        let mut view = View::new("");
        for (kind, rows) in &self.kinds {
            let mut table = record_rows::table(*kind);
            table.rows = rows.iter().map(|r| r.cells.clone()).collect();
            let what = kind.plural().replace('-', " ");
            view.heading(format!("{} {what}", rows.len()));
            view.push(Block::Table(table));
        }
        view
    }
    fn json(&self) -> Result<String, serde_json::Error> {
        let of = |(kind, rows): &(Kind, Vec<Row<'_>>)| {
            (kind.plural().replace('-', "_"), rows.iter().map(|r| (r.json)()).collect())
        };
        let result: Map<String, Value> = self.kinds.iter().map(of).collect();
        crate::document::json::pretty(&document(self.command, result, self.now))
    }
}

impl Viewed for Ages {
    fn view(&self) -> View {
        ages(self)
    }
}

impl Viewed for Vec<Shown> {
    fn view(&self) -> View {
        shown(self)
    }
}

impl Viewed for Checked {
    fn view(&self) -> View {
        let mut view = View::new("");
        let mut table = Table::new(&["File", "#Records", "#Problems"]);
        for CheckedFile { file, records } in &self.files {
            let problems = self.problems.iter().filter(|p| p.file == *file).count();
            let count = |n: usize| Cell::Number(n as f64, n.to_string());
            table.row([file.as_str().into(), count(*records), count(problems)]);
        }
        view.push(Block::Table(table));
        for problem in &self.problems {
            view.push(Block::Code(problem.to_string()));
        }
        if self.problems.is_empty() {
            let records: usize = self.files.iter().map(|file| file.records).sum();
            view.paragraph(format!(
                "{records} {}, no problem found.",
                if records == 1 { "record" } else { "records" }
            ));
        }
        view
    }
}

impl Viewed for Paths {
    fn view(&self) -> View {
        let mut view = View::new("");
        view.paragraph(self.user_folder.as_ref().map_or_else(
            || "No folder for records of your own: HOME is not set.".to_owned(),
            |folder| format!("Your own records: {folder} (each *.toml in it)"),
        ));
        view.push(Block::List(if self.user.is_empty() {
            vec!["none yet".to_owned()]
        } else {
            self.user.clone()
        }));
        if !self.given.is_empty() {
            view.paragraph("Over these, by --catalog:");
            view.push(Block::List(self.given.clone()));
        }
        view.paragraph("Under these, in the binary:");
        view.push(Block::List(self.shipped.clone()));
        view
    }
}

impl Viewed for ImportPlan {
    fn view(&self) -> View {
        let mut view = View::new("");
        view.paragraph(format!("{} records to take over; {} skipped.", self.records, self.skipped.len()));
        comparison_view(&mut view, &self.comparison, ["Now", "Then"]);
        if !self.skipped.is_empty() {
            view.heading("Skipped");
            let mut reasons: BTreeMap<&Reason, Vec<&str>> = BTreeMap::new();
            for s in &self.skipped {
                reasons.entry(&s.reason).or_default().push(&s.id);
            }
            let shown = reasons.iter().take(SHOWN);
            view.push(Block::List(shown.map(|(reason, ids)| format!("{reason}: {}", some(ids))).collect()));
            more(&mut view, reasons.len());
        }
        view
    }
}

impl Viewed for Differences {
    fn view(&self) -> View {
        let mut view = View::new("");
        // The heading for a source is its format.
        let label = |name: &'_ str| name.split(':').next().unwrap_or(name).to_owned();
        comparison_view(&mut view, &self.comparison, [&label(&self.a), &label(&self.b)]);
        if !self.decisions.is_empty() {
            view.heading("Decisions");
            let mut table = Table::new(&["Model", "Shipped", "Why"]);
            for d in &self.decisions {
                table.row([d.id.as_str().into(), d.shipped.into(), d.reason.as_str().into()]);
            }
            view.push(Block::Table(table));
        }
        view
    }
}

fn ages(ages: &Ages) -> View {
    let mut view = View::new("");
    let count = |n: usize| Cell::Number(n as f64, n.to_string());
    let date = |d: Option<Date>| Cell::from(d.map(|d| d.to_string()));
    let mut table = Table::new(&["Kind", "#Records", "Oldest", "Read", "Newest read", "#Stale"])
        .caption(format!("Stale: read more than {} days ago", ages.stale_after_days));
    for k in &ages.kinds {
        table.row([
            k.kind.replace('-', " ").into(),
            count(k.records),
            k.oldest.clone().into(),
            date(k.oldest_as_of),
            date(k.newest_as_of),
            count(k.stale),
        ]);
    }
    view.push(Block::Table(table));
    if !ages.soon.is_empty() {
        view.heading(format!("Within {} days", ages.stale_after_days));
        let mut table = Table::new(&["Day", "Model", "What"]);
        for s in &ages.soon {
            table.row([s.on.to_string().into(), s.id.as_str().into(), s.what.into()]);
        }
        view.push(Block::Table(table));
    }
    if !ages.stale.is_empty() {
        view.heading("Stale, by where they were read");
        view.push(Block::Table(by_source(&ages.stale)));
        view.paragraph(
            "Specifications of gpus and machines do not change after their release: their day is that of the source's \
             edition. Prices of hardware, rents and electricity prices do change: look them up before you decide, and put your own into a \
             record (`freehold db path`) or the scenario.",
        );
        view.heading("Stale");
        let mut table = Table::new(&["Id", "Kind", "Read", "#Days ago"]);
        for s in ages.stale.iter().take(SHOWN) {
            table.row([
                s.id.as_str().into(),
                s.kind.replace('_', " ").into(),
                s.as_of.to_string().into(),
                Cell::Number(f64::from(s.age_days), s.age_days.to_string()),
            ]);
        }
        view.push(Block::Table(table));
        more(&mut view, ages.stale.len());
    }
    view
}

/// Number of stale records by kind and source, the most frequent first.
fn by_source(stale: &[Stale]) -> Table {
    let mut groups: BTreeMap<(&str, &str), (usize, Date)> = BTreeMap::new();
    for record in stale {
        let group = groups.entry((record.kind, short(&record.source))).or_insert((0, record.as_of));
        group.0 += 1;
        group.1 = group.1.min(record.as_of);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (count, oldest))| (std::cmp::Reverse(*count), *oldest));
    let mut table = Table::new(&["Kind", "#Records", "Oldest", "Source"]);
    for ((kind, source), (count, oldest)) in groups {
        table.row([
            kind.replace('_', " ").into(),
            Cell::Number(count as f64, count.to_string()),
            oldest.to_string().into(),
            source.into(),
        ]);
    }
    table
}

/// A source without the page of the single record.
fn short(source: &str) -> &str {
    let ends = [", http", ", ", " (", ": "];
    let end = ends.iter().filter_map(|e| source.find(e)).min().unwrap_or(source.len());
    &source[..end]
}

fn shown(found: &[Shown]) -> View {
    let mut view = View::new("");
    for f in found {
        let Value::Object(record) = &f.record else { continue };
        let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
        view.heading(format!("{} {id}", f.kind.replace('_', " ")));
        if let Some(alias) = &f.alias {
            view.paragraph(format!("`{alias}` means this model today; a dated name does not move."));
        }
        let own = cite(record);
        view.paragraph(format!("Read {}: {}", own.1, own.0));
        let mut table = Table::new(&["Figure", "Value", "Source, where it is another"]);
        for (path, value) in figures(record) {
            table.row([path.as_str().into(), value, other_source(record, &path).into()]);
        }
        view.push(Block::Table(table));
    }
    view
}

fn cite(object: &Map<String, Value>) -> (&str, &str) {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    (text("source"), text("as_of"))
}

/// The source of a figure, where it is not that of the record.
fn other_source(record: &Map<String, Value>, path: &str) -> Option<String> {
    let plain: String = path.split('.').filter(|p| p.parse::<usize>().is_err()).collect::<Vec<_>>().join(".");
    let cites = record.get("cite")?.as_object()?;
    let cited = cites.get(&plain).or_else(|| cites.get(plain.split('.').next()?))?.as_object()?;
    let (source, as_of) = cite(cited);
    let derived = cited.get("derived").and_then(Value::as_str).map(|d| format!("; derived: {d}"));
    Some(format!("{as_of}: {source}{}", derived.unwrap_or_default()))
}

/// Every figure with its dotted path. Unknown figures are listed, too, because calculations stop at them.
fn figures(record: &Map<String, Value>) -> Vec<(String, Cell)> {
    let mut out = Vec::new();
    for (key, value) in record {
        if !matches!(key.as_str(), "id" | "source" | "as_of" | "cite") {
            flatten(key, value, &mut out);
        }
    }
    out
}

fn flatten(path: &str, value: &Value, out: &mut Vec<(String, Cell)>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flatten(&format!("{path}.{key}"), value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (n, value) in items.iter().enumerate() {
                flatten(&format!("{path}.{n}"), value, out);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let texts = items.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
            out.push((path.to_owned(), texts.collect::<Vec<_>>().join(", ").into()));
        }
        // An unknown figure of the record is listed, because calculations stop at it; one within a rate
        // simply does not exist.
        Value::Null if path.contains('.') => {}
        Value::Null => out.push((path.to_owned(), Cell::None)),
        Value::String(text) => out.push((path.to_owned(), text.as_str().into())),
        other => {
            let cell =
                other.as_f64().map_or_else(|| other.to_string().into(), |n| Cell::Number(n, n.to_string()));
            out.push((path.to_owned(), cell));
        }
    }
}

/// The first few ids, and how many more there are.
fn some(ids: &[&str]) -> String {
    const FEW: usize = 6;
    if ids.len() <= FEW + 1 {
        ids.join(", ")
    } else {
        format!("{} and {} more", ids[..FEW].join(", "), ids.len() - FEW)
    }
}

fn comparison_view(view: &mut View, c: &Comparison, [old, new]: [&str; 2]) {
    let mut changed: Vec<&str> = c.changed.iter().map(|c| c.id.as_str()).collect();
    changed.dedup();
    view.paragraph(format!(
        "{} unchanged, {} changed, {} new, {} not there any more, {} implausible.",
        c.same,
        changed.len(),
        c.added.len(),
        c.gone.len(),
        c.implausible.len()
    ));
    if !c.changed.is_empty() {
        view.heading("Changed");
        view.push(Block::Table(changes_table(&c.changed, [old, new])));
        more(view, c.changed.len());
    }
    for (heading, ids) in [("New", &c.added), ("Not there any more", &c.gone)] {
        if !ids.is_empty() {
            view.heading(heading);
            view.push(Block::List(ids.iter().take(SHOWN).cloned().collect()));
            more(view, ids.len());
        }
    }
    if !c.implausible.is_empty() {
        view.heading("Implausible");
        let list = c.implausible.iter().take(SHOWN);
        view.push(Block::List(list.map(|i| format!("{}: {}", i.id, i.reason)).collect()));
        more(view, c.implausible.len());
    }
}

fn more(view: &mut View, all: usize) {
    if all > SHOWN {
        view.paragraph(format!("and {} more; --json has all of them", all - SHOWN));
    }
}

fn changes_table(changes: &[Change], [old, new]: [&str; 2]) -> Table {
    let (old, new) = (format!("#{old}"), format!("#{new}"));
    let mut table = Table::new(&["Model", "Figure", &old, &new, "#By"]);
    let shown = |value: Option<f64>| Cell::from(value.map(|v| Cell::Number(v, v.to_string())));
    for c in changes.iter().take(SHOWN) {
        let by = c.relative().map(|r| Cell::Number(r, format!("{:+.0} %", r * 100.0)));
        table.row([c.id.as_str().into(), c.field.as_str().into(), shown(c.old), shown(c.new), by.into()]);
    }
    table
}
