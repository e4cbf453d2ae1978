//! What graders check.

use crate::quality::regex::Regex;
use crate::quality::schema::{Schema, SchemaError};
use crate::quality::sql;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One grader, or a set of them.
#[derive(Debug, Clone)]
pub(in crate::quality) struct Item {
    /// The assertion's type as written, with `not-`.
    pub(in crate::quality) kind: String,
    pub(in crate::quality) inverse: bool,
    pub(in crate::quality) check: Check,
    pub(in crate::quality) threshold: Option<f64>,
    pub(in crate::quality) weight: f64,
    pub(in crate::quality) metric: Option<String>,
}

/// The check of a grader.
#[derive(Debug, Clone)]
pub(in crate::quality) enum Check {
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
    /// A judge or a program decides.
    Told,
    /// It cannot grade; the problems say why.
    Broken,
}

/// How two embeddings are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Similarity {
    Cosine,
    Dot,
    Euclidean,
}

/// What a grader needs before it can grade an answer. The caller obtains it, and passes it as
/// [`crate::quality::Given`] under the grader's index.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// A judge's verdict on the answer by this rubric.
    Judge { rubric: String },
    /// Embeddings of the answer and of these texts.
    Embeddings { references: Vec<String> },
    /// The verdict of a program that the user has named on the command line.
    Program { name: String },
}
