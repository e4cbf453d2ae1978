//! The machine that the program runs on: what was found of it, and how the predictor sees it.

use crate::capacity::{Backend, HardwareShape, Host};
use crate::catalog::device::card_named;
use crate::catalog::{Catalog, Vendor};
use crate::measure::backend::protocol::Device;

const GIB: f64 = 1_073_741_824.0;

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    /// Widest vector instructions the processor has: `AVX-512`, `AVX2`, `NEON`.
    pub vectors: Option<&'static str>,
    pub memory_bytes: u64,
    /// Programs that wanted to run during the last minute, on average, where the system counts them.
    pub load: f64,
    pub system: String,
    pub gpus: Vec<Gpu>,
    /// Why the NVIDIA driver could not be asked; `None` where it could.
    pub nvml_problem: Option<String>,
}

/// A GPU as its driver describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    pub name: String,
    pub memory_bytes: Option<u64>,
    pub driver: Option<String>,
    /// The board's power can be read.
    pub power_readable: Option<bool>,
    /// The path by which the built-in engine uses it.
    pub backend: Option<Backend>,
}

impl Machine {
    /// More work than cores to do it.
    pub fn is_busy(&self) -> bool {
        self.load > self.cores as f64 * 0.8
    }
}

/// How fast a machine's memory and cores are.
#[derive(Debug, Clone, PartialEq)]
pub struct Speeds {
    /// Peak of the memory, bytes/s.
    pub bandwidth: f64,
    /// Clock of the cores while all of them work.
    pub hertz: f64,
    /// How that was found.
    pub how: String,
}

/// The engine's GPUs beside those the drivers told of: a new one, or the way to a known one.
pub fn add_devices(gpus: &mut Vec<Gpu>, devices: &[Device]) {
    for device in devices.iter().filter(|d| d.is_gpu) {
        let backend = backend_named(&device.backend);
        let memory = Some(device.memory_total).filter(|m| *m > 0);
        // Drivers and engine write one name a little differently, and round the memory.
        let same = |gpu: &&mut Gpu| {
            device.description.contains(&gpu.name)
                || gpu.name.contains(&device.description)
                || matches!((gpu.memory_bytes, memory), (Some(a), Some(b)) if a.abs_diff(b) < b / 20)
        };
        if let Some(known) = gpus.iter_mut().filter(|g| g.backend.is_none()).find(same) {
            known.backend = backend;
            known.memory_bytes = known.memory_bytes.or(memory);
            if known.name.ends_with(" GPU") {
                // All the kernel told was the vendor.
                known.name.clone_from(&device.description);
            }
        } else {
            gpus.push(Gpu {
                name: device.description.clone(),
                memory_bytes: memory,
                driver: None,
                power_readable: None,
                backend,
            });
        }
    }
}

/// ggml's name of a backend as a path of the predictor's.
fn backend_named(name: &str) -> Option<Backend> {
    let name = name.to_ascii_lowercase();
    let known = [
        ("cuda", Backend::Cuda),
        ("vulkan", Backend::Vulkan),
        ("metal", Backend::Metal),
        ("mtl", Backend::Metal),
        ("rocm", Backend::Rocm),
        ("hip", Backend::Rocm),
    ];
    known.into_iter().find(|(part, _)| name.contains(part)).map(|(_, backend)| backend)
}

/// A machine as the predictor sees it, and how each figure was found. `measure` tests the speed of so
/// many cores; it is asked only where the answer depends on it.
pub fn shape(
    machine: &Machine,
    catalog: &Catalog,
    measure: impl FnOnce(usize) -> Speeds,
) -> (HardwareShape, Vec<String>) {
    if let Some((gpu, card)) =
        machine.gpus.iter().find_map(|gpu| Some((gpu, card_named(catalog, &gpu.name, gpu.memory_bytes)?)))
    {
        let same = machine.gpus.iter().filter(|g| g.name == gpu.name).count();
        let mut card = card.clone();
        card.memory_gib = gpu.memory_bytes.map(|b| b as f64 / GIB).or(card.memory_gib);
        if let Ok(mut shape) = HardwareShape::from_accelerator(&card, u32::try_from(same).unwrap_or(1)) {
            let Speeds { bandwidth, how, .. } = measure(machine.cores);
            shape.host = Some(Host { memory_bytes: machine.memory_bytes as f64, bandwidth });
            let note = format!("GPU: {} of the catalogue, memory as the driver tells", card.id);
            if let Some(backend) = gpu.backend {
                shape = shape.with_backend(backend);
            }
            return (named(shape, &gpu.name), vec![note, how]);
        }
    }
    // Apple's chips share memory with the GPU and name themselves as the processor.
    if let Some(card) = card_named(catalog, &machine.cpu, None).filter(|c| c.vendor == Vendor::Apple) {
        let mut card = card.clone();
        card.memory_gib = Some(machine.memory_bytes as f64 / GIB);
        if let Ok(shape) = HardwareShape::from_accelerator(&card, 1) {
            let note = format!("chip: {} of the catalogue, memory as the system tells", card.id);
            return (named(shape, &machine.cpu), vec![note]);
        }
    }
    let Speeds { bandwidth, hertz, how } = measure(machine.cores);
    let bare = HardwareShape::processor("this", machine.cpu.clone(), machine.memory_bytes as f64, bandwidth);
    let shape = HardwareShape { flops_16: vector_rate(machine, hertz), ..bare };
    (shape, vec![how])
}

fn named(mut shape: HardwareShape, name: &str) -> HardwareShape {
    "this".clone_into(&mut shape.id);
    name.clone_into(&mut shape.name);
    shape
}

/// Fused multiply-adds of all cores at the clock, two operations each, as the engine was built: the
/// ordinary build knows AVX2, the one with libraries beside it picks the best there is.
fn vector_rate(machine: &Machine, hertz: f64) -> Option<f64> {
    let per_cycle = match machine.vectors? {
        "AVX-512" if cfg!(feature = "dynamic-backends") => 64.0,
        "AVX-512" | "AVX2" => 32.0,
        _ => 16.0,
    };
    Some(machine.cores as f64 * hertz * per_cycle)
}
