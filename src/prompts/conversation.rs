//! A conversation of several turns: what is sent, in which order, and where the model is asked.
//!
//! ```text
//! system  user  assistant(recorded)  user  assistant(live)  user
//!                                         └ call 1          └ call 2 (always: after the last message)
//! ```
//!
//! A *recorded* assistant message is sent as it is and needs no request. At a *live* one the model is asked
//! during the run, and its own answer becomes part of the history.

use super::bounds::{LONGEST_THINK_MS, MOST_MESSAGES, MOST_TOOLS};
use serde::{Deserialize, Serialize};

/// The author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The system text, which some interfaces attribute to the developer.
    #[serde(alias = "developer")]
    System,
    User,
    Assistant,
    /// The result of a tool that the assistant called.
    Tool,
}

/// A recorded call of a function by the assistant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Id that connects the tool's result with this call.
    pub id: String,
    pub name: String,
    /// The arguments as JSON text, unchanged: a model may have written something that is not JSON.
    pub arguments: String,
}

/// A function the model may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON schema of the arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<serde_json::Value>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    /// `None` only for an assistant message, which then only calls tools, or is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Tools that a recorded assistant message calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// For a tool message, the id of the call that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// Pause before this message, milliseconds after the end of the preceding answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub think_ms: Option<u64>,
}

impl Message {
    /// A message that consists only of text.
    pub fn text(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: Some(content.into()),
            tool_calls: Vec::new(),
            tool_call_id: None,
            think_ms: None,
        }
    }

    /// Is this a message for which the model is asked during the run?
    pub fn is_live(&self) -> bool {
        self.role == Role::Assistant && self.content.is_none() && self.tool_calls.is_empty()
    }
}

/// A conversation of several turns with one model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// The messages in order. The last one is a user's or a tool's, so that there is something to answer.
    pub messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
}

/// One point at which the model is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Number of messages before the answer: `messages[..upto]`, with live ones replaced by the answers
    /// that were given.
    pub upto: usize,
    /// Sum of the pauses since the preceding answer, milliseconds.
    pub think_ms: u64,
}

/// Why a list of messages is not a valid conversation, with the index of the message at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("there is no message")]
    Empty,
    #[error("there are more than {MOST_MESSAGES} messages")]
    TooMany,
    #[error("message {} speaks with an empty text", .0 + 1)]
    NoContent(usize),
    #[error("message {} is a system message, but only the first can be", .0 + 1)]
    LateSystem(usize),
    #[error("message {} is an answer, but nothing was said before it", .0 + 1)]
    NothingToAnswer(usize),
    #[error("message {} answers right after another answer", .0 + 1)]
    TwoAnswers(usize),
    #[error("message {} is the last and an answer: nothing is left to ask", .0 + 1)]
    EndsWithAnswer(usize),
    #[error("message {} is a tool's result, but no call before it has its id", .0 + 1)]
    UnknownCall(usize),
    #[error("there are more than {MOST_TOOLS} tools")]
    TooManyTools,
    #[error("message {} waits longer than an hour", .0 + 1)]
    LongThink(usize),
    #[error("message {} has tool calls or a tool's id, which its role cannot have", .0 + 1)]
    WrongRole(usize),
}

impl Conversation {
    /// Check that the model has something to answer at every point where it is asked.
    pub fn check(&self) -> Result<(), Fault> {
        let messages = &self.messages;
        if messages.is_empty() {
            return Err(Fault::Empty);
        }
        if messages.len() > MOST_MESSAGES {
            return Err(Fault::TooMany);
        }
        if self.tools.len() > MOST_TOOLS {
            return Err(Fault::TooManyTools);
        }
        let mut calls: Vec<&str> = Vec::new();
        // A live answer may call tools, whose ids are not known beforehand.
        let mut any_live = false;
        for (n, message) in messages.iter().enumerate() {
            if message.think_ms.is_some_and(|ms| ms > LONGEST_THINK_MS) {
                return Err(Fault::LongThink(n));
            }
            let before = n.checked_sub(1).map(|b| messages[b].role);
            if message.role != Role::Assistant && message.content.as_deref().is_none_or(str::is_empty) {
                return Err(Fault::NoContent(n));
            }
            let wrong_calls = message.role != Role::Assistant && !message.tool_calls.is_empty();
            if wrong_calls || (message.role != Role::Tool && message.tool_call_id.is_some()) {
                return Err(Fault::WrongRole(n));
            }
            match message.role {
                Role::System if n > 0 => return Err(Fault::LateSystem(n)),
                Role::System | Role::User => {}
                Role::Assistant => match before {
                    None | Some(Role::System) => return Err(Fault::NothingToAnswer(n)),
                    Some(Role::Assistant) => return Err(Fault::TwoAnswers(n)),
                    Some(Role::User | Role::Tool) => {
                        any_live |= message.is_live();
                        calls.extend(message.tool_calls.iter().map(|c| c.id.as_str()));
                    }
                },
                Role::Tool => {
                    let id = message.tool_call_id.as_deref().unwrap_or_default();
                    if !any_live && !calls.contains(&id) {
                        return Err(Fault::UnknownCall(n));
                    }
                }
            }
        }
        match messages.last().map(|m| m.role) {
            Some(Role::Assistant) => Err(Fault::EndsWithAnswer(messages.len() - 1)),
            Some(Role::System) => Err(Fault::NoContent(messages.len())),
            _ => Ok(()),
        }
    }

    /// The points at which the model is asked, in order; the last one is after the last message.
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = Vec::new();
        let mut think_ms = 0;
        for (n, message) in self.messages.iter().enumerate() {
            if message.is_live() {
                calls.push(Call { upto: n, think_ms });
                think_ms = 0;
            } else {
                think_ms += message.think_ms.unwrap_or(0);
            }
        }
        calls.push(Call { upto: self.messages.len(), think_ms });
        calls
    }

    /// The text of the last user message, for lists of prompts.
    pub fn last_user_text(&self) -> Option<&str> {
        self.messages.iter().rev().find(|m| m.role == Role::User).and_then(|m| m.content.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Message {
        Message { content: None, ..Message::text(Role::Assistant, "") }
    }

    fn of(messages: Vec<Message>) -> Conversation {
        Conversation { messages, tools: Vec::new() }
    }

    #[test]
    fn the_model_is_asked_at_live_answers_and_at_the_end() {
        let pause = |ms| Message { think_ms: Some(ms), ..Message::text(Role::User, "q") };
        let talk = of(vec![
            Message::text(Role::System, "s"),
            Message::text(Role::User, "a"),
            Message::text(Role::Assistant, "recorded"),
            pause(5),
            live(),
            pause(7),
        ]);
        assert_eq!(talk.check(), Ok(()));
        assert_eq!(talk.calls(), [Call { upto: 4, think_ms: 5 }, Call { upto: 6, think_ms: 7 }]);
        assert_eq!(talk.last_user_text(), Some("q"));
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        let user = || Message::text(Role::User, "u");
        let said = || Message::text(Role::Assistant, "a");
        assert_eq!(of(vec![]).check(), Err(Fault::Empty));
        assert_eq!(of(vec![said(), user()]).check(), Err(Fault::NothingToAnswer(0)));
        assert_eq!(of(vec![user(), said(), live(), user()]).check(), Err(Fault::TwoAnswers(2)));
        assert_eq!(of(vec![user(), live()]).check(), Err(Fault::EndsWithAnswer(1)));
        assert_eq!(
            of(vec![user(), Message::text(Role::System, "late"), user()]).check(),
            Err(Fault::LateSystem(1))
        );
        let result =
            |id: &str| Message { tool_call_id: Some(id.to_owned()), ..Message::text(Role::Tool, "42") };
        let call = ToolCall { id: "c1".into(), name: "f".into(), arguments: "{}".into() };
        let calls = Message { content: None, tool_calls: vec![call], ..said() };
        assert_eq!(of(vec![user(), calls.clone(), result("c1")]).check(), Ok(()));
        assert_eq!(of(vec![user(), calls, result("c2")]).check(), Err(Fault::UnknownCall(2)));
        assert_eq!(of(vec![user(), live(), result("any")]).check(), Ok(()), "a live call's id is not known");
    }
}
