//! Wire formats: what is sent to an API, and what its stream means. Each is a pair of pure functions in a
//! file of its own, from a request to JSON and from frames to events; sockets, clocks and retries are
//! elsewhere.

pub mod anthropic;
pub mod frame;
pub mod gemini;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;

pub use frame::{LimitField, Quirks, Wire};

use crate::measure::event::Request;
use serde_json::Value;

/// A wire format, by its endpoint.
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

impl WireKind {
    /// A reader for one answer.
    pub fn reader(self) -> Box<dyn Wire> {
        match self {
            Self::OpenAiChat => Box::<openai_chat::Reader>::default(),
            Self::OpenAiResponses => Box::<openai_responses::Reader>::default(),
            Self::Anthropic => Box::<anthropic::Reader>::default(),
            Self::Gemini => Box::<gemini::Reader>::default(),
            Self::Ollama => Box::<ollama::Reader>::default(),
        }
    }

    /// The request for one prompt, as JSON.
    pub fn body(self, model: &str, request: &Request, quirks: &Quirks) -> Value {
        match self {
            Self::OpenAiChat => openai_chat::body(model, request, quirks),
            Self::OpenAiResponses => openai_responses::body(model, request, quirks),
            Self::Anthropic => anthropic::body(model, request, quirks),
            Self::Gemini => gemini::body(request, quirks),
            Self::Ollama => ollama::body(model, request, quirks),
        }
    }

    /// The path of its endpoint under a base URL, and its query.
    pub fn endpoint(self, model: &str) -> (String, Option<&'static str>) {
        match self {
            Self::OpenAiChat => ("chat/completions".to_owned(), None),
            Self::OpenAiResponses => ("responses".to_owned(), None),
            Self::Anthropic => ("v1/messages".to_owned(), None),
            Self::Gemini => {
                let name = model.strip_prefix("models/").unwrap_or(model);
                let folder = if name.starts_with("tunedModels/") { "" } else { "models/" };
                (format!("{folder}{name}:streamGenerateContent"), Some("alt=sse"))
            }
            Self::Ollama => ("api/chat".to_owned(), None),
        }
    }

    /// Is there an event or line after which no part of an answer can come? Otherwise the answer ends with
    /// the stream.
    pub const fn has_terminator(self) -> bool {
        !matches!(self, Self::Gemini)
    }

    /// Is its stream one JSON object a line, instead of server-sent events?
    pub const fn is_lines(self) -> bool {
        matches!(self, Self::Ollama)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_stands_where_each_wire_has_it() {
        let schema = json!({"type": "object", "properties": {"verdict": {"enum": ["PASS", "FAIL"]}}});
        let free = Request { max_output_tokens: 8, ..Request::default() };
        let held = Request { json_schema: Some(schema.clone()), ..free.clone() };
        for (wire, place, beside) in [
            (WireKind::OpenAiChat, "/response_format/json_schema/schema", "/response_format/type"),
            (WireKind::OpenAiResponses, "/text/format/schema", "/text/format/type"),
            (WireKind::Anthropic, "/output_config/format/schema", "/output_config/format/type"),
            (WireKind::Gemini, "/generationConfig/responseJsonSchema", "/generationConfig/responseMimeType"),
            (WireKind::Ollama, "/format", "/format/type"),
        ] {
            let body = |request: &Request| wire.body("m", request, &Quirks::default());
            assert_eq!(body(&held).pointer(place), Some(&schema), "{wire:?}");
            assert!(body(&held).pointer(beside).is_some_and(Value::is_string), "{wire:?}");
            let plain = body(&free);
            assert!(plain.pointer(place).is_none(), "{wire:?}: {plain}");
        }
    }
}
