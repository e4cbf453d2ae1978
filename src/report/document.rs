//! Any saved document, read back: which kind it is decides its `schema` field.

use super::advice::AdviceDocument;
use super::bench::BenchDocument;
use super::view::View;
use crate::advise::{CostEvidence, CostPair};
use serde_json::Value;

/// A document of this program.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    Advice(Box<AdviceDocument>),
    Bench(Box<BenchDocument>),
    Breakeven(Box<Value>),
}

/// Name and major version of every kind this version reads.
const KNOWN: [(&str, u32); 3] = [("freehold.advice", 1), ("freehold.bench", 1), ("freehold.breakeven", 1)];

impl Document {
    /// Read a document. The error names `file`, the line where there is one, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| {
            format!("{file}: not JSON at line {}, column {}: {}", e.line(), e.column(), bare(&e))
        })?;
        let schema = value.get("schema").and_then(Value::as_str).ok_or_else(|| {
            format!("{file}: no `schema` field at the top, so this is not a document of freehold's. Documents are made by `freehold bench|breakeven|advise --json`")
        })?;
        let kind = kind(file, schema)?;
        match kind {
            "freehold.advice" => typed(file, text).map(|d| Self::Advice(Box::new(d))),
            "freehold.bench" => typed(file, text).map(|d| Self::Bench(Box::new(d))),
            _ => Ok(Self::Breakeven(Box::new(value))),
        }
    }

    /// `bench`, `breakeven` or `advice`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Advice(_) => "advice",
            Self::Bench(_) => "bench",
            Self::Breakeven(_) => "breakeven",
        }
    }

    /// The document for people.
    pub fn view(&self) -> View {
        match self {
            Self::Advice(d) => d.view(),
            Self::Bench(d) => d.view(),
            Self::Breakeven(_) => View::new("Break-even"),
        }
    }
}

/// The second reading has the text's lines and the path of the field that is wrong.
fn typed<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, String> {
    serde_json::from_str(text)
        .map_err(|e| format!("{file}: line {}, column {}: {}", e.line(), e.column(), bare(&e)))
}

/// serde's message without the place, which stands in front already.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn kind(file: &str, schema: &str) -> Result<&'static str, String> {
    let unknown = || {
        let known: Vec<String> = KNOWN.iter().map(|(name, major)| format!("{name}/{major}")).collect();
        let shown = super::sanitize::line(schema, 60);
        format!("{file}: unknown schema \"{shown}\"; this version reads {}", known.join(", "))
    };
    let (name, major) = schema.split_once('/').ok_or_else(unknown)?;
    let (known, newest) = KNOWN.into_iter().find(|(n, _)| *n == name).ok_or_else(unknown)?;
    let major: u32 = major.parse().map_err(|_| unknown())?;
    if major > newest {
        return Err(format!(
            "{file}: {name}/{major} was written by a newer freehold; this version reads up to {name}/{newest}. Update freehold"
        ));
    }
    if major == 0 { Err(unknown()) } else { Ok(known) }
}

/// The comparisons of a break-even document, as arguments for the verdict. A field that is missing
/// or of another type is unknown.
pub fn cost_evidence(file: &str, document: &Value) -> CostEvidence {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_f64);
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let input = |key: &str| document.get("inputs").and_then(|i| i.get(key)).and_then(|i| number(i, "value"));
    let result = document.get("result");
    let pairs = result
        .and_then(|r| r.get("comparisons"))
        .and_then(Value::as_array)
        .map(|list| list.iter().enumerate())
        .into_iter()
        .flatten()
        .filter_map(|(n, c)| {
            Some(CostPair {
                path: format!("result.comparisons[{n}]"),
                cloud: text(c, "cloud")?,
                local: text(c, "local")?,
                payback_months: number(c, "payback_months"),
                never_because: text(c, "never_because"),
                tco_cloud_usd: number(c, "tco_cloud_usd"),
                tco_local_usd: number(c, "tco_local_usd"),
                break_even_requests_per_month: number(c, "break_even_requests_per_month"),
            })
        })
        .collect();
    CostEvidence {
        file: file.to_owned(),
        horizon_months: result
            .and_then(|r| number(r, "horizon_months"))
            .or_else(|| input("need.horizon_months")),
        requests_per_month: input("need.requests_per_month"),
        pairs,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_file_place_and_remedy() {
        let error = |text: &str| Document::parse("x.json", text).unwrap_err();
        assert!(
            error("{\n\"a\": }").starts_with("x.json: not JSON at line 2, column 6"),
            "{}",
            error("{\n\"a\": }")
        );
        assert!(error("{}").contains("no `schema` field"));
        assert!(error(r#"{"schema": "other/1"}"#).contains("unknown schema \"other/1\""));
        assert!(error(r#"{"schema": "freehold.bench/2"}"#).contains("newer freehold"));
        assert!(error(r#"{"schema": "freehold.bench/x"}"#).contains("unknown schema"));
        assert!(error(r#"{"schema": "freehold.bench/0"}"#).contains("unknown schema"));
        let half = error("{\"schema\": \"freehold.advice/1\",\n\"tool_version\": 3}");
        assert!(half.contains("line 2") && half.contains("expected a string"), "{half}");
        assert!(!half.contains(" at line"), "{half}");
    }

    #[test]
    fn comparisons_are_read_leniently() {
        let document = serde_json::json!({
            "inputs": {"need.horizon_months": {"value": 24}},
            "result": {"comparisons": [
                {"cloud": "a", "local": "b", "payback_months": null, "never_because": "power", "tco_cloud_usd": 1.0, "tco_local_usd": 2.0},
                {"cloud": 3}
            ]}
        });
        let cost = cost_evidence("c.json", &document);
        assert_eq!((cost.pairs.len(), cost.horizon_months), (1, Some(24.0)));
        assert_eq!(cost.pairs[0].local_wins(cost.horizon_months), Some(false));
    }
}
