//! The differences between two documents of the same kind.

use super::view::{Block, Cell, Table, View};
use crate::document::Document;
use crate::document::figure::{self, Datum, Figure};
use crate::document::metrics::{Better, Unit};
use crate::number;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Lists of single events, which are not compared: summaries show their differences.
const SKIPPED: &[&str] = &[
    "result.samples",
    "result.load_samples",
    "result.cash_flow",
    "result.cumulative",
    "result.by_volume",
    "result.recipes",
    "result.definitions",
];

/// The differences between two documents, inputs before results. Figures and inputs have their names for
/// people; with `details` every other value that changed is listed, too.
///
/// # Errors
///
/// Why the two documents cannot be compared.
pub fn compare(old: &(String, Document), new: &(String, Document), details: bool) -> Result<View, String> {
    let ((old_file, old), (new_file, new)) = (old, new);
    if old.kind() != new.kind() {
        let a = |kind: &str| {
            let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            format!("{article} {kind} document")
        };
        return Err(format!(
            "{old_file} is {} and {new_file} {}; only two of the same kind can be compared",
            a(old.kind()),
            a(new.kind())
        ));
    }
    let (before, after) = (leaves(old), leaves(new));
    let mut view = View::new(format!("{}: {old_file} → {new_file}", old.kind()));
    view.paragraph(format!(
        "{} (freehold {}) → {} (freehold {}).",
        old.created(),
        old.tool_version(),
        new.created(),
        new.tool_version()
    ));
    let mut different = false;
    let verdict = verdicts(&figure::all(old), &figure::all(new));
    view.blocks.extend(verdict.map(Block::Lead));
    let metrics = metrics_table(&figure::all(old), &figure::all(new));
    if !metrics.rows.is_empty() {
        different = true;
        view.heading("Metrics that changed");
        view.push(Block::Table(metrics));
    }
    for (part, title) in [("inputs.", "Inputs that changed"), ("result.", "Other results that changed")] {
        let mut table = differences(&before, &after, part);
        if !table.rows.is_empty() {
            different = true;
            if part == "result." && !details {
                let count = crate::number::grouped(table.rows.len() as f64, 0);
                view.paragraph(format!("{count} other values of the result changed; --details shows them."));
                continue;
            }
            if part == "inputs." {
                for row in &mut table.rows {
                    if let Some(Cell::Text(name)) = row.first_mut() {
                        *name = format!("{} ({name})", crate::render::names::of_input(name));
                    }
                }
            }
            view.heading(title);
            view.push(Block::Table(table));
        }
    }
    if !different {
        view.paragraph("Nothing is different but the time they were made.");
    }
    Ok(view)
}

/// The old and the new decision in a sentence; `None` where the documents contain none.
fn verdicts(before: &[Figure], after: &[Figure]) -> Option<String> {
    let word = |figures: &[Figure], id: &str| {
        figures.iter().find(|f| f.metric.id == id).map(crate::document::gates::shown)
    };
    let both = |id: &str, name: &str| {
        let (old, new) = (word(before, id)?, word(after, id)?);
        Some(if old == new {
            format!("{name} stays {new}")
        } else {
            format!("{name} was {old} and is {new}")
        })
    };
    let said: Vec<String> =
        [("placement", "the placement"), ("confidence", "its confidence"), ("payback_months", "payback")]
            .into_iter()
            .filter_map(|(id, name)| both(id, name))
            .collect();
    let text = said.join("; ");
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn differences(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>, part: &str) -> Table {
    let mut table = Table::new(&["field", "#old", "#new", "#change"]);
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names.into_iter().filter(|n| n.starts_with(part)) {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        let change = match (old.and_then(Value::as_f64), new.and_then(Value::as_f64)) {
            (Some(old), Some(new)) => share_of_change(old, new),
            _ => Cell::None,
        };
        let shown = name.strip_prefix(part).unwrap_or(name).trim_end_matches(".value");
        table.row([shown.into(), cell(old), cell(new), change]);
    }
    table
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::None,
        Some(Value::Number(n)) => {
            let n = n.as_f64().unwrap_or(f64::NAN);
            Cell::Number(n, number::short(n))
        }
        Some(Value::String(text)) => text.as_str().into(),
        Some(other) => other.to_string().into(),
    }
}

/// Figures that differ or that only one of the documents has, with which is better.
fn metrics_table(before: &[Figure], after: &[Figure]) -> Table {
    let mut table = Table::new(&["metric", "of", "#old", "#new", "#change", ""]);
    let by_path = |figures: &[Figure]| -> BTreeMap<String, Figure> {
        figures.iter().map(|f| (f.path.clone(), f.clone())).collect()
    };
    let (old, new) = (by_path(before), by_path(after));
    let gone = before.iter().filter(|f| !new.contains_key(&f.path));
    for figure in after.iter().chain(gone) {
        let (old, new) = (old.get(&figure.path), new.get(&figure.path));
        let value = |f: Option<&Figure>| f.and_then(|f| f.value.clone());
        if value(old) == value(new) {
            continue;
        }
        let metric = figure.metric;
        table.row([
            metric.label().into(),
            Some(figure.subject.join(" ")).filter(|s| !s.is_empty()).into(),
            figure_cell(old),
            figure_cell(new),
            change_cell(metric.unit, value(old), value(new)),
            verdict(metric.better, old, new).into(),
        ]);
    }
    table
}

fn figure_cell(figure: Option<&Figure>) -> Cell {
    let Some(figure) = figure else { return Cell::None };
    let shown = |value| figure.unit.shown(value);
    match (&figure.value, figure.interval) {
        (Some(Datum::Number(value)), Some((low, high))) => {
            Cell::Number(*value, format!("{} ({}–{})", shown(*value), shown(low), shown(high)))
        }
        (Some(Datum::Number(value)), None) => Cell::Number(*value, shown(*value)),
        (Some(Datum::Word(word)), _) => word.as_str().into(),
        (None, _) => Cell::None,
    }
}

fn change_cell(unit: Unit, old: Option<Datum>, new: Option<Datum>) -> Cell {
    let (Some(Datum::Number(old)), Some(Datum::Number(new))) = (old, new) else { return Cell::None };
    let sign = if new > old { "+" } else { "" };
    if unit == Unit::Share {
        let points = (new - old) * 100.0;
        return Cell::Number(points, format!("{sign}{points:.1} points"));
    }
    share_of_change(old, new)
}

fn share_of_change(old: f64, new: f64) -> Cell {
    if old == 0.0 {
        return Cell::None;
    }
    let share = new / old - 1.0;
    Cell::Number(share, format!("{}{}", if share > 0.0 { "+" } else { "" }, number::percent(share)))
}

/// Better, worse, or undecided; `None` where neither direction is better.
fn verdict(better: Better, old: Option<&Figure>, new: Option<&Figure>) -> Option<&'static str> {
    let number = |f: Option<&Figure>| match f?.value {
        Some(Datum::Number(value)) => Some(value),
        _ => None,
    };
    let (before, after) = (number(old)?, number(new)?);
    let lower_is_better = match better {
        Better::Lower => true,
        Better::Higher => false,
        Better::Neither => return None,
    };
    if let (Some(a), Some(b)) = (old?.interval, new?.interval)
        && a.0 <= b.1
        && b.0 <= a.1
    {
        return Some("within the intervals");
    }
    Some(if (after < before) == lower_is_better { "better" } else { "worse" })
}

/// All other values by their dotted path. Entries of lists have their name or their index.
fn leaves(document: &Document) -> BTreeMap<String, Value> {
    let mut leaves =
        Leaves { kind: document.kind(), covered: figure::covered(document.kind()), found: BTreeMap::new() };
    if let Ok(value) = document.to_value() {
        for part in ["inputs", "result"] {
            if let Some(value) = value.get(part) {
                leaves.collect(part.to_owned(), part, part, value);
            }
        }
    }
    leaves.found
}

struct Leaves {
    kind: &'static str,
    /// Paths of metrics, which are compared in a table of their own.
    covered: BTreeSet<String>,
    found: BTreeMap<String, Value>,
}

impl Leaves {
    /// `place` is the path with `[]` for any entry of a list, `field` its last word.
    fn collect(&mut self, path: String, place: &str, field: &str, value: &Value) {
        let is_metric = place.strip_prefix("result.").is_some_and(|place| self.covered.contains(place));
        if is_metric || SKIPPED.contains(&path.as_str()) {
            return;
        }
        match value {
            Value::Object(map) => {
                // Of an input only the value is compared: the same source can be worded differently.
                if path.starts_with("inputs.") && map.contains_key("source") {
                    let value = map.get("value").cloned().unwrap_or(Value::Null);
                    self.found.insert(path, value);
                    return;
                }
                for (key, value) in map {
                    self.collect(format!("{path}.{key}"), &format!("{place}.{key}"), key, value);
                }
            }
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    let name = figure::entry_name(self.kind, field, item).or_else(|| {
                        ["id", "name", "what"].iter().find_map(|k| item.get(*k)?.as_str().map(str::to_owned))
                    });
                    let key = name.unwrap_or_else(|| n.to_string());
                    self.collect(format!("{path}[{key}]"), &format!("{place}[]"), "", item);
                }
            }
            leaf => {
                self.found.insert(path, leaf.clone());
            }
        }
    }
}
