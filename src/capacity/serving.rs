//! Speed under a server: vLLM, `SGLang`, TensorRT-LLM.
//!
//! A server splits every layer over its devices (or groups of devices share the layers out among
//! them), and batches whatever arrives: in one step every running request gets one token, and up to
//! 8,192 tokens of waiting prompts are read beside that. One step of `n` requests at a depth of `c`
//! tokens takes
//!
//! ```text
//! t = (weights + touched experts) ÷ (bandwidth × share)
//!   + n × cache(c) ÷ (bandwidth × share)           over the devices that the cache divides among
//!   + n × 2 × parameters ÷ (rate × share)          experts: the longer of their reading and their products
//!   + layers × launch + reductions between devices
//!   + n × what the host and the routing need per request
//! ```
//!
//! Shares and times are data (`Base`, `serving.toml`), fitted over engines, models and systems at
//! once; generations of chips and engines are factors on one base. No product has a number of its own.

use super::quantisation::{Compute, Engine, Kernel, KvType, Quantisation};
use super::shape::{Backend, FileBytes, HardwareShape, MemoryClass, ModelShape};
use serde::Deserialize;
use std::sync::LazyLock;

/// Tokens of prompts that one forward pass reads: the servers' default on data-centre cards.
pub const PASS_TOKENS: f64 = 8192.0;
/// Bytes/s between devices where the catalogue does not say: `PCIe` 4.0 x16.
const BUS: f64 = 32e9;
/// Seconds from one group of devices to the next, whatever the size.
const HOP: f64 = 50e-6;
/// Largest share of a peak that any kernel reaches.
const MOST: f64 = 0.97;
/// Latent attention works on keys of 192 and values of 128 a head in prefill (`DeepSeek` V3's sizes) and on
/// the latent vector of 576 in decode: the ratio of the two.
const LATENT_PREFILL: f64 = 160.0 / 576.0;

/// Shares of a peak, 0 to 1, by the format the weights are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByKernel {
    float16: f64,
    eight: f64,
    /// 4-bit floats.
    four: f64,
    /// 4-bit integers, unpacked to 16 bits.
    integer4: f64,
}

/// The 80 % band of a prediction, as measured ÷ predicted.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatioBand {
    pub low: f64,
    pub high: f64,
}

impl RatioBand {
    fn wider(self, by: f64) -> Self {
        Self { low: self.low / by, high: self.high * by }
    }
}

/// The base, vLLM on Hopper: shares of peaks (0 to 1) and times. `serving.toml` says of each key what it
/// is.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Base {
    weights: ByKernel,
    experts: ByKernel,
    cache: f64,
    latent_attention: f64,
    decode: f64,
    prefill: f64,
    mixture: f64,
    expert_columns: f64,
    expert_power: f64,
    choose_alike: f64,
    layer_us: f64,
    mixture_layer_us: f64,
    latent_layer_us: f64,
    recurrent_layer_us: f64,
    step_us: f64,
    sequence_us: f64,
    sequence_layer_us: f64,
    reduction_us: f64,
    link: f64,
    prefill_launch: f64,
    overlap: f64,
    front_ms: f64,
    steps_waited: f64,
    queue: f64,
    first_wave: f64,
    origin: String,
    tpot: RatioBand,
    ttft: RatioBand,
    prefill_band: RatioBand,
}

const fn one() -> f64 {
    1.0
}

/// How one engine differs: factors on the base.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineFactors {
    backend: Backend,
    #[serde(default = "one")]
    bandwidth: f64,
    #[serde(default = "one")]
    launch: f64,
    #[serde(default = "one")]
    arithmetic: f64,
    #[serde(default = "one")]
    reduction: f64,
    #[serde(default = "one")]
    front: f64,
    /// Factor by which the bands are wider.
    #[serde(default = "one")]
    band: f64,
    origin: String,
}

/// How one generation of chips differs: factors on the base.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generation {
    memory: MemoryClass,
    /// `None`: every generation with such memory that has no entry of its own.
    architecture: Option<String>,
    #[serde(default = "one")]
    bandwidth: f64,
    #[serde(default = "one")]
    launch: f64,
    #[serde(default = "one")]
    arithmetic: f64,
    #[serde(default = "one")]
    band: f64,
    /// The factors rest on published rows of this generation, too.
    #[serde(default = "yes")]
    rows: bool,
    origin: String,
}

const fn yes() -> bool {
    true
}

/// Are there published measurements of accelerators like these behind what a server is predicted to do on
/// them? True for other engines: each of their entries rests on some.
pub fn has_rows(hardware: &HardwareShape, backend: Backend) -> bool {
    if !backend.engine().is_server() {
        return true;
    }
    TABLE.as_ref().and_then(|file| file.generation(hardware)).is_some_and(|generation| generation.rows)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    base: Base,
    engine: Vec<EngineFactors>,
    generation: Vec<Generation>,
}

const TEXT: &str = include_str!("serving.toml");

/// A test reads the file, so that it parses wherever the program was built.
static TABLE: LazyLock<Option<File>> = LazyLock::new(|| toml::from_str(TEXT).ok());

/// What a server needs for a model on some hardware: everything that does not depend on the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Server {
    /// Groups of devices that share the layers out.
    groups: f64,
    /// Seconds in which all devices of a group together read the weights that every step reads.
    shared: f64,
    /// Seconds in which they read all routed experts.
    experts: f64,
    expert_share: f64,
    choose_alike: f64,
    /// Seconds per byte of cache.
    cache: f64,
    kv_bytes: f64,
    /// Seconds per token of context and query value, where attention over a latent vector takes longer to
    /// compute than to read; else 0.
    latent: f64,
    /// Seconds per request and step for its recurrent states.
    state: f64,
    /// Seconds of matrix products per token: in decode, in the experts, and in prefill (without the output
    /// projection).
    decode: f64,
    expert: f64,
    prefill: f64,
    /// Seconds of prefill attention per pair of tokens of a prompt.
    attention: f64,
    /// Seconds per step that nothing shortens (kernel launches; reductions between devices), and per
    /// request in it.
    launch: f64,
    reductions: f64,
    sequence: f64,
    /// Seconds per token for its reductions over the links.
    crossing: f64,
    hop: f64,
    context: super::shape::CacheShape,
    mixture: bool,
    prefill_launch: f64,
    pub overlap: f64,
    pub front: f64,
    pub steps_waited: f64,
    pub queue: f64,
    pub first_wave: f64,
    pub tpot: RatioBand,
    pub ttft: RatioBand,
    pub prefill_band: RatioBand,
    /// The hardware's peaks, for [`Server::floor`].
    peak_bandwidth: f64,
    peak_rate: f64,
    bytes: FileBytes,
    parameters: f64,
    embedding_parameters: f64,
}

/// The parts of one decode step, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Reading the weights that every step reads.
    pub weights: f64,
    /// Reading the touched experts or multiplying with them, whichever is longer.
    pub experts: f64,
    /// Products with the weights that every step reads.
    pub products: f64,
    /// Reading the cache, or attention over it where that is longer.
    pub cache: f64,
    /// Starting kernels.
    pub launch: f64,
    /// Reductions and hops between devices.
    pub exchange: f64,
    /// Work of the host and of the routing for each request.
    pub requests: f64,
}

impl Step {
    pub fn seconds(&self) -> f64 {
        self.weights + self.experts + self.products + self.cache + self.launch + self.exchange + self.requests
    }
}

/// What prefill of one prompt takes, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prompt {
    /// Machine time: what one more prompt costs beside other work.
    pub machine: f64,
    /// Time from its turn to its first token, when it is alone.
    pub alone: f64,
    /// Number of passes it takes, and seconds that a pass with prompts costs beyond one that only decodes.
    pub passes: f64,
    pub pass: f64,
}

impl Server {
    /// `None` where the backend is no server, or an arithmetic rate is needed that is not known.
    pub(super) fn new(
        model: &ModelShape,
        hardware: &HardwareShape,
        format: &Quantisation,
        kv: KvType,
    ) -> Option<Self> {
        let file = TABLE.as_ref()?;
        let base = &file.base;
        let engine = file.engine.iter().find(|e| e.backend == hardware.backend)?;
        let generation = file.generation(hardware)?;
        let groups = f64::from(hardware.pipeline.max(1));
        let abreast = (f64::from(hardware.devices) / groups).max(1.0);
        let bytes = model.bytes_under(format, hardware.backend.engine());
        let sixteen = hardware.flops_16.unwrap_or(hardware.bandwidth * 200.0);
        let rate = |compute: Compute| hardware.product_rate(compute).unwrap_or(sixteen);
        // Experts of gpt-oss are in four bits whatever the rest is in.
        let expert_compute = if model.expert_bits_limit.is_some() { Compute::Float4 } else { format.compute };
        let rest = model.is_mixture() && format.experts_only && hardware.backend.engine().is_server();
        let rest_compute = if rest { Compute::Sixteen } else { format.compute };

        let stored = Stored::of(format, model);
        let faster = generation.bandwidth * engine.bandwidth;
        let share = |s: f64| (s * faster).min(MOST);
        let bandwidth = hardware.bandwidth * abreast;
        let weights = if rest { base.weights.float16 } else { stored.rest.of(&base.weights) };
        let shared = (bytes.total - bytes.embedding - bytes.routed) / (bandwidth * share(weights));
        let experts = bytes.routed / (bandwidth * share(stored.experts.of(&base.experts)));

        let arithmetic = generation.arithmetic * engine.arithmetic;
        let product = |s: f64| (s * arithmetic).min(0.95);
        let columns = (model.expert_width() / abreast / base.expert_columns).clamp(1e-3, 1.0);
        let mixture = base.mixture * columns.powf(base.expert_power) * arithmetic;
        let others = model.computed_parameters() - model.routed_computed();
        let per = |parameters: f64, compute: Compute, share: f64| {
            2.0 * parameters / (abreast * rate(compute) * share)
        };
        let divides = model.cache_divides(abreast);
        let cache = model.cache;
        let latent =
            if cache.latent_layers > 0.0 { 4.0 / (abreast * sixteen * base.latent_attention) } else { 0.0 };
        let query = if cache.latent_layers > 0.0 { LATENT_PREFILL } else { 1.0 };
        let layers = halved_layers(model);
        let mixture_layers = if model.is_mixture() { model.mixture_layers } else { 0.0 };
        let launch = layers * base.layer_us
            + mixture_layers * base.mixture_layer_us
            + cache.latent_layers * base.latent_layer_us
            + cache.state_layers * base.recurrent_layer_us
            + base.step_us;
        let several = abreast > 1.0;
        let reductions =
            if several { layers * 2.0 * base.reduction_us * engine.reduction * 1e-6 } else { 0.0 };
        let link = hardware.link.unwrap_or(BUS) * base.link;
        // Two ring reductions a layer, of 16 bits for each token and hidden value.
        let crossing = if several {
            layers * 2.0 * model.hidden_size * 2.0 * 2.0 * (abreast - 1.0) / abreast / link
        } else {
            0.0
        };
        let band = generation.band * engine.band;
        let fastest = [Compute::Float4, Compute::Float8, Compute::Integer8].map(rate);
        let peak_rate = fastest.into_iter().fold(2.0 * sixteen, f64::max);
        Some(Self {
            groups,
            shared,
            experts,
            expert_share: model.expert_share(),
            choose_alike: base.choose_alike,
            cache: 1.0 / (divides * hardware.bandwidth * share(base.cache)),
            kv_bytes: kv.bits() / 8.0,
            latent,
            // A state is read and written, in 16 bits.
            state: cache.state_bytes / (bandwidth * share(base.cache)),
            decode: per(others, rest_compute, product(base.decode)),
            expert: per(model.routed_computed(), expert_compute, mixture),
            prefill: per((others - model.embedding_parameters).max(0.0), rest_compute, product(base.prefill)),
            attention: 2.0 * cache.full_query_values * query / (abreast * sixteen * product(base.prefill)),
            launch: launch * generation.launch * engine.launch * 1e-6,
            reductions,
            sequence: (base.sequence_us + mixture_layers * base.sequence_layer_us) * 1e-6,
            crossing,
            hop: if groups > 1.0 { HOP + model.hidden_size * 2.0 / link } else { 0.0 },
            context: cache,
            mixture: model.is_mixture(),
            prefill_launch: base.prefill_launch,
            overlap: base.overlap,
            front: base.front_ms * 1e-3 * engine.front,
            steps_waited: base.steps_waited,
            queue: base.queue,
            first_wave: base.first_wave,
            tpot: base.tpot.wider(band),
            ttft: base.ttft.wider(band),
            prefill_band: base.prefill_band.wider(band),
            peak_bandwidth: bandwidth,
            peak_rate: peak_rate * abreast,
            bytes,
            parameters: model.computed_parameters(),
            embedding_parameters: model.embedding_parameters,
        })
    }

    /// Share of the experts, 0 to 1, that a step of so many tokens reads. Tokens of one batch do not choose
    /// independently: the more there are, the more of them choose experts that others have chosen.
    fn touched(&self, tokens: f64) -> f64 {
        let independent = tokens / (1.0 + (tokens - 1.0).max(0.0) / self.choose_alike).sqrt();
        1.0 - (1.0 - self.expert_share).powf(independent)
    }

    /// One decode step of `n` requests at a depth of `context` tokens each. Where groups share the layers,
    /// each has its part of the requests, and a token passes through all of them.
    pub(super) fn step(&self, n: f64, context: f64) -> Step {
        let n = (n / self.groups).max(1.0);
        let reading = self.cache * self.context.values(context) * self.kv_bytes;
        let attention = self.latent * self.context.full_query_values * context;
        let products = n * self.expert;
        Step {
            weights: self.shared,
            // Without experts the costly power is skipped: a search asks for many steps.
            experts: if self.mixture { (self.experts * self.touched(n)).max(products) } else { 0.0 },
            products: n * self.decode,
            cache: n * (reading.max(attention) + self.state),
            launch: self.launch,
            exchange: self.reductions + n * self.crossing + self.groups * self.hop,
            requests: n * self.sequence,
        }
    }

    /// A prompt of `input` tokens, of which the first `cached` are held already.
    pub(super) fn prompt(&self, input: f64, cached: f64) -> Prompt {
        let new = (input - cached).max(1.0);
        let passes = (new / PASS_TOKENS).ceil();
        let pairs = input * input - cached * cached;
        let work = new * (self.prefill + self.expert + self.crossing) + self.attention * pairs;
        let touched = if self.mixture { self.touched(new / passes) } else { 0.0 };
        let read = self.shared + self.experts * touched;
        let fixed = self.launch * self.prefill_launch + self.reductions;
        // Groups work on several chunks of a long prompt at the same time.
        let together = self.groups.min(passes);
        let alone = (work.max(passes * read) + passes * fixed) / together + self.groups * self.hop;
        Prompt { machine: work / self.groups, alone, passes, pass: self.launch * self.prefill_launch }
    }

    /// Seconds of a step and of a prompt at the hardware's peaks: nothing can be faster.
    pub(super) fn floor(&self, n: f64, context: f64, prompt: f64) -> (f64, f64) {
        let each = (n / self.groups).max(1.0);
        let weights = self.bytes.total - self.bytes.embedding - self.bytes.routed;
        let read = weights + self.bytes.routed * self.touched(each);
        let cache = each * (self.context.values(context) * self.kv_bytes);
        let step = ((read + cache) / self.peak_bandwidth).max(each * 2.0 * self.parameters / self.peak_rate);
        let parameters = (self.parameters - self.embedding_parameters).max(0.0);
        let operations = 2.0 * parameters * prompt;
        (step, operations / (self.peak_rate * self.groups))
    }
}

/// Number of layers, where a layer that is only attention, only a state or only experts counts half.
pub(super) fn halved_layers(model: &ModelShape) -> f64 {
    let layers = f64::from(model.layers);
    if model.mixture_layers < layers { layers / 2.0 } else { layers }
}

/// The storage format of weights, which decides the share of the peak they reach.
#[derive(Clone, Copy)]
enum Store {
    Float16,
    Eight,
    Four,
    Integer4,
}

impl Store {
    const fn of(self, shares: &ByKernel) -> f64 {
        match self {
            Self::Float16 => shares.float16,
            Self::Eight => shares.eight,
            Self::Four => shares.four,
            Self::Integer4 => shares.integer4,
        }
    }
}

struct Stored {
    rest: Store,
    experts: Store,
}

impl Stored {
    fn of(format: &Quantisation, model: &ModelShape) -> Self {
        let store = match (format.kernel, format.compute) {
            (Kernel::Float16, _) => Store::Float16,
            (Kernel::Eight, _) => Store::Eight,
            (_, Compute::Float4) => Store::Four,
            _ => Store::Integer4,
        };
        let experts = if model.expert_bits_limit.is_some() { Store::Four } else { store };
        Self { rest: store, experts }
    }
}

impl File {
    /// The entry of the hardware's generation; without one, that of its kind of memory.
    fn generation(&self, hardware: &HardwareShape) -> Option<&Generation> {
        let memory = match hardware.class {
            MemoryClass::Joined | MemoryClass::Processor => MemoryClass::Unified,
            class => class,
        };
        let here = |g: &&Generation| g.memory == memory;
        let own = |g: &&Generation| {
            g.architecture.is_some() && g.architecture.as_deref() == hardware.architecture.as_deref()
        };
        self.generation
            .iter()
            .filter(here)
            .find(own)
            .or_else(|| self.generation.iter().filter(here).find(|g| g.architecture.is_none()))
    }
}

/// What the shares for this hardware and engine rest on, as text for a document.
pub(super) fn origin(hardware: &HardwareShape) -> String {
    let Some(file) = TABLE.as_ref() else { return String::new() };
    let mut text = file.base.origin.clone();
    if let Some(engine) = file.engine.iter().find(|e| e.backend == hardware.backend)
        && hardware.backend.engine() != Engine::Vllm
    {
        text = format!("{text}; {}: {}", hardware.backend.label(), engine.origin);
    }
    match file.generation(hardware) {
        Some(g) if g.origin != "the base" => {
            format!("{text}; {}: {}", g.architecture.as_deref().unwrap_or("others"), g.origin)
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let file: File = toml::from_str(TEXT).expect("serving.toml parses");
        let base = &file.base;
        for shares in [base.weights, base.experts] {
            for share in [shares.float16, shares.eight, shares.four, shares.integer4] {
                assert!((0.3..=MOST).contains(&share));
            }
        }
        for around in [base.tpot, base.ttft, base.prefill_band] {
            assert!(around.low < 1.0 && around.high > 1.0);
        }
        assert!(base.tpot.high / base.tpot.low <= 2.2, "the band of decode is at most 2.2 times wide");
        for backend in [Backend::Vllm, Backend::Sglang, Backend::TensorRtLlm] {
            assert!(file.engine.iter().any(|e| e.backend == backend && !e.origin.is_empty()));
        }
        // Every kind of memory has an entry for generations that are not known.
        for memory in [MemoryClass::Stacked, MemoryClass::Graphics, MemoryClass::Unified] {
            assert!(file.generation.iter().any(|g| g.memory == memory && g.architecture.is_none()));
        }
        let known = crate::catalog::Catalog::embedded();
        for name in file.generation.iter().filter_map(|g| g.architecture.as_deref()) {
            let named = known.accelerators.iter().any(|a| a.architecture.as_deref() == Some(name));
            assert!(named, "no accelerator of the catalogue is {name}");
        }
    }
}
