//! One prompt of a set, and what is wrong with a file of them.

use super::assertion::Assertion;
use super::conversation::Conversation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One prompt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Given, or `p1`, `p2`, … by its place in the file.
    pub id: String,
    /// What the user says; of a conversation, the last thing the user says.
    pub prompt: String,
    pub system: Option<String>,
    pub max_output_tokens: Option<u32>,
    /// Text that must occur in the answer (case and white space do not matter).
    pub expect: Option<String>,
    /// The kind of work: verdicts are given for each category, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The turns, where there are several. `prompt` and `system` then repeat what stands in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// What the answer is graded by, as written: templates not yet filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asserts: Vec<Assertion>,
    /// The weighted mean of the graders' scores from which on the answer passes; without it every
    /// grader must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// What templates in the assertions may name.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub vars: serde_json::Map<String, Value>,
}

/// What is wrong with a prompt file, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", place(*line, *column))]
pub struct PromptError {
    pub file: String,
    pub line: Option<usize>,
    pub column: Option<usize>,
    pub message: String,
    pub remedy: String,
}

fn place(line: Option<usize>, column: Option<usize>) -> String {
    match (line, column) {
        (Some(line), Some(column)) => format!(", line {line}, column {column}"),
        (Some(line), None) => format!(", line {line}"),
        _ => String::new(),
    }
}

/// The text of a file, without a byte order mark; `file` is its name, for messages.
pub(crate) fn utf8<'t>(file: &str, bytes: &'t [u8]) -> Result<&'t str, PromptError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = String::from_utf8_lossy(before).matches('\n').count() + 1;
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        PromptError {
            file: file.to_owned(),
            line: Some(line),
            column: Some(before.len() - start + 1),
            message: format!("byte {} of the file is not valid UTF-8", e.valid_up_to()),
            remedy: if utf16 {
                "It looks like UTF-16: save the file as UTF-8.".to_owned()
            } else {
                "Save the file as UTF-8.".to_owned()
            },
        }
    })
}
