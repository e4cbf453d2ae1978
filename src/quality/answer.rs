//! An answer that is graded, with what was measured of it.

use serde_json::Value;

/// An answer. What was not measured is `None`; a grader that needs it says so.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answer<'a> {
    /// The text; of an answer that only calls tools, these calls as JSON.
    pub text: &'a str,
    /// The tool calls as they came, where the answer is not text.
    pub value: Option<&'a Value>,
    pub latency_ms: Option<f64>,
    pub cost_usd: Option<f64>,
    pub finish_reason: Option<&'a str>,
    pub output_tokens: Option<u64>,
    /// Natural logarithms of the probabilities of its tokens.
    pub logprobs: Option<&'a [f64]>,
    /// Tools that the request offered, in `OpenAI`'s format.
    pub tools: Option<&'a [Value]>,
    /// Functions that the request offered, in `OpenAI`'s older format.
    pub functions: Option<&'a [Value]>,
}

/// What a judge, a program or an embedding model supplied for a grader: see [`super::grader::Need`].
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The verdict of a judge or a program; the score is from 0 to 1.
    Verdict { pass: bool, score: f64 },
    /// An embedding of the answer, and one of each reference.
    Vectors { answer: Vec<f32>, references: Vec<Vec<f32>> },
    /// There was no usable reply: the answer has no grade, and never passes.
    Nothing,
}
