//! Hardware as the predictor sees it: memory, bandwidths and rates of computing.

use super::backend::Backend;
use super::model::Unknown;
use crate::capacity::quantisation::{Compute, Engine, Quantisation};
use crate::catalog::{Accelerator, FormFactor, HardwareClass, Machine, Vendor};

/// The kind of memory system: efficiencies differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryClass {
    /// A card with GDDR.
    Graphics,
    /// A card with stacked memory.
    Stacked,
    /// Memory shared with the processor.
    Unified,
    /// Shared memory of two chips joined into one: half of it is behind the other chip.
    Joined,
    /// Main memory, with the processor computing.
    Processor,
}

impl MemoryClass {
    /// Is the GPU's memory the processor's (or is there no GPU)?
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Unified | Self::Joined | Self::Processor)
    }
    pub const fn label(self) -> &'static str {
        match self {
            Self::Graphics => "graphics",
            Self::Stacked => "stacked",
            Self::Unified => "unified",
            Self::Joined => "joined",
            Self::Processor => "processor",
        }
    }
}

/// Hardware, as far as speed and memory depend on it. Figures are per device.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareShape {
    pub id: String,
    pub name: String,
    pub vendor: Vendor,
    pub backend: Backend,
    pub class: MemoryClass,
    /// The chip's generation, where known: `ampere`, `m5`.
    pub architecture: Option<String>,
    pub devices: u32,
    /// Groups of devices that share the layers: each group works on the whole of its layers. 1: all devices
    /// work on every layer (servers), or layers are spread as the engine likes (llama.cpp, MLX).
    pub pipeline: u32,
    pub memory_bytes: f64,
    /// Peak memory bandwidth, bytes/s.
    pub bandwidth: f64,
    /// Peak dense 16-bit rate, operations/s, as all rates below.
    pub flops_16: Option<f64>,
    /// The higher of the two 8-bit rates.
    pub flops_8: Option<f64>,
    /// Rate of 8-bit floats, where the chip computes in them.
    pub flops_fp8: Option<f64>,
    /// Rate of 8-bit integers, where the chip computes in them.
    pub flops_int8: Option<f64>,
    /// Rate of 4-bit floats, where the chip computes in them.
    pub flops_4: Option<f64>,
    /// Bytes/s between two devices, in one direction.
    pub link: Option<f64>,
    /// System memory beside a card, for what does not fit on it.
    pub host: Option<Host>,
}

/// The computer around a card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Host {
    pub memory_bytes: f64,
    pub bandwidth: f64,
}

const GIB: f64 = 1_073_741_824.0;

impl HardwareShape {
    /// A processor without an accelerator: `memory_bytes` at `bandwidth` bytes/s.
    pub fn processor(
        id: impl Into<String>,
        name: impl Into<String>,
        memory_bytes: f64,
        bandwidth: f64,
    ) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            vendor: Vendor::Other,
            backend: Backend::Cpu,
            class: MemoryClass::Processor,
            architecture: None,
            devices: 1,
            pipeline: 1,
            memory_bytes,
            bandwidth,
            flops_16: None,
            flops_8: None,
            flops_fp8: None,
            flops_int8: None,
            flops_4: None,
            link: None,
            host: None,
        }
    }

    /// `count` accelerators of one kind.
    pub fn from_accelerator(card: &Accelerator, count: u32) -> Result<Self, Unknown> {
        let need = |value: Option<f64>, field| value.ok_or(Unknown { record: card.id.clone(), field });
        let bandwidth = need(card.bandwidth_gb_s, "bandwidth_gb_s")? * 1e9;
        let larger = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        let per_second = |tera: Option<f64>| tera.map(|t| t * 1e12);
        let sixteen = larger(card.fp16_tflops, card.bf16_tflops);
        let architecture = card.architecture.as_deref().unwrap_or("");
        // Chips of these generations compute in 8-bit floats at twice the 16-bit rate, and the newest
        // in 4-bit floats at twice that (the vendors' architecture papers); a figure of the record
        // goes first.
        let has = |list: &[&str]| list.contains(&architecture);
        let float8 = has(&["ada", "hopper", "blackwell", "cdna-3", "cdna-4", "rdna-4", "xe2"]);
        let float8 =
            card.fp8_tflops.or_else(|| float8.then(|| larger(card.int8_tops, sixteen.map(|s| 2.0 * s)))?);
        let float4 =
            card.fp4_tflops.or_else(|| has(&["blackwell", "cdna-4"]).then(|| float8.map(|f| 2.0 * f))?);
        Ok(Self {
            id: card.id.clone(),
            name: card.name.clone(),
            vendor: card.vendor,
            backend: usual_backend(card),
            class: memory_class(card),
            architecture: card.architecture.clone(),
            devices: count.max(1),
            pipeline: 1,
            memory_bytes: need(card.memory_gib, "memory_gib")? * GIB,
            bandwidth,
            flops_16: per_second(sixteen),
            flops_8: per_second(larger(card.int8_tops, card.fp8_tflops)),
            flops_fp8: per_second(float8),
            flops_int8: per_second(card.int8_tops),
            flops_4: per_second(float4),
            link: card.interconnect_gb_s.map(|g| g * 1e9),
            host: None,
        })
    }

    /// A complete computer; `card` is the record its `accelerator` names.
    pub fn from_machine(machine: &Machine, card: Option<&Accelerator>) -> Result<Self, Unknown> {
        let unknown = |field| Unknown { record: machine.id.clone(), field };
        let Some(card) = card else {
            let memory = machine.memory_gib.ok_or(unknown("memory_gib"))? * GIB;
            let all = machine.bandwidth_gb_s.ok_or(unknown("bandwidth_gb_s"))? * 1e9;
            let bandwidth = all / sockets(machine.cpu.as_deref());
            let bare = Self::processor(machine.id.clone(), machine.name.clone(), memory, bandwidth);
            return Ok(Self { flops_16: machine.fp16_tflops.map(|t| t * 1e12), ..bare });
        };
        let unified = matches!(memory_class(card), MemoryClass::Unified | MemoryClass::Joined);
        let mut filled = card.clone();
        if unified {
            // The chip's memory is the machine's.
            filled.memory_gib = machine.memory_gib.or(card.memory_gib);
            filled.bandwidth_gb_s = machine.bandwidth_gb_s.or(card.bandwidth_gb_s);
        }
        let mut shape = Self::from_accelerator(&filled, machine.accelerators)?;
        shape.id.clone_from(&machine.id);
        shape.name.clone_from(&machine.name);
        if !unified && let (Some(memory), Some(bandwidth)) = (machine.memory_gib, machine.bandwidth_gb_s) {
            let bandwidth = bandwidth * 1e9 / sockets(machine.cpu.as_deref());
            shape.host = Some(Host { memory_bytes: memory * GIB, bandwidth });
        }
        Ok(shape)
    }

    /// Is the arithmetic rate of this accelerator not known, so that it is taken from its bandwidth?
    /// Processors have none in the catalogue by design: theirs follows from measurements.
    pub fn rate_is_guessed(&self) -> bool {
        self.flops_16.is_none() && self.class != MemoryClass::Processor
    }

    /// The same hardware under another backend.
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// The backend through which an engine runs here; `None` where it does not run on such hardware.
    pub fn path(&self, engine: Engine) -> Option<Backend> {
        let old = ["kepler", "maxwell", "pascal"];
        let too_old = self.architecture.as_deref().is_some_and(|a| old.contains(&a));
        let gpu = self.class != MemoryClass::Processor;
        match engine {
            Engine::LlamaCpp if self.backend.engine() == Engine::LlamaCpp => Some(self.backend),
            Engine::LlamaCpp => Some(llama_driver(self.vendor, self.class)),
            Engine::Mlx => (self.vendor == Vendor::Apple).then_some(Backend::Mlx),
            Engine::Vllm | Engine::Sglang => {
                let server = if engine == Engine::Vllm { Backend::Vllm } else { Backend::Sglang };
                let supported = match self.vendor {
                    Vendor::Nvidia => !too_old,
                    Vendor::Amd => true,
                    Vendor::Intel => engine == Engine::Vllm,
                    Vendor::Apple | Vendor::Qualcomm | Vendor::Other => false,
                };
                (gpu && supported).then_some(server)
            }
            Engine::TensorRtLlm => {
                let supported = ["ampere", "ada", "hopper", "blackwell"];
                let known = self.architecture.as_deref().is_none_or(|a| supported.contains(&a));
                (gpu && self.vendor == Vendor::Nvidia && known).then_some(Backend::TensorRtLlm)
            }
        }
    }

    /// The backend that serves a format here: `self.backend` if its engine has files of the format, else
    /// that of an engine that does.
    pub fn serving(&self, format: &Quantisation) -> Backend {
        if format.runs_on(self.backend.engine()) {
            return self.backend;
        }
        // Any engine that runs it: a server before llama.cpp, since only servers lack files of the other's
        // kind.
        let other = [Engine::Vllm, Engine::LlamaCpp, Engine::Mlx];
        other.into_iter().filter(|e| format.runs_on(*e)).find_map(|e| self.path(e)).unwrap_or(self.backend)
    }

    /// Operations per second that one device reaches in a server's products in this number format; `None`
    /// where even the 16-bit rate is not known. No published row shows that kernels gain from 4-bit rates
    /// above twice the 8-bit one, so a higher one counts as that.
    pub fn product_rate(&self, compute: Compute) -> Option<f64> {
        let native = match compute {
            Compute::Sixteen => None,
            Compute::Float8 => self.flops_fp8,
            Compute::Integer8 => self.flops_int8,
            Compute::Float4 => match (self.flops_4, self.flops_fp8) {
                (Some(four), Some(eight)) => Some(four.min(2.0 * eight)),
                (four, _) => four,
            },
        };
        native.or(self.flops_16)
    }

    /// How servers keep keys and values where nothing else is asked: in 16 bits, as the engines do
    /// by default; in 8-bit floats on chips that compute in 4-bit ones, with weights of 8 bits or
    /// fewer, as the published recipes for them do (`SemiAnalysisAI/InferenceX`, benchmarks/).
    pub fn usual_kv(&self, format: &Quantisation) -> crate::capacity::quantisation::KvType {
        use crate::capacity::quantisation::KvType;
        let few = matches!(format.compute, Compute::Float8 | Compute::Float4);
        let served = self.serving(format).engine().is_server();
        let newest = matches!(self.class, MemoryClass::Stacked) && self.flops_4.is_some();
        if served && few && newest { KvType::Fp8 } else { KvType::F16 }
    }
}

/// How many processors a computer has, by how its record writes them: `2 x AMD EPYC 9004`; 1 where it does
/// not say. The memory of several is read only about as fast as that of one, since threads on one wait for
/// what lies behind the other: on two EPYC 9175F a 70B model of 141 GB ran at 2.4 tokens/s, 0.83 of one
/// processor's bandwidth, and at 4.3 with its pages placed by hand (llama.cpp issue 11744); on two Xeon
/// 5218 at 4, and at 8 on one of them (llamafile issue 765).
pub fn sockets(cpu: Option<&str>) -> f64 {
    let number = cpu.and_then(|c| c.split_once([' ', '×'])?.0.trim().parse::<u32>().ok());
    f64::from(number.filter(|n| (2..=8).contains(n)).unwrap_or(1))
}

/// The backend that people usually run on it.
fn usual_backend(card: &Accelerator) -> Backend {
    let served = ["turing", "ampere", "ada", "hopper", "blackwell", "cdna-3", "cdna-4"];
    let known = card.architecture.as_deref().is_some_and(|a| served.contains(&a));
    if card.class == HardwareClass::Datacentre && known {
        return Backend::Vllm;
    }
    llama_driver(card.vendor, memory_class(card))
}

/// The usual driver of llama.cpp.
const fn llama_driver(vendor: Vendor, class: MemoryClass) -> Backend {
    match (vendor, class) {
        (_, MemoryClass::Processor) => Backend::Cpu,
        (Vendor::Nvidia, _) => Backend::Cuda,
        (Vendor::Apple, _) => Backend::Metal,
        (Vendor::Amd, MemoryClass::Stacked) => Backend::Rocm,
        _ => Backend::Vulkan,
    }
}

/// The kind of memory: what the record says; otherwise data-centre cards with much bandwidth have stacked
/// memory. Blackwell's `PCIe` cards have graphics memory, however fast it is.
fn memory_class(card: &Accelerator) -> MemoryClass {
    match card.class {
        HardwareClass::Cpu => MemoryClass::Processor,
        // Among Apple's chips only the Ultra, two Max chips side by side, has so much bandwidth.
        HardwareClass::Integrated
            if card.vendor == Vendor::Apple && card.bandwidth_gb_s.is_some_and(|b| b >= 780.0) =>
        {
            MemoryClass::Joined
        }
        HardwareClass::Integrated => MemoryClass::Unified,
        HardwareClass::Datacentre | HardwareClass::Workstation | HardwareClass::Consumer => {
            let slot = card.form == FormFactor::Pcie && card.architecture.as_deref() == Some("blackwell");
            let fast = card.class == HardwareClass::Datacentre
                && !slot
                && card.bandwidth_gb_s.is_some_and(|b| b >= 895.0);
            let stacked = card.memory_type.map_or(fast, crate::catalog::MemoryType::is_stacked);
            if stacked { MemoryClass::Stacked } else { MemoryClass::Graphics }
        }
    }
}
