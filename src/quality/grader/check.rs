//! What a grader checks, once its value is read.

use crate::quality::regex::Regex;
use crate::quality::schema::{Schema, SchemaError};
use crate::quality::sql;
use serde_json::Value;
use std::collections::BTreeSet;
use std::rc::Rc;

/// One grader, or a set of them.
#[derive(Debug, Clone)]
pub(in crate::quality) struct Item {
    /// As written, with `not-`.
    pub(in crate::quality) kind: String,
    pub(in crate::quality) inverse: bool,
    pub(in crate::quality) check: Check,
    pub(in crate::quality) threshold: Option<f64>,
    pub(in crate::quality) weight: f64,
    pub(in crate::quality) metric: Option<String>,
}

/// What a grader compares.
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
    Regex(Option<Rc<Regex>>),
    Json {
        whole: bool,
        schema: Option<Result<Rc<Schema>, SchemaError>>,
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
/// into [`Given`](crate::quality::Given) under the same place.
#[derive(Debug, Clone, PartialEq)]
pub enum Need {
    /// A judge's verdict on the answer by this rubric.
    Judge { rubric: String },
    /// Embeddings of the answer and of these texts.
    Embeddings { references: Vec<String> },
    /// The verdict of a program that the user has named on the command line.
    Program { name: String },
}
