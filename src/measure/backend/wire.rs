//! What a provider's stream means. Each wire is a pure function from frames to events (one file
//! each, with its request builder beside it); sockets, clocks and retries are elsewhere.

use crate::measure::event::{Event, Fault, FaultKind, FinishReason, Request};
use serde_json::Value;

/// A shape of request and stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireKind {
    /// `POST {base}/chat/completions`.
    OpenAiChat,
    /// `POST {base}/responses`.
    OpenAiResponses,
    /// `POST {base}/v1/messages`.
    Anthropic,
    /// `POST {base}/v1beta/models/MODEL:streamGenerateContent?alt=sse`.
    Gemini,
    /// `POST {base}/api/chat`, one JSON object a line.
    Ollama,
}

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

impl WireKind {
    /// A reader for one answer.
    pub fn reader(self) -> Box<dyn Wire> {
        match self {
            Self::OpenAiChat => Box::<super::openai::Reader>::default(),
            Self::OpenAiResponses => Box::<super::responses::Reader>::default(),
            Self::Anthropic => Box::<super::anthropic::Reader>::default(),
            Self::Gemini => Box::<super::gemini::Reader>::default(),
            Self::Ollama => Box::<super::ollama::Reader>::default(),
        }
    }

    /// The request for one prompt.
    pub fn outgoing(self, model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
        match self {
            Self::OpenAiChat => super::openai::outgoing(model, request, quirks),
            Self::OpenAiResponses => super::responses::outgoing(model, request, quirks),
            Self::Anthropic => super::anthropic::outgoing(model, request, quirks),
            Self::Gemini => super::gemini::outgoing(model, request, quirks),
            Self::Ollama => super::ollama::outgoing(model, request, quirks),
        }
    }

    /// One JSON object a line instead of server-sent events.
    pub const fn is_lines(self) -> bool {
        matches!(self, Self::Ollama)
    }
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

/// Text from outside, short enough for a message.
pub fn clip(text: &str) -> String {
    crate::measure::text::one_line(text, 300)
}

/// The text at a JSON pointer, where it is non-empty.
pub(super) fn text<'a>(value: &'a Value, place: &str) -> Option<&'a str> {
    value.pointer(place).and_then(Value::as_str).filter(|s| !s.is_empty())
}

/// The error in a body that is no stream. Gemini wraps it in a list.
pub fn error_of(body: &Value) -> &Value {
    let inner = body.get(0).unwrap_or(body);
    inner.get("error").filter(|e| !e.is_null()).unwrap_or(inner)
}

/// Is this the name of a failure that passes by itself?
pub fn is_transient(label: &str) -> bool {
    TRANSIENT.contains(&label)
}

/// An error object of any provider as a fault. What ends a provider for good is told from what
/// only spoils this answer.
pub fn provider_fault(error: &Value) -> Fault {
    let word = |place: &str| match error.pointer(place) {
        Some(Value::String(s)) => s.clone(),
        Some(Value::Number(n)) => n.to_string(),
        _ => String::new(),
    };
    let (kind, code, status) = (word("/type"), word("/code"), word("/status"));
    let detail = word("/details/error_code");
    let message = match error {
        Value::String(s) => s.clone(),
        _ => ["/message", "/detail", "/error"]
            .iter()
            .map(|p| word(p))
            .find(|m| !m.is_empty())
            .unwrap_or_default(),
    };
    // The name that tells what to do, where one of them does.
    let names = [&kind, &code, &status];
    let telling = names.into_iter().find(|s| is_transient(s));
    let label = telling.or_else(|| names.into_iter().find(|s| !s.is_empty())).cloned().unwrap_or_default();
    let text = match (label.is_empty(), message.is_empty()) {
        (_, true) if label.is_empty() => clip(&error.to_string()),
        (_, true) => label,
        (true, false) => message.clone(),
        (false, false) => format!("{label}: {message}"),
    };
    let is = |names: &[&str]| names.iter().any(|n| kind == *n || code == *n || status == *n || detail == *n);
    let kind = if is(SPENT) {
        FaultKind::Quota
    } else if is(&["unsupported_country_region_territory"]) || message.contains("location is not supported") {
        FaultKind::Region
    } else if is(TOO_LONG) || text.to_ascii_lowercase().contains("prompt is too long") {
        FaultKind::Context
    } else if is(REFUSED) {
        FaultKind::Auth
    } else if is(UNKNOWN_MODEL) {
        FaultKind::NotFound
    } else {
        FaultKind::ProviderError
    };
    Fault { kind, message: clip(&text) }
}

/// Error codes that mean the account has no money or no allowance left: waiting does not help.
const SPENT: &[&str] = &[
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "enforced_spend_limit_reached",
    "contract_spend_limit_reached",
    "billing_error",
    "402",
];

/// Error codes that mean the key is wrong or may not do this.
const REFUSED: &[&str] = &[
    "authentication_error",
    "permission_error",
    "invalid_api_key",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "401",
    "403",
];

/// Error codes that mean there is no such model: no other prompt will fare better.
const UNKNOWN_MODEL: &[&str] = &["model_not_found", "DeploymentNotFound"];

/// Error names and codes that mean the provider is busy or broken, and may not be soon.
const TRANSIENT: &[&str] = &[
    "overloaded_error",
    "overloaded",
    "rate_limit_error",
    "rate_limit_exceeded",
    "capacity_exceeded",
    "api_error",
    "server_error",
    "timeout_error",
    "internal_server_error",
    "internal_error",
    "service_unavailable",
    "INTERNAL",
    "UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
    "429",
    "498",
    "500",
    "502",
    "503",
    "504",
    "522",
    "524",
    "529",
];

/// Error codes that mean the prompt does not fit the model's context.
const TOO_LONG: &[&str] = &["context_length_exceeded", "exceed_context_size_error"];

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
