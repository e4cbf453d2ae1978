//! What is graded: an answer and what was measured with it.

use serde_json::Value;

/// An answer. What was not measured is `None`, and a grader that needs it says so.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answer<'a> {
    /// The text; of a call of tools, its JSON.
    pub text: &'a str,
    /// Calls of tools as they came, where the answer is not text.
    pub value: Option<&'a Value>,
    pub latency_ms: Option<f64>,
    pub cost_usd: Option<f64>,
    pub finish_reason: Option<&'a str>,
    pub output_tokens: Option<u64>,
    /// Natural logarithms of the tokens' probabilities.
    pub logprobs: Option<&'a [f64]>,
    /// Tools the request offered, in `OpenAI`'s format.
    pub tools: Option<&'a [Value]>,
    /// Functions the request offered, in `OpenAI`'s older format.
    pub functions: Option<&'a [Value]>,
}

/// What somebody else found out for a grader: see [`super::grader::Need`].
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// A judge's or a program's verdict.
    Verdict { pass: bool, score: f64 },
    /// An embedding of the answer, and one of each reference.
    Vectors { answer: Vec<f32>, references: Vec<Vec<f32>> },
    /// It was asked and gave nothing that can be used: the sample is missing, never passed.
    Nothing,
}
