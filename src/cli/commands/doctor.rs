use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, hardware, secrets};
use crate::document::doctor::{CatalogueRow, DoctorResult, EngineRow, GpuRow, KeyRow, KindRow, SCHEMA};
use crate::document::envelope::{Envelope, Warning};
use crate::measure::backend::protocol::Device;
use crate::measure::text::one_line;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What was found on this machine: devices, engine, keys (names only), age of the catalogue.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold doctor
  freehold doctor --format markdown     for a bug report")]
pub struct Args {
    #[command(flatten)]
    pub output: OutputArgs,
}

// Every command is called alike, with its own arguments.
#[allow(clippy::needless_pass_by_value)]
pub fn run(args: Args, context: &Context) -> Result<(), CliError> {
    let mut warnings = Vec::new();
    let known = catalog::load(context).unwrap_or_else(|error| {
        // A doctor that dies of what it should diagnose helps nobody.
        if let CliError::Stop { message, .. } = error {
            warnings.push(Warning::new("catalogue-not-usable", message));
        }
        Catalog::embedded()
    });
    let machine = hardware::detect();
    let document = Envelope {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created: context.now.clone(),
        inputs: BTreeMap::new(),
        result: DoctorResult {
            system: machine.system.clone(),
            target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
            cpu: machine.cpu.clone(),
            cores: u32::try_from(machine.cores).unwrap_or(u32::MAX),
            vectors: machine.vectors.map(str::to_owned),
            memory_bytes: machine.memory_bytes,
            gpus: machine.gpus.iter().map(|gpu| gpu_row(gpu, &known)).collect(),
            nvml_problem: machine.nvml_problem.clone(),
            processor_energy_readable: hardware::processor_energy_readable(),
            engine: engine(),
            keys: secrets::variables(&known)
                .into_iter()
                .map(|name| KeyRow { variable: name.to_owned(), present: is_set(name) })
                .collect(),
            catalogue: CatalogueRow { records: ages(&known, context.today), own_files: own_files(context) },
        },
        warnings,
    };
    args.output.write(context, || serde_json::to_string_pretty(&document), || document.view(), None)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn gpu_row(gpu: &hardware::Gpu, catalog: &Catalog) -> GpuRow {
    GpuRow {
        name: gpu.name.clone(),
        memory_bytes: gpu.memory_bytes,
        driver: gpu.driver.clone(),
        power_readable: gpu.power_readable,
        record: crate::catalog::device::card_named(catalog, &gpu.name, gpu.memory_bytes)
            .map(|c| c.id.clone()),
    }
}

fn engine() -> EngineRow {
    let built = [
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("rocm", cfg!(feature = "rocm")),
        ("vulkan", cfg!(feature = "vulkan")),
    ];
    let (build, problem) = match hardware::engine() {
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
        compiled: cfg!(feature = "llama"),
        accelerations: built.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()).collect(),
        backends_beside: cfg!(feature = "dynamic-backends"),
        backends: build.iter().flat_map(|b| &b.libraries).map(|l| one_line(&l.label(), 60)).collect(),
        version: build.as_ref().map(|b| b.version.clone()),
        devices: build.iter().flat_map(|b| &b.devices).map(device).collect(),
        problem,
    }
}

fn own_files(context: &Context) -> u32 {
    let folder = catalog::user_folder(context);
    let own = catalog::toml_files(&folder).map_or(0, |files| files.len());
    u32::try_from(own + context.catalog_files.len()).unwrap_or(u32::MAX)
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
