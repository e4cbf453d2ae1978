//! `--human FILE`: grades that a person gave some answers.

use crate::app::Refusal;
use crate::document::bench::build::{Basis, HumanGrade};
use serde::Deserialize;
use std::collections::BTreeSet;

const SHAPE: &str = "A row is target, prompt_id, pass (yes or no) and, where prompts were repeated, repeat (from 0): CSV \
                     with these columns, or JSON lines such as {\"target\": \"openai:gpt-x\", \"prompt_id\": \"p1\", \"pass\": true}.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    target: String,
    prompt_id: String,
    #[serde(default)]
    repeat: u32,
    pass: bool,
}

/// Reads the grades in a file; each must be about an answer of the run. `shown`: the file's name in errors.
pub fn grades(text: &str, shown: &str, is_csv: bool, basis: &Basis) -> Result<Vec<HumanGrade>, Refusal> {
    let rows = if is_csv { csv_rows(shown, text)? } else { json_rows(shown, text)? };
    let mut grades = Vec::new();
    let mut seen = BTreeSet::new();
    for (line, row) in rows {
        let bad = |what: String| Err(Refusal::input(format!("{shown}, line {line}: {what}")).hint(SHAPE));
        let Some(target) = basis.targets.iter().position(|t| t.id == row.target) else {
            let ids: Vec<&str> = basis.targets.iter().map(|t| t.id.as_str()).collect();
            return bad(format!("the run has no target {:?}; it has {}", row.target, ids.join(", ")));
        };
        let Some(prompt) = basis.prompts.iter().position(|p| p.id == row.prompt_id) else {
            return bad(format!("the run has no prompt {:?}", row.prompt_id));
        };
        if !seen.insert((target, prompt, row.repeat)) {
            return bad(format!("the answer of {} to {} is graded twice", row.target, row.prompt_id));
        }
        grades.push(HumanGrade { target, prompt, repeat: row.repeat, pass: row.pass });
    }
    if grades.is_empty() {
        return Err(Refusal::input(format!("{shown}: it has no grades")).hint(SHAPE));
    }
    Ok(grades)
}

fn json_rows(shown: &str, text: &str) -> Result<Vec<(usize, Row)>, Refusal> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            let row = serde_json::from_str(line).map_err(|e| {
                let what = e.to_string();
                let what = what.split(" at line ").next().unwrap_or_default();
                Refusal::input(format!("{shown}, line {}: {what}", n + 1)).hint(SHAPE)
            })?;
            Ok((n + 1, row))
        })
        .collect()
}

fn csv_rows(shown: &str, text: &str) -> Result<Vec<(usize, Row)>, Refusal> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let bad = |line: u64, what: String| Refusal::input(format!("{shown}, line {line}: {what}")).hint(SHAPE);
    let headers = reader.headers().map_err(|e| bad(1, e.to_string()))?.clone();
    let column = |name: &str| headers.iter().position(|h| h.trim().eq_ignore_ascii_case(name));
    let needed = |name: &str| column(name).ok_or_else(|| bad(1, format!("there is no column {name:?}")));
    let (target, prompt, pass) = (needed("target")?, needed("prompt_id")?, needed("pass")?);
    let repeat = column("repeat");
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| bad(e.position().map_or(0, csv::Position::line), e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize| record.get(at).unwrap_or_default().trim().to_owned();
        let said = cell(pass).to_lowercase();
        if said.is_empty() {
            // An answer without a grade yet.
            continue;
        }
        let pass = match said.as_str() {
            "yes" | "y" | "true" | "1" | "pass" => true,
            "no" | "n" | "false" | "0" | "fail" => false,
            other => return Err(bad(line, format!("{other:?} is neither yes nor no"))),
        };
        let repeat = match repeat.map(cell).filter(|text| !text.is_empty()) {
            Some(text) => text.parse().map_err(|_| bad(line, format!("the repeat {text:?} is no number")))?,
            None => 0,
        };
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        rows.push((line, Row { target: cell(target), prompt_id: cell(prompt), repeat, pass }));
    }
    Ok(rows)
}
