//! Events of one answer → its trace: what came and when, before any figure is computed.

use super::event::{Channel, Event, Fault, FinishReason, Nanos, Stamped, Usage};
use serde::{Deserialize, Serialize};

/// What the events of one answer say, before any figure is computed. It is what a journal keeps:
/// every definition can be applied to it again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    pub headers: Option<Nanos>,
    pub status: Option<u16>,
    pub connection_reused: Option<bool>,
    #[serde(default)]
    pub http2: Option<bool>,
    /// The wall clock when the headers came, seconds since 1970.
    #[serde(default)]
    pub unix: Option<i64>,
    pub request_id: Option<String>,
    /// Local: when the prompt was tokenised, and its tokens.
    pub tokenized: Option<(Nanos, u32)>,
    pub prefilled: Option<Nanos>,
    /// Every non-empty delta.
    pub content: Vec<Piece>,
    /// Tokens the local engine counted.
    pub engine_tokens: u64,
    /// The last record seen.
    pub usage: Option<Usage>,
    /// The engine's own counters: prompt tokens and ms, output tokens and ms.
    pub engine: Option<(u32, f64, u32, f64)>,
    /// Local: tokens chosen and spelled, and ms.
    #[serde(default)]
    pub sampling: Option<(u32, f64)>,
    /// Local: joules of the device, and over how many ms.
    #[serde(default)]
    pub energy: Option<(f64, f64)>,
    pub finish: Option<FinishReason>,
    pub fault: Option<Fault>,
    /// The answer: text and refusal, without reasoning and tool calls.
    pub text: String,
    pub unknown: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_gap_ms: Option<f64>,
}

/// One non-empty delta: its stamp, where it belongs, the engine's tokens up to and including it,
/// and its bytes of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece(pub Nanos, pub Channel, pub u64, pub u32);

impl Piece {
    pub const fn is_reasoning(self) -> bool {
        matches!(self.1, Channel::Reasoning)
    }
}

impl Trace {
    /// What these events say.
    pub fn of(events: &[Stamped]) -> Self {
        let mut trace = Self::default();
        for stamped in events {
            trace.note(stamped);
        }
        trace
    }
}

impl Trace {
    /// One more event.
    pub fn note(&mut self, Stamped { at, event }: &Stamped) {
        match event {
            Event::Headers { status, connection_reused, request_id, http2, unix } => {
                self.headers = Some(*at);
                self.status = Some(*status);
                self.connection_reused = *connection_reused;
                self.http2 = *http2;
                self.unix = *unix;
                request_id.clone_into(&mut self.request_id);
            }
            Event::Tokenized { prompt_tokens } => self.tokenized = Some((*at, *prompt_tokens)),
            Event::PrefillDone => self.prefilled = Some(*at),
            Event::Content { channel, text, tokens } => {
                self.engine_tokens += u64::from(tokens.unwrap_or(0));
                if text.is_empty() {
                    return;
                }
                let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
                self.content.push(Piece(*at, *channel, self.engine_tokens, bytes));
                if matches!(channel, Channel::Text | Channel::Refusal) {
                    self.text.push_str(text);
                }
            }
            Event::Usage(usage) => self.usage = Some(usage.clone()),
            Event::Finished { reason } => self.finish = Some(*reason),
            Event::Failed(fault) => self.fault = self.fault.take().or_else(|| Some(fault.clone())),
            Event::EngineTimings { prompt_tokens, prompt_ms, output_tokens, output_ms } => {
                self.engine = Some((*prompt_tokens, *prompt_ms, *output_tokens, *output_ms));
            }
            Event::Sampling { tokens, ms } => self.sampling = Some((*tokens, *ms)),
            Event::Energy { joules, over_ms } => self.energy = Some((*joules, *over_ms)),
            Event::RunsElsewhere { .. } => {}
            Event::Unknown => self.unknown += 1,
        }
    }
}
