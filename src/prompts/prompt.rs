//! One prompt of a set, and errors in prompt files.

use super::assertion::Assertion;
use super::conversation::Conversation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One prompt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    /// Its id as given, or else `p1`, `p2`, … by its position in the file.
    pub id: String,
    /// The user's text; in a conversation, the last one.
    pub prompt: String,
    pub system: Option<String>,
    pub max_output_tokens: Option<u32>,
    /// Text that must occur in the answer; case and white space do not matter.
    pub expect: Option<String>,
    /// The kind of work: there is also a verdict for each category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The messages of a conversation; `prompt` and `system` then repeat texts from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// Assertions by which the answer is graded, as written, with templates not yet filled in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asserts: Vec<Assertion>,
    /// Weighted mean of the graders' scores at which the answer passes, 0 to 1. Without it every grader
    /// must pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Variables for the templates in assertions.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub vars: serde_json::Map<String, Value>,
}

/// An error in a prompt file: where, what is wrong, and what to do.
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

/// The text of a file without a byte order mark; `file` is its name in error messages.
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
