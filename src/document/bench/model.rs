//! The model that a local target ran, as far as its speed depends on it. With these figures a bench
//! document can calibrate the predictor without the model's file and without a catalogue record.

use crate::capacity::shape::{CacheShape, FileBytes};
use crate::capacity::{ModelShape, Quantisation};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Figures from the header of the model's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelFacts {
    /// The format of the weights, such as `Q4_K_M`; the nearest known one where the file's own is not
    /// known.
    pub quantisation: String,
    /// Parameters of the model.
    pub parameters: f64,
    /// Parameters of the input embedding.
    pub embedding_parameters: f64,
    /// The output layer uses the weights of the input embedding.
    pub tied_embeddings: bool,
    /// Parameters of the routed experts, all layers together; 0 for a dense model.
    pub routed_parameters: f64,
    /// Experts in a layer; 0 for a dense model.
    pub experts: u32,
    /// Experts that each token uses.
    pub experts_used: u32,
    /// Number of layers.
    pub layers: u32,
    /// Layers that have routed experts.
    pub mixture_layers: f64,
    /// Width of the hidden state.
    pub hidden_size: f64,
    /// Tokens in the vocabulary.
    pub vocabulary: f64,
    /// Context length that the model was made for, tokens; null where the file does not say.
    pub context_tokens: Option<u64>,
    /// Bytes of all weights in the file.
    pub weight_bytes: f64,
    /// Of them, bytes of the input embedding.
    pub embedding_bytes: f64,
    /// Of them, bytes of the routed experts.
    pub routed_bytes: f64,
    /// Of them, bytes of the output layer.
    pub output_bytes: f64,
    /// What the model keeps of each sequence.
    pub cache: CacheFacts,
}

/// What the model keeps of each sequence. Numbers of values, whatever format they are stored in; only the
/// recurrent state is in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CacheFacts {
    /// Keys and values kept of one token, over the layers that keep the whole context.
    pub full_values: f64,
    /// Keys and values kept of one token, over the layers with a sliding window.
    pub sliding_values: f64,
    /// Length of the sliding window, tokens; 0 where no layer has one.
    pub window_tokens: f64,
    /// Size of the recurrent state of one sequence, bytes; 0 where there is none.
    pub state_bytes: f64,
    /// Layers with a recurrent state.
    pub state_layers: f64,
    /// Layers that keep keys and values in a compressed (latent) form.
    pub latent_layers: f64,
    /// Query values of one token, over the layers that keep the whole context; the arithmetic of attention
    /// grows with them.
    pub full_query_values: f64,
    /// Query values of one token, over the layers with a sliding window.
    #[serde(default)]
    pub sliding_query_values: f64,
    /// Heads that keys and values are kept for, in the layer that has most; 0 where that is not known.
    #[serde(default)]
    pub kv_heads: f64,
}

impl ModelFacts {
    /// The figures of a model that was read from a file; `None` for a model that was not.
    pub fn of(shape: &ModelShape) -> Option<Self> {
        let (file, format) = (shape.file?, shape.file_format?);
        let cache = shape.cache;
        Some(Self {
            quantisation: format.id.to_owned(),
            parameters: shape.parameters,
            embedding_parameters: shape.embedding_parameters,
            tied_embeddings: shape.tied,
            routed_parameters: shape.routed_parameters,
            experts: shape.experts,
            experts_used: shape.experts_used,
            layers: shape.layers,
            mixture_layers: shape.mixture_layers,
            hidden_size: shape.hidden_size,
            vocabulary: shape.vocabulary,
            context_tokens: shape.context_tokens,
            weight_bytes: file.total,
            embedding_bytes: file.embedding,
            routed_bytes: file.routed,
            output_bytes: file.output,
            cache: CacheFacts {
                full_values: cache.full_values,
                sliding_values: cache.sliding_values,
                window_tokens: cache.window_tokens,
                state_bytes: cache.state_bytes,
                state_layers: cache.state_layers,
                latent_layers: cache.latent_layers,
                full_query_values: cache.full_query_values,
                sliding_query_values: cache.sliding_query_values,
                kv_heads: cache.kv_heads,
            },
        })
    }

    /// The model as the predictor takes it.
    pub fn shape(&self, id: &str) -> ModelShape {
        let cache = self.cache;
        ModelShape {
            id: id.to_owned(),
            parameters: self.parameters,
            embedding_parameters: self.embedding_parameters,
            lookup_parameters: 0.0,
            tied: self.tied_embeddings,
            routed_parameters: self.routed_parameters,
            experts: self.experts,
            experts_used: self.experts_used,
            layers: self.layers,
            mixture_layers: self.mixture_layers,
            hidden_size: self.hidden_size,
            vocabulary: self.vocabulary,
            cache: CacheShape {
                full_values: cache.full_values,
                sliding_values: cache.sliding_values,
                window_tokens: cache.window_tokens,
                state_bytes: cache.state_bytes,
                state_layers: cache.state_layers,
                latent_layers: cache.latent_layers,
                full_query_values: cache.full_query_values,
                sliding_query_values: cache.sliding_query_values,
                kv_heads: cache.kv_heads,
                ..CacheShape::default()
            },
            expert_bits_limit: None,
            context_tokens: self.context_tokens,
            file: Some(FileBytes {
                total: self.weight_bytes,
                embedding: self.embedding_bytes,
                routed: self.routed_bytes,
                output: self.output_bytes,
            }),
            file_format: Quantisation::find(&self.quantisation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_comes_back_from_its_facts() {
        let catalog = crate::catalog::Catalog::embedded();
        let record = catalog.open_model("gpt-oss-20b").expect("in the catalogue");
        let mut shape = ModelShape::from_catalogue(record).expect("complete");
        assert!(ModelFacts::of(&shape).is_none(), "no file");
        shape.file = Some(FileBytes { total: 1e9, embedding: 1e8, routed: 5e8, output: 1e8 });
        shape.file_format = Quantisation::find("Q4_K_M");
        shape.expert_bits_limit = None;
        let facts = ModelFacts::of(&shape).expect("a file");
        let text = serde_json::to_string(&facts).expect("JSON");
        let again: ModelFacts = serde_json::from_str(&text).expect("its own JSON");
        assert_eq!(again.shape(&shape.id), shape);
    }
}
