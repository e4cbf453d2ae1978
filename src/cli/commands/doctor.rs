use crate::app::doctor::{Built, Inspection, doctor};
use crate::catalog::Catalog;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use crate::cli::{catalog, environment, hardware, secrets};

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
    let (known, problem) = match catalog::load(context) {
        Ok(known) => (known, None),
        // A broken catalogue is reported, not a reason to stop.
        Err(CliError::Stop { message, .. }) => (Catalog::embedded(), Some(message)),
        Err(CliError::BrokenPipe) => (Catalog::embedded(), None),
    };
    let machine = hardware::detect();
    let own = catalog::user_files(context).map_or(0, |files| files.len());
    let found = Inspection {
        machine: &machine,
        target: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        processor_energy_readable: hardware::processor_energy_readable(),
        built: built(),
        engine: hardware::engine(),
        keys: secrets::variables(&known)
            .into_iter()
            .map(|name| (name.to_owned(), environment::value(name).is_some()))
            .collect(),
        catalog: &known,
        catalog_problem: problem,
        own_files: own + context.catalog_files.len(),
        today: context.today,
        now: &context.now,
    };
    args.output.show(context, &doctor(found))
}

fn built() -> Built {
    let accelerations = [
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("rocm", cfg!(feature = "rocm")),
        ("vulkan", cfg!(feature = "vulkan")),
    ];
    Built {
        engine: cfg!(feature = "llama"),
        accelerations: accelerations
            .iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        backends_beside: cfg!(feature = "dynamic-backends"),
        network_left: crate::measure::backend::seal::impossible(),
    }
}
