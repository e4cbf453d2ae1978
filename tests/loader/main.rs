//! What the engine keeps of a sequence, for each architecture it loads, against what is predicted from
//! the header alone. The models are made here: real cache shapes, nearly no weights, all of them zero.
//!
//! Which tensors an architecture wants, its loader says itself: it names the first that is missing and
//! the shape it expected. `FREEHOLD_BLESS=1` asks it, one tensor at a time, and writes what it said to
//! `tests/fixtures/architectures.json` and the table of `docs/memory.md`; the test then loads each model
//! once.

// Tests say on the terminal why they skip.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cloned_ref_to_slice_refs,
    clippy::match_same_arms
)]

#[path = "../it/needs.rs"]
#[allow(dead_code)]
mod needs;

use freehold::capacity::memory::{Load, cache_bytes};
use freehold::capacity::quantisation::Engine;
use freehold::capacity::shape::ModelShape;
use freehold::measure::backend::local::{Limits, LocalBackend, LocalConfig, WorkerCommand};
use freehold::measure::backend::protocol::LoadRequest;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/architectures.json");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/memory.md");
/// A program with the engine, where the one under test has none.
const WORKER: &str = "FREEHOLD_TEST_WORKER";
const VOCABULARY: usize = 512;
const CONTEXT: u32 = 8192;

/// A model to be made: its architecture, how it differs from [`usual`], and what the row is called.
struct Wanted {
    name: String,
    architecture: &'static str,
    keys: Vec<(&'static str, Value)>,
}

/// Architectures without anything of their own in the cache, dense and mixtures.
const DENSE: &str = "llama falcon gpt2 gptneox mpt baichuan starcoder refact bloom stablelm qwen qwen2 qwen3 phi2 \
    phi3 plamo codeshell orion internlm2 minicpm gemma starcoder2 xverse command-r olmo openelm chatglm glm4 \
    bitnet t5 jais jais2 nemotron exaone granite plm arcee ernie4_5 hunyuan-dense smollm3 seed_oss apertus \
    pangu-embedded mistral3 maincoder talkie deci llama-embed";
const MIXTURES: &str = "grok qwen2moe qwen3moe phimoe dbrx olmoe arctic deepseek deepseek2-ocr glm4moe granitemoe \
    bailingmoe bailingmoe2 dots1 ernie4_5-moe hunyuan-moe hy_v3 grovemoe minimax-m2";
const ENCODERS: &str = "bert nomic-bert neo-bert eurobert modern-bert gemma-embedding dream llada ";

fn wanted() -> Vec<Wanted> {
    let mut all = Vec::new();
    let mut add = |architecture: &'static str, about: &str, keys: &[(&'static str, Value)]| {
        let name =
            if about.is_empty() { architecture.to_owned() } else { format!("{architecture}, {about}") };
        all.push(Wanted { name, architecture, keys: keys.to_vec() });
    };
    let experts = || {
        let gating = ("expert_gating_func", json!(2));
        vec![
            ("expert_count", json!(4)),
            ("expert_used_count", json!(2)),
            ("expert_feed_forward_length", json!(64)),
            gating,
        ]
    };
    for name in DENSE.split_whitespace().chain(ENCODERS.split_whitespace()) {
        add(name, "", &[]);
    }
    for name in MIXTURES.split_whitespace() {
        add(name, "", &experts());
    }
    let window = ("attention.sliding_window", json!(1024));
    let listed = |n: usize| json!((0..n).map(|layer| layer % 3 != 2).collect::<Vec<bool>>());
    let with = |more: &[(&'static str, Value)]| more.to_vec();
    let mixed = |more: &[(&'static str, Value)]| [experts(), more.to_vec()].concat();
    // Windows: as filed, as usual for the architecture where the file is silent, by a list, by a number.
    add("gemma2", "no window in the file", &[]);
    add("gemma2", "a window in the file", &with(&[window.clone()]));
    add("gemma3", "", &with(&[window.clone()]));
    add("gemma3", "no window in the file", &[]);
    add(
        "gemma3",
        "a period in the file",
        &with(&[window.clone(), ("attention.sliding_window_pattern", json!(3))]),
    );
    add("gemma3n", "", &with(&[window.clone(), ("block_count", json!(24))]));
    let wide = [
        ("attention.key_length_swa", json!(32)),
        ("attention.value_length_swa", json!(32)),
        ("rope.dimension_count_swa", json!(32)),
    ];
    let gemma4 = [&[window.clone(), ("attention.sliding_window_pattern", listed(12))][..], &wide].concat();
    add("gemma4", "", &gemma4);
    add("gemma4", "shared layers", &[&gemma4[..], &[("attention.shared_kv_layers", json!(3))]].concat());
    add("gpt-oss", "", &mixed(&[window.clone()]));
    add("llama4", "no window in the file", &mixed(&[]));
    add("llama4", "a window of 0", &mixed(&[("attention.sliding_window", json!(0))]));
    add("cohere2", "", &with(&[window.clone()]));
    add("cohere2moe", "", &mixed(&[window.clone()]));
    add("olmo2", "", &with(&[window.clone()]));
    add("olmo2", "no window in the file", &[]);
    add("plamo3", "", &with(&[window.clone()]));
    add("exaone4", "", &with(&[window.clone()]));
    add("exaone-moe", "", &mixed(&[window.clone()]));
    add("smallthinker", "", &mixed(&[window.clone()]));
    add("afmoe", "", &mixed(&[window.clone()]));
    add("laguna", "", &mixed(&[window.clone()]));
    add("mellum", "", &mixed(&[window.clone()]));
    add("muse-glimmer", "", &mixed(&[window.clone()]));
    for name in ["mimo2", "step35", "maple"] {
        add(name, "", &mixed(&[window.clone(), ("attention.sliding_window_pattern", listed(12))]));
    }
    for name in ["granite_swa", "spark2_5"] {
        add(name, "", &with(&[window.clone(), ("attention.sliding_window_pattern", listed(12))]));
    }
    add("phi3", "a window that is not used", &with(&[window.clone()]));
    add("qwen2", "a window that is not used", &with(&[window.clone()]));
    // States.
    let kv = |heads: [u32; 12]| ("attention.head_count_kv", json!(heads));
    let some = kv([0, 0, 2, 0, 0, 2, 0, 0, 2, 0, 0, 2]);
    let delta = [
        ("ssm.conv_kernel", json!(4)),
        ("ssm.state_size", json!(128)),
        ("ssm.group_count", json!(1)),
        ("ssm.time_step_rank", json!(2)),
        ("ssm.inner_size", json!(256)),
    ];
    for name in ["qwen3next", "qwen35moe"] {
        add(name, "", &mixed(&delta));
    }
    add("qwen35", "", &with(&delta));
    add(
        "qwen3next",
        "an interval of 3",
        &mixed(&[&delta[..], &[("full_attention_interval", json!(3))]].concat()),
    );
    let list = json!((0..12).map(|layer| layer % 6 != 0).collect::<Vec<bool>>());
    add(
        "qwen3next",
        "a list of layers",
        &mixed(&[&delta[..], &[("attention.recurrent_layers", list)]].concat()),
    );
    add(
        "qwen3next",
        "one layer that predicts",
        &mixed(&[&delta[..], &[("nextn_predict_layers", json!(1))]].concat()),
    );
    add("glm4moe", "one layer that predicts", &mixed(&[("nextn_predict_layers", json!(1))]));
    add("exaone4", "one layer that predicts", &with(&[("nextn_predict_layers", json!(1))]));
    add("mamba", "", &with(&delta));
    add("mamba2", "", &with(&delta));
    add("jamba", "", &mixed(&[&delta[..], &[some.clone()]].concat()));
    add("falcon-h1", "", &with(&delta));
    add("plamo2", "", &with(&[&delta[..], &[some.clone()]].concat()));
    add("granitehybrid", "", &with(&[&delta[..], &[some.clone()]].concat()));
    let feed = ("feed_forward_length", json!([0, 512, 0, 0, 512, 0, 0, 512, 0, 0, 512, 0]));
    add("nemotron_h", "", &with(&[&delta[..], &[some.clone(), feed]].concat()));
    add("lfm2", "", &with(&[some.clone(), ("shortconv.l_cache", json!(3))]));
    add("lfm2", "a window", &with(&[some.clone(), ("shortconv.l_cache", json!(3)), window.clone()]));
    add("lfm2moe", "", &mixed(&[some.clone(), ("shortconv.l_cache", json!(3))]));
    add("minimax-01", "", &mixed(&[]));
    for name in ["rwkv6", "rwkv7", "rwkv6qwen2", "arwkv7"] {
        let gate = ("attention.gate_lora_rank", json!(32));
        add(name, "", &with(&[("wkv.head_size", json!(64)), gate]));
    }
    // One compressed vector for keys and values, and keys that choose.
    let latent = [
        ("attention.kv_lora_rank", json!(512)),
        ("attention.key_length", json!(576)),
        ("attention.value_length", json!(512)),
        ("attention.key_length_mla", json!(192)),
        ("attention.value_length_mla", json!(128)),
        ("attention.head_count_kv", json!(1)),
        ("rope.dimension_count", json!(64)),
        ("attention.q_lora_rank", json!(64)),
    ];
    add("deepseek2", "one vector", &mixed(&latent));
    let old = [
        ("attention.kv_lora_rank", json!(512)),
        ("attention.key_length", json!(192)),
        ("attention.value_length", json!(128)),
        ("attention.head_count_kv", json!(4)),
        ("rope.dimension_count", json!(64)),
        ("attention.q_lora_rank", json!(64)),
    ];
    add("deepseek2", "keys and values", &mixed(&old));
    let index = [
        ("attention.indexer.head_count", json!(4)),
        ("attention.indexer.key_length", json!(128)),
        ("attention.indexer.top_k", json!(64)),
    ];
    add("deepseek32", "", &mixed(&[&latent[..], &index].concat()));
    add("glm-dsa", "", &mixed(&[&latent[..], &index].concat()));
    add(
        "glm-dsa",
        "a context of a million",
        &mixed(&[&latent[..], &index, &[("context_length", json!(1_048_576))]].concat()),
    );
    // A window, and beside it tokens pooled by four and by 128.
    let pooled = [
        ("attention.head_count_kv", json!(1)),
        ("attention.key_length", json!(128)),
        ("attention.value_length", json!(128)),
        ("attention.sliding_window", json!(128)),
        ("attention.q_lora_rank", json!(64)),
        ("attention.output_group_count", json!(2)),
        ("attention.output_lora_rank", json!(32)),
        ("attention.compress_rope_freq_base", json!(160_000.5)),
        ("attention.compress_ratios", json!([0, 0, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128])),
        ("hyper_connection.count", json!(4)),
        ("hyper_connection.sinkhorn_iterations", json!(3)),
        ("hyper_connection.epsilon", json!(1e-6)),
        ("hash_layer_count", json!(0)),
        ("attention.indexer.head_count", json!(4)),
        ("attention.indexer.key_length", json!(64)),
        ("attention.indexer.top_k", json!(64)),
        ("expert_gating_func", json!(4)),
        ("rope.dimension_count", json!(64)),
    ];
    add("deepseek4", "", &mixed(&pooled));
    let blocks = [
        ("attention.indexer.block_size", json!(64)),
        ("attention.indexer.local_blocks", json!(2)),
        ("leading_dense_block_count", json!(2)),
    ];
    // One key that chooses for each head that is kept.
    let each = [("attention.indexer.head_count", json!(2))];
    add("minimax-m3", "", &mixed(&[&index[..], &blocks, &each].concat()));
    add(
        "minicpm3",
        "",
        &with(&[
            ("attention.q_lora_rank", json!(64)),
            ("attention.kv_lora_rank", json!(64)),
            ("attention.head_count_kv", json!(4)),
            ("rope.dimension_count", json!(32)),
        ]),
    );
    let kda = kv([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]);
    let linear = [
        &latent[..5],
        &[
            ("rope.dimension_count", json!(64)),
            kda,
            ("kda.head_dim", json!(64)),
            ("ssm.conv_kernel", json!(4)),
        ],
    ]
    .concat();
    add("kimi-linear", "", &mixed(&linear));
    add("nanbeige", "passed twice", &with(&[("num_loops", json!(2)), ("block_count", json!(6))]));
    all
}

/// Keys that a loader may want, where nothing else is said.
fn usual(key: &str) -> Option<Value> {
    Some(match key {
        "leading_dense_block_count" => json!(1),
        "expert_shared_count" => json!(1),
        "expert_feed_forward_length"
        | "expert_shared_feed_forward_length"
        | "expert_chunk_feed_forward_length" => json!(64),
        "expert_gating_func" => json!(2),
        "use_parallel_residual" => json!(true),
        "attention.kv_lora_rank" => json!(64),
        "attention.sliding_window" => json!(1024),
        "expert_weights_scale" | "attention.scale" | "embedding_scale" | "residual_scale" | "logit_scale" => {
            json!(1.5)
        }
        "expert_weights_norm" => json!(true),
        "attention.clamp_kqv" | "attention.max_alibi_bias" => json!(8.5),
        "embedding_length_per_layer_input" | "attention.q_lora_rank" | "attention.decay_lora_rank" => {
            json!(64)
        }
        "attention.iclr_lora_rank"
        | "attention.value_residual_mix_lora_rank"
        | "attention.gate_lora_rank" => json!(32),
        "rope.dimension_count" => json!(64),
        "rope.dimension_sections" => json!([16, 16, 0, 0]),
        "interleave_moe_layer_step" | "experts_per_group" => json!(1),
        "expert_group_scale" => json!(0.5),
        "moe_every_n_layers" => json!(2),
        "rescale_every_n_layers" | "time_mix_extra_dim" | "time_decay_extra_dim" => json!(32),
        "attention.layer_norm_rms_epsilon"
        | "attention.layer_norm_epsilon"
        | "attention.group_norm_epsilon" => json!(1e-5),
        "attention.group_norm_groups" => json!(1),
        "attention.relative_buckets_count" => json!(32),
        "decoder_start_token_id" => json!(0),
        "router_logit_softcapping" | "attn_logit_softcapping" | "final_logit_softcapping" => json!(30.5),
        "altup.active_idx" => json!(0),
        "altup.num_inputs" => json!(4),
        "swiglu_clamp_exp" | "swiglu_clamp_shexp" => json!(vec![7.5; 12]),
        "xielu.alpha_n" | "xielu.alpha_p" | "xielu.beta" | "xielu.eps" => json!(0.5),
        "rope.freq_base_swa" => json!(10000.5),
        _ => return None,
    })
}

/// A model as far as its loader has told what it wants.
#[derive(Clone)]
struct Model {
    architecture: String,
    keys: BTreeMap<String, Value>,
    tensors: Vec<(String, Vec<u64>)>,
}

impl Model {
    fn new(wanted: &Wanted) -> Self {
        // These know no groups of heads.
        let alone = ["t5", "talkie", "olmoe", "deepseek2-ocr", "dots1"].contains(&wanted.architecture);
        let mut keys: BTreeMap<String, Value> = [
            ("block_count", json!(12)),
            ("context_length", json!(131_072)),
            ("embedding_length", json!(256)),
            ("feed_forward_length", json!(512)),
            ("attention.head_count", json!(4)),
            ("attention.head_count_kv", json!(if alone { 4 } else { 2 })),
            ("attention.layer_norm_rms_epsilon", json!(1e-5)),
            ("attention.layer_norm_epsilon", json!(1e-5)),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .into();
        keys.extend(wanted.keys.iter().map(|(k, v)| ((*k).to_owned(), v.clone())));
        Self { architecture: wanted.architecture.to_owned(), keys, tensors: Vec::new() }
    }

    fn from_json(architecture: &str, value: &Value) -> Self {
        let keys = value["keys"].as_object().expect("keys").clone().into_iter().collect();
        let tensors = value["tensors"]
            .as_object()
            .expect("tensors")
            .iter()
            .flat_map(|(name, places)| {
                places
                    .as_array()
                    .expect("places")
                    .iter()
                    .flat_map(|place| {
                        let dims: Vec<u64> = place[0]
                            .as_array()
                            .expect("dims")
                            .iter()
                            .map(|d| d.as_u64().expect("a number"))
                            .collect();
                        let layers = place[1].as_array().cloned().unwrap_or_default();
                        if layers.is_empty() {
                            return vec![(name.clone(), dims)];
                        }
                        layers.iter().map(|l| (name.replace('*', &l.to_string()), dims.clone())).collect()
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        // As files have them: layer after layer. The engine maps from the first tensor to the last.
        let mut tensors: Vec<(String, Vec<u64>)> = tensors;
        let layer = |name: &str| name.strip_prefix("blk.")?.split('.').next()?.parse::<u32>().ok();
        tensors.sort_by_key(|(name, _)| layer(name));
        Self { architecture: architecture.to_owned(), keys, tensors }
    }

    /// Tensors of the same name and shape in several layers are written once.
    fn to_json(&self) -> Value {
        let mut names: BTreeMap<String, BTreeMap<Vec<u64>, Vec<u64>>> = BTreeMap::new();
        for (name, dims) in &self.tensors {
            let mut parts = name.splitn(3, '.');
            let (first, number, rest) =
                (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next());
            match (number.parse::<u64>(), rest) {
                (Ok(layer), Some(rest)) => names
                    .entry(format!("{first}.*.{rest}"))
                    .or_default()
                    .entry(dims.clone())
                    .or_default()
                    .push(layer),
                _ => {
                    names.entry(name.clone()).or_default().entry(dims.clone()).or_default();
                }
            }
        }
        let tensors: Map<String, Value> = names
            .into_iter()
            .map(|(name, shapes)| {
                (name, shapes.into_iter().map(|(dims, layers)| json!([dims, layers])).collect())
            })
            .collect();
        json!({ "keys": self.keys, "tensors": tensors })
    }

    /// The file: a header, and a hole where the weights would be.
    fn write(&self, path: &Path) {
        let text = |t: &str| [&(t.len() as u64).to_le_bytes()[..], t.as_bytes()].concat();
        let mut entries = Vec::new();
        let mut entry = |key: &str, value: Vec<u8>| entries.push([text(key), value].concat());
        entry("general.architecture", [&8_u32.to_le_bytes()[..], &text(&self.architecture)].concat());
        for (key, value) in &self.keys {
            entry(&format!("{}.{key}", self.architecture), encode(value));
        }
        let strings = |n: usize, of: &dyn Fn(usize) -> String| {
            let items: Vec<u8> = (0..n).flat_map(|i| text(&of(i))).collect();
            [&9_u32.to_le_bytes()[..], &8_u32.to_le_bytes(), &(n as u64).to_le_bytes(), &items].concat()
        };
        entry("tokenizer.ggml.model", [&8_u32.to_le_bytes()[..], &text("gpt2")].concat());
        entry("tokenizer.ggml.pre", [&8_u32.to_le_bytes()[..], &text("default")].concat());
        entry("tokenizer.ggml.tokens", strings(VOCABULARY, &token));
        entry("tokenizer.ggml.merges", strings(1, &|_| "t 1".to_owned()));
        for key in
            ["tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id", "tokenizer.ggml.token_type_count"]
        {
            entry(key, [&4_u32.to_le_bytes()[..], &2_u32.to_le_bytes()].concat());
        }
        let (mut infos, mut offset) = (Vec::new(), 0_u64);
        for (name, dims) in &self.tensors {
            // Rows in 16 bits; vectors, and what the loader multiplies by hand, in 32.
            let wide = dims.len() == 1
                || name.rsplit('.').next() == Some("bias")
                || ["ssm_", "time_mix", "shortconv.conv", "channel_mix", "hc_", "_ape."]
                    .iter()
                    .any(|p| name.contains(p))
                    && !name.contains("_in.")
                    && !name.contains("_out.");
            let (kind, width) = if wide { (0_u32, 4) } else { (1_u32, 2) };
            infos.extend(text(name));
            infos.extend(u32::try_from(dims.len()).expect("few").to_le_bytes());
            for size in dims {
                infos.extend(size.to_le_bytes());
            }
            infos.extend(kind.to_le_bytes());
            infos.extend(offset.to_le_bytes());
            offset += (dims.iter().product::<u64>() * width).next_multiple_of(32);
        }
        let head = [
            &b"GGUF\x03\0\0\0"[..],
            &(self.tensors.len() as u64).to_le_bytes(),
            &(entries.len() as u64).to_le_bytes(),
            &entries.concat(),
            &infos,
        ]
        .concat();
        let mut file = std::fs::File::create(path).expect("a file");
        file.write_all(&head).expect("written");
        file.set_len((head.len() as u64).next_multiple_of(32) + offset).expect("as long as it says");
    }
}

/// A value with its type: whole numbers in 32 bits, fractions, truth values, and lists of each.
fn encode(value: &Value) -> Vec<u8> {
    let scalar = |value: &Value| -> (u32, Vec<u8>) {
        match value {
            Value::Bool(b) => (7, vec![u8::from(*b)]),
            Value::Number(n) if n.is_u64() => {
                (4, u32::try_from(n.as_u64().expect("whole")).expect("small").to_le_bytes().to_vec())
            }
            #[allow(clippy::cast_possible_truncation)]
            other => (6, (other.as_f64().expect("a number") as f32).to_le_bytes().to_vec()),
        }
    };
    match value {
        Value::Array(items) => {
            let kind = items.first().map_or(4, |v| scalar(v).0);
            let bytes: Vec<u8> = items.iter().flat_map(|v| scalar(v).1).collect();
            [&9_u32.to_le_bytes()[..], &kind.to_le_bytes(), &(items.len() as u64).to_le_bytes(), &bytes]
                .concat()
        }
        other => {
            let (kind, bytes) = scalar(other);
            [&kind.to_le_bytes()[..], &bytes].concat()
        }
    }
}

/// The bytes as the tokenizers of GPT-2's kind spell them, and then anything.
fn token(n: usize) -> String {
    let printable = |b: u32| (33..=126).contains(&b) || (161..=172).contains(&b) || (174..=255).contains(&b);
    let Ok(byte) = u32::try_from(n) else { return String::new() };
    if byte > 255 {
        return format!("t{n}");
    }
    let shifted = 256 + (0..byte).filter(|b| !printable(*b)).count();
    let code = if printable(byte) { byte } else { u32::try_from(shifted).unwrap_or(0) };
    char::from_u32(code).map(String::from).unwrap_or_default()
}

fn worker() -> PathBuf {
    std::env::var_os(WORKER).map_or_else(|| env!("CARGO_BIN_EXE_freehold").into(), PathBuf::from)
}

/// What the engine took, bytes of weights and of the cache, or why it did not load.
fn load(path: &Path, embed: bool) -> Result<(u64, u64), String> {
    let mut config = LocalConfig {
        load: LoadRequest::new(path.to_owned(), CONTEXT),
        worker: WorkerCommand { program: worker(), args: vec!["worker".into()] },
        limits: Limits::default(),
        plan: None,
    };
    config.load.raw = true;
    config.load.embed = embed;
    config.load.threads = Some(1);
    if embed {
        config.load.context = 512;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let backend = LocalBackend::start(config, &mut |_| ()).await.map_err(|f| f.message)?;
        let memory = backend.info().loaded.memory;
        backend.shutdown().await;
        Ok((memory.weights.unwrap_or(0), memory.kv.unwrap_or(0)))
    })
}

/// Tensors that a loader takes where they are there, and without which the engine cannot compute: with
/// the layers they are in.
fn seeds(architecture: &str, keys: &BTreeMap<String, Value>) -> Vec<String> {
    let blocks = keys["block_count"].as_u64().expect("a number");
    let predicting = keys.get("nextn_predict_layers").and_then(Value::as_u64).unwrap_or(0);
    let interval = keys.get("full_attention_interval").and_then(Value::as_u64).unwrap_or(4);
    let listed = keys.get("attention.recurrent_layers").and_then(Value::as_array);
    let recurrent = |layer: u64| match listed {
        Some(list) => usize::try_from(layer).ok().and_then(|l| list.get(l)?.as_bool()).unwrap_or(false),
        None => !(layer + 1).is_multiple_of(interval),
    };
    match architecture {
        "qwen3next" => (0..blocks - predicting)
            .filter(|l| recurrent(*l))
            .map(|l| format!("blk.{l}.ssm_in.weight"))
            .collect(),
        "glm-dsa" => (0..blocks)
            .flat_map(|l| {
                ["k_norm.weight", "k_norm.bias", "proj.weight", "attn_k.weight", "attn_q_b.weight"]
                    .map(|part| format!("blk.{l}.indexer.{part}"))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Ask the loader until it loads, or says something that is not understood. First as if all layers were
/// alike, which takes fewer questions.
fn probe(wanted: &Wanted, path: &Path) -> Result<Model, String> {
    ask(wanted, path, true).or_else(|_| ask(wanted, path, false))
}

fn ask(wanted: &Wanted, path: &Path, alike: bool) -> Result<Model, String> {
    let mut model = Model::new(wanted);
    model.tensors.extend(seeds(wanted.architecture, &model.keys).into_iter().map(|name| (name, vec![1])));
    let embed = false;
    let mut last = String::new();
    for _ in 0..2000 {
        model.write(path);
        let Err(said) = load(path, embed) else { return Ok(model) };
        if said == last {
            return Err(said);
        }
        let between = |before: &str, after: char| {
            said.split_once(before)
                .and_then(|(_, rest)| rest.split_once(after))
                .map(|(name, _)| name.to_owned())
        };
        let absent = || between("tensor '", '\'').filter(|_| said.contains("' not found"));
        if let Some(name) = between("missing tensor '", '\'').or_else(absent) {
            model.add(name, alike);
        } else if let Some(name) = between("tensor '", '\'').filter(|_| said.contains("wrong shape")) {
            let dims = between("expected ", 'g').ok_or_else(|| said.clone())?;
            let mut dims: Vec<u64> = dims.split(',').filter_map(|d| d.trim().parse().ok()).collect();
            while dims.len() > 1 && dims.last() == Some(&1) {
                dims.pop();
            }
            let Some(tensor) = model.tensors.iter_mut().find(|(n, _)| *n == name) else { return Err(said) };
            tensor.1 = dims;
        } else if let Some(key) = between("key not found in model: ", ';') {
            let key = key.trim().trim_start_matches(&format!("{}.", wanted.architecture)).to_owned();
            let value = usual(&key).ok_or_else(|| said.clone())?;
            model.keys.insert(key, value);
        } else {
            return Err(said);
        }
        last = said;
    }
    Err(last)
}

impl Model {
    /// A tensor that is missing, in the shape it has in another layer where it is there; with `alike`, and
    /// with it all others of the layer before.
    fn add(&mut self, name: String, alike: bool) {
        let split = |name: &str| {
            let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
            Some((layer.parse::<u64>().ok()?, rest.to_owned()))
        };
        let Some((layer, part)) = split(&name) else { return self.tensors.push((name, vec![1])) };
        let of = |layer: u64| -> Vec<(String, Vec<u64>)> {
            self.tensors
                .iter()
                .filter_map(|(n, d)| Some((split(n).filter(|(l, _)| *l == layer)?.1, d.clone())))
                .collect()
        };
        let new = of(layer).is_empty();
        let before = layer.checked_sub(1).map(of).unwrap_or_default();
        if alike && new && before.iter().any(|(p, _)| *p == part) {
            self.tensors.extend(before.into_iter().map(|(p, d)| (format!("blk.{layer}.{p}"), d)));
            return;
        }
        let known = self.tensors.iter().rev().find(|(n, _)| split(n).is_some_and(|(_, p)| p == part));
        let shape = known.map_or_else(|| vec![1], |(_, d)| d.clone());
        self.tensors.push((name, shape));
    }
}

/// What `fit` says of the file, bytes of weights and of the cache.
fn predicted(path: &Path) -> (f64, f64) {
    let file = std::fs::File::open(path).expect("there");
    let length = file.metadata().expect("its length").len();
    let header = freehold::gguf::read(std::io::BufReader::new(file), length)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let shape = ModelShape::from_gguf("tiny", &header).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let cache = cache_bytes(&shape, Engine::LlamaCpp, &Load::new(u64::from(CONTEXT), 1));
    (shape.file.expect("a file").total, cache)
}

#[test]
fn cache_and_weights_are_the_engines_own() {
    if std::env::var_os(WORKER).is_none() && !needs::engine() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    let bless = std::env::var_os("FREEHOLD_BLESS").is_some();
    let text = std::fs::read_to_string(FIXTURE).unwrap_or_else(|_| "{}".to_owned());
    let mut fixture: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let only = std::env::var("FREEHOLD_ARCHITECTURE").ok();
    if bless {
        for wanted in wanted() {
            let asked = only.as_ref().is_none_or(|o| o.split(',').any(|o| o == wanted.architecture));
            if !asked || (only.is_none() && fixture.contains_key(&wanted.name)) {
                continue;
            }
            match probe(&wanted, &path) {
                Ok(model) => {
                    fixture.insert(wanted.name, model.to_json());
                }
                Err(said) => println!("{}: {}", wanted.name, said.chars().take(300).collect::<String>()),
            }
            let mut text = String::from("{\n");
            for (n, (name, model)) in fixture.iter().enumerate() {
                let _ = writeln!(
                    text,
                    "{}: {model}{}",
                    json!(name),
                    if n + 1 < fixture.len() { "," } else { "" }
                );
            }
            std::fs::write(FIXTURE, text + "}\n").expect("written");
        }
    }
    let mut rows = String::new();
    let mut wrong = Vec::new();
    for (name, model) in &fixture {
        let architecture = name.split(',').next().unwrap_or(name);
        Model::from_json(architecture, model).write(&path);
        let embed = false;
        let (weights, cache) = match load(&path, embed) {
            Ok(taken) => taken,
            Err(said) => {
                wrong.push(format!("{name}: {said}"));
                continue;
            }
        };
        let (said_weights, said_cache) = predicted(&path);
        // The engine's log says hundredths of a MiB.
        let near = |said: f64, taken: u64| (said - taken as f64).abs() <= (0.02 * taken as f64).max(11_000.0);
        if !near(said_weights, weights) || !near(said_cache, cache) {
            wrong.push(format!(
                "{name}: weights {weights} predicted {said_weights}, cache {cache} predicted {said_cache}"
            ));
        }
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        let _ = writeln!(
            rows,
            "| {name} | {:.2} | {:.2} | {:.2} | {:.2} |",
            mib(cache as f64),
            mib(said_cache),
            mib(weights as f64),
            mib(said_weights)
        );
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixture.len(), wrong.join("\n"));
    assert!(fixture.len() >= 25, "{}", fixture.len());
    let page = std::fs::read_to_string(TABLE).unwrap_or_default();
    let (before, _) = page.split_once("| architecture").unwrap_or((&page, ""));
    let head = "| architecture | cache, engine, MiB | cache, `fit` | weights, engine, MiB | weights, `fit` |\n|---|--:|--:|--:|--:|\n";
    let now = format!("{before}{head}{rows}");
    if bless {
        std::fs::write(TABLE, now).expect("written");
    } else {
        assert_eq!(page, now, "docs/memory.md is not what the engine says; bless it");
    }
}
