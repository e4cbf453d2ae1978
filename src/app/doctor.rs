//! `doctor`: what was found on this machine, as a document for a bug report.

use super::machine::{Gpu, Machine};
use crate::catalog::Catalog;
use crate::document::doctor::{
    CatalogueRow, DoctorDocument, DoctorResult, EngineRow, GpuRow, KeyRow, KindRow, SCHEMA,
};
use crate::document::envelope::{Envelope, Warning};
use crate::measure::backend::protocol::{Device, EngineBuild};
use crate::measure::event::Fault;
use crate::measure::text::one_line;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What was found on this machine and in this installation.
#[derive(Debug)]
pub struct Inspection<'a> {
    pub machine: &'a Machine,
    /// `x86_64-linux`.
    pub target: String,
    /// Whether the processor's energy counters can be read; `None`: there are none.
    pub processor_energy_readable: Option<bool>,
    /// What the program was built with.
    pub built: Built,
    /// Version and devices of the engine; `None` where none is built in.
    pub engine: Option<Result<EngineBuild, Fault>>,
    /// Variables that hold keys, and whether they are set.
    pub keys: Vec<(String, bool)>,
    /// The catalogue that is used: the shipped one where the user's records cannot be used.
    pub catalog: &'a Catalog,
    /// Why the user's records cannot be used.
    pub catalog_problem: Option<String>,
    /// Number of files with the user's own records.
    pub own_files: usize,
    pub today: Date,
    /// RFC 3339.
    pub now: &'a str,
}

/// How the local engine is built in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Built {
    pub engine: bool,
    /// The GPU backends built in: `cuda`, `metal`, `rocm`, `vulkan`.
    pub accelerations: Vec<String>,
    /// Are its backends libraries beside the program?
    pub backends_beside: bool,
    /// Why its process keeps access to the network; `None` where it is taken away.
    pub network_left: Option<&'static str>,
}

/// The document.
pub fn doctor(found: Inspection<'_>) -> DoctorDocument {
    let Inspection { machine, catalog, .. } = found;
    let problem = found.catalog_problem.map(|message| Warning::new("catalogue-not-usable", message));
    Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: found.now.to_owned(),
        inputs: BTreeMap::new(),
        result: DoctorResult {
            system: machine.system.clone(),
            target: found.target,
            cpu: machine.cpu.clone(),
            cores: u32::try_from(machine.allowed.machine_cores).unwrap_or(u32::MAX),
            usable_cores: u32::try_from(machine.allowed.cores).ok(),
            vectors: machine.vectors.map(str::to_owned),
            memory_bytes: machine.allowed.machine_bytes,
            usable_memory_bytes: Some(machine.allowed.memory_bytes),
            limits: machine.allowed.notes().collect(),
            gpus: machine.gpus.iter().map(|gpu| gpu_row(gpu, catalog)).collect(),
            nvml_problem: machine.nvml_problem.clone(),
            processor_energy_readable: found.processor_energy_readable,
            engine: engine(found.built, found.engine),
            keys: found.keys.into_iter().map(|(variable, present)| KeyRow { variable, present }).collect(),
            catalogue: CatalogueRow {
                records: ages(catalog, found.today),
                own_files: u32::try_from(found.own_files).unwrap_or(u32::MAX),
            },
        },
        warnings: problem.into_iter().collect(),
    }
}

fn gpu_row(gpu: &Gpu, catalog: &Catalog) -> GpuRow {
    GpuRow {
        name: gpu.name.clone(),
        memory_bytes: gpu.memory_bytes,
        free_bytes: gpu.free_bytes,
        driver: gpu.driver.clone(),
        power_readable: gpu.power_readable,
        record: crate::catalog::device::card_named(catalog, &gpu.name, gpu.memory_bytes)
            .map(|c| c.id.clone()),
    }
}

fn engine(built: Built, engine: Option<Result<EngineBuild, Fault>>) -> EngineRow {
    let (build, problem) = match engine {
        None => (None, None),
        Some(Ok(build)) => (Some(build), None),
        Some(Err(fault)) => (None, Some(fault.message)),
    };
    let device = |d: &Device| {
        let memory = if d.is_gpu && d.memory_total > 0 {
            format!(", {:.1} GiB", d.memory_total as f64 / 1_073_741_824.0)
        } else {
            String::new()
        };
        let driver = d.driver.as_ref().map_or(String::new(), |driver| format!(", driver {driver}"));
        format!("{} ({}{driver}{memory})", d.name, d.description.trim())
    };
    EngineRow {
        compiled: built.engine,
        accelerations: built.accelerations,
        backends_beside: built.backends_beside,
        backends: build.iter().flat_map(|b| &b.libraries).map(|l| one_line(&l.label(), 60)).collect(),
        left_out: build.iter().flat_map(|b| &b.left_out).map(|why| one_line(why, 300)).collect(),
        version: build.as_ref().map(|b| b.version.clone()),
        devices: build.iter().flat_map(|b| &b.devices).map(device).collect(),
        problem,
        network_left: built.network_left.filter(|_| built.engine).map(str::to_owned),
    }
}

/// Dates of the records, kind by kind.
fn ages(catalog: &Catalog, today: Date) -> Vec<KindRow> {
    let row = |kind: &str, dates: Vec<Date>| {
        let stale = dates.iter().filter(|d| (today - **d).get_days() > 90).count();
        KindRow {
            kind: kind.to_owned(),
            count: u32::try_from(dates.len()).unwrap_or(u32::MAX),
            oldest: dates.iter().min().map(Date::to_string),
            stale: u32::try_from(stale).unwrap_or(u32::MAX),
        }
    };
    vec![
        row("accelerators", catalog.accelerators.iter().map(|r| r.as_of).collect()),
        row("machines", catalog.machines.iter().map(|r| r.as_of).collect()),
        row("rentals", catalog.rentals.iter().map(|r| r.as_of).collect()),
        row("electricity", catalog.tariffs.iter().map(|r| r.as_of).collect()),
        row("open models", catalog.open_models.iter().map(|r| r.as_of).collect()),
        row("API models", catalog.api_models.iter().map(|r| r.as_of).collect()),
    ]
}
