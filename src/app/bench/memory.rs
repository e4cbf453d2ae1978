//! Checks whether a model fits before it is loaded: the predictor's estimate against the memory that the
//! engine's own devices report. Where not all of it fits, it gives the layers that do, or a refusal that
//! says what would fit.

use crate::capacity::shape::MemoryClass;
use crate::capacity::{self, HardwareShape, Host, Load, ModelShape, Placement, Quantisation};
use crate::measure::backend::local::ModelFile;
use crate::measure::backend::protocol::{EngineBuild, KvType, LoadRequest};
use crate::measure::event::{Fault, FaultKind};

const GIB: f64 = 1_073_741_824.0;

/// Memory the engine may use, bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Memory {
    host: f64,
    /// The GPUs in use together; `None`: the processor computes.
    gpus: Option<Gpus>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Gpus {
    backend: capacity::Backend,
    count: u32,
    bytes: f64,
    /// They share the processor's memory.
    shared: bool,
}

/// Called after the worker has listed its devices and before it loads. Sets the number of GPU layers where
/// not all fit and the user named none. `host_bytes`: main memory that this process may use; 0: unknown.
pub fn plan(
    file: &ModelFile,
    build: &EngineBuild,
    load: &mut LoadRequest,
    host_bytes: u64,
) -> Result<(), Fault> {
    let id = file.path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    // A model that the predictor does not know is not refused: the engine itself will tell.
    let Ok(model) = ModelShape::from_gguf(id, &file.header) else { return Ok(()) };
    decide(&model, memory(build, load, host_bytes), load)
}

fn memory(build: &EngineBuild, load: &LoadRequest, host_bytes: u64) -> Memory {
    let host = if host_bytes > 0 { host_bytes as f64 } else { f64::INFINITY };
    let chosen =
        |name: &str| load.devices.is_empty() || load.devices.iter().any(|d| d.eq_ignore_ascii_case(name));
    let gpus: Vec<_> = build.devices.iter().filter(|d| d.is_gpu && chosen(&d.name)).collect();
    let known = !gpus.is_empty() && load.gpu_layers != Some(0) && gpus.iter().all(|d| d.memory_total > 0);
    let gpus = known.then(|| {
        let backend = match gpus[0].backend.to_ascii_lowercase().as_str() {
            "cuda" => capacity::Backend::Cuda,
            "metal" | "mtl" => capacity::Backend::Metal,
            "rocm" | "hip" => capacity::Backend::Rocm,
            _ => capacity::Backend::Vulkan,
        };
        // Only what is free now counts.
        let bytes: u64 =
            gpus.iter().map(|d| if d.memory_free > 0 { d.memory_free } else { d.memory_total }).sum();
        Gpus {
            backend,
            count: u32::try_from(gpus.len()).unwrap_or(1),
            bytes: bytes as f64,
            shared: backend == capacity::Backend::Metal,
        }
    });
    Memory { host, gpus }
}

fn decide(model: &ModelShape, memory: Memory, load: &mut LoadRequest) -> Result<(), Fault> {
    let Some(format) = model.file_format else { return Ok(()) };
    let hardware = hardware(memory);
    let asked = asked(load);
    let plan = capacity::fits(model, &hardware, format, &asked);
    match (plan.placement, load.gpu_layers) {
        // With experts in system memory, whole layers are not the unit: the number stays as it is.
        (Placement::Fits | Placement::Experts { .. }, _) => Ok(()),
        (Placement::Offload { device_layers, layers }, given) => match given {
            None => {
                load.gpu_layers = Some(device_layers);
                Ok(())
            }
            Some(given) if given <= device_layers => Ok(()),
            Some(given) => Err(too_large(format!(
                "{given} layers of {} do not fit on the GPU: about {device_layers} of {layers} do; leave \
                 --gpu-layers out, or use --gpu-layers {device_layers}",
                model.id
            ))),
        },
        (Placement::TooLarge, _) => Err(too_large(format!(
            "{} needs about {} with a context of {} tokens for {} at once, and this machine has {} for it{}",
            model.id,
            size(plan.needed),
            load.context,
            load.parallel,
            size(plan.usable),
            would_fit(model, &hardware, format, &asked)
        ))),
    }
}

fn hardware(memory: Memory) -> HardwareShape {
    let (backend, class, bytes, devices) = match memory.gpus {
        None => (capacity::Backend::Cpu, MemoryClass::Processor, memory.host, 1),
        Some(gpus) if gpus.shared => (gpus.backend, MemoryClass::Unified, memory.host, 1),
        Some(gpus) => {
            (gpus.backend, MemoryClass::Graphics, gpus.bytes / f64::from(gpus.count.max(1)), gpus.count)
        }
    };
    HardwareShape {
        backend,
        class,
        devices,
        host: memory.gpus.filter(|g| !g.shared).map(|_| Host { memory_bytes: memory.host, bandwidth: 1.0 }),
        // Speeds do not matter here.
        ..HardwareShape::processor("this", "this machine", bytes, 1.0)
    }
}

fn asked(load: &LoadRequest) -> Load {
    let kv = match load.kv_type {
        KvType::F16 => capacity::KvType::F16,
        KvType::Q8_0 => capacity::KvType::Q8_0,
        KvType::Q4_0 => capacity::KvType::Q4_0,
    };
    Load {
        context_tokens: load.context.into(),
        prompt_tokens: load.context.into(),
        concurrency: load.parallel.max(1),
        kv,
    }
}

/// Says the largest context that fits, else the most precise format that would.
fn would_fit(model: &ModelShape, hardware: &HardwareShape, format: &Quantisation, load: &Load) -> String {
    let fits = |model: &ModelShape, format: &Quantisation, blocks: u64| {
        let smaller = Load { context_tokens: blocks * 256, ..*load };
        capacity::fits(model, hardware, format, &smaller).placement != Placement::TooLarge
    };
    let (mut low, mut high) = (0, load.context_tokens.div_ceil(256));
    if fits(model, format, 1) {
        low = 1;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(model, format, middle) { low = middle } else { high = middle }
        }
    }
    if low > 0 {
        return format!("; --context {} would fit", low * 256);
    }
    let plain = ModelShape { file: None, ..model.clone() };
    let fewer = capacity::quantisation::FORMATS.iter().filter(|f| {
        f.runs_on(capacity::Engine::LlamaCpp) && plain.weight_bytes(f) < model.weight_bytes(format)
    });
    let best = fewer
        .filter(|f| fits(&plain, f, 4))
        .max_by(|a, b| plain.weight_bytes(a).total_cmp(&plain.weight_bytes(b)));
    match best {
        Some(best) => format!("; the same model as {} would fit with a context of 1024", best.id),
        None => "; no usual format of this model would fit: use a smaller model".to_owned(),
    }
}

fn size(bytes: f64) -> String {
    if bytes >= GIB { format!("{:.1} GiB", bytes / GIB) } else { format!("{:.0} MiB", bytes / GIB * 1024.0) }
}

fn too_large(message: String) -> Fault {
    Fault { kind: FaultKind::Context, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// An 8B model in a `Q4_K_M` file: weights of 4.6 GiB, 32 layers.
    fn model() -> ModelShape {
        let catalog = Catalog::embedded();
        let record = catalog.open_model("llama-3.1-8b-instruct").expect("in the catalogue");
        let mut model = ModelShape::from_catalogue(record).expect("complete");
        let format = Quantisation::find("Q4_K_M").expect("known");
        model.file = Some(model.bytes(format));
        model.file_format = Some(format);
        model
    }
    fn load(context: u32) -> LoadRequest {
        LoadRequest { context, ..LoadRequest::new("model.gguf".into(), context) }
    }
    fn processor(gib: f64) -> Memory {
        Memory { host: gib * GIB, gpus: None }
    }
    fn card(gib: f64, host: f64) -> Memory {
        let gpus = Gpus { backend: capacity::Backend::Cuda, count: 1, bytes: gib * GIB, shared: false };
        Memory { host: host * GIB, gpus: Some(gpus) }
    }

    #[test]
    fn what_fits_is_loaded_as_asked() {
        let mut load = load(8192);
        decide(&model(), processor(16.0), &mut load).expect("fits");
        decide(&model(), card(24.0, 32.0), &mut load).expect("fits");
        assert_eq!(load.gpu_layers, None);
    }

    #[test]
    fn a_context_too_long_is_refused_with_the_longest_that_fits() {
        let refusal = decide(&model(), processor(8.0), &mut load(65_536)).expect_err("8 GiB of cache");
        assert_eq!(refusal.kind, FaultKind::Context);
        let words = refusal.message.split_once("--context ").expect("a context that fits").1;
        let fitting: u32 = words.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
        decide(&model(), processor(8.0), &mut load(fitting)).expect("as it said");
        decide(&model(), processor(8.0), &mut load(fitting + 256)).expect_err("and no more");
    }

    #[test]
    fn weights_too_large_are_refused_with_a_format_that_fits() {
        let refusal = decide(&model(), processor(4.5), &mut load(512)).expect_err("4.6 GiB of weights");
        assert!(refusal.message.contains("the same model as"), "{}", refusal.message);
        let refusal = decide(&model(), processor(0.5), &mut load(512)).expect_err("half a GiB");
        assert!(refusal.message.contains("use a smaller model"), "{}", refusal.message);
    }

    #[test]
    fn a_small_card_gets_the_layers_it_holds() {
        let mut chosen = load(4096);
        decide(&model(), card(4.0, 32.0), &mut chosen).expect("the rest goes to the processor");
        let layers = chosen.gpu_layers.expect("a number");
        assert!((1..32).contains(&layers), "{layers}");
        let mut named = LoadRequest { gpu_layers: Some(32), ..load(4096) };
        let refusal = decide(&model(), card(4.0, 32.0), &mut named).expect_err("all of them do not fit");
        assert!(refusal.message.contains(&format!("--gpu-layers {layers}")), "{}", refusal.message);
        decide(&model(), card(4.0, 2.0), &mut load(4096)).expect_err("neither card nor system holds it");
    }
}
