//! Services that answer requests: where they are, how they are spoken to, what holds their key.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A service that answers requests: where it is, how it is spoken to, what holds its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What stands before the colon of an API target: `groq`.
    pub id: String,
    /// As it writes itself.
    pub name: String,
    /// How it is spoken to.
    pub wire: ApiWire,
    /// Its own address; absent: the user gives one.
    pub base_url: Option<String>,
    /// Hosts its key may go to where there is no `base_url`; `*` is one label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Appended to an address that has no path.
    #[serde(default)]
    pub path: String,
    /// The environment variable that holds the address where none is given, under the name its own
    /// tools use.
    pub endpoint_variable: Option<String>,
    /// A second form of address that needs a dated API version, with `{model}` in its path.
    pub dated_path: Option<String>,
    /// The environment variable that holds that version where the address has none.
    pub version_variable: Option<String>,
    /// The environment variable that holds the key, under the name its own tools use.
    pub key_variable: Option<String>,
    /// The header the key is sent in.
    #[serde(default)]
    pub key_header: KeyHeader,
    /// The provider of the price records it charges.
    pub prices: Option<String>,
    /// The field that limits the answer's length.
    #[serde(default)]
    pub limit_field: LimitField,
    /// It takes `stream_options`.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// It pads every event with random text unless told not to.
    #[serde(default)]
    pub obfuscates: bool,
    /// It takes llama.cpp's own `cache_prompt`.
    #[serde(default)]
    pub llama_server: bool,
    /// What a reader of its figures must know.
    pub note: Option<String>,
    /// What usually is wrong where it answers that there is nothing at an address.
    pub not_found: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Provider);

fn yes() -> bool {
    true
}

/// A shape of request and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiWire {
    /// `OpenAI`'s chat completions, which most others speak, too.
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    /// `OpenAI`'s responses.
    #[serde(rename = "openai-responses")]
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// Ollama's own chat, one JSON object a line.
    Ollama,
}

/// The header a key goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyHeader {
    /// `Authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `x-api-key: KEY`.
    XApiKey,
    /// `x-goog-api-key: KEY`.
    XGoogApiKey,
    /// `api-key: KEY`.
    ApiKey,
}

impl KeyHeader {
    /// The header's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::XApiKey => "x-api-key",
            Self::XGoogApiKey => "x-goog-api-key",
            Self::ApiKey => "api-key",
        }
    }
}

/// The field that limits the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// `max_completion_tokens`, which counts thoughts, too.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name.
    MaxTokens,
}
