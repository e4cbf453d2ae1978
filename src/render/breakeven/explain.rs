//! Explains any number of the document, given by its path in the JSON or its name: the formula, the inputs
//! with their sources, the other numbers that it depends on, and the arithmetic. It uses only the document,
//! so that what is explained is what was written.

mod compared;
mod offers;
mod rest;
mod rule;

use super::plain;
use crate::document::breakeven::BreakevenDocument;
use crate::document::breakeven::convert::source_words;
use rule::{Rule, digits};
use serde_json::Value;
use std::fmt::Write as _;

/// Names for numbers of the headline, in addition to the names of fields.
const SHORT: [(&str, &str); 4] = [
    ("cloud_monthly_usd", "cloud.monthly_usd"),
    ("local_monthly_usd", "local.monthly_usd"),
    ("still_owed", "local.still_owed_usd"),
    ("hybrid", "hybrid.routed.tco_usd"),
];

/// One step of a path in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
}

/// Names that can be explained, for the error message about an unknown one: the numbers of the headline.
pub fn explainable(document: &BreakevenDocument) -> Vec<String> {
    let e = Explainer::new(document);
    let mut names = Vec::new();
    for base in e.bases() {
        if let Some(Value::Object(fields)) = e.at(&base) {
            let numbers = fields.iter().filter(|(_, v)| v.is_number()).map(|(name, _)| name.clone());
            names.extend(numbers);
        }
    }
    names.sort();
    names.dedup();
    names
}

/// The steps that lead to a number, or the source of an input; the last step is the number itself. `None`
/// where there is no such number.
pub fn explain(document: &BreakevenDocument, name: &str) -> Option<Vec<String>> {
    let e = Explainer::new(document);
    if let Some(steps) = e.an_input(name) {
        return Some(steps);
    }
    if let Some(path) = e.locate(name) {
        let rule = e.rule(&path)?;
        return Some(e.steps(rule, &written(&path), e.at(&path)?));
    }
    // A value that others refer to, without being a field itself: `local[0].seconds_per_request`.
    let path = name.strip_prefix("result.").unwrap_or(name);
    let derivation = e.derivation(path)?;
    let rule = Explainer::printed(derivation, path.rsplit('.').next().unwrap_or(path));
    Some(e.steps(rule, &format!("result.{path}"), &derivation.value.into()))
}

struct Explainer<'a> {
    document: &'a BreakevenDocument,
    /// The result, as JSON.
    result: Value,
}

impl<'a> Explainer<'a> {
    fn new(document: &'a BreakevenDocument) -> Self {
        let result = serde_json::to_value(&document.result).unwrap_or_default();
        Self { document, result }
    }

    /// The source of an input, or of a part of it: `local.usd_per_kwh`, `inputs.need.start`.
    fn an_input(&self, name: &str) -> Option<Vec<String>> {
        let asked = name;
        let name = name.strip_prefix("inputs.").unwrap_or(name);
        let inputs = &self.document.inputs;
        let owner = |n: &str| {
            let mut ends = n.match_indices(['.', '[']).map(|(at, _)| at).collect::<Vec<_>>();
            ends.push(n.len());
            ends.into_iter().rev().find(|end| inputs.contains_key(&n[..*end]))
        };
        let end = owner(name)?;
        let (key, part) = (&name[..end], &name[end..]);
        let input = &inputs[key];
        let part = part.strip_prefix(".value").unwrap_or(part);
        let value = parse(part.trim_start_matches('.'))
            .iter()
            .try_fold(&input.value, |value, step| next(value, step))?;
        let unit = input.unit.as_deref().unwrap_or("");
        let mut steps = vec![self.input(key), format!("From: {}", source_words(&input.source))];
        match &input.source {
            crate::provenance::Source::Assumed { reason, .. } => steps.push(format!("Why: {reason}.")),
            crate::provenance::Source::Database { source, .. } => steps.push(format!("Read from: {source}.")),
            _ => {}
        }
        steps.push(format!("{asked} = {} {unit}", bare(value)).trim_end().to_owned());
        Some(steps)
    }

    /// Places of the headline's numbers, in the order in which names are looked up.
    fn bases(&self) -> Vec<Vec<Step>> {
        let r = &self.document.result;
        let head = r.comparisons.first();
        let item = |list: &str, n: usize| vec![Step::Field(list.to_owned()), Step::Item(n)];
        let field = |names: &[&str]| names.iter().map(|n| Step::Field((*n).to_owned())).collect::<Vec<_>>();
        let local = head.and_then(|h| r.local.iter().position(|l| l.name == h.local));
        let cloud = head.and_then(|h| r.cloud.iter().position(|c| c.name == h.cloud));
        let mut bases = vec![item("comparisons", 0)];
        if let Some(n) = local {
            bases.push(item("local", n));
            bases.push([item("local", n), field(&["monthly_parts_usd"])].concat());
        }
        if let Some(n) = cloud {
            bases.push(item("cloud", n));
            bases.push([item("cloud", n), field(&["monthly_parts_usd"])].concat());
        }
        bases.push(field(&["hybrid", "routed"]));
        bases.push(field(&["hybrid", "overflow"]));
        bases.push(field(&["uncertainty"]));
        bases.push(Vec::new());
        bases
    }

    /// The path that a name stands for: the name itself if it is a path, or else a field of the headline.
    fn locate(&self, name: &str) -> Option<Vec<Step>> {
        let name = name.strip_prefix("result.").unwrap_or(name);
        let short = SHORT.iter().find(|(short, _)| *short == name).map(|(_, long)| *long);
        if let Some((list, field)) = short.and_then(|long| long.split_once('.')) {
            let own = |b: &Vec<Step>| b.first() == Some(&Step::Field(list.to_owned()));
            let base = self.bases().into_iter().find(own)?;
            let path = [base, vec![Step::Field(field.rsplit('.').next()?.to_owned())]].concat();
            return self.is_number(&path).then_some(path);
        }
        let path = parse(name);
        if self.is_number(&path) {
            return Some(path);
        }
        if path.len() != 1 {
            return None;
        }
        self.bases().into_iter().map(|base| [base, path.clone()].concat()).find(|p| self.is_number(p))
    }

    /// Is there a number at this path, or a null that stands for one?
    fn is_number(&self, path: &[Step]) -> bool {
        !path.is_empty()
            && self.at(path).is_some_and(|v| v.is_number() || v.is_null())
            && self.rule(path).is_some()
    }

    fn at(&self, path: &[Step]) -> Option<&Value> {
        path.iter().try_fold(&self.result, |value, step| next(value, step))
    }

    /// The number at a path of the result.
    fn get(&self, path: &str) -> Option<f64> {
        self.at(&parse(path))?.as_f64()
    }

    fn rule(&self, path: &[Step]) -> Option<Rule> {
        use Step::{Field, Item};
        let name = |step: &Step| match step {
            Field(name) => name.clone(),
            Item(_) => String::new(),
        };
        match path {
            [Field(a), ..] if a == "cumulative" => Some(
                Rule::new("what an offer has cost by the end of each month: purchases so far, less what replaced units fetch, and everything running; low and high are a tenth and nine tenths of the draws")
                    .inputs("need", &["requests_per_month", "growth_per_month", "horizon_months", "start"])
                    .note("Month by month in --format csv [counted]"),
            ),
            [Field(a), ..] if a == "by_volume" => Some(
                Rule::new("what the first month costs at other volumes, with as many units as each needs; nothing else changes")
                    .inputs("need", &["requests_per_month", "input_tokens", "output_tokens", "peak_to_mean"])
                    .note("Each volume is priced by the engine as the need is [counted]"),
            ),
            [Field(a), ..] if a == "today" => Some(
                Rule::new("what the records of usage say, and the same month priced by the records of the catalogue for those days")
                    .inputs("need", &["requests_per_month", "input_tokens", "output_tokens"])
                    .note("Read from the usage document [counted]"),
            ),
            [Field(list), Item(n), rest @ ..] => {
                let fields: Vec<String> = rest.iter().map(name).collect();
                let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
                match (list.as_str(), &fields[..]) {
                    ("comparisons", [field]) => self.compared(*n, field),
                    ("comparisons", ["breakeven_windows", "", _]) => Some(
                        Rule::new("the volume at which the cheaper side changes: the horizon is computed at forty volumes a decade, and between two that differ the turn is found by halving")
                            .inputs("need", &["requests_per_month", "growth_per_month", "horizon_months"])
                            .number(format!("comparisons[{n}].breakeven_requests_per_month")),
                    ),
                    ("local", [field]) => self.local(*n, field),
                    ("local", ["monthly_parts_usd", part]) => self.local_part(*n, part),
                    ("local", ["total_parts_usd", part]) => Some(Self::total_part(*n, part)),
                    ("local", ["plan", fields @ ..]) => self.planned(*n, fields),
                    ("local" | "cloud", ["events", "", _]) => Some(
                        Rule::new("the month in which it happens, counted from 1 [counted]")
                            .inputs("need", &["start", "growth_per_month", "horizon_months"]),
                    ),
                    ("cloud", [field]) => self.cloud(*n, field),
                    ("cloud", ["monthly_parts_usd", part]) => self.cloud_part(*n, part),
                    ("cash_flow", [field]) => self.month(*n, field),
                    ("cash_flow", [list, part]) => self.month(*n, &format!("{list}.{part}")),
                    _ => None,
                }
            }
            [Field(a), Field(b), Item(n), Field(c)] if a == "uncertainty" && b == "tornado" => {
                self.bar(*n, c)
            }
            [Field(a), Field(b), Item(n), Field(_)] if a == "uncertainty" && b == "turning_points" => {
                self.turning_point(*n)
            }
            [Field(a), Field(b), Field(list), Item(n), Field(c)]
                if a == "hybrid" && b == "overflow" && list == "options" =>
            {
                self.option(*n, c)
            }
            [Field(a), Field(b), Field(c)] if a == "hybrid" => self.hybrid(b, c),
            [Field(a), Field(b)] if a == "uncertainty" => self.odds(b),
            [Field(name)] => self.whole(name),
            _ => None,
        }
    }

    /// The steps that are printed for a rule; the last one is the number itself.
    fn steps(&self, rule: Rule, path: &str, value: &Value) -> Vec<String> {
        let mut steps = vec![rule.formula];
        for (name, alias) in rule.inputs.iter().filter(|(name, _)| self.has(name)) {
            let input = self.input(name);
            steps.push(alias.as_ref().map_or_else(|| input.clone(), |alias| format!("{alias}: {input}")));
        }
        for path in &rule.numbers {
            if let Some(value) = self.get(path) {
                steps.push(format!("{path} = {} [computed: --explain {path}]", digits(value)));
            }
        }
        steps.extend(rule.notes);
        let is = value.as_f64();
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs().max(b.abs()) + 1e-9;
        // Arithmetic whose result differs from the number is not shown.
        if let (Some((arithmetic, v)), Some(is)) = (rule.computed, is)
            && near(v, is)
        {
            steps.push(format!("Computed: {arithmetic} = {}", digits(v)));
        }
        steps.push(match value {
            Value::Null => format!("{path}: there is none"),
            value => format!("{path} = {value}"),
        });
        steps
    }

    /// An input with its value and source, or a note that there is none.
    fn input(&self, name: &str) -> String {
        match self.document.inputs.get(name) {
            Some(input) => {
                let unit = input.unit.as_deref().unwrap_or("");
                format!("{name} = {} {unit} [{}]", shown(&input.value), source_words(&input.source))
            }
            None => format!("{name}: not part of this calculation"),
        }
    }

    /// The likely value of an input.
    fn value(&self, name: &str) -> Option<f64> {
        let value = &self.document.inputs.get(name)?.value;
        value.as_f64().or_else(|| value.get("likely").and_then(Value::as_f64))
    }

    fn has(&self, name: &str) -> bool {
        self.document.inputs.contains_key(name)
    }

    /// Names of the input tables of all cloud offers and all local offers. Those that were asked for are
    /// numbered by side, and comparators are numbered on.
    fn tables(&self) -> (Vec<String>, Vec<String>) {
        use crate::document::breakeven::Comparator;
        let r = &self.document.result;
        let numbered = |table: &str, n: usize| {
            if n == 0 { table.to_owned() } else { format!("{table}.{}", n + 1) }
        };
        let asked = |c: Comparator| c == Comparator::Asked;
        let total = r.cloud.iter().filter(|c| asked(c.comparator)).count()
            + r.local.iter().filter(|l| asked(l.comparator)).count();
        let (mut cloud, mut local, mut added) = (0, 0, total);
        let mut name = |table: &str, count: &mut usize, is_asked: bool| {
            if is_asked {
                *count += 1;
                numbered(table, *count - 1)
            } else {
                added += 1;
                format!("comparator.{added}")
            }
        };
        let clouds = r.cloud.iter().map(|c| name("cloud", &mut cloud, asked(c.comparator))).collect();
        let locals = r.local.iter().map(|l| name("local", &mut local, asked(l.comparator))).collect();
        (clouds, locals)
    }
}

/// Splits `a.b[3].c` into steps.
fn parse(path: &str) -> Vec<Step> {
    let parts = path.split(['.', '[']).filter(|p| !p.is_empty());
    parts
        .map(|part| match part.strip_suffix(']').and_then(|n| n.parse().ok()) {
            Some(n) => Step::Item(n),
            None => Step::Field(part.to_owned()),
        })
        .collect()
}

fn next<'v>(value: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Field(name) => value.get(name),
        Step::Item(n) => value.get(n),
    }
}

fn written(path: &[Step]) -> String {
    let mut text = String::from("result");
    for step in path {
        match step {
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            Step::Item(n) => {
                let _ = write!(text, "[{n}]");
            }
        }
    }
    text
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(n) => n.as_f64().map_or_else(String::new, plain),
        Value::String(text) => text.clone(),
        Value::Object(range) => {
            let part = |k: &str| range.get(k).and_then(Value::as_f64).map(plain).unwrap_or_default();
            format!("{} ({} to {})", part("likely"), part("low"), part("high"))
        }
        Value::Array(items) => super::list(items),
        other => other.to_string(),
    }
}
