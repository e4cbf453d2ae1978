//! Models whose weights can be had: their size and what their KV cache holds.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model whose weights can be had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenModel {
    /// `llama-3.1-8b-instruct`.
    pub id: String,
    /// As its makers write it.
    pub name: String,
    /// `OWNER/REPO` on the hub.
    pub repository: Option<String>,
    /// What it belongs to: `llama-3.1`.
    pub family: Option<String>,
    /// SPDX, or the name its makers gave it.
    pub licence: Option<String>,
    /// When it came out: a year, a month (`2024-07`) or a day.
    pub released: Option<String>,
    /// Capability tier of the brief: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Parameters of the whole model.
    pub parameters: Option<u64>,
    /// Used per token: all of them unless it is a mixture of experts.
    pub active_parameters: Option<u64>,
    /// Transformer layers.
    pub layers: Option<u32>,
    /// Query heads of one layer.
    pub heads: Option<u32>,
    /// Key and value heads of one layer.
    pub kv_heads: Option<u32>,
    /// Values of one head's key.
    pub head_size: Option<u32>,
    /// Values of one hidden state.
    pub hidden_size: Option<u32>,
    /// Tokens of its vocabulary.
    pub vocabulary: Option<u32>,
    /// Whether the output projection is the input embedding, not a second matrix.
    pub tied_embeddings: Option<bool>,
    /// Tokens of context it was trained for.
    pub context_tokens: Option<u64>,
    /// Parameters of embeddings that every layer looks up by the row, beside the input embedding:
    /// they take memory, but are not read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_parameters: Option<u64>,
    /// What its KV cache holds.
    #[serde(default)]
    pub attention: Attention,
    /// Routed experts of one layer; `None`: it is dense.
    pub experts: Option<u32>,
    /// Of them, those that one token is sent to.
    pub experts_per_token: Option<u32>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources, by field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(OpenModel);

/// What the KV cache holds per layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attention {
    /// Every layer keeps keys and values of the whole context.
    #[default]
    Full,
    /// Some layers keep only a window.
    SlidingWindow {
        /// Tokens that such a layer keeps.
        window_tokens: u64,
        /// Layers that keep the whole context.
        full_layers: u32,
        /// Layers that keep a window, where others keep nothing and read a neighbour's cache; absent:
        /// all that do not keep the whole context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sliding_layers: Option<u32>,
        /// Keys and values of one token in a layer that keeps the whole context, where its heads are
        /// not those of the others; absent: twice `kv_heads` × `head_size`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_values: Option<u32>,
    },
    /// Multi-head latent attention: one compressed vector per token and layer.
    Latent {
        /// Values of the compressed vector.
        kv_lora_rank: u32,
        /// Values of the part that carries the position, kept beside it.
        rope_head_size: u32,
        /// Layers that attend, where the others keep a state of fixed size; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attention_layers: Option<u32>,
    },
    /// Every layer keeps one entry for each token of a short window (key and value in one) and, for
    /// what lies before it, entries pooled over several tokens.
    Pooled {
        /// Tokens of the window.
        window_tokens: u64,
        /// Values that all layers together keep for one more token, the windows left out.
        values_per_token: u32,
    },
    /// Only some layers attend; the others keep a state of fixed size (Mamba, linear attention).
    Hybrid {
        /// Layers that attend.
        attention_layers: u32,
        /// Layers with such a state, where others keep nothing (feed-forward or experts only);
        /// absent: all that do not attend.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state_layers: Option<u32>,
    },
}
