//! Assertions → graders: every name known, every value checked once, before any answer is seen.

use super::regex::{self, Regex};
use super::schema::{Schema, SchemaError};
use super::sql;
use super::text::levenshtein;
use crate::prompts::{Assertion, js, yaml};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The graders of one prompt.
#[derive(Debug, Clone)]
pub struct Graders {
    pub(super) items: Vec<Item>,
    pub(super) threshold: Option<f64>,
    problems: Vec<Problem>,
}

/// One grader, or a set of them.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// As written, with `not-`.
    pub(super) kind: String,
    pub(super) inverse: bool,
    pub(super) check: Check,
    pub(super) threshold: Option<f64>,
    pub(super) weight: f64,
    pub(super) metric: Option<String>,
}

/// What a grader compares.
#[derive(Debug, Clone)]
pub(super) enum Check {
    Set(Vec<Item>),
    EqualsText(String),
    EqualsJson(Value),
    Contains {
        needles: Vec<String>,
        all: bool,
        fold: bool,
    },
    StartsWith(String),
    Regex(Option<Arc<Regex>>),
    Json {
        whole: bool,
        schema: Option<Result<Arc<Schema>, SchemaError>>,
    },
    Sql {
        whole: bool,
        wanted: sql::Wanted,
    },
    Xml {
        whole: bool,
        elements: Option<Vec<String>>,
    },
    Html {
        whole: bool,
    },
    ToolsCall,
    FunctionCall,
    ToolCallF1(BTreeSet<String>),
    Levenshtein(String),
    RougeN(String),
    RougeL(String),
    Bleu(Vec<String>),
    Gleu(Vec<String>),
    Meteor(Vec<String>),
    Chrf(Vec<String>),
    WordCount {
        min: Option<f64>,
        max: Option<f64>,
    },
    Latency,
    Cost,
    FinishReason(String),
    Refusal,
    Perplexity {
        as_score: bool,
    },
    Numeric {
        value: f64,
        tolerance: f64,
    },
    Choice(Vec<char>),
    MaxTokens(f64),
    Similar {
        references: usize,
        metric: Similarity,
    },
    /// A judge or a program says it.
    Told,
    /// Cannot be graded: see the problems.
    Broken,
}

/// How two embeddings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    Cosine,
    Dot,
    Euclidean,
}

/// What a grader needs from outside before it can grade an answer; the caller asks and puts the result
/// into [`super::Given`] under the same place.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// A judge's verdict on the answer by this rubric.
    Judge { rubric: String },
    /// Embeddings of the answer and of these texts.
    Embeddings { references: Vec<String> },
    /// The verdict of a program that the user has named on the command line.
    Program { name: String },
}

/// What is wrong with an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Place among all graders, members of sets counted behind their set.
    pub place: usize,
    /// Line of the file, where it is known.
    pub line: Option<usize>,
    pub kind: String,
    pub what: Fault,
}

/// See [`Problem`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("there is no assertion {kind:?}{}", nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    Unknown { kind: String, nearest: Option<String> },
    #[error("the assertion has no type")]
    NoType,
    #[error("{kind:?} needs {wanted}")]
    Value { kind: String, wanted: &'static str },
    #[error("{kind:?} needs a threshold: {wanted}")]
    NoThreshold { kind: String, wanted: &'static str },
    #[error("a list in quotation marks is broken: a comma must follow each closing mark")]
    ListSyntax,
    #[error("the pattern is no regular expression: {0}")]
    Regex(regex::Invalid),
    #[error("{0}")]
    Schema(SchemaError),
    /// A template, or a file that a value names.
    #[error("{0}")]
    Filling(String),
    /// It would run a program of the prompt file, or needs a service that is not part of this tool.
    #[error("{kind:?} is not run: {why}")]
    NotRun { kind: String, why: &'static str },
}

impl Fault {
    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { .. } => "The names are in docs/graders.md.".to_owned(),
            Self::NoType => "Write `type: contains` or another name of docs/graders.md.".to_owned(),
            Self::Value { wanted, .. } => format!("Give it {wanted} as `value`."),
            Self::NoThreshold { wanted, .. } => format!("Give it {wanted} as `threshold`."),
            Self::ListSyntax => "Write the values as a YAML list.".to_owned(),
            Self::Regex(_) => "It has to be JavaScript's kind, without flags.".to_owned(),
            Self::Schema(_) => "It has to be a JSON schema of draft-07 with known keywords only.".to_owned(),
            Self::Filling(_) => "Mend the template, or the path.".to_owned(),
            Self::NotRun { .. } => {
                "Replace it, or grade it with a program of your own (`exec`); the prompt counts as not graded."
                    .to_owned()
            }
        }
    }

    /// Is the prompt usable all the same, only without a grade?
    pub fn is_not_run(&self) -> bool {
        matches!(self, Self::NotRun { .. })
    }
}

/// Every name that is graded here.
pub const KINDS: &[&str] = &[
    "assert-set",
    "bleu",
    "choice",
    "chrf",
    "contains",
    "contains-all",
    "contains-any",
    "contains-html",
    "contains-json",
    "contains-sql",
    "contains-xml",
    "cost",
    "equals",
    "exec",
    "finish-reason",
    "gleu",
    "icontains",
    "icontains-all",
    "icontains-any",
    "is-html",
    "is-json",
    "is-refusal",
    "is-sql",
    "is-valid-function-call",
    "is-valid-openai-function-call",
    "is-valid-openai-tools-call",
    "is-xml",
    "latency",
    "levenshtein",
    "llm-rubric",
    "max-tokens",
    "meteor",
    "numeric",
    "perplexity",
    "perplexity-score",
    "regex",
    "rouge-l",
    "rouge-n",
    "similar",
    "similar:cosine",
    "similar:dot",
    "similar:euclidean",
    "starts-with",
    "tool-call-f1",
    "word-count",
];

const PROGRAMS: &str = "no program of a prompt file is run";
const SERVICES: &str = "it needs a judge, a trace or a service that only promptfoo has";

/// Names of promptfoo that are not graded, and why.
const NOT_RUN: &[(&str, &str)] = &[
    ("javascript", PROGRAMS),
    ("python", PROGRAMS),
    ("ruby", PROGRAMS),
    ("webhook", PROGRAMS),
    ("agent-rubric", SERVICES),
    ("answer-relevance", SERVICES),
    ("classifier", SERVICES),
    ("context-faithfulness", SERVICES),
    ("context-recall", SERVICES),
    ("context-relevance", SERVICES),
    ("conversation-relevance", SERVICES),
    ("factuality", SERVICES),
    ("g-eval", SERVICES),
    ("guardrails", SERVICES),
    ("model-graded-closedqa", SERVICES),
    ("model-graded-factuality", SERVICES),
    ("moderation", SERVICES),
    ("pi", SERVICES),
    ("search-rubric", SERVICES),
    ("select-best", SERVICES),
    ("max-score", SERVICES),
    ("skill-used", SERVICES),
    ("human", SERVICES),
    ("trace-error-spans", SERVICES),
    ("trace-span-count", SERVICES),
    ("trace-span-duration", SERVICES),
];

/// Other names people write for the same thing.
const ALIASES: &[(&str, &str)] = &[
    ("exact-match", "equals"),
    ("exact", "equals"),
    ("similarity", "similar"),
    ("json-schema", "is-json"),
    ("ends-with", "regex"),
    ("latency-ms", "latency"),
    ("match", "regex"),
    ("includes", "contains"),
    ("llm-judge", "llm-rubric"),
    ("refusal", "is-refusal"),
    ("char-count", "word-count"),
    ("json", "is-json"),
];

fn nearest(kind: &str) -> Option<String> {
    let (not, base) = kind.strip_prefix("not-").map_or(("", kind), |base| ("not-", base));
    let lower = base.to_lowercase().replace('_', "-");
    if let Some((_, name)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return Some(format!("{not}{name}"));
    }
    let best = KINDS.iter().map(|name| (levenshtein(&lower, name), *name)).min()?;
    (best.0 <= 3 && best.0 * 2 < lower.len().max(2)).then(|| format!("{not}{}", best.1))
}

impl Graders {
    /// Make ready the graders of a prompt, values already filled in.
    pub fn new(asserts: &[Assertion], threshold: Option<f64>) -> Self {
        let mut reader = Reader { place: 0, problems: Vec::new() };
        let items = asserts.iter().map(|a| reader.item(a, true)).collect();
        Self { items, threshold: threshold.filter(|t| !t.is_nan()), problems: reader.problems }
    }

    /// What is wrong with them, in their order. A set with problems other than [`Fault::NotRun`] is
    /// refused before a run.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Is there nothing to grade by?
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What has to be asked from outside, by place; `asserts` are those they were made of.
    pub fn needs(asserts: &[Assertion]) -> Vec<(usize, Need)> {
        let mut needs = Vec::new();
        let flat = asserts.iter().flat_map(|a| std::iter::once(a).chain(&a.members));
        for (place, assertion) in flat.enumerate() {
            let base = assertion.kind.strip_prefix("not-").unwrap_or(&assertion.kind);
            let text = || assertion.value.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
            let need = match base {
                "llm-rubric" => Some(Need::Judge { rubric: text() }),
                "exec" => Some(Need::Program { name: text() }),
                _ if base == "similar" || base.starts_with("similar:") => {
                    assertion.value.as_ref().and_then(texts).map(|references| Need::Embeddings { references })
                }
                _ => None,
            };
            needs.extend(need.map(|n| (place, n)));
        }
        needs
    }
}

struct Reader {
    place: usize,
    problems: Vec<Problem>,
}

/// Is a value one that JavaScript takes for true?
fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(_) => true,
    }
}

/// A text, or a list of texts.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|v| v.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

impl Reader {
    fn item(&mut self, assertion: &Assertion, outer: bool) -> Item {
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

/// The check of an assertion, and what is wrong with it although it can be graded.
fn check(base: &str, kind: &str, assertion: &Assertion) -> Result<(Check, Option<Fault>), Fault> {
    let value = assertion.value.as_ref();
    let needs = |wanted| Fault::Value { kind: kind.to_owned(), wanted };
    let text = |wanted| value.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| needs(wanted));
    let list = |wanted| value.and_then(texts).ok_or_else(|| needs(wanted));
    let no_threshold = |wanted| Fault::NoThreshold { kind: kind.to_owned(), wanted };
    let check = match base {
        "equals" => match value {
            // An absent value is the text that JavaScript has for it.
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
                // It fails every answer, as in promptfoo; a set with it is refused before a run.
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
        // A schema may be written as YAML in a text.
        Some(Value::String(text)) => match yaml::document(text, false) {
            Ok(Some(node)) => Schema::new(&node.value()),
            _ => Err(SchemaError::NotASchema),
        },
        Some(value) => Schema::new(value),
        None => Err(SchemaError::NotASchema),
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

/// `a, "b, c", d` as its parts: trimmed, empty ones left out, a quotation mark inside quotes doubled or
/// behind a backslash. `None` where a closing mark is missing or something other than a comma follows.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_name_is_told_with_the_nearest() {
        for (kind, wanted) in [
            ("contain", Some("contains")),
            ("Equals", Some("equals")),
            ("exact-match", Some("equals")),
            ("not-containz", Some("not-contains")),
            ("json-schema", Some("is-json")),
            ("is_json", Some("is-json")),
            ("frobnicate", None),
        ] {
            let graders = Graders::new(&[Assertion::of(kind, json!("x"))], None);
            let [Problem { what: Fault::Unknown { nearest, .. }, .. }] = graders.problems() else {
                panic!("{kind}: {:?}", graders.problems())
            };
            assert_eq!(nearest.as_deref(), wanted, "{kind}");
        }
    }

    #[test]
    fn what_needs_others_is_listed_by_place() {
        let set = Assertion {
            members: vec![
                Assertion::of("contains", json!("a")),
                Assertion::of("not-llm-rubric", json!("kind")),
            ],
            ..Assertion::of("assert-set", json!(null))
        };
        let asserts = [set, Assertion::of("similar", json!(["x", "y"]))];
        assert_eq!(
            Graders::needs(&asserts),
            [
                (2, Need::Judge { rubric: "kind".into() }),
                (3, Need::Embeddings { references: vec!["x".into(), "y".into()] })
            ]
        );
        assert!(Graders::new(&asserts, None).problems().is_empty());
    }
}
