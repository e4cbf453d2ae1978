//! Reads this machine, for `fit --hardware this` and `doctor`: the operating system, the NVIDIA driver if
//! there is one, the devices that the built-in engine sees, and a short test of memory bandwidth and clock.

use crate::app::fit::ThisMachine;
use crate::app::machine::{Gpu, Machine, Seen, Speeds, add_devices, shape};
use crate::catalog::Catalog;
use crate::measure::allowed::allowed;
use crate::measure::backend::local;
use crate::measure::backend::protocol::{Device, EngineBuild};
use crate::measure::event::Fault;
use std::time::{Duration, Instant};

/// This machine as the predictor sees it.
pub fn this(catalog: &Catalog) -> ThisMachine {
    let machine = detect();
    let Seen { shape, notes, left_out } = shape(&machine, catalog, speeds_now);
    ThisMachine { shape, notes, left_out, busy: machine.is_busy() }
}

/// Asks the operating system, the drivers and the engine.
pub fn detect() -> Machine {
    let mut system = sysinfo::System::new().ok();
    if let Some(system) = &mut system {
        system.refresh_cpu_all();
    }
    let cpus = system.as_ref().map_or(&[][..], sysinfo::System::cpus);
    let first = cpus.first();
    let (gpus, nvml_problem) = match nvidia() {
        Ok(gpus) => (gpus, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    // GPUs that only the kernel knows: a card of another maker, or the processor's own graphics.
    let told = !gpus.is_empty();
    let mut gpus = gpus;
    gpus.extend(kernel_gpus().into_iter().filter(|gpu| !told || !gpu.name.starts_with("NVIDIA")));
    if ACCELERATED && let Some(Ok(build)) = engine() {
        add_devices(&mut gpus, &build.devices);
    }
    Machine {
        cpu: first.map(|c| c.brand().trim().to_owned()).filter(|b| !b.is_empty()).unwrap_or("unknown".into()),
        allowed: allowed(),
        vectors: vectors(),
        load: sysinfo::System::load_average().map_or(0.0, |load| load.one),
        system: sysinfo::System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned()),
        gpus,
        nvml_problem,
    }
}

/// Can the engine use any GPU? If not, it sees only the processor, which is known already.
const ACCELERATED: bool = cfg!(any(
    feature = "cuda",
    feature = "metal",
    feature = "rocm",
    feature = "vulkan",
    feature = "dynamic-backends"
));

/// The built-in engine and the devices it sees; `None` where none is built in.
pub fn engine() -> Option<Result<EngineBuild, Fault>> {
    if !cfg!(feature = "llama") {
        return None;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    Some(runtime.block_on(local::engine()))
}

fn vectors() -> Option<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            return Some("AVX-512");
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            return Some("AVX2");
        }
        None
    }
    #[cfg(target_arch = "aarch64")]
    {
        Some("NEON")
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        None
    }
}

fn nvidia() -> Result<Vec<Gpu>, String> {
    let nvml = nvml_wrapper::Nvml::init().map_err(|e| match e {
        nvml_wrapper::error::NvmlError::LibloadingError(_) => "its library is not installed".to_owned(),
        e => e.to_string(),
    })?;
    let driver = nvml.sys_driver_version().ok();
    let count = nvml.device_count().map_err(|e| e.to_string())?;
    let mut gpus = Vec::new();
    for index in 0..count {
        let device = nvml.device_by_index(index).map_err(|e| e.to_string())?;
        // A chip that shares the processor's memory (GB10) reports none.
        let memory = device.memory_info().ok().filter(|m| m.total > 0);
        gpus.push(Gpu {
            name: device.name().unwrap_or_else(|_| "NVIDIA GPU".to_owned()),
            memory_bytes: memory.as_ref().map(|m| m.total),
            free_bytes: memory.as_ref().map(|m| m.free),
            driver: driver.clone(),
            power_readable: Some(device.power_usage().is_ok()),
            backend: None,
        });
    }
    Ok(gpus)
}

/// The driver of a GPU that the engine uses: its version by the NVIDIA library, else what the engine says.
pub fn driver_of(device: &Device) -> Option<String> {
    let nvidia = device.backend.eq_ignore_ascii_case("cuda") || device.description.contains("NVIDIA");
    let gpus = if nvidia { self::nvidia().unwrap_or_default() } else { Vec::new() };
    let known = gpus.into_iter().find(|g| g.name == device.description);
    known.and_then(|g| g.driver).or_else(|| device.driver.clone())
}

/// GPUs that the Linux kernel lists.
fn kernel_gpus() -> Vec<Gpu> {
    let Ok(cards) = std::fs::read_dir("/sys/class/drm") else { return Vec::new() };
    let mut gpus = Vec::new();
    for card in cards.flatten() {
        let name = card.file_name().to_string_lossy().into_owned();
        // `card0` is a device, `card0-DP-1` a connector of it.
        if !name.strip_prefix("card").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) {
            continue;
        }
        let read = |file: &str| std::fs::read_to_string(card.path().join("device").join(file)).ok();
        let vendor = match read("vendor").as_deref().map(str::trim) {
            Some("0x1002") => "AMD GPU",
            Some("0x8086") => "Intel GPU",
            Some("0x10de") => "NVIDIA GPU",
            _ => continue,
        };
        let bytes = |file: &str| read(file).and_then(|n| n.trim().parse::<u64>().ok());
        let model = read("product_name").map(|n| n.trim().to_owned()).filter(|n| !n.is_empty());
        gpus.push(Gpu {
            name: model.unwrap_or_else(|| vendor.to_owned()),
            memory_bytes: bytes("mem_info_vram_total"),
            free_bytes: bytes("mem_info_vram_total")
                .zip(bytes("mem_info_vram_used"))
                .map(|(total, used)| total.saturating_sub(used)),
            driver: None,
            power_readable: None,
            backend: None,
        });
    }
    gpus
}

/// Can the processor's energy counters be read? `None`: there are none.
pub fn processor_energy_readable() -> Option<bool> {
    let zones = std::fs::read_dir("/sys/class/powercap").ok()?;
    let counters: Vec<_> =
        zones.flatten().map(|z| z.path().join("energy_uj")).filter(|p| p.exists()).collect();
    if counters.is_empty() {
        return None;
    }
    Some(counters.iter().any(|p| std::fs::read_to_string(p).is_ok()))
}

/// Bytes that all threads together read in one pass: more than any cache holds.
const BLOCK: usize = 192 << 20;
/// Share of the memory's peak bandwidth that sequential reading reaches.
const READABLE: f64 = 0.9;
/// Steps of the loop of two dependent instructions that measures the clock.
const STEPS: u64 = 1_000_000;
/// Passes end after this time, but at least two are made.
const LONG_ENOUGH: Duration = Duration::from_millis(120);

/// Measures the peak bandwidth of the memory, by reading it on all cores, and the clock meanwhile, by a
/// loop of known length. The best of several passes counts, since other work only makes them slower.
fn speeds_now(cores: usize) -> Speeds {
    let usable = crate::threads::available();
    let threads = cores.min(usable).clamp(1, 64);
    let blocks: Vec<Vec<u64>> =
        (1..=threads as u64).map(|n| vec![n; BLOCK / threads / size_of::<u64>()]).collect();
    let (mut bandwidth, mut hertz): (f64, f64) = (0.0, 0.0);
    let start = Instant::now();
    for pass in 0..8 {
        if pass > 1 && start.elapsed() > LONG_ENOUGH {
            break;
        }
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for block in &blocks {
                let read = || std::hint::black_box(sum(block));
                // If the system starts no further thread, this one reads the block.
                if std::thread::Builder::new().spawn_scoped(scope, read).is_err() {
                    read();
                }
            }
        });
        bandwidth = bandwidth.max(BLOCK as f64 / begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        std::hint::black_box(count(std::hint::black_box(0x9e37_79b9)));
        hertz = hertz.max(2.0 * STEPS as f64 / begun.elapsed().as_secs_f64());
    }
    let how = format!(
        "memory: {threads} thread{} read {:.1} GB/s just now, taken as nine tenths of its peak; clock: {:.1} GHz",
        if threads == 1 { "" } else { "s" },
        bandwidth / 1e9,
        hertz / 1e9
    );
    Speeds { bandwidth: bandwidth / READABLE, hertz, how }
}

/// Adds up a block in eight sums at once, so that only memory limits the speed.
fn sum(block: &[u64]) -> u64 {
    let mut sums = [0_u64; 8];
    for eight in block.chunks_exact(8) {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

/// A loop of one rotation and one exclusive or per step, each of one cycle and each waiting for the other.
fn count(salt: u64) -> u64 {
    (0..STEPS).fold(1, |x: u64, _| x.rotate_left(7) ^ salt)
}
