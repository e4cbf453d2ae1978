//! Does it fit? Weights, cache, working buffers and a margin, against what the hardware lets a
//! program use.

use super::quantisation::{Engine, KvType, Quantisation};
use super::shape::{Backend, HardwareShape, MemoryClass, ModelShape};

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1024.0 * MIB;
/// Tokens llama.cpp processes at once in prefill.
pub const BATCH_TOKENS: f64 = 512.0;
/// Share added to the memory that is counted: fragmentation, alignment, what the rules above do not know.
const MARGIN: f64 = 0.04;

/// The load that memory and speed are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Tokens in the cache of one sequence: memory is reserved for as many, and decode speed is that at
    /// this depth.
    pub context_tokens: u64,
    /// Tokens of the prompt that prefill speed is for.
    pub prompt_tokens: u64,
    /// Sequences at once.
    pub concurrency: u32,
    pub kv: KvType,
}

impl Load {
    /// Prompts as long as the context.
    pub fn new(context_tokens: u64, concurrency: u32) -> Self {
        Self {
            context_tokens,
            prompt_tokens: context_tokens,
            concurrency: concurrency.max(1),
            kv: KvType::F16,
        }
    }
}

impl Default for Load {
    /// One sequence of [`USUAL_CONTEXT_TOKENS`].
    fn default() -> Self {
        Self::new(USUAL_CONTEXT_TOKENS, 1)
    }
}

/// Tokens of context where nobody says how many are needed.
pub const USUAL_CONTEXT_TOKENS: u64 = 4096;

/// Formats that people usually serve on this hardware, from most to fewest bits.
pub fn usual_formats(model: &ModelShape, hardware: &HardwareShape) -> Vec<&'static Quantisation> {
    let names: &[&str] = match (hardware.backend, hardware.class) {
        _ if model.expert_bits_limit.is_some() => &["MXFP4"],
        (Backend::Vllm, _) | (Backend::Cuda | Backend::Rocm, MemoryClass::Stacked) => &["FP16", "FP8", "AWQ"],
        _ => &["Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"],
    };
    names.iter().filter_map(|n| Quantisation::find(n)).collect()
}

/// Memory, part by part, in bytes over all devices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    pub weights: f64,
    pub cache: f64,
    /// Activations, logits, and what the driver takes for itself.
    pub buffers: f64,
    pub margin: f64,
    pub needed: f64,
    /// What the hardware lets a program use, on all devices together.
    pub usable: f64,
    pub placement: Placement,
}

/// Where the weights end up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Everything is on the devices.
    Fits,
    /// Some layers in system memory, computed by the processor.
    Offload {
        device_layers: u32,
        layers: u32,
    },
    /// The routed experts of all but so many layers in system memory, everything else on the devices:
    /// each token uses few of the experts, and all of the rest.
    Experts {
        device_layers: u32,
        layers: u32,
    },
    TooLarge,
}

/// How memory is laid out where the format is served on this hardware: with experts in system memory where
/// they must be. There is this one formula: predictions and the verdict's examples call it.
pub fn layout(model: &ModelShape, hardware: &HardwareShape, format: &Quantisation, load: &Load) -> Memory {
    let hardware = &hardware.clone().with_backend(hardware.serving(format));
    experts_aside(model, hardware, format, load).unwrap_or_else(|| fits(model, hardware, format, load))
}

/// Memory needed, and whether it is there, under the hardware's own backend.
pub fn fits(model: &ModelShape, hardware: &HardwareShape, format: &Quantisation, load: &Load) -> Memory {
    let engine = hardware.backend.engine();
    let weights = held_weights(model, hardware, format);
    let copies = cache_copies(model, hardware);
    let cache = copies * cache_bytes(model, engine, load) * f64::from(load.concurrency.max(1));
    let buffers = buffer_bytes(model, hardware, load);
    let devices = f64::from(hardware.devices);
    let usable = usable_bytes(hardware) * devices;
    let margin = (weights + cache + buffers) * MARGIN;
    let needed = weights + cache + buffers + margin;
    let placement = if needed <= usable {
        Placement::Fits
    } else {
        offload(model, hardware, weights, cache, (usable - buffers) / (1.0 + MARGIN))
    };
    Memory { weights, cache, buffers, margin, needed, usable, placement }
}

/// Bytes left for keys and values beside weights, buffers and the margin, on all devices together; `None`
/// where not even those fit.
pub fn cache_room(model: &ModelShape, hardware: &HardwareShape, format: &Quantisation) -> Option<f64> {
    let weights = held_weights(model, hardware, format);
    let usable = usable_bytes(hardware) * f64::from(hardware.devices);
    let room = usable / (1.0 + MARGIN) - weights - buffer_bytes(model, hardware, &Load::default());
    (room > 0.0).then_some(room)
}

/// How many times the KV cache is in memory: where more devices share a layer than it has key-value heads,
/// the further ones keep copies.
pub fn cache_copies(model: &ModelShape, hardware: &HardwareShape) -> f64 {
    if !hardware.backend.engine().is_server() {
        return 1.0;
    }
    let abreast = f64::from(hardware.devices) / f64::from(hardware.pipeline.max(1));
    abreast / model.cache_divides(abreast)
}

/// Bytes of weights on the devices. llama.cpp keeps tables of which a token reads only one row (embeddings
/// of the input and of the layers) in main memory; an embedding that is the output projection too is copied
/// to the card.
fn held_weights(model: &ModelShape, hardware: &HardwareShape, format: &Quantisation) -> f64 {
    let bytes = model.bytes_under(format, hardware.backend.engine());
    let card = matches!(hardware.class, MemoryClass::Graphics | MemoryClass::Stacked);
    let aside = card && hardware.backend.engine() == Engine::LlamaCpp && hardware.backend != Backend::Cpu;
    if aside { bytes.total - bytes.embedding } else { bytes.total }
}

/// Bytes of the KV cache and the states of one sequence.
pub fn cache_bytes(model: &ModelShape, engine: Engine, load: &Load) -> f64 {
    let mut context = load.context_tokens as f64;
    let mut shape = model.cache;
    let mut unused = 0.0;
    match engine {
        Engine::LlamaCpp => {
            // Cells come in blocks of 256, and a window is kept together with the batch that passes it.
            context = (context / 256.0).ceil() * 256.0;
            unused = shape.unused_pooled_values(context, 256.0);
            shape.window_tokens = ((shape.window_tokens + BATCH_TOKENS.min(context)) / 256.0).ceil() * 256.0;
        }
        // Servers keep states in the model's own 16 bits.
        Engine::Vllm | Engine::Sglang | Engine::TensorRtLlm => shape.state_bytes /= 2.0,
        Engine::Mlx => {}
    }
    (shape.values(context) + unused) * load.kv.bits() / 8.0 + shape.state_bytes
}

/// Bytes of working memory beside weights and cache, on all devices together.
fn buffer_bytes(model: &ModelShape, hardware: &HardwareShape, load: &Load) -> f64 {
    let devices = f64::from(hardware.devices);
    if hardware.backend.engine().is_server() {
        // Activations of a chunk of 8192 tokens, captured graphs, the library itself.
        return devices * (1.5 * GIB) + 8192.0 * model.hidden_size * 2.0 * 8.0;
    }
    // Activations of one batch: a few vectors as wide as the layers, 32 bits; and for each of its tokens
    // which of the context it may see, 16 bits (measured: 1,024 bytes for each token of the context).
    let seen = load.context_tokens as f64 + model.cache.window_tokens.min(load.context_tokens as f64);
    let activations = BATCH_TOKENS * (model.hidden_size * 4.0 * 4.0 + seen * 2.0);
    if hardware.backend == Backend::Cpu {
        // The program; its vocabulary (measured: about 180 bytes a token). Room for the logits of a
        // whole batch is reserved too, but never touched, so it takes no memory.
        return 20.0 * MIB + model.vocabulary * 180.0 + activations;
    }
    let driver = match hardware.backend {
        Backend::Cuda | Backend::Rocm | Backend::Sycl => 450.0 * MIB,
        Backend::Vulkan => 200.0 * MIB,
        _ => 100.0 * MIB,
    };
    let logits = BATCH_TOKENS * model.vocabulary * 4.0;
    devices * driver + logits + activations + BATCH_TOKENS * model.hidden_size * 4.0 * 4.0
}

/// The share of memory that macOS lets the GPU have (`recommendedMaxWorkingSetSize` in llama.cpp's logs of
/// 2026: 27.0 GiB of 36, 51.8 of 64, 107.5 of 128; of a small memory two thirds). Larger ones get no less;
/// `sudo sysctl iogpu.wired_limit_mb=N` gives more.
fn metal_share(bytes: f64) -> f64 {
    let gib = bytes / GIB;
    let between = |(x0, y0): (f64, f64), (x1, y1): (f64, f64)| y0 + (y1 - y0) * (gib - x0) / (x1 - x0);
    match gib {
        g if g < 36.0 => 2.0 / 3.0,
        g if g < 64.0 => between((36.0, 0.75), (64.0, 0.81)),
        g if g < 128.0 => between((64.0, 0.81), (128.0, 0.84)),
        _ => 0.84,
    }
}

/// Bytes of one device's memory that a program may use.
fn usable_bytes(hardware: &HardwareShape) -> f64 {
    match (hardware.backend, hardware.class) {
        (Backend::Metal | Backend::Mlx, _) => hardware.memory_bytes * metal_share(hardware.memory_bytes),
        // Servers take 90 % unless told otherwise; memory that is shared must leave the system its part.
        (Backend::Vllm | Backend::Sglang | Backend::TensorRtLlm, _)
        | (_, MemoryClass::Unified | MemoryClass::Joined | MemoryClass::Processor) => {
            hardware.memory_bytes * 0.9
        }
        _ => hardware.memory_bytes * 0.98,
    }
}

/// A mixture of experts with as many experts in system memory as must be there, as llama.cpp does by itself
/// since the end of 2025 (`--n-cpu-moe` before). `None` where none must be, or where not even the rest
/// fits.
pub fn experts_aside(
    model: &ModelShape,
    hardware: &HardwareShape,
    format: &Quantisation,
    load: &Load,
) -> Option<Memory> {
    let (host, engine) = (hardware.host?, hardware.backend.engine());
    let memory = fits(model, hardware, format, load);
    let aside = engine == Engine::LlamaCpp && model.is_mixture() && memory.placement != Placement::Fits;
    if !aside {
        return None;
    }
    let routed = model.bytes_under(format, engine).routed;
    let per_layer = routed / model.mixture_layers.max(1.0);
    let room = memory.usable / (1.0 + MARGIN) - (memory.weights - routed) - memory.cache - memory.buffers;
    if room < 0.0 {
        return None;
    }
    let held = (room / per_layer.max(1.0)).floor().min(model.mixture_layers);
    if routed - held * per_layer > host.memory_bytes * 0.9 {
        return None;
    }
    // In range: at most the layers of the model.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let device_layers = held as u32;
    Some(Memory { placement: Placement::Experts { device_layers, layers: model.layers }, ..memory })
}

/// Puts as many layers on the devices as fit, and the others into system memory if that has room.
fn offload(model: &ModelShape, hardware: &HardwareShape, weights: f64, cache: f64, room: f64) -> Placement {
    let (Some(host), true) = (hardware.host, hardware.backend.engine() == Engine::LlamaCpp) else {
        return Placement::TooLarge;
    };
    let per_layer = (weights + cache) / f64::from(model.layers.max(1));
    let fitting = (1..=model.layers).rfind(|n| f64::from(*n) * per_layer <= room);
    match fitting {
        Some(n) if f64::from(model.layers - n) * per_layer <= host.memory_bytes * 0.9 => {
            Placement::Offload { device_layers: n, layers: model.layers }
        }
        _ => Placement::TooLarge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_gives_what_its_logs_say() {
        for (memory, usable) in [(16.0, 10.7), (32.0, 21.3), (36.0, 27.0), (64.0, 51.8), (128.0, 107.5)] {
            let mac = HardwareShape::processor("mac", "mac", memory * GIB, 1e11).with_backend(Backend::Metal);
            let gib = usable_bytes(&mac) / GIB;
            assert!((gib - usable).abs() < 0.05, "{memory} GiB: {gib}");
        }
    }
}
