//! `freehold.doctor/1`: what was found on this machine, for a bug report. It has names of variables but
//! never the value of a key, and no path that contains a user's name.

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.doctor/1";

/// A doctor document.
pub type DoctorDocument = Envelope<DoctorResult>;

/// What was found on this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorResult {
    /// The operating system and its version.
    pub system: String,
    /// What the program was built for: `x86_64-linux`.
    pub target: String,
    /// The processor's own name.
    pub cpu: String,
    /// Physical cores of the machine.
    pub cores: u32,
    /// Cores that this process may use; null where that was not examined.
    #[serde(default)]
    pub usable_cores: Option<u32>,
    /// The widest vector instructions that the processor has.
    pub vectors: Option<String>,
    /// Main memory of the machine, bytes.
    pub memory_bytes: u64,
    /// Memory that this process may use, bytes; null where that was not examined.
    #[serde(default)]
    pub usable_memory_bytes: Option<u64>,
    /// What limits this process below the whole machine: its container or service, `ulimit`, its CPU
    /// affinity.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Every GPU found.
    pub gpus: Vec<GpuRow>,
    /// Why the NVIDIA driver could not be asked; null where it could be.
    pub nvml_problem: Option<String>,
    /// Can the processor's energy counters be read? Null where there are none.
    pub processor_energy_readable: Option<bool>,
    /// The local engine.
    pub engine: EngineRow,
    /// Variables that hold keys, by name.
    pub keys: Vec<KeyRow>,
    /// The catalogue as it is loaded.
    pub catalogue: CatalogueRow,
}

/// One GPU.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuRow {
    /// Its name by the driver.
    pub name: String,
    /// Its memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Memory that was free at that moment, bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Version of its driver.
    pub driver: Option<String>,
    /// Can its power be read? Null where that is not known.
    pub power_readable: Option<bool>,
    /// Id of the catalogue record that it was recognised as.
    pub record: Option<String>,
}

/// The local engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRow {
    /// The local engine (llama.cpp) is part of this build.
    pub compiled: bool,
    /// Which of `cuda`, `metal`, `rocm` and `vulkan` this program was built with.
    pub accelerations: Vec<String>,
    /// The engine's backends are libraries that are looked for beside the program at run time.
    #[serde(default)]
    pub backends_beside: bool,
    /// Backends that were found and fit this machine; for the CPU with the variant that was chosen.
    #[serde(default)]
    pub backends: Vec<String>,
    /// Backends found beside the program that have no device here, each with the reason.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The engine's own version; null where it was not asked or did not answer.
    #[serde(default)]
    pub version: Option<String>,
    /// Devices that the engine sees.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Why the engine did not answer.
    #[serde(default)]
    pub problem: Option<String>,
    /// Why the engine's process could open network connections on this system; null where it cannot.
    #[serde(default)]
    pub network_left: Option<String>,
}

/// A variable that may hold a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRow {
    /// Name of the environment variable.
    pub variable: String,
    /// Is it set? Its value is never shown.
    pub present: bool,
}

/// The catalogue as it is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueRow {
    /// Records by kind.
    pub records: Vec<KindRow>,
    /// Number of the user's own files that override shipped records.
    pub own_files: u32,
}

/// Records of one kind and their age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindRow {
    /// The kind of record, in words.
    pub kind: String,
    /// Number of records.
    pub count: u32,
    /// The oldest date on which a record of this kind was read, `YYYY-MM-DD`.
    pub oldest: Option<String>,
    /// Number of records read more than 90 days ago.
    pub stale: u32,
}
