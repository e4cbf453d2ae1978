//! Reads any saved document; its `schema` field says which kind it is.

use super::advice::AdviceDocument;
use super::bench::BenchDocument;
use super::breakeven::BreakevenDocument;
use super::doctor::DoctorDocument;
use super::envelope::{Input, Warning};
use super::fit::FitDocument;
use super::plan::PlanDocument;
use super::usage::UsageDocument;
use crate::advise::{CostEvidence, CostPair};
use serde_json::Value;
use std::collections::BTreeMap;

/// A document of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    Advice(Box<AdviceDocument>),
    Bench(Box<BenchDocument>),
    Breakeven(Box<BreakevenDocument>),
    Doctor(Box<DoctorDocument>),
    Fit(Box<FitDocument>),
    Plan(Box<PlanDocument>),
    Usage(Box<UsageDocument>),
}

/// Name and major version of every kind that this version can read.
const KNOWN: [(&str, u32); 7] = [
    ("freehold.advice", 1),
    ("freehold.bench", 1),
    ("freehold.breakeven", 1),
    ("freehold.doctor", 1),
    ("freehold.fit", 1),
    ("freehold.plan", 1),
    ("freehold.usage", 1),
];

/// Evaluates an expression for whichever kind of document it is.
macro_rules! each {
    ($document:expr, $d:ident => $of:expr) => {
        match $document {
            Document::Advice($d) => $of,
            Document::Bench($d) => $of,
            Document::Breakeven($d) => $of,
            Document::Doctor($d) => $of,
            Document::Fit($d) => $of,
            Document::Plan($d) => $of,
            Document::Usage($d) => $of,
        }
    };
}

impl Document {
    /// Read a document.
    ///
    /// # Errors
    ///
    /// Where the text is not a document that this version can read. The error names `file`, the line if
    /// there is one, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        // Read only the header first: a ranking can have hundreds of megabytes, too much to keep twice.
        let header = match serde_json::from_str::<Header>(text) {
            Ok(header) => header,
            Err(e) if e.is_data() => Header { schema: None },
            Err(e) => {
                return Err(format!(
                    "{file}: not JSON at line {}, column {}: {}",
                    e.line(),
                    e.column(),
                    bare(&e)
                ));
            }
        };
        let schema = header.schema.ok_or_else(|| {
            format!("{file}: no `schema` field at the top, so this is not a document of freehold's. Documents are made by `freehold bench|breakeven|advise|fit|doctor|usage --json`")
        })?;
        Ok(match kind(file, &schema)? {
            "freehold.advice" => Self::Advice(typed(file, text)?),
            "freehold.bench" => Self::Bench(typed(file, text)?),
            "freehold.doctor" => Self::Doctor(typed(file, text)?),
            "freehold.fit" => Self::Fit(typed(file, text)?),
            "freehold.plan" => Self::Plan(typed(file, text)?),
            "freehold.usage" => Self::Usage(typed(file, text)?),
            _ => Self::Breakeven(typed(file, text)?),
        })
    }

    /// The kind of document: `bench`, `breakeven`, `advice`, `doctor`, `fit`, `plan` or `usage`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Advice(_) => "advice",
            Self::Bench(_) => "bench",
            Self::Breakeven(_) => "breakeven",
            Self::Doctor(_) => "doctor",
            Self::Fit(_) => "fit",
            Self::Plan(_) => "plan",
            Self::Usage(_) => "usage",
        }
    }

    pub fn inputs(&self) -> &BTreeMap<String, Input> {
        each!(self, d => &d.inputs)
    }

    pub fn warnings(&self) -> &[Warning] {
        each!(self, d => &d.warnings)
    }

    /// When it was written, RFC 3339.
    pub fn created(&self) -> &str {
        each!(self, d => &d.created)
    }

    pub fn tool_version(&self) -> &str {
        each!(self, d => &d.tool_version)
    }

    /// The document as a JSON value.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        each!(self, d => serde_json::to_value(d))
    }

    /// The document as JSON text. It is written directly, since documents of many samples are too large for
    /// a tree of values in between.
    ///
    /// # Errors
    ///
    /// Where a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        each!(self, d => super::json::pretty(d))
    }
}

/// The only field that is needed to tell which kind of document a text is.
#[derive(serde::Deserialize)]
struct Header {
    schema: Option<String>,
}

/// Read the text as this type; errors name the line, the column and the field.
fn typed<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<Box<T>, String> {
    serde_json::from_str(text)
        .map(Box::new)
        .map_err(|e| format!("{file}: line {}, column {}: {}", e.line(), e.column(), bare(&e)))
}

/// serde's message without its position, which is already at the front.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn kind(file: &str, schema: &str) -> Result<&'static str, String> {
    let unknown = || {
        let known: Vec<String> = KNOWN.iter().map(|(name, major)| format!("{name}/{major}")).collect();
        let shown = crate::sanitize::line(schema, 60);
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

impl BreakevenDocument {
    /// The comparisons of the document, as arguments for the verdict.
    pub fn evidence(&self, file: &str) -> CostEvidence {
        let pair = |(n, c): (usize, &super::breakeven::Comparison)| CostPair {
            path: format!("result.comparisons[{n}]"),
            cloud: c.cloud.clone(),
            local: c.local.clone(),
            payback_months: c.payback_months,
            never_because: c.never_because.clone(),
            tco_cloud_usd: Some(c.tco_cloud_usd),
            tco_local_usd: Some(c.tco_local_usd),
            break_even_requests_per_month: c.breakeven_requests_per_month,
            quality_note: c.quality_note.clone(),
        };
        CostEvidence {
            file: file.to_owned(),
            horizon_months: Some(f64::from(self.result.horizon_months)),
            requests_per_month: self.result.requests_per_month,
            pairs: self.result.comparisons.iter().enumerate().map(pair).collect(),
        }
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
}
