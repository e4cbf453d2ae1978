//! The rows that a configuration is expanded to.

use super::super::conversation::{Conversation, Message, Role};
use super::super::{Assertion, Prompt};
use super::notice::Notice;
use serde_json::{Map, Value};

/// A configuration after it was read and expanded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub description: Option<String>,
    /// The rows, ordered by test, then provider, then prompt.
    pub rows: Vec<Row>,
    pub notices: Vec<Notice>,
}

/// One prompt for one provider, with what is expected of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the test, from 0; every combination of variables and every repeat counts.
    pub test: usize,
    /// Number of the test, from 0, without counting repeats.
    pub case: usize,
    pub repeat: u32,
    /// Column of the result, from 0; each provider has one for each of its prompts.
    pub column: usize,
    /// Number of the prompt, from 0.
    pub prompt_number: usize,
    pub prompt_label: String,
    /// Label or id of the provider; empty where the configuration names none.
    pub provider: String,
    pub description: Option<String>,
    /// The kind of work: `category` of the test's metadata.
    pub category: Option<String>,
    /// The variables, with references to each other filled in.
    pub vars: Map<String, Value>,
    /// The text that is sent, or the reason why its template cannot be filled in.
    pub text: Result<String, String>,
    /// The answer, if the file contains it: a text, or a value such as tool calls.
    pub answer: Option<Value>,
    pub asserts: Vec<Assertion>,
    pub threshold: Option<f64>,
    /// Line of the test, from 1.
    pub line: usize,
    /// Line of the error, if there is no text: that of the prompt, if it is not a valid template.
    pub text_line: usize,
}

impl Row {
    /// Approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        let vars: usize = self.vars.values().map(|v| v.as_str().map_or(64, str::len)).sum();
        vars + self.text.as_ref().map_or(0, String::len) + 500
    }

    /// The row as a prompt. If its text is a list of messages, the prompt is a conversation.
    pub(super) fn prompt(&self, id: String) -> Prompt {
        let text = self.text.clone().unwrap_or_default();
        let conversation = chat(&text);
        let first = conversation.as_ref().and_then(|c| c.messages.first()).filter(|m| m.role == Role::System);
        let system = first.and_then(|m| m.content.clone());
        let said = conversation.as_ref().and_then(|c| c.last_user_text().map(str::to_owned));
        let mut asserts = self.asserts.clone();
        if let Err(why) = &self.text {
            // There is nothing to send; the assertion carries the reason.
            asserts.insert(
                0,
                Assertion { fault: Some(why.clone()), line: Some(self.text_line), ..Assertion::default() },
            );
        }
        Prompt {
            id,
            prompt: said.unwrap_or(text),
            system,
            category: self.category.clone(),
            conversation,
            asserts,
            threshold: self.threshold,
            vars: self.vars.clone(),
            ..Prompt::default()
        }
    }
}

impl Config {
    /// The prompts of the configuration, each once, whatever its providers and repeats. Ids are `t1`, `t2`,
    /// … by test, followed by the number of the prompt where there are several.
    pub fn prompts(&self) -> Vec<Prompt> {
        let several = self.rows.iter().any(|r| r.prompt_number > 0);
        let mut seen = std::collections::BTreeSet::new();
        let rows = self.rows.iter().filter(|r| r.repeat == 0);
        rows.filter(|r| seen.insert((r.case, r.prompt_number)))
            .map(|row| {
                let id = if several {
                    format!("t{}.{}", row.case + 1, row.prompt_number + 1)
                } else {
                    format!("t{}", row.case + 1)
                };
                row.prompt(id)
            })
            .collect()
    }
}

/// The conversation of a prompt that is a JSON list of messages with roles.
fn chat(text: &str) -> Option<Conversation> {
    let list: Vec<Value> = serde_json::from_str(text.trim_start().strip_prefix('[').map(|_| text)?).ok()?;
    let message = |v: &Value| {
        let role = match v.get("role")?.as_str()? {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            _ => return None,
        };
        Some(Message::text(role, v.get("content")?.as_str()?))
    };
    let messages: Option<Vec<Message>> = list.iter().map(message).collect();
    let conversation = Conversation { messages: messages?, tools: Vec::new() };
    (conversation.check().is_ok()).then_some(conversation)
}
