//! Models with open weights: their size, and what their KV cache holds.

use super::CiteByField;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A model with open weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenModel {
    /// Its id: `llama-3.1-8b-instruct`.
    pub id: String,
    /// The makers' name for it.
    pub name: String,
    /// `OWNER/REPO` on the Hugging Face hub.
    pub repository: Option<String>,
    /// The family it belongs to: `llama-3.1`.
    pub family: Option<String>,
    /// Licence: an SPDX identifier, or the makers' own name for it.
    pub licence: Option<String>,
    /// When it came out: a year, a month (`2024-07`) or a day.
    pub released: Option<String>,
    /// Capability tier: 1 (highest) to 4.
    pub tier: Option<u8>,
    /// Parameters of the whole model, all experts included.
    pub parameters: Option<u64>,
    /// Parameters used per token: all of them, unless it is a mixture of experts.
    pub active_parameters: Option<u64>,
    /// Number of transformer layers.
    pub layers: Option<u32>,
    /// Query heads in a layer.
    pub heads: Option<u32>,
    /// Key and value heads in a layer.
    pub kv_heads: Option<u32>,
    /// Head size: values in the key of one head.
    pub head_size: Option<u32>,
    /// Width of the hidden state.
    pub hidden_size: Option<u32>,
    /// Size of the vocabulary, tokens.
    pub vocabulary: Option<u32>,
    /// Does the output layer use the input embedding instead of a matrix of its own?
    pub tied_embeddings: Option<bool>,
    /// Context length that it was trained for, tokens.
    pub context_tokens: Option<u64>,
    /// Parameters of embeddings that every layer looks up row by row, in addition to the input embedding.
    /// They take memory, but are not read as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup_parameters: Option<u64>,
    /// What its KV cache holds.
    #[serde(default)]
    pub attention: Attention,
    /// Routed experts in a layer; `None` for a dense model.
    pub experts: Option<u32>,
    /// Routed experts that each token uses.
    pub experts_per_token: Option<u32>,
    /// The page the figures were read on; [`cite`](Self::cite) may name another for single ones.
    pub source: String,
    /// The day on which they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Other sources of single fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cite: CiteByField,
}
cited!(OpenModel);

/// What the KV cache holds in each layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attention {
    /// Every layer keeps keys and values of the whole context.
    #[default]
    Full,
    /// Some layers keep only a sliding window.
    SlidingWindow {
        /// Length of the window, tokens.
        window_tokens: u64,
        /// Number of layers that keep the whole context.
        full_layers: u32,
        /// Number of layers that keep a window, where further layers keep nothing and read the cache of a
        /// neighbouring layer; absent where it is all that do not keep the whole context.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sliding_layers: Option<u32>,
        /// Keys and values of one token in a layer that keeps the whole context, where its heads differ
        /// from those of the others; absent for twice `kv_heads` × `head_size`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_values: Option<u32>,
    },
    /// Multi-head latent attention: one compressed vector per token and layer.
    Latent {
        /// Values of the compressed vector.
        kv_lora_rank: u32,
        /// Values of the part with the position, which is kept beside it.
        rope_head_size: u32,
        /// Number of layers with attention, where the others keep a state of fixed size; absent for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attention_layers: Option<u32>,
    },
    /// Every layer keeps one entry (key and value in one) for each token of a short window, and for what
    /// precedes it entries that are pooled over several tokens.
    Pooled {
        /// Length of the window, tokens.
        window_tokens: u64,
        /// Values that all layers together keep for each further token, without the windows.
        values_per_token: u32,
    },
    /// Only some layers have attention; the others keep a state of fixed size (Mamba, linear attention).
    Hybrid {
        /// Number of layers with attention.
        attention_layers: u32,
        /// Number of layers with such a state, where further layers keep nothing (feed-forward or experts
        /// only); absent for all without attention.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state_layers: Option<u32>,
    },
}
