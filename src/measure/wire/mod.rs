//! What an API is asked and what its stream means. Each wire is a pair of pure functions, one file
//! each: a request to JSON, and frames to events; sockets, clocks and retries are elsewhere.

pub mod anthropic;
pub mod frame;
pub mod gemini;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;

pub use frame::{Outgoing, Quirks, Wire};

use crate::measure::event::Request;

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

    /// The request for one prompt.
    pub fn outgoing(self, model: &str, request: &Request, quirks: &Quirks) -> Outgoing {
        match self {
            Self::OpenAiChat => openai_chat::outgoing(model, request, quirks),
            Self::OpenAiResponses => openai_responses::outgoing(model, request, quirks),
            Self::Anthropic => anthropic::outgoing(model, request, quirks),
            Self::Gemini => gemini::outgoing(model, request, quirks),
            Self::Ollama => ollama::outgoing(model, request, quirks),
        }
    }

    /// One JSON object a line instead of server-sent events.
    pub const fn is_lines(self) -> bool {
        matches!(self, Self::Ollama)
    }
}
