//! `freehold.doctor/1`: what was found on this machine, for a bug report. Names only, never the
//! value of a key, and no path that holds a user's name.

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.doctor/1";

/// A doctor document.
pub type DoctorDocument = Envelope<DoctorResult>;

/// What was found on a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorResult {
    /// The operating system and its version.
    pub system: String,
    /// `x86_64-linux`.
    pub target: String,
    /// The processor, as it calls itself.
    pub cpu: String,
    /// Physical cores of the machine.
    pub cores: u32,
    /// Those that this process may use; null where that was not looked at.
    #[serde(default)]
    pub usable_cores: Option<u32>,
    /// Widest vector instructions the processor has.
    pub vectors: Option<String>,
    /// Main memory of the machine, bytes.
    pub memory_bytes: u64,
    /// What this process may use of it; null where that was not looked at.
    #[serde(default)]
    pub usable_memory_bytes: Option<u64>,
    /// What leaves it less than the machine has: its container or service, `ulimit`, its affinity.
    #[serde(default)]
    pub limits: Vec<String>,
    /// Every GPU found.
    pub gpus: Vec<GpuRow>,
    /// Why the NVIDIA driver could not be asked; null where it could.
    pub nvml_problem: Option<String>,
    /// Energy counters of the processor: readable, there but not readable, or (null) not there.
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
    /// As its driver calls it.
    pub name: String,
    /// Its memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Of it, what nobody used at that moment, bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Version of its driver.
    pub driver: Option<String>,
    /// Whether its power can be read; null where nobody can tell.
    pub power_readable: Option<bool>,
    /// The catalogue record it was recognised as.
    pub record: Option<String>,
}

/// The local engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EngineRow {
    /// The local engine (llama.cpp) was built in.
    pub compiled: bool,
    /// Of `cuda`, `metal`, `rocm`, `vulkan`: what this program was built with.
    pub accelerations: Vec<String>,
    /// Its backends are libraries found beside the program at run time.
    #[serde(default)]
    pub backends_beside: bool,
    /// Those that were found and fit this machine; the processor's with the kind it was built for.
    #[serde(default)]
    pub backends: Vec<String>,
    /// Of what is beside it, the backends of other devices that have none here, each with why.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// As the engine calls itself; null where it was not asked or did not answer.
    #[serde(default)]
    pub version: Option<String>,
    /// Devices it sees.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Why it did not answer.
    #[serde(default)]
    pub problem: Option<String>,
    /// Why its process could open network connections on this system; null where it cannot.
    #[serde(default)]
    pub network_left: Option<String>,
}

/// A variable that may hold a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRow {
    /// Its name.
    pub variable: String,
    /// Whether it is set; what it holds is never shown.
    pub present: bool,
}

/// The catalogue as it is loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueRow {
    /// Each kind of record.
    pub records: Vec<KindRow>,
    /// Files of the user's own that lie over the shipped records.
    pub own_files: u32,
}

/// Records of one kind and their age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindRow {
    /// Their kind, in words.
    pub kind: String,
    /// How many there are.
    pub count: u32,
    /// The oldest date a record was read on.
    pub oldest: Option<String>,
    /// Records read more than 90 days ago.
    pub stale: u32,
}
