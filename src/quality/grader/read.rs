//! Makes the check of a grader from its assertion.

use super::check::{Check, Item, Similarity};
use super::fault::{Fault, Problem};
use super::kinds::{NOT_RUN, PROGRAMS, SERVICES, nearest};
use crate::prompts::{Assertion, js, yaml};
use crate::quality::regex::Regex;
use crate::quality::schema::{Schema, SchemaError};
use crate::quality::sql;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct Reader {
    pub(super) place: usize,
    pub(super) problems: Vec<Problem>,
}

/// Does JavaScript treat this value as true?
fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(_) => true,
    }
}

/// A text, or a list of texts.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

impl Reader {
    pub(super) fn item(&mut self, assertion: &Assertion, outer: bool) -> Item {
        let place = self.place;
        self.place += 1;
        let kind = assertion.kind.clone();
        let (inverse, base) = kind.strip_prefix("not-").map_or((false, kind.as_str()), |base| (true, base));
        let mut fault = None;
        let check = if outer && kind == "assert-set" {
            Check::Set(assertion.members.iter().map(|m| self.item(m, false)).collect())
        } else if let Some(filling) = &assertion.fault {
            fault = Some(Fault::Filling(filling.clone()));
            Check::Broken
        } else if assertion.transform.is_some() {
            fault = Some(Fault::NotRun { kind: format!("transform of {kind}"), why: PROGRAMS });
            Check::Broken
        } else {
            match check(base, &kind, assertion) {
                Ok((check, lazy)) => {
                    fault = lazy;
                    check
                }
                Err(found) => {
                    fault = Some(found);
                    Check::Broken
                }
            }
        };
        if let Some(what) = fault {
            self.problems.push(Problem { place, line: assertion.line, kind: kind.clone(), what });
        }
        Item {
            inverse,
            check,
            threshold: assertion.threshold,
            weight: assertion.weight.unwrap_or(1.0),
            metric: assertion.metric.clone().filter(|m| !m.is_empty()),
            kind,
        }
    }
}

/// The check of an assertion, and a problem with it that does not prevent grading.
fn check(base: &str, kind: &str, assertion: &Assertion) -> Result<(Check, Option<Fault>), Fault> {
    let value = assertion.value.as_ref();
    let needs = |wanted| Fault::Value { kind: kind.to_owned(), wanted };
    let text = |wanted| value.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| needs(wanted));
    let list = |wanted| value.and_then(texts).ok_or_else(|| needs(wanted));
    let no_threshold = |wanted| Fault::NoThreshold { kind: kind.to_owned(), wanted };
    let check = match base {
        "equals" => match value {
            // JavaScript turns an absent value into this text.
            None => Check::EqualsText("undefined".to_owned()),
            Some(v @ (Value::Null | Value::Array(_) | Value::Object(_))) => Check::EqualsJson(v.clone()),
            Some(other) => Check::EqualsText(js::text(other)),
        },
        "contains" | "icontains" => {
            let needle = match value {
                Some(Value::String(text)) if !text.is_empty() => text.clone(),
                Some(v @ Value::Number(_)) => js::text(v),
                _ => return Err(needs("a text or a number")),
            };
            Check::Contains { needles: vec![needle], all: true, fold: base == "icontains" }
        }
        "contains-any" | "contains-all" | "icontains-any" | "icontains-all" => {
            let needles = match value {
                Some(Value::Array(items)) => items.iter().map(js::text).collect(),
                Some(Value::String(text)) if !text.is_empty() => {
                    comma_separated(text).ok_or(Fault::ListSyntax)?
                }
                _ => return Err(needs("a list of texts")),
            };
            Check::Contains { needles, all: base.ends_with("all"), fold: base.starts_with('i') }
        }
        "starts-with" => Check::StartsWith(
            text("a text").and_then(|t| if t.is_empty() { Err(needs("a text")) } else { Ok(t) })?,
        ),
        "regex" => {
            let pattern = text("a pattern")?;
            if pattern.is_empty() {
                return Err(needs("a pattern"));
            }
            match Regex::new(&pattern) {
                Ok(regex) => Check::Regex(Some(Arc::new(regex))),
                // As in promptfoo it fails every answer; a prompt set with it is refused before a run.
                Err(invalid) => return Ok((Check::Regex(None), Some(Fault::Regex(invalid)))),
            }
        }
        "is-json" | "contains-json" => return Ok(json_check(base == "is-json", value)),
        "is-sql" | "contains-sql" => {
            if truthy(value) && !value.is_some_and(|v| v.is_object() || v.is_array()) {
                return Err(needs("a mapping with databaseType, or no value"));
            }
            let wanted = value.map(sql::Wanted::read).unwrap_or_default();
            Check::Sql { whole: base == "is-sql", wanted }
        }
        "is-xml" | "contains-xml" => {
            let split = |t: &str| t.split(',').map(|e| js::trim(e).to_owned()).collect();
            let elements = match value {
                Some(Value::String(text)) => Some(split(text)),
                Some(Value::Array(list)) if !list.is_empty() => Some(list.iter().map(js::text).collect()),
                Some(Value::Object(map)) if !map.is_empty() => match map.get("requiredElements") {
                    Some(Value::Array(list)) => Some(list.iter().map(js::text).collect()),
                    _ => return Err(needs("the wanted elements: a text, a list, or requiredElements")),
                },
                _ => None,
            };
            Check::Xml { whole: base == "is-xml", elements }
        }
        "is-html" | "contains-html" => Check::Html { whole: base == "is-html" },
        "is-valid-openai-tools-call" => Check::ToolsCall,
        "is-valid-openai-function-call" | "is-valid-function-call" => Check::FunctionCall,
        "tool-call-f1" => {
            let names: BTreeSet<String> = match value {
                Some(Value::Array(list)) => list.iter().map(js::text).collect::<Vec<_>>(),
                Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
                _ => return Err(needs("the names of the tools that are expected")),
            }
            .iter()
            .map(|n| js::trim(n).to_owned())
            .filter(|n| !n.is_empty())
            .collect();
            if names.is_empty() {
                return Err(needs("at least one name of a tool"));
            }
            Check::ToolCallF1(names)
        }
        "levenshtein" => Check::Levenshtein(text("a text")?),
        "rouge-n" => Check::RougeN(text("a text")?),
        "rouge-l" => Check::RougeL(text("a text")?),
        "bleu" | "gleu" | "meteor" | "chrf" => {
            let references = list("a text or a list of texts")?;
            if references.is_empty() {
                return Err(needs("at least one text"));
            }
            match base {
                "bleu" => Check::Bleu(references),
                "gleu" => Check::Gleu(references),
                "meteor" => Check::Meteor(references),
                _ => Check::Chrf(references),
            }
        }
        "word-count" => word_count(value).ok_or_else(|| needs("a number of words, or {min, max}"))?,
        "latency" => {
            assertion.threshold.ok_or_else(|| no_threshold("milliseconds"))?;
            Check::Latency
        }
        "cost" => {
            assertion.threshold.ok_or_else(|| no_threshold("US dollars"))?;
            Check::Cost
        }
        "finish-reason" => Check::FinishReason(text("a reason such as \"stop\"")?),
        "is-refusal" => Check::Refusal,
        "perplexity" | "perplexity-score" => Check::Perplexity { as_score: base == "perplexity-score" },
        "numeric" => {
            let number = |v: &Value| v.as_f64().or_else(|| v.as_str().and_then(js::number));
            let (value, tolerance) = match value {
                Some(Value::Object(map)) => {
                    (map.get("value").and_then(number), map.get("tolerance").and_then(number))
                }
                Some(other) => (number(other), None),
                None => (None, None),
            };
            let value = value.ok_or_else(|| needs("a number, or {value, tolerance}"))?;
            let tolerance = tolerance.or(assertion.threshold).unwrap_or(0.0);
            if tolerance < 0.0 {
                return Err(needs("a tolerance that is not negative"));
            }
            Check::Numeric { value, tolerance }
        }
        "choice" => {
            let letters = list("a letter such as \"B\"")?;
            let letter = |l: &String| {
                let mut chars = l.trim().chars();
                let first = chars.next().filter(char::is_ascii_alphabetic)?.to_ascii_uppercase();
                chars.next().is_none().then_some(first)
            };
            let letters: Option<Vec<char>> = letters.iter().map(letter).collect();
            Check::Choice(letters.filter(|l| !l.is_empty()).ok_or_else(|| needs("a letter such as \"B\""))?)
        }
        "max-tokens" => {
            let most = value.and_then(Value::as_f64).or(assertion.threshold);
            Check::MaxTokens(most.filter(|n| *n >= 0.0).ok_or_else(|| needs("a number of tokens"))?)
        }
        "llm-rubric" => {
            text("what the answer has to be like")?;
            Check::Told
        }
        "exec" => {
            text("the name of a program given on the command line")?;
            Check::Told
        }
        "similar" | "similar:cosine" | "similar:dot" | "similar:euclidean" => {
            let references = list("a text or a list of texts")?.len();
            if references == 0 {
                return Err(needs("at least one text"));
            }
            let metric = match base {
                "similar:dot" => Similarity::Dot,
                "similar:euclidean" => Similarity::Euclidean,
                _ => Similarity::Cosine,
            };
            Check::Similar { references, metric }
        }
        "" => return Err(Fault::NoType),
        _ => {
            if let Some((_, why)) = NOT_RUN.iter().find(|(name, _)| *name == base) {
                return Err(Fault::NotRun { kind: kind.to_owned(), why });
            }
            if base.starts_with("promptfoo:") || base.starts_with("trajectory:") {
                return Err(Fault::NotRun { kind: kind.to_owned(), why: SERVICES });
            }
            return Err(Fault::Unknown { kind: kind.to_owned(), nearest: nearest(kind) });
        }
    };
    Ok((check, None))
}

fn json_check(whole: bool, value: Option<&Value>) -> (Check, Option<Fault>) {
    if !truthy(value) {
        return (Check::Json { whole, schema: None }, None);
    }
    let schema = match value {
        // A schema may be YAML in a string.
        Some(Value::String(text)) => match yaml::document(text, false) {
            Ok(Some(node)) => Schema::new(&node.value()),
            Ok(None) => Err(SchemaError::NotASchema),
            Err(error) => Err(SchemaError::Unreadable(format!("line {}: {}", error.line, error.message))),
        },
        Some(value @ Value::Object(_)) => Schema::new(value),
        _ => Err(SchemaError::NotASchema),
    };
    let fault = schema.as_ref().err().cloned().map(Fault::Schema);
    (Check::Json { whole, schema: Some(schema.map(Arc::new)) }, fault)
}

fn word_count(value: Option<&Value>) -> Option<Check> {
    let (min, max) = match value? {
        Value::Number(n) => (n.as_f64(), n.as_f64()),
        Value::String(text) => {
            let n = js::number(text)?;
            (Some(n), Some(n))
        }
        Value::Object(map) => {
            let bound = |key: &str| match map.get(key) {
                None => Ok(None),
                Some(v) => v.as_f64().or_else(|| v.as_str().and_then(js::number)).map(Some).ok_or(()),
            };
            let (min, max) = (bound("min").ok()?, bound("max").ok()?);
            if min.is_none() && max.is_none() || matches!((min, max), (Some(min), Some(max)) if min > max) {
                return None;
            }
            (min, max)
        }
        _ => return None,
    };
    Some(Check::WordCount { min, max })
}

/// Splits `a, "b, c", d` into its parts: trimmed, without empty ones. Within quotes a quotation mark is
/// doubled or escaped by a backslash. `None` where a closing quotation mark is missing, or anything but a
/// comma follows it.
fn comma_separated(text: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = text.chars().collect();
    let skip = |mut at: usize, commas: bool| {
        while chars.get(at).is_some_and(|c| js::is_space(*c) || (commas && *c == ',')) {
            at += 1;
        }
        at
    };
    let (mut parts, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        at = skip(at, true);
        match chars.get(at) {
            None => break,
            Some('"') => {
                let mut part = String::new();
                at += 1;
                loop {
                    match (*chars.get(at)?, chars.get(at + 1)) {
                        ('\\', Some(c @ ('"' | '\\'))) => {
                            part.push(*c);
                            at += 2;
                        }
                        ('"', Some('"')) => {
                            part.push('"');
                            at += 2;
                        }
                        ('"', _) => {
                            at += 1;
                            break;
                        }
                        (c, _) => {
                            part.push(c);
                            at += 1;
                        }
                    }
                }
                parts.push(part);
                at = skip(at, false);
                if chars.get(at).is_some_and(|c| *c != ',') {
                    return None;
                }
            }
            Some(_) => {
                let end = chars[at..].iter().position(|c| *c == ',').map_or(chars.len(), |i| at + i);
                parts.push(js::trim(&chars[at..end].iter().collect::<String>()).to_owned());
                at = end;
            }
        }
    }
    Some(parts)
}
