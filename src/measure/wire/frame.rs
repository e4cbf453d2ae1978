//! What all wire formats share: requests, frames, and the names they have in common.

use crate::measure::event::{Channel, Event, Fault, FaultKind, FinishReason, Message, Role, Tool, ToolCall};
use crate::measure::provider_error::{clip, in_document};
use serde_json::{Value, json};

/// The field of a chat request that limits the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitField {
    /// `max_completion_tokens`: the current name, which some servers do not know.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`: the old name, which some models refuse.
    MaxTokens,
}

impl LimitField {
    pub const fn name(self) -> &'static str {
        match self {
            Self::MaxCompletionTokens => "max_completion_tokens",
            Self::MaxTokens => "max_tokens",
        }
    }
    /// The field to try where this one is refused.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::MaxCompletionTokens => Self::MaxTokens,
            Self::MaxTokens => Self::MaxCompletionTokens,
        }
    }
}

/// How one server differs from the rules of its wire format, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quirks {
    pub limit_field: LimitField,
    /// Send `stream_options`; Mistral answers 422 to it.
    pub stream_options: bool,
    /// Ask for events without their random padding.
    pub obfuscates: bool,
    /// Send `cache_prompt: false` so that a llama.cpp server does not reuse its KV cache.
    pub llama_server: bool,
    /// Sampling temperature; `None` sends nothing, which is the only portable choice.
    pub temperature: Option<f64>,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            limit_field: LimitField::default(),
            stream_options: true,
            obfuscates: false,
            llama_server: false,
            temperature: None,
        }
    }
}

/// The name of a JSON schema, where the format wants one.
pub(super) const SCHEMA_NAME: &str = "answer";

/// A tool as `OpenAI`'s chat completions and Ollama expect it.
pub(super) fn tool(tool: &Tool) -> Value {
    json!({"type": "function", "function": tool})
}

/// Arguments of a recorded call as JSON, for formats that send them so; text that is not JSON stays text.
pub(super) fn arguments(call: &ToolCall) -> Value {
    serde_json::from_str(&call.arguments).unwrap_or_else(|_| Value::String(call.arguments.clone()))
}

/// The system messages joined, for formats that send them separately.
pub(super) fn system(messages: &[Message]) -> Option<String> {
    let system = messages.iter().filter(|m| m.role == Role::System).filter_map(|m| m.content.as_deref());
    let texts: Vec<&str> = system.collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// The function that a call named, for formats whose results name it instead of the call: that of the last
/// call with this id before the result.
pub(super) fn function_of<'m>(before: &'m [Message], id: &str) -> Option<&'m str> {
    let mut calls = before.iter().rev().flat_map(|m| m.tool_calls.iter().rev());
    calls.find(|call| call.id == id).map(|call| call.name.as_str())
}

/// Pushes the start of a tool call, where a frame names one.
pub(super) fn call(name: Option<&str>, id: Option<&str>, out: &mut Vec<Event>) {
    if let Some(name) = name {
        out.push(Event::ToolCall { id: id.map(clip), name: clip(name) });
    }
}

/// Reads the frames of one answer.
pub trait Wire: Send {
    /// Reads one frame of the stream (an SSE event's name and data, or a line), and appends its events to
    /// `out`.
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>);
}

/// Names of events that only keep a connection alive, whatever their data.
const KEEPS_ALIVE: &[&str] = &["ping", "keepalive", "keep-alive", "heartbeat"];

pub(super) fn is_keep_alive(name: &str) -> bool {
    KEEPS_ALIVE.contains(&name)
}

/// A frame as JSON. `None`: there is nothing to read in it. Frames without data, or with a name that says
/// so, keep a connection alive; some proxies end every format with `[DONE]`; a frame that is not JSON is a
/// fault.
pub(super) fn parse(name: &str, data: &str, out: &mut Vec<Event>) -> Option<Value> {
    // Some gateways put frames into frames.
    let data = data.strip_prefix("data:").unwrap_or(data);
    let trimmed = data.trim();
    // Some write the word for data: `ping`, `[PING]`.
    let word = trimmed.trim_matches(['[', ']']);
    if trimmed.is_empty() || is_keep_alive(name) || KEEPS_ALIVE.iter().any(|w| word.eq_ignore_ascii_case(w)) {
        return None;
    }
    if is_done(trimmed) {
        out.push(Event::End);
        return None;
    }
    let read = serde_json::from_str::<Value>(data);
    // Servers that cut a text by UTF-16 send half a character at the cut.
    let read = read.or_else(|e| whole_characters(data).map_or(Err(e), |data| serde_json::from_str(&data)));
    match read {
        Ok(value) if value.is_object() => Some(value),
        Ok(error) if name == "error" => {
            out.push(Event::Refused { error });
            None
        }
        Err(_) if name == "error" => {
            out.push(Event::Refused { error: Value::String(clip(data)) });
            None
        }
        Ok(Value::Array(list)) if list.len() == 1 && list[0].is_object() => list.into_iter().next(),
        _ => {
            out.push(Event::Failed(Fault {
                kind: FaultKind::Malformed,
                message: format!("an event of the stream is not a JSON object: {}", clip(data)),
            }));
            None
        }
    }
}

/// JSON with a replacement character for each surrogate that stands alone in it; `None`: there is none.
fn whole_characters(data: &str) -> Option<String> {
    let unit = |at: usize| {
        let digits = data.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut out, mut at, mut mended) = (String::with_capacity(data.len()), 0, false);
    while let Some(found) = data[at..].find('\\').map(|n| at + n) {
        out.push_str(&data[at..found]);
        let whole = match (unit(found), unit(found + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => 0,
            (Some(_), _) => 6,
            (None, _) => 1 + data[found + 1..].chars().next().map_or(0, char::len_utf8),
        };
        if whole == 0 {
            (at, mended) = (found + 6, true);
            out.push_str("\\ufffd");
        } else {
            at = found + whole;
            out.push_str(&data[found..at]);
        }
    }
    out.push_str(&data[at..]);
    mended.then_some(out)
}

/// Is this what ends the streams of most servers? Some write it as a JSON string.
pub(super) fn is_done(data: &str) -> bool {
    matches!(data.trim(), "[DONE]" | "\"[DONE]\"")
}

/// The error that a frame is, by its own keys or by the event's name; `None`: it is none.
pub(super) fn error_of(name: &str, frame: &Value) -> Option<Event> {
    let error = in_document(frame).or_else(|| (name == "error").then_some(frame))?;
    Some(Event::Refused { error: error.clone() })
}

/// The text at a JSON pointer, where it is non-empty.
pub(super) fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// Pushes text as content, unless it is empty.
pub(super) fn push(out: &mut Vec<Event>, channel: Channel, text: &str) {
    if !text.is_empty() {
        out.push(Event::Content { channel, text: text.to_owned(), tokens: None });
    }
}

/// Reports the model that answers, once.
#[derive(Debug, Default)]
pub(super) struct Answering(bool);

impl Answering {
    pub(super) fn note(&mut self, name: Option<&str>, out: &mut Vec<Event>) {
        if let Some(name) = name.filter(|_| !self.0) {
            self.0 = true;
            out.push(Event::Model { name: clip(name) });
        }
    }
}

/// Finish reasons by the names of all formats, in lower case.
const REASONS: &[(&[&str], FinishReason)] = &[
    (
        &["stop", "end_turn", "stop_sequence", "completed", "complete", "eos", "eos_token", "end"],
        FinishReason::Stop,
    ),
    (
        &[
            "length",
            "max_tokens",
            "max_output_tokens",
            "max_completion_tokens",
            "max_length",
            "model_length",
            "model_context_window_exceeded",
            "token_limit",
            "error_limit",
        ],
        FinishReason::Length,
    ),
    (&["tool_calls", "tool_call", "function_call", "tool_use"], FinishReason::ToolCalls),
    (
        &[
            "content_filter",
            "content_filtered",
            "refusal",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "sensitive",
            "guardrail_intervened",
            "error_toxic",
        ],
        FinishReason::ContentFilter,
    ),
];

/// Finish reasons that mean that the answer was broken off, and the HTTP status that they stand for.
const BROKEN_OFF: &[(&str, u16)] = &[
    ("error", 0),
    ("model_error", 500),
    ("server_error", 500),
    ("network_error", 502),
    ("insufficient_system_resource", 503),
    ("overloaded", 503),
    ("unavailable", 503),
    ("timeout", 504),
    ("abort", 0),
    ("aborted", 0),
    ("cancelled", 0),
    ("canceled", 0),
    ("user_cancel", 0),
];

/// Parts of names of no list that say the same.
const BREAKING: &[&str] = &["error", "abort", "cancel", "fail", "timeout"];

/// Values that mean "none yet", where a server has no null.
const NO_REASON: &[&str] = &["", "null", "none", "undefined", "nil", "unspecified"];

/// Parts of reasons that are not listed, by which those of newer servers are still recognised.
const TELLING: &[(&[&str], FinishReason)] = &[
    (&["length", "max_tok", "max_new_tok", "token_limit", "limit_reached"], FinishReason::Length),
    (&["filter", "safety", "blocked", "moderation"], FinishReason::ContentFilter),
    (&["stop", "eos", "end_of"], FinishReason::Stop),
];

/// Pushes a finish reason as an event: an end, or the failure that it stands for; nothing where there is
/// none yet.
pub(super) fn finished(reason: &str, out: &mut Vec<Event>) {
    let lower = reason.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let lower = lower.trim_start_matches("finish_reason_");
    if !NO_REASON.contains(&lower) {
        out.push(ending(reason, lower));
    }
}

fn broken_off(reason: &str) -> String {
    format!("the provider broke the answer off with finish_reason {:?}", clip(reason))
}

/// Does a server's own name for the reason say that the answer was cut, whatever it is translated to?
pub(super) fn is_cut(native: &str) -> bool {
    let lower = native.trim().to_ascii_lowercase();
    REASONS.iter().any(|(names, reason)| *reason == FinishReason::Length && names.contains(&lower.as_str()))
}

fn ending(reason: &str, lower: &str) -> Event {
    if let Some((_, status)) = BROKEN_OFF.iter().find(|(name, _)| *name == lower) {
        let message = broken_off(reason);
        let error = if *status > 0 { json!({"message": message, "code": status}) } else { json!(message) };
        return Event::Refused { error };
    }
    let known = REASONS.iter().find(|(names, _)| names.contains(&lower));
    if known.is_none() && BREAKING.iter().any(|part| lower.contains(part)) {
        return Event::Refused { error: json!(broken_off(reason)) };
    }
    let known =
        known.or_else(|| TELLING.iter().find(|(parts, _)| parts.iter().any(|part| lower.contains(part))));
    Event::Finished { reason: known.map_or(FinishReason::Other, |(_, reason)| *reason) }
}
