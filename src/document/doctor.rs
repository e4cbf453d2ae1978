//! `freehold.doctor/1`: what was found on this machine, for a bug report. Names only, never the
//! value of a key, and no path that holds a user's name.

use super::envelope::Envelope;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name and major version of the document.
pub const SCHEMA: &str = "freehold.doctor/1";

/// A doctor document.
pub type DoctorDocument = Envelope<DoctorResult>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DoctorResult {
    pub system: String,
    /// `x86_64-linux`.
    pub target: String,
    pub cpu: String,
    pub cores: u32,
    /// Widest vector instructions the processor has.
    pub vectors: Option<String>,
    pub memory_bytes: u64,
    pub gpus: Vec<GpuRow>,
    /// Why the NVIDIA driver could not be asked; null where it could.
    pub nvml_problem: Option<String>,
    /// Energy counters of the processor: readable, there but not readable, or (null) not there.
    pub processor_energy_readable: Option<bool>,
    pub engine: EngineRow,
    /// Variables that hold keys, by name.
    pub keys: Vec<KeyRow>,
    pub catalogue: CatalogueRow,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GpuRow {
    pub name: String,
    pub memory_bytes: Option<u64>,
    pub driver: Option<String>,
    pub power_readable: Option<bool>,
    /// The catalogue record it was recognised as.
    pub record: Option<String>,
}

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
    /// As the engine calls itself; null where it was not asked or did not answer.
    #[serde(default)]
    pub version: Option<String>,
    /// Devices it sees.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Why it did not answer.
    #[serde(default)]
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRow {
    pub variable: String,
    pub present: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CatalogueRow {
    pub records: Vec<KindRow>,
    /// Files of the user's own that lie over the shipped records.
    pub own_files: u32,
}

/// Records of one kind and their age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KindRow {
    pub kind: String,
    pub count: u32,
    /// The oldest date a record was read on.
    pub oldest: Option<String>,
    /// Records read more than 90 days ago.
    pub stale: u32,
}
