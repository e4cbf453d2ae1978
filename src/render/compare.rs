//! Two documents of the same kind: what is different.

use super::view::{Block, Cell, Table, View};
use crate::document::Document;
use crate::number;
use serde_json::Value;
use std::collections::BTreeMap;

/// Lists of single events: their differences say nothing that the summaries do not.
const SKIPPED: &[&str] = &["result.samples", "result.cash_flow", "result.recipes", "result.definitions"];

/// The differences, inputs before results. The error says why the two cannot be compared.
pub fn compare(old: &(String, Document), new: &(String, Document)) -> Result<View, String> {
    let ((old_file, old), (new_file, new)) = (old, new);
    if old.kind() != new.kind() {
        return Err(format!(
            "{old_file} is a {} document and {new_file} a {} document; only two of the same kind can be compared",
            old.kind(),
            new.kind()
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
    for (part, title) in [("inputs.", "Inputs that changed"), ("result.", "Results that changed")] {
        let table = differences(&before, &after, part);
        if !table.rows.is_empty() {
            different = true;
            view.heading(title);
            view.push(Block::Table(table));
        }
    }
    if !different {
        view.paragraph("Nothing is different but the time they were made.");
    }
    Ok(view)
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
            (Some(old), Some(new)) if old != 0.0 => {
                let share = new / old - 1.0;
                Cell::Number(
                    share,
                    format!("{}{}", if share > 0.0 { "+" } else { "" }, number::percent(share)),
                )
            }
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

/// Every single value by its dotted path. Entries of lists go by their id, name or position.
fn leaves(document: &Document) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if let Ok(value) = document.to_value() {
        for part in ["inputs", "result"] {
            if let Some(value) = value.get(part) {
                collect(part.to_owned(), value, &mut found);
            }
        }
    }
    found
}

fn collect(path: String, value: &Value, found: &mut BTreeMap<String, Value>) {
    if SKIPPED.contains(&path.as_str()) {
        return;
    }
    match value {
        Value::Object(map) => {
            // Of an input, the value: its origin may be worded differently and mean the same.
            if path.starts_with("inputs.") && map.contains_key("source") {
                let value = map.get("value").cloned().unwrap_or(Value::Null);
                found.insert(path, value);
                return;
            }
            for (key, value) in map {
                collect(format!("{path}.{key}"), value, found);
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let name = ["id", "name", "what"].iter().find_map(|k| item.get(*k).and_then(Value::as_str));
                let key = name.map_or_else(|| n.to_string(), str::to_owned);
                collect(format!("{path}[{key}]"), item, found);
            }
        }
        leaf => {
            found.insert(path, leaf.clone());
        }
    }
}
