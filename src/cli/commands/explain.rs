//! `explain`: shows where one number of a saved document comes from.

use super::report::read;
use crate::app::explain::explain;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::output::OutputArgs;
use std::path::PathBuf;

/// Where one number of a saved document comes from: definition, formula, inputs, sources.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  freehold explain payback_months cost.json
  freehold explain local.ttft_ms.p95 bench.json
  freehold explain local.usd_per_kwh cost.json")]
pub struct Args {
    /// An input or a figure by its name, as gates have it (`freehold help metrics`).
    #[arg(value_name = "PATH")]
    pub path: String,
    /// A saved document (`-` is stdin).
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn run(args: &Args, context: &Context) -> Result<(), CliError> {
    let (name, document) = read(&args.file)?;
    args.output.show(context, &explain(&args.path, &name, &document)?)
}
