//! Describes a file of an unknown format: the names of its fields, and a mapping to try.

use super::container::{Container, header, lines};
use super::json_paths::{Kind, paths};
use super::marks::ROWS;
use crate::usage::format::FORMATS;
use std::collections::BTreeMap;

/// The description of a file of an unknown format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub container: Container,
    /// Names of fields that a mapping may need.
    pub fields: Vec<String>,
    /// Number of other fields, whose names could be data.
    pub others: usize,
    /// The format that is most similar.
    pub nearest: Option<&'static str>,
    /// A mapping that may be right, as `--map` takes it.
    pub suggested: Option<String>,
}

/// Describe a file whose format is unknown.
pub fn describe(head: &[u8], all: bool, container: Container) -> Unknown {
    let fields: Vec<(String, Kind)> = match container {
        Container::Table(mark) => columns(head, all, mark),
        Container::Json | Container::JsonLines => {
            let mut rows: BTreeMap<String, (usize, Kind)> = BTreeMap::new();
            let mut n = 0;
            let mut count = |json: &[u8]| {
                n += 1;
                for (path, kind) in paths(json) {
                    let entry = rows.entry(path).or_insert((0, kind));
                    entry.0 += 1;
                    entry.1 = if kind == Kind::Number { kind } else { entry.1 };
                }
            };
            if container == Container::JsonLines {
                lines(head, all).take(ROWS).for_each(&mut count);
            } else {
                count(head);
            }
            // A key that only a few rows have may be data.
            let often = |seen: usize| seen * 2 >= n;
            rows.into_iter()
                .filter(|(_, (seen, _))| often(*seen))
                .map(|(path, (_, kind))| (path, kind))
                .collect()
        }
        Container::Lines => Vec::new(),
    };
    let all_fields = fields.len();
    let plain = |path: &str| {
        path.replace("[]/", ".").replace('/', ".").trim_start_matches(['[', ']', '.']).to_owned()
    };
    let is_table = matches!(container, Container::Table(_));
    // Headers are written by programs; the key of an object may be somebody's name.
    let fit = |path: &str| is_name(path) && (is_table || path.split('/').all(is_usual));
    let shown: Vec<String> = fields
        .iter()
        .filter(|(path, kind)| fit(path) && (*kind == Kind::Number || hint(path).is_some()))
        .map(|(path, _)| plain(path))
        .collect();
    let names: Vec<&str> = fields.iter().map(|(path, _)| path.as_str()).collect();
    Unknown {
        container,
        others: all_fields - shown.len(),
        nearest: nearest(&names),
        suggested: suggest(&shown),
        fields: shown,
    }
}

/// The columns of a table, if its first row is a header, which is unlike the rows below it.
fn columns(head: &[u8], all: bool, mark: u8) -> Vec<(String, Kind)> {
    let names = header(head, mark);
    let second = lines(head, all).nth(1).map(|line| header(line, mark)).unwrap_or_default();
    let is_number = |text: &String| text.replace([',', '.'], "").trim().parse::<f64>().is_ok();
    let alike = (1..names.len()).any(|n| names[n].is_empty() || names[..n].contains(&names[n]));
    if alike || names.iter().any(is_number) || !second.iter().any(is_number) {
        return names.into_iter().map(|_| (String::new(), Kind::Other)).collect();
    }
    let kind = |n: usize| if second.get(n).is_some_and(is_number) { Kind::Number } else { Kind::Other };
    names.into_iter().enumerate().map(|(n, name)| (name, kind(n))).collect()
}

/// The words of a name: `cache_write_5m`, `promptTokens`, `Request tokens`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        let last = words.len() - 1;
        if !c.is_alphanumeric() {
            words.push(String::new());
        } else if c.is_uppercase() && words[last].chars().last().is_some_and(char::is_lowercase) {
            words.push(c.to_lowercase().collect());
        } else {
            words[last].extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Is it short and made of words, as names of fields are, and not a key or an address?
fn is_name(path: &str) -> bool {
    let fine = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ' | '[' | ']' | '$' | '(' | ')')
    };
    let is_word =
        |word: &String| word.len() <= 3 || (word.len() <= 20 && word.chars().all(char::is_alphabetic));
    !path.is_empty()
        && path.len() <= 80
        && path.chars().all(fine)
        && path.split(['/', '.']).all(|part| part.len() <= 40 && words(part).iter().all(is_word))
}

/// Does it consist of words that are usual in usage records?
fn is_usual(step: &str) -> bool {
    const USUAL: [&str; 56] = [
        "at",
        "attributes",
        "body",
        "cache",
        "cached",
        "completion",
        "context",
        "cost",
        "count",
        "created",
        "creation",
        "data",
        "date",
        "details",
        "duration",
        "end",
        "eval",
        "generated",
        "id",
        "in",
        "input",
        "items",
        "length",
        "log",
        "logs",
        "message",
        "meta",
        "metadata",
        "metrics",
        "model",
        "name",
        "num",
        "out",
        "output",
        "price",
        "prompt",
        "read",
        "reasoning",
        "records",
        "request",
        "response",
        "result",
        "results",
        "row",
        "rows",
        "spend",
        "start",
        "stats",
        "time",
        "timestamp",
        "token",
        "tokens",
        "total",
        "ts",
        "usage",
        "usd",
    ];
    let words = words(step);
    words.iter().all(|word| word.len() <= 2 || USUAL.contains(&word.as_str()) || hint(word).is_some())
}

/// What a field with this name may be.
fn hint(path: &str) -> Option<&'static str> {
    let name = path.rsplit(['/', '.']).next().unwrap_or(path).to_ascii_lowercase().replace([' ', '-'], "_");
    let is = |names: &[&str]| names.contains(&name.as_str());
    let found = [
        (
            "input",
            &[
                "prompt_tokens",
                "input_tokens",
                "tokens_in",
                "prompttokens",
                "inputtokens",
                "tokens_prompt",
                "context_tokens",
                "request_tokens",
                "n_prompt_tokens",
                "in_tokens",
                "input_token_count",
            ][..],
        ),
        (
            "output",
            &[
                "completion_tokens",
                "output_tokens",
                "tokens_out",
                "completiontokens",
                "outputtokens",
                "tokens_completion",
                "generated_tokens",
                "response_tokens",
                "out_tokens",
                "output_token_count",
            ],
        ),
        (
            "cache_read",
            &[
                "cached_tokens",
                "cache_read_input_tokens",
                "cache_read_tokens",
                "cached_input_tokens",
                "input_cached_tokens",
                "tokens_cached",
            ],
        ),
        ("cache_write", &["cache_creation_input_tokens", "cache_write_tokens", "cache_creation_tokens"]),
        ("reasoning", &["reasoning_tokens", "thinking_tokens", "thoughts_tokens", "tokens_reasoning"]),
        (
            "time",
            &[
                "timestamp",
                "time",
                "ts",
                "created_at",
                "created",
                "date",
                "datetime",
                "start_time",
                "starttime",
                "request_time",
                "logged_at",
            ],
        ),
        ("model", &["model", "model_name", "model_id", "modelid", "deployment"]),
        ("cost", &["cost", "cost_usd", "spend", "total_cost", "price_usd"]),
        ("id", &["request_id", "requestid", "id", "trace_id", "generation_id"]),
    ];
    found.iter().find(|(_, names)| is(names)).map(|(key, _)| *key)
}

/// A mapping, from fields whose names say what they are.
fn suggest(fields: &[String]) -> Option<String> {
    let mut pairs: Vec<(&'static str, &str)> = Vec::new();
    for field in fields {
        if let Some(key) = hint(field).filter(|key| pairs.iter().all(|(known, _)| known != key)) {
            pairs.push((key, field));
        }
    }
    let counts = pairs.iter().any(|(key, _)| matches!(*key, "input" | "output"));
    let pairs: Vec<String> = pairs.iter().map(|(key, field)| format!("{key}={field}")).collect();
    counts.then(|| pairs.join(","))
}

/// The format with the largest share of its marks present, which must be at least half.
fn nearest(names: &[&str]) -> Option<&'static str> {
    let has = |mark: &str| {
        let last = mark.rsplit('/').next().unwrap_or(mark);
        names.iter().any(|name| name.rsplit('/').next().is_some_and(|n| n.eq_ignore_ascii_case(last)))
    };
    FORMATS
        .into_iter()
        .flat_map(|format| format.marks.iter().map(move |marks| (format, marks)))
        .filter(|(_, marks)| marks.len() > 1)
        .map(|(format, marks)| {
            (marks.iter().filter(|m| has(m)).count() * 100 / marks.len(), marks.len(), format.name)
        })
        .filter(|(share, _, _)| *share >= 50)
        .max_by_key(|(share, n, _)| (*share, *n))
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_a_header_shows_nothing_of_its_first_row() {
        let text = b"canary,4711,secret text\nother,12,more\n";
        let unknown = describe(text, true, Container::Table(b','));
        assert_eq!((unknown.fields.len(), unknown.others), (0, 3));
        let text = b"customer,tokens_in,tokens_out,when\ncanary,5,6,x\n";
        let unknown = describe(text, true, Container::Table(b','));
        assert_eq!(unknown.fields, ["tokens_in", "tokens_out"]);
        assert_eq!(unknown.suggested.as_deref(), Some("input=tokens_in,output=tokens_out"));
    }

    #[test]
    fn keys_that_are_data_are_not_shown() {
        let json = b"{\"ts\":1,\"in_tokens\":3,\"who\":{\"canary@example.com\":5}}\n\
                     {\"ts\":1,\"in_tokens\":3,\"who\":{\"secret-4711-4711\":5}}\n{\"ts\":2,\"in_tokens\":1}\n";
        let unknown = describe(json, true, Container::JsonLines);
        assert_eq!(unknown.fields, ["in_tokens", "ts"]);
        assert_eq!(unknown.suggested.as_deref(), Some("input=in_tokens,time=ts"));
    }
}
