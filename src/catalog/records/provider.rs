//! Services that answer requests: their address, their wire format, and where their key is found.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A service that answers requests: its address, its wire format, and where its key is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its id, the part before the colon of an API target: `groq`.
    pub id: String,
    /// Its own name.
    pub name: String,
    /// Its wire format.
    pub wire: ApiWire,
    /// Its address; absent where the user gives one.
    pub base_url: Option<String>,
    /// Hosts that its key may be sent to where there is no `base_url`; `*` stands for one label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Path that is appended to an address without one.
    #[serde(default)]
    pub path: String,
    /// Environment variable that has the address where none is given, under the name that its own tools
    /// use.
    pub endpoint_variable: Option<String>,
    /// Another form of path, with `{model}` in it, that needs a dated API version.
    pub dated_path: Option<String>,
    /// Environment variable that has that version where the address contains none.
    pub version_variable: Option<String>,
    /// Environment variable that has the key, under the name that its own tools use.
    pub key_variable: Option<String>,
    /// The header that the key is sent in.
    #[serde(default)]
    pub key_header: KeyHeader,
    /// The provider of the price records that apply to it.
    pub prices: Option<String>,
    /// The field of a request that limits the length of the answer.
    #[serde(default)]
    pub limit_field: LimitField,
    /// It accepts `stream_options`.
    #[serde(default = "yes")]
    pub stream_options: bool,
    /// It adds random padding to every event unless told not to.
    #[serde(default)]
    pub obfuscates: bool,
    /// It accepts llama.cpp's `cache_prompt`.
    #[serde(default)]
    pub llama_server: bool,
    /// What a reader of its figures must know.
    pub note: Option<String>,
    /// The usual mistake when it answers that an address does not exist.
    pub not_found: Option<String>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(Provider);

impl Provider {
    /// Its address with the path that requests are appended to; `None` where the user gives the address.
    pub fn address(&self) -> Option<String> {
        let base = self.base_url.as_deref()?;
        let after = base.split_once("://").map_or(base, |(_, rest)| rest);
        let bare = !after.trim_end_matches('/').contains('/');
        let base = base.trim_end_matches('/');
        Some(if bare && !self.path.is_empty() { format!("{base}/{}", self.path) } else { base.to_owned() })
    }
}

fn yes() -> bool {
    true
}

/// The format of requests and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiWire {
    /// `OpenAI`'s Chat Completions, which most others support, too.
    #[serde(rename = "openai-chat")]
    OpenAiChat,
    /// `OpenAI`'s Responses.
    #[serde(rename = "openai-responses")]
    OpenAiResponses,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's `generateContent`.
    Gemini,
    /// Ollama's chat format: one JSON object per line.
    Ollama,
}

/// The header that a key is sent in.
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

/// The field of a request that limits the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitField {
    /// `max_completion_tokens`, which includes reasoning.
    #[default]
    MaxCompletionTokens,
    /// `max_tokens`, the older name.
    MaxTokens,
}
