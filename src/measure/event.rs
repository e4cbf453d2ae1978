//! Requests to backends, and the events that they report. All times are nanoseconds of one monotonic clock
//! since the request was handed over (local: accepted by the worker, before chat template and tokenisation;
//! API: just before the first byte is written to an open connection).

pub use crate::prompts::conversation::{Message, Role, Tool, ToolCall};
use serde::{Deserialize, Serialize};

/// Nanoseconds since the request was handed over.
pub type Nanos = u64;

/// An event and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// When its bytes left the socket reader, or when the worker saw it: before any parsing.
    pub at: Nanos,
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// API: response headers came.
    Headers {
        status: u16,
        connection_reused: Option<bool>,
        request_id: Option<String>,
        /// HTTP/2; false is HTTP/1.1.
        http2: Option<bool>,
        /// The wall clock, seconds since 1970: some prices depend on the hour.
        unix: Option<i64>,
    },
    /// Local: the prompt is rendered and tokenised. `thought_opened`: the chat template leaves a
    /// thought open with this marker, so that the answer begins inside it.
    Tokenized {
        prompt_tokens: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thought_opened: Option<String>,
    },
    /// Local: the prompt is in the KV cache.
    PrefillDone,
    /// Generated content. `tokens` is 1 for the local engine, unknown for an API chunk. An empty
    /// `text` is a local token whose text is not yet complete UTF-8; it never stops TTFT.
    Content { channel: Channel, text: String, tokens: Option<u32> },
    /// A call of a tool begins; its arguments follow as content of [`Channel::Tool`].
    ToolCall { id: Option<String>, name: String },
    /// The provider's counts, normalised. The last one seen wins.
    Usage(Usage),
    /// Why the answer ended, as far as is known: content after it withdraws it (see
    /// [`ending`](super::ending)). Without a reason that stands the answer is truncated.
    Finished { reason: FinishReason },
    /// The terminator of the wire format: nothing more of this answer is read.
    End,
    /// API: the model that answers, in the server's words.
    Model { name: String },
    /// The request failed; nothing follows.
    Failed(Fault),
    /// API: the provider reports an error, in its own words. Whoever reads the stream judges it and
    /// passes it on as a failure.
    Refused { error: serde_json::Value },
    /// Counters of the serving engine itself (`timings` of llama.cpp's server, or the worker's own), kept
    /// to check our clock against.
    EngineTimings { prompt_tokens: u32, prompt_ms: f64, output_tokens: u32, output_ms: f64 },
    /// Local: choosing `tokens` tokens and turning them into text took so long, all together.
    Sampling { tokens: u32, ms: f64 },
    /// Local: energy of the device while this request ran, start to end of the request.
    Energy { joules: f64, over_ms: f64 },
    /// The server says that the model runs on another machine.
    RunsElsewhere { host: String },
    /// A part of the stream that is not known; counted, never fatal.
    Unknown,
}

/// Where generated content belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    Text,
    Reasoning,
    Tool,
    Refusal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FinishReason {
    /// The model ended by itself.
    Stop,
    /// The output limit was reached.
    Length,
    ToolCalls,
    ContentFilter,
    Other,
}

/// Token counts of one request. Absent is unknown, never 0.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Input neither read from nor written to a cache.
    pub input_uncached: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    /// Everything billed as output, reasoning included.
    pub output: Option<u64>,
    /// The part of `output` that is reasoning.
    pub reasoning: Option<u64>,
    /// The part of `cache_write` that is kept for an hour and has a price of its own.
    #[serde(default)]
    pub cache_write_1h: Option<u64>,
    /// The provider's own cost of the request, USD, where it says.
    pub provider_cost_usd: Option<f64>,
    /// The service tier that served it, where that is not the standard one: it has prices of its own.
    #[serde(default)]
    pub special_tier: Option<String>,
    /// The provider's own record, where it is not too large.
    #[serde(default)]
    pub raw: Option<serde_json::Value>,
    /// The counts do not add up to the provider's total.
    pub inconsistent: bool,
}

impl Usage {
    /// Does the record say anything? Some servers put an empty one into every event, which takes back
    /// nothing said before.
    pub fn says_something(&self) -> bool {
        self.inconsistent || self.input_uncached.is_some() || self.output.is_some()
    }
}

/// A typed failure. `kind` is stable and documented; `message` is for people and already sanitised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Fault {
    /// What kind of failure it is, a stable word.
    pub kind: FaultKind,
    /// The failure in words, without secrets.
    pub message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The name of the server could not be resolved.
    ConnectDns,
    /// The connection was refused.
    ConnectRefused,
    /// The connection was not opened in time.
    ConnectTimeout,
    /// The secure connection could not be set up.
    Tls,
    /// The server redirected, which is not followed.
    Redirect,
    /// The server refused the request itself: it would be refused again.
    Request,
    /// The key is missing, wrong or not allowed to do this.
    Auth,
    /// The account has no credit or quota left.
    Quota,
    /// The model or the address does not exist.
    NotFound,
    /// Too many requests for now.
    Rate,
    /// The server failed or is overloaded.
    Server,
    /// No content came in time.
    TimeoutFirst,
    /// Nothing came for too long in the middle of the answer.
    TimeoutIdle,
    /// The whole answer took too long.
    TimeoutTotal,
    /// The stream ended before the answer was complete.
    Truncated,
    /// A frame of the stream could not be read.
    Malformed,
    /// A part of the answer was larger than is allowed.
    TooLarge,
    /// The provider reported an error within the stream.
    ProviderError,
    /// The server answered with something that is not a stream.
    NotAStream,
    /// There was no answer, or none with content.
    Empty,
    /// Local: the model file is missing, unreadable or not what it says.
    Model,
    /// Local: prompt and output do not fit the context.
    Context,
    /// Local: the chat template does not render.
    Template,
    /// Local: the worker process ended, hung or sent nonsense.
    Worker,
    /// Local: the engine refused or failed.
    Engine,
    /// The run was interrupted.
    Interrupted,
    /// The provider does not serve this country.
    Region,
    /// Strict privacy: the answer shows that it came from elsewhere.
    Privacy,
    /// The proxy on the way refused or failed, not the server.
    Proxy,
}

/// What a backend is asked to generate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// All messages so far, with live answers in their place.
    pub messages: Vec<Message>,
    /// Tools that the model may call.
    pub tools: Vec<Tool>,
    pub max_output_tokens: u32,
    /// Put at the very start of the first message so that no prompt cache can answer.
    pub cache_marker: Option<String>,
    /// The conversation that this is a turn of: its beginning is that of the turn before, which a cache may
    /// and should hold.
    pub conversation: Option<u64>,
    /// The answer must be JSON of this schema: structured output, as each backend offers it.
    pub json_schema: Option<serde_json::Value>,
}

impl Request {
    /// Must no part of the prompt come from a cache?
    pub fn is_cold(&self) -> bool {
        self.cache_marker.is_some() && self.conversation.is_none()
    }

    /// The messages as they are sent, with the cache marker, where there is one, at the very start of the
    /// first. Every backend sends exactly these.
    pub fn marked_messages(&self) -> Vec<Message> {
        let mut messages = self.messages.clone();
        if let (Some(marker), Some(first)) = (&self.cache_marker, messages.first_mut()) {
            first.content.get_or_insert_default().insert_str(0, marker);
        }
        messages
    }
}
