//! A model as the predictor sees it: parameters, layers and KV cache.

use crate::capacity::quantisation::{Engine, Quantisation};
use crate::catalog::{Attention, OpenModel};
use crate::gguf::{Facts, Header};

/// A figure that a prediction needs and that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{record} has no {field}")]
pub struct Unknown {
    /// Id of the record: `llama-3.1-8b`.
    pub record: String,
    pub field: &'static str,
}

/// A model, as far as its speed and memory depend on it.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelShape {
    pub id: String,
    /// All parameters.
    pub parameters: f64,
    /// Of the input embedding: one row per token is read, all of it takes memory.
    pub embedding_parameters: f64,
    /// Of the layers' embeddings, of which one row per token is read, too.
    pub lookup_parameters: f64,
    /// The output projection is the embedding.
    pub tied: bool,
    /// Routed experts, all layers together; 0 for a dense model.
    pub routed_parameters: f64,
    pub experts: u32,
    pub experts_used: u32,
    pub layers: u32,
    /// Layers with routed experts, if any.
    pub mixture_layers: f64,
    pub hidden_size: f64,
    pub vocabulary: f64,
    pub cache: CacheShape,
    /// Bits the experts were trained in: no format stores them in more. `None`: no such limit.
    pub expert_bits_limit: Option<f64>,
    /// Longest context it was made for.
    pub context_tokens: Option<u64>,
    /// Bytes of the model file, where there is one; else they follow from the quantisation.
    pub file: Option<FileBytes>,
    /// The format the file is in, or the nearest one known.
    pub file_format: Option<&'static Quantisation>,
}

/// What the model keeps in memory of a sequence: KV cache and recurrent states.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CacheShape {
    /// Values (of keys and values) per token, over the layers that keep the whole context.
    pub full_values: f64,
    /// The same over the layers that keep a sliding window.
    pub sliding_values: f64,
    pub window_tokens: f64,
    /// Bytes of recurrent state per sequence, whatever its length.
    pub state_bytes: f64,
    /// Layers that keep such a state.
    pub state_layers: f64,
    /// Layers that attend over a latent vector.
    pub latent_layers: f64,
    /// Query values of one token over the layers that keep the whole context: attention arithmetic
    /// grows with them.
    pub full_query_values: f64,
    /// The same over the layers that keep a window.
    pub sliding_query_values: f64,
    /// Key-value heads, in the layer that has most: devices that share a layer divide them, and beyond so
    /// many each keeps a copy. 0 where that is not known.
    pub kv_heads: f64,
    /// The part of `full_values` that is pooled: tokens in one cell, and values of a cell over the layers
    /// that pool so many. Engines keep whole blocks of cells.
    pub pooled: [(f64, f64); 2],
}

impl CacheShape {
    /// One more layer that pools `ratio` tokens into a cell of so many values.
    fn pool(&mut self, ratio: f64, values: f64) {
        self.full_values += values / ratio;
        let place = self.pooled.iter_mut().find(|(of, n)| *n <= 0.0 || (*of - ratio).abs() < 0.5);
        if let Some((of, n)) = place {
            (*of, *n) = (ratio, *n + values);
        }
    }
    /// Values that a sequence reserves beyond its pooled tokens, since cells come in blocks of this many.
    pub fn unused_pooled_values(&self, context_tokens: f64, block: f64) -> f64 {
        let unused = |(ratio, values): &(f64, f64)| {
            let cells = context_tokens / ratio;
            (cells / block).ceil().mul_add(block, -cells) * values
        };
        self.pooled.iter().filter(|(ratio, _)| *ratio > 0.0).map(unused).sum()
    }
    /// Values that the KV cache of one sequence of this length holds.
    pub fn values(&self, context_tokens: f64) -> f64 {
        self.full_values * context_tokens + self.sliding_values * context_tokens.min(self.window_tokens)
    }
    /// Query values of one token times the tokens that each of them attends to.
    pub fn query_values(&self, context_tokens: f64) -> f64 {
        self.full_query_values * context_tokens
            + self.sliding_query_values * context_tokens.min(self.window_tokens)
    }
}

/// Bytes of a model file by part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FileBytes {
    pub total: f64,
    /// Input embedding, of which a token reads one row.
    pub embedding: f64,
    pub routed: f64,
    /// Output projection (the embedding where tied): read for each token.
    pub output: f64,
}

impl ModelShape {
    /// Share of the routed experts that one token uses, 0 to 1; 0 for a dense model.
    pub fn expert_share(&self) -> f64 {
        if self.experts == 0 { 0.0 } else { f64::from(self.experts_used) / f64::from(self.experts) }
    }
    /// Parameters that take part in the arithmetic of one token: embedding look-up excluded,
    /// output projection included.
    pub fn computed_parameters(&self) -> f64 {
        let embedding = if self.tied { 0.0 } else { self.embedding_parameters };
        let looked_up = embedding + self.lookup_parameters;
        self.parameters - looked_up - self.routed_parameters * (1.0 - self.expert_share())
    }
    pub fn is_mixture(&self) -> bool {
        self.experts > 0
    }
    /// Routed parameters that one token uses.
    pub fn routed_computed(&self) -> f64 {
        self.routed_parameters * self.expert_share()
    }
    /// Columns of one expert's matrices, of which there are three with `hidden_size` rows each; 0 for a
    /// dense model.
    pub fn expert_width(&self) -> f64 {
        let experts = f64::from(self.experts) * self.mixture_layers * 3.0 * self.hidden_size;
        if experts > 0.0 { self.routed_parameters / experts } else { 0.0 }
    }
    /// Among how many of `devices` that share each layer the cache divides; the others keep copies. A
    /// latent vector serves all heads, so every device keeps it whole.
    pub fn cache_divides(&self, devices: f64) -> f64 {
        match (self.cache.latent_layers > 0.0, self.cache.kv_heads) {
            (true, _) => 1.0,
            (false, heads) if heads > 0.0 => devices.min(heads),
            (false, _) => devices,
        }
    }
    /// All weights under the engine that is usual for the format, bytes.
    pub fn weight_bytes(&self, format: &Quantisation) -> f64 {
        self.bytes(format).total
    }
    /// Weights by part under the engine that is usual for the format.
    pub fn bytes(&self, format: &Quantisation) -> FileBytes {
        self.bytes_under(format, format.usual_engine())
    }
    /// Weights by part under an engine: from the file, or from the parameters at the format's bits.
    pub fn bytes_under(&self, format: &Quantisation, engine: Engine) -> FileBytes {
        if let Some(file) = self.file {
            return file;
        }
        let bits = format.bits(engine, self.is_mixture());
        let output = self.embedding_parameters * bits.output / 8.0;
        let untied = if self.tied { 0.0 } else { self.embedding_parameters };
        let embedding = (untied + self.lookup_parameters) * bits.embedding / 8.0;
        let expert_bits = self.expert_bits_limit.map_or(bits.expert, |b| b.min(bits.expert));
        let expert_bits = if format.id == "W4A16" && self.groups_of_32() { 4.5 } else { expert_bits };
        let routed = self.routed_parameters * expert_bits / 8.0;
        let copies = if self.tied { 1.0 } else { 2.0 };
        let layers = self.parameters
            - self.routed_parameters
            - self.lookup_parameters
            - copies * self.embedding_parameters;
        let total = layers.max(0.0) * bits.layer / 8.0 + output + embedding + routed;
        FileBytes { total, embedding, routed, output }
    }

    /// Do its maker's four-bit weights have a 16-bit scale for every 32 of them, not for every 128? Those
    /// of Kimi since K2 Thinking do (`group_size` of their configurations; 595 GB on disk).
    fn groups_of_32(&self) -> bool {
        ["kimi-k2-thinking", "kimi-k2.5", "kimi-k2.6"].iter().any(|family| self.id.starts_with(family))
    }

    /// From a catalogue record.
    pub fn from_catalogue(model: &OpenModel) -> Result<Self, Unknown> {
        let need = |value: Option<f64>, field| value.ok_or(Unknown { record: model.id.clone(), field });
        let parameters = need(model.parameters.map(|n| n as f64), "parameters")?;
        let layers = model.layers.ok_or(Unknown { record: model.id.clone(), field: "layers" })?;
        let hidden_size = need(model.hidden_size.map(f64::from), "hidden_size")?;
        let vocabulary = need(model.vocabulary.map(f64::from), "vocabulary")?;
        let embedding_parameters = hidden_size * vocabulary;
        let tied = model.tied_embeddings.unwrap_or_else(|| ties_output(model, parameters));
        let (experts, used) = (model.experts.unwrap_or(0), model.experts_per_token.unwrap_or(0));
        let mixture = experts > 1 && used > 0 && used < experts;
        let routed_parameters = if mixture {
            let active = need(model.active_parameters.map(|n| n as f64), "active_parameters")?;
            // total = shared + routed, active = shared + routed × used/all.
            let share = f64::from(used) / f64::from(experts);
            let counted = active + if mxfp4_experts(model) { embedding_parameters } else { 0.0 };
            // Look-up tables belong to neither.
            let looked_up = model.lookup_parameters.map_or(0.0, |n| n as f64);
            ((parameters - looked_up - counted) / (1.0 - share)).clamp(0.0, parameters - looked_up)
        } else {
            0.0
        };
        let cache = cache_from_catalogue(model, layers, hidden_size)?;
        // Where each layer is either attention, a state or a feed-forward block, the last have the experts.
        let mixture_layers = match model.attention {
            Attention::Hybrid { attention_layers, state_layers: Some(states) } => {
                layers.saturating_sub(attention_layers + states)
            }
            _ => layers,
        };
        Ok(Self {
            id: model.id.clone(),
            mixture_layers: f64::from(mixture_layers),
            parameters,
            embedding_parameters,
            lookup_parameters: model.lookup_parameters.map_or(0.0, |n| n as f64),
            tied,
            routed_parameters,
            experts: if mixture { experts } else { 0 },
            experts_used: if mixture { used } else { 0 },
            layers,
            hidden_size,
            vocabulary,
            cache,
            expert_bits_limit: mxfp4_experts(model).then_some(4.25),
            context_tokens: model.context_tokens,
            file: None,
            file_format: None,
        })
    }

    /// From the header of a model file. `id` names it in what is shown.
    pub fn from_gguf(id: impl Into<String>, header: &Header) -> Result<Self, Unknown> {
        let (id, facts, weights) = (id.into(), &header.facts, header.weights());
        let need =
            |value: Option<u64>, field| value.map(|n| n as f64).ok_or(Unknown { record: id.clone(), field });
        let layers = facts.loaded_layers.ok_or(Unknown { record: id.clone(), field: "block_count" })?;
        let hidden_size = need(facts.hidden_size, "embedding_length")?;
        let vocabulary = need(facts.vocabulary, "vocabulary")?;
        let parameters = weights.parameters as f64;
        let tied = weights.output == 0;
        let output = if tied { weights.token_embedding } else { weights.output };
        let routed = weights.experts as f64;
        let routed_parameters = weights.expert_parameters as f64;
        let mixture = routed > 0.0;
        Ok(Self {
            parameters,
            mixture_layers: f64::from(layers),
            embedding_parameters: hidden_size * vocabulary,
            // The layers' embeddings are looked up like the token embedding.
            lookup_parameters: 0.0,
            tied,
            routed_parameters,
            experts: if mixture { facts.experts.unwrap_or(1) } else { 0 },
            experts_used: if mixture { facts.experts_used.unwrap_or(1) } else { 0 },
            layers,
            hidden_size,
            vocabulary,
            cache: cache_from_file(facts, &id)?,
            expert_bits_limit: None,
            context_tokens: facts.context_tokens,
            file_format: Some(format_of(header)),
            file: Some(FileBytes {
                total: weights.total as f64,
                embedding: if tied {
                    (weights.embedding - weights.token_embedding) as f64
                } else {
                    weights.embedding as f64
                },
                routed,
                output: output as f64,
            }),
            id,
        })
    }
}

/// The format that the file names, else the one that most of its bytes are in.
fn format_of(header: &Header) -> &'static Quantisation {
    let weights = header.weights();
    let most = weights.by_type.iter().max_by_key(|(_, bytes)| **bytes).map(|(kind, _)| kind.label());
    let named = header.facts.mix().and_then(Quantisation::find);
    named
        .or_else(|| Quantisation::find(most?))
        .unwrap_or_else(|| Quantisation::nearest(weights.bits_per_value()))
}

/// Is the output projection the embedding, where the record does not say? It is in small models and in the
/// Gemma family. Some do not follow this, so a record's own word goes first.
fn ties_output(model: &OpenModel, parameters: f64) -> bool {
    let name = model.family.as_deref().unwrap_or(&model.id).to_ascii_lowercase();
    name.contains("gemma") || name.contains("command") || (parameters < 4.5e9 && model.experts.is_none())
}

/// Is it gpt-oss? Its experts are MXFP4 in every file, since their rows do not divide into K-quant blocks;
/// and its card, unlike others, leaves the input embedding out of the active parameters.
fn mxfp4_experts(model: &OpenModel) -> bool {
    model.id.contains("gpt-oss")
}

/// Bytes of state of a layer without attention: 128 values of 32 bits for each of twice the hidden size, as
/// Mamba-2 and gated delta layers keep.
fn recurrent_state_bytes(hidden: f64) -> f64 {
    2.0 * hidden * 128.0 * 4.0
}

fn cache_from_catalogue(model: &OpenModel, layers: u32, hidden: f64) -> Result<CacheShape, Unknown> {
    let need =
        |value: Option<u32>, field| value.map(f64::from).ok_or(Unknown { record: model.id.clone(), field });
    let layers = f64::from(layers);
    if let Attention::Latent { kv_lora_rank, rope_head_size, attention_layers } = model.attention {
        // One vector serves as key and value; every head attends over it.
        let vector = f64::from(kv_lora_rank) + f64::from(rope_head_size);
        let heads = model.heads.map_or(hidden / 128.0, f64::from);
        let attending = attention_layers.map_or(layers, f64::from).min(layers);
        return Ok(CacheShape {
            kv_heads: 1.0,
            full_values: attending * vector,
            latent_layers: attending,
            state_bytes: (layers - attending) * recurrent_state_bytes(hidden),
            state_layers: layers - attending,
            full_query_values: attending * heads * vector,
            ..CacheShape::default()
        });
    }
    let head = need(model.head_size, "head_size")?;
    let kv_heads = need(model.kv_heads, "kv_heads")?;
    let per_layer = 2.0 * kv_heads * head;
    let queries = model.heads.map_or(hidden, |n| f64::from(n) * head);
    let shape = match model.attention {
        Attention::SlidingWindow { window_tokens, full_layers, sliding_layers, full_values } => {
            let full = f64::from(full_layers).min(layers);
            let sliding = sliding_layers.map_or(layers - full, f64::from).min(layers - full);
            CacheShape {
                full_values: full * full_values.map_or(per_layer, f64::from),
                sliding_values: sliding * per_layer,
                window_tokens: window_tokens as f64,
                full_query_values: full * queries,
                sliding_query_values: sliding * queries,
                ..CacheShape::default()
            }
        }
        Attention::Pooled { window_tokens, values_per_token } => CacheShape {
            full_values: f64::from(values_per_token),
            sliding_values: layers * per_layer / 2.0,
            window_tokens: window_tokens as f64,
            full_query_values: model.heads.map_or(hidden / 128.0, f64::from) * f64::from(values_per_token),
            ..CacheShape::default()
        },
        Attention::Hybrid { attention_layers, state_layers } => {
            let full = f64::from(attention_layers).min(layers);
            let states = state_layers.map_or(layers - full, f64::from).min(layers - full);
            CacheShape {
                full_values: full * per_layer,
                state_bytes: states * recurrent_state_bytes(hidden),
                state_layers: states,
                full_query_values: full * queries,
                ..CacheShape::default()
            }
        }
        Attention::Full | Attention::Latent { .. } => CacheShape {
            full_values: layers * per_layer,
            full_query_values: layers * queries,
            ..CacheShape::default()
        },
    };
    Ok(CacheShape { kv_heads, ..shape })
}

fn cache_from_file(facts: &Facts, id: &str) -> Result<CacheShape, Unknown> {
    let need =
        |value: Option<u64>, field| value.map(|n| n as f64).ok_or(Unknown { record: id.to_owned(), field });
    let mut cache = CacheShape { window_tokens: facts.cache.window_tokens as f64, ..Default::default() };
    for layer in &facts.cache.layers {
        let (values, queries) = (layer.values as f64, layer.query_values as f64);
        cache.kv_heads = cache.kv_heads.max(f64::from(layer.kv_heads));
        if layer.slides {
            cache.sliding_values += values;
            cache.sliding_query_values += queries;
        } else {
            cache.full_values += values;
            cache.full_query_values += queries;
        }
        if let Some((ratio, values)) = layer.pooled {
            cache.pool(ratio as f64, values as f64);
        }
        cache.latent_layers += f64::from(u8::from(layer.latent));
        cache.state_bytes += layer.state_values as f64 * 4.0;
        cache.state_layers += f64::from(u8::from(layer.state_values > 0));
    }
    if facts.kv_heads.iter().any(|n| *n > 0) {
        need(facts.key_length, "attention.key_length")?;
    }
    Ok(cache)
}
