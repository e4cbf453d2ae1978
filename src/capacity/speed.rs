//! Speed of one model on one machine: time per step from bytes and operations.
//!
//! One decode step of `n` sequences at a depth of `c` tokens takes
//!
//! ```text
//! t = weights ÷ (bandwidth × share)            every weight the step touches is read once
//!   + n × cache(c) ÷ (bandwidth × share)       every sequence reads its own keys and values
//!   + (n − 1) × 2 × parameters ÷ (rate × share)  arithmetic beyond what hides behind the reading;
//!                                              on a processor none hides: n, and attention besides
//!   + layers × launch + rest                   what no bandwidth shortens
//! ```
//!
//! and yields `n` tokens. Of `E` routed experts with `k` used per token, a step of `n` tokens
//! touches `E × (1 − (1 − k/E)ᵐ)`, `m = n ÷ √(1 + (n − 1)/8)`. Prefill of `p` tokens is arithmetic, attention that
//! grows with `p²`, and the weights once per batch of tokens.

use super::efficiency::{Efficiency, FEW_SEQUENCES, FEW_TOKENS_OF_EXPERTS};
use super::memory::{BATCH_TOKENS, Load, Memory, Placement, layout};
use super::quantisation::{Kernel, KvType, Quantisation};
use super::serving::{self, Prompt, RatioBand, Server, Step, halved_layers};
use super::shape::{Backend, FileBytes, HardwareShape, Host, MemoryClass, ModelShape};
use crate::provenance::Source;
use crate::units::TokensPerSec;

/// A predicted speed and its 80 % band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub low: TokensPerSec,
    pub likely: TokensPerSec,
    pub high: TokensPerSec,
}

/// What was predicted and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Tokens per second of all sequences together.
    pub decode_tps: Band,
    pub decode_tps_per_stream: Band,
    /// Prompt tokens per second of all prompts together.
    pub prefill_tps: Band,
    /// What no software can exceed on this hardware: bytes and operations at its peaks.
    pub decode_roof_tps: TokensPerSec,
    pub prefill_roof_tps: TokensPerSec,
    pub memory: Memory,
    pub basis: Basis,
}

/// What a prediction rests on.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// Bytes and operations over the hardware's peaks, at the efficiencies of this table row.
    /// `guessed_rate` is the name of hardware whose arithmetic rate is not known and was taken from its
    /// bandwidth.
    Physics { backend: Backend, class: MemoryClass, origin: String, guessed_rate: Option<String> },
    /// The same, scaled by what was measured on this hardware.
    Calibrated { backend: Backend, class: MemoryClass, file: String, path: String, decode_factor: f64 },
}

impl Basis {
    /// As the origin of a number in a document.
    pub fn source(&self) -> Source {
        match self {
            Self::Physics { backend, class, origin, guessed_rate } => Source::Assumed {
                rule: format!("predictor {}/{}", backend.label(), class.label()),
                reason: format!(
                    "bytes and operations over the hardware's peaks; shares: {origin}{}",
                    guessed_rate.as_deref().map_or_else(String::new, |name| format!("; {}", guessed(name)))
                ),
            },
            Self::Calibrated { file, path, .. } => Source::Measured {
                file: file.clone(),
                path: path.clone(),
                derived: Some("predicted, scaled by measured / predicted there".to_owned()),
            },
        }
    }
}

/// What is said of a prediction for an accelerator whose arithmetic rate is not known.
pub fn guessed(name: &str) -> String {
    format!("no arithmetic rate of {name} is known: it is taken from its bandwidth")
}

/// Why there is no prediction.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CannotPredict {
    #[error(transparent)]
    Unknown(#[from] super::shape::Unknown),
    #[error("{model} at {format} needs {needed:.0} bytes and {hardware} has {usable:.0}")]
    DoesNotFit { model: String, hardware: String, format: &'static str, needed: f64, usable: f64 },
}

/// Speed of the model on the hardware under the load.
pub fn predict(
    model: &ModelShape,
    hardware: &HardwareShape,
    format: &'static Quantisation,
    load: &Load,
) -> Result<Prediction, CannotPredict> {
    let hardware = &hardware.clone().with_backend(hardware.serving(format));
    let memory = layout(model, hardware, format, load);
    if memory.placement == Placement::TooLarge {
        return Err(CannotPredict::DoesNotFit {
            model: model.id.clone(),
            hardware: hardware.id.clone(),
            format: format.id,
            needed: memory.needed,
            usable: memory.usable,
        });
    }
    let streams = f64::from(load.concurrency.max(1));
    let (depth, prompt) = (load.context_tokens.max(1) as f64, load.prompt_tokens.max(1) as f64);
    let (step, prefill, bands, origin) = if let Some(server) = Server::new(model, hardware, format, load.kv) {
        let (step_floor, prompt_floor) = server.floor(streams, depth, prompt);
        let likely = server.step(streams, depth).seconds();
        let alone = server.prompt(prompt, 0.0).alone;
        // Bands of times, turned into bands of speeds.
        let of = |a: RatioBand| (1.0 / a.high, 1.0 / a.low);
        (
            Time { likely: likely.max(step_floor), floor: step_floor },
            Time { likely: alone.max(prompt_floor), floor: prompt_floor },
            (of(server.tpot), of(server.prefill_band)),
            serving::origin(hardware),
        )
    } else {
        let e = Efficiency::of(hardware);
        let (step, prefill) = times(model, hardware, format, load, memory.placement);
        let decode = (e.decode_low, e.decode_high);
        (step, prefill, (decode, (e.prefill_low, e.prefill_high)), e.origin.clone())
    };
    let decode = streams / step.likely;
    let roof = streams / step.floor;
    let band = |likely: f64, low: f64, high: f64, roof: f64| Band {
        low: TokensPerSec::new((likely * low).min(roof)),
        likely: TokensPerSec::new(likely.min(roof)),
        high: TokensPerSec::new((likely * high).min(roof)),
    };
    // Work split over two processors is less certain than on one, and so is a full batch of an engine for
    // which few have been measured.
    let wider = match memory.placement {
        Placement::Fits if hardware.backend.engine().is_server() => 1.0,
        Placement::Fits => streams.powf(0.07),
        _ => 1.3 * streams.powf(0.07),
    };
    let ((low, high), (prefill_low, prefill_high)) = bands;
    let (low, high) = (low / wider, high * wider);
    let (rate, prefill_roof) = (prompt / prefill.likely, prompt / prefill.floor);
    Ok(Prediction {
        decode_tps: band(decode, low, high, roof),
        decode_tps_per_stream: band(decode / streams, low, high, roof / streams),
        prefill_tps: band(rate, prefill_low, prefill_high, prefill_roof),
        decode_roof_tps: TokensPerSec::new(roof),
        prefill_roof_tps: TokensPerSec::new(prefill_roof),
        memory,
        basis: Basis::Physics {
            backend: hardware.backend,
            class: hardware.class,
            origin,
            guessed_rate: hardware.rate_is_guessed().then(|| hardware.name.clone()),
        },
    })
}

/// Seconds of a step or a prompt: as expected, and at the hardware's peaks.
#[derive(Clone, Copy)]
struct Time {
    likely: f64,
    floor: f64,
}

fn times(
    model: &ModelShape,
    hardware: &HardwareShape,
    format: &Quantisation,
    load: &Load,
    placement: Placement,
) -> (Time, Time) {
    let (n, context) = (f64::from(load.concurrency.max(1)), load.context_tokens as f64);
    let prompt = load.prompt_tokens.max(1) as f64;
    let all = Part::new(model, hardware, format, load.kv);
    let (device_layers, layers, host) = match (placement, hardware.host) {
        (Placement::Offload { device_layers, layers }, Some(host)) => (device_layers, layers, host),
        (Placement::Experts { device_layers, .. }, Some(host)) => {
            let held = f64::from(device_layers) / model.mixture_layers.max(1.0);
            let processor = processor_of(hardware, host);
            let beside = Part::new(model, &processor, format, load.kv);
            return (all.step_beside(&beside, n, context, held), all.prefill_beside(&beside, prompt, held));
        }
        _ => return (all.step(n, context), all.prefill(prompt, 0.0)),
    };
    // Layers run one after another: the device's part, then the processor's.
    let share = f64::from(device_layers) / f64::from(layers.max(1));
    let processor = processor_of(hardware, host);
    let rest = Part::new(model, &processor, format, load.kv);
    let mix = |a: Time, b: Time| Time {
        likely: a.likely * share + b.likely * (1.0 - share),
        floor: a.floor * share + b.floor * (1.0 - share),
    };
    // Prefill of layers in system memory: the weights cross the bus once a batch, or the processor
    // computes; the latter is what is certain to be there.
    (
        mix(all.step(n, context), rest.step(n, context)),
        mix(all.prefill(prompt, 0.0), rest.prefill(prompt, 0.0)),
    )
}

/// The processor beside a card, as hardware of its own.
fn processor_of(hardware: &HardwareShape, host: Host) -> HardwareShape {
    let (id, name) = (hardware.id.clone(), hardware.name.clone());
    HardwareShape::processor(id, name, host.memory_bytes, host.bandwidth)
}

/// How alike tokens of a batch choose their experts: `n` of them touch as many as `n ÷ √(1 + (n − 1)/8)`
/// tokens that choose independently (batched runs of mixtures on a DGX Spark under llama.cpp and on an H100
/// under vLLM).
const CHOOSE_ALIKE: f64 = 8.0;
/// Tokens of a batch per expert for which a mixture's share of the arithmetic rate is stated. With fewer,
/// the products are smaller and reach less: by the power below.
const TOKENS_PER_EXPERT: f64 = 32.0;
const TOKENS_PER_EXPERT_POWER: f64 = 0.3;
/// Launch time of a prefill pass, as a multiple of a decode step's: its kernels have more to set up.
const PREFILL_LAUNCH: f64 = 4.0;
/// Seconds from one device to the next where layers are spread.
const HOP: f64 = 100e-6;
/// Seconds to the processor and back for the experts of one layer.
const EXPERT_HOP: f64 = 60e-6;
/// Bytes/s between a card and main memory where the catalogue does not say (`PCIe` 4.0 x16), and the share
/// of it that copies of weights reach.
const BUS: f64 = 32e9;
const BUS_SHARE: f64 = 0.7;

/// One number for each token of the vocabulary.
const LOGIT_BYTES: f64 = 4.0;
/// What is read of them per second until a token is chosen, bytes/s: on an H100 over `PCIe` 5.0 a step took
/// 0.05 ms longer for each further sequence than weights, cache and arithmetic explain, with 128,256 tokens.
const LOGITS_RATE: f64 = 10e9;

/// A model on one kind of device, under an engine that spreads layers: llama.cpp or MLX.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    model: &'a ModelShape,
    hardware: &'a HardwareShape,
    kernel: Kernel,
    kv: KvType,
    /// Looked up once: a step is asked for many loads.
    efficiency: &'static Efficiency,
    bytes: FileBytes,
}

impl<'a> Part<'a> {
    pub(super) fn new(
        model: &'a ModelShape,
        hardware: &'a HardwareShape,
        format: &Quantisation,
        kv: KvType,
    ) -> Self {
        let bytes = model.bytes_under(format, hardware.backend.engine());
        Self { model, hardware, kernel: format.kernel, kv, efficiency: Efficiency::of(hardware), bytes }
    }
}

impl Part<'_> {
    pub(super) const fn efficiency(&self) -> &'static Efficiency {
        self.efficiency
    }
    /// Operations per second, at their peak, of the units that multiply.
    fn rate(&self) -> f64 {
        let sixteen =
            self.hardware.flops_16.unwrap_or(self.hardware.bandwidth * self.efficiency().operations_per_byte);
        match (self.hardware.backend, self.hardware.flops_8) {
            // llama.cpp multiplies quantised weights in INT8 and the others with 16-bit sums (under
            // Vulkan all of them, in cooperative matrices). Both run at twice the rate that GeForce
            // cards have with 32-bit sums, which `flops_16` is; the share counts from half the INT8
            // rate, which is the same on all.
            (Backend::Cuda | Backend::Vulkan, Some(eight)) => sixteen.max(eight / 2.0),
            _ => sixteen,
        }
    }
    fn arithmetic(&self) -> f64 {
        let e = self.efficiency();
        if self.model.is_mixture() { e.arithmetic_mixture } else { e.arithmetic }
    }
    /// Share of the rate that prefill reaches in batches of this many tokens of one prompt.
    fn arithmetic_of_batch(&self, tokens: f64) -> f64 {
        let e = self.efficiency();
        if !self.model.is_mixture() || self.hardware.backend == Backend::Cpu {
            return self.arithmetic();
        }
        let per_expert = tokens * self.model.expert_share();
        let share = e.arithmetic_mixture * (per_expert / TOKENS_PER_EXPERT).powf(TOKENS_PER_EXPERT_POWER);
        share.min(e.arithmetic)
    }

    /// Bytes of weights that a step of this many tokens reads: the shared part, and routed experts.
    fn read(&self, tokens: f64) -> (f64, f64) {
        let bytes = &self.bytes;
        let independent = tokens / (1.0 + (tokens - 1.0) / CHOOSE_ALIKE).sqrt();
        let untouched =
            if self.model.is_mixture() { (1.0 - self.model.expert_share()).powf(independent) } else { 1.0 };
        let shared = bytes.total - bytes.embedding - bytes.routed;
        (shared, bytes.routed * (1.0 - untouched))
    }

    /// One step of `n` sequences at a depth of `context` tokens.
    fn step(&self, n: f64, context: f64) -> Time {
        let likely = self.parts(n, context).seconds();
        let (shared, routed) = self.read(n);
        let floor = ((shared + routed + n * self.cache_read(context)) / self.hardware.bandwidth)
            .max(n * 2.0 * self.model.computed_parameters() / self.peak_rate());
        Time { likely: likely.max(floor), floor }
    }

    /// The expected time of that step, part by part.
    pub(super) fn parts(&self, n: f64, context: f64) -> Step {
        let (e, n) = (self.efficiency(), n.max(1.0));
        let bandwidth = self.hardware.bandwidth;
        let share = e.weights(self.kernel);
        let (shared, routed) = self.read(n);
        let batched = if n > FEW_SEQUENCES { e.batched } else { 1.0 };
        let batched_experts = if n > FEW_TOKENS_OF_EXPERTS { e.experts_batched } else { 1.0 };
        let weights = shared / (bandwidth * share * batched);
        let experts = routed / (bandwidth * share * e.experts * batched_experts);
        let cache = n * self.cache_read(context) / (bandwidth * e.cache);
        let arithmetic = 2.0 * self.model.computed_parameters() / (self.rate() * self.arithmetic());
        let cpu = self.hardware.backend == Backend::Cpu;
        // The first sequence's arithmetic hides behind the reading, except on a processor, where the
        // same cores do both.
        let shown = if cpu { n } else { n - 1.0 };
        let attention = e.attention.map_or(0.0, |share| n * self.attention(context) / (self.rate() * share));
        let products = if !cpu && self.model.is_mixture() {
            // Each expert has few of the tokens: its products hide behind its reading.
            (n * arithmetic - (weights + experts + cache)).max(0.0)
        } else {
            shown * arithmetic
        };
        let hops = (f64::from(self.hardware.devices) - 1.0).max(0.0);
        Step {
            weights,
            experts,
            products,
            cache: cache + attention,
            launch: self.launch(),
            exchange: hops * HOP,
            requests: (n - 1.0) * self.choosing(),
        }
    }

    /// A step where the processor reads and computes the experts of some layers; the devices have the share
    /// `held` of them, 0 to 1.
    fn step_beside(&self, processor: &Self, n: f64, context: f64, held: f64) -> Time {
        let (own, theirs) = (self.parts(n, context), processor.parts(n, context));
        let aside = 1.0 - held;
        let routed = 2.0 * self.model.routed_computed() / (processor.rate() * processor.arithmetic());
        let hops = self.model.mixture_layers * aside * EXPERT_HOP;
        let likely = own.seconds() - own.experts * aside + (theirs.experts + n * routed) * aside + hops;
        let (shared, experts) = self.read(n);
        let cache = n * self.cache_read(context);
        let floor = (shared + experts * held + cache) / self.hardware.bandwidth
            + experts * aside / processor.hardware.bandwidth;
        Time { likely: likely.max(floor), floor }
    }

    /// A prompt in that case: the devices compute all of it, and the experts that they do not hold either
    /// cross the bus once a batch or are computed by the processor, whichever is faster.
    fn prefill_beside(&self, processor: &Self, p: f64, held: f64) -> Time {
        let (own, theirs) = (self.prefill(p, 0.0), processor.prefill(p, 0.0));
        let aside = 1.0 - held;
        let bytes = self.bytes.routed * aside;
        let passes = (p / BATCH_TOKENS).ceil();
        let crossing = passes * bytes / (self.hardware.link.unwrap_or(BUS) * BUS_SHARE);
        let likely = own.likely + crossing.min(theirs.likely * aside);
        Time { likely, floor: own.floor }
    }

    /// Seconds of a step that no bandwidth shortens.
    fn launch(&self) -> f64 {
        let (e, layers) = (self.efficiency(), halved_layers(self.model));
        let mixture =
            if self.model.is_mixture() { self.model.mixture_layers * e.mixture_layer_us } else { 0.0 };
        let recurrent = self.model.cache.state_layers * e.recurrent_layer_us;
        let latent = self.model.cache.latent_layers * e.latent_layer_us;
        (layers * e.layer_us + mixture + recurrent + latent + e.token_us) * 1e-6
    }

    /// Time to bring one sequence's logits to main memory and to choose among them, where the device has
    /// a memory of its own, seconds. That of the first sequence is in `token_us`.
    fn choosing(&self) -> f64 {
        let apart = matches!(self.hardware.class, MemoryClass::Graphics | MemoryClass::Stacked);
        if apart { self.model.vocabulary * LOGIT_BYTES / LOGITS_RATE } else { 0.0 }
    }

    /// Cache and state that one sequence reads (and the state it writes) for one token, bytes: what
    /// is filled, not what is reserved.
    fn cache_read(&self, context: f64) -> f64 {
        let cache = &self.model.cache;
        cache.values(context) * self.kv.bits() / 8.0 + 2.0 * cache.state_bytes
    }

    /// Operations of one token's attention over the filled cache: a multiplication and an addition with
    /// each key and each value.
    fn attention(&self, context: f64) -> f64 {
        4.0 * self.model.cache.query_values(context)
    }

    /// The highest rate of any number format: nothing computes faster.
    fn peak_rate(&self) -> f64 {
        (2.0 * self.rate()).max(self.hardware.flops_8.unwrap_or(0.0))
    }

    /// Prefill of a prompt of `p` tokens, of which the first `cached` are in the prefix cache.
    fn prefill(&self, p: f64, cached: f64) -> Time {
        let e = self.efficiency();
        let bandwidth = self.hardware.bandwidth;
        let new = (p - cached).max(1.0);
        // Only the last token's logits are computed.
        let parameters = (self.model.computed_parameters() - self.model.embedding_parameters).max(0.0);
        let attention = 2.0 * self.model.cache.full_query_values * (p * p - cached * cached);
        let batch = BATCH_TOKENS.min(new);
        let (shared, routed) = self.read(batch);
        let passes = (new / batch).ceil();
        let operations = 2.0 * parameters * new + attention;
        // Spread layers work on several batches of a long prompt at the same time.
        let devices = f64::from(self.hardware.devices);
        let pipeline = if devices < 2.0 { 1.0 } else { devices.min(passes).powf(0.6) };
        let reading = passes * (shared + routed) / (bandwidth * e.weights(self.kernel));
        // Reading hides behind the arithmetic, or the other way round.
        let busy = (operations / (self.rate() * self.arithmetic_of_batch(batch))).max(reading);
        let likely = (busy + passes * self.launch() * PREFILL_LAUNCH) / pipeline;
        let floor =
            (operations / (self.peak_rate() * devices)).max((shared + routed) / (bandwidth * devices));
        Time { likely: likely.max(floor), floor }
    }

    /// The same as the model of load needs it: prompts are read in batches of their own, between decode
    /// steps.
    pub(super) fn prompt(&self, input: f64, cached: f64) -> Prompt {
        let alone = self.prefill(input, cached).likely;
        let passes = ((input - cached).max(1.0) / BATCH_TOKENS).ceil();
        Prompt { machine: alone, alone, passes, pass: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::CacheShape;
    use super::*;
    use proptest::prelude::*;

    fn llama_8b() -> ModelShape {
        ModelShape {
            id: "llama-3.1-8b".into(),
            parameters: 8.03e9,
            embedding_parameters: 128_256.0 * 4096.0,
            lookup_parameters: 0.0,
            tied: false,
            routed_parameters: 0.0,
            experts: 0,
            experts_used: 0,
            layers: 32,
            mixture_layers: 32.0,
            hidden_size: 4096.0,
            vocabulary: 128_256.0,
            expert_bits_limit: None,
            cache: CacheShape {
                full_values: 32.0 * 2.0 * 8.0 * 128.0,
                full_query_values: 32.0 * 4096.0,
                ..CacheShape::default()
            },
            context_tokens: Some(131_072),
            file: None,
            file_format: None,
        }
    }
    fn card(bandwidth: f64, memory_gib: f64) -> HardwareShape {
        HardwareShape {
            vendor: crate::catalog::Vendor::Nvidia,
            backend: Backend::Cuda,
            class: MemoryClass::Graphics,
            flops_16: Some(165e12),
            flops_8: Some(330e12),
            ..HardwareShape::processor("card", "Card", memory_gib * 1_073_741_824.0, bandwidth)
        }
    }
    fn format(id: &str) -> &'static Quantisation {
        Quantisation::find(id).expect("known")
    }

    #[test]
    fn more_sequences_yield_more_in_all_and_less_each() {
        let at = |n| predict(&llama_8b(), &card(1e12, 80.0), format("Q4_K_M"), &Load::new(1024, n));
        let (one, many) = (at(1).expect("fits"), at(16).expect("fits"));
        assert!(many.decode_tps.likely > one.decode_tps.likely * 4.0);
        assert!(many.decode_tps_per_stream.likely < one.decode_tps_per_stream.likely);
    }

    #[test]
    fn what_does_not_fit_is_an_error_or_runs_partly_on_the_processor() {
        let load = Load::new(4096, 1);
        let small = card(1e12, 8.0);
        let error = predict(&llama_8b(), &small, format("F16"), &load).expect_err("16 GB on 8 GiB");
        assert!(matches!(error, CannotPredict::DoesNotFit { .. }));
        let host = Host { memory_bytes: 64e9, bandwidth: 80e9 };
        let with_host = HardwareShape { host: Some(host), ..small };
        let partly = predict(&llama_8b(), &with_host, format("F16"), &load).expect("offloads");
        let whole = predict(&llama_8b(), &card(1e12, 24.0), format("F16"), &load).expect("fits");
        assert!(matches!(partly.memory.placement, Placement::Offload { .. }));
        assert!(partly.decode_tps.likely < whole.decode_tps.likely * 0.5);
    }

    #[test]
    fn a_guessed_arithmetic_rate_is_said() {
        let said = |hardware: &HardwareShape| {
            let found = predict(&llama_8b(), hardware, format("Q8_0"), &Load::new(1024, 1)).expect("fits");
            match found.basis.source() {
                Source::Assumed { reason, .. } => reason.contains(&guessed(&hardware.name)),
                other => panic!("{other:?}"),
            }
        };
        let known = card(1e12, 24.0);
        assert!(!said(&known));
        assert!(said(&HardwareShape { flops_16: None, flops_8: None, ..known }));
        assert!(!said(&HardwareShape::processor("cpu", "Processor", 64e9, 80e9)));
    }

    #[test]
    fn a_measurement_on_this_hardware_scales_the_others() {
        use super::super::calibrate::Calibration;
        let (hardware, load) = (card(1e12, 24.0), Load::new(1024, 1));
        let predicted = predict(&llama_8b(), &hardware, format("Q8_0"), &load).expect("fits");
        let measured = predicted.decode_tps.likely.get() * 0.8;
        let figure = |value: f64| crate::workload::evidence::Figure {
            value,
            path: "result.targets[0].metrics.decode_tps.median".to_owned(),
            derived: None,
        };
        let by = Calibration::between(&predicted, Some(&figure(measured)), None, "bench.json")
            .expect("believable");
        let other = predict(&llama_8b(), &hardware, format("Q4_K_M"), &load).expect("fits");
        let likely = other.decode_tps.likely.get();
        let calibrated = other.calibrated(&by);
        assert!((calibrated.decode_tps.likely.get() / likely - 0.8).abs() < 1e-9);
        assert!(matches!(calibrated.basis.source(), Source::Measured { .. }));
        assert!(Calibration::between(&predicted, Some(&figure(measured * 10.0)), None, "f").is_none());
    }

    #[test]
    fn a_mixture_reads_more_experts_as_the_batch_grows() {
        let model = ModelShape {
            parameters: 30e9,
            routed_parameters: 28e9,
            experts: 128,
            experts_used: 8,
            ..llama_8b()
        };
        let part = |n: u32| {
            let hardware = card(1e12, 80.0);
            let part = Part::new(&model, &hardware, format("Q8_0"), KvType::F16);
            part.read(f64::from(n)).1
        };
        let all = 28e9 * 8.5 / 8.0;
        assert!((part(1) / all - 1.0 / 16.0).abs() < 1e-9);
        assert!(part(8) / all > 0.25 && part(8) / all < 0.40);
        assert!(part(256) / all > 0.9 && part(2048) / all > 0.99);
    }

    proptest! {
        #[test]
        fn nothing_is_faster_than_the_roofline(
            bandwidth in 20e9_f64..8e12,
            parameters in 0.1e9_f64..100e9,
            context in 1_u64..100_000,
            streams in 1_u32..256,
        ) {
            let model = ModelShape { parameters: parameters + 1.2e9, ..llama_8b() };
            let hardware = card(bandwidth, 10_000.0);
            let load = Load::new(context, streams);
            for id in ["F16", "Q8_0", "Q4_K_M", "Q4_0", "IQ4_XS"] {
                let p = predict(&model, &hardware, format(id), &load).expect("fits");
                let bytes = model.bytes(format(id));
                let least = bytes.total - bytes.embedding
                    + f64::from(streams) * model.cache.values(context as f64) * 2.0;
                let roof = f64::from(streams) * bandwidth / least;
                prop_assert!(p.decode_tps.high.get() <= roof * 1.000_001);
                prop_assert!(p.decode_tps.low <= p.decode_tps.likely);
                prop_assert!(p.decode_tps.likely <= p.decode_tps.high);
                prop_assert!(p.prefill_tps.low.get() > 0.0);
            }
        }
    }
}
