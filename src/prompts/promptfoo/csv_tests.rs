//! Reads tests in CSV: columns are variables, and columns that begin with `__` contain expectations and
//! settings.

use super::super::csv::Table;
use super::super::grade_names;
use super::super::yaml::{Kind, Node};
use super::super::{PromptError, js};
use serde_json::{Value, json};

/// The rows of a table as tests, in the form that YAML files have.
pub(super) fn tests(file: &str, table: &Table) -> Result<Vec<Node>, PromptError> {
    table
        .rows
        .iter()
        .enumerate()
        .map(|(n, (line, cells))| test(file, *line, n, &table.headers, cells))
        .collect()
}

fn test(
    file: &str,
    line: usize,
    number: usize,
    headers: &[String],
    cells: &[String],
) -> Result<Node, PromptError> {
    let error = |message: String, remedy: &str| PromptError {
        file: file.to_owned(),
        line: Some(line),
        column: None,
        message,
        remedy: remedy.to_owned(),
    };
    let node = |value: Value| from_value(&value, line);
    let (mut vars, mut asserts, mut options) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest: Vec<(String, Node)> = Vec::new();
    let mut metric = None;
    let mut metadata = serde_json::Map::new();
    let mut thresholds: Vec<(usize, f64)> = Vec::new();
    let mut description = String::new();
    for (header, cell) in headers.iter().zip(cells) {
        if let Some(place) = header.strip_prefix("__config:") {
            let (key, setting) = place.split_once(':').unwrap_or((place, ""));
            let place = match key.strip_prefix("__expected") {
                Some("") => Some(0),
                Some(n) => n.parse::<usize>().ok().and_then(|n| n.checked_sub(1)),
                None => None,
            };
            let (Some(place), "threshold") = (place, setting) else {
                let message = format!("the column {header:?} configures nothing");
                return Err(error(
                    message,
                    "Write `__config:__expected:threshold`, or `__config:__expected2:threshold`.",
                ));
            };
            let threshold = finite(cell).ok_or_else(|| {
                error(format!("the threshold {cell:?} is not a number"), "Write a number such as 0.5.")
            })?;
            thresholds.push((place, threshold));
        } else if header.starts_with("__expected") {
            if !js::trim(cell).is_empty() {
                asserts.push(assertion(js::trim(cell)));
            }
        } else if let Some(key) = header.strip_prefix("__metadata:") {
            if !cell.trim().is_empty() {
                metadata.insert(key.trim_end_matches("[]").to_owned(), json!(cell));
            }
        } else {
            match header.as_str() {
                "__prefix" => options.push(("prefix".to_owned(), node(json!(cell)))),
                "__suffix" => options.push(("suffix".to_owned(), node(json!(cell)))),
                "__description" => description.clone_from(cell),
                "__providerOutput" => {
                    if !cell.is_empty() {
                        rest.push(("providerOutput".to_owned(), node(json!(cell))));
                    }
                }
                "__metric" => metric = Some(cell.clone()),
                "__threshold" => {
                    if let Some(threshold) = finite(cell) {
                        rest.push(("threshold".to_owned(), node(json!(threshold))));
                    }
                }
                "__metadata" => {}
                _ => vars.push((header.clone(), node(json!(cell)))),
            }
        }
    }
    if description.is_empty() {
        description = format!("Row #{}", number + 1);
    }
    for (place, assertion) in asserts.iter_mut().enumerate() {
        if let Some(metric) = &metric {
            assertion["metric"] = json!(metric);
        }
        if let Some((_, threshold)) = thresholds.iter().rev().find(|(p, _)| *p == place) {
            assertion["threshold"] = json!(threshold);
        }
    }
    let map = |pairs| Node { line, kind: Kind::Map(pairs) };
    let mut pairs = vec![
        ("vars".to_owned(), map(vars)),
        ("assert".to_owned(), node(Value::Array(asserts))),
        ("options".to_owned(), map(options)),
        ("description".to_owned(), node(json!(description))),
        ("metadata".to_owned(), node(Value::Object(metadata))),
    ];
    pairs.extend(rest);
    Ok(map(pairs))
}

pub(super) fn from_value(value: &Value, line: usize) -> Node {
    let kind = match value {
        Value::Array(list) => Kind::List(list.iter().map(|v| from_value(v, line)).collect()),
        Value::Object(map) => Kind::Map(map.iter().map(|(k, v)| (k.clone(), from_value(v, line))).collect()),
        scalar => Kind::Scalar(scalar.clone()),
    };
    Node { line, kind }
}

/// A cell that is a number.
fn finite(cell: &str) -> Option<f64> {
    let cell = js::trim(cell);
    let plain = cell.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    (plain && cell.contains(|c: char| c.is_ascii_digit()))
        .then(|| cell.parse().ok())
        .flatten()
        .filter(|n: &f64| n.is_finite())
}

/// The assertion for a cell `type(threshold):value`; any other text must be equal to the answer.
fn assertion(cell: &str) -> Value {
    let script = |kind: &str, value: &str| json!({"type": kind, "value": value.trim()});
    for (prefix, kind) in
        [("javascript:", "javascript"), ("fn:", "javascript"), ("eval:", "javascript"), ("python:", "python")]
    {
        if let Some(value) = cell.strip_prefix(prefix) {
            return script(kind, value);
        }
    }
    if let Some(path) = cell.strip_prefix("file://")
        && super::super::fill::is_script(path)
    {
        return script(if path.contains(".py") { "python" } else { "javascript" }, cell);
    }
    for prefix in ["grade:", "llm-rubric:"] {
        if let Some(value) = cell.strip_prefix(prefix) {
            return json!({"type": "llm-rubric", "value": value});
        }
    }
    parts(cell).unwrap_or_else(|| json!({"type": "equals", "value": cell}))
}

fn parts(cell: &str) -> Option<Value> {
    let (not, rest) = cell.strip_prefix("not-").map_or(("", cell), |rest| ("not-", rest));
    // The longest name with which the cell begins, followed directly by a threshold or a colon.
    let mut names: Vec<&&str> = grade_names::ALL.iter().filter(|n| rest.starts_with(**n)).collect();
    names.sort_by_key(|n| std::cmp::Reverse(n.len()));
    names.into_iter().find_map(|name| {
        let mut behind = &rest[name.len()..];
        let mut threshold = None;
        if let Some(inside) = behind.strip_prefix('(') {
            let (number, after) = inside.split_once(')')?;
            let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
            if !digits(whole) || !digits(fraction) {
                return None;
            }
            threshold = finite(number);
            behind = after;
        }
        let value = match behind.strip_prefix(':') {
            Some(value) => Some(value),
            None if behind.is_empty() => None,
            None => return None,
        };
        let mut out = json!({"type": format!("{not}{name}")});
        match *name {
            // The text is split where the assertion is read.
            "contains-all" | "contains-any" | "icontains-all" | "icontains-any" | "contains-json"
            | "is-json" => {
                if let Some(value) = value {
                    out["value"] = json!(value);
                }
            }
            _ => {
                if let Some(value) = value {
                    out["value"] = json!(js::trim(value));
                }
            }
        }
        let defaulted = [
            "answer-relevance",
            "classifier",
            "context-faithfulness",
            "context-recall",
            "context-relevance",
            "cost",
            "latency",
            "levenshtein",
            "perplexity-score",
            "perplexity",
            "rouge-n",
            "similar",
            "starts-with",
        ];
        if defaulted.contains(name) {
            out["threshold"] = json!(threshold.unwrap_or(0.75));
        }
        Some(out)
    })
}
