//! Prompt sets as people keep them → prompts with what is expected of their answers.
//!
//! ```text
//! JSONL, CSV, TOML, text ─┐
//! promptfoo configuration ─┼─► Vec<Prompt>      OpenAI-evals, Inspect, lm-eval logs ─► finished answers
//! conversations           ─┘
//! ```
//!
//! Bytes in, no I/O of its own: files that a configuration names are asked for through a trait.
//! Every bound on what is read stands in [`bounds`].

mod assertion;
pub mod bounds;
pub mod conversation;
mod csv;
mod file;
mod fill;
mod grade_names;
pub(crate) mod js;
pub mod logs;
pub mod promptfoo;
pub mod sample;
pub mod template;
pub(crate) mod yaml;

pub use assertion::{Assertion, Malformed};
pub use bounds::{LARGEST_FILE, LARGEST_LINE};
pub use conversation::Conversation;
pub use file::{FileFormat, parse};
pub use fill::{FileFault, Files, NoFiles};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Write as _;

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

/// `JSON.stringify(value, null, indent)`.
pub(crate) fn json_indented(value: &Value, indent: &str) -> String {
    fn write(value: &Value, indent: &str, margin: &str, out: &mut String) {
        let inner = format!("{margin}{indent}");
        match value {
            Value::Array(list) if !list.is_empty() => {
                out.push('[');
                for (n, item) in list.iter().enumerate() {
                    out.push_str(if n > 0 { ",\n" } else { "\n" });
                    out.push_str(&inner);
                    write(item, indent, &inner, out);
                }
                let _ = write!(out, "\n{margin}]");
            }
            Value::Object(map) if !map.is_empty() => {
                out.push('{');
                for (n, (key, item)) in map.iter().enumerate() {
                    out.push_str(if n > 0 { ",\n" } else { "\n" });
                    let _ = write!(out, "{inner}{}: ", Value::String(key.clone()));
                    write(item, indent, &inner, out);
                }
                let _ = write!(out, "\n{margin}}}");
            }
            other => out.push_str(&js::json(other)),
        }
    }
    let mut out = String::new();
    write(value, indent, "", &mut out);
    out
}

/// Variables that name others by `{{ name }}` alone, with those filled in.
pub fn resolved(vars: &serde_json::Map<String, Value>) -> serde_json::Map<String, Value> {
    let mut vars = vars.clone();
    promptfoo::resolve(&mut vars);
    vars
}

/// Fill in the templates and files of assertions, with the variables of their prompt. What goes wrong
/// is kept in each assertion's `fault`.
pub fn filled(
    asserts: &[Assertion],
    vars: &serde_json::Map<String, Value>,
    files: &dyn Files,
) -> Vec<Assertion> {
    asserts.iter().map(|a| fill::fill(a, vars, files)).collect()
}
