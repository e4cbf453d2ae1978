//! The tensors of a model by what they are for: which bytes a generated token must read, and which
//! only take up memory.

use super::tensor::{Tensor, TensorType};
use std::collections::BTreeMap;

/// What the tensors of one file take, in bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// Bytes of all tensors that are loaded.
    pub total: u64,
    /// Bytes of those that are not: blocks that only predict further tokens.
    pub skipped: u64,
    /// Values in all loaded tensors: the parameter count.
    pub parameters: u64,
    /// Bytes by tensor type.
    pub by_type: BTreeMap<TensorType, u64>,
    /// Token, position and per-layer embedding tables: one row per token is read.
    pub embedding: u64,
    /// The token embedding table alone; it doubles as the output where `output` is 0.
    pub token_embedding: u64,
    /// The output projection; 0 where it is tied to the embedding.
    pub output: u64,
    /// Routed experts: only those chosen are read.
    pub experts: u64,
    /// Values in the routed experts.
    pub expert_parameters: u64,
    /// Everything in each layer, experts included; index is the layer.
    pub layers: Vec<u64>,
}

impl Weights {
    /// `loaded`: layers from the start that are loaded; `None`: all of them.
    pub(super) fn of(tensors: &[Tensor], loaded: Option<u32>) -> Self {
        let mut weights = Self::default();
        for tensor in tensors {
            let layer = layer_of(&tensor.name).map(|(layer, _)| layer);
            if layer.zip(loaded).is_some_and(|(layer, loaded)| layer >= loaded as usize) {
                weights.skipped += tensor.bytes;
            } else {
                weights.add(tensor);
            }
        }
        weights
    }

    fn add(&mut self, tensor: &Tensor) {
        // Places were checked against the file, so none of these sums can wrap.
        self.total += tensor.bytes;
        self.parameters += tensor.elements;
        *self.by_type.entry(tensor.kind).or_default() += tensor.bytes;
        let name = tensor.name.as_str();
        // Input tables: the loader keeps them in main memory.
        let fed = ["token_embd.", "per_layer_token_embd.", "position_embd.", "token_types."];
        if fed.iter().any(|part| name.starts_with(part)) {
            self.embedding += tensor.bytes;
            if name.starts_with("token_embd.") {
                self.token_embedding += tensor.bytes;
            }
        } else if name.starts_with("output.") {
            self.output += tensor.bytes;
        }
        let Some((layer, part)) = layer_of(name) else { return };
        if self.layers.len() <= layer {
            self.layers.resize(layer + 1, 0);
        }
        self.layers[layer] += tensor.bytes;
        if part.contains("_exps.") || routed_alone(part) {
            self.experts += tensor.bytes;
            self.expert_parameters += tensor.elements;
        }
    }

    /// Mean bits of one value.
    pub fn bits_per_value(&self) -> f64 {
        self.total as f64 * 8.0 / self.parameters.max(1) as f64
    }

    /// Bytes one generated token reads when a share of the routed experts is used.
    pub fn read_per_token(&self, expert_share: f64) -> f64 {
        let output = if self.output == 0 { self.token_embedding } else { self.output };
        let shared = self.total - self.embedding - self.output - self.experts;
        (shared + output) as f64 + self.experts as f64 * expert_share.clamp(0.0, 1.0)
    }
}

/// The layer of a tensor and its name within it: `blk.7.attn_q.weight` is `attn_q.weight` of layer 7.
/// `None` outside of layers, and past [`super::limits::MAX_LAYERS`].
fn layer_of(name: &str) -> Option<(usize, &str)> {
    let (number, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let layer = number.parse::<usize>().ok()?;
    (layer < super::limits::MAX_LAYERS as usize).then_some((layer, part))
}

/// Is this one routed expert? Older files keep each in a tensor of its own: `ffn_gate.3.weight`.
fn routed_alone(part: &str) -> bool {
    part.strip_prefix("ffn_")
        .and_then(|rest| rest.split('.').nth(1))
        .is_some_and(|middle| !middle.is_empty() && middle.bytes().all(|b| b.is_ascii_digit()))
}
