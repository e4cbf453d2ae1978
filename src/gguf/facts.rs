//! What the metadata says about the model: the keys that the predictor and the loader rely on, checked. A
//! key of the wrong type is an error even where it is optional, because the loader would trust it.

use super::error::{GgufError, Problem};
use super::limits::{MAX_EXPERTS, MAX_LAYERS};
use super::loader::{self, Cache};
use super::lookup::Lookup;
use super::value::{ListKind, Value};
use std::collections::BTreeMap;

/// What the metadata says about the model. `None` and empty lists: it does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Bytes that tensor data is padded to: `general.alignment`, 32 where the file does not say.
    pub alignment: u64,
    /// `llama`, `gemma3`, `qwen3moe`, ...
    pub architecture: Option<String>,
    /// What its makers call it: `general.name`.
    pub name: Option<String>,
    /// llama.cpp's number for the mix of tensor types; see [`Facts::mix`].
    pub file_type: Option<u32>,
    /// Transformer blocks: `*.block_count`, at most [`MAX_LAYERS`].
    pub layers: Option<u32>,
    /// Tokens of context it was trained for: `*.context_length`.
    pub context_tokens: Option<u64>,
    /// Values in the hidden state of one token: `*.embedding_length`.
    pub hidden_size: Option<u64>,
    /// Attention heads of each layer; empty where unknown.
    pub heads: Vec<u32>,
    /// Key-value heads of each layer, 0 for one without attention; empty where unknown.
    pub kv_heads: Vec<u32>,
    /// Values of one key, per head.
    pub key_length: Option<u64>,
    /// Values of one value vector, per head.
    pub value_length: Option<u64>,
    /// What the engine keeps of a sequence, layer by layer.
    pub cache: Cache,
    /// Blocks that are loaded; those at the end that only predict further tokens are not.
    pub loaded_layers: Option<u32>,
    /// Experts of a layer: `*.expert_count`, at most [`MAX_EXPERTS`]. `None`: the model is dense.
    pub experts: Option<u32>,
    /// Experts that one token is sent to: `*.expert_used_count`, at most as many as there are.
    pub experts_used: Option<u32>,
    /// Tokens in the vocabulary.
    pub vocabulary: Option<u64>,
    /// `gpt2`, `llama`, `t5`, ...
    pub tokenizer: Option<String>,
    /// Jinja source, as in the file: hostile until sanitised, never run here.
    pub chat_template: Option<String>,
    /// Which part this file is, where the model comes in several files.
    pub split: Option<Split>,
}

/// Which of several files of one model this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// From 0.
    pub index: u32,
    /// How many files the model comes in.
    pub count: u32,
    /// Tensors in all files together.
    pub tensors: Option<u64>,
}

impl Facts {
    /// The mix of tensor types, by the name that files carry: `Q4_K_M` (llama.h `llama_ftype`).
    pub const fn mix(&self) -> Option<&'static str> {
        let Some(number) = self.file_type else { return None };
        Some(match number {
            0 => "F32",
            1 => "F16",
            2 => "Q4_0",
            3 => "Q4_1",
            7 => "Q8_0",
            8 => "Q5_0",
            9 => "Q5_1",
            10 => "Q2_K",
            11 => "Q3_K_S",
            12 => "Q3_K_M",
            13 => "Q3_K_L",
            14 => "Q4_K_S",
            15 => "Q4_K_M",
            16 => "Q5_K_S",
            17 => "Q5_K_M",
            18 => "Q6_K",
            19 => "IQ2_XXS",
            20 => "IQ2_XS",
            21 => "Q2_K_S",
            22 => "IQ3_XS",
            23 => "IQ3_XXS",
            24 => "IQ1_S",
            25 => "IQ4_NL",
            26 => "IQ3_S",
            27 => "IQ3_M",
            28 => "IQ2_S",
            29 => "IQ2_M",
            30 => "IQ4_XS",
            31 => "IQ1_M",
            32 => "BF16",
            36 => "TQ1_0",
            37 => "TQ2_0",
            38 => "MXFP4",
            39 => "NVFP4",
            40 => "Q1_0",
            41 => "Q2_0",
            _ => return None,
        })
    }
}

pub fn read(metadata: &BTreeMap<String, Value>, places: &BTreeMap<String, u64>) -> Result<Facts, GgufError> {
    let general = Lookup { metadata, places, prefix: String::new() };
    let alignment = general.whole("general.alignment")?.unwrap_or(32);
    if !alignment.is_power_of_two() || alignment > 1 << 30 {
        return Err(general.range("general.alignment", alignment, "it must be a power of two"));
    }
    let architecture = general.text("general.architecture")?;
    other_kind(&general, architecture.as_deref())?;
    let own = Lookup { metadata, places, prefix: architecture.clone().unwrap_or_default() };
    let layers = own.small("block_count")?;
    if let Some(n) = layers
        && !(1..=MAX_LAYERS).contains(&n)
    {
        return Err(own.range("block_count", n.into(), "the loader takes 1 to 512 layers"));
    }
    if let (Some(extra), Some(layers)) = (own.small("nextn_predict_layers")?, layers)
        && extra > layers
    {
        return Err(own.range("nextn_predict_layers", extra.into(), "there are not that many layers"));
    }
    let heads = own.per_layer("attention.head_count", layers)?;
    let mut kv_heads = own.per_layer("attention.head_count_kv", layers)?;
    if kv_heads.is_empty() {
        kv_heads.clone_from(&heads);
    }
    let hidden_size = own.whole("embedding_length")?;
    let usual_head = hidden_size.zip(heads.first().filter(|h| **h > 0)).map(|(size, n)| size / u64::from(*n));
    let own_head = |name| -> Result<Option<u64>, GgufError> { Ok(own.whole(name)?.or(usual_head)) };
    let (key_length, value_length) = (own_head("attention.key_length")?, own_head("attention.value_length")?);
    let (experts, experts_used) = experts(&own, layers)?;
    let context_tokens = own.whole("context_length")?;
    // The loader reads head sizes from the file only where the first layer has heads.
    let headless = heads.first() == Some(&0) && architecture.as_deref() != Some("plamo2");
    let attention = layers.map(|blocks| loader::Attention {
        architecture: architecture.as_deref().unwrap_or_default(),
        blocks,
        hidden_size: hidden_size.unwrap_or(0),
        context_tokens: context_tokens.unwrap_or(0),
        heads: &heads,
        kv_heads: &kv_heads,
        key: key_length.filter(|_| !headless).unwrap_or(0),
        value: value_length.filter(|_| !headless).unwrap_or(0),
    });
    let cache = attention.map(|a| loader::cache(&own, &a)).transpose()?.unwrap_or_default();
    let loaded_layers = layers.map(|blocks| loader::loaded_blocks(&own, blocks)).transpose()?;
    Ok(Facts {
        alignment,
        name: general.text("general.name")?,
        file_type: general.small("general.file_type")?,
        layers,
        context_tokens,
        hidden_size,
        cache,
        loaded_layers,
        heads,
        kv_heads,
        key_length,
        value_length,
        experts,
        experts_used,
        vocabulary: vocabulary(&general, &own)?,
        tokenizer: general.text("tokenizer.ggml.model")?,
        chat_template: general.text("tokenizer.chat_template")?,
        split: split(&general)?,
        architecture,
    })
}

/// Refuses GGUF files that go beside a model (adapters, projectors, ...), which the loader of models cannot
/// use.
fn other_kind(general: &Lookup, architecture: Option<&str>) -> Result<(), GgufError> {
    let kind = general.text("general.type")?;
    let (key, what) = match (kind.as_deref(), architecture) {
        (Some("adapter"), _) => ("general.type", "an adapter (LoRA)"),
        (Some("mmproj"), _) => ("general.type", "a projector for pictures or sound (mmproj)"),
        (Some("imatrix"), _) => ("general.type", "an importance matrix"),
        (_, Some("clip")) => ("general.architecture", "a projector for pictures or sound (mmproj)"),
        (_, Some("controlvector")) => ("general.architecture", "a control vector"),
        _ => return Ok(()),
    };
    Err(GgufError::new(general.at(key), Problem::OtherKind(what)))
}

fn experts(own: &Lookup, layers: Option<u32>) -> Result<(Option<u32>, Option<u32>), GgufError> {
    let experts = own.small("expert_count")?.filter(|n| *n > 0);
    let used = own.per_layer("expert_used_count", layers)?.into_iter().max().filter(|n| *n > 0);
    if own.prefix.starts_with("hunyuan") && experts.unwrap_or(0) <= 1 {
        // Dense members of this family carry the keys of the others; the loader ignores them.
        return Ok((None, None));
    }
    if let Some(groups) = own.small("expert_group_count")?
        && groups > 0
        && groups >= experts.unwrap_or(0)
    {
        return Err(own.range("expert_group_count", groups.into(), "there are not that many experts"));
    }
    if let Some(n) = experts
        && n > MAX_EXPERTS
    {
        return Err(own.range("expert_count", n.into(), "the loader takes at most 1024"));
    }
    match (experts, used) {
        (all, Some(used)) if used > all.unwrap_or(0) => {
            Err(own.range("expert_used_count", used.into(), "there are not that many experts"))
        }
        (Some(_), None) => Err(own.range("expert_used_count", 0, "a model with experts uses at least one")),
        pair => Ok(pair),
    }
}

fn vocabulary(general: &Lookup, own: &Lookup) -> Result<Option<u64>, GgufError> {
    const TOKENS: &str = "tokenizer.ggml.tokens";
    let tokens = general.list(TOKENS, &[ListKind::Text])?.map(|l| l.length);
    // The loader reads these in step with the tokens without checking their length.
    for (key, kinds) in [
        ("tokenizer.ggml.scores", &[ListKind::Float][..]),
        ("tokenizer.ggml.token_type", &[ListKind::Whole32][..]),
    ] {
        if let (Some(list), Some(tokens)) = (general.list(key, kinds)?, tokens)
            && list.length != tokens
        {
            return Err(general.length(key, list.length, tokens));
        }
    }
    general.list("tokenizer.ggml.merges", &[ListKind::Text])?;
    Ok(tokens.or(own.whole("vocab_size")?))
}

fn split(general: &Lookup) -> Result<Option<Split>, GgufError> {
    let (index, count) = (general.small("split.no")?, general.small("split.count")?);
    let (Some(index), Some(count)) = (index, count) else { return Ok(None) };
    if count == 0 {
        // A file that was never split may say so.
        return Ok(None);
    }
    if index >= count {
        return Err(general.range("split.no", index.into(), "there are not that many parts"));
    }
    Ok(Some(Split { index, count, tensors: general.whole("split.tensors.count")? }))
}

#[cfg(test)]
mod tests {
    use super::super::sample::valid;
    use super::super::{Header, read};
    use super::*;

    fn facts(builder: &super::super::sample::Builder) -> Facts {
        let bytes = builder.bytes();
        let header: Header = read(bytes.as_slice(), bytes.len() as u64).expect("valid");
        header.facts
    }

    fn slides(facts: &Facts) -> Vec<bool> {
        facts.cache.layers.iter().map(|l| l.slides).collect()
    }

    #[test]
    fn sliding_layers_come_from_a_list_a_period_or_the_architecture() {
        let window = || valid().u32("llama.attention.sliding_window", 512);
        assert_eq!(slides(&facts(&window())), [false, false], "llama slides nowhere by itself");
        let listed = window().bools("llama.attention.sliding_window_pattern", &[true, false]);
        assert_eq!(slides(&facts(&listed)), [true, false]);
        assert_eq!(facts(&listed).cache.window_tokens, 512);
        let period = window().u32("llama.attention.sliding_window_pattern", 2);
        assert_eq!(slides(&facts(&period)), [true, false]);
    }

    #[test]
    fn layers_without_heads_keep_a_state() {
        let hybrid = valid()
            .without("llama.attention.head_count_kv")
            .u32s("llama.attention.head_count_kv", &[0, 2])
            .u32("llama.ssm.state_size", 16)
            .u32("llama.ssm.inner_size", 128)
            .u32("llama.ssm.conv_kernel", 4)
            .u32("llama.ssm.group_count", 1);
        let layers = facts(&hybrid).cache.layers;
        // Convolution: 3 × (128 + 2 × 16); state: 16 × 128.
        assert_eq!((layers[0].state_values, layers[0].values), (480 + 2048, 0));
        // Two heads of 16 keys and 16 values.
        assert_eq!((layers[1].state_values, layers[1].values), (0, 64));
    }

    #[test]
    fn blocks_that_only_predict_are_not_loaded() {
        let facts = facts(&valid().u32("llama.nextn_predict_layers", 1));
        assert_eq!((facts.layers, facts.loaded_layers, facts.cache.layers.len()), (Some(2), Some(1), 1));
    }
}
