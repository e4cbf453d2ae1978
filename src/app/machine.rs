//! The machine that the program runs on: what was found, and how the predictor sees it.

use crate::capacity::{Backend, HardwareShape, Host};
use crate::catalog::device::card_named;
use crate::catalog::{Accelerator, Catalog, HardwareClass, Vendor};
use crate::measure::allowed::Allowed;
use crate::measure::backend::protocol::Device;

const GIB: f64 = 1_073_741_824.0;

/// What was found on the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    pub cpu: String,
    /// The memory and cores that this process may use.
    pub allowed: Allowed,
    /// Widest vector instructions the processor has: `AVX-512`, `AVX2`, `NEON`.
    pub vectors: Option<&'static str>,
    /// Load average of the last minute, where the system counts it.
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
    /// Bytes of memory that are free now.
    pub free_bytes: Option<u64>,
    pub driver: Option<String>,
    /// Whether the board's power can be read.
    pub power_readable: Option<bool>,
    /// The backend through which the built-in engine uses it.
    pub backend: Option<Backend>,
}

impl Machine {
    /// Does other work keep most of the cores busy: is the load above 80 % of them?
    pub fn is_busy(&self) -> bool {
        self.load > self.allowed.cores as f64 * 0.8
    }
}

/// How fast a machine's memory and cores are.
#[derive(Debug, Clone, PartialEq)]
pub struct Speeds {
    /// Peak bandwidth of the memory, bytes/s.
    pub bandwidth: f64,
    /// Clock of the cores while all of them work, Hz.
    pub hertz: f64,
    /// How the speeds were found.
    pub how: String,
}

/// Adds the engine's GPUs to those that the drivers reported: a new one, or the backend of a known one.
pub fn add_devices(gpus: &mut Vec<Gpu>, devices: &[Device]) {
    for device in devices.iter().filter(|d| d.is_gpu) {
        let backend = backend_named(&device.backend);
        let memory = Some(device.memory_total).filter(|m| *m > 0);
        // Drivers and engine write a name slightly differently, and round the memory.
        let same = |gpu: &&mut Gpu| {
            device.description.contains(&gpu.name)
                || gpu.name.contains(&device.description)
                || matches!((gpu.memory_bytes, memory), (Some(a), Some(b)) if a.abs_diff(b) < b / 20)
        };
        if let Some(known) = gpus.iter_mut().filter(|g| g.backend.is_none()).find(same) {
            known.backend = backend;
            known.memory_bytes = known.memory_bytes.or(memory);
            if known.name.ends_with(" GPU") {
                // The kernel reported only the vendor.
                known.name.clone_from(&device.description);
            }
        } else {
            gpus.push(Gpu {
                name: device.description.clone(),
                memory_bytes: memory,
                free_bytes: Some(device.memory_free).filter(|free| *free > 0),
                driver: None,
                power_readable: None,
                backend,
            });
        }
    }
}

/// The predictor's backend for one of ggml's names.
fn backend_named(name: &str) -> Option<Backend> {
    let name = name.to_ascii_lowercase();
    let known = [
        ("cuda", Backend::Cuda),
        ("vulkan", Backend::Vulkan),
        ("metal", Backend::Metal),
        ("mtl", Backend::Metal),
        ("rocm", Backend::Rocm),
        ("hip", Backend::Rocm),
        ("sycl", Backend::Sycl),
    ];
    known.into_iter().find(|(part, _)| name.contains(part)).map(|(_, backend)| backend)
}

/// A machine as the predictor sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub shape: HardwareShape,
    /// How each figure was found.
    pub notes: Vec<String>,
    /// GPUs that are there but not counted, each with the reason.
    pub left_out: Vec<String>,
}

/// The machine as the predictor sees it. `measure` tests the speed of so many cores; it is called only
/// where the result depends on it.
pub fn shape(machine: &Machine, catalog: &Catalog, measure: impl FnOnce(usize) -> Speeds) -> Seen {
    let known: Vec<(&Gpu, &Accelerator)> = machine
        .gpus
        .iter()
        .filter_map(|gpu| Some((gpu, card_named(catalog, &gpu.name, gpu.memory_bytes)?)))
        .collect();
    let mut notes: Vec<String> = machine.allowed.notes().collect();
    // Of several kinds of GPU the one with the most memory together counts, such as a card beside the
    // processor's own graphics.
    let together =
        |name: &str| known.iter().filter(|(g, _)| g.name == name).map(|(g, c)| memory_of(g, c)).sum::<f64>();
    let most = known.iter().copied().max_by(|(a, _), (b, _)| together(&a.name).total_cmp(&together(&b.name)));
    if let Some((gpu, card)) = most
        && let Some(shape) = card_shape(machine, gpu, card, &mut notes)
    {
        let Speeds { bandwidth, how, .. } = measure(machine.allowed.cores);
        notes.push(how);
        let host = Host { memory_bytes: machine.allowed.memory_bytes as f64, bandwidth };
        let shape = if shape.class.is_shared() { shape } else { HardwareShape { host: Some(host), ..shape } };
        return Seen {
            shape: named(shape, &gpu.name),
            notes,
            left_out: left_out(machine, Some(gpu), catalog),
        };
    }
    // Apple's chips share memory with the GPU, and the processor's name is that of the chip.
    if let Some(card) = card_named(catalog, &machine.cpu, None).filter(|c| c.vendor == Vendor::Apple) {
        let mut card = card.clone();
        card.memory_gib = Some(machine.allowed.memory_bytes as f64 / GIB);
        if let Ok(shape) = HardwareShape::from_accelerator(&card, 1) {
            notes.push(format!("chip: {} of the catalogue, memory as the system tells", card.id));
            return Seen { shape: named(shape, &machine.cpu), notes, left_out: Vec::new() };
        }
    }
    let Speeds { bandwidth, hertz, how } = measure(machine.allowed.cores);
    notes.push(how);
    let memory = machine.allowed.memory_bytes as f64;
    let bare = HardwareShape::processor("this", machine.cpu.clone(), memory, bandwidth);
    let shape = HardwareShape { flops_16: vector_rate(machine, hertz), ..bare };
    Seen { shape, notes, left_out: left_out(machine, None, catalog) }
}

/// Memory of a GPU, GiB.
fn memory_of(gpu: &Gpu, card: &Accelerator) -> f64 {
    gpu.memory_bytes.map(|b| b as f64 / GIB).or(card.memory_gib).unwrap_or(0.0)
}

/// All cards of one kind, with the memory that is free on each.
fn card_shape(
    machine: &Machine,
    gpu: &Gpu,
    card: &Accelerator,
    notes: &mut Vec<String>,
) -> Option<HardwareShape> {
    let same: Vec<&Gpu> = machine.gpus.iter().filter(|g| g.name == gpu.name).collect();
    let mut card = card.clone();
    let free = same.iter().filter_map(|g| g.free_bytes).min();
    card.memory_gib = free.or(gpu.memory_bytes).map(|b| b as f64 / GIB).or(card.memory_gib);
    notes.push(format!("GPU: {} of the catalogue, memory as the driver tells", card.id));
    if let (Some(free), Some(all)) = (free, gpu.memory_bytes)
        && all > free
    {
        notes.push(format!(
            "GPU memory: {:.1} of {:.1} GiB are free now; other programs and the driver have the rest",
            free as f64 / GIB,
            all as f64 / GIB
        ));
    }
    if card.class == HardwareClass::Integrated {
        // The chip has no memory of its own: the driver reports at most what was set aside for it, but it
        // can use the rest too.
        card.memory_gib = Some(machine.allowed.memory_bytes as f64 / GIB);
        notes.push(
            "GPU memory: shared with the processor, so all that this process may use counts".to_owned(),
        );
    }
    let shape = HardwareShape::from_accelerator(&card, u32::try_from(same.len()).unwrap_or(1)).ok()?;
    Some(match gpu.backend {
        Some(backend) => shape.with_backend(backend),
        None => shape,
    })
}

/// The GPUs that are not counted beside `used`, each with the reason.
fn left_out(machine: &Machine, used: Option<&Gpu>, catalog: &Catalog) -> Vec<String> {
    let others = machine.gpus.iter().filter(|gpu| used.is_none_or(|used| used.name != gpu.name));
    let why = |gpu: &Gpu| match (card_named(catalog, &gpu.name, gpu.memory_bytes), used) {
        (Some(_), Some(used)) => {
            format!("{} is left out: predictions are for cards of one kind, here {}", gpu.name, used.name)
        }
        (Some(card), None) => format!("{} is left out: its record {} lacks a figure", gpu.name, card.id),
        (None, _) => format!(
            "{} is left out: no record of the catalogue is named like it (`freehold db list` shows all; --hardware takes \
             the nearest)",
            gpu.name
        ),
    };
    others.map(why).collect()
}

fn named(mut shape: HardwareShape, name: &str) -> HardwareShape {
    "this".clone_into(&mut shape.id);
    name.clone_into(&mut shape.name);
    shape
}

/// Peak rate of vector arithmetic, operations per second: fused multiply-adds (two operations each) of all
/// cores at the clock, with the instructions that the engine was built for. An ordinary build uses AVX2;
/// one with libraries beside it picks the best there are.
fn vector_rate(machine: &Machine, hertz: f64) -> Option<f64> {
    let per_cycle = match machine.vectors? {
        "AVX-512" if cfg!(feature = "dynamic-backends") => 64.0,
        "AVX-512" | "AVX2" => 32.0,
        _ => 16.0,
    };
    Some(machine.allowed.cores as f64 * hertz * per_cycle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(gpus: &[(&str, Option<f64>)]) -> Machine {
        let bytes = |gib: f64| Some((gib * GIB).round()).and_then(|b| format!("{b}").parse().ok());
        Machine {
            cpu: "a processor".into(),
            allowed: Allowed {
                memory_bytes: 64 << 30,
                machine_bytes: 128 << 30,
                memory_limit: Some("its control group"),
                cores: 4,
                machine_cores: 16,
            },
            vectors: Some("AVX2"),
            load: 0.0,
            system: "a system".into(),
            gpus: gpus
                .iter()
                .map(|(name, gib)| Gpu {
                    name: (*name).to_owned(),
                    memory_bytes: gib.and_then(bytes),
                    free_bytes: None,
                    driver: None,
                    power_readable: None,
                    backend: None,
                })
                .collect(),
            nvml_problem: None,
        }
    }
    fn seen(gpus: &[(&str, Option<f64>)]) -> Seen {
        let speeds = |_| Speeds { bandwidth: 5e10, hertz: 3e9, how: "measured".into() };
        shape(&machine(gpus), &Catalog::embedded(), speeds)
    }

    #[test]
    fn cards_of_several_kinds_are_counted_by_one_and_the_others_named() {
        let both = seen(&[
            ("NVIDIA GeForce RTX 3060", Some(12.0)),
            ("NVIDIA GeForce RTX 4090", Some(24.0)),
            ("Some Unheard-of GPU", None),
        ]);
        assert_eq!((both.shape.name.as_str(), both.shape.devices), ("NVIDIA GeForce RTX 4090", 1));
        assert!(both.left_out[0].contains("RTX 3060 is left out: predictions are for cards of one kind"));
        assert!(both.left_out[1].contains("no record of the catalogue"), "{:?}", both.left_out);
        let none = seen(&[("Some Unheard-of GPU", None)]);
        assert_eq!(none.shape.backend, Backend::Cpu);
        assert_eq!(none.left_out.len(), 1);
    }

    #[test]
    fn limits_of_the_process_count_and_are_said() {
        let bare = seen(&[]);
        assert!((bare.shape.memory_bytes - 64.0 * GIB).abs() < 1.0);
        let said = bare.notes.join("\n");
        assert!(said.contains("64.0 of 128.0 GiB") && said.contains("control group"), "{said}");
        assert!(said.contains("4 of 16"), "{said}");
    }
}
