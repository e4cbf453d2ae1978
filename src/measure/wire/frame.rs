//! What every wire is made of: the request that goes out, the frames that come in, and the words
//! that all of them share.

use crate::measure::event::{Event, Fault, FaultKind, FinishReason};
use crate::measure::provider_error::{clip, provider_fault};
use serde_json::Value;

/// How one server of a shape differs from the rule, as data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quirks {
    /// Send `max_tokens` instead of `max_completion_tokens`.
    pub old_max_tokens: bool,
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
            old_max_tokens: false,
            stream_options: true,
            obfuscates: false,
            llama_server: false,
            temperature: None,
        }
    }
}

/// What goes over the wire, without the key.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Appended to the base URL's path.
    pub path: String,
    pub query: Option<&'static str>,
    pub body: Value,
}

/// The state of one answer being read.
pub trait Wire: Send {
    /// One frame of the stream: an SSE event's name and data, or a line.
    fn frame(&mut self, name: &str, data: &str, out: &mut Vec<Event>);
    /// The stream ended cleanly. A wire that can still call the answer complete says so here.
    fn end(&mut self, _out: &mut Vec<Event>) {}
}

/// A frame as JSON, or the fault that it is not. Frames without data keep a connection alive, and
/// some proxies end every shape with `[DONE]`: neither says anything.
pub(super) fn parse(name: &str, data: &str, out: &mut Vec<Event>) -> Option<Value> {
    if matches!(data.trim(), "" | "[DONE]") {
        return None;
    }
    match serde_json::from_str::<Value>(data) {
        Ok(value) if value.is_object() => Some(value),
        Ok(value) if name == "error" => {
            out.push(Event::Failed(provider_fault(&value)));
            None
        }
        Err(_) if name == "error" => {
            out.push(failed(FaultKind::ProviderError, clip(data)));
            None
        }
        _ => {
            out.push(failed(
                FaultKind::Malformed,
                format!("an event of the stream is not a JSON object: {}", clip(data)),
            ));
            None
        }
    }
}

pub(super) fn failed(kind: FaultKind, message: String) -> Event {
    Event::Failed(Fault { kind, message })
}

/// The text at a JSON pointer, where it is non-empty.
pub(super) fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// Finish reasons under the names of all shapes.
pub(super) fn finish(reason: &str) -> FinishReason {
    match reason {
        "stop" | "end_turn" | "stop_sequence" | "STOP" | "completed" => FinishReason::Stop,
        "length" | "max_tokens" | "MAX_TOKENS" | "max_output_tokens" | "model_context_window_exceeded" => {
            FinishReason::Length
        }
        "tool_calls" | "function_call" | "tool_use" => FinishReason::ToolCalls,
        "content_filter" | "refusal" | "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT"
        | "SPII" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}
