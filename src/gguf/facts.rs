//! What the metadata says about the model, checked: the keys the predictor and the loader rely on.
//! A key of the wrong type is an error even where it is optional, because the loader would trust it.

use super::value::{ListKind, Value};
use super::{GgufError, MAX_EXPERTS, MAX_LAYERS, Problem};
use std::collections::BTreeMap;

/// The model, as far as its metadata says.
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
    /// Values of one hidden state: `*.embedding_length`.
    pub hidden_size: Option<u64>,
    /// Per layer; empty where unknown.
    pub heads: Vec<u32>,
    /// Per layer; 0 for a layer without attention.
    pub kv_heads: Vec<u32>,
    /// Size of one key, per head.
    pub key_length: Option<u64>,
    /// Size of one value, per head.
    pub value_length: Option<u64>,
    /// The same in layers with a sliding window, where it differs.
    pub key_length_sliding: Option<u64>,
    /// The same of values.
    pub value_length_sliding: Option<u64>,
    /// Tokens a sliding layer keeps.
    pub sliding_window: Option<u64>,
    /// Per layer: does it slide? Empty where no layer does.
    pub sliding_layers: Vec<bool>,
    /// Trailing layers that use the cache of an earlier layer.
    pub shared_kv_layers: u32,
    /// Its sizes, where keys and values are kept compressed.
    pub latent: Option<Latent>,
    /// Its recurrent layers, where it has any.
    pub recurrent: Option<Recurrent>,
    /// Experts of a layer: `*.expert_count`, at most [`MAX_EXPERTS`]. `None`: it is dense.
    pub experts: Option<u32>,
    /// Experts that one token is sent to: `*.expert_used_count`, at most as many as there are.
    pub experts_used: Option<u32>,
    /// Tokens of its vocabulary.
    pub vocabulary: Option<u64>,
    /// `gpt2`, `llama`, `t5`, ...
    pub tokenizer: Option<String>,
    /// Jinja source, as in the file: hostile until sanitised, never run here.
    pub chat_template: Option<String>,
    /// Which part of it this file is, where it comes in several.
    pub split: Option<Split>,
}

/// Multi-head latent attention: one compressed vector per token and layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latent {
    /// Values of the compressed vector: `*.attention.kv_lora_rank`.
    pub kv_lora_rank: u64,
    /// Values of the part of a key that carries the position, kept beside it.
    pub rope_head_size: u64,
}

/// Layers with a state of fixed size instead of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrent {
    /// Per layer: is it recurrent?
    pub layers: Vec<bool>,
    /// Values kept per recurrent layer and sequence, 32 bits each.
    pub state_values: u64,
}

/// One of several files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// From 0.
    pub index: u32,
    /// How many files it comes in.
    pub count: u32,
    /// Tensors in all files together.
    pub tensors: Option<u64>,
}

impl Facts {
    /// The mix of tensor types by the name its files carry: `Q4_K_M` (llama.h `llama_ftype`).
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

/// Layers that keep the whole context when the file gives a window but no pattern: every n-th, as
/// the loader assumes for the architecture.
fn usual_period(architecture: &str) -> Option<u64> {
    Some(match architecture {
        "gemma2" | "gpt-oss" => 2,
        "gemma3n" => 5,
        "gemma3" | "gemma-embedding" => 6,
        "plamo3" => 8,
        "afmoe" | "cohere2" | "exaone4" | "exaone-moe" | "llama4" | "olmo2" | "smallthinker" => 4,
        _ => return None,
    })
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
    let key_length = own.whole("attention.key_length")?.or(usual_head);
    let (experts, experts_used) = experts(&own, layers)?;
    let sliding_window = own.whole("attention.sliding_window")?.filter(|w| *w > 0);
    let sliding_layers = match sliding_window {
        Some(_) => own.sliding_layers(layers, architecture.as_deref())?,
        None => Vec::new(),
    };
    let latent = match (own.whole("attention.kv_lora_rank")?, own.whole("attention.key_length_mla")?) {
        // Files without the second key keep full keys and values, whatever the first says.
        (Some(kv_lora_rank), Some(_)) if kv_lora_rank > 0 => {
            Some(Latent { kv_lora_rank, rope_head_size: own.whole("rope.dimension_count")?.unwrap_or(64) })
        }
        _ => None,
    };
    Ok(Facts {
        alignment,
        name: general.text("general.name")?,
        file_type: general.small("general.file_type")?,
        layers,
        context_tokens: own.whole("context_length")?,
        hidden_size,
        recurrent: own.recurrent(layers, &kv_heads)?,
        heads,
        kv_heads,
        key_length,
        value_length: own.whole("attention.value_length")?.or(usual_head),
        key_length_sliding: own.whole("attention.key_length_swa")?,
        value_length_sliding: own.whole("attention.value_length_swa")?,
        sliding_window,
        sliding_layers,
        shared_kv_layers: own.small("attention.shared_kv_layers")?.unwrap_or(0),
        latent,
        experts,
        experts_used,
        vocabulary: vocabulary(&general, &own)?,
        tokenizer: general.text("tokenizer.ggml.model")?,
        chat_template: general.text("tokenizer.chat_template")?,
        split: split(&general)?,
        architecture,
    })
}

/// GGUF files that go beside a model: the loader of models has nothing to do in them.
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
    // The loader walks these beside the tokens without asking how long they are.
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

/// Typed access under a prefix; errors name the key and where it stands.
struct Lookup<'a> {
    metadata: &'a BTreeMap<String, Value>,
    places: &'a BTreeMap<String, u64>,
    prefix: String,
}

impl Lookup<'_> {
    fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }
    fn at(&self, key: &str) -> u64 {
        self.places.get(key).copied().unwrap_or(0)
    }
    fn wrong(&self, name: &str, expected: &'static str) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::WrongType { key, expected })
    }
    fn range(&self, name: &str, value: u64, allowed: &'static str) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::OutOfRange { key, value, allowed })
    }
    fn length(&self, name: &str, length: u64, expected: u64) -> GgufError {
        let key = self.key(name);
        GgufError::new(self.at(&key), Problem::ListLength { key, length, expected })
    }
    fn get(&self, name: &str) -> Option<&Value> {
        self.metadata.get(&self.key(name))
    }

    fn text(&self, name: &str) -> Result<Option<String>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }
    fn whole(&self, name: &str) -> Result<Option<u64>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Unsigned(n)) => Ok(Some(*n)),
            Some(Value::Signed(n)) if *n >= 0 => Ok(Some(n.unsigned_abs())),
            Some(_) => Err(self.wrong(name, "a whole number, not negative")),
        }
    }
    fn small(&self, name: &str) -> Result<Option<u32>, GgufError> {
        let Some(n) = self.whole(name)? else { return Ok(None) };
        u32::try_from(n).map(Some).map_err(|_| self.range(name, n, "it must fit in 32 bits"))
    }
    fn list(&self, name: &str, kinds: &[ListKind]) -> Result<Option<&super::List>, GgufError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::List(list)) if kinds.contains(&list.kind) => Ok(Some(list)),
            Some(_) => Err(self.wrong(
                name,
                match kinds {
                    [ListKind::Text] => "a list of texts",
                    [ListKind::Float] => "a list of fractions",
                    _ => "a list of whole numbers",
                },
            )),
        }
    }

    /// One number for all layers, or a list with one for each.
    fn per_layer(&self, name: &str, layers: Option<u32>) -> Result<Vec<u32>, GgufError> {
        let Some(layers) = layers else { return Ok(Vec::new()) };
        let Some(Value::List(_)) = self.get(name) else {
            return Ok(self.small(name)?.map_or_else(Vec::new, |n| vec![n; layers as usize]));
        };
        let list = self.list(name, &[ListKind::Whole32])?.map_or(&[][..], |l| &l.numbers);
        if list.len() as u64 != u64::from(layers) {
            return Err(self.length(name, list.len() as u64, layers.into()));
        }
        list.iter()
            .map(|n| u32::try_from(*n).map_err(|_| self.wrong(name, "a list of numbers, not negative")))
            .collect()
    }

    /// Which layers slide: a list, a period, or what the architecture usually does.
    fn sliding_layers(
        &self,
        layers: Option<u32>,
        architecture: Option<&str>,
    ) -> Result<Vec<bool>, GgufError> {
        const PATTERN: &str = "attention.sliding_window_pattern";
        let Some(layers) = layers else { return Ok(Vec::new()) };
        if let Some(Value::List(_)) = self.get(PATTERN) {
            let kinds = [ListKind::Bool, ListKind::Whole32];
            let list = self.list(PATTERN, &kinds)?.map_or(&[][..], |l| &l.numbers);
            if list.len() < layers as usize {
                return Err(self.length(PATTERN, list.len() as u64, layers.into()));
            }
            return Ok(list.iter().take(layers as usize).map(|n| *n != 0).collect());
        }
        let period = match self.whole(PATTERN)? {
            Some(period) => Some(period),
            None => architecture.and_then(usual_period),
        };
        // The last of each group keeps everything; a period of 1 means none slides.
        Ok(period
            .filter(|p| *p > 1)
            .map_or_else(Vec::new, |p| (0..u64::from(layers)).map(|layer| layer % p < p - 1).collect()))
    }

    /// Mamba and linear-attention layers: those without key-value heads, or all but every n-th.
    fn recurrent(&self, layers: Option<u32>, kv_heads: &[u32]) -> Result<Option<Recurrent>, GgufError> {
        let state = self.whole("ssm.state_size")?.unwrap_or(0);
        let inner = self.whole("ssm.inner_size")?.unwrap_or(0);
        let convolution = self.whole("ssm.conv_kernel")?.unwrap_or(0);
        let groups = self.whole("ssm.group_count")?.unwrap_or(0);
        let interval = self.whole("full_attention_interval")?;
        let Some(layers) = layers else { return Ok(None) };
        if state == 0 || inner == 0 {
            return Ok(None);
        }
        let recurrent: Vec<bool> = match interval {
            Some(n) if n > 0 => (1..=u64::from(layers)).map(|layer| layer % n != 0).collect(),
            _ if kv_heads.is_empty() => vec![true; layers as usize],
            _ => kv_heads.iter().map(|n| *n == 0).collect(),
        };
        if !recurrent.contains(&true) {
            return Ok(None);
        }
        let rows = groups.saturating_mul(state).saturating_mul(2).saturating_add(inner);
        let state_values =
            convolution.saturating_sub(1).saturating_mul(rows).saturating_add(state.saturating_mul(inner));
        Ok(Some(Recurrent { layers: recurrent, state_values }))
    }
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

    #[test]
    fn sliding_layers_come_from_a_list_a_period_or_the_architecture() {
        let window = || valid().u32("llama.attention.sliding_window", 512);
        assert!(facts(&window()).sliding_layers.is_empty(), "llama slides nowhere by itself");
        let listed = window().bools("llama.attention.sliding_window_pattern", &[true, false]);
        assert_eq!(facts(&listed).sliding_layers, [true, false]);
        let period = window().u32("llama.attention.sliding_window_pattern", 2);
        assert_eq!(facts(&period).sliding_layers, [true, false]);
        assert_eq!(usual_period("gemma3"), Some(6));
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
        let recurrent = facts(&hybrid).recurrent.expect("hybrid");
        assert_eq!(recurrent.layers, [true, false]);
        // Convolution: 3 × (128 + 2 × 16); state: 16 × 128.
        assert_eq!(recurrent.state_values, 480 + 2048);
    }
}
