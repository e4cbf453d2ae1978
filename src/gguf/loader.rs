//! How llama.cpp's loader understands a header: what each layer keeps in memory of a sequence, and which
//! layers it loads at all. Files leave much of it out, and the loader fills in what is usual for the
//! architecture; [`RULES`] is that knowledge, one row for each family that departs from plain attention in
//! every layer (llama.cpp's `src/models/*.cpp`, `llama-hparams.cpp` and `llama_model::create_memory`, as
//! vendored).

use super::error::GgufError;
use super::limits::MAX_LAYERS;
use super::lookup::Lookup;
use super::value::Value;

/// What the engine keeps in memory of a sequence: its KV cache and its recurrent states.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cache {
    /// Per layer that is loaded; empty where the file does not say how many there are.
    pub layers: Vec<Kept>,
    /// Tokens that a sliding layer attends to; 0 where no layer slides.
    pub window_tokens: u64,
}

/// What one layer keeps in memory of a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Kept {
    /// Values per token: keys and values, or the compressed vector that stands for both, and the keys
    /// that choose which tokens are attended to.
    pub values: u64,
    /// It keeps only a sliding window instead of the whole context.
    pub slides: bool,
    /// Beside its window it keeps the whole context pooled: tokens in one pooled cell, and values of such a
    /// cell.
    pub pooled: Option<(u64, u64)>,
    /// Values, of 32 bits, of a recurrent state, whose size does not grow with the context.
    pub state_values: u64,
    /// Values of one token's queries.
    pub query_values: u64,
    /// Keys and values are one compressed vector that all heads share (multi-head latent attention).
    pub latent: bool,
    /// Heads that keys and values are kept for.
    pub kv_heads: u32,
}

/// Which layers have a sliding window.
#[derive(Debug, Clone, Copy)]
enum Window {
    /// No layer, whatever the file says.
    Never,
    /// If the file has a window: the layers of its list, or all but every n-th where it gives a number.
    AsFiled,
    /// All but every n-th, unless the file has a list or another number.
    Every(Period),
    /// Layers with attention.
    Attending,
    /// All layers.
    All,
}

/// All but every n-th layer have a sliding window.
#[derive(Debug, Clone, Copy)]
struct Period {
    /// The n: one layer in so many has no window.
    layers: u64,
    /// The layer without a window is the first of each group of n; otherwise the last.
    whole_first: bool,
    /// Window in tokens where the file does not say. `None`: then no layer slides.
    usual: Option<u64>,
    /// Window in tokens whatever the file says, unless it says 0.
    fixed: Option<u64>,
}

const fn every(layers: u64) -> Period {
    Period { layers, whole_first: false, usual: None, fixed: None }
}

/// Which layers keep a recurrent state instead of a KV cache.
#[derive(Debug, Clone, Copy)]
enum States {
    /// Layers without key-value heads, if the file gives the sizes of a state; else none.
    AsFiled,
    /// Every layer, and none has a cache.
    All,
    /// Every layer, beside its cache.
    Beside,
    /// Layers without key-value heads.
    Headless,
    /// Layers without key-value heads and without a feed-forward block; those without heads but with one
    /// keep nothing.
    HeadlessAlone,
    /// The layers of the file's list; else all but every n-th, with the n of the file or else this one.
    Every(u64),
}

/// Which layers keep an indexer's keys: further keys that choose which tokens are attended to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Index {
    No,
    /// Every layer, with so many rows of the indexer's key for each token.
    Full(u64),
    /// The layers that the file names (without a list: all of them, or as GLM 5.2 has it), with so many
    /// rows.
    Named(u64),
    /// All layers but the leading dense ones, with a value beside each key.
    Sparse,
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    window: Window,
    states: States,
    index: Index,
    /// Keys and values are kept as one vector where the file has the sizes of the two.
    latent: bool,
    /// It is an encoder or a diffusion model: nothing is kept between passes.
    keeps_nothing: bool,
    /// Only so many layers from the start have a cache of their own; later ones use theirs.
    own_layers: Option<u32>,
    /// The number of groups of the state's second half is read from the file.
    groups: bool,
}

const PLAIN: Rules = Rules {
    window: Window::AsFiled,
    states: States::AsFiled,
    index: Index::No,
    latent: true,
    keeps_nothing: false,
    own_layers: None,
    groups: true,
};
const ENCODER: Rules = Rules { keeps_nothing: true, ..PLAIN };
const fn sliding(period: Period) -> Rules {
    Rules { window: Window::Every(period), ..PLAIN }
}
const fn states(states: States) -> Rules {
    Rules { states, ..PLAIN }
}

/// The rules by architecture, as `general.architecture` names it. One that is not listed is [`PLAIN`].
const RULES: &[(&[&str], Rules)] = &[
    (
        &[
            "bert",
            "modern-bert",
            "nomic-bert",
            "nomic-bert-moe",
            "neo-bert",
            "jina-bert-v2",
            "jina-bert-v3",
            "eurobert",
            "gemma-embedding",
            "wavtokenizer-dec",
            "clef",
            // Diffusion.
            "dream",
            "llada",
            "llada-moe",
            "rnd1",
        ],
        ENCODER,
    ),
    (&["gemma2"], sliding(Period { usual: Some(4096), ..every(2) })),
    (&["gemma3"], sliding(every(6))),
    (&["gemma3n"], Rules { own_layers: Some(20), ..sliding(every(5)) }),
    (&["gpt-oss"], sliding(every(2))),
    (&["plamo3"], sliding(every(8))),
    (&["afmoe", "cohere2", "mellum", "muse-glimmer", "olmo2"], sliding(every(4))),
    (&["cohere2moe", "laguna"], sliding(Period { whole_first: true, ..every(4) })),
    (&["exaone-moe"], sliding(Period { usual: Some(128), ..every(4) })),
    (&["exaone4"], sliding(Period { usual: Some(4096), ..every(4) })),
    (&["smallthinker"], sliding(Period { whole_first: true, fixed: Some(4096), ..every(4) })),
    (&["llama4"], sliding(Period { usual: Some(8192), fixed: Some(8192), ..every(4) })),
    (&["phi3", "phimoe"], Rules { window: Window::Never, ..PLAIN }),
    (&["lfm2"], Rules { window: Window::Attending, ..states(States::Headless) }),
    (
        &["lfm2moe", "kimi-linear", "kimi-k3", "bailingmoe3", "plamo2", "granitehybrid"],
        states(States::Headless),
    ),
    (&["jamba"], Rules { groups: false, ..states(States::Headless) }),
    (&["mamba"], Rules { groups: false, ..states(States::All) }),
    (&["mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"], states(States::All)),
    (&["falcon-h1"], states(States::Beside)),
    (&["nemotron_h", "nemotron_h_moe"], states(States::HeadlessAlone)),
    (&["qwen3next", "qwen35", "qwen35moe"], states(States::Every(4))),
    (&["qwen4exp"], Rules { index: Index::Full(2), ..states(States::Every(4)) }),
    (&["minimax-01"], states(States::Every(8))),
    (&["glm5-next"], Rules { index: Index::Full(3), ..states(States::Headless) }),
    (&["deepseek32"], Rules { index: Index::Full(1), ..PLAIN }),
    (&["glm-dsa", "hy_v4", "dots3note"], Rules { index: Index::Named(1), ..PLAIN }),
    (&["minimax-m3"], Rules { index: Index::Sparse, ..PLAIN }),
    (&["deepseek4"], Rules { window: Window::All, ..PLAIN }),
];

fn rules(architecture: &str) -> Rules {
    RULES.iter().find(|(names, _)| names.contains(&architecture)).map_or(PLAIN, |(_, rules)| *rules)
}

/// The attention sizes that [`super::facts`] has read from the file.
pub(super) struct Attention<'a> {
    pub architecture: &'a str,
    /// Blocks of the file, those that only predict further tokens included.
    pub blocks: u32,
    pub hidden_size: u64,
    pub context_tokens: u64,
    pub heads: &'a [u32],
    pub kv_heads: &'a [u32],
    /// Values of a key and of a value, per head.
    pub key: u64,
    pub value: u64,
}

/// Blocks that are loaded: those at the end that predict further tokens are left aside.
pub(super) fn loaded_blocks(own: &Lookup, blocks: u32) -> Result<u32, GgufError> {
    let predicting = own.small("nextn_predict_layers")?.unwrap_or(0);
    // A file of nothing else is a draft model of its own.
    Ok(if predicting < blocks { blocks - predicting } else { blocks })
}

/// What the engine keeps of a sequence, layer by layer.
pub(super) fn cache(own: &Lookup, file: &Attention) -> Result<Cache, GgufError> {
    let rules = rules(file.architecture);
    let blocks = loaded_blocks(own, file.blocks)?;
    if rules.keeps_nothing {
        return Ok(Cache { layers: vec![Kept::default(); blocks as usize], window_tokens: 0 });
    }
    let state = state_values(own, file, rules.groups)?;
    let feed = own.per_layer("feed_forward_length", Some(file.blocks)).unwrap_or_default();
    let stateful = stateful(own, file, &rules, state, &feed, blocks)?;
    let (window_tokens, slides) = sliding_layers(own, file, &rules, &stateful, blocks)?;
    let latent = rules.latent
        && own.whole("attention.key_length_mla")?.unwrap_or(0) > 0
        && own.whole("attention.value_length_mla")?.unwrap_or(0) > 0;
    let key_sliding = own.whole("attention.key_length_swa")?.unwrap_or(file.key);
    let value_sliding = own.whole("attention.value_length_swa")?.unwrap_or(file.value);
    let own_layers = match rules.own_layers {
        Some(layers) => layers,
        None => file.blocks.saturating_sub(own.small("attention.shared_kv_layers")?.unwrap_or(0)),
    };
    let index = indexed(own, file, &rules, blocks)?;
    let index_key = own.whole("attention.indexer.key_length")?.unwrap_or(0);
    let compressed = if matches!(rules.window, Window::All) { compress_ratios(own)? } else { None };
    let mut layers = Vec::with_capacity(blocks as usize);
    for layer in 0..blocks as usize {
        let kv_heads = file.kv_heads.get(layer).copied().unwrap_or(0);
        let heads = u64::from(file.heads.get(layer).copied().unwrap_or(0));
        let (stateful, slides) = (stateful[layer], slides[layer]);
        let (key, value) = if slides { (key_sliding, value_sliding) } else { (file.key, file.value) };
        let feeds_only =
            matches!(rules.states, States::HeadlessAlone) && feed.get(layer).is_some_and(|n| *n > 0);
        let attends = (!stateful || matches!(rules.states, States::Beside))
            && !matches!(rules.states, States::All)
            && !feeds_only
            && layer < own_layers as usize;
        let mut kept = Kept { slides, state_values: if stateful { state } else { 0 }, ..Kept::default() };
        if attends {
            let per_head = if latent || compressed.is_some() { key } else { key.saturating_add(value) };
            kept.values = u64::from(kv_heads).saturating_mul(per_head);
            kept.kv_heads = if latent { 1 } else { kv_heads };
            kept.latent = latent;
            kept.query_values = heads.saturating_mul(key);
            if let Some(rows) = index.get(layer).filter(|rows| **rows > 0) {
                let beside =
                    if latent || *rows > 1 || !matches!(rules.index, Index::Sparse) { 0 } else { file.value };
                kept.values =
                    kept.values.saturating_add(rows.saturating_mul(index_key).saturating_add(beside));
            }
        }
        if let Some(ratio) = compressed.as_ref().and_then(|ratios| ratios.get(layer)).filter(|r| **r > 0) {
            pool(&mut kept, *ratio, u64::from(kv_heads).saturating_mul(file.key), file.key, index_key);
        }
        layers.push(kept);
    }
    // Some models pass the same blocks several times, with a cache for each pass.
    let loops =
        if file.architecture == "nanbeige" { own.small("num_loops")?.unwrap_or(1).clamp(1, 512) } else { 1 };
    let passes = layers.len() * loops as usize;
    let layers = layers.iter().copied().cycle().take(passes.min(MAX_LAYERS as usize)).collect();
    Ok(Cache { layers, window_tokens })
}

/// Adds what a layer keeps beside its window where every `ratio` tokens leave one more key: those keys, of
/// the whole context; in layers that choose among them an indexer's key with each; and the state that pools
/// them.
fn pool(kept: &mut Kept, ratio: u64, keys: u64, key: u64, index_key: u64) {
    let chooses = ratio <= 4;
    let pooled = if chooses { keys.saturating_add(index_key) } else { keys };
    kept.pooled = Some((ratio, pooled));
    let (rows, width) =
        if chooses { (2 * ratio, key.saturating_add(index_key).saturating_mul(2)) } else { (ratio, key) };
    kept.state_values = rows.saturating_mul(width).saturating_mul(2);
}

/// Values of the recurrent state of one layer and one sequence.
fn state_values(own: &Lookup, file: &Attention, groups: bool) -> Result<u64, GgufError> {
    let convolution = own.whole("ssm.conv_kernel")?.unwrap_or(0);
    let heads = u64::from(file.heads.first().copied().unwrap_or(0));
    if let Some(size) = own.whole("wkv.head_size")?.filter(|n| *n > 0) {
        let shifts = own.whole("token_shift_count")?.unwrap_or(2);
        return Ok(file.hidden_size.saturating_mul(shifts.saturating_add(size)));
    }
    if let Some(length) = own.whole("shortconv.l_cache")?.filter(|n| *n > 0) {
        return Ok(file.hidden_size.saturating_mul(length - 1));
    }
    if let Some(size) = own.whole("kda.head_dim")?.filter(|n| *n > 0) {
        let inner = heads.saturating_mul(size);
        let taps = if convolution > 0 { convolution - 1 } else { 3 };
        return Ok(inner.saturating_mul(taps.saturating_mul(3).saturating_add(size)));
    }
    if file.architecture == "minimax-01" {
        return Ok(file.key.saturating_mul(file.key).saturating_mul(heads));
    }
    let state = own.whole("ssm.state_size")?.unwrap_or(0);
    let inner = own.whole("ssm.inner_size")?.unwrap_or(0);
    let groups = if groups { own.whole("ssm.group_count")?.unwrap_or(0) } else { 0 };
    let rows = groups.saturating_mul(state).saturating_mul(2).saturating_add(inner);
    Ok(convolution.saturating_sub(1).saturating_mul(rows).saturating_add(state.saturating_mul(inner)))
}

/// For each loaded layer: does it keep a recurrent state?
fn stateful(
    own: &Lookup,
    file: &Attention,
    rules: &Rules,
    state: u64,
    feed: &[u32],
    blocks: u32,
) -> Result<Vec<bool>, GgufError> {
    let headless = |layer: u32| file.kv_heads.get(layer as usize).is_none_or(|n| *n == 0);
    let interval = own.whole("full_attention_interval")?.filter(|n| *n > 0);
    let listed = own.flags("attention.recurrent_layers", file.blocks)?;
    let of = |layer: u32| match rules.states {
        States::All | States::Beside => true,
        States::Headless => headless(layer),
        States::HeadlessAlone => headless(layer) && feed.get(layer as usize).is_none_or(|n| *n == 0),
        States::Every(usual) => match &listed {
            Some(list) => list.get(layer as usize).copied().unwrap_or(false),
            None => !(u64::from(layer) + 1).is_multiple_of(interval.unwrap_or(usual)),
        },
        // An unknown family is taken for one of the known ones that have these sizes.
        States::AsFiled if state == 0 => false,
        States::AsFiled => match (&listed, interval) {
            (Some(list), _) => list.get(layer as usize).copied().unwrap_or(false),
            (None, Some(n)) => !(u64::from(layer) + 1).is_multiple_of(n),
            (None, None) => headless(layer),
        },
    };
    Ok((0..blocks).map(of).collect())
}

/// The window in tokens, and for each loaded layer: does it keep only the window?
fn sliding_layers(
    own: &Lookup,
    file: &Attention,
    rules: &Rules,
    stateful: &[bool],
    blocks: u32,
) -> Result<(u64, Vec<bool>), GgufError> {
    const PATTERN: &str = "attention.sliding_window_pattern";
    let none = (0, vec![false; blocks as usize]);
    let filed = own.whole("attention.sliding_window")?;
    let (window, usual) = match rules.window {
        Window::Never => return Ok(none),
        Window::Every(period) => {
            let window = match (filed, period.fixed) {
                (Some(0), _) => None,
                (Some(_), Some(fixed)) => Some(fixed),
                (filed, _) => filed.or(period.usual),
            };
            // Only the 32B model of this family slides.
            let window = window.filter(|_| file.architecture != "exaone4" || blocks == 64);
            (window, Some(period))
        }
        Window::AsFiled | Window::Attending | Window::All => (filed.filter(|n| *n > 0), None),
    };
    let Some(window) = window else { return Ok(none) };
    let slides: Vec<bool> = match rules.window {
        Window::All => vec![true; blocks as usize],
        Window::Attending => stateful.iter().map(|s| !s).collect(),
        _ => {
            if let Some(list) = own.flags(PATTERN, file.blocks)? {
                list.into_iter().take(blocks as usize).collect()
            } else {
                let number = match own.get(PATTERN) {
                    Some(Value::List(_)) | None => None,
                    Some(_) => own.whole(PATTERN)?,
                };
                let layers = number.or(usual.map(|p| p.layers)).unwrap_or(1);
                let whole_first = usual.is_some_and(|p| p.whole_first);
                let of = |layer: u64| match (layers, whole_first) {
                    (0, _) => true,
                    (n, true) => !layer.is_multiple_of(n),
                    (n, false) => layer % n < n - 1,
                };
                (0..u64::from(blocks)).map(of).collect()
            }
        }
    };
    if slides.contains(&true) { Ok((window, slides)) } else { Ok(none) }
}

/// For each loaded layer: rows of the indexer's key for each token.
fn indexed(own: &Lookup, file: &Attention, rules: &Rules, blocks: u32) -> Result<Vec<u64>, GgufError> {
    let all = |rows: u64| vec![rows; blocks as usize];
    if own.whole("attention.indexer.key_length")?.unwrap_or(0) == 0 {
        return Ok(Vec::new());
    }
    Ok(match rules.index {
        Index::No => Vec::new(),
        Index::Full(rows) => all(rows),
        // Without this number the checkpoint attends to everything.
        Index::Named(_) if own.whole("attention.indexer.top_k")?.unwrap_or(0) == 0 => Vec::new(),
        Index::Named(rows) => match own.flags("attention.indexer.types", blocks)? {
            Some(list) => list.into_iter().map(|full| if full { rows } else { 0 }).collect(),
            None if file.architecture == "glm-dsa" && file.context_tokens < 1_048_576 => all(rows),
            // GLM 5.2: the first two, then every fourth.
            None if file.architecture == "glm-dsa" => (0..u64::from(blocks))
                .map(|layer| if layer < 2 || (layer - 2).is_multiple_of(4) { rows } else { 0 })
                .collect(),
            None => all(0),
        },
        Index::Sparse => {
            let dense = own.whole("leading_dense_block_count")?.unwrap_or(0);
            (0..u64::from(blocks)).map(|layer| u64::from(layer >= dense)).collect()
        }
    })
}

/// For each layer: how many tokens are pooled into one, 0 where none are. Only DeepSeek V4 has it.
fn compress_ratios(own: &Lookup) -> Result<Option<Vec<u64>>, GgufError> {
    own.numbers("attention.compress_ratios")
}
